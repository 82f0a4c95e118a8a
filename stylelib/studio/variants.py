"""Nine small paintings in one go, which differ in one thing; what pleases is painted large."""

from collections.abc import Callable
from typing import Any

import ipywidgets

from ..core.layers import STYLE_LAYERS
from ..core.vgg import VGG19
from ..engine.transfer import Step, Transfer
from ..errors import StylelibError
from ..recipes import SETTINGS, Recipe
from .chooser import PictureChooser
from .jobs import Job, running_loop
from .picture import jpeg
from .runs import Run

NUMBER = 9
_SIZE, _STEPS = 192, 60  # of a small painting, at most
_THUMBNAIL = (160, 90)
_TIMES = (1 / 8, 1 / 4, 1 / 2, 0.7, 1.0, 1.4, 2.0, 4.0, 8.0)
_SCALES = (0.35, 0.5, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0, 3.0)
_LAYERS = [(layer,) for layer in STYLE_LAYERS] + [STYLE_LAYERS[:n] for n in (2, 3, 4, 5)]
_WORDS = (
    "Small and quick, to see what suits. Click on one to take over its settings, and click twice "
    "to paint it large. While one is being painted, the next ones wait for their turn."
)
_TEXTS = {
    "painting": "Painting number {number} of {all}…",
    "paused": "Waiting until the painting above is done.",
    "idle": "",
}


