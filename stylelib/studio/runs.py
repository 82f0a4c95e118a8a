"""What a session remembers of each run: its settings, its losses, and pictures on the way."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..core.vgg import VGG19
from ..engine.masks import divide, names_of_halves
from ..engine.transfer import Step, Transfer
from ..errors import StylelibError
from ..lessons.theme import with_picture
from ..pictures.color import keep_colors
from ..pictures.film import save_film
from ..pictures.images import load_image, load_mask, save_image
from ..pictures.names import file_name
from ..recipes import RECIPES, SETTINGS, Recipe
from .picture import Picture, jpeg

KEPT = 24  # frames, about
_BUDGET = 128_000_000  # bytes of uncompressed frames
_UNASKED = 8  # steps that are not yet asked for their losses
_POINTS = 200  # of the losses that a saved picture holds
_SHOWN = 512  # pixels wide on the page, however small the picture is


@dataclass(frozen=True)
class Frame:
    """The picture after an iteration; `image` is None where only the JPEG was kept."""

    iteration: int
    jpeg: bytes
    image: Tensor | None


@dataclass(eq=False, repr=False)
class Run:
    """One style transfer, with everything needed to show it and to repeat it.

    The first painting goes where the mask is white. Black stays the photo or, if there is
    a second painting, takes its style.
    """

    number: int  # in the session, from 1
    content: Picture
    style: Picture
    recipe: Recipe  # at the start
    second: Picture | None = None  # another painting, to blend with the first
    mask: Picture | None = None
    colors: bool = False  # show and save the picture in the photo's own colours

    def __post_init__(self) -> None:
        self.changes: dict[int, dict[str, Any]] = {}  # by the iteration that they came after
        self.again: list[int] = []  # iterations where it was continued, optimiser restarted
        # The losses of all steps but the newest few, and these: on a graphics card a step is asked
        # for its numbers and its picture only when they are shown. Replaced as a pair, since
        # another thread may be reading it.
        self._told: tuple[list[dict[str, float]], list[Step]] = [], []
        self._newest: Step | None = None
        self.frames: list[Frame] = []  # the first picture, some on the way, and the newest
        self.seconds = 0.0  # spent on the steps
        self.begun = 0  # the iteration that it began with
        self.finished = False  # whether no more steps will come
        self._record: dict[str, Any] = {}
        self._start: Frame | None = None
        self._asked = self.recipe

    @property
    def losses(self) -> list[dict[str, float]]:
        """The losses of each step, as in `Step`."""
        known, newest = self._told
        return known + [step.losses for step in newest]

    @property
    def layers(self) -> dict[str, float]:
        """The newest step's losses by layer, as in `Step`."""
        return {} if self._newest is None else self._newest.layers

    @property
    def image(self) -> Tensor | None:
        """The newest picture."""
        if self._newest is not None:
            return self._newest.image
        return None if self._start is None else self._start.image

    @property
    def iteration(self) -> int:
        """Steps done."""
        known, newest = self._told
        return len(known) + len(newest)

    @property
    def steps(self) -> int:
        """Steps planned, including changes made on the way."""
        return self.recipe_at(self.iteration).steps

    @property
    def workload(self) -> tuple[str, str, str, int, bool]:
        """What the time of a step depends on, besides the size."""
        recipe, paintings = self.recipe, len(self.paintings)
        method, masked = method_of(recipe), self.mask is not None
        return method, recipe.deepest, recipe.statistic, paintings, masked

    @property
    def small(self) -> bool:
        """Whether the picture is smaller than it would have become."""
        return self.image is not None and max(self.image.shape[-2:]) < self.recipe.size

    @property
    def name(self) -> str:
        """What to call it, in short."""
        return f"No. {self.number}"

    @property
    def title(self) -> str:
        """What was painted, in one line."""
        photo, style = self.content.label, self.style.label
        if self.second is None:
            return f"{self.name}: {photo}, after {style}"
        return f"{self.name}: {photo}, after {style} and {self.second.label}"

    @property
    def paintings(self) -> list[Picture]:
        """The one painting, or both."""
        return [self.style] if self.second is None else [self.style, self.second]

    def recipe_at(self, iteration: int) -> Recipe:
        """The recipe with the changes made up to that iteration."""
        recipe = self.recipe
        for when in sorted(self.changes):
            if when <= iteration:
                recipe = recipe.but(**self.changes[when])
        return recipe

    def can_follow(self, setting: str, value: Any) -> bool:
        """Whether this run can take that change while it is being painted."""
        if setting == "style_shares":  # one for each painting, and those are fixed
            return len(value) == (0 if self.second is None else 2)
        return is_live(setting)

    def follow(self, recipe: Recipe) -> tuple[dict[str, Any], dict[str, Any]]:
        """What has changed in the wanted recipe since this was last called.

        First the changes that this run can take, then those that need another run. While the
        other method is chosen, that is all of them.
        """
        changed = recipe.changed_from(self._asked)
        if method_of(recipe) != method_of(self._asked):
            return {}, changed
        self._asked = recipe
        now = {name: value for name, value in changed.items() if self.can_follow(name, value)}
        return now, {name: value for name, value in changed.items() if name not in now}

    def transfer(self, load: Callable[[Recipe], VGG19]) -> Transfer:
        """The transfer that paints this run, from its start or from the frame it continues."""
        content = self.content.load(self.recipe.size)
        paintings = [p.load(self.recipe.style_size()) for p in self.paintings]
        mask = None if self.mask is None else load_mask(self.mask.source, self.recipe.size)
        transfer = Transfer(content, divide(paintings, mask), self.recipe, load(self.recipe))
        transfer.quiet = True
        names = [painting.name for painting in self.paintings]
        masks = [] if self.mask is None else names_of_halves(self.mask.name, len(names))
        self._record = transfer.record(self.content.name, names, masks)
        if self._start is None:
            self._keep(Frame(0, jpeg(transfer.image), transfer.image))
        else:
            assert self._start.image is not None
            # The settings come first: they decide how many steps are left.
            transfer.change(**self.recipe_at(self.iteration).changed_from(self.recipe))
            transfer.go_back_to(self._start.image, self._start.iteration)
        return transfer

    def add(self, step: Step, changes: Mapping[str, Any], seconds: float) -> None:
        """Remember a step, the changes made just before it, and the time it took."""
        if changes:
            when = step.iteration - 1
            now = self.changes.get(when, {}) | dict(changes)
            # A new dictionary, because another thread may be going through the old one.
            self.changes = self.changes | {when: now}
        self.seconds += seconds
        if step.iteration <= self.iteration:  # some went wrong, and it counts from there again
            self._told = self.losses[: step.iteration - 1], []
            self.frames = [f for f in self.frames if f.iteration < step.iteration]
        known, newest = self._told
        if isinstance(step, Step) and not step.fetched:
            if len(newest) >= _UNASKED:
                known, newest = self.losses, []
            self._told = known, [*newest, step]
        else:
            known.append(step.losses)
        self._newest = step
        if step.iteration % max(1, round(step.steps / KEPT)) == 0:
            self._keep(Frame(step.iteration, jpeg(step.image), step.image))

    def finish(self) -> None:
        """Keep the newest picture as the last frame."""
        self.finished = True
        self._told = self.losses, []
        if self.image is not None and self.frames[-1].iteration != self.iteration:
            self._keep(Frame(self.iteration, jpeg(self.image), self.image))

    def shrink(self) -> None:
        """Keep frames only as JPEG files, now that a newer run may be continued instead."""
        self.frames = [Frame(frame.iteration, frame.jpeg, None) for frame in self.frames]

    def _keep(self, frame: Frame) -> None:
        frames = [*self.frames, frame]
        while sum(f.image.nbytes for f in frames if f.image is not None) > _BUDGET:
            if len(frames) < 4:
                break
            frames = [frames[0], *frames[1:-1:2], frames[-1]]
        self.frames = frames

    def back_to(self, frame: Frame, number: int) -> "Run":
        """A new run that continues from a frame of this one, if it was kept uncompressed."""
        if frame.image is None:
            raise StylelibError("Only the newest run can be continued from an earlier step.")
        run = replace(self, number=number)
        run.changes = {k: dict(v) for k, v in self.changes.items() if k < frame.iteration}
        run._asked = run.recipe_at(frame.iteration)
        run._record = self._record
        if frame.iteration:
            # The restart of the optimiser is part of how the picture is made.
            run.again = [k for k in self.again if k < frame.iteration] + [frame.iteration]
            run._told = self.losses[: frame.iteration], []
            run.frames = [f for f in self.frames if f.iteration <= frame.iteration]
            run._start, run.begun = frame, frame.iteration
        return run

    def picture(self) -> Tensor:
        """The newest picture, as it is shown."""
        if self.image is None:
            raise StylelibError("There is no picture yet. Press Paint first.")
        return self.as_shown(self.image)

    def as_shown(self, image: Tensor) -> Tensor:
        """A picture of this run, in the photo's colours if `colors` says so."""
        if not self.colors:
            return image
        return keep_colors(image, self.content.load(self.recipe.size))

    def frame_picture(self, frame: Frame) -> Tensor:
        """A frame's picture, as it is shown."""
        return self.as_shown(load_image(frame.jpeg) if frame.image is None else frame.image)

    def new_path(self, ending: str) -> Path:
        """An unused file name in the working folder."""
        stem = "-".join(Path(file_name(p.name)).stem for p in (self.content, self.style))
        names = (Path(f"{stem}-{n}{ending}") for n in range(1, 100_000))
        # Unlike `Path.exists`, this raises nothing where the folder may not be looked into.
        return next(path for path in names if not os.path.lexists(path))

    def record(self, iteration: int | None = None) -> dict[str, Any]:
        """How it was made up to an iteration, for the saved file; see `Transfer.record`."""
        done = self.iteration if iteration is None else iteration
        record = self._record | {"recipe": self.recipe.as_dict(), "steps_done": done}
        if changes := {str(when): what for when, what in self.changes.items() if when < done}:
            record["changes"] = changes
        if again := [k for k in self.again if k < done]:
            record["again"] = again
        if self.colors:
            record["keep_colors"] = True
        return record

    def save(self, path: Path, frame: Frame | None = None, history: bool = False) -> Path:
        """Save the newest picture or a frame, with the recipe in the file; see `save_image`.

        With `history`, the file also holds what `restore` needs to show the run again.
        """
        if self.mask is not None and isinstance(self.mask.source, bytes):
            # It was drawn in the browser: without it, nobody could paint the picture again.
            save_image(self.mask.load(None), path.parent / self.mask.name)
        if frame is None:
            more = {"history": self._history()} if history else {}
            return save_image(self.picture(), path, self.record() | more)
        return save_image(self.frame_picture(frame), path, self.record(frame.iteration))

    def _history(self) -> dict[str, Any]:
        done = self.iteration
        chosen = sorted({round(i * (done - 1) / (_POINTS - 1)) for i in range(_POINTS)})
        return {
            "seconds": round(self.seconds, 1),
            "losses": {
                name: [float(f"{self.losses[i][name]:.4g}") for i in chosen]
                for name in self.losses[-1]
                if all(name in self.losses[i] for i in chosen)
            },
        }

    def restore(self, image: Tensor, record: Mapping[str, Any]) -> None:
        """Become the finished run whose picture was saved with its history.

        Only some of the losses were saved; each stands for the steps around it.
        """
        record, history = dict(record), record["history"]
        self.changes = {int(when): dict(w) for when, w in record.pop("changes", {}).items()}
        self.again = [int(when) for when in record.pop("again", [])]
        done, losses = int(record["steps_done"]), history["losses"]
        count = min(map(len, losses.values()))
        places = [i * count // done for i in range(done)]
        told = [{name: float(losses[name][i]) for name in losses} for i in places]
        self._told, self._newest = (told, []), Step(done, done, told[-1], {}, image)
        self.seconds, self.finished = float(history["seconds"]), True
        self.frames = [Frame(done, jpeg(image), None)]
        self._record = {n: v for n, v in record.items() if n not in ("history", "keep_colors")}
        losses_of(self.losses[-1])  # what the table shows
        self.recipe_at(done)

    def save_film(self, path: Path) -> Path:
        """Save the frames as an animated GIF or WebP; see `stylelib.save_film`."""
        return save_film(map(self.frame_picture, self.frames), path)

    def code(self) -> str:
        """Python code that paints the same picture."""
        names = {"RECIPES", "Transfer", "load_image"}
        content = f"load_image({self.content.name!r}, {self.recipe.size})"
        size = self.recipe.style_size()
        styles = [f"load_image({painting.name!r}, {size})" for painting in self.paintings]
        before, after = [], []
        if self.mask is not None:
            names |= {"Style", "load_mask"}
            before = [f"mask = load_mask({self.mask.name!r}, {self.recipe.size})"]
            halves = names_of_halves("mask", len(styles))
            styles = [f"Style({s}, {where})" for s, where in zip(styles, halves, strict=True)]
        if self.colors:
            names.add("keep_colors")
            after = [f"picture = keep_colors(picture, {content})"]
        style = styles[0] if len(styles) == 1 else f"[{', '.join(styles)}]"
        base = method_of(self.recipe)
        changed = _arguments(self.recipe.changed_from(RECIPES[base]))
        recipe = f'RECIPES["{base}"].but({changed})' if changed else f'RECIPES["{base}"]'
        until = self.iteration if self.iteration < self.steps else None
        plan = {"changes": self.changes or None, "until": until, "again": self.again or None}
        told = _arguments({name: value for name, value in plan.items() if value is not None})
        each = "each=progress_bar(transfer)"
        return "\n".join([
            f"from stylelib import {', '.join(sorted(names))}",
            "from stylelib.lessons.progress import progress_bar",
            *before,
            f"transfer = Transfer({content}, {style}, {recipe})",
            f"picture = transfer.run({f'{told}, {each}' if told else each})",
            *after,
        ])  # fmt: skip

    def _repr_mimebundle_(self, **_: Any) -> Any:
        alt = f"{self.title}; step {self.iteration} of {self.steps}"
        return with_picture({}, "image/jpeg", jpeg(self.picture()), alt, width=_SHOWN)


def method_of(recipe: Recipe) -> str:
    """Which of the methods a recipe uses."""
    return "neighbours" if recipe.neighbour_weight else "gram"


def losses_of(losses: Mapping[str, float]) -> dict[str, float]:
    """The two losses of a step that its method balances, by what they are called."""
    if "neighbours" in losses:
        return {"neighbours": losses["neighbours"], "style": losses["style"]}
    return {"content": losses["content"], "style": losses["style"]}


def is_live(setting: str) -> bool:
    """Whether a setting can be changed while a run is being painted."""
    # A `Transfer` could also change the style scale, but a run loads its paintings at one size.
    return SETTINGS[setting].live and setting != "style_scale"


def _arguments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
