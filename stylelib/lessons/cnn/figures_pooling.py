"""Figures of lesson 01, part 2: ReLU and pooling."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ...errors import StylelibError
from ..theme import COLORS, Plot, as_array, grid, show_picture
from .figures_convolution import bright, draw_numbers, draw_signed, outline


def relu(before: Tensor, after: Tensor) -> Plot:
    """A map before and after ReLU, and how often each value occurs.

    Parameters
    ----------
    before, after : Tensor, shape (h, w)
    """
    figure, axes = grid(2, 2, (5.0, 3.0))
    draw_signed(axes[0, 0], before, "before: blue below 0, red above")
    show_picture(axes[0, 1], after, "after: dark is 0")
    axes[0, 1].images[0].set_clim(0, axes[0, 0].images[0].get_clim()[1])
    reach = float(before.abs().max())
    for axis, values in ((axes[1, 0], before), (axes[1, 1], after)):
        _, _, bars = axis.hist(as_array(values).ravel(), bins=60, range=(-reach, reach))
        for bar in bars:
            below = bar.get_x() + bar.get_width() / 2 < 0
            bar.set_color(COLORS["muted" if below else "content"])
        axis.set_xlabel("value")
        axis.set_yscale("log")
    axes[1, 0].set_ylabel("how many")
    axes[1, 1].sharey(axes[1, 0])
    zero = float((after == 0).float().mean())
    axes[1, 1].set_title(f"{zero:.0%} of the values are 0")
    return Plot(figure, "A map before and after ReLU: every value below 0 has become 0.")


def kept_by_pooling(maps: Tensor) -> Tensor:
    """Where max-pooling finds the values that it keeps.

    Parameters
    ----------
    maps : Tensor, shape (h, w)

    Returns
    -------
    Tensor of bool, shape (h, w)
        One true value in each whole 2 x 2 square.
    """
    if maps.dim() != 2 or min(maps.shape) < 2:
        raise StylelibError(f"Give one map of at least 2 x 2 values, not {tuple(maps.shape)}.")
    _, places = F.max_pool2d(maps[None], 2, return_indices=True)
    kept = torch.zeros(maps.numel(), dtype=torch.bool)
    kept[places.flatten()] = True
    return kept.view_as(maps)


def pooling_numbers(values: Tensor) -> Plot:
    """Max-pooling on a small map: the largest of each four is framed and kept.

    Parameters
    ----------
    values : Tensor, shape (h, w), h and w even
    """
    kept, pooled = kept_by_pooling(values), F.max_pool2d(values[None], 2)[0]
    height, width = values.shape
    figure, axes = grid(1, 2, (5.0, 5.0 * height / width + 0.4))
    draw_numbers(axes[0, 0], values, f"before: {height} x {width}", "{:.1f}")
    draw_numbers(axes[0, 1], pooled, f"after: {height // 2} x {width // 2}", "{:.1f}")
    for row, column in kept.nonzero().tolist():
        outline(axes[0, 0], (row, column, row + 1, column + 1), 4)
    for line in range(2, height, 2):
        axes[0, 0].axhline(line - 0.5, color="white", linewidth=5)
    for line in range(2, width, 2):
        axes[0, 0].axvline(line - 0.5, color="white", linewidth=5)
    return Plot(
        figure,
        f"{height} x {width} numbers in squares of four, the largest of each framed; beside it "
        f"the {height // 2} x {width // 2} numbers that are kept.",
    )


def pooling_map(before: Tensor) -> Plot:
    """Max-pooling on a whole map: before, after, kept, thrown away.

    Parameters
    ----------
    before : Tensor, shape (h, w)
    """
    kept = kept_by_pooling(before)
    pooled = F.max_pool2d(before[None], 2)[0]
    black = before.new_zeros(())
    figure, axes = grid(2, 2, (5.0, 5.0 * before.shape[0] / before.shape[1] + 0.35))
    panels = {
        f"before: {before.shape[1]} x {before.shape[0]}": before,
        f"after: {pooled.shape[1]} x {pooled.shape[0]}": pooled,
        "kept: 1 in 4, in its old place": torch.where(kept, before, black),
        "thrown away: 3 in 4": torch.where(kept, black, before),
    }
    for axis, (title, values) in zip(axes.flat, panels.items(), strict=True):
        show_picture(axis, values, title)
        axis.images[0].set(clim=(0, bright(before)), interpolation="nearest")
    return Plot(
        figure,
        "A map before and after max-pooling, looking the same but half as large; below, the "
        "values that were kept, in their old places, and those that were thrown away.",
    )
