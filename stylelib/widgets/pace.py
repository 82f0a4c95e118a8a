"""How long a painting will take on this computer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..devices import choose_device, choose_precision
from ..images import fit
from ..recipes import COARSEST, Recipe
from ..transfer import Transfer
from ..vgg import LAYERS, VGG19, load_vgg19
from .runs import Picture


@dataclass(frozen=True)
class Pace:
    """The seconds that a step takes: some, and some for each pixel.

    The defaults are those of a slow laptop; `measure_pace` finds this computer's.
    """

    fixed: float = 0.02
    per_pixel: float = 5e-6

    def step(self, size: int, shape: tuple[int, ...]) -> float:
        """Seconds for a step, for a photo of `shape` (…, H, W) at that longest side."""
        height, width = fit(shape, size)
        return self.fixed + self.per_pixel * height * width

    def seconds(self, recipe: Recipe, shape: tuple[int, ...], done: int = 0) -> float:
        """Seconds for all the steps after the first `done`."""
        total, before = 0.0, 0
        for size, steps in recipe.stages():
            left = before + steps - max(before, done)
            if left > 0:
                # Each size begins with a look at the photo and the painting.
                total += (left + (left == steps)) * self.step(size, shape)
            before += steps
        return total


class Networks:
    """The network that was used last, kept for the next painting."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._network: VGG19 | None = None

    def load(self, recipe: Recipe) -> VGG19:
        """The network for a recipe, as deep as it needs."""
        layers = [*recipe.content_layers, *recipe.style_layers]
        deepest = max(layers, key=LAYERS.index)
        seed = recipe.seed if recipe.weights == "random" else 0
        key = (recipe.weights, recipe.pooling, recipe.padding, seed)
        network = self._network
        if network is None or key != self._key or not _reaches(network, deepest):
            network = load_vgg19(recipe.weights, deepest, recipe.pooling, recipe.padding, seed)
            device = choose_device()
            # As a transfer wants it: it copies any other.
            network.to(device).set_precision(choose_precision(device))
            self._key, self._network = key, network
        return network

    def clear(self) -> None:
        """Let go of it."""
        self._network = None


def _reaches(network: VGG19, layer: str) -> bool:
    return LAYERS.index(network.last) >= LAYERS.index(layer)


def measure_pace(
    found: list[Pace],
    content: Picture,
    style: Picture,
    recipe: Recipe,
    load: Callable[[Recipe], VGG19],
) -> None:
    """Take a few real steps at two small sizes, and time them: about a second.

    The pace is appended to `found`.
    """
    times, pixels = [], []
    for size, steps in ((COARSEST, 3), (2 * COARSEST, 2)):
        small = recipe.but(size=size, steps=steps, coarse_to_fine=False)
        transfer = Transfer(content.load(size), style.load(size), small, load(small))
        next(transfer)
        start = time.perf_counter()
        transfer.run()
        times.append((time.perf_counter() - start) / (steps - 1))
        pixels.append(transfer.image.shape[-2] * transfer.image.shape[-1])
    slope = max(times[1] - times[0], 0.3 * times[1]) / (pixels[1] - pixels[0])
    found.append(Pace(max(times[1] - slope * pixels[1], 0.0), slope))


def about(seconds: float) -> str:
    """A time to expect, in words and no more digits than are true."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"about {round(seconds / 5) * 5} s"
    if seconds < 110:
        return "about a minute" if seconds < 75 else "about a minute and a half"
    if seconds < 3300:
        return f"about {round(seconds / 60)} minutes"
    return f"about {seconds / 3600:.1f} hours"
