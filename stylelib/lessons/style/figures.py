"""Figures of lesson 03: correlations by hand, Gram matrices, style distances."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from torch import Tensor

from ...guards import gram_matrix
from ..drawing import (
    bright,
    distance_heat,
    draw_cells,
    draw_map,
    draw_mean,
    draw_signed,
    outline,
)
from ..measures import relative_error
from ..theme import COLORS, Plot, canvas, grid, place, show_picture, styled
from .compute import ActiveMaps, shuffled

SHUFFLES = {
    "not shuffled": None,
    "all maps shuffled the same way": True,
    "each map shuffled its own way": False,
}
"""What can be done to the positions of feature maps: `together` of `shuffled`, if at all."""
GRAM, GRAM_BY_HAND = 0, 4
"""The axes of the Gram matrix in `gram_cell` and in `by_hand`."""


def by_hand(maps: Tensor, names: Sequence[str], i: int, j: int) -> Plot:
    """One entry of the Gram matrix of some small maps (C, h, w): multiply, take the mean.

    `names` say what each map responds to.
    """
    figure = canvas(10.0, 2.6)
    product = maps[i] * maps[j]
    panels = [(maps[i], names[i]), (maps[j], f"× {names[j]}"), (product, "= product")]
    top = max(float(values.max()) for values, _ in panels)  # one scale, or shades mean nothing
    for index, (values, title) in enumerate(panels):
        draw_cells(place(figure, 0.19 * index, 0.08, 0.18, 0.692), values, title, top=top)
    draw_mean(place(figure, 0.57, 0.08, 0.13, 0.692), product, COLORS["style"])
    axes = place(figure, 0.79, 0.02, 0.21, 0.8)
    draw_cells(axes, gram_matrix(maps[None])[0], "Gram matrix", size=14, top=top)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    outline(axes, (i, j, i + 1, j + 1), linewidth=3.5)
    return Plot(
        figure,
        f"Two small maps of numbers, {names[i]} and {names[j]}, their product position by "
        f"position, its mean, {product.mean():g}, and where it stands in the Gram matrix.",
    )


def gram_cell(active: ActiveMaps, i: int, j: int, image: Tensor) -> Plot:
    """A picture (1, 3, H, W), its Gram matrix, and the two maps behind one entry of that."""
    figure = canvas(10.0, 4.6)
    axes = place(figure, 0.05, 0.13, 0.37, 0.8)
    _draw_gram(axes, active.gram, active.gram, f"Gram matrix, {active.layer}")
    ticks = range(0, len(active.channels), 4)
    axes.set(xticks=ticks, yticks=ticks, xlabel=f"the {len(active.channels)} most active maps")
    outline(axes, (i, j, i + 1, j + 1), linewidth=3.5)
    product = active.maps[i] * active.maps[j]
    mean = float(product.mean())
    title = f"product, mean {mean:,.0f}" if mean >= 100 else f"product, mean {mean:.3g}"
    row, column, picture, both = (
        place(figure, 0.46 + 0.275 * (k % 2), 0.52 - 0.5 * (k // 2), 0.265, 0.41) for k in range(4)
    )
    # The same scale for both; a single bright spot must not darken everything else.
    top = max(bright(active.maps[[i, j]]), 1e-12)
    draw_map(row, active.maps[i], f"row {i}: channel {active.channels[i]}", top)
    draw_map(column, active.maps[j], f"column {j}: channel {active.channels[j]}", top)
    show_picture(picture, image, "the picture")
    draw_map(both, product, title)
    return Plot(
        figure,
        f"The Gram matrix of {active.layer} as a heat map, brightest at the top left and on its "
        f"diagonal; the picture; the two maps behind the entry in row {i} and column {j}; and "
        f"their product, whose mean is that entry.",
    )


@styled()
def shuffle_positions(active: ActiveMaps, way: str) -> Plot:
    """Three feature maps shuffled in one of the `SHUFFLES`, and what happens to the losses."""
    before, together = active.maps, SHUFFLES[way]
    after = before if together is None else shuffled(before[None], together)[0]
    gram = gram_matrix(after[None])[0]
    losses = {
        "content": float(relative_error(after, before)),
        "style": float(relative_error(gram, active.gram)),
    }
    figure = canvas(10.0, 3.6)
    rows = [("before", 0.48, before, active.gram), ("after", 0.0, after, gram)]
    for label, bottom, maps, matrix in rows:
        figure.text(0.012, bottom + 0.2, label, rotation=90, va="center", ha="center", size=15)
        for index in range(3):
            axes = place(figure, 0.03 + 0.198 * index, bottom, 0.19, 0.42)
            title = f"channel {active.channels[index]}" if label == "before" else ""
            draw_map(axes, maps[index], title, float(before[index].max()))
        axes = place(figure, 0.63, bottom, 0.15, 0.42)
        _draw_gram(axes, matrix, active.gram, "Gram matrix" if label == "before" else "")
    axes = place(figure, 0.83, 0.09, 0.17, 0.76)
    bars = axes.bar(list(losses), list(losses.values()), 0.7, color=[COLORS[n] for n in losses])
    axes.bar_label(bars, fmt="%.2f", padding=3, size=16)
    axes.set(yticks=[], ylim=(0, 2.1))
    axes.spines["left"].set_visible(False)
    axes.set_title("relative loss")
    words = {name: _in_words(loss) for name, loss in losses.items()}
    return Plot(
        figure,
        f"Three feature maps of {active.layer} and the Gram matrix, before and after ({way}); and "
        f"two bars: content loss {words['content']}, style loss {words['style']}.",
    )


def versions_table(
    table: Mapping[str, Mapping[str, float]], images: Mapping[str, Tensor], of: str
) -> Plot:
    """The `style_distance` of each of the `versions` of a painting from it, and the mean."""
    rows = {name: dict(row) | {"mean": sum(row.values()) / len(row)} for name, row in table.items()}
    return distance_heat(rows, images, f"style distance from {of}, at")


def raw_and_centered(active: ActiveMaps) -> Plot:
    """A Gram matrix as the sum of two: the products of the maps' means, and the centred one."""
    means = active.gram - active.centered
    share = float(means.sum() / active.gram.sum())
    panels = {
        "Gram matrix": active.gram,
        f"= products of means ({share:.0%})": means,
        "+ centred Gram": active.centered,
    }
    figure = canvas(11.4, 3.8)
    # The brightest entries of the diagonal would make all others look the same.
    top = float(active.gram.diagonal().median())
    for index, (title, matrix) in enumerate(panels.items()):
        axes = place(figure, 0.273 * index, 0.02, 0.263, 0.86)
        draw_signed(axes, matrix, title, top)
    bar = figure.colorbar(axes.images[0], cax=place(figure, 0.83, 0.08, 0.015, 0.74))
    bar.set_ticks([-top, 0, top], labels=["below 0", "0", "above 0"], fontsize=12)
    bar.set_label("mean of the product", fontsize=13)
    return Plot(
        figure,
        f"Three heat maps of {active.layer}: the Gram matrix, all positive; the products of the "
        f"means, which are most of it; and the rest, the centred Gram matrix, positive on its "
        f"diagonal, positive and negative elsewhere.",
    )


