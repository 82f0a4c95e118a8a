"""What this computer can do: the device, and the number format."""

import time
from functools import lru_cache

import torch
from torch.nn import functional as F

from .errors import StylelibError, pick

DEVICES = ("auto", "cpu", "cuda", "mps")
_FORMATS = (torch.bfloat16, torch.float32)


@lru_cache
def choose_device(name: str = "auto") -> torch.device:
    """The device to compute on.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda", "mps"}
        ``"auto"`` takes an NVIDIA card or an Apple GPU where it works, else the CPU.

    Raises
    ------
    StylelibError
        If the name is unknown, or this computer has no such device.
    """
    pick(name, DEVICES, "device")
    if name == "cpu":
        return torch.device("cpu")
    for candidate in ("cuda", "mps") if name == "auto" else (name,):
        if _works(candidate):
            return torch.device(candidate)
    if name == "auto":
        return torch.device("cpu")
    raise StylelibError(
        f"PyTorch finds no working {name} device on this computer. "
        f"Use 'cpu', which is always there."
    )


def _works(name: str) -> bool:
    module = torch.cuda if name == "cuda" else torch.backends.mps
    if not module.is_available():
        return False
    try:  # an old driver or a full card fails only when used
        x = torch.rand(1, 3, 16, 16, device=name, requires_grad=True)
        F.max_pool2d(F.relu(F.conv2d(x, torch.rand(4, 3, 3, 3, device=name))), 2).sum().backward()
        return x.grad is not None and bool(x.grad.isfinite().all().item())
    except (RuntimeError, NotImplementedError):
        return False


@lru_cache
def choose_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where it is clearly faster than float32, else float32.

    A processor with matrix units for bfloat16 is asked; of any other, one
    convolution is timed in both, in turns, which takes about 0.2 s.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float32
    if device.type != "cpu":
        return torch.float32
    if _has_matrix_units():  # no timing, which a busy moment can mislead
        return torch.bfloat16
    try:
        # In turns: a busy moment is then both's, and the best of all is nobody's luck.
        rounds = [[_convolution_time(dtype) for dtype in _FORMATS] for _ in range(3)]
        half, full = map(min, zip(*rounds, strict=True))
    except RuntimeError:
        return torch.float32
    return torch.bfloat16 if half * 1.4 < full else torch.float32


def _has_matrix_units() -> bool:
    """Whether it multiplies bfloat16 matrices (Intel's AMX).

    bfloat16 instructions alone don't do: convolutions were seen to be half as
    fast as in float32 with AVX-512's.
    """
    return getattr(torch.cpu, "_is_amx_tile_supported", bool)()


def _convolution_time(dtype: torch.dtype) -> float:
    """Seconds for one convolution like VGG's, forward and back: the best of three."""
    make = {"dtype": dtype, "device": "cpu"}
    x = torch.ones(1, 64, 64, 64, **make).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    kernel = torch.ones(64, 64, 3, 3, **make).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x.requires_grad_()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        F.conv2d(x, kernel, padding=1).sum().backward()
        times.append(time.perf_counter() - start)
    return min(times)
