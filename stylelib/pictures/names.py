"""A file's name from a text that anyone may have written: it names a file, and no other place."""

import re
import unicodedata
from pathlib import PureWindowsPath

_LONGEST = 80  # bytes; file systems take 255 for a whole name, of which two and a number may be one
# What Windows takes for a device, whatever comes after the first dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)


def last_part(text: str) -> str:
    """The last part of a path of any system, of what can be seen, and no longer than a file's name.

    To show and to tell; `file_name` is what may become a file.
    """
    seen = "".join(c if c.isprintable() else "-" for c in text)
    return _cut(PureWindowsPath(seen).name, 255) or "picture"  # knows both kinds of slash


def file_name(text: str) -> str:
    """The last part of a path, made safe as a file's name on every system.

    Letters of all alphabets stay, as do spaces within; what a system forbids, or
    can't be seen, becomes a hyphen.

    Parameters
    ----------
    text : str
        For example the name of an upload.

    Returns
    -------
    str
        Never empty, never hidden, without slashes, at most 80 bytes long; its
        ending is kept.
    """
    # Normalised first: some letters only then are the slashes and dots that they look like.
    last = last_part(unicodedata.normalize("NFKC", text))
    name = re.sub(r'[<>:"/\\|?*]+', "-", last).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    ending = _cut(dot + ending, 16) if dot else ""
    stem = _cut(stem, _LONGEST - len(ending.encode())).strip(" .-") or "picture"
    name = stem + ending
    return f"my-{name}" if _DEVICE.match(name) else name


def _cut(text: str, size: int) -> str:
    """No more than so many bytes of it, and no half letter."""
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
