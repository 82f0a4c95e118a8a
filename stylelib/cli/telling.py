"""What every command says alike."""

import sys
from contextlib import suppress

INTERRUPTED = 130  # what a shell expects after Ctrl-C


def say(message: str) -> None:
    """Tell the person, beside the output proper."""
    with suppress(OSError):  # nobody listens any more: no reason to lose a picture
        print(message, file=sys.stderr, flush=True)
