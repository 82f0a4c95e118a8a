"""The lessons with their exercises answered, for teachers.

The answers are the solutions that `solution` shows to students.
``python tests/answer_notebooks.py FOLDER`` writes them there. They have no outputs: run them.
"""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from stylelib.lessons.checking import GUIDES

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def functions(source: str) -> dict[str, ast.FunctionDef]:
    """The functions that a piece of code defines, by name."""
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def checked(source: str) -> list[str]:
    """The numbers of the exercises that a piece of code checks."""
    return [
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "check"
        and isinstance(node.args[0], ast.Constant)
    ]


def first_cell(path: Path) -> dict[str, Any]:
    """The names that a lesson's first code cell defines; it also registers the exercises."""
    cells = nbformat.read(path, as_version=4).cells
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(next(cell.source for cell in cells if cell.cell_type == "code"), names)
    return names


def solutions(lesson: str) -> dict[str, Callable[..., Any]]:
    """The function of each solution of a lesson, such as ``"01-what-a-cnn-sees"``, by number."""
    names = first_cell(NOTEBOOKS / f"{lesson}.ipynb")
    found = {}
    for number, guide in GUIDES.items():
        if number.split(".")[0] == str(int(lesson[:2])):
            exec(guide.solution, names)
            (name,) = functions(guide.solution)
            found[number] = names[name]
    return found


def with_answer(source: str) -> str:
    """The cell of an exercise with its function replaced by the solution."""
    (number,) = checked(source)
    (function,) = functions(source).values()
    lines = source.splitlines()
    lines[function.lineno - 1 : function.end_lineno] = GUIDES[number].solution.splitlines()
    return "\n".join(lines)


def write_all(folder: Path) -> list[Path]:
    """Write the lessons that have exercises, and return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        exercises = [c for c in notebook.cells if "exercise" in c.metadata.get("tags", [])]
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        if exercises:
            first_cell(path)
            for cell in exercises:
                cell.source = with_answer(cell.source)
            written.append(folder / f"{path.stem}-answers.ipynb")
            nbformat.write(notebook, written[-1])
    return written


if __name__ == "__main__":
    for written in write_all(Path(sys.argv[1])):
        print(written)
