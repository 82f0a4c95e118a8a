"""If a picture can't be saved where it was meant to go, save it somewhere else."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..checks import as_path
from ..errors import StylelibError
from .files import cannot_write
from .names import file_name


def save_with(
    save: Callable[[Path], Path], path: str | os.PathLike[str], new: bool = False
) -> tuple[Path, str | None]:
    """Save something at a path or, if that fails, somewhere else.

    `save` saves it at the path it is called with, as `save_image` does for a picture; with `new`, a
    number is added to the name if there is such a file. If that fails, it is saved to a new file in
    the working folder, the home folder or the folder for temporary files. Returns the path and, if
    it is not the one asked for, why, and where it was saved instead. If it can't be saved in any of
    these places, the first error is raised.
    """
    path = as_path(path)
    try:
        return (save_new(save, path) if new else save(path)), None
    except StylelibError as error:
        trouble = error
    for folder in (Path.cwd, Path.home, tempfile.gettempdir):
        # Any of these may be missing or unknown; a long name, shortened here, may be the trouble.
        with suppress(ValueError, OSError, RuntimeError):
            place = save_new(save, Path(folder()) / file_name(path.name))
            return place, f"{trouble} So that it is not lost, it was saved here: {place}"
    raise trouble


def save_new(save: Callable[[Path], Path], path: Path) -> Path:
    """Save under a name or, if there is such a file, under the same name with a number.

    An empty file reserves the name first, so that programs that save at the same time
    never overwrite each other's files.
    """
    place = _reserve(path)
    try:
        return save(place)
    finally:
        with suppress(OSError):
            if not place.stat().st_size:
                place.unlink()


def _reserve(path: Path) -> Path:
    for name in (path, *(path.with_stem(f"{path.stem}-{n}") for n in range(2, 10_000))):
        try:
            name.open("xb").close()
            return name
        except FileExistsError:
            continue
        except OSError as error:
            raise cannot_write(name, error) from error
    raise StylelibError(f"There are too many numbered files called {path.name}. Move some away.")
