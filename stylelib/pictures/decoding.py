"""Find a picture, open it and decode it to 8-bit RGB. Files are not trusted.

A new kind of file is opened in `open_picture`; `to_rgb` handles every PIL image.
"""

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
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
# Bytes needed for each pixel, as measured: to make a tensor of the same size, or a smaller one.
_BYTES_WHOLE, _BYTES_SMALL = 25, 10


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
        return source.copy()  # it may be changed later on
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
    return picture


def to_rgb(picture: Image.Image, size: int | None) -> Image.Image:
    """Convert a picture to 8-bit sRGB, the right way up, with transparent parts white.

    Parameters
    ----------
    picture : PIL image
    size : int, optional
        The longest side that is wanted. A much larger picture is shrunk early, to about
        twice that, to save time and memory.
    """
    _check_pixels(picture, size)
    if size is not None and picture.format == "JPEG":
        picture.draft("RGB", (2 * size, 2 * size))  # decode no more pixels than needed
    ImageOps.exif_transpose(picture, in_place=True)
    picture = _common_mode(picture)
    if size is not None and max(picture.size) > 4 * size:
        picture.thumbnail((2 * size, 2 * size), Image.Resampling.BOX)
    if picture.mode in ("I", "F"):
        picture = _deep_grey(picture)
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
    each = _BYTES_WHOLE if size is None else _BYTES_SMALL
    if pixels * each > free_memory():
        raise MemoryError


def _common_mode(picture: Image.Image) -> Image.Image:
    """Convert to a mode that Pillow can resize: L, RGB, RGBA, CMYK, I or F."""
    bands = picture.getbands()
    if "A" in bands or "a" in bands or "transparency" in picture.info:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    if picture.mode.startswith("I;16"):
        return picture.convert("I")
    common = picture.mode in ("L", "RGB", "CMYK", "I", "F")
    return picture if common else picture.convert("RGB")


def _deep_grey(picture: Image.Image) -> Image.Image:
    """Convert 16-bit, 32-bit and float grey to 8 bits; Pillow's own conversion clips them."""
    values = np.array(picture, dtype=np.float32)
    np.nan_to_num(values, copy=False, posinf=0, neginf=0)
    top = 65535.0
    if picture.mode == "F":
        top = 1.0 if values.max(initial=0) <= 1 else 255.0
    np.clip(values, 0, top, out=values)
    values *= 255 / top
    return Image.fromarray(values.round(out=values).astype(np.uint8))


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
