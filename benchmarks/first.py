"""Measure how soon the first picture is there: from the start of Python, imports included.

    python benchmarks/first.py                      # prints medians and writes first.csv

A picture counts as recognisable when the loss has fallen by nine tenths of what it falls by in
the whole run, and its longest side has at least 128 pixels. Each run is a Python process of its
own.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import product
from statistics import median

from shared import DEFAULT, PAIRS, options_parser, table_name, write_table

from stylelib.recipes import METHODS, RECIPES

SHARE, LEAST = 0.9, 128
# Prints a line when the imports are done, and one with the loss and the size after each step.
PAINTER = """
import sys
from stylelib import RECIPES, Transfer, load_image
print(0, 0, flush=True)
content, style, name, size, steps, device = sys.argv[1:]
recipe = RECIPES[name].but(size=int(size))
transfer = Transfer(load_image(content), load_image(style), recipe, device=device)
for step in transfer:
    print(step.losses["total"], max(step.image.shape[-2:]), flush=True)
    if step.iteration == int(steps):
        break
"""


def main() -> None:
    parser = options_parser(
        __doc__,
        size=DEFAULT.size,
        steps=DEFAULT.steps,
        pairs=[1, 2, 3],
        repeats=3,
        device=True,
    )
    parser.add_argument("--recipe", nargs="+", choices=list(RECIPES), default=list(METHODS))
    options = parser.parse_args()
    rows = []
    pairs = [PAIRS[number - 1] for number in options.pairs]
    for name, (content, style) in product(options.recipe, pairs):
        given = content, style, name, options.size
        whole = events(*given, options.steps, options.device)
        needed = recognisable(*zip(*(what for _, *what in whole[1:]), strict=True))
        for _ in range(options.repeats):
            seconds = [when for when, *_ in events(*given, needed, options.device)]
            rows.append(
                {
                    "recipe": name,
                    "content": content,
                    "style": style,
                    "size": options.size,
                    "imports": f"{seconds[0]:.2f}",
                    "first step": f"{seconds[1]:.2f}",
                    "recognisable": f"{seconds[-1]:.2f}",
                    "steps to it": needed,
                }
            )
            print(*rows[-1].values(), flush=True)
    write_table(options.output / table_name("first", options.device), rows)
    for name, what in product(options.recipe, ("imports", "first step", "recognisable")):
        found = [float(row[what]) for row in rows if row["recipe"] == name]
        print(f"{name}, {what}: {median(found):g} s")


def events(
    content: str, style: str, recipe: str, size: int, steps: int, device: str
) -> list[tuple[float, float, float]]:
    """Seconds, loss and size: when the imports are done (0 and 0), then after each step."""
    start = time.perf_counter()
    command = [sys.executable, "-c", PAINTER, content, style, recipe, str(size), str(steps), device]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as painter:
        assert painter.stdout is not None
        return [(time.perf_counter() - start, *map(float, line.split())) for line in painter.stdout]


def recognisable(losses: Sequence[float], sizes: Sequence[float]) -> int:
    """The number of steps after which the picture is recognisable.

    The loss of a step is that of the picture before it: one step fewer than its number. The loss
    rises again whenever the picture is enlarged; what was recognisable by then stays so.
    """
    enough = losses[0] - SHARE * (losses[0] - min(losses))
    reached = next(done for done, loss in enumerate(losses) if loss <= enough)
    large = next((done for done, size in enumerate(sizes, 1) if size >= LEAST), 1)
    return max(1, reached, large)


if __name__ == "__main__":
    main()
