"""The pictures of a session side by side, and how their settings differ."""

from html import escape
from itertools import count
from typing import Any

import ipywidgets

from ..recipes import SETTINGS
from .chooser import PictureChooser
from .picture import jpeg
from .runs import Run

KEPT = 20  # runs
_THUMBNAIL = (176, 110)


class Session(ipywidgets.VBox):
    """The newest 20 finished runs: click on one to look at it again."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.numbers = count(1)  # of the next runs
        self.chooser = PictureChooser("This session", [], size=_THUMBNAIL)
        self.table = ipywidgets.HTML()
        super().__init__([self.chooser, self.table])
        self.layout.display = "none"

    @property
    def names(self) -> dict[str, Run]:
        """The runs by name."""
        return {run.name: run for run in self.runs}

    def add(self, run: Run) -> None:
        """Show a finished run; the others' frames take less memory from now on."""
        for old in self.runs:
            old.shrink()
        self.runs.append(run)
        for old in self.runs[:-KEPT]:
            self.chooser.remove(old.name)
        self.runs = self.runs[-KEPT:]
        self.layout.display = None
        self.update(run)

    def mark(self, run: Run | None) -> None:
        """Mark the run that is shown; only the others can be clicked on."""
        self.chooser.buttons.value = run.name if run in self.runs and run else None

    def update(self, run: Run) -> None:
        """Show a run as it looks now, and rewrite the table."""
        if run in self.runs:
            self.chooser.add(jpeg(run.picture()), run.name)
            self.mark(run)
        self.table.value = differences(self.runs)


def differences(runs: list[Run]) -> str:
    """An HTML table of the settings in which the runs differ, and of their results."""
    facts = [_facts(run) for run in runs]
    results = ("style loss", "content loss", "time")
    shown = [
        key
        for key in (facts[0] if facts else ())
        if key in results or len({fact[key] for fact in facts}) > 1
    ]
    head = "".join(f"<th>{escape(key)}</th>" for key in ["", *shown])
    rows = []
    for i, (run, fact) in enumerate(zip(runs, facts, strict=True)):
        cells = [f"<th>{run.name}</th>"]
        for key in shown:
            text = escape(fact[key])
            new = i and key not in results and fact[key] != facts[i - 1][key]
            cells.append(f"<td>{'<b>' + text + '</b>' if new else text}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return (
        "<table style='border-spacing:12px 2px; text-align:left'>"
        f"<tr>{head}</tr>{''.join(rows)}</table>"
    )


def _facts(run: Run) -> dict[str, str]:
    paintings = ", ".join(painting.label for painting in run.paintings)
    facts = {"photo": run.content.label, "painting": paintings}
    start, end = run.recipe, run.recipe_at(run.iteration)
    for name, setting in SETTINGS.items():
        before, after = _text(getattr(start, name)), _text(getattr(end, name))
        text = after if before == after else f"{before}, then {after}"
        facts[setting.label or name.replace("_", " ")] = text
    return facts | {
        "mask": run.mask.name if run.mask else "none",
        "steps": str(run.iteration),
        "keep my colours": _text(run.colors),
        "style loss": f"{run.losses[-1]['style']:.2g}",
        "content loss": f"{run.losses[-1]['content']:.2g}",
        "time": f"{run.seconds:.0f} s",
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        if len(set(value.values())) == 1:
            return ", ".join(value)
        return ", ".join(f"{layer} {weight:g}" for layer, weight in value.items())
    if isinstance(value, tuple):
        return ", ".join(f"{number:g}" for number in value) or "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
