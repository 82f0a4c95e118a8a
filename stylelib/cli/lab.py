"""``stylelib lab``: open one's own lessons in the JupyterLab of this Python."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from ..errors import StylelibError
from ..lessons.passed import RECORD
from .lessons import LESSONS, hand_out, home_folder, shipped
from .server import SETTINGS
from .telling import say


def open_lessons(extra: list[str]) -> int:
    """Open the first lesson; JupyterLab gets the `extra` options. Returns the exit status."""
    lessons = _lessons()
    try:
        from jupyterlab.labapp import main  # type: ignore[import-untyped]
    except Exception as error:  # missing, or half of it belongs to another version
        raise StylelibError(
            f"This Python, {sys.executable}, can't start JupyterLab ({error}). "
            f"Run stylelib doctor, which says what to do."
        ) from error
    try:
        other = other_python()
    except Exception as error:  # missing, or its file is broken
        other = None
        say(
            f"stylelib: The kernel python3, which the lessons use, can't be started ({error}). "
            f"Run stylelib doctor, which says what to do."
        )
    if other:
        say(
            f"stylelib: The kernel python3, which the lessons use, starts another Python, {other}. "
            f"If a lesson can't import stylelib, run stylelib doctor, which says what to do."
        )
    options = {
        "ServerApp.root_dir": lessons[0].parent,
        "LabApp.default_url": f"/lab/tree/{lessons[0].name}",
        "ServerApp.tornado_settings": SETTINGS,
    }
    main([*(f"--{name}={value}" for name, value in options.items()), *extra])
    return 0


def _lessons() -> list[Path]:
    """The lessons' files: those here, or one's own in the home folder, with what is new.

    A clone's own are opened only from within their folder: what a student writes there would
    collide with the next version.
    """
    here = Path.cwd()
    for folder in (here, here / "notebooks"):
        found = _lessons_in(folder)
        if found and (folder == here or not _is_clones(folder)):
            if (folder / RECORD).exists():
                tell_what_is_new(folder)
                found = _lessons_in(folder)
            return found
    tell_what_is_new(home_folder())
    return _lessons_in(home_folder())


def tell_what_is_new(folder: Path) -> None:
    """Hand out the lessons to a folder, and say what was done."""
    for sentence in hand_out(folder):
        say(f"stylelib: {sentence}")


def _lessons_in(folder: Path) -> list[Path]:
    return [path for name in LESSONS if _is_lesson(path := folder / name)]


def _is_clones(folder: Path) -> bool:
    return folder.resolve() == shipped("notebooks").resolve()


def _is_lesson(path: Path) -> bool:
    """Whether a file with a lesson's name is that lesson: each of them uses stylelib."""
    with suppress(OSError):
        return "stylelib" in path.read_text(encoding="utf-8", errors="replace")
    return False


def other_python() -> str | None:
    """The Python that Jupyter starts for a lesson, if it is not this one."""
    from jupyter_client.kernelspec import KernelSpecManager

    command: str = KernelSpecManager().get_kernel_spec("python3").argv[0]
    major, minor = sys.version_info[:2]
    if command in ("python", f"python{major}", f"python{major}.{minor}"):
        return None  # for a bare name Jupyter takes its own Python
    # Links are not resolved: an environment's Python is a link to another one.
    ours, theirs = (os.path.normcase(os.path.abspath(path)) for path in (sys.executable, command))
    return None if ours == theirs else command
