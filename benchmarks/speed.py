"""How long each way takes to a picture as good as the source's recipe makes.

    python benchmarks/speed.py                          # hours: 5,000 steps to compare with
    python benchmarks/speed.py --size 128 --steps 300 --pairs 1 --repeats 1

The measure is one for all: the loss of the source's recipe, in float32, of each picture as it
would be saved. What the source's recipe reaches after `--steps` steps is the target; the
others stop when they are there. Each run has a process of its own, which only paints: another
one looks at its pictures, with the clock stopped. Writes speed.csv, a line for each run,
speed-curves.csv and the plot, speed.png. Stopped and started again, it goes on where it was.
"""

import argparse
import csv
import multiprocessing
import platform
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import psutil
import torch
from competitors import COMPETITORS, SOURCE
from contact import PAIRS
from torch import Tensor
from torch.nn import functional as F

from stylelib import load_image, load_vgg19
from stylelib.objective import Objective
from stylelib.vgg import LAYERS

HERE = Path(__file__).parent
LEVELS = (1.5, 1.1, 1.0)  # times the target
OFTEN = 1.05  # a picture is looked at when so many times the seconds of the last one have passed
RUN = ["size", "content", "style", "way", "repeat"]
FIELDS = [*RUN, "steps", "threads", "target", *(f"to {level:g}x" for level in LEVELS),
          "seconds", "seconds a step", "peak MB"]  # fmt: skip
CURVE = [*RUN, "step", "seconds", "loss"]


class Reached(Exception):
    """The picture is as good as it has to be."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--steps", type=int, default=SOURCE.steps, help="of the source's recipe")
    parser.add_argument("--most", type=int, help="steps of the others at most; the same")
    parser.add_argument("--pairs", type=int, default=3, help=f"of {len(PAIRS)}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--output", type=Path, default=HERE, help="a folder")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    table, curves = options.output / "speed.csv", options.output / "speed-curves.csv"
    for size in options.size:
        for content, style in PAIRS[: options.pairs]:
            for way in COMPETITORS:  # the source first: it sets the target
                for repeat in range(1, options.repeats + 1):
                    run = dict(zip(RUN, (size, content, style, way, repeat), strict=True))
                    race(run, options, table, curves)
    rows = read(table)
    print(machine(options.threads), report(rows), sep="\n\n")
    for size in options.size:
        step, bare = ours_beside_bare(size)
        print(f"\n{size} px: a step of ours takes {step:.3f} s, its bare convolutions {bare:.3f} s,"
              f" {step / bare:.2f} times")  # fmt: skip
    plot(read(curves), rows, options.output / "speed.png")


# -------------------------------------------------------------------------- a run


def race(run: dict, options: argparse.Namespace, table: Path, curves: Path) -> None:
    """Do one run, unless the table has it, and write it down."""
    same = [row for row in read(table) if int(row["size"]) == run["size"]
            and all(row[name] == run[name] for name in ("content", "style"))]  # fmt: skip
    if any(row["way"] == run["way"] and int(row["repeat"]) == run["repeat"] for row in same):
        return
    target = target_of(same) if run["way"] != "source" else 0.0
    steps = options.steps if run["way"] == "source" else options.most or options.steps
    pictures = [load_image(run[name], run["size"]) for name in ("content", "style")]
    judge = Objective(*pictures, SOURCE, load_vgg19(SOURCE.weights, SOURCE.deepest))
    found, peak = watch(run["way"], pictures, steps, options.threads, judge, target)
    target = target or found[-1][2]
    for row in found:
        write(curves, CURVE, [*run.values(), row[0], f"{row[1]:.3f}", f"{row[2]:.5g}"])
    step, seconds, _ = found[-1]
    reached = [seconds_to(level * target, found) for level in LEVELS]
    write(table, FIELDS, [*run.values(), step, options.threads, f"{target:.5g}",
          *("" if s is None else f"{s:.2f}" for s in reached),
          f"{seconds:.2f}", f"{seconds / step:.4f}", f"{peak:.0f}"])  # fmt: skip
    print(f"{' '.join(map(str, run.values()))}: {step} steps, {seconds:.1f} s", flush=True)


def watch(
    way: str, pictures: list[Tensor], steps: int, threads: int, judge: Objective, target: float
) -> tuple[list[tuple[int, float, float]], float]:
    """Steps, seconds and loss of a run on its way, and its memory at most, in MB."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=paint, args=(way, pictures, steps, threads, there))
    process.start()
    there.close()
    found, peak = [], 0.0
    try:
        while True:
            what = here.recv()
            if isinstance(what, float):
                peak = what
                break
            step, seconds, image = what
            with torch.no_grad():
                loss = float(judge(torch.from_numpy(image).clamp(0, 1))[0])
            found.append((step, seconds, loss))
            here.send(loss <= target)
    finally:
        here.close()
        process.join()
    return found, peak


def paint(way: str, pictures: list[Tensor], steps: int, threads: int, out: Connection) -> None:
    """In a process of its own: paint; now and then show a picture, with the clock stopped."""
    torch.set_num_threads(threads)
    watcher = Stopwatch(out, steps)
    with suppress(Reached):
        COMPETITORS[way](*pictures, steps, watcher.show)
    out.send(peak_memory())


class Stopwatch:
    """Counts steps and seconds, and leaves out the seconds in which a picture is looked at."""

    def __init__(
        self, out: Connection, steps: int, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.out, self.steps, self.clock = out, steps, clock
        self.step, self.due = 0, 0.0
        self.start = clock()

    def show(self, image: Tensor) -> None:
        seconds = self.clock() - self.start
        self.step += 1
        last = self.step >= self.steps
        if seconds < self.due and not last:
            return
        self.due = seconds * OFTEN
        self.out.send((self.step, seconds, image.numpy()))
        if self.out.recv() or last:
            raise Reached
        self.start = self.clock() - seconds


def peak_memory() -> float:
    """The most memory that this process has had, in MB."""
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):  # Windows
        return memory.peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


