"""A film of how a picture was painted, as an animated picture."""

import io
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from ..checks import check_colors
from ..errors import StylelibError, shown
from .files import check_place, write_atomically
from .images import fit, resize_to, to_pil

ENDINGS = (".gif", ".webp")
"""What the name of a film can end in."""

_LONGEST = 400  # pixels
_FRAME, _LAST = 150, 2500  # how long a frame, and the last one, is shown, in milliseconds
_NEXT = 1.15  # the next picture is kept at this many times the steps of the last one


class Film:
    """Keeps some of the pictures along the way: more of them at first, when most changes.

    Of 200 steps it keeps 33, of 5,000 steps 56.

    Attributes
    ----------
    pictures : list of Tensor, shape (1, 3, H, W), RGB in 0-1
        Their longest side is at most 400 pixels.
    """

    def __init__(self) -> None:
        self.pictures: list[Tensor] = []
        self._due, self._kept = 0, -1

    def due(self, iteration: int) -> bool:
        """Whether it is time for a picture."""
        return iteration >= self._due

    def see(self, iteration: int, image: Tensor, last: bool = False) -> None:
        """Keep this picture if it is time for one, or if it is the last one."""
        if self.due(iteration) or (last and iteration != self._kept):
            self.pictures.append(_small(image))
            self._kept, self._due = iteration, max(iteration + 1, round(iteration * _NEXT))


def save_film(pictures: Iterable[Tensor], path: str | os.PathLike[str]) -> Path:
    """Save pictures, first to last, as an animation that repeats: about a megabyte.

    Parameters
    ----------
    pictures : iterable of Tensor, shape (1, 3, H, W), RGB in 0-1
        At least two that differ. All are shown at the size of the last one, with a longest
        side of at most 400 pixels. One that looks like the one before it is not stored
        again; that one is shown for longer.
    path : path
        Ends in ``.webp`` (all colours) or ``.gif`` (128 colours, and every program
        can show it).

    Returns
    -------
    Path
        Where it was saved.

    Raises
    ------
    StylelibError
        If there are fewer than two pictures or all are the same, one of them is not a picture,
        the path has another ending, or the file can't be written. A file that was there before is
        then unchanged.
    """
    path = check_place(path, ENDINGS)
    if isinstance(pictures, Tensor) or not isinstance(pictures, Iterable):
        raise StylelibError(f"A film is made of several pictures; these are {shown(pictures)}.")
    small = [_small(picture) for picture in pictures]
    if len(small) < 2:
        raise StylelibError("A film needs two pictures or more. Take some steps first.")
    height, width = small[-1].shape[-2:]
    frames = [to_pil(resize_to(picture, (height, width))) for picture in small]
    options: dict[str, Any] = {"format": "WEBP", "quality": 80}
    if path.suffix.lower() == ".gif":
        options = {"format": "GIF"}
        frames = [frame.quantize(128, dither=Image.Dither.NONE) for frame in frames]
    different, durations = [frames[0]], [0]
    for frame, duration in zip(frames, [_FRAME] * (len(frames) - 1) + [_LAST], strict=True):
        if frame != different[-1]:
            different.append(frame)
            durations.append(0)
        durations[-1] += duration
    if len(different) < 2:
        raise StylelibError("All pictures of this film are the same; give two that differ.")
    buffer = io.BytesIO()
    try:
        different[0].save(
            buffer,
            save_all=True,
            append_images=different[1:],
            duration=durations,
            loop=0,
            **options,
        )
    except (OSError, ValueError, KeyError) as error:  # a Pillow without WebP has no such key
        raise StylelibError(
            f"This film can't be stored as {options['format']} ({error}). Try another ending."
        ) from error
    write_atomically(path, buffer.getvalue())
    return path


def length(path: str | os.PathLike[str]) -> int:
    """How many pictures a saved film has: fewer than were given if some looked the same."""
    with Image.open(path) as film:
        return int(getattr(film, "n_frames", 1))


def _small(image: Tensor) -> Tensor:
    check_colors(image)
    longest = min(_LONGEST, max(image.shape[-2:]))
    return resize_to(image, fit(image.shape, longest))
