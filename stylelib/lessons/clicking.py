"""A figure that can be clicked on."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import traitlets

from .explorer import Explorer
from .theme import Plot

try:  # an optional dependency: ipywidgets itself can't say where a picture was clicked on
    import anywidget
except ImportError:
    anywidget = None  # type: ignore[assignment]

if anywidget is not None:

    class ClickableImage(anywidget.AnyWidget):
        """A picture that says where it was clicked on, as fractions; see clicking.js."""

        _esm = Path(__file__).parent / "clicking.js"
        value = traitlets.Bytes().tag(sync=True)
        format = traitlets.Unicode("png").tag(sync=True)


class ClickExplorer(Explorer):
    """An `Explorer` whose controls can also be set by a click on its figure.

    The controls do the same without a mouse, and without the package anywidget, which clicking
    needs.

    Parameters
    ----------
    draw : callable
        See `Explorer`.
    clicked : callable
        Called with the number of the axes that were clicked on, in the order in which they were
        added, and the position in their data coordinates. Returns the new values of controls.
    controls : ipywidgets
        See `Explorer`.
    """

    def __init__(
        self,
        draw: Callable[..., Plot],
        clicked: Callable[[int, float, float], Mapping[str, Any]],
        **controls: Any,
    ) -> None:
        self._clicked = clicked
        super().__init__(draw, **controls)

    def _make_image(self) -> Any:
        image = ClickableImage() if anywidget is not None else super()._make_image()
        image.on_msg(lambda _, where, __: self.click(where["across"], where["down"]))
        return image

    def click(self, across: float, down: float) -> None:
        """Do what a click on the figure does.

        Parameters
        ----------
        across, down : float, 0-1
            Fractions of the figure's width and height, from its top left corner.
        """
        figure = self.plot.figure
        point = figure.transFigure.transform((across, 1 - down))
        for number, axes in enumerate(figure.axes):
            if axes.bbox.contains(*point):
                x, y = axes.transData.inverted().transform(point)
                self.set(**self._clicked(number, float(x), float(y)))
                return
