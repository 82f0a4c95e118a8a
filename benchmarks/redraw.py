"""Measure how long the figures of the lessons take to follow their controls.

    python benchmarks/redraw.py             # prints a table; below 200 ms it feels immediate
    python benchmarks/redraw.py --size 160 01 03

Runs each lesson like *Run All*, with pictures of `--size` pixels, and then moves every control of
every explorer through some of its values. What is measured is the processor time of drawing, so
that other programs do not count. The transfer to the browser comes on top.
"""

import io
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import nbformat
import torch
from IPython.core.interactiveshell import InteractiveShell
from shared import HERE, options_parser

from stylelib.lessons import explorer

NOTEBOOKS = HERE.parent / "notebooks"
STEPS = re.compile(r"\b(STEPS|steps|total|ADAM_STEPS) ?= ?\d+")
MOVES = 6


def main() -> None:
    parser = options_parser(__doc__, size=256, output=None)
    parser.add_argument("lessons", nargs="*", default=["01", "02", "03", "04", "06", "07"])
    options = parser.parse_args()
    torch.set_num_threads(1)  # threads that wait for each other would count as work
    print(f"pictures of {options.size} pixels, one thread\n")
    print(f"{'lesson':8}{'explorer':28}{'control':16}{'median':>9}{'slowest':>9}")
    for lesson in options.lessons:
        (path,) = NOTEBOOKS.glob(f"{lesson}-*.ipynb")
        for name, made in explorers(path, options.size):
            for control, seconds in moves(made):
                times = f"{1000 * statistics.median(seconds):6.0f} ms{1000 * max(seconds):6.0f} ms"
                print(f"{lesson:8}{name:28}{control:16}{times}", flush=True)


def explorers(path: Path, size: int) -> Iterator[tuple[str, explorer.Explorer]]:
    """Each explorer of a lesson, with the name of the function that made it."""
    shell = InteractiveShell()
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code" or "check(" in cell.source:
            continue
        source = re.sub(r"^SIZE = \d+", f"SIZE = {size}", cell.source, flags=re.MULTILINE)
        with redirect_stdout(io.StringIO()):
            result = shell.run_cell(STEPS.sub(r"\1=3", source))
        if isinstance(result.result, explorer.Explorer):
            name = re.search(r"(\w+)\([^()]*(?:\([^()]*\)[^()]*)*\)$", cell.source.strip())
            yield (name.group(1) if name else "?"), result.result


def moves(made: explorer.Explorer) -> Iterator[tuple[str, list[float]]]:
    """The name of each control, and the seconds that each of its moves took."""
    for name, control in made.controls.items():
        seconds = []
        for value in values(control):
            start = time.process_time()
            made.set(**{name: value})
            seconds.append(time.process_time() - start)
        if seconds:
            yield name, seconds[1:] or seconds


def values(control: Any) -> list[Any]:
    """Some of the values of a control, the current one last."""
    if hasattr(control, "options"):
        found = [o[1] if isinstance(o, tuple) else o for o in control.options][:MOVES]
    elif hasattr(control, "base"):
        found = [
            control.base ** (control.min + i * (control.max - control.min) / MOVES)
            for i in range(MOVES)
        ]
    elif hasattr(control, "min"):
        span = control.max - control.min
        found = [type(control.value)(control.min + span * i / MOVES) for i in range(MOVES)]
    else:
        found = [not control.value]
    return [*found, control.value]


if __name__ == "__main__":
    main()
