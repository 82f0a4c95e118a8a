"""Measure how fast this computer is, in the background."""

from collections.abc import Callable

from ..core.vgg import VGG19
from ..engine.pace import Pace, measure_pace
from ..recipes import Recipe
from .jobs import Job, Tell, anyone_busy
from .picture import Picture


class Gauge:
    """Takes a few steps at small sizes, once, to find this computer's pace.

    Attributes
    ----------
    pace : Pace or None
        None until it has been measured; then `tell` is called, as by a `Job`.
    """

    def __init__(self, tell: Tell, load: Callable[[Recipe], VGG19]) -> None:
        self.pace: Pace | None = None
        self._load = load
        self._job = Job(tell)

    def measure(self, photo: Picture, painting: Picture, recipe: Recipe) -> None:
        """Start measuring, unless the pace is known or the computer is busy painting."""

        def measure() -> None:
            self.pace = measure_pace(photo.load, painting.load, recipe, self._load)

        if self.pace is None and not anyone_busy():
            self._job.start(measure, lambda *_: None)

    def wait(self) -> None:
        """Wait until a measurement under way has ended."""
        self._job.join()
