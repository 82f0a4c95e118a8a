"""``stylelib lab``: it opens the lessons, and nothing else, in the JupyterLab of its own Python."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stylelib
from stylelib import cli
from stylelib.cli import lab
from stylelib.cli.lessons import hand_out, home_folder

PROJECT = Path(stylelib.__file__).parents[1]
NOTEBOOKS = PROJECT / "notebooks"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: Any, tmp_path: Path) -> Run:
    """Call the command in a new folder, with a home: its exit status, and what it says."""
    for folder in ("here", "home"):
        (tmp_path / folder).mkdir()
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")

    def call(*options: str) -> tuple[int, str]:
        status = cli.main(["lab", *options])
        out, err = capsys.readouterr()
        assert out == ""
        return status, err

    return call


@pytest.fixture
def started(monkeypatch: Any) -> list[list[str]]:
    """What JupyterLab would be started with."""
    calls: list[list[str]] = []
    monkeypatch.setattr("jupyterlab.labapp.main", calls.append)
    return calls


def copy(*names: str) -> Path:
    """Lessons in a folder notebooks/ here, as a teacher may hand them out."""
    folder = Path.cwd() / "notebooks"
    folder.mkdir()
    for name in names:
        shutil.copy(NOTEBOOKS / name, folder)
    return folder


def opened(calls: list[list[str]]) -> tuple[Path, str]:
    """The folder and the file that JupyterLab opens."""
    ((root, address, *_),) = calls
    return Path(root.partition("=")[2]), address.rpartition("/")[2]


def test_it_knows_every_lesson() -> None:
    assert list(lab.LESSONS) == sorted(path.name for path in NOTEBOOKS.glob("[0-9]*.ipynb"))


def test_it_prefers_the_lessons_in_the_current_folder(run: Run, started: list[list[str]]) -> None:
    folder = copy(*lab.LESSONS[:2])
    assert run("--no-browser", "--port", "9999") == (0, "")
    assert started == [
        [
            f"--ServerApp.root_dir={folder}",
            f"--LabApp.default_url=/lab/tree/{lab.LESSONS[0]}",
            "--ServerApp.tornado_settings={'websocket_max_message_size': 200000000}",
            *("--no-browser", "--port", "9999"),
        ]
    ]


def test_elsewhere_it_makes_a_folder_of_ones_own(run: Run, started: list[list[str]]) -> None:
    status, said = run()
    assert status == 0 and opened(started) == (home_folder(), lab.LESSONS[0])
    count = len(list(NOTEBOOKS.glob("*.ipynb")))
    assert said.startswith(f"stylelib: {count} notebooks were copied to ") and said.count("\n") == 1
    assert home_folder().parent.name == "home"
    started.clear()
    assert run() == (0, "") and opened(started) == (home_folder(), lab.LESSONS[0])


def test_in_a_clone_students_work_in_their_own_copies(
    run: Run, started: list[list[str]], monkeypatch: Any
) -> None:
    """Otherwise what they write would collide with the next version."""
    monkeypatch.chdir(PROJECT)
    assert run()[0] == 0 and opened(started) == (home_folder(), lab.LESSONS[0])


def test_in_the_clones_own_folder_contributors_work_on_the_lessons_themselves(
    run: Run, started: list[list[str]], monkeypatch: Any
) -> None:
    monkeypatch.chdir(NOTEBOOKS)
    assert run() == (0, "") and opened(started) == (NOTEBOOKS, lab.LESSONS[0])


def test_in_a_folder_of_lessons_it_opens_these(
    run: Run, started: list[list[str]], monkeypatch: Any
) -> None:
    hand_out(Path("mine"))
    monkeypatch.chdir("mine")
    assert run() == (0, "") and opened(started) == (Path.cwd(), lab.LESSONS[0])


def test_a_home_that_cannot_be_written_to(run: Run, started: list[list[str]]) -> None:
    Path.home().rmdir()
    Path.home().write_text("a file where the home folder should be")
    status, said = run()
    assert status == 1 and started == [] and said.count("\n") == 1
    assert "stylelib-lessons" in said


def homework(folder: Path, name: str, code: str) -> None:
    """Somebody's own notebook."""
    cell = {"cell_type": "code", "source": [code], "metadata": {}, "outputs": []}
    (folder / name).write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}))


OTHERS: dict[str, Callable[[Path], Any]] = {
    "another course's": lambda f: homework(f, "01-introduction.ipynb", "import pandas"),
    "numbered like ours": lambda f: homework(f, "00-first.ipynb", "import torch"),
    "a student's own, which uses stylelib": lambda f: homework(f, "01-me.ipynb", "import stylelib"),
    "named like ours": lambda f: homework(f, lab.LESSONS[0], "import pandas"),
    "empty, named like ours": lambda f: (f / lab.LESSONS[0]).touch(),
    "a folder named like ours": lambda f: (f / lab.LESSONS[0]).mkdir(),
    "no text, named like ours": lambda f: (f / lab.LESSONS[0]).write_bytes(bytes(range(256))),
    "the glossary alone": lambda f: shutil.copy(NOTEBOOKS / "glossary.ipynb", f),
    "nothing": lambda f: None,
}


