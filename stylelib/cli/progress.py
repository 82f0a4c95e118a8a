"""A progress bar for a terminal, with the losses and the time left.

It is tqdm's, but for one thing. Where the output is not a terminal (a file, a log), tqdm
would write every redraw on a line of its own; here a plain line is written now and then.
"""

import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from statistics import fmean
from typing import TextIO

from tqdm import tqdm

from ..recipes import Recipe

_LINES = 20  # about this many at most, where the output is not a terminal
_BAR = "{percentage:3.0f}% [{bar:15}]"


class Progress(tqdm):
    """A bar in plain ASCII, which every console can show.

    `total` is the work to do, in any unit: a step's time grows with its pixels, so a painting
    counts pixels rather than steps. The losses shown, `last`, and those of the start, `first`,
    are the means of `mean_of` steps. A step is asked for its losses only when they are shown: on a
    graphics card that takes a moment.
    """

    monitor_interval = 0  # tqdm needs no thread of its own: each step asks for a redraw

    def __init__(self, total: float, stream: TextIO, mean_of: int = 1) -> None:
        self.first: dict[str, float] = {}
        self._latest: deque[Callable[[], Mapping[str, float]]] = deque(maxlen=mean_of)
        self._steps, self._lines = 0, -1
        self._done, self._step = 0.0, ""
        self._terminal = stream.isatty()
        self.ncols: int | None = None
        super().__init__(
            total=total,
            file=stream,
            ascii=".#",
            bar_format=f"{_BAR} starting",
            nrows=2,  # tqdm would draw nothing on a terminal that does not know its height
            mininterval=0.1 if self._terminal else 0,
            miniters=0,
            smoothing=0.1,
            position=0,
        )

    @property
    def last(self) -> dict[str, float]:
        """The losses of the latest step, or the means of the latest ones."""
        latest = [losses() for losses in self._latest]
        return {name: fmean(one[name] for one in latest) for name in (latest or [{}])[-1]}

    def show(self, done: float, step: str, losses: Callable[[], Mapping[str, float]]) -> None:
        """Show that `done` of `total` is done, after this step, for example ``"step 3/200"``."""
        self._steps += 1
        self._done, self._step = done, step
        self._latest.append(losses)
        if self._steps == len(self._latest):
            self.first = self.last
        self.update(done - self.n)

    def _describe(self) -> None:
        if self._done >= self.total:
            time = "{elapsed} in all"
        elif self._steps == 1:
            time = "starting"  # the first step also sets up: its time says nothing about the rest
        else:
            time = "{remaining} left"
        numbers = self._numbers()
        if numbers:
            numbers += ", "
        if self._terminal:
            self.bar_format = f"{_BAR} {self._step}, {numbers}{time}"
        else:
            self.bar_format = f"{self._step}, {{percentage:.0f}}%, {numbers}{time}"

    def _numbers(self) -> str:
        last = self.last
        always = {"style", "neighbours" if "neighbours" in last else "content"}
        shown = [n for n in last if n != "total" and (n in always or last[n])]
        return ", ".join(f"{name} {last[name]:.3g}" for name in shown)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Draw the bar or, if it is time for one, write a line; tqdm calls this."""
        if self._terminal:
            self.ncols = shutil.get_terminal_size().columns - 1
            if self._steps:
                self._describe()
            super().display(msg, pos)
        elif self._steps and int(self.n / self.total * _LINES) > self._lines:
            self._lines = int(self.n / self.total * _LINES)
            self.ncols = None  # a log's lines are not cut off
            self._describe()
            print(self, file=self.fp, flush=True)

    def close(self) -> None:
        """Leave the bar as it is, and go to the next line."""
        if self._terminal:
            super().close()


def duration(seconds: float) -> str:
    """Seconds in words: 8 s, 2 min 05 s, 1 h 10 min."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds // 3600} h {seconds // 60 % 60:02} min"


def costs(recipe: Recipe) -> Iterator[float]:
    """How long each step takes, in proportion to the others."""
    for number, (size, steps) in enumerate(recipe.stages()):
        for step in range(steps):
            yield size**2 * (1 + (0 if step else recipe.preparation(first=not number)))
