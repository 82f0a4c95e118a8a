"""Common mistakes in a mean squared error, for exercises of this lesson and of later ones."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..checking import Mistake

Reduction = Callable[[Tensor], Tensor]

_MEAN_SQUARE: list[tuple[Reduction, str]] = [
    (lambda d: d.square().sum(), "this is the sum of the squared differences. Take their mean."),
    (torch.mean, "square the differences first, or positive and negative ones cancel out."),
    (lambda d: d.abs().mean(), "this is the mean absolute difference. Use square, not abs."),
    (lambda d: d.square().mean().sqrt(), "leave out the square root at the end."),
    (torch.linalg.norm, "this is the length of the difference. Take the mean of the squares."),
    (lambda d: d.mean().square(), "the order matters: square each difference, then take the mean."),
    (torch.square, "this is still one square for each number. Take the mean of them all."),
]


def mse_mistakes(difference: Callable[..., Tensor]) -> list[Mistake]:
    """Mistakes in the mean square of the `difference` that is made from an exercise's inputs."""

    def mistake(reduce: Reduction, hint: str) -> Mistake:
        return Mistake(lambda *inputs: reduce(difference(*inputs)), hint)

    return [mistake(reduce, hint) for reduce, hint in _MEAN_SQUARE]
