"""The figures of lesson 06: clouds of positions, distances to a style, the cost of pixels."""

from collections.abc import Mapping, Sequence
from math import cos, pi, radians, sin

import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from torch import Tensor

from ..drawing import distance_heat
from ..theme import COLORS, Plot, as_array, canvas, place, styled
from .compute import Clouds, along

SEEN = {
    "nothing yet": "",
    "mean_std": "mean_std sees the centre, and how wide the cloud is along each axis: a box",
    "gram": "gram also sees how the two maps are correlated: a tilted ellipse",
    "sliced": "sliced sees how far out each point lies, in one direction after another",
}
"""What can be drawn over the clouds: each statistic, and in words what it sees of them."""

_DOTS = 700
_TONES = ("style", "content", "tv")


WAYS = ("each to the place of the same rank", "each to the next place, in the order given")
"""How grains of sand can be moved, in one dimension."""


@styled()
def sand(grains: Tensor, places: Tensor, way: str) -> Plot:
    """Grains of sand on a line, the places to fill, and who goes where by one of the `WAYS`.

    Both have the shape (N,).
    """
    figure = canvas(10.0, 3.4)
    axes = place(figure, 0.12, 0.12, 0.86, 0.72)
    starts, ends = grains.tolist(), places.tolist()
    if way == WAYS[0]:
        starts, ends = sorted(starts), sorted(ends)
    for start, end in zip(starts, ends, strict=True):
        look = {"arrowstyle": "-|>", "color": COLORS["muted"], "linewidth": 2}
        axes.annotate("", (end, 0.12), (start, 0.88), arrowprops=look)
    axes.plot(starts, [1] * len(starts), "o", color=COLORS["content"], markersize=18)
    axes.plot(ends, [0] * len(ends), "o", color=COLORS["style"], markersize=18)
    high = max(*starts, *ends)
    axes.set(xlim=(-0.5, high + 0.5), ylim=(-0.3, 1.3), yticks=[0, 1])
    axes.set_yticklabels(["places", "grains"], fontsize=15)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    cost = sum((s - e) ** 2 for s, e in zip(starts, ends, strict=True)) / len(starts)
    axes.set_title(f"{way}: mean squared distance {cost:.3g}", fontsize=15)
    return Plot(
        figure,
        f"{len(starts)} grains of sand on a line, {len(ends)} places below them, and arrows, "
        f"{way}. The mean squared distance is {cost:.3g}.",
    )


