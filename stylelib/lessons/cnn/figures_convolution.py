"""Figures of lesson 01: kernels, convolution and ReLU."""

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

from ...core.vgg import VGG19
from ...engine.network import features
from ..drawing import draw_map, draw_numbers, draw_signed, outline
from ..theme import COLORS, Plot, as_array, bare, canvas, grid, place
from .kernels import KERNELS, convolve


def numbers(values: Tensor, title: str = "a map", signed: bool = False) -> Plot:
    """A small map, shape (h, w), as squares with their values in them: see `draw_numbers`."""
    height, width = values.shape
    figure, axes = grid(1, 1, (0.62 * width + 0.2, 0.5 * height + 0.5))
    draw_numbers(axes[0, 0], values, title, signed=signed)
    axes[0, 0].set_aspect("auto")  # wider than high: room for the numbers
    # Or white squares would be lost on a white page.
    axes[0, 0].spines[:].set(visible=True, color=COLORS["muted"])
    return Plot(figure, f"{title}: {height} rows of {width} numbers.")


def draw_filtered(axes: Axes, result: Tensor, kernel: Tensor, title: str) -> None:
    """Draw the map that a kernel gives, in the colours that suit the kernel.

    A kernel that adds up to about 0 responds to differences, so 0 must stand out: blue
    below, red above. Any other kernel gives a brightness: grey, from 0 to 1.
    """
    if abs(float(kernel.sum())) < 0.5:
        draw_signed(axes, result, f"{title}\nblue below 0, red above")
    else:
        axes.imshow(as_array(result), cmap="gray", vmin=0, vmax=1)
        bare(axes, f"{title}\nblack is 0, white is 1")


def filtered(brightness: Tensor, kernel: Tensor, name: str = "kernel") -> Plot:
    """A picture (H, W) in 0-1, a 3 x 3 kernel and the resulting map, side by side."""
    height = 3.95 * brightness.shape[0] / brightness.shape[1]
    figure = canvas(10.0, max(height, 1.9) + 0.6)
    left = _put(figure, 0.05, 0.55, 3.95, height)
    middle = _put(figure, 4.05, 0.55, 1.9, 1.9)
    right = _put(figure, 6.0, 0.55, 3.95, height)
    left.imshow(as_array(brightness), cmap="gray", vmin=0, vmax=1)
    bare(left, "the picture in grey:\nblack is 0, white is 1")
    total = float(kernel.sum())
    draw_numbers(middle, kernel, f"{name}:\nadds up to {total:.3g}", "{:.3g}", signed=True)
    draw_filtered(right, convolve(brightness, kernel), kernel, "the result:")
    return Plot(figure, f"The picture in grey, the kernel ({name}) and the map that it gives.")


