"""How much memory a painting needs, whether that much is free, and what to do when it runs out."""

import gc
from collections.abc import Callable

import torch

from ..core.layers import CONVOLUTIONS, LAYERS, NEIGHBOUR_LAYERS
from ..errors import OUT_OF_MEMORY, StylelibError
from ..memory import free_memory, give_back
from .neighbours import OFFERED, TURNS

# Peak memory of a process, measured with the default recipe's layers; the slow tests of
# tests/engine/test_memory.py check it. On a graphics card nothing was measured: there it is an
# estimate, without the processor's copies of the weights and with the card's own work space.
_NETWORK = 420_000_000  # weights, also in the layouts that convolutions and `Winograd` use
_STEP = 2400  # bytes a pixel: gradients, Gram matrices' copies, Adam or L-BFGS at work
_REUSED = 0.4  # of the maps kept for the backward pass; the rest reuses memory freed by then
_HISTORY = 480  # bytes a pixel: 20 steps that L-BFGS remembers, 2 x 3 numbers each
_LOOK = 1000  # bytes a pixel of a painting, whose targets are computed once, without gradients
_SEEN = 550  # bytes a pixel of the photo, whose targets are computed just before
_PIECE = 5000  # bytes for each place of a painting that is searched, besides its features
_COPIES = 1.6  # of these features, while they are collected


def numbers_kept(deepest: str) -> float:
    """Numbers that the network keeps for each pixel, up to that layer."""
    total, maps, pixels = 0.0, 3, 1.0
    for name in LAYERS[: LAYERS.index(deepest) + 1]:
        if name in CONVOLUTIONS:
            maps = CONVOLUTIONS[name][1]
        else:
            pixels /= 4
        total += maps * pixels
    return total


def memory_needed(
    height: int,
    width: int,
    dtype: torch.dtype,
    painting: int = 0,
    deepest: str = "conv5_1",
    searched: int = 0,
) -> int:
    """About how many bytes a step needs, the network included.

    `painting` is how many pixels the largest painting has, `dtype` is that of the convolutions,
    `deepest` the deepest layer that is compared, and `searched` the number of paintings that are
    searched for neighbours.
    """
    pixels = height * width
    each = _STEP + _HISTORY + _REUSED * dtype.itemsize * numbers_kept(deepest)
    places = searched * TURNS * min(painting / 16, OFFERED)
    features = sum(CONVOLUTIONS[name][1] for name in NEIGHBOUR_LAYERS)
    search = places * (_PIECE + _COPIES * features * dtype.itemsize)
    return round(_NETWORK + search + max(each * pixels, _SEEN * pixels + _LOOK * painting))


def check_memory(
    height: int,
    width: int,
    device: torch.device,
    dtype: torch.dtype,
    painting: int = 0,
    deepest: str = "conv5_1",
    searched: int = 0,
) -> None:
    """Refuse, before the work starts, a picture that won't fit in memory; see `memory_needed`."""
    larger = " (the painting is the larger one)" if painting > height * width else ""
    needed = memory_needed(height, width, dtype, painting, deepest, searched)
    check_room(height, width, device, needed, larger)


def check_room(
    height: int,
    width: int,
    device: torch.device,
    needed: int,
    larger: str = "",
    fixed: int = _NETWORK,
) -> None:
    """The same for a picture that needs `needed` bytes, `fixed` of them whatever its size."""
    give_back()  # memory that is kept for the next step is free, too
    free = free_memory(device)
    if needed <= free:
        return
    size = largest_that_fits(max(height, width), needed, free, fixed)
    advice = f"Try size {size}." if size >= 64 else "Close other programs."
    raise StylelibError(
        f"A picture of {width} x {height} pixels needs about {needed / 1e9:.1f} GB of memory"
        f"{larger}, and {free / 1e9:.1f} GB are free. {advice}"
    )


def largest_that_fits(size: int, needed: int, free: int, fixed: int = _NETWORK) -> int:
    """The longest side that fits in `free` bytes if `size` needs `needed`: a multiple of 32."""
    fits = max(0, free - fixed) / (needed - fixed)
    return int(size * fits**0.5) // 32 * 32


def words_for_full(device: torch.device, height: int, width: int, needed: int) -> str:
    """What to do now that memory has run out, for a picture that was to need `needed` bytes.

    A card's memory is known exactly, so the size that would fit can be told: a smaller one than
    this, which was to fit.
    """
    if device.type != "cuda":
        return OUT_OF_MEMORY
    longest = max(height, width)
    fits = largest_that_fits(longest, needed, free_memory(device))
    size = min(fits, round(0.8 * longest) // 32 * 32)
    if size < 64:
        return (
            "The graphics card ran out of memory. Close other programs that use it, or paint on "
            "the CPU: device 'cpu'."
        )
    return f"The graphics card ran out of memory. Try size {size}."


def ran_out(
    error: BaseException,
    release: Callable[[], object] = lambda: None,
    words: Callable[[], str] = lambda: OUT_OF_MEMORY,
) -> StylelibError:
    """Free the memory that an out-of-memory error holds, and make the error to raise instead.

    The error's traceback keeps the local variables of everything that was running,
    feature maps among them, and a notebook keeps the last error: so the traceback
    is removed. `release` frees whatever else is held, so that a smaller size has room. Then
    `words` says what to do.
    """
    inner: BaseException | None = error
    while inner is not None:
        inner.__traceback__ = None
        inner = inner.__context__
    release()
    gc.collect()
    give_back()
    return StylelibError(words())
