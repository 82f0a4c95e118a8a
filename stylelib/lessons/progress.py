"""A progress bar for loops that take a while."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from tqdm.auto import tqdm

from ..engine.pace import Pace
from ..engine.transfer import Step, Transfer

Item = TypeVar("Item")


def progress(items: Iterable[Item], label: str, total: int | None = None) -> Iterable[Item]:
    """Loop over something slow, and show how far it is: a widget in a notebook, else text.

    Parameters
    ----------
    items : iterable
        With a `Transfer`, the time left allows for its sizes: the last steps take longest.
    label : str
        What is being done.
    total : int, optional
        How many items there are; ``len(items)`` by default.

    Returns
    -------
    iterable
        The same items.

    Examples
    --------
    >>> for step in progress(range(40), "by hand"):  # doctest: +ELLIPSIS, +NORMALIZE_WHITESPACE
    ...     pass
    by hand: 40 steps...
    """
    slow: Any = items
    if isinstance(slow, Transfer):
        return _painting(slow, progress_bar(slow, label))
    bar = _bar(label, total, items)
    bar.bar_format = "{bar} {desc}: step {n_fmt} of {total_fmt} ({remaining} left)"
    looped: Iterable[Item] = bar
    return looped


def progress_bar(transfer: Transfer, label: str = "painting") -> Callable[[Step], None]:
    """A progress bar to call with each step, for `Transfer.run`.

    Parameters
    ----------
    transfer : Transfer
    label : str
        What is being done.

    Returns
    -------
    callable
        Give it to ``transfer.run(each=...)``.

    Examples
    --------
    >>> from stylelib import Recipe, load_image
    >>> photo, painting = load_image("camel"), load_image("hokusai-great-wave")
    >>> transfer = Transfer(photo, painting, Recipe(size=48, steps=4))
    >>> show = progress_bar(transfer)  # doctest: +ELLIPSIS
    painting...
    >>> picture = transfer.run(each=show)  # doctest: +ELLIPSIS
    ########## painting...
    """
    pace, shape = Pace(), transfer.image.shape
    bar = _bar(label, transfer.recipe.steps)

    def show(step: Step) -> None:
        recipe = transfer.recipe  # it may have been changed
        bar.total = pace.seconds(recipe, shape)
        bar.bar_format = (
            f"{{bar}} {{desc}}: step {step.iteration} of {step.steps} ({{remaining}} left)"
        )
        bar.update(bar.total - pace.seconds(recipe, shape, step.iteration) - bar.n)
        if step.iteration >= step.steps:
            bar.close()

    return show


def _painting(transfer: Any, show: Callable[[Step], None]) -> Iterator[Any]:
    for step in transfer:
        show(step)
        yield step


def _bar(label: str, total: int | None, items: Iterable[Any] | None = None) -> Any:
    return tqdm(
        items,
        label,
        total,
        # All that a page without a kernel shows of the bar, so it must not say "step 0".
        bar_format="{desc}: {total_fmt} steps",
        file=sys.stdout,
        miniters=1,  # leaves nothing to do for tqdm's own thread, which must not touch widgets
    )
