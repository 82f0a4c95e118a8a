"""Running code that nobody has looked at: its own process, with limits, closed off if possible."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_POLL = 0.1  # seconds
_MOST_PROCESSES = 20
_PACKAGE = Path(__file__).resolve().parents[2]
_KEPT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR")


@dataclass(frozen=True)
class Box:
    """A way to close a process off from files and network: a prefix for its command."""

    told: str
    """What is closed off, in a sentence for the teacher."""
    prefix: Callable[[Path, Path], list[str]]
    """The prefix, for the only folder in which the process may write, and one that it may read."""


def _bubblewrap(folder: Path, shared: Path) -> list[str]:
    # Nothing of one's home is seen, but for what Python needs; nothing else can be written to.
    hidden = [Path("/tmp"), Path("/run"), Path.home()]
    needed = [Path(sys.prefix), Path(sys.base_prefix), _PACKAGE, shared]
    seen = sorted({path for path in needed if any(map(path.is_relative_to, hidden))})
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session"),
        *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
        *(part for path in hidden for part in ("--tmpfs", str(path))),
        *(part for path in seen for part in ("--ro-bind", str(path), str(path))),
        *("--bind", str(folder), str(folder), "--chdir", str(folder)),
    ]


_BOXES = (
    Box(
        "The notebooks' code had no network, saw no file in your home folder and could change no "
        "file of this computer (bubblewrap).",
        _bubblewrap,
    ),
    Box(
        "The notebooks' code had no network. Your files were not closed off from it: that needs "
        "bubblewrap (on Debian and Ubuntu, sudo apt install bubblewrap).",
        lambda folder, shared: [
            "unshare",
            "--map-root-user",
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
        ],
    ),
    Box(
        "The notebooks' code was limited in time and memory only: this computer offers no way to "
        "close off network and files. If you do not trust it, grade in a virtual machine.",
        lambda folder, shared: [],
    ),
)


def environment(folder: Path, shared: Path) -> dict[str, str]:
    """The variables for code in a box: none of this session's secrets, one thread, no card."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    places = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(folder))
    return kept | places | {
        "PYTHONPATH": str(_PACKAGE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": str(shared),
    }  # fmt: skip


def choose_box(folder: Path) -> Box:
    """The first box that works here. Matplotlib also makes its list of fonts in `folder`."""
    code = "import matplotlib.font_manager, torch"
    for box in _BOXES[:-1]:
        command = [*box.prefix(folder, folder), sys.executable, "-c", code]
        if shutil.which(command[0]) and _works(command, folder):
            return box
    _works([sys.executable, "-c", code], folder)
    return _BOXES[-1]


def _works(command: Sequence[str], folder: Path) -> bool:
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment(folder, folder),
            capture_output=True,
            timeout=180,
        )
        return done.returncode == 0
    return False


def run(
    command: Sequence[str],
    folder: Path,
    env: dict[str, str],
    memory: int,
    is_over: Callable[[float], bool],
) -> str:
    """Run a command to its end, or kill it and all that it has started.

    Parameters
    ----------
    command, folder, env
        What to run, where, and with which variables.
    memory : int
        The most bytes that all its processes may hold together.
    is_over : callable
        Asked a few times a second whether it has had its time; gets the seconds of processor time
        that it has used.

    Returns
    -------
    str
        ``"ended"``, ``"time"`` or ``"memory"``.
    """
    silent = subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdin=silent, stdout=silent, stderr=silent,
        start_new_session=True,
    )  # fmt: skip
    try:
        while process.poll() is None:
            held, seconds, count = _used(process.pid)
            if is_over(seconds):
                return "time"
            if held > memory or count > _MOST_PROCESSES:
                return "memory"
            time.sleep(_POLL)
        return "ended"
    finally:
        _kill(process)


def _family(pid: int) -> list[psutil.Process]:
    with suppress(psutil.Error):
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    return []


def _used(pid: int) -> tuple[int, float, int]:
    """The bytes and seconds that a process and its descendants use, and how many they are."""
    family, held, seconds = _family(pid), 0, 0.0
    for process in family:
        with suppress(psutil.Error):
            held += process.memory_info().rss
            seconds += sum(process.cpu_times()[:2])
    return held, seconds, len(family)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    for each in reversed(_family(process.pid)):
        with suppress(psutil.Error):
            each.kill()
    if os.name == "posix":
        with suppress(OSError):  # what has left the family, but not the group
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
