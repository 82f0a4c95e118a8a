"""Checks of what an answer does, where there is more than one right answer."""

import copy
from dataclasses import dataclass
from typing import Any

from torch import Generator, Tensor

from ..core.vgg import VGG19
from .checking import _ROUNDS, Exercise, Inputs, Verdict, _explain_error


@dataclass(frozen=True)
class Watched(Exercise):
    """An exercise with several right answers: what was done is looked at, point by point.

    A mistake's `wrong` is here a question with yes or no for an answer, about the
    inputs as they were before, the inputs as they are now, and the result. All
    are asked in order; with no yes among them the answer is right.
    """

    def check(self, answer: Any) -> Verdict:
        """Try a student's function; never raises."""
        if not callable(answer):
            return super().check(answer)
        for seed in range(_ROUNDS):
            before = self.inputs(Generator().manual_seed(seed))
            after = copy.deepcopy(before)
            try:
                result = answer(*after)
            except Exception as error:
                return Verdict(self, "wrong", _explain_error(error))
            if (result is None or result is ...) and _state(before) == _state(after):
                return super().check(lambda *_: None)
            for mistake in self.mistakes:
                if mistake.wrong(before, after, result):
                    return Verdict(self, "wrong", mistake.hint)
        return Verdict(self, "right", "well done.")


def _state(inputs: Inputs) -> list[Any]:
    """What an answer can have changed."""
    tensors = [value for value in inputs if isinstance(value, Tensor)]
    for network in inputs:
        if isinstance(network, VGG19):
            tensors += network.parameters()
    return [(tensor.requires_grad, tensor.detach().sum().item()) for tensor in tensors]
