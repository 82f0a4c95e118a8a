"""Look at a run: before and after, and back through its steps."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets
import torch
import traitlets
from torch import Tensor

from ..pictures.images import resize_to
from .easel import Easel, Split
from .picture import Picture, jpeg
from .runs import Frame, Run


class Viewer(ipywidgets.VBox):
    """A picture, compared with another one by a line to drag, and a slider to go back in time.

    Without a run, the photo is shown. `buttons` are placed beside the slider that goes
    back in time; `between` comes between the picture and the controls below it.
    """

    def __init__(
        self,
        photo: Picture,
        painting: Picture,
        buttons: Sequence[ipywidgets.Widget] = (),
        between: Sequence[ipywidgets.Widget] = (),
    ) -> None:
        self.run: Run | None = None
        self._photo, self._painting = photo, painting
        self._others: dict[str, Run] = {}
        self._compared: tuple[object, ...] = ()  # what `image.before` was made from
        self.image, self.compare = Easel(), Split()
        traitlets.link((self.compare, "value"), (self.image, "split"))
        self.caption = ipywidgets.HTML()
        self.against = ipywidgets.Dropdown(
            options=["photo", "painting"],
            description="compare with",
            tooltip="What is shown left of the line that you drag over the picture",
            style={"description_width": "initial"},
            layout={"flex": "1 1 170px", "width": "auto"},
        )
        # Always in percent: a slider whose range changes later loses track of its End key.
        self.scrub = ipywidgets.IntSlider(
            value=100,
            step=4,
            description="back in time",
            tooltip="Show the picture after an earlier step; at the right end, the newest",
            style={"description_width": "initial"},
            layout={"flex": "2 1 200px", "width": "auto"},
        )
        for control in (self.compare, self.against, self.scrub):
            control.observe(self.draw, "value")
        row = ipywidgets.HBox([self.against, self.scrub, ipywidgets.HBox(buttons)])
        row.add_class("stylelib-bar")
        super().__init__([self.image, self.caption, *between, row])

    @property
    def frame(self) -> Frame | None:
        """The frame that the slider points at; None for the newest picture."""
        frames: list[Frame] = [] if self.run is None else self.run.frames
        if self.scrub.value == 100 or not frames:
            return None
        share: float = self.scrub.value / 100
        return frames[round(share * (len(frames) - 1))]

    def show(self, run: Run | None, photo: Picture, painting: Picture) -> None:
        """Show a run's newest picture or, without a run, the photo."""
        self.run, self._photo, self._painting = run, photo, painting
        if run is not None:
            self._photo, self._painting = run.content, run.style
        self.scrub.value = 100
        self.draw()

    def offer(self, others: Mapping[str, Run]) -> None:
        """Offer runs by name, to compare with."""
        chosen, self._others = self.against.value, dict(others)
        self.against.options = ["photo", "painting", *others]
        self.against.value = chosen if chosen in self.against.options else "photo"

    def draw(self, _: Any = None) -> None:
        """Draw what the controls ask for."""
        image = self.picture()
        with self.image.hold_sync():
            self.image.shape = [image.shape[-1], image.shape[-2]]
            self.image.value = jpeg(image)
            self.image.alt = self.told
            self._show_before()
        self.caption.value = f"<div class='stylelib-caption'>{escape(self.told)}</div>"

    def _show_before(self) -> None:
        """Send what the picture is compared with, once: the line is dragged in the browser."""
        if self.run is None or not self.run.losses:
            self._compared, self.image.before = (), b""
            return
        other = self._others.get(self.against.value)
        compared = (self.against.value, other, other and other.colors, self._photo, self._painting)
        if compared != self._compared:
            self._compared, self.image.before = compared, jpeg(self._other())
            self.image.before_name, self.image.name = self.against.value, self.run.name

    def picture(self) -> Tensor:
        """What is shown, without what it is compared with."""
        if self.run is None:
            return self._photo.load(512)
        if frame := self.frame:
            return self.run.frame_picture(frame)
        if self.run.image is not None:
            return self.run.picture()
        return self._photo.load(self.run.recipe.size)

    def still(self) -> bytes:
        """A JPEG for a page without a kernel: the photo, and the painting or the result."""
        photo = self._photo.load(512)
        if self.run is None:
            return jpeg(in_a_row([photo, self._painting.load(512)], 300))
        return jpeg(in_a_row([photo, self.picture()], 270))

    @property
    def told(self) -> str:
        """What is shown, in words."""
        if self.run is None:
            return self._photo.label
        step = self.frame.iteration if self.frame else self.run.iteration
        text = f"Step {step} of {self.run.steps}. {self.run.title}"
        if self.compare.value:
            text = f"Left of the line: {self.against.value}. {text}"
        return text

    def _other(self) -> Tensor:
        if self.against.value in self._others:
            return self._others[self.against.value].picture()
        picture = self._photo if self.against.value == "photo" else self._painting
        return picture.load(self.run.recipe.size if self.run else 512)


def in_a_row(images: list[Tensor], height: int) -> Tensor:
    """Pictures (1, 3, H, W) side by side, each `height` pixels high."""
    gap = torch.ones(1, 3, height, height // 30)
    parts = []
    for image in images:
        width = round(height * image.shape[-1] / image.shape[-2])
        parts += [resize_to(image, (height, width)), gap]
    return torch.cat(parts[:-1], -1)
