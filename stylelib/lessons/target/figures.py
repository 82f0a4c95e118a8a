"""The figures of lesson 04: what the target loss is made of, and how it goes down."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from ..pictures import picture_grid
from ..theme import COLORS, SIGNED, Plot, as_array, bare, canvas, place, show_picture, styled
from .bank import Saved
from .compute import PARTS, Reasons, Run

_WIDTH = 10.5  # inches; a laptop would shrink the text of anything wider
_LINES = ("-", "--", ":", "-.")
_CAMEL = "Arabian camel"  # ImageNet has no other


class Painted(Protocol):
    """A finished run: a `Run`, or a picture of the bank."""

    @property
    def label(self) -> str:
        """What to call it."""

    @property
    def image(self) -> Tensor:
        """The last picture."""

    @property
    def layers(self) -> list[dict[str, float]]:
        """The losses of each layer, the last ones last."""


@styled()
def scales(
    images: Mapping[str, Tensor],
    losses: Mapping[str, tuple[float, float]],  # content and style loss
    content_weight: float,
    style_weight: float,
) -> Plot:
    """The target loss of several pictures, each as a bar of two parts."""
    figure = canvas(_WIDTH, 4.9)
    edges = {"left": 0.13, "right": 0.995, "bottom": 0.66, "top": 0.93, "wspace": 0.04}
    row = figure.subplots(1, len(images), squeeze=False, gridspec_kw=edges)[0]
    for axes, (name, image) in zip(row, images.items(), strict=True):
        show_picture(axes, image, name)
    bars = place(figure, 0.13, 0.13, 0.865, 0.5)
    content = [content_weight * losses[name][0] for name in images]
    style = [style_weight * losses[name][1] for name in images]
    places = range(len(images))
    bars.bar(places, content, 0.55, color=COLORS["content"], label=f"content × {content_weight:g}")
    top = bars.bar(
        places, style, 0.55, content, color=COLORS["style"], label=f"style × {style_weight:g}"
    )
    totals = dict(zip(images, np.add(content, style), strict=True))
    order = sorted(totals, key=lambda name: totals[name])
    labels = [f"{totals[n]:.3g}" + ("\nlowest" if n == order[0] else "") for n in images]
    texts = bars.bar_label(top, labels, size=15)
    texts[list(images).index(order[0])].set(weight="bold")
    bars.set(xlim=(-0.5, len(images) - 0.5), ylim=(0, max(*totals.values(), 1e-6) * 1.3))
    bars.set(xticks=[], ylabel="target loss")
    figure.legend(
        *bars.get_legend_handles_labels(), loc="lower center", ncols=2, frameon=False, fontsize=15
    )
    return Plot(
        figure,
        f"A bar for the target loss of each picture: the content part at the bottom, the style "
        f"part on top of it. From the lowest to the highest: {', '.join(order)}.",
    )


@styled()
def gradient_maps(image: Tensor, gradients: Mapping[str, Tensor], name: str = "picture") -> Plot:
    """A picture, and the gradient of each loss with respect to its pixels.

    The gradients, from `pixel_gradients`, are summed over the three colours and drawn on
    the same scale, to show which loss pulls harder.
    """
    figure = canvas(_WIDTH, 2 * (_WIDTH * 0.44 * image.shape[-2] / image.shape[-1] + 0.45))
    axes = figure.subplots(
        2, 2, gridspec_kw={"left": 0, "right": 0.84, "bottom": 0.01, "top": 0.93, "wspace": 0.03}
    ).ravel()
    show_picture(axes[0], image, name)
    maps = {loss: as_array(gradient.sum(1)[0]) for loss, gradient in gradients.items()}
    # A few extreme pixels would set the scale, so the largest 1 % don't count.
    limit = max(float(np.quantile(np.abs(m), 0.99)) for m in maps.values()) or 1.0
    titles = {"target": "target = content + style"}
    for axis, (loss, values) in zip(axes[1:], maps.items(), strict=True):
        shown = axis.imshow(values, cmap=SIGNED, vmin=-limit, vmax=limit)
        bare(axis)
        axis.set_title(titles.get(loss, loss), color=COLORS.get(loss, "black"), weight="bold")
        if not values.any():
            center = {"ha": "center", "va": "center", "transform": axis.transAxes}
            axis.text(0.5, 0.5, "0 everywhere", size=17, **center)
    bar = figure.colorbar(shown, cax=place(figure, 0.9, 0.13, 0.02, 0.7), ticks=[0])
    bar.ax.text(0.5, 1.03, "darker\nhelps", ha="center", transform=bar.ax.transAxes)
    bar.ax.text(0.5, -0.03, "brighter\nhelps", ha="center", va="top", transform=bar.ax.transAxes)
    flat = [loss for loss, values in maps.items() if not values.any()]
    return Plot(
        figure,
        f"The {name}, and the gradients of content, style and target loss as maps: red where a "
        f"darker pixel would lower the loss, blue where a brighter one would."
        + "".join(f" The gradient of the {loss} loss is 0 everywhere." for loss in flat),
    )


@styled()
def loss_curves(run: Run) -> Plot:
    """The parts of the target loss, and the loss of each layer, over the steps."""
    figure = canvas(_WIDTH, 4.4)
    left = place(figure, 0.085, 0.15, 0.36, 0.75)
    _stack(left, run)
    left.set_title("the two parts, stacked")
    right = place(figure, 0.54, 0.15, 0.29, 0.75)
    names = list(run.layers[-1])
    styles = [name for name in names if name.startswith("style")]
    for name in names:
        layer = name.split()[1]
        values = [layers[name] for layers in run.layers]
        begin = 1 if values[0] == 0 else 0  # a logarithmic axis has no 0
        if name in styles:
            shade = 0.85 * styles.index(name) / max(1, len(styles) - 1)
            look: dict[str, Any] = {"color": matplotlib.colormaps["plasma"](shade), "label": layer}
        else:
            look = {"color": COLORS["content"], "ls": "--", "label": f"{layer}\n(content)"}
        right.plot(range(begin, len(values)), values[begin:], **look)
    right.set(xlabel="step", title="each layer, before the weights")
    _log_scale(right)
    right.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    first, last = run.losses[0], run.losses[-1]
    told = ["Loss curves over the steps, for each part and each layer."]
    for part in PARTS:
        falls = last[part] < first[part]
        told.append(f"The {part} loss falls." if falls else f"The {part} loss rises.")
    return Plot(figure, " ".join(told))


@styled()
def filmstrip(run: Run, count: int = 8) -> Plot:
    """The picture after some of the steps, most of them early, where more happens."""
    last = len(run.frames) - 1
    steps = sorted({0, *(round(last ** (i / max(1, count - 2))) for i in range(count - 1))})
    frames = {f"step {step}": run.frames[step] for step in steps}
    columns = -(-len(steps) // 2)
    figure = picture_grid(frames, columns, _WIDTH / columns)
    return Plot(figure, f"The picture after {', '.join(map(str, steps))} steps.")


@styled()
def frame_and_losses(run: Run, step: int) -> Plot:
    """The picture after one of the steps, and the losses with that step marked."""
    figure = _large(run.frames[step], f"step {step} of {len(run.frames) - 1}")
    _stack(place(figure, 0.64, 0.17, 0.33, 0.7), run, step)
    return Plot(
        figure,
        f"The picture after {step} steps. Beside it content and style loss over the steps, "
        f"stacked, with this step marked.",
    )


@styled()
def ratio_strip(runs: Sequence[Painted]) -> Plot:
    """Pictures from content only to style only, in a row."""
    figure = _last_pictures(runs, 12.0, below=0.6)
    arrow = place(figure, 0, 0, 1, 0.55 / figure.get_figheight())
    bare(arrow)
    line = {"arrowstyle": "-|>", "linewidth": 2.5, "color": COLORS["muted"]}
    arrow.annotate("", (0.8, 0.5), (0.2, 0.5), arrowprops=line)
    end: dict[str, Any] = {"va": "center", "weight": "bold"}
    arrow.text(0.01, 0.5, "content only", color=COLORS["content"], **end)
    arrow.text(0.99, 0.5, "style only", color=COLORS["style"], ha="right", **end)
    arrow.text(0.5, 0.5, "content weight : style weight", va="center", ha="center",
               bbox={"facecolor": "white", "edgecolor": "white"})  # fmt: skip
    return Plot(
        figure,
        "Pictures of the same camel in a row, from the photo itself to nothing but the style of "
        "the painting, for the weights " + ", ".join(run.label for run in runs) + ".",
    )


@styled()
def trade_off(runs: Sequence[Painted], chosen: Painted) -> Plot:
    """The picture of the chosen run, and how much content each run gave up for style."""
    figure = _large(chosen.image, f"content : style = {chosen.label}")
    axes = place(figure, 0.66, 0.19, 0.33, 0.76)
    content, style = (
        [sum(v for name, v in run.layers[-1].items() if name.startswith(part)) for run in runs]
        for part in ("content", "style")
    )
    axes.plot(content, style, "o-", color=COLORS["muted"], markersize=8)
    index = list(runs).index(chosen)
    axes.plot(content[index], style[index], "o", color=COLORS["target"], markersize=17)
    for number in {0, index, len(runs) - 1}:  # labels for all points would lie on each other
        point = content[number], style[number]
        axes.annotate(runs[number].label, point, (10, 9), textcoords="offset points")
    axes.set_xlabel("content loss  ← more camel", color=COLORS["content"])
    axes.set_ylabel("style loss  ← more painting", color=COLORS["style"])
    axes.set(xlim=(-0.05, max(content) * 1.3 + 0.01), ylim=(0, max(style) * 1.15 + 0.01))
    traded = content == sorted(content) and style == sorted(style, reverse=True)
    return Plot(
        figure,
        f"The picture for content : style = {chosen.label}, and a curve of content and style loss "
        f"for all the weights." + (" As content loss rises, style loss falls." if traded else ""),
    )


@styled()
def compare(runs: Sequence[Run]) -> Plot:
    """The last picture of each run, and the target losses over the steps."""
    figure = _last_pictures(runs, _WIDTH, below=3.3)
    axes = place(figure, 0.09, 0.7 / figure.get_figheight(), 0.88, 2.4 / figure.get_figheight())
    _target_losses(axes, runs)
    axes.set_ylabel("target loss")
    axes.legend(frameon=False, ncols=2)
    names = ", ".join(run.label for run in runs)
    return Plot(figure, f"The last pictures of {len(runs)} runs, and target loss: {names}.")


@styled()
def race(runs: Sequence[Run]) -> Plot:
    """Like `compare`, with the target losses over time, too.

    The runs need the same target loss, or comparing the curves would make no sense.
    """
    figure = _last_pictures(runs, _WIDTH, below=4.1)
    bottom, height = (inches / figure.get_figheight() for inches in (1.15, 2.8))
    by_step, by_time = (place(figure, left, bottom, 0.4, height) for left in (0.09, 0.58))
    _target_losses(by_step, runs)
    _target_losses(by_time, runs, timed=True)
    by_step.set_ylabel("target loss")
    figure.legend(*by_step.get_legend_handles_labels(), loc="lower center", ncols=3, frameon=False)
    names = ", ".join(run.label for run in runs)
    return Plot(
        figure,
        f"The last pictures of {len(runs)} runs, and target loss over steps and over seconds: "
        f"{names}.",
    )


@styled()
def from_the_bank(saved: Saved, question: str) -> Plot:
    """A picture of the bank, and what a classifier that had no part in it sees."""
    title = f"{question} {saved.label}, step {saved.step}"
    figure = _large(saved.image, title, 0.7)
    axes = place(figure, 0.72, 0.1, 0.27, 0.66)
    names = list(saved.seen)
    values = [saved.seen[name] for name in names]
    colors = [COLORS["target"] if name == _CAMEL else COLORS["muted"] for name in names]
    axes.barh(range(len(names)), values, 0.35, color=colors)
    for row, (name, value) in enumerate(zip(names, values, strict=True)):
        axes.text(0, row - 0.28, f"{name} {value:.0%}", va="bottom")
    axes.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.8), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title("a classifier sees", fontsize=15)
    listed = ", ".join(f"{name} {value:.0%}" for name, value in saved.seen.items())
    return Plot(
        figure, f"The picture for {title}. A classifier that had no part in it sees {listed}."
    )


@styled()
def reasons(why: Reasons, across: int, down: int) -> Plot:
    """A pixel of a picture, how bright each loss wants it, and the pairs of maps behind it."""
    figure = canvas(_WIDTH, 6.4)
    pairs, asked = why.pairs(across, down), why.asked(across, down)
    picture = place(figure, 0.0, 0.47, 0.49, 0.48)
    show_picture(picture, why.image, f"the picture: pixel {across} across, {down} down")
    picture.plot(across, down, "o", mfc="none", mec="white", markersize=17, mew=4)
    picture.plot(across, down, "o", mfc="none", mec=COLORS["style"], markersize=17, mew=2)
    painting = place(figure, 0.51, 0.47, 0.49, 0.48)
    show_picture(painting, why.painting, "the painting: where these pairs are strongest")
    height, width = why.painting.shape[-2:]
    for number, pair in enumerate(pairs, start=1):
        spot = pair.source[1] * width, pair.source[0] * height
        look: Any = {"facecolor": "white", "edgecolor": COLORS["style"], "boxstyle": "circle"}
        painting.text(*spot, f"{number}", ha="center", va="center", weight="bold", bbox=look)
    votes = place(figure, 0.13, 0.09, 0.34, 0.3)
    values = [float(change.mean()) for change in asked.values()]
    colors = [COLORS["content" if name == "content" else "style"] for name in asked]
    votes.barh(range(len(asked)), values, 0.7, color=colors)
    limit = 1.1 * max(1e-12, *map(abs, values))
    votes.set(xlim=(-limit, limit), ylim=(len(asked) - 0.5, -0.5), xticks=[])
    votes.set_yticks(range(len(asked)), list(asked))
    votes.axvline(0, color="black", linewidth=1)
    votes.set_xlabel("← darker     each asks for     brighter →", fontsize=13)
    lines = []
    for number, pair in enumerate(pairs, start=1):
        more = f"{number}  {pair.layer}, maps {pair.maps[0]} and {pair.maps[1]}: together more"
        less = f"{number}  {pair.layer}, maps {pair.maps[0]} and {pair.maps[1]}: together less"
        lines.append(more if pair.wanted else less)
    figure.text(0.52, 0.36, "The pairs of maps that ask most here", weight="bold", size=14)
    for row, line in enumerate(lines):
        figure.text(0.52, 0.28 - 0.075 * row, line, size=14)
    return Plot(
        figure,
        f"A pixel of the picture, {across} across and {down} down, and bars for what content and "
        f"each style layer ask of it, darker or brighter. The strongest pairs of maps are marked "
        f"in the painting: {'; '.join(lines)}.",
    )


def _stack(axes: Axes, run: Run, step: int | None = None) -> None:
    """The weighted parts, stacked, so that their top edge is the target loss."""
    target = run.curve("target")
    axes.stackplot(
        range(len(target)), run.curve("content"), run.curve("style"),
        colors=[COLORS["content"], COLORS["style"]], alpha=0.75, linewidth=0,
    )  # fmt: skip
    axes.plot(target, color=COLORS["target"])
    axes.set(xlim=(0, len(target) - 1), ylim=(0, target[0] * 1.05))
    axes.set(xlabel="step", ylabel="weighted loss")
    # Each name stands in its own area, where that is highest.
    words: dict[str, Any] = {"ha": "center", "va": "center", "weight": "bold"}
    content, style = run.curve("content"), run.curve("style")
    for part, low, high in (("content", [0.0] * len(content), content), ("style", content, target)):
        tall = [top - bottom for bottom, top in zip(low, high, strict=True)]
        if part == "style":  # away from the name of the target
            tall = style[: max(2, len(style) // 3)]
        at = tall.index(max(tall))
        at = min(max(at, len(target) // 6), len(target) - 1 - len(target) // 6)
        axes.text(at, (low[at] + high[at]) / 2, part, color="white", **words)
    axes.text(0.98, 0.93, "target: their sum", color=COLORS["target"], transform=axes.transAxes,
              ha="right", weight="bold")  # fmt: skip
    if step is not None:
        axes.axvline(step, color="black", linewidth=2)
        axes.plot(step, target[step], "o", color=COLORS["target"], markersize=11, clip_on=False)


def _last_pictures(runs: Sequence[Painted], width: float, below: float) -> Figure:
    """The last picture of each run in a row, and `below` it free inches."""
    images = {run.label: run.image for run in runs}
    return picture_grid(images, len(runs), width / len(runs), below)


def _target_losses(axes: Axes, runs: Sequence[Run], timed: bool = False) -> None:
    """Curves that differ in shade and in dashes, because all of them are target losses."""
    shades = matplotlib.colormaps["viridis"]
    for i, run in enumerate(runs):
        shade = shades(0.8 * i / max(1, len(runs) - 1))
        steps = run.seconds if timed else range(len(run.frames))
        line = _LINES[i % len(_LINES)]
        axes.plot(steps, run.curve("target"), line, color=shade, label=run.label)
    axes.set_xlabel("seconds on this computer" if timed else "step")
    _log_scale(axes)


def _log_scale(axes: Axes) -> None:
    """A logarithmic axis for losses, with at most six ticks and plain numbers."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    for digits in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,)):
        numbers = [float(f"{digit}e{power}") for power in range(-9, 9) for digit in digits]
        ticks = [number for number in numbers if low <= number <= high]
        if len(ticks) <= 6:
            break
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.grid(axis="y", alpha=0.4)


def _large(image: Tensor, title: str, share: float = 0.56) -> Figure:
    """A large picture on the left, with room for axes on the right."""
    height = share * _WIDTH * image.shape[-2] / image.shape[-1] + 0.45
    figure = canvas(_WIDTH, height)
    show_picture(place(figure, 0.0, 0.0, share, 1 - 0.42 / height), image, title)
    return figure
