"""What ``stylelib`` and ``python -m stylelib`` start: Ctrl-C ends it, with no traceback."""

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_INTERRUPTED = 130  # what a shell expects after Ctrl-C


def main() -> int:
    """Run the command line; while it still imports and reads its options, Ctrl-C ends it."""
    # Not where someone has it ignored: nohup, or a shell for what runs in the background.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from .cli import main as run

    status = run()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: no interrupting the end
    return status


def _end(number: int, frame: "FrameType | None") -> None:
    """End at once, before there is anything to lose.

    A KeyboardInterrupt would not do: in the middle of an import it may come out
    as another error, or be swallowed.
    """
    os.write(2, b"Stopped; nothing was saved.\n")
    os._exit(_INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
