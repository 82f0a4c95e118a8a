"""All the knobs of a style transfer in one place, and two settings of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Integral, Real
from typing import Any

from .checks import check_range, check_switch
from .errors import StylelibError, pick, shown
from .statistics import STATISTICS
from .vgg import LAYERS, POOLINGS
from .weights import SOURCES

OPTIMIZERS = ("lbfgs", "adam")
INITS = ("content", "noise", "style")
BALANCES = ("relative", "source")
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
COARSEST = 192  # smaller than that, faces were seen to go
MAX_SIZE = 8192


_MOST = 1e12  # that much a weight may be
_SHARE = "a painting's share"
_RANGES: dict[str, tuple[float, float, type]] = {
    "content_weight": (0, _MOST, Real),
    "style_weight": (0, _MOST, Real),
    "tv_weight": (0, _MOST, Real),
    "style_scale": (0.1, 10, Real),
    "learning_rate": (1e-9, 1e3, Real),
    "size": (16, MAX_SIZE, Integral),
    "coarsest": (16, MAX_SIZE, Integral),
    "detail_steps": (0, 1000, Integral),
    "steps": (1, 1_000_000, Integral),
    "seed": (0, 2**63 - 1, Integral),
}


@dataclass(frozen=True)
class Recipe:
    """How to make a picture; with the two pictures, all it takes to make it again.

    Attributes
    ----------
    content_layers, style_layers : mapping of layer name to weight, 0 or more
        Where content and style are compared, and how much each layer counts.
    content_weight, style_weight, tv_weight : float, 0 or more
        How much content loss, style loss and total variation count.
    style_shares : sequence of float, 0 or more
        Of several paintings: how much each one counts, in their order. Only the
        ratio matters. Empty: all the same.
    style_scale : float
        Size of the painting beside the picture: 2 makes its strokes twice as
        large, 0.5 half as large.
    match_colors : bool
        Give the paintings the photo's colours before they are looked at: see
        `match_colors`.
    statistic : {"gram", "mean_std", "sliced"}
        What of the feature maps is the style: one of `STATISTICS`.
    balance : {"relative", "source"}
        ``"relative"`` divides each layer's loss by the mean square of its own
        target, so that one setting serves every painting, and takes the layers'
        weighted mean. ``"source"`` is the normalisation of the notebook that
        the story follows: Gram matrices not divided by H·W, each layer's mean
        squared error divided by C·H·W, and their weighted sum.
    centered : bool
        Subtract the painting's mean from each feature map, its own and the new
        picture's, before the Gram matrix: it then says what goes together
        rather than what is bright.
    size : int
        Longest side of the picture, in pixels.
    steps : int
        Optimisation steps in all, shared out over the sizes.
    coarse_to_fine : bool
        Paint a small picture first, then paint on at larger sizes.
    coarsest : int
        Longest side of that first picture, in pixels. A smaller one is sooner done, and
        leaves the painting more say in where outlines run.
    detail_steps : int
        Steps with the first style layers alone after each enlargement, before the others:
        they put in the fine detail that a small picture lacks, each in a third to a half of
        the time. Worth it where those layers count much, as in the source's balance.
    optimizer : {"lbfgs", "adam"}
    learning_rate : float
        For Adam alone: how far a pixel moves in a step, in 0-1.
    clamp : bool
        Keep the pixels in 0-1 after each step, not only at the end.
    init : {"content", "noise", "style"}
        The picture to start from.
    pooling : {"max", "average"}
    padding : {"zeros", "replicate"}
        See `VGG19`.
    weights : {"embedded", "torchvision", "random"}
        See `read_weights`.
    seed : int
        Of the noise (and of random weights). The rest is not random.

    Raises
    ------
    StylelibError
        If a value is unknown or out of range.
    """

    content_layers: Mapping[str, float] = field(default_factory=lambda: {"conv4_2": 1.0})
    style_layers: Mapping[str, float] = field(
        default_factory=lambda: dict(zip(STYLE_LAYERS, (1.0, 0.8, 0.6, 0.4, 0.2), strict=True))
    )
    content_weight: float = 1.0
    style_weight: float = 4.0
    tv_weight: float = 0.0
    style_shares: Sequence[float] = ()
    style_scale: float = 1.0
    match_colors: bool = False
    statistic: str = "gram"
    balance: str = "relative"
    centered: bool = True
    size: int = 512
    steps: int = 200
    coarse_to_fine: bool = True
    coarsest: int = COARSEST
    detail_steps: int = 0
    optimizer: str = "lbfgs"
    learning_rate: float = 0.02
    clamp: bool = True
    init: str = "content"
    pooling: str = "max"
    padding: str = "replicate"
    weights: str = "embedded"
    seed: int = 0

    def __post_init__(self) -> None:
        pick(self.optimizer, OPTIMIZERS, "optimizer")
        pick(self.init, INITS, "start")
        pick(self.balance, BALANCES, "balance")
        pick(self.statistic, STATISTICS, "statistic")
        pick(self.pooling, POOLINGS, "pooling")
        pick(self.padding, ("zeros", "replicate"), "padding")
        pick(self.weights, SOURCES, "source of weights")
        for name in ("match_colors", "centered", "coarse_to_fine", "clamp"):
            check_switch(name, getattr(self, name))
        for name in ("content_layers", "style_layers"):
            self._set(name, _checked_layers(getattr(self, name)))
        if not self.content_layers and not self.style_layers:
            raise StylelibError("Name at least one layer, for content or for style.")
        if not isinstance(self.style_shares, list | tuple):
            raise StylelibError(
                f"style_shares is {shown(self.style_shares)}; give a number for each painting, "
                f"for example (1, 3)."
            )
        self._set("style_shares", tuple(_number(_SHARE, n, 0, _MOST) for n in self.style_shares))
        if self.style_shares and not sum(self.style_shares):
            raise StylelibError("All of style_shares are 0; one painting at least must count.")
        for name, (low, high, kind) in _RANGES.items():
            self._set(name, _number(name, getattr(self, name), low, high, kind))

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)  # it is frozen only from here on

    def but(self, **changes: Any) -> "Recipe":
        """The same recipe with some values changed.

        Raises
        ------
        StylelibError
            If there is no such value, naming the nearest, or it is out of range.
        """
        names = [f.name for f in fields(self)]
        for name in changes:
            pick(name, names, "setting")
        return replace(self, **changes)

    def shares(self, paintings: int) -> list[float]:
        """How much each of so many paintings counts; the shares add up to 1.

        Raises
        ------
        StylelibError
            If `style_shares` is for another number of paintings.
        """
        check_range("The number of paintings", paintings, 1, 1000, Integral)
        given = list(self.style_shares) or [1.0] * paintings
        if len(given) != paintings:
            raise StylelibError(
                f"style_shares has {len(given)} numbers for {paintings} "
                f"painting{'s' * (paintings != 1)}; give one number for each."
            )
        return [share / sum(given) for share in given]

    @property
    def deepest(self) -> str:
        """The deepest layer that it looks at."""
        return max([*self.content_layers, *self.style_layers], key=LAYERS.index)

    def style_size(self, size: int | None = None) -> int:
        """Longest side of the painting, in pixels, when the picture's is `size`."""
        if size is not None:
            check_range("size", size, 1, MAX_SIZE, Integral)
        return max(2, round((size or self.size) * self.style_scale))

    def stages(self, longest: int | None = None) -> list[tuple[int, int]]:
        """The sizes to paint at, small to large, and the steps at each.

        Returns
        -------
        list of (longest side in pixels, steps)
            The steps add up to `steps`. Small pictures take most of them: a step
            there costs a quarter, and settles where things go.
        """
        if longest is not None:
            check_range("longest", longest, 1, math.inf, Integral)
        sizes = [self.size if longest is None else min(self.size, longest)]
        while self.coarse_to_fine and sizes[0] > self.coarsest * 1.25:
            sizes.insert(0, max(self.coarsest, round(sizes[0] / 2)))
        sizes = sizes[-self.steps :]  # each size gets a step, the last before all
        shares = [0.75**i for i in range(len(sizes))]
        stages, done = [], 0
        for i, size in enumerate(sizes):
            due = round(self.steps * sum(shares[: i + 1]) / sum(shares))
            end = min(max(due, done + 1), self.steps - len(sizes) + i + 1)
            stages.append((size, end - done))
            done = end
        return stages

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file's metadata."""
        return asdict(self) | {
            "style_shares": list(self.style_shares),
            "content_layers": dict(self.content_layers),
            "style_layers": dict(self.style_layers),
        }


