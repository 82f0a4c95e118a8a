"""The neighbours of `core`, fast and in little memory.

`core.neighbours` stacks the layers, some 2,000 numbers for each place, and compares each pair of
places in all of them. Here the search compares them in the 256 directions in which the places of
the painting differ most: it finds nearly always the same neighbour, in an eighth of the time. And
the loss is computed layer by layer, each at its own size.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from ..core.layers import CONVOLUTIONS, NEIGHBOUR_LAYERS
from ..core.neighbours import block_of
from .masks import Style
from .network import VGG19

TURNS = 4  # a painting is searched upright and turned by 90, 180 and 270 degrees
OFFERED = 12288  # places of a painting in each turn; of a larger one, another corner in each turn
COHERENCE = 0.5  # how much similarity may be given up for whole strokes, at likeness 0
_DIRECTIONS = 256  # for the search
_SAMPLE = 4096  # places that these directions are computed from
_ROWS = 1024  # places that are compared with the painting's at a time
# The power of the likeness that counts in each block. Deep layers keep the photo's things where
# they were; early ones would keep its pixels, too, and the picture would look like a photo.
_POWERS = {1: 4, 2: 4, 3: 2, 4: 1}

Vectors = Iterable[tuple[str, Tensor]]
"""Layer by layer, the part (N, C) of the vectors of N places."""


class Pieces:
    """The places of a painting, ready to be searched.

    Parameters
    ----------
    style : Style
        Where the painting has a mask, only places are taken that have at least half of the mask's
        largest value.
    network : VGG19
    turns : int, 1 to 4
        In how many directions it is searched: upright, then turned by 90, 180 and 270 degrees.

    Attributes
    ----------
    vectors : dict of layer name to Tensor, shape (M, C)
        The features of all places.
    spread : float
        The mean squared distance of a place from the mean of all, as in `core.neighbours.places`.
    """

    def __init__(self, style: Style, network: VGG19, turns: int = TURNS) -> None:
        parts: dict[str, list[Tensor]] = {name: [] for name in NEIGHBOUR_LAYERS}
        cells, downwards, count, size = [], [], 0, 0
        table = []  # for each cell of all turns' grids, with a border: the place there, or -1
        for turn in range(turns):
            maps = network.raw(_turned(style.image, turn), NEIGHBOUR_LAYERS)
            grid = _grid(maps)
            part = min(1.0, math.sqrt(OFFERED / math.prod(grid)))
            chosen = torch.zeros(grid, dtype=torch.bool, device=style.image.device)
            chosen[: math.ceil(grid[0] * part), : math.ceil(grid[1] * part)] = True
            if style.source is not None:
                mask = F.adaptive_avg_pool2d(_turned(style.source, turn), grid)[0, 0]
                chosen &= mask >= mask[chosen].max() / 2
            for name, vectors in vectors_of(maps):
                parts[name].append(vectors[chosen.flatten()])
            framed = F.pad(chosen, (1, 1, 1, 1)).flatten()
            cells.append(framed.nonzero().flatten() + size)
            downwards.append(torch.full_like(cells[-1], grid[1] + 2))
            table.append(torch.where(framed, framed.cumsum(0) - 1 + count, -1))
            count, size = count + len(cells[-1]), size + len(framed)
        self._cells, self._table = torch.cat(cells), torch.cat(table)
        # From the cell of each place to the one below it, and to the one to its right.
        self._steps = torch.cat(downwards), torch.ones_like(self._cells)
        self.vectors = {name: torch.cat(parts.pop(name)) for name in NEIGHBOUR_LAYERS}
        self._axes, self.spread = self._principal_axes()
        self._projected = F.normalize(self._project(self.vectors.items()), dim=1)
        self._rounded = self._projected.to(network.dtype)

    def _principal_axes(self) -> tuple[dict[str, Tensor], float]:
        """The directions in which the places differ most, layer by layer, and the spread.

        Halko, Martinsson, Tropp, *Finding structure with randomness* (2011), algorithm 4.4.
        """
        step = math.ceil(len(self._cells) / _SAMPLE)
        sample = torch.cat([v[::step].float() / v.shape[1] for v in self.vectors.values()], 1)
        # All places of a painting of one colour are alike: compare with its brightness.
        floor = 1e-3 * sample.square().sum(1).mean()
        sample -= sample.mean(0)
        generator = torch.Generator().manual_seed(0)
        axes = torch.randn(sample.shape[1], _DIRECTIONS, generator=generator).to(sample)
        for _ in range(2):
            axes = torch.linalg.qr(sample.mT @ (sample @ axes)).Q
        widths = [vectors.shape[1] for vectors in self.vectors.values()]
        parts = zip(self.vectors, axes.split(widths), widths, strict=True)
        spread = max(float(sample.square().sum(1).mean()), float(floor), 1e-12)
        return {name: part / width for name, part, width in parts}, spread

    def _project(self, vectors: Vectors) -> Tensor:
        """Centred vectors in the directions of the search, (N, directions)."""
        total = torch.zeros(())
        for name, part in vectors:
            projected = part.float() @ self._axes[name]
            total = total.to(projected) + projected
        return total - total.mean(0)

    def nearest(
        self, wanted: Vectors, grid: tuple[int, int] | None = None, coherence: float = 0.0
    ) -> Tensor:
        """For each place the number of the painting's most similar one; see `core`'s `nearest`.

        Where much is about equally similar, as in a sky, each place would find another piece, or
        all would find the same one: a pattern like a weave. With a `grid`, the rows and columns
        of places, a place takes what lies beside its neighbour's piece in the painting, if that
        is nearly as similar: by `coherence`, in units of the places' mean distance from their mean.
        So strokes are taken whole. After Ashikhmin, *Synthesizing Natural Textures* (2001).
        """
        vectors = self._project(wanted)
        if grid is None or not coherence:
            # Rounded as the features are: of those that are alike within that, the first is taken.
            rounded = vectors.to(self._rounded.dtype).split(_ROWS)
            return torch.cat([(some @ self._rounded.mT).max(1).indices for some in rounded])
        found, likeness = [], []
        for some in vectors.split(_ROWS):
            best = (some @ self._projected.mT).max(1)
            found.append(best.indices)
            likeness.append(best.values)
        places = torch.cat(found).view(grid)
        enough = torch.cat(likeness) - coherence * vectors.norm(dim=1).mean()
        enough, vectors = enough.view(grid), vectors.view(*grid, -1)
        for way in (1, -1):  # down and to the right, then up and to the left
            for axis in (0, 1):
                for line in range(1, grid[axis]) if way == 1 else range(grid[axis] - 2, -1, -1):
                    before, there = places.select(axis, line - way), places.select(axis, line)
                    beside = self._table[self._cells[before] + way * self._steps[axis][before]]
                    alike = (vectors.select(axis, line) * self._projected[beside]).sum(1)
                    good = (beside >= 0) & (alike >= enough.select(axis, line))
                    there.copy_(torch.where(good, beside, there))
        return places.flatten()


class Neighbours:
    """What each place of the new picture should become, at one size.

    Parameters
    ----------
    query : Tensor, shape (1, 3, H, W), RGB in 0-1
        What the paintings are searched for: the photo, or a mix of it and the picture so far.
    content : Tensor, of the same shape
        The photo.
    pieces : several `Pieces`
    masks : several Tensor, shape (1, 1, H, W), or None
        Where each painting goes; None is everywhere.
    shares : several float
        How much each painting counts; they add up to 1.
    likeness : float, 0-1
        How much the photo's own features count in the targets.
    network : VGG19
    coherence : float, 0 or more
        How much similarity may be given up for whole strokes, at likeness 0; see `Pieces.nearest`.

    Attributes
    ----------
    targets : dict of layer name to Tensor, shape (1, C, h, w)
    """

    def __init__(
        self,
        query: Tensor,
        content: Tensor,
        pieces: Sequence[Pieces],
        masks: Sequence[Tensor | None],
        shares: Sequence[float],
        likeness: float,
        network: VGG19,
        coherence: float = COHERENCE,
    ) -> None:
        maps = network.raw(query, NEIGHBOUR_LAYERS)
        grid = _grid(maps)
        given_up = coherence * (1 - likeness) ** 2
        found = [one.nearest(vectors_of(maps), grid, given_up) for one in pieces]
        if query is not content:
            del maps  # so that there is only one picture's at a time
            maps = network.raw(content, NEIGHBOUR_LAYERS)
        counts = self._divide(masks, shares, query.new_ones(1, 1, *grid))
        spread = sum(share * one.spread for share, one in zip(shares, pieces, strict=True))
        self._weights = {n: 1 / (CONVOLUTIONS[n][1] * spread) for n in NEIGHBOUR_LAYERS}
        self.targets = {}
        for name, own in vectors_of(maps):
            painted = 1 - likeness ** _POWERS[block_of(name)]
            target = (1 - painted * torch.stack(counts).sum(0)) * own
            for one, index, count in zip(pieces, found, counts, strict=True):
                # The distances to several targets are, but for a constant, that to their mean.
                target += painted * count * one.vectors[name][index]
            target = target.T.view(1, -1, *grid)
            deep = maps[name].shape[-2:]
            if block_of(name) > 3:  # its positions cover several places: likewise their mean
                target = F.adaptive_avg_pool2d(target, (deep[0], deep[1]))
            self.targets[name] = target.to(network.dtype, memory_format=torch.channels_last)

    @staticmethod
    def _divide(
        masks: Sequence[Tensor | None], shares: Sequence[float], everywhere: Tensor
    ) -> list[Tensor]:
        """How much each painting counts at each place, (N, 1): 1 in all where there is any."""
        size = (everywhere.shape[-2], everywhere.shape[-1])
        where = torch.stack([
            (everywhere if mask is None else F.adaptive_avg_pool2d(mask, size)).flatten()
            for mask in masks
        ])  # fmt: skip
        share = everywhere.new_tensor(shares)[:, None]
        counts = where * share
        covered = (where * (share > 0)).amax(0)  # the rest is the photo's
        counts = counts / counts.sum(0).clamp_min(1e-12) * covered
        return [one[:, None] for one in counts]

    def losses(self, maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each layer's part of the neighbour loss of a picture with these feature maps."""
        return {
            name: self._weights[name] * _PlacesError.apply(maps[name], target, _side(name))
            for name, target in self.targets.items()
        }


