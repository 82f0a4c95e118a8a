"""What this computer can do: the device, and the number format."""

import time
from collections.abc import Callable
from functools import lru_cache, partial

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import StylelibError, pick
from .winograd import Winograd

DEVICES = ("auto", "cpu", "cuda", "mps")
_FORMATS = (torch.bfloat16, torch.float32)


@lru_cache
def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; ``"auto"`` is an NVIDIA or Apple GPU if one works, else the CPU."""
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
        f"Use 'cpu', which every computer has."
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

    It is on a processor with matrix units for bfloat16. On any other processor, one
    convolution is timed in both formats, alternately, which takes about 0.2 s.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float32
    if device.type != "cpu":
        return torch.float32
    if has_matrix_units():  # no timing, since a busy moment can distort it
        return torch.bfloat16
    try:
        half, full = _best_times(*(partial(convolution_time, dtype) for dtype in _FORMATS))
    except RuntimeError:
        return torch.float32
    return torch.bfloat16 if half * 1.4 < full else torch.float32


@lru_cache
def choose_winograd(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether convolutions with fewer multiplications are faster here: see `Winograd`.

    They are on most CPUs. There, one is timed both ways, alternately, in about 0.1 s.
    Matrix units for bfloat16, and graphics cards, multiply faster than they add.
    """
    if device.type != "cpu" or dtype not in _FORMATS:
        return False
    if dtype == torch.bfloat16 and has_matrix_units():
        return False
    kernel, bias = torch.ones(256, 256, 3, 3, dtype=dtype), torch.ones(256, dtype=dtype)
    kernel = kernel.to(memory_format=torch.channels_last)
    winograd = Winograd(kernel, bias)

    def plain(maps: Tensor) -> Tensor:
        return F.relu(F.conv2d(maps, kernel, bias, padding=1))

    ways: list[Callable[[Tensor], Tensor]] = [winograd, plain]
    fewer, direct = _best_times(*(partial(time_pass, way, dtype, 256, 24) for way in ways))
    return fewer < direct


def has_matrix_units() -> bool:
    """Whether the processor multiplies bfloat16 matrices (Intel's AMX).

    bfloat16 instructions alone are not enough: with those of AVX-512,
    convolutions ran half as fast as in float32.
    """
    return getattr(torch.cpu, "_is_amx_tile_supported", bool)()


def _best_times(*ways: Callable[[], float]) -> list[float]:
    """The best time of each way in five rounds; they alternate, so that a busy moment hits all.

    It uses one thread: two would wait for each other whenever another program takes a processor.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rounds = [[way() for way in ways] for _ in range(5)]
    finally:
        torch.set_num_threads(threads)
    return [min(times) for times in zip(*rounds, strict=True)]


def convolution_time(dtype: torch.dtype) -> float:
    """Seconds for one convolution like VGG's, forward and back."""
    kernel = torch.ones(64, 64, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
    return time_pass(lambda maps: F.conv2d(maps, kernel, padding=1), dtype, 64, 64)


def time_pass(
    way: Callable[[Tensor], Tensor], dtype: torch.dtype, channels: int, side: int
) -> float:
    """Seconds for one pass through maps of that size, forward and back."""
    maps = torch.ones(1, channels, side, side, dtype=dtype)
    maps = maps.to(memory_format=torch.channels_last).requires_grad_()
    start = time.perf_counter()
    way(maps).sum().backward()
    return time.perf_counter() - start
