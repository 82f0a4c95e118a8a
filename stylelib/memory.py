"""How much memory is free for this process, and how long it holds on to what it has freed."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import suppress
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import torch

# For mallopt(3). M_TRIM_THRESHOLD: how much free memory is kept; M_MMAP_THRESHOLD: pieces larger
# than this are not kept; M_ARENA_MAX: one heap for all threads, since further heaps would keep
# only small pieces.
_MALLOPT = {-1: 2**30, -3: 2**27, -8: 1}
_NO_LIMIT = 2**60  # control groups without a limit report more than this


def free_memory(device: "torch.device | None" = None) -> int:
    """Bytes that are free for this process, by every limit that applies; main memory by default."""
    if device is not None and device.type == "cuda":
        import torch

        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + kept  # PyTorch keeps what was freed
    return max(0, min(memory_limits().values()))


def memory_limits(root: Path = Path("/")) -> dict[str, int]:
    """How many bytes each limit leaves free, by what the limit is called in a message.

    Besides the computer's own memory: a container's or a class server's share (a
    control group of Linux, or one above it), and the process's own (`ulimit`). Linux's folders
    ``proc`` and ``sys`` are looked up in `root`.
    """
    limits = {"of the computer": int(psutil.virtual_memory().available)}
    for groups in (_groups_v2, _groups_v1):
        with suppress(OSError, ValueError):
            for free in groups(root):
                name = "of the container or control group"
                limits[name] = min(free, limits.get(name, free))
    limits |= _process_limits()
    return limits


def _process_limits() -> dict[str, int]:
    """What ``ulimit -v`` and ``ulimit -d`` leave; Windows has neither."""
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
    for folder in group_folders(root, kind="cgroup2", controller=""):
        for name in ("memory.max", "memory.high"):  # killed above the one, slowed above the other
            file = folder / name
            limit = file.read_text().strip() if file.exists() else "max"
            if limit != "max":
                used = int((folder / "memory.current").read_text())
                yield int(limit) - used + _given_back(folder, "inactive_file")


def _groups_v1(root: Path) -> Iterator[int]:
    """The same for version 1."""
    for folder in group_folders(root, kind="cgroup", controller="memory"):
        limit = int((folder / "memory.limit_in_bytes").read_text())
        if limit < _NO_LIMIT:
            used = int((folder / "memory.usage_in_bytes").read_text())
            yield limit - used + _given_back(folder, "total_inactive_file")


def _given_back(folder: Path, name: str) -> int:
    """Bytes of cached files, which the system frees when memory is needed."""
    for line in (folder / "memory.stat").read_text().splitlines():
        field, _, value = line.partition(" ")
        if field == name:
            return int(value)
    return 0


def group_folders(root: Path, kind: str, controller: str) -> Iterator[Path]:
    """The folders of the process's control group and of those above it.

    The group's path starts at the hierarchy's root; a container sees only a part of
    the hierarchy, mounted somewhere (proc(5), /proc/pid/mountinfo; cgroups(7)).
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


def keep_memory() -> None:
    """Keep the memory that a step frees for the next one, until `give_back`. Linux only.

    There, large pieces go back to the system at once, which clears them before they are used
    again: at 1024 pixels and more that takes an eighth of a step's time (benchmarks/README.md).
    Not where the process has a limit of its own: kept pieces would count towards it, and are of
    no use to a larger one.
    """
    theirs = environ.keys() & {"MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"}
    if not theirs and not _process_limits():
        with suppress(OSError, TypeError, AttributeError):  # only glibc has it
            for setting, value in _MALLOPT.items():
                ctypes.CDLL(None).mallopt(setting, value)


def give_back() -> None:
    """Return memory that is kept but not in use to the system; it takes 0.02 to 0.2 s."""
    with suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
