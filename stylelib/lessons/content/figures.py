"""Figures of lesson 02: content loss by hand, distances layer by layer, reconstructed pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from ..cnn.figures_convolution import draw_numbers
from ..theme import (
    COLORS,
    MAPS,
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
from .compute import PIXELS, Reconstruction


def draw_cells(
    axes: Axes, values: Tensor, title: str, signed: bool = False, size: int = 22
) -> None:
    """Draw a small map (h, w) as squares with lines between them and a number in each."""
    draw_numbers(axes, values, title, "{:g}", signed)
    for text in axes.texts:
        text.set_fontsize(size)
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
    axes.imshow(as_array(values), cmap=MAPS, vmin=0, vmax=top, aspect="auto")
    for (row, column), value in np.ndenumerate(as_array(values)):
        color = "black" if value > 0.6 * top else "white"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", size=15, color=color)
    bare(axes)


@styled()
def by_hand(maps: Tensor, target: Tensor) -> Plot:
    """The mean squared error of two small maps (h, w): subtract, square, take the mean."""
    difference = maps - target
    figure = canvas(10.0, 2.5)
    panels = {
        "new picture": maps,
        "− target": target,
        "= difference": difference,
        "squared": difference.square(),
    }
    for index, (title, values) in enumerate(panels.items()):
        axes = place(figure, 0.205 * index, 0.02, 0.19, 0.8)
        draw_cells(axes, values, title, signed=values is difference)
    draw_mean(place(figure, 0.82, 0.04, 0.18, 0.76), difference.square(), COLORS["content"])
    return Plot(
        figure,
        "Two small maps of numbers, their difference, its squares, and the mean of the squares: "
        "the content loss.",
    )


def layer_colors(layers: Sequence[str]) -> dict[str, Any]:
    """A colour for each layer, lighter with depth; grey for the pixels."""
    deep = [name for name in layers if name != PIXELS]
    shades = matplotlib.colormaps["plasma"](np.linspace(0, 0.8, len(deep)))
    return {PIXELS: COLORS["muted"], **dict(zip(deep, shades, strict=True))}


@styled()
def shift_curves(
    before: Tensor, after: Tensor, curves: Mapping[str, Sequence[float]], shift: int
) -> Plot:
    """A picture (1, 3, H, W) before and after a shift, and how much each layer notices.

    `curves` holds the relative errors of each layer for shifts of 0, 1, 2 … pixels.
    """
    figure = canvas(10.0, 4.7)
    show_picture(place(figure, 0.0, 0.51, 0.34, 0.42), after, f"shifted by {shift} px")
    axes = place(figure, 0.0, 0.0, 0.34, 0.42)
    axes.imshow(as_array((after - before)[0].mean(0)), cmap=SIGNED, vmin=-0.5, vmax=0.5)
    bare(axes, "shifted − original")
    axes = place(figure, 0.43, 0.13, 0.4, 0.82)
    colors = layer_colors(list(curves))
    for layer, values in curves.items():
        line = "--" if layer == PIXELS else "-"
        axes.plot(values, line, color=colors[layer], label=layer)
        axes.plot(shift, values[shift], "o", color=colors[layer], markersize=9)
    axes.axvline(shift, color=COLORS["muted"], linewidth=1)
    axes.set(xlabel="shift in pixels", ylabel="relative error", ylim=(0, None))
    axes.margins(x=0)
    # Beside the lines, where it hides none of them.
    axes.legend(loc="center left", bbox_to_anchor=(1.03, 0.5), frameon=False)
    return Plot(
        figure,
        "The camel, shifted sideways; the difference in brightness, largest along her outline; "
        "and the relative error against the shift, with a curve for each layer.",
    )


@styled()
def distance_heat(
    table: Mapping[str, Mapping[str, float]],
    images: Mapping[str, Tensor] | None = None,
    title: str = "relative error, measured at",
    top: float = 2.0,
) -> Plot:
    """A table of relative errors as a heat map with its numbers.

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
        f"A heat map of relative errors, from 0, dark, to {top:g} and above, light. Rows: "
        f"{', '.join(names)}. Columns: {', '.join(columns)}.",
    )


@styled()
def reconstructions_at(reconstructions: Mapping[str, Reconstruction], step: int) -> Plot:
    """The pictures after one of the steps that were kept, and the losses of all steps."""
    rows = -(-(len(reconstructions) + 1) // 3)
    shape = next(iter(reconstructions.values())).image.shape
    figure = canvas(10.0, rows * (3.2 * shape[-2] / shape[-1] + 0.4))
    colors = layer_colors(list(reconstructions))
    tall, gap = 1 / rows, 0.4 / figure.get_figheight()
    corners = [(i % 3 / 3, 1 - (i // 3 + 1) * tall) for i in range(len(reconstructions) + 1)]
    for (name, one), (left, bottom) in zip(reconstructions.items(), corners, strict=False):
        axes = place(figure, left + 0.005, bottom + 0.01, 0.315, tall - gap - 0.01)
        show_picture(axes, one.frames[step], f"from {name}")
        axes.spines[:].set(visible=True, color=colors[name], linewidth=4)
    left, bottom = corners[-1]
    axes = place(figure, left + 0.07, bottom + gap, 0.24, tall - 2 * gap)
    for name, one in reconstructions.items():
        axes.semilogy(one.losses, color=colors[name], linewidth=2)
        axes.plot(step, one.losses[step], "o", color=colors[name], markersize=7)
    axes.minorticks_off()
    axes.set_title(f"content loss, {step} steps")
    return Plot(
        figure,
        f"The camel as reconstructed from noise after {step} steps, a picture for each of "
        f"{', '.join(reconstructions)}; and their content losses, falling.",
    )
