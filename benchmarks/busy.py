"""Measure what a step takes while other programs keep some of the cores busy.

    python benchmarks/busy.py                       # prints the rows and writes busy.csv

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

from shared import DEFAULT, PAIRS, options_parser, table_name, wait_for, write_table

from stylelib import Transfer, load_image

WAYS = {"PyTorch's": {}, "stylelib's": {"GOMP_SPINCOUNT": "3000"}}


def main() -> None:
    parser = options_parser(__doc__, size=[128, 256, 512], repeats=3, device=True)
    parser.add_argument("--others", type=int, nargs="+", default=[0, 1, 2], help="other programs")
    parser.add_argument("--time", type=int, metavar="SIZE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.time:
        print(step_seconds(options.time, options.device))
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
