"""Figures of lesson 01: feature maps, and the patches that excite them."""

import math
from collections.abc import Mapping, Sequence
from textwrap import wrap

from matplotlib.patches import Circle
from torch import Tensor

from ...errors import StylelibError
from ..drawing import draw_map
from ..theme import COLORS, Plot, canvas, grid, place, show_picture, styled
from .observations import Observations

_COLUMNS = 5
# Row and column of each in a mosaic: all but the corner, where one is enlarged.
_TILES = [(row, column) for row in range(3) for column in range(_COLUMNS) if row == 2 or column > 1]
MOSAIC = len(_TILES) - 1
"""How many maps there are in a mosaic, beside the picture."""


def feature_map(observations: Observations, picture: str, layer: str, channel: int) -> Plot:
    """A picture and one of its feature maps."""
    values = observations.channel(picture, layer, channel)
    image = observations.pictures[picture]
    height, width = values.shape
    figure, ((left, right),) = grid(1, 2, (5.0, 5.0 * image.shape[-2] / image.shape[-1] + 0.4))
    show_picture(left, image, picture)
    draw_map(right, values, f"{layer}, channel {channel}: {width} x {height}")
    bar = figure.colorbar(right.images[0], ax=right, fraction=0.05, pad=0.02)
    bar.ax.tick_params(labelsize=13)
    bar.set_label("value after ReLU", fontsize=13)
    return Plot(figure, f"{picture}, and channel {channel} of {layer}: {width} x {height} values.")


def mosaic(observations: Observations, picture: str, layer: str, enlarged: int = 1) -> Plot:
    """A picture and the `MOSAIC` maps of a layer with the highest mean, highest first.

    The picture is number 0; the one with the number `enlarged` is shown again, four times as
    large.
    """
    image = observations.pictures[picture]
    channels = observations.most_active(picture, layer, MOSAIC)
    titles = ["the picture", *(f"channel {channel}" for channel in channels)]
    shape, tall = image.shape[-2] / image.shape[-1], _tall(image)
    # All in the same axes: creating many would take most of the time.
    figure, ((axis,),) = grid(1, 1, (10.0, 10.0 * 3 * tall / _COLUMNS))
    tiles = [*enumerate(_TILES), (enlarged, (0, 0))]
    for number, (row, column) in tiles:
        size = 2 if (row, column) == (0, 0) else 1
        if number == 0:
            show_picture(axis, image)
        else:
            draw_map(axis, observations.channel(picture, layer, channels[number - 1]))
        left, bottom = 1.03 * column, -(row + size) * tall
        wide = size * 1.03 - 0.03
        axis.images[-1].set_extent((left, left + wide, bottom, bottom + wide * shape))
        title = {"ha": "center", "va": "bottom", "fontsize": 14}
        if number == enlarged:
            title |= {"color": COLORS["style"], "fontweight": "bold"}
        axis.text(left + wide / 2, bottom + wide * shape + 0.02, titles[number], **title)
    axis.set(xlim=(0, 1.03 * _COLUMNS - 0.03), ylim=(-3 * tall, 0))
    return Plot(
        figure,
        f"{picture}, and its {MOSAIC} most active feature maps of {layer}; enlarged: "
        f"{titles[enlarged]}.",
    )


def tile_at(image: Tensor, x: float, y: float) -> int | None:
    """The number of the map at a position in the axes of `mosaic`; None for the large one."""
    place = int(-y / _tall(image)), int(x / 1.03)
    return _TILES.index(place) if place in _TILES else None


def _tall(image: Tensor) -> float:
    """The height of a picture (1, 3, H, W) of width 1 in `mosaic`, with its title."""
    return image.shape[-2] / image.shape[-1] + 0.17


def exciting(
    observations: Observations, channels: Sequence[tuple[str, int]], count: int = 8
) -> Plot:
    """For each channel, the patches of all the pictures that excite it most.

    Parameters
    ----------
    observations : Observations
    channels : sequence of (layer, channel)
        One row for each.
    count : int
        Patches in a row, strongest first.
    """
    if not channels:
        raise StylelibError("Name at least one channel, for example ('conv3_4', 91).")
    width = 10.0 / (count + 1)
    figure, axes = grid(len(channels), count + 1, (width, width + 0.06))
    for axis in axes.flat:
        axis.set_axis_off()
    for row, (layer, channel) in zip(axes, channels, strict=True):
        row[0].text(0, 0.5, f"{layer}\nchannel\n{channel}", fontsize=14, va="center")
        patches = observations.strongest(layer, channel, count)
        for axis, patch in zip(row[1:], patches, strict=False):
            show_picture(axis, observations.crop(patch))
        if not patches:
            row[1].text(0, 0.5, "silent: nothing in these\npictures excites it", fontsize=14)
    names = ", ".join(f"{layer} channel {channel}" for layer, channel in channels)
    return Plot(figure, f"The patches that excite each channel most, one row each: {names}.")


