"""Lesson 01's figures with sliders and menus."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import ipywidgets
import torch
from torch import Tensor

from ...core.layers import LAYERS
from ...core.vgg import VGG19
from ..explorer import Explorer, cell
from ..theme import Plot
from ..widgets import menu
from . import figures_convolution, figures_maps, figures_network
from .bank import channels, made_before
from .kernels import KERNELS, grey
from .observations import Observations

Controls = dict[str, ipywidgets.Widget]

OWN = "your own"
_WEIGHTS = (
    "top left", "top", "top right", "left", "centre", "right",
    "bottom left", "bottom", "bottom right",
)  # fmt: skip


class KernelExplorer(Explorer):
    """A picture under a 3 x 3 kernel, with a slider for each of its nine weights.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    preset : str
        The kernel to start from, a name in `KERNELS`.

    Examples
    --------
    >>> from stylelib import load_image
    >>> explorer = KernelExplorer(load_image("camel", 64)).set(preset="emboss", centre=3)
    >>> explorer.values["preset"]
    'your own'
    """

    def __init__(self, image: Tensor, preset: str = "edge") -> None:
        self._brightness, self._syncing = grey(image), False
        names = menu("kernel", [*KERNELS, OWN], preset, "A well-known kernel to start from")
        self._sliders = {
            name.replace(" ", "_"): ipywidgets.FloatSlider(
                value, min=-8, max=8, step=0.05, description=name, readout_format=".2f",
                tooltip=f"Kernel weight, {name}: the pixel there is multiplied by it",
                layout=ipywidgets.Layout(width="auto"),
            )
            for name, value in zip(_WEIGHTS, chain(*KERNELS[preset]), strict=True)
        }  # fmt: skip
        super().__init__(self._filter, preset=names, **self._sliders)
        for slider in self._sliders.values():
            slider.style.description_width = "84px"  # or the tracks would not be of one length
        # A square, like the kernel; on a narrow page two columns, or no track would be left.
        columns = "repeat(auto-fit, minmax(max(190px, 30%), 1fr))"
        square = ipywidgets.GridBox(
            list(self._sliders.values()),
            layout={"grid_template_columns": columns, "width": "100%", "max_width": "900px"},
        )
        self.children[0].children = (names, square)

    def _filter(self, preset: str, **weights: float) -> Plot:
        kernel = torch.tensor(list(weights.values())).view(3, 3)
        return figures_convolution.filtered(self._brightness, kernel, preset)

    def _changed(self, change: Any) -> None:
        if self._syncing:  # a control that moves others: draw once all have moved
            return
        self._syncing = True
        names = self.controls["preset"]
        if change["owner"] is not names:
            names.value = OWN
        elif names.value != OWN:
            weights = chain(*KERNELS[names.value])
            for slider, weight in zip(self._sliders.values(), weights, strict=True):
                slider.value = weight
        self._syncing = False
        super()._changed(change)


def walk_explorer(image: Tensor, preset: str = "vertical edge", position: int = 0) -> Explorer:
    """A kernel that moves over a small picture step by step, with the arithmetic.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        About 40 pixels wide.
    preset : str
        A name in `KERNELS`.
    position : int
        Where to start: 0 is the top left pixel, then row by row.
    """
    brightness = grey(image)
    last = brightness.numel() - 1
    tooltip = "Where the window is, row by row from the top left; the arrow keys move it by one"
    positions = _wide_slider("position", position, last, tooltip)
    presets = menu("kernel", KERNELS, preset, "The kernel that moves over the picture")

    def draw(preset: str, position: int) -> Plot:
        return figures_convolution.walk(brightness, torch.tensor(KERNELS[preset]), position)

    rows, columns = brightness.shape

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        # The picture, and the results below the same positions.
        return {"position": cell(y, rows) * columns + cell(x, columns)} if axes < 2 else {}

    explorer = Explorer(draw, clicked, preset=presets, position=positions)
    play = ipywidgets.Play(
        value=position, min=0, max=last, step=7, interval=250, tooltip="Move the window along"
    )
    ipywidgets.jslink((play, "value"), (positions, "value"))
    explorer.children[0].children += (play,)
    return explorer


def first_layer_explorer(image: Tensor, network: VGG19, channel: int = 0) -> Explorer:
    """The 64 kernels of `conv1_1`, one at a time, with their maps."""
    draw = partial(figures_convolution.first_layer, image, network)
    return Explorer(draw, channel=_channel(64, channel))


def map_explorer(
    observations: Observations, picture: str, layer: str = "conv3_1", channel: int = 0
) -> Explorer:
    """Any channel of any observed layer, on any picture."""
    controls = _picture(observations, picture) | _layer_and_channel(observations, layer, channel)
    return Explorer(partial(figures_maps.feature_map, observations), **controls)


def most_active_explorer(
    observations: Observations, picture: str, layer: str = "conv3_1"
) -> Explorer:
    """The most active maps of a layer, on any picture; the one that is clicked on is enlarged."""
    controls = _picture(observations, picture) | _layer(observations.layers, layer)
    tooltip = "Which one is enlarged, or click on it; 0 is the picture itself"
    controls["enlarged"] = ipywidgets.IntSlider(
        1, 0, figures_maps.MOSAIC, description="enlarged", tooltip=tooltip
    )

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        number = figures_maps.tile_at(observations.pictures[controls["picture"].value], x, y)
        return {} if number is None else {"enlarged": number}

    return Explorer(partial(figures_maps.mosaic, observations), clicked, **controls)


def patch_explorer(observations: Observations, layer: str, channel: int = 0) -> Explorer:
    """The patches of all the pictures that excite a channel most."""
    controls = _layer_and_channel(observations, layer, channel)
    return Explorer(partial(figures_maps.where_exciting, observations), **controls)


def wanted_explorer(observations: Observations, layer: str, channel: int) -> Explorer:
    """What a channel wants to see, made beforehand, beside the patches that excite it."""
    names = {
        f"{each}, channel {number}": (each, number)
        for each, number in channels()
        if each in observations.layers
    }
    start = f"{layer}, channel {channel}"
    choice = menu("channel", names, start, "A layer and one of its channels")

    def draw(channel: str) -> Plot:
        made = {"what it wants": made_before(*names[channel])}
        return figures_maps.wanted_beside(observations, *names[channel], made)

    return Explorer(draw, channel=choice)


def position_explorer(
    observations: Observations, picture: str, layer: str, x: float = 0.5, y: float = 0.5
) -> Explorer:
    """A position in a picture, and the channels that stand out there."""
    controls = _picture(observations, picture) | _layer(observations.layers, layer)

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        return _place(observations.pictures[controls["picture"].value], x, y)

    draw = partial(figures_maps.channels_at, observations)
    return Explorer(draw, clicked, **controls, **_across_and_down(x, y))


def receptive_field_explorer(
    image: Tensor, layer: str = "conv4_1", x: float = 0.5, y: float = 0.5
) -> Explorer:
    """The square of a picture that one value of a layer can see."""

    def draw(layer: str, x: float, y: float) -> Plot:
        return figures_network.receptive_fields(image, [layer], x, y)

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        return _place(image, x, y)

    return Explorer(draw, clicked, **_layer(LAYERS, layer), **_across_and_down(x, y))


def shape_explorer(height: int, width: int) -> Explorer:
    """The shapes through VGG-19, for a picture of any size."""
    side = partial(ipywidgets.IntSlider, min=32, max=1024, step=16)
    return Explorer(
        figures_network.shapes,
        height=side(height, description="height", tooltip="The picture's height, in pixels"),
        width=side(width, description="width", tooltip="The picture's width, in pixels"),
    )


def _wide_slider(name: str, value: int, last: int, tooltip: str) -> ipywidgets.IntSlider:
    return ipywidgets.IntSlider(
        value, 0, last, description=name, tooltip=tooltip, layout={"width": "420px"}
    )


def _channel(count: int, value: int) -> ipywidgets.IntSlider:
    tooltip = "Which of the layer's maps; the arrow keys move by one"
    return _wide_slider("channel", value, count - 1, tooltip)


def _picture(observations: Observations, name: str) -> Controls:
    tooltip = "The picture that the network looks at"
    return {"picture": menu("picture", observations.pictures, name, tooltip)}


def _layer(layers: Sequence[str], name: str) -> Controls:
    slider = ipywidgets.SelectionSlider(
        options=layers, value=name, description="layer", tooltip="From shallow to deep"
    )
    return {"layer": slider}


def _layer_and_channel(observations: Observations, layer: str, channel: int) -> Controls:
    """Two sliders; the second has as many channels as the layer that is chosen."""
    layers = _layer(observations.layers, layer)
    channels = _channel(observations.count_channels(layer), channel)

    def fit(change: Any) -> None:
        channels.max = observations.count_channels(change["new"]) - 1

    layers["layer"].observe(fit, "value")
    return layers | {"channel": channels}


def _place(image: Tensor, x: float, y: float) -> Mapping[str, float]:
    """A position in pixels, of which the first one's middle is 0, as the two sliders have it."""
    height, width = image.shape[-2:]
    shares = {"x": (x + 0.5) / width, "y": (y + 0.5) / height}
    return {name: min(max(share, 0.0), 1.0) for name, share in shares.items()}


def _across_and_down(x: float, y: float) -> Controls:
    """Two sliders for a position in the picture."""
    slider = partial(ipywidgets.FloatSlider, min=0, max=1, step=0.005, readout_format=".3f")
    return {
        "x": slider(x, description="across", tooltip="0 is the left edge, 1 the right edge"),
        "y": slider(y, description="down", tooltip="0 is the top edge, 1 the bottom edge"),
    }
