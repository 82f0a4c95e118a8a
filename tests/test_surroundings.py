"""Odd surroundings of Python: variables, options, encodings, missing packages. It still paints."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stylelib import load_image, read_recipe

PROJECT = Path(__file__).resolve().parents[1]
PAINT = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
from stylelib import cli
tiny = ["--size", "16", "--steps", "2", "--content-layers", "conv1_2", "--style-layers", "conv1_1"]
given = ["camel", "hokusai-poppies", *tiny, "-o", "painted.png", "--film", "f.gif"]
sys.exit(cli.main(["paint", *given]))
"""
STUDIO = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
from stylelib.studio import Studio
tiny = {{"content_layers": {{"conv1_2": 1.0}}, "style_layers": {{"conv1_1": 1.0}}}}
studio = Studio(size=16, steps=2, **tiny)
studio.paint()
studio.save("painted.png")
studio.film("f.gif")
studio.close()
"""
GONE = ("HOME", "USERPROFILE", "LANG", "LC_ALL", "LC_CTYPE", "MPLCONFIGDIR", "MPLBACKEND")


def python(folder: Path, code: str, *options: str, **variables: str) -> Any:
    """Run code in that folder, with options of Python; no home and no language but the given."""
    environment = {k: v for k, v in os.environ.items() if k not in GONE} | variables
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        capture_output=True,
        cwd=folder,
        env=environment | {"OMP_NUM_THREADS": "1"},
    )


def is_painted(folder: Path, done: Any) -> bool:
    """Whether it ended well, without a warning, and both files are whole."""
    assert done.returncode == 0, done.stderr
    assert b"Warning" not in done.stderr and b"Traceback" not in done.stderr, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["f.gif", "painted.png"]
    return load_image(folder / "f.gif").shape == load_image(folder / "painted.png").shape


# What is unusual, as options of Python and as variables.
UNUSUAL: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "no home, no language": ((), {}),
    "a home that is a file": ((), {"HOME": os.devnull, "USERPROFILE": os.devnull}),
    "plain C": ((), {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "an unknown language": ((), {"LC_ALL": "xx_YY.latin1", "LANGUAGE": "xx"}),
    "another encoding": ((), {"PYTHONIOENCODING": "latin1", "PYTHONUTF8": "0"}),
    "without docstrings and assertions": (("-OO",), {}),
    "isolated": (("-I",), {}),
    "no packages of the user, unbuffered": (("-s", "-u"), {"PYTHONNOUSERSITE": "1"}),
    "warnings are errors": (("-W", "error"), {}),
    "Python's development mode": (("-X", "dev"), {}),
    "a terminal of no width": ((), {"COLUMNS": "0", "LINES": "0", "TERM": "dumb"}),
    "no folder for temporary files": ((), {"TMPDIR": "/nowhere", "TEMP": "/nowhere"}),
    "another backend of Matplotlib": ((), {"MPLBACKEND": "qtagg"}),
}
SLOWLY = [name for name in UNUSUAL if name not in ("plain C", "isolated", "warnings are errors")]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOWLY)) for name in UNUSUAL],
)
def test_an_unusual_python(tmp_path: Path, name: str) -> None:
    options, variables = UNUSUAL[name]
    assert is_painted(tmp_path, python(tmp_path, PAINT, *options, **variables))
    assert read_recipe(tmp_path / "painted.png") is not None
    for path in tmp_path.iterdir():
        path.unlink()
    assert is_painted(tmp_path, python(tmp_path, STUDIO, *options, **variables))


# -------------------------------------------------------------------- missing packages

WITHOUT = "import sys\nsys.modules.update(dict.fromkeys({names!r}))\n"


def test_painting_needs_none_of_these(tmp_path: Path) -> None:
    names = ("torchvision", "matplotlib", "ipywidgets", "jupyterlab", "IPython", "anywidget")
    code = WITHOUT.format(names=(*names, "packaging", "jupyter_client", "traitlets"))
    assert is_painted(tmp_path, python(tmp_path, code + PAINT))


def test_the_studio_needs_none_of_these(tmp_path: Path) -> None:
    names = ("torchvision", "jupyterlab", "jupyter_client", "tqdm")
    assert is_painted(tmp_path, python(tmp_path, WITHOUT.format(names=names) + STUDIO))


@pytest.mark.parametrize(
    "name",
    ["torch", "numpy", *(pytest.param(n, marks=pytest.mark.slow) for n in ("PIL", "tqdm"))],
)
def test_a_missing_package_is_named(tmp_path: Path, name: str) -> None:
    done = python(tmp_path, WITHOUT.format(names=(name,)) + PAINT)
    told = done.stderr.decode().splitlines()  # PyTorch may warn that NumPy is missing
    assert done.returncode == 1 and b"Traceback" not in done.stderr, told
    assert name in told[-1] and "stylelib doctor" in told[-1]
    assert list(tmp_path.iterdir()) == []
