"""The exercises of lesson 03: from one product of two maps to the style loss."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from ...guards import gram_matrix, style_loss
from ..checking import Exercise, Inputs, Mistake, register
from ..checking import check as check
from .compute import center

_LAYERS = ("conv1_1", "conv2_1", "conv3_1")
_FORGOT = "this is the sum over the places. Divide it by their number: take the mean."
_TWICE = "you divided by the number of channels too. Divide by the number of places only."
_MIXED = (
    "the numbers of different maps got mixed: reshape only cuts the numbers into new rows, in "
    "the order they lie in. Keep the channels where they are and flatten the last two dimensions."
)
_TRANSPOSED = (
    "this compares places with places, not channels with channels. Swap the two factors of the "
    "matrix product."
)


def _maps(generator: Generator, *shape: int) -> Tensor:
    """Random maps as a ReLU leaves them, each with a brightness of its own."""
    maps = torch.randn(*shape, generator=generator).relu()
    return maps * (1 + torch.arange(shape[-3]).view(-1, 1, 1))


def _two_maps(generator: Generator) -> Inputs:
    # Square, so that a matrix product of the two is possible, and can be told.
    first, second = _maps(generator, 2, 5, 5)
    return first, second


register(
    Exercise(
        "3.1",
        "Two maps, one number",
        lambda a, b: (a * b).mean(),
        _two_maps,
        [
            Mistake(lambda a, b: (a * b).sum(), _FORGOT),
            Mistake(
                lambda a, b: a * b,
                "this is the product in each place, still a map. Take its mean.",
            ),
            Mistake(
                lambda a, b: a.mean() * b.mean(),
                "you took the means first. Then it doesn't matter where the maps are active. "
                "Multiply first, then take the mean.",
            ),
            Mistake(
                lambda a, b: (a @ b).mean(),
                "@ is the matrix product: rows times columns. Here each place is multiplied with "
                "the same place of the other map: use *.",
            ),
            Mistake(lambda a, b: (a + b).mean(), "you added the maps. Multiply them."),
            Mistake(
                lambda a, b: (a - b).square().mean(),
                "this is the content loss, how different they are. Multiply the maps instead.",
            ),
            Mistake(
                lambda a, b: torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1],
                "this is the correlation coefficient of statistics, with the means subtracted and "
                "the sizes divided out. Simpler here: multiply, then take the mean.",
            ),
        ],
    )
)


def _table(entry: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A C x C table with `entry` of each pair of maps."""
    return lambda maps: torch.stack([torch.stack([entry(a, b) for b in maps]) for a in maps])


