"""The picture that a notebook stores beside a widget, and HTML made of the notebook."""

from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from refresh_notebooks import WIDGET_VIEW, execute, tidy

from stylelib.lessons import stills
from stylelib.lessons.exporting import PageExporter

CELLS = (
    "from stylelib.studio import Painter\nPainter(size=32, steps=3, gallery=None)",
    "painter = _\npainter.start()\npainter.wait();",
    "from stylelib.lessons.content import controls\n"
    "controls.loss_by_hand(start=[[1, 0], [2, 2]], target=[[3, 0], [1, 2]])",
)


@pytest.fixture(scope="module")
def notebook() -> NotebookNode:
    """Painted and explored, as a student leaves it."""
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    return execute(nbformat.v4.new_notebook(cells=cells))


def test_a_notebook_stores_what_was_painted(notebook: NotebookNode) -> None:
    widget, note, picture = notebook.cells[0].outputs
    assert list(widget.data) == [WIDGET_VIEW]
    assert "run this cell again" in note.data["text/html"]
    words = "Painter: Step 3 of 3. No. 1: A Bactrian camel and her calf, after The Great Wave off"
    assert picture.data["text/plain"].startswith(words) and words in note.data["text/html"]
    assert picture.metadata["image/jpeg"]["alt"] == picture.data["text/plain"]
    assert len(picture.data["image/jpeg"]) > 1000
    assert [min(output.data) for output in notebook.cells[2].outputs] == [
        WIDGET_VIEW, "text/html", "image/png",
    ]  # fmt: skip


@pytest.mark.parametrize("exporter", [HTMLExporter, PageExporter])
def test_html_made_of_it_shows_the_picture(notebook: NotebookNode, exporter: Any) -> None:
    page, _ = exporter().from_notebook_node(notebook)
    picture = notebook.cells[0].outputs[2].data["image/jpeg"].strip()
    assert picture in page
    assert "model not found" not in page
    if exporter is PageExporter:  # nbconvert's own page has no alternative texts
        assert 'alt="Painter: Step 3 of 3.' in page


def test_a_stored_lesson_has_no_widget(notebook: NotebookNode) -> None:
    stored = tidy(nbformat.from_dict(notebook))
    kinds = [sorted(output.data) for output in stored.cells[0].outputs]
    assert kinds == [["text/html"], ["image/jpeg", "text/plain"]]


def test_elsewhere_widget_and_picture_are_one_output(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(stills, "display", lambda data, **_: shown.append(data))
    bundle: Any = ({WIDGET_VIEW: {}, "image/png": "x", "text/plain": "A camel."}, {})
    stills.Still().show(bundle)
    assert [list(data) for data in shown] == [
        [WIDGET_VIEW], ["text/html"], ["image/png", "text/plain"],
    ]  # fmt: skip
    monkeypatch.setenv("VSCODE_PID", "1")
    stills.Still().show(bundle)
    assert shown[3:] == [bundle[0]]