# ------------------------------------------------------------------------ numbers


def seconds_to(loss: float, found: Iterable[tuple[int, float, float]]) -> float | None:
    """When a run was first at that loss; None if it never was."""
    return next((seconds for _, seconds, reached in found if reached <= loss), None)


def target_of(rows: Iterable[dict[str, str]]) -> float:
    """The loss that the source's recipe ended with."""
    return median(float(row["target"]) for row in rows if row["way"] == "source")


def report(rows: list[dict[str, str]]) -> str:
    """Medians by size and way, and how many times faster than the source's recipe."""
    levels = [f"to {level:g}x" for level in LEVELS]
    named = " | ".join(f"{name}, s" for name in levels)
    lines = [f"| size | way | runs | {named} | source / this | s a step | peak MB |"]
    lines.append("|---" * (len(levels) + 6) + "|")
    for size in dict.fromkeys(row["size"] for row in rows):
        at = [row for row in rows if row["size"] == size]
        source = middle(row["to 1x"] for row in at if row["way"] == "source")
        for way in dict.fromkeys(row["way"] for row in at):
            runs = [row for row in at if row["way"] == way]
            times = [middle(row[name] for row in runs) for name in levels]
            times.append(source / times[-1] if source and times[-1] else None)
            cells = ["never" if t is None else f"{t:.1f}" for t in times]
            cells += [f"{median(float(row['seconds a step']) for row in runs):.3f}",
                      f"{median(float(row['peak MB']) for row in runs):.0f}"]  # fmt: skip
            lines.append(f"| {size} | {way} | {len(runs)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def middle(times: Iterable[str]) -> float | None:
    """The median; None if half of the runs or more never got there."""
    given = [float(t) if t else float("inf") for t in times]
    found = median(given) if given else float("inf")
    return None if found == float("inf") else found


def machine(threads: int) -> str:
    """What it was measured on."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), name)
    load = psutil.getloadavg()[0]
    return (f"{name}, {psutil.cpu_count()} cores, {threads} thread(s) used, load {load:.1f}, "
            f"Python {platform.python_version()}, torch {torch.__version__}")  # fmt: skip


def ours_beside_bare(size: int, steps: int = 10) -> tuple[float, float]:
    """Median seconds of a step of ours, and of its convolutions alone, of the first pair."""
    from stylelib import Transfer

    pictures = [load_image(name, size) for name in PAIRS[0]]
    recipe = SOURCE.but(size=size, steps=steps + 2, optimizer="lbfgs", clamp=True)
    transfer = Transfer(*pictures, recipe, device="cpu")
    times = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        next(transfer)
        times.append(time.perf_counter() - start)
    height, width = transfer.image.shape[-2:]
    bare = median(bare_seconds(height, width, transfer.precision) for _ in range(5))
    return median(times[2:]), bare


def bare_seconds(height: int, width: int, dtype: torch.dtype) -> float:
    """The convolutions up to the deepest layer needed: forward, and back to their input alone."""
    seconds = 0.0
    network = load_vgg19(SOURCE.weights, SOURCE.deepest)
    network.set_precision(dtype)
    for name in LAYERS[: LAYERS.index(SOURCE.deepest) + 1]:
        if name.startswith("pool"):
            height, width = height // 2, width // 2
            continue
        layer = network.convolutions[name]
        x = torch.rand(1, layer.in_channels, height, width, dtype=dtype)
        x = x.to(memory_format=torch.channels_last).requires_grad_()
        upstream = torch.rand(1, layer.out_channels, height, width, dtype=dtype)
        upstream = upstream.to(memory_format=torch.channels_last)
        start = time.perf_counter()
        torch.autograd.grad(F.conv2d(x, layer.weight, layer.bias, padding=1), x, upstream)
        seconds += time.perf_counter() - start
    return seconds


# -------------------------------------------------------------------------- files


def read(path: Path) -> list[dict[str, str]]:
    """A table's lines; none if it is not there yet."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, fields: list[str], row: list[object]) -> None:
    """Add a line to a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        if new:
            table.writerow(fields)
        table.writerow(row)


def plot(curves: list[dict[str, str]], rows: list[dict[str, str]], path: Path) -> None:
    """Loss over the target against time, a line for each run, for each size."""
    from matplotlib.figure import Figure

    sizes = list(dict.fromkeys(row["size"] for row in rows))
    figure = Figure(figsize=(6 * len(sizes), 4.2), layout="constrained")
    colors = dict(zip(COMPETITORS, ("#4477aa", "#ccbb44", "#66ccee", "#ee6677"), strict=True))
    for axes, size in zip(figure.subplots(1, len(sizes), squeeze=False)[0], sizes, strict=True):
        for row in (row for row in rows if row["size"] == size):
            points = [p for p in curves if all(p[name] == row[name] for name in RUN)]
            first = row["way"] not in axes.get_legend_handles_labels()[1]
            axes.plot(
                [float(p["seconds"]) for p in points],
                [float(p["loss"]) / float(row["target"]) for p in points],
                color=colors[row["way"]],
                label=row["way"] if first else None,
            )
        axes.axhline(1, color="#333333", linewidth=0.8, linestyle="--")
        axes.set(xscale="log", yscale="log", xlabel="seconds", title=f"{size} pixels",
                 ylabel="loss, over the source's last")  # fmt: skip
        axes.legend(frameon=False)
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
