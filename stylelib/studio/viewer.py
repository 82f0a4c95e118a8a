"""Look at a painting: before and after, and back through its steps."""

from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets
import torch
from torch import Tensor

from ..pictures.images import load_image, resize_to
from .runs import Frame, Picture, Run, jpeg

_WIDTH, _HEIGHT = 640, 400  # the most that a picture takes of the page, in pixels


class Viewer(ipywidgets.VBox):
    """One picture, with a slider that uncovers what was before, and one through its steps.

    Attributes
    ----------
    run : Run or None
        What is shown; a photo alone before there is any.
    compare : ipywidgets slider, 0 to 100
        How much of the picture `against` covers, from the left, in percent.
    against : ipywidgets.Dropdown
        ``"photo"``, ``"painting"`` or a run's title.
    scrub : ipywidgets slider, 0 to 100
        Which of the kept pictures to see: 0 is the start, 100 the newest.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self._photo: Picture | None = None
        self._painting: Picture | None = None
        self._others: dict[str, Run] = {}
        self.image = ipywidgets.Image(format="jpeg")
        self.image.add_class(f"stylelib-{self.image.model_id[:12]}")
        self._css = ipywidgets.HTML(layout=ipywidgets.Layout(display="none"))
        self.caption = ipywidgets.HTML()
        wide = {"description_width": "110px"}
        self.compare = ipywidgets.IntSlider(
            description="before / after",
            tooltip="Uncover the photo from the left, to compare before with after",
            style=wide,
            readout_format="d",
            layout=ipywidgets.Layout(flex="1 1 260px"),
        )
        self.against = ipywidgets.Dropdown(
            options=["photo", "painting"],
            tooltip="What to compare with",
            layout=ipywidgets.Layout(width="150px"),
        )
        # Always in percent: a slider whose range changes later forgets where its End key goes.
        self.scrub = ipywidgets.IntSlider(
            value=100,
            step=4,
            description="back in time",
            tooltip="See the picture after an earlier step; right: the newest",
            style=wide,
            layout=ipywidgets.Layout(flex="1 1 260px"),
        )
        for control in (self.compare, self.against, self.scrub):
            control.observe(self._moved, "value")
        flat = ipywidgets.Layout(width="100%", align_items="center", min_height="36px")
        self.tools = ipywidgets.HBox([self.scrub], layout=flat)
        super().__init__(
            [
                self._css,
                self.image,
                self.caption,
                ipywidgets.HBox([self.compare, self.against], layout=flat),
                self.tools,
            ],
            layout=ipywidgets.Layout(flex="0 0 auto", max_width=f"{_WIDTH}px"),
        )

    @property
    def frame(self) -> Frame | None:
        """The kept picture that the slider stands on; None for the newest."""
        if self.run is None or self.scrub.value == 100 or not self.run.frames:
            return None
        return self.run.frames[round(self.scrub.value / 100 * (len(self.run.frames) - 1))]

    def show(self, run: Run | None, photo: Picture, painting: Picture) -> None:
        """Show a run, or a photo before there is any; `painting` is to compare with."""
        self.run, self._photo, self._painting = run, photo, painting
        self.rewind()

    def offer(self, others: Mapping[str, Run]) -> None:
        """Runs to compare with, by what to call them."""
        chosen, self._others = self.against.value, dict(others)
        self.against.options = ["photo", "painting", *others]
        self.against.value = chosen if chosen in self.against.options else "photo"

    def rewind(self) -> None:
        """Show the newest picture."""
        self.scrub.unobserve(self._moved, "value")
        self.scrub.value = 100
        self.scrub.observe(self._moved, "value")
        self.draw()

    def draw(self) -> None:
        """Draw the picture, as the sliders stand."""
        if self._photo is None:
            return
        image = self._seen()
        self._fit(image)
        other = self._other()
        if self.compare.value and other is not None:
            image = side_by_side(other, image, self.compare.value / 100)
        self.image.value = jpeg(image)
        self.caption.value = f"<div class='stylelib-caption'>{escape(self.told)}</div>"

    def _seen(self) -> Tensor:
        assert self._photo is not None and self._painting is not None
        if self.run is None:
            return self._photo.load(512)
        frame = self.frame
        if frame is not None:
            return self.run.dressed(load_image(frame.jpeg) if frame.image is None else frame.image)
        if self.run.image is not None:
            return self.run.picture()
        return self._photo.load(self.run.recipe.size)

    def whole(self) -> Tensor:
        """What is shown, without what it is compared with."""
        return self._seen()

    def still(self) -> bytes:
        """A JPEG for a page without a kernel: the photo and the painting, or the result."""
        assert self._photo is not None and self._painting is not None
        if self.run is None:
            return jpeg(in_a_row([self._photo.load(512), self._painting.load(512)], 300))
        return jpeg(in_a_row([self._photo.load(512), self._seen()], 270))

    def _other(self) -> Tensor | None:
        assert self._photo is not None and self._painting is not None
        if self.against.value == "photo":
            return self._photo.load(self.run.recipe.size if self.run else 512)
        if self.against.value == "painting":
            return self._painting.load(self.run.recipe.size if self.run else 512)
        return self._others[self.against.value].picture()

    def _fit(self, image: Tensor) -> None:
        """Give it the same room on the page, however small the picture still is."""
        height, width = image.shape[-2:]
        room = min(_WIDTH, round(_HEIGHT * width / height))
        css = (
            f"<style>.stylelib-{self.image.model_id[:12]} "
            f"{{width:100%; max-width:{room}px; aspect-ratio:{width / height:.2f}; "
            f"object-fit:fill; border-radius:4px}}</style>"
        )
        if css != self._css.value:
            self._css.value = css

    @property
    def told(self) -> str:
        """What there is to see, in words."""
        if self.run is None:
            return f"{self._photo.label}, as it is" if self._photo else ""
        frame = self.frame
        step = self.run.iteration if frame is None else frame.iteration
        text = f"Step {step} of {self.run.steps}. {self.run.title}"
        if self.compare.value:
            text = f"Left of the line: {self.against.value}. {text}"
        return text

    def _moved(self, _: Any) -> None:
        self.draw()


def side_by_side(left: Tensor, right: Tensor, share: float) -> Tensor:
    """One picture up to `share` of the width, the other beyond, and a line between.

    Parameters
    ----------
    left, right : Tensor, shape (1, 3, H, W), RGB in 0-1
        `left` is resized to the shape of `right`.
    share : float, 0 to 1

    Returns
    -------
    Tensor, of the shape of `right`
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
    """Pictures (1, 3, H, W) beside each other, each `height` pixels high."""
    gap = torch.ones(1, 3, height, height // 30)
    parts = []
    for image in images:
        parts += [
            resize_to(image, (height, round(height * image.shape[-1] / image.shape[-2]))),
            gap,
        ]
    return torch.cat(parts[:-1], -1)
