"""Figures of lesson 04: what target loss is made of, and how it goes down."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ..theme import COLORS, SIGNED, Plot, as_array, bare, canvas, show_picture, styled
from .compute import PARTS, Painting

_WIDTH = 10.5  # inches; wider, and a laptop would shrink the text
_LINES = ("-", "--", ":", "-.")
_ROW = {"top": 0.92, "bottom": 0.02, "left": 0.005, "right": 0.995}


@styled()
def scales(
    images: Mapping[str, Tensor],
    losses: Mapping[str, tuple[float, float]],
    content_weight: float,
    style_weight: float,
) -> Plot:
    """Pictures weighed: each one's target loss as a bar of two parts.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    losses : mapping of name to (content loss, style loss)
    content_weight, style_weight : float
    """
    figure, axes = _row(len(images), _WIDTH, 4.9, bottom=0.66, top=0.93, left=0.13)
    for axis, (name, image) in zip(axes, images.items(), strict=True):
        show_picture(axis, image, name)
    bars = figure.add_axes((0.13, 0.13, 0.865, 0.5))
    parts = {n: (content_weight * c, style_weight * s) for n, (c, s) in losses.items()}
    totals = {name: sum(pair) for name, pair in parts.items()}
    best = min(totals, key=lambda name: totals[name])
    places = range(len(parts))
    content = [pair[0] for pair in parts.values()]
    style = [pair[1] for pair in parts.values()]
    bars.bar(places, content, 0.55, color=COLORS["content"], label=f"content × {content_weight:g}")
    bars.bar(places, style, 0.55, content, color=COLORS["style"], label=f"style × {style_weight:g}")
    for place, (name, total) in enumerate(totals.items()):
        mark = "\nlowest" if name == best else ""
        weight = "bold" if name == best else "normal"
        bars.text(
            place, total, f"{total:.3g}{mark}", ha="center", va="bottom", size=15, weight=weight
        )
    bars.set(xlim=(-0.5, len(parts) - 0.5), ylim=(0, max(*totals.values(), 1e-6) * 1.3))
    bars.set(xticks=[], ylabel="target loss")
    figure.legend(
        *bars.get_legend_handles_labels(), loc="lower center", ncols=2, frameon=False, fontsize=15
    )
    order = ", ".join(sorted(totals, key=lambda name: totals[name]))
    return Plot(
        figure,
        f"The target loss of each picture as a bar, content part below, style part above. From "
        f"the lowest to the highest: {order}.",
    )


@styled()
def gradient_maps(image: Tensor, gradients: Mapping[str, Tensor], name: str = "picture") -> Plot:
    """A picture, and what each loss asks of each of its pixels.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    gradients : mapping of loss to Tensor, shape (1, 3, H, W)
        From `pixel_gradients`. Drawn summed over the three colours, all on one
        scale, so that it can be seen which loss pulls harder.
    name : str
        Of the picture.
    """
    figure = canvas(_WIDTH, 2 * (_WIDTH * 0.44 * image.shape[-2] / image.shape[-1] + 0.45))
    axes = figure.subplots(
        2, 2, gridspec_kw={"left": 0, "right": 0.86, "bottom": 0.01, "top": 0.93, "wspace": 0.03}
    ).ravel()
    show_picture(axes[0], image, name)
    maps = {loss: as_array(gradient.sum(1)[0]) for loss, gradient in gradients.items()}
    # A few pixels would set the scale: leave the top hundredth off it.
    limit = max(float(np.quantile(np.abs(m), 0.99)) for m in maps.values()) or 1.0
    titles = {"target": "target = content + style"}
    for axis, (loss, values) in zip(axes[1:], maps.items(), strict=True):
        shown = axis.imshow(values, cmap=SIGNED, vmin=-limit, vmax=limit)
        bare(axis)
        axis.set_title(titles.get(loss, loss), color=COLORS.get(loss, "black"), weight="bold")
        if not values.any():
            _inside(axis, "0 everywhere")
    bar = figure.colorbar(shown, cax=figure.add_axes((0.88, 0.1, 0.02, 0.75)), ticks=[0])
    bar.ax.text(0.5, 1.03, "darker\nhelps", ha="center", transform=bar.ax.transAxes)
    bar.ax.text(0.5, -0.03, "brighter\nhelps", ha="center", va="top", transform=bar.ax.transAxes)
    flat = [loss for loss, values in maps.items() if not values.any()]
    return Plot(
        figure,
        f"The {name}, and beside it the gradient of content, style and target loss as maps, red "
        f"where a darker pixel would lower the loss, blue where a brighter one would."
        + "".join(f" That of {loss} is 0 everywhere." for loss in flat),
    )


@styled()
def loss_curves(painting: Painting, iteration: int | None = None) -> Plot:
    """How the parts of the target loss, and each layer's, went.

    Parameters
    ----------
    painting : Painting
    iteration : int, optional
        A step to mark.
    """
    figure = canvas(_WIDTH, 4.4)
    left = figure.add_axes((0.085, 0.15, 0.36, 0.75))
    right = figure.add_axes((0.54, 0.15, 0.29, 0.75))
    _stack(left, painting, iteration)
    left.set_title("the parts, one on the other")
    shades = {
        "content": matplotlib.colormaps["Blues"],
        "style": matplotlib.colormaps["plasma"],
    }
    names = list(painting.layers[-1])
    counts = {part: sum(n.startswith(part) for n in names) for part in shades}
    seen = dict.fromkeys(shades, 0)
    for name in names:
        part, layer = name.split()
        values = [layers[name] for layers in painting.layers]
        begin = 1 if values[0] == 0 else 0  # no place for 0 on a logarithmic axis
        place = seen[part] / max(1, counts[part] - 1)
        color = COLORS["content"] if part == "content" else shades[part](0.85 * place)
        style = "--" if part == "content" else "-"
        label = f"{layer}\n(content)" if part == "content" else layer
        right.plot(range(begin, len(values)), values[begin:], style, color=color, label=label)
        seen[part] += 1
    right.set(xlabel="step", title="each layer")
    _finish(right, legend=False)
    right.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    if iteration is not None:
        right.axvline(iteration, color=COLORS["muted"], linewidth=1.5)
    first, last = painting.losses[0], painting.losses[-1]
    told = ", ".join(f"{p} {'falls' if last[p] < first[p] else 'rises'}" for p in PARTS)
    return Plot(figure, f"Loss curves over the steps, of each part and of each layer: {told}.")


@styled()
def filmstrip(painting: Painting, count: int = 8) -> Plot:
    """The picture at some iterations, closer together at first, where more happens."""
    last = len(painting.frames) - 1
    steps = sorted({0, *(round(last ** (i / max(1, count - 2))) for i in range(count - 1))})
    columns = -(-len(steps) // 2)
    frames = {f"step {step}": painting.frames[step] for step in steps}
    figure = _pictures(frames, columns)
    return Plot(figure, f"The picture after {', '.join(map(str, steps))} steps.")


@styled()
def frame_and_losses(painting: Painting, step: int) -> Plot:
    """One frame of a painting, large, and where its losses were."""
    image = painting.frames[step]
    height = 0.56 * _WIDTH * image.shape[-2] / image.shape[-1] + 0.45
    figure = canvas(_WIDTH, height)
    axes = figure.add_axes((0.0, 0.0, 0.56, 1 - 0.42 / height))
    show_picture(axes, image, f"step {step} of {len(painting.frames) - 1}")
    _stack(figure.add_axes((0.64, 0.17, 0.33, 0.7)), painting, step)
    return Plot(
        figure,
        f"The picture after {step} steps; beside it content and style loss over all the steps, "
        f"one on the other, with this step marked.",
    )


@styled()
def ratio_strip(paintings: Sequence[Painting]) -> Plot:
    """Pictures from all camel to all painting, in a row, with the weights below."""
    figure, axes = _row(len(paintings), 12.0, 2.3, bottom=0.3, top=0.86)
    for axis, painting in zip(axes, paintings, strict=True):
        show_picture(axis, painting.image, painting.label)
    arrow = figure.add_axes((0, 0, 1, 0.26))
    arrow.set(xlim=(0, 1), ylim=(0, 1))
    bare(arrow)
    line = {"arrowstyle": "-|>", "linewidth": 2.5, "color": COLORS["muted"]}
    arrow.annotate("", (0.8, 0.5), (0.2, 0.5), arrowprops=line)
    arrow.text(0.01, 0.5, "content only", va="center", color=COLORS["content"], weight="bold")
    arrow.text(0.99, 0.5, "style only", va="center", ha="right", color=COLORS["style"],
               weight="bold")  # fmt: skip
    arrow.text(0.5, 0.5, "content weight : style weight", va="center", ha="center",
               bbox={"facecolor": "white", "edgecolor": "white"})  # fmt: skip
    return Plot(
        figure,
        "Pictures of the same camel in a row, from the photo itself to nothing but the style of "
        "the painting, for the weights " + ", ".join(p.label for p in paintings) + ".",
    )


@styled()
def trade_off(paintings: Sequence[Painting], chosen: Painting) -> Plot:
    """One of several paintings, and how much content each gave up for style.

    Parameters
    ----------
    paintings : sequence of Painting
        Of different weights, in order.
    chosen : Painting
        The one to show.
    """
    image = chosen.image
    height = 0.56 * _WIDTH * image.shape[-2] / image.shape[-1] + 0.45
    figure = canvas(_WIDTH, height)
    axes = figure.add_axes((0.0, 0.0, 0.56, 1 - 0.42 / height))
    show_picture(axes, image, f"content : style = {chosen.label}")
    axes = figure.add_axes((0.66, 0.19, 0.33, 0.76))
    content, style = (
        [sum(v for n, v in p.layers[-1].items() if n.startswith(part)) for p in paintings]
        for part in ("content", "style")
    )
    axes.plot(content, style, "o-", color=COLORS["muted"], markersize=8)
    place = list(paintings).index(chosen)
    axes.plot(content[place], style[place], "o", color=COLORS["target"], markersize=17)
    for index, (painting, x, y) in enumerate(zip(paintings, content, style, strict=True)):
        # The last two may lie close together.
        offset = (-28, 14) if index == len(paintings) - 2 else (10, 7)
        axes.annotate(painting.label, (x, y), offset, textcoords="offset points")
    axes.set_xlabel("content loss  ← more camel", color=COLORS["content"])
    axes.set_ylabel("style loss  ← more painting", color=COLORS["style"])
    axes.set(xlim=(-0.05, max(content) * 1.3 + 0.01), ylim=(0, max(style) * 1.15 + 0.01))
    rising = content == sorted(content) and style == sorted(style, reverse=True)
    return Plot(
        figure,
        f"The picture for content : style = {chosen.label}, and a curve of content and style loss "
        f"for all the weights" + (": the one rises as the other falls." if rising else "."),
    )


@styled()
def compare(paintings: Sequence[Painting]) -> Plot:
    """Several paintings: the last picture of each, and their target losses.

    Parameters
    ----------
    paintings : sequence of Painting
    """
    figure = _pictures({p.label: p.image for p in paintings}, len(paintings), below=3.3)
    axes = figure.add_axes((0.09, 0.7 / figure.get_figheight(), 0.88, 2.4 / figure.get_figheight()))
    for painting, look in zip(paintings, _looks(len(paintings)), strict=True):
        axes.plot(painting.curve("target"), label=painting.label, **look)
    axes.set(xlabel="step", ylabel="target loss")
    _finish(axes)
    return Plot(figure, _told("Last pictures, and target loss over the steps", paintings))


@styled()
def race(paintings: Sequence[Painting]) -> Plot:
    """Target loss against steps and against seconds, and the last pictures.

    Parameters
    ----------
    paintings : sequence of Painting
        Of the same objective, or the curves would say nothing.
    """
    figure = _pictures({p.label: p.image for p in paintings}, len(paintings), below=4.1)
    bottom, height = (inches / figure.get_figheight() for inches in (1.15, 2.8))
    by_step = figure.add_axes((0.09, bottom, 0.4, height))
    by_time = figure.add_axes((0.58, bottom, 0.4, height))
    for painting, look in zip(paintings, _looks(len(paintings)), strict=True):
        by_step.plot(painting.curve("target"), label=painting.label, **look)
        by_time.plot(painting.seconds, painting.curve("target"), **look)
    by_step.set(xlabel="steps", ylabel="target loss")
    by_time.set(xlabel="seconds on this computer")
    for axes in (by_step, by_time):
        _finish(axes, legend=False)
    figure.legend(*by_step.get_legend_handles_labels(), loc="lower center", ncols=3, frameon=False)
    return Plot(
        figure, _told("Last pictures, and target loss against steps and seconds", paintings)
    )


def _stack(axes: Axes, painting: Painting, iteration: int | None) -> None:
    """The weighted parts, one on the other: their top is the target loss."""
    content, style, target = (np.array(painting.curve(part)) for part in PARTS)
    steps = np.arange(len(target))
    axes.fill_between(steps, 0, content, color=COLORS["content"], alpha=0.75, linewidth=0)
    axes.fill_between(
        steps, content, content + style, color=COLORS["style"], alpha=0.75, linewidth=0
    )
    axes.plot(steps, target, color=COLORS["target"])
    axes.set(xlim=(0, steps[-1]), ylim=(0, target[0] * 1.05), xlabel="step", ylabel="weighted loss")
    words: dict[str, Any] = {"transform": axes.transAxes, "ha": "right", "weight": "bold"}
    for height, part in zip((0.9, 0.8, 0.7), ("target", "style", "content"), strict=True):
        axes.text(0.98, height, part, color=COLORS[part], **words)
    if iteration is not None:
        axes.axvline(iteration, color="black", linewidth=2)
        axes.plot(
            iteration, target[iteration], "o", color=COLORS["target"], markersize=11, clip_on=False
        )


def _looks(count: int) -> list[dict[str, Any]]:
    """Lines that differ in colour and dashes, for runs that are all of target loss."""
    shades = matplotlib.colormaps["viridis"]
    return [
        {"color": shades(0.8 * i / max(1, count - 1)), "linestyle": _LINES[i % len(_LINES)]}
        for i in range(count)
    ]


def _finish(axes: Axes, legend: bool = True) -> None:
    """A logarithmic loss axis with plain numbers, neither too few nor too many."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    for shown in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,)):
        decades = [f"{digit}e{power}" for power in range(-9, 9) for digit in shown]
        ticks = [float(text) for text in decades if low <= float(text) <= high]
        if len(ticks) <= 6:
            break
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.grid(axis="y", alpha=0.4)
    if legend:
        axes.legend(frameon=False, ncols=2)


