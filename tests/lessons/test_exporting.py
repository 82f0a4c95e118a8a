"""Lessons as web pages and as slides, as `jupyter nbconvert` makes them."""

import re
from copy import deepcopy
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from refresh_notebooks import NOTEBOOKS, WIDGET_VIEW

from stylelib.lessons.exporting import PageExporter, SlidesExporter

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
EXPORTERS = (PageExporter, SlidesExporter)
LOADING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src")}


class Read(HTMLParser):
    """What a page loads, its links, and the descriptions of its pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded, self.links, self.alts = list[str](), list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.loaded += [v for n, v in values.items() if (tag, n) in LOADING and v[:5] != "data:"]
        if tag == "img":
            self.alts.append(values.get("alt", ""))
        elif tag == "a":
            self.links.append(values.get("href", ""))


def export(exporter: type[PageExporter], notebook: NotebookNode) -> str:
    html, _ = exporter().from_notebook_node(notebook)
    return str(html)


def described(notebook: NotebookNode) -> list[str]:
    """The alternative texts of a notebook's figures."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    kinds = [(o, kind) for o in outputs for kind in o.get("data", {}) if kind[:6] == "image/"]
    return [output.metadata[kind]["alt"] for output, kind in kinds]


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_a_lesson_reads_well_without_internet(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    before = nbformat.writes(notebook)
    for exporter in EXPORTERS:
        html = export(exporter, notebook)
        page = Read(html)
        assert page.loaded == []
        assert not re.search(r"""@import\s|url\(["']?https?:""", html)
        assert page.alts == described(notebook)
        assert not [link for link in page.links if link.endswith(".ipynb")]
    assert nbformat.writes(notebook) == before


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_slides_leave_nothing_out(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    whole = PageExporter().prepare(deepcopy(notebook)).cells
    parts = SlidesExporter().prepare(notebook).cells
    for kind in ("markdown", "code"):
        before, after = (
            "".join(cell.source for cell in cells if cell.cell_type == kind).split()
            for cells in (whole, parts)
        )
        assert "".join(after) == "".join(before)
    outputs = [[o for cell in cells for o in cell.get("outputs", [])] for cells in (whole, parts)]
    assert outputs[1] == outputs[0]
    begins = ["slide" in part.metadata for part in parts]
    assert begins[0]
    for begins_slide, part in zip(begins, parts, strict=True):
        heads = part.cell_type == "markdown" and re.match("#{1,3} ", part.source)
        assert begins_slide or not heads


def test_where_a_control_was_there_is_its_figure() -> None:
    picture = {
        "image/png": "iVBORw0KGgo=",
        "text/plain": "A camel.",
        WIDGET_VIEW: {"model_id": "1"},
    }
    output = nbformat.v4.new_output(
        "execute_result", picture, metadata={"image/png": {"alt": 'A "camel" & her calf.'}}
    )
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("explore()", outputs=[output])],
        metadata={"widgets": {"application/vnd.jupyter.widget-state+json": {}}},
    )
    for exporter in EXPORTERS:
        html = export(exporter, notebook)
        assert Read(html).alts == ['A "camel" & her calf.']
        assert "model_id" not in html and "widget-state" not in html


def test_a_page_and_slides_of_one_lesson_are_two_files() -> None:
    assert PageExporter().file_extension == ".html"
    assert SlidesExporter().file_extension == ".slides.html"
