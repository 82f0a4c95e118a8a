"""Paint with your own code: what passes its check is kept, and painted with.

The functions are kept as text in ``my_code.py`` beside the notebook. So what was written in one
lesson can be used in the next, read, changed, and taken home.
"""

import ast
import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..core import losses
from ..core.layers import CONTENT_LAYER, STYLE_LAYERS
from ..core.loop import optimize
from ..core.statistics import STATISTICS
from ..core.vgg import VGG19
from ..engine.network import default_network, features
from ..errors import StylelibError
from ..pictures.images import resize
from .pictures import pictures
from .progress import progress
from .theme import with_picture

Functions = Mapping[str, Callable[..., Any]]

_FILE = "my_code.py"
_HEAD = '''"""What I wrote in the lessons, and what passed its check."""

import torch
from torch.nn import functional as F

from stylelib import content_loss, features, gram_matrix, style_loss, target_loss, total_variation
'''
_RATE = 0.02  # Adam's
_STYLE_WEIGHT = 3.0


def _steps(image: Tensor, loss: Callable[[Tensor], Tensor], rate: float, steps: int) -> Tensor:
    return optimize(image, loss, range(steps), rate)


PARTS: dict[str, tuple[str, Callable[..., Any]]] = {
    "my_mse": ("2.1", losses.content_loss),
    "my_gram": ("3.3", losses.gram_matrix),
    "my_style_loss": ("3.5", losses.style_loss),
    "my_target_loss": ("4.1", losses.target_loss),
    "my_steps": ("4.3", _steps),
}
"""What a style transfer is made of, by the name of the student's function: the exercise in which it
is written, and the book's own, which stands in until it is."""


def keep(function: Callable[..., Any]) -> bool:
    """Add a function to ``my_code.py`` in the current folder, in place of one of the same name.

    Only functions that were written in a notebook, or in a program that is running, are kept.

    Returns
    -------
    bool
        Whether it was kept. A folder that can't be written to is no reason to stop.
    """
    if getattr(function, "__module__", "") != "__main__":
        return False
    try:
        source = inspect.getsource(function)
        path = Path.cwd() / _FILE
        text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
        path.write_text(_without(text, function.__name__) + f"\n\n{source}", encoding="utf-8")
    except (OSError, TypeError, SyntaxError):
        return False
    return True


def kept() -> dict[str, Callable[..., Any]]:
    """The functions in ``my_code.py``, by name; none if there is no such file.

    Raises
    ------
    StylelibError
        If the file is no longer Python.
    """
    try:
        text = (Path.cwd() / _FILE).read_text(encoding="utf-8")
    except OSError:
        return {}
    names: dict[str, Any] = {"torch": torch, "F": F}
    try:
        exec(compile(text, _FILE, "exec"), names)
    except Exception as error:
        raise StylelibError(
            f"{_FILE} stops with {type(error).__name__}: {error}. Mend it, or delete it and run "
            f"the checks of your exercises again."
        ) from error
    return {name: value for name, value in names.items() if name.startswith("my_")}


def use_my_gram() -> str:
    """Offer a student's own Gram matrix to recipes and to the studio: ``statistic="my_gram"``.

    Returns
    -------
    str
        What was done, in a sentence.
    """
    mine = kept().get("my_gram")
    if mine is None:
        return (
            "There is no my_gram in my_code.py yet. It comes there when it passes its check (3.3)."
        )

    def own_gram(maps: Tensor, share: Tensor | None = None) -> Tensor:
        found: Tensor = mine(maps if share is None else maps * share.sqrt())
        return found

    STATISTICS["my_gram"] = own_gram
    return 'Your own Gram matrix can be chosen: "my_gram", under "measured by".'


@dataclass(frozen=True, eq=False)
class OwnPainting:
    """A picture that was painted with a student's own code.

    Attributes
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1, or None
        None if there is nothing of the student's to paint with yet.
    own, lent : list of str
        The functions that were the student's, and those that stylelib lent.
    """

    image: Tensor | None
    own: list[str]
    lent: list[str]

    def __repr__(self) -> str:
        missing = ", ".join(f"{name} ({PARTS[name][0]})" for name in self.lent)
        if self.image is None:
            return (
                f"Nothing of yours to paint with yet. These functions are collected as they pass "
                f"their checks: {missing}."
            )
        text = f"Painted with your own {', '.join(self.own)}."
        return f"{text} Still stylelib's: {missing}." if missing else f"{text} All of it is yours."

    def _repr_mimebundle_(self, **_: Any) -> Any:
        words = {"text/html": f"<p>{escape(repr(self))}</p>", "text/plain": repr(self)}
        if self.image is None:
            return words
        plot = pictures({repr(self): self.image}, width=9)
        return with_picture({}, *plot.image(), repr(self))


