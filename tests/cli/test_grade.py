"""``stylelib grade``: what a class hands in, and what the teacher reads."""

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

from stylelib import cli
from stylelib.cli import sandbox
from stylelib.cli.grade import find
from stylelib.cli.lessons import shipped

RIGHT = "def my_correlation(a, b):\n    return (a * b).mean()"
SUM = "def my_correlation(a, b):\n    return (a * b).sum()"
CHECK = '\n\n\ncheck("3.1", my_correlation)'


def write(path: Path, *cells: str) -> Path:
    """A notebook with these cells."""
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def rows(path: Path) -> dict[str, dict[str, str]]:
    """A table's rows, by student; with a student's last notebook."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def run(folder: Path, *options: str) -> tuple[dict[str, dict[str, str]], str]:
    """Grade a folder: the rows of grades.csv, and the page."""
    assert cli.main(["grade", str(folder), *options]) == 0
    results = folder.with_name(f"{folder.name}-grades")
    return rows(results / "grades.csv"), (results / "grades.html").read_text(encoding="utf-8")


def test_what_a_class_hands_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Renamed, half done, with an endless loop, hostile, damaged: the rest goes on."""
    folder = tmp_path / "monday"
    lesson = nbformat.read(shipped("notebooks") / "03-style.ipynb", as_version=4)
    for cell in lesson.cells:
        cell.source = cell.source.replace("def my_correlation(a, b):\n    ...  # your turn", SUM)
    (folder / "anna").mkdir(parents=True)
    nbformat.write(lesson, folder / "anna" / "my homework.ipynb")
    write(folder / "ben.ipynb", "1 / 0", "flat = lambda m: m * 1", "if True print(", RIGHT + CHECK)
    write(
        folder / "endless.ipynb",
        f"{RIGHT}{CHECK}",
        "def my_gram_with_loops(maps):\n    while True:\n        try:\n            pass\n"
        "        except BaseException:\n            pass",
        'check("3.2", my_gram_with_loops)\nraise SystemExit',
    )
    (folder / "=1+1.ipynb").write_text("{")
    with zipfile.ZipFile(folder / "zoe.zip", "w") as archive:
        archive.write(write(tmp_path / "x.ipynb", SUM + CHECK), "lessons/03.ipynb")
        said = {"03.1": {"question": "More <b> or less?", "said": "more", "answer": "less"}}
        archive.writestr("lessons/.stylelib/predictions.json", json.dumps(said))
    found, page = run(folder, "--seconds", "6")
    output = capsys.readouterr()
    assert {student: row["3.1"] for student, row in found.items()} == {
        "anna": "wrong", "ben": "right", "endless": "right", "'=1+1": "", "zoe": "wrong"
    }  # fmt: skip
    assert [found["anna"][f"3.{n}"] for n in range(2, 6)] == ["empty"] * 4
    assert [found["ben"][f"3.{n}"] for n in range(2, 6)] == ["missing"] * 4
    assert "Cell 3 is not Python" in found["ben"]["notes"]
    assert found["endless"]["3.2"] == "stopped"
    assert "  2 of 5, exercise 3.1: this is the sum over the positions." in output.out
    assert "Not read: =1+1.ipynb: " in output.out
    assert "<b>2 of 5</b>, exercise 3.1 Two maps, one number" in page
    assert "More &lt;b&gt; or less?" in page and "What they predicted" in page
    details = rows(tmp_path / "monday-grades" / "answers.csv")
    assert details["zoe"]["exercise"] == "3.5"


def test_a_folder_without_notebooks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        assert cli.main(["grade", str(folder), "-o", str(tmp_path / "out")]) == 1
        assert str(folder) in capsys.readouterr().err


Make = Callable[[Path], object]
FOLDERS: dict[str, tuple[Make, str]] = {
    "nbgrader's": (lambda f: write(f / "submitted/anna/style/03.ipynb", RIGHT), "anna"),
    "Moodle's": (
        lambda f: write(f / "Anna B_12_assign_file/03.ipynb", RIGHT),
        "Anna B_12_assign_file",
    ),
    "a file each": (lambda f: write(f / "anna.ipynb", RIGHT), "anna"),
}


