"""3 x 3 convolutions with a quarter of the multiplications: Winograd's algorithm.

A plain convolution multiplies each pixel of a tile by all nine weights of the kernel. But a kernel
that slides over a tile is a product of two polynomials, and a polynomial is determined by its
values at a few points: there, one multiplication per point is enough. For output tiles of 4 x 4
pixels that is 36 instead of 144. Transforming to the points and back costs additions, which pay
off where many feature maps share them.

The maps are those of a plain convolution, apart from rounding. benchmarks/README.md
says how much time this saves.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.polynomial import polynomial
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# Points that come in pairs of inverses: a kernel turned by 180 degrees then has the same values in
# reverse order, so that the backward pass needs no weights of its own. Far less is lost to
# rounding than at 0, 1, -1, 2, -2.
_POINTS = (0.0, 2**0.5, -(2**0.5), -(2**-0.5), 2**-0.5)  # and infinity
TILE = len(_POINTS) - 1  # pixels a side that come out of a tile of TILE + 2
_BAND = 512  # tiles at a time: few enough to stay in the processor's cache
_FEWEST = 16  # tiles: for fewer, reading four times as many weights takes longer than it saves


class Winograd(nn.Module):
    """A 3 x 3 convolution with zero padding, and the ReLU after it; its weights are constants.

    Parameters
    ----------
    kernel : Tensor, shape (out, in, 3, 3)
    bias : Tensor, shape (out,)
        Both of the dtype of the maps that it will be given.

    Notes
    -----
    Lavin, Gray, *Fast Algorithms for Convolutional Neural Networks* (2016), section 4.1.
    """

    there: Tensor
    back: Tensor
    values: Tensor
    bias: Tensor

    def __init__(self, kernel: Tensor, bias: Tensor) -> None:
        super().__init__()
        # bfloat16 would lose too much in the transform to the points.
        exact = torch.promote_types(kernel.dtype, torch.float32)
        tile, weights, result = (matrix.to(kernel.device, exact) for matrix in matrices())
        # Rows and columns at once: all points in one dimension, (points, in, out).
        maps_in, maps_out = kernel.shape[1], kernel.shape[0]
        flat = kernel.to(exact).permute(2, 3, 1, 0).reshape(9, -1)
        values = (torch.kron(weights, weights) @ flat).view(-1, maps_in, maps_out)
        for name, tensor in {
            "there": torch.kron(tile, tile),
            "values": values,
            "back": torch.kron(result, result),
            "bias": bias,
        }.items():
            self.register_buffer(name, tensor.to(kernel))

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve maps (B, in, H, W) and apply the ReLU: (B, out, H, W)."""
        out: Tensor = _ConvolutionReLU.apply(maps, self)
        return out

    def backward(self, gradient: Tensor, out: Tensor | None) -> Tensor:
        """The gradient of the maps, first set to 0 where `out`, the result, is 0."""
        # The gradient of a convolution is a convolution with the kernel turned by 180 degrees.
        there, values, back = self.there.flip(0), self.values.mT, self.back.flip(1)
        return _convolve(_padded(gradient, out), there, values, back, gradient.shape[-2:])


def pays(kernel: Tensor) -> bool:
    """Whether a kernel has enough maps to share the additions (measured)."""
    return kernel[..., 0, 0].numel() >= (64 * 128 if kernel.dtype == torch.bfloat16 else 128 * 256)


def is_large(maps: Tensor) -> bool:
    """Whether maps have enough tiles to be worth the larger weights (measured)."""
    return maps.shape[-2] * maps.shape[-1] >= _FEWEST * TILE**2


class _ConvolutionReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, layer: Winograd) -> Tensor:
        out = _convolve(
            _padded(maps), layer.there, layer.values, layer.back, maps.shape[-2:], layer.bias
        )
        ctx.layer = layer
        ctx.save_for_backward(out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (out,) = ctx.saved_tensors
        return ctx.layer.backward(gradient, out), None


def _padded(maps: Tensor, seen: Tensor | None = None) -> Tensor:
    """The maps padded with zeros to whole tiles, channels last, and set to 0 where `seen` is 0."""
    batch, channels, height, width = maps.shape
    rows, columns = -(-height // TILE), -(-width // TILE)
    padded = maps.new_zeros(batch, rows * TILE + 2, columns * TILE + 2, channels)
    inside = padded[:, 1 : height + 1, 1 : width + 1].permute(0, 3, 1, 2)
    if seen is None:
        inside.copy_(maps)
    else:
        # Twenty times as fast as a product with `seen > 0`.
        torch.ops.aten.threshold_backward.grad_input(maps, seen, 0, grad_input=inside)
    return padded


def _convolve(
    padded: Tensor,
    there: Tensor,
    values: Tensor,
    back: Tensor,
    size: Sequence[int],
    bias: Tensor | None = None,
) -> Tensor:
    """Transform tiles to points, multiply, transform back; a band of tiles at a time."""
    side, out = TILE + 2, values.shape[-1]
    # Tiles overlap by two pixels: (B, rows, columns, channels, side, side), nothing copied yet.
    tiles = padded.unfold(1, side, TILE).unfold(2, side, TILE)
    batch, rows, columns, channels = tiles.shape[:4]
    made = padded.new_empty(batch, rows * TILE, columns * TILE, out)
    places = made.view(batch, rows, TILE, columns, TILE, out)
    step = max(1, _BAND // columns)
    for picture in range(batch):
        for row in range(0, rows, step):
            band, place = tiles[picture, row : row + step], places[picture, row : row + step]
            points = there @ band.permute(3, 4, 0, 1, 2).reshape(side * side, -1)
            product = points.view(side * side, -1, channels) @ values
            pixels = back @ product.view(side * side, -1)
            pixels = pixels.view(TILE, TILE, len(band), columns, out).permute(2, 0, 3, 1, 4)
            if bias is None:
                place.copy_(pixels)
            else:
                torch.add(pixels, bias, out=place).clamp_(min=0)
    return made[:, : size[0], : size[1]].permute(0, 3, 1, 2)


def matrices() -> tuple[Tensor, Tensor, Tensor]:
    """In one dimension: tile to points (B), kernel to points (G), points to result (A).

    The result is A ((B tile) * (G kernel)). Winograd's algorithm is the transpose of Toom's and
    Cook's algorithm for multiplying polynomials.
    """
    side, points = TILE + 2, np.array(_POINTS)
    tile, kernel, result = np.zeros((side, side)), np.zeros((side, 3)), np.zeros((TILE, side))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        scale = 1 / point if point else 1.0  # a turned kernel has the same values
        kernel[i] = scale * point ** np.arange(3)
        tile[i, :-1] = polynomial.polyfromroots(others) / np.prod(point - others) / scale
        result[:, i] = point ** np.arange(TILE)
    tile[-1] = polynomial.polyfromroots(points)
    kernel[-1, 2] = result[-1, -1] = 1  # the point at infinity
    return torch.from_numpy(tile), torch.from_numpy(kernel), torch.from_numpy(result)
