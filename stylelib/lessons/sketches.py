"""Predictions that are pointed at or drawn: a place in a picture, and a curve.

They are kept in the same file as the other predictions. What is said is a word for them, such as
the name of the region that the place is in, so that a class's predictions can be counted; where
exactly it was and what was drawn is kept, too.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

from ..errors import StylelibError, pick
from .access import Access
from .predictions import Asked, Told, reveal
from .stills import Still
from .theme import COLORS, Plot, canvas, place, show_picture, with_picture

Box = tuple[float, float, float, float]
Point = Sequence[float]

ELSEWHERE = "somewhere else"
POINTS = 4  # of a drawn curve, evenly spread, after its start
TOP = 1.25  # of the scale of a drawn curve, as a share of its start
FLAT = 0.1  # a change by less than that share is none
SHAPES = (
    "it stays about the same",
    "it rises",
    "it falls, and then rises again",
    "it falls fast, and then more and more slowly",
    "it falls slowly, and then faster",
    "it falls evenly",
)
_AREA: Box = (0.13, 0.19, 0.84, 0.77)  # of the axes in the figure, from its bottom left corner


class Points(anywidget.AnyWidget):
    """Points on a picture, moved with the mouse or with the arrow keys; see points.js.

    Attributes
    ----------
    value : list of [across, down]
        In fractions of the `box`, which is left, top, width and height in fractions of the picture.
    free : bool
        Whether they go anywhere, or only up and down.
    touched : bool
        Whether any of them was moved.
    """

    _esm = Path(__file__).parent / "points.js"
    _css = Path(__file__).parent / "points.css"
    picture = traitlets.Bytes().tag(sync=True)
    kind = traitlets.Unicode("image/png").tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    box = traitlets.List([0.0, 0.0, 1.0, 1.0]).tag(sync=True)
    names = traitlets.List(trait=traitlets.Unicode()).tag(sync=True)
    value = traitlets.List(trait=traitlets.List(trait=traitlets.Float())).tag(sync=True)
    fixed = traitlets.List(trait=traitlets.List(trait=traitlets.Float())).tag(sync=True)
    scale = traitlets.Float(1.0).tag(sync=True)
    free = traitlets.Bool(False).tag(sync=True)
    touched = traitlets.Bool(False).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)


class Sketch(Asked):
    """A question that is answered on a picture."""

    def __init__(
        self, key: str, question: str, choices: Sequence[str], points: Points, plot: Plot
    ) -> None:
        self.points, self._plot = points, plot
        points.kind, points.picture = plot.image()
        points.alt = plot.alt
        super().__init__(key, question, choices, [points, Access()])
        if (drawn := self.kept.get("drawn")) and len(drawn) == len(points.value):
            points.value, points.touched = drawn, True
        if "answer" in self.kept:
            self.fix()
        points.observe(lambda _: self._changed(), "value")

    def _changed(self) -> None:
        self.points.touched = True
        self.keep(self.said, drawn=self.points.value)

    @property
    def said(self) -> str:
        """What was pointed at or drawn, in words."""
        raise NotImplementedError

    def fix(self) -> None:
        """Let nothing change any more: what came out is known."""
        self.points.disabled = True

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data = self._plot.image()
        return with_picture(super()._repr_mimebundle_(**options), *data, repr(self))

    def _ipython_display_(self, **options: Any) -> None:
        Still().show(self._repr_mimebundle_(**options))

    def __repr__(self) -> str:
        return f"{self.question}\n{self._plot.alt}"


class Place(Sketch):
    """A question that is answered by a click on a picture.

    Attributes
    ----------
    value : tuple of (across, down) or None
        Where the student clicked, in fractions of the width and the height; set it to answer.
    """

    def __init__(
        self, key: str, question: str, image: Tensor, regions: Mapping[str, Sequence[Box]]
    ) -> None:
        if ELSEWHERE in regions or not regions:
            raise StylelibError(f"Name at least one region, and none of them {ELSEWHERE!r}.")
        self.image, self.regions = image, dict(regions)
        points = Points(names=["your mark"], value=[[0.5, 0.5]], free=True)
        alt = "A picture to click on. The arrow keys move the mark."
        super().__init__(key, question, [*regions, ELSEWHERE], points, _picture(image, alt))

    @property
    def value(self) -> tuple[float, float] | None:
        """Where the student clicked, or None."""
        across, down = self.points.value[0]
        return (across, down) if self.points.touched else None

    @value.setter
    def value(self, where: tuple[float, float]) -> None:
        self.points.value = [[_share(part) for part in where]]

    @property
    def said(self) -> str:
        """The name of the region that the place is in."""
        across, down = self.points.value[0]
        for name, boxes in self.regions.items():
            if any(box[0] <= across <= box[2] and box[1] <= down <= box[3] for box in boxes):
                return name
        return ELSEWHERE

    def compared(self, answer: str) -> Plot:
        """The picture with the mark, and with a frame around what came out."""
        alt = f"The picture with your mark, and with a frame around {answer}."
        plot = _picture(self.image, alt)
        (axes,) = plot.figure.axes
        rows, columns = self.image.shape[-2:]
        for left, top, right, bottom in self.regions.get(answer, ()):
            corner, size = (left * columns, top * rows), ((right - left), (bottom - top))
            frame = (size[0] * columns, size[1] * rows)
            axes.add_patch(Rectangle(corner, *frame, fill=False, color=COLORS["content"], lw=4))
        across, down = self.points.value[0]
        at = (across * columns, down * rows)
        axes.add_patch(Circle(at, columns / 50, fill=False, color="white", lw=7))
        axes.add_patch(Circle(at, columns / 50, fill=False, color=COLORS["style"], lw=4))
        return plot


class Curve(Sketch):
    """A question that is answered by drawing how a number will go on.

    Attributes
    ----------
    value : list of float or None
        The number at `POINTS` evenly spread steps, as a share of what it is at the start; set it to
        answer.
    """

    def __init__(self, key: str, question: str, steps: int, what: str) -> None:
        if steps < POINTS:
            raise StylelibError(f"A curve to draw needs at least {POINTS} steps, and not {steps}.")
        self.steps, self.what = steps, what
        left, bottom, width, height = _AREA
        shares = [number / POINTS for number in range(1, POINTS + 1)]
        points = Points(
            names=[f"{what} after {round(share * steps)} steps" for share in shares],
            value=[[share, 1 - 1 / TOP] for share in shares],
            fixed=[[0.0, 1 - 1 / TOP]],
            box=[left, 1 - bottom - height, width, height],
            scale=TOP,
        )
        alt = (
            f"Axes to draw on: the {what} over {steps} steps, from 0 to {TOP:.0%} of its start. "
            "The arrow keys move a point up and down, and go from point to point."
        )
        super().__init__(key, question, SHAPES, points, Plot(self._axes()[0], alt))

    @property
    def value(self) -> list[float] | None:
        """The number at each of the points, as a share of the start, or None."""
        return [TOP * (1 - down) for _, down in self.points.value] if self.points.touched else None

    @value.setter
    def value(self, shares: Sequence[float]) -> None:
        if len(shares) != POINTS:
            raise StylelibError(f"A drawn curve has {POINTS} numbers, and not {len(shares)}.")
        across = [point[0] for point in self.points.value]
        down = [_share(1 - share / TOP) for share in shares]
        self.points.value = [list(point) for point in zip(across, down, strict=True)]

    @property
    def said(self) -> str:
        """The shape of what was drawn."""
        return shape([1.0, *(TOP * (1 - down) for _, down in self.points.value)])

    def compared(self, numbers: Sequence[float]) -> Plot:
        """What was drawn, and what came out."""
        figure, axes = self._axes()
        count = len(numbers) - 1
        at = [self.steps * step / count for step in range(count + 1)]
        drawn = [(0.0, 1 - 1 / TOP), *self.points.value]
        across = [self.steps * point[0] for point in drawn]
        axes.plot(across, [TOP * (1 - point[1]) for point in drawn], "o--", color=COLORS["style"],
                  label="you drew")  # fmt: skip
        axes.plot(at, numbers, color=COLORS["target"], label="what came out")
        axes.legend()
        return Plot(figure, f"What you drew and what came out: {shape(numbers)}.")

    def _axes(self) -> tuple[Figure, Axes]:
        figure = canvas(7.6, 3.6)
        axes = place(figure, *_AREA)
        axes.set(xlim=(0, self.steps), ylim=(0, TOP), xlabel="step", ylabel=self.what)
        axes.set_xticks([round(self.steps * number / POINTS) for number in range(POINTS + 1)])
        axes.set_yticks([0, 0.5, 1], ["0", "half", "start"])
        axes.grid(alpha=0.3)
        return figure, axes


def predict_place(
    key: str, question: str, image: Tensor, regions: Mapping[str, Sequence[Box]]
) -> Place:
    """Ask for a place in a picture, and keep the answer.

    Parameters
    ----------
    key : str
        The lesson and the number of the question in it, such as ``"07.2"``.
    question : str
        In whole sentences.
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        What to click on. The arrow keys move the mark, too.
    regions : mapping of name to list of (left, top, right, bottom)
        The places that count as one answer, in fractions of the width and the height. What lies in
        none of them is `ELSEWHERE`.

    Returns
    -------
    Place
        A widget. Its `value` can be set from code.

    Examples
    --------
    >>> import torch
    >>> halves = {"the left": [(0, 0, 0.5, 1)], "the right": [(0.5, 0, 1, 1)]}
    >>> predict_place("07.9", "Where is the sun?", torch.zeros(1, 3, 9, 16), halves)
    Where is the sun?
    A picture to click on. The arrow keys move the mark.
    """
    asked = Place(key, question, image, regions)
    asked.ask()
    _sketches[key] = asked
    return asked


def predict_curve(key: str, question: str, steps: int, what: str = "loss") -> Curve:
    """Ask for a curve, to be drawn before it is computed, and keep it.

    Parameters
    ----------
    key : str
        The lesson and the number of the question in it, such as ``"04.5"``.
    question : str
        In whole sentences.
    steps : int
        How many steps it is drawn over.
    what : str
        What is drawn, as a share of what it is at the start.

    Returns
    -------
    Curve
        A widget. Its `value` can be set from code.
    """
    asked = Curve(key, question, steps, what)
    asked.ask()
    _sketches[key] = asked
    return asked


def reveal_place(key: str, answer: str, why: str = "") -> Told:
    """Say which region it was, and show it beside the mark.

    Parameters
    ----------
    key, answer, why : str
        As in `reveal`.

    Raises
    ------
    StylelibError
        If the question was asked in this notebook and has no such region.
    """
    asked = _sketches.get(key)
    shown = ""
    if isinstance(asked, Place):
        shown = _html(asked.compared(pick(answer, asked.choices, "region")))
    return reveal(key, answer, why, shown)


def reveal_curve(key: str, numbers: Sequence[float], why: str = "") -> Told:
    """Say in words how the numbers went, and show their curve beside the one that was drawn.

    Parameters
    ----------
    key : str
        As in `predict_curve`.
    numbers : sequence of float
        What came out, step by step, the start first.
    why : str
        In whole sentences.
    """
    start = numbers[0]
    shares = [number / start for number in numbers]
    asked = _sketches.get(key)
    shown = _html(asked.compared(shares)) if isinstance(asked, Curve) else ""
    return reveal(key, shape(shares), why, shown)


def shape(numbers: Sequence[float]) -> str:
    """The shape of a curve, in words: one of `SHAPES`.

    Parameters
    ----------
    numbers : sequence of float
        Shares of the first, which is 1. Only those at `POINTS` evenly spread places count.

    Examples
    --------
    >>> shape([1, 0.4, 0.3, 0.25, 0.2]), shape([1, 0.95, 0.9, 0.6, 0.1])
    ('it falls fast, and then more and more slowly', 'it falls slowly, and then faster')
    """
    last = len(numbers) - 1
    few = [numbers[round(last * number / POINTS)] for number in range(POINTS + 1)]
    fall, lowest = few[0] - few[-1], min(few)
    if max(few) - lowest < FLAT:
        return SHAPES[0]
    if few[-1] - lowest > FLAT and few[0] - lowest > FLAT:
        return SHAPES[2]
    if fall < FLAT:
        return SHAPES[1]
    first = (few[0] - few[POINTS // 2]) / fall  # the share of the fall in the first half
    return SHAPES[3] if first > 0.6 else SHAPES[4] if first < 0.4 else SHAPES[5]


_sketches: dict[str, Sketch] = {}


def _picture(image: Tensor, alt: str) -> Plot:
    rows, columns = image.shape[-2:]
    figure = canvas(7.6, 7.6 * rows / columns)
    show_picture(place(figure, 0, 0, 1, 1), image)
    return Plot(figure, alt)


def _share(number: float) -> float:
    return min(1.0, max(0.0, float(number)))


def _html(plot: Plot) -> str:
    kind, data = plot.image()
    source = f"data:{kind};base64,{b64encode(data).decode()}"
    return f"<img style='max-width: 100%' alt='{escape(plot.alt)}' src='{source}'>"
