"""Steps that are taken completely or not at all, and a way back when the loss explodes."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ..core import loop
from ..recipes import Recipe
from .lbfgs import FIRST, LBFGS

GENTLY = 0.1  # times the first step's length, where the optimiser starts again
RESTARTS = 3  # of L-BFGS, before it gives up
EXPLODED = 1e3  # a loss this many times the best one does not recover
SMALL = 1e-3  # relative to the weights: a loss this small can grow a thousandfold without harm


class Optimizer(loop.Optimizer, Protocol):
    """An optimiser whose steps can be undone."""

    def snapshot(self) -> Any: ...  # noqa: D102
    def restore(self, snapshot: Any) -> None: ...  # noqa: D102


class Adam:
    """PyTorch's Adam, whose steps can be undone."""

    def __init__(self, pixels: Tensor, learning_rate: float) -> None:
        self._adam = torch.optim.Adam([pixels], lr=learning_rate)
        self.zero_grad, self.step = self._adam.zero_grad, self._adam.step

    def snapshot(self) -> Any:
        """A copy of what a step changes, apart from the pixels."""
        return {
            key: {n: v.clone() for n, v in kept.items()} for key, kept in self._adam.state.items()
        }

    def restore(self, snapshot: Any) -> None:
        """Undo the steps taken since a snapshot, which can be used only once."""
        self._adam.state.clear()
        self._adam.state.update(snapshot)


@dataclass
class Reached:
    """How far a transfer has come: the picture so far, and the steps done."""

    image: Tensor
    iteration: int = 0


class Descent:
    """Moves the pixels, and takes back a step that was interrupted or went wrong.

    It takes the place of an optimiser in `core.loop.step`. Only the pixels that are `painted`
    move, all by default, and in L-BFGS's first step by `first` on average. `reached` receives the
    new picture, in 0-1, when a step is good.
    """

    def __init__(
        self,
        pixels: Tensor,
        painted: Tensor | None,
        recipe: Recipe,
        first: float,
        reached: Reached,
    ) -> None:
        self.recipe = recipe
        self.loss = pixels.new_zeros(())  # before the step; to be set between zero_grad and step
        self.total = 0.0  # the same as a number, NaN if some pixels are no longer finite
        self._good = True
        self.restarts = 0  # how often it has gone back to the best picture
        self._pixels, self._painted, self._reached = pixels, painted, reached
        self.best, self._best_loss = pixels.detach().clone(), math.inf
        self._optimizer = self._start(first)

    def _start(self, first: float) -> Optimizer:
        if self.recipe.optimizer == "adam":
            return Adam(self._pixels, self.recipe.learning_rate)
        return LBFGS(self._pixels, self._painted, first)

    def zero_grad(self) -> None:
        """Forget the gradient of the step before."""
        self._pixels.grad = None

    def step(self) -> None:
        """Take a step of the optimiser, and accept it if the loss is sound."""
        # The slow part, the gradient, is done; until here an interrupt has changed nothing.
        before, snapshot = self._pixels.detach().clone(), self._optimizer.snapshot()
        try:
            self._optimizer.step()
            self._judge(before)
        except BaseException:  # an interrupt: undo the step, so that it can be taken again
            self._pixels.data.copy_(before)
            self._optimizer.restore(snapshot)
            raise

    def _judge(self, before: Tensor) -> None:
        """Accept the step if it is sound; `before` are the pixels that it began with."""
        self.total = self.loss.item() if self._pixels.isfinite().all() else math.nan
        self._good = self._is_sound()
        if self._good:
            if self.recipe.clamp:
                self._pixels.data.clamp_(0, 1)
            image = self._pixels.detach().clamp(0, 1).cpu()
            if self.total <= self._best_loss:
                self.best, self._best_loss = before, self.total
            self._reached.image, self._reached.iteration = image, self._reached.iteration + 1

    @property
    def due(self) -> bool:
        """Whether it is time to `settle`: here after each step."""
        return True

    def settle(self) -> bool:
        """Whether all steps were sound; if not, it has to `restart`."""
        return self._good

    def _weights(self) -> float:
        recipe = self.recipe
        return (
            recipe.content_weight + recipe.style_weight + recipe.neighbour_weight + recipe.tv_weight
        )

    def _is_sound(self) -> bool:
        limit = EXPLODED * max(self._best_loss, SMALL * self._weights())
        return math.isfinite(self.total) and self.total <= limit

    def restart(self) -> bool:
        """Go back to the best picture so far, and start the optimiser again, more gently.

        Returns False if there is no point in going on: Adam would do the same again, and L-BFGS
        was restarted often enough.
        """
        self._pixels.data.copy_(self.best)
        self._good = True
        self.restarts += 1
        self._optimizer = self._start(GENTLY * FIRST)
        return self.recipe.optimizer != "adam" and self.restarts <= RESTARTS
