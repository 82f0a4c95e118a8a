"""Which pictures are to be painted, and where each will be saved."""

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ..checks import as_path
from ..errors import StylelibError, pick
from ..feedforward.network import FeedForward
from ..pictures.files import cannot_read
from ..pictures.images import read_recipe
from ..pictures.names import file_name, is_network
from ..pictures.samples import NETWORKS, SAMPLES
from ..recipes import Recipe
from .tasks import MADE_FROM, File, Task

_PATTERN = "*?["


@dataclass(frozen=True)
class Wish:
    """What holds for every picture of a plan; see `Task`."""

    recipe: Recipe
    device: str = "auto"
    keep_colors: bool = False
    only_colors: bool = False
    start: str | None = None


@dataclass(frozen=True)
class Order:
    """A picture that is to be painted.

    Attributes
    ----------
    photo : str
        A file, or a sample's name.
    styles : tuple of str
        Paintings that are blended; or a trained network, and those of its paintings that are
        blended.
    place : Path
        Where it will be saved.
    wish : Wish
    """

    photo: str
    styles: tuple[str, ...]
    place: Path
    wish: Wish

    def read(self) -> Task:
        """Read the files.

        Raises
        ------
        StylelibError
            If one of them can't be read.
        """
        wish, files = self.wish, self.styles
        if is_network(files[0]):
            files = files[:1]
        return Task(
            read_file(self.photo),
            tuple(map(read_file, files)),
            wish.recipe,
            wish.device,
            wish.keep_colors,
            wish.only_colors,
            None if wish.start is None else read_file(wish.start),
            self.styles[len(files) :],
        )

    def is_done(self) -> bool:
        """Whether the file is there already, painted from just these pictures in just this way.

        Raises
        ------
        StylelibError
            If there is another file, or the photo or painting can't be read.
        """
        if not os.path.lexists(self.place):
            return False
        if made_from(self.place) == self.read().key:
            return True
        raise StylelibError(
            f"{self.place} is there already, and was made in another way. Choose another folder, "
            f"or allow overwriting."
        )


def made_from(place: Path) -> str | None:
    """The key of the task that a picture's file was made from, or None if it has none."""
    try:
        record = read_recipe(place) or {}
    except StylelibError:  # it isn't even a picture
        return None
    key = record.get(MADE_FROM)
    return key if isinstance(key, str) else None


def read_file(name: str) -> File:
    """A file or a sample, with its contents.

    Raises
    ------
    StylelibError
        If there is no such file or sample, or it can't be read.
    """
    path = as_path(name)
    try:
        if not path.exists() and name in SAMPLES:
            path = SAMPLES[name].path
        elif not path.exists() and name in NETWORKS:
            path = NETWORKS[name]
        elif not path.exists() and len(path.parts) == 1 and not path.suffix:
            pick(name, SAMPLES, "file or sample")
        if not path.is_file():
            raise StylelibError(f"There is no file {name}. Check the name and the folder.")
        return File(name, path.read_bytes())
    except OSError as error:
        raise cannot_read(name, error) from error


def find_photos(given: Iterable[str], leave_out: Path | None = None) -> list[tuple[str, Path]]:
    """All photos in folders, patterns and single files, in the order given.

    Parameters
    ----------
    given : str, several
        Folders, which are searched with all folders in them for files with the ending of a
        picture; patterns such as ``photos/*.jpg``; files; samples' names. Hidden files and
        folders are left out.
    leave_out : Path, optional
        A folder that is not searched: the one that is painted into.

    Returns
    -------
    list of (str, Path)
        Each file once, with the folder, relative to the one given, that it was found in.

    Raises
    ------
    StylelibError
        If a folder can't be read, or has no picture in it, or nothing fits a pattern.
    """
    found: dict[str, tuple[str, Path]] = {}
    for name in given:
        path = as_path(name)
        if path.is_dir():
            photos = list(_in_folder(path, leave_out))
            if not photos:
                raise StylelibError(f"There is no picture in {name}. Put some photos there.")
        elif any(sign in name for sign in _PATTERN) and not path.exists():
            files = sorted(one for one in glob.glob(name, recursive=True) if os.path.isfile(one))
            photos = [(one, Path()) for one in files if _may_be_picture(Path(one))]
            if not photos:
                raise StylelibError(f"No picture's name fits {name}. Check folder and pattern.")
        else:
            photos = [(name, Path())]
        for photo, folder in photos:
            found.setdefault(os.path.realpath(photo), (photo, folder))
    return list(found.values())