@pytest.mark.parametrize(("make", "student"), FOLDERS.values(), ids=FOLDERS)
def test_how_students_are_told_apart(tmp_path: Path, make: Make, student: str) -> None:
    make(tmp_path)
    write(tmp_path / "source" / "x" / ".ipynb_checkpoints" / "y.ipynb", RIGHT)
    assert [found.student for found in find(tmp_path, tmp_path / "work")] == [student]


def test_a_zip_of_the_whole_class_and_a_bad_one(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    handed = tmp_path / "handed"
    handed.mkdir()
    with zipfile.ZipFile(handed / "all.zip", "w") as archive:
        for name in ("anna/03.ipynb", "ben/../../../03.ipynb", "ben/notes.txt"):
            archive.writestr(name, "{}")
    (handed / "carl.zip").write_bytes(b"PK no zip")
    found = list(find(handed, tmp_path / "work"))
    assert [one.student for one in found] == ["anna", "ben", "carl"]
    assert all(one.path.parent == tmp_path / "work" for one in found[:2])
    assert found[2].trouble and not found[0].trouble


# ------------------------------------------------------------------------ hostile notebooks

HOSTILE = {
    "eats memory": "x = []\nwhile True:\n    x.append(bytearray(10**8))",
    "starts processes": "import os\nfor _ in range(10**4):\n    if os.fork() == 0:\n        "
    "import time\n        time.sleep(600)",
    "ends Python": "import os\nos._exit(3)",
    "crashes": "import ctypes\nx = ctypes.string_at(1)",
    "writes to the results": "import sys\n"
    "x = open(sys.argv[2], 'a').write('{\\n[]\\n{\"kind\": 1}\\n')",
    "is never done": "while True:\n    pass",
    "breaks its own error": "class E(Exception):\n    def __str__(self):\n        raise self\n\n\n"
    "raise E",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE)
def test_the_right_answer_of_a_hostile_notebook_still_counts(tmp_path: Path, code: str) -> None:
    write(tmp_path / "in" / "mallory.ipynb", "import torch", code + CHECK, RIGHT)
    found, _ = run(tmp_path / "in", "--seconds", "6", "--memory", "1.5")
    assert found["mallory"]["3.1"] == "right"


@pytest.mark.slow
def test_ten_megabytes_of_outputs(tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "anna.ipynb", RIGHT + CHECK)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="x" * 10_000_000)]
    nbformat.write(notebook, path)
    assert run(tmp_path / "in")[0]["anna"]["3.1"] == "right"


@pytest.mark.slow
def test_what_is_closed_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way that works here, with code that looks for a secret and calls home."""
    import socket

    secret = tmp_path / "secret.txt"
    secret.write_text("the teacher's")
    server = socket.create_server(("127.0.0.1", 0))
    attack = (
        "import socket\n\n\ndef my_correlation(a, b):\n    said = ''\n"
        f"    for use in (lambda: open({str(secret)!r}).read(),\n"
        f"                lambda: open({str(tmp_path / 'new')!r}, 'w'),\n"
        f"                lambda: socket.create_connection({server.getsockname()!r}, 2)):\n"
        "        try:\n            said += f'got {use()} '\n"
        "        except OSError as error:\n            said += f'{type(error).__name__} '\n"
        "    raise ValueError(said)"
    )
    write(tmp_path / "in" / "mallory.ipynb", attack)
    box = sandbox.choose_box(tmp_path)
    _, page = run(tmp_path / "in")
    if "bubblewrap)." in box.told:
        assert "got" not in page and page.count("Error") >= 3
        assert not (tmp_path / "new").exists()
    elif box.prefix(tmp_path):
        assert "got the teacher" in page and "socket" not in page
    else:
        pytest.skip("nothing can be closed off here")
