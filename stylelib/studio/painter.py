"""Choose a photo and a painting, press *Paint*, and watch."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets

from ..checks import as_path
from ..engine.pace import about
from ..errors import StylelibError, pick
from ..pictures.film import save_film
from ..pictures.images import Source, save_image
from ..pictures.rescue import save_with
from ..pictures.samples import SAMPLES
from ..recipes import RECIPES, Recipe
from .chooser import PictureChooser
from .desk import Desk, close_all
from .easel import Easel
from .knobs import SIZES, offer_size, read, size_knob, turn, weight_knob
from .runs import Picture, Run, changed_settings


class Painter(ipywidgets.VBox):
    """Paint a photo in a painting's style, and watch it happen.

    It paints in the background, so that the controls stay alive; from Python,
    `paint` does the same and waits for the end.

    Parameters
    ----------
    content, style : path, bytes, PIL image or name of a sample
        The photo and the painting to begin with.
    size : {"sketch", "picture", "poster"} or int
        256, 512 or 1024 pixels, or another longest side.
    **settings
        Any other setting of `Recipe`.

    Attributes
    ----------
    controls : dict of str to widget
        What `set` sets.
    run : Run or None
        The one that is shown.

    Raises
    ------
    StylelibError
        If a picture can't be loaded or a setting is wrong.

    Examples
    --------
    >>> painter = Painter(style="kandinsky-composition-viii", size="sketch")
    >>> painter  # the last line of a cell shows it
    >>> painter.set(style_weight=10).paint()
    """

    def __init__(
        self,
        content: Source = "camel",
        style: Source = "hokusai-great-wave",
        size: str | int = "picture",
        **settings: Any,
    ) -> None:
        self._base = RECIPES["default"].but(**settings)
        self._easel = Easel(self._refresh)
        self.photos = PictureChooser("Photo", samples("photo"), "Your own photo")
        self.paintings = PictureChooser("Painting", samples("painting"), "Your own painting")
        self.desk = Desk()
        self.knobs = self._make_knobs()
        viewer = self.desk.viewer
        self.controls = {"content": self.photos, "style": self.paintings, **self.knobs} | {
            name: getattr(viewer, name) for name in ("compare", "against", "scrub")
        }
        choosers = [self.photos, self.paintings]
        super().__init__(self.desk.arrange(choosers, self._arrange_knobs(), self._arrange_more()))
        self.set(content=content, style=style, size=size)
        self._connect()
        self._chosen()
        self._refresh()

    def _make_knobs(self) -> dict[str, Any]:
        """The controls of recipe settings, by the setting's name."""
        return {
            "size": size_knob(),
            "style_weight": weight_knob(
                "style weight",
                "Left: more photo. Right: more painting. You can move it while it paints",
                self._base.style_weight,
            ),
        }

    def _arrange_more(self) -> list[Any]:
        """The knobs that most can do without."""
        return []

    def _arrange_knobs(self) -> list[Any]:
        """The knobs that everybody needs."""
        ends = ipywidgets.HTML(
            "<div style='text-align:center'>◂ more photo · more painting ▸</div>"
        )
        size = ipywidgets.HBox(
            [ipywidgets.Label("size", layout={"min_width": "40px"}), self.knobs["size"]]
        )
        return [size, self.knobs["style_weight"], ends]

    def _connect(self) -> None:
        for chooser in (self.photos, self.paintings):
            chooser.watch(self._chosen)
        for knob in self.knobs.values():
            knob.observe(self._turned, "value")
        self.desk.viewer.scrub.observe(lambda _: self._enable(), "value")
        self.desk.session.chooser.watch(self._picked)
        actions = {
            "paint": self.start,
            "pause": self._pause_or_resume,
            "stop": self.stop,
            "on": self.go_on,
            "save": self._save,
            "film": partial(self._save, film=True),
        }
        for name, action in actions.items():
            self.desk.buttons[name].on_click(partial(self._pressed, action))

    # What can be asked of it, from Python as by the buttons.

    @property
    def run(self) -> Run | None:
        """The run that is shown."""
        return self.desk.viewer.run

    @property
    def runs(self) -> list[Run]:
        """The session's runs, oldest first."""
        return self.desk.session.runs

    @property
    def state(self) -> str:
        """One of "idle", "preparing", "painting", "pausing", "paused" or "stopping"."""
        return self._easel.state

    @property
    def recipe(self) -> Recipe:
        """The recipe that the controls make."""
        return self._base.but(**{name: read(knob) for name, knob in self.knobs.items()})

    @property
    def values(self) -> dict[str, Any]:
        """What each control stands on."""
        return {name: read(control) for name, control in self.controls.items()}

    def set(self, **values: Any) -> "Painter":
        """Move controls from code, or change a setting of `Recipe` that has none.

        Raises
        ------
        StylelibError
            If there is no such control or setting, or it can't have that value.
        """
        order = list(self.controls)  # the pictures first: others hang on them
        known = sorted(values, key=lambda name: order.index(name) if name in order else -1)
        for name, value in ((name, values[name]) for name in known):
            pick(name, [*self.controls, *self._base.as_dict()], "control or setting")
            if hasattr(self.controls.get(name), "choose"):
                self.controls[name].choose(value)
            elif name not in self.controls:
                self._base = self._base.but(**{name: value})
                self._turned()
            else:
                if name == "size":
                    value = SIZES[pick(value, SIZES, "size")] if isinstance(value, str) else value
                    self._base.but(size=value)
                    offer_size(self.controls[name], value)
                turn(name, self.controls[name], value)
        return self

    def paint(self) -> Run:
        """Paint here and now, to the end, and return the run, which shows its picture.

        Raises
        ------
        StylelibError
            If it can't be painted.
        """
        run = self._next_run()
        self._easel.paint(run)
        return run

    def start(self) -> None:
        """Paint in the background, as *Paint* does; with no kernel around, here and now."""
        self._easel.start(self._next_run())
        self._refresh()

    def pause(self) -> None:
        """Wait after the step that is being taken."""
        self._easel.pause()
        self._refresh()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._easel.resume()
        self._refresh()

    def stop(self) -> None:
        """End after the step that is being taken, and keep the picture."""
        self._easel.stop()
        self._refresh()

    def wait(self, timeout: float | None = None) -> "Painter":
        """Wait for the end of what was started in the background; it goes on if paused."""
        self._easel.resume()
        self._easel.join(timeout)
        self._refresh()
        return self

    def go_on(self, iteration: int | None = None) -> None:
        """Go on painting from a kept step of the newest run, with the knobs as they are.

        Parameters
        ----------
        iteration : int, optional
            One of `run.frames`; the one that is shown by default.

        Raises
        ------
        StylelibError
            If that step was not kept.
        """
        run, frame = self.run, self.desk.viewer.frame
        if run is None or not run.frames:
            raise StylelibError("There is nothing to go on with yet. Press Paint first.")
        if iteration is not None:
            kept = {f.iteration: f for f in run.frames}
            if iteration not in kept:
                names = ", ".join(str(k) for k in kept)
                raise StylelibError(f"Step {iteration} was not kept. There are: {names}.")
            frame = kept[iteration]
        self._finish_any()
        branch = run.back_to(frame or run.frames[-1], self.desk.session.number())
        wanted = changed_settings(branch.recipe_at(branch.iteration), self.recipe)
        self._show_new(branch)
        self._easel.start(branch, {k: v for k, v in wanted.items() if branch.can_follow(k, v)})
        self._refresh()

    def save(self, path: str | Path | None = None) -> Path:
        """Save the picture that is shown, with its recipe in the file.

        Parameters
        ----------
        path : path, optional
            Ends in .png or .jpg. By default a new name in the notebook's folder or, if
            it can't be written there, in another; see `save_somewhere`.

        Raises
        ------
        StylelibError
            If there is no picture yet, or it can't be written.
        """
        run = self._painted()
        frame = self.desk.viewer.frame
        image = run.picture() if frame is None else self.desk.viewer.whole()
        record = run.record(None if frame is None else frame.iteration)

        def write(place: Path) -> Path:
            if run.mask is not None and isinstance(run.mask.source, bytes):
                # It was drawn here: without it the picture could not be made again.
                save_image(run.mask.load(None), place.parent / run.mask.name)
            return save_image(image, place, record)

        return self._write(write, path or run.new_path(".png"), new=path is None)

    def film(self, path: str | Path | None = None) -> Path:
        """Save how the picture was painted, as an animated GIF or WebP; see `save`."""
        run = self._painted()
        name = path or run.new_path(".gif")
        return self._write(lambda place: save_film(run.pictures(), place), name, new=path is None)

    def close(self) -> None:
        """End the painting and the widgets: nothing is left running."""
        self._easel.close()
        close_all(self)

    # What happens inside.

    def _write(self, save: Callable[[Path], Path], path: str | Path, new: bool) -> Path:
        """Save where it was asked for; or, if nothing was, wherever there is room."""
        if not new:
            return save(as_path(path))
        place, elsewhere = save_with(save, path, new=True)
        if elsewhere:
            self.desk.panel.say(elsewhere)
        return place

    def _painted(self) -> Run:
        if self.run is None or not self.run.losses:
            raise StylelibError("There is no picture yet. Press Paint first.")
        return self.run

    def _next_run(self) -> Run:
        self._finish_any()
        photo, painting, recipe = self.photos.picture, self.paintings.picture, self.recipe
        try:
            photo.load(recipe.size), painting.load(recipe.style_size())
            run = Run(self.desk.session.number(), photo, painting, recipe, **self._besides())
        except StylelibError as error:
            self.desk.panel.say(str(error))
            raise
        self._dress(run)
        self._show_new(run)
        return run

    def _besides(self) -> dict[str, Picture | None]:
        """What a run takes beside the photo and the painting."""
        return {}

    def _dress(self, run: Run) -> None:
        """What does not matter to the painting, only to its looks."""

    def _finish_any(self) -> None:
        """Keep what an unfinished run has come to."""
        if self._easel.run is not None and not self._easel.run.finished:
            self._easel.stop(wait=True)
            self._refresh()

    def _show_new(self, run: Run) -> None:
        self.desk.saved.value = ""
        self.desk.panel.say("")
        self.desk.session.mark(None)
        self.desk.viewer.show(run, run.content, run.style)

    def _refresh(self) -> None:
        """Show how things are; called on the event loop while it paints."""
        if self.comm is None:  # closed meanwhile
            return
        state, run = self._easel.state, self._easel.run
        if state == "idle" and run is not None and not run.finished:
            self._finish(run)
        try:
            self.desk.panel.show(state, self._easel.run, self._easel.pace)
            if self._easel.error:
                self.desk.panel.say(self._easel.error)
            if state != "idle":
                self.desk.viewer.draw()
        except StylelibError as error:
            self.desk.panel.say(str(error))
        self._expect()
        self._enable()

    def _finish(self, run: Run) -> None:
        """A run has ended: into the session with it, or away if nothing was painted."""
        run.finish()
        session, viewer = self.desk.session, self.desk.viewer
        if run.losses:
            session.add(run)
            viewer.offer(session.names)
        else:
            self._easel.run = session.runs[-1] if session.runs else None
        self._look_at(self._easel.run)

    def _look_at(self, run: Run | None) -> None:
        if run is None:
            self.desk.viewer.show(None, self.photos.picture, self.paintings.picture)
        else:
            self.desk.viewer.show(run, run.content, run.style)
        self.desk.session.mark(run)
        self.desk.tell(run)
        self._enable()

    def _enable(self) -> None:
        self.desk.enable(self._easel.state)

    def _expect(self) -> None:
        """Say how long it will take, once that was measured."""
        if not self._easel.measured:
            return
        photo = self.photos.picture.load(SIZES["picture"])
        seconds = self._easel.pace.seconds(self.recipe, tuple(photo.shape))
        self.desk.expect.value = f"This will take {about(seconds)} on this computer."

    def _chosen(self) -> None:
        if self._easel.busy:
            self.desk.panel.say("Your choice counts from the next painting on.")
        elif self.run is None or self.run.content is not self.photos.picture:
            self._look_at(None)

    def _picked(self) -> None:
        """A run of the session was clicked on."""
        run = self.desk.session.picked
        if run is None:
            return
        if self._easel.busy:  # leave the painting in view, and compare
            self.desk.viewer.against.value = f"No. {run.number}"
            self.desk.viewer.compare.value = self.desk.viewer.compare.value or 50
        else:
            self._look_at(run)

    def _turned(self, _: Any = None) -> None:
        """A knob was turned: while it paints, the next step follows it."""
        try:
            recipe = self.recipe
        except StylelibError as error:
            self.desk.panel.say(str(error))
            return
        if not self._easel.busy:
            self._expect()
        elif not self._easel.follow(recipe):
            self.desk.panel.say("That counts from the next painting on.")

    def _pressed(self, action: Any, _: Any) -> None:
        try:
            action()
        except StylelibError as error:
            self.desk.panel.say(str(error))

    def _pause_or_resume(self) -> None:
        if self._easel.state in ("pausing", "paused"):
            self.resume()
        else:
            self.pause()

    def _save(self, film: bool = False) -> None:
        self.desk.link(self.film() if film else self.save())

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        # For readers without a kernel: the picture itself.
        data["image/jpeg"] = b64encode(self.desk.viewer.still()).decode()
        data["text/plain"] = f"Painter: {self.desk.viewer.told}"
        try:
            asyncio.get_running_loop()
            self._easel.measure(self.photos.picture, self.paintings.picture, self.recipe)
        except RuntimeError:
            pass
        return data, metadata


def samples(kind: str) -> list[Picture]:
    """The sample pictures of a kind, "photo" or "painting"."""
    return [Picture(name, name) for name, sample in SAMPLES.items() if sample.kind == kind]
