"""The controls of lesson 02."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from ipywidgets import FloatSlider, IntSlider, SelectionSlider
from torch import Tensor

from ...errors import StylelibError
from ..drawing import distance_heat
from ..explorer import Explorer, cell
from ..theme import Plot
from ..widgets import menu
from .bank import STARTS as STARTS
from .bank import made_before
from .compute import (
    CONTENT_LAYERS,
    DEPTHS,
    Reconstruction,
    distance_table,
    feature_maps,
    relative_errors,
    shifted,
)
from .figures import (
    CURVES,
    by_hand,
    descent,
    distance_lines,
    made_before_at,
    reconstructions_at,
    shift_curves,
    valley,
)

BY_POSITION, AVERAGED = WAYS = ("position by position", "averaged over all positions")
_CELLS = ("top left", "top right", "bottom left", "bottom right")
_MOST = 5  # the largest number to choose


def loss_by_hand(start: Sequence[Sequence[int]], target: Sequence[Sequence[int]]) -> Explorer:
    """The content loss of a 2 x 2 map, with a slider for each of its numbers.

    Parameters
    ----------
    start, target : 2 x 2 integers, 0 to 5
        The new picture's feature map at the start, and the photo's.

    Raises
    ------
    StylelibError
        If they are not 2 x 2 numbers.
    """
    maps, targets = torch.tensor(start), torch.tensor(target)
    if maps.shape != (2, 2) or targets.shape != (2, 2):
        raise StylelibError("Give 2 x 2 numbers, for example [[1, 0], [2, 2]].")
    sliders = {
        name.replace(" ", "_"): IntSlider(
            value, 0, _MOST, description=name,
            tooltip="This number of the new picture's feature map; a click on it adds 1",
        )
        for name, value in zip(_CELLS, maps.flatten().tolist(), strict=True)
    }  # fmt: skip

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        if axes != 0:  # the new picture's map
            return {}
        name = list(sliders)[2 * cell(y, 2) + cell(x, 2)]
        return {name: (sliders[name].value + 1) % (_MOST + 1)}

    return Explorer(
        lambda **cells: by_hand(torch.tensor(list(cells.values())).view(2, 2), targets),
        clicked,
        **sliders,
    )


def valley_explorer(pixel: float = 0.9, target: float = 0.3) -> Explorer:
    """One pixel as a ball in the valley of its loss, with a slider to move it.

    Parameters
    ----------
    pixel, target : float, 0 to 1
        The pixel's brightness at the start, and what it should be.
    """
    slider = FloatSlider(
        value=pixel, min=0, max=1, step=0.05, description="pixel",
        tooltip="How bright the pixel is: move the ball along the valley",
    )  # fmt: skip
    return Explorer(lambda pixel: valley(pixel, target), pixel=slider)


def descent_explorer(
    rate: float = 0.1, start: float = 0.9, target: float = 0.3, steps: int = 8
) -> Explorer:
    """Gradient descent of one pixel, with a slider for the learning rate."""
    slider = FloatSlider(
        value=rate, min=0.05, max=1.1, step=0.05, description="learning rate",
        tooltip="The gradient is multiplied by this, and then subtracted from the pixel",
    )  # fmt: skip
    return Explorer(lambda rate: descent(rate, start, target, steps), rate=slider)


def bank_explorer(
    photo: Tensor, start: str = "noise, smooth", layer: str = "conv4_2", step: int = 60
) -> Explorer:
    """Reconstructions that were made beforehand: from what, from which layer, how far.

    Parameters
    ----------
    photo : Tensor, shape (1, 3, H, W), RGB in 0-1
        Shown beside them.
    start : str
        One of `STARTS`.
    layer : str
    step : int
    """
    steps = sorted(made_before(f"{start}/{layer}").files)

    def draw(start: str, layer: str, step: int) -> Plot:
        return made_before_at(made_before(f"{start}/{layer}"), step, photo)

    return Explorer(
        draw,
        start=menu("start", STARTS, start, "The picture from which the optimisation begins"),
        layer=SelectionSlider(
            options=CONTENT_LAYERS, value=layer, description="layer",
            tooltip="The only layer whose maps have to match",
        ),
        step=SelectionSlider(
            options=steps, value=step, description="steps",
            tooltip="How many steps the optimisation has taken",
        ),
    )  # fmt: skip


def shift_explorer(
    image: Tensor,
    shift: int = 8,
    most: int = 32,
    layers: Sequence[str] = DEPTHS,
) -> Explorer:
    """Shift a picture sideways and see which layers notice.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    shift, most : int
        The shift at the start, and the largest one, in pixels.
    layers : sequence of str
        Names of layers, or ``"pixels"``.
    """
    windows = [shifted(image, pixels, most) for pixels in range(most + 1)]
    unmoved = feature_maps(windows[0], layers)
    errors = [relative_errors(feature_maps(each, layers), unmoved) for each in windows]
    curves = {layer: [each[layer] for each in errors] for layer in layers}
    slider = IntSlider(
        shift, 0, most, description="shift", tooltip="How many pixels the camel moves to the right"
    )

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        return {"shift": cell(x, most + 1)} if axes == CURVES else {}

    return Explorer(
        lambda shift: shift_curves(windows[0], windows[shift], curves, shift), clicked, shift=slider
    )


def distance_explorer(
    images: Mapping[str, Tensor], target: str, layers: Sequence[str] = DEPTHS, numbers: bool = True
) -> Explorer:
    """See which pictures are closest to one of them, in pixels and at each layer.

    With many pictures, lines (`numbers` False) are easier to read than a table of numbers.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
        Pictures of the same size.
    target : str
        The picture to measure from at the start.
    layers
        See `shift_explorer`.
    """
    tables = {way: distance_table(images, layers, way == AVERAGED) for way in WAYS}

    def draw(target: str, compare: str) -> Plot:
        table = tables[compare][target]
        others = {name: row for name, row in table.items() if name != target}
        title = f"relative error from {target} ({compare})"
        return distance_heat(others, images, title) if numbers else distance_lines(others, title)

    tooltip = "The picture that all the others are compared with"
    choice = menu("distance from", images, target, tooltip)
    tooltip = "Compare the maps number by number, or only the mean of each map"
    return Explorer(draw, target=choice, compare=menu("compare", WAYS, BY_POSITION, tooltip))


def reconstruction_explorer(reconstructions: Mapping[str, Reconstruction]) -> Explorer:
    """Scrub through the reconstruction of a picture from several layers.

    Parameters
    ----------
    reconstructions : mapping of layer name to Reconstruction
        All of the same number of steps.

    Raises
    ------
    StylelibError
        If they differ in their number of steps.
    """
    steps = [sorted(each.frames) for each in reconstructions.values()]
    if not steps or any(other != steps[0] for other in steps):
        raise StylelibError("Reconstruct from each layer with the same number of steps.")
    kept, tooltip = steps[0], "How many steps the optimisation has taken"
    slider = SelectionSlider(options=kept, value=kept[-1], description="steps", tooltip=tooltip)

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        if axes != len(reconstructions):  # the curves are in the last axes
            return {}
        return {"steps": min(kept, key=lambda step: abs(step - x))}

    return Explorer(lambda steps: reconstructions_at(reconstructions, steps), clicked, steps=slider)
