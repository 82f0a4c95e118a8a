"""The exercises of lesson 06: style by other numbers, colours, regions, normalisation."""

import torch
from torch import Generator, Tensor

from ...core.statistics import mean_std
from ..checking import Exercise, Inputs, Mistake, register
from ..checking import check as check

_PLACES = (2, 3)


def _maps(generator: Generator, *shape: int) -> Tensor:
    """Random maps as a ReLU leaves them, each with a brightness of its own."""
    maps = torch.randn(*shape, generator=generator).relu()
    return maps * (1 + torch.arange(shape[-3]).view(-1, 1, 1)) + 0.1


def _both(mean: Tensor, spread: Tensor) -> Tensor:
    return torch.stack([mean, spread])


register(
    Exercise(
        "6.1",
        "Mean and spread of each map",
        lambda maps: mean_std(maps)[0],
        lambda generator: (_maps(generator, 1, 4, 5, 6),),
        [
            Mistake(
                lambda m: _both(m[0].mean((1, 2)), m[0].var((1, 2), correction=0)),
                "the second row is the variance. Its square root is the standard deviation.",
            ),
            Mistake(
                lambda m: _both(m[0].std((1, 2), correction=0), m[0].mean((1, 2))),
                "the two rows are swapped: first the means, then the standard deviations.",
            ),
            Mistake(
                lambda m: _both(m[0].mean((1, 2)), m[0].std((1, 2))),
                "PyTorch's std divides by one less than the number of places. Here it is a plain "
                "mean of squares: give it correction=0.",
            ),
            Mistake(
                lambda m: mean_std(m),
                "the numbers are right, but there is one dimension too many: for one picture the "
                "result is 2 rows of a number for each map.",
            ),
            Mistake(
                lambda m: mean_std(m)[0].T,
                "the table lies on its side: 2 rows, and a column for each map.",
            ),
            Mistake(
                lambda m: _both(m.mean(), m.std(correction=0)),
                "this is one mean and one spread of all maps together. Each map has its own: take "
                "them over the last two dimensions.",
            ),
            Mistake(
                lambda m: _both(m[0].mean((1, 2)), m[0].square().mean((1, 2)).sqrt()),
                "for the spread, subtract the mean before you square.",
            ),
        ],
        gradient=True,
        tolerance=1e-3,
    )
)


def _two_clouds(generator: Generator) -> Inputs:
    first, second = (torch.randn(3, 40, generator=generator) for _ in range(2))
    direction = torch.randn(3, generator=generator)
    return first, 2 * second + 1, direction / direction.norm()


def _gap(first: Tensor, second: Tensor) -> Tensor:
    return (first - second).square().mean()


def _seen(points: Tensor, direction: Tensor) -> Tensor:
    return (direction @ points).sort().values


register(
    Exercise(
        "6.2",
        "The gap between two clouds, from one side",
        lambda a, b, d: _gap(_seen(a, d), _seen(b, d)),
        _two_clouds,
        [
            Mistake(
                lambda a, b, d: _gap(d @ a, d @ b),
                "you compared the points in the order in which they happen to lie. Sort both "
                "rows first.",
            ),
            Mistake(
                lambda a, b, d: _gap(a.sort(1).values, b.sort(1).values),
                "you sorted each row of coordinates. First see the points from the direction: "
                "direction @ cloud gives one number for each point.",
            ),
            Mistake(
                lambda a, b, d: _gap(d @ a.sort(1).values, d @ b.sort(1).values),
                "you sorted first, which tears the points apart. First direction @ cloud, then "
                "sort.",
            ),
            Mistake(
                lambda a, b, d: (_seen(a, d) - _seen(b, d)).square().sum(),
                "this is the sum over the points. Take their mean.",
            ),
            Mistake(
                lambda a, b, d: (_seen(a, d) - _seen(b, d)).abs().mean(),
                "you took the distances as they are. Square them before the mean.",
            ),
            Mistake(
                lambda a, b, d: _gap((d @ a).mean(), (d @ b).mean()),
                "you compared the middles of the clouds alone. Compare point by point, sorted, "
                "and take the mean at the end.",
            ),
            Mistake(
                lambda a, b, d: (_seen(a, d) - _seen(b, d)).square(),
                "this is the squared gap of each pair of points. Take the mean.",
            ),
        ],
        gradient=True,
    )
)


def _two_pictures(generator: Generator) -> Inputs:
    painting = torch.rand(1, 3, 6, 7, generator=generator)
    photo = 0.3 + 0.2 * torch.rand(1, 3, 5, 4, generator=generator)
    photo[:, 1] = photo[:, 1] ** 2
    return painting, photo


def _normal(maps: Tensor, places: tuple[int, ...] = _PLACES) -> Tensor:
    spread = maps.std(places, correction=0, keepdim=True)
    return (maps - maps.mean(places, keepdim=True)) / spread


