"""Figures of the warm-up: small tensors with their numbers and shapes."""

from torch import Tensor

from ..drawing import draw_cells
from ..theme import Plot, canvas, place, styled

_CELL, _GAP, _TITLE = 0.62, 0.5, 0.75  # inches


@styled()
def tensors(**values: Tensor) -> Plot:
    """Small tensors of one or two dimensions side by side, with their names and shapes.

    They share one grey scale, from 0 (black) to the largest number of all (white).

    Parameters
    ----------
    values : Tensor, shape (h, w) or (w,), 0 or more
        Each under its name.
    """
    tables = {name: value if value.dim() > 1 else value[None] for name, value in values.items()}
    least = 2.2  # room for a name and a shape
    widths = [max(_CELL * table.shape[1], least) for table in tables.values()]
    tall = _CELL * max(table.shape[0] for table in tables.values())
    figure = canvas(sum(widths) + _GAP * len(widths), tall + _TITLE)
    across, down = figure.get_size_inches()
    top = max(float(table.max()) for table in tables.values())
    left = _GAP / 2
    for (name, table), width in zip(tables.items(), widths, strict=True):
        rows, columns = table.shape
        size = _CELL * columns / across, _CELL * rows / down
        start = (left + (width - _CELL * columns) / 2) / across
        axes = place(figure, start, 1 - _TITLE / down - size[1], *size)
        shape = tuple(values[name].shape)
        draw_cells(axes, table, f"{name}\n{shape}", size=15, top=top)
        left += width + _GAP
    words = ", ".join(f"{name} of shape {tuple(value.shape)}" for name, value in values.items())
    return Plot(figure, f"Small tensors with their numbers: {words}.")
