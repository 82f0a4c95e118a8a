"""How much memory there is for a picture, how much it needs, and what to do when it runs out."""

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from .errors import OUT_OF_MEMORY, StylelibError

if TYPE_CHECKING:
    import torch

# mallopt(3): M_TRIM_THRESHOLD, how much free memory is kept; M_MMAP_THRESHOLD, pieces larger than
# that are not; M_ARENA_MAX, one heap for all threads: those of others keep small pieces alone.
_MALLOPT = {-1: 2**30, -3: 2**27, -8: 1}
_NO_LIMIT = 2**60  # what control groups without a limit say is above that

# Numbers that VGG-19 keeps for each pixel, up to a layer, for the way back: each
# block has a quarter of the pixels of the one before, and each layer its maps.
_KEPT = {"1": (64, 64), "2": (128, 128), "3": (256,) * 4, "4": (512,) * 4, "5": (512,) * 4}

# Measured with the default recipe's layers, peak memory of a process, by tests/test_memory.py.
_NETWORK = 420_000_000  # weights, and the same as the convolutions and `Winograd` want them
_STEP = 2400  # bytes a pixel: gradients, Gram matrices' copies, Adam or L-BFGS at work
_REUSED = 0.4  # of what is kept; the rest takes the place of what is gone by then
_HISTORY = 480  # bytes a pixel: 20 steps that L-BFGS remembers, 2 x 3 numbers each
_LOOK = 1000  # bytes a pixel of a painting: looked at once, with no way back
_SEEN = 550  # bytes a pixel of the photo, which is looked at just before


def numbers_kept(deepest: str) -> float:
    """Numbers that the network keeps for each pixel, up to that layer; its poolings count.

    Parameters
    ----------
    deepest : str
        A layer's name, ``"conv1_1"`` to ``"conv5_4"``, or a pooling's.
    """
    total = 0.0
    for block, widths in _KEPT.items():
        pixels = 4.0 ** (1 - int(block))
        for index, width in enumerate(widths, start=1):
            total += width * pixels
            if deepest == f"conv{block}_{index}":
                return total
        total += widths[-1] * pixels / 4
        if deepest == f"pool{block}":
            return total
    return total


def memory_needed(
    height: int,
    width: int,
    dtype: "torch.dtype",
    painting: int = 0,
    deepest: str = "conv5_1",
) -> int:
    """Bytes that a painting step needs, about, the network's own included.

    Parameters
    ----------
    height, width : int
        Of the picture.
    dtype : torch.dtype
        Of the convolutions.
    painting : int
        Pixels of the largest painting, at the size at which it is looked at.
    deepest : str
        The deepest layer that is compared.
    """
    pixels = height * width
    each = _STEP + _HISTORY + _REUSED * dtype.itemsize * numbers_kept(deepest)
    return round(_NETWORK + max(each * pixels, _SEEN * pixels + _LOOK * painting))


def check_memory(
    height: int,
    width: int,
    device: "torch.device",
    dtype: "torch.dtype",
    painting: int = 0,
    deepest: str = "conv5_1",
) -> None:
    """Say so before the work starts if the picture won't fit in memory.

    Parameters
    ----------
    height, width, dtype, painting, deepest
        As for `memory_needed`.
    device : torch.device

    Raises
    ------
    StylelibError
        With the largest size that fits.
    """
    larger = " (the painting is the larger one)" if painting > height * width else ""
    check_room(
        height, width, device, memory_needed(height, width, dtype, painting, deepest), larger
    )


def check_room(
    height: int,
    width: int,
    device: "torch.device",
    needed: int,
    larger: str = "",
    fixed: int = _NETWORK,
) -> None:
    """The same for a picture that needs so many bytes, of which some are fixed.

    Raises
    ------
    StylelibError
        With the largest size that fits.
    """
    give_back()  # what is kept is free, too
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


def free_memory(device: "torch.device | None" = None) -> int:
    """Bytes that are free for this process, by every limit that it lives under.

    Parameters
    ----------
    device : torch.device, optional
        The main memory by default.
    """
    if device is not None and device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return max(0, min(memory_limits().values()))


