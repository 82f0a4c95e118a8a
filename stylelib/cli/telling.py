"""What several commands say, and how they save."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from warnings import catch_warnings, simplefilter

from ..errors import OUT_OF_MEMORY, StylelibError, is_out_of_memory, printable


def say(message: str) -> None:
    """Tell the user something on stderr, separate from the command's output."""
    print(printable(message), file=sys.stderr, flush=True)


def tell(message: str = "") -> None:
    """Print a line of the command's output."""
    print(printable(message), flush=True)


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
    tell(told)


def check_output(
    option: str,
    path: Path,
    endings: Sequence[str],
    given: Iterable[str | Path | None],
    new: bool = False,
) -> None:
    """Refuse, before the work starts, a place where nothing can be saved, or a file that is needed.

    `given` are the files that are worked with: names of samples, too. With `new`, a number is added
    to the name if there is such a file.
    """
    from ..pictures.files import check_place
    from ..pictures.samples import NETWORKS, SAMPLES

    samples = NETWORKS | {name: sample.path for name, sample in SAMPLES.items()}
    needed = [] if new else [name for name in given if name]
    for name in needed:
        files = [Path(name), samples.get(str(name), Path(name))]
        if any(_is_same_file(path, file) for file in files):
            raise StylelibError(f"{option} is the same file as {name}. Choose another name.")
    check_place(path, endings, new)


def _is_same_file(one: Path, other: Path) -> bool:
    with suppress(OSError, ValueError):  # one of them is missing, or can't be looked at
        return os.path.samefile(one, other)
    with suppress(OSError, ValueError):
        return os.path.realpath(one) == os.path.realpath(other)
    return False


@dataclass
class Result:
    """Something to save: how, where, and whether under a new name; then where it is."""

    save: Callable[[Path], Path]
    path: Path
    new: bool = False
    place: Path | None = None


def save_all(*results: Result) -> int:
    """Save each result there or elsewhere, as `save_with` does, and only then say what went wrong.

    Sets each result's `place`; it stays None if it could not be saved anywhere. Returns the exit
    status: 1 if a result is not where it was meant to go.
    """
    from ..pictures.rescue import save_with

    told = list[str]()
    status = 0
    trouble: str | None
    for result in results:
        with catch_warnings(record=True) as warnings:
            simplefilter("always")
            try:
                result.place, trouble = save_with(result.save, result.path, result.new)
            except StylelibError as error:
                trouble = str(error)
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                trouble = OUT_OF_MEMORY
        if trouble:
            status = 1
            told.append(trouble)
        told += [str(warning.message) for warning in warnings]
    for message in told:
        say(f"stylelib: {message}")
    return status
