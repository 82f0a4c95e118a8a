"""The exercises of lesson 01: convolution, ReLU, pooling, receptive field."""

from functools import partial

import torch
from torch import Generator
from torch.nn import functional as F

from ..checking import Exercise, Mistake, register
from ..checking import check as check

_MATRIX_PRODUCT = (
    "@ is the matrix product, which mixes rows and columns. Here each number is multiplied by "
    "the one in the same position, with *, and then all products are added up."
)
_ROUND_DOWN = "you rounded up. A row or column without a partner is dropped: round down."
_START = (
    "your result is off by the same amount for every stack. Before any layer, a value sees one "
    "pixel: start from 1, and let each layer add to that once."
)
_TWO_STEPS = "a 3 x 3 kernel reaches one step to each side: it adds 2 steps, not 3 and not 1."

_CONVOLUTION = [
    Mistake(torch.mul, "the nine products are right. Now make one number of them: add them up."),
    Mistake(
        lambda window, kernel: (window * kernel).mean(),
        "you took the mean. A convolution takes the sum: nothing is divided by nine.",
    ),
    Mistake(lambda window, kernel: (window @ kernel).sum(), _MATRIX_PRODUCT),
    Mistake(torch.matmul, _MATRIX_PRODUCT),
    Mistake(
        lambda window, kernel: (window * kernel.flip(0, 1)).sum(),
        "you flipped the kernel, as mathematicians do. Neural networks leave it as it is.",
    ),
    Mistake(
        lambda window, kernel: (window * kernel.T).sum(),
        "one of the two is transposed: its rows have become columns. Transpose neither.",
    ),
    Mistake(
        lambda window, kernel: (window * kernel).sum(0),
        "sum with a dimension adds up along that one only. Add up all nine numbers.",
    ),
    Mistake(
        lambda window, kernel: (window + kernel).sum(),
        "you added window and kernel. Multiply them, number by number, then add up.",
    ),
]

_RELU = [
    Mistake(
        torch.abs, "this removes the minus signs. ReLU replaces every number below 0 by exactly 0."
    ),
    Mistake(
        lambda maps: maps.clamp(max=0),
        "this keeps the negative numbers and drops the others: the wrong way round.",
    ),
    Mistake(
        lambda maps: (maps > 0).float(),
        "these are zeros and ones. They say where a number is above 0, but not what it is.",
    ),
    Mistake(
        lambda maps: maps[maps > 0],
        "the negative numbers are gone. They should stay in their places, as 0.",
    ),
    Mistake(
        torch.sigmoid,
        "this is the sigmoid, an older choice. ReLU leaves positive numbers as they are.",
    ),
    Mistake(
        torch.max, "this is the largest of all the numbers. Compare each number with 0, one by one."
    ),
]

_MAX_POOLING = [
    Mistake(
        partial(F.avg_pool2d, kernel_size=2),
        "you took the mean of each four: that is average pooling. Take the largest.",
    ),
    Mistake(
        lambda maps: maps[:, ::2, ::2],
        "this keeps the top left number of each four, whatever it is. Keep the largest.",
    ),
    Mistake(
        partial(F.max_pool2d, kernel_size=2, stride=1),
        "your squares overlap. Move by 2, so that each number is in one square only.",
    ),
    Mistake(
        partial(F.max_pool2d, kernel_size=(1, 2)),
        "only the width is halved. Take the larger of two rows, too.",
    ),
    Mistake(
        partial(F.max_pool2d, kernel_size=(2, 1)),
        "only the height is halved. Take the larger of two columns, too.",
    ),
    Mistake(
        lambda maps: maps.amax((1, 2)),
        "this is one number for a whole map. Take the largest of each 2 x 2 square.",
    ),
    Mistake(
        lambda maps: -F.max_pool2d(-maps, 2),
        "you took the smallest of each four. Take the largest.",
    ),
    Mistake(
        lambda maps: maps.reshape(3, 3, 2, 4, 2).transpose(2, 3).reshape(3, 3, 4, 4),
        "the squares are right. Now take the largest number of each.",
    ),
]

