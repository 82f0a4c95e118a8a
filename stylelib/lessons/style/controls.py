"""The controls of lesson 03."""

from collections.abc import Mapping, Sequence
from functools import cache

import torch
from ipywidgets import Checkbox, Dropdown, IntSlider
from torch import Tensor

from ...core.vgg import STYLE_LAYERS, VGG19
from ...engine.network import default_network
from ...errors import StylelibError
from ...pictures.images import resize
from ..explorer import Explorer
from ..theme import Plot
from .compute import ActiveMaps, distance_matrix, most_active, style_grams
from .figures import SHUFFLES, by_hand, distance_table, gram_cell, shuffle_places

ALL = "all five"


def correlation_by_hand(maps: Tensor, names: Sequence[str]) -> Explorer:
    """Choose two small maps: their product, its mean, and its place in the Gram matrix.

    Parameters
    ----------
    maps : Tensor, shape (C, h, w)
    names : sequence of str
        What each map answers to.

    Raises
    ------
    StylelibError
        If there are not as many names as maps.
    """
    if maps.dim() != 3 or len(maps) != len(names):
        raise StylelibError("Give maps of shape (maps, height, width), and a name for each.")

    def draw(first: str, second: str) -> Plot:
        return by_hand(maps, names, names.index(first), names.index(second))

    controls = {
        word: Dropdown(
            options=list(names), value=names[index], description=f"{word} map",
            tooltip=f"The {word} map of the pair",
        )
        for index, word in enumerate(("first", "second"))
    }  # fmt: skip
    return Explorer(draw, **controls)


def gram_explorer(
    image: Tensor,
    layer: str = "conv1_1",
    i: int = 0,
    j: int = 1,
    count: int = 24,
    layers: Sequence[str] = STYLE_LAYERS,
    network: VGG19 | None = None,
) -> Explorer:
    """Pick a cell of a Gram matrix, and see the two feature maps behind it.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    layer : str
    i, j : int
        Row and column to begin with; 0 is the most active map.
    count : int
        Of maps to show, the most active ones of the layer.
    layers : several names
        To choose from.
    network : VGG19, optional
    """
    active = active_maps(image, layers, count, network)
    choice = _layer_choice(layers, layer)
    cell = {
        name: IntSlider(
            value, 0, count - 1, description=name, tooltip=f"The {word}; 0 is the most active map"
        )
        for name, value, word in (("i", i, "row"), ("j", j, "column"))
    }
    return Explorer(lambda layer, i, j: gram_cell(active[layer], i, j, image), layer=choice, **cell)


def shuffle_explorer(
    image: Tensor,
    layer: str = "conv3_1",
    places: str = "shuffled, all maps alike",
    layers: Sequence[str] = STYLE_LAYERS,
    network: VGG19 | None = None,
) -> Explorer:
    """Shuffle the places of a painting's feature maps, and see which loss notices.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    layer, places : str
        To begin with; `places` is one of `SHUFFLES`.
    layers : several names
        To choose from.
    network : VGG19, optional
    """
    active = active_maps(image, layers, network=network)
    ways = Dropdown(
        options=list(SHUFFLES), value=places, description="places",
        tooltip="Move the numbers of each map to other places",
    )  # fmt: skip
    return Explorer(
        lambda layer, places: shuffle_places(active[layer], places),
        layer=_layer_choice(layers, layer),
        places=ways,
    )


def distance_explorer(
    images: Mapping[str, Tensor],
    layers: Sequence[str] = STYLE_LAYERS,
    network: VGG19 | None = None,
) -> Explorer:
    """The style distances between several pictures, at one layer or all, raw or centred.

    Parameters
    ----------
    images : mapping of short name to Tensor, shape (1, 3, H, W), RGB in 0-1
        They need not have the same size.
    layers : several names
    network : VGG19, optional
    """
    grams = {
        centered: [style_grams(image, layers, centered, network) for image in images.values()]
        for centered in (False, True)
    }
    small = {name: resize(image, 120) for name, image in images.items()}  # quick to draw

    @cache  # a table takes a while, the more so when the computer is busy
    def table(layer: str, centered: bool) -> Tensor:
        return distance_matrix(grams[centered], layers if layer == ALL else [layer])

    def draw(layer: str, centered: bool) -> Plot:
        where = "mean of all layers" if layer == ALL else layer
        kind = "centred" if centered else "not centred"
        return distance_table(small, table(layer, centered), f"style distance, {where}, {kind}")

    box = Checkbox(
        False, description="centred", tooltip="Subtract each map's mean before the Gram matrix",
        indent=False,
    )  # fmt: skip
    return Explorer(draw, layer=_layer_choice([ALL, *layers], ALL), centered=box)


@torch.no_grad()
def active_maps(
    image: Tensor, layers: Sequence[str], count: int = 24, network: VGG19 | None = None
) -> dict[str, ActiveMaps]:
    """The most active maps of each layer."""
    maps = (network or default_network())(image, layers)
    return {name: most_active(maps[name], name, count) for name in layers}


def _layer_choice(layers: Sequence[str], value: str) -> Dropdown:
    return Dropdown(
        options=list(layers), value=value, description="layer",
        tooltip="The layer of the network to look at",
    )  # fmt: skip
