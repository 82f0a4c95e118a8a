"""The controls of lesson 06."""

from collections.abc import Mapping

from ipywidgets import Dropdown, IntSlider, ToggleButtons
from torch import Tensor

from ...core.layers import STYLE_LAYERS
from ..explorer import Explorer
from ..theme import Plot
from ..widgets import menu
from .compute import clouds
from .figures import SEEN, WAYS, sand, seen_by


def sand_explorer(grains: Tensor, places: Tensor) -> Explorer:
    """Move grains of sand on a line to their places, in two ways.

    Parameters
    ----------
    grains, places : Tensor, shape (N,)
    """
    return Explorer(
        lambda way: sand(grains, places, way),
        way=menu("way", WAYS, WAYS[1], "Which grain goes where"),
    )


def statistics_explorer(
    images: Mapping[str, Tensor], layer: str = "conv2_1", statistic: str = "nothing yet"
) -> Explorer:
    """Two pictures as clouds of positions, and what each statistic sees of them.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
        The painting first.
    layer : str
        One of `STYLE_LAYERS`.
    statistic : str
        One of `SEEN`.
    """
    found = clouds(images, STYLE_LAYERS)  # all at once, because the network takes a while

    def draw(statistic: str, layer: str, angle: int) -> Plot:
        return seen_by(found[layer], statistic, angle)

    return Explorer(
        draw,
        statistic=ToggleButtons(
            options=list(SEEN), value=statistic, description="seen by",
            tooltip="Which statistic to draw over the clouds", style={"button_width": "auto"},
        ),
        layer=Dropdown(
            options=list(STYLE_LAYERS), value=layer, description="layer",
            tooltip="The layer that the feature maps come from",
        ),
        angle=IntSlider(
            45, 0, 90, 5, description="direction °",
            tooltip="The direction to project onto: 0 is the first map, 90 the second",
        ),
    )  # fmt: skip