_MAP_SIZE = [
    Mistake(
        lambda side, poolings: side / 2**poolings,
        "there is no such thing as part of a pixel. Each pooling rounds down: use //.",
    ),
    Mistake(lambda side, poolings: -(-side // 2**poolings), _ROUND_DOWN),
    Mistake(lambda side, poolings: round(side / 2**poolings), _ROUND_DOWN),
    Mistake(
        lambda side, poolings: side // (2 * poolings),
        "you divided by 2 times the number of poolings. Each pooling halves what the "
        "previous one left: divide by 2, 4, 8, …",
    ),
    Mistake(
        lambda side, poolings: side // 2,
        "that is the size after one pooling. Halve it once for each of the poolings.",
    ),
    Mistake(
        lambda side, poolings: side - 2 * poolings,
        "a pooling doesn't take 2 away: it halves the size.",
    ),
    Mistake(
        lambda side, poolings: side // 4**poolings,
        "a pooling keeps one number in four: each side is halved, not quartered.",
    ),
]


def _random(generator: Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high, (), generator=generator))


_STACKS = (
    ("conv", "conv", "pool", "conv", "pool", "conv"),
    ("conv", "pool", "pool", "conv"),
    ("conv", "conv", "pool", "conv", "conv", "pool", "conv", "conv", "conv"),
)


def _field(
    layers: tuple[str, ...], start: int = 1, pool: int = 1, conv: int = 2, grow: int = 2
) -> int:
    """The receptive field; with other numbers than the defaults, the common mistakes."""
    size, stride = start, 1
    for layer in layers:
        size += (pool if layer == "pool" else conv) * stride
        stride *= grow if layer == "pool" else 1
    return size


def _doubled(layers: tuple[str, ...]) -> int:
    size = 1
    for layer in layers:
        size = size * 2 if layer == "pool" else size + 2
    return size


_RECEPTIVE_FIELD = [
    Mistake(
        partial(_field, grow=1),
        "in yours, every layer adds the same. After a pooling, neighbouring values are "
        "twice as many pixels apart, so each later layer adds twice as much.",
    ),
    Mistake(partial(_field, start=0), _START),
    Mistake(partial(_field, start=3), _START),
    Mistake(partial(_field, conv=3), _TWO_STEPS),
    Mistake(partial(_field, conv=1), _TWO_STEPS),
    Mistake(
        partial(_field, pool=2),
        "your poolings add too much. A 2 x 2 pooling adds one step, of the length that "
        "steps have before it: first add, then double the step.",
    ),
    Mistake(
        partial(_field, pool=0),
        "poolings add something, too: one step each, since they look at a neighbour.",
    ),
    Mistake(lambda layers: _field(layers) ** 2, "that is the area. Return the length of a side."),
    Mistake(
        _doubled, "a pooling doesn't double the field: it adds a step, and doubles the later steps."
    ),
]

for _exercise in (
    Exercise(
        "1.1", "Convolution at one position", lambda window, kernel: (window * kernel).sum(),
        lambda g: (torch.rand(3, 3, generator=g), torch.randn(3, 3, generator=g)), _CONVOLUTION,
    ),
    Exercise("1.2", "ReLU", torch.relu, lambda g: (torch.randn(2, 5, 7, generator=g),), _RELU),
    Exercise(
        "1.3", "Max-pooling", partial(F.max_pool2d, kernel_size=2),
        lambda g: (torch.randn(3, 6, 8, generator=g),), _MAX_POOLING,
    ),
    Exercise(
        "1.4", "Map size after several poolings", lambda side, poolings: side // 2**poolings,
        lambda g: (_random(g, 100, 400) * 2 + 1, _random(g, 2, 5)), _MAP_SIZE,
    ),
    Exercise(
        "1.5", "The receptive field of a stack", _field,
        lambda g: (_STACKS[g.initial_seed() % len(_STACKS)],), _RECEPTIVE_FIELD,
    ),
):  # fmt: skip
    register(_exercise)
