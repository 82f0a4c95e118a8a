"""The painter's controls: each with a label, a tooltip and a sensible range."""

import math
from typing import Any

import ipywidgets

from ..errors import StylelibError

SIZES = {"sketch": 256, "picture": 512, "poster": 1024}
"""The longest side in pixels, by what to call it."""

ROW = {"width": "100%", "flex_flow": "row wrap", "align_items": "center"}
WIDE = {"description_width": "110px"}
FULL = {"width": "calc(100% - 6px)"}


def size_knob() -> Any:
    """How large: three words, with the pixels beside them."""
    return ipywidgets.ToggleButtons(
        options=[(f"{word} {size}", size) for word, size in SIZES.items()],
        value=SIZES["picture"],
        tooltips=[f"{size} pixels on the longer side" for size in SIZES.values()],
        style={"button_width": "102px"},
        layout={"width": "100%"},
    )


def weight_knob(name: str, tooltip: str, value: float) -> Any:
    """A logarithmic slider for a weight: `value` in the middle, thirty times it at an end."""
    middle = math.log10(value)
    return ipywidgets.FloatLogSlider(
        value=value,
        min=middle - 1.5,
        max=middle + 1.5,
        step=0.02,
        description=name,
        tooltip=tooltip,
        style=WIDE,
        readout_format=".2f",
        layout=FULL,
    )


def button(name: str, icon: str, tooltip: str, kind: str = "") -> Any:
    """A button with a word and a sign."""
    return ipywidgets.Button(
        description=name,
        icon=icon,
        tooltip=tooltip,
        button_style=kind,
        layout={"width": "auto", "min_width": "84px"},
    )


def offer_size(knob: Any, size: int) -> None:
    """Let a size be chosen that is none of the three."""
    if size not in [value for _, value in knob.options]:
        knob.options = [*knob.options, (f"own {size}", size)]


def read(control: Any) -> Any:
    """What a control stands on; a slider's number to three digits, as it shows it."""
    value = control.value
    return float(f"{value:.3g}") if isinstance(value, float) else value


def turn(name: str, control: Any, value: Any) -> None:
    """Set a control from code.

    Raises
    ------
    StylelibError
        If it can't have that value.
    """
    low, high = getattr(control, "min", -math.inf), getattr(control, "max", math.inf)
    if isinstance(control, ipywidgets.FloatLogSlider):
        low, high = control.base**low, control.base**high
    if isinstance(value, int | float) and not low <= value <= high:
        raise StylelibError(
            f"{name} can't be {value:g} here: it goes from {low:.3g} to {high:.3g}."
        )
    try:
        control.value = value
    except StylelibError:
        raise
    except Exception as error:  # traitlets' own words are not for students
        raise StylelibError(f"{name} can't be {value!r} here.") from error
