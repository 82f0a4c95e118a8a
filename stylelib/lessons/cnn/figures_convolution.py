"""Figures of lesson 01, part 1: convolution, number by number."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from torch.nn import functional as F

from ...core.vgg import VGG19
from ...engine.network import features
from ..theme import COLORS, SIGNED, Plot, as_array, bare, canvas, grid, place, show_picture
from .kernels import KERNELS, convolve

_TEXT = 14  # points


def draw_numbers(
    axes: Axes,
    values: Tensor,
    title: str = "",
    form: str = "{:.2f}",
    signed: bool = False,
    wide: bool = False,
) -> None:
    """Draw a small map (h, w) as coloured squares with their numbers in them.

    Grey from 0 (black) to 1 (white) or to the largest value; with `signed`,
    blue below 0, white at 0, red above. With `wide`, they fill the axes.
    """
    top = max(1.0, float(values.abs().max()))
    scale, bottom = (SIGNED, -top) if signed else ("gray", 0.0)
    axes.imshow(
        as_array(values), cmap=scale, vmin=bottom, vmax=top, aspect="auto" if wide else "equal"
    )
    for row, line in enumerate(values.tolist()):
        for column, value in enumerate(line):
            dark = abs(value) > 0.6 * top if signed else value < 0.5 * top
            axes.text(
                column, row, form.format(value), ha="center", va="center",
                fontsize=_TEXT, color="white" if dark else "black",
            )  # fmt: skip
    bare(axes, title)


def numbers(values: Tensor, title: str = "", form: str = "{:.2f}", signed: bool = False) -> Plot:
    """A small map as squares with numbers in them.

    Parameters
    ----------
    values : Tensor, shape (h, w)
    title : str
    form : str
        How a number is written.
    signed : bool
        Blue below 0 and red above, instead of grey.
    """
    height, width = values.shape
    figure, axes = grid(1, 1, (0.62 * width + 0.2, 0.5 * height + 0.5))
    draw_numbers(axes[0, 0], values, title, form, signed, wide=True)
    return Plot(figure, f"{title or 'A map'}: {height} rows of {width} numbers.")


def draw_filtered(axes: Axes, result: Tensor, kernel: Tensor, title: str) -> None:
    """Draw what a kernel made of a picture, in the colours that suit it.

    A kernel that adds up to about 0 answers to differences, so 0 must stand out:
    blue below, red above. Any other gives a brightness: grey, 0 to 1.
    """
    if abs(float(kernel.sum())) < 0.5:
        draw_signed(axes, result)
        _title(axes, f"{title}\nblue below 0, red above")
    else:
        axes.imshow(as_array(result), cmap="gray", vmin=0, vmax=1)
        bare(axes)
        _title(axes, f"{title}\nblack is 0, white 1")


def draw_signed(axes: Axes, values: Tensor, title: str = "") -> None:
    """Draw a map (h, w): blue below 0, white at 0, red above."""
    top = max(bright(values.abs()), 1e-6)
    axes.imshow(as_array(values), cmap=SIGNED, vmin=-top, vmax=top)
    bare(axes, title)


def bright(values: Tensor) -> float:
    """A value that few exceed: the top of a colour scale that one bright spot can't spoil."""
    # Of a regular sample, and not with PyTorch's quantile, which sorts: too slow under a slider.
    sample = as_array(values.flatten()[:: 1 + values.numel() // 50_000])
    return float(np.quantile(sample, 0.995))


def filtered(brightness: Tensor, kernel: Tensor, name: str = "") -> Plot:
    """A picture, a kernel and the result, side by side.

    Parameters
    ----------
    brightness : Tensor, shape (H, W), in 0-1
    kernel : Tensor, shape (3, 3)
    name : str
        The kernel's.
    """
    kernel = torch.as_tensor(kernel)
    height = 3.95 * brightness.shape[0] / brightness.shape[1]
    figure = canvas(10.0, max(height, 1.9) + 0.6)
    left = _put(figure, 0.05, 0.55, 3.95, height)
    middle = _put(figure, 4.05, 0.55, 1.9, 1.9)
    right = _put(figure, 6.0, 0.55, 3.95, height)
    left.imshow(as_array(brightness), cmap="gray", vmin=0, vmax=1)
    bare(left)
    _title(left, "the picture, in grey:\nblack is 0, white 1")
    draw_numbers(middle, kernel, form="{:.3g}", signed=True)
    _title(middle, f"{name or 'kernel'}:\nadds up to {float(kernel.sum()):.3g}")
    draw_filtered(right, convolve(brightness, kernel), kernel, "the result:")
    return Plot(figure, f"The picture in grey, the kernel {name} and what it makes of the picture.")


def presets(brightness: Tensor) -> Plot:
    """What each kernel that has a name makes of a picture.

    Parameters
    ----------
    brightness : Tensor, shape (H, W), in 0-1
    """
    kernels = {name: torch.tensor(kernel) for name, kernel in KERNELS.items()}
    del kernels["identity"]  # the picture itself
    shape = brightness.shape[0] / brightness.shape[1]
    figure, axes = grid(-(-len(kernels) // 3), 3, (10 / 3, 10 / 3 * shape + 0.65))
    for axis, (name, kernel) in zip(axes.flat, kernels.items(), strict=True):
        draw_filtered(axis, convolve(brightness, kernel), kernel, name)
    return Plot(figure, f"The picture under each kernel: {', '.join(kernels)}.")


def walk(brightness: Tensor, kernel: Tensor, place: int) -> Plot:
    """A kernel on its way over a picture: the sum at one place, the results so far.

    Parameters
    ----------
    brightness : Tensor, shape (H, W), in 0-1
    kernel : Tensor, shape (3, 3)
    place : int
        How far: 0 is the top left pixel, then row by row.
    """
    kernel = torch.as_tensor(kernel)
    row, column = divmod(place, brightness.shape[1])
    result = convolve(brightness, kernel)
    padded = F.pad(brightness[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    patch = padded[row : row + 3, column : column + 3]

    tall = 3.7 * brightness.shape[0] / brightness.shape[1]
    figure = canvas(10.0, tall + 3.2)
    left, right = (_put(figure, x, 0.6, 3.7, tall) for x in (0.7, 5.6))
    left.imshow(as_array(brightness), cmap="gray")
    bare(left)
    _title(left, f"the window:\nrow {row}, column {column}")
    outline(left, (row - 1, column - 1, row + 2, column + 2))
    so_far = result.clone()
    so_far.flatten()[place + 1 :] = float("nan")
    draw_filtered(right, result, kernel, "the results so far:")
    right.images[0].set_data(as_array(so_far))
    right.set_facecolor("#dddddd")
    outline(right, (row, column, row + 1, column + 1))

    total = f"= products\ntheir sum: {float(result[row, column]):.2f}"
    steps = {"window\n": patch, "× kernel\n": kernel, total: patch * kernel}
    for index, (title, values) in enumerate(steps.items()):
        axes = _put(figure, 0.75 + 3.3 * index, tall + 1.25, 1.9, 1.9)
        draw_numbers(axes, values, signed=index > 0)
        _title(axes, title)
    return Plot(
        figure,
        f"The kernel's window at row {row}, column {column} of the picture: its nine numbers, "
        f"the kernel's, their products and sum, and the results as far as it has come.",
    )


def swatches(kernels: Tensor, columns: int = 16) -> Plot:
    """First-layer kernels as little colour pictures.

    Parameters
    ----------
    kernels : Tensor, shape (N, 3, 3, 3)
        Their R, G and B planes become a picture: mid-grey is 0.
    columns : int
    """
    rows = -(-len(kernels) // columns)
    figure, axes = grid(rows, columns, (10 / columns, 10 / columns + 0.3))
    for axis in axes.flat:
        axis.set_visible(False)
    for index, (axis, kernel) in enumerate(zip(axes.flat, kernels, strict=False)):
        axis.set_visible(True)
        _swatch(axis, kernel)
        axis.set_title(str(index), fontsize=13, pad=3)
    return Plot(
        figure,
        f"{len(kernels)} kernels of 3 x 3 coloured squares: some are edges, light against dark "
        f"or one colour against another, some are patches of one colour.",
    )


def first_kernels(network: VGG19) -> Tensor:
    """The 64 kernels of `conv1_1`, shape (64, 3, 3, 3)."""
    layer = network.convolutions["conv1_1"]
    assert isinstance(layer, nn.Conv2d)
    return layer.weight.detach()


def first_layer(image: Tensor, network: VGG19, channel: int) -> Plot:
    """One kernel of `conv1_1`: its 27 numbers, and its map before and after ReLU.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    network : VGG19
    channel : int, 0-63
    """
    kernel = first_kernels(network)[channel]
    before = features(image, "conv1_1", network, before_relu=True)["conv1_1"][0, channel]
    tall = 4.9 * image.shape[-2] / image.shape[-1]
    figure = canvas(10.0, tall + 3.25)
    axes = [_put(figure, 0.05 + 2.5 * i, 0.35, 2.4, 2.4) for i in range(4)]
    left, right = (_put(figure, x, 3.15, 4.9, tall) for x in (0.05, 5.05))
    _swatch(axes[0], kernel)
    bare(axes[0], f"kernel {channel}")
    for axis, plane, colour in zip(axes[1:], kernel, ("red", "green", "blue"), strict=True):
        draw_numbers(axis, plane, f"on {colour}", signed=True)
        axis.images[0].set_clim(-float(kernel.abs().max()), float(kernel.abs().max()))
        for text in axis.texts:  # squares are paler now: keep the numbers readable
            dark = abs(float(text.get_text())) > 0.6 * float(kernel.abs().max())
            text.set_color("white" if dark else "black")
    draw_signed(left, before, "map before ReLU")
    show_picture(right, before.relu(), "map after ReLU")
    right.images[0].set_clim(0, left.images[0].get_clim()[1])
    return Plot(
        figure,
        f"Kernel {channel} of conv1_1, its 27 numbers for red, green and blue, and the map that "
        f"it gives: before ReLU red and blue, after ReLU only what was red.",
    )


def _put(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes at a place of a canvas, in inches from its top left."""
    across, down = figure.get_size_inches()
    return place(figure, left / across, 1 - (top + height) / down, width / across, height / down)


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, fontsize=_TEXT)


def outline(axes: Axes, box: tuple[int, int, int, int], width: float = 2.5) -> None:
    """Frame the pixels of a box (top, left, bottom, right)."""
    top, left, bottom, right = box
    axes.add_patch(
        Rectangle(
            (left - 0.5, top - 0.5), right - left, bottom - top, fill=False,
            edgecolor=COLORS["style"], linewidth=width, zorder=3, clip_on=False,
        )
    )  # fmt: skip


def _swatch(axes: Axes, kernel: Tensor) -> None:
    """Draw a kernel (3, 3, 3) as a picture: 0 is mid-grey, its largest number full colour."""
    scaled = 0.5 + 0.5 * kernel / kernel.abs().max().clamp_min(1e-12)
    axes.imshow(as_array(scaled.permute(1, 2, 0)))
    bare(axes)