def _checked_layers(layers: Any) -> dict[str, float]:
    """A copy of a mapping of layers to weights, of plain numbers."""
    if not isinstance(layers, Mapping):
        raise StylelibError(
            f"Layers come with their weights, for example {{'conv4_2': 1.0}}, "
            f"not as {shown(layers)}."
        )
    return {
        pick(name, LAYERS, "layer"): _number(f"the weight of {name}", weight, 0, _MOST)
        for name, weight in layers.items()
    }


def _number(name: str, value: Any, low: float, high: float, kind: type = Real) -> Any:
    """A number in a range, as Python's own: NumPy's don't go into a file."""
    check_range(name, value, low, high, kind)
    return int(value) if isinstance(value, Integral) else float(value)


# The notebook that the story follows. Its learning rate, 0.003, counts in ImageNet-normalised
# pixels; a pixel's standard deviation there is 0.225.
_SOURCE = Recipe(
    style_layers=dict(zip(STYLE_LAYERS, (1.0, 0.75, 0.2, 0.2, 0.2), strict=True)),
    style_weight=1e6,
    balance="source",
    centered=False,
    size=400,
    steps=5000,
    coarse_to_fine=False,
    optimizer="adam",
    learning_rate=0.003 * 0.225,
    clamp=False,
    padding="zeros",
)

RECIPES: dict[str, Recipe] = {
    "default": Recipe(),
    "source": _SOURCE,
    # The source's losses, as low in a hundredth of the time. They hardly mind where outlines run.
    "source-fast": _SOURCE.but(
        steps=40,
        coarse_to_fine=True,
        coarsest=128,
        detail_steps=20,
        optimizer="lbfgs",
        clamp=True,
    ),
}
"""Recipes by name."""
