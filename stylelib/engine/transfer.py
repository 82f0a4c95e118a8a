"""A style transfer, one step at a time: the engine's parts put together."""

import math
import warnings
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial, wraps
from numbers import Integral
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from torch import Tensor

from ..checks import check_kind, check_picture, check_precision, check_range
from ..core import loop, vgg
from ..errors import StylelibError, is_out_of_memory, pick, shown
from ..memory import give_back, keep_memory
from ..pictures.color import match_colors
from ..pictures.images import fit, resize, resize_to
from ..pictures.record import pictures_record
from ..recipes import RECIPES, SETTINGS, Recipe
from ..version import __version__
from . import cards
from .devices import DEVICES, choose_device, choose_precision
from .lbfgs import FIRST
from .masks import Style, as_styles, fit_mask, painted_pixels
from .memory import check_memory, memory_needed, ran_out, words_for_full
from .modes import usual_modes
from .network import VGG19, prepare, reaches
from .objective import Objective
from .recovery import GENTLY, Descent, Reached
from .sharing import share
from .stages import add_detail, first_picture, least_size, size_at

PHOTO = 512  # the longest side, in pixels, up to which the photo is compared with
LOSSES = ("content", "style", "neighbours", "tv", "total")

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True)
class Step:
    """What one step of the optimisation did.

    Attributes
    ----------
    iteration, steps : int
        This step's number, from 1, and how many there will be.
    losses : dict of str to float
        ``"content"``, ``"style"``, ``"tv"`` and, if the recipe uses them, ``"neighbours"``,
        each before its weight, and ``"total"``, the weighted sum: of the picture that the step
        began with.
    layers : dict of str to float
        Content and style loss layer by layer, for example ``"style conv1_1"``.
    image : Tensor, shape (1, 3, h, w), RGB in 0-1
        The picture after the step; a copy of its own, on the CPU. Small at
        first if the recipe goes coarse to fine.

    Notes
    -----
    A step of a graphics card fetches its losses and its picture when they are first looked at:
    painting does not wait for what nobody asks for. They are this step's, however late that is.
    """

    iteration: int
    steps: int
    losses: dict[str, float]
    layers: dict[str, float]
    image: Tensor

    @classmethod
    def later(
        cls, iteration: int, steps: int, names: Sequence[str], values: Tensor, image: Tensor
    ) -> "Step":
        """A step whose numbers, named `names`, and picture are still on the device."""
        step = cls.__new__(cls)
        step.__dict__.update(iteration=iteration, steps=steps, _later=(names, values, image))
        return step

    @property
    def fetched(self) -> bool:
        """Whether nothing of it is still on the device."""
        return "_later" not in self.__dict__

    def fetch(self) -> None:
        """Get what is still on the device."""
        _ = self.losses, self.layers, self.image
        self.__dict__.pop("_later", None)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            later = self.__dict__.get("_later")
            if later is None or name not in ("losses", "layers", "image"):
                raise AttributeError(f"a Step has no {name}")
            names, values, image = later
            if name == "image":
                self.__dict__["image"] = image.to("cpu", copy=True)
            else:
                losses, layers = told(names, values.tolist())
                self.__dict__.update(losses=losses, layers=layers)
            return self.__dict__[name]

    def __getstate__(self) -> dict[str, Any]:
        self.fetch()
        return self.__dict__


def told(
    names: Sequence[str], values: Sequence[float]
) -> tuple[dict[str, float], dict[str, float]]:
    """A step's losses, and those of the layers, from the objective's parts."""
    numbers = dict(zip(names, values, strict=True))
    return {name: numbers.pop(name) for name in LOSSES if name in numbers}, numbers


def _explain_full_memory(method: Method) -> Method:
    """Let a method say in words that memory ran out, and release what can be set up again.

    It computes as if the caller had switched on none of PyTorch's modes.

    Not a context manager: its frame would keep the error's traceback, and with it all maps.
    """

    @wraps(method)
    def call(self: "Transfer", *arguments: Any) -> Any:
        try:
            with usual_modes(), cards.habits(self.device):
                return method(self, *arguments)
        except Exception as error:
            if is_out_of_memory(error):
                raise ran_out(error, self._release, self._room) from error
            raise

    return cast(Method, call)


