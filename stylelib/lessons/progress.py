"""A bar that fills while a cell works."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import ipywidgets
from IPython.display import display

Item = TypeVar("Item")


class Progress(ipywidgets.HBox):
    """A bar and its label. Where there is no kernel, the label alone, in words."""

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total = label, total
        self._bar = ipywidgets.IntProgress(0, 0, max(1, total), layout={"width": "240px"})
        self._text = ipywidgets.Label()
        super().__init__([self._bar, self._text])
        self.move(0)

    def move(self, done: int) -> None:
        """Show that `done` steps of the total are done."""
        self._bar.value = done
        if done >= self.total:
            self._bar.bar_style = "success"
        self._text.value = f"{self.label}: step {done} of {self.total}"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data["text/plain"] = f"{self.label}: {self.total} steps"
        return data, metadata


def progress(items: Iterable[Item], label: str, total: int | None = None) -> Iterator[Item]:
    """Loop over something slow, and show how far it is.

    Parameters
    ----------
    items : iterable
    label : str
        What is being done.
    total : int, optional
        How many items there are; their length by default.

    Examples
    --------
    >>> for step in progress(range(40), "by hand"):
    ...     paint_a_bit()
    """
    total = len(items) if total is None else total  # type: ignore[arg-type]
    bar = Progress(label, total)
    display(bar)
    for done, item in enumerate(items, start=1):
        yield item
        if done == total or done % max(1, total // 50) == 0:
            bar.move(done)
