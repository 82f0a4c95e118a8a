"""How much each layer counts: one slider for each."""

from collections.abc import Mapping
from typing import Any

import ipywidgets
import traitlets

from ..errors import StylelibError, pick
from .looks import WIDE


class LayerWeights(ipywidgets.VBox):
    """Sliders from 0, where a layer does not count, to 2.

    It offers `layers`, and all others that have a weight at the start.

    Attributes
    ----------
    value : dict of layer to weight
        Only those above 0.
    sliders : dict of layer to ipywidgets.FloatSlider
    """

    value = traitlets.Dict()

    def __init__(
        self, label: str, tooltip: str, layers: tuple[str, ...], weights: Mapping[str, float]
    ) -> None:
        self.sliders = {
            name: ipywidgets.FloatSlider(
                value=weights.get(name, 0.0),
                max=2.0,
                step=0.05,
                description=name,
                tooltip=f"How much {name} counts; 0 leaves it out",
                **WIDE,
            )
            for name in dict.fromkeys([*layers, *weights])
        }
        for slider in self.sliders.values():
            slider.observe(self._moved, "value")
        head = ipywidgets.HTML(f"<b>{label}</b>", tooltip=tooltip)
        super().__init__([head, *self.sliders.values()])
        self._moved()
        self.observe(self._set, "value")

    def _moved(self, _: Any = None) -> None:
        self.value = {name: round(s.value, 3) for name, s in self.sliders.items() if s.value}

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