def _in_folder(top: Path, leave_out: Path | None) -> Iterator[tuple[str, Path]]:
    def explain(error: OSError) -> None:
        raise cannot_read(str(error.filename), error) from error

    for folder, inner, files in os.walk(top, onerror=explain):
        inner[:] = sorted(
            name
            for name in inner
            if not name.startswith(".")
            and not (leave_out and _is_same(Path(folder, name), leave_out))
        )
        for name in sorted(files):
            if not name.startswith(".") and _may_be_picture(Path(name)):
                yield os.path.join(folder, name), Path(folder).relative_to(top)


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _may_be_picture(path: Path) -> bool:
    return path.suffix.lower() in Image.registered_extensions()


def plan(
    photos: Sequence[str], styles: Sequence[str], folder: Path, wish: Wish, blend: bool = False
) -> list[Order]:
    """A picture of each photo in the style of each painting.

    Parameters
    ----------
    photos : several str
        As for `find_photos`.
    styles : several str
        Paintings and trained networks. If a network knows several paintings, all others are names
        of these; without any, it paints after each.
    folder : Path
        Where the pictures go. Folders in a folder of photos are made there, too.
    wish : Wish
    blend : bool
        Blend all paintings in each picture.

    Raises
    ------
    StylelibError
        If there is nothing to paint, two pictures would have the same name, or a painting or
        network can't be read.
    """
    if not photos or not styles:
        raise StylelibError("Give at least one photo and one painting.")
    networks = {
        name: FeedForward.load(read_file(name).data).paintings
        for name in styles
        if is_network(name)
    }
    if wish.only_colors and (blend or networks):
        raise StylelibError("Colours alone are taken from a single painting, not from a network.")
    if wish.start:
        read_file(wish.start).as_picture()
    if any(len(known) > 1 for known in networks.values()):
        groups = _after_its_paintings(styles, networks, wish.recipe.style_shares, blend)
    else:
        for name in styles:
            if name not in networks:
                read_file(name).as_picture()
        if blend and networks:
            raise StylelibError("A trained network paints alone: it can't be blended with others.")
        groups = [tuple(styles)] if blend else [(style,) for style in styles]
    found = find_photos(photos, folder)
    orders: dict[str, Order] = {}
    for photo, inner in found:
        for group in groups:
            stem = "-".join([Path(photo).stem, *(Path(style).stem for style in group)])
            place = folder / inner / file_name(f"{stem}.png")
            order = Order(photo, group, place, wish)
            # Many systems take names that differ only in capital letters for the same.
            other = orders.setdefault(str(place).casefold(), order)
            if other is not order:
                raise StylelibError(
                    f"{other.photo} and {photo}, in the style of {group[0]}, would both be saved "
                    f"as {place}. Rename one of the files."
                )
    return list(orders.values())


def _after_its_paintings(
    styles: Sequence[str],
    networks: Mapping[str, Sequence[str]],
    shares: Sequence[float],
    blend: bool,
) -> list[tuple[str, ...]]:
    """A network with each of its paintings that are named, or with all of them to be blended."""
    if len(networks) > 1:
        raise StylelibError(
            "A network that knows several paintings paints without other networks: give one .pt "
            "file at a time."
        )
    ((network, known),) = networks.items()
    named = [pick(name, known, "painting in this network") for name in styles if name != network]
    if not blend:
        return [(network, name) for name in named or known]
    if len(named) != (len(shares) or len(named)) or not named or len(set(named)) < len(named):
        raise StylelibError(
            "Name each painting once, and give as many shares as paintings, or none."
        )
    return [(network, *named)]
