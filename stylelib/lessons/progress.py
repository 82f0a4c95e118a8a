"""A progress bar for loops that take a while."""

import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from tqdm.auto import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], label: str, total: int | None = None) -> Iterable[Item]:
    """Loop over something slow, and show how far it is: a widget in a notebook, else text.

    Parameters
    ----------
    items : iterable
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
    bar: Any = tqdm(
        items,
        label,
        total,
        # All that a page without a kernel shows of the bar, so it must not say "step 0".
        bar_format="{desc}: {total_fmt} steps",
        file=sys.stdout,
        miniters=1,  # leaves nothing to do for tqdm's own thread, which must not touch widgets
    )
    bar.bar_format = "{bar} {desc}: step {n_fmt} of {total_fmt} ({remaining} left)"
    looped: Iterable[Item] = bar
    return looped