def memory_limits() -> dict[str, int]:
    """What each limit leaves free, in bytes, by its name in words.

    Beside the computer's own memory: a container's or a class server's share (a
    control group of Linux, or one above it), and the process's own (`ulimit`).
    """
    limits = {"of the computer": int(psutil.virtual_memory().available)}
    for groups in (_groups_v2, _groups_v1):
        with suppress(OSError, ValueError):
            for free in groups(Path("/")):
                name = "of the container or control group"
                limits[name] = min(free, limits.get(name, free))
    limits |= _process_limits()
    return limits


def _process_limits() -> dict[str, int]:
    """What ``ulimit -v`` and ``ulimit -d`` leave; neither is known on Windows."""
    if sys.platform == "win32":
        return {}
    import resource

    used = psutil.Process().memory_info()
    limits = {}
    for kind, name, taken in (
        (resource.RLIMIT_AS, "of the process (ulimit -v)", used.vms),
        (resource.RLIMIT_DATA, "of the process (ulimit -d)", getattr(used, "data", None)),
    ):
        soft = resource.getrlimit(kind)[0]
        if soft != resource.RLIM_INFINITY and taken is not None:
            limits[name] = int(soft - taken)
    return limits


def _groups_v2(root: Path) -> Iterator[int]:
    """What is free in the process's control group and in each one above, version 2."""
    for folder in _folders(root, kind="cgroup2", controller=""):
        for name in ("memory.max", "memory.high"):  # killed above the one, slowed above the other
            file = folder / name
            limit = file.read_text().strip() if file.exists() else "max"
            if limit != "max":
                used = int((folder / "memory.current").read_text())
                yield int(limit) - used + _given_back(folder, "inactive_file")


def _groups_v1(root: Path) -> Iterator[int]:
    """The same of version 1."""
    for folder in _folders(root, kind="cgroup", controller="memory"):
        limit = int((folder / "memory.limit_in_bytes").read_text())
        if limit < _NO_LIMIT:
            used = int((folder / "memory.usage_in_bytes").read_text())
            yield limit - used + _given_back(folder, "total_inactive_file")


def _given_back(folder: Path, name: str) -> int:
    """Bytes of files kept in memory, which the system gives back when they are wanted."""
    for line in (folder / "memory.stat").read_text().splitlines():
        field, _, value = line.partition(" ")
        if field == name:
            return int(value)
    return 0


def _folders(root: Path, kind: str, controller: str) -> Iterator[Path]:
    """The folders of the process's control group and of those above it.

    The group's path counts from the hierarchy's root; a container sees only a
    part of it, mounted somewhere (proc(5), /proc/pid/mountinfo; cgroups(7)).
    """
    group = None
    for line in (root / "proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            group = Path(path)
    for line in (root / "proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ", 1)
        fields, (found, _, options) = before.split(), after.split(" ", 2)
        if group is None or found != kind or controller not in ["", *options.split(",")]:
            continue
        top = root / fields[4].lstrip("/")
        shown = Path(fields[3])
        below = group.relative_to(shown) if group.is_relative_to(shown) else Path()
        for part in (below, *below.parents):
            if (top / part).is_dir():
                yield top / part


def ran_out(error: BaseException, let_go: Callable[[], object] = lambda: None) -> StylelibError:
    """Free what a failure for want of memory holds, and have the sentence to raise for it.

    The error's traceback holds the local variables of all that was under way,
    feature maps among them, and a notebook holds the last error: so the
    traceback goes.

    Parameters
    ----------
    error : BaseException
        One that `is_out_of_memory`, where it was caught.
    let_go : callable
        Lets go of what else is held, so that a smaller size has room.
    """
    inner: BaseException | None = error
    while inner is not None:
        inner.__traceback__ = None
        inner = inner.__context__
    let_go()
    gc.collect()
    give_back()
    return StylelibError(OUT_OF_MEMORY)


def keep_memory() -> None:
    """Let what a step frees lie ready for the next one, until `give_back`. For Linux alone.

    There, large pieces go back to the system at once, and it clears each before it is had again:
    at 1024 pixels and more an eighth of a step's time. Not where the process has a limit of its
    own: what is kept in pieces would count there, and is of no use to a larger one.
    """
    theirs = environ.keys() & {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}
    if not theirs and not _process_limits():
        with suppress(OSError, TypeError, AttributeError):  # glibc alone has it
            for setting, value in _MALLOPT.items():
                ctypes.CDLL(None).mallopt(setting, value)


def give_back() -> None:
    """Hand the memory that is kept, but not in use, back to the system; it takes 0.02 to 0.2 s."""
    with suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
