"""One picture of many: what it is made of, as plain data, and how it is painted."""

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..engine.devices import choose_device
from ..engine.network import NetworkCache
from ..engine.transfer import Transfer
from ..errors import OUT_OF_MEMORY, StylelibError, is_out_of_memory
from ..feedforward.network import FeedForward
from ..pictures.color import keep_colors, match_colors
from ..pictures.images import encode_image, load_named
from ..pictures.names import is_network
from ..pictures.record import base_name, pictures_record
from ..recipes import Recipe
from ..version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..engine.transfer import Step

MADE_FROM = "made_from"
"""Where the record in a picture's file holds its task's `key`."""

_networks = NetworkCache()
_one_at_a_time = Lock()  # several threads of one process would share its cores, and its memory


@dataclass(frozen=True)
class File:
    """A file's name, as it was given, and its contents."""

    name: str
    data: bytes

    def as_picture(self, size: int | None = None) -> Tensor:
        """The picture in it; see `load_image`.

        Raises
        ------
        StylelibError
            If there is none that can be read.
        """
        return load_named(self.data, size, self.name)


@dataclass(frozen=True)
class Task:
    """Everything that a picture depends on. It can be sent to another process or computer.

    Attributes
    ----------
    photo : File
    styles : tuple of File
        The paintings, which are blended; or one trained network, ``.pt``.
    recipe : Recipe
        A trained network heeds its size and shares alone.
    device : {"auto", "cpu", "cuda", "mps"}
    keep_colors : bool
        Paint with the photo's own colours.
    only_colors : bool
        Take the painting's colours, and paint nothing.
    start : File or None
        A picture to start from, in place of what the recipe says.
    within : tuple of str
        The network's paintings that it paints after, blended by the recipe's shares; it may be
        empty if the network knows a single one.
    """

    photo: File
    styles: tuple[File, ...]
    recipe: Recipe
    device: str = "auto"
    keep_colors: bool = False
    only_colors: bool = False
    start: File | None = None
    within: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """A checksum of all that the picture depends on, but for the computer."""
        digest = hashlib.sha256()
        for file in (self.photo, *self.styles, *([self.start] if self.start else [])):
            digest.update(hashlib.sha256(file.data).digest())
        settings = self.recipe.as_dict() | {
            "keep_colors": self.keep_colors,
            "only_colors": self.only_colors,
            "start": bool(self.start),
        }
        if self.within:
            settings["within"] = self.within
        digest.update(json.dumps(settings, sort_keys=True).encode())
        return digest.hexdigest()[:32]


@dataclass(frozen=True)
class Outcome:
    """What became of a task: a PNG file's contents, or an error in a sentence.

    `unfit` says that it may go well on another computer: this one lacks the network's weights.
    """

    data: bytes | None = None
    error: str | None = None
    seconds: float = 0.0
    unfit: bool = False


def attempt(task: Task, show: "Callable[[Step], None] | None" = None) -> Outcome:
    """Paint a picture; what goes wrong with it is told in the outcome.

    Parameters
    ----------
    task : Task
    show : callable, optional
        Is called with each step.
    """
    start = time.monotonic()
    try:
        with _one_at_a_time:
            data = _paint(task, show)
        return Outcome(data, seconds=time.monotonic() - start)
    except _Unfit as error:
        return Outcome(error=str(error), unfit=True)
    except StylelibError as error:
        return Outcome(error=str(error))
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return Outcome(error=OUT_OF_MEMORY)


class _Unfit(StylelibError):
    """The computer can't paint, whatever the picture."""


@contextmanager
def _setting_up() -> "Iterator[None]":
    try:
        yield
    except (StylelibError, ImportError) as error:
        if is_out_of_memory(error):
            raise
        raise _Unfit(str(error)) from error


def _paint(task: Task, show: "Callable[[Step], None] | None") -> bytes:
    names = task.photo.name, [style.name for style in task.styles]
    record: dict[str, Any]
    photo = task.photo.as_picture(task.recipe.size)
    if is_network(names[1][0]):
        with _setting_up():
            network = _feed_forward(task.styles[0].data, task.device)
        several = len(task.within) > 1
        shares = (several and task.recipe.style_shares) or [1.0] * len(task.within)
        style = dict(zip(task.within, shares, strict=True)) if task.within else None
        picture = network.paint(photo, style)
        record = pictures_record(names[0], list(task.within) or network.painting) | {
            "network": base_name(names[1][0]),
            "versions": {"stylelib": __version__},
        }
        if several:
            record["style_shares"] = list(shares)
    elif task.only_colors:
        picture = match_colors(photo, task.styles[0].as_picture())
        record = pictures_record(names[0], names[1][0]) | {
            "only_colors": True,
            "versions": {"stylelib": __version__},
        }
    else:
        transfer = _transfer(task, photo)
        for step in transfer:
            if show:
                show(step)
        if transfer.stopped:
            raise StylelibError(transfer.stopped)
        picture, record = transfer.image, transfer.record(*names)
        if task.start:
            record["start"] = base_name(task.start.name)
    if task.keep_colors:
        picture, record["keep_colors"] = keep_colors(picture, photo), True
    return encode_image(picture, ".png", record | {MADE_FROM: task.key})


def _transfer(task: Task, photo: Tensor) -> Transfer:
    recipe = task.recipe
    paintings = [style.as_picture(recipe.style_size()) for style in task.styles]
    with _setting_up():
        network = _networks.load(recipe) if task.device in ("auto", "cpu") else None
    start = task.start.as_picture(recipe.size) if task.start else None
    transfer = Transfer(photo, paintings, recipe, network, task.device, start=start)
    transfer.quiet = True
    return transfer


@lru_cache(maxsize=2)
def _feed_forward(data: bytes, device: str) -> FeedForward:
    return FeedForward.load(data).to(choose_device(device))
