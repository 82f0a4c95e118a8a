"""Paint all pictures of a plan, and save each as soon as it is done."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..checks import as_path, check_kind, check_range, check_switch
from ..errors import StylelibError
from ..pictures.files import cannot_write, check_place, write_atomically
from ..pictures.rescue import save_with
from ..recipes import RECIPES, Recipe
from .plan import Order, Wish, made_from, plan
from .tasks import Outcome, Task
from .workers import Outcomes, in_turn, on_processes

Work = Callable[[Iterable[tuple[Order, Task]]], Outcomes[Order]]
"""Paints tasks: one of the functions of `stylelib.batch.workers`."""


@dataclass(frozen=True)
class Painted:
    """What became of one picture of many.

    Attributes
    ----------
    photo : str
    styles : tuple of str
        The paintings, or the trained network.
    place : Path
        Where it is, or would be.
    error : str or None
        Why there is none, in a sentence.
    before : bool
        It was there already, painted from the same pictures in the same way.
    seconds : float
        How long it took to paint.
    """

    photo: str
    styles: tuple[str, ...]
    place: Path
    error: str | None = None
    before: bool = False
    seconds: float = 0.0


def paint_all(
    photos: str | Sequence[str],
    paintings: str | Sequence[str],
    folder: str | os.PathLike[str],
    recipe: Recipe = RECIPES["default"],
    *,
    blend: bool = False,
    overwrite: bool = False,
    device: str = "auto",
    jobs: int = 1,
) -> Iterator[Painted]:
    """Paint many photos in the style of each of several paintings, lazily and in their order.

    Each picture is saved as soon as it is painted. One that is there already is not painted again,
    if it was made from the same files by the same recipe, so that a run that was stopped goes on.

    Parameters
    ----------
    photos : str, or several
        Folders, patterns such as ``photos/*.jpg``, files, samples' names.
    paintings : str, or several
        Files, samples' names, or trained networks, ``.pt``. With a network that knows several
        paintings: names of these, or none for all of them.
    folder : path
        Where the pictures are saved; it is made if it is missing.
    recipe : Recipe
        A trained network heeds its size alone, and its shares where paintings are blended.
    blend : bool
        Blend all paintings in each picture, instead of a picture for each.
    overwrite : bool
        Replace files that are there and were made in another way.
    device : {"auto", "cpu", "cuda", "mps"}
    jobs : int, 1 to 256
        How many pictures are painted at a time, each by a process of its own.

    Yields
    ------
    Painted
        For each photo, and each painting in turn. A picture that fails is told in `error`, and
        the rest goes on.

    Raises
    ------
    StylelibError
        At once, if an argument can't be used; while iterating, if nothing can be saved there.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from stylelib import Recipe, paint_all
    >>> recipe = Recipe(size=48, steps=2)
    >>> for picture in paint_all("camel", "hokusai-great-wave", mkdtemp(), recipe):
    ...     print(picture.place.name)
    camel-hokusai-great-wave.png
    """
    check_kind(recipe, Recipe, "The recipe")
    check_switch("blend", blend)
    check_switch("overwrite", overwrite)
    check_range("jobs", jobs, 1, 256, int)
    orders = plan(_several(photos), _several(paintings), as_path(folder), Wish(recipe, device),
                  blend)  # fmt: skip
    work: Work = in_turn if jobs == 1 else lambda tasks: on_processes(tasks, jobs)
    return _in_order(orders, carry_out(orders, work, overwrite))


def _several(names: str | os.PathLike[str] | Sequence[str]) -> list[str]:
    given = [names] if isinstance(names, str | os.PathLike) else list(names)
    return [os.fspath(name) for name in given]


def _in_order(
    orders: Iterable[Order], painted: Iterator[tuple[Order, Painted]]
) -> Iterator[Painted]:
    ready: dict[Path, Painted] = {}
    for order in orders:
        while order.place not in ready:
            done, result = next(painted)
            ready[done.place] = result
        yield ready.pop(order.place)


def carry_out(
    orders: Iterable[Order], work: Work, overwrite: bool = False
) -> Iterator[tuple[Order, Painted]]:
    """Paint and save what is not there yet, as soon as each is done.

    Yields
    ------
    Order, Painted
        In any order.

    Raises
    ------
    StylelibError
        If a painting can't be read, before anything is painted.
    """
    waiting: list[tuple[Order, Painted]] = []  # what needs no painting

    def tasks() -> Iterator[tuple[Order, Task]]:
        for order in orders:
            try:
                if not overwrite and order.is_done():
                    waiting.append((order, _result(order, before=True)))
                    continue
                task = order.read()
                if overwrite and made_from(order.place) == task.key:
                    waiting.append((order, _result(order, before=True)))
                    continue
                _check(order.place)
            except StylelibError as error:
                waiting.append((order, _result(order, str(error))))
                continue
            yield order, task

    for order, outcome in work(tasks()):
        yield from _taken(waiting)
        yield order, _save(order, outcome)
    yield from _taken(waiting)


def _taken(waiting: list[tuple[Order, Painted]]) -> Iterator[tuple[Order, Painted]]:
    while waiting:
        yield waiting.pop(0)


def _check(place: Path) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(place.parent, error) from error
    check_place(place, (".png",))


def _save(order: Order, outcome: Outcome) -> Painted:
    if outcome.data is None:
        return _result(order, outcome.error)
    data = outcome.data

    def save(place: Path) -> Path:
        write_atomically(place, data)
        return place

    try:
        _, trouble = save_with(save, order.place)
    except StylelibError as error:
        trouble = str(error)
    return _result(order, trouble, seconds=outcome.seconds)


def _result(
    order: Order, error: str | None = None, before: bool = False, seconds: float = 0.0
) -> Painted:
    return Painted(order.photo, order.styles, order.place, error, before, seconds)
