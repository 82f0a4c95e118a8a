"""What the painter looks like: its buttons and displays, and where they are."""

from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from .chooser import PictureChooser
from .gallery import Gallery
from .live import LivePage
from .lookout import Lookout
from .panel import Panel
from .picture import data_url
from .session import Session
from .share import Share
from .variants import Variants
from .viewer import Viewer

_VARIANTS = "Try up to nine in one go"
_SHARE = "In Python, and for others"


class Desk:
    """The painter's buttons and displays. It knows how they look, not what they do."""

    def __init__(self, photos: PictureChooser, paintings: PictureChooser, gallery: Gallery) -> None:
        self._photos, self._paintings = photos, paintings
        self.panel, self.session, self.variants = Panel(), Session(gallery), Variants()
        self.lookout, self.live = Lookout(), LivePage(photos)
        self.buttons = {
            name: ipywidgets.Button(
                description=label,
                icon=icon,
                tooltip=tooltip,
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
        self.expect, self.saved, self.share = ipywidgets.HTML(), ipywidgets.HTML(), Share()
        gap, b = classed("stylelib-gap", ipywidgets.Box()), self.buttons
        bar = [b["paint"], b["pause"], b["stop"], b["finish"], gap, b["save"]]
        buttons = classed("stylelib-bar", ipywidgets.HBox(bar))
        under = [buttons, self.lookout, self.panel, self.saved]
        self.viewer = Viewer(photos.picture, paintings.picture, [b["continue"], b["film"]], under)

    def arrange(
        self, knobs: list[Any], pages: dict[str, list[Any]], below: dict[str, Any]
    ) -> list[Any]:
        """Everything from top to bottom: the picture, and `knobs` and further `pages` beside it.

        The pages open one at a time, by their titles; so does each of the parts `below`.
        """
        boxes = [ipywidgets.VBox(page) for page in pages.values()]
        more = ipywidgets.Accordion(boxes, titles=list(pages), selected_index=None)
        curve = [self.panel.curve]
        beside = ipywidgets.VBox([*knobs, self.expect, *([more] if pages else []), *curve])
        work = [classed("stylelib-center", self.viewer), classed("stylelib-knobs", beside)]
        choosers = ipywidgets.HBox([self._photos, self._paintings])
        parts = [
            classed("stylelib-choosers", choosers),
            classed("stylelib-work", ipywidgets.Box(work)),
            self.live,
            ipywidgets.Accordion([self.variants], selected_index=None, titles=[_VARIANTS]),
            *(
                ipywidgets.Accordion([part], selected_index=None, titles=[title])
                for title, part in below.items()
            ),
            self.session,
            ipywidgets.Accordion([self.share], selected_index=None, titles=[_SHARE]),
        ]
        return [classed("stylelib-desk", ipywidgets.VBox(parts))]

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

    def link(self, path: Path, where: ipywidgets.HTML | None = None) -> None:
        """Say where a file was saved, and offer it as a download from a remote computer."""
        name, folder = escape(path.name), escape(str(path.parent))
        saved = f"Saved as <b>{name}</b> beside the notebook."
        if path.is_absolute():
            saved = f"Saved as <b>{name}</b> in {folder}."
        run = self.viewer.run
        if run is not None and run.small and path.suffix == ".png":
            saved = f"{saved} The picture is still small, because it was stopped early."
        address = data_url(path.read_bytes(), path.suffix[1:])
        link = f"<a download='{name}' href='{address}'><u>Download it</u></a>"
        (where or self.saved).value = f"{saved} {link}"


def classed(name: str, widget: Any) -> Any:
    """The widget, with a class for studio.css."""
    widget.add_class(name)
    return widget
