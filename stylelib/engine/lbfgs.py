"""L-BFGS for pixels, with a preconditioner that knows how VGG reacts to detail.

Plain L-BFGS starts from the assumption that the loss curves the same way in all directions, and
corrects it step by step. But one thing is known beforehand: the loss is about ten times as stiff
for fine detail as for slow changes of brightness across the picture. Dividing by that stiffness
from the start saves steps.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

MEMORY = 20  # pairs (s, y) that it remembers
FIRST = 0.01  # how far pixels move in the first step, on average, in 0-1
# Stiffness by frequency, in cycles a pixel: proportional up to _FINE, constant above it. Measured
# as |y| / |s|; about the same for all sizes, paintings and weights of the losses.
_FINE, _SOFTEST = 0.15, 0.1


class LBFGS:
    """One step for each call of `step`, from the gradient that `backward` has computed.

    Used like PyTorch's optimisers, without being one: setting up the first of those takes 0.8 s.

    Parameters
    ----------
    pixels : Tensor, shape (1, 3, H, W)
        To be optimised; they may be changed between steps, for example clamped.
    painted : Tensor, shape (1, 1, H, W), bool, optional
        The pixels that may move; all by default.
    first : float
        How far pixels move in the first step, on average.

    Notes
    -----
    Liu, Nocedal, *On the limited memory BFGS method* (1989), as in Nocedal, Wright,
    *Numerical Optimization* (2006), algorithm 7.4: s is how the pixels moved in a step, y how
    the gradient changed. `precondition` takes the place of the identity as initial inverse
    Hessian, and there is no line search.
    """

    def __init__(self, pixels: Tensor, painted: Tensor | None = None, first: float = FIRST) -> None:
        self.pixels, self.painted, self.first = pixels, painted, first
        self._pairs: list[tuple[Tensor, Tensor, Tensor]] = []  # s, y and their product
        self._before: tuple[Tensor, Tensor] | None = None  # pixels and gradient of the last step

    def zero_grad(self) -> None:
        """Forget the gradient of the step before."""
        self.pixels.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move the pixels."""
        pixels, gradient = self.pixels, self.pixels.grad
        assert gradient is not None
        if self._before is not None:
            s, y = pixels - self._before[0], gradient - self._before[1]
            curvature = _dot(s, y)
            if curvature > 0:  # else the step crossed a ridge, which says nothing about the valley
                self._pairs.append((s, y, curvature))
                del self._pairs[:-MEMORY]
        self._before = pixels.clone(), gradient.clone()
        pixels.sub_(self._direction(gradient))

    def snapshot(self) -> Any:
        """What a step changes, apart from the pixels, for `restore`."""
        return list(self._pairs), self._before

    def restore(self, snapshot: Any) -> None:
        """Undo the steps taken since a snapshot, which can be used only once."""
        self._pairs, self._before = snapshot

    def _direction(self, gradient: Tensor) -> Tensor:
        """The gradient divided by the curvature, as far as that is known."""
        if not self._pairs:
            direction = self._precondition(gradient)
            return direction * (self.first / direction.abs().mean().clamp_min(1e-30))
        direction, alphas = gradient.clone(), []
        for s, y, curvature in reversed(self._pairs):
            alphas.append(_dot(s, direction) / curvature)
            direction.addcmul_(y, alphas[-1], value=-1)
        _, y, curvature = self._pairs[-1]
        direction = self._precondition(direction) * (curvature / _dot(y, self._precondition(y)))
        for s, y, curvature in self._pairs:
            direction.addcmul_(s, alphas.pop() - _dot(y, direction) / curvature)
        return direction

    def _precondition(self, gradient: Tensor) -> Tensor:
        if self.painted is None:
            return precondition(gradient)
        return precondition(gradient * self.painted) * self.painted


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(a.reshape(-1), b.reshape(-1))


def precondition(gradient: Tensor) -> Tensor:
    """Divide a gradient (1, C, H, W), frequency by frequency, by the loss's stiffness there."""
    if gradient.device.type == "mps":  # not all versions have its Fourier transform
        return precondition(gradient.cpu()).to(gradient.device)
    size = gradient.shape[-2], gradient.shape[-1]
    frequencies: Tensor = torch.fft.rfft2(gradient) / _stiffness(*size, gradient.device)
    eased: Tensor = torch.fft.irfft2(frequencies, s=size)
    return eased


@lru_cache(maxsize=2)
def _stiffness(height: int, width: int, device: torch.device) -> Tensor:
    """The stiffness at each frequency that `rfft2` returns, shape (H, W // 2 + 1)."""
    rows = torch.fft.fftfreq(height, dtype=torch.float32, device=device)[:, None]
    columns = torch.fft.rfftfreq(width, dtype=torch.float32, device=device)
    return (torch.hypot(rows, columns) / _FINE).clamp(_SOFTEST, 1)
