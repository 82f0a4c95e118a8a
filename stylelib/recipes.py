"""All settings of a style transfer, each defined once: default, range, label, help.

The checks of `Recipe`, the options of the command line, the studio's controls, the settings
that `Transfer.change` accepts and the table in the documentation are all made from the
fields of `Recipe`. To add a setting, add a field here, and use it where it is needed.

Nothing here needs PyTorch, which takes a second to import: ``--help`` appears at once.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Integral, Real
from textwrap import fill, indent
from typing import Any

from .checks import check_range, check_switch
from .core.layers import CONTENT_LAYER, LAYERS, NEIGHBOUR_LAYERS, PADDINGS, POOLINGS, STYLE_LAYERS
from .errors import StylelibError, pick, shown

ORIGINS = ("embedded", "torchvision", "random")
OPTIMIZERS = ("lbfgs", "adam")
INITS = ("content", "noise", "style")
BALANCES = ("relative", "source")
COARSEST = 192  # at smaller sizes faces were lost
FULL_SIZE = 512  # pixels, the longest side from which on the likeness counts as it is
MAX_SIZE = 8192
_MAX_WEIGHT = 1e12


@dataclass(frozen=True)
class Setting:
    """What is known about one field of `Recipe`."""

    kind: str  # "number", "whole", "switch", "choice", "layers" or "shares"
    help: str  # for the command line's help, a control's tooltip and the documentation
    low: float = -math.inf
    high: float = math.inf
    choices: Sequence[str] = ()
    registered: Callable[[], Iterable[str]] | None = None  # all choices, where more may be added
    what: str = ""  # what an error message calls a choice
    label: str = ""  # what the studio calls it; empty if the studio doesn't offer it
    words: Mapping[str, str] = field(default_factory=dict)  # what the studio calls each choice
    # The range and the steps of the studio's control; empty for a choice, a switch, and for a
    # weight, whose control covers several powers of ten.
    shown: tuple[float, ...] = ()
    option: str = ""  # the group on the command line, "look" or "work"; empty if not offered
    live: bool = True  # whether it can be changed while a picture is being painted

    def check(self, name: str, value: Any) -> Any:
        """The value, if it is allowed, as plain Python: NumPy's can't be stored in a file."""
        if self.kind == "switch":
            check_switch(name, value)
        elif self.kind == "choice":
            if value not in self.choices:
                pick(value, self.values, self.what or name)
        elif self.kind == "layers":
            return _checked_layers(value)
        elif self.kind == "shares":
            return _checked_shares(value)
        else:
            check_range(name, value, self.low, self.high, Integral if self.whole else Real)
            return int(value) if isinstance(value, Integral) else float(value)
        return value

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return self.kind == "whole"

    @property
    def values(self) -> tuple[str, ...]:
        """All values of a choice, including those registered so far."""
        return tuple(self.registered() if self.registered else self.choices)

    def in_words(self, value: Any) -> str:
        """What the studio calls one of the choices: its words or, if it has none, its name."""
        return self.words.get(value, str(value))


def _setting(kind: str, default: Any, help: str, **known: Any) -> Any:
    """A field of `Recipe` with its `Setting`."""
    metadata = {"setting": Setting(kind, help, **known)}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def _statistics() -> Iterable[str]:
    from .core.statistics import STATISTICS

    return STATISTICS


def _weight(default: float, help: str, **known: Any) -> Any:
    return _setting("number", default, help, low=0, high=_MAX_WEIGHT, **known)


@dataclass(frozen=True)
class Recipe:
    """How to make a picture; with the photo and the painting, all it takes to make it again.

    Without arguments it is ``RECIPES["gram"]``. Its settings are the fields below; each explains
    itself in `SETTINGS`.

    Raises
    ------
    StylelibError
        If a value is unknown or out of range.
    """

    content_layers: Mapping[str, float] = _setting(
        "layers",
        lambda: {CONTENT_LAYER: 1.0},
        "Where the network compares with the photo, from conv1_1 (every pixel) to conv5_4 (only "
        "what things there are); separate several with commas: conv4_2,conv5_2 for faces, "
        "conv4_2,conv2_2 for writing.",
        label="content layers",
        option="look",
    )
    style_layers: Mapping[str, float] = _setting(
        "layers",
        lambda: dict(zip(STYLE_LAYERS, (1.0, 0.8, 0.6, 0.4, 0.2), strict=True)),
        "Where it compares with the painting: early layers see colours and strokes, late ones "
        "whole shapes; for example conv1_1,conv2_1,conv3_1.",
        label="style layers",
        option="look",
    )
    content_weight: float = _weight(
        1.0,
        "How much the photo counts: more keeps more of the camel.",
        label="content weight",
        option="look",
    )
    style_weight: float = _weight(
        4.0,
        "How much the painting's Gram matrices count: more gives bolder strokes and less camel. "
        "Only its ratio to the other weights matters; in the recipe gram, 8 suits animals and "
        "landscapes, but faces are lost.",
        label="style weight",
        option="look",
    )
    tv_weight: float = _weight(
        0.0,
        "How much smoothness counts (total variation): more removes speckles, then detail.",
        label="smoothness",
        shown=(0, 100, 1),
        option="look",
    )
    neighbour_weight: float = _weight(
        0.0,
        "How much the neighbours count: each place of the picture should become like the place of "
        "the painting that is nearest to it. At 0 they are not searched for.",
    )
    likeness: float = _setting(
        "number",
        0.35,
        "With neighbours, how much of the photo stays, from 0 (all painting) to 1 (all photo); "
        "more keeps faces and writing. Below 512 pixels somewhat more is kept than it says, so "
        "that faces survive.",
        low=0,
        high=1,
        label="likeness",
        shown=(0, 1, 0.05),
        option="look",
    )
    style_shares: Sequence[float] = _setting(
        "shares",
        (),
        "How much each of several paintings counts, in their order; only the ratio matters.",
        label="blend",
        option="look",
    )
    style_scale: float = _setting(
        "number",
        1.0,
        "Size of the painting's strokes: 2 makes them twice as large, 0.5 half as large.",
        low=0.1,
        high=10,
        label="stroke size",
        shown=(0.25, 4, 0.05),
        option="look",
    )
    match_colors: bool = _setting(
        "switch",
        False,
        "Give the painting the photo's colours before painting starts.",
        label="paint with my photo's colours",
        option="look",
        live=False,
    )
    statistic: str = _setting(
        "choice",
        "gram",
        "What describes the style of feature maps: gram (which are active together), mean_std "
        "(how strong each is and how much it varies) or sliced (their whole distribution).",
        choices=("gram", "mean_std", "sliced"),
        registered=_statistics,
        label="measured by",
        words={
            "gram": "which maps are active together",
            "mean_std": "each map's mean and spread",
            "sliced": "each direction's distribution",
        },
        option="look",
    )
    balance: str = _setting(
        "choice",
        "relative",
        "How the layers' losses are normalised. relative divides each by the mean square of its "
        "own target, so that one setting serves every painting, and takes the layers' weighted "
        "mean. source does as the notebook that the story follows: Gram matrices not divided by "
        "H·W, each layer's mean squared error divided by C·H·W, and their weighted sum.",
        choices=BALANCES,
    )
    centered: bool = _setting(
        "switch",
        True,
        "Subtract the painting's mean from each feature map, its own and the new picture's, before "
        "the Gram matrix: it then says what goes together rather than what is bright.",
    )
    size: int = _setting(
        "whole",
        512,
        "Longest side of the picture, in pixels; twice the size takes four times as long.",
        low=16,
        high=MAX_SIZE,
        label="size",
        option="work",
        live=False,
    )
    steps: int = _setting(
        "whole",
        200,
        "Steps in all: more go further and take longer.",
        low=1,
        high=1_000_000,
        label="steps",
        shown=(10, 1000, 10),
        option="work",
    )
    coarse_to_fine: bool = _setting(
        "switch", True, "Paint a small picture first, then continue at larger sizes.", live=False
    )
    coarsest: int = _setting(
        "whole",
        COARSEST,
        "Longest side of the first, small picture, in pixels. A smaller one is done sooner, and "
        "leaves the painting more say in where outlines run.",
        low=16,
        high=MAX_SIZE,
        live=False,
    )
    detail_steps: int = _setting(
        "whole",
        0,
        "Steps with the first style layers alone after each enlargement: they put in the fine "
        "detail that a small picture lacks, each in a third to a half of the time of a step. Worth "
        "it where those layers count much, as in the source's balance.",
        low=0,
        high=1000,
    )
    optimizer: str = _setting(
        "choice",
        "lbfgs",
        "How steps are found: lbfgs (a few hundred steps), or adam (the source's: thousands).",
        choices=OPTIMIZERS,
        label="optimiser",
        words={"lbfgs": "L-BFGS (hundreds)", "adam": "Adam (thousands)"},
        option="work",
    )
    learning_rate: float = _setting(
        "number",
        0.02,
        "For adam alone: how far a pixel moves in a step.",
        low=1e-9,
        high=1e3,
        label="learning rate",
    )
    clamp: bool = _setting("switch", True, "Keep the pixels in 0-1 after each step.")
    init: str = _setting(
        "choice",
        "content",
        "The picture to start from: content, noise or style.",
        choices=INITS,
        what="start",
        label="start from",
        words={"content": "the photo", "noise": "noise", "style": "the painting"},
        option="work",
        live=False,
    )
    pooling: str = _setting(
        "choice",
        "max",
        "How the network halves a map: by the largest or the mean of each 2 x 2 numbers.",
        choices=POOLINGS,
        label="pooling",
        words={"max": "the largest of four", "average": "the mean of four"},
        live=False,
    )
    padding: str = _setting(
        "choice",
        "replicate",
        "What the network sees beyond the picture's edge: zeros, or the edge pixels again.",
        choices=PADDINGS,
        live=False,
    )
    weights: str = _setting(
        "choice",
        "embedded",
        "The network's weights: embedded (installed with stylelib), torchvision (downloaded once), "
        "or random (untrained, to see what the training is good for).",
        choices=ORIGINS,
        what="origin of weights",
        option="work",
        live=False,
    )
    seed: int = _setting(
        "whole",
        0,
        "Seed of the noise: the same seed gives the same picture.",
        low=0,
        high=2**63 - 1,
        label="seed",
        option="work",
        live=False,
    )

    def __post_init__(self) -> None:
        for name, setting in SETTINGS.items():
            # The dataclass is frozen only from here on.
            object.__setattr__(self, name, setting.check(name, getattr(self, name)))
        if not self.content_layers and not self.style_layers:
            raise StylelibError("Name at least one layer, for content or for style.")

    def but(self, **changes: Any) -> "Recipe":
        """The same recipe with some values changed.

        Raises
        ------
        StylelibError
            If there is no such setting (the message names the nearest), or a value is out
            of range.
        """
        for name in changes:
            pick(name, SETTINGS, "setting")
        return replace(self, **changes)

    def changed_from(self, other: "Recipe") -> dict[str, Any]:
        """The settings that differ from those of `other`, with their values here."""
        return {
            name: getattr(self, name)
            for name in SETTINGS
            if getattr(self, name) != getattr(other, name)
        }

    def shares(self, paintings: int) -> list[float]:
        """How much each of this many paintings counts; the shares add up to 1.

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
        """The deepest layer that it uses."""
        compared = NEIGHBOUR_LAYERS if self.neighbour_weight else ()
        return max([*self.content_layers, *self.style_layers, *compared], key=LAYERS.index)

    @property
    def kept(self) -> float:
        """The likeness that counts at the recipe's size.

        A place is 4 x 4 pixels: in a small picture, a face is only a few places wide, and more of
        the photo is needed to recognise it. Found by looking, at 256 and 512 pixels.
        """
        return float(self.likeness ** math.sqrt(min(1.0, self.size / FULL_SIZE)))

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
            there costs a quarter as much, and decides where things go.
        """
        if longest is not None:
            check_range("longest", longest, 1, math.inf, Integral)
        sizes = [self.size if longest is None else min(self.size, longest)]
        while self.coarse_to_fine and sizes[0] > self.coarsest * 1.25:
            sizes.insert(0, max(self.coarsest, round(sizes[0] / 2)))
        sizes = sizes[-self.steps :]  # each size gets a step; with too few steps, only the largest
        shares = [0.75**i for i in range(len(sizes))]
        stages, done = [], 0
        for i, size in enumerate(sizes):
            due = round(self.steps * sum(shares[: i + 1]) / sum(shares))
            end = min(max(due, done + 1), self.steps - len(sizes) + i + 1)
            stages.append((size, end - done))
            done = end
        return stages

    def preparation(self, first: bool = False) -> float:
        """How long it takes to begin a size, in steps at that size (measured).

        There are targets to be computed from photo and painting, neighbours to be searched for,
        and, unless it is the first size, detail steps to be taken with a part of the layers.
        """
        search = 6.0 if self.neighbour_weight else 0.0
        return 1 + search + (0 if first else self.detail_steps / 2)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file's metadata."""
        return asdict(self) | {
            "style_shares": list(self.style_shares),
            "content_layers": dict(self.content_layers),
            "style_layers": dict(self.style_layers),
        }