@styled()
def wanted_beside(
    observations: Observations, layer: str, channel: int, made: Mapping[str, Tensor]
) -> Plot:
    """Pictures made to excite a channel, beside the patches of real pictures that excite it.

    Parameters
    ----------
    observations : Observations
    layer : str
    channel : int
    made : mapping of title to Tensor, shape (1, 3, H, W), RGB in 0-1
        One or two.
    """
    figure = canvas(10.0, 4.2)
    for index, (title, image) in enumerate(made.items()):
        axes = place(figure, 0.36 * index, 0.02, 0.35, 0.84)
        show_picture(axes, image, title)
    left = 0.36 * len(made) + 0.01
    columns = math.ceil((1 - left) / 0.176)  # so narrow that two rows fit
    wide = (1 - left) / columns
    tall = wide * 10.0 / 4.2
    figure.text(left, 0.89, "patches that excite it", fontsize=14)
    for index, patch in enumerate(observations.strongest(layer, channel, 2 * columns)):
        row, column = divmod(index, columns)
        corner = left + column * wide, 0.86 - (row + 1) * tall
        show_picture(place(figure, *corner, 0.96 * wide, 0.96 * tall), observations.crop(patch))
    return Plot(
        figure,
        f"What channel {channel} of {layer} wants to see ({', '.join(made)}), and the patches of "
        f"the pictures that excite it most.",
    )


def where_exciting(observations: Observations, layer: str, channel: int, count: int = 8) -> Plot:
    """The patches that excite a channel most, each with its picture's name and its value.

    Each patch is as large as the receptive field, and grey where that extends beyond the
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
        lines = [f"{patch.value:.1f}", *wrap(patch.picture, 21), "", ""]
        axes.set_title("\n".join(lines[:3]), fontsize=13)
    if not patches:
        figure.text(0.01, 0.75, "Silent: nothing in these pictures excites it.", fontsize=14)
    return Plot(
        figure, f"The {len(patches)} patches that excite channel {channel} of {layer} most."
    )


def channels_at(observations: Observations, picture: str, layer: str, x: float, y: float) -> Plot:
    """A position in a picture, and the maps of the three channels that stand out there most."""
    image = observations.pictures[picture]
    height, width = image.shape[-2:]
    figure, axes = grid(2, 2, (5.0, 5.0 * height / width + 0.4))
    show_picture(axes[0, 0], image, picture)
    channels = observations.channels_at(picture, layer, x, y, 3)
    for axis, channel in zip(axes.flat[1:], channels, strict=True):
        values = observations.channel(picture, layer, channel)
        draw_map(axis, values, f"{layer}, channel {channel}")
        # In pixels of the picture, so that all circles are in the same position.
        axis.images[0].set_extent((-0.5, width - 0.5, height - 0.5, -0.5))
    for axis in axes.flat:
        for colour, radius in (("white", width / 30 + 2), (COLORS["style"], width / 30)):
            center = (x * width, y * height)
            axis.add_patch(Circle(center, radius, fill=False, edgecolor=colour, linewidth=2.5))
    return Plot(
        figure,
        f"A circle in {picture}, and the maps of the three channels of {layer} that stand out "
        f"there most.",
    )


def compared(images: Mapping[str, Mapping[str, Tensor]], layers: Sequence[str]) -> Plot:
    """The two most active feature maps of several networks: a row a layer, networks in turn.

    Parameters
    ----------
    images : mapping of a network's name to its maps by layer, each (C, h, w)
    layers : sequence of str
    """
    sample = next(iter(images.values()))[layers[0]]
    shape = sample.shape[-2] / sample.shape[-1]
    figure, axes = grid(len(layers), 2 * len(images), (2.5, 2.5 * shape + 0.35))
    for row, layer in zip(axes, layers, strict=True):
        for index, (name, maps) in enumerate(images.items()):
            best = maps[layer].mean(dim=(1, 2)).argsort(descending=True, stable=True)[:2]
            for axis, values in zip(row[2 * index :], maps[layer][best], strict=False):
                draw_map(axis, values, f"{name}: {layer}")
    names = ", ".join(images)
    return Plot(figure, f"Two feature maps of each network ({names}) at {', '.join(layers)}.")


def choosiness(networks: Mapping[str, Observations], layers: Sequence[str]) -> Plot:
    """How many of a layer's values are above 0, layer by layer, in each network.

    Parameters
    ----------
    networks : mapping of name to Observations
        At most three.
    layers : sequence of str
    """
    figure, ((axis,),) = grid(1, 1, (10.0, 4.4))
    colours = (COLORS[name] for name in ("content", "muted", "style"))
    for (name, observations), colour in zip(networks.items(), colours, strict=False):
        shares = [100 * observations.share_above_zero(layer) for layer in layers]
        axis.plot(layers, shares, marker="o", markersize=8, linewidth=3, color=colour)
        axis.text(len(layers) - 1, shares[-1], f"   {name}", color=colour, fontsize=15, va="center")
    axis.set(ylim=(0, 100), ylabel="% of values above 0")
    axis.tick_params(axis="x", rotation=60)
    return Plot(
        figure,
        f"The share of values above 0, layer by layer from {layers[0]} to {layers[-1]}, one line "
        f"for each network: {', '.join(networks)}.",
    )
