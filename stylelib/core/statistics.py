"""Statistics of style: what is kept of a painting's feature maps, and what is forgotten.

At each position of a layer there is a vector, one number from each feature map. A statistic
discards *where* these vectors occur and describes their distribution. It takes the maps of
one layer and, optionally, how much each position counts; its shape does not depend on the
picture's size. To add your own, register it in `STATISTICS`.
"""

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from .losses import gram_matrix

Statistic = Callable[[Tensor, Tensor | None], Tensor]
"""Takes maps of shape (B, C, H, W), and shares of shape (1, 1, H, W) or None."""

DIRECTIONS = 32  # projections for each layer
LEVELS = 256  # quantiles kept for each projection


def gram(maps: Tensor, share: Tensor | None = None) -> Tensor:
    """The `gram_matrix`, optionally weighted by position.

    Gatys et al. (2016), equation 3; with shares Gatys et al. (2017), section 4: each map
    is scaled by the square root of the share, so that each product is scaled by the share.

    Parameters
    ----------
    maps : Tensor, shape (B, C, H, W)
    share : Tensor, shape (1, 1, H, W), 0 or more, mean 1, optional
        How much each position counts: all the same by default.

    Returns
    -------
    Tensor, shape (B, C, C)
    """
    return gram_matrix(maps if share is None else maps * share.sqrt())


def mean_std(maps: Tensor, share: Tensor | None = None) -> Tensor:
    """Mean and standard deviation of each feature map.

    Li, Wang, Liu, Hou, *Demystifying Neural Style Transfer* (2017), compare them with Gram
    matrices. Huang, Belongie (2017) transfer style by matching these alone (adaptive instance
    normalisation).

    Parameters
    ----------
    maps, share
        As for `gram`.

    Returns
    -------
    Tensor, shape (B, 2, C)
        The means, then the standard deviations.
    """
    weights = torch.ones_like(maps[:1, :1]) if share is None else share
    mean = (maps * weights).mean((2, 3), keepdim=True)
    variance = ((maps - mean).square() * weights).mean((2, 3))
    # Where a map is constant, the variance is 0, and the gradient of its root infinite: avoid that.
    return torch.stack([mean.flatten(1), (variance + 1e-8).sqrt()], 1)


def sliced(maps: Tensor, share: Tensor | None = None) -> Tensor:
    """The vectors of all positions, projected onto some directions and sorted.

    The mean squared difference of two such tensors approximates the squared sliced
    Wasserstein distance: how far the vectors of the one picture would have to move to become
    those of the other. Heitz, Vanhoey, Chambon, Belcour, *A Sliced Wasserstein Loss for Neural
    Texture Synthesis* (2021); with the same directions at each call, where
    the paper draws new ones, and a fixed number of levels, so that pictures may differ in size.

    Parameters
    ----------
    maps : Tensor, shape (B, C, H, W)
    share : Tensor, shape (1, 1, H, W), 0 or more, optional
        Only positions with at least half of the largest share are taken.

    Returns
    -------
    Tensor, shape (B, directions, levels)
        For each direction the projections, lowest to highest.
    """
    points = maps.flatten(2)  # (B, C, H*W): one column for each position
    if share is not None:
        points = points[..., (share >= share.max() / 2).flatten()]
    projections = directions(maps.shape[1]).to(points) @ points
    return F.adaptive_avg_pool1d(projections.sort(-1).values, LEVELS)


@lru_cache(maxsize=8)
def directions(channels: int) -> Tensor:
    """Fixed random orthonormal directions, shape (directions, channels)."""
    generator = torch.Generator().manual_seed(channels)
    square = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    orthogonal: Tensor = torch.linalg.qr(square).Q
    return orthogonal[: min(channels, DIRECTIONS)].float()


STATISTICS: dict[str, Statistic] = {"gram": gram, "mean_std": mean_std, "sliced": sliced}
"""Statistics by name."""
