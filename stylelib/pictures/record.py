"""How a picture was made, as plain values that `save_image` stores in the file."""

from collections.abc import Sequence
from os import PathLike
from pathlib import PureWindowsPath
from typing import Any

from ..errors import StylelibError, shown


def pictures_record(
    content: "str | PathLike[str]",
    style: "str | PathLike[str] | Sequence[str | PathLike[str]]",
    where: Sequence[str | None] = (),
    source: Sequence[str | None] = (),
) -> dict[str, Any]:
    """The part of a record that names the pictures; see `Transfer.record`."""
    styles = _names(style, "style")
    where, source = _names(where, "where"), _names(source, "source")
    if not isinstance(content, str | PathLike) or not styles or None in styles:
        raise StylelibError("Give the photo's name, and one for each painting.")
    pictures: dict[str, Any] = {"content": base_name(content), "style": base_name(styles[0])}
    if len(styles) > 1:
        pictures["style"] = [base_name(name) for name in styles]
    for name, masks in (("where", where), ("source", source)):
        if any(masks):
            pictures[name] = [mask and base_name(mask) for mask in masks]
    return pictures


def base_name(path: "str | PathLike[str]") -> str:
    """A file's name without its folder, which is private."""
    return PureWindowsPath(path).name  # knows both kinds of slash


def _names(given: Any, what: str) -> list[Any]:
    """Files' names as a list."""
    names = [given] if isinstance(given, str | PathLike) else given
    if not isinstance(names, list | tuple) or not all(
        name is None or isinstance(name, str | PathLike) for name in names
    ):
        raise StylelibError(f"{what} is {shown(given)}; give a name, or a list of names.")
    return list(names)
