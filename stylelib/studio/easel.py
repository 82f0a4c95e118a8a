"""What paints: the run under way, its thread, and how fast this computer is."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from ..core.vgg import VGG19
from ..engine.network import NetworkCache
from ..engine.pace import Pace, measure_pace
from ..engine.transfer import Transfer
from ..recipes import Recipe
from .runs import Picture, Run, changed_settings
from .worker import Worker, anyone_busy


class Easel:
    """Holds the newest run, and paints it: in the background, or here and now.

    Parameters
    ----------
    tell : bound method
        Called when there is something new to show; see `Worker`.

    Attributes
    ----------
    run : Run or None
        The newest, under way or done.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self.run: Run | None = None
        self._asked: Recipe | None = None
        self._worker, self._gauge = Worker(tell), Worker(tell)
        self._networks = NetworkCache()
        self._paces: list[Pace] = []

    @property
    def state(self) -> str:
        """See `Worker.state`."""
        return self._worker.state

    @property
    def busy(self) -> bool:
        """Whether a run is under way, even paused."""
        return self._worker.busy

    @property
    def error(self) -> str | None:
        """What went wrong, in words."""
        return self._worker.error

    @property
    def measured(self) -> bool:
        """Whether this computer's pace is known."""
        return bool(self._paces)

    @property
    def pace(self) -> Pace:
        """How fast this computer is, or a guess before it was measured."""
        return self._paces[-1] if self._paces else Pace()

    def paint(self, run: Run, changes: dict[str, Any] | None = None) -> None:
        """Paint a run to its end, here and now; raises what goes wrong."""
        self._put(run, changes)
        self._worker.run(partial(_after, self._gauge.join, run, self._networks), run.add, changes)

    def start(self, run: Run, changes: dict[str, Any] | None = None) -> None:
        """Paint a run in the background; with no event loop around, here and now.

        Parameters
        ----------
        run : Run
        changes : dict, optional
            Settings to change before the first step.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self.paint(run, changes)
            return
        self._put(run, changes)
        self._worker.start(partial(_after, self._gauge.join, run, self._networks), run.add, changes)

    def _put(self, run: Run, changes: dict[str, Any] | None) -> None:
        self.run, self._asked = run, run.recipe_at(run.iteration).but(**changes or {})

    def follow(self, recipe: Recipe) -> bool:
        """Let the run under way go on by another recipe, as far as that can be changed.

        Returns
        -------
        bool
            Whether all of it could be.
        """
        if self._asked is None:
            return True
        changed = changed_settings(self._asked, recipe)
        run = self.run
        now = {n: v for n, v in changed.items() if run is not None and run.can_follow(n, v)}
        if now:
            self._worker.change(**now)
        self._asked = recipe
        return changed.keys() == now.keys()

    def pause(self) -> None:
        """Wait after the step that is being taken."""
        self._worker.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._worker.resume()

    def stop(self, wait: bool = False) -> None:
        """End after the step that is being taken; with `wait`, not before it has."""
        self._worker.stop(wait)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; returns whether it has come."""
        return self._worker.join(timeout)

    def measure(self, photo: Picture, painting: Picture, recipe: Recipe) -> None:
        """Find out this computer's pace, in the background; unless it is at work already."""
        if not self._paces and not anyone_busy():
            load = self._networks.load
            work = partial(_note_pace, self._paces, photo, painting, recipe, load)
            self._gauge.start(work, lambda *_: None)

    def close(self) -> None:
        """End its threads, and let go of the network."""
        self._worker.stop(wait=True)
        self._gauge.stop(wait=True)
        self._networks.clear()


def _after(wait: Callable[[], Any], run: Run, networks: NetworkCache) -> Transfer:
    """The transfer of a run, once the measurement has ended."""
    wait()
    return run.transfer(networks.load)


def _note_pace(
    found: list[Pace],
    photo: Picture,
    painting: Picture,
    recipe: Recipe,
    load: Callable[[Recipe], VGG19],
) -> None:
    """For a thread, which must not hold the easel."""
    found.append(measure_pace(photo.load, painting.load, recipe, load))
