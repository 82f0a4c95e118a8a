"""Find a picture, open it and decode it to 8-bit RGB. Files are not trusted.

A new kind of file is opened in `open_picture`; `to_rgb` handles every PIL image.
"""

import io
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from ..errors import StylelibError, is_out_of_memory
from ..memory import free_memory
from .files import cannot_read
from .samples import SAMPLES, sample

Source = str | os.PathLike[str] | bytes | Image.Image
"""What `load_image` takes."""

# For these, Pillow starts another program (Ghostscript for EPS, and for an EPS inside IPTC;
# Windows' own for WMF), or it recognises them but can't decode them.
REFUSED = {"EPS", "IPTC", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}
_MAX_PIXELS = 178_000_000  # 530 MB; Pillow refuses larger files, too
_MAX_SLOW_PIXELS = 16_000_000  # for decoders written in Python: seconds, not minutes
# Bytes needed for each pixel, as measured: to make a tensor of the same size, or a smaller one, and
# to convert deep grey, which is done before it is shrunk.
_BYTES_WHOLE, _BYTES_SMALL, _BYTES_DEEP = 27, 10, 14
_OVERSHOOT = 1.5  # times white: brighter than that is no mere overshoot of sharpening or resizing
NEARLY_BLACK = 16
"""All of a nearly black picture is darker than white divided by this."""

_BITS_PER_SAMPLE, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # tags of a TIFF, and a value
# Where `info`, which copies of a picture keep, holds what `_stated_range` found. A file's own
# entries have names that are text.
_RANGE = (_BITS_PER_SAMPLE, _PHOTOMETRIC)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Explain in a sentence what goes wrong while a picture is opened and decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about odd metadata: of no use to a student
            yield
    except StylelibError:
        raise
    except Image.DecompressionBombError as error:
        raise StylelibError(
            f"{name} has too many pixels to open safely. Make it smaller in an image editor first."
        ) from error
    except UnidentifiedImageError as error:
        raise StylelibError(
            f"{name} is not a picture, or it is of a kind that can't be read here. "
            f"Save it as JPEG or PNG and try again."
        ) from error
    except Exception as error:  # Pillow's decoders raise anything for a broken file
        if is_out_of_memory(error):
            raise StylelibError(
                f"{name} does not fit in memory. Close other programs, or make it smaller first."
            ) from error
        if isinstance(error, OSError) and error.errno:  # the system's, not Pillow's
            raise cannot_read(name, error) from error
        raise StylelibError(
            f"{name} could not be read ({error}). It may be damaged: open it in an image "
            f"viewer, and save or download it again."
        ) from error


def name_of(source: Source) -> str:
    """What a message calls the picture."""
    if isinstance(source, bytes):
        return "The given data"
    if isinstance(source, Image.Image):
        return "The given picture"
    return str(source)


def open_picture(source: Source, name: str) -> Image.Image:
    """Find a picture and open it, inside `reading`; its pixels may be decoded later."""
    if isinstance(source, Image.Image):
        if source.format in REFUSED:
            raise UnidentifiedImageError
        copied = source.copy()  # it may be changed later on
        copied.info[_RANGE] = _stated_range(source)
        return copied
    if isinstance(source, bytes):
        if not source:
            raise StylelibError("The given data is empty.")
        return _identify(io.BytesIO(source), source[:12], name)
    if not isinstance(source, str | os.PathLike):
        raise StylelibError(
            f"A picture is loaded from a path, bytes, a PIL image or a sample's name, "
            f"not from {type(source).__name__}."
        )
    if isinstance(source, str) and source in SAMPLES:
        return Image.open(sample(source).path)
    path = Path(source)
    if "://" in str(source):
        raise StylelibError(f"{name} is a web address. Download the picture, and give its path.")
    if path.is_dir():
        raise StylelibError(f"{name} is a folder. Give a picture in it.")
    if not path.exists():
        if path.suffix or len(path.parts) > 1:
            raise StylelibError(f"There is no file {name}. Check the name and the folder.")
        if str(source) not in SAMPLES:
            sample(str(source))  # raises, and names the most similar sample
        raise StylelibError(f"There is no file {name}. To get the sample, give its name as text.")
    if not path.is_file():
        raise StylelibError(f"{name} is not an ordinary file.")
    with path.open("rb") as file:
        start = file.read(12)
    return _identify(path, start, name)


def _identify(file: Path | io.BytesIO, start: bytes, name: str) -> Image.Image:
    try:
        picture = Image.open(file)
    except UnidentifiedImageError:
        if start[4:8] != b"ftyp":
            raise
        raise StylelibError(
            f"{name} is a HEIC photo, as phones take them, or a video. Export it as JPEG with the "
            f"photo app of the phone or computer, and try again."
        ) from None
    if picture.format in REFUSED:
        raise UnidentifiedImageError
    picture.info[_RANGE] = _stated_range(picture)
    return picture


def _stated_range(picture: Image.Image) -> tuple[float, bool]:
    """Which number is white, 0 if that is not known, and whether white and black are swapped."""
    tags = getattr(picture, "tag_v2", {})
    # Pillow swaps those of 1 and 8 bits itself.
    swapped = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and _is_deep(picture)
    if picture.mode.startswith("I;16"):
        return 2.0 ** tags.get(_BITS_PER_SAMPLE, (16,))[0] - 1, swapped
    if picture.mode == "I" and picture.format in ("PNG", "PPM"):
        return 65535.0, swapped
    return 0.0, swapped


