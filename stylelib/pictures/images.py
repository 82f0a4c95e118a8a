"""A picture as a tensor: load it, resize it, save it."""

import io
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from numbers import Integral
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Any

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor
from torch.nn import functional as F

from ..checks import as_path, check_colors, check_tensor
from ..errors import OUT_OF_MEMORY, StylelibError, shown
from ..memory import free_memory
from .decoding import Source, name_of, open_picture, reading, to_rgb

RECIPE_KEY = "stylelib"
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_EXIF_DESCRIPTION = 0x010E  # ImageDescription
_EXIF_ORIENTATION = 0x0112
_LARGEST = 100_000  # pixels a side


def load_image(source: Source, size: int | None = None) -> Tensor:
    """Load a picture.

    Parameters
    ----------
    source : path, bytes, PIL image or name of a sample
        A file that Pillow can open, its contents, or for example ``"camel"``.
        Turned upright as its EXIF says, and to sRGB as its colour profile says;
        the first frame if there are several; transparent parts lie on white.
    size : int, optional
        Longest side to resize to, in pixels; the shape is kept.

    Returns
    -------
    Tensor, shape (1, 3, H, W), float32, RGB in 0-1

    Raises
    ------
    StylelibError
        If there is no such file or sample, or it is not a whole picture, or only
        a pixel wide or high and to be resized.
    """
    if size is not None:
        _check_size(size)
    name = name_of(source)
    with reading(name):
        picture = open_picture(source, name)
        width, height = picture.size
        if picture.getexif().get(_EXIF_ORIENTATION) in (5, 6, 7, 8):  # lies on its side
            width, height = height, width
        rgb = to_rgb(picture, size)
        if min(rgb.size) < (1 if size is None else 2):
            raise StylelibError(
                f"{name} is {rgb.width} x {rgb.height} pixels: too small to hold anything."
            )
        pixels = torch.from_numpy(np.array(rgb)).permute(2, 0, 1).unsqueeze(0)
        image = pixels.contiguous().float().div_(255)
        return image if size is None else resize_to(image, fit((height, width), size))


def load_mask(source: Source, size: int | None = None) -> Tensor:
    """Load a mask: a picture that says where, white for here and black for not.

    Parameters
    ----------
    source, size
        As for `load_image`.

    Returns
    -------
    Tensor, shape (1, 1, H, W), float32, in 0-1
        The mean of red, green and blue.

    Raises
    ------
    StylelibError
        As `load_image` does.
    """
    return load_image(source, size).mean(1, keepdim=True)


def resize(image: Tensor, size: int) -> Tensor:
    """Resize to a longest side of `size` pixels, keeping the shape, with antialiasing.

    Parameters
    ----------
    image : Tensor, shape (B, C, H, W), in 0-1
    size : int
        Longest side, in pixels. The other side is at least one.

    Returns
    -------
    Tensor, shape (B, C, h, w), in 0-1

    Raises
    ------
    StylelibError
        If `size` is not a whole number of 1 or more, it is no such picture, or
        there is not enough memory.
    """
    _check_size(size)
    check_tensor(image, "The picture to resize")
    if image.dim() != 4:
        raise StylelibError(
            f"resize takes pictures of shape (batch, channels, height, width); this one has "
            f"shape {tuple(image.shape)}."
        )
    return resize_to(image, fit(image.shape, size))


def _check_size(size: Any) -> None:
    if isinstance(size, bool) or not isinstance(size, Integral) or not 1 <= int(size) <= _LARGEST:
        raise StylelibError(
            f"A picture can't be {shown(size)} pixels large. Use a whole number, 64 or more."
        )


def fit(shape: Sequence[int], size: int) -> tuple[int, int]:
    """Height and width, of the same proportions as `shape` (…, H, W), to a longest side."""
    height, width = shape[-2:]
    scale = size / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize_to(image: Tensor, shape: tuple[int, int]) -> Tensor:
    """Resize to exactly `shape`, (height, width) in pixels; see `resize`."""
    if image.shape[-2:] == shape:
        return image
    channels = image.shape[0] * image.shape[1]
    if 4 * channels * shape[0] * shape[1] > free_memory():
        raise StylelibError(OUT_OF_MEMORY)
    # In float32, since half precision can't be resized on every computer.
    exact = image if image.dtype == torch.float64 else image.float()
    # Bicubic is sharp but overshoots at edges: bring it back to 0-1.
    smooth = F.interpolate(exact, shape, mode="bicubic", antialias=True).clamp(0, 1)
    return smooth.to(image.dtype)


def to_pil(image: Tensor) -> Image.Image:
    """Make a PIL picture of a tensor.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        Values outside 0-1 are clipped.

    Raises
    ------
    StylelibError
        If the shape is another, or a value is not a number.
    """
    check_colors(image)
    pixels = image.detach()[0].permute(1, 2, 0).float().cpu()
    if not pixels.isfinite().all():
        raise StylelibError("This picture holds values that are not numbers (NaN or infinite).")
    return Image.fromarray(pixels.clamp(0, 1).mul(255).round().to(torch.uint8).numpy())


