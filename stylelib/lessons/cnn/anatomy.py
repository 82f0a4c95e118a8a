"""The anatomy of VGG-19: map sizes, number of weights, receptive fields."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ...core.layers import CONVOLUTIONS, LAYERS
from ...core.vgg import VGG19
from ...engine.network import features
from ...errors import StylelibError, pick

CLASSIFIER = {"fc6": (512 * 7 * 7, 4096), "fc7": (4096, 4096), "fc8": (4096, 1000)}
"""The fully connected layers that stylelib leaves out: how many values go in and come out.

From table 1 of Simonyan and Zisserman (2014), for pictures of 224 x 224; the names are
those in the authors' own files.
"""


@dataclass(frozen=True)
class ReceptiveField:
    """The square of pixels that one value of a feature map can depend on."""

    size: int  # height and width, in pixels
    stride: int  # from the square of one value to that of the next, in pixels
    start: int  # top and left edge of the first value's square; negative if outside the picture

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right of one value's square; bottom and right are exclusive."""
        top, left = (self.start + self.stride * index for index in (row, column))
        return top, left, top + self.size, left + self.size


def receptive_field(layer: str) -> ReceptiveField:
    """How far one value of a layer can see.

    Raises
    ------
    StylelibError
        If there is no such layer.

    Examples
    --------
    >>> receptive_field("conv3_1")
    ReceptiveField(size=24, stride=4, start=-10)
    """
    size, stride, start = 1, 1, 0
    for name in LAYERS[: LAYERS.index(pick(layer, LAYERS, "layer")) + 1]:
        if name.startswith("pool"):
            size, stride = size + stride, stride * 2
        else:
            size, start = size + 2 * stride, start - stride
    return ReceptiveField(size, stride, start)


def map_shape(layer: str, height: int, width: int) -> tuple[int, int, int]:
    """Channels, height and width of a layer's maps, for a picture of `height` x `width` pixels."""
    channels = 3
    for name in LAYERS[: LAYERS.index(pick(layer, LAYERS, "layer")) + 1]:
        if name.startswith("pool"):
            height, width = height // 2, width // 2
        else:
            channels = CONVOLUTIONS[name][1]
    return channels, height, width


def count_parameters() -> dict[str, int]:
    """The number of weights and biases in each layer, classifier included."""
    counts = {name: 9 * into * out + out for name, (into, out) in CONVOLUTIONS.items()}
    return counts | {name: into * out + out for name, (into, out) in CLASSIFIER.items()}


def cut(image: Tensor, box: tuple[int, int, int, int], beyond: float = 0.5) -> Tensor:
    """Crop a box (top, left, bottom, right); outside the picture, fill with `beyond`."""
    top, left, bottom, right = box
    height, width = image.shape[-2:]
    margins = (-left, right - width, -top, bottom - height)  # a negative margin crops
    return F.pad(image, margins, value=beyond)


def index_at(fraction: float, count: int) -> int:
    """Which of `count` rows or columns is at a fraction, 0-1, of the height or width."""
    if not 0 <= fraction <= 1:
        raise StylelibError(
            f"A position runs from 0 (left or top) to 1 (right or bottom); {fraction} is outside."
        )
    return min(int(fraction * count), count - 1)


def influence(
    image: Tensor, layer: str, row: int, column: int, network: VGG19 | None = None
) -> Tensor:
    """How strongly each pixel of a picture (1, 3, H, W) affects a layer's values at one position.

    The result, shape (H, W), is the norm, over the three colours, of the gradient of the sum
    of all channels at that position. It is 0 outside the receptive field; where it is large
    is what Luo et al. (2016) call the effective receptive field.
    """
    pixels = image.detach().clone().requires_grad_()
    maps = features(pixels, layer, network)[layer]
    (gradient,) = torch.autograd.grad(maps[0, :, row, column].sum(), pixels)
    return gradient[0].square().sum(dim=0).sqrt()
