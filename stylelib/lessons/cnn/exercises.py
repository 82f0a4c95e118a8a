"""Lesson 01: convolution, ReLU, pooling, receptive field."""

import torch
from torch import Generator
from torch.nn import functional as F

from ..checking import Exercise, Inputs, Mistake, register
from ..checking import check as check

_STACKS = (
    ("conv", "conv", "pool", "conv", "pool", "conv"),
    ("conv", "pool", "pool", "conv"),
    ("conv", "conv", "pool", "conv", "conv", "pool", "conv", "conv", "conv"),
)


def _window_and_kernel(generator: Generator) -> Inputs:
    return torch.rand(3, 3, generator=generator), torch.randn(3, 3, generator=generator)


def _signed_maps(generator: Generator) -> Inputs:
    return (torch.randn(2, 5, 7, generator=generator),)


def _even_maps(generator: Generator) -> Inputs:
    return (torch.randn(3, 6, 8, generator=generator),)


def _side_and_poolings(generator: Generator) -> Inputs:
    side = int(torch.randint(100, 400, (), generator=generator)) * 2 + 1
    return side, int(torch.randint(2, 5, (), generator=generator))


def _stack(generator: Generator) -> Inputs:
    return (_STACKS[generator.initial_seed() % len(_STACKS)],)


def _halved(side: int, poolings: int) -> int:
    for _ in range(poolings):
        side //= 2
    return side


def _field(
    layers: tuple[str, ...], start: int = 1, pool: int = 1, conv: int = 2, grow: int = 2
) -> int:
    """The receptive field; other numbers than the default ones give the usual mistakes."""
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


register(
    Exercise(
        "1.1",
        "one place of a convolution",
        right=lambda window, kernel: (window * kernel).sum(),
        inputs=_window_and_kernel,
        mistakes=(
            Mistake(
                lambda window, kernel: window * kernel,
                "these are the nine products, and right. What is left is to make one number "
                "of them: add them up.",
            ),
            Mistake(
                lambda window, kernel: (window * kernel).mean(),
                "you took the mean of the products. A convolution takes their sum: nothing is "
                "divided by nine.",
            ),
            Mistake(
                lambda window, kernel: (window @ kernel).sum(),
                "@ is the matrix product, which mixes rows with columns. Here each number is "
                "multiplied by the one in the same place: that is *.",
            ),
            Mistake(
                lambda window, kernel: window @ kernel,
                "@ is the matrix product, which mixes rows with columns. Here each number is "
                "multiplied by the one in the same place: that is *. Then add up.",
            ),
            Mistake(
                lambda window, kernel: (window * kernel.flip(0, 1)).sum(),
                "you flipped the kernel, as mathematicians do in a convolution. Neural networks "
                "leave it as it is.",
            ),
            Mistake(
                lambda window, kernel: (window * kernel.T).sum(),
                "one of the two is transposed: its rows have become columns. Leave both as they "
                "are.",
            ),
            Mistake(
                lambda window, kernel: (window * kernel).sum(0),
                "sum with a dimension adds up in that direction only, so three numbers are left. "
                "Add up all nine.",
            ),
            Mistake(
                lambda window, kernel: (window + kernel).sum(),
                "you added window and kernel. Multiply them, number by number, then add up.",
            ),
        ),
    )
)

register(
    Exercise(
        "1.2",
        "ReLU",
        right=lambda maps: maps.clamp(min=0),
        inputs=_signed_maps,
        mistakes=(
            Mistake(
                lambda maps: maps.abs(),
                "this takes the minus signs away. ReLU makes every number below 0 exactly 0.",
            ),
            Mistake(
                lambda maps: maps.clamp(max=0),
                "this keeps the numbers below 0 and drops the others: the wrong way round.",
            ),
            Mistake(
                lambda maps: (maps > 0).float(),
                "these are zeros and ones: where a number is above 0, not which number it is.",
            ),
            Mistake(
                lambda maps: maps[maps > 0],
                "the numbers below 0 are gone, and with them the shape. They should stay in their "
                "places, as 0.",
            ),
            Mistake(
                lambda maps: maps.sigmoid(),
                "this is the sigmoid, an older choice, which squeezes all numbers to 0-1. ReLU "
                "leaves those above 0 alone.",
            ),
            Mistake(
                lambda maps: maps.max(),
                "this is the largest number of all. Compare each number with 0, one by one.",
            ),
        ),
    )
)