SETTINGS: dict[str, Setting] = {f.name: f.metadata["setting"] for f in fields(Recipe)}
"""Every setting of `Recipe` by its name."""


def _describe(settings: Mapping[str, Setting]) -> str:
    """The settings as a section of a docstring."""
    lines = []
    for name, setting in settings.items():
        values = f" : one of {', '.join(setting.choices)}" if setting.choices else ""
        if setting.high < math.inf:
            values = f" : {setting.low:g} to {setting.high:g}"
        lines += [name + values, indent(fill(setting.help, 84), "    ")]
    return indent("\n".join(["Attributes", "----------", *lines]), "    ")


Recipe.__doc__ = f"{Recipe.__doc__}\n{_describe(SETTINGS)}\n"


def _checked_layers(layers: Any) -> dict[str, float]:
    """A copy of a mapping of layers to weights, of plain numbers."""
    if not isinstance(layers, Mapping):
        raise StylelibError(
            f"Layers come with their weights, for example {{'conv4_2': 1.0}}, "
            f"not as {shown(layers)}."
        )
    return {
        pick(name, LAYERS, "layer"): _checked_weight(f"the weight of {name}", weight)
        for name, weight in layers.items()
    }


def _checked_shares(shares: Any) -> tuple[float, ...]:
    if not isinstance(shares, list | tuple):
        raise StylelibError(
            f"style_shares is {shown(shares)}; give a number for each painting, for example (1, 3)."
        )
    numbers = tuple(_checked_weight("a painting's share", share) for share in shares)
    if numbers and not sum(numbers):
        raise StylelibError("All of style_shares are 0; at least one painting must count.")
    return numbers


