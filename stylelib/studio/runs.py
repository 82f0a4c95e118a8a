"""What a painting session remembers: each run, its losses and pictures on the way."""

import io
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from ..core.vgg import VGG19
from ..engine.masks import Style
from ..engine.transfer import Step, Transfer
from ..errors import StylelibError
from ..pictures.color import keep_colors
from ..pictures.images import Source, load_image, load_mask, to_pil
from ..pictures.names import file_name
from ..pictures.samples import SAMPLES
from ..recipes import RECIPES, Recipe

KEPT = 24  # pictures on the way, about
_BUDGET = 128_000_000  # bytes of them
_SHOWN = 512  # pixels of the page's width, however small the picture is


@dataclass(eq=False)
class Picture:
    """A photo or a painting to choose, with what it is loaded from."""

    name: str
    source: Source
    _loaded: dict[int | None, Tensor] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """A name to show."""
        if self.name in SAMPLES:
            return SAMPLES[self.name].title
        return self.name

    def load(self, size: int | None) -> Tensor:
        """The picture, as `load_image` gives it; the newest size is kept."""
        image = self._loaded.get(size)
        if image is None:
            image = load_image(self.source, size)
            self._loaded = {size: image}
        return image


@dataclass(frozen=True)
class Frame:
    """The picture after an iteration; `image` is None where only the JPEG was kept."""

    iteration: int
    jpeg: bytes
    image: Tensor | None


