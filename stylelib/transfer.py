"""The optimisation: the pixels change, the network does not."""

import math
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from numbers import Integral
from os import PathLike
from pathlib import PureWindowsPath
from typing import Any

import torch
from torch import Tensor

from . import __version__
from .checks import check_kind, check_picture, check_precision, check_range
from .color import match_colors
from .devices import DEVICES, choose_device, choose_precision, choose_winograd
from .errors import StylelibError, is_out_of_memory, pick, shown
from .images import fit, resize, resize_to
from .lbfgs import FIRST, LBFGS
from .memory import check_memory, give_back, keep_memory, ran_out
from .objective import Objective, Style, as_styles
from .recipes import RECIPES, Recipe
from .vgg import LAYERS, VGG19, load_vgg19, smallest_side

_EXPLODED = 1e3  # a loss that many times the best is not coming back
_SMALL = 1e-3  # beside the weights: a loss that can grow a thousandfold and still be no accident
_RESTARTS = 3
_GENTLY = 0.1  # times the first stride, where it has painted before


@dataclass(frozen=True)
class Step:
    """What one step of the optimisation did.

    Attributes
    ----------
    iteration, steps : int
        This step's number, from 1, and how many there will be.
    losses : dict of str to float
        ``"content"``, ``"style"`` and ``"tv"``, each before its weight, and
        ``"total"``, the weighted sum: of the picture that the step began with.
    layers : dict of str to float
        Content and style loss layer by layer, for example ``"style conv1_1"``.
    image : Tensor, shape (1, 3, h, w), RGB in 0-1
        The picture after the step; a copy of its own, on the CPU. Small at
        first if the recipe goes coarse to fine.
    """

    iteration: int
    steps: int
    losses: dict[str, float]
    layers: dict[str, float]
    image: Tensor


