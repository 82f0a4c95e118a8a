"""``stylelib lessons``: a student's folder, and what happens to it when there is a new version."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from stylelib import cli
from stylelib.cli import lessons
from stylelib.cli.lessons import hand_out
from stylelib.lessons.passed import RECORD

STYLE = "03-style.ipynb"
Edit = Callable[[Any], None]


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lessons that a test may change, as a new version of stylelib would."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name in (STYLE, "04-target-loss.ipynb", "glossary.ipynb"):
        shutil.copy(lessons.shipped("notebooks") / name, folder)
    monkeypatch.setattr(lessons, "shipped", lambda name: folder)
    return folder


def edit(path: Path, number: int, text: str) -> None:
    """Change a cell, as JupyterLab saves it."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[number].source = text
    nbformat.write(notebook, path)


def cell(path: Path, number: int) -> str:
    source: str = nbformat.read(path, as_version=4).cells[number].source
    return source


def answered(path: Path) -> int:
    """Answer the first exercise, and return which cell it is."""
    notebook = nbformat.read(path, as_version=4)
    number = next(
        n for n, c in enumerate(notebook.cells) if "exercise" in c.metadata.get("tags", [])
    )
    edit(path, number, "def my_correlation(a, b):\n    return (a * b).mean()")
    return number


def test_a_new_folder_gets_all_lessons_and_the_code_that_they_link_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "mine"
    assert cli.main(["lessons", str(folder)]) == 0
    count = len(lessons.LESSONS) + 1
    assert capsys.readouterr().out == f"{count} notebooks were copied to {folder}.\n"
    assert {*lessons.LESSONS, "glossary.ipynb"} == {path.name for path in folder.glob("*.ipynb")}
    for path in folder.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        texts = [c.source for c in notebook.cells if c.cell_type == "markdown"]
        for target in re.findall(r"\]\(([^)#\s]+)", "\n".join(texts)):
            assert "://" in target or target.startswith("attachment:") or (folder / target).exists()
    assert cli.main(["lessons", str(folder)]) == 0
    assert capsys.readouterr().out == "Nothing is new.\n"


def test_an_update_replaces_what_nobody_worked_in(source: Path, tmp_path: Path) -> None:
    hand_out(tmp_path / "mine")
    edit(source / STYLE, 0, "# Style, anew")
    assert hand_out(tmp_path / "mine") == [f"{STYLE} was replaced by its new version."]
    assert cell(tmp_path / "mine" / STYLE, 0) == "# Style, anew"


def test_an_update_never_touches_a_students_work(source: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine" / STYLE
    hand_out(mine.parent)
    exercise = answered(mine)
    work = mine.read_bytes()
    assert hand_out(mine.parent) == []  # there is no new version yet
    edit(source / STYLE, 0, "# Style, anew")
    edit(source / STYLE, exercise, "def my_correlation(one, other):\n    ...")
    (said,) = hand_out(mine.parent)
    assert mine.read_bytes() == work
    assert "03-style-new.ipynb" in said and said.count("(1 cell)") == 2 and "Style, anew" in said
    assert cell(mine.parent / "03-style-new.ipynb", 0) == "# Style, anew"
    assert hand_out(mine.parent) == []  # it is not handed out twice
    edit(source / STYLE, 0, "# Style, once more")
    (said,) = hand_out(mine.parent)
    assert "03-style-new2.ipynb" in said and mine.read_bytes() == work
    assert cell(mine.parent / "03-style-new.ipynb", 0) == "# Style, anew"


def test_new_outputs_alone_are_no_new_version(source: Path, tmp_path: Path) -> None:
    hand_out(tmp_path / "mine")
    answered(tmp_path / "mine" / STYLE)
    notebook = nbformat.read(source / STYLE, as_version=4)
    for each in notebook.cells:
        if each.cell_type == "code":
            each.outputs = []
    nbformat.write(notebook, source / STYLE)
    assert hand_out(tmp_path / "mine") == []


def test_a_copy_from_a_clone_is_told_from_a_new_version(source: Path, tmp_path: Path) -> None:
    """Nothing says what was handed out: only what is no exercise can be compared."""
    mine = tmp_path / "mine"
    shutil.copytree(source, mine)
    answered(mine / STYLE)
    before = (mine / STYLE).read_bytes()
    assert not [said for said in hand_out(mine) if STYLE in said]
    assert (mine / STYLE).read_bytes() == before


def test_a_lesson_that_was_deleted_comes_back(source: Path, tmp_path: Path) -> None:
    hand_out(tmp_path / "mine")
    (tmp_path / "mine" / STYLE).unlink()
    assert hand_out(tmp_path / "mine") == [f"{STYLE} was copied to {tmp_path / 'mine'}."]
    assert (tmp_path / "mine" / STYLE).exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"lessons": 3}', '{"lessons": {"x": 1}}'])
def test_a_damaged_record_or_lesson_is_kept(source: Path, tmp_path: Path, text: str) -> None:
    mine = tmp_path / "mine"
    hand_out(mine)
    (mine / RECORD).write_text(text)
    (mine / STYLE).write_text(text)
    said = hand_out(mine)
    assert len([sentence for sentence in said if STYLE in sentence]) == 1
    assert (mine / STYLE).read_text() == text and (mine / "03-style-new.ipynb").exists()


def test_for_colab_the_first_cell_installs_where_it_is_needed(source: Path, tmp_path: Path) -> None:
    hand_out(tmp_path, "stylelib==9")
    first = cell(tmp_path / STYLE, 0)
    assert "%pip install --quiet stylelib==9" in first
    # Here stylelib is installed, and the cell does nothing.
    exec(first.replace("%pip", "raise AssertionError #"), {})
    assert json.loads((tmp_path / "glossary.ipynb").read_text())["cells"][0]["cell_type"] != "code"
