"""Ctrl-C stops the painting; pressed again, it must not stop the saving."""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ..errors import OUT_OF_MEMORY, StylelibError, is_out_of_memory

INTERRUPTED = 130  # the exit status that a shell expects after Ctrl-C
# Ctrl-C; the computer shuts down; the terminal window is closed (Windows has no such signal).
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_PATIENCE = 1.0  # seconds in which a key pressed again or held down counts once


class Interrupts:
    """A signal handler that raises KeyboardInterrupt, but not once `saving` is set."""

    def __init__(self) -> None:
        self.saving = False
        self._last = float("-inf")

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        before, self._last = self._last, time.monotonic()
        if not self.saving and self._last - before > _PATIENCE:
            raise KeyboardInterrupt


@contextmanager
def one_interrupt() -> Iterator[Interrupts]:
    """Raise a single KeyboardInterrupt for Ctrl-C and other signals that ask a program to end.

    It is raised once, however often the key is pressed, and never once `saving` is set.
    """
    handler = Interrupts()
    kept = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, for example: keep it
                kept[number] = signal.signal(number, handler)
    try:
        yield handler
    finally:
        for number, before in kept.items():
            signal.signal(number, before)


def take_steps(
    steps: Iterable[Any], show: Callable[[Any], None], interrupts: Interrupts
) -> tuple[int, str | None, int]:
    """Take all steps and show each; when they end, interrupts no longer count.

    Each step has an ``iteration``, from 1. Returns how many steps were taken, what went wrong, in
    a sentence, or None, and the exit status. An error in the first step is raised.
    """
    done = 0
    try:
        for step in steps:
            done = step.iteration
            show(step)
    except KeyboardInterrupt:
        return done, f"Stopped at step {done}.", INTERRUPTED
    except StylelibError as error:
        if not done:
            raise
        return done, str(error), 1
    except (MemoryError, RuntimeError) as error:  # of `show`: a step's own is a StylelibError
        if not done or not is_out_of_memory(error):
            raise
        return done, OUT_OF_MEMORY, 1
    finally:
        interrupts.saving = True
    return done, None, 0
