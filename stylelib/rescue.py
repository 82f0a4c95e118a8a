"""A painted picture is not lost because there is no room for it: it goes elsewhere."""

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

from .checks import as_path
from .errors import StylelibError
from .images import save_image


def save_somewhere(
    image: Tensor, path: str | os.PathLike[str], recipe: Mapping[str, Any] | None = None
) -> tuple[Path, str | None]:
    """Save a picture where it was to go or, if that can't be any more, somewhere else.

    Parameters
    ----------
    image, path, recipe
        As for `save_image`.

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
    return save_with(lambda place: save_image(image, place, recipe), path)


def save_with(
    save: Callable[[Path], Path], path: str | os.PathLike[str]
) -> tuple[Path, str | None]:
    """`save_somewhere`, for what `save` saves where it is told."""
    path = as_path(path)
    try:
        return save(path), None
    except StylelibError as error:
        trouble = error
    for folder in (Path.cwd, Path.home, tempfile.gettempdir):
        # Each may be gone, too, or not known.
        with suppress(StylelibError, OSError, RuntimeError):
            place = save(_free(Path(folder()) / path.name))
            return place, f"{trouble} So that it is not lost, it was saved here: {place}"
    raise trouble


def _free(path: Path) -> Path:
    """That name or, if there is such a file, the same with a number."""
    names = (path.with_stem(f"{path.stem}-{n}") for n in range(2, 10_000))
    return next((name for name in (path, *names) if not name.exists()), path)
