"""How long a painting will take on this computer."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from ..core.vgg import VGG19
from ..pictures.images import fit
from ..recipes import COARSEST, Recipe
from . import cards
from .transfer import Transfer


@dataclass(frozen=True)
class Pace:
    """The seconds that a step takes: a fixed part, and a part for each pixel.

    Two numbers are enough, since a step's time grows in proportion to its pixels; a progress
    bar's running average would be several times too low or too high, since the steps at the
    last size take most of the time. The defaults are those of a slow laptop; `measure_pace`
    finds this computer's.
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
            left: float = before + steps - max(before, done)
            if left == steps:
                left += recipe.preparation(first=not before)
            total += max(0, left) * self.step(size, shape)
            before += steps
        return total


def measure_pace(
    photo: Callable[[int], Tensor],
    painting: Callable[[int], Tensor],
    recipe: Recipe,
    load: Callable[[Recipe], VGG19],
    plan: Sequence[tuple[int, int]] = ((COARSEST, 3), (2 * COARSEST, 2)),
) -> Pace:
    """Take a few real steps at two small sizes, and time them: about a second.

    `photo` and `painting` load a picture at a longest side, `load` the network for a recipe. The
    first step at each size is not timed: it also sets up. On a graphics card some more are taken:
    only then are they as quick as the others will be.
    """
    times, pixels = [], []
    for size, steps in plan:
        small = recipe.but(size=size, steps=steps, coarse_to_fine=False)
        network = load(small)
        if cards.on_card(network.mean.device):
            small = small.but(steps=steps + 2 * cards.WARM_UP)
        transfer = Transfer(photo(size), painting(size), small, network)
        next(transfer)
        clock = [time.perf_counter()]
        for step in transfer:
            step.fetch()  # a card may still be at work on it
            clock.append(time.perf_counter())
        # The quickest step: the others may have waited for other programs.
        times.append(min(after - before for before, after in pairwise(clock)))
        pixels.append(transfer.image.shape[-2] * transfer.image.shape[-1])
    slope = max(times[1] - times[0], 0.3 * times[1]) / (pixels[1] - pixels[0])
    return Pace(max(times[1] - slope * pixels[1], 0.0), slope)


def about(seconds: float) -> str:
    """An expected time in words, no more exact than it can be known."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"about {round(seconds / 5) * 5} s"
    if seconds < 110:
        return "about a minute" if seconds < 75 else "about a minute and a half"
    if seconds < 3300:
        return f"about {round(seconds / 60)} minutes"
    return f"about {seconds / 3600:.1f} hours"
