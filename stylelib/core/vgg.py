"""VGG-19 as a feature extractor: a stack of convolutions and poolings, its weights frozen.

VGG-19 was trained to classify photos. Without its classifier, it turns a picture into
*feature maps*: one map for each channel of a layer, large where the feature that the
channel detects is present. Each pooling halves the maps, so that deeper layers see larger
parts of the picture: early layers detect edges and colours, late ones things.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .layers import LAYERS


@dataclass(frozen=True)
class Weights:
    """Trained parameters, and the normalisation that they expect.

    Attributes
    ----------
    kernels : dict of layer name to Tensor, shape (out, in, 3, 3)
    biases : dict of layer name to Tensor, shape (out,)
    mean, std : three floats, for red, green and blue
        The network is fed ``(image - mean) / std``, with the image in 0-1.
    """

    kernels: dict[str, Tensor]
    biases: dict[str, Tensor]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class VGG19(nn.Module):
    """The feature extractor of VGG-19. Its weights are frozen: only pictures get gradients.

    Parameters
    ----------
    weights : Weights
        Only the convolutions in `weights.kernels` are built.
    pooling : {"max", "average"}
        VGG was trained with max. Gatys et al. (2016), section 2, find that average
        pooling "yields slightly more appealing results".
    padding : {"zeros", "replicate"}
        What `conv1_1` sees beyond the picture's edge: zeros, as in training (a mid grey,
        after the mean is subtracted), or the edge pixels again. Later layers see zeros.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Weights, pooling: str = "max", padding: str = "zeros") -> None:
        super().__init__()
        self.pooling, self.padding = pooling, padding
        self.convolutions = nn.ModuleDict()
        for name, kernel in weights.kernels.items():
            padding_mode: Any = padding if name == "conv1_1" else "zeros"
            out_channels, in_channels = kernel.shape[:2]
            layer = nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode=padding_mode)
            layer.weight = nn.Parameter(kernel, requires_grad=False)
            layer.bias = nn.Parameter(weights.biases[name], requires_grad=False)
            self.convolutions[name] = layer
        for name, numbers in (("mean", weights.mean), ("std", weights.std)):
            per_channel = torch.tensor(numbers, dtype=torch.float32).view(1, 3, 1, 1)
            self.register_buffer(name, per_channel)
        self.eval()

    def forward(
        self, image: Tensor, layers: Iterable[str], before_relu: bool = False
    ) -> dict[str, Tensor]:
        """The feature maps of the given layers; deeper layers are not computed.

        Parameters
        ----------
        image : Tensor, shape (B, 3, H, W), RGB in 0-1
        layers : one or more names from `LAYERS`
        before_relu : bool
            Take the convolutions' maps before ReLU instead of after it.

        Returns
        -------
        dict of layer name to Tensor, shape (B, C, h, w)
            Each pooling before a layer halves h and w, rounding down.
        """
        requested = list(layers)
        deepest = max(requested, key=LAYERS.index)
        found: dict[str, Tensor] = {}
        maps = self.normalize(image)
        for name in LAYERS[: LAYERS.index(deepest) + 1]:
            if name.startswith("pool"):
                out = maps = self.pool(maps)
            else:
                out = self.convolve(name, maps, relu=not before_relu)
                maps = F.relu(out) if before_relu else out  # the next layer's input
            if name in requested:
                found[name] = out
        return {name: found[name] for name in requested}

    def normalize(self, image: Tensor) -> Tensor:
        """Normalise with the mean and standard deviation that belong to the weights."""
        return (image - self.mean) / self.std

    def convolve(self, name: str, maps: Tensor, relu: bool = True) -> Tensor:
        """One convolution and, unless told otherwise, the ReLU after it."""
        out: Tensor = self.convolutions[name](maps)
        return F.relu(out, inplace=True) if relu else out

    def pool(self, maps: Tensor) -> Tensor:
        """Max or average pooling over 2 x 2 positions: half the height and half the width."""
        return F.max_pool2d(maps, 2) if self.pooling == "max" else F.avg_pool2d(maps, 2)

    @property
    def last(self) -> str:
        """The deepest layer: the last convolution that was built, or the pooling after it."""
        following = LAYERS.index(list(self.convolutions)[-1]) + 1
        pooled = following < len(LAYERS) and LAYERS[following].startswith("pool")
        return LAYERS[following if pooled else following - 1]
