"""A figure with controls that redraw it."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import ipywidgets

from ..errors import StylelibError, pick
from .stills import Still
from .theme import Plot, with_picture

_PAUSE = 0.02  # seconds to wait for a newer value before drawing
# For screen readers only.
_HIDDEN = "position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%)"


class Explorer(ipywidgets.VBox):
    """Controls above a figure, which is redrawn when one of them moves.

    While a slider is being dragged, only its newest position is drawn; older ones are
    skipped, never queued. Without a browser it draws immediately, so tests and
    *run all* see the same. On a web page without a kernel the first figure remains.

    Parameters
    ----------
    draw : callable
        Called with the value of each control as a keyword argument; returns a `Plot`.
    controls : ipywidgets
        Each with a description and a tooltip.

    Attributes
    ----------
    plot : Plot
        The figure that is shown now.
    """

    def __init__(self, draw: Callable[..., Plot], **controls: Any) -> None:
        self._draw, self.controls = draw, controls
        self._pending: asyncio.TimerHandle | None = None
        self._held = False
        self._image = self._make_image()
        self._message = ipywidgets.HTML()
        for control in controls.values():
            control.style.description_width = "initial"
            control.observe(self._changed, "value")
        box = ipywidgets.HBox(
            list(controls.values()), layout={"flex_flow": "row wrap", "grid_gap": "0 16px"}
        )
        self._alt_text = ipywidgets.HTML(layout={"height": "0", "margin": "0"})
        super().__init__([box, self._message, self._image, self._alt_text])
        self.redraw()

    def _make_image(self) -> Any:
        """The widget of the figure, with a `format` and its bytes as `value`."""
        return ipywidgets.Image(layout={"max_width": "100%", "width": "auto"})

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

    def redraw(self) -> None:
        """Draw with the current values of the controls."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
        with _no_garbage_collection():
            try:
                self.plot = self._draw(**self.values)
            except StylelibError as error:
                self._message.value = f"<b>{error}</b>"
                return
            kind, data = self.plot.image()
            self._message.value = ""
            self._image.format = kind.removeprefix("image/")
            self._image.value = data
        # ipywidgets' Image has no alt text, and isn't displayed at all if it has a tooltip.
        self._alt_text.value = f"<span style='{_HIDDEN}'>{escape(self.plot.alt)}</span>"

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
        return with_picture(super()._repr_mimebundle_(**options), kind, data, self.plot.alt)

    def _ipython_display_(self, **options: Any) -> None:
        Still().show(self._repr_mimebundle_(**options))


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
