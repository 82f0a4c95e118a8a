"""The film of a painting: an animated GIF."""

import io
from pathlib import Path

from PIL import Image

from ..errors import StylelibError
from ..images import write_whole
from .runs import Run

_LONGEST = 400  # pixels
_FRAME, _LAST = 150, 2500  # milliseconds


def save_film(run: Run, path: Path) -> Path:
    """Save a run's kept pictures, first to last, as an animated GIF that repeats.

    A few megabytes at most: 25 pictures of 400 pixels.

    Raises
    ------
    StylelibError
        If there is nothing to show yet, or the file can't be written.
    """
    if len(run.frames) < 2:
        raise StylelibError("There is no film yet. Press Paint first.")
    if path.suffix.lower() != ".gif":
        raise StylelibError(f"A film is a GIF: let {path.name!r} end in .gif.")
    pictures = [Image.open(io.BytesIO(frame.jpeg)).convert("RGB") for frame in run.frames]
    longest = max(pictures[-1].size)
    scale = min(1.0, _LONGEST / longest)
    size = (round(pictures[-1].width * scale), round(pictures[-1].height * scale))
    frames = [
        picture.resize(size, Image.Resampling.BICUBIC).quantize(128, dither=Image.Dither.NONE)
        for picture in pictures
    ]
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[_FRAME] * (len(frames) - 1) + [_LAST],
        loop=0,
    )
    write_whole(path, buffer.getvalue())
    return path
