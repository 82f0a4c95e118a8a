"""L-BFGS: against PyTorch's, by hand, and where it must not go."""

import math

import pytest
import torch
from torch import Tensor

from stylelib.engine import lbfgs
from stylelib.engine.lbfgs import LBFGS, precondition


def bowl(shape: tuple[int, ...] = (1, 3, 5, 6)) -> tuple[Tensor, Tensor]:
    """Curvatures from 1 to 30, and where the bottom is."""
    generator = torch.Generator().manual_seed(0)
    curvatures = 1 + 29 * torch.rand(shape, generator=generator, dtype=torch.float64)
    return curvatures, torch.rand(shape, generator=generator, dtype=torch.float64)


def test_same_steps_as_pytorch_without_the_preconditioner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lbfgs, "precondition", lambda push: push.clone())
    curvatures, bottom = bowl()
    ours, theirs = (torch.zeros_like(bottom, requires_grad=True) for _ in range(2))

    def loss(pixels: Tensor) -> Tensor:
        return (curvatures * (pixels - bottom).square()).sum() + (pixels - bottom).pow(4).sum()

    (slope,) = torch.autograd.grad(loss(ours), ours)
    first = min(1.0, 1 / float(slope.abs().sum())) * float(slope.abs().mean())  # as PyTorch's
    optimizer = LBFGS(ours, first=first)
    reference = torch.optim.LBFGS(
        [theirs], max_iter=1, history_size=lbfgs.MEMORY, tolerance_grad=0, tolerance_change=0
    )

    def closure() -> Tensor:
        reference.zero_grad()
        value = loss(theirs)
        value.backward()
        return value

    for _ in range(lbfgs.MEMORY + 5):  # also when it has begun to forget
        ours.grad = None
        loss(ours).backward()
        optimizer.step()
        reference.step(closure)
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)
    assert loss(ours) < 1e-5


@pytest.mark.parametrize(
    ("cycles", "gain"), [(0, 10), (1 / 8, 0.15 * 8), (1 / 4, 1), (1 / 2, 1), (1 / 16, 0.15 * 16)]
)
def test_a_wave_over_its_stiffness(cycles: float, gain: float) -> None:
    along = torch.cos(2 * math.pi * cycles * torch.arange(16, dtype=torch.float64))
    for wave in (along.expand(1, 3, 16, 16), along[:, None].expand(1, 3, 16, 16)):
        torch.testing.assert_close(precondition(wave), gain * wave)


@pytest.mark.parametrize("size", [(16, 16), (7, 9), (1, 1), (2, 5)])
def test_the_first_guess_is_symmetric_and_never_uphill(size: tuple[int, int]) -> None:
    a, b = torch.randn(2, 1, 3, *size, dtype=torch.float64)
    torch.testing.assert_close((precondition(a) * b).sum(), (a * precondition(b)).sum())
    assert a.square().sum() <= (a * precondition(a)).sum() <= 10 * a.square().sum()
    assert precondition(a).shape == a.shape


def test_fewer_steps_where_slow_waves_are_soft(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bowl that it was made for: deep across, flat along."""
    generator = torch.Generator().manual_seed(1)
    bottom = torch.randn(1, 1, 32, 32, generator=generator, dtype=torch.float64)
    rows = torch.fft.fftfreq(32, dtype=torch.float64)[:, None]
    stiff = 0.05 + torch.hypot(rows, torch.fft.rfftfreq(32, dtype=torch.float64))

    def steps_needed() -> int:
        pixels = torch.zeros_like(bottom, requires_grad=True)
        optimizer = LBFGS(pixels)
        for step in range(200):
            waves = torch.fft.rfft2(pixels - bottom) * stiff
            loss = ((pixels - bottom) * torch.fft.irfft2(waves, s=(32, 32))).sum()
            if loss < 1e-8:
                return step
            pixels.grad = None
            loss.backward()
            optimizer.step()
        return 200

    preconditioned = steps_needed()
    monkeypatch.setattr(lbfgs, "precondition", lambda push: push)
    assert preconditioned < 0.7 * steps_needed()


def test_pixels_that_are_not_painted_stay() -> None:
    curvatures, bottom = bowl()
    painted = torch.zeros(1, 1, 5, 6, dtype=torch.bool)
    painted[..., :3] = True
    pixels = torch.zeros_like(bottom, requires_grad=True)
    optimizer = LBFGS(pixels, painted)
    for _ in range(30):
        pixels.grad = None
        (curvatures * (pixels - bottom).square()).sum().backward()
        optimizer.step()
    assert not pixels[..., 3:].detach().any()
    torch.testing.assert_close(pixels[..., :3].detach(), bottom[..., :3], rtol=0, atol=1e-3)


def test_the_first_step_is_as_long_as_it_is_told_and_none_at_the_bottom() -> None:
    curvatures, bottom = bowl()
    for slope in (1e-20, 1.0, 1e20):
        pixels = torch.zeros_like(bottom, requires_grad=True)
        (slope * curvatures * (pixels - bottom).square()).sum().backward()
        LBFGS(pixels, first=0.05).step()
        assert pixels.detach().abs().mean() == pytest.approx(0.05)
    pixels = bottom.clone().requires_grad_()
    (curvatures * (pixels - bottom).square()).sum().backward()
    LBFGS(pixels).step()
    assert torch.equal(pixels.detach(), bottom)


def test_pixels_may_be_moved_between_steps() -> None:
    """As a clamp moves them: it learns from where they really went."""
    curvatures, bottom = bowl()
    pixels = torch.zeros_like(bottom, requires_grad=True)
    optimizer = LBFGS(pixels)
    for step in range(100):
        pixels.grad = None
        (curvatures * (pixels - bottom).square()).sum().backward()
        optimizer.step()
        if step < 10:
            pixels.data.clamp_(bottom.mean(), 1)
    torch.testing.assert_close(pixels.detach(), bottom, rtol=0, atol=1e-4)


def test_a_hilltop_teaches_nothing() -> None:
    pixels = torch.full((1, 3, 4, 4), 0.1, requires_grad=True)
    optimizer = LBFGS(pixels)
    for _ in range(8):  # from -x², downhill for ever, its curvature always negative
        pixels.grad = None
        (-pixels.square()).sum().backward()
        optimizer.step()
    assert pixels.detach().isfinite().all() and (pixels > 0.1).all()
    pixels.grad = -2 * pixels.detach()
    fresh = pixels.detach().clone().requires_grad_()
    fresh.grad = pixels.grad.clone()
    optimizer.step()
    LBFGS(fresh).step()
    assert torch.equal(pixels, fresh)  # it knows no more than one that has seen nothing
