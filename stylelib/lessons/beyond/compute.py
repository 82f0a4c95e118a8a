"""What lesson 06 computes: clouds of places, what is left of a style, what a step costs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians, sin

import torch
from torch import Tensor

from ...core.statistics import STATISTICS
from ...engine.network import VGG19, default_network, features
from ...engine.objective import Objective
from ...errors import StylelibError
from ...pictures.images import resize
from ...recipes import RECIPES

_PATIENCE = 0.5  # seconds to measure each size


@dataclass(frozen=True, eq=False)
class Clouds:
    """Two feature maps of several pictures, a point for each place.

    Attributes
    ----------
    layer : str
    channels : (int, int)
        Which two maps: the most active ones of the first picture.
    points : dict of picture's name to Tensor, shape (2, N)
        In units of the first picture's standard deviation.
    """

    layer: str
    channels: tuple[int, int]
    points: dict[str, Tensor]


def clouds(
    images: Mapping[str, Tensor], layers: Sequence[str], network: VGG19 | None = None
) -> dict[str, Clouds]:
    """The two most active feature maps of the first picture in each layer, for all pictures.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    layers : several names
        The network walks once over each picture for all of them.
    network : VGG19, optional
        The embedded one by default.

    Returns
    -------
    dict of layer name to Clouds

    Raises
    ------
    StylelibError
        If a layer is unknown, or a picture is too small for it.
    """
    seen = {name: features(image, layers, network) for name, image in images.items()}
    return {
        layer: _clouds(layer, {name: maps[layer][0].flatten(1) for name, maps in seen.items()})
        for layer in layers
    }


def _clouds(layer: str, maps: Mapping[str, Tensor]) -> Clouds:
    first = next(iter(maps.values()))
    i, j = chosen = first.mean(1).argsort(descending=True, stable=True)[:2].tolist()
    spread = first[chosen].std(1, keepdim=True).clamp_min(1e-12)
    return Clouds(layer, (i, j), {name: m[chosen] / spread for name, m in maps.items()})


def along(points: Tensor, angle: float, levels: int = 200) -> Tensor:
    """How far out the points of a cloud lie in one direction, low to high.

    Parameters
    ----------
    points : Tensor, shape (2, N)
    angle : float
        The direction's, in degrees from the first axis.
    levels : int
        How many of the N to give, evenly spread over all of them.

    Returns
    -------
    Tensor, shape (levels,)
    """
    direction = points.new_tensor([cos(radians(angle)), sin(radians(angle))])
    shadow = (direction @ points).sort().values
    return shadow[torch.linspace(0, len(shadow) - 1, levels).round().long()]


@torch.no_grad()
def style_left(
    images: Mapping[str, Tensor],
    painting: Tensor,
    photo: Tensor,
    statistics: Sequence[str] = tuple(STATISTICS),
    network: VGG19 | None = None,
) -> dict[str, dict[str, float]]:
    """How much of the photo's distance to a painting's style is left, by each statistic.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    painting, photo : Tensor, shape (1, 3, H, W), RGB in 0-1
    statistics : several names of `STATISTICS`
    network : VGG19, optional
        The embedded one by default.

    Returns
    -------
    dict of picture's name to dict of statistic's name to float, 0 or more
        The style loss of the default recipe with that statistic: 1 is that of
        the photo, 0 that of the painting itself.
    """
    network = network or default_network()
    table: dict[str, dict[str, float]] = {name: {} for name in images}
    for statistic in statistics:
        recipe = RECIPES["default"].but(statistic=statistic, content_layers={})
        objective = Objective(photo, painting, recipe, network)
        whole = float(objective(photo)[1]["style"])
        if whole < 1e-12:
            raise StylelibError("Photo and painting are the same picture: no style is missing.")
        for name, image in images.items():
            table[name][statistic] = float(objective(image)[1]["style"]) / whole
    return table


def step_seconds(
    content: Tensor, style: Tensor, sizes: Sequence[int], network: VGG19 | None = None
) -> dict[int, float]:
    """How long one step takes at each size, on this computer.

    A step is the target loss and its gradient. Of several, the fastest counts: the
    others were kept waiting.

    Parameters
    ----------
    content, style : Tensor, shape (1, 3, H, W), RGB in 0-1
    sizes : sequence of int
        Longest side, in pixels.
    network : VGG19, optional
        The embedded one by default.
    """
    network = network or default_network()
    found: dict[int, float] = {}
    for size in sizes:
        photo = resize(content, size)
        objective = Objective(photo, resize(style, size), RECIPES["default"], network)
        times: list[float] = []
        while len(times) < 3 or sum(times) < _PATIENCE:
            pixels = photo.clone().requires_grad_()
            begun = time.perf_counter()
            objective(pixels)[0].backward()
            times.append(time.perf_counter() - begun)
        found[size] = min(times)
    return found
