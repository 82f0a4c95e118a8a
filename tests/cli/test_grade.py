"""``stylelib grade``: what a class hands in, and what the teacher reads."""

import csv
import json
import os
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pytest

from stylelib import cli
from stylelib.cli import sandbox
from stylelib.cli.grade import Answer, Question, Report, commonest
from stylelib.cli.grades import write_page
from stylelib.cli.lessons import shipped
from stylelib.cli.marking import mark

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


@pytest.mark.slow
def test_what_a_class_hands_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Renamed, half done, with an endless loop, hostile, damaged: the rest goes on."""
    folder = tmp_path / "monday"
    lesson = nbformat.read(shipped("notebooks") / "03-style.ipynb", as_version=4)
    for cell in lesson.cells:
        cell.source = cell.source.replace("def my_correlation(a, b):\n    ...  # your turn", SUM)
    (folder / "anna").mkdir(parents=True)
    nbformat.write(lesson, folder / "anna" / "my homework.ipynb")
    write(
        folder / "ben.ipynb",
        "%matplotlib inline\n!ls",
        "flat = lambda m: m * 1",
        "if True print(",
        RIGHT + CHECK,
    )
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
    assert found["endless"]["3.2"] == "stopped" and found["endless"]["3.3"] == "missing"
    assert "  2 of 5, exercise 3.1: this is the sum over the positions." in output.out
    assert "Not read: =1+1.ipynb: " in output.out
    assert "<b>2 of 5</b>, exercise 3.1 Two maps, one number" in page
    assert "More &lt;b&gt; or less?" in page and "What they predicted" in page
    details = rows(tmp_path / "monday-grades" / "answers.csv")
    assert details["zoe"]["exercise"] == "3.5"


def marked(path: Path) -> tuple[dict[str, tuple[str, bool]], list[str]]:
    """What is found in a notebook: the verdicts, with whether the mistake is known; the notes."""
    verdicts, notes = dict[str, tuple[str, bool]](), list[str]()

    def tell(kind: str, **values: Any) -> None:
        if kind == "verdict":
            verdicts[values["number"]] = values["state"], values["recognised"]
        notes.extend([values["text"]] if kind == "note" else [])

    mark(path, tell, set())
    return verdicts, notes


def test_a_notebook_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    """The last definition counts, with the helpers that it needs; what is only shown is not run."""
    cells = [
        "from stylelib import gram_matrix\nFACTOR = len('ab') / 2",
        "%matplotlib inline\n!ls",
        "flat = lambda m: m.flatten(2)",
        "raise SystemExit('painted for an hour')\nFACTOR = len('abc')",
        "if True print(",
        RIGHT + CHECK,
        SUM + "\n\n\n1 / 0" + CHECK,
        "wrong = 1 / 0\ncheck('3.2', lambda maps: gram_matrix(maps[None])[0] * FACTOR)",
        "def my_gram(maps):\n    return flat(maps) @ flat(maps).mT / flat(maps).shape[2]",
    ]
    verdicts, notes = marked(write(tmp_path / "renamed.ipynb", *cells))
    assert verdicts == {
        "3.1": ("wrong", True),
        "3.2": ("right", False),
        "3.3": ("right", False),
        "3.4": ("missing", False),
        "3.5": ("missing", False),
    }
    assert [note.split(" (")[0] for note in notes] == [
        "Cell 5 is not Python",
        "Cell 8 stopped with ZeroDivisionError: division by zero.",
    ]


def test_what_is_told_of_the_class(tmp_path: Path) -> None:
    known = Answer("3.1", "wrong", "take the <mean>.", True)
    reports = [
        Report("anna", "a.ipynb", [known, Answer("3.2", "right")]),
        Report("anna", "a2.ipynb", [known]),
        Report("ben", "b.ipynb", [known, Answer("3.2", "wrong", "divide by N.", True)]),
        Report("carl", "c.ipynb", [Answer("3.1", "wrong", "unknown")], ["Cell 2 stopped."]),
        Report("<b>", "d.ipynb", unreadable="it is empty"),
    ]
    mistakes = commonest(reports)
    assert [(one.number, one.students) for one in mistakes] == [
        ("3.1", ["anna", "ben"]), ("3.2", ["ben"])
    ]  # fmt: skip
    asked = [Question("03.1", "More?", Counter({"yes": 2, "no": 1}), "no")]
    page = write_page(tmp_path / "x.html", "monday", reports, mistakes, asked, "Closed.")
    text = page.read_text(encoding="utf-8")
    assert "<b>2 of 4</b>, exercise 3.1 Two maps, one number: take the &lt;mean&gt;." in text
    assert "Not read: it is empty." in text and "<td>&lt;b&gt;</td>" in text
    assert "✓ what came out" in text and "http" not in text  # it loads nothing


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("pass", "ended"),
        ("while True: pass", "time"),
        ("x = bytearray(4 * 10**8); import time; time.sleep(60)", "memory"),
    ],
)
def test_a_process_is_kept_within_its_limits(tmp_path: Path, code: str, ending: str) -> None:
    env = sandbox.environment(tmp_path, tmp_path)
    command = [sys.executable, "-c", code]
    assert sandbox.run(command, tmp_path, env, 3 * 10**8, lambda used: used > 0.5) == ending
    assert "HOME" not in env or env["HOME"] == str(tmp_path)


def test_a_folder_without_notebooks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        assert cli.main(["grade", str(folder), "-o", str(tmp_path / "out")]) == 1
        assert str(folder) in capsys.readouterr().err


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
@pytest.mark.skipif(os.name == "nt", reason="Windows makes links for administrators only")
@pytest.mark.parametrize("make", ["symlink({target!r}, {file})", "mkfifo({file})"])
def test_a_link_or_a_pipe_in_the_place_of_the_results(tmp_path: Path, make: str) -> None:
    target = tmp_path / "thesis.txt"
    target.write_text("the teacher's")
    code = "import os, sys\nos.remove(sys.argv[2])\nx = os." + make.format(
        target=str(target), file="sys.argv[2]"
    )
    write(tmp_path / "in" / "mallory.ipynb", code + "\nwhile True:\n    pass" + CHECK)
    found, page = run(tmp_path / "in", "--seconds", "6")
    assert "mallory" in found and "the teacher" not in page
    assert target.read_text() == "the teacher's"


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
    elif box.prefix(tmp_path, tmp_path):
        assert "got the teacher" in page and "socket" not in page
    else:
        pytest.skip("nothing can be closed off here")
