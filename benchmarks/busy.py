"""What a step takes while other programs have some of the processor's cores.

    python benchmarks/busy.py

Each other program is a loop that never ends. Once as PyTorch's threads wait for each other by
themselves, and once as stylelib has them wait; see stylelib/__init__.py. Prints a table and
writes it, busy.csv.
"""

import argparse
import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
WAYS = {"PyTorch's": "torch", "stylelib's": "stylelib"}  # whichever is imported first decides
FIELDS = ["size", "other programs", "how threads wait", "seconds a step"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--others", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, default=HERE, help="a folder")
    parser.add_argument("--first", choices=WAYS.values(), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.first:
        print(step_seconds(options.size[0], options.first))
        return
    rows = []
    for size in options.size:
        for others in options.others:
            found: dict[str, list[float]] = {way: [] for way in WAYS}
            with busy(others):
                for _ in range(options.repeats):
                    for way, first in WAYS.items():
                        found[way].append(in_a_process_of_its_own(size, first))
            for way, seconds in found.items():
                rows.append([size, others, way, f"{median(seconds):.3f}"])
                print(*rows[-1], flush=True)
    with (options.output / "busy.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([FIELDS, *rows])


@contextmanager
def busy(programs: int) -> Iterator[None]:
    """So many other programs at work, each with a session of its own, as a desktop's have."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command, start_new_session=True) for _ in range(programs)]
    try:
        yield
    finally:
        for program in running:
            program.kill()
            program.wait()


def in_a_process_of_its_own(size: int, first: str) -> float:
    """A step's seconds; PyTorch reads how its threads are to wait when it is loaded."""
    given = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}
    environment = {name: value for name, value in os.environ.items() if name not in given}
    command = [sys.executable, __file__, "--size", str(size), "--first", first]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def step_seconds(size: int, first: str) -> float:
    """The median of ten steps, or of as many as ten seconds are enough for."""
    import_module(first)
    from stylelib import RECIPES, Transfer, load_image

    recipe = RECIPES["default"].but(size=size, coarse_to_fine=False)
    transfer = Transfer(load_image("camel"), load_image("hokusai-great-wave"), recipe, device="cpu")
    next(transfer)  # it also sets up
    times: list[float] = []
    while len(times) < 10 and sum(times) < 10:
        start = time.perf_counter()
        next(transfer)
        times.append(time.perf_counter() - start)
    return median(times)


if __name__ == "__main__":
    main()
