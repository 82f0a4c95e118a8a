"""A lesson as a web page or as slides: one file that needs nothing from the internet.

``jupyter nbconvert --to stylelib-page`` and ``--to stylelib-slides`` use these, and JupyterLab has
them under *File, Save and Export Notebook As*.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from nbconvert.exporters.html import HTMLExporter
from nbformat import NotebookNode
from traitlets import default
from traitlets.config import Config

_WIDGETS = "application/vnd.jupyter.widget-view+json"
_LINES, _WIDTH = 18, 78  # of text on a slide
_PICTURE = 9  # lines that a picture takes at least
_CODE = 5  # lines of code that may stand above a picture
# The parts of a text that stay together: what is folded, code, or lines without a gap.
_BLOCK = re.compile(
    r"<details>.*?</details>|^```.*?^```|(?:^(?!<details>|```)[^\n]*\S[^\n]*(?:\n|\Z))+",
    re.MULTILINE | re.DOTALL,
)

_LEAD = re.compile(r"#.*|\*\*[^*]*\*\*")  # a heading, or what stands for one


class PageExporter(HTMLExporter):
    """A lesson as a web page.

    Its figures keep their alternative text, and where a control was, there is the figure that it
    last showed. Links to other lessons lead to their pages.
    """

    export_from_notebook = "Lesson as a web page, for reading offline"

    @property
    def default_config(self) -> Config:
        """Where the templates are."""
        ours = Config({type(self).__name__: {"extra_template_paths": [str(_HERE)]}})
        ours.merge(super().default_config)
        return ours

    @default("template_file")
    def _template_file_default(self) -> str:
        return "page.html.j2"

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        """Convert a notebook, which stays as it is."""
        return super().from_notebook_node(self.prepare(deepcopy(nb)), resources, **options)

    def prepare(self, notebook: NotebookNode) -> NotebookNode:
        """Make of a notebook what can be read without a kernel."""
        notebook.metadata.pop("widgets", None)
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                output.get("data", {}).pop(_WIDGETS, None)
            if "outputs" in cell:  # a widget alone leaves nothing; its picture comes after it
                cell.outputs = [one for one in cell.outputs if "data" not in one or one.data]
            if cell.cell_type == "markdown":
                cell.source = re.sub(r"(\]\([\w-]+)\.ipynb\b", r"\1.html", cell.source)
        return notebook


class SlidesExporter(PageExporter):
    """A lesson as slides, each as large as the window: turn them with the arrow keys.

    Headings begin a slide, long texts go on with the next one, and figures are as large as the
    text beside them allows.
    """

    export_from_notebook = "Lesson as slides, for showing offline"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".slides.html"  # as nbconvert's own: a page of the lesson may lie beside them

    @default("template_file")
    def _template_file_default(self) -> str:
        return "slides.html.j2"

    def prepare(self, notebook: NotebookNode) -> NotebookNode:
        """Divide the cells so that each slide begins with one, and say where that is."""
        parts = [part for cell in super().prepare(notebook).cells for part in _parts(cell)]
        first, lines = None, 0.0
        for index, part in enumerate(parts):
            tall = _lines(part)
            follows = _lines(parts[index + 1]) if _leads(part) and part is not parts[-1] else 0
            if first is None or _is_section(part) or lines + tall + min(follows, _PICTURE) > _LINES:
                first, lines = part, 0.0
                part.metadata["slide"] = {}
            lines += tall
            if not _has_picture(part):
                text = first.metadata["slide"].get("lines", 0.0)
                first.metadata["slide"]["lines"] = round(text + tall, 1)
        for index, part in enumerate(parts):
            part.id = f"part-{index}"
        notebook.cells = parts
        return notebook


_HERE = Path(__file__).parent / "templates"


def _parts(cell: NotebookNode) -> Iterator[NotebookNode]:
    """A text in blocks; code, and below it the output, unless both fit on one slide."""
    if cell.cell_type == "markdown":
        for block in _BLOCK.findall(cell.source):
            yield NotebookNode(cell, source=block.strip(), metadata=NotebookNode())
    elif _has_picture(cell) and cell.source.count("\n") >= _CODE:
        yield NotebookNode(cell, outputs=[], metadata=NotebookNode())
        hidden = NotebookNode(transient={"remove_source": True})
        yield NotebookNode(cell, source="", metadata=hidden)
    elif cell.cell_type == "code":
        yield NotebookNode(cell, metadata=NotebookNode())


def _lines(cell: NotebookNode) -> float:
    """About how many lines a part takes."""
    lines = cell.source.split("\n") if cell.source else []
    if cell.cell_type == "code":
        shown = [_shown(output) for output in cell.outputs]
        texts = sum(min(text.count("\n"), _LINES) + 1.5 for text in shown)
        return (len(lines) + 1) * 0.9 * bool(lines) + texts + _PICTURE * _has_picture(cell)
    if cell.source.startswith("<details>"):
        return 1.5
    if _is_heading(cell):
        return 2.5
    return sum(-(-len(line) // _WIDTH) for line in lines) + 0.7


def _shown(output: NotebookNode) -> str:
    """The text of an output, unless it has a picture."""
    data = output.get("data", {})
    if any(kind.startswith("image/") for kind in data):
        return ""
    return str(output.get("text") or data.get("text/markdown") or data.get("text/plain", ""))


def _has_picture(cell: NotebookNode) -> bool:
    outputs = cell.get("outputs", [])
    kinds = (kind for output in outputs for kind in output.get("data", {}))
    return any(kind.startswith("image/") for kind in kinds)


def _is_heading(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and str(cell.source).startswith("#")


def _leads(cell: NotebookNode) -> bool:
    """Whether a part must not stay behind alone at the bottom of a slide."""
    text = cell.source
    return cell.cell_type == "markdown" and (text.endswith(":") or bool(_LEAD.fullmatch(text)))


def _is_section(cell: NotebookNode) -> bool:
    return _is_heading(cell) and not cell.source.startswith("####")
