"""A painted picture is not lost because there is no room for it: it goes elsewhere."""

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from ..checks import as_path
from ..errors import StylelibError
from .images import save_image


def save_somewhere(
    image: Tensor,
    path: str | os.PathLike[str],
    recipe: Mapping[str, Any] | None = None,
    new: bool = False,
) -> tuple[Path, str | None]:
    """Save a picture where it was to go or, if that can't be any more, somewhere else.

    Parameters
    ----------
    image, path, recipe
        As for `save_image`.
    new : bool
        Take another name if there is a file of that name by now.

    Returns
    -------
    path : Path
        Where it is: `path`, or else, under a name that was free, in the working
        folder, the home folder or the folder for temporary files.
    trouble : str or None
        If it is not at `path`: why, and where it is instead.

    Raises
    ------
    StylelibError
        As `save_image` does, if it could be saved in none of these places.
    """
    return save_with(lambda place: save_image(image, place, recipe), path, new)


def save_with(
    save: Callable[[Path], Path], path: str | os.PathLike[str], new: bool = False
) -> tuple[Path, str | None]:
    """`save_somewhere`, for what `save` saves where it is told."""
    path = as_path(path)
    try:
        return (save_new(save, path) if new else save(path)), None
    except StylelibError as error:
        trouble = error
    for folder in (Path.cwd, Path.home, tempfile.gettempdir):
        # Each may be gone, too, or not known.
        with suppress(StylelibError, OSError, RuntimeError):
            place = save_new(save, Path(folder()) / path.name)
            return place, f"{trouble} So that it is not lost, it was saved here: {place}"
    raise trouble


def save_new(save: Callable[[Path], Path], path: Path) -> Path:
    """Save under that name or, if there is such a file, the same with a number.

    The name is taken before it is saved to, so that of many who save at once
    none gets another's.

    Raises
    ------
    StylelibError
        As `save` does, or if no file can be made there.
    """
    place = _take_name(path)
    try:
        return save(place)
    except BaseException:
        with suppress(OSError):
            place.unlink()
        raise


def _take_name(path: Path) -> Path:
    for name in (path, *(path.with_stem(f"{path.stem}-{n}") for n in range(2, 10_000))):
        try:
            name.open("xb").close()
            return name
        except FileExistsError:
            continue
        except OSError as error:
            raise StylelibError(
                f"{name} could not be written ({error.strerror}). Choose another place."
            ) from error
    raise StylelibError(f"There are too many files called {path.name}, with numbers. Move some.")
