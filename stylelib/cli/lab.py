"""``stylelib lab``: open the lessons in the JupyterLab of this Python."""

import os
import sys
from contextlib import suppress
from pathlib import Path

from ..errors import StylelibError
from .telling import say

LESSONS = (
    "00-a-prettier-camel.ipynb",
    "00-warm-up-tensors.ipynb",
    "01-what-a-cnn-sees.ipynb",
    "02-content.ipynb",
    "03-style.ipynb",
    "04-target-loss.ipynb",
    "05-studio.ipynb",
    "06-beyond.ipynb",
    "07-neighbours.ipynb",
)
"""The lessons' files, which tell their folder from any other with notebooks in it."""


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
        # Jupyter's own limit, 10 MB, breaks the connection when a photo from a good
        # camera is uploaded.
        "ServerApp.tornado_settings": {"websocket_max_message_size": 200_000_000},
    }
    main([*(f"--{name}={value}" for name, value in options.items()), *extra])
    return 0


def _lessons() -> list[Path]:
    """The lessons' files: here, or in the checkout that stylelib was installed from."""
    for folder in (Path.cwd(), Path(__file__).resolve().parents[2]):
        found = [path for name in LESSONS if _is_lesson(path := folder / "notebooks" / name)]
        if found:
            return found
    raise StylelibError(
        "The lessons are not here: there is no folder notebooks/ with stylelib's lessons in it. "
        "Go to the folder that you put stylelib in, and try again."
    )


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
