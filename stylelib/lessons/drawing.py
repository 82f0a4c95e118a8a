"""What the figures of several lessons draw: maps, numbers in squares, frames, tables."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from .theme import (
    COLORS,
    SIGNED,
    Plot,
    as_array,
    bare,
    canvas,
    place,
    show_picture,
    styled,
    thumbnail,
    whole,
)


def bright(values: Tensor) -> float:
    """The 99.5th percentile: the top of a colour scale that one bright spot can't spoil."""
    # Of a regular sample, and with NumPy: PyTorch's quantile is too slow under a slider.
    sample = as_array(values.flatten()[:: 1 + values.numel() // 50_000])
    return float(np.quantile(sample, 0.995))


def draw_map(axes: Axes, values: Tensor, title: str = "", top: float | None = None) -> None:
    """Draw a feature map (h, w): dark is 0; `top` and above, or the top 0.5 %, are brightest."""
    show_picture(axes, values, title)
    top = max(bright(values), 1e-12) if top is None else top
    axes.images[-1].set(clim=(0, top), interpolation="nearest")


def draw_signed(axes: Axes, values: Tensor, title: str = "", top: float | None = None) -> None:
    """Draw a map (h, w): blue below 0, white at 0, red above, darkest from `top` up."""
    top = max(bright(values.abs()), 1e-6) if top is None else top
    axes.imshow(as_array(values), cmap=SIGNED, vmin=-top, vmax=top)
    bare(axes, title)
    for spine in axes.spines.values():  # what is near 0 would melt into a white page
        spine.set(visible=True, color="#bbbbbb", linewidth=1)


def outline(axes: Axes, box: tuple[float, float, float, float], **look: Any) -> None:
    """Frame the pixels of a box (top, left, bottom, right); `look` goes to `Rectangle`."""
    top, left, bottom, right = box
    look = {"edgecolor": COLORS["style"], "linewidth": 2.5, "clip_on": False, **look}
    corner = (left - 0.5, top - 0.5)
    axes.add_patch(Rectangle(corner, right - left, bottom - top, fill=False, zorder=3, **look))


def draw_numbers(
    axes: Axes,
    values: Tensor,
    title: str = "",
    form: str = "{:.2f}",
    signed: bool = False,
    top: float = 1.0,
    size: int = 14,
) -> None:
    """Draw a small map (h, w) as coloured squares with their values in them.

    Grey from 0 (black) to `top` or the largest value (white); with `signed`, blue below 0,
    white at 0 and red above.
    """
    top = max(top, float(values.abs().max()))
    scale, bottom = (SIGNED, -top) if signed else ("gray", 0.0)
    axes.imshow(as_array(values), cmap=scale, vmin=bottom, vmax=top)
    for (row, column), value in np.ndenumerate(as_array(values)):
        dark = abs(value) > 0.6 * top if signed else value < 0.5 * top
        axes.text(
            column, row, form.format(value), ha="center", va="center",
            fontsize=size, color="white" if dark else "black",
        )  # fmt: skip
    bare(axes, title)


def draw_cells(
    axes: Axes, values: Tensor, title: str, signed: bool = False, size: int = 22, top: float = 1.0
) -> None:
    """Draw a small map (h, w) as squares with lines between them and a number in each.

    Maps that are compared need the same `top`: see `draw_numbers`.
    """
    draw_numbers(axes, values, title, "{:g}", signed, top, size)
    # Without lines, white squares would be lost on a white page.
    rows, columns = values.shape
    color = COLORS["muted"]
    axes.spines[:].set(visible=True, color=color)
    axes.hlines(np.arange(1, rows) - 0.5, -0.5, columns - 0.5, color, linewidth=1)
    axes.vlines(np.arange(1, columns) - 0.5, -0.5, rows - 0.5, color, linewidth=1)


def draw_mean(axes: Axes, values: Tensor, color: str) -> None:
    """Write out the mean of some numbers: sum, count, result."""
    bare(axes, "mean")
    text: Any = {"ha": "center", "va": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.7, f"{values.sum():g} / {values.numel()}", fontsize=20, **text)
    axes.text(0.5, 0.3, f"= {values.sum() / values.numel():g}", fontsize=30, color=color, **text)


def draw_table(axes: Axes, values: Tensor, top: float) -> None:
    """Draw a matrix as a heat map, light from `top` up, with its numbers."""
    draw_map(axes, values, top=top)
    axes.set_aspect("auto")
    for (row, column), value in np.ndenumerate(as_array(values)):
        color = "black" if value > 0.6 * top else "white"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", size=15, color=color)


@styled()
def distance_heat(
    table: Mapping[str, Mapping[str, float]],
    images: Mapping[str, Tensor] | None = None,
    title: str = "relative error, measured at",
    top: float = 2.0,
) -> Plot:
    """A table of distances, from 0 upwards, as a heat map with its numbers.

    Parameters
    ----------
    table : mapping of row name to mapping of column name to float
    images : mapping of row name to Tensor, shape (1, 3, H, W), RGB in 0-1, optional
        A picture for each row.
    title : str
    top : float
        Everything from this value up has the lightest colour.
    """
    names, columns = list(table), list(next(iter(table.values())))
    figure = canvas(10.0, (0.8 if images else 0.6) * len(names) + 0.8)
    left, height = 0.3 if images else 0.17, 1 - 0.8 / figure.get_figheight()
    axes = place(figure, left, 0.0, 1 - left, height)
    draw_table(axes, torch.tensor([list(row.values()) for row in table.values()]), top)
    axes.set_title(title, pad=26)
    for column, name in enumerate(columns):
        axes.text(column, -0.6, name, ha="center", va="bottom", size=14)
    for row, name in enumerate(names):
        axes.text(-0.6, row, name, ha="right", va="center", size=14)
    if images is not None:
        beside, each = whole(figure), height / len(names)
        for row, name in enumerate(names):
            thumbnail(beside, images[name], (0.05, height - (row + 0.5) * each), (0.1, 0.92 * each))
    return Plot(
        figure,
        f"A heat map with the title “{title}”, from 0, dark, to {top:g} and above, light. Rows: "
        f"{', '.join(names)}. Columns: {', '.join(columns)}.",
    )


@styled()
def distance_bars(
    distances: Mapping[str, float], images: Mapping[str, Tensor], title: str, top: float = 1.4
) -> Plot:
    """Distances as bars, each beside its picture: what a table of numbers says at a glance.

    Parameters
    ----------
    distances : mapping of name to float, 0 or more
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    title : str
        What the bars measure.
    top : float
        Where the axis ends, at least, so that figures can be compared.
    """
    names = list(distances)
    figure = canvas(10.0, 0.62 * len(names) + 0.6)
    height = 1 - 0.6 / figure.get_figheight()
    axes = place(figure, 0.34, 0.0, 0.65, height)
    rows = range(len(names))
    values = [distances[name] for name in names]
    bars = axes.barh(rows, values, 0.62, color=COLORS["style"])
    axes.bar_label(bars, [f"{value:.2f}" for value in values], padding=5, size=15)
    axes.set(xlim=(0, 1.1 * max(top, *values)), ylim=(len(names) - 0.5, -0.5), xticks=[])
    axes.set_yticks(rows, names, fontsize=15)
    axes.tick_params(length=0)
    axes.spines["bottom"].set_visible(False)
    figure.text(0.34, 1 - 0.32 / figure.get_figheight(), title, size=15, weight="bold")
    beside, each = whole(figure), height / len(names)
    for row, name in enumerate(names):
        thumbnail(beside, images[name], (0.05, height - (row + 0.5) * each), (0.1, 0.9 * each))
    listed = ", ".join(f"{name} {value:.2f}" for name, value in distances.items())
    return Plot(figure, f"Bars with the title “{title}”, beside the pictures: {listed}.")
