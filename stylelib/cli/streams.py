"""Standard output and error that may fail, be closed or be missing without stopping the work."""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from io import TextIOWrapper
from typing import Any, TextIO, cast


class SteadyStream:
    """A text stream that takes whatever is written to it, even if it can't write it.

    A full disk, a closed terminal, a reader that went away and a closed stream are no reason to
    lose a picture. There is no stream at all (None) if the program was started with it closed, or
    without a console.

    Attributes
    ----------
    trouble : OSError or ValueError, or None
        Why something could not be written for the first time.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self.trouble: OSError | ValueError | None = None
        self._stream = stream
        if isinstance(stream, TextIOWrapper):  # a console without UTF-8 must not stop a picture
            self._try(partial(stream.reconfigure, errors="replace"))

    def write(self, text: str) -> int:
        """Write the text if that is possible."""
        if self._stream is not None:
            self._try(self._stream.write, text)
        return len(text)

    def flush(self) -> None:
        """Write what was kept back, if that is possible."""
        if self._stream is not None:
            self._try(self._stream.flush)

    def isatty(self) -> bool:
        """Whether it is a terminal that is still open."""
        return self._stream is not None and bool(self._try(self._stream.isatty))

    def _try(self, do: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return do(*arguments)
        except (OSError, ValueError) as error:  # a closed stream raises a ValueError
            self.trouble = self.trouble or error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def steady_streams() -> Iterator[SteadyStream]:
    """Make `sys.stdout` and `sys.stderr` steady for a while, and return the first of them."""
    output, errors = SteadyStream(sys.stdout), SteadyStream(sys.stderr)
    with redirect_stdout(cast(TextIO, output)), redirect_stderr(cast(TextIO, errors)):
        yield output


def was_lost(stream: SteadyStream) -> bool:
    """Whether someone may miss what could not be written: not if the reader went away."""
    return stream.trouble is not None and getattr(stream.trouble, "errno", 0) != errno.EPIPE


def give_up_what_is_left() -> None:
    """Before the program ends: forget what can't be written, about which Python would complain."""
    for name in ("stdout", "stderr"):
        stream = SteadyStream(getattr(sys, name))
        stream.flush()
        if stream.trouble:
            setattr(sys, name, None)