class _PlacesError(torch.autograd.Function):
    """Mean squared error between maps, averaged over places of `side` positions, and a target.

    Autograd would make several copies of the maps on the way back, most of them in full precision,
    and leave them in another order than that in which convolutions are fast.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, target: Tensor, side: int) -> Tensor:
        apart = (F.avg_pool2d(maps, side) if side > 1 else maps) - target
        ctx.save_for_backward(apart)
        ctx.side, ctx.size = side, maps.shape[-2:]
        exact = torch.promote_types(apart.dtype, torch.float32)
        error: Tensor = torch.linalg.vector_norm(apart, dtype=exact).square() / apart.numel()
        return error

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (apart,), side = ctx.saved_tensors, ctx.side
        pulled = apart * (gradient * (2 / (apart.numel() * side**2))).to(apart.dtype)
        if side > 1:  # each position of a place gets the same
            batch, channels, height, width = pulled.shape
            spread = pulled.permute(0, 2, 3, 1)[:, :, None, :, None]
            spread = spread.expand(batch, height, side, width, side, channels)
            pulled = spread.reshape(batch, height * side, width * side, channels)
            pulled = pulled.permute(0, 3, 1, 2)
        rest = [whole - part for whole, part in zip(ctx.size, pulled.shape[-2:], strict=True)]
        if any(rest):  # positions at the edge that fill no place
            pulled = F.pad(pulled, (0, rest[1], 0, rest[0]))
        return pulled, None, None


def vectors_of(maps: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The features of all places, layer by layer, (N, C): the columns of `core`'s `places`.

    They are not divided by the number of maps.
    """
    grid = _grid(maps)
    for name in NEIGHBOUR_LAYERS:
        layer = _pooled(maps[name], name)
        if block_of(name) > 3:
            layer = F.interpolate(layer, grid)
        yield name, layer[0].permute(1, 2, 0).flatten(0, 1)


def _pooled(layer: Tensor, name: str) -> Tensor:
    """Early layers' features, averaged over each place."""
    return F.avg_pool2d(layer, _side(name)) if _side(name) > 1 else layer


def _side(name: str) -> int:
    """How many positions of a layer a place is wide; a deep one covers several places."""
    return 1 << max(0, 3 - block_of(name))


def _grid(maps: Mapping[str, Tensor]) -> tuple[int, int]:
    """Rows and columns of places."""
    height, width = maps["conv3_1"].shape[-2:]
    return height, width


def _turned(image: Tensor, turn: int) -> Tensor:
    return torch.rot90(image, turn, (2, 3)).contiguous()
