"""The painter with every knob."""

from typing import Any

import ipywidgets

from ..core.statistics import STATISTICS
from ..core.vgg import POOLINGS, STYLE_LAYERS
from ..pictures.images import Source
from ..recipes import INITS, OPTIMIZERS
from .blend import Blend, SecondPainting
from .knobs import FULL, WIDE, weight_knob
from .layers import LayerWeights
from .mask import MaskPad
from .painter import Painter, samples
from .runs import Picture, Run

_CONTENT_LAYERS = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")


class Studio(Painter):
    """A `Painter` with all the knobs: a second painting, a mask, layers, colours and more.

    Weights, the blend, layers, smoothness, what the style is measured by,
    optimiser and steps can be turned while it paints; the second painting, the
    mask, the stroke size, the photo's colours for the painting, the start and the
    kind of pooling count from the next painting on.
    *keep my colours* can be switched at any time: it changes what you see and
    save, not what is painted.

    Parameters
    ----------
    *arguments, **settings
        As for `Painter`.
    keep_colors : bool
    second : path, bytes, PIL image or name of a sample, optional
        A second painting, to blend.
    mask : path, bytes, PIL image or Tensor of shape (1, 1, H, W), optional
        White where the painting goes.

    Examples
    --------
    >>> studio = Studio("my-cat.jpg", size="sketch")
    >>> studio.set(style_layers={"conv1_1": 1.0}, keep_colors=True)
    >>> studio.set(second="hokusai-poppies", style_shares=(0.3, 0.7), mask="sky.png")
    """

    def __init__(
        self,
        *arguments: Any,
        keep_colors: bool = False,
        second: Source | None = None,
        mask: Any = None,
        **settings: Any,
    ) -> None:
        self.second, self.mask = SecondPainting(samples("painting")), MaskPad()
        self._keep = ipywidgets.Checkbox(
            value=keep_colors,
            description="keep my colours",
            tooltip="The painting's light and dark, in the photo's own colours",
            indent=False,
            layout={"width": "auto"},
        )
        super().__init__(*arguments, **settings)
        pictures = {name: self.controls[name] for name in ("content", "style")}
        pictures |= {"second": self.second, "mask": self.mask}
        self.controls = pictures | self.controls | {"keep_colors": self._keep}
        self._keep.observe(self._recolored, "value")
        self.paintings.watch(lambda: self.second.offer(list(self.paintings.pictures.values())))
        self.photos.watch(lambda: self.mask.show(self.photos.picture))
        self.mask.show(self.photos.picture)
        for part in (self.second, self.mask):
            part.observe(self._waits, "value")
        self.set(second=second, mask=mask)
        if self._base.style_shares:
            self.set(style_shares=self._base.style_shares)

    def _make_knobs(self) -> dict[str, Any]:
        base = self._base
        return super()._make_knobs() | {
            "content_weight": weight_knob(
                "content weight", "How much the photo's content counts", base.content_weight
            ),
            "tv_weight": ipywidgets.FloatSlider(
                value=base.tv_weight,
                max=100.0,
                step=1.0,
                description="smoothness",
                tooltip="Weight of the total variation: more takes away grain, then detail",
                style=WIDE,
                layout=FULL,
            ),
            "style_shares": Blend(self.second),
            "style_scale": ipywidgets.FloatSlider(
                value=base.style_scale,
                min=0.25,
                max=4.0,
                step=0.05,
                description="stroke size",
                tooltip="2 makes the painting's strokes twice as large, 0.5 half as large",
                style=WIDE,
                layout=FULL,
            ),
            "match_colors": ipywidgets.Checkbox(
                value=base.match_colors,
                description="paint with my photo's colours",
                tooltip="Gives the painting the photo's colours before it is looked at",
                indent=False,
                layout=FULL,
            ),
            "statistic": _choice(
                "measured by",
                tuple(STATISTICS),
                base.statistic,
                "What of the feature maps is the style: lesson 06 compares them",
            ),
            "steps": ipywidgets.IntSlider(
                value=base.steps,
                min=10,
                max=max(1000, base.steps),
                step=10,
                description="steps",
                tooltip="More steps go further and take longer",
                style=WIDE,
                layout=FULL,
            ),
            "optimizer": _choice("optimiser", OPTIMIZERS, base.optimizer, "How a step is found"),
            "learning_rate": weight_knob(
                "learning rate", "For adam alone: how far a step goes", base.learning_rate
            ),
            "init": _choice("start from", INITS, base.init, "The picture before the first step"),
            "pooling": _choice("pooling", POOLINGS, base.pooling, "How the network halves a map"),
            "seed": ipywidgets.BoundedIntText(
                value=base.seed,
                max=2**31,
                description="seed",
                tooltip="Another number, another noise to start from",
                style=WIDE,
                layout=FULL,
            ),
            "content_layers": LayerWeights("content", _CONTENT_LAYERS, base.content_layers),
            "style_layers": LayerWeights("style", STYLE_LAYERS, base.style_layers),
        }

    def _arrange_knobs(self) -> list[Any]:
        return [*super()._arrange_knobs(), self._keep]

    def _arrange_more(self) -> list[Any]:
        k = self.knobs
        pages = {
            "Two paintings": [self.second, k["style_shares"]],
            "Where to paint": [self.mask],
            "Weights": [k["content_weight"], k["tv_weight"]],
            "Style": [k["style_scale"], k["statistic"], k["match_colors"]],
            "Layers": [k["style_layers"], k["content_layers"]],
            "Steps": [k[name] for name in ("steps", "init", "seed", "optimizer")]
            + [k["learning_rate"], k["pooling"]],
        }
        boxes = [ipywidgets.VBox(parts) for parts in pages.values()]
        more = ipywidgets.Accordion(boxes, titles=list(pages), selected_index=None)
        return [more]

    def _besides(self) -> dict[str, Picture | None]:
        return {"second": self.second.picture, "mask": self.mask.value}

    def _waits(self, _: Any) -> None:
        if self._easel.busy:
            self.desk.panel.say("That counts from the next painting on.")

    def _dress(self, run: Run) -> None:
        run.colors = self._keep.value

    def _recolored(self, _: Any) -> None:
        run = self.run
        if run is not None:
            run.colors = self._keep.value
            self.desk.viewer.draw()
            self.desk.tell(run)
            self.desk.session.update(run)


def _choice(name: str, options: tuple[str, ...], value: str, tooltip: str) -> Any:
    return ipywidgets.Dropdown(
        options=options,
        value=value,
        description=name,
        tooltip=tooltip,
        style=WIDE,
        layout=FULL,
    )
