"""A progress bar for a terminal, with the losses and the time left."""

import shutil
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from statistics import fmean
from typing import TextIO

_LINES = 20  # at most, where the output is not a terminal
_PAUSE = 0.1  # seconds between two redraws
_CELLS = 20
_MEAN = 30  # steps of a training that a shown loss is the mean of


class Line:
    """One line that is drawn over and over, with a bar. Plain ASCII: every console shows it.

    Parameters
    ----------
    stream : text stream
        Where it is not a terminal (a file, a log), a new line now and then instead.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._drawn = float("-inf")
        self._width = 0

    def close(self) -> None:
        """Leave the bar, and go to the next line."""
        if self._width:
            self._print()
            self._width = 0

    def _draw(self, share: float, text: str) -> None:
        filled = round(_CELLS * share)
        bar = "#" * filled + "." * (_CELLS - filled)
        text = f"{share:4.0%} [{bar}] {text}"[: shutil.get_terminal_size().columns - 1]
        # Blanks over what is left of a longer line before.
        self._print("\r" + text.ljust(self._width), end="")
        self._width = len(text)

    def _print(self, text: str = "", end: str = "\n") -> None:
        with suppress(OSError):  # a closed terminal, a full disk: paint on without
            print(text, end=end, file=self._stream, flush=True)


class Progress(Line):
    """Shows how far a transfer is.

    Parameters
    ----------
    stages : list of (longest side, steps)
        As `Recipe.stages` gives them. A step's time grows with its pixels, so
        the steps at the large sizes count for more of the bar.
    stream : text stream
    """

    def __init__(self, stages: list[tuple[int, int]], stream: TextIO) -> None:
        super().__init__(stream)
        self._costs = [size**2 for size, steps in stages for _ in range(steps)]
        self._start = time.monotonic()
        self._first: float | None = None  # when the first step was done

    def update(self, step: int, losses: Mapping[str, float]) -> None:
        """Show that `step` steps are done, with these losses."""
        now = time.monotonic()
        if self._first is None:
            self._first = now
        steps = len(self._costs)
        if self._terminal:
            if step == steps or now - self._drawn >= _PAUSE:
                self._drawn = now
                text = f"{step}/{steps}, {_numbers(losses)}, {self._time(step, now)}"
                self._draw(sum(self._costs[:step]) / sum(self._costs), text)
        elif step in (1, steps) or step % max(1, steps // _LINES) == 0:
            self._print(f"step {step} of {steps}, {_numbers(losses)}, {self._time(step, now)}")

    def _time(self, step: int, now: float) -> str:
        """The time left, from what the steps after the first took: that one also sets up."""
        if step == len(self._costs):
            return f"{duration(now - self._start)} in all"
        if self._first is None or step == 1:
            return "starting"
        pace = (now - self._first) / sum(self._costs[1:step])
        return f"{duration(pace * sum(self._costs[step:]))} left"


class TrainingProgress(Line):
    """Shows how far a training is, and what the losses of late are in the mean.

    Parameters
    ----------
    stream : text stream

    Attributes
    ----------
    first : dict of str to float
        The mean losses of the first steps.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lines = -1  # how many are written
        self._latest: deque[Mapping[str, float]] = deque(maxlen=_MEAN)
        self.first: dict[str, float] = {}

    @property
    def last(self) -> dict[str, float]:
        """The mean losses of the latest steps."""
        return {name: fmean(step[name] for step in self._latest) for name in self._latest[-1]}

    def update(self, step: int, share: float, seconds: float, losses: Mapping[str, float]) -> None:
        """Show that so much of the training is done, with this step's losses."""
        self._latest.append(losses)
        if step <= _MEAN:
            self.first = self.last
        time_left = f"{duration(seconds * (1 - share) / share)} left"
        left = time_left if share < 1 else f"{duration(seconds)} in all"
        if self._terminal:
            now = time.monotonic()
            if share == 1 or now - self._drawn >= _PAUSE:
                self._drawn = now
                self._draw(share, f"step {step}, {_numbers(self.last)}, {left}")
        elif int(share * _LINES) > self._lines:
            self._lines = int(share * _LINES)
            self._print(f"step {step}, {share:.0%}, {_numbers(self.last)}, {left}")


def _numbers(losses: Mapping[str, float]) -> str:
    shown = [name for name in ("content", "style", "tv") if losses[name] or name != "tv"]
    return ", ".join(f"{name} {losses[name]:.3g}" for name in shown)


def duration(seconds: float) -> str:
    """Seconds in words: 8 s, 2 min 05 s, 1 h 10 min."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds // 3600} h {seconds // 60 % 60:02} min"
