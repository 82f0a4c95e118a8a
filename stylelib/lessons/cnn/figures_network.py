"""Figures of lesson 01, part 4: the network as a whole."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from matplotlib.patheffects import withStroke
from torch import Tensor

from ...core.vgg import LAYERS, VGG19
from ..theme import COLORS, Plot, bare, grid, show_picture
from .anatomy import CLASSIFIER, count_parameters, cut, influence, map_shape, place, receptive_field
from .figures_convolution import bright

# From few pixels to many, dark enough to be told apart on a photo.
_FIELDS = ("#F0E442", "#E69F00", "#D55E00", "#CC79A7", "#56B4E9", "#0072B2", "#009E73")


def shapes(height: int, width: int) -> Plot:
    """The shapes through VGG-19 as a drawing: slabs, smaller and deeper from block to block.

    Parameters
    ----------
    height, width : int
        The picture's, in pixels.
    """
    figure, axes = grid(1, 1, (10.0, 4.6))
    axis = axes[0, 0]
    stops = [("picture", (3, height, width))]
    for block in range(1, 6):
        last = [name for name in LAYERS if name.startswith(f"conv{block}")][-1]
        stops.append((f"conv{block}_1\nto _{last[-1]}", map_shape(last, height, width)))
    tallest, x = 3.4, 0.0
    for index, (name, (channels, h, w)) in enumerate(stops):
        # Drawn to the square root, or the last ones would be too thin to see.
        shrunk = (h / height) ** 0.5 * tallest
        side, top, deep = 0.3 * shrunk * min(width / height, 1.5), shrunk, 0.06 * channels**0.5
        colour = "#BBBBBB" if index == 0 else COLORS["content"]
        _slab(axis, x, side, top, deep, colour)
        middle = x + (side + deep) / 2
        axis.text(middle, -tallest / 2 - 0.2, name, ha="center", va="top", fontsize=14)
        axis.text(
            middle, -tallest / 2 - 1.2, f"{channels}\n× {h}\n× {w}",
            ha="center", va="top", fontsize=14, color=COLORS["target"],
        )  # fmt: skip
        x += side + deep + 0.35
        if 1 <= index < 5:
            axis.text(x + 0.1, 0, "pool", ha="center", va="center", fontsize=14, rotation=90)
            x += 0.45
    axis.set_xlim(-0.2, x)
    axis.set_ylim(-tallest / 2 - 2.9, tallest / 2 + 0.7)
    axis.set_aspect("equal")
    bare(axis)
    words = ", ".join(f"{c} x {h} x {w}" for _, (c, h, w) in stops)
    return Plot(figure, f"The shapes through VGG-19, channels x height x width: {words}.")


def parameters() -> Plot:
    """How many numbers were learned: convolutions against classifier, as one bar."""
    counts = count_parameters()
    convolutions = sum(n for name, n in counts.items() if name not in CLASSIFIER)
    parts = {"convolutions": convolutions} | {name: counts[name] for name in CLASSIFIER}
    colours = [COLORS["content"], COLORS["muted"], "#9A9A9A", "#C4C4C4"]
    figure, axes = grid(1, 1, (10.0, 2.6))
    axis, left = axes[0, 0], 0.0
    for (name, count), colour in zip(parts.items(), colours, strict=True):
        axis.barh([0], [count / 1e6], left=left, color=colour, height=0.7)
        if count > 15e6:
            axis.text(
                left + count / 2e6, 0, f"{name}\n{count / 1e6:.1f} M", ha="center", va="center",
                fontsize=13, color="white",
            )  # fmt: skip
        left += count / 1e6
    axis.text(left + 0.6, 0, f"fc8\n{counts['fc8'] / 1e6:.1f} M", va="center", fontsize=13)
    axis.set(xlim=(0, left + 9), ylim=(-0.4, 0.4), yticks=[], xlabel="millions of learned numbers")
    axis.spines["left"].set_visible(False)
    axis.set_title("kept in blue, left out in grey")
    return Plot(
        figure,
        f"A bar of {sum(counts.values()) / 1e6:.1f} million numbers: "
        f"{convolutions / 1e6:.1f} million in the convolutions, the rest in the classifier.",
    )


def receptive_fields(image: Tensor, layers: Sequence[str], x: float, y: float) -> Plot:
    """The squares of a picture that one number of each layer can see.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    layers : sequence of str
    x, y : float
        The number's place, in parts of the picture's width and height, 0-1.
    """
    height, width = image.shape[-2:]
    figure, axes = grid(1, 1, (10.0, 10.0 * height / width + 0.5))
    axis = axes[0, 0]
    show_picture(axis, image)
    for layer, colour in zip(layers, cycle(_FIELDS)):
        top, left, bottom, right = _box_at(image, layer, x, y)
        axis.add_patch(
            Rectangle(
                (left - 0.5, top - 0.5), right - left, bottom - top, fill=False,
                edgecolor=colour, linewidth=3.5, label=f"{layer}: {right - left}",
                path_effects=[withStroke(linewidth=5.5, foreground="black")],
            )
        )  # fmt: skip
    axis.set_xlim(-0.5, width - 0.5)
    axis.set_ylim(height - 0.5, -0.5)
    figure.legend(
        loc="outside upper center", ncols=len(layers), fontsize=13, frameon=False,
        handlelength=1, columnspacing=1, handletextpad=0.4,
    )  # fmt: skip
    sizes = ", ".join(f"{layer} {receptive_field(layer).size}" for layer in layers)
    return Plot(figure, f"Squares around one place, the receptive fields in pixels: {sizes}.")


def influences(
    image: Tensor, layers: Sequence[str], x: float, y: float, network: VGG19 | None = None
) -> Plot:
    """Which pixels really move one number: the receptive field, and the weight within it.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    layers : sequence of str
    x, y : float
        The number's place, in parts of the picture's width and height, 0-1.
    network : VGG19, optional
        The embedded one by default.
    """
    figure, axes = grid(2, len(layers), (10 / len(layers), 10 / len(layers) + 0.15))
    for (top, bottom), layer in zip(axes.T, layers, strict=True):
        row, column = _place(image, layer, x, y)
        box = receptive_field(layer).box(row, column)
        counts = influence(image, layer, row, column, network)
        show_picture(top, cut(image, box), f"{layer}: {box[2] - box[0]}")
        patch = cut(counts[None, None], box, beyond=0.0)[0, 0]
        show_picture(bottom, patch)
        bottom.images[0].set_clim(0, max(bright(patch), 1e-12))
    return Plot(
        figure,
        f"Above, the receptive fields of one number of {', '.join(layers)}; below, how much each "
        f"pixel in them counts: most near the middle, little at the rim.",
    )


def _place(image: Tensor, layer: str, x: float, y: float) -> tuple[int, int]:
    """Row and column in a layer's maps."""
    _, height, width = map_shape(layer, *image.shape[-2:])
    return place(y, height), place(x, width)


def _box_at(image: Tensor, layer: str, x: float, y: float) -> tuple[int, int, int, int]:
    return receptive_field(layer).box(*_place(image, layer, x, y))


def _slab(axis: Axes, x: float, side: float, height: float, depth: float, colour: str) -> None:
    """A box seen from the left: a slanted face, `depth` thick."""
    slant, half = 0.35 * side, height / 2
    face = [(x, -half), (x + side, -half + slant), (x + side, half + slant), (x, half)]
    shifted = [(px + depth, py) for px, py in face]
    style: dict[str, Any] = {"edgecolor": "white", "linewidth": 1.2}
    axis.add_patch(Polygon([face[0], shifted[0], shifted[3], face[3]], facecolor=colour, **style))
    axis.add_patch(
        Polygon([face[3], shifted[3], shifted[2], face[2]], facecolor=colour, alpha=0.7, **style)
    )
    axis.add_patch(Polygon(shifted, facecolor=colour, alpha=0.45, **style))
