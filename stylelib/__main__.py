"""The entry point of ``stylelib`` and ``python -m stylelib``: Ctrl-C ends it quietly."""

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED = 130  # the exit status that a shell expects after Ctrl-C


def main() -> int:
    """Run the command line; while it imports and reads its options, Ctrl-C ends it at once."""
    # If Ctrl-C is ignored, by nohup or by a shell for background jobs, it stays ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from .cli import main as run

    status = run()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done: don't interrupt the exit
    return status


def _end(number: int, frame: "FrameType | None") -> None:
    """End at once, while there is nothing to lose.

    A KeyboardInterrupt is not enough: in the middle of an import it may turn into another
    error, or be swallowed.
    """
    os.write(2, b"Stopped; nothing was saved.\n")
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