def _is_deep(picture: Image.Image) -> bool:
    """Whether it is grey with more than 8 bits a pixel."""
    return picture.mode in ("I", "F") or picture.mode.startswith("I;16")


def to_rgb(picture: Image.Image, size: int | None) -> Image.Image:
    """Convert a picture to 8-bit sRGB, the right way up, with transparent parts white.

    Parameters
    ----------
    picture : PIL image
        From `open_picture`.
    size : int, optional
        The longest side that is wanted. A much larger picture is shrunk early, to about
        twice that, to save time and memory.
    """
    _check_pixels(picture, size)
    if size is not None and picture.format == "JPEG":
        picture.draft("RGB", (2 * size, 2 * size))  # decode no more pixels than needed
    ImageOps.exif_transpose(picture, in_place=True)
    picture = _deep_grey(picture) if _is_deep(picture) else _common_mode(picture)
    if size is not None and max(picture.size) > 4 * size:
        picture.thumbnail((2 * size, 2 * size), Image.Resampling.BOX)
    picture = _to_srgb(picture)
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def _check_pixels(picture: Image.Image, size: int | None) -> None:
    """Refuse, before decoding, a picture that would take minutes or all memory."""
    pixels = picture.width * picture.height
    slow = any(tile[0] in Image.DECODERS for tile in getattr(picture, "tile", ()))
    if pixels > (_MAX_SLOW_PIXELS if slow else _MAX_PIXELS):
        raise Image.DecompressionBombError
    small = _BYTES_DEEP if _is_deep(picture) else _BYTES_SMALL
    each = _BYTES_WHOLE if size is None else small
    if pixels * each > free_memory():
        raise MemoryError


def _common_mode(picture: Image.Image) -> Image.Image:
    """Convert to a mode that Pillow can resize: L, RGB, RGBA or CMYK."""
    if picture.has_transparency_data:
        see_through = picture.info.get("transparency")
        if picture.mode == "RGB" and isinstance(see_through, tuple) and max(see_through) > 255:
            # A PNG's colour of 16 bits a channel, of which Pillow keeps 8 in the pixels.
            picture.info["transparency"] = tuple(value >> 8 for value in see_through)
        if picture.mode == "La":
            picture = picture.convert("LA")  # Pillow can't convert it to RGBA at once
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    return picture if picture.mode in ("L", "RGB", "CMYK") else picture.convert("RGB")


def _deep_grey(picture: Image.Image) -> Image.Image:
    """Convert 16-bit, 32-bit and float grey to 8 bits; Pillow's own conversion clips them."""
    white, swapped = picture.info.get(_RANGE, (0.0, False))
    values = np.array(picture, dtype=np.float32)
    see_through = picture.info.get("transparency")
    hidden = values == see_through if isinstance(see_through, int) else None
    if not np.isfinite(values).any():
        raise StylelibError("This picture holds no numbers: all are NaN or infinite.")
    np.nan_to_num(values, copy=False, posinf=0, neginf=0)
    white = _white(values, white)
    np.clip(values, 0, white, out=values)
    values *= 255 / white
    grey = values.round(out=values).astype(np.uint8)
    if swapped:
        np.subtract(255, grey, out=grey)
    if hidden is not None:
        grey[hidden] = 255
    converted = Image.fromarray(grey)
    converted.info["icc_profile"] = picture.info.get("icc_profile")
    return converted


def _white(values: NDArray[np.float32], stated: float) -> float:
    """The number that is white; `stated` is what the file says, 0 if it doesn't.

    As stated, if the picture is not nearly black then. If nothing is stated, or it is: 1 if no
    number is much larger, else 255 if none is much larger than that, else the largest number of as
    many bits as there are. Everything above is clipped.
    """
    low, high = float(values.min()), float(values.max())
    if stated and high * NEARLY_BLACK > stated:
        return stated
    white = 1.0
    if high > _OVERSHOOT:
        white = 255.0 if high <= _OVERSHOOT * 255 else 2.0 ** math.ceil(math.log2(high)) - 1
        # Neither 0-1 nor 0-255, but light as it was measured, for example.
        fractions = np.count_nonzero(values > 0) > 2 * np.count_nonzero(values >= 1)
        if high * NEARLY_BLACK < 255 or fractions or white > 2**32:
            white = stated
    if not white or low < (1 - _OVERSHOOT) * white:
        raise StylelibError(
            f"The numbers of this picture go from {low:g} to {high:g}, and nothing says which of "
            f"them is white. Change them to 0-1 or to 0-255 first."
        )
    return white


def _to_srgb(picture: Image.Image) -> Image.Image:
    """Convert to sRGB, which screens and networks expect, by the colour profile in the file.

    Without it a phone's Display P3, a camera's Adobe RGB or a printer's inks look wrong.
    A profile that is broken, or that doesn't fit the picture's mode, is ignored.
    """
    profile = picture.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        with suppress(ImageCms.PyCMSError, OSError):
            converted = ImageCms.profileToProfile(
                picture,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGBA" if picture.mode == "RGBA" else "RGB",
            )
            return converted or picture
    return picture