@styled()
def size_curves(sizes: Sequence[int], growth: Mapping[str, Sequence[float]]) -> Plot:
    """The `growth` of a Gram matrix with the longest side of the picture, in pixels."""
    figure, ((axes,),) = grid(1, 1, (8.0, 3.8))
    looks = [("o--", COLORS["muted"]), ("o-", COLORS["style"])]
    for (name, values), (line, color) in zip(growth.items(), looks, strict=True):
        relative = [value / values[0] for value in values]
        axes.plot(sizes, relative, line, markersize=9, color=color, label=name)
    axes.set(xticks=sizes, xlabel="longest side, pixels", ylabel="mean entry,\nfirst one = 1")
    axes.legend(frameon=False)
    return Plot(
        figure,
        f"Two curves over the size of the picture, {sizes[0]} to {sizes[-1]} pixels: undivided, "
        f"the Gram matrix grows with the number of positions; divided, it hardly changes.",
    )


@styled()
def parts(image: Tensor, distances: Tensor, layer: str) -> Plot:
    """A picture (1, 3, H, W) in tiles, each with what `without_each_part` found for it."""
    rows, columns = distances.shape
    height, width = image.shape[-2:]
    figure = canvas(10.0, 10.0 * height / width + 0.5)
    axes = place(figure, 0.0, 0.0, 1.0, 1 - 0.5 / figure.get_figheight())
    show_picture(axes, image, f"{layer}: how far the style moves if this part is left out")
    for row in range(rows):
        for column in range(columns):
            box = (row * height / rows, column * width / columns,
                   (row + 1) * height / rows, (column + 1) * width / columns)  # fmt: skip
            outline(axes, box, edgecolor="white", linewidth=1.5)
            axes.text(
                (box[1] + box[3] - 1) / 2, (box[0] + box[2] - 1) / 2,
                f"{distances[row, column]:.3f}", ha="center", va="center", size=16,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85},
            )  # fmt: skip
    return Plot(
        figure,
        f"The picture in {rows} x {columns} tiles. In each of them stands how far the Gram matrix "
        f"of {layer} moves if that tile is left out: at most {float(distances.max()):.2f}, where 2 "
        f"would be nothing in common.",
    )


def _in_words(loss: float) -> str:
    # Digits would differ from computer to computer.
    return "zero" if loss < 1e-3 else "small" if loss < 0.5 else "large"


def _draw_gram(axes: Axes, gram: Tensor, scale: Tensor, title: str) -> None:
    """Draw a Gram matrix in colours that suit the Gram matrix `scale`."""
    draw_map(axes, gram, title)
    # Of the square roots, for a few entries are far larger than the rest.
    axes.images[-1].set_norm(PowerNorm(0.5, 0, max(float(scale.max()), 1e-12)))
