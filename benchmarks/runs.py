"""A method at work in a process of its own, a few steps at a time, timed without the waiting."""

import multiprocessing
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Self

import psutil
import torch
from shared import wait_for
from torch import Tensor

Show = Callable[[Tensor | Callable[[], Tensor]], None]
# Paints from the content and the style picture, a number of steps, and hands each picture to
# the last argument, which stops the method by raising an exception. Or a function that makes the
# picture: it is called only for a picture that somebody looks at. It computes where they are.
Method = Callable[[Tensor, Tensor, int, Show], None]


class Stop(Exception):
    """No more steps are needed."""


class Run:
    """A method in a process of its own; it pauses after the steps that it was told to take.

    Several runs can therefore be timed in turns: whatever else slows the computer down for a
    while slows all of them down. Use it as a context manager.

    Attributes
    ----------
    step : int
        The number of steps taken.
    seconds : float
        The time spent working, including the loading of the weights, but no pauses.
    image : Tensor or None
        The picture after the last step; None when the method has ended.
    peak : float
        The peak memory of the process, or of the card, in MB, known when the method has ended.
    """

    def __init__(
        self, method: Method, pictures: list[Tensor], steps: int, device: str = "cpu"
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        arguments = (method, pictures, steps, torch.get_num_threads(), other, device)
        self._process = context.Process(target=work, args=arguments)
        self.step, self.seconds, self.peak = 0, 0.0, 0.0
        self.image: Tensor | None = None

    def __enter__(self) -> Self:
        self._process.start()
        self._receive()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()

    def go(self, steps: int) -> None:
        """Take more steps."""
        if self.image is not None:
            self._pipe.send(steps)
            self._receive()

    def stop(self) -> None:
        """End the method, and learn its peak memory."""
        self.go(0)

    def _receive(self) -> None:
        received = self._pipe.recv()
        if isinstance(received, float):
            self.peak, self.image = received, None
        else:
            self.step, self.seconds = received[:2]
            self.image = torch.from_numpy(received[2])


def work(
    method: Method,
    pictures: list[Tensor],
    steps: int,
    threads: int,
    pipe: Connection,
    device: str = "cpu",
) -> None:
    """Run the method; this is what the other process does."""
    torch.set_num_threads(threads)
    if device != "cpu":
        pictures = [picture.to(device) for picture in pictures]
        wait_for(device)  # starting it takes longer than many a picture
    stopwatch = Stopwatch(pipe)
    with suppress(Stop):
        method(*pictures, steps, stopwatch.show)
    pipe.send(peak_memory())


class Stopwatch:
    """Counts steps and seconds, and pauses where the other end of the pipe wants it to.

    It pauses after the first step, sends steps, seconds and picture, and receives how many steps
    to take before the next pause; 0 ends the method.
    """

    def __init__(self, pipe: Connection, clock: Callable[[], float] = time.perf_counter) -> None:
        self.pipe, self.clock = pipe, clock
        self.step, self.seconds, self.left = 0, 0.0, 1
        self.start = clock()

    def show(self, image: Tensor | Callable[[], Tensor]) -> None:
        self.step += 1
        self.left -= 1
        if self.left:
            return
        wait_for("cuda" if torch.cuda.is_initialized() else "cpu")
        self.seconds += self.clock() - self.start
        image = image if isinstance(image, Tensor) else image()
        self.pipe.send((self.step, self.seconds, image.detach().cpu().numpy()))
        self.left = self.pipe.recv()
        if not self.left:
            raise Stop
        self.start = self.clock()


def peak_memory() -> float:
    """The peak memory of this process, in MB, or that of the card that it used."""
    if torch.cuda.is_initialized():
        return torch.cuda.max_memory_reserved() / 1e6
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):  # Windows
        return memory.peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
