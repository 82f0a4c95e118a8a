"""Figures of lesson 01: the network as a whole, and how far each layer sees."""

from collections.abc import Sequence
from functools import partial
from itertools import cycle
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Polygon
from matplotlib.patheffects import withStroke
from torch import Tensor

from ...core.layers import LAYERS
from ..drawing import draw_map, outline
from ..theme import COLORS, SIGNED, Plot, bare, canvas, grid, place, show_picture, styled
from . import anatomy

# From small fields to large ones, dark enough to be told apart on a photo.
_FIELDS = ("#F0E442", "#E69F00", "#D55E00", "#CC79A7", "#56B4E9", "#0072B2", "#009E73")


def shapes(height: int, width: int) -> Plot:
    """The shapes through VGG-19, drawn as slabs: smaller and deeper from block to block."""
    figure, ((axis,),) = grid(1, 1, (10.0, 4.6))
    stops = [("picture", (3, height, width))]
    for block in range(1, 6):
        last = [name for name in LAYERS if name.startswith(f"conv{block}")][-1]
        stops.append((f"conv{block}_1\nto _{last[-1]}", anatomy.map_shape(last, height, width)))
    write = partial(axis.text, ha="center", va="top", fontsize=14)
    tallest, x = 3.4, 0.0
    for index, (name, (channels, h, w)) in enumerate(stops):
        # The square root, or the last slabs would be too thin to see.
        tall = (h / height) ** 0.5 * tallest
        wide, deep = 0.3 * tall * min(width / height, 1.5), 0.06 * channels**0.5
        _draw_slab(axis, x, wide, tall, deep, "#BBBBBB" if index == 0 else COLORS["content"])
        middle = x + (wide + deep) / 2
        write(middle, -tallest / 2 - 0.2, name)
        shape = f"{channels}\n× {h}\n× {w}"
        write(middle, -tallest / 2 - 1.2, shape, color=COLORS["target"])
        x += wide + deep + 0.35
        if 1 <= index < 5:
            write(x + 0.1, 0, "pool", va="center", rotation=90)
            x += 0.45
    axis.set(xlim=(-0.2, x), ylim=(-tallest / 2 - 2.9, tallest / 2 + 0.7), aspect="equal")
    bare(axis)
    words = ", ".join(f"{c} x {h} x {w}" for _, (c, h, w) in stops)
    return Plot(figure, f"The shapes through VGG-19, channels x height x width: {words}.")


def parameters() -> Plot:
    """The number of weights in the convolutions and in each layer of the classifier."""
    counts = anatomy.count_parameters()
    classifier = {name: counts.pop(name) for name in anatomy.CLASSIFIER}
    bars = {"convolutions": sum(counts.values()), **classifier}
    figure, ((axis,),) = grid(1, 1, (10.0, 2.8))
    colours = [COLORS["content"], *[COLORS["muted"]] * 3]
    drawn = axis.barh(list(bars), [count / 1e6 for count in bars.values()], color=colours)
    labels = [f"{name}\n{count / 1e6:.1f} M" for name, count in bars.items()]
    axis.bar_label(drawn, labels, padding=6, fontsize=13)
    axis.set(xlim=(0, 120), xlabel="weights, in millions", yticks=[])
    axis.set_title("kept: blue; left out: grey", fontsize=14)
    axis.invert_yaxis()
    words = ", ".join(f"{name} {count / 1e6:.1f}" for name, count in bars.items())
    return Plot(figure, f"Bars for the number of weights, in millions: {words}.")


