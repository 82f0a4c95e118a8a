"""Figures of lesson 03: correlations by hand, Gram matrices, style distances."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.patches import Rectangle
from torch import Tensor

from ...guards import gram_matrix
from ..cnn.figures_convolution import bright, draw_numbers
from ..content.compute import relative_error
from ..content.figures import distance_heat
from ..theme import (
    COLORS,
    MAPS,
    SIGNED,
    Plot,
    as_array,
    bare,
    canvas,
    grid,
    place,
    show_picture,
    thumbnail,
    whole,
)
from .compute import ActiveMaps, shuffled

SHUFFLES = {
    "as they are": None,
    "shuffled, all maps alike": True,
    "shuffled, each map its own way": False,
}
"""What can be done to the places of feature maps; see `shuffled`."""


def by_hand(maps: Tensor, names: Sequence[str], i: int, j: int) -> Plot:
    """One cell of a Gram matrix with every number in sight: multiply, take the mean.

    Parameters
    ----------
    maps : Tensor, shape (C, h, w)
        A few small feature maps.
    names : sequence of str
        What each map answers to.
    i, j : int
        The pair.
    """
    figure = canvas(10.0, 2.6)
    product = maps[i] * maps[j]
    panels = [(maps[i], names[i]), (maps[j], f"× {names[j]}"), (product, "= product")]
    for index, (values, title) in enumerate(panels):
        axes = place(figure, 0.19 * index, 0.08, 0.18, 0.692)
        draw_numbers(axes, values, title, "{:g}")
        _rule(axes, *values.shape)
        for text in axes.texts:
            text.set_fontsize(22)
    axes = place(figure, 0.57, 0.08, 0.13, 0.692)
    bare(axes, "mean")
    words: dict[str, Any] = {"ha": "center", "va": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.7, f"{product.sum():g} / {product.numel()}", fontsize=20, **words)
    axes.text(0.5, 0.3, f"= {product.mean():g}", fontsize=30, color=COLORS["style"], **words)
    axes = place(figure, 0.79, 0.02, 0.21, 0.8)
    draw_numbers(axes, gram_matrix(maps[None])[0], "Gram matrix", "{:g}")
    _rule(axes, len(maps), len(maps))
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    _frame(axes, i, j)
    return Plot(
        figure,
        f"Two small maps of numbers, {names[i]} and {names[j]}, their product place by place, "
        f"its mean, {product.mean():g}, and where that number stands in the Gram matrix.",
    )


def gram_cell(active: ActiveMaps, i: int, j: int, image: Tensor) -> Plot:
    """A Gram matrix as a heat map, and the two maps behind one of its cells.

    Parameters
    ----------
    active : ActiveMaps
    i, j : int
        Row and column, 0 for the most active map.
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        The picture that the maps are of.
    """
    figure = canvas(10.0, 4.6)
    axes = place(figure, 0.05, 0.13, 0.37, 0.8)
    # The square root of each number decides its colour: a few are far larger than the rest.
    _heat(axes, active.gram, f"Gram matrix, {active.layer}", PowerNorm(0.5, 0, _top(active.gram)))
    ticks = range(0, len(active.channels), 4)
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.set_xlabel(f"the {len(active.channels)} most active maps")
    _frame(axes, i, j)
    product = active.maps[i] * active.maps[j]
    mean = _number(float(product.mean()))
    # One bright spot must not darken the rest.
    top = max(bright(active.maps[[i, j]]), 1e-12)
    panels = [
        (active.maps[i], f"row {i}: channel {active.channels[i]}", top),
        (active.maps[j], f"column {j}: channel {active.channels[j]}", top),
        (image, "the picture", None),
        (product, f"product, mean {mean}", max(bright(product), 1e-12)),
    ]
    for index, (values, title, top_value) in enumerate(panels):
        left, bottom = 0.46 + 0.275 * (index % 2), 0.52 - 0.5 * (index // 2)
        _map(place(figure, left, bottom, 0.265, 0.41), values, title, top_value)
    return Plot(
        figure,
        f"The Gram matrix of {active.layer} as a heat map, brightest at the top left and on its "
        f"diagonal; the picture; the two maps behind the cell in row {i} and column {j}; and "
        f"their product, whose mean is the number in that cell.",
    )


def shuffle_places(active: ActiveMaps, way: str) -> Plot:
    """Feature maps with their places shuffled, and what becomes of the two losses.

    Parameters
    ----------
    active : ActiveMaps
        At least three maps.
    way : str
        One of `SHUFFLES`.
    """
    before, together = active.maps, SHUFFLES[way]
    after = before if together is None else shuffled(before[None], together)[0]
    gram = gram_matrix(after[None])[0]
    content, style = relative_error(after, before), relative_error(gram, active.gram)
    figure = canvas(10.0, 3.6)
    norm = PowerNorm(0.5, 0, _top(active.gram))
    rows = [("before", 0.48, before, active.gram), ("after", 0.0, after, gram)]
    for word, bottom, maps, matrix in rows:
        figure.text(0.012, bottom + 0.2, word, rotation=90, va="center", ha="center", size=15)
        for index in range(3):
            axes = place(figure, 0.03 + 0.198 * index, bottom, 0.19, 0.42)
            title = f"channel {active.channels[index]}" if maps is before else ""
            _map(axes, maps[index], title, _top(before[index]))
        axes = place(figure, 0.63, bottom, 0.15, 0.42)
        _heat(axes, matrix, "Gram matrix" if maps is before else "", norm)
    axes = place(figure, 0.83, 0.09, 0.17, 0.76)
    for index, (name, value) in enumerate([("content", content), ("style", style)]):
        axes.bar(index, float(value), color=COLORS[name], width=0.7)
        axes.text(index, float(value) + 0.04, f"{value:.2f}", ha="center", size=16)
    axes.set(xticks=[0, 1], xticklabels=["content", "style"], yticks=[], ylim=(0, 2.1))
    axes.spines[["left", "top", "right"]].set_visible(False)
    axes.set_title("relative loss")
    return Plot(
        figure,
        f"Three feature maps of {active.layer} before and after, their places {way}; the Gram "
        f"matrix before and after; and two bars: content loss {_in_words(content)}, style loss "
        f"{_in_words(style)}.",
    )


def distance_table(
    images: Mapping[str, Tensor], table: Tensor, title: str = "style distance"
) -> Plot:
    """The distance of each picture from each as a heat map; each row's smallest is framed.

    Parameters
    ----------
    images : mapping of short name to Tensor, shape (1, 3, H, W), RGB in 0-1
    table : Tensor, shape (N, N)
    title : str
    """
    count = len(images)
    figure = canvas(10.0, 7.0)
    left, right, bottom, top = 0.25, 1.0, 0.0, 0.83
    wide, tall = (right - left) / count, (top - bottom) / count
    axes = place(figure, left, bottom, right - left, top - bottom)
    largest = _top(table)
    axes.imshow(as_array(table), cmap=MAPS, vmin=0, vmax=largest, aspect="auto")
    others = table + torch.eye(count) * 1e9
    for row, line in enumerate(table.tolist()):
        for column, value in enumerate(line):
            color = "black" if value > 0.6 * largest else "white"
            text = "0" if row == column else f"{value:.2f}"
            axes.text(column, row, text, ha="center", va="center", size=15, color=color)
        _frame(axes, row, int(others[row].argmin()), "white", 0.45)
    bare(axes)
    figure.text(0.5, 0.955, title, ha="center", size=15)
    beside = whole(figure)
    for index, (name, image) in enumerate(images.items()):
        middle = top - (index + 0.5) * tall
        figure.text(0.245, middle, name, ha="right", va="center", size=14)
        thumbnail(beside, image, (0.045, middle), (0.09, tall * 0.86))
        thumbnail(beside, image, (left + (index + 0.5) * wide, 0.89), (wide * 0.92, 0.1))
    return Plot(
        figure,
        f"{title}: a table of {', '.join(images)} against each other. 0 on the diagonal is dark, "
        f"the largest is light; a frame in each row marks the nearest.",
    )


def versions_table(
    table: Mapping[str, Mapping[str, float]], images: Mapping[str, Tensor], of: str
) -> Plot:
    """How far versions of a painting are from it, layer by layer and on average.

    Parameters
    ----------
    table : mapping of name to mapping of layer name to float
        Style distances.
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    of : str
        The painting's name.
    """
    rows = {name: dict(row) | {"mean": sum(row.values()) / len(row)} for name, row in table.items()}
    plot = distance_heat(rows, images, f"style distance from {of}, at")
    return Plot(
        plot.figure,
        f"A table of style distances from {of}, 0, dark, to 2, light. Rows: {', '.join(rows)}. "
        f"Columns: the layers and their mean.",
    )


def raw_and_centered(active: ActiveMaps) -> Plot:
    """A Gram matrix as brightness, what the means alone would give, plus correlation.

    Parameters
    ----------
    active : ActiveMaps
    """
    means = active.gram - active.centered
    share = float(means.sum() / active.gram.sum())
    panels = [
        (active.gram, "Gram matrix"),
        (means, f"= products of means ({share:.0%})"),
        (active.centered, "+ centred Gram"),
    ]
    figure = canvas(10.0, 3.8)
    # Beyond the brightest of the diagonal nothing would be told apart.
    top = float(active.gram.diagonal().median())
    for index, (matrix, title) in enumerate(panels):
        axes = place(figure, 0.305 * index, 0.02, 0.295, 0.86)
        axes.imshow(as_array(matrix), cmap=SIGNED, vmin=-top, vmax=top, interpolation="nearest")
        bare(axes, title)
    bar = figure.colorbar(axes.images[0], cax=place(figure, 0.915, 0.08, 0.015, 0.74))
    bar.set_ticks([-top, 0, top], labels=["less", "0", "more"], fontsize=13)
    return Plot(
        figure,
        f"Three heat maps of {active.layer}: the Gram matrix, all positive; the products of the "
        f"means, most of it; and what is left, the centred Gram matrix, positive on its diagonal, "
        f"positive and negative beside it.",
    )


def size_curves(sizes: Sequence[int], growth: Mapping[str, Sequence[float]]) -> Plot:
    """How a Gram matrix grows with the picture, divided by the number of places or not.

    Parameters
    ----------
    sizes : sequence of int
        Longest side of the picture, in pixels.
    growth : mapping of name to sequence of float
        The mean entry at each size.
    """
    figure, axes = grid(1, 1, (8.0, 3.8))
    looks = [("--", COLORS["muted"]), ("-", COLORS["style"])]
    for (name, values), (line, color) in zip(growth.items(), looks, strict=True):
        relative = [value / values[0] for value in values]
        axes[0, 0].plot(sizes, relative, line, marker="o", markersize=9, color=color, label=name)
    axes[0, 0].set(xlabel="longest side, pixels", ylabel="mean entry,\ntimes the first")
    axes[0, 0].set_xticks(sizes)
    axes[0, 0].legend(frameon=False)
    return Plot(
        figure,
        f"Two lines over the size of the picture, {sizes[0]} to {sizes[-1]} pixels: the Gram "
        f"matrix undivided grows with the number of places, divided it hardly changes.",
    )


def _rule(axes: Axes, rows: int, columns: int) -> None:
    """A rim, and lines between the cells: white ones would melt into the page."""
    axes.spines[:].set(visible=True, color=COLORS["muted"])
    for row in range(1, rows):
        axes.axhline(row - 0.5, color=COLORS["muted"], linewidth=1)
    for column in range(1, columns):
        axes.axvline(column - 0.5, color=COLORS["muted"], linewidth=1)


def _in_words(loss: Tensor) -> str:
    # Digits would differ from computer to computer.
    return "zero" if loss < 1e-3 else "small" if loss < 0.5 else "large"


def _map(axes: Axes, values: Tensor, title: str, top: float | None) -> None:
    show_picture(axes, values, title)
    if top is not None:
        axes.images[0].set(clim=(0, top), interpolation="nearest")


def _top(values: Tensor) -> float:
    return max(float(values.max()), 1e-12)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _heat(axes: Axes, gram: Tensor, title: str, norm: Normalize) -> None:
    axes.imshow(as_array(gram), cmap=MAPS, norm=norm, interpolation="nearest")
    bare(axes, title)


def _frame(axes: Axes, i: int, j: int, color: str = COLORS["style"], half: float = 0.5) -> None:
    """Frame the cell in row `i` and column `j`."""
    cell = Rectangle((j - half, i - half), 2 * half, 2 * half, fill=False, clip_on=False)
    cell.set(linewidth=3.5, edgecolor=color)
    axes.add_patch(cell)
