"""The controls of settings, made from what `stylelib.recipes.SETTINGS` says about each."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import ipywidgets
import traitlets

from ..core.layers import STYLE_LAYERS
from ..errors import StylelibError, pick
from ..recipes import METHODS, SETTINGS
from .runs import is_live

WIDE: Any = {"style": {"description_width": "110px"}, "layout": {"width": "calc(100% - 6px)"}}
"""A control as wide as its page, with a label of the same width as the others'."""
METHOD_LABELS = {"neighbours": "Neighbours (2022)", "gram": "Gram matrices (2015)"}
"""What each method is called."""
SENTENCES = {
    "neighbours": "Each place of the photo takes the most similar place of the painting.",
    "gram": "The picture as a whole gets the painting's features.",
}
"""What each method does, for a beginner."""
SIZES = {"sketch": 256, "picture": 512, "poster": 1024}
"""The longest side in pixels, by name."""

_CONTENT_LAYERS = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")
_LARGEST = 2**53 - 1  # the largest whole number that a browser holds exactly


def knob(name: str, value: Any) -> Any:
    """A setting's control, with the label, tooltip, range and choices from `SETTINGS`."""
    setting = SETTINGS[name]
    words: dict[str, Any] = {"description": setting.label, "tooltip": tooltip(name), **WIDE}
    if setting.kind == "switch":
        return ipywidgets.Checkbox(value=value, indent=False, **words)
    if setting.kind == "choice":
        options = [(setting.in_words(choice), choice) for choice in setting.values]
        return ipywidgets.Dropdown(options=options, value=value, **words)
    if setting.kind == "layers":
        layers = _CONTENT_LAYERS if name == "content_layers" else STYLE_LAYERS
        return LayerWeights(setting.label, tooltip(name), layers, value)
    if setting.shown:
        low, high, step = setting.shown
        kind = ipywidgets.IntSlider if setting.whole else ipywidgets.FloatSlider
        low, high = min(low, value), max(high, value)
        return kind(value=value, min=low, max=high, step=step, **words)
    if setting.whole:
        low, high = setting.low, min(setting.high, _LARGEST)
        return ipywidgets.BoundedIntText(value=value, min=low, max=high, **words)
    if value <= 0:
        raise StylelibError(f"{name} can't be {value:g} here, only in a recipe.")
    low, high = _powers(value)
    return ipywidgets.FloatLogSlider(
        value, min=low, max=high, step=0.02, readout_format=".2f", **words
    )


def put(name: str, control: Any, value: Any) -> None:
    """Set a control to the value of another recipe, and its range to what suits that."""
    if isinstance(control, ipywidgets.FloatLogSlider):
        with control.hold_sync():
            control.min, control.max = _powers(value)
            turn(name, control, value)
    else:
        if isinstance(control, ipywidgets.FloatSlider | ipywidgets.IntSlider):
            SETTINGS[name].check(name, value)
            control.min, control.max = min(control.min, value), max(control.max, value)
        getattr(control, "choose", partial(turn, name, control))(value)


def _powers(value: float) -> tuple[float, float]:
    """The ends of a slider that goes from a thirtieth to thirty times a value."""
    middle = math.log10(value)
    return middle - 1.5, middle + 1.5


def tooltip(name: str) -> str:
    """A setting's help, and when a change takes effect."""
    if is_live(name):
        return f"{SETTINGS[name].help} You can change it while painting."
    return f"{SETTINGS[name].help} A change takes effect with the next painting."


class LayerWeights(ipywidgets.VBox):
    """Sliders from 0, where a layer does not count, to 2.

    It offers `layers`, and all others that have a weight at the start.
    """

    value = traitlets.Dict()  # the weights above 0, by layer

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


class MethodKnob(ipywidgets.VBox):
    """The methods by name, and the chosen one in a sentence."""

    value = traitlets.Unicode()

    def __init__(self, method: str) -> None:
        self.buttons = ipywidgets.ToggleButtons(
            options=[(METHOD_LABELS[name], name) for name in METHODS],
            tooltips=[f"{SENTENCES[name]} A change takes effect with the next painting."
                      for name in METHODS],
            layout={"width": "100%"},
        )  # fmt: skip
        self._sentence = ipywidgets.HTML()
        super().__init__([self.buttons, self._sentence])
        self.observe(self._tell, "value")
        self.choose(method)
        traitlets.link((self, "value"), (self.buttons, "value"))

    def choose(self, method: str) -> None:
        """Choose a method by its name."""
        self.value = pick(method, METHODS, "method")

    def _tell(self, _: Any) -> None:
        # Always room for two lines, so that nothing below moves.
        self._sentence.value = (
            f"<div style='line-height:1.4; min-height:2.8em'>{SENTENCES[self.value]}</div>"
        )


class SizeKnob(ipywidgets.ToggleButtons):
    """The longest side: three sizes by name, and any other one that was chosen from code."""

    def __init__(self) -> None:
        super().__init__(
            options=[(f"{name} {size}", size) for name, size in SIZES.items()],
            value=SIZES["picture"],
            tooltips=[f"{size} pixels on the longer side" for size in SIZES.values()],
            layout={"width": "100%"},
        )

    def choose(self, size: Any) -> None:
        """Choose a size by its name or in pixels."""
        if isinstance(size, str):
            size = SIZES[pick(size, SIZES, "size")]
        SETTINGS["size"].check("size", size)
        if size not in dict(self.options).values():
            self.options += ((f"other {size}", size),)
        self.value = size


def read(control: Any) -> Any:
    """A control's value; a slider's number to three digits, as shown beside it."""
    value = control.value
    return float(f"{value:.3g}") if isinstance(value, float) else value


def turn(name: str, control: Any, value: Any) -> None:
    """Set a control from code; raises StylelibError if it can't have that value."""
    if name in SETTINGS:
        SETTINGS[name].check(name, value)
    low, high = getattr(control, "min", -math.inf), getattr(control, "max", math.inf)
    if isinstance(control, ipywidgets.FloatLogSlider):
        # As rounded as they are shown; the slider takes what lies a little beyond for its end.
        low, high = (float(f"{control.base**power:.3g}") for power in (low, high))
    if isinstance(value, int | float) and not low <= value <= high:
        raise StylelibError(
            f"{name} can't be {value:g} here: it goes from {low:.3g} to {high:.3g}."
        )
    try:
        control.value = value
    except traitlets.TraitError as error:
        raise StylelibError(f"{name} can't be {value!r} here.") from error