@styled()
def node(window: Tensor, kernel: Tensor, bias: float = 0.0) -> Plot:
    """One node of a network: its inputs, a weight on each connection, their sum, ReLU.

    Parameters
    ----------
    window, kernel : Tensor, shape (3, 3)
        Nine values of the map before, and the nine weights.
    bias : float
        Added to the sum.
    """
    figure = canvas(10.0, 5.6)
    axes = place(figure, 0.0, 0.0, 1.0, 1.0)
    axes.set(xlim=(0, 10), ylim=(0, 5.6))
    bare(axes)
    total = float((window * kernel).sum()) + bias
    top = float(kernel.abs().max())
    text: Any = {"ha": "center", "va": "center", "zorder": 4}
    heights = [4.65 - 0.52 * index for index in range(9)]
    values = zip(heights, window.flatten().tolist(), kernel.flatten().tolist(), strict=True)
    for height, value, weight in values:
        color = matplotlib.colormaps[SIGNED](0.5 + 0.5 * weight / top)
        look = {"color": color if weight else "#cccccc", "linewidth": 1 + 4 * abs(weight) / top}
        axes.plot([1.6, 5.4], [height, 2.6], zorder=1, **look)
        axes.add_patch(Circle((1.6, height), 0.24, facecolor=str(value), edgecolor="black"))
        axes.text(1.6, height, f"{value:.2f}", size=9, color="black" if value > 0.5 else "white",
                  **text)  # fmt: skip
        at = 1.6 + 0.28 * 3.8, height + 0.28 * (2.6 - height)
        axes.text(*at, f"{weight:g}", size=12, bbox={"facecolor": "white", "pad": 1.5,
                  "edgecolor": "none"}, **text)  # fmt: skip
    for x, words in ((5.4, f"sum\n{total:.2f}"), (7.2, f"ReLU\n{max(total, 0):.2f}")):
        axes.add_patch(Circle((x, 2.6), 0.62, facecolor="white", edgecolor="black", linewidth=2.5))
        axes.text(x, 2.6, words, size=14, **text)
    for start, end in ((6.02, 6.58), (7.82, 8.6)):
        axes.annotate("", (end, 2.6), (start, 2.6), arrowprops={"arrowstyle": "->", "lw": 2})
    for x, y, words in (
        (1.6, 5.25, "inputs:\npixels, or values of a map"), (3.6, 4.9, "weights"),
        (6.3, 3.75, f"one node:\nit adds up, adds its bias {bias:g},\nand ReLU decides"),
        (9.25, 2.6, "one value\nof a\nfeature map"),
    ):  # fmt: skip
        axes.text(x, y, words, size=14, **text)
    return Plot(
        figure,
        f"A node of a network as a drawing: nine inputs, a line with a weight from each of them "
        f"to a circle that adds up, {total:.2f}, then ReLU, {max(total, 0):.2f}: one value of a "
        f"feature map.",
    )


def receptive_fields(image: Tensor, layers: Sequence[str], x: float, y: float) -> Plot:
    """The squares of a picture that one value of each layer can see.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    layers : sequence of str
    x, y : float
        The value's position as fractions, 0-1, of the picture's width and height.
    """
    height, width = image.shape[-2:]
    figure, ((axis,),) = grid(1, 1, (10.0, 10.0 * height / width + 0.5))
    show_picture(axis, image)
    sizes = {layer: anatomy.receptive_field(layer).size for layer in layers}
    for (layer, size), colour in zip(sizes.items(), cycle(_FIELDS)):
        box = anatomy.receptive_field(layer).box(*_index_of(image, layer, x, y))
        border = [withStroke(linewidth=5.5, foreground="black")]
        outline(
            axis, box, edgecolor=colour, linewidth=3.5, path_effects=border, clip_on=True,
            label=f"{layer}: {size}",
        )  # fmt: skip
    axis.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    figure.legend(loc="outside upper center", ncols=len(layers), fontsize=13, frameon=False)
    words = ", ".join(f"{layer} {size}" for layer, size in sizes.items())
    return Plot(
        figure, f"Receptive fields as squares around one position, sizes in pixels: {words}."
    )


def influences(image: Tensor, layers: Sequence[str], x: float, y: float) -> Plot:
    """The `receptive_fields`, and how strongly each pixel in them affects the value."""
    figure, axes = grid(2, len(layers), (10 / len(layers), 10 / len(layers) + 0.15))
    for (top, bottom), layer in zip(axes.T, layers, strict=True):
        field, (row, column) = anatomy.receptive_field(layer), _index_of(image, layer, x, y)
        box = field.box(row, column)
        show_picture(top, anatomy.cut(image, box), f"{layer}: {field.size}")
        gradient = anatomy.influence(image, layer, row, column)
        patch = anatomy.cut(gradient[None, None], box, beyond=0.0)[0, 0]
        draw_map(bottom, patch)
    return Plot(
        figure,
        f"Above, the receptive fields of one value of {', '.join(layers)}; below, how strongly "
        f"each pixel in them affects that value: most near the middle, little at the border.",
    )


def _index_of(image: Tensor, layer: str, x: float, y: float) -> tuple[int, int]:
    """Row and column, in a layer's maps, of a position in the picture."""
    _, height, width = anatomy.map_shape(layer, *image.shape[-2:])
    return anatomy.index_at(y, height), anatomy.index_at(x, width)


def _draw_slab(
    axis: Axes, x: float, width: float, height: float, depth: float, colour: str
) -> None:
    """Draw a box seen from the left: a slanted face, `depth` thick."""
    slant, half = 0.35 * width, height / 2
    face = [(x, -half), (x + width, -half + slant), (x + width, half + slant), (x, half)]
    front = [(x + depth, y) for x, y in face]
    side, top = [face[0], front[0], front[3], face[3]], [face[3], front[3], front[2], face[2]]
    for corners, alpha in ((side, 1.0), (top, 0.7), (front, 0.45)):
        axis.add_patch(
            Polygon(corners, facecolor=colour, alpha=alpha, edgecolor="white", linewidth=1.2)
        )
