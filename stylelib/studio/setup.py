"""What a studio is set to, as a text for somebody else's, and as a saved picture records it."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import StylelibError, shown
from ..pictures.images import read_recipe
from ..pictures.names import last_part
from ..pictures.record import base_name
from ..pictures.samples import SAMPLES
from ..recipes import Recipe
from ..version import __version__

_LONGEST = 100_000  # characters of a text; one takes about 1,000
_LARGEST = 100_000_000  # bytes of a file, which may be a picture
_NOT_ONE = "{name} has no settings: give a file from Save settings, or a picture that was painted."


@dataclass
class Setup:
    """Pictures by name, a recipe, and in sentences what could not be taken over."""

    content: str = ""
    styles: list[str] = field(default_factory=list)
    mask: str = ""
    keep_colors: bool = False
    recipe: Recipe = field(default_factory=Recipe)
    notes: list[str] = field(default_factory=list)


def as_text(
    recipe: Recipe, content: str, styles: list[str], mask: str = "", keep_colors: bool = False
) -> str:
    """A setup as one line of JSON, in the form in which a saved picture records it."""
    record: dict[str, Any] = {
        "content": base_name(content),
        "style": [base_name(style) for style in styles],
        "recipe": recipe.as_dict(),
        "keep_colors": keep_colors,
        "versions": {"stylelib": __version__},
    }
    if mask:
        record["where"] = [base_name(mask)]
    return json.dumps(record)


def read_setup(source: "str | os.PathLike[str] | bytes") -> Setup:
    """Read a setup from a text, a file or its contents, or from a picture that was painted.

    Whatever is wrong with a part of it, such as a setting of a newer version, is said in `notes`,
    and the rest is used. Names of pictures lose their folders.

    Raises
    ------
    StylelibError
        If there is no setup in it.
    """
    record, name = _record(source)
    if not isinstance(record, Mapping) or not isinstance(record.get("recipe"), Mapping):
        raise StylelibError(_NOT_ONE.format(name=name))
    setup = Setup(keep_colors=record.get("keep_colors") is True)
    setup.content = next(iter(_names(record.get("content"))), "")
    setup.styles = _names(record.get("style"))
    setup.mask = next(iter(_names(record.get("where"))), "").removeprefix("1 - ")
    setup.recipe = _recipe(record["recipe"], setup.notes)
    if isinstance(record.get("changes"), Mapping) and record["changes"]:
        for when in sorted(record["changes"], key=lambda step: (len(str(step)), str(step))):
            setup.recipe = _recipe(record["changes"][when], setup.notes, setup.recipe)
        setup.notes.append(
            "Settings were changed while this picture was painted. These are the last ones; the "
            "code below a painting has all of them."
        )
    return setup


def _record(source: Any) -> tuple[Any, str]:
    """The record as plain values, whatever they are, and what to call where it is from."""
    name = "The given text"
    if isinstance(source, str) and source.lstrip().startswith("{"):
        source = source.encode()
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        name = path.name
        try:
            if path.stat().st_size > _LARGEST:
                raise StylelibError(_NOT_ONE.format(name=name))
            source = path.read_bytes()
        except (OSError, ValueError) as error:
            raise StylelibError(f"There is no file {name} to read settings from.") from error
    elif isinstance(source, bytes):
        name = "The given data"
    else:
        raise StylelibError(f"A setup is a text or a file, not {shown(source)}.")
    if not source.lstrip().startswith(b"{"):
        try:
            return read_recipe(source), name
        except StylelibError as error:  # not a picture either
            raise StylelibError(_NOT_ONE.format(name=name)) from error
    if len(source) > _LONGEST:
        raise StylelibError(f"{name} is too long for settings.")
    try:
        return json.loads(source), name
    except (ValueError, RecursionError) as error:
        raise StylelibError(f"{name} is damaged: it can't be read as JSON.") from error


def _names(given: Any) -> list[str]:
    """Names of files without their folders, of one picture or several."""
    names = given if isinstance(given, list) else [given]
    return [last_part(name) for name in names if isinstance(name, str) and name][:2]


def _recipe(given: Any, notes: list[str], recipe: Recipe | None = None) -> Recipe:
    """The recipe with each of the given values that is allowed."""
    recipe = recipe or Recipe()
    values = given.items() if isinstance(given, Mapping) else ()
    later = []  # at least one layer has to be named, so that none may be left out first
    for name, value in values:
        try:
            recipe = recipe.but(**{str(name): value})
        except (StylelibError, TypeError):
            later.append((str(name), value))
    for name, value in later:
        try:
            recipe = recipe.but(**{name: value})
        except (StylelibError, TypeError) as error:
            text = str(error) if isinstance(error, StylelibError) else f"{name} can't be used."
            notes.append(text)
    return recipe


def found(name: str, known: Any) -> "str | Path | None":
    """A picture by its name: a sample, one that is offered, a file beside the notebook, or None."""
    if name in known or name in SAMPLES:
        return name
    path = Path(name)
    return path if path.is_file() else None
