"""The explorers of lesson 01."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain, count
from typing import Any

import ipywidgets
import torch
from IPython.display import display
from torch import Tensor

from ...core.vgg import LAYERS, VGG19
from ..explorer import Explorer
from ..progress import Progress
from ..theme import Plot
from . import figures_convolution as cnn
from . import figures_maps as maps
from . import figures_network as whole
from .kernels import KERNELS, grey
from .observations import Observations

OWN = "your own"
_PLACES = (
    "top left", "top", "top right", "left", "centre", "right",
    "bottom left", "bottom", "bottom right",
)  # fmt: skip
_WIDE = ipywidgets.Layout(width="420px")


def observe(
    pictures: Mapping[str, Tensor],
    network: VGG19 | None = None,
    layers: Sequence[str] = LAYERS,
    label: str = "looking",
) -> Observations:
    """`Observations` of several pictures, with a bar that shows how far it is."""
    bar, done = Progress(label, len(pictures)), count(1)
    display(bar)
    return Observations(pictures, network, layers, lambda _: bar.move(next(done)))


class KernelExplorer(Explorer):
    """A 3 x 3 kernel under nine sliders, on a picture.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    preset : str
        A name from `KERNELS` to start from.

    Examples
    --------
    >>> KernelExplorer(load_image("camel", 256)).set(preset="emboss", centre=3)
    """

    def __init__(self, image: Tensor, preset: str = "edge") -> None:
        self._brightness, self._moving = grey(image), False
        names = ipywidgets.Dropdown(
            options=[*KERNELS, OWN], value=preset, description="kernel",
            tooltip="A kernel with a name, to start from",
        )  # fmt: skip
        numbers = {
            name.replace(" ", "_"): ipywidgets.FloatSlider(
                value, min=-8, max=8, step=0.05, description=name, readout_format=".2f",
                tooltip=f"The kernel's number at {name}: what the pixel there is multiplied by",
                layout=ipywidgets.Layout(width="290px"),
            )
            for name, value in zip(_PLACES, chain(*KERNELS[preset]), strict=True)
        }  # fmt: skip
        self._numbers = numbers
        super().__init__(self._filter, preset=names, **numbers)
        nine = ipywidgets.GridBox(
            list(numbers.values()),
            layout=ipywidgets.Layout(grid_template_columns="repeat(3, 300px)"),
        )
        self.children[0].children = (names, nine)

    def _filter(self, preset: str, **numbers: float) -> Plot:
        kernel = torch.tensor(list(numbers.values())).view(3, 3)
        return cnn.filtered(self._brightness, kernel, preset)

    def _changed(self, change: Any) -> None:
        if self._moving:  # one control moves others: draw when all have moved
            return
        self._moving = True
        try:
            self._keep_in_step(change)
        finally:
            self._moving = False
        super()._changed(change)

    def _keep_in_step(self, change: Any) -> None:
        """Nine sliders as the name says, or the name as the nine sliders say."""
        names = self.controls["preset"]
        if change["owner"] is not names:
            names.value = OWN
        elif names.value != OWN:
            values = chain(*KERNELS[names.value])
            for slider, value in zip(self._numbers.values(), values, strict=True):
                slider.value = value


def walk_explorer(image: Tensor, preset: str = "upright edge", place: int = 0) -> Explorer:
    """A kernel that moves over a small picture, place by place, with its arithmetic.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        Small: some 40 pixels wide.
    preset : str
    place : int
        Where to start: 0 is the top left, then row by row.
    """
    brightness = grey(image)
    last = brightness.numel() - 1
    names = ipywidgets.Dropdown(
        options=list(KERNELS), value=preset, description="kernel", tooltip="The kernel that moves"
    )
    places = ipywidgets.IntSlider(
        place, min=0, max=last, description="place", layout=_WIDE,
        tooltip="Where the window is: row by row from the top left; the arrow keys move it by one",
    )  # fmt: skip
    explorer = Explorer(
        lambda preset, place: cnn.walk(brightness, torch.tensor(KERNELS[preset]), place),
        preset=names,
        place=places,
    )
    play = ipywidgets.Play(
        value=place, min=0, max=last, step=7, interval=250, tooltip="Move by itself"
    )
    ipywidgets.jslink((play, "value"), (places, "value"))
    box = explorer.children[0]
    box.children = (*box.children, play)
    return explorer


def first_layer_explorer(image: Tensor, network: VGG19, channel: int = 0) -> Explorer:
    """The 64 kernels of `conv1_1`, one at a time, and their maps."""
    return Explorer(partial(cnn.first_layer, image, network), channel=_channel(64, channel))


def map_explorer(
    observations: Observations, picture: str, layer: str = "conv3_1", channel: int = 0
) -> Explorer:
    """Any channel of any layer, on any picture."""
    controls = _layer_and_channel(observations, layer, channel)
    return Explorer(
        partial(maps.feature_map, observations), picture=_picture(observations, picture), **controls
    )


def most_active_explorer(
    observations: Observations, picture: str, layer: str = "conv3_1"
) -> Explorer:
    """The most active maps of a layer, on any picture."""
    return Explorer(
        partial(maps.most_active, observations, count=11),
        picture=_picture(observations, picture),
        layer=_layer(observations.layers, layer),
    )


def patch_explorer(observations: Observations, layer: str, channel: int = 0) -> Explorer:
    """The patches of all the pictures that excite a channel most."""
    return Explorer(
        partial(maps.where_exciting, observations),
        **_layer_and_channel(observations, layer, channel),
    )


def place_explorer(
    observations: Observations, picture: str, layer: str, x: float = 0.5, y: float = 0.5
) -> Explorer:
    """A place in a picture, and the channels that it excites most."""
    return Explorer(
        partial(maps.channels_at, observations),
        picture=_picture(observations, picture),
        layer=_layer(observations.layers, layer),
        x=_part("across", "How far from the left: 0 to 1", x),
        y=_part("down", "How far from the top: 0 to 1", y),
    )


def receptive_field_explorer(
    image: Tensor, layer: str = "conv4_1", x: float = 0.5, y: float = 0.5
) -> Explorer:
    """The square of a picture that one number of a layer can see."""
    return Explorer(
        lambda layer, x, y: whole.receptive_fields(image, [layer], x, y),
        layer=_layer(LAYERS, layer),
        x=_part("across", "How far from the left the number is: 0 to 1", x),
        y=_part("down", "How far from the top the number is: 0 to 1", y),
    )


def shape_explorer(height: int, width: int) -> Explorer:
    """The shapes through VGG-19, for any size of picture."""
    sides = {
        name: ipywidgets.IntSlider(
            value, min=32, max=1024, step=16, description=name,
            tooltip=f"The picture's {name}, in pixels",
        )
        for name, value in (("height", height), ("width", width))
    }  # fmt: skip
    return Explorer(whole.shapes, **sides)


def _picture(observations: Observations, name: str) -> ipywidgets.Dropdown:
    return ipywidgets.Dropdown(
        options=list(observations.pictures), value=name, description="picture",
        tooltip="The picture that the network looks at",
    )  # fmt: skip


def _layer(layers: tuple[str, ...], name: str) -> ipywidgets.SelectionSlider:
    return ipywidgets.SelectionSlider(
        options=list(layers), value=name, description="layer", tooltip="From shallow to deep"
    )


def _channel(channels: int, value: int) -> ipywidgets.IntSlider:
    return ipywidgets.IntSlider(
        value, min=0, max=channels - 1, description="channel", layout=_WIDE,
        tooltip="Which of the layer's maps; the arrow keys move by one",
    )  # fmt: skip


def _layer_and_channel(
    observations: Observations, layer: str, channel: int
) -> dict[str, ipywidgets.Widget]:
    """The two controls; each layer has as many channels as it has."""
    layers = _layer(observations.layers, layer)
    channels = _channel(observations.count_channels(layer), channel)

    def fit(change: Any) -> None:
        channels.max = observations.count_channels(change["new"]) - 1

    layers.observe(fit, "value")
    return {"layer": layers, "channel": channels}


def _part(name: str, tooltip: str, value: float) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        value, min=0, max=1, step=0.005, description=name, tooltip=tooltip, readout_format=".3f"
    )
