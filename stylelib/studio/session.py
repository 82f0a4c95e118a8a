"""The pictures of a session, side by side, and what differed between them."""

from html import escape
from typing import Any

import ipywidgets

from .chooser import PictureChooser
from .runs import Run, jpeg

KEPT = 20  # runs
_THUMBNAIL = (176, 110)

# Words for the settings that differ most often; the others go by their own names.
_WORDS = {
    "size": "longest side",
    "style_weight": "style weight",
    "content_weight": "content weight",
    "tv_weight": "smoothness (TV)",
}


class Session(ipywidgets.VBox):
    """The finished runs, newest last: click on one to look at it again.

    Attributes
    ----------
    runs : list of Run
        The newest 20.
    chooser : PictureChooser
    """

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._number = 0
        self.chooser = PictureChooser("This session", [], size=_THUMBNAIL)
        self.table = ipywidgets.HTML()
        super().__init__([self.chooser, self.table])
        self.layout.display = "none"

    def number(self) -> int:
        """The next run's number."""
        self._number += 1
        return self._number

    @property
    def names(self) -> dict[str, Run]:
        """The runs by what they are called."""
        return {name(run): run for run in self.runs}

    def add(self, run: Run) -> None:
        """Show a run that has come to its end; the others' middles need less room now."""
        for old in self.runs:
            old.shrink()
        self.runs.append(run)
        for old in self.runs[:-KEPT]:
            self.chooser.remove(name(old))
        self.runs = self.runs[-KEPT:]
        self.layout.display = None
        self.update(run)

    def mark(self, run: Run | None) -> None:
        """Mark the run that is shown: only what is not marked can be clicked on."""
        self.chooser.buttons.value = name(run) if run in self.runs and run else None

    def update(self, run: Run) -> None:
        """Show a run as it looks now, and write the table anew."""
        if run in self.runs:
            self.chooser.add(jpeg(run.picture()), name(run))
            self.mark(run)
        self.table.value = differences(self.runs)

    @property
    def picked(self) -> Run | None:
        """The run that was clicked on."""
        return self.names.get(self.chooser.value)


def name(run: Run) -> str:
    """What to call a run."""
    return f"No. {run.number}"


def differences(runs: list[Run]) -> str:
    """An HTML table: the runs' settings that are not all the same, and what came of them."""
    facts = [_facts(run) for run in runs]
    keys = [key for key in dict.fromkeys(k for fact in facts for k in fact)]
    results = ("style loss", "content loss", "time")
    shown = [k for k in keys if k in results or len({str(fact.get(k)) for fact in facts}) > 1]
    head = "".join(f"<th>{escape(key)}</th>" for key in ["", *shown])
    rows = []
    for i, (run, fact) in enumerate(zip(runs, facts, strict=True)):
        cells = [f"<th>{name(run)}</th>"]
        for key in shown:
            text = escape(str(fact.get(key, "")))
            new = i and key not in results and fact.get(key) != facts[i - 1].get(key)
            cells.append(f"<td>{'<b>' + text + '</b>' if new else text}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return (
        "<table style='border-spacing:12px 2px; text-align:left'>"
        f"<tr>{head}</tr>{''.join(rows)}</table>"
    )


def _facts(run: Run) -> dict[str, Any]:
    facts: dict[str, Any] = {"photo": run.content.label, "painting": run.after}
    start, end = run.recipe, run.recipe_at(run.iteration)
    for key, value in end.as_dict().items():
        before = start.as_dict()[key]
        text = _text(value)
        if before != value:
            text = f"{_text(before)}, then {text}"
        facts[_WORDS.get(key, key.replace("_", " "))] = text
    facts["mask"] = run.mask.name if run.mask else "none"
    facts["steps"] = run.iteration
    facts["own colours"] = "yes" if run.colors else "no"
    facts["style loss"] = f"{run.losses[-1]['style']:.2g}"
    facts["content loss"] = f"{run.losses[-1]['content']:.2g}"
    facts["time"] = f"{run.seconds:.0f} s"
    return facts


def _text(value: Any) -> str:
    if isinstance(value, dict):
        if len(set(value.values())) == 1:
            return ", ".join(value)
        return ", ".join(f"{layer} {weight:g}" for layer, weight in value.items())
    if isinstance(value, list):
        return ", ".join(f"{number:g}" for number in value) or "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
