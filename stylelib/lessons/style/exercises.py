"""The exercises of lesson 03: from the product of two maps to the style loss."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from ...guards import gram_matrix, style_loss
from ..checking import Exercise, Inputs, register
from ..checking import check as check
from ..checking import hint as hint
from ..checking import solution as solution
from ..mistakes import Answer, mistakes, mse_mistakes
from ..painted import Hint
from . import guides as guides
from .compute import center

_SUM = "this is the sum over the positions. Divide it by their number: take the mean."
_CHANNELS = "you also divide by the number of channels. Divide by the number of positions only."


def _maps(generator: Generator, *shape: int) -> Tensor:
    """Random maps as after ReLU, each with a brightness of its own."""
    maps = torch.randn(*shape, generator=generator).relu()
    return maps * (1 + torch.arange(shape[-3]).view(-1, 1, 1))


# 3.1, the correlation of two maps


def _two_maps(generator: Generator) -> Inputs:
    # Square, so that the matrix product of the two exists and can be recognised.
    first, second = _maps(generator, 2, 5, 5)
    return first, second


_CORRELATION = mistakes(
    lambda a, b: (a * b).sum(),
    _SUM,
    torch.mul,
    "this is the product at each position, still a map. Take its mean.",
    lambda a, b: a.mean() * b.mean(),
    "you take the means first, so it doesn't matter where the maps are active. Multiply "
    "first, then take the mean.",
    lambda a, b: (a @ b).mean(),
    "@ is the matrix product, rows times columns. Multiply position by position, with *.",
    lambda a, b: (a + b).mean(),
    "you add the maps. Multiply them.",
    lambda a, b: (a - b).square().mean(),
    "this is the content loss: how different they are. Multiply the maps instead.",
    lambda a, b: torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1],
    "this is the correlation coefficient of statistics: it subtracts the means and divides by "
    "the standard deviations. Here, just multiply and take the mean.",
)

# 3.2, the Gram matrix with two loops


def _matrix(entry: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A C x C matrix with the `entry` of each pair of maps."""
    return lambda maps: torch.stack([torch.stack([entry(a, b) for b in maps]) for a in maps])


def _gram(maps: Tensor) -> Tensor:
    return gram_matrix(maps[None])[0]


_LOOPS = mistakes(
    _matrix(lambda a, b: (a * b).sum()),
    _SUM,
    lambda maps: _gram(maps) / len(maps),
    _CHANNELS,
    _matrix(lambda a, b: a.mean() * b.mean()),
    "you multiply the means of the maps. Multiply the maps, then take the mean.",
    lambda maps: _gram(maps).triu(),
    "the lower left half is still 0. Let both loops run over all channels.",
    lambda maps: _gram(maps).triu(1),
    "the diagonal and the lower left half are still 0. Let both loops run over all channels.",
    lambda maps: _gram(maps).tril(),
    "the upper right half is still 0. Let both loops run over all channels.",
    lambda maps: _gram(maps).diagonal().diag(),
    "only the diagonal is filled. You need each map with each other one: two loops.",
    lambda maps: _gram(maps).fill_diagonal_(0),
    "the diagonal is still 0. A map is also paired with itself.",
    lambda maps: gram_matrix(maps[None]),
    "the numbers are right, but there is one dimension too many: for one picture, the shape "
    "is (channels, channels).",
)

# 3.3, the Gram matrix without a loop


def _positions(maps: Tensor) -> int:
    return maps.shape[-2] * maps.shape[-1]


def _products(rows: Callable[[Tensor], Tensor]) -> list[Answer]:
    """The matrix product of wrong rows, divided by nothing, by positions, channels or both."""

    def divided(by: Callable[[Tensor], int]) -> Answer:
        return lambda maps: rows(maps) @ rows(maps).mT / by(maps)

    counts = (lambda maps: 1, _positions, lambda maps: maps.shape[1], lambda maps: maps[0].numel())
    return [divided(count) for count in counts]


