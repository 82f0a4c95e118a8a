"""How much each layer counts: a slider a layer."""

from collections.abc import Mapping
from typing import Any

import ipywidgets
import traitlets

from ..errors import StylelibError, pick
from .knobs import FULL, WIDE


class LayerWeights(ipywidgets.VBox):
    """Sliders from 0, where the layer does not count, to 2.

    Parameters
    ----------
    what : str
        "content" or "style".
    layers : sequence of str
        The layers on offer.
    weights : mapping of layer to weight
        To begin with; of the others it is 0.

    Attributes
    ----------
    value : dict of layer to weight
        Of those above 0.
    sliders : dict of layer to ipywidgets.FloatSlider
    """

    value = traitlets.Dict()

    def __init__(self, what: str, layers: tuple[str, ...], weights: Mapping[str, float]) -> None:
        self.sliders = {
            name: ipywidgets.FloatSlider(
                value=weights.get(name, 0.0),
                max=2.0,
                step=0.05,
                description=name,
                tooltip=f"How much {name} counts for the {what} loss; 0 leaves it out",
                style=WIDE,
                layout=FULL,
            )
            for name in dict.fromkeys([*layers, *weights])
        }
        for slider in self.sliders.values():
            slider.observe(self._moved, "value")
        head = ipywidgets.HTML(f"<b>{what.capitalize()} layers</b>, early to late")
        super().__init__([head, *self.sliders.values()], value=self._read())
        self.observe(self._set, "value")

    def _read(self) -> dict[str, float]:
        return {name: round(s.value, 3) for name, s in self.sliders.items() if s.value}

    def _moved(self, _: Any) -> None:
        self.value = self._read()

    @traitlets.validate("value")
    def _check(self, proposal: Any) -> dict[str, float]:
        for name, weight in proposal["value"].items():
            pick(name, self.sliders, "layer here")
            if not 0 <= weight <= 2:
                raise StylelibError(f"{name} can't be {weight:g} here: it goes from 0 to 2.")
        return {name: float(weight) for name, weight in proposal["value"].items() if weight}

    def _set(self, change: Any) -> None:
        with self.hold_trait_notifications():
            for name, slider in self.sliders.items():
                slider.value = change["new"].get(name, 0.0)
