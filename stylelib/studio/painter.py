"""Choose a photo and a painting, press *Paint*, and watch."""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets

from ..checks import as_path, check_switch
from ..core.vgg import VGG19
from ..engine.network import NetworkCache
from ..engine.pace import Pace, about
from ..engine.transfer import Step, Transfer
from ..errors import StylelibError, pick
from ..lessons.access import Access
from ..lessons.stills import Still
from ..lessons.theme import with_picture
from ..pictures.decoding import Source
from ..pictures.files import check_place, write_atomically
from ..pictures.names import file_name
from ..pictures.rescue import save_with
from ..recipes import DEFAULT, METHODS, RECIPES, SETTINGS, Recipe
from .chooser import PictureChooser
from .desk import Desk
from .gallery import Gallery
from .jobs import Gauge, Job, in_words, running_loop
from .knobs import SIZES, MethodKnob, SizeKnob, knob, put, read, turn
from .picture import samples
from .runs import Run, method_of
from .setup import Setup, as_text, found, read_setup
from .share import settings_code

# The main slider with each method, and what its ends mean.
_MAIN = {
    "neighbours": ("likeness", "◂ more painting · more photo ▸"),
    "gram": ("style_weight", "◂ more photo · more painting ▸"),
}

_SKETCHED = 30  # steps of a sketch: enough to see what becomes of it, in a few seconds


_ONE_PAINTING = (
    "Two paintings were blended in these settings. Here only the first one is used; open them in "
    "the studio of lesson 05."
)
_HIDDEN = (("neighbours", "likeness"),)  # settings that have an effect with one method alone


