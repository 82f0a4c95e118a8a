"""Look at a run: before and after, and back through its steps."""

from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets
import torch
from torch import Tensor

from ..pictures.images import resize_to
from .picture import Picture, jpeg
from .runs import Frame, Run

_WIDTH, _HEIGHT = 640, 400  # the largest size of a picture on the page, in pixels


class Viewer(ipywidgets.VBox):
    """A picture, with one slider to compare it with another and one to go back in time.

    Without a run, the photo is shown. `button` is placed beside the slider that goes back
    in time.
    """

    def __init__(self, photo: Picture, painting: Picture, button: ipywidgets.Button) -> None:
        self.run: Run | None = None
        self._photo, self._painting = photo, painting
        self._others: dict[str, Run] = {}
        self.image = ipywidgets.Image(format="jpeg")
        self.image.add_class(f"stylelib-{self.image.model_id[:12]}")
        self._css = ipywidgets.HTML(layout={"display": "none"})
        self.caption = ipywidgets.HTML()
        slider = {
            "style": {"description_width": "110px"},
            "layout": {"flex": "1 1 260px"},
        }
        self.compare = ipywidgets.IntSlider(
            description="before / after",
            tooltip="Uncover the photo from the left, to compare before with after",
            **slider,
        )
        self.against = ipywidgets.Dropdown(
            options=["photo", "painting"],
            tooltip="What to compare with",
            layout={"width": "150px"},
        )
        # Always in percent: a slider whose range changes later loses track of its End key.
        self.scrub = ipywidgets.IntSlider(
            value=100,
            step=4,
            description="back in time",
            tooltip="Show the picture after an earlier step; at the right end, the newest",
            **slider,
        )
        for control in (self.compare, self.against, self.scrub):
            control.observe(self.draw, "value")
        row = {"width": "100%", "align_items": "center", "min_height": "36px"}
        super().__init__(
            [
                self._css,
                self.image,
                self.caption,
                ipywidgets.HBox([self.compare, self.against], layout=row),
                ipywidgets.HBox([self.scrub, button], layout=row),
            ],
            layout={"flex": "0 0 auto", "max_width": f"{_WIDTH}px"},
        )

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
        """Draw what the sliders ask for."""
        image = self.picture()
        self._fit(image)
        if self.compare.value:
            image = side_by_side(self._other(), image, self.compare.value / 100)
        self.image.value = jpeg(image)
        self.caption.value = f"<div class='stylelib-caption'>{escape(self.told)}</div>"

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

    def _fit(self, image: Tensor) -> None:
        """Keep the picture's room on the page the same while it is painted at smaller sizes."""
        height, width = image.shape[-2:]
        room = min(_WIDTH, round(_HEIGHT * width / height))
        css = (
            f"<style>.stylelib-{self.image.model_id[:12]} "
            f"{{width:calc(100% - 4px); max-width:{room}px; aspect-ratio:{width / height:.2f}; "
            f"object-fit:fill; border-radius:4px}}</style>"
        )
        if css != self._css.value:
            self._css.value = css


def side_by_side(left: Tensor, right: Tensor, share: float) -> Tensor:
    """`left` up to that share of the width, `right` beyond, and a line between them.

    Both are pictures (1, 3, H, W); `left` is resized to the shape of `right`.
    """
    height, width = right.shape[-2:]
    edge = round(share * width)
    both = torch.cat([resize_to(left, (height, width))[..., :edge], right[..., edge:]], -1)
    line = max(1, width // 300)
    if 0 < edge < width:
        both[..., max(0, edge - line) : edge + line] = 1
        both[..., edge : edge + 1] = 0
    return both


def in_a_row(images: list[Tensor], height: int) -> Tensor:
    """Pictures (1, 3, H, W) side by side, each `height` pixels high."""
    gap = torch.ones(1, 3, height, height // 30)
    parts = []
    for image in images:
        width = round(height * image.shape[-1] / image.shape[-2])
        parts += [resize_to(image, (height, width)), gap]
    return torch.cat(parts[:-1], -1)
