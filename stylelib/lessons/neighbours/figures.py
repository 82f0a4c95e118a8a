"""The figures of lesson 07: neighbours by hand, and the piece that each place took."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from torch import Tensor

from ..drawing import draw_cells, outline
from ..theme import COLORS, Plot, bare, canvas, place, show_picture, styled
from .compute import SIDE, Search, cosines, grid_of

_AROUND = 4  # places on each side of the one that is shown enlarged
_WIDTH = 10.5  # inches


@styled()
def by_hand(
    photo: Tensor, painting: Tensor, names: tuple[str, str], chosen: int, centered: bool
) -> Plot:
    """A place of a small photo, and which place of a small painting is nearest to it.

    Parameters
    ----------
    photo, painting : Tensor, shape (rows, columns, 2)
        The two features of each place.
    names : (str, str)
        Of the features.
    chosen : int
        The photo's place, counted row by row.
    centered : bool
        Whether the mean of each picture's places is subtracted first.
    """
    wanted, offered = photo.flatten(0, 1), painting.flatten(0, 1)
    found = cosines(wanted, offered, centered)[chosen]
    best = int(found.argmax())
    if centered:
        wanted, offered = wanted - wanted.mean(0), offered - offered.mean(0)
    figure = canvas(_WIDTH, 6.0)
    of_photo = "the photo, less its mean" if centered else "the photo, as it is"
    of_painting = "the painting, less its mean" if centered else "the painting, as it is"
    grids = [
        (of_photo, wanted, photo.shape[:2], chosen, "content"),
        (of_painting, offered, painting.shape[:2], best, "style"),
    ]
    for row, (title, vectors, shape, marked, tone) in enumerate(grids):
        axes = place(figure, 0.02, 0.69 - 0.335 * row, 0.36, 0.24)
        _draw_vectors(axes, vectors, tuple(shape), title)
        _frame(axes, marked, shape[1], COLORS[tone])
    axes = place(figure, 0.02, 0.02, 0.36, 0.24)
    shape = painting.shape[:2]
    # Two digits, and no minus before a zero.
    rounded = (found.view(shape) * 100).round() / 100 + 0.0
    draw_cells(axes, rounded, "cosine with each place of the painting", signed=True, size=17)
    axes.set_aspect("auto")
    _frame(axes, best, shape[1], COLORS["style"])
    _arrows(place(figure, 0.5, 0.1, 0.48, 0.83), wanted, offered, chosen, best, names)
    return Plot(
        figure,
        f"The two numbers of each place of a small photo and of a small painting, and the same as "
        f"arrows. Place {chosen + 1} of the photo is chosen; place {best + 1} of the painting is "
        f"nearest to it, with a cosine of {found[best]:.2f}."
        + (" The mean of each picture's places is subtracted." if centered else ""),
    )


def _draw_vectors(axes: Axes, vectors: Tensor, shape: tuple[int, ...], title: str) -> None:
    """A grid with the numbers of each place in its cell."""
    axes.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5))
    bare(axes, title)
    lines: Any = {"color": COLORS["muted"], "linewidth": 1}
    axes.hlines([row - 0.5 for row in range(shape[0] + 1)], -0.5, shape[1] - 0.5, **lines)
    axes.vlines([column - 0.5 for column in range(shape[1] + 1)], -0.5, shape[0] - 0.5, **lines)
    for number, (x, y) in enumerate(vectors.tolist()):
        row, column = divmod(number, shape[1])
        axes.text(column, row, f"{x:g}, {y:g}", ha="center", va="center", size=19)


def _frame(axes: Axes, number: int, columns: int, color: str) -> None:
    row, column = divmod(number, columns)
    outline(axes, (row, column, row + 1, column + 1), edgecolor=color, linewidth=4)


def _arrows(
    axes: Axes, wanted: Tensor, offered: Tensor, chosen: int, best: int, names: tuple[str, str]
) -> None:
    """All places as arrows; those of the painting in one colour, the chosen place in another."""
    every = torch.cat([wanted, offered, torch.zeros(1, 2)])
    low, high = float(every.min()) - 0.7, float(every.max()) + 0.7
    axes.axhline(0, color=COLORS["muted"], linewidth=1)
    axes.axvline(0, color=COLORS["muted"], linewidth=1)
    for number, end in enumerate(offered.tolist()):
        _arrow(axes, end, COLORS["style"], number == best)
    _arrow(axes, wanted[chosen].tolist(), COLORS["content"], True)
    axes.set(xlim=(low, high), ylim=(low, high), xlabel=names[0], ylabel=names[1], aspect="equal")
    axes.locator_params(integer=True)
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 2}  # the axis does not cross them
    words: Any = {"transform": axes.transAxes, "weight": "bold", "size": 14, "va": "top"}
    words["bbox"] = behind
    axes.text(0.02, 0.995, "the photo's place", color=COLORS["content"], **words)
    axes.text(0.02, 0.93, "the painting's places", color=COLORS["style"], **words)


def _arrow(axes: Axes, end: Sequence[float], color: str, bold: bool) -> None:
    look = {
        "arrowstyle": "-|>,head_width=0.4,head_length=0.8",
        "color": color,
        "linewidth": 4.5 if bold else 1.5,
        "shrinkA": 0,
        "shrinkB": 0,
        "alpha": 1.0 if bold else 0.55,
    }
    axes.annotate("", (end[0], end[1]), (0, 0), arrowprops=look)


@styled()
def taken(search: Search, depth: str, way: str, row: int, column: int) -> Plot:
    """A place of the photo, where in the painting its nearest place is, and all such pieces.

    Parameters
    ----------
    search : Search
    depth, way : str
        Names in `DEPTHS` and in `WAYS`.
    row, column : int
        The place of the photo.
    """
    columns = grid_of(search.photo)[1]
    index = int(search.found[depth, way][row * columns + column])
    there = divmod(index, grid_of(search.painting)[1])
    # Inches for each row of pictures, and for the names above them.
    half, title = 0.49 * _WIDTH, 0.38
    tall = half * search.photo.shape[-2] / search.photo.shape[-1]
    upper = max(tall, half * search.painting.shape[-2] / search.painting.shape[-1])
    lower = max(tall, 0.24 * _WIDTH)
    figure = canvas(_WIDTH, upper + lower + 2 * title)
    high = figure.get_figheight()
    top, bottom = ((lower + title) / high, upper / high), (0.0, lower / high)
    pictures = [
        (0.0, top, search.photo, "the photo: click here", (row, column), "content"),
        (0.5, top, search.painting, "the painting", there, "style"),
        (
            0.0,
            bottom,
            search.patchwork(depth, way),
            "every place replaced",
            (row, column),
            "content",
        ),
    ]
    for left, (start, height), image, name, where, tone in pictures:
        axes = place(figure, left, start, 0.49, height)
        show_picture(axes, image, name)
        axes.set_anchor("N")
        _mark(axes, _within(_box(where), image), COLORS[tone])
    close = [
        (0.5, search.photo, "enlarged: this place", (row, column), "content"),
        (0.75, search.painting, "took this piece", there, "style"),
    ]
    for left, image, name, where, tone in close:
        axes = place(figure, left, bottom[0], 0.24, bottom[1])
        show_picture(axes, image, name)
        axes.set_anchor("N")
        axes.images[-1].set_interpolation("nearest")
        first, leftmost, last, rightmost = _box(where)
        axes.set(xlim=(leftmost - 0.5, rightmost - 0.5), ylim=(last - 0.5, first - 0.5))
        axes.set_facecolor(COLORS["muted"])  # beyond the picture's edge
        _mark(axes, _box(where, 0), COLORS[tone])
    return Plot(
        figure,
        f"The photo with a place marked, row {row} and column {column}; the painting with the "
        f"place marked that is nearest by {way} in {depth}, row {there[0]} and column {there[1]}; "
        f"both enlarged; and the photo put together from all the pieces of the painting that its "
        f"places took.",
    )


def _mark(axes: Axes, box: tuple[int, int, int, int], color: str) -> None:
    """A frame that is seen on light and on dark pixels."""
    outline(axes, box, edgecolor="white", linewidth=5.5)
    outline(axes, box, edgecolor=color, linewidth=3)


def _box(where: tuple[int, int], around: int = _AROUND) -> tuple[int, int, int, int]:
    """The pixels of a place and of some places around it: top, left, bottom, right."""
    row, column = where
    return (
        SIDE * (row - around),
        SIDE * (column - around),
        SIDE * (row + around + 1),
        SIDE * (column + around + 1),
    )


def _within(box: tuple[int, int, int, int], image: Tensor) -> tuple[int, int, int, int]:
    """The part of a box that lies in a picture."""
    top, left, bottom, right = box
    height, width = image.shape[-2:]
    return max(top, 0), max(left, 0), min(bottom, height), min(right, width)


@styled()
def chosen(images: Mapping[str, Tensor], name: str, title: str) -> Plot:
    """One of several pictures of the same size, large."""
    image = images[name]
    height = 0.8 * _WIDTH * image.shape[-2] / image.shape[-1] + 0.45
    figure = canvas(0.8 * _WIDTH, height)
    show_picture(place(figure, 0.0, 0.0, 1.0, 1 - 0.42 / height), image, f"{title} {name}")
    return Plot(figure, f"The picture painted with {title} {name}, one of {', '.join(images)}.")
