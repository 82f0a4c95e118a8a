"""Figures of lesson 02: content loss by hand, distances layer by layer, reconstructed pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from torch import Tensor

from ..drawing import draw_cells, draw_mean, draw_signed
from ..theme import COLORS, Plot, canvas, place, show_picture, styled
from .compute import PIXELS, Reconstruction

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
