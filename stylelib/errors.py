"""The one error type that a student is meant to read."""

from collections.abc import Iterable
from difflib import get_close_matches


class StylelibError(ValueError):
    """Something about what was given: the message says what, and what to do."""


def pick(name: str, names: Iterable[str], kind: str) -> str:
    """Return `name` if it is one of `names`.

    Raises
    ------
    StylelibError
        If it is not, naming the nearest ones.
    """
    names = list(names)
    if isinstance(name, str) and name in names:
        return name
    near = get_close_matches(str(name)[:100], names, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(names)}."
    raise StylelibError(f"There is no {kind} called {shown(name)}. {hint}")


def shown(value: object) -> str:
    """What was given, for a message: cut short if it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:70]} ..."


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it says that memory ran out, for which PyTorch has several ways."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("memory" in words or "bad_alloc" in words)
    )


OUT_OF_MEMORY = "This computer ran out of memory. Close other programs, or take a smaller size."