@pytest.mark.parametrize("fill", OTHERS.values(), ids=OTHERS)
def test_other_notebooks_are_not_taken_for_the_lessons(
    run: Run, started: list[list[str]], fill: Callable[[Path], Any]
) -> None:
    folder = copy()
    fill(folder)
    before = sorted(folder.iterdir())
    assert run()[0] == 0 and opened(started) == (home_folder(), lab.LESSONS[0])
    assert sorted(folder.iterdir()) == before


def test_copies_and_notes_beside_the_lessons(run: Run, started: list[list[str]]) -> None:
    """What a student adds sorts first, but is not opened in place of the lesson."""
    folder = copy(*lab.LESSONS)
    shutil.copy(folder / lab.LESSONS[0], folder / "00-a-prettier-camel-Copy1.ipynb")
    homework(folder, "00-a.ipynb", "import stylelib")
    assert run()[0] == 0 and opened(started) == (folder, lab.LESSONS[0])


def test_some_of_the_lessons(run: Run, started: list[list[str]]) -> None:
    folder = copy(lab.LESSONS[3], lab.LESSONS[2])
    assert run()[0] == 0 and opened(started) == (folder, lab.LESSONS[2])


# --------------------------------------------------------- another Python's Jupyter


def test_a_kernel_of_another_python_is_announced(
    run: Run, started: list[list[str]], monkeypatch: Any, tmp_path: Path
) -> None:
    """It starts all the same: the kernel may have stylelib, too."""
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    kernel = {"argv": ["/other/bin/python", "-m", "ipykernel"], "display_name": "Python 3"}
    (folder / "kernel.json").write_text(json.dumps(kernel))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    status, said = run()
    assert status == 0 and len(started) == 1
    assert "starts another Python, /other/bin/python." in said and "stylelib doctor" in said


@pytest.mark.parametrize("text", ["", "[]", '{"argv": []}'])
def test_a_kernel_whose_file_is_broken_is_announced(
    run: Run, started: list[list[str]], monkeypatch: Any, tmp_path: Path, text: str
) -> None:
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(text)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    status, said = run()
    assert status == 0 and len(started) == 1
    assert "can't be started (" in said and said.count("\n") == 2  # and the lessons were copied


@pytest.mark.parametrize(
    "broken",
    ["raise ImportError('No module named jupyter_server')", "raise RuntimeError('half of it')"],
)
def test_a_jupyterlab_that_cannot_be_loaded(tmp_path: Path, broken: str) -> None:
    (tmp_path / "jupyterlab").mkdir()
    (tmp_path / "jupyterlab" / "__init__.py").write_text(broken)
    path = os.pathsep.join([str(tmp_path), str(PROJECT)])
    done = subprocess.run(
        [sys.executable, "-m", "stylelib", "lab", "--version"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and done.stdout == ""
    assert "can't start JupyterLab" in done.stderr and "stylelib doctor" in done.stderr
    assert sys.executable in done.stderr and "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="the false commands are shell scripts")
def test_another_jupyter_on_the_path_is_not_started(tmp_path: Path) -> None:
    for name in ("jupyter", "jupyter-lab", "jupyter-server", "python", "python3"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/called\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "stylelib", "lab", "--version"],
        env=os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        cwd=NOTEBOOKS,
    )
    from jupyterlab import __version__

    assert done.stdout.strip() == __version__, done.stderr
    assert not (tmp_path / "called").exists()


# ----------------------------------------------------------- a folder that is gone

IN_A_LOST_FOLDER = """
import os, sys, tempfile
folder = tempfile.mkdtemp()
os.chdir(folder)
os.rmdir(folder)
"""
WAYS = {
    "lab": "from stylelib.cli import main; sys.exit(main(['lab', '--version']))",
    "paint": "from stylelib.cli import main; sys.exit(main(['paint', 'camel', 'hokusai-poppies']))",
    "a public name": "import stylelib; stylelib.load_image('camel')",
    "the notebooks' import": "from stylelib import Transfer",
}


@pytest.mark.skipif(os.name == "nt", reason="Windows can't remove the current folder")
@pytest.mark.parametrize("code", WAYS.values(), ids=WAYS)
def test_a_working_folder_that_no_longer_exists(code: str) -> None:
    """PyTorch would end Python there."""
    command = [sys.executable, "-c", IN_A_LOST_FOLDER + code]
    env = os.environ | {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 1 and done.stdout == ""
    assert "The folder that Python was started in no longer exists." in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows can't remove the current folder")
def test_what_works_without_a_working_folder() -> None:
    env = os.environ | {"PYTHONPATH": str(PROJECT)}
    code = (
        "import stylelib; from stylelib.cli import main; print(stylelib.__version__); "
        "sys.exit(main(['samples']) or main([]))"
    )
    command = [sys.executable, "-c", IN_A_LOST_FOLDER + code]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0 and "Bactrian" in done.stdout, done.stderr
    # A notebook that has loaded PyTorch goes on.
    code = "from stylelib import load_image; print(tuple(load_image('camel', 16).shape))"
    command = [sys.executable, "-c", "import torch" + IN_A_LOST_FOLDER + code]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.stdout == "(1, 3, 9, 16)\n", done.stderr