register(
    Exercise(
        "1.3",
        "max-pooling",
        right=lambda maps: F.max_pool2d(maps, 2),
        inputs=_even_maps,
        mistakes=(
            Mistake(
                lambda maps: F.avg_pool2d(maps, 2),
                "you took the mean of each four: that is average pooling. Take the largest.",
            ),
            Mistake(
                lambda maps: maps[:, ::2, ::2],
                "this keeps the top left number of each four, whichever it is. Keep the largest.",
            ),
            Mistake(
                lambda maps: F.max_pool2d(maps, 2, stride=1),
                "your squares overlap: they move on by 1. Let them move on by 2, so that each "
                "number is in one square only.",
            ),
            Mistake(
                lambda maps: F.max_pool2d(maps, (1, 2)),
                "only the width is halved. Take the larger of two rows, too.",
            ),
            Mistake(
                lambda maps: F.max_pool2d(maps, (2, 1)),
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
                "the squares are right. What is left is the largest number of each.",
            ),
        ),
    )
)

register(
    Exercise(
        "1.4",
        "the size after some poolings",
        right=_halved,
        inputs=_side_and_poolings,
        mistakes=(
            Mistake(
                lambda side, poolings: side / 2**poolings,
                "there is no such thing as part of a pixel. Each pooling rounds down: // does it.",
            ),
            Mistake(
                lambda side, poolings: -(-side // 2**poolings),
                "you rounded up. A row or column that has no partner is left out: round down.",
            ),
            Mistake(
                lambda side, poolings: round(side / 2**poolings),
                "you rounded to the nearest. A row or column that has no partner is left out: "
                "round down.",
            ),
            Mistake(
                lambda side, poolings: side // (2 * poolings),
                "you divided by 2 times the number of poolings. Each pooling halves what the one "
                "before it left: 2, 4, 8, …",
            ),
            Mistake(
                lambda side, poolings: side // 2,
                "that is after one pooling. Do it as often as asked.",
            ),
            Mistake(
                lambda side, poolings: side - 2 * poolings,
                "a pooling doesn't take 2 away, it halves.",
            ),
            Mistake(
                lambda side, poolings: side // 4**poolings,
                "a pooling keeps one number of four, but the side of a map is halved, not "
                "quartered.",
            ),
        ),
    )
)

register(
    Exercise(
        "1.5",
        "the receptive field of a stack",
        right=_field,
        inputs=_stack,
        mistakes=(
            Mistake(
                lambda layers: _field(layers, grow=1),
                "every layer adds the same in yours. After a pooling, neighbouring numbers lie "
                "twice as many pixels apart, so each later layer adds twice as much.",
            ),
            Mistake(
                lambda layers: _field(layers, start=0),
                "one too few everywhere. Before any layer a number sees one pixel: start from 1.",
            ),
            Mistake(
                lambda layers: _field(layers, conv=3),
                "a 3 x 3 kernel adds 2 steps, not 3: one on each side. The middle was there "
                "already.",
            ),
            Mistake(
                lambda layers: _field(layers, pool=2),
                "your poolings add too much. A 2 x 2 pooling adds one step, as long as before it: "
                "first add, then double the step.",
            ),
            Mistake(
                lambda layers: _field(layers, pool=0),
                "the poolings add something, too: one step each, for they look at a neighbour.",
            ),
            Mistake(
                lambda layers: _field(layers, start=3),
                "you started from 3, and the first convolution then counted again. Before any "
                "layer a number sees one pixel: start from 1.",
            ),
            Mistake(
                lambda layers: _field(layers, conv=1),
                "a 3 x 3 kernel reaches one step to each side: that adds 2, not 1.",
            ),
            Mistake(
                lambda layers: _field(layers) ** 2,
                "that is the area. Give the length of a side.",
            ),
            Mistake(
                _doubled,
                "a pooling doesn't double the field itself: it adds one step to it, and doubles "
                "the steps of the layers after it.",
            ),
        ),
    )
)
