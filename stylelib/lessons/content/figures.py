"""Figures of lesson 02: content loss by hand, distances layer by layer, rebuilt pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
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
from .compute import PIXELS, Rebuilding

Table = Mapping[str, Mapping[str, float]]


@styled()
def by_hand(maps: Tensor, target: Tensor) -> Plot:
    """Mean squared error with every number in sight: subtract, square, take the mean.

    Parameters
    ----------
    maps, target : Tensor, shape (h, w)
        One small feature map of the new picture, and of the photo.
    """
    difference = maps - target
    squares = difference.square()
    figure = canvas(10.0, 2.5)
    panels = [
        (maps, "new picture", False),
        (target, "− target", False),
        (difference, "= difference", True),
        (squares, "squared", False),
    ]
    for index, (values, title, signed) in enumerate(panels):
        axes = place(figure, 0.205 * index, 0.02, 0.19, 0.8)
        draw_numbers(axes, values, title, "{:g}", signed)
        for text in axes.texts:
            text.set_fontsize(22)
        # A rim and a cross, or white numbers' squares would melt into the page.
        axes.spines[:].set(visible=True, color=COLORS["muted"])
        axes.axhline(0.5, color=COLORS["muted"], linewidth=1)
        axes.axvline(0.5, color=COLORS["muted"], linewidth=1)
    total, count = float(squares.sum()), squares.numel()
    axes = place(figure, 0.82, 0.02, 0.18, 0.8)
    axes.set_box_aspect(1)
    bare(axes, "mean")
    words: Any = {"ha": "center", "va": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.7, f"{total:g} / {count}", fontsize=20, **words)
    axes.text(0.5, 0.3, f"= {total / count:g}", fontsize=30, color=COLORS["content"], **words)
    return Plot(
        figure,
        "Two small maps of numbers, their difference, its squares, and the mean of the squares: "
        "the content loss.",
    )


def layer_colors(layers: Sequence[str]) -> dict[str, Any]:
    """A colour for each layer, dark to light with depth; grey for the pixels."""
    deep = [name for name in layers if name != PIXELS]
    shades = matplotlib.colormaps["plasma"]
    found = {name: shades(0.8 * i / max(1, len(deep) - 1)) for i, name in enumerate(deep)}
    return {name: found.get(name, COLORS["muted"]) for name in layers}


@styled()
def shift_curves(
    before: Tensor, after: Tensor, curves: Mapping[str, Sequence[float]], shift: int
) -> Plot:
    """A shifted picture, what changed, and how much of it each layer notices.

    Parameters
    ----------
    before, after : Tensor, shape (1, 3, H, W), RGB in 0-1
    curves : mapping of layer name to the relative distances at shifts 0, 1, 2 …
    shift : int
        Which of them `after` is.
    """
    figure = canvas(10.0, 4.7)
    show_picture(place(figure, 0.0, 0.51, 0.34, 0.42), after, f"shifted by {shift} px")
    axes = place(figure, 0.0, 0.0, 0.34, 0.42)
    change = as_array((after - before).mean(1)[0])
    axes.imshow(change, cmap=SIGNED, vmin=-0.5, vmax=0.5)
    bare(axes, "shifted − not shifted")
    axes = place(figure, 0.43, 0.13, 0.4, 0.82)
    colors = layer_colors(list(curves))
    last = max(len(values) for values in curves.values()) - 1
    for layer, values in curves.items():
        style = "--" if layer == PIXELS else "-"
        axes.plot(values, style, color=colors[layer], label=layer)
        axes.plot(shift, values[shift], "o", color=colors[layer], markersize=9)
    axes.axvline(shift, color=COLORS["muted"], linewidth=1)
    axes.set(xlabel="shift in pixels", ylabel="relative error", xlim=(0, last), ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    # Beside the lines rather than over them.
    axes.legend(loc="center left", bbox_to_anchor=(1.03, 0.5), frameon=False)
    return Plot(
        figure,
        "The camel, shifted sideways; the difference in brightness, strongest at its outline; "
        "and the relative error at each layer against the shift, one line a layer.",
    )


@styled()
def distance_heat(
    table: Table,
    images: Mapping[str, Tensor] | None = None,
    title: str = "relative error, measured at",
    top: float = 2.0,
) -> Plot:
    """A table of relative errors as a heat map with its numbers.

    Parameters
    ----------
    table : mapping of row name to mapping of column name to float
    images : mapping of row name to Tensor, shape (1, 3, H, W), optional
        A picture for each row.
    title : str
        What the columns are.
    top : float
        The value of the lightest colour; beyond it, the number says it.
    """
    names, layers = list(table), list(next(iter(table.values())))
    height = 0.8 if images else 0.6
    figure = canvas(10.0, height * len(names) + 0.8)
    share = 1 - 0.8 / figure.get_figheight()
    axes = place(figure, 0.3 if images else 0.17, 0.0, 0.7 if images else 0.83, share)
    values = torch.tensor([[table[name][layer] for layer in layers] for name in names])
    # 1 is as wrong as zeros everywhere.
    axes.imshow(as_array(values), cmap=MAPS, vmin=0, vmax=top, aspect="auto")
    for row, line in enumerate(values.tolist()):
        for column, value in enumerate(line):
            dark = "black" if value > 0.6 * top else "white"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", size=15, color=dark)
    bare(axes)
    for column, layer in enumerate(layers):
        axes.text(column, -0.6, layer, ha="center", va="bottom", size=14)
    axes.set_title(title, pad=26)
    for row, name in enumerate(names):
        axes.text(-0.6, row, name, ha="right", va="center", size=14)
    if images is not None:
        beside, tall = whole(figure), share / len(names)
        for row, name in enumerate(names):
            middle = share - (row + 0.5) * tall
            thumbnail(beside, images[name], (0.05, middle), (0.1, 0.92 * tall))
    return Plot(
        figure,
        f"A table of relative errors, from 0, dark, to {top:g} and more, light. Rows: "
        f"{', '.join(names)}. Columns: {', '.join(layers)}.",
    )


@styled()
def rebuilt_at(rebuilt: Mapping[str, Rebuilding], step: int) -> Plot:
    """The pictures rebuilt from each layer after so many steps, and the losses up to there.

    Parameters
    ----------
    rebuilt : mapping of layer name to Rebuilding
    step : int
        One that all of them kept.
    """
    rows = -(-(len(rebuilt) + 1) // 3)
    shape = next(iter(rebuilt.values())).image.shape
    figure = canvas(10.0, rows * (3.2 * shape[-2] / shape[-1] + 0.4))
    colors = layer_colors(list(rebuilt))
    tall, gap = 1 / rows, 0.4 / figure.get_figheight()
    corners = [(i % 3 / 3, 1 - (i // 3 + 1) * tall) for i in range(len(rebuilt) + 1)]
    for (name, one), (left, bottom) in zip(rebuilt.items(), corners, strict=False):
        axes = place(figure, left + 0.005, bottom + 0.01, 0.315, tall - gap - 0.01)
        show_picture(axes, one.frames[step], f"from {name}")
        axes.spines[:].set(visible=True, color=colors[name], linewidth=4)
    left, bottom = corners[-1]
    axes = place(figure, left + 0.07, bottom + gap, 0.24, tall - 2 * gap)
    _losses(axes, rebuilt, step, colors)
    return Plot(
        figure,
        f"The camel as rebuilt from noise after {step} steps, one picture for each of "
        f"{', '.join(rebuilt)}; and the content loss of each, falling.",
    )


def _losses(
    axes: Axes, rebuilt: Mapping[str, Rebuilding], step: int, colors: Mapping[str, Any]
) -> None:
    for name, one in rebuilt.items():
        axes.plot(one.losses, color=colors[name], linewidth=2)
        axes.plot(step, one.losses[step], "o", color=colors[name], markersize=7)
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"content loss, {step} steps")
