"""The entry point of ``stylelib`` and ``python -m stylelib``: Ctrl-C ends it quietly."""

import os
import signal
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_STDERR = 2
_INTERRUPTED = 130  # the exit status that a shell expects after Ctrl-C


def main() -> int:
    """Run the command line; while it imports and reads its options, Ctrl-C ends it at once."""
    # If the program is started with its output closed (2>&-), the next file to be opened, perhaps
    # the picture, would take that place, and get all that a library prints there.
    with suppress(OSError):
        while (free := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
            pass
        os.close(free)
    # If Ctrl-C is ignored, by nohup or by a shell for background jobs, it stays ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from .cli import main as run
    from .cli.streams import give_up_what_is_left

    status = run()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done: don't interrupt the exit
    give_up_what_is_left()
    return status


def _end(number: int, frame: "FrameType | None") -> None:
    """End at once, while there is nothing to lose.

    A KeyboardInterrupt is not enough: in the middle of an import it may turn into another
    error, or be swallowed.
    """
    with suppress(OSError):
        os.write(_STDERR, b"Stopped; nothing was saved.\n")
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
