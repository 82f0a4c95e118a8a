"""Figures of lesson 01, part 3: feature maps, and what excites them."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.patches import Circle
from torch import Tensor

from ...errors import StylelibError
from ..theme import COLORS, Plot, canvas, grid, place, show_picture
from .figures_convolution import bright
from .observations import Observations, Patch


def draw_map(axes: Axes, values: Tensor, title: str = "") -> None:
    """Draw a feature map (h, w): dark is 0; its brightest half percent share one colour."""
    show_picture(axes, values, title)
    axes.images[-1].set(clim=(0, max(bright(values), 1e-6)), interpolation="nearest")


def feature_map(observations: Observations, picture: str, layer: str, channel: int) -> Plot:
    """A picture and one of its feature maps."""
    values = observations.channel(picture, layer, channel)
    image = observations.pictures[picture]
    height, width = values.shape
    figure, axes = grid(1, 2, (5.0, 5.0 * image.shape[-2] / image.shape[-1] + 0.4))
    show_picture(axes[0, 0], image, picture)
    draw_map(axes[0, 1], values, f"{layer}, channel {channel}: {width} x {height}")
    bar = figure.colorbar(axes[0, 1].images[0], ax=axes[0, 1], fraction=0.05, pad=0.02)
    bar.ax.tick_params(labelsize=13)
    return Plot(figure, f"{picture}, and channel {channel} of {layer}: {width} x {height} values.")


def most_active(observations: Observations, picture: str, layer: str, count: int = 15) -> Plot:
    """A picture and the maps of a layer with the highest mean, the highest first."""
    image = observations.pictures[picture]
    channels = observations.most_active(picture, layer, count)
    columns, shape = 4, image.shape[-2] / image.shape[-1]
    rows = -(-(count + 1) // columns)
    # One set of axes for all: many would take most of the time.
    figure, axes = grid(1, 1, (10.0, rows * (10 / columns * shape + 0.3)))
    axis, step = axes[0, 0], shape + 0.12
    for index, channel in enumerate([None, *channels]):
        row, column = divmod(index, columns)
        left, top = 1.03 * column, -row * step
        if channel is None:
            show_picture(axis, image)
        else:
            draw_map(axis, observations.channel(picture, layer, channel))
        axis.images[-1].set_extent((left, left + 1, top - shape, top))
        title = "the picture" if channel is None else f"channel {channel}"
        axis.text(left + 0.5, top + 0.015, title, ha="center", va="bottom", fontsize=14)
    axis.set_xlim(0, 1.03 * columns - 0.03)
    axis.set_ylim(-(rows - 1) * step - shape, 0.12)
    return Plot(figure, f"{picture}, and its {count} most active feature maps of {layer}.")


def exciting(
    observations: Observations, channels: Sequence[tuple[str, int]], count: int = 8
) -> Plot:
    """For each channel, the patches of all the pictures that excite it most.

    Parameters
    ----------
    observations : Observations
    channels : sequence of (layer, channel)
        A row each.
    count : int
        Patches in a row, the strongest first.
    """
    if not channels:
        raise StylelibError("Name at least one channel, for example ('conv3_4', 91).")
    width = 10.0 / (count + 1)
    figure, axes = grid(len(channels), count + 1, (width, width + 0.06))
    for row, (layer, channel) in zip(axes, channels, strict=True):
        for axis in row:
            axis.set_axis_off()
        row[0].text(0, 0.5, f"{layer}\nchannel\n{channel}", fontsize=14, va="center")
        patches = observations.strongest(layer, channel, count)
        for axis, patch in zip(row[1:], patches, strict=False):
            show_picture(axis, observations.crop(patch))
        if not patches:
            row[1].text(0, 0.5, "silent: nothing in these\npictures excites it", fontsize=14)
    names = ", ".join(f"{layer} channel {channel}" for layer, channel in channels)
    return Plot(figure, f"The patches of the pictures that excite {names} most, a row each.")


def where_exciting(observations: Observations, layer: str, channel: int, count: int = 8) -> Plot:
    """The patches that excite a channel most, with their names and values.

    Each is as large as the receptive field, and grey where that reaches over the
    edge of the picture.
    """
    columns, (wide, tall) = 4, (2.5, 3.2)  # of one patch with its caption, in inches
    rows = -(-count // columns)
    figure = canvas(columns * wide, rows * tall)
    patches = observations.strongest(layer, channel, count)
    for index, patch in enumerate(patches):
        row, column = divmod(index, columns)
        left, bottom = (column + 0.01) / columns, 1 - (row + 0.99) / rows
        axes = place(figure, left, bottom, 0.98 / columns, 0.98 * wide / tall / rows)
        show_picture(axes, observations.crop(patch))
        axes.set_title(_caption(patch), fontsize=13)
    if not patches:
        figure.text(0.01, 0.75, "Silent: nothing in these pictures excites it.", fontsize=14)
    return Plot(
        figure,
        f"The {len(patches)} patches of the pictures that excite channel {channel} of {layer} "
        f"most.",
    )


def channels_at(observations: Observations, picture: str, layer: str, x: float, y: float) -> Plot:
    """A place in a picture, and the maps of the three channels that it excites most.

    Parameters
    ----------
    observations : Observations
    picture, layer : str
    x, y : float
        In parts of the picture's width and height, 0-1 from its top left.
    """
    image = observations.pictures[picture]
    height, width = image.shape[-2:]
    found = observations.channels_at(picture, layer, x, y, 3)
    figure, axes = grid(2, 2, (5.0, 5.0 * height / width + 0.4))
    show_picture(axes[0, 0], image, picture)
    for axis, channel in zip(axes.flat[1:], found, strict=True):
        values = observations.channel(picture, layer, channel)
        draw_map(axis, values, f"{layer}, channel {channel}")
        # Every panel in pixels of the picture, so that the circles are at the same place.
        axis.images[0].set_extent((-0.5, width - 0.5, height - 0.5, -0.5))
    for axis in axes.flat:
        for colour, radius in (("white", width / 30 + 2), (COLORS["style"], width / 30)):
            circle = Circle(
                (x * width, y * height), radius, fill=False, edgecolor=colour, linewidth=2.5
            )
            axis.add_patch(circle)
    return Plot(
        figure,
        f"A circle in {picture}, and the maps of the three channels of {layer} that the place "
        f"in it excites most.",
    )


def compared(images: Mapping[str, Mapping[str, Tensor]], layers: Sequence[str]) -> Plot:
    """Feature maps of several networks side by side: a row a layer, a column a network.

    Parameters
    ----------
    images : mapping of network's name to its maps by layer, each (C, h, w)
        The two channels of the highest mean are shown.
    layers : sequence of str
    """
    sample = next(iter(images.values()))[layers[0]]
    figure, axes = grid(
        len(layers), 2 * len(images), (2.5, 2.5 * sample.shape[-2] / sample.shape[-1] + 0.35)
    )
    for row, layer in zip(axes, layers, strict=True):
        for index, (name, maps) in enumerate(images.items()):
            best = maps[layer].mean(dim=(1, 2)).argsort(descending=True, stable=True)[:2]
            for axis, channel in zip(row[2 * index : 2 * index + 2], best.tolist(), strict=True):
                draw_map(axis, maps[layer][channel], f"{name} {layer}")
                axis.set_title(f"{name}: {layer}", fontsize=13)
    return Plot(
        figure, f"Feature maps of {', '.join(layers)}, two of each: {' and '.join(images)}."
    )


def choosiness(networks: Mapping[str, Observations], layers: Sequence[str]) -> Plot:
    """How often a channel answers at all, layer by layer, in each network.

    Parameters
    ----------
    networks : mapping of name to Observations
        At most three.
    layers : sequence of str
    """
    figure, axes = grid(1, 1, (10.0, 4.4))
    axis = axes[0, 0]
    colours = ("content", "muted", "style")
    for (name, observations), colour in zip(networks.items(), colours, strict=False):
        shares = [100 * observations.share_above_zero(layer) for layer in layers]
        axis.plot(layers, shares, marker="o", markersize=8, linewidth=3, color=COLORS[colour])
        axis.annotate(
            name, (len(layers) - 1, shares[-1]), (12, 0), textcoords="offset points",
            color=COLORS[colour], fontsize=15, va="center", annotation_clip=False,
        )  # fmt: skip
    axis.set_ylim(0, 100)
    axis.set_ylabel("% of values above 0")
    axis.tick_params(axis="x", rotation=60)
    return Plot(
        figure,
        f"The share of values above 0, layer by layer from {layers[0]} to {layers[-1]}, a line "
        f"each for {' and '.join(networks)}.",
    )


def _caption(patch: Patch) -> str:
    """A patch's value and picture, in three lines."""
    name = wrap(patch.picture, 21)[:2]
    return "\n".join([f"{patch.value:.1f}", *name, *[""] * (2 - len(name))])
