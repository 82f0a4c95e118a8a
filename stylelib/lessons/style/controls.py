"""The controls of lesson 03."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

import torch
from ipywidgets import Checkbox, Dropdown, IntSlider
from torch import Tensor

from ...core.layers import STYLE_LAYERS
from ...core.vgg import VGG19
from ...engine.network import default_network
from ...errors import StylelibError
from ...pictures.images import resize
from ..drawing import distance_bars
from ..explorer import Explorer, cell
from ..theme import Plot
from ..widgets import menu
from .compute import (
    ActiveMaps,
    distance_matrix,
    most_active,
    style_grams,
    without_each_part,
)
from .figures import (
    GRAM,
    GRAM_BY_HAND,
    SHUFFLES,
    by_hand,
    gram_cell,
    parts,
    shuffle_positions,
)

ALL = "all five"


def correlation_by_hand(maps: Tensor, names: Sequence[str]) -> Explorer:
    """Choose two small maps, and see their product, its mean, and where that is in the Gram matrix.

    Parameters
    ----------
    maps : Tensor, shape (C, h, w)
    names : sequence of str
        What each map responds to.

    Raises
    ------
    StylelibError
        If there are not as many names as maps.
    """
    if maps.dim() != 3 or len(maps) != len(names):
        raise StylelibError("Give maps of shape (maps, height, width), and a name for each.")

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        if axes != GRAM_BY_HAND:
            return {}
        return {"first": names[cell(y, len(names))], "second": names[cell(x, len(names))]}

    return Explorer(
        lambda first, second: by_hand(maps, names, names.index(first), names.index(second)),
        clicked,
        first=menu("first map", names, names[0], "Its row of the Gram matrix"),
        second=menu("second map", names, names[1], "Its column of the Gram matrix"),
    )


def gram_explorer(
    image: Tensor,
    layer: str = "conv1_1",
    i: int = 0,
    j: int = 1,
    count: int = 24,
    layers: Sequence[str] = STYLE_LAYERS,
    network: VGG19 | None = None,
) -> Explorer:
    """Pick an entry of a Gram matrix, by click or slider, and see the two maps behind it.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    layer, i, j : str, int, int
        The layer, row and column at the start; map 0 is the most active one.
    count : int
        How many maps to show, the most active ones of the layer.
    layers : sequence of str
        The layers to choose from.
    network : VGG19, optional
        The embedded one by default.
    """
    active = active_maps(image, layers, count, network)
    slider = partial(IntSlider, min=0, max=count - 1)

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        return {"i": cell(y, count), "j": cell(x, count)} if axes == GRAM else {}

    return Explorer(
        lambda layer, i, j: gram_cell(active[layer], i, j, image),
        clicked,
        layer=_layer_menu(layers, layer),
        i=slider(i, description="i", tooltip="The row; 0 is the most active map"),
        j=slider(j, description="j", tooltip="The column; 0 is the most active map"),
    )


def shuffle_explorer(
    image: Tensor,
    layer: str = "conv3_1",
    positions: str = "all maps shuffled the same way",
    layers: Sequence[str] = STYLE_LAYERS,
    network: VGG19 | None = None,
) -> Explorer:
    """Shuffle the positions of a painting's feature maps, and see which loss notices.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    layer, positions : str
        The choices at the start; `positions` is one of `SHUFFLES`.
    layers, network
        See `gram_explorer`.
    """
    active = active_maps(image, layers, network=network)
    tooltip = "Move the values of each map to other positions"
    return Explorer(
        lambda layer, positions: shuffle_positions(active[layer], positions),
        layer=_layer_menu(layers, layer),
        positions=menu("positions", SHUFFLES, positions, tooltip),
    )


def distance_explorer(
    images: Mapping[str, Tensor],
    layers: Sequence[str] = STYLE_LAYERS,
    network: VGG19 | None = None,
) -> Explorer:
    """Choose one of several pictures, and see the others, those of the nearest style first.

    Parameters
    ----------
    images : mapping of short name to Tensor, shape (1, 3, H, W), RGB in 0-1
        They may differ in size.
    layers, network
        See `gram_explorer`.
    """
    names = list(images)
    grams = {
        centered: [style_grams(image, layers, centered, network) for image in images.values()]
        for centered in (False, True)
    }
    small = {name: resize(image, 120) for name, image in images.items()}  # quick to draw

    @cache  # a table takes a while, the more so on a busy computer
    def table(layer: str, centered: bool) -> Tensor:
        return distance_matrix(grams[centered], layers if layer == ALL else [layer])

    def draw(picture: str, layer: str, centered: bool) -> Plot:
        row = table(layer, centered)[names.index(picture)].tolist()
        others = sorted((d, name) for d, name in zip(row, names, strict=True) if name != picture)
        where = "mean of all layers" if layer == ALL else layer
        plain = f"style distance from {picture} ({where})"
        title = f"style distance from {picture} ({where}, centred)" if centered else plain
        return distance_bars({name: d for d, name in others}, small, title)

    tooltip = "Subtract each map's mean before the Gram matrix"
    return Explorer(
        draw,
        picture=menu("picture", names, names[0], "From which picture to measure"),
        layer=_layer_menu([ALL, *layers], ALL),
        centered=Checkbox(False, description="centred", tooltip=tooltip, indent=False),
    )


def parts_explorer(
    image: Tensor,
    layer: str = "conv3_1",
    layers: Sequence[str] = STYLE_LAYERS,
    network: VGG19 | None = None,
) -> Explorer:
    """Leave out one part of a picture after another, and see how far its style moves.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    layer, layers, network
        See `gram_explorer`.
    """
    with torch.no_grad():
        maps = (network or default_network())(image, layers)
    distances = {name: without_each_part(of_layer) for name, of_layer in maps.items()}
    return Explorer(
        lambda layer: parts(image, distances[layer], layer), layer=_layer_menu(layers, layer)
    )


@torch.no_grad()
def active_maps(
    image: Tensor, layers: Sequence[str], count: int = 24, network: VGG19 | None = None
) -> dict[str, ActiveMaps]:
    """The `count` most active maps of a picture (1, 3, H, W) at each layer."""
    maps = (network or default_network())(image, layers)
    return {name: most_active(maps[name], name, count) for name in layers}


def _layer_menu(layers: Sequence[str], value: str) -> Dropdown:
    return menu("layer", layers, value, "The layer of the network to look at")
