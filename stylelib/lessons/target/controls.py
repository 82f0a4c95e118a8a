"""The controls of lesson 04."""

from collections.abc import Mapping, Sequence

import torch
from ipywidgets import Dropdown, FloatLogSlider, IntSlider, SelectionSlider
from torch import Tensor

from ...errors import StylelibError
from ..explorer import Explorer
from ..theme import Plot
from .bank import saved
from .compute import Losses, Reasons, Run, pixel_gradients
from .figures import (
    Painted,
    frame_and_losses,
    from_the_bank,
    gradient_maps,
    reasons,
    scales,
    trade_off,
)


def weigh(images: Mapping[str, Tensor], losses: Losses) -> Explorer:
    """The target losses of several pictures, and a slider for each of the two weights.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    losses : callable, as for `pixel_gradients`
    """
    with torch.no_grad():
        measured = {name: losses(image) for name, image in images.items()}
    numbers = {name: (float(c), float(s)) for name, (c, s) in measured.items()}

    def draw(content_weight: float, style_weight: float) -> Plot:
        return scales(images, numbers, content_weight, style_weight)

    return Explorer(
        draw,
        content_weight=_weight("content weight", "How much the content loss counts"),
        style_weight=_weight("style weight", "How much the style loss counts"),
    )


def _weight(name: str, tooltip: str) -> FloatLogSlider:
    return FloatLogSlider(
        1.0, min=-2, max=2, step=0.1, readout_format=".3g", description=name, tooltip=tooltip
    )


def gradient_explorer(
    images: Mapping[str, Tensor],
    losses: Losses,
    content_weight: float = 1.0,
    style_weight: float = 1.0,
) -> Explorer:
    """The gradient of each loss with respect to the pixels, for several pictures.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    losses : callable, as for `pixel_gradients`
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
        tooltip="Which picture's gradients to show",
    )  # fmt: skip
    return Explorer(draw, picture=choice)


def scrub(run: Run) -> Explorer:
    """Move through the steps of a run; step 0 is the picture that it started from."""
    last = len(run.frames) - 1
    slider = IntSlider(
        last, 0, last, description="step", tooltip="The picture after how many steps",
        layout={"width": "420px"},
    )  # fmt: skip
    return Explorer(lambda step: frame_and_losses(run, step), step=slider)


def ratio_explorer(runs: Sequence[Painted]) -> Explorer:
    """Slide from content only to style only.

    Parameters
    ----------
    runs : sequence of Run or Saved
        With different weights, in order, each with its own label.
    """
    by_label = {run.label: run for run in runs}
    if len(by_label) < len(runs) or not runs:
        raise StylelibError("Give at least one run, and each its own label.")
    slider = SelectionSlider(
        options=list(by_label), value=runs[len(runs) // 2].label,
        description="content : style", tooltip="The content weight and the style weight",
        continuous_update=True,
    )  # fmt: skip
    return Explorer(lambda ratio: trade_off(runs, by_label[ratio]), ratio=slider)


def saved_explorer(question: str) -> Explorer:
    """Look through the pictures of the bank that answer a question.

    Parameters
    ----------
    question : str
        As for `bank.saved`: ``"ratio"``, ``"start"``, ``"style layer"`` or ``"method"``.
    """
    answers = saved(question)
    steps = [one.step for one in next(iter(answers.values()))]
    choice = SelectionSlider(
        options=list(answers), value=next(iter(answers)), description=question,
        tooltip="Which of the pictures to show", continuous_update=True,
    )  # fmt: skip
    slider = SelectionSlider(
        options=range(len(steps)), value=len(steps) - 1, description="moment",
        tooltip="After few steps, or at the end", continuous_update=True,
    )  # fmt: skip
    if len(steps) == 1:
        return Explorer(lambda answer: from_the_bank(answers[answer][-1], question), answer=choice)
    return Explorer(
        lambda answer, moment: from_the_bank(answers[answer][moment], question),
        answer=choice,
        moment=slider,
    )


def pixel_explorer(why: Reasons, across: int | None = None, down: int | None = None) -> Explorer:
    """Click on a pixel of a picture, and see who asks what of it.

    Parameters
    ----------
    why : Reasons
    across, down : int, optional
        The pixel at the start; the middle by default.
    """
    height, width = why.image.shape[-2:]

    def slider(name: str, value: int | None, count: int) -> IntSlider:
        value = count // 2 if value is None else value
        return IntSlider(value, 0, count - 1, description=name, tooltip=f"The pixel: {name}")

    def clicked(axes: int, x: float, y: float) -> dict[str, int]:
        return {"across": round(x), "down": round(y)} if axes == 0 else {}

    return Explorer(
        lambda across, down: reasons(why, across, down),
        clicked,
        across=slider("across", across, width),
        down=slider("down", down, height),
    )