def _checked_weight(name: str, value: Any) -> float:
    return Setting("number", "", 0, _MAX_WEIGHT).check(name, value)  # type: ignore[no-any-return]


# The notebook that the story follows. Its learning rate, 0.003, is for ImageNet-normalised
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

# Neighbours say where; the Gram matrices of early layers add what their average loses, the
# painting's palette and crisp strokes.
_NEIGHBOURS = Recipe(
    content_layers={},
    style_layers=dict.fromkeys(STYLE_LAYERS[:3], 1.0),
    style_weight=0.6,
    neighbour_weight=1.0,
    coarsest=64,
)

RECIPES: dict[str, Recipe] = {
    "neighbours": _NEIGHBOURS,
    "gram": Recipe(),
    "source": _SOURCE,
    # The source's losses, as low in a hundredth of the time. They say little about where
    # outlines run, so a very small first picture does no harm.
    "source-fast": _SOURCE.but(
        steps=40,
        coarse_to_fine=True,
        coarsest=128,
        detail_steps=20,
        optimizer="lbfgs",
        clamp=True,
    ),
}
"""Recipes by name; `"default"` is another name of the one in `DEFAULT`."""

METHODS = ("neighbours", "gram")
"""The recipes that differ in how they see style; the studio offers them."""

DEFAULT = "neighbours"
RECIPES["default"] = RECIPES[DEFAULT]
