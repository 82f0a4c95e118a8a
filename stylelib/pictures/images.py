"""A picture as a tensor: load it, resize it, save it.

`load_image` is the only way in, wherever the picture comes from. To load a new kind of file,
open it in `decoding.open_picture`, as a PIL image; all that follows stays the same. Kinds of
file that Pillow knows, or learns from an installed plugin, need nothing.
"""

import io
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor
from torch.nn import functional as F

from ..checks import check_colors, check_range, check_tensor
from ..errors import OUT_OF_MEMORY, StylelibError
from ..memory import free_memory
from .decoding import NEARLY_BLACK, Source, name_of, open_picture, reading, to_rgb
from .files import check_place, write_atomically

RECIPE_KEY = "stylelib"
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
ENDINGS = tuple(_FORMATS)
"""What the name of a picture can end in."""

# Characters of a recipe: a JPEG has 64 KB for its metadata, and Pillow reads this much of a PNG's.
_LONGEST_TEXT = {"PNG": PngImagePlugin.MAX_TEXT_MEMORY, "JPEG": 65_400}
_EXIF_DESCRIPTION = 0x010E  # ImageDescription
_EXIF_ORIENTATION = 0x0112
_LARGEST = 100_000  # pixels a side


def load_image(source: Source, size: int | None = None) -> Tensor:
    """Load a picture.

    Parameters
    ----------
    source : path, bytes, PIL image or name of a sample
        A file that Pillow can open, its contents, or for example ``"camel"``.
        It is rotated according to its EXIF orientation and converted to sRGB by its
        colour profile. Of an animation the first frame is taken; transparent parts
        become white.
    size : int, optional
        Longest side to resize to, in pixels, 1 to 100,000; the proportions are kept.

    Returns
    -------
    Tensor, shape (1, 3, H, W), float32, RGB in 0-1

    Raises
    ------
    StylelibError
        If there is no such file or sample, the picture is incomplete, it is to be
        resized and is only a pixel wide or high, or it is grey and nothing says which of
        its numbers is white.

    Notes
    -----
    Which number is white is not known for grey in signed or 32-bit integers or in floats. Then
    it is 1 if the largest number is at most 1.5; else 255 if it is at most 1.5 times that; else
    the largest number of as many bits as the largest one has. The same holds for 16-bit grey
    that would otherwise be nearly black, under 1/16 of white. What is above white becomes white,
    and what is negative black. Refused are numbers that go below minus half of white or only up
    to 16, and floats of which more are between 0 and 1 than above although the largest is over
    16: light as it was measured, for example.

    Examples
    --------
    >>> load_image("camel", size=64).shape
    torch.Size([1, 3, 36, 64])
    """
    return load_named(source, size, name_of(source))


def load_named(source: Source, size: int | None, name: str) -> Tensor:
    """Load a picture as `load_image` does; messages call it by this name."""
    if size is not None:
        check_range("size", size, 1, _LARGEST, Integral)
    with reading(name):
        picture = open_picture(source, name)
        width, height = picture.size
        if picture.getexif().get(_EXIF_ORIENTATION) in (5, 6, 7, 8):  # turned by 90 degrees
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
    """Load a mask: a picture that is white where something applies, and black where not.

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
        As `load_image` does, or if the mask is nearly black but not black.
    """
    mask = load_image(source, size).mean(1, keepdim=True)
    if 0 < mask.max() < 1 / NEARLY_BLACK:
        raise StylelibError(
            f"{name_of(source)} is nearly black: its brightest pixel is {255 * mask.max():.0f}, "
            f"and white is 255. If 1 means white in it, multiply its numbers by 255."
        )
    return mask


def resize(image: Tensor, size: int) -> Tensor:
    """Resize to a longest side of `size` pixels, with antialiasing; proportions are kept.

    Parameters
    ----------
    image : Tensor, shape (B, C, H, W), in 0-1
    size : int
        Longest side, in pixels, 1 to 100,000. The other side is at least one.

    Returns
    -------
    Tensor, shape (B, C, h, w), in 0-1

    Raises
    ------
    StylelibError
        If `size` is out of range, the image has another shape, or there is not enough
        memory.

    Examples
    --------
    >>> resize(torch.rand(1, 3, 30, 40), 20).shape
    torch.Size([1, 3, 15, 20])
    """
    check_range("size", size, 1, _LARGEST, Integral)
    check_tensor(image, "The picture to resize")
    if image.dim() != 4:
        raise StylelibError(
            f"resize takes pictures of shape (batch, channels, height, width); this one has "
            f"shape {tuple(image.shape)}."
        )
    return resize_to(image, fit(image.shape, size))


