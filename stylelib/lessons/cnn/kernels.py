"""Convolution with a 3 x 3 kernel of your own, or one of those that every photo editor has."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import StylelibError

KERNELS = {
    "identity": [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
    "blur": [[1 / 9] * 3] * 3,
    "sharpen": [[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]],
    "edge": [[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]],
    "vertical edge": [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]],
    "horizontal edge": [[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]],
    "emboss": [[-2.0, -1.0, 0.0], [-1.0, 1.0, 1.0], [0.0, 1.0, 2.0]],
}
"""Well-known kernels by name, rows from top to bottom. The vertical and the horizontal edge
are the Sobel operators."""


def grey(image: Tensor) -> Tensor:
    """The brightness of each pixel: one number instead of three.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1

    Returns
    -------
    Tensor, shape (H, W), in 0-1
        Luma as in Rec. ITU-R BT.601: green counts most, as it does to the eye.
    """
    red, green, blue = image[0].unbind()
    return 0.299 * red + 0.587 * green + 0.114 * blue


def convolve(brightness: Tensor, kernel: Tensor) -> Tensor:
    """Slide a kernel over a map: at each position, multiply element by element and add up.

    As in all deep learning libraries, the kernel is not flipped: mathematicians call this
    a cross-correlation.

    Parameters
    ----------
    brightness : Tensor, shape (H, W)
    kernel : Tensor or nested list, shape (3, 3)

    Returns
    -------
    Tensor, shape (H, W)
        The border pixels are repeated outwards, so the size stays the same.

    Raises
    ------
    StylelibError
        If the kernel is not 3 x 3.
    """
    kernel = torch.as_tensor(kernel, dtype=brightness.dtype)
    if kernel.shape != (3, 3):
        raise StylelibError(
            f"A kernel here is 3 x 3, nine numbers; this one has shape {tuple(kernel.shape)}."
        )
    padded = F.pad(brightness[None, None], (1, 1, 1, 1), mode="replicate")
    return F.conv2d(padded, kernel[None, None])[0, 0]