_NO_LOOP = mistakes(
    lambda m: gram_matrix(m) * _positions(m),
    Hint(_SUM, "gram-sum"),
    lambda m: gram_matrix(m) / m.shape[1],
    _CHANNELS,
    lambda m: gram_matrix(m) * _positions(m) / m.shape[1],
    "you divide by the number of channels. Divide by the number of positions, H·W.",
    lambda m: gram_matrix(m) / len(m),
    "you also divide by the number of pictures. Each has a Gram matrix of its own.",
    *_products(lambda m: m.flatten(2).mT),
    Hint(
        "this compares positions with positions, not channels with channels. Swap the two factors "
        "of the matrix product.",
        "gram-positions",
    ),
    *_products(lambda m: m.permute(0, 2, 3, 1).reshape(*m.shape[:2], -1)),
    *_products(lambda m: m.reshape(len(m), -1, m.shape[1]).mT),
    Hint(
        "values of different maps got mixed: reshape only cuts the numbers, as they lie in memory, "
        "into new rows. Leave the channels where they are and flatten the last two dimensions.",
        "gram-mixed",
    ),
    lambda m: gram_matrix(center(m)),
    "you subtract each map's mean first. That comes later in the lesson; use the maps as they are.",
    *_products(lambda m: m.reshape(-1, _positions(m))),
    "the pictures of the batch got mixed: channels of one were multiplied with channels of "
    "another. Keep the first dimension apart.",
    lambda m: gram_matrix(m)[0],
    "this is the Gram matrix of the first picture only. Each picture has its own.",
    lambda m: gram_matrix(m).mean(0),
    "you averaged over the pictures of the batch. Each has a Gram matrix of its own.",
    *_products(lambda m: m),
    "you multiply the rows of the maps. Flatten height and width into one dimension first.",
)

# 3.4, the style loss of one layer


def _maps_and_target(generator: Generator) -> Inputs:
    return _maps(generator, 1, 4, 3, 5), gram_matrix(_maps(generator, 1, 4, 6, 4))


_LAYER_LOSS = mistakes(
    *mse_mistakes(lambda maps, target: gram_matrix(maps) - target),
    lambda maps, target: (gram_matrix(maps) * _positions(maps) - target).square().mean(),
    "your Gram matrix is not divided by the number of positions, but the target is.",
)

# 3.5, the style loss over the layers


def _three_layers(generator: Generator) -> Inputs:
    channels = {"conv1_1": 3, "conv2_1": 4, "conv3_1": 5}
    grams, targets = (
        {name: gram_matrix(_maps(generator, 1, count, 4, 4)) for name, count in channels.items()}
        for _ in range(2)
    )
    weights = torch.rand(len(channels), generator=generator) + 0.5
    return grams, targets, dict(zip(channels, weights.tolist(), strict=True))


_STYLE_LOSS = mistakes(
    lambda g, t, w: style_loss(g, t),
    "all layers count the same. Multiply each layer's loss by its weight.",
    lambda g, t, w: style_loss(g, t, w) / len(w),
    "you take the mean over the layers. Add them up.",
    lambda g, t, w: style_loss(g, t, w) / sum(w.values()),
    "you divide by the sum of the weights. Only add up the weighted losses.",
    lambda g, t, w: style_loss(g, t, {name: weight**2 for name, weight in w.items()}),
    "the weights get squared too. Square the difference first, then multiply by the weight.",
    lambda g, t, w: style_loss(g, t, {name: w[name] for name in list(w)[-1:]}),
    Hint(
        "only the last layer is in the result. Add to the loss inside the loop instead of "
        "replacing it, and return after the loop.",
        "style-last-layer",
    ),
    lambda g, t, w: style_loss(g, t, {name: w[name] for name in list(w)[:1]}),
    Hint("only the first layer is in the result. Is return inside the loop?", "style-first-layer"),
    lambda g, t, w: sum(w[name] * (g[name] - t[name]).square().sum() for name in w),
    "within a layer you take the sum over the entries. Take their mean.",
    lambda g, t, w: {name: style_loss(g, t, {name: w[name]}) for name in w},
    "this is one number for each layer. Add them up into a single one.",
)

for _exercise in (
    Exercise(
        "3.1", "Two maps, one number", lambda a, b: (a * b).mean(), _two_maps, _CORRELATION
    ),
    Exercise(
        "3.2", "The Gram matrix with two loops", _gram, lambda g: (_maps(g, 4, 3, 5),), _LOOPS
    ),
    Exercise(
        "3.3", "The Gram matrix without a loop", gram_matrix, lambda g: (_maps(g, 2, 4, 3, 5),),
        _NO_LOOP, gradient=True,
    ),
    Exercise(
        "3.4", "The style loss of one layer",
        lambda maps, target: (gram_matrix(maps) - target).square().mean(), _maps_and_target,
        _LAYER_LOSS, gradient=True,
    ),
    Exercise(
        "3.5", "The style loss over the layers", style_loss, _three_layers, _STYLE_LOSS,
        gradient=True,
    ),
):  # fmt: skip
    register(_exercise)
