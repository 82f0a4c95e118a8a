"""A faster form of the centred Gram matrix of `core`: the same numbers, half the work.

The gradient is written by hand. Autograd would compute those of the two factors, the maps and
the maps again, one after the other; they are equal, so one product is enough.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from . import cards

BAND = 4096  # positions at a time: few enough to stay in the processor's cache
SHORT = 512  # positions whose products are summed in bfloat16's own instructions
_FEWEST = 4  # of these, so that the rounding of their sums averages out


def centered_gram(maps: Tensor, center: Tensor) -> Tensor:
    """``gram_matrix(maps - center)`` in half the time, for maps of any precision.

    The maps have shape (B, C, H, W), the center (1, C, 1, 1): a constant, which gets no gradient.
    The result is in float32.
    """
    gram: Tensor = _CenteredGram.apply(maps, center)
    return gram


class _CenteredGram(torch.autograd.Function):
    """The center is subtracted from the products: no centred copy of the maps is made."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, center: Tensor) -> Tensor:
        ctx.save_for_backward(maps, center)
        exact = torch.promote_types(maps.dtype, torch.float32)
        center = center.flatten(1)[:, None].to(exact)  # (1, 1, C)
        if cards.on_card(maps.device):
            total, products = cards.sums_of_products(_flat(maps))
        else:
            total, products = torch.zeros_like(center), torch.zeros_like(center.mT @ center)
            for band in _flat(maps).split(BAND, 1):  # only a band at a time is in full precision
                total = total + band.sum(1, keepdim=True, dtype=exact)
                products = products + _product(band, exact)
        places = maps[0, 0].numel()
        # The mean of (x - c)(x - c)ᵀ is that of xxᵀ less the terms with c.
        shared = center.mT @ (total / places - center / 2)
        return products / places - shared - shared.mT

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        maps, center = ctx.saved_tensors
        flat = _flat(maps)
        if maps.dtype == torch.float16:  # it can't represent small gradients
            flat = flat.float()
        both = (gradient + gradient.mT) / flat.shape[1]
        middle = center.flatten(1)[:, None].to(both) @ both
        pulled = torch.baddbmm(-middle.to(flat.dtype), flat, both.to(flat.dtype))
        batch, channels, height, width = maps.shape
        return pulled.view(batch, height, width, channels).permute(0, 3, 1, 2).to(maps.dtype), None


def _product(band: Tensor, exact: torch.dtype) -> Tensor:
    """The products of the maps (B, n, C) with each other, summed over positions: (B, C, C).

    A processor multiplies bfloat16 faster than float32, and rounds only the sums: so these are
    short, and added up in float32.
    """
    batch, places, channels = band.shape
    if band.dtype != torch.bfloat16 or band.device.type != "cpu" or places < _FEWEST * SHORT:
        band = band.to(exact)
        return band.mT @ band
    whole = places // SHORT * SHORT
    short = band[:, :whole].reshape(-1, SHORT, channels)
    sums = torch.bmm(short.mT, short).view(batch, -1, channels, channels).sum(1, dtype=exact)
    rest = band[:, whole:].to(exact)
    return sums + rest.mT @ rest


def _flat(maps: Tensor) -> Tensor:
    """The maps as (B, H·W, C); this copies nothing if they are in channels_last order."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)
