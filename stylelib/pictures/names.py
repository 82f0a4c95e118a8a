"""Make a safe file name from text that anyone may have written, such as an upload's name.

pathvalidate was tried on the hostile names in ``tests/test_security.py``. It is not used:
it lets hidden files, ``..``, characters that reverse the text, Windows' ``CONIN$`` and emoji
longer than a file system takes through, and it fails on broken Unicode.
"""

import re
import unicodedata
from pathlib import PureWindowsPath

_LONGEST = 80  # bytes. File systems take 255; two names and a number may become one.
# What Windows takes for a device, whatever comes after the first dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)


def last_part(text: str) -> str:
    """The last part of a path from any system, with printable characters only.

    It is only for showing; to name a file, use `file_name`.
    """
    seen = "".join(c if c.isprintable() else "-" for c in text)
    return _cut(PureWindowsPath(seen).name, 255) or "picture"  # knows both kinds of slash


def file_name(text: str) -> str:
    """The last part of a path, made safe as the name of a file on every system.

    Letters of all alphabets stay, as do spaces inside the name. Characters that a system
    forbids, or that can't be seen, become hyphens.

    The result is never empty, never a hidden file, has no slashes, is at most 80 bytes long, and
    keeps its ending.

    Examples
    --------
    >>> file_name("../../evil:name.png")
    'evil-name.png'
    """
    # Normalised first: it turns characters that look like slashes and dots into real ones.
    last = last_part(unicodedata.normalize("NFKC", text))
    name = re.sub(r'[<>:"/\\|?*]+', "-", last).strip(" .")
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    ending = _cut(dot + ending, 16) if dot else ""
    stem = _cut(stem, _LONGEST - len(ending.encode())).strip(" .-") or "picture"
    name = stem + ending
    return f"my-{name}" if _DEVICE.match(name) else name


def is_network(style: str) -> bool:
    """Whether this is the name of a trained network rather than a painting."""
    return PureWindowsPath(style).suffix.lower() == ".pt"


def _cut(text: str, size: int) -> str:
    """At most the first `size` bytes, without cutting a character in half."""
    return text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
