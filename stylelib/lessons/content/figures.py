"""Figures of lesson 02: content loss by hand, distances layer by layer, reconstructed pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from torch import Tensor

from ..drawing import draw_cells, draw_mean, draw_signed
from ..theme import COLORS, Plot, bare, canvas, place, show_picture, styled
from .bank import Run
from .compute import PIXELS, Reconstruction, descend

CURVES = 2
"""The axes of the curves in `shift_curves`."""


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
    top = max(float(values.abs().max()) for values in panels.values())  # one scale for all
    for index, (title, values) in enumerate(panels.items()):
        axes = place(figure, 0.205 * index, 0.02, 0.19, 0.8)
        draw_cells(axes, values, title, signed=values is difference, top=top)
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
    below = place(figure, 0.0, 0.0, 0.34, 0.42)
    draw_signed(below, (after - before)[0].mean(0), "shifted − original", 0.5)
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
def distance_lines(table: Mapping[str, Mapping[str, float]], title: str, top: float = 3.0) -> Plot:
    """A table of distances, from 0 upwards, as a picture: a line for each of its rows.

    Parameters
    ----------
    table : mapping of row name to mapping of column name to float
        As from `distance_table`.
    title : str
    top : float
        Where the axis ends.
    """
    figure = canvas(10.0, 5.2)
    axes = place(figure, 0.08, 0.1, 0.7, 0.8)
    colors = matplotlib.colormaps["tab10"].colors  # type: ignore[attr-defined]
    styles, markers = ("-", "--", ":"), "osD^v<>P"
    for index, (name, row) in enumerate(table.items()):
        look: Any = {"marker": markers[index % 8], "linestyle": styles[index % 3], "markersize": 8}
        axes.plot(list(row), list(row.values()), color=colors[index % 10], label=name, **look)
    axes.axhline(1, color=COLORS["muted"], linewidth=1.5, label="nothing at all")
    axes.set(ylim=(0, top), ylabel="relative error", title=title)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    ends = [(name, *list(row.items())[-1]) for name, row in table.items()]
    told = "; ".join(f"{name}, at {column}: {value:.2f}" for name, column, value in ends)
    return Plot(figure, f"{title}, a line for each picture. Where the lines end: {told}.")


@styled()
def valley(pixel: float, target: float) -> Plot:
    """The loss of one pixel as a valley, the pixel as a ball in it, and the slope there.

    Parameters
    ----------
    pixel, target : float, 0 to 1
        The pixel's brightness, and what it should be.
    """
    figure = canvas(10.0, 4.2)
    axes = place(figure, 0.08, 0.15, 0.62, 0.75)
    slope, loss = 2 * (pixel - target), (pixel - target) ** 2
    _draw_valley(axes, target)
    near = np.linspace(pixel - 0.18, pixel + 0.18)
    axes.plot(near, loss + slope * (near - pixel), color=COLORS["style"])
    axes.plot(pixel, loss, "o", color=COLORS["content"], markersize=18)
    told = place(figure, 0.72, 0.15, 0.28, 0.75)
    bare(told)
    way = "uphill is right:\ngo left" if slope > 0 else "uphill is left:\ngo right"
    lines = {
        f"pixel {pixel:.2f}, target {target:.2f}": "black",
        f"loss {loss:.3f}": COLORS["content"],
        f"gradient {slope:+.2f}": COLORS["style"],
        "flat: the lowest point" if abs(slope) < 1e-9 else way: "black",
    }
    for index, (words, color) in enumerate(lines.items()):
        told.text(0.0, 0.9 - 0.22 * index, words, color=color, va="top", fontsize=16)
    return Plot(
        figure,
        f"A valley, the squared error of one pixel. A ball at {pixel:.2f} has the loss {loss:.3f} "
        f"and the gradient {slope:+.2f}, drawn as the slope of the valley there.",
    )


@styled()
def descent(rate: float, start: float, target: float, steps: int) -> Plot:
    """Some steps of gradient descent of one pixel, in its valley and one after another."""
    path = descend(rate, start, target, steps)
    figure = canvas(10.0, 4.2)
    axes, beside = place(figure, 0.08, 0.15, 0.45, 0.75), place(figure, 0.64, 0.15, 0.34, 0.75)
    _draw_valley(axes, target)
    heights = [(pixel - target) ** 2 for pixel in path]
    axes.plot(path, heights, "o-", color=COLORS["content"], markersize=10, linewidth=1.5)
    axes.set_title(f"learning rate {rate:.2f}")
    beside.plot(path, "o-", color=COLORS["content"], markersize=10, linewidth=1.5)
    beside.axhline(target, color=COLORS["muted"], linestyle="--")
    beside.text(0, target, "target", ha="left", va="top", color=COLORS["muted"])
    beside.set(xlabel="steps", ylabel="pixel", ylim=(-0.6, 1.6))
    return Plot(
        figure,
        f"{steps} steps of gradient descent with learning rate {rate:.2f}: the pixel goes from "
        f"{start:.2f} to {path[-1]:.2f}; its target is {target:.2f}.",
    )


def _draw_valley(axes: Axes, target: float) -> None:
    across = np.linspace(-0.6, 1.6, 200)
    axes.plot(across, (across - target) ** 2, color=COLORS["muted"])
    axes.set(xlim=(-0.6, 1.6), ylim=(-0.08, 1.2), xlabel="pixel", ylabel="loss")
    axes.set_xticks([-0.5, 0, 0.5, 1, 1.5])


@styled()
def made_before_at(run: Run, step: int, photo: Tensor) -> Plot:
    """A picture of a run from the bank after one of its steps, the photo, and the loss."""
    start, layer = run.name.split("/")
    figure = canvas(10.0, 5.6)
    show_picture(place(figure, 0.0, 0.02, 0.66, 0.9), run.at(step), f"from {layer}, {step} steps")
    show_picture(place(figure, 0.68, 0.56, 0.31, 0.36), photo, "the photo")
    axes = place(figure, 0.74, 0.12, 0.24, 0.32)
    axes.semilogy(run.losses, color=COLORS["content"])
    axes.plot(step, run.losses[step], "o", color=COLORS["content"], markersize=9)
    axes.set(title="relative error", xlabel="steps", ylim=(1e-4, 10))
    axes.minorticks_off()
    return Plot(
        figure,
        f"The camel, reconstructed from {layer} in {step} steps, starting from {start}; beside it "
        f"the photo, and the relative error at the layer, {run.losses[step]:.2g} by now.",
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
