"""The losses as a small live curve: SVG, which costs nothing to draw."""

import math
from collections.abc import Sequence

from ..lessons.theme import COLORS

_WIDTH, _HEIGHT = 330, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 84, 10, 26
_POINTS = 120


def loss_curve(losses: Sequence[dict[str, float]], steps: int) -> str:
    """Content and style loss over the steps, on a logarithmic axis.

    Parameters
    ----------
    losses : sequence of dict
        Each step's, as `Step` has them.
    steps : int
        Where the axis ends.

    Returns
    -------
    str
        HTML that holds an SVG. It brings its own white ground, so that the
        colours mean the same in every theme.
    """
    every = max(1, len(losses) // _POINTS)
    shown = [(i + 1, losses[i]) for i in range(len(losses)) if i % every == 0]
    if losses and (len(losses) - 1) % every:
        shown.append((len(losses), losses[-1]))
    # Where the photo is the start, content loss begins at nothing: leave that off the scale.
    values = [loss[name] for _, loss in shown[len(shown) // 10 :] for name in ("content", "style")]
    high = max([v for v in values if math.isfinite(v)], default=1.0) or 1.0
    low = max(min([v for v in values if v > 0], default=0.1), high / 1000)
    top, bottom = math.log10(high) + 0.1, math.log10(low) - 0.1

    def at(step: float, value: float) -> tuple[float, float]:
        height = (math.log10(max(value, 10**bottom)) - bottom) / (top - bottom)
        x = _LEFT + (step - 1) / max(1, steps - 1) * (_WIDTH - _LEFT - _RIGHT)
        return round(x, 1), round(
            _HEIGHT - _BOTTOM - min(height, 1) * (_HEIGHT - _TOP - _BOTTOM), 1
        )

    parts = [_axes(at, top, bottom, steps)]
    labels = _apart([at(steps, losses[-1][n])[1] for n in ("content", "style")] if losses else [])
    for name, label in zip(("content", "style"), labels, strict=False):
        points = " ".join("{},{}".format(*at(step, loss[name])) for step, loss in shown)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{COLORS[name]}" stroke-width="2.5"/>'
            f'<text x="{_WIDTH - _RIGHT + 6}" y="{label + 4:.0f}" fill="{COLORS[name]}" '
            f'font-weight="bold">{name} {losses[-1][name]:.2g}</text>'
        )
    told = "No steps yet."
    if losses:
        told = (
            f"Content loss {losses[-1]['content']:.2g} and style loss {losses[-1]['style']:.2g} "
            f"after {len(losses)} of {steps} steps."
        )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" style="max-width:{_WIDTH}px;'
        f'background:white;border-radius:4px;display:block" role="img" aria-label="{told}" '
        f'font-family="sans-serif" font-size="12"><title>{told}</title>{"".join(parts)}</svg>'
    )


def _axes(at, top: float, bottom: float, steps: int) -> str:  # type: ignore[no-untyped-def]
    left, right = _LEFT, _WIDTH - _RIGHT
    base = _HEIGHT - _BOTTOM
    lines = [f'<path d="M{left},{_TOP}V{base}H{right}" fill="none" stroke="#767676"/>']
    powers = range(math.floor(bottom), math.ceil(top) + 1)
    digits = (1,) if top - bottom > 2 else (1, 2, 5)
    for value in (digit * 10.0**power for power in powers for digit in digits):
        if bottom <= math.log10(value) <= top:
            y = at(1, value)[1]
            lines.append(
                f'<path d="M{left},{y}H{right}" stroke="#ddd"/>'
                f'<text x="{left - 5}" y="{y + 4}" text-anchor="end" fill="#444">{value:g}</text>'
            )
    lines.append(
        f'<text x="{left}" y="{base + 17}" fill="#444">step 1</text>'
        f'<text x="{right}" y="{base + 17}" text-anchor="end" fill="#444">{steps}</text>'
    )
    return "".join(lines)


def _apart(heights: list[float], gap: float = 15) -> list[float]:
    """Two labels' heights, moved apart where they would overlap."""
    if len(heights) == 2 and abs(heights[0] - heights[1]) < gap:
        middle, sign = sum(heights) / 2, 1 if heights[0] > heights[1] else -1
        return [middle + sign * gap / 2, middle - sign * gap / 2]
    return heights
