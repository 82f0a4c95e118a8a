"""How soon the first picture is there: seconds from the start of Python, its imports included.

    python benchmarks/first.py                      # a table, and first.csv

A picture counts as recognisable when nine tenths of what the loss loses in the whole run are
gone. Each run is a Python of its own; all paint the same pictures with the defaults.
"""

import argparse
import csv
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from contact import PAIRS

HERE = Path(__file__).parent
SHARE = 0.9
# Told as it goes: what was reached, and the loss there.
PAINTER = """
import sys
from stylelib import Transfer, load_image
from stylelib.recipes import RECIPES
print("imports", 0, flush=True)
content, style, size, steps = sys.argv[1:]
recipe = RECIPES["default"].but(size=int(size))
transfer = Transfer(load_image(content), load_image(style), recipe)
for step in transfer:
    print(step.iteration, step.losses["total"], flush=True)
    if step.iteration == int(steps):
        break
"""
FIELDS = ["content", "style", "size", "imports", "first step", "recognisable", "steps to it"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512, help="longest side, in pixels")
    parser.add_argument("--steps", type=int, default=200, help="of the whole run, once a pair")
    parser.add_argument("--pairs", type=int, default=3, help=f"of {len(PAIRS)}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, default=HERE, help="a folder")
    options = parser.parse_args()
    rows = []
    for pair in PAIRS[: options.pairs]:
        losses = [loss for _, loss in told(*pair, options.size, options.steps)[1:]]
        needed = recognisable(losses)
        for _ in range(options.repeats):
            seconds = [when for when, _ in told(*pair, options.size, needed)]
            numbers = [f"{seconds[i]:.2f}" for i in (0, 1, -1)]
            rows.append([*pair, options.size, *numbers, needed])
            print(*rows[-1], flush=True)
    with (options.output / "first.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([FIELDS, *rows])
    for i, name in enumerate(FIELDS[3:], 3):
        print(f"{name}: {median(float(row[i]) for row in rows):g}")


def told(content: str, style: str, size: int, steps: int) -> list[tuple[float, float]]:
    """Seconds and loss: when the imports are done, then after each step."""
    start = time.perf_counter()
    command = [sys.executable, "-c", PAINTER, content, style, str(size), str(steps)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as painter:
        assert painter.stdout is not None
        lines = [(time.perf_counter() - start, line.split()[1]) for line in painter.stdout]
    return [(when, float(loss)) for when, loss in lines]


def recognisable(losses: list[float]) -> int:
    """After how many steps the loss has lost nine tenths of what it loses in all.

    A step's loss is of the picture before it: one step fewer than its number. Enlarging a
    picture makes the loss go up again; what was recognised by then stays so.
    """
    enough = losses[0] - SHARE * (losses[0] - min(losses))
    return max(1, next(done for done, loss in enumerate(losses) if loss <= enough))


if __name__ == "__main__":
    main()
