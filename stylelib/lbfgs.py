"""L-BFGS for pixels: how far to move each, from the last steps and from how VGG sees.

Plain L-BFGS supposes at first that a push is worth the same everywhere, and learns better step by
step. But one thing is known before: the network resists fine detail ten times as much as slow
changes of light from one side of the picture to the other. Told so, L-BFGS needs fewer steps.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

MEMORY = 20  # steps that it remembers
FIRST = 0.01  # how far pixels move in the first step, on average, in 0-1
# Stiffness by frequency, in cycles a pixel: in proportion up to _FINE, then all the same. Measured
# (gradients' changes over pixels'), and alike for sizes, paintings and weights of the losses.
_FINE, _SOFTEST = 0.15, 0.1


class LBFGS:
    """One step for each call of `step`, from the gradient that `backward` has left.

    Like PyTorch's optimisers, but none of them: the first of those costs 0.8 s to set up.

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
    Liu, Nocedal, *On the limited memory BFGS method* (1989), as in Nocedal, Wright, *Numerical
    Optimization* (2006), algorithm 7.4, with `ease` in place of its first guess, the identity.
    No line search: a step is taken as it comes.
    """

    def __init__(self, pixels: Tensor, painted: Tensor | None = None, first: float = FIRST) -> None:
        self.pixels, self.painted, self.first = pixels, painted, first
        self.state: dict[Tensor, dict[str, Any]] = {pixels: {}}  # as PyTorch's keep it

    @torch.no_grad()
    def step(self) -> None:
        """Move the pixels."""
        pixels, gradient, state = self.pixels, self.pixels.grad, self.state[self.pixels]
        assert gradient is not None
        steps = state.setdefault("steps", [])
        if "pixels" in state:
            moved, turned = pixels - state["pixels"], gradient - state["gradient"]
            curvature = _dot(moved, turned)
            if curvature > 0:  # else it went over a hilltop, which says nothing of the valley
                steps.append((moved, turned, curvature))
                del steps[:-MEMORY]
        state["pixels"], state["gradient"] = pixels.clone(), gradient.clone()
        pixels.sub_(self._downhill(gradient, steps))

    def _downhill(self, gradient: Tensor, steps: list[tuple[Tensor, Tensor, Tensor]]) -> Tensor:
        """The gradient over the curvature, as far as that is known."""
        if not steps:
            way = self._ease(gradient)
            return way * (self.first / way.abs().mean().clamp_min(1e-30))
        way, shares = gradient.clone(), []
        for moved, turned, curvature in reversed(steps):
            shares.append(_dot(moved, way) / curvature)
            way.addcmul_(turned, shares[-1], value=-1)
        _, turned, curvature = steps[-1]
        way = self._ease(way) * (curvature / _dot(turned, self._ease(turned)))
        for moved, turned, curvature in steps:
            way.addcmul_(moved, shares.pop() - _dot(turned, way) / curvature)
        return way

    def _ease(self, push: Tensor) -> Tensor:
        if self.painted is None:
            return ease(push)
        return ease(push * self.painted) * self.painted


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return torch.dot(a.reshape(-1), b.reshape(-1))


def ease(push: Tensor) -> Tensor:
    """More of a push where pixels give way: its waves, each over the stiffness at its frequency.

    Parameters
    ----------
    push : Tensor, shape (1, C, H, W)

    Returns
    -------
    Tensor of that shape
    """
    if push.device.type == "mps":  # not all versions have its Fourier transform
        return ease(push.cpu()).to(push.device)
    size = push.shape[-2], push.shape[-1]
    return torch.fft.irfft2(torch.fft.rfft2(push) / _stiffness(*size, push.device), s=size)


@lru_cache(maxsize=2)
def _stiffness(height: int, width: int, device: torch.device) -> Tensor:
    """At each frequency that `rfft2` gives, shape (H, W // 2 + 1)."""
    rows = torch.fft.fftfreq(height, device=device)[:, None]
    columns = torch.fft.rfftfreq(width, device=device)
    return (torch.hypot(rows, columns) / _FINE).clamp(_SOFTEST, 1)
