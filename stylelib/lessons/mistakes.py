"""The common mistakes of an exercise: wrong answers, and the hint that each of them gets."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .checking import Mistake
from .painted import Hint

Answer = Callable[..., Any]

_MEAN_SQUARE: dict[str, Callable[[Tensor], Tensor]] = {
    Hint("this is the sum of the squared differences. Take their mean.", "content-sum"): lambda d: (
        d.square().sum()
    ),
    "square the differences first, or positive and negative ones cancel out.": torch.mean,
    "this is the mean absolute difference. Use square, not abs.": lambda d: d.abs().mean(),
    "leave out the square root at the end.": lambda d: d.square().mean().sqrt(),
    "this is the length of the difference. Take the mean of the squares.": torch.linalg.norm,
    "the order matters: square each difference, then take the mean.": lambda d: d.mean().square(),
    "this is still one square for each number. Take the mean of them all.": torch.square,
}


def mistakes(*answers_and_hints: Answer | str) -> list[Mistake]:
    """The mistakes of an `Exercise`: each hint follows the wrong answers that get it.

    Examples
    --------
    >>> found = mistakes(min, max, "take the mean of the two.", len, "add them up.")
    >>> [mistake.hint for mistake in found]
    ['take the mean of the two.', 'take the mean of the two.', 'add them up.']
    """
    found: list[Mistake] = []
    answers: list[Answer] = []
    for each in answers_and_hints:
        if isinstance(each, str):
            found += [Mistake(answer, each) for answer in answers]
            answers = []
        else:
            answers.append(each)
    return found


def mse_mistakes(difference: Callable[..., Tensor]) -> list[Answer | str]:
    """For `mistakes`: wrong ways to the mean square of a `difference` between the inputs."""

    def after(reduce: Callable[[Tensor], Tensor]) -> Answer:
        return lambda *inputs: reduce(difference(*inputs))

    return [each for hint, reduce in _MEAN_SQUARE.items() for each in (after(reduce), hint)]