def save_image(
    image: Tensor, path: str | os.PathLike[str], recipe: Mapping[str, Any] | None = None
) -> Path:
    """Save a picture as PNG or JPEG, whole or not at all.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    path : path
        Ends in ``.png``, ``.jpg`` or ``.jpeg``.
    recipe : mapping, optional
        How the picture was made, of plain values; kept in the file's metadata,
        where `read_recipe` finds it.

    Returns
    -------
    Path
        Where it is.

    Raises
    ------
    StylelibError
        If the ending is another, the picture or the recipe is of no kind that
        can be stored, or the file can't be written. A file that was there before
        is then unchanged.
    """
    path = check_output(path)
    picture = to_pil(image)
    text = _as_text(recipe)
    buffer = io.BytesIO()
    options: dict[str, Any] = {}
    if _FORMATS[path.suffix.lower()] == "PNG":
        info = PngImagePlugin.PngInfo()
        if text is not None:
            info.add_itxt(RECIPE_KEY, text)
        options = {"format": "PNG", "pnginfo": info}
    else:
        exif = Image.Exif()
        if text is not None:
            exif[_EXIF_DESCRIPTION] = f"{RECIPE_KEY}: {text}"
        options = {"format": "JPEG", "exif": exif, "quality": 95, "subsampling": 0}
    try:
        picture.save(buffer, **options)
    except (OSError, ValueError) as error:  # JPEG: 65,500 pixels, and 64 KB of recipe, at most
        raise StylelibError(
            f"This picture does not go into a {options['format']} file ({error}). Try .png."
        ) from error
    write_whole(path, buffer.getvalue())
    return path


def _as_text(recipe: Mapping[str, Any] | None) -> str | None:
    if recipe is None:
        return None
    try:
        return json.dumps(dict(recipe), sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise StylelibError(
            f"A recipe holds plain values: text, numbers, lists, dicts ({error})."
        ) from error


def check_output(path: str | os.PathLike[str]) -> Path:
    """Make sure, before the work starts, that a picture can be saved there.

    Raises
    ------
    StylelibError
        If the ending is not of PNG or JPEG, or the folder is missing or closed.
    """
    path = as_path(path)
    if "\0" not in str(path) and path.suffix.lower() not in _FORMATS:
        raise StylelibError(f"{path.name!r} has no ending that says PNG or JPEG: add .png or .jpg.")
    return check_place(path, "camel.png")


def check_place(path: Path, example: str) -> Path:
    """Make sure that a file, for example of that name, can be saved there.

    Raises
    ------
    StylelibError
        If it is no file's name, or the folder is missing or closed.
    """
    if "\0" in str(path):
        raise StylelibError(f"{str(path)!r} is no name for a file. Use letters and digits.")
    try:
        if path.is_dir():
            raise StylelibError(f"{path} is a folder. Name a file in it, for example {example}.")
    except OSError as error:
        raise StylelibError(f"{path.name} is no name for a file ({error.strerror}).") from error
    if not path.parent.is_dir():
        raise StylelibError(f"There is no folder {path.parent}. Make it first, or choose another.")
    try:  # permissions alone don't tell: the disk may be read-only, or the system Windows
        TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise StylelibError(
            f"The folder {path.parent} can't be written to ({error.strerror}). Choose another."
        ) from error
    return path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: what was there stays until the new one is complete."""
    temporary = None
    try:
        # In the same folder: only there is the last move one indivisible step.
        with NamedTemporaryFile(dir=path.parent, prefix=".stylelib-", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):  # a temporary file is private; a picture is not
            temporary.chmod(0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise StylelibError(
            f"{path} could not be written ({error.strerror}). Choose another place."
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def read_recipe(source: Source) -> dict[str, Any] | None:
    """How a saved picture was made, or None if it doesn't say.

    Parameters
    ----------
    source : path, bytes or PIL image
        A PNG or JPEG from `save_image`.

    Raises
    ------
    StylelibError
        If it is not a picture.
    """
    name = name_of(source)
    with reading(name):
        picture = open_picture(source, name)
        picture.load()  # PNG keeps text after the pixels, too
        text = picture.info.get(RECIPE_KEY)
        if text is None:
            description = str(picture.getexif().get(_EXIF_DESCRIPTION))
            if description.startswith(f"{RECIPE_KEY}: "):
                text = description.removeprefix(f"{RECIPE_KEY}: ")
    try:
        recipe = json.loads(str(text))
    except (ValueError, RecursionError):  # some other program's, or spoilt
        return None
    return recipe if isinstance(recipe, dict) else None