class Painter(ipywidgets.VBox):
    """Paint a photo in a painting's style, and watch it happen.

    *Paint* paints in the background, so that the controls stay responsive; `paint`
    does the same from Python, and waits until it is done.

    Parameters
    ----------
    content, style : path, bytes, PIL image or name of a sample
        The photo and the painting to begin with.
    size : {"sketch", "picture", "poster"} or int
        256, 512 or 1024 pixels, or another longest side. Up to 256, it takes only 30 steps unless
        `steps` says otherwise.
    method : {"neighbours", "gram"}
        How style is seen: which of `stylelib.recipes.METHODS` to begin with.
    gallery : path, optional
        The folder that keeps the newest 20 pictures painted with the buttons (100 MB at most), and
        shows them again after a restart; None keeps nothing.
    setup : str, path or bytes, optional
        What `setup` gave in another painter, a file of it, or a painted picture; see `use`.
    **settings
        Any other setting of `Recipe`; it is kept when another method is chosen.

    Attributes
    ----------
    controls : dict of str to widget
        The controls that `set` can set, by name.

    Raises
    ------
    StylelibError
        If a picture can't be loaded or a setting is wrong.

    Examples
    --------
    >>> painter = Painter(style="kandinsky-composition-viii", size=64, steps=2)
    >>> run = painter.set(likeness=0.5).paint()
    >>> run.title
    'No. 1: A Bactrian camel and her calf, after Composition VIII'
    """

    def __init__(
        self,
        content: Source = "camel",
        style: Source = "hokusai-great-wave",
        size: str | int = "picture",
        method: str = DEFAULT,
        gallery: str | Path | None = "painted",
        setup: str | Path | bytes | None = None,
        **settings: Any,
    ) -> None:
        self._networks = NetworkCache()
        self._job = Job(self._refresh)
        self._gauge = Gauge(self._refresh, self._networks.load)
        self.method = MethodKnob(method)
        self._given = settings
        self._base = RECIPES[method].but(**settings)
        self._changing = False  # whether another method's settings are being put in place
        self._newest: Run | None = None
        self._from_code = False  # whether that run was begun by `paint`
        self._next: list[Run] = []  # to be painted after the one that is being painted
        self._one_thread = threading.RLock()  # Jupyter may handle buttons in another than cells
        self.photos = PictureChooser("Photo", samples("photo"), "Your own photo")
        self.paintings = PictureChooser("Painting", samples("painting"), "Your own painting")
        folder = None if gallery is None else as_path(gallery)
        self.desk = Desk(self.photos, self.paintings, Gallery(folder))
        self.knobs = self._make_knobs()
        viewer = self.desk.viewer
        pictures = {"content": self.photos, "style": self.paintings}
        self.controls = {"method": self.method, **pictures, **self.knobs} | {
            name: getattr(viewer, name) for name in ("compare", "against", "scrub")
        }
        self.knobs["size"].observe(self._sketch, "value")
        self._shown_with: dict[str, list[Any]] = {name: [] for name in METHODS}
        self._still = Still()
        knobs, pages = self._arrange_knobs(), self._arrange_pages()
        parts = self.desk.arrange(knobs, pages, self._arrange_below())
        super().__init__([*parts, Access()])
        self.add_class("stylelib-painter")
        self.set(content=content, style=style, size=size)
        self._show_knobs()
        self._connect()
        viewer.offer(self.desk.session.names)
        self._chosen()
        if setup is not None:
            self.use(setup)
        self._refresh()

    def _make_knobs(self) -> dict[str, Any]:
        """The controls of settings, by the setting's name."""
        sliders = {name: knob(name, getattr(self._base, name)) for name, _ in _MAIN.values()}
        return {"size": SizeKnob(), **sliders}

    def _arrange_knobs(self) -> list[Any]:
        """The controls that everybody needs."""
        for method, (name, ends) in _MAIN.items():
            words = ipywidgets.HTML(f"<div style='text-align:center'>{ends}</div>")
            self._shown_with[method].append(ipywidgets.VBox([self.knobs[name], words]))
        label = ipywidgets.Label(SETTINGS["size"].label, layout={"min_width": "40px"})
        size = ipywidgets.HBox([label, self.knobs["size"]])
        return [self.method, size, *(boxes[0] for boxes in self._shown_with.values())]

    def _arrange_pages(self) -> dict[str, list[Any]]:
        """The other controls, in pages by title."""
        return {}

    def _arrange_below(self) -> dict[str, Any]:
        """What else can be opened below the picture, by title."""
        return {}

    def _connect(self) -> None:
        for chooser in (self.photos, self.paintings):
            chooser.watch(self._chosen)
            chooser.watch_twice(partial(self._pressed, self._paint_if_idle, None))
        for control in self.knobs.values():
            control.observe(self._turned, "value")
        self.method.observe(self._change_method, "value")
        self.desk.viewer.scrub.observe(lambda _: self.desk.enable(self.state), "value")
        self.desk.session.chooser.watch(self._picked)
        actions: dict[str, Callable[[], object]] = {
            "paint": self.start,
            "pause": self._pause_or_resume,
            "stop": self.stop,
            "continue": self.go_on,
            "finish": self.finish,
            "save": lambda: self.desk.link(self.save()),
            "film": lambda: self.desk.link(self.film()),
        }
        for name, action in actions.items():
            self.desk.buttons[name].on_click(partial(self._pressed, action))
        share, variants = self.desk.share, self.desk.variants
        share.opened = self.use
        share.save.on_click(partial(self._pressed, self._save_setup))
        for chooser in (self.photos, self.paintings):
            chooser.watch(self._show_setup)
        variants.connect(self)
        self._show_setup()

    @property
    def run(self) -> Run | None:
        """The run that is shown."""
        return self.desk.viewer.run

    @property
    def runs(self) -> list[Run]:
        """The session's finished runs, oldest first."""
        return self.desk.session.runs

    @property
    def state(self) -> str:
        """One of "idle", "preparing", "painting", "pausing", "paused" or "stopping"."""
        return self._job.state

    @property
    def recipe(self) -> Recipe:
        """The recipe that the controls describe."""
        return self._base.but(**{name: read(control) for name, control in self.knobs.items()})

    @property
    def values(self) -> dict[str, Any]:
        """The value of each control."""
        return {name: read(control) for name, control in self.controls.items()}

    def set(self, **values: Any) -> "Painter":
        """Set controls from code, or settings of `Recipe` that have no control.

        Raises
        ------
        StylelibError
            If there is no such control or setting, or it can't have that value.
        """
        order = list(self.controls)  # pictures first, because other controls depend on them
        for name in sorted(values, key=lambda name: order.index(name) if name in order else -1):
            pick(name, [*order, *SETTINGS], "control or setting")
            control, value = self.controls.get(name), values[name]
            if control is None:
                self._base = self._base.but(**{name: value})
                self._given = self._given | {name: value}
                self._turned()
            elif hasattr(control, "choose"):
                control.choose(value)
            else:
                turn(name, control, value)
        return self

    def paint(self, bar: bool = False) -> Run:
        """Paint right here, to the end, and return the run, which displays as its picture.

        Parameters
        ----------
        bar : bool
            Show a progress bar below the cell.

        Raises
        ------
        StylelibError
            If it can't be painted.
        """
        check_switch("bar", bar)
        run = self._next_run()
        self._begin(run, here=True, bar=bar)
        return run

    def start(self) -> None:
        """Paint in the background, like the *Paint* button; outside a notebook, right here."""
        self._begin(self._next_run())

    def pause(self) -> None:
        """Wait after the current step."""
        self._job.pause()
        self._refresh()

    def resume(self) -> None:
        """Continue after `pause`."""
        self._job.resume()
        self._refresh()

    def stop(self) -> None:
        """End after the current step, and keep the picture; nothing that waits is painted."""
        self._next.clear()
        self._job.stop()
        self._refresh()

    def wait(self, timeout: float | None = None) -> "Painter":
        """Wait until what runs in the background is done; if it is paused, resume it first."""
        self._job.resume()
        self._job.join(timeout)
        self._refresh()
        return self

    def go_on(self, iteration: int | None = None) -> None:
        """Continue from an earlier step of the newest run, with the settings as they are now.

        Parameters
        ----------
        iteration : int, optional
            One that is in `run.frames`; by default the one that is shown.

        Raises
        ------
        StylelibError
            If that step was not kept.
        """
        run, frame = self.run, self.desk.viewer.frame
        if run is None or not run.frames:
            raise StylelibError("There is nothing to continue yet. Press Paint first.")
        if iteration is not None:
            kept = {f.iteration: f for f in run.frames}
            if iteration not in kept:
                names = ", ".join(map(str, kept))
                raise StylelibError(f"Step {iteration} was not kept. These were: {names}.")
            frame = kept[iteration]
        self._finish_newest()
        branch = run.back_to(frame or run.frames[-1], next(self.desk.session.numbers))
        changes, later = branch.follow(self.recipe)
        self._begin(branch, changes)
        if later:
            self._announce_later()

    def finish(self) -> None:
        """Continue a run that was stopped early, from its newest picture to its last step.

        Raises
        ------
        StylelibError
            If there is none.
        """
        run = self.run
        self.go_on(run.frames[-1].iteration if run is not None and run.frames else None)

    def setup(self) -> str:
        """The chosen pictures' names and all settings, as a text for `use` in another painter."""
        return as_text(self.recipe, **self._setup_pictures())

    def use(self, source: str | Path | bytes) -> list[str]:
        """Take over the pictures and settings of another painter, or those of a saved picture.

        Parameters
        ----------
        source : str, path or bytes
            What `setup` gave, a file of it, or a picture that was painted, which records them.
            A picture that is neither a sample nor offered here is looked for beside the notebook.

        Returns
        -------
        list of str
            What could not be taken over, in sentences; they are shown as well.

        Raises
        ------
        StylelibError
            If there are no settings in it.

        Examples
        --------
        >>> painter = Painter(size=64, likeness=0.5)
        >>> Painter(setup=painter.setup()).recipe.likeness
        0.5
        """
        setup = read_setup(source)
        if len(setup.styles) > 1 and "second" not in self.controls:
            setup.recipe = setup.recipe.but(style_shares=())
            setup.notes.append(_ONE_PAINTING)
        self._use_pictures(setup)
        self.method.value = method_of(setup.recipe)
        self._changing = True
        self._base = setup.recipe
        for name, control in self.knobs.items():
            try:
                put(name, control, getattr(setup.recipe, name))
            except StylelibError as error:
                setup.notes.append(str(error))
        self._changing = False
        self._turned()
        self.desk.share.say(setup.notes)
        return setup.notes

    def _use_pictures(self, setup: Setup) -> None:
        chosen = [(self.photos, setup.content), (self.paintings, "".join(setup.styles[:1]))]
        for chooser, name in chosen:
            self._use_picture(chooser, chooser.pictures, name, setup.notes)

    def _use_picture(self, control: Any, known: Any, name: str, notes: list[str]) -> None:
        """Choose a picture by its name, or say that it is not here."""
        if not name:
            return
        source = found(name, known)
        try:
            if source is None:
                raise StylelibError(
                    f"There is no picture {name} here. Put it beside the notebook, or drop it on "
                    f"the box, and open the settings again."
                )
            control.choose(source)
        except StylelibError as error:
            notes.append(str(error))

    def _setup_pictures(self) -> dict[str, Any]:
        """What a setup has besides the recipe."""
        return {"content": self.photos.value, "styles": [self.paintings.value]}

    def _show_setup(self, _: Any = None) -> None:
        """Offer the settings as they are now, to be copied."""
        with suppress(StylelibError):  # said where the control is
            code = settings_code(type(self).__name__, self.setup())
            self.desk.share.copy_settings.text = code

    def _save_setup(self) -> None:
        def save(place: Path) -> Path:
            write_atomically(check_place(place, [".json"]), self.setup().encode())
            return place

        stems = [Path(file_name(c.value)).stem for c in (self.photos, self.paintings)]
        path, trouble = save_with(save, Path("-".join([*stems, "settings.json"])), new=True)
        self.desk.link(path, self.desk.share.saved)
        if trouble:
            self.desk.panel.say(trouble)

    def save(self, path: str | Path | None = None) -> Path:
        """Save the picture that is shown, with its recipe in the file.

        Parameters
        ----------
        path : path, optional
            Ends in .png or .jpg. By default a new name in the notebook's folder or, if
            that can't be written to, elsewhere; see `save_with`.

        Raises
        ------
        StylelibError
            If there is no picture yet, or it can't be written.
        """
        run = self._painted()
        return self._save(partial(run.save, frame=self.desk.viewer.frame), path, ".png")

    def film(self, path: str | Path | None = None) -> Path:
        """Save how the picture was painted, as an animated GIF or WebP; see `save`."""
        return self._save(self._painted().save_film, path, ".gif")

    def close(self) -> None:
        """End the painting and close the widgets; nothing keeps running."""
        if self.comm is None:  # closed already, or never made because an argument was wrong
            return
        self._next.clear()
        self._job.stop(wait=True)
        self.desk.variants.stop()
        self._gauge.wait()
        self._networks.clear()
        close_all(self)

    def _painted(self) -> Run:
        if self.run is None or not self.run.losses:
            raise StylelibError("There is no picture yet. Press Paint first.")
        return self.run

    def _save(self, save: Callable[[Path], Path], path: str | Path | None, ending: str) -> Path:
        """Save exactly where the user asked to or, by default, wherever it is possible."""
        if path is not None:
            return save(as_path(path))
        path, trouble = save_with(save, self._painted().new_path(ending), new=True)
        if trouble:
            self.desk.panel.say(trouble)
        return path

    def paint_next(self) -> None:
        """Paint with the settings as they are now: right now or, while it paints, afterwards."""
        if self.state == "idle":
            self.start()
        else:
            self._next.append(self._make_run())
            self.desk.panel.say("This one is painted next.")

    def _next_run(self) -> Run:
        self._finish_newest()
        return self._make_run()

    def _make_run(self) -> Run:
        photo, painting, recipe = self.photos.picture, self.paintings.picture, self.recipe
        try:
            photo.load(recipe.size), painting.load(recipe.style_size())
        except StylelibError as error:
            self.desk.panel.say(str(error))
            raise
        return self._wanted(next(self.desk.session.numbers))

    def _wanted(self, number: int = 0) -> Run:
        """The run that the controls describe."""
        pictures = self.photos.picture, self.paintings.picture
        return Run(number, *pictures, self.recipe, **self.extras())

    def extras(self) -> dict[str, Any]:
        """What a run takes besides the photo, the painting and the recipe."""
        return {}

    def load(self, recipe: Recipe) -> VGG19:
        """The network that a recipe asks for; it is loaded once."""
        return self._networks.load(recipe)

    def settings_shown(self) -> list[str]:
        """The settings that have a control, and an effect with the chosen method."""
        others = {name for method, name in _HIDDEN if method != self.method.value}
        return [name for name in self.knobs if name not in others]

    def _finish_newest(self) -> None:
        """Stop the run that is under way, and keep its picture."""
        if self._newest is not None and not self._newest.finished:
            self._job.stop(wait=True)
            self._refresh()

    def _begin(
        self,
        run: Run,
        changes: dict[str, Any] | None = None,
        here: bool = False,
        bar: bool = False,
    ) -> None:
        if self.comm is None:
            raise StylelibError("This painter was closed. Make a new one.")
        job = Job(self._refresh, self._job)
        job.change(**changes or {})
        with self._one_thread:
            self._newest, self._job, self._from_code = run, job, here
        self.desk.saved.value = ""
        self.desk.panel.say("")
        self._look_at(run)
        load, wait = self._networks.load, self._gauge.wait
        show: list[Callable[[Step], None]] = []

        def make() -> Transfer:  # for a thread, which must not hold a widget: no `self` in here
            wait()
            transfer = run.transfer(load)
            if bar:
                # Nothing else here needs tqdm, so a studio works without it.
                from ..lessons.progress import progress_bar

                show.append(progress_bar(transfer))
            return transfer

        def each(step: Step, changes: dict[str, Any], seconds: float) -> None:
            run.add(step, changes, seconds)
            for one in show:
                one(step)

        begin = job.run if here or running_loop() is None else job.start
        begin(make, each)
        self._refresh()

    def _refresh(self) -> None:
        """Show the current state; called on the event loop while painting."""
        if self.comm is None:  # closed in the meantime
            return
        with self._one_thread:
            job = self._job
            try:
                self._show(job)
            except Exception as error:  # memory may run out here, too
                self.desk.panel.say(in_words(error))
                if not isinstance(error, StylelibError):
                    raise
            finally:
                self.desk.enable(job.state)

    def _show(self, job: Job) -> None:
        run = self._newest
        if job.over and run is not None and not run.finished:
            self._finish(run)
        pace = self._gauge.pace(run or self._wanted()) or Pace()
        self.desk.panel.show(job.state, self._newest, pace, self.recipe)
        if job.error:
            self.desk.panel.say(job.error)
        if job.busy:
            self.desk.viewer.draw()
            self._still.update(self._picture, now=False)
        self._expect()
        if not job.busy and job is self._job:
            if self._next:
                self._begin(self._next.pop(0))
            else:
                self.desk.variants.resume()

    def _finish(self, run: Run) -> None:
        """Add a run to the session, or drop it if nothing was painted."""
        run.finish()
        session, viewer = self.desk.session, self.desk.viewer
        if run.losses:
            session.add(run, keep=not self._from_code)
            viewer.offer(session.names)
        else:
            self._newest = session.runs[-1] if session.runs else None
        self._look_at(self._newest)
        self._still.update(self._picture, now=True)

    def _look_at(self, run: Run | None) -> None:
        self.desk.viewer.show(run, self.photos.picture, self.paintings.picture)
        self.desk.session.mark(run)
        self.desk.share.tell(run)
        self.desk.enable(self.state)

    def _expect(self) -> None:
        """Say how long painting will take, once that has been measured."""
        wanted = self._wanted()
        pace = self._gauge.pace(wanted)
        if pace is not None:
            self._measure()  # with a mask, say, a step takes longer
            photo = self.photos.picture.load(SIZES["picture"])
            seconds = pace.seconds(wanted.recipe, tuple(photo.shape))
            self.desk.expect.value = f"This will take {about(seconds)} on this computer."

    def _chosen(self) -> None:
        """Another photo or painting was chosen."""
        if self._job.busy:
            self._announce_later()
        elif self.run is None or self.run.content is not self.photos.picture:
            self._look_at(None)

    def _picked(self) -> None:
        """A run of the session was clicked on."""
        run = self.desk.session.names.get(self.desk.session.chooser.value)
        if run is None:
            return
        if self._job.busy:  # keep showing the run under way, compared with this one
            self.desk.viewer.against.value = run.name
            self.desk.viewer.compare.value = self.desk.viewer.compare.value or 50
        else:
            self._look_at(run)

    def _turned(self, _: Any = None) -> None:
        """A setting was changed; while painting, it takes effect with the next step."""
        if self._changing:
            return
        self._show_setup()
        try:
            recipe = self.recipe
            if not self._job.busy or self._newest is None:
                self._refresh()
                return
        except StylelibError as error:
            self.desk.panel.say(str(error))
            return
        now, later = self._newest.follow(recipe)
        if now:
            self._job.change(**now)
        if later:
            self._announce_later()

    def _change_method(self, _: Any) -> None:
        """Another method was chosen: its recipe's values, and the controls that it needs."""
        before, self._base = self._base, RECIPES[self.method.value].but(**self._given)
        self._sketch()
        self._changing = True
        for name, value in self._base.changed_from(before).items():
            if name in self.knobs:
                put(name, self.knobs[name], value)
        self._changing = False
        self._show_knobs()
        self._turned()

    def _sketch(self, _: Any = None) -> None:
        """A sketch takes few steps, unless another number of steps was chosen."""
        usual = RECIPES[self.method.value].steps
        control = self.knobs.get("steps")
        now = self._base.steps if control is None else control.value
        if self._changing or "steps" in self._given or now not in (_SKETCHED, usual):
            return
        steps = _SKETCHED if self.knobs["size"].value <= SIZES["sketch"] else usual
        if control is None:
            self._base = self._base.but(steps=steps)
        else:
            control.value = steps

    def _show_knobs(self) -> None:
        """Show the controls that have an effect with the chosen method."""
        for method, parts in self._shown_with.items():
            for part in parts:
                part.layout.display = None if method == self.method.value else "none"

    def _measure(self) -> None:
        if running_loop() is not None:
            self._gauge.measure(self._wanted())

    def _announce_later(self, _: Any = None) -> None:
        if self._job.busy:
            self.desk.panel.say("This takes effect with the next painting.")
        else:
            self._turned()

    def _pressed(self, action: Callable[[], object], _: Any) -> None:
        try:
            action()
        except Exception as error:
            self.desk.panel.say(in_words(error))
            if not isinstance(error, StylelibError):
                raise  # for the log, where it can be looked into

    def _paint_if_idle(self) -> None:
        if self.state == "idle":
            self.start()

    def _pause_or_resume(self) -> None:
        if self.state in ("pausing", "paused"):
            self.resume()
        else:
            self.pause()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        self._measure()
        return with_picture(super()._repr_mimebundle_(**options), *self._picture())

    def _ipython_display_(self, **options: Any) -> None:
        self._still.show(self._repr_mimebundle_(**options))

    def _picture(self) -> tuple[str, bytes, str]:
        """What a notebook keeps of the painter: MIME type, bytes and alt text."""
        return "image/jpeg", self.desk.viewer.still(), f"Painter: {self.desk.viewer.told}"


def close_all(widget: Any) -> None:
    """Close a widget with all its children; otherwise ipywidgets keeps them for ever."""
    for part in getattr(widget, "children", ()):
        close_all(part)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, ipywidgets.Widget):
            part.close()
    ipywidgets.Widget.close(widget)
