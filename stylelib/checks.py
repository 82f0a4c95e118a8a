"""Checks of single arguments. Each raises a `StylelibError` that says what is wrong.

PyTorch takes a second to import: it is imported only where a tensor is looked at.
"""

import os
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from .errors import StylelibError, shown


def check_tensor(tensor: Any, what: str) -> None:
    """Refuse anything but a tensor of floating-point numbers with at least one element."""
    from torch import Tensor, strided

    if not isinstance(tensor, Tensor):
        raise StylelibError(f"{what} must be a tensor, not of type {type(tensor).__name__}.")
    if not tensor.is_floating_point():
        kind = str(tensor.dtype).removeprefix("torch.")
        raise StylelibError(
            f"{what} must be a tensor of float32 numbers, not of {kind}. "
            f"Make it one with .float(), and divide by 255 if it was a picture of 0-255."
        )
    if not tensor.numel():
        raise StylelibError(f"{what} is empty: a tensor of shape {tuple(tensor.shape)}.")
    if tensor.is_meta:
        raise StylelibError(
            f"{what} is on the device 'meta', which holds no numbers. Make it on the 'cpu'."
        )
    if tensor.layout != strided:
        kind = str(tensor.layout).removeprefix("torch.")
        raise StylelibError(
            f"{what} is a tensor of the layout {kind}. Make it an ordinary one with .to_dense()."
        )


def check_colors(image: Any, several: bool = False) -> None:
    """Refuse anything without the shape of one picture, or of several; values are not checked."""
    check_tensor(image, "A picture")
    if image.dim() != 4 or image.shape[1] != 3 or (image.shape[0] != 1 and not several):
        raise StylelibError(
            f"One picture is a tensor of shape (1, 3, height, width); this one has shape "
            f"{tuple(image.shape)}."
        )


def check_picture(image: Any, what: str, channels: int = 3) -> None:
    """Refuse anything but one picture of usable numbers."""
    from torch import Tensor

    made_by = "load_image" if channels == 3 else "load_mask"
    if not isinstance(image, Tensor):
        raise StylelibError(f"{what} is not a tensor but {type(image).__name__}; use {made_by}.")
    if image.dim() != 4 or image.shape[:2] != (1, channels):
        raise StylelibError(
            f"{what} is a tensor of shape {tuple(image.shape)}; it must be "
            f"(1, {channels}, height, width), as {made_by} makes it."
        )
    if min(image.shape[-2:]) < 2:
        raise StylelibError(
            f"{what} is {image.shape[-1]} x {image.shape[-2]} pixels: too small to hold anything."
        )
    check_tensor(image, what)
    if not image.isfinite().all():
        raise StylelibError(f"{what} holds values that are not numbers (NaN or infinite).")
    low, high = float(image.min()), float(image.max())
    if low < -0.5 or high > 1.5:
        raise StylelibError(
            f"{what} has values from {low:g} to {high:g}; they must be in 0-1. "
            f"Divide a picture of 0-255 by 255."
        )
    if 0 < high < 1.01 / 255:
        raise StylelibError(
            f"{what} is nearly black: its largest value is {high:g}, and white is 1. If it was "
            f"divided by 255 although {made_by} has done so, don't."
        )


def check_range(name: str, value: Any, low: float, high: float, kind: Any = Real) -> None:
    """Refuse anything but a number in a range, a whole one if `kind` is `Integral`."""
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        number = "a whole number" if kind is Integral else "a number"
        raise StylelibError(
            f"{name} is {shown(value)}; it must be {number} from {low:g} to {high:g}."
        )


def check_switch(name: str, value: Any) -> None:
    """Refuse anything but True and False."""
    if not isinstance(value, bool):
        raise StylelibError(f"{name} is {shown(value)}; it must be True or False.")


def check_kind(value: Any, kind: type, what: str) -> None:
    """Refuse anything but an instance of `kind`, one of our classes."""
    if not isinstance(value, kind):
        raise StylelibError(
            f"{what} must be a {kind.__name__}, not of type {type(value).__name__}."
        )


def as_path(path: Any) -> Path:
    """A file's name as a path."""
    if not isinstance(path, str | os.PathLike):
        raise StylelibError(f"A file name must be text or a path, not {shown(path)}.")
    return Path(path)


def check_precision(dtype: Any) -> None:
    """Refuse any dtype that the convolutions can't be computed in."""
    import torch

    known = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
    if not any(dtype is one for one in known):
        names = ", ".join(map(str, known))
        raise StylelibError(f"The precision is {shown(dtype)}; it must be one of {names}.")
