"""The losses as a small live curve, drawn as SVG because that costs next to nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..lessons.theme import COLORS
from .runs import losses_of

_WIDTH, _HEIGHT, _LARGEST = 300, 186, 368  # the last is how wide it is on the page, at most
_LEFT, _RIGHT, _TOP, _BOTTOM = 38, _WIDTH - 44, 38, _HEIGHT - 42  # of the plot itself
_POINTS = 120
_JUMPS = "At a dashed line the picture grows: there is more to compare, so the losses jump."
_JUMPS_SHORT = "¦ the picture grows: more to compare, so they jump"
# The neighbour loss takes the content loss's place, and its colour.
_COLORS = {**COLORS, "neighbours": COLORS["content"]}
_TOLD = {
    "content": "Content loss {content:.2g} and style loss {style:.2g} after {done} of {steps} "
    "steps.",
    "neighbours": "Neighbour loss {neighbours:.2g} and style loss {style:.2g} after {done} of "
    "{steps} steps.",
}


def loss_curve(losses: Sequence[dict[str, float]], stages: Sequence[tuple[int, int]]) -> str:
    """The losses over the steps done, as HTML with an SVG.

    `stages` are the sizes that it paints at, in pixels, and the steps at each, those to come
    included; see `Recipe.stages`. With the size the losses jump, so there the lines are broken.
    They are the style loss and the neighbour loss or, with the other method, the content loss.
    The loss axis is logarithmic. The background is white, so that the colours mean the
    same in every theme.
    """
    steps = sum(count for _, count in stages)
    every = max(1, len(losses) // _POINTS)
    shown = [(i + 1, losses_of(losses[i])) for i in range(len(losses)) if i % every == 0]
    if losses and (len(losses) - 1) % every:
        shown.append((len(losses), losses_of(losses[-1])))
    # If the photo is the start, content loss starts at 0: leave that out of the scale.
    values = [value for _, loss in shown[len(shown) // 10 :] for value in loss.values()]
    high = max([v for v in values if math.isfinite(v)], default=1.0) or 1.0
    low = max(min([v for v in values if v > 0], default=0.1), high / 1000)
    scale = _Scale(steps, math.log10(low) - 0.1, math.log10(high) + 0.1)
    starts = [1 + sum(count for _, count in stages[:i]) for i in range(len(stages))]
    parts = [_axes(scale, starts), _sizes(scale, [size for size, _ in stages], starts)]
    told = "No steps yet."
    if losses:
        last = losses_of(losses[-1])
        told = _TOLD["neighbours" if "neighbours" in last else "content"].format(
            **last, done=len(losses), steps=steps
        )
        for column, name in enumerate(last):
            for start, end in pairwise([*starts, steps + 1]):
                points = " ".join(
                    f"{scale.x(step)},{scale.y(loss[name])}"
                    for step, loss in shown
                    if start <= step < end
                )
                parts.append(
                    f'<polyline points="{points}" fill="none" stroke="{_COLORS[name]}" '
                    f'stroke-width="2.5"/>'
                )
            parts.append(
                f'<text x="{_LEFT + 124 * column}" y="14" '
                f'fill="{_COLORS[name]}" font-weight="bold">{name} {last[name]:.2g}</text>'
            )
    if len(stages) > 1:
        told = f"{told} {_JUMPS}"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" style="max-width:{_LARGEST}px;'
        f'background:white;border-radius:4px;display:block" role="img" aria-label="{told}" '
        f'font-family="sans-serif" font-size="12"><title>{told}</title>{"".join(parts)}</svg>'
    )


@dataclass(frozen=True)
class _Scale:
    """From steps and losses to pixels; `bottom` and `top` are powers of ten."""

    steps: int
    bottom: float
    top: float

    def x(self, step: float) -> float:
        return round(_LEFT + (step - 1) / max(1, self.steps - 1) * (_RIGHT - _LEFT), 1)

    def y(self, loss: float) -> float:
        power = math.log10(max(loss, 10**self.bottom))
        share = min((power - self.bottom) / (self.top - self.bottom), 1)
        return round(_BOTTOM - share * (_BOTTOM - _TOP), 1)


def _sizes(scale: _Scale, sizes: list[int], starts: list[int]) -> str:
    """A dashed line where the picture grows, and each size above its steps."""
    if len(sizes) < 2:
        return ""
    parts = [
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}" fill="#444" font-size="11">{_JUMPS_SHORT}</text>'
    ]
    edges = [scale.x(start) for start in [*starts, scale.steps]]
    for size, (left, right) in zip(sizes, pairwise(edges), strict=True):
        if left > _LEFT:
            parts.append(
                f'<path d="M{left},{_TOP}V{_BOTTOM}" stroke="#767676" stroke-dasharray="3 3"/>'
            )
        if right - left > 20:
            parts.append(
                f'<text x="{(left + right) / 2:.1f}" y="{_TOP - 4}" text-anchor="middle" '
                f'fill="#444" font-size="11">{size}{" px" * (right - left > 40)}</text>'
            )
    return "".join(parts)


def _axes(scale: _Scale, starts: list[int]) -> str:
    lines = [f'<path d="M{_LEFT},{_TOP}V{_BOTTOM}H{_RIGHT}" fill="none" stroke="#767676"/>']
    powers = range(math.floor(scale.bottom), math.ceil(scale.top) + 1)
    digits = (1,) if scale.top - scale.bottom > 2 else (1, 2, 5)
    for value in (digit * 10.0**power for power in powers for digit in digits):
        if scale.bottom <= math.log10(value) <= scale.top:
            y = scale.y(value)
            lines.append(
                f'<path d="M{_LEFT},{y}H{_RIGHT}" stroke="#ddd"/>'
                f'<text x="{_LEFT - 5}" y="{y + 4}" text-anchor="end" fill="#444">{value:g}</text>'
            )
    marked: list[float] = []
    y = _BOTTOM + 17
    ends = {1, scale.steps, *(start for start in starts if start > 1)}
    if len(starts) == 1:
        ends |= {round(scale.steps * quarter / 4) for quarter in (1, 2, 3)}
    for step in (1, scale.steps, *sorted(ends)):  # the ends first: others need room beside them
        x = scale.x(step)
        if all(abs(x - other) > 26 for other in marked):
            marked.append(x)
            lines.append(f'<text x="{x}" y="{y}" text-anchor="middle" fill="#444">{step}</text>')
    lines.append(f'<text x="{_WIDTH - 2}" y="{y - 17}" text-anchor="end" fill="#444">steps</text>')
    return "".join(lines)
