"""The lessons with their exercises answered, for teachers.

``python tests/answer_notebooks.py FOLDER`` writes them there. They have no outputs: run them.
"""

import ast
import sys
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
ANSWERS = Path(__file__).parent / "answers"


def functions(source: str) -> dict[str, ast.FunctionDef]:
    """The functions that a piece of code defines, by name."""
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def with_answer(source: str, path: Path) -> str:
    """The cell with each function in it replaced by the answer of the same name."""
    answers = (ANSWERS / f"lesson{path.name[:2]}.py").read_text(encoding="utf-8")
    known, lines = functions(answers), source.splitlines()
    # From the bottom up, so that the line numbers above stay valid.
    for name, node in sorted(functions(source).items(), key=lambda item: -item[1].lineno):
        answer = ast.get_source_segment(answers, known[name])
        assert answer is not None
        lines[node.lineno - 1 : node.end_lineno] = answer.splitlines()
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
        for cell in exercises:
            cell.source = with_answer(cell.source, path)
        if exercises:
            written.append(folder / f"{path.stem}-answers.ipynb")
            nbformat.write(notebook, written[-1])
    return written


if __name__ == "__main__":
    for written in write_all(Path(sys.argv[1])):
        print(written)
