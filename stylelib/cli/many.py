"""``stylelib paint`` with many pictures."""

import sys
import time
from argparse import Namespace
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StylelibError
from ..recipes import Recipe
from .interrupts import INTERRUPTED, one_interrupt
from .telling import say, tell

if TYPE_CHECKING:
    from ..batch.painting import Painted, Work
    from ..engine.transfer import Step
    from .progress import Progress

_FOLDER = Path("painted")
_FOR_ONE = ("mask", "film")  # options for a single picture


def is_many(options: Namespace) -> bool:
    """Whether the command is about many pictures: a folder, a pattern, several photos."""
    photo = options.content
    return bool(
        options.paintings
        or options.jobs is not None
        or options.scheduler is not None
        or options.report
        or options.overwrite
        or Path(photo).is_dir()
        or (any(sign in photo for sign in "*?[") and not Path(photo).exists())
    )


def paint_many(options: Namespace, recipe: Recipe) -> int:
    """Paint all pictures, and return the exit status: 1 if any of them failed."""
    from ..batch.painting import carry_out
    from ..batch.plan import Wish, plan
    from ..batch.report import ENDINGS, save_report, summary
    from ..batch.workers import in_turn
    from ..pictures.files import check_place
    from .progress import Progress, duration

    for name in _FOR_ONE:
        if getattr(options, name):
            raise StylelibError(f"--{name} is for a single picture. Leave it out.")
    work = _work(options)
    photos, styles = [options.content], options.style
    if options.paintings:
        photos, styles = [options.content, *options.style], options.paintings
    wish = Wish(recipe, options.device, bool(options.keep_colors), options.only_colors,
                options.start)  # fmt: skip
    orders = plan(photos, styles, options.output or _FOLDER, wish, bool(recipe.style_shares))
    if options.report:
        check_place(options.report, ENDINGS)
    start = time.monotonic()
    painted: list[Painted] = []
    status = 0
    with one_interrupt() as interrupts:
        with Progress(len(orders), sys.stderr) as bar:
            show = partial(_show_step, bar, painted, len(orders), _shares(recipe))
            try:
                for _, one in carry_out(
                    orders, work or partial(in_turn, show=show), bool(options.overwrite)
                ):
                    painted.append(one)
                    bar.show(len(painted), f"picture {len(painted)}/{len(orders)}", dict)
            except KeyboardInterrupt:
                status = INTERRUPTED
            finally:
                interrupts.saving = True
        if status:
            say("Stopped. What is painted is saved; the same command goes on from there.")
        for one in painted:
            if one.error:
                say(f"{one.photo}, {', '.join(one.styles)}: {one.error}")
        tell(f"{summary(painted)} It took {duration(time.monotonic() - start)}.")
        if options.report:
            tell(f"{save_report(painted, options.report)}: a report.")
    return status or int(any(one.error for one in painted))


def _work(options: Namespace) -> "Work | None":
    """Who paints, if it is not this process."""
    from ..batch.workers import on_cluster, on_processes

    if options.scheduler is not None:
        if options.jobs is not None:
            raise StylelibError("Give --jobs for this computer, or --scheduler for a cluster.")
        return partial(on_cluster, address=options.scheduler or None)
    if options.jobs is None:
        return None
    if not 1 <= options.jobs <= 256:
        raise StylelibError(f"--jobs is {options.jobs}; it must be from 1 to 256.")
    return partial(on_processes, jobs=options.jobs)


def _shares(recipe: Recipe) -> list[float]:
    """After each step, which share of a picture's work is done."""
    from .progress import costs

    done = list(accumulate(costs(recipe)))
    return [cost / done[-1] for cost in done]


def _show_step(
    bar: "Progress", painted: "list[Painted]", count: int, shares: list[float], step: "Step"
) -> None:
    """Show a step of the picture that comes after those that are painted."""
    label = f"picture {len(painted) + 1}/{count}, step {step.iteration}/{step.steps}"
    bar.show(len(painted) + shares[step.iteration - 1], label, lambda: step.losses)
