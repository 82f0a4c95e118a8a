"""``stylelib bundle``: an installation in one folder, for a room without internet."""

import importlib.metadata
import re
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..errors import StylelibError
from ..version import __version__
from .lessons import shipped
from .telling import say, tell

SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
}
"""The systems that a bundle can be for, as the markers of requirements call them."""

# pip matches these exactly, but for macOS, where it takes wheels for older versions, too.
_PLATFORMS = {
    "linux": [
        *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)),
        *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
    ],
    "macos": ["macosx_14_0_arm64", "macosx_14_0_universal2"],
    "windows": ["win_amd64"],
}
_CPU = "https://download.pytorch.org/whl/cpu"  # PyTorch for Linux without 5 GB for graphics cards
_CHOSEN_BY_TORCH = re.compile(r"nvidia-|cuda-|triton$")

_READ_ME = """\
stylelib {version}, with all that it needs, for: {systems}; Python {pythons}.
No internet is needed. Open a terminal in this folder, and copy the lines for your system.

Linux, macOS:

  python3 -m venv ~/stylelib-env
  ~/stylelib-env/bin/pip install --no-index --find-links wheels stylelib
  ~/stylelib-env/bin/stylelib lab

Windows (PowerShell):

  py -m venv $HOME\\stylelib-env
  & $HOME\\stylelib-env\\Scripts\\pip install --no-index --find-links wheels stylelib
  & $HOME\\stylelib-env\\Scripts\\stylelib lab

Next time, the last line is enough. If pip finds no matching version of torch, this computer's
Python is another one than those above: python3 --version says which.
"""


def bundle(options: Namespace) -> int:
    """Fill a folder with wheels, and with the lines that install from it. Returns the status."""
    folder: Path = options.folder
    pythons = options.python or [f"{sys.version_info.major}.{sys.version_info.minor}"]
    systems = options.system or list(SYSTEMS)
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    _run(own_wheel(wheels), "its own wheel")
    for system in systems:
        for python in pythons:
            say(f"stylelib: For {system} and Python {python}:")
            for command in downloads(wheels, system, python):
                _run(command, f"the wheels for {system}, Python {python}")
    text = _READ_ME.format(
        version=__version__, systems=", ".join(systems), pythons=", ".join(pythons)
    )
    (folder / "README.txt").write_text(text, encoding="utf-8", newline="\r\n")
    size = sum(path.stat().st_size for path in wheels.iterdir()) / 1e6
    count = len(list(wheels.iterdir()))
    tell(f"{folder}: {count} files, {size:.0f} MB. How to install from it is in its README.txt.")
    return 0


def own_wheel(wheels: Path) -> list[str]:
    """The command that puts stylelib's own wheel there: built from a clone, or downloaded."""
    pip = [sys.executable, "-m", "pip"]
    project = shipped("constraints.txt").parent
    if (project / "pyproject.toml").exists():
        return [*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(project)]
    return [*pip, "download", "--no-deps", "--dest", str(wheels), f"stylelib=={__version__}"]


def downloads(wheels: Path, system: str, python: str) -> list[list[str]]:
    """The commands that download what stylelib needs, for a system and a Python version."""
    platforms = [part for name in _PLATFORMS[system] for part in ("--platform", name)]
    pip = [
        *(sys.executable, "-m", "pip", "download", "--dest", str(wheels)),
        *("--no-deps", "--only-binary=:all:", "--implementation", "cp"),
        *("--python-version", python, *platforms),
    ]
    wanted = needed(system, python)
    if system != "linux":
        return [[*pip, *wanted]]
    torch = [line for line in wanted if line.startswith("torch")]
    others = [line for line in wanted if line not in torch]
    return [[*pip, *others], [*pip, "--index-url", _CPU, *torch]]


def needed(system: str, python: str) -> list[str]:
    """What is installed with stylelib, in the versions of constraints.txt.

    pip itself can't say it for another system: it would ask what the one that it runs on needs.

    Parameters
    ----------
    system : str
        A key of `SYSTEMS`.
    python : str
        Such as ``"3.12"``.
    """
    lines = shipped("constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    where = SYSTEMS[system] | {"os_name": "nt" if system == "windows" else "posix"}
    where |= {"python_version": python, "python_full_version": f"{python}.2"}
    where |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    found: dict[str, None] = {}
    seen: set[tuple[str, str]] = set()
    left = [("stylelib", ""), ("stylelib", "draw")]
    while left:
        name, extra = one = left.pop()
        if one in seen or _CHOSEN_BY_TORCH.match(name):
            continue
        seen.add(one)
        if name != "stylelib":
            found[f"{name}=={pins[name]}"] = None
        for requirement in map(Requirement, _requirements(name)):
            if not requirement.marker or requirement.marker.evaluate(where | {"extra": extra}):
                needs = canonicalize_name(requirement.name)
                left += [(needs, more) for more in ("", *requirement.extras)]
    return sorted(found)


def _requirements(name: str) -> list[str]:
    try:
        return importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []  # needed on another system only; such packages need nothing themselves


def _run(command: Sequence[str], what: str) -> None:
    if subprocess.run(command).returncode:
        raise StylelibError(
            f"pip could not get {what}: see above. A bundle is made on a computer with internet, "
            f"in an environment that has pip."
        )