class Run:
    """One painting, from its first step on: everything to show it and to make it again.

    Parameters
    ----------
    number : int
        In the session, from 1.
    content, style : Picture
    recipe : Recipe
        At the start.
    second : Picture, optional
        Another painting, to blend.
    mask : Picture, optional
        White where the painting goes; black stays the photo, or goes to the
        second painting.

    Attributes
    ----------
    changes : dict of int to dict
        Settings changed on the way, by the iteration that they followed.
    again : list of int
        The iterations that it was gone on from, the optimiser starting afresh.
    losses : list of dict
        Each step's, as `Step` has them; so are `layers`, of the newest step.
    frames : list of Frame
        The start, some on the way, and the newest.
    seconds : float
        Spent on the steps.
    finished : bool
        No more steps will come.
    colors : bool
        Show and save it in the photo's own colours.
    """

    def __init__(
        self,
        number: int,
        content: Picture,
        style: Picture,
        recipe: Recipe,
        second: Picture | None = None,
        mask: Picture | None = None,
    ) -> None:
        self.number, self.content, self.style, self.recipe = number, content, style, recipe
        self.second, self.mask = second, mask
        self.changes: dict[int, dict[str, Any]] = {}
        self.again: list[int] = []
        self.losses: list[dict[str, float]] = []
        self.layers: dict[str, float] = {}
        self.frames: list[Frame] = []
        self.image: Tensor | None = None
        self.seconds = 0.0
        self.finished = False
        self.colors = False
        self._record: dict[str, Any] = {}
        self._start: Frame | None = None

    @property
    def iteration(self) -> int:
        """Steps done."""
        return len(self.losses)

    @property
    def steps(self) -> int:
        """Steps planned, as things stand."""
        return self.recipe_at(self.iteration).steps

    @property
    def title(self) -> str:
        """What was painted how, in a line."""
        return f"No. {self.number}: {self.content.label}, after {self.after}"

    @property
    def paintings(self) -> list[Picture]:
        """The painting, or both."""
        return [self.style] if self.second is None else [self.style, self.second]

    @property
    def after(self) -> str:
        """The paintings' names."""
        return " and ".join(painting.label for painting in self.paintings)

    def can_follow(self, setting: str, value: Any) -> bool:
        """Whether that can be changed on the way: shares only for as many paintings."""
        if setting == "style_shares":
            return len(value) == (0 if self.second is None else 2)
        return setting in LIVE

    def transfer(self, load: Callable[[Recipe], VGG19]) -> Transfer:
        """The transfer that makes it, or goes on from its newest frame.

        Parameters
        ----------
        load : callable
            Loads the network for a recipe.
        """
        content = self.content.load(self.recipe.size)
        transfer = Transfer(content, self._styles(), self.recipe, load(self.recipe))
        transfer.quiet = True
        names = [painting.name for painting in self.paintings]
        masks = [self.mask.name, f"1 - {self.mask.name}"][: len(names)] if self.mask else []
        self._record = transfer.record(self.content.name, names, masks)
        if self._start is not None:
            assert self._start.image is not None
            # The settings first: they say how far there is to go.
            transfer.change(**live(self.recipe_at(self.iteration)))
            transfer.go_back_to(self._start.image, self._start.iteration)
        else:
            self._keep(Frame(0, jpeg(transfer.image), transfer.image))
        return transfer

    def _styles(self) -> list[Style]:
        paintings = [p.load(self.recipe.style_size()) for p in self.paintings]
        if self.mask is None:
            return [Style(painting) for painting in paintings]
        mask = load_mask(self.mask.source, self.recipe.size)
        return [Style(p, where) for p, where in zip(paintings, (mask, 1 - mask), strict=False)]

    def add(self, step: Step, changes: Mapping[str, Any], seconds: float) -> None:
        """Remember a step, the changes made just before it, and the time it took."""
        if changes:
            self.changes[step.iteration - 1] = self.changes.get(step.iteration - 1, {}) | dict(
                changes
            )
        self.seconds += seconds
        self.losses.append(step.losses)
        self.layers, self.image = step.layers, step.image
        if step.iteration % max(1, round(step.steps / KEPT)) == 0:
            self._keep(Frame(step.iteration, jpeg(step.image), step.image))

    def finish(self) -> None:
        """Keep the newest picture as the last frame: no more will come."""
        self.finished = True
        if self.image is not None and self.frames[-1].iteration != self.iteration:
            self._keep(Frame(self.iteration, jpeg(self.image), self.image))

    def shrink(self) -> None:
        """Keep the pictures on the way as JPEG alone: for a run that is not the newest."""
        self.frames = [Frame(frame.iteration, frame.jpeg, None) for frame in self.frames]

    def _keep(self, frame: Frame) -> None:
        frames = [*self.frames, frame]
        while sum(f.image.nbytes for f in frames if f.image is not None) > _BUDGET:
            if len(frames) < 4:
                break
            frames = [frames[0], *frames[1:-1:2], frames[-1]]
        self.frames = frames

    def back_to(self, frame: Frame, number: int) -> "Run":
        """A new run that goes on from a frame of this one.

        Raises
        ------
        StylelibError
            If that frame was not kept whole.
        """
        if frame.image is None:
            raise StylelibError("Only the newest painting can be gone on with from the middle.")
        run = Run(number, self.content, self.style, self.recipe, self.second, self.mask)
        run.changes = {k: dict(v) for k, v in self.changes.items() if k < frame.iteration}
        if frame.iteration:
            # That the optimiser starts afresh there is part of the recipe.
            run.again = [k for k in self.again if k < frame.iteration] + [frame.iteration]
            run._start = frame
        run.losses = self.losses[: frame.iteration]
        run.frames = [f for f in self.frames if f.iteration <= frame.iteration and run._start]
        run.image = frame.image if run._start else None
        run.colors, run._record = self.colors, self._record
        return run

    def recipe_at(self, iteration: int) -> Recipe:
        """The recipe with the changes made up to there."""
        recipe = self.recipe
        for when in sorted(self.changes):
            if when <= iteration:
                recipe = recipe.but(**self.changes[when])
        return recipe

    def picture(self) -> Tensor:
        """The newest picture as it is to be seen.

        Raises
        ------
        StylelibError
            If there is none yet.
        """
        if self.image is None:
            raise StylelibError("There is no picture yet. Press Paint first.")
        return self.dressed(self.image)

    def dressed(self, image: Tensor) -> Tensor:
        """A picture of this run, in the photo's colours if that is asked for."""
        if not self.colors:
            return image
        return keep_colors(image, self.content.load(self.recipe.size))

    def pictures(self) -> Iterator[Tensor]:
        """Those that were kept, from the start on, as they are to be seen."""
        return (self.dressed(load_image(frame.jpeg)) for frame in self.frames)

    def new_path(self, ending: str) -> Path:
        """A file name for it that is still free, in the working folder."""
        stem = "-".join(Path(file_name(p.name)).stem for p in (self.content, self.style))
        names = (Path(f"{stem}-{n}{ending}") for n in range(1, 100_000))
        return next(path for path in names if not path.exists())

    def record(self, iteration: int | None = None) -> dict[str, Any]:
        """How it was made up to an iteration, for the saved file; see `Transfer.record`."""
        done = self.iteration if iteration is None else iteration
        record = self._record | {"recipe": self.recipe.as_dict(), "steps_done": done}
        changes = {str(when): what for when, what in self.changes.items() if when < done}
        if changes:
            record["changes"] = changes
        if again := [k for k in self.again if k < done]:
            record["again"] = again
        if self.colors:
            record["keep_colors"] = True
        return record

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        kind, alt = "image/jpeg", f"{self.title}; step {self.iteration} of {self.steps}"
        data = b64encode(jpeg(self.picture())).decode()
        return {kind: data, "text/plain": alt}, {kind: {"alt": alt, "width": _SHOWN}}

    def code(self) -> str:
        """Python that paints the same picture."""
        content = f"load_image({self.content.name!r}, {self.recipe.size})"
        style, names = self._styles_in_python()
        changed = changed_settings(RECIPES["default"], self.recipe)
        arguments = ", ".join(f"{name}={value!r}" for name, value in changed.items())
        recipe = f'RECIPES["default"].but({arguments})' if changed else 'RECIPES["default"]'
        ways = [f"changes={self.changes!r}"] if self.changes else []
        if self.iteration < self.steps:
            ways.append(f"until={self.iteration}")
        if self.again:
            ways.append(f"again={self.again!r}")
        lines = [
            f"from stylelib import {names}",
            f"transfer = Transfer({content}, {style}, {recipe})",
            f"picture = transfer.run({', '.join(ways)})",
        ]
        if self.mask is not None:
            lines.insert(1, f"mask = load_mask({self.mask.name!r}, {self.recipe.size})")
        if self.colors:
            lines.insert(1, "from stylelib.color import keep_colors")
            lines.append(f"picture = keep_colors(picture, {content})")
        return "\n".join(lines)

    def _styles_in_python(self) -> tuple[str, str]:
        """The paintings as Python, and the names to import."""
        size = self.recipe.style_size()
        paintings = [f"load_image({painting.name!r}, {size})" for painting in self.paintings]
        names = "RECIPES, Transfer, load_image"
        if self.mask is not None:
            names = "RECIPES, Style, Transfer, load_image, load_mask"
            paintings = [
                f"Style({painting}, {where})"
                for painting, where in zip(paintings, ("mask", "1 - mask"), strict=False)
            ]
        return paintings[0] if len(paintings) == 1 else f"[{', '.join(paintings)}]", names


def live(recipe: Recipe) -> dict[str, Any]:
    """The settings that can be changed on the way."""
    return {name: getattr(recipe, name) for name in LIVE}


LIVE = (
    "content_weight",
    "style_weight",
    "tv_weight",
    "style_shares",
    "content_layers",
    "style_layers",
    "statistic",
    "optimizer",
    "learning_rate",
    "steps",
)


def changed_settings(old: Recipe, new: Recipe) -> dict[str, Any]:
    """The settings of `new` that `old` has otherwise."""
    return {
        setting.name: getattr(new, setting.name)
        for setting in fields(Recipe)
        if getattr(new, setting.name) != getattr(old, setting.name)
    }


def jpeg(image: Tensor, quality: int = 90) -> bytes:
    """A picture (1, 3, H, W) as a JPEG file."""
    buffer = io.BytesIO()
    to_pil(image).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()