class Transfer:
    """A style transfer, one step at a time: iterate over it.

    It can be paused and resumed at any step, and its weights changed between steps;
    the picture so far is always in `image`.

    Parameters
    ----------
    content : Tensor, shape (1, 3, H, W), RGB in 0-1
        The photo; it is resized to the recipe's size.
    style : Tensor, shape (1, 3, H, W), RGB in 0-1, or `Style`, or several of them
        The painting, or several to blend, each with masks or without. Pixels
        that no style goes to stay as they are in the photo.
    recipe : Recipe
    network : VGG19, optional
        By default, loaded as the recipe says.
    device : {"auto", "cpu", "cuda", "mps"}
    precision : torch.dtype, optional
        Of the convolutions; by default the fastest that is good enough.
    start : Tensor, shape (1, 3, h, w), RGB in 0-1, optional
        A picture to start from, in place of what the recipe's `init` says; it is resized to the
        photo's proportions.

    Attributes
    ----------
    recipe : Recipe
        With the changes made since the start.
    stopped : str or None
        Why it stopped before its last step, in words, if it did.
    quiet : bool
        Don't warn when it stops early: for callers that look at `stopped`.

    Raises
    ------
    StylelibError
        If a picture is not usable or the size does not fit in memory; from a step, if
        memory runs out while painting. The picture so far stays in `image`.

    Examples
    --------
    >>> from stylelib import Recipe, Transfer, load_image, save_image
    >>> photo, painting = load_image("camel"), load_image("hokusai-great-wave")
    >>> transfer = Transfer(photo, painting, Recipe(size=48, steps=4))
    >>> for step in transfer:
    ...     if step.iteration == 2:
    ...         transfer.change(style_weight=10)
    >>> path = save_image(transfer.image, "camel.png")
    """

    @usual_modes()
    def __init__(
        self,
        content: Tensor,
        style: Tensor | Style | Sequence[Tensor | Style],
        recipe: Recipe = RECIPES["default"],
        network: vgg.VGG19 | None = None,
        device: str = "auto",
        precision: torch.dtype | None = None,
        start: Tensor | None = None,
    ) -> None:
        check_picture(content, "The content picture")
        if start is not None:
            check_picture(start, "The picture to start from")
        check_kind(recipe, Recipe, "The recipe")
        if network is not None:
            check_kind(network, vgg.VGG19, "The network")
        if precision is not None:
            check_precision(precision)
        self.stopped: str | None = None
        self.quiet = False
        self._styles = as_styles(style)
        recipe.shares(len(self._styles))
        self.device = choose_device(pick(device, DEVICES, "device"))
        self.precision = precision or choose_precision(self.device)
        self._content = content.detach().cpu().float()
        if recipe.match_colors:
            self._styles = [
                replace(one, image=match_colors(one.image.detach().cpu(), self._content))
                for one in self._styles
            ]
        height, width = fit(content.shape, recipe.size)
        largest = max(math.prod(fit(s.image.shape, recipe.style_size())) for s in self._styles)
        searched = len(self._styles) if recipe.neighbour_weight else 0
        measures = height, width, self.precision, largest, recipe.deepest, searched
        check_memory(height, width, self.device, *measures[2:])
        self._room = partial(words_for_full, self.device, height, width, memory_needed(*measures))
        keep_memory()
        self._least = least_size(recipe, self._content, self._styles)
        self._descent: Descent | None = None  # set up when the next step needs it
        self.network = self._prepare(recipe, network)
        # A given network decides these two settings; the record must say what was used.
        self.recipe = recipe.but(pooling=self.network.pooling, padding=self.network.padding)
        painting = self._styles[0].image.detach().cpu()
        size = max(recipe.stages()[0][0], self._least)
        if start is None:
            picture = first_picture(recipe, self._content, painting, size)
        else:
            picture = resize_to(start.detach().cpu().float(), fit(content.shape, size)).clone()
        self._reached = Reached(self._with_photo(picture))
        self._size = 0  # the longest side that it has painted at
        self._recent: list[weakref.ref[Step]] = []  # some of which may be on a card

    def _with_photo(self, picture: Tensor) -> Tensor:
        """The picture, with the photo where no style goes."""
        height, width = picture.shape[-2:]
        styles = [one.to(picture.device) for one in self._styles]
        painted = painted_pixels([fit_mask(s.where, picture.shape, "photo") for s in styles])
        if painted is None:
            return picture
        return torch.where(painted, picture, resize_to(self._content, (height, width)))

    @property
    def image(self) -> Tensor:
        """The picture so far."""
        self._settle()
        self._reached.image = self._reached.image.cpu()
        return self._reached.image

    @property
    def iteration(self) -> int:
        """Steps done."""
        return self._reached.iteration

    def __iter__(self) -> Iterator[Step]:
        return self

    @_explain_full_memory
    def __next__(self) -> Step:
        while not self.stopped and self.iteration < self.recipe.steps:
            if self.device.type == "cpu":
                share.take()
            done = self.iteration
            size = max(size_at(self.recipe, done), self._size, self._least)
            descent = self._descent
            if descent is None or size != self._size:
                descent = self._begin(size)
            loop.step(self._pixels, self._loss, descent)
            if self._due(descent, size):
                if not descent.settle():
                    self._recover(descent)
                self._fetch()
            if self.iteration > done:
                return self._describe(self._parts)
        share.rest()
        self.network.forget()
        give_back()
        raise StopIteration

    def _due(self, descent: Descent, size: int) -> bool:
        """Whether to wait until it is known that the steps so far were sound."""
        done = self.iteration
        return descent.due or done >= self.recipe.steps or size_at(self.recipe, done) > size

    def _settle(self) -> None:
        """Know whether the steps so far were sound, and go back if they were not."""
        if self._descent is not None and not self._descent.settle():
            self._recover(self._descent)

    def _fetch(self) -> None:
        """Fetch the latest steps that somebody has kept, lest they fill the card."""
        for kept in self._recent:
            if (step := kept()) is not None:
                step.fetch()
        self._recent.clear()

    @_explain_full_memory
    def _prepare(self, recipe: Recipe, network: vgg.VGG19 | None = None) -> VGG19:
        return prepare(recipe, self.device, self.precision, network)

    def _begin(self, size: int) -> Descent:
        """Set up pictures, targets and optimiser for painting at this size.

        The size is noted last: if an interrupt comes before that, the next step starts over here.
        """
        self._descent = None
        content = resize(self._content, size).to(self.device)
        styles = [s.resized(self.recipe.style_size(size)).to(self.device) for s in self._styles]
        picture = resize_to(self.image, (content.shape[-2], content.shape[-1])).to(self.device)
        # Larger than PHOTO, a photo shows hairs and leaves, and they would all be painted: it would
        # look filtered. From there on, the picture so far is what is painted larger.
        wanted = picture if 0 < self._size < size and size > PHOTO else content
        self._objective = Objective(wanted, styles, self.recipe, self.network, picture)
        self._call = cards.captured(self._objective, self.recipe, self.network.dtype, self.device)
        painted = self._objective.painted
        if painted is not None:
            picture = torch.where(painted, picture, content)
        # L-BFGS reads the pixels as one long row; if they are contiguous, that needs no copy.
        self._pixels = picture.contiguous().clone().requires_grad_()
        if painted is not None:
            self._pixels.register_hook(lambda gradient: gradient * painted)
        # At a size where it has painted before, it continues as gently as it left off.
        first = GENTLY * FIRST if size == self._size else FIRST
        enlarged = 0 < self._size < size
        if enlarged and self.recipe.detail_steps and add_detail(self._pixels, self._objective):
            first = 0.3 * FIRST  # most of the way is done
        make = cards.descent_for(self.device)
        self._descent = make(self._pixels, painted, self.recipe, first, self._reached)
        self._size = size
        return self._descent

    def _loss(self, pixels: Tensor) -> Tensor:
        assert self._descent is not None
        self._descent.loss, self._parts = self._call(pixels)
        return self._descent.loss

    def _recover(self, descent: Descent) -> None:
        """Go back to the best picture so far and, if there is any point in it, go on from there."""
        worth_it = descent.restart()
        self._reached.image = descent.best.clamp(0, 1).cpu()
        if not worth_it:
            self.stopped = (
                f"The loss became {descent.total:g} at step {self.iteration + 1}, so the "
                f"optimisation stopped; the best picture so far is kept. Try a smaller learning "
                f"rate or smaller weights."
            )
            if not self.quiet:
                warnings.warn(self.stopped, RuntimeWarning, stacklevel=4)

    def _describe(self, parts: Mapping[str, Tensor], on_card: bool = True) -> Step:
        names, values = list(parts), cards.numbers_of(parts)
        if on_card and cards.on_card(self.device):
            image = self._reached.image
            step = Step.later(self.iteration, self.recipe.steps, names, values, image)
            self._recent.append(weakref.ref(step))
            return step
        losses, layers = told(names, values.tolist())
        return Step(self.iteration, self.recipe.steps, losses, layers, self.image.clone())

    def _release(self) -> None:
        """Release all that the next step can set up again from the picture so far."""
        if "_reached" in self.__dict__:  # else it is about to load the network
            with suppress(RuntimeError):  # the card may be in no state to answer
                self._reached.image = self.image
        self._descent = None
        for name in ("_objective", "_call", "_pixels", "_parts"):
            self.__dict__.pop(name, None)
        cards.release(self.device)

    @_explain_full_memory
    def measure(self) -> Step:
        """The losses of the picture as it is now; a step has those of the picture before it.

        Raises
        ------
        StylelibError
            If memory runs out.
        """
        if self._descent is None:
            self._begin(max(self._size, max(self.image.shape[-2:])))
        with torch.no_grad():
            parts = self._objective(self.image.to(self.device))[1]
            return self._describe(parts, on_card=False)

    def run(
        self,
        changes: Mapping[int, Mapping[str, Any]] | None = None,
        until: int | None = None,
        again: Collection[int] = (),
        each: Callable[[Step], object] | None = None,
    ) -> Tensor:
        """Take all the steps that are left, and return the picture.

        Parameters
        ----------
        changes : mapping of iteration to settings, optional
            To `change` right after that iteration, for example
            ``{100: {"style_weight": 10}}``.
        until : int, optional
            Stop after that iteration.
        again : several int
            Iterations after which the optimiser is restarted, as it is after
            `go_back_to`.
        each : callable, optional
            Called with each step, for example to show the progress.

        Raises
        ------
        StylelibError
            As `change` does.
        """
        changes = {} if changes is None else changes
        _check_plan(changes, until, again)
        while until is None or not self._has_reached(until):
            if self.iteration in again:
                self.go_back_to(self.image, self.iteration)
            if self.iteration in changes:
                self.change(**changes[self.iteration])
            step = next(self, None)
            if step is None:
                break
            if each is not None:
                each(step)
        return self.image

    def _has_reached(self, iteration: int) -> bool:
        """Whether so many sound steps are done."""
        if self.iteration >= iteration:
            self._settle()
        return self.iteration >= iteration

    def change(self, **changes: Any) -> None:
        """Change settings of the recipe while painting; they apply from the next step on.

        With more `steps` than before, a finished transfer can be continued.

        Raises
        ------
        StylelibError
            If a setting is unknown, out of range, or can't be changed while painting.
        """
        recipe = self.recipe.but(**changes)
        for name in changes:
            if getattr(recipe, name) != getattr(self.recipe, name) and not SETTINGS[name].live:
                raise StylelibError(
                    f"{name} can't be changed while painting. Start a new transfer."
                )
        self._settle()
        same_loss = recipe.but(steps=self.recipe.steps) == self.recipe
        recipe.shares(len(self._styles))
        self._least = least_size(recipe, self._content, self._styles)
        if not reaches(self.network, recipe.deepest):
            self.network = self._prepare(recipe)
        self.recipe = recipe
        self.stopped = None
        if self._descent is not None:
            self._descent.restarts = 0
        if not same_loss:
            self._descent = None

    def go_back_to(self, image: Tensor, iteration: int) -> None:
        """Continue from an earlier picture of this transfer, for example ``step.image``."""
        check_picture(image, "The earlier picture")
        check_range("iteration", iteration, 0, 1_000_000, Integral)
        self._reached = Reached(image.detach().cpu().float().clone(), int(iteration))
        self.stopped = None
        self._size, self._descent = min(max(image.shape[-2:]), self.recipe.size), None

    def record(
        self,
        content: "str | PathLike[str]",
        style: "str | PathLike[str] | Sequence[str | PathLike[str]]",
        where: Sequence[str | None] = (),
        source: Sequence[str | None] = (),
    ) -> dict[str, Any]:
        """How the picture was made, as plain values, for `save_image`.

        Parameters
        ----------
        content : str
        style : str, or several
            Samples' names, or paths, of which only the last part is recorded: the
            folder is private.
        where, source : several str or None, optional
            The masks' files, for each painting in turn; see `Style`. ``"1 - sky.png"``
            means where that mask is black.
        """
        return pictures_record(content, style, where, source) | {
            "recipe": self.recipe.as_dict(),
            "steps_done": self.iteration,
            "device": self.device.type,
            "precision": str(self.precision).removeprefix("torch."),
            "winograd": self.network.winograd,
            "versions": {"stylelib": __version__, "torch": torch.__version__},
        }


def _check_plan(changes: Any, until: Any, again: Any) -> None:
    """Refuse a plan that `Transfer.run` could not carry out."""
    settings = changes.values() if isinstance(changes, Mapping) else [None]
    if not all(isinstance(what, Mapping) and all(isinstance(n, str) for n in what)
               for what in settings):  # fmt: skip
        raise StylelibError(
            f"changes is {shown(changes)}; give settings by iteration, for example "
            f"{{100: {{'style_weight': 10}}}}."
        )
    if until is not None:
        check_range("until", until, 0, math.inf, Integral)
    if not isinstance(again, list | tuple | set | frozenset | range):
        raise StylelibError(f"again is {shown(again)}; give a list of iterations.")
