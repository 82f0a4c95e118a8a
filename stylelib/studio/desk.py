"""What the painter looks like: its buttons and displays, and where they stand."""

from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from .knobs import ROW, button
from .panel import Panel
from .runs import Run
from .session import Session
from .viewer import Viewer


class Desk:
    """The painter's buttons and displays. It knows how they look, not what they do.

    Attributes
    ----------
    buttons : dict of str to ipywidgets.Button
        ``paint``, ``pause`` (which also resumes), ``stop``, ``on``, ``save``, ``film``.
    """

    def __init__(self) -> None:
        self.panel, self.viewer, self.session = Panel(), Viewer(), Session()
        self.buttons = {
            "paint": button("Paint", "paint-brush", "Start a new painting", "primary"),
            "pause": button("Pause", "pause", "Wait after this step; press again to go on"),
            "stop": button("Stop", "stop", "End here, and keep the picture"),
            "on": button("Go on from here", "undo", "Paint on from the step that you see"),
            "save": button("Save", "save", "Save the picture as a PNG file"),
            "film": button("Save film", "film", "Save how it was painted, as an animated GIF"),
        }
        self.expect = ipywidgets.HTML()
        self.saved = ipywidgets.HTML()
        self.code = ipywidgets.HTML()

    def arrange(self, choosers: list[Any], knobs: list[Any], more: list[Any]) -> list[Any]:
        """All of it, top to bottom: `knobs` above the buttons, `more` below."""
        b = self.buttons
        photos, paintings = choosers
        self.viewer.tools.children = [*self.viewer.tools.children, b["on"]]
        photos.layout.flex, paintings.layout.flex = "0 0 auto", "1 1 300px"
        left = ipywidgets.VBox(
            [
                *knobs,
                self.expect,
                ipywidgets.HBox([b["paint"], b["pause"], b["stop"]], layout=ROW),
                self.panel,
                *more,
            ],
            layout={"flex": "1 1 372px", "max_width": "430px"},
        )
        right = ipywidgets.VBox(
            [self.viewer, ipywidgets.HBox([b["save"], b["film"], self.saved], layout=ROW)],
            layout={"flex": "4 1 440px"},
        )
        recipe = ipywidgets.Accordion([self.code], selected_index=None, titles=["In Python"])
        return [
            ipywidgets.HBox(
                [photos, paintings], layout=ROW | {"align_items": "flex-start", "grid_gap": "24px"}
            ),
            ipywidgets.HBox(
                [left, right], layout=ROW | {"align_items": "flex-start", "grid_gap": "16px"}
            ),
            self.session,
            recipe,
        ]

    def enable(self, state: str) -> None:
        """Let only those buttons be pressed that mean something now."""
        busy = state != "idle"
        b, run = self.buttons, self.viewer.run
        b["paint"].disabled = busy
        b["stop"].disabled = not busy or state == "stopping"
        b["pause"].disabled = not busy or state == "stopping"
        waiting = state in ("pausing", "paused")
        b["pause"].description = "Resume" if waiting else "Pause"
        b["pause"].icon = "play" if waiting else "pause"
        painted = run is not None and bool(run.losses)
        b["save"].disabled = not painted
        b["film"].disabled = not painted or busy
        self.viewer.scrub.disabled = not painted or busy
        frame = self.viewer.frame or (run.frames[-1] if run is not None and run.frames else None)
        b["on"].disabled = (
            busy
            or run is None
            or frame is None
            or frame.image is None
            or frame.iteration >= run.steps
        )

    def tell(self, run: Run | None) -> None:
        """Show the recipe of a run as Python."""
        if run is None or not run.losses:
            self.code.value = "Paint something first: then its recipe stands here."
            return
        given = [run.content, *run.paintings, *([run.mask] if run.mask else [])]
        files = [p.name for p in given if isinstance(p.source, bytes)]
        note = f"<p>Put {escape(' and '.join(files))} beside the notebook first.</p>" * bool(files)
        self.code.value = (
            f"<p>Paste this into a cell: it paints {escape(run.title)} again.</p>{note}"
            f"<pre style='white-space:pre-wrap; line-height:1.4'>{escape(run.code())}</pre>"
        )

    def link(self, path: Path) -> None:
        """Say where a file was saved, and let it be fetched from a computer far away."""
        data = b64encode(path.read_bytes()).decode()
        where = f"in {path.parent}" if path.is_absolute() else "beside the notebook"
        self.saved.value = (
            f"Saved as <b>{escape(path.name)}</b> {escape(where)}. "
            f"<a download='{escape(path.name)}' "
            f"href='data:image/{path.suffix[1:]};base64,{data}'><u>Download it</u></a>"
        )


def close_all(widget: Any) -> None:
    """Close a widget and all that it holds: ipywidgets keeps them for ever otherwise."""
    for part in getattr(widget, "children", ()):
        close_all(part)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, ipywidgets.Widget):
            part.close()
    ipywidgets.Widget.close(widget)
