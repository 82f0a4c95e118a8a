"""A figure with controls that redraw it."""

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from ..errors import StylelibError, pick
from .access import Access
from .stills import Still
from .theme import Plot, with_picture

_PAUSE = 0.02  # seconds to wait for a newer value before drawing
_REST = 0.5  # seconds without a newer value, after which it is drawn with more pixels

Clicked = Callable[[int, float, float], Mapping[str, Any]]


class FigureImage(anywidget.AnyWidget):
    """A picture with alternative text, which ipywidgets' own has not; see figure.js.

    If it is clickable, it says where it was clicked on, as fractions.
    """

    _esm = Path(__file__).parent / "figure.js"
    value = traitlets.Bytes().tag(sync=True)
    format = traitlets.Unicode("png").tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)  # as it is shown, in pixels; 0: as many as it has
    clickable = traitlets.Bool(False).tag(sync=True)


class Explorer(ipywidgets.VBox):
    """Controls above a figure, which is redrawn when one of them moves.

    While a slider is being dragged, only its newest position is drawn; older ones are
    skipped, never queued. At rest, the figure is drawn once more with twice as many pixels each
    way, for projectors. Without a browser it draws immediately, so tests and *run all* see the
    same. On a web page without a kernel the first figure remains.

    Parameters
    ----------
    draw : callable
        Called with the value of each control as a keyword argument; returns a `Plot`.
    clicked : callable, optional
        Called when the figure is clicked on, with the number of the axes, in the order in which
        they were added, and the position in their data coordinates. Returns new values of
        controls, none if there is nothing to choose there. All of them can also be set with the
        controls, by keyboard.
    controls : ipywidgets
        Each with a description and a tooltip.

    Attributes
    ----------
    plot : Plot
        The figure that is shown now.
    """

    image_kind: type[FigureImage] = FigureImage

    def __init__(
        self, draw: Callable[..., Plot], clicked: Clicked | None = None, **controls: Any
    ) -> None:
        self._draw, self._clicked, self.controls = draw, clicked, controls
        self._pending: asyncio.TimerHandle | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._held = False
        self._image = self.image_kind(clickable=clicked is not None)
        self._image.on_msg(lambda _, where, __: self.click(where["across"], where["down"]))
        self._message = ipywidgets.HTML()
        for control in controls.values():
            control.style.description_width = "initial"
            control.observe(self._changed, "value")
        box = ipywidgets.HBox(
            list(controls.values()), layout={"flex_flow": "row wrap", "grid_gap": "0 16px"}
        )
        # No scrollbars for the fraction of a pixel by which browsers round.
        parts = [box, self._message, self._image, Access()]
        super().__init__(parts, layout={"overflow": "visible"})
        self.redraw()

    @property
    def values(self) -> dict[str, Any]:
        """The value of each control."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, **values: Any) -> "Explorer":
        """Move controls from code; the figure is redrawn once, immediately.

        Raises
        ------
        StylelibError
            If there is no such control, or it can't have that value.
        """
        self._held = True  # or each control would redraw the figure
        try:
            for name, value in values.items():
                pick(name, self.controls, "control")
                try:
                    self.controls[name].value = value
                except Exception as error:  # traitlets' messages are not for students
                    raise StylelibError(f"{name} can't be {value!r} here.") from error
        finally:
            self._held = False
            self.redraw()
        return self

    def click(self, across: float, down: float) -> None:
        """Do what a click on the figure does.

        Parameters
        ----------
        across, down : float, 0-1
            Fractions of the figure's width and height, from its top left corner.
        """
        if self._clicked is None:
            return
        figure = self.plot.figure
        point = figure.transFigure.transform((across, 1 - down))
        for number, axes in enumerate(figure.axes):
            if axes.bbox.contains(*point):
                x, y = axes.transData.inverted().transform(point)
                if values := self._clicked(number, float(x), float(y)):
                    self.set(**values)
                return

    def redraw(self) -> None:
        """Draw with the current values of the controls."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
        with _no_garbage_collection():
            try:
                self.plot = self._draw(**self.values)
            except StylelibError as error:
                self._message.value = f"<b>{escape(str(error))}</b>"
                return
            kind, data = self.plot.image()
            self._message.value = ""
            with self._image.hold_sync():  # or the browser would show the old bytes once more
                self._image.format, self._image.width = kind.removeprefix("image/"), self.plot.width
                self._image.value, self._image.alt = data, self.plot.alt
        self._rest()

    def _rest(self) -> None:
        """Sharpen the figure, unless it changes again before long."""
        if self._resting is not None:
            self._resting.cancel()
        with suppress(RuntimeError):  # no kernel, so nobody looks at it
            self._resting = asyncio.get_running_loop().call_later(_REST, self._sharpen)

    def _sharpen(self) -> None:
        with _no_garbage_collection():
            self._image.value = self.plot.sharp(f"image/{self._image.format}")

    def _changed(self, _: Any) -> None:
        if self._held:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no kernel, so no newer value can arrive
            self.redraw()
            return
        if self._pending is None:
            self._pending = loop.call_later(_PAUSE, self.redraw)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        kind, data = f"image/{self._image.format}", self._image.value
        bundle = super()._repr_mimebundle_(**options)
        return with_picture(bundle, kind, data, self.plot.alt, width=self._image.width)

    def _ipython_display_(self, **options: Any) -> None:
        Still().show(self._repr_mimebundle_(**options))


def cell(position: float, count: int) -> int:
    """Which of `count` cells, whose middles are 0, 1, 2 …, a position is in, or is nearest to."""
    return min(max(int(position + 0.5), 0), count - 1)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Postpone Python's garbage collection: with PyTorch's many objects it takes 0.1 s."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
