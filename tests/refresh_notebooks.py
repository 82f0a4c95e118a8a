"""Run lessons and store their outputs anew: ``python tests/refresh_notebooks.py [NAME ...]``.

What is stored is what nbval compares with and what readers on the web see, so
it holds no times, no machine's paths and no widget ids (a web page has no kernel
to answer a widget: the figure that each explorer carries along stands instead).
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
LARGE = ("01", "02", "03", "04", "07")  # with sharp photos, too large for the web
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def execute(notebook: NotebookNode, timeout: int = 600) -> NotebookNode:
    """Run all cells, as *restart and run all* does."""
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,  # one printed text, however slowly it came
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    return client.execute()


def tidy(notebook: NotebookNode) -> NotebookNode:
    """Keep what a reader needs, the same on every machine."""
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(KERNEL), language_info=NotebookNode(name="python")
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:03d}"
        cell.metadata = NotebookNode(
            {key: value for key, value in cell.metadata.items() if key == "tags"}
        )
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
        if "outputs" in cell:  # a widget alone leaves nothing; its picture is an output of its own
            cell.outputs = [o for o in cell.outputs if "data" not in o or o.data]
    return notebook


def main(names: list[str]) -> None:
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if names and not any(name in path.name for name in names):
            continue
        if path.name.startswith(LARGE):
            os.environ["STYLELIB_SMALL_FIGURES"] = "1"
        else:
            os.environ.pop("STYLELIB_SMALL_FIGURES", None)
        notebook = tidy(execute(nbformat.read(path, as_version=4)))
        nbformat.write(notebook, path)
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
