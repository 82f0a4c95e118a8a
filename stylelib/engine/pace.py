"""How long a painting will take on this computer."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..errors import StylelibError
from ..pictures.images import fit
from ..recipes import Recipe
from . import cards
from .transfer import Transfer


@dataclass(frozen=True)
class Pace:
    """The seconds that a step takes: a fixed part, and a part for each pixel.

    `preparing` is how much longer than usual it takes to begin a size; see `Recipe.preparation`.

    Two numbers are enough, since a step's time grows in proportion to its pixels; a progress
    bar's running average would be several times too low or too high, since the steps at the
    last size take most of the time. The defaults are those of a slow laptop; `measure_pace`
    finds this computer's.
    """

    fixed: float = 0.02
    per_pixel: float = 5e-6
    preparing: float = 1.0

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
                left += self.preparing * recipe.preparation(first=not before)
            total += max(0, left) * self.step(size, shape)
            before += steps
        return total


def measure_pace(
    make: Callable[[Recipe], Transfer],
    recipe: Recipe,
    plan: Sequence[tuple[int, int]] | None = None,
) -> Pace:
    """Take a few real steps at two small sizes, and time them: about a second.

    Parameters
    ----------
    make : callable
        Makes the transfer for a recipe, with all pictures and masks: they count, too.
    recipe : Recipe
        At any size.
    plan : two of (longest side, steps), optional
        By default the first two sizes that `recipe` paints at. The first step at each is timed
        apart, because it also sets up. On a graphics card some more are taken: only then are they
        as quick as the others will be.

    Raises
    ------
    StylelibError
        If the pictures are too thin for such small sizes, or can't be loaded.
    """
    if plan is None:
        plan = _plan(make, recipe)
    times, pixels, firsts = [], [], []
    for size, steps in plan:
        transfer = make(_small(recipe, size, steps))
        if cards.on_card(transfer.device):
            transfer.change(steps=steps + 2 * cards.WARM_UP)
        clock = [time.perf_counter()]
        for step in transfer:
            step.fetch()  # a card may still be at work on it
            clock.append(time.perf_counter())
        first, *others = (after - before for before, after in pairwise(clock))
        # The quickest step: the others may have waited for other programs.
        times.append(min(others))
        firsts.append(first)
        pixels.append(transfer.image.shape[-2] * transfer.image.shape[-1])
    slope = max(times[1] - times[0], 0.3 * times[1]) / (pixels[1] - pixels[0])
    usual = recipe.preparation(first=True)
    preparing = (firsts[1] / times[1] - 1) / usual
    return Pace(max(times[1] - slope * pixels[1], 0.0), slope, min(max(preparing, 0.5), 3.0))


def _plan(make: Callable[[Recipe], Transfer], recipe: Recipe) -> Sequence[tuple[int, int]]:
    size = recipe.coarsest
    while size < recipe.size:
        try:
            make(_small(recipe, size, 1))
            break
        except StylelibError:  # too thin for the network at that size
            size *= 2
    return (size, 3), (2 * size, 2)


def _small(recipe: Recipe, size: int, steps: int) -> Recipe:
    return recipe.but(size=size, steps=steps, coarse_to_fine=False)


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