class Transfer:
    """A style transfer, a step at a time: iterate over it.

    It can be left and gone on with at any step, and its weights changed on the
    way; the picture so far is always in `image`.

    Parameters
    ----------
    content : Tensor, shape (1, 3, H, W), RGB in 0-1
        The photo; it is resized to the recipe's size.
    style : Tensor, shape (1, 3, H, W), RGB in 0-1, or `Style`, or several of them
        The painting, or several to blend, each with masks or without. Pixels
        that no style goes to stay the photo's.
    recipe : Recipe
    network : VGG19, optional
        Loaded as the recipe says by default.
    device : {"auto", "cpu", "cuda", "mps"}
    precision : torch.dtype, optional
        Of the convolutions: the fastest good one by default.

    Attributes
    ----------
    image : Tensor
        The picture so far, as in `Step`.
    iteration : int
        Steps done.
    recipe : Recipe
        With the changes made on the way.
    stopped : str or None
        Why it stopped before its last step, in words, if it did.
    quiet : bool
        Don't warn when it stops early: who sets this looks at `stopped`.

    Raises
    ------
    StylelibError
        If a picture is not usable or the size does not fit in memory; from a step, if
        memory runs out on the way. The picture so far stays in `image`.

    Examples
    --------
    >>> transfer = Transfer(load_image("camel"), load_image("hokusai-great-wave"))
    >>> for step in transfer:
    ...     if step.iteration == 100:
    ...         transfer.change(style_weight=10)
    >>> save_image(transfer.image, "camel.png")
    """

    def __init__(
        self,
        content: Tensor,
        style: Tensor | Style | Sequence[Tensor | Style],
        recipe: Recipe = RECIPES["default"],
        network: VGG19 | None = None,
        device: str = "auto",
        precision: torch.dtype | None = None,
    ) -> None:
        check_picture(content, "The content picture")
        check_kind(recipe, Recipe, "The recipe")
        if network is not None:
            check_kind(network, VGG19, "The network")
        if precision is not None:
            check_precision(precision)
        self.recipe = recipe
        self.iteration = 0
        self.stopped: str | None = None
        self.quiet = False
        self._styles = as_styles(style)
        recipe.shares(len(self._styles))
        self.device = choose_device(pick(device, DEVICES, "device"))
        self.precision = precision or choose_precision(self.device)
        self._content = content.detach().cpu().float()
        self._dye(recipe)
        height, width = fit(content.shape, recipe.size)
        painting = max(_pixels(s.image, recipe.style_size()) for s in self._styles)
        check_memory(height, width, self.device, self.precision, painting, recipe.deepest)
        keep_memory()
        self._least = self._least_size(recipe)
        try:
            self.network = self._prepared(network, recipe)
        except Exception as error:
            if is_out_of_memory(error):
                raise ran_out(error) from error
            raise
        # What a given network does is how the picture is made.
        self.recipe = recipe.but(pooling=self.network.pooling, padding=self.network.padding)
        self._size, self._begun = 0, False
        self._restarts = 0
        self.image = self._first_picture()

    def __iter__(self) -> Iterator[Step]:
        return self

    def __next__(self) -> Step:
        if self.stopped or self.iteration >= self.recipe.steps:
            give_back()
            raise StopIteration
        done = self.iteration
        try:
            size = self._size_now()
            if size != self._size or not self._begun:
                self._begin(size)
            total, parts = self._update()
        except Exception as error:
            if is_out_of_memory(error):
                raise ran_out(error, self._forget) from error
            raise
        if self.iteration == done:
            self._recover(total)
            return next(self)
        return self._told(parts)

    def measure(self) -> Step:
        """The losses of the picture as it is now, in place of the one before the step.

        Raises
        ------
        StylelibError
            If memory runs out.
        """
        try:
            if not self._begun:
                self._begin(max(self._size, max(self.image.shape[-2:])))
            with torch.no_grad():
                return self._told(self._objective(self.image.to(self.device))[1])
        except Exception as error:
            if is_out_of_memory(error):
                raise ran_out(error, self._forget) from error
            raise

    def _told(self, parts: Mapping[str, Tensor]) -> Step:
        names, values = list(parts), torch.stack([p.detach().float() for p in parts.values()])
        numbers = dict(zip(names, values.tolist(), strict=True))
        losses = {name: numbers.pop(name) for name in ("content", "style", "tv", "total")}
        return Step(self.iteration, self.recipe.steps, losses, numbers, self.image.clone())

    def run(
        self,
        changes: Mapping[int, Mapping[str, Any]] | None = None,
        until: int | None = None,
        again: Collection[int] = (),
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
            Iterations after which the optimiser starts afresh, as it does after
            `go_back_to`.

        Raises
        ------
        StylelibError
            As `change` does.
        """
        changes = {} if changes is None else changes
        _check_plan(changes, until, again)
        while until is None or self.iteration < until:
            if self.iteration in again:
                self.go_back_to(self.image, self.iteration)
            if self.iteration in changes:
                self.change(**changes[self.iteration])
            if next(self, None) is None:
                break
        return self.image

    def change(self, **changes: Any) -> None:
        """Change settings of the recipe on the way; the next step follows them.

        More `steps` than before lets a finished transfer go on.

        Raises
        ------
        StylelibError
            If a setting is unknown, out of range, or can't be changed any more.
        """
        fixed = {"size", "coarse_to_fine", "coarsest", "init", "pooling", "padding", "weights"}
        fixed |= {"seed", "match_colors"}
        recipe = self.recipe.but(**changes)
        for name in fixed & changes.keys():
            if getattr(recipe, name) != getattr(self.recipe, name):
                raise StylelibError(f"{name} can't be changed on the way. Start a new transfer.")
        same_loss = recipe.but(steps=self.recipe.steps) == self.recipe
        recipe.shares(len(self._styles))
        self._least = self._least_size(recipe)
        deepest = recipe.deepest
        if LAYERS.index(deepest) > LAYERS.index(self.network.last):
            self.network = self._prepared(None, recipe)
        self.recipe = recipe
        self.stopped = None
        self._restarts = 0
        self._begun = self._begun and same_loss

    def go_back_to(self, image: Tensor, iteration: int) -> None:
        """Go on from an earlier picture of this transfer, for example ``step.image``."""
        check_picture(image, "The earlier picture")
        check_range("iteration", iteration, 0, 1_000_000, Integral)
        self.iteration, self.stopped, self._restarts = int(iteration), None, 0
        self.image = image.detach().cpu().float().clone()
        self._size, self._begun = min(max(image.shape[-2:]), self.recipe.size), False

    def record(
        self,
        content: "str | PathLike[str]",
        style: "str | PathLike[str] | Sequence[str | PathLike[str]]",
        where: Sequence[str | None] = (),
        source: Sequence[str | None] = (),
    ) -> dict[str, Any]:
        """How the picture was made, of plain values, for `save_image`.

        Parameters
        ----------
        content : str
        style : str, or several
            Samples' names or paths, of which only the last part is told: where
            a file lies is nobody's business.
        where, source : several str or None, optional
            The masks' files, for each painting in turn; see `Style`. ``"1 - sky.png"``
            is where that one is black.
        """
        styles = _names(style, "style")
        where, source = _names(where, "where"), _names(source, "source")
        if not isinstance(content, str | PathLike) or not styles or None in styles:
            raise StylelibError("Give the photo's name, and one for each painting.")
        pictures: dict[str, Any] = {"content": _file(content), "style": _file(styles[0])}
        if len(styles) > 1:
            pictures["style"] = [_file(name) for name in styles]
        for name, masks in (("where", where), ("source", source)):
            if any(masks):
                pictures[name] = [mask and _file(mask) for mask in masks]
        return pictures | {
            "recipe": self.recipe.as_dict(),
            "steps_done": self.iteration,
            "device": self.device.type,
            "precision": str(self.precision).removeprefix("torch."),
            "winograd": self.network.winograd,
            "versions": {"stylelib": __version__, "torch": torch.__version__},
        }

    def _dye(self, recipe: Recipe) -> None:
        if recipe.match_colors:
            self._styles = [
                replace(one, image=match_colors(one.image.detach().cpu(), self._content))
                for one in self._styles
            ]

    def _prepared(self, network: VGG19 | None, recipe: Recipe) -> VGG19:
        """The network for this transfer: the given one as it is needed, or a new one."""
        wanted = (self.device, self.precision, choose_winograd(self.device, self.precision))
        if network is not None:
            if (network.mean.device, network.dtype, network.winograd) == wanted:
                return network
            same = (network.mean.device, network.dtype) == wanted[:2]
            # It may serve others: leave it as it is.
            network = copy(network) if same else deepcopy(network)
        network = (network or _load_network(recipe)).to(self.device)
        network.set_precision(*wanted[1:])
        return network

    def _first_picture(self) -> Tensor:
        shape = fit(self._content.shape, max(self.recipe.stages()[0][0], self._least))
        if self.recipe.init == "content":
            return resize_to(self._content, shape).clone()
        if self.recipe.init == "style":
            return resize_to(self._styles[0].image.detach().cpu(), shape).clone()
        generator = torch.Generator().manual_seed(self.recipe.seed)
        return torch.rand(1, 3, *shape, generator=generator)

    def _size_now(self) -> int:
        done = 0
        for size, steps in self.recipe.stages():
            done += steps
            if self.iteration < done:
                return max(size, self._size, self._least)
        return self.recipe.size

    def _least_size(self, recipe: Recipe) -> int:
        """The smallest longest side at which neither picture is too thin for the network."""
        deepest = recipe.deepest
        least = 0
        pictures = [(self._content, "content", 1.0)]
        pictures += [(style.image, "style", recipe.style_scale) for style in self._styles]
        for image, what, scale in pictures:
            long, short = max(image.shape[-2:]), min(image.shape[-2:])
            least = max(least, math.ceil(smallest_side(deepest) * long / short / scale))
            if least > recipe.size:
                raise StylelibError(
                    f"At size {recipe.size} the {what} picture is too thin for {deepest}, which "
                    f"needs {smallest_side(deepest)} pixels on each side. "
                    f"Use size {least} or more, crop the picture, or use earlier layers."
                )
        return least

    def _begin(self, size: int) -> None:
        """Set up pictures, targets and optimiser for painting at this size."""
        self._begun = False  # until it is done: an interrupt may come at any moment
        content = resize(self._content, size).to(self.device)
        styles = [s.resized(self.recipe.style_size(size)).to(self.device) for s in self._styles]
        self._objective = Objective(content, styles, self.recipe, self.network)
        picture = resize_to(self.image, (content.shape[-2], content.shape[-1])).to(self.device)
        painted = self._objective.painted
        if painted is not None:
            picture = torch.where(painted, picture, content)
        # L-BFGS reads them as one long row: in plain order nothing is copied for that.
        self._pixels = picture.contiguous().clone().requires_grad_()
        if painted is not None:
            self._pixels.register_hook(lambda gradient: gradient * painted)
        # At a size where it has painted it goes on as gently as it left off.
        first = _GENTLY * FIRST if size == self._size else FIRST
        if self.recipe.detail_steps and 0 < self._size < size and self._add_detail():
            first = 0.3 * FIRST  # what was farthest is done
        self._best, self._best_loss = self._pixels.detach().clone(), float("inf")
        self._new_optimizer(first)
        self._size, self._begun = size, True

    def _add_detail(self) -> bool:
        """What enlarging could not: the first layers' style. Returns whether any is asked."""
        objective = self._objective.of_detail()
        if objective is None:
            return False
        optimizer = LBFGS(self._pixels, objective.painted, 3 * FIRST)  # it has far to go
        best, least = self._pixels.detach().clone(), float("inf")
        for left in reversed(range(self.recipe.detail_steps + 1)):
            self._pixels.grad = None
            loss, _ = objective(self._pixels)
            if not loss.isfinite():
                break
            if loss < least:
                best, least = self._pixels.detach().clone(), loss.item()
            if not left:  # nothing would look at a further picture
                break
            loss.backward()
            optimizer.step()
            if self.recipe.clamp:
                self._pixels.data.clamp_(0, 1)
        self._pixels.data.copy_(best)
        return True

    def _forget(self) -> None:
        """Let go of all that the next step can set up again from the picture so far."""
        self._begun = False
        for name in ("_objective", "_optimizer", "_pixels", "_best"):
            self.__dict__.pop(name, None)

    def _new_optimizer(self, first: float) -> None:
        if self.recipe.optimizer == "adam":
            self._optimizer: torch.optim.Optimizer | LBFGS = torch.optim.Adam(
                [self._pixels], lr=self.recipe.learning_rate
            )
        else:
            self._optimizer = LBFGS(self._pixels, self._objective.painted, first)

    def _update(self) -> tuple[float, dict[str, Tensor]]:
        """One step of the optimiser, counted if all is sound; the loss is of the picture before."""
        self._pixels.grad = None
        loss, parts = self._objective(self._pixels)
        loss.backward()
        # What took long is done; until here an interrupt has changed nothing.
        before, state = self._pixels.detach().clone(), _state(self._optimizer)
        try:
            self._optimizer.step()
            total = loss.item() if self._pixels.isfinite().all() else float("nan")
            if self._sound(total):
                if self.recipe.clamp:
                    self._pixels.data.clamp_(0, 1)
                image = self._pixels.detach().clamp(0, 1).cpu()
                if total <= self._best_loss:
                    self._best, self._best_loss = before, total
                self.image, self.iteration = image, self.iteration + 1
        except BaseException:  # half a step is none: all back, and it can be taken again
            self._pixels.data.copy_(before)
            self._optimizer.state.clear()
            self._optimizer.state.update(state)
            raise
        return total, parts

    def _sound(self, total: float) -> bool:
        recipe = self.recipe
        weights = recipe.content_weight + recipe.style_weight + recipe.tv_weight
        return math.isfinite(total) and total <= _EXPLODED * max(self._best_loss, _SMALL * weights)

    def _recover(self, total: float) -> None:
        """Back to the best picture so far; L-BFGS starts afresh there, Adam gives up."""
        self._pixels.data.copy_(self._best)
        self.image = self._best.clamp(0, 1).cpu()
        self._restarts += 1
        self._new_optimizer(_GENTLY * FIRST)
        if self.recipe.optimizer == "adam" or self._restarts > _RESTARTS:
            self.stopped = (
                f"The loss became {total:g} at step {self.iteration + 1}, so the optimisation "
                f"stopped; the best picture so far is kept. Try a smaller learning rate or "
                f"smaller weights."
            )
            if not self.quiet:
                warnings.warn(self.stopped, RuntimeWarning, stacklevel=4)


def _state(optimizer: torch.optim.Optimizer | LBFGS) -> dict[Any, dict[str, Any]]:
    """What a step of it changes, copied; of L-BFGS's past steps only the list, which grows."""
    return {
        key: {name: _copied(value) for name, value in values.items()}
        for key, values in optimizer.state.items()
    }


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    return list(value) if isinstance(value, list) else value


def _check_plan(changes: Any, until: Any, again: Any) -> None:
    """Refuse what `Transfer.run` could not follow."""
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


def _names(given: Any, what: str) -> list[Any]:
    """Files' names as a list."""
    names = [given] if isinstance(given, str | PathLike) else given
    if not isinstance(names, list | tuple) or not all(
        name is None or isinstance(name, str | PathLike) for name in names
    ):
        raise StylelibError(f"{what} is {shown(given)}; give a name, or a list of names.")
    return list(names)


def _pixels(image: Tensor, size: int) -> int:
    return math.prod(fit(image.shape, size))


def _file(path: "str | PathLike[str]") -> str:
    return PureWindowsPath(path).name  # knows both kinds of slash


def _load_network(recipe: Recipe) -> VGG19:
    return load_vgg19(recipe.weights, recipe.deepest, recipe.pooling, recipe.padding, recipe.seed)
