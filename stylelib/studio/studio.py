"""The painter with every control."""

from pathlib import Path
from typing import Any

import ipywidgets

from ..pictures.decoding import Source
from ..recipes import SETTINGS
from .blend import Blend, SecondPainting
from .folder import Folder
from .knobs import knob
from .mask import MaskPad
from .painter import Painter
from .picture import samples
from .setup import Setup

# The pages, and the controls on them. A setting that is named nowhere goes on the last page.
_PAGES: dict[str, tuple[str, ...]] = {
    "Two paintings": ("second", "style_shares"),
    "Where to paint": ("mask",),
    "Weights": ("style_weight", "content_weight", "tv_weight"),
    "Style": ("style_scale", "statistic", "match_colors"),
    "Layers": ("style_layers", "content_layers"),
    "Steps": ("steps", "init", "seed", "optimizer", "learning_rate", "pooling"),
    "More": (),
}

_FOLDER = "A folder of photos"


class Studio(Painter):
    """A `Painter` with all the controls: a second painting, a mask, layers, colours and more.

    The settings that have a label in `stylelib.recipes.SETTINGS` can be changed here, and
    most of them while painting. The others, as well as the second painting and the mask,
    take effect with the next painting; each control's tooltip says which.
    *keep my colours* can be switched at any time: it changes what you see and save, not
    what is painted.

    Parameters
    ----------
    *arguments, **settings
        As for `Painter`.
    keep_colors : bool
    second : path, bytes, PIL image or name of a sample, optional
        A second painting, to blend with the first.
    mask : path, bytes, PIL image or Tensor of shape (1, 1, H, W), optional
        White where the painting goes.
    setup : str, path or bytes, optional
        As for `Painter`.

    Examples
    --------
    >>> studio = Studio("camel", size=64, steps=2)
    >>> studio = studio.set(style_layers={"conv1_1": 1.0}, keep_colors=True)
    >>> studio = studio.set(second="hokusai-poppies", style_shares=(0.3, 0.7))
    >>> studio.recipe.style_shares
    (0.3, 0.7)
    """

    def __init__(
        self,
        *arguments: Any,
        keep_colors: bool = False,
        second: Source | None = None,
        mask: Any = None,
        setup: str | Path | bytes | None = None,
        **settings: Any,
    ) -> None:
        self.second, self.mask = SecondPainting(samples("painting")), MaskPad()
        self.folder = Folder()
        self._keep = ipywidgets.Checkbox(
            value=keep_colors,
            description="keep my colours",
            tooltip="The painting's light and dark, in the photo's own colours",
            indent=False,
            layout={"width": "auto"},
        )
        super().__init__(*arguments, **settings)
        first = {name: self.controls.pop(name) for name in ("method", "content", "style")}
        first |= {"second": self.second, "mask": self.mask}
        self.controls = first | self.controls | {"keep_colors": self._keep}
        self._keep.observe(self._recolored, "value")
        self.paintings.watch(lambda: self.second.offer(list(self.paintings.pictures.values())))
        self.photos.watch(lambda: self.mask.show(self.photos.picture))
        self.mask.show(self.photos.picture)
        for control in (self.second, self.mask):
            control.observe(self._announce_later, "value")
        for control in (self.second, self.mask, self._keep):
            control.observe(self._show_setup, "value")
        self.set(second=second, mask=mask)
        if self._base.style_shares:
            self.set(style_shares=self._base.style_shares)
        if setup is not None:
            self.use(setup)

    def _make_knobs(self) -> dict[str, Any]:
        knobs = super()._make_knobs() | {"style_shares": Blend(self.second)}
        labelled = [name for name, setting in SETTINGS.items() if setting.label]
        return knobs | {
            name: knob(name, getattr(self._base, name)) for name in labelled if name not in knobs
        }

    def _arrange_knobs(self) -> list[Any]:
        return [*super()._arrange_knobs(), self._keep]

    def _arrange_pages(self) -> dict[str, list[Any]]:
        controls = {"second": self.second, "mask": self.mask, **self.knobs}
        # With Gram matrices, the style weight is the main slider, above.
        controls["style_weight"] = ipywidgets.VBox([self.knobs["style_weight"]])
        self._shown_with["neighbours"].append(controls["style_weight"])
        self._shown_with["gram"] += [controls["content_weight"], controls["content_layers"]]
        placed = {"size", "likeness", *(name for page in _PAGES.values() for name in page)}
        pages = {title: [controls[name] for name in names] for title, names in _PAGES.items()}
        pages["More"] += [control for name, control in controls.items() if name not in placed]
        return {title: page for title, page in pages.items() if page}

    def _arrange_below(self) -> dict[str, Any]:
        self.folder.connect(self)
        return {_FOLDER: self.folder}

    def close(self) -> None:
        """End the painting and close the widgets; see `Painter.close`."""
        if self.comm is not None:
            self.folder.stop()
        super().close()

    def _setup_pictures(self) -> dict[str, Any]:
        pictures = super()._setup_pictures() | {"keep_colors": self._keep.value}
        if self.second.value:
            pictures["styles"].append(self.second.value)
        if self.mask.value is not None:
            pictures["mask"] = self.mask.value.name
        return pictures

    def _use_pictures(self, setup: Setup) -> None:
        super()._use_pictures(setup)
        self.second.choose(None)
        self.mask.choose(None)
        second = "".join(setup.styles[1:2])
        self._use_picture(self.second, self.second.pictures, second, setup.notes)
        self._use_picture(self.mask, (), setup.mask, setup.notes)
        self._keep.value = setup.keep_colors

    def extras(self) -> dict[str, Any]:
        """The second painting, the mask and whose colours."""
        return {
            "second": self.second.pictures.get(self.second.value),
            "mask": self.mask.value,
            "colors": self._keep.value,
        }

    def _recolored(self, _: Any) -> None:
        run = self.run
        if run is not None:
            run.colors = self._keep.value
            self.desk.viewer.draw()
            self.desk.share.tell(run)
            self.desk.session.update(run)
