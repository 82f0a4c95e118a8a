"""Every notebook as it is stored, and every exercise, empty and with the answer filled in.

nbval runs the notebooks and compares their text. What it leaves out is tested here: the
figures exist, have alt text and are not blank, nothing in the file shows which machine ran
it, and a student's correct answer passes.
"""

import ast
import importlib
import io
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from answer_notebooks import checked, first_cell, functions, with_answer
from nbformat import NotebookNode
from PIL import Image
from refresh_notebooks import KERNEL, NOTEBOOKS, execute

from stylelib.lessons.checking import EXERCISES, GUIDES, Verdict, hint, solution

TAUGHT = ("00-warm-up", "01", "02", "03", "04", "06", "07")  # the lessons with exercises
for _lesson in ("warmup", "cnn", "content", "style", "target", "beyond", "neighbours"):
    importlib.import_module(f"stylelib.lessons.{_lesson}.exercises")  # registers them
PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
LESSONS = [path for path in PATHS if path.name.startswith(TAUGHT)]
MACHINE = re.compile(
    r"(?<![\w.])/(?:work|tmp|root|home|Users|usr|opt|var)/|[A-Z]:\\\\|site-packages"
)
IMAGES = ("image/png", "image/jpeg")
LONGEST = 12  # lines of a code cell
LARGEST = 2_000_000  # bytes of a notebook
LARGEST_OUTPUT = 1_000_000  # of one message to the browser: Colab has trouble with larger ones


def each(paths: list[Path]) -> Any:
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def exercise_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in code_cells(notebook) if "exercise" in cell.metadata.get("tags", [])]


def results(notebook: NotebookNode) -> Iterator[NotebookNode]:
    for cell in code_cells(notebook):
        yield from (output for output in cell.outputs if "data" in output)


def images(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, str]]:
    for output in results(notebook):
        yield from ((output, kind) for kind in IMAGES if kind in output.data)


# As stored


@each(PATHS)
def test_it_is_stored_as_after_restart_and_run_all(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec == KERNEL
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


@each(PATHS)
def test_it_stores_neither_errors_nor_warnings(path: Path) -> None:
    for cell in code_cells(read(path)):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", output.text


@each(PATHS)
def test_it_is_small_enough_for_the_web(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    outputs = [output for cell in code_cells(read(path)) for output in cell.outputs]
    assert max((len(json.dumps(output)) for output in outputs), default=0) < LARGEST_OUTPUT


@each([path for path in PATHS if path.name[:2].isdigit()])
def test_its_figures_exist_and_are_not_blank(path: Path) -> None:
    found = list(images(read(path)))
    assert found
    for output, kind in found:
        with Image.open(io.BytesIO(b64decode(output.data[kind]))) as picture:
            pixels = np.asarray(picture.convert("L"), dtype=float)
        assert min(pixels.shape) > 50, "too small to see"
        assert pixels.std() > 5, output.data["text/plain"]


@each(PATHS)
def test_its_figures_have_alt_text(path: Path) -> None:
    notebook = read(path)
    for output, kind in images(notebook):
        words = output.metadata.get(kind, {}).get("alt") or output.data.get("text/plain", "")
        assert len(words) > 20 and not words.startswith("<"), words
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"!\[\s*\]\(|<img(?![^>]*\balt=)", cell.source), cell.source


@each(PATHS)
def test_it_contains_no_path_of_the_machine_that_ran_it(path: Path) -> None:
    notebook = read(path)
    texts = [cell.source for cell in notebook.cells]
    for cell in code_cells(notebook):
        texts += [output.get("text", "") for output in cell.outputs]
    for output in results(notebook):
        texts += [str(value) for kind, value in output.data.items() if kind not in IMAGES]
    for text in texts:
        assert not MACHINE.search(text), text


@each(PATHS)
def test_its_code_cells_are_short(path: Path) -> None:
    for cell in code_cells(read(path)):
        assert len(cell.source.splitlines()) <= LONGEST, cell.source


@each(PATHS)
def test_its_links_lead_to_existing_files(path: Path) -> None:
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#\s]+)", cell.source):
                if "://" not in target and not target.startswith("attachment:"):
                    assert (path.parent / target).exists(), target


# Exercises


def run(source: str, names: dict[str, Any]) -> Any:
    """Run a cell like a notebook, and return the value of its last expression."""
    *body, last = ast.parse(source).body
    assert isinstance(last, ast.Expr), "an exercise ends with check(...)"
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


def numbers(notebook: NotebookNode) -> list[str]:
    """The numbers of the exercises that a lesson checks."""
    return [number for cell in code_cells(notebook) for number in checked(cell.source)]


@each(LESSONS)
def test_an_empty_exercise_says_not_yet_and_the_answer_is_right(path: Path) -> None:
    notebook = read(path)
    names = first_cell(path)  # all that an exercise may use
    assert exercise_cells(notebook)
    for cell in exercise_cells(notebook):
        assert functions(cell.source), "an exercise is a function to write"
        empty = run(cell.source, dict(names))
        assert isinstance(empty, Verdict) and empty.state == "empty", empty
        assert cell.outputs and "not yet" in cell.outputs[0].data["text/plain"]
        verdict = run(with_answer(cell.source), dict(names))
        assert verdict.passed, verdict


@each(LESSONS)
def test_the_exercises_are_numbered_in_order_and_tagged(path: Path) -> None:
    found = numbers(read(path))
    assert found == [f"{int(path.name[:2])}.{index + 1}" for index in range(len(found))]
    assert len(found) == len(exercise_cells(read(path)))
    assert len(found) >= 3


def test_no_exercise_is_registered_without_a_lesson() -> None:
    used = [number for path in LESSONS for number in numbers(read(path))]
    assert sorted(used) == sorted(EXERCISES)


def test_the_lessons_have_at_least_seventeen_exercises() -> None:
    assert len(LESSONS) == len(TAUGHT)
    assert len(EXERCISES) >= 17


@pytest.mark.parametrize("number", sorted(EXERCISES))
def test_every_exercise_knows_three_common_mistakes(number: str) -> None:
    hints = {mistake.hint for mistake in EXERCISES[number].mistakes}
    assert len(hints) >= 3


@each(LESSONS)
def test_hints_come_one_by_one_and_then_the_solution(path: Path) -> None:
    for number in numbers(read(path)):
        told = [str(hint(number)) for _ in range(4)]
        assert [text[:11] for text in told[:3]] == ["Hint 1 of 3", "Hint 2 of 3", "Hint 3 of 3"]
        assert len(set(told)) == 4 and "solution(" in told[3]
        heading, code = str(solution(number)).split("\n", 1)
        assert heading.startswith(f"# One solution of exercise {number}")
        assert code == GUIDES[number].solution  # which the test above hands in
    assert GUIDES.keys() == EXERCISES.keys()


@pytest.mark.slow
@each(LESSONS)
def test_a_whole_lesson_with_the_answers_filled_in(path: Path) -> None:
    notebook = read(path)
    for cell in exercise_cells(notebook):
        cell.source = with_answer(cell.source)
    execute(notebook)
    for cell in exercise_cells(notebook):
        assert cell.outputs[0].data["text/plain"].startswith("✓"), cell.outputs
