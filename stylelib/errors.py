"""The one error type that a student is meant to read, and how its messages are worded."""

import os
import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches


class StylelibError(ValueError):
    """Something is wrong with what was given: the message says what, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))  # it may quote a file's name


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


def check_folder() -> None:
    """Raise if PyTorch is still to be loaded, and the working folder no longer exists.

    Where PyTorch is built with Intel's MKL, as on most computers, loading it then ends Python
    with MKL's own message, or in a notebook with none.
    """
    if "torch" in sys.modules:
        return
    try:
        os.getcwd()
    except FileNotFoundError as error:
        raise StylelibError(
            "The folder that Python was started in no longer exists. Go to another folder and "
            "start it again there (a notebook: save it in another folder, and open it from there)."
        ) from error


def shown(value: object) -> str:
    """A value as it is shown in a message: shortened if it is long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # Python writes no whole number of more than 4,300 digits
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:70]} ..."


# Terminals obey these: escape codes, line breaks, marks that reverse the text's direction. And
# halves of characters, which stand for the bytes of a name that is not text.
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_ENDLESS = re.compile(r"\S{1000,}")


def printable(text: str) -> str:
    r"""A message in one line, without codes that a terminal would obey; endless words are cut.

    Examples
    --------
    >>> printable("\x1b[2Jcamel.png")
    '\\x1b[2Jcamel.png'
    """
    text = _CONTROL.sub(lambda code: code[0].encode("unicode_escape").decode(), text)
    return _ENDLESS.sub(lambda word: f"{word[0][:70]} ...", text)


# "could not create a primitive" is oneDNN's message for a convolution that gets no memory (for an
# unknown kind of convolution it says "... primitive descriptor"); "failed to map segment" is the
# system's for an import.
_FULL = re.compile(
    r"memory|bad_alloc|could not (create a primitive(?! desc)|execute a primitive)"
    r"|failed to map segment"
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; PyTorch and oneDNN word it in several ways."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError | ImportError) and bool(_FULL.search(str(error).lower()))
    )


# Restarting helps: once a convolution got no memory, oneDNN refuses it until Python ends.
OUT_OF_MEMORY = (
    "This computer ran out of memory. Use a smaller size, or close other programs and start "
    "Python again (in a notebook: restart the kernel)."
)
