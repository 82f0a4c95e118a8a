"""The exercises of lesson 06: other statistics, colours, regions, normalisation."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ...core.statistics import mean_std
from ..checking import Exercise, Inputs, Watched, register
from ..checking import check as check
from ..checking import hint as hint
from ..checking import solution as solution
from ..mistakes import mistakes
from . import guides as guides

_POSITIONS = (2, 3)  # the dimensions of rows and columns


def _mean(maps: Tensor, dims: tuple[int, ...] = _POSITIONS) -> Tensor:
    return maps.mean(dims, keepdim=True)


def _std(maps: Tensor, dims: tuple[int, ...] = _POSITIONS) -> Tensor:
    return maps.std(dims, correction=0, keepdim=True)


def _maps(generator: Generator, *shape: int) -> Tensor:
    """Random maps after a ReLU, each with a different scale."""
    maps = torch.randn(*shape, generator=generator).relu()
    return maps * (1 + torch.arange(shape[-3]).view(-1, 1, 1)) + 0.1


def _rows(first: Tensor, second: Tensor) -> Tensor:
    return torch.stack([first, second])


_MEAN_STD = mistakes(
    lambda m: _rows(m[0].mean((1, 2)), m[0].var((1, 2), correction=0)),
    "the second row is the variance. Its square root is the standard deviation.",
    lambda m: _rows(m[0].std((1, 2), correction=0), m[0].mean((1, 2))),
    "the two rows are swapped: first the means, then the standard deviations.",
    lambda m: _rows(m[0].mean((1, 2)), m[0].std((1, 2))),
    "PyTorch's std divides by the number of positions minus one. Here it is a plain mean of "
    "squares, so pass correction=0.",
    lambda m: mean_std(m),
    "the numbers are right, but there is one dimension too many: for one picture the result "
    "has 2 rows, with a number for each map.",
    lambda m: mean_std(m)[0].T,
    "the table is transposed. It should have 2 rows, and a column for each map.",
    lambda m: _rows(m.mean(), m.std(correction=0)),
    "this is one mean and one standard deviation for all maps together. Each map has its own: "
    "compute them over the last two dimensions.",
    lambda m: _rows(m[0].mean((1, 2)), m[0].square().mean((1, 2)).sqrt()),
    "for the standard deviation, subtract the mean before you square.",
)


def _two_clouds(generator: Generator) -> Inputs:
    first, second = (torch.randn(3, 40, generator=generator) for _ in range(2))
    direction = torch.randn(3, generator=generator)
    return first, 2 * second + 1, direction / direction.norm()


def _gap(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).square().mean()


def _projected(points: Tensor, direction: Tensor) -> Tensor:
    return (direction @ points).sort().values


_GAP = mistakes(
    lambda a, b, d: _gap(d @ a, d @ b),
    "you compared the points in the order in which they happen to come. Sort both rows first.",
    lambda a, b, d: _gap(a.sort(1).values, b.sort(1).values),
    "you sorted each row of coordinates. First project the points onto the direction: "
    "direction @ cloud gives one number for each point.",
    lambda a, b, d: _gap(d @ a.sort(1).values, d @ b.sort(1).values),
    "you sorted first, which mixes the coordinates of different points. Compute direction @ "
    "cloud first, then sort.",
    lambda a, b, d: (_projected(a, d) - _projected(b, d)).square().sum(),
    "this is the sum over the points. Take their mean.",
    lambda a, b, d: (_projected(a, d) - _projected(b, d)).abs().mean(),
    "you averaged the absolute differences. Square the differences instead.",
    lambda a, b, d: _gap((d @ a).mean(), (d @ b).mean()),
    "you compared only the centres of the clouds. Compare point by point, sorted, and take "
    "the mean at the end.",
    lambda a, b, d: (_projected(a, d) - _projected(b, d)).square(),
    "this is the squared difference of each pair of points. Take the mean.",
)


def _two_pictures(generator: Generator) -> Inputs:
    painting = torch.rand(1, 3, 6, 7, generator=generator)
    photo = 0.3 + 0.2 * torch.rand(1, 3, 5, 4, generator=generator)
    photo[:, 1] = photo[:, 1] ** 2
    return painting, photo


def _normal(maps: Tensor, dims: tuple[int, ...] = _POSITIONS) -> Tensor:
    return (maps - _mean(maps, dims)) / _std(maps, dims)


def _recolored(painting: Tensor, photo: Tensor, dims: tuple[int, ...] = _POSITIONS) -> Tensor:
    return _normal(painting, dims) * _std(photo, dims) + _mean(photo, dims)


_COLORS = mistakes(
    lambda a, b: _recolored(b, a),
    "it is the other way round: this is the photo with the painting's colours.",
    lambda a, b: a - _mean(a) + _mean(b),
    "the means are right, but the standard deviations are still the painting's. Divide by its "
    "own, and multiply by the photo's.",
    lambda a, b: _recolored(a, b, (1, 2, 3)),
    "you took one mean and one standard deviation for all three colours together. Red, green "
    "and blue each have their own: use dimensions 2 and 3.",
    lambda a, b: a / _std(a) * _std(b),
    "the standard deviations are right, but the means are not. Subtract the painting's mean "
    "before you divide, and add the photo's at the end.",
    lambda a, b: _normal(a),
    "now each colour has mean 0 and standard deviation 1. Next, multiply by the photo's "
    "standard deviation, and add its mean.",
    lambda a, b: _normal(a) * _std(b) ** 2 + _mean(b),
    "you multiplied by the variance. The standard deviation is its square root.",
)


def _maps_and_mask(generator: Generator) -> Inputs:
    mask = (torch.rand(5, 6, generator=generator) > 0.5).float()
    mask[0, 0], mask[0, 1] = 1, 0
    return _maps(generator, 4, 5, 6), mask


def _region(maps: Tensor, mask: Tensor) -> Tensor:
    inside = maps[:, mask > 0]
    return inside @ inside.T / inside.shape[1]


def _whole(maps: Tensor) -> Tensor:
    return maps.flatten(1) @ maps.flatten(1).T / maps[0].numel()


_REGION_GRAM = mistakes(
    lambda m, where: _whole(m * where),
    "you divided by the number of all positions. Divide by the number of white ones, mask.sum().",
    lambda m, where: _whole(m),
    "this is the Gram matrix of the whole picture.",
    lambda m, where: _region(m, 1 - where),
    "this is the Gram matrix of the black part. White marks the region.",
    lambda m, where: _whole(m * where) * where.numel(),
    "this is the sum over the white positions. Divide it by their number, mask.sum().",
)


def _batch(generator: Generator) -> Inputs:
    return (_maps(generator, 3, 4, 5, 6) * torch.tensor([1.0, 2, 5]).view(3, 1, 1, 1),)


_NORMALISATION = mistakes(
    lambda m: _normal(m, (0, 2, 3)),
    "this is *batch* normalisation, where the pictures share their means. Here each picture "
    "has its own: use dimensions 2 and 3 only.",
    lambda m: _normal(m, (1, 2, 3)),
    "this is *layer* normalisation, where the maps of a picture share their mean. Here each "
    "map has its own: use dimensions 2 and 3 only.",
    lambda m: m - _mean(m),
    "the means are 0 now, but the standard deviations are not 1. Divide by them.",
    lambda m: m / _std(m),
    "the standard deviations are 1 now, but the means are not 0. Subtract them first.",
    lambda m: (m - _mean(m)) / _std(m) ** 2,
    "you divided by the variance. Divide by its square root, the standard deviation.",
    lambda m: (m - m.mean()) / m.std(correction=0),
    "you took one mean and one standard deviation of everything. Each map of each picture has "
    "its own.",
)

# 6.6, adaptive instance normalisation


def _two_maps(generator: Generator) -> Inputs:
    return _maps(generator, 1, 4, 5, 6), 0.5 + 2 * _maps(generator, 1, 4, 6, 4)


def _adain(photo: Tensor, painting: Tensor, dims: tuple[int, ...] = _POSITIONS) -> Tensor:
    return _recolored(photo, painting, dims)


_ADAIN = mistakes(
    lambda photo, painting: (
        (photo - _mean(photo))
        / photo.std(_POSITIONS, keepdim=True)
        * painting.std(_POSITIONS, keepdim=True)
        + _mean(painting)
    ),
    "PyTorch's std divides by the number of positions minus one, and the two pictures have "
    "different numbers of them. Pass correction=0.",
    lambda photo, painting: _adain(painting, photo),
    "it is the other way round: these are the painting's maps with the photo's statistics.",
    lambda photo, painting: _normal(photo),
    "this is instance normalisation alone. Next, multiply by the painting's standard deviations "
    "and add its means.",
    lambda photo, painting: _normal(photo) * _std(painting),
    "the standard deviations are the painting's, but the means are still 0. Add its means.",
    lambda photo, painting: _normal(photo) + _mean(painting),
    "the means are the painting's, but the standard deviations are still 1. Multiply by its own.",
    lambda photo, painting: _normal(photo) * _mean(painting) + _std(painting),
    "the two are swapped: multiply by the standard deviation, add the mean.",
    lambda photo, painting: photo * _std(painting) + _mean(painting),
    "first take the photo's own means and standard deviations away.",
    lambda photo, painting: _adain(photo, painting, (1, 2, 3)),
    "you took one mean and one standard deviation for all maps together. Each map has its own.",
)

# 6.7, training


def _network_to_train(generator: Generator) -> Inputs:
    network = nn.Conv2d(3, 3, 3, padding=1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    photos = list(torch.rand(4, 1, 3, 6, 7, generator=generator))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    return network, photos, _darkness, optimizer


def _darkness(picture: Tensor) -> Tensor:
    """A loss that any picture can be asked for: 0 for a mid grey."""
    return (picture - 0.5).square().mean()


def _train(
    network: nn.Module,
    photos: list[Tensor],
    loss: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    zero: bool = True,
    sign: int = 1,
    last: int | None = None,
) -> float:
    value = torch.tensor(0.0)
    for photo in photos[:last]:
        if zero:
            optimizer.zero_grad()
        value = loss(network(photo))
        (sign * value).backward()
        optimizer.step()
    return float(value)


def _trained_like(**flaws: Any) -> Callable[[Inputs, Inputs, Any], bool]:
    """Whether the network is what a training with these flaws makes of it."""

    def same(before: Inputs, after: Inputs, _: Any) -> bool:
        copied = copy.deepcopy(before)
        _train(*copied, **flaws)
        pairs = zip(copied[0].parameters(), after[0].parameters(), strict=True)
        return all(torch.allclose(one, other, atol=1e-6) for one, other in pairs)

    return same


_TRAINING = mistakes(
    lambda before, after, _: not all(map(torch.equal, before[1], after[1])),
    "the photos have changed. Here the network learns, and the pixels stay as they are.",
    lambda before, after, _: all(
        torch.equal(old, new)
        for old, new in zip(before[0].parameters(), after[0].parameters(), strict=True)
    ),
    "the network's weights have not changed. For each photo: zero_grad, the loss of what the "
    "network makes of it, backward, step.",
    _trained_like(zero=False),
    "the gradients of earlier photos are still there. Call optimizer.zero_grad() for each.",
    _trained_like(sign=-1),
    "this goes uphill: the loss grows.",
    _trained_like(last=1),
    "only the first photo is used. Is return inside the loop?",
    lambda *all_: not _trained_like()(*all_),
    "the weights have changed, but not as they should. Take exactly one step for each photo.",
    lambda before, after, result: (
        not isinstance(result, Tensor | float)
        or abs(float(result) - _train(*copy.deepcopy(before))) > 1e-4
    ),
    "the training is right. Return the loss of the last photo, as it was before the last step.",
)

_ROUGHLY = 0.03  # relative tolerance; std passes both with its correction and without

register(
    Exercise(
        "6.1", "Mean and standard deviation of each map", lambda maps: mean_std(maps)[0],
        lambda generator: (_maps(generator, 1, 4, 5, 6),), _MEAN_STD, gradient=True, tolerance=1e-3,
    ),
    Exercise(
        "6.2", "The gap between two clouds, in one direction",
        lambda a, b, d: _gap(_projected(a, d), _projected(b, d)), _two_clouds, _GAP, gradient=True,
    ),
    Exercise(
        "6.3", "The photo's colours for the painting", _recolored, _two_pictures, _COLORS,
        tolerance=_ROUGHLY,
    ),
    Exercise(
        "6.4", "The Gram matrix of a region", _region, _maps_and_mask, _REGION_GRAM, gradient=True
    ),
    Exercise("6.5", "Instance normalisation", _normal, _batch, _NORMALISATION, tolerance=_ROUGHLY),
    Exercise(
        "6.6", "Adaptive instance normalisation", _adain, _two_maps, _ADAIN, tolerance=1e-3
    ),
    Watched("6.7", "Train a network", _train, _network_to_train, _TRAINING),
)  # fmt: skip