def _told(what: str, paintings: Sequence[Painting]) -> str:
    return f"{what}, of {len(paintings)} paintings: {', '.join(p.label for p in paintings)}."


def _inside(axes: Axes, words: str) -> None:
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes, size=17)


def _row(count: int, width: float, height: float, **edges: float) -> tuple[Figure, Sequence[Axes]]:
    figure = canvas(width, height)
    axes = figure.subplots(1, count, squeeze=False, gridspec_kw={**_ROW, "wspace": 0.04, **edges})
    return figure, axes[0]


def _pictures(images: Mapping[str, Tensor], columns: int, below: float = 0.0) -> Figure:
    """Pictures in rows under their names, and `below` them room, in inches."""
    rows = -(-len(images) // columns)
    shape = max((image.shape[-2:] for image in images.values()), key=lambda s: s[0] / s[1])
    tall = _WIDTH / columns * 0.97 * shape[0] / shape[1] + 0.42
    height = rows * tall + below
    figure = canvas(_WIDTH, height)
    for index, (name, image) in enumerate(images.items()):
        row, column = divmod(index, columns)
        box = (
            column / columns,
            1 - ((row + 1) * tall) / height,
            0.97 / columns,
            (tall - 0.42) / height,
        )
        show_picture(figure.add_axes(box), image, name)
    return figure