def fit(shape: Sequence[int], size: int) -> tuple[int, int]:
    """Height and width with the proportions of `shape` (…, H, W) and a longest side of `size`.

    Examples
    --------
    >>> fit((1, 3, 300, 400), 100)
    (75, 100)
    """
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
    # Bicubic interpolation is sharp but overshoots at edges: bring it back to 0-1.
    smooth = F.interpolate(exact, shape, mode="bicubic", antialias=True).clamp(0, 1)
    return smooth.to(image.dtype)


def to_pil(image: Tensor) -> Image.Image:
    """Convert a tensor to a PIL image.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        Values outside 0-1 are clipped.

    Returns
    -------
    PIL.Image.Image
        RGB, 8 bits a channel.

    Raises
    ------
    StylelibError
        If it has another shape, or a value is NaN or infinite.
    """
    check_colors(image)
    pixels = image.detach()[0].permute(1, 2, 0).float().cpu()
    if not pixels.isfinite().all():
        raise StylelibError("This picture holds values that are not numbers (NaN or infinite).")
    return Image.fromarray(pixels.clamp(0, 1).mul(255).round().to(torch.uint8).numpy())


def save_image(
    image: Tensor, path: str | os.PathLike[str], recipe: Mapping[str, Any] | None = None
) -> Path:
    """Save a picture as PNG or JPEG. A file is written completely or not at all.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    path : path
        Ends in ``.png``, ``.jpg`` or ``.jpeg``.
    recipe : mapping, optional
        How the picture was made, as plain values. It is kept in the file's metadata,
        where `read_recipe` finds it. If it is too long for the file, the picture is
        saved without it, with a warning: a JPEG takes 65,400 characters of JSON, a PNG
        67 million.

    Returns
    -------
    Path
        Where it was saved.

    Raises
    ------
    StylelibError
        If the path has another ending, the picture or the recipe can't be stored, or
        the file can't be written. A file that was there before is then unchanged.
    """
    path = check_place(path, ENDINGS)
    data, complete = _encoded(image, path.suffix.lower(), recipe)
    write_atomically(path, data)
    if not complete:  # only now: a warning may be made an error
        kind = _FORMATS[path.suffix.lower()]
        warnings.warn(
            f"The recipe is too long for a {kind} file: {path} was saved without it.", stacklevel=2
        )
    return path


def encode_image(image: Tensor, ending: str, recipe: Mapping[str, Any] | None = None) -> bytes:
    """The contents of the file that `save_image` would write, for example to send it elsewhere.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    ending : {".png", ".jpg", ".jpeg"}
    recipe : mapping, optional
        As for `save_image`; it is left out if it is too long.

    Raises
    ------
    StylelibError
        If the picture or the recipe can't be stored in such a file.
    """
    return _encoded(image, ending, recipe)[0]


def _encoded(image: Tensor, ending: str, recipe: Mapping[str, Any] | None) -> tuple[bytes, bool]:
    """A file's contents, and whether the recipe fitted into it."""
    picture = to_pil(image)
    text = _as_text(recipe)
    kind = _FORMATS[ending]
    too_long = text is not None and len(text) > _LONGEST_TEXT[kind]
    if too_long:
        text = None
    options: dict[str, Any]
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        if text is not None:
            info.add_itxt(RECIPE_KEY, text)
        options = {"pnginfo": info}
    else:
        exif = Image.Exif()
        if text is not None:
            exif[_EXIF_DESCRIPTION] = f"{RECIPE_KEY}: {text}"
        options = {"exif": exif, "quality": 95, "subsampling": 0}
    buffer = io.BytesIO()
    try:
        picture.save(buffer, kind, **options)
    except (OSError, ValueError) as error:  # a JPEG has at most 65,500 pixels a side
        raise StylelibError(
            f"This picture can't be stored in a {kind} file ({error}). Try .png."
        ) from error
    return buffer.getvalue(), not too_long


def _as_text(recipe: Mapping[str, Any] | None) -> str | None:
    if recipe is None:
        return None
    try:
        return json.dumps(dict(recipe), sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise StylelibError(
            f"A recipe holds plain values: text, numbers, lists, dicts ({error})."
        ) from error


def read_recipe(source: Source) -> dict[str, Any] | None:
    """How a saved picture was made, or None if the file doesn't say.

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
        picture.load()  # a PNG can also have text after the pixels
        text = picture.info.get(RECIPE_KEY)
        if text is None:
            description = str(picture.getexif().get(_EXIF_DESCRIPTION))
            if description.startswith(f"{RECIPE_KEY}: "):
                text = description.removeprefix(f"{RECIPE_KEY}: ")
    try:
        recipe = json.loads(str(text))
    except (ValueError, RecursionError):  # another program's, or damaged
        return None
    return recipe if isinstance(recipe, dict) else None