def _dyed(painting: Tensor, photo: Tensor, places: tuple[int, ...] = _PLACES) -> Tensor:
    spread = photo.std(places, correction=0, keepdim=True)
    return _normal(painting, places) * spread + photo.mean(places, keepdim=True)


register(
    Exercise(
        "6.3",
        "The photo's colours for the painting",
        _dyed,
        _two_pictures,
        [
            Mistake(
                lambda a, b: _dyed(b, a),
                "you did it the other way round: this is the photo with the painting's colours.",
            ),
            Mistake(
                lambda a, b: a - a.mean(_PLACES, keepdim=True) + b.mean(_PLACES, keepdim=True),
                "the means are right; the spreads are still the painting's. Divide by its own "
                "standard deviation, and multiply by the photo's.",
            ),
            Mistake(
                lambda a, b: _dyed(a, b, (1, 2, 3)),
                "you took one mean and one spread for all three colours together. Red, green and "
                "blue have their own each: dimensions 2 and 3.",
            ),
            Mistake(
                lambda a, b: (
                    a / a.std(_PLACES, correction=0, keepdim=True)
                    * b.std(_PLACES, correction=0, keepdim=True)
                ),
                "the spreads are right, the means are not. Subtract the painting's mean before "
                "you divide, and add the photo's at the end.",
            ),
            Mistake(
                lambda a, b: _normal(a),
                "now each colour has mean 0 and spread 1. Go on: multiply by the photo's spread, "
                "add the photo's mean.",
            ),
            Mistake(
                lambda a, b: (
                    _normal(a) * b.var(_PLACES, correction=0, keepdim=True)
                    + b.mean(_PLACES, keepdim=True)
                ),
                "you multiplied by the variance. The spread is its square root.",
            ),
        ],
        tolerance=0.03,  # with std's correction or without
    )
)  # fmt: skip


def _maps_and_mask(generator: Generator) -> Inputs:
    mask = (torch.rand(5, 6, generator=generator) > 0.5).float()
    mask[0, 0], mask[0, 1] = 1, 0
    return _maps(generator, 4, 5, 6), mask


def _region(maps: Tensor, mask: Tensor) -> Tensor:
    inside = maps[:, mask > 0]
    return inside @ inside.T / inside.shape[1]


def _whole(maps: Tensor) -> Tensor:
    return maps.flatten(1) @ maps.flatten(1).T / maps[0].numel()


register(
    Exercise(
        "6.4",
        "The Gram matrix of a region",
        _region,
        _maps_and_mask,
        [
            Mistake(
                lambda m, where: _whole(m * where),
                "you divided by all the places. Divide by the number of white ones: mask.sum().",
            ),
            Mistake(lambda m, where: _whole(m), "this is the Gram matrix of the whole picture."),
            Mistake(
                lambda m, where: _region(m, 1 - where),
                "this is the Gram matrix of the black part. White means: here.",
            ),
            Mistake(
                lambda m, where: _whole(m * where) * where.numel(),
                "this is the sum over the white places. Divide it by their number: mask.sum().",
            ),
        ],
        gradient=True,
    )
)


def _batch(generator: Generator) -> Inputs:
    return (_maps(generator, 3, 4, 5, 6) * torch.tensor([1.0, 2, 5]).view(3, 1, 1, 1),)


register(
    Exercise(
        "6.5",
        "Instance normalisation",
        _normal,
        _batch,
        [
            Mistake(
                lambda m: _normal(m, (0, 2, 3)),
                "this is *batch* normalisation: the pictures share their means. Each picture has "
                "its own here: take mean and spread over dimensions 2 and 3 alone.",
            ),
            Mistake(
                lambda m: _normal(m, (1, 2, 3)),
                "the maps of a picture share their mean here (that is *layer* normalisation). "
                "Each map has its own: dimensions 2 and 3.",
            ),
            Mistake(
                lambda m: m - m.mean(_PLACES, keepdim=True),
                "the means are 0 now; the spreads are not 1. Divide by the standard deviation.",
            ),
            Mistake(
                lambda m: m / m.std(_PLACES, correction=0, keepdim=True),
                "the spreads are 1 now; the means are not 0. Subtract the mean first.",
            ),
            Mistake(
                lambda m: (
                    (m - m.mean(_PLACES, keepdim=True))
                    / m.var(_PLACES, correction=0, keepdim=True)
                ),
                "you divided by the variance. Divide by its square root, the standard deviation.",
            ),
            Mistake(
                lambda m: (m - m.mean()) / m.std(correction=0),
                "you took one mean and one spread of everything. Each map of each picture has its "
                "own.",
            ),
        ],
        tolerance=0.03,  # with std's correction or without
    )
)  # fmt: skip