def variants(what: str, recipe: Recipe, paintings: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Nine variants at most, by what to call them: the settings of each.

    Parameters
    ----------
    what : str
        "style", for the paintings, or a setting: "likeness", "style_weight", "style_layers" or
        "style_scale".
    recipe : Recipe
        What they vary.
    paintings : dict of str to str
        The paintings' names, and what each is called.
    """
    if what == "style":
        return {words: {what: name} for name, words in list(paintings.items())[:NUMBER]}
    if what == "style_layers":
        return {", ".join(names): {what: dict.fromkeys(names, 1.0)} for names in _LAYERS}
    values = [float(f"{recipe.style_weight * times:.3g}") for times in _TIMES]
    if what == "likeness":
        values = [i / (NUMBER - 1) for i in range(NUMBER)]
    elif what == "style_scale":
        values = list(_SCALES)
    return {f"{SETTINGS[what].label} {value:.3g}": {what: value} for value in values}


class Series:
    """Several runs, painted one after the other as if they were one transfer."""

    stopped = None  # as a `Transfer` says why it ended early

    def __init__(self, runs: list[Run], load: Callable[[Recipe], VGG19]) -> None:
        self.left, self._load = list(runs), load
        self._recipe = runs[0].recipe
        self._transfer: Transfer | None = None

    def __next__(self) -> Step:
        while self.left:
            if self._transfer is None:
                self._transfer = self.left[0].transfer(self._load)
            step = next(self._transfer, None)
            if step is not None:
                return step
            self._transfer = None
            self.left.pop(0).finish()
        raise StopIteration

    @property
    def network(self) -> VGG19:
        """The network that was painted with last."""
        return self._load(self._recipe)

    def add(self, step: Step, changes: Any, seconds: float) -> None:
        """Remember a step with the run that it belongs to."""
        self.left[0].add(step, changes, seconds)


class Variants(ipywidgets.VBox):
    """Paints nine small variants, and shows them side by side."""

    def __init__(self) -> None:
        self.what = ipywidgets.Dropdown(
            description="vary",
            tooltip="In what they differ",
            style={"description_width": "initial"},
            layout={"width": "auto"},
        )
        self.button = ipywidgets.Button(
            description="Try them",
            icon="th",
            tooltip="Paint up to nine small variants, one after the other",
        )
        self.halt = ipywidgets.Button(
            description="Stop", icon="stop", tooltip="Paint no more of them"
        )
        self.text, self.words = ipywidgets.HTML(), ipywidgets.HTML()
        self.words.value = f"<div class='stylelib-words'>{_WORDS}</div>"
        self.chooser = PictureChooser("Variants", [], size=_THUMBNAIL)
        row = ipywidgets.HBox([self.what, self.button, self.halt, self.text])
        row.add_class("stylelib-bar")
        super().__init__([self.words, row, self.chooser])
        self.settings: dict[str, dict[str, Any]] = {}  # of each variant, by what it is called
        self._runs: dict[str, Run] = {}
        self._job = Job(self._refresh)
        self._refresh()

    def connect(self, painter: Any) -> None:
        """Vary what this painter is set to, and set it to what is chosen."""
        self._painter = painter
        self._offer()
        painter.method.observe(self._offer, "value")
        self.button.on_click(lambda _: self._do(self._paint_or_resume))
        self.halt.on_click(lambda _: self.stop())
        self.chooser.watch(self._take)
        self.chooser.watch_twice(lambda: self._do(painter.paint_next))

    def start(self) -> None:
        """Paint the variants in the background; outside a notebook, right here.

        Raises
        ------
        StylelibError
            If the painter is busy, or a picture can't be loaded.
        """
        painter = self._painter
        if painter.state != "idle":
            raise StylelibError("A picture is being painted. Stop it, or wait until it is done.")
        names = {name: picture.label for name, picture in painter.paintings.pictures.items()}
        recipe: Recipe = painter.recipe
        small = recipe.but(size=min(recipe.size, _SIZE), steps=min(recipe.steps, _STEPS))
        self.settings = variants(self.what.value, recipe, names)
        self._runs = {}
        for number, (name, settings) in enumerate(self.settings.items(), 1):
            style = painter.paintings.pictures[settings.get("style", painter.paintings.value)]
            varied = small.but(**{k: v for k, v in settings.items() if k != "style"})
            photo, extras = painter.photos.picture, painter.extras()
            photo.load(varied.size), style.load(varied.style_size())
            self._runs[name] = Run(number, photo, style, varied, **extras)
        self.chooser.clear()
        series = Series(list(self._runs.values()), painter.load)
        self._job = job = Job(self._refresh, self._job)
        begin = job.run if running_loop() is None else job.start
        begin(lambda: series, series.add)  # type: ignore[arg-type, return-value]
        self._refresh()

    def stop(self) -> None:
        """Paint no more of them; those that are done stay."""
        self._job.stop(wait=True)
        self._refresh()

    def resume(self) -> None:
        """Go on after a large painting, which comes first."""
        self._job.resume()

    def _paint_or_resume(self) -> None:
        if self._job.state == "paused":
            self.resume()
        else:
            self.start()

    def _offer(self, _: Any = None) -> None:
        """Offer what can be varied with the chosen method, by what it is called."""
        shown = self._painter.settings_shown()
        names = [name for name in ("likeness", "style_weight", "style_layers", "style_scale")
                 if name in shown]  # fmt: skip
        self.what.options = [
            ("the painting", "style"),
            *((SETTINGS[name].label, name) for name in names),
        ]
        self.what.index = 0

    def _refresh(self) -> None:
        if self.comm is None:  # closed in the meantime
            return
        for name, run in self._runs.items():
            if run.finished and run.losses and name not in self.chooser.pictures:
                self.chooser.offer(jpeg(run.picture()), name)
        state = self._job.state if self._job.state in _TEXTS else "painting"
        done = sum(run.finished for run in self._runs.values())
        self.text.value = _TEXTS[state].format(number=done + 1, all=len(self._runs))
        if self._job.error:
            self.text.value = self._job.error
        paused = state == "paused"
        self.button.description = "Resume" if paused else "Try them"
        self.button.disabled = self._job.busy and not paused
        self.halt.layout.display = None if self._job.busy else "none"

    def _take(self) -> None:
        """A variant was clicked on."""
        if self.chooser.value:
            self._painter.set(**self.settings[self.chooser.value])

    def _do(self, action: Callable[[], object]) -> None:
        try:
            action()
        except StylelibError as error:
            self.text.value = f"<b>{error}</b>"
