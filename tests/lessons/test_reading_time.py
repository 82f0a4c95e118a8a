"""How long a lesson takes, and whether its first cell says so.

The text is read aloud at 130 words a minute. Looking at a figure, moving a control, answering a
question and writing code take time as well: a fixed time each, which is an estimate.
Run this file as a script for a table of all the lessons.
"""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from refresh_notebooks import NOTEBOOKS

WORDS = 130  # read aloud in a minute
MINUTES = {"exercise": 2.0, "prediction": 0.5, "other cell": 0.4}
STATED = ("00-a", "00-w", "01", "02", "03", "04", "06", "07")  # whose first cell says how long
SAYS = re.compile(r"[Aa]bout (\d+) minutes|(\d+) to (\d+) minutes")
OPTIONAL = re.compile(r"optional", re.IGNORECASE)
SOURCES = "Where it comes from"  # to look up, not to read aloud


def minutes(path: Path) -> tuple[float, float]:
    """The minutes that a lesson takes, and those of its optional parts."""
    spent, level = {False: 0.0, True: 0.0}, 0  # level of the optional heading; 0: not in one
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            spent[level > 0] += _doing(cell)
            continue
        reading = True
        for line in cell.source.splitlines():
            if heading := re.match(r"(#+) (.*)", line):
                depth, title = len(heading[1]), heading[2]
                reading = title != SOURCES
                if not level or depth <= level:
                    level = depth if OPTIONAL.search(title) else 0
            spent[level > 0] += reading * len(line.split()) / WORDS
    return spent[False] + spent[True], spent[True]


def _doing(cell: nbformat.NotebookNode) -> float:
    if "exercise" in cell.metadata.get("tags", []):
        return MINUTES["exercise"]
    return MINUTES["prediction" if cell.source.startswith("predict") else "other cell"]


def stated(path: Path) -> float:
    """What the first cell says, optional parts not counted: the middle, if it is a range."""
    text = nbformat.read(path, as_version=4).cells[0].source
    found = SAYS.search(text[text.index("**You need**") :])
    assert found, "the first cell says how many minutes the lesson takes"
    return float(found[1]) if found[1] else (int(found[2]) + int(found[3])) / 2


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if path.name.startswith(STATED)],
    ids=lambda path: path.stem,
)
def test_a_lesson_says_how_long_it_takes(path: Path) -> None:
    everything, optional = minutes(path)
    assert stated(path) == pytest.approx(everything - optional, rel=0.2)


def test_reading_and_optional_parts_are_counted(tmp_path: Path) -> None:
    cells = [
        nbformat.v4.new_markdown_cell("# Title\n" + "word " * 128),
        nbformat.v4.new_markdown_cell("## More (optional)\n" + "word " * 256),
        nbformat.v4.new_markdown_cell("### Still optional\n" + "word " * 127),
        nbformat.v4.new_markdown_cell("## Where it comes from\n" + "word " * 500),
        nbformat.v4.new_code_cell("def f(): ...", metadata={"tags": ["exercise"]}),
    ]
    path = tmp_path / "lesson.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    # 130 words, then 260 and 130 that are optional; the exercise is not.
    everything, optional = minutes(path)
    assert optional == pytest.approx(3, abs=0.05)
    assert everything - optional == pytest.approx(1 + MINUTES["exercise"], abs=0.05)


if __name__ == "__main__":
    for each in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        whole, extra = minutes(each)
        sys.stdout.write(f"{each.stem}: {whole - extra:.0f} minutes, optional {extra:.0f}\n")
