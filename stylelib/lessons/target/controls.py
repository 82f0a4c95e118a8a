"""The controls of lesson 04."""

from collections.abc import Mapping, Sequence

import torch
from ipywidgets import Dropdown, FloatLogSlider, IntSlider, SelectionSlider
from torch import Tensor

from ...errors import StylelibError
from ..explorer import Explorer
from ..theme import Plot
from .compute import Losses, Painting, pixel_gradients
from .figures import frame_and_losses, gradient_maps, scales, trade_off


def weigh(images: Mapping[str, Tensor], losses: Losses) -> Explorer:
    """Weigh pictures: two knobs, and which picture then has the lowest target loss.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    losses : callable
        From a picture to its content loss and its style loss.
    """
    with torch.no_grad():
        measured = {name: losses(image) for name, image in images.items()}
    numbers = {name: (float(c), float(s)) for name, (c, s) in measured.items()}

    def draw(content_weight: float, style_weight: float) -> Plot:
        return scales(images, numbers, content_weight, style_weight)

    return Explorer(
        draw,
        content_weight=_knob("content weight", "How much content loss counts"),
        style_weight=_knob("style weight", "How much style loss counts"),
    )


def _knob(name: str, tooltip: str) -> FloatLogSlider:
    return FloatLogSlider(
        1.0, min=-2, max=2, step=0.1, readout_format=".3g", description=name, tooltip=tooltip
    )


def gradient_explorer(
    images: Mapping[str, Tensor],
    losses: Losses,
    content_weight: float = 1.0,
    style_weight: float = 1.0,
) -> Explorer:
    """What each loss asks of the pixels of a picture, for several pictures.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    losses : callable
        From a picture to its content loss and its style loss.
    content_weight, style_weight : float
    """
    gradients = {
        name: pixel_gradients(image, losses, content_weight, style_weight)
        for name, image in images.items()
    }

    def draw(picture: str) -> Plot:
        return gradient_maps(images[picture], gradients[picture], picture)

    choice = Dropdown(
        options=list(images), description="picture",
        tooltip="The picture whose pixels are asked to change",
    )  # fmt: skip
    return Explorer(draw, picture=choice)


def scrub(painting: Painting) -> Explorer:
    """Move through the steps of a painting; the first frame is where it started."""
    last = len(painting.frames) - 1
    slider = IntSlider(
        last, 0, last, description="step", tooltip="How many steps have been taken",
        layout={"width": "420px"},
    )  # fmt: skip
    return Explorer(lambda step: frame_and_losses(painting, step), step=slider)


def ratio_explorer(paintings: Sequence[Painting]) -> Explorer:
    """Slide from all camel to all painting.

    Parameters
    ----------
    paintings : sequence of Painting
        Of different weights, in order, each with its own label.
    """
    by_label = {painting.label: painting for painting in paintings}
    if len(by_label) < len(paintings) or not paintings:
        raise StylelibError("Give at least one painting, and each its own label.")
    slider = SelectionSlider(
        options=list(by_label), value=paintings[len(paintings) // 2].label,
        description="content : style", tooltip="How the two weights compare",
        continuous_update=True,
    )  # fmt: skip
    return Explorer(lambda ratio: trade_off(paintings, by_label[ratio]), ratio=slider)
