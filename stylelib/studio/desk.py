"""What the painter looks like: its buttons and displays, and where they are."""

from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from .chooser import PictureChooser
from .gallery import Gallery
from .lookout import Lookout
from .panel import Panel
from .picture import data_url
from .runs import Run
from .session import Session
from .viewer import Viewer

_ROW = {"width": "100%", "flex_flow": "row wrap", "align_items": "center"}


class Desk:
    """The painter's buttons and displays. It knows how they look, not what they do."""

    def __init__(self, photos: PictureChooser, paintings: PictureChooser, gallery: Gallery) -> None:
        self._photos, self._paintings = photos, paintings
        self.panel, self.session = Panel(), Session(gallery)
        self.lookout = Lookout()
        self.buttons = {
            name: ipywidgets.Button(
                description=label,
                icon=icon,
                tooltip=tooltip,
                layout={"width": "auto", "min_width": "84px"},
            )
            for name, label, icon, tooltip in (
                ("paint", "Paint", "paint-brush", "Start a new painting"),
                ("pause", "Pause", "pause", "Wait after this step; press again to continue"),
                ("stop", "Stop", "stop", "End here, and keep the picture"),
                ("finish", "Finish it", "forward", "Take the remaining steps, up to the full size"),
                ("continue", "Continue from here", "undo", "Continue from the step that is shown"),
                ("save", "Save", "save", "Save the picture as a PNG file"),
                ("film", "Save film", "film", "Save how it was painted, as an animated GIF"),
            )
        }
        self.buttons["paint"].button_style = "primary"
        self.viewer = Viewer(photos.picture, paintings.picture, self.buttons["continue"])
        self.expect, self.saved, self.code = (ipywidgets.HTML() for _ in range(3))

    def arrange(self, knobs: list[Any], pages: dict[str, list[Any]]) -> list[Any]:
        """Everything from top to bottom: `knobs` above the buttons, further `pages` below them.

        The pages open one at a time, by their titles.
        """
        self._photos.layout.flex, self._paintings.layout.flex = "0 0 auto", "1 1 300px"
        b, top = self.buttons, _ROW | {"align_items": "flex-start"}
        boxes = [ipywidgets.VBox(page) for page in pages.values()]
        more = ipywidgets.Accordion(boxes, titles=list(pages), selected_index=None)
        left = ipywidgets.VBox(
            [
                *knobs,
                self.expect,
                ipywidgets.HBox([b["paint"], b["pause"], b["stop"], b["finish"]], layout=_ROW),
                self.lookout,
                self.panel,
                *([more] if pages else []),
            ],
            layout={"flex": "1 1 372px", "max_width": "430px"},
        )
        right = ipywidgets.VBox(
            [self.viewer, ipywidgets.HBox([b["save"], b["film"], self.saved], layout=_ROW)],
            layout={"flex": "4 1 440px"},
        )
        choosers = [self._photos, self._paintings]
        return [
            ipywidgets.HBox(choosers, layout=top | {"grid_gap": "24px"}),
            ipywidgets.HBox([left, right], layout=top | {"grid_gap": "16px"}),
            self.session,
            ipywidgets.Accordion([self.code], selected_index=None, titles=["In Python"]),
        ]

    def enable(self, state: str) -> None:
        """Enable only the buttons that make sense now."""
        busy, waiting = state != "idle", state in ("pausing", "paused")
        b, run = self.buttons, self.viewer.run
        b["paint"].disabled = busy
        b["pause"].disabled = b["stop"].disabled = not busy or state == "stopping"
        b["pause"].description = "Resume" if waiting else "Pause"
        b["pause"].icon = "play" if waiting else "pause"
        unfinished = run is not None and run.small and run.frames[-1].image is not None
        b["finish"].layout.display = None if unfinished and not busy else "none"
        painted = run is not None and bool(run.losses)
        b["save"].disabled = not painted
        b["film"].disabled = self.viewer.scrub.disabled = not painted or busy
        frame = self.viewer.frame or (run.frames[-1] if run is not None and run.frames else None)
        b["continue"].disabled = (
            busy
            or run is None
            or frame is None
            or frame.image is None
            or frame.iteration >= run.steps
        )

    def tell(self, run: Run | None) -> None:
        """Show how to paint a run again in Python."""
        if run is None or not run.losses:
            self.code.value = "Once a picture is painted, the Python code for it appears here."
            return
        given = [run.content, *run.paintings, *([run.mask] if run.mask else [])]
        files = ", ".join(p.name for p in given if isinstance(p.source, bytes))
        note = f"<p>First put these files beside the notebook: {escape(files)}</p>" if files else ""
        self.code.value = (
            f"<p>Paste this into a cell to paint {escape(run.title)} again.</p>{note}"
            f"<pre style='white-space:pre-wrap; line-height:1.4'>{escape(run.code())}</pre>"
        )

    def link(self, path: Path) -> None:
        """Say where a file was saved, and offer it as a download from a remote computer."""
        name, folder = escape(path.name), escape(str(path.parent))
        saved = f"Saved as <b>{name}</b> beside the notebook."
        if path.is_absolute():
            saved = f"Saved as <b>{name}</b> in {folder}."
        run = self.viewer.run
        if run is not None and run.small and path.suffix == ".png":
            saved = f"{saved} The picture is still small, because it was stopped early."
        address = data_url(path.read_bytes(), path.suffix[1:])
        self.saved.value = f"{saved} <a download='{name}' href='{address}'><u>Download it</u></a>"
