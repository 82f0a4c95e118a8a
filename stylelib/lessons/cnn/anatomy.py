"""What VGG-19 is made of: shapes, numbers, and how far each layer sees."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ...core.vgg import CONVOLUTIONS, LAYERS, VGG19
from ...engine.network import features
from ...errors import StylelibError, pick

CLASSIFIER = {"fc6": (512 * 7 * 7, 4096), "fc7": (4096, 4096), "fc8": (4096, 1000)}
"""The fully connected layers that are gone, numbers in and out: Simonyan and Zisserman
(2014), table 1, for pictures of 224 x 224. Named as in the authors' own files."""


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels that one number of a layer can depend on.

    Attributes
    ----------
    size : int
        Height and width of the square, in pixels.
    stride : int
        Pixels from one number's square to its neighbour's.
    start : int
        Where the square of the first number begins; below 0 is outside the picture.
    """

    size: int
    stride: int
    start: int

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Top, left, bottom, right of one number's square; the last two just outside it."""
        top, left = (self.start + self.stride * place for place in (row, column))
        return top, left, top + self.size, left + self.size


def receptive_field(layer: str) -> ReceptiveField:
    """How far one number of a layer can see.

    Raises
    ------
    StylelibError
        If there is no such layer.
    """
    size, stride, start = 1, 1, 0
    for name in LAYERS[: LAYERS.index(pick(layer, LAYERS, "layer")) + 1]:
        if name.startswith("pool"):
            size, stride = size + stride, stride * 2
        else:
            size, start = size + 2 * stride, start - stride
    return ReceptiveField(size, stride, start)


def map_shape(layer: str, height: int, width: int) -> tuple[int, int, int]:
    """Channels, height and width of a layer's maps, for a picture of `height` x `width`."""
    channels = 3
    for name in LAYERS[: LAYERS.index(pick(layer, LAYERS, "layer")) + 1]:
        if name.startswith("pool"):
            height, width = height // 2, width // 2
        else:
            channels = CONVOLUTIONS[name][1]
    return channels, height, width


def count_parameters() -> dict[str, int]:
    """How many numbers were learned, by layer: kernels and biases, the classifier too."""
    counts = {name: 9 * into * out + out for name, (into, out) in CONVOLUTIONS.items()}
    return counts | {name: into * out + out for name, (into, out) in CLASSIFIER.items()}


def cut(image: Tensor, box: tuple[int, int, int, int], beyond: float = 0.5) -> Tensor:
    """Cut a box (top, left, bottom, right) out of a picture, filled up beyond its edge."""
    top, left, bottom, right = box
    height, width = image.shape[-2:]
    margins = (-left, right - width, -top, bottom - height)  # below 0: cut off
    return F.pad(image, margins, value=beyond)


def place(part: float, count: int) -> int:
    """Which of `count` rows or columns lies at a part, 0-1, of the whole.

    Raises
    ------
    StylelibError
        If `part` is not in 0-1.
    """
    if not 0 <= part <= 1:
        raise StylelibError(
            f"A place goes from 0 (left or top) to 1 (right or bottom), not {part}."
        )
    return min(int(part * count), count - 1)


def influence(
    image: Tensor, layer: str, row: int, column: int, network: VGG19 | None = None
) -> Tensor:
    """How much each pixel moves the numbers of a layer at one place.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    layer : str
    row, column : int
        The place in the layer's maps.
    network : VGG19, optional

    Returns
    -------
    Tensor, shape (H, W), 0 and up
        The length, over the colours, of the gradient of the sum of all the
        layer's channels there. Its extent is the receptive field; Luo et al.
        (2016) call where it is large the effective receptive field.
    """
    pixels = image.detach().clone().requires_grad_()
    maps = features(pixels, layer, network)[layer]
    (gradient,) = torch.autograd.grad(maps[0, :, row, column].sum(), pixels)
    return gradient[0].norm(dim=0)
