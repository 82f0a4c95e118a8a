"""The cores of a computer, divided fairly among the processes of stylelib that paint on it.

On a class's server thirty students paint at once. Each process of PyTorch would use all cores, and
thirty times as many threads as cores take turns on them, each waiting for the others. So each
uses its share: as many threads as there are cores for each painter, at least one.
"""

import atexit
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from time import monotonic, time

import psutil
import torch

from ..memory import group_folders

CHOSEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables by which a user says how many threads there are; then nothing is divided."""

AT_WORK = 60.0
"""Seconds after the beginning of its last step during which a process counts as painting."""

_EVERY = 1.0  # seconds between two looks at who else paints
_MOST = 1000  # entries of the folder that are looked at


class Painters:
    """Who is painting on this computer: a folder with an empty file for each process that is.

    There is no server, and no lock. A file's name says no more than what every user may see in the
    list of processes: the process's number and when it began. A file that a crashed process left
    behind is not counted, and removed. Where the folder can't be used, a process sees only itself.

    Parameters
    ----------
    folder : Path
        That all users share.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._own: Path | None = None

    def enter(self) -> None:
        """Say, or say again, that this process is painting."""
        with suppress(OSError, psutil.Error):
            if self._own is None:
                self._make_folder()
                began = int(psutil.Process().create_time())
                self._own = self.folder / f"{_namespace()}-{os.getpid()}-{began}"
            flags = os.O_CREAT | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
            file = os.open(self._own, flags, 0o644)
            try:
                os.utime(file if os.utime in os.supports_fd else self._own)
            finally:
                os.close(file)

    def _make_folder(self) -> None:
        with suppress(FileExistsError):
            self.folder.mkdir()
            self.folder.chmod(0o1777)  # all may add files, each may remove their own
        if self.folder.is_symlink():  # somebody else's way to some other folder
            raise NotADirectoryError(self.folder)

    def leave(self) -> None:
        """Say that this process paints no longer."""
        if self._own is not None:
            if f"-{os.getpid()}-" in self._own.name:  # else a fork's parent is still painting
                with suppress(OSError):
                    self._own.unlink()
            self._own = None

    def count(self) -> int:
        """How many processes are painting, this one included."""
        others = 0
        if self._own is None:
            return 1
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in islice(entries, _MOST):
                with suppress(OSError, ValueError):
                    others += entry.name != self._own.name and self._is_painting(entry)
        return 1 + others

    def _is_painting(self, entry: "os.DirEntry[str]") -> bool:
        namespace, number, began = map(int, entry.name.split("-"))
        if namespace != _namespace():
            return False  # a container's: its numbers mean nothing here
        if not _is_alive(number, began):
            os.unlink(entry.path)
            return False
        found = entry.stat(follow_symlinks=False)
        return time() - found.st_mtime < AT_WORK and _is_owner(found.st_uid, number)


def _namespace() -> int:
    """Which processes have numbers that mean the same: those of a container."""
    with suppress(OSError):
        return os.stat("/proc/self/ns/pid").st_ino
    return 0


def _is_alive(number: int, began: int) -> bool:
    if not psutil.pid_exists(number):
        return False
    try:
        return bool(abs(psutil.Process(number).create_time() - began) < 2)  # else a later one's
    except psutil.Error:  # another user's, which may be hidden
        return True


def _is_owner(user: int, number: int) -> bool:
    """Whether a process is that user's, as far as it can be known: nobody speaks for others."""
    with suppress(psutil.Error, AttributeError):  # Windows has no such numbers
        return bool(psutil.Process(number).uids().effective == user)
    return True


def cores(root: Path = Path("/")) -> int:
    """How many cores this process may use: by its affinity, and by its control group's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    with suppress(OSError, ValueError):
        for quota in _quotas(root):
            count = min(count, int(quota))
    return max(1, count)


def _quotas(root: Path) -> Iterator[float]:
    """Cores that control groups allow, versions 2 and 1."""
    for folder in _folders(root, "cgroup2", ""):
        file = folder / "cpu.max"
        limit = file.read_text().split() if file.exists() else ["max"]
        if limit[0] != "max":
            yield int(limit[0]) / int(limit[1])
    for folder in _folders(root, "cgroup", "cpu"):
        file = folder / "cpu.cfs_quota_us"
        limit = [file.read_text()] if file.exists() else ["-1"]
        if int(limit[0]) > 0:
            yield int(limit[0]) / int((folder / "cpu.cfs_period_us").read_text())


def _folders(root: Path, kind: str, controller: str) -> Iterable[Path]:
    with suppress(OSError, ValueError):
        return list(group_folders(root, kind, controller))
    return []


class Share:
    """The threads of a process that paints: as many as its share of the cores.

    A number that the user has set, by `CHOSEN` or ``torch.set_num_threads``, is left as it is.
    """

    def __init__(self, painters: Painters) -> None:
        self.painters = painters
        self._process = os.getpid()
        self._usual = self._given = 0  # threads: PyTorch's, and those that were last set here
        self._looked = float("-inf")

    def take(self) -> None:
        """Before each step: set the number of threads of the thread that paints."""
        if os.getpid() != self._process:  # a fork has its parent's state, not its file
            self.painters = Painters(self.painters.folder)
            self._process, self._usual, self._given = os.getpid(), 0, 0
        now = monotonic()
        threads = torch.get_num_threads()
        if now - self._looked >= _EVERY:
            self._looked = now
            self.painters.enter()
            if not self._usual:
                self._usual = self._given = threads
            if self._is_ours(threads):
                room = min(self._usual, cores())
                self._given = max(1, room // self.painters.count())
        if threads != self._given and self._is_ours(threads):
            torch.set_num_threads(self._given)

    def _is_ours(self, threads: int) -> bool:
        """Whether the user leaves the number to us: it is PyTorch's own, or was set here."""
        if any(os.environ.get(name) for name in CHOSEN):
            return False
        return threads in (self._given, self._usual) and self._usual in _defaults()

    def rest(self) -> None:
        """After the last step: leave the cores to others, and the number of threads as it was."""
        self.painters.leave()
        self._looked = float("-inf")
        if self._usual and torch.get_num_threads() == self._given != self._usual:
            torch.set_num_threads(self._usual)
        self._usual = self._given = 0


def _defaults() -> set[int]:
    """How many threads PyTorch may use by itself: one for each core, or for each physical one."""
    affinity = getattr(os, "sched_getaffinity", None)
    counts = {os.cpu_count(), psutil.cpu_count(logical=False)}
    return {count for count in counts if count} | ({len(affinity(0))} if affinity else set())


def shared_folder() -> Path:
    """Where processes of all users find each other."""
    return Path(tempfile.gettempdir()) / "stylelib-painters"


share = Share(Painters(shared_folder()))
"""That of this process."""

atexit.register(lambda: share.painters.leave())  # a fork has others than it began with
