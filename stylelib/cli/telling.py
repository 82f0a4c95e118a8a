"""What several commands say, and how they save."""

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path


def say(message: str) -> None:
    """Tell the user something on stderr, separate from the command's output."""
    with suppress(OSError):  # stderr may be closed: no reason to lose a picture
        print(message, file=sys.stderr, flush=True)


def tell_losses(first: Mapping[str, float], last: Mapping[str, float]) -> None:
    """Print where the losses started and where they ended."""
    # The neighbours take the place of the content loss: with them, it is usually not in use.
    if "neighbours" in last:
        told = (
            f"From start to end, the style loss went from {first['style']:.3g} to "
            f"{last['style']:.3g}, the neighbour loss from {first['neighbours']:.3g} to "
            f"{last['neighbours']:.3g}."
        )
    else:
        told = (
            f"From start to end, the style loss went from {first['style']:.3g} to "
            f"{last['style']:.3g}, the content loss from {first['content']:.3g} to "
            f"{last['content']:.3g}."
        )
    print(told)


def save_and_tell(save: Callable[[Path], Path], path: Path, new: bool = False) -> tuple[Path, int]:
    """Save there or elsewhere, as `save_with` does.

    Returns
    -------
    place : Path
        Where it is.
    status : int
        The exit status: 1, after a message, if it is elsewhere.
    """
    from ..pictures.rescue import save_with

    place, trouble = save_with(save, path, new)
    if trouble:
        say(f"stylelib: {trouble}")
    return place, int(trouble is not None)
