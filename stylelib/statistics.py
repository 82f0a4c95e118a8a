"""What of a painting's feature maps is its style: the Gram matrix, or something else.

A statistic forgets *where* things are and keeps *what* there is. Each takes the
feature maps of one layer and, optionally, how much each place counts, and gives
a tensor whose shape does not depend on the picture's size. `STATISTICS` has them
by name, for `Recipe.statistic`; add your own there.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from .losses import gram_matrix

Statistic = Callable[[Tensor, Tensor | None], Tensor]
"""From feature maps (B, C, H, W) and the places' shares (B or 1, 1, H, W) or None."""

_SLICES = 32  # directions to look from
_LEVELS = 256  # quantiles of what is seen from each
_BAND = 4096  # places at a time: few enough to stay in the processor's cache


def gram(maps: Tensor, share: Tensor | None = None) -> Tensor:
    """The `gram_matrix`, of a region if the places don't all count the same.

    Parameters
    ----------
    maps : Tensor, shape (B, C, H, W)
    share : Tensor, shape (1, 1, H, W), 0 or more, mean 1, optional
        How much each place counts; all the same by default.

    Returns
    -------
    Tensor, shape (B, C, C)

    Notes
    -----
    Gatys, Ecker, Bethge (2016); with shares Gatys et al. (2017), section 4: maps
    times the square root of the share, so that each product is counted by it.
    """
    return gram_matrix(maps if share is None else maps * share.sqrt())


def centered_gram(maps: Tensor, center: Tensor) -> Tensor:
    """``gram(maps - center)`` in half of the time, of maps of any precision.

    Parameters
    ----------
    maps : Tensor, shape (B, C, H, W)
    center : Tensor, shape (1, C, 1, 1)
        Fixed: no gradient goes there.

    Returns
    -------
    Tensor, shape (B, C, C), float32
    """
    return _CenteredGram.apply(maps, center)


class _CenteredGram(torch.autograd.Function):
    """No centred maps are ever made: what the center takes away is a sum of products with it."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, center: Tensor) -> Tensor:
        ctx.save_for_backward(maps, center)
        exact = torch.promote_types(maps.dtype, torch.float32)
        center = center.flatten(1)[:, None].to(exact)  # (1, 1, C)
        total, products = torch.zeros_like(center), torch.zeros_like(center.mT @ center)
        for band in _flat(maps).split(_BAND, 1):  # in the cache, in full precision: nowhere else
            band = band.to(exact)
            total = total + band.sum(1, keepdim=True)
            products = products + band.mT @ band
        places = maps[0, 0].numel()
        # (x - c)(x - c)ᵀ in the mean: of xxᵀ, less what c has to do with it.
        shared = center.mT @ (total / places - center / 2)
        return products / places - shared - shared.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        maps, center = ctx.saved_tensors
        flat = _flat(maps)
        if maps.dtype == torch.float16:  # it holds no small gradients
            flat = flat.float()
        # A product of the maps with themselves: both factors' gradients at once.
        both = (gradient + gradient.mT) / flat.shape[1]
        pulled = flat @ both.to(flat.dtype)
        pulled -= (center.flatten(1)[:, None].to(both) @ both).to(flat.dtype)
        batch, channels, height, width = maps.shape
        return pulled.view(batch, height, width, channels).permute(0, 3, 1, 2).to(maps.dtype), None


def _flat(maps: Tensor) -> Tensor:
    """(B, H·W, C), as the network lays them: nothing is copied."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)


def mean_std(maps: Tensor, share: Tensor | None = None) -> Tensor:
    """Mean and standard deviation of each feature map.

    Parameters
    ----------
    maps, share
        As for `gram`.

    Returns
    -------
    Tensor, shape (B, 2, C)
        The means, then the standard deviations.

    Notes
    -----
    Li, Wang, Liu, Hou, *Demystifying Neural Style Transfer* (2017), section 4.2;
    Huang, Belongie (2017) make a picture from these alone.
    """
    weights = torch.ones_like(maps[:1, :1]) if share is None else share
    mean = (maps * weights).mean((2, 3), keepdim=True)
    variance = ((maps - mean).square() * weights).mean((2, 3))
    # The square root of 0 has no slope: a map of one value needs the little more.
    return torch.stack([mean.flatten(1), (variance + 1e-8).sqrt()], 1)


def sliced(maps: Tensor, share: Tensor | None = None) -> Tensor:
    """The feature vectors of all places, seen from some directions and sorted.

    The mean squared difference of two such tensors is the sliced Wasserstein
    distance: how far the points of one cloud have to be moved to be the other's.

    Parameters
    ----------
    maps : Tensor, shape (B, C, H, W)
    share : Tensor, shape (1, 1, H, W), 0 or more, optional
        Only places with at least half of the largest share are taken.

    Returns
    -------
    Tensor, shape (B, directions, levels)
        From each direction, how high the points lie, low to high.

    Notes
    -----
    Heitz, Vanhoey, Chambon, Belcour, *A Sliced Wasserstein Loss for Neural
    Texture Synthesis* (2021), equations 5 and 6, with directions that stay the
    same and a fixed number of levels, so that the pictures' sizes may differ.
    """
    points = maps.flatten(2)  # (B, C, H*W): a column for each place
    if share is not None:
        points = points[..., (share >= share.max() / 2).flatten()]
    seen = _directions(maps.shape[1]).to(points) @ points
    return F.adaptive_avg_pool1d(seen.sort(-1).values, _LEVELS)


@lru_cache(maxsize=8)
def _directions(channels: int) -> Tensor:
    """Directions at right angles to each other, always the same ones."""
    generator = torch.Generator().manual_seed(channels)
    square = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    return torch.linalg.qr(square).Q[: min(channels, _SLICES)].float()


STATISTICS: dict[str, Statistic] = {"gram": gram, "mean_std": mean_std, "sliced": sliced}
"""Statistics by name."""
