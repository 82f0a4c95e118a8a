"""A second painting, and how much of it to blend in."""

from pathlib import Path
from typing import Any

import ipywidgets
import traitlets

from ..errors import StylelibError
from ..pictures.decoding import Source
from ..pictures.images import load_image
from ..recipes import SETTINGS
from .knobs import WIDE
from .picture import Picture


class SecondPainting(ipywidgets.Dropdown):
    """Choose a second painting, or none; `value` is its name, or empty."""

    def __init__(self, pictures: list[Picture]) -> None:
        self.pictures: dict[str, Picture] = {}
        super().__init__(
            options=[("none", "")],
            description="second painting",
            tooltip="Blend two paintings. A change takes effect with the next painting.",
            **WIDE,
        )
        self.offer(pictures)

    def offer(self, pictures: list[Picture]) -> None:
        """Offer these paintings as well."""
        self.pictures |= {picture.name: picture for picture in pictures}
        chosen: str = self.value
        with self.hold_trait_notifications():
            self.options = [("none", ""), *((p.label, n) for n, p in self.pictures.items())]
            self.value: str = chosen

    def choose(self, source: Source | None) -> None:
        """Choose a painting by name, or add a picture and choose it; None removes it."""
        name = str(source) if isinstance(source, str | Path) else "second painting"
        if source and name not in self.pictures:
            load_image(source, 64)
            self.offer([Picture(name, source)])
        self.value = name if source else ""


class Blend(ipywidgets.VBox):
    """How much the second painting counts, from 0 to 100 percent."""

    value = traitlets.Tuple()  # as `Recipe.style_shares`: empty without a second painting

    def __init__(self, second: SecondPainting) -> None:
        self._second = second
        self.slider = ipywidgets.IntSlider(
            value=50,
            step=5,
            description=SETTINGS["style_shares"].label,
            tooltip="Percent of the second painting. You can change it while painting.",
            **WIDE,
        )
        super().__init__([self.slider])
        for control in (second, self.slider):
            control.observe(self._moved, "value")
        self.observe(self._set, "value")
        self._moved()

    def _moved(self, _: Any = None) -> None:
        self.slider.disabled = not self._second.value
        share = self.slider.value / 100
        self.value = (1 - share, share) if self._second.value else ()

    @traitlets.validate("value")
    def _check(self, proposal: Any) -> tuple[float, ...]:
        shares = tuple(proposal["value"])
        if len(shares) != (2 if self._second.value else 0):
            raise StylelibError(
                f"style_shares has {len(shares)} numbers; give two with a second painting, "
                f"and none without one."
            )
        return tuple(round(share / sum(shares), 2) for share in shares)

    def _set(self, change: Any) -> None:
        if change["new"]:
            self.slider.value = round(100 * change["new"][1])
