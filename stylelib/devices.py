"""What this computer can do: the device, the number format, the memory."""

import time
from functools import lru_cache

import psutil
import torch
from torch.nn import functional as F

from .errors import StylelibError, pick

DEVICES = ("auto", "cpu", "cuda", "mps")


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
    convolution is timed in both, which takes about 0.1 s.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float32
    if device.type != "cpu":
        return torch.float32
    if _has_matrix_units():  # no timing, which a busy moment can mislead
        return torch.bfloat16
    try:
        fast = _convolution_time(torch.bfloat16) * 1.4 < _convolution_time(torch.float32)
    except RuntimeError:
        fast = False
    return torch.bfloat16 if fast else torch.float32


def _has_matrix_units() -> bool:
    """Whether it multiplies bfloat16 matrices (Intel's AMX).

    bfloat16 instructions alone don't do: convolutions were seen to be half as
    fast as in float32 with AVX-512's.
    """
    return getattr(torch.cpu, "_is_amx_tile_supported", bool)()


def _convolution_time(dtype: torch.dtype) -> float:
    """Seconds for one convolution like VGG's, forward and back: the best of five."""
    make = {"dtype": dtype, "device": "cpu"}
    x = torch.ones(1, 64, 64, 64, **make).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    kernel = torch.ones(64, 64, 3, 3, **make).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x.requires_grad_()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        F.conv2d(x, kernel, padding=1).sum().backward()
        times.append(time.perf_counter() - start)
    return min(times)


# Measured: peak memory over that of the loaded network, per pixel.
_BYTES_PER_PIXEL = {torch.float32: 2600, torch.bfloat16: 1500}


def memory_needed(height: int, width: int, dtype: torch.dtype) -> int:
    """Bytes that a step needs, about, for a picture of that size."""
    per_pixel = _BYTES_PER_PIXEL.get(dtype, 650 * dtype.itemsize)
    return 300_000_000 + height * width * per_pixel


def check_memory(height: int, width: int, device: torch.device, dtype: torch.dtype) -> None:
    """Say so before the work starts if the picture won't fit in memory.

    Raises
    ------
    StylelibError
        With the largest size that fits.
    """
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
    else:
        free = psutil.virtual_memory().available
    needed = memory_needed(height, width, dtype)
    if needed <= free:
        return
    fits = max(0, free - 300_000_000) / (needed - 300_000_000)
    size = int(max(height, width) * fits**0.5) // 32 * 32
    advice = f"Try size {size}." if size >= 64 else "Close other programs."
    raise StylelibError(
        f"A picture of {width} x {height} pixels needs about {needed / 1e9:.1f} GB of memory, "
        f"and {free / 1e9:.1f} GB are free. {advice}"
    )
