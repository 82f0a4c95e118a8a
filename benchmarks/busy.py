"""Measure what a step takes while other programs keep some of the cores busy.

    python benchmarks/busy.py                       # prints the rows and writes busy.csv
    python benchmarks/busy.py --painters 1 2 4 8    # several painters; writes painters.csv

Each of the other programs is an endless loop. Two settings are compared: PyTorch's threads
waiting for each other as they do by default, and GOMP_SPINCOUNT set so that they soon sleep.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from tempfile import TemporaryDirectory

from shared import (
    DEFAULT,
    PAIRS,
    Row,
    markdown,
    options_parser,
    table_name,
    wait_for,
    write_table,
)

from stylelib import Transfer, load_image
from stylelib.engine.sharing import CHOSEN

WAYS = {"PyTorch's": {}, "stylelib's": {"GOMP_SPINCOUNT": "3000"}}
SECONDS = 20.0  # that painters paint together


def main() -> None:
    parser = options_parser(__doc__, size=[128, 256, 512], repeats=3, device=True)
    parser.add_argument("--others", type=int, nargs="+", default=[0, 1, 2], help="other programs")
    parser.add_argument("--time", type=int, metavar="SIZE", help=argparse.SUPPRESS)
    parser.add_argument("--painters", type=int, nargs="+", metavar="COUNT",
                        help="so many painters at once, which share the cores")  # fmt: skip
    parser.add_argument("--paint", type=int, metavar="SIZE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.time:
        print(step_seconds(options.time, options.device))
        return
    if options.paint:
        paint(options.paint)
        return
    if options.painters:
        rows = [row for size in options.size for row in several(options.painters, size)]
        write_table(options.output / "painters.csv", rows)
        print(markdown(rows))
        return
    rows = []
    for size in options.size:
        for others in options.others:
            found: dict[str, list[float]] = {way: [] for way in WAYS}
            with busy(others):
                for _ in range(options.repeats):
                    for way, setting in WAYS.items():
                        found[way].append(in_own_process(size, setting, options.device))
            for way, seconds in found.items():
                rows.append(
                    {
                        "size": size,
                        "other programs": others,
                        "how threads wait": way,
                        "seconds a step": f"{median(seconds):.3f}",
                    }
                )
                print(*rows[-1].values(), flush=True)
    write_table(options.output / table_name("busy", options.device), rows)


def several(counts: list[int], size: int) -> list[Row]:
    """Rows of the table of painters: the sum of their speeds, beside that of one of them."""
    rows: list[Row] = []
    alone = 0.0
    for count in counts:
        with TemporaryDirectory() as folder:  # where they find each other, and no one else
            told = together(count, size, folder)
        speed = sum(steps / seconds for steps, seconds, _ in told)
        done = [steps for steps, *_ in told]
        worked = sum(seconds for *_, seconds in told)
        alone = alone or speed / count
        rows.append(
            {
                "size": size,
                "painters": count,
                "steps a second, all together": f"{speed:.2f}",
                "beside one": f"{speed / alone:.2f}",
                "fewest / most steps": f"{min(done) / max(done):.2f}",
                "processor seconds a step": f"{worked / sum(done):.3f}",
            }
        )
    return rows


def together(count: int, size: int, folder: str) -> list[list[float]]:
    """What `paint` tells in each of several processes that begin at the same time."""
    environment = {n: v for n, v in os.environ.items() if n not in CHOSEN} | {"TMPDIR": folder}
    command = [sys.executable, __file__, "--paint", str(size)]
    painters = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                         env=environment)
        for _ in range(count)
    ]  # fmt: skip
    for painter in painters:
        assert painter.stdout is not None
        painter.stdout.readline()
    for painter in painters:
        assert painter.stdin is not None
        painter.stdin.write("go\n")
        painter.stdin.flush()
    return [list(map(float, painter.communicate()[0].split())) for painter in painters]


def paint(size: int) -> None:
    """Be one of several: set up, wait for the others, paint, and tell steps and seconds."""
    recipe = DEFAULT.but(size=size, steps=1_000_000, coarse_to_fine=False)
    transfer = Transfer(*map(load_image, PAIRS[0]), recipe, device="cpu")
    next(transfer)
    print("ready", flush=True)
    sys.stdin.readline()
    start, worked, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < SECONDS:
        next(transfer)
        steps += 1
    print(steps, time.perf_counter() - start, time.process_time() - worked)


@contextmanager
def busy(programs: int) -> Iterator[None]:
    """Other programs at work, each in a session of its own, like those of a desktop."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command, start_new_session=True) for _ in range(programs)]
    try:
        yield
    finally:
        for program in running:
            program.kill()
            program.wait()


def in_own_process(size: int, setting: dict[str, str], device: str) -> float:
    """Seconds of a step, in a new process: the setting is read when PyTorch is loaded."""
    inherited = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}
    environment = {name: value for name, value in os.environ.items() if name not in inherited}
    command = [sys.executable, __file__, "--time", str(size), "--device", device]
    done = subprocess.run(command, env=environment | setting, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def step_seconds(size: int, device: str) -> float:
    """The median of ten steps, or of as many as fit into ten seconds."""
    recipe = DEFAULT.but(size=size, coarse_to_fine=False)
    transfer = Transfer(*map(load_image, PAIRS[0]), recipe, device=device)
    for _ in range(1 if device == "cpu" else 4):  # the first steps also set up
        next(transfer)
    times: list[float] = []
    while len(times) < 10 and sum(times) < 10:
        wait_for(device)
        start = time.perf_counter()
        next(transfer)
        wait_for(device)
        times.append(time.perf_counter() - start)
    return median(times)


if __name__ == "__main__":
    main()
