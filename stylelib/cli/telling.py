"""Sentences that several commands have in common."""

import sys
from collections.abc import Mapping
from contextlib import suppress


def say(message: str) -> None:
    """Tell the user something on stderr, apart from the output proper."""
    with suppress(OSError):  # nobody is listening any more: no reason to lose a picture
        print(message, file=sys.stderr, flush=True)


def tell_losses(first: Mapping[str, float], last: Mapping[str, float]) -> None:
    """Print where the losses started and where they ended."""
    print(
        f"From start to end, the style loss went from {first['style']:.3g} to "
        f"{last['style']:.3g}, the content loss from {first['content']:.3g} to "
        f"{last['content']:.3g}."
    )
