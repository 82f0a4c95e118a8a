"""A convolution with nine numbers of your own: the kernels that every photo editor has."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import StylelibError

KERNELS = {
    "identity": [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
    "blur": [[1 / 9] * 3] * 3,
    "sharpen": [[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]],
    "edge": [[-1.0, -1.0, -1.0], [-1.0, 8.0, -1.0], [-1.0, -1.0, -1.0]],
    "upright edge": [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]],
    "level edge": [[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]],
    "emboss": [[-2.0, -1.0, 0.0], [-1.0, 1.0, 1.0], [0.0, 1.0, 2.0]],
}
"""Kernels with a name, rows from top to bottom."""


def grey(image: Tensor) -> Tensor:
    """The brightness of each pixel: one number instead of three.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1

    Returns
    -------
    Tensor, shape (H, W), in 0-1
        Weighted as the eye does, by Rec. ITU-R BT.601: green counts most.
    """
    red, green, blue = image[0]
    return 0.299 * red + 0.587 * green + 0.114 * blue


def convolve(brightness: Tensor, kernel: Tensor) -> Tensor:
    """Move a kernel over a map: at each place, multiply number by number and add up.

    Like every deep learning library it does not flip the kernel, as mathematicians do.

    Parameters
    ----------
    brightness : Tensor, shape (H, W)
    kernel : Tensor or nested list, shape (3, 3)

    Returns
    -------
    Tensor, shape (H, W)
        Beyond the edge the border pixel is repeated, so that the size stays.

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
