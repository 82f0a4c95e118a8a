"""Measure how soon the first picture is there: from the start of Python, imports included.

    python benchmarks/first.py                      # prints medians and writes first.csv

A picture counts as recognisable when the loss has fallen by nine tenths of what it falls by in
the whole run. Each run is a Python process of its own; all use the default recipe.
"""

import subprocess
import sys
import time
from statistics import median

from shared import DEFAULT, PAIRS, options_parser, table_name, write_table

SHARE = 0.9
# Prints a line when the imports are done, and one with the loss after each step.
PAINTER = """
import sys
from stylelib import RECIPES, Transfer, load_image
print(0, flush=True)
content, style, size, steps, device = sys.argv[1:]
recipe = RECIPES["default"].but(size=int(size))
transfer = Transfer(load_image(content), load_image(style), recipe, device=device)
for step in transfer:
    print(step.losses["total"], flush=True)
    if step.iteration == int(steps):
        break
"""


def main() -> None:
    options = options_parser(
        __doc__,
        size=DEFAULT.size,
        steps=DEFAULT.steps,
        pairs=[1, 2, 3],
        repeats=3,
        device=True,
    ).parse_args()
    rows = []
    for content, style in (PAIRS[number - 1] for number in options.pairs):
        given = content, style, options.size
        whole = events(*given, options.steps, options.device)
        needed = recognisable([loss for _, loss in whole[1:]])
        for _ in range(options.repeats):
            seconds = [when for when, _ in events(*given, needed, options.device)]
            rows.append(
                {
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
    for name in ("imports", "first step", "recognisable"):
        print(f"{name}: {median(float(row[name]) for row in rows):g} s")


def events(
    content: str, style: str, size: int, steps: int, device: str
) -> list[tuple[float, float]]:
    """Seconds and loss: when the imports are done (loss 0), then after each step."""
    start = time.perf_counter()
    command = [sys.executable, "-c", PAINTER, content, style, str(size), str(steps), device]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as painter:
        assert painter.stdout is not None
        return [(time.perf_counter() - start, float(line)) for line in painter.stdout]


def recognisable(losses: list[float]) -> int:
    """The number of steps after which the picture is recognisable.

    The loss of a step is that of the picture before it: one step fewer than its number. The loss
    rises again whenever the picture is enlarged; what was recognisable by then stays so.
    """
    enough = losses[0] - SHARE * (losses[0] - min(losses))
    return max(1, next(done for done, loss in enumerate(losses) if loss <= enough))


if __name__ == "__main__":
    main()
