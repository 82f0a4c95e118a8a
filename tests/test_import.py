"""``import stylelib`` is quick and brings nothing heavy; every public name is there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import stylelib

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PROMISED = [
    "load_image",
    "save_image",
    "load_vgg19",
    "features",
    "gram_matrix",
    "content_loss",
    "style_loss",
    "total_variation",
    "target_loss",
    "Transfer",
    "Recipe",
    "RECIPES",
    "SAMPLES",
    "LAYERS",
    "StylelibError",
]
HEAVY = {"torch", "numpy", "PIL", "matplotlib", "ipywidgets", "IPython", "jupyterlab"}


def python(code: str) -> str:
    """What a fresh Python prints for that code."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_import_is_quick() -> None:
    # The time is the process's own: what else this computer does is not counted.
    code = (
        "import time; start = time.process_time(); import stylelib; "
        "print(time.process_time() - start)"
    )
    assert min(float(python(code)) for _ in range(3)) < 0.3


@pytest.mark.parametrize(
    "code",
    [
        "import stylelib",
        "from stylelib.cli import main; main(['samples'])",
        "from stylelib.cli import main\ntry: main(['paint', '--help'])\nexcept SystemExit: pass",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(code: str) -> None:
    loaded = python(f"{code}\nimport sys; print(*sys.modules)").splitlines()[-1].split()
    assert "stylelib" in loaded
    assert not HEAVY & set(loaded)


@pytest.mark.parametrize("name", sorted({*PROMISED, *stylelib.__all__}))
def test_every_public_name_is_there(name: str) -> None:
    assert name in stylelib.__all__ and name in dir(stylelib)
    value = getattr(stylelib, name)
    assert value is getattr(stylelib, name)
    if callable(value):
        assert value.__doc__ and value.__module__.startswith("stylelib.")


@pytest.mark.parametrize(
    ("given", "waiting"),
    [
        ({}, "3000"),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "None"),
    ],
)
def test_waiting_threads_sleep_unless_the_user_decides_otherwise(
    given: dict[str, str], waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    code = "import os, stylelib; print(os.environ.get('GOMP_SPINCOUNT'))"
    assert python(code).strip() == waiting


@pytest.mark.parametrize("lesson", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_lessons_load_stylelib_before_torch(lesson: Path) -> None:
    """Otherwise its setting for the threads comes too late."""
    code = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    first = re.search(r"^(?:from|import) (torch|stylelib)\b",
                      "\n".join("".join(c["source"]) for c in code if c["cell_type"] == "code"),
                      re.M)  # fmt: skip
    assert first is None or first[1] == "stylelib"


def test_a_subinterpreter_is_refused_in_a_sentence() -> None:
    inside = "try:\n import stylelib\nexcept ImportError as error: print(error, flush=True)"
    code = (
        "try: import _interpreters as interpreters\n"
        "except ImportError: import _xxsubinterpreters as interpreters\n"
        f"interpreters.run_string(interpreters.create(), {inside!r})"
    )
    assert "can't run in a subinterpreter" in python(code)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="No stylelib attribute paint_by_numbers"):
        _ = stylelib.paint_by_numbers  # type: ignore[attr-defined]