def paint_with_my_code(
    photo: Tensor,
    painting: Tensor,
    size: int = 512,
    steps: int = 60,
    style_weight: float = _STYLE_WEIGHT,
    functions: Functions | None = None,
    network: VGG19 | None = None,
    painting_scale: float = 1.0,
) -> OwnPainting:
    """Paint with the functions that a student wrote, and with the book's where one is missing.

    Two thirds of the steps are at half the size, coarse to fine.

    Parameters
    ----------
    photo, painting : Tensor, shape (1, 3, H, W), RGB in 0-1
    size : int
        Longest side, in pixels.
    steps : int
    style_weight : float
        How much the style loss counts; the content loss counts 1.
    functions : mapping of name to callable, optional
        Some of `PARTS`. By default those in ``my_code.py``, and nothing is painted if there are
        none.
    network : VGG19, optional
        The embedded one by default.
    painting_scale : float
        How large the painting is, compared with the picture.

    Raises
    ------
    StylelibError
        If one of the functions stops with an error.
    """
    mine = kept() if functions is None else functions
    own = [name for name in PARTS if name in mine]
    lent = [name for name in PARTS if name not in mine]
    if not own and functions is None:
        return OwnPainting(None, own, lent)
    parts = {name: mine.get(name, book) for name, (_, book) in PARTS.items()}
    network, image = network or default_network(), photo
    for longest, count in ((max(16, size // 2), steps - steps // 3), (size, steps // 3)):
        small = resize(photo, longest)
        artwork = resize(painting, round(painting_scale * longest))
        bar = progress(range(count), f"with your code, {longest} pixels")
        try:
            loss = _counted(_loss(small, artwork, parts, style_weight, network), bar)
            image = parts["my_steps"](resize(image, longest), loss, _RATE, count)
        except StylelibError:
            raise
        except Exception as error:
            raise StylelibError(
                f"Your code stopped with {type(error).__name__}: {error}. Does one of your "
                f"functions use something that was defined in another cell? Put all of it into "
                f"the function, and run its check again."
            ) from error
        finally:
            bar.close()  # type: ignore[attr-defined]
    return OwnPainting(image.detach().clamp(0, 1), own, lent)


def _loss(
    photo: Tensor, painting: Tensor, parts: Functions, style_weight: float, network: VGG19
) -> Callable[[Tensor], Tensor]:
    def grams(maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: parts["my_gram"](maps[name]) for name in STYLE_LAYERS}

    with torch.no_grad():
        wanted = features(photo, CONTENT_LAYER, network)[CONTENT_LAYER]
        painted = grams(features(painting, STYLE_LAYERS, network))
    shares = {name: 0.2 / float(gram.square().mean()) for name, gram in painted.items()}

    def loss(image: Tensor) -> Tensor:
        maps = network(image, [CONTENT_LAYER, *STYLE_LAYERS])
        content = parts["my_mse"](maps[CONTENT_LAYER], wanted) / wanted.square().mean()
        style = parts["my_style_loss"](grams(maps), painted, shares)
        total: Tensor = parts["my_target_loss"](content, style, 1.0, style_weight)
        return total

    return loss


def _counted(loss: Callable[[Tensor], Tensor], bar: Any) -> Callable[[Tensor], Tensor]:
    """The same loss, which moves a progress bar: the loop belongs to the student."""
    ticks = iter(bar)

    def counted(image: Tensor) -> Tensor:
        with suppress(StopIteration):
            next(ticks)
        return loss(image)

    return counted


def _without(text: str, name: str) -> str:
    """Python source without the function of that name."""
    lines = text.rstrip().splitlines()
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            del lines[first - 1 : node.end_lineno]
    return "\n".join(lines).rstrip() + "\n"
