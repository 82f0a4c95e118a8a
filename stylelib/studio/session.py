"""The pictures of a session side by side, and how their settings differ."""

from html import escape
from itertools import count
from typing import Any

import ipywidgets

from ..errors import StylelibError
from ..recipes import RECIPES, SETTINGS
from .chooser import PictureChooser
from .gallery import KEPT, Gallery
from .knobs import METHOD_LABELS
from .picture import Picture, jpeg
from .runs import Run, losses_of, method_of

_THUMBNAIL = (176, 110)
_NOT_KEPT = "These pictures are not kept: {error} Save those that you like."
_RESULTS = ("style loss", "neighbour loss", "content loss", "time")


class Session(ipywidgets.VBox):
    """The newest 20 finished runs: click on one to look at it again.

    It begins with those that the gallery holds from earlier sessions.
    """

    def __init__(self, gallery: Gallery) -> None:
        self.runs: list[Run] = gallery.runs()
        self._gallery = gallery
        self.numbers = count(1 + max((run.number for run in self.runs), default=0))  # of new runs
        self.chooser = PictureChooser("Your pictures", [], size=_THUMBNAIL)
        self.table = ipywidgets.HTML()
        self.kept = ipywidgets.HTML()
        super().__init__([self.chooser, self.table, self.kept])
        self.layout.display = None if self.runs else "none"
        if self.runs:
            for run in self.runs[:-1]:  # the browser is told once, with the last
                self.chooser.pictures[run.name] = Picture(run.name, jpeg(run.picture()))
            self.update(self.runs[-1])
            self.mark(None)
            self.kept.value = gallery.words

    @property
    def names(self) -> dict[str, Run]:
        """The runs by name."""
        return {run.name: run for run in self.runs}

    def add(self, run: Run, keep: bool) -> None:
        """Show a finished run, and `keep` it in the gallery.

        The others' frames take less memory from now on.
        """
        for old in self.runs:
            old.shrink()
        self.runs.append(run)
        for old in self.runs[:-KEPT]:
            self.chooser.remove(old.name)
        self.runs = self.runs[-KEPT:]
        self.layout.display = None
        self.update(run)
        if keep:
            self._keep(run)

    def mark(self, run: Run | None) -> None:
        """Mark the run that is shown; only the others can be clicked on."""
        self.chooser.buttons.value = run.name if run in self.runs and run else None

    def update(self, run: Run) -> None:
        """Show a run as it looks now, and rewrite the table."""
        if run in self.runs:
            self.chooser.add(jpeg(run.picture()), run.name)
            self.mark(run)
        self.table.value = differences(self.runs)
        if self._gallery.holds(run):
            self._keep(run)

    def _keep(self, run: Run) -> None:
        try:
            self._gallery.add(run)
            self.kept.value = self._gallery.words
        except StylelibError as error:  # perhaps a folder that nobody may write to
            self.kept.value = _NOT_KEPT.format(error=escape(str(error)))


def differences(runs: list[Run]) -> str:
    """An HTML table of the settings in which the runs differ, and of their results.

    Settings that differ only because the methods' recipes do are left out.
    """
    facts = [_facts(run) for run in runs]
    seen = {name for run in runs for name in _results(run)}
    results = [name for name in _RESULTS if name in seen]
    usual = set(RECIPES["neighbours"].changed_from(RECIPES["gram"]))
    hidden = {_label(name) for name in usual.difference(*map(_chosen, runs))}
    shown = [
        key
        for key in (facts[0] if facts else ())
        if key not in hidden and len({fact[key] for fact in facts}) > 1
    ] + results
    head = "".join(f"<th>{escape(key)}</th>" for key in ["", *shown])
    rows = []
    for i, (run, fact) in enumerate(zip(runs, facts, strict=True)):
        cells = [f"<th>{run.name}</th>"]
        for key in shown:
            text = escape((fact | _results(run)).get(key, "–"))
            new = i and key not in results and fact[key] != facts[i - 1][key]
            cells.append(f"<td>{'<b>' + text + '</b>' if new else text}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table class='stylelib-differences'><tr>{head}</tr>{''.join(rows)}</table>"


def _facts(run: Run) -> dict[str, str]:
    paintings = ", ".join(painting.label for painting in run.paintings)
    method = METHOD_LABELS[method_of(run.recipe)]
    facts = {"photo": run.content.label, "painting": paintings, "method": method}
    start, end = run.recipe, run.recipe_at(run.iteration)
    for name in SETTINGS:
        before, after = (_text(getattr(recipe, name), name) for recipe in (start, end))
        text = after if before == after else f"{before}, then {after}"
        facts[_label(name)] = text
    return facts | {
        "mask": run.mask.name if run.mask else "none",
        "steps": str(run.iteration),
        "keep my colours": _text(run.colors),
    }


def _results(run: Run) -> dict[str, str]:
    names = {"neighbours": "neighbour loss", "content": "content loss", "style": "style loss"}
    losses = {names[name]: f"{loss:.2g}" for name, loss in losses_of(run.losses[-1]).items()}
    return losses | {"time": f"{run.seconds:.0f} s"}


def _chosen(run: Run) -> set[str]:
    """The settings that are not those of the method's recipe, or were not all the time."""
    usual = RECIPES[method_of(run.recipe)]
    return {*run.recipe.changed_from(usual), *run.recipe_at(run.iteration).changed_from(usual)}


def _label(setting: str) -> str:
    return SETTINGS[setting].label or setting.replace("_", " ")


def _text(value: Any, setting: str = "") -> str:
    if setting and SETTINGS[setting].words:
        return SETTINGS[setting].in_words(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        if len(set(value.values())) == 1:
            return ", ".join(value)
        return ", ".join(f"{layer} {weight:g}" for layer, weight in value.items())
    if isinstance(value, tuple):
        return ", ".join(f"{number:g}" for number in value) or "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
