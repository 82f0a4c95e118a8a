"""Figures of lesson 01: max-pooling."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import StylelibError
from ..drawing import bright, draw_map, draw_numbers, outline
from ..theme import COLORS, Plot, grid


def kept_by_pooling(maps: Tensor) -> Tensor:
    """Where max-pooling keeps a value of a map (h, w): True once in each whole 2 x 2 square."""
    if maps.dim() != 2 or min(maps.shape) < 2:
        raise StylelibError(f"Give one map of at least 2 x 2 values, not {tuple(maps.shape)}.")
    _, indices = F.max_pool2d(maps[None], 2, return_indices=True)
    kept = torch.zeros(maps.numel(), dtype=torch.bool)
    kept[indices.flatten()] = True
    return kept.view_as(maps)


def pooling_numbers(values: Tensor) -> Plot:
    """Max-pooling on a small map, shape (h, w) with h and w even, number by number."""
    kept, pooled = kept_by_pooling(values), F.max_pool2d(values[None], 2)[0]
    height, width = values.shape
    figure, axes = grid(1, 2, (5.0, 5.0 * height / width + 0.4))
    before, after = axes[0]
    draw_numbers(before, values, f"before: {height} x {width}", "{:.1f}")
    draw_numbers(after, pooled, f"after: {height // 2} x {width // 2}", "{:.1f}")
    for axes_ in (before, after):  # or white squares would be lost on a white page
        axes_.spines[:].set(visible=True, color=COLORS["muted"])
    for row, column in kept.nonzero().tolist():
        outline(before, (row, column, row + 1, column + 1), linewidth=4)
    for line in range(2, height, 2):
        before.axhline(line - 0.5, color="white", linewidth=5)
    for line in range(2, width, 2):
        before.axvline(line - 0.5, color="white", linewidth=5)
    return Plot(
        figure,
        f"{height} x {width} numbers in squares of four, the largest of each square framed; "
        f"beside them the {height // 2} x {width // 2} numbers that are kept.",
    )


def pooling_map(before: Tensor) -> Plot:
    """Max-pooling on a whole map, shape (h, w): before, after, kept, discarded."""
    kept = kept_by_pooling(before)
    pooled = F.max_pool2d(before[None], 2)[0]
    figure, axes = grid(2, 2, (5.0, 5.0 * before.shape[0] / before.shape[1] + 0.35))
    panels = {
        f"before: {before.shape[1]} x {before.shape[0]}": before,
        f"after: {pooled.shape[1]} x {pooled.shape[0]}": pooled,
        "kept: 1 in 4, where it was": before * kept,
        "discarded: 3 in 4": before * ~kept,
    }
    for axis, (title, values) in zip(axes.flat, panels.items(), strict=True):
        draw_map(axis, values, title, bright(before))
    return Plot(
        figure,
        "A map before and after max-pooling: it looks the same at half the size. Below, the "
        "values that were kept, where they were, and those that were discarded.",
    )
