"""Ctrl-C stops the painting; pressed again, it must not stop the saving."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Ctrl-C; the computer is shut down; the terminal's window is closed (Windows has no such signal).
_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in dir(signal)
]
_PATIENCE = 1.0  # seconds: an impatient or a held key counts once


class Interrupts:
    """What comes to end the program, as one KeyboardInterrupt; none once `saving` is set."""

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
    """Ctrl-C, and all else that politely ends a program, raises one KeyboardInterrupt.

    However often it is pressed; and, once `saving` is set, none.
    """
    handler = Interrupts()
    kept = {}
    if threading.current_thread() is threading.main_thread():  # Python's rule for signals
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it: leave it so
                kept[number] = signal.signal(number, handler)
    try:
        yield handler
    finally:
        for number, before in kept.items():
            signal.signal(number, before)
