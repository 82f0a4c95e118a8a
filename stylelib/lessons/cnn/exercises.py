"""The exercises of lesson 01: convolution, ReLU, pooling, receptive field."""

from functools import partial

import torch
from torch import Generator
from torch.nn import functional as F

from ..checking import Exercise, guide, register
from ..checking import check as check
from ..checking import hint as hint
from ..checking import solution as solution
from ..mistakes import mistakes

_CONVOLUTION = mistakes(
    torch.mul,
    "the nine products are right. Now make one number of them: add them up.",
    lambda window, kernel: (window * kernel).mean(),
    "you took the mean. A convolution takes the sum: nothing is divided by nine.",
    lambda window, kernel: (window @ kernel).sum(),
    torch.matmul,
    "@ is the matrix product, which mixes rows and columns. Here each number is multiplied by "
    "the one in the same position, with *, and then all products are added up.",
    lambda window, kernel: (window * kernel.flip(0, 1)).sum(),
    "you flipped the kernel, as mathematicians do. Neural networks leave it as it is.",
    lambda window, kernel: (window * kernel.T).sum(),
    "one of the two is transposed: its rows have become columns. Transpose neither.",
    lambda window, kernel: (window * kernel).sum(0),
    "sum with a dimension adds up along that one only. Add up all nine numbers.",
    lambda window, kernel: (window + kernel).sum(),
    "you added window and kernel. Multiply them, number by number, then add up.",
)

_RELU = mistakes(
    torch.abs,
    "this removes the minus signs. ReLU replaces every number below 0 by exactly 0.",
    lambda maps: maps.clamp(max=0),
    "this keeps the negative numbers and drops the others: the wrong way round.",
    lambda maps: (maps > 0).float(),
    "these are zeros and ones. They say where a number is above 0, but not what it is.",
    lambda maps: maps[maps > 0],
    "the negative numbers are gone. They should stay in their places, as 0.",
    torch.sigmoid,
    "this is the sigmoid, an older choice. ReLU leaves positive numbers as they are.",
    torch.max,
    "this is the largest of all the numbers. Compare each number with 0, one by one.",
)

_MAX_POOLING = mistakes(
    partial(F.avg_pool2d, kernel_size=2),
    "you took the mean of each four: that is average pooling. Take the largest.",
    lambda maps: maps[:, ::2, ::2],
    "this keeps the top left number of each four, whatever it is. Keep the largest.",
    partial(F.max_pool2d, kernel_size=2, stride=1),
    "your squares overlap. Move by 2, so that each number is in one square only.",
    partial(F.max_pool2d, kernel_size=(1, 2)),
    "only the width is halved. Take the larger of two rows, too.",
    partial(F.max_pool2d, kernel_size=(2, 1)),
    "only the height is halved. Take the larger of two columns, too.",
    lambda maps: maps.amax((1, 2)),
    "this is one number for a whole map. Take the largest of each 2 x 2 square.",
    lambda maps: -F.max_pool2d(-maps, 2),
    "you took the smallest of each four. Take the largest.",
    lambda maps: maps.reshape(3, 3, 2, 4, 2).transpose(2, 3).reshape(3, 3, 4, 4),
    "the squares are right. Now take the largest number of each.",
)

_MAP_SIZE = mistakes(
    lambda side, poolings: side / 2**poolings,
    "there is no such thing as part of a pixel. Each pooling rounds down: use //.",
    lambda side, poolings: -(-side // 2**poolings),
    lambda side, poolings: round(side / 2**poolings),
    "you rounded up. A row or column without a partner is dropped: round down.",
    lambda side, poolings: side // (2 * poolings),
    "you divided by 2 times the number of poolings. Each pooling halves what the "
    "previous one left: divide by 2, 4, 8, …",
    lambda side, poolings: side // 2,
    "that is the size after one pooling. Halve it once for each of the poolings.",
    lambda side, poolings: side - 2 * poolings,
    "a pooling doesn't take 2 away: it halves the size.",
    lambda side, poolings: side // 4**poolings,
    "a pooling keeps one number in four: each side is halved, not quartered.",
)


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


_RECEPTIVE_FIELD = mistakes(
    partial(_field, grow=1),
    "in yours, every layer adds the same. After a pooling, neighbouring values are "
    "twice as many pixels apart, so each later layer adds twice as much.",
    partial(_field, start=0),
    partial(_field, start=3),
    "your result is off by the same amount for every stack. Before any layer, a value sees one "
    "pixel: start from 1, and let each layer add to that once.",
    partial(_field, conv=3),
    partial(_field, conv=1),
    "a 3 x 3 kernel reaches one step to each side: it adds 2 steps, not 3 and not 1.",
    partial(_field, pool=2),
    "your poolings add too much. A 2 x 2 pooling adds one step, of the length that "
    "steps have before it: first add, then double the step.",
    partial(_field, pool=0),
    "poolings add something, too: one step each, since they look at a neighbour.",
    lambda layers: _field(layers) ** 2,
    "that is the area. Return the length of a side.",
    _doubled,
    "a pooling doesn't double the field: it adds a step, and doubles the later steps.",
)

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

guide(
    "1.1",
    "do it as in part 2: multiply each pixel by the number on top of it, then add up.",
    "the sum of window · kernel, number by number; in PyTorch * does just that.",
    "products = window * kernel",
    solution="""
def my_convolution(window, kernel):
    return (window * kernel).sum()
""",
)
guide(
    "1.2",
    "compare each number with 0 and take the larger one.",
    "clamp(min=...) replaces all that is below.",
    "return maps.clamp( and the smallest number allowed )",
    solution="""
def my_relu(maps):
    return maps.clamp(min=0)
""",
)
guide(
    "1.3",
    "first make one row of two, then one column of two.",
    "a.maximum(b) takes the larger of each pair; maps[:, 0::2] are the even rows, maps[:, 1::2] "
    "the odd ones.",
    "rows = maps[:, 0::2].maximum(maps[:, 1::2])",
    solution="""
def my_max_pool(maps):
    rows = maps[:, 0::2].maximum(maps[:, 1::2])
    return rows[:, :, 0::2].maximum(rows[:, :, 1::2])
""",
)
guide(
    "1.4",
    "each pooling halves the side once more; write the sizes down for side = 100.",
    "divide by 2 once for each pooling, rounding down: // and **.",
    "return side // ( 2 to the power of the number of poolings )",
    solution="""
def my_size(side, poolings):
    return side // 2**poolings
""",
)
guide(
    "1.5",
    "begin with one pixel and a step of one, and go through the layers one by one.",
    "a convolution adds 2 steps to the size, a pooling adds 1 step and then doubles the step.",
    "size, step = 1, 1",
    solution="""
def my_receptive_field(layers):
    size, step = 1, 1
    for layer in layers:
        if layer == "conv":
            size = size + 2 * step
        else:
            size = size + step
            step = 2 * step
    return size
""",
)