def _only(part: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda maps: part(gram_matrix(maps[None])[0])


register(
    Exercise(
        "3.2",
        "The Gram matrix with two loops",
        lambda maps: gram_matrix(maps[None])[0],
        lambda generator: (_maps(generator, 4, 3, 5),),
        [
            Mistake(_table(lambda a, b: (a * b).sum()), _FORGOT),
            Mistake(lambda maps: gram_matrix(maps[None])[0] / len(maps), _TWICE),
            Mistake(
                _table(lambda a, b: a.mean() * b.mean()),
                "you multiplied the means of the maps. Multiply the maps, then take the mean.",
            ),
            Mistake(
                _only(torch.triu),
                "the lower left half is still 0. Let both loops run over all the channels.",
            ),
            Mistake(
                _only(lambda gram: torch.triu(gram, 1)),
                "the diagonal and the lower left half are still 0. Let both loops run over all "
                "the channels.",
            ),
            Mistake(
                _only(torch.tril),
                "the upper right half is still 0. Let both loops run over all the channels.",
            ),
            Mistake(
                _only(lambda gram: gram.diagonal().diag()),
                "only the diagonal is filled. You need each map with each other map: two loops.",
            ),
            Mistake(
                _only(lambda gram: gram - gram.diagonal().diag()),
                "the diagonal is still 0. A map is also paired with itself.",
            ),
            Mistake(
                lambda maps: gram_matrix(maps[None]),
                "the numbers are right, but there is one dimension too many: for one picture the "
                "result is a table of channels times channels.",
            ),
        ],
    )
)


def _flat(maps: Tensor) -> Tensor:
    return maps.flatten(2)


def _places(maps: Tensor) -> int:
    return maps.shape[-2] * maps.shape[-1]


def _scaled(wrong: Callable[[Tensor], Tensor], hint: str) -> list[Mistake]:
    """A mistake, whatever it is then divided by: nothing, places, channels or both."""

    def divided(by: Callable[[Tensor], int]) -> Callable[[Tensor], Tensor]:
        return lambda maps: wrong(maps) / by(maps)

    counts: list[Callable[[Tensor], int]] = [
        lambda maps: 1,
        _places,
        lambda maps: maps.shape[1],
        lambda maps: maps.shape[1] * _places(maps),
    ]
    return [Mistake(divided(by), hint) for by in counts]


def _channels_last(maps: Tensor) -> Tensor:
    return maps.permute(0, 2, 3, 1).reshape(maps.shape[0], maps.shape[1], -1)


def _cut(maps: Tensor) -> Tensor:
    return maps.reshape(maps.shape[0], -1, maps.shape[1]).mT


def _one_picture(maps: Tensor) -> Tensor:
    return gram_matrix(maps[:1])[0]


register(
    Exercise(
        "3.3",
        "The Gram matrix without a loop",
        gram_matrix,
        lambda generator: (_maps(generator, 2, 4, 3, 5),),
        [
            Mistake(lambda m: gram_matrix(m) * _places(m), _FORGOT),
            Mistake(lambda m: gram_matrix(m) / m.shape[1], _TWICE),
            Mistake(
                lambda m: gram_matrix(m) * _places(m) / m.shape[1],
                "you divided by the number of channels. Divide by the number of places, H times W.",
            ),
            Mistake(
                lambda m: gram_matrix(m) / len(m),
                "you divided by the number of pictures too. Each picture has a Gram matrix of its "
                "own.",
            ),
            *_scaled(lambda m: _flat(m).mT @ _flat(m), _TRANSPOSED),
            *_scaled(lambda m: _channels_last(m) @ _channels_last(m).mT, _MIXED),
            *_scaled(lambda m: _cut(m) @ _cut(m).mT, _MIXED),
            Mistake(
                lambda m: gram_matrix(center(m)),
                "you subtracted each map's mean first. That comes later in the lesson; here take "
                "the maps as they are.",
            ),
            *_scaled(
                lambda m: m.reshape(-1, _places(m)) @ m.reshape(-1, _places(m)).T,
                "the pictures of the batch got mixed: the channels of one were multiplied with "
                "those of another. Keep the first dimension apart.",
            ),
            Mistake(
                _one_picture,
                "this is the Gram matrix of the first picture alone. There is one for each "
                "picture of the batch.",
            ),
            Mistake(
                lambda m: gram_matrix(m).mean(0),
                "you averaged over the pictures of the batch. There is one Gram matrix for each.",
            ),
            *_scaled(
                lambda m: m @ m.mT,
                "you multiplied the rows of the maps. Flatten height and width into one "
                "dimension first.",
            ),
        ],
        gradient=True,
    )
)


def _against(measure: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda maps, target: measure(gram_matrix(maps), target)


register(
    Exercise(
        "3.4",
        "The style loss of one layer",
        _against(lambda gram, target: (gram - target).square().mean()),
        lambda generator: (
            _maps(generator, 1, 4, 3, 5),
            gram_matrix(_maps(generator, 1, 4, 6, 4)),
        ),
        [
            Mistake(
                _against(lambda gram, target: (gram - target).square().sum()),
                "this is the sum of the squared differences. Take their mean.",
            ),
            Mistake(
                _against(lambda gram, target: (gram - target).mean()),
                "this is the mean of the differences: too much here and too little there cancel. "
                "Square them before you take the mean.",
            ),
            Mistake(
                _against(lambda gram, target: (gram - target).abs().mean()),
                "you took the size of each difference. Here we square it.",
            ),
            Mistake(
                _against(lambda gram, target: (gram - target).square().mean().sqrt()),
                "leave out the square root at the end.",
            ),
            Mistake(
                _against(lambda gram, target: (gram - target).square().sum().sqrt()),
                "this is the length of the difference. Take the mean of the squares, with no root.",
            ),
            Mistake(
                _against(lambda gram, target: (gram - target).square()),
                "this is still a table: the squared difference in each cell. Take its mean.",
            ),
            Mistake(
                _against(lambda gram, target: (gram.mean() - target.mean()).square()),
                "you took the means of the Gram matrices first. Compare them cell by cell, and "
                "take the mean at the end.",
            ),
            Mistake(
                lambda maps, target: (gram_matrix(maps) * _places(maps) - target).square().mean(),
                "your Gram matrix is not divided by the number of places, but the target is.",
            ),
        ],
        gradient=True,
    )
)


def _three_layers(generator: Generator) -> Inputs:
    channels = dict(zip(_LAYERS, (3, 4, 5), strict=True))
    grams, targets = (
        {name: gram_matrix(_maps(generator, 1, count, 4, 4)) for name, count in channels.items()}
        for _ in range(2)
    )
    weights = torch.rand(len(_LAYERS), generator=generator) + 0.5
    return grams, targets, dict(zip(_LAYERS, weights.tolist(), strict=True))


def _layer(grams: Any, targets: Any, name: str) -> Tensor:
    return (grams[name] - targets[name]).square().mean()


def _weighted(grams: Any, targets: Any, weights: Any, power: int = 1) -> Tensor:
    terms = [weight**power * _layer(grams, targets, name) for name, weight in weights.items()]
    return torch.stack(terms).sum()


register(
    Exercise(
        "3.5",
        "The style loss over the layers",
        style_loss,
        _three_layers,
        [
            Mistake(
                lambda g, t, w: _weighted(g, t, w, power=0),
                "the layers all count the same. Multiply each layer's loss by its weight.",
            ),
            Mistake(
                lambda g, t, w: _weighted(g, t, w) / len(w),
                "you took the mean over the layers. Add them up.",
            ),
            Mistake(
                lambda g, t, w: _weighted(g, t, w) / sum(w.values()),
                "you divided by the sum of the weights. Here the weighted losses are only added "
                "up.",
            ),
            Mistake(
                lambda g, t, w: _weighted(g, t, w, power=2),
                "the weights got squared too. Square the difference first, then multiply by the "
                "weight.",
            ),
            Mistake(
                lambda g, t, w: w[list(w)[-1]] * _layer(g, t, list(w)[-1]),
                "only the last layer is in the result. Add to the loss in the loop rather than "
                "setting it, and return after the loop.",
            ),
            Mistake(
                lambda g, t, w: w[next(iter(w))] * _layer(g, t, next(iter(w))),
                "only the first layer is in the result. Is return inside the loop?",
            ),
            Mistake(
                lambda g, t, w: sum(
                    weight * (g[name] - t[name]).square().sum() for name, weight in w.items()
                ),
                "within a layer you took the sum over the cells. Take their mean.",
            ),
            Mistake(
                lambda g, t, w: {name: w[name] * _layer(g, t, name) for name in w},
                "this is one number for each layer. Add them up to a single one.",
            ),
        ],
        gradient=True,
    )
)