def presets(brightness: Tensor) -> Plot:
    """What each of the named kernels makes of a picture, shape (H, W), in 0-1."""
    names = [name for name in KERNELS if name != "identity"]  # the picture itself
    shape = brightness.shape[0] / brightness.shape[1]
    figure, axes = grid(-(-len(names) // 3), 3, (10 / 3, 10 / 3 * shape + 0.65))
    for axis, name in zip(axes.flat, names, strict=True):
        kernel = torch.tensor(KERNELS[name])
        draw_filtered(axis, convolve(brightness, kernel), kernel, name)
    return Plot(figure, f"The picture under each kernel: {', '.join(names)}.")


def walk(brightness: Tensor, kernel: Tensor, position: int) -> Plot:
    """A convolution under way: the arithmetic at one position, and the results so far.

    Position 0 is the top left pixel of the picture (H, W); then row by row.
    """
    row, column = divmod(position, brightness.shape[1])
    result = convolve(brightness, kernel)
    padded = F.pad(brightness[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    patch = padded[row : row + 3, column : column + 3]

    tall = 3.7 * brightness.shape[0] / brightness.shape[1]
    figure = canvas(10.0, tall + 3.2)
    left, right = (_put(figure, x, 0.6, 3.7, tall) for x in (0.7, 5.6))
    left.imshow(as_array(brightness), cmap="gray", vmin=0, vmax=1)  # as the numbers below
    bare(left, f"the window:\nrow {row}, column {column}")
    outline(left, (row - 1, column - 1, row + 2, column + 2))
    draw_filtered(right, result, kernel, "the results so far:")
    so_far = result.clone()
    so_far.flatten()[position + 1 :] = float("nan")
    right.images[0].set_data(as_array(so_far))
    right.set_facecolor("#dddddd")
    outline(right, (row, column, row + 1, column + 1))

    total = f"= products\ntheir sum: {float(result[row, column]):.2f}"
    steps = {"window\n": patch, "× kernel\n": kernel, total: patch * kernel}
    for index, (title, values) in enumerate(steps.items()):
        axes = _put(figure, 0.75 + 3.3 * index, tall + 1.25, 1.9, 1.9)
        draw_numbers(axes, values, title, signed=index > 0)
    return Plot(
        figure,
        f"The kernel's window at row {row}, column {column} of the picture: its nine numbers, "
        f"the kernel's, their products and the sum of these, and the results so far.",
    )


def first_kernels(network: VGG19) -> Tensor:
    """The 64 kernels of `conv1_1`, shape (64, 3, 3, 3)."""
    return network.get_parameter("convolutions.conv1_1.weight").detach()


def swatches(kernels: Tensor, columns: int = 16) -> Plot:
    """First-layer kernels, shape (N, 3, 3, 3), as tiny RGB pictures; mid-grey is 0."""
    rows = -(-len(kernels) // columns)
    figure, axes = grid(rows, columns, (10 / columns, 10 / columns + 0.3))
    for axis in axes.flat:
        axis.set_axis_off()
    for index, (axis, kernel) in enumerate(zip(axes.flat, kernels, strict=False)):
        _draw_swatch(axis, kernel)
        axis.set_title(str(index), fontsize=13, pad=3)
    return Plot(
        figure,
        f"{len(kernels)} kernels, each a square of 3 x 3 colours: some are edges, light against "
        f"dark or one colour against another, others are patches of a single colour.",
    )


def first_layer(image: Tensor, network: VGG19, channel: int) -> Plot:
    """One kernel of `conv1_1`: its 27 weights, and its map of a picture before and after ReLU."""
    kernel = first_kernels(network)[channel]
    before = features(image, "conv1_1", network, before_relu=True)["conv1_1"][0, channel]
    tall = 4.9 * image.shape[-2] / image.shape[-1]
    figure = canvas(10.0, tall + 3.25)
    swatch, *planes = (_put(figure, 0.05 + 2.5 * index, 0.35, 2.4, 2.4) for index in range(4))
    _draw_swatch(swatch, kernel)
    bare(swatch, f"kernel {channel}")
    top = float(kernel.abs().max())
    for axes, plane, colour in zip(planes, kernel, ("red", "green", "blue"), strict=True):
        draw_numbers(axes, plane, f"on {colour}", signed=True, top=top)
    left, right = (_put(figure, x, 3.15, 4.9, tall) for x in (0.05, 5.05))
    _draw_relu(left, right, before, "map before ReLU", "map after ReLU")
    return Plot(
        figure,
        f"Kernel {channel} of conv1_1, its 27 weights for red, green and blue, and its map: red "
        f"and blue before ReLU; after ReLU only what was red is left.",
    )


def relu(before: Tensor, after: Tensor) -> Plot:
    """A map, shape (h, w), before and after ReLU, with histograms of its values."""
    figure, axes = grid(2, 2, (5.0, 3.0))
    left, right = axes[0]
    _draw_relu(left, right, before, "before: blue below 0, red above", "after: dark is 0")
    reach = float(before.abs().max())
    for axis, values in zip(axes[1], (before, after), strict=True):
        _, _, bars = axis.hist(as_array(values).ravel(), bins=60, range=(-reach, reach))
        for index, bar in enumerate(bars):
            bar.set_color(COLORS["muted" if index < 30 else "content"])
        axis.set(xlabel="value", yscale="log")
    axes[1, 0].set_ylabel("how many")
    axes[1, 1].sharey(axes[1, 0])
    zero = float((after == 0).float().mean())
    axes[1, 1].set_title(f"{zero:.0%} of the values are 0", fontsize=14)
    return Plot(figure, "A map before and after ReLU: every value below 0 has become 0.")


def _draw_relu(left: Axes, right: Axes, before: Tensor, title: str, title_after: str) -> None:
    """Draw a map before and after ReLU, on color scales with the same top."""
    draw_signed(left, before, title)
    draw_map(right, before.relu(), title_after, left.images[0].get_clim()[1])


def _draw_swatch(axes: Axes, kernel: Tensor) -> None:
    """Draw a kernel (3, 3, 3) as a picture: 0 is mid-grey, its largest weight full colour."""
    scaled = 0.5 + 0.5 * kernel / kernel.abs().max().clamp_min(1e-12)
    axes.imshow(as_array(scaled.permute(1, 2, 0)))


def _put(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Axes on a canvas; their position and size in inches, from the canvas's top left."""
    across, down = figure.get_size_inches()
    return place(figure, left / across, 1 - (top + height) / down, width / across, height / down)
