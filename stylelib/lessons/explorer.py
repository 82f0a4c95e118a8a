"""A figure that follows its controls."""

import asyncio
import gc
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import ipywidgets

from ..errors import StylelibError, pick
from .theme import Plot

_PAUSE = 0.02  # seconds to wait for a newer value before drawing
# For screen readers alone.
_UNSEEN = "position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%)"


class Explorer(ipywidgets.VBox):
    """Controls above one figure, which is drawn again when a control moves.

    While a slider is dragged only the newest position is drawn: older ones are
    skipped, never queued. With no browser it draws at once, so that tests and
    *run all* see the same. On a web page without a kernel its first figure stands.

    Parameters
    ----------
    draw : callable
        Called with each control's value under its name; returns a `Plot`.
    controls : ipywidgets
        Each with a description and a tooltip.

    Attributes
    ----------
    plot : Plot
        What is shown now.

    Examples
    --------
    >>> Explorer(draw_map, channel=ipywidgets.IntSlider(description="channel", max=63))
    """

    def __init__(self, draw: Callable[..., Plot], **controls: Any) -> None:
        self._draw, self.controls = draw, controls
        self._pending: asyncio.TimerHandle | None = None
        self._held = False
        self._image = ipywidgets.Image(layout=ipywidgets.Layout(max_width="100%", width="auto"))
        self._message = ipywidgets.HTML()
        for control in controls.values():
            control.style.description_width = "initial"
            control.observe(self._changed, "value")
        box = ipywidgets.HBox(
            list(controls.values()),
            layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="0 16px"),
        )
        self._told = ipywidgets.HTML(layout=ipywidgets.Layout(height="0", margin="0"))
        super().__init__([box, self._message, self._image, self._told])
        self.redraw()

    @property
    def values(self) -> dict[str, Any]:
        """The value of each control."""
        return {name: control.value for name, control in self.controls.items()}

    def set(self, **values: Any) -> "Explorer":
        """Move controls from code; draws once, at once.

        Raises
        ------
        StylelibError
            If there is no such control, or the value is not one of its.
        """
        self._held = True  # or each control would draw as it moves
        try:
            for name, value in values.items():
                pick(name, self.controls, "control")
                try:
                    self.controls[name].value = value
                except Exception as error:  # traitlets' own words are not for students
                    raise StylelibError(f"{name} can't be {value!r} here.") from error
        finally:
            self._held = False
            self.redraw()
        return self

    def redraw(self) -> None:
        """Draw with the controls as they are now."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
        with _undisturbed():
            try:
                self.plot = self._draw(**self.values)
            except StylelibError as error:
                self._message.value = f"<b>{error}</b>"
                return
            kind, data = self.plot.image()
            self._message.value = ""
            self._image.format = kind.removeprefix("image/")
            self._image.value = data
        # ipywidgets' Image has no alt text, and can't be shown at all with a tooltip.
        self._told.value = f"<span style='{_UNSEEN}'>{escape(self.plot.alt)}</span>"

    def _changed(self, _: Any) -> None:
        if self._held:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no browser and no kernel: nobody to wait for
            self.redraw()
            return
        if self._pending is None:
            self._pending = loop.call_later(_PAUSE, self.redraw)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        # For readers without a kernel: the figure itself.
        kind = f"image/{self._image.format}"
        data[kind] = b64encode(self._image.value).decode()
        data["text/plain"] = self.plot.alt
        return data, {**metadata, kind: {"alt": self.plot.alt}}


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put Python's search for garbage off: among PyTorch's many objects it takes 0.1 s."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
