"""The controls of lesson 02."""

from collections.abc import Mapping, Sequence

import torch
from ipywidgets import Dropdown, IntSlider, SelectionSlider
from torch import Tensor

from ...core.vgg import VGG19
from ...errors import StylelibError
from ..explorer import Explorer
from ..theme import Plot
from .compute import (
    CONTENT_LAYERS,
    PIXELS,
    Rebuilding,
    distance_table,
    look,
    relative_error,
    shifted,
)
from .figures import by_hand, distance_heat, rebuilt_at, shift_curves

IN_PLACE, ANYWHERE = WAYS = ("place by place", "averaged over all places")
_PLACES = ("top left", "top right", "bottom left", "bottom right")


def loss_by_hand(start: Sequence[Sequence[int]], target: Sequence[Sequence[int]]) -> Explorer:
    """Content loss on a 2 x 2 map, whose four numbers are under sliders.

    Parameters
    ----------
    start, target : 2 x 2 whole numbers, 0 to 5
        The new picture's feature map to begin with, and the photo's.
    """
    wanted = torch.tensor(target)
    if wanted.shape != (2, 2) or torch.tensor(start).shape != (2, 2):
        raise StylelibError("Give 2 x 2 numbers, for example [[1, 0], [2, 2]].")

    def draw(**numbers: int) -> Plot:
        maps = torch.tensor(list(numbers.values())).view(2, 2)
        return by_hand(maps, wanted)

    values = [number for row in start for number in row]
    sliders = {
        place.replace(" ", "_"): IntSlider(
            value, 0, 5, description=place, tooltip=f"The {place} number of the new picture's map"
        )
        for place, value in zip(_PLACES, values, strict=True)
    }
    return Explorer(draw, **sliders)


def shift_explorer(
    image: Tensor,
    shift: int = 8,
    most: int = 32,
    layers: Sequence[str] = (PIXELS, *CONTENT_LAYERS),
    network: VGG19 | None = None,
) -> Explorer:
    """Shift a picture sideways, and see which layers mind.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    shift, most : int
        To begin with, and the largest, in pixels.
    layers : several names
    network : VGG19, optional
    """
    windows = [shifted(image, s, most) for s in range(most + 1)]
    unmoved = look(windows[0], layers, network)
    curves: dict[str, list[float]] = {name: [] for name in layers}
    for window in windows:
        for name, maps in look(window, layers, network).items():
            curves[name].append(float(relative_error(maps, unmoved[name])))

    def draw(shift: int) -> Plot:
        return shift_curves(windows[0], windows[shift], curves, shift)

    slider = IntSlider(
        shift, 0, most, description="shift", tooltip="How many pixels to move the camel"
    )
    return Explorer(draw, shift=slider)


def distance_explorer(
    images: Mapping[str, Tensor],
    target: str,
    layers: Sequence[str] = (PIXELS, *CONTENT_LAYERS),
    network: VGG19 | None = None,
) -> Explorer:
    """Which pictures are nearest to one of them, in pixels and at each layer.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
        All of one size.
    target : str
        The one to measure from, to begin with.
    layers : several names
    network : VGG19, optional
    """
    tables = {way: distance_table(images, layers, way == ANYWHERE, network) for way in WAYS}

    def draw(target: str, compare: str) -> Plot:
        table = tables[compare][target]
        others = {name: row for name, row in table.items() if name != target}
        title = f"relative error from {target}, {compare}"
        return distance_heat(others, images, title)

    choice = Dropdown(
        options=list(images), value=target, description="distance from",
        tooltip="The picture that all the others are compared with",
    )  # fmt: skip
    ways = Dropdown(
        options=WAYS, description="compare",
        tooltip="Number by number in its place, or the average of each map",
    )  # fmt: skip
    return Explorer(draw, target=choice, compare=ways)


def rebuild_explorer(rebuilt: Mapping[str, Rebuilding]) -> Explorer:
    """Scrub through the rebuilding of a picture from several layers.

    Parameters
    ----------
    rebuilt : mapping of name to Rebuilding
        All of as many steps.
    """
    steps = [sorted(one.frames) for one in rebuilt.values()]
    if not steps or any(other != steps[0] for other in steps):
        raise StylelibError("Rebuild from each layer with the same number of steps.")
    slider = SelectionSlider(
        options=steps[0], value=steps[0][-1], description="steps",
        tooltip="How many steps of the optimisation have been made", continuous_update=True,
    )  # fmt: skip
    return Explorer(lambda steps: rebuilt_at(rebuilt, steps), steps=slider)