@styled()
def seen_by(clouds: Clouds, statistic: str, angle: float) -> Plot:
    """Clouds of positions, what a statistic of `SEEN` sees of them, and their projections."""
    figure = canvas(10.0, 4.9)
    axes = place(figure, 0.08, 0.13, 0.41, 0.74)
    high = max(float(torch.quantile(p, 0.985)) for p in clouds.points.values())
    low = -0.3 * high if statistic in ("mean_std", "gram") else -0.08 * high
    for tone, points in zip(_TONES, clouds.points.values(), strict=False):
        some = points[:, :: max(1, points.shape[1] // _DOTS)]
        axes.plot(*as_array(some), ".", color=COLORS[tone], alpha=0.5, markersize=8, mew=0)
        if statistic in ("mean_std", "gram"):
            _outline(axes, points, COLORS[tone], statistic)
    i, j = clouds.channels
    axes.set(xlim=(low, high), ylim=(low, high), xlabel=f"map {i}", ylabel=f"map {j}")
    axes.set_title(f"{clouds.layer}: a point for each position", fontsize=15)
    axes.locator_params(integer=True)
    marks = [Line2D([], [], color=COLORS[t], marker="o", ls="") for t in _TONES]
    axes.legend(marks[: len(clouds.points)], list(clouds.points), loc="upper right")
    _projections(place(figure, 0.57, 0.13, 0.40, 0.74), clouds, angle)
    x, y = 0.9 * high * cos(radians(angle)), 0.9 * high * sin(radians(angle))
    axes.annotate("", (x, y), (0, 0), arrowprops={"width": 1.5, "color": "black"})
    sees = SEEN[statistic]
    figure.text(0.5, 0.965, sees, ha="center", va="center", fontsize=15)
    return Plot(
        figure,
        f"Two feature maps of {clouds.layer} as clouds with a point for each position of "
        f"{' and of '.join(clouds.points)}, and their projections onto a direction of "
        f"{angle:g} degrees." + (f" {sees}." if sees else ""),
    )


def _outline(axes: Axes, points: Tensor, color: str, statistic: str) -> None:
    """The box of mean and standard deviation, or the ellipse of the covariance."""
    mean = points.mean(1, keepdim=True)
    if statistic == "mean_std":
        corners = torch.tensor([[-1.0, 1, 1, -1, -1], [-1, -1, 1, 1, -1]])
        line = mean + points.std(1, keepdim=True) * corners
    else:
        values, vectors = torch.linalg.eigh(torch.cov(points))
        turn = torch.linspace(0, 2 * pi, 100)
        circle = torch.stack([turn.cos(), turn.sin()])
        line = mean + vectors @ (values.clamp_min(0).sqrt()[:, None] * circle)
    axes.plot(*as_array(line), color="white", linewidth=5)
    axes.plot(*as_array(line), color=color, linewidth=3)
    axes.plot(*as_array(mean), "+", color=color, markersize=14, mew=3)


def _projections(axes: Axes, clouds: Clouds, angle: float) -> None:
    lines = [along(points, angle) for points in clouds.points.values()]
    share = torch.linspace(0, 100, len(lines[0]))
    for tone, line in zip(_TONES, lines, strict=False):
        axes.plot(share, as_array(line), color=COLORS[tone])
    if len(lines) > 1:
        one, other = as_array(lines[0]), as_array(lines[1])
        axes.fill_between(as_array(share), one, other, color=COLORS["muted"], alpha=0.25)
        gap = float((lines[0] - lines[1]).square().mean())
        axes.text(0.04, 0.9, f"mean squared gap: {gap:.2f}", transform=axes.transAxes, fontsize=15)
    axes.set(xlabel="% of the points, lowest to highest", xlim=(0, 100))
    axes.set_title(f"projected onto {angle:g}°, sorted", fontsize=15)


def left_table(table: Mapping[str, Mapping[str, float]], images: Mapping[str, Tensor]) -> Plot:
    """The table of `style_left`, beside the pictures of the same names."""
    return distance_heat(
        table, images, "distance from the painting (photo: 1), measured by", top=1.0
    )


@styled()
def growth(seconds: Mapping[int, float], pixels: Mapping[int, int]) -> Plot:
    """The time of a step against the number of pixels, with a straight line through zero.

    Both mappings have the longest side of the picture as their key.
    """
    figure = canvas(8.0, 4.2)
    axes = place(figure, 0.12, 0.17, 0.84, 0.77)
    largest = max(seconds)
    x, y = [pixels[size] / 1000 for size in seconds], list(seconds.values())
    slope = seconds[largest] / pixels[largest] * 1000
    axes.plot([0, max(x)], [0, max(x) * slope], color=COLORS["muted"], lw=1.5, ls="--")
    axes.plot(x, y, "o", color=COLORS["target"], markersize=10)
    for size, a, b in zip(seconds, x, y, strict=True):
        axes.annotate(
            f"{size} px", (a, b), (10, -4), textcoords="offset points", ha="left", va="top"
        )
    axes.set(xlabel="thousand pixels", ylabel="seconds a step", xlim=(0, 1.15 * max(x)))
    axes.set_ylim(0, 1.2 * max(y))
    return Plot(
        figure,
        "The time of one step against the number of pixels, on this computer: roughly a straight "
        "line through zero.",
    )


@styled()
def learning(losses: Sequence[float], window: int = 10) -> Plot:
    """The loss of each training step, and its average over the last `window` steps."""
    figure = canvas(8.0, 3.6)
    axes = place(figure, 0.1, 0.18, 0.88, 0.76)
    steps = range(1, len(losses) + 1)
    axes.plot(steps, losses, ".", color=COLORS["target"], alpha=0.5, label="each crop")
    means = [sum(losses[max(0, n - window) : n]) / min(n, window) for n in steps]
    axes.plot(steps, means, color=COLORS["target"], label=f"mean of the last {window}")
    axes.set(xlabel="training step", ylabel="target loss", ylim=(0, None))
    axes.legend(frameon=False)
    return Plot(
        figure,
        f"The target loss over {len(losses)} training steps: it jumps from crop to crop, and its "
        f"mean falls.",
    )
