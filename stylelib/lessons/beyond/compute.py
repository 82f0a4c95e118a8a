"""What lesson 06 computes: point clouds, distances to a style, and the cost of a step."""

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

_PATIENCE = 0.5  # seconds to spend on measuring each size


@dataclass(frozen=True, eq=False)
class Clouds:
    """Two feature maps of several pictures, with a point for each position."""

    layer: str
    channels: tuple[int, int]  # the most active ones of the first picture
    points: dict[str, Tensor]  # (2, N) by picture, in the first one's standard deviations


def clouds(
    images: Mapping[str, Tensor], layers: Sequence[str], network: VGG19 | None = None
) -> dict[str, Clouds]:
    """For each layer the two feature maps that are most active in the first picture."""
    seen = {name: features(image, layers, network) for name, image in images.items()}
    found = {}
    for layer in layers:
        maps = {name: of_layer[layer][0].flatten(1) for name, of_layer in seen.items()}
        first = next(iter(maps.values()))
        i, j = chosen = first.mean(1).argsort(descending=True, stable=True)[:2].tolist()
        spread = first[chosen].std(1, keepdim=True).clamp_min(1e-12)
        found[layer] = Clouds(layer, (i, j), {name: m[chosen] / spread for name, m in maps.items()})
    return found


def along(points: Tensor, angle: float, levels: int = 200) -> Tensor:
    """The points (2, N) of a cloud projected onto a direction, lowest to highest.

    The direction's `angle` is in degrees. Of the N projections, `levels` are returned,
    evenly spaced in rank.
    """
    direction = points.new_tensor([cos(radians(angle)), sin(radians(angle))])
    projections = (direction @ points).sort().values
    return projections[torch.linspace(0, len(projections) - 1, levels).round().long()]


@torch.no_grad()
def style_left(
    images: Mapping[str, Tensor],
    painting: Tensor,
    photo: Tensor,
    statistics: Sequence[str] = tuple(STATISTICS),
    network: VGG19 | None = None,
) -> dict[str, dict[str, float]]:
    """What is left of the photo's distance to a painting's style, by each statistic.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    painting, photo : Tensor, shape (1, 3, H, W), RGB in 0-1
    statistics : sequence of str
        Names from `STATISTICS`.
    network : VGG19, optional
        The embedded one by default.

    Returns
    -------
    dict of picture name to dict of statistic name to float, 0 or more
        The style loss of the default recipe with that statistic, divided by the
        photo's: 1 for the photo, 0 for the painting itself.

    Raises
    ------
    StylelibError
        If photo and painting are the same picture.
    """
    network = network or default_network()
    table: dict[str, dict[str, float]] = {name: {} for name in images}
    for statistic in statistics:
        recipe = RECIPES["gram"].but(statistic=statistic, content_layers={})
        objective = Objective(photo, painting, recipe, network)
        whole = float(objective(photo)[1]["style"])
        if whole < 1e-12:
            raise StylelibError("Photo and painting are the same picture, so no style is missing.")
        for name, image in images.items():
            table[name][statistic] = float(objective(image)[1]["style"]) / whole
    return table


def step_seconds(
    content: Tensor, style: Tensor, sizes: Sequence[int], network: VGG19 | None = None
) -> dict[int, float]:
    """How long one step takes at each size, on this computer.

    A step is the target loss and its gradient. The fastest of several counts, because
    other programs only make a step slower.

    Parameters
    ----------
    content, style : Tensor, shape (1, 3, H, W), RGB in 0-1
    sizes : sequence of int
        Longest side, in pixels.
    network : VGG19, optional
        The embedded one by default.

    Returns
    -------
    dict of size to seconds
    """
    network = network or default_network()
    found: dict[int, float] = {}
    for size in sizes:
        photo = resize(content, size)
        objective = Objective(photo, resize(style, size), RECIPES["gram"], network)
        times: list[float] = []
        while len(times) < 3 or sum(times) < _PATIENCE:
            pixels = photo.clone().requires_grad_()
            begun = time.perf_counter()
            objective(pixels)[0].backward()
            times.append(time.perf_counter() - begun)
        found[size] = min(times)
    return found
