"""``stylelib lessons``: the lessons in a folder of one's own, and what is new in them later.

The wheel carries the lessons inside the package; in a clone they lie beside it.
"""

import hashlib
import json
import os
import re
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import StylelibError
from ..lessons.passed import RECORD
from ..version import __version__
from .telling import tell

LESSONS = (
    "00-a-prettier-camel.ipynb",
    "00-warm-up-tensors.ipynb",
    "01-what-a-cnn-sees.ipynb",
    "02-content.ipynb",
    "03-style.ipynb",
    "04-target-loss.ipynb",
    "05-studio.ipynb",
    "06-beyond.ipynb",
    "07-neighbours.ipynb",
)
"""The lessons' files, which tell their folder from any other with notebooks in it."""

CODE = "stylelib-code"
"""Where a folder of lessons has copies of the files of stylelib that the lessons link to."""

_PACKAGE = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"\]\(\.\./stylelib/([\w/]+\.py)\)")
_INSTALL = """\
import importlib.util

if importlib.util.find_spec("stylelib") is None:  # here, it is not installed yet
    %pip install --quiet {requirement}"""


def home_folder() -> Path:
    """Where the lessons go if no folder is given: always the same, wherever one is."""
    return Path.home() / "stylelib-lessons"


def copy_lessons(options: Namespace) -> int:
    """Copy the lessons to a folder, and say what was done. Returns the exit status."""
    folder = options.folder or home_folder()
    for sentence in hand_out(folder, options.install) or ["Nothing is new."]:
        tell(sentence)
    return 0


def shipped(name: str) -> Path:
    """A file or folder that comes with stylelib: in the package, or in the clone that it is in.

    Parameters
    ----------
    name : str
        ``"notebooks"`` or ``"constraints.txt"``.

    Raises
    ------
    StylelibError
        If stylelib was installed without it.
    """
    places = _PACKAGE / "shipped" / name, _PACKAGE.parent / name
    found = next((place for place in places if place.exists()), None)
    if found is None:
        raise StylelibError(
            f"stylelib was installed without its {name}. Install it again, as its README says."
        )
    return found


def hand_out(folder: Path, requirement: str | None = None) -> list[str]:
    """Copy the lessons to a folder, never over a student's work, and say what was done.

    A lesson that is missing is copied. One that is as it was handed out is replaced if there is a
    new version. If somebody has worked in it, the new version is put beside it.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    requirement : str, optional
        What pip should install before a lesson runs, for a place like Colab, where each notebook
        starts on a new computer. By default, nothing.

    Returns
    -------
    list of str
        Sentences, one for each thing that was done.
    """
    source = shipped("notebooks")
    if folder.resolve() == source.resolve():
        return []  # a contributor's: git keeps these
    (folder / RECORD).parent.mkdir(parents=True, exist_ok=True)
    record = read_record(folder)
    handed: dict[str, Any] = record["lessons"]
    copied: list[str] = []
    said: list[str] = []
    for path in sorted(source.glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        _link_to_copies(notebook, folder)
        if requirement and path.name in LESSONS:
            notebook["cells"].insert(0, _install_cell(requirement))
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        cells = _digests(notebook)
        target = folder / path.name
        known = handed.get(path.name)
        if not target.exists():
            _write(target, text)
            copied.append(path.name)
        elif known and known["cells"] == cells:
            continue  # nothing is new
        elif known and known["file"] == _digest(target.read_bytes()):
            _write(target, text)
            said.append(f"{path.name} was replaced by its new version.")
        else:
            before = known["cells"] if known else _cells_of(target)
            headings = _what_changed(notebook, before, exercises=bool(known))
            if headings or not before:
                beside = _free_name(target)
                _write(beside, text)
                changed = f" What changed: {'; '.join(headings)}." if headings else ""
                said.append(
                    f"{path.name} is left as it is, with your work in it. Its new version is "
                    f"{beside.name}.{changed}"
                )
        handed[path.name] = {"file": _digest(text.encode()), "cells": cells}
    if copied:
        one = len(copied) == 1
        what = f"{copied[0]} was" if one else f"{len(copied)} notebooks were"
        said.insert(0, f"{what} copied to {folder}.")
    record["version"] = __version__
    _write(folder / RECORD, json.dumps(record) + "\n")
    return said


def read_record(folder: Path) -> dict[str, Any]:
    """What was handed out to a folder before; it tells a student's work from an older version.

    The list of lessons is empty if nothing was.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        cells = [lesson["cells"].items() for lesson in record["lessons"].values()]
        assert all(isinstance(lesson["file"], str) for lesson in record["lessons"].values())
        return dict(record) if cells else {"lessons": {}}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return {"lessons": {}}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _digests(notebook: dict[str, Any], exercises: bool = True) -> dict[str, str]:
    """A digest of what each cell says, by its id; outputs do not count."""
    return {
        str(cell.get("id", number)): _digest(f"{cell['cell_type']}\n{_source(cell)}".encode())
        for number, cell in enumerate(notebook["cells"])
        if exercises or not _is_exercise(cell)
    }


def _is_exercise(cell: dict[str, Any]) -> bool:
    return "exercise" in cell["metadata"].get("tags", [])


def _cells_of(path: Path) -> dict[str, str]:
    """The digests of a notebook that somebody may have damaged."""
    try:
        return _digests(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {}


def _what_changed(notebook: dict[str, Any], before: dict[str, str], exercises: bool) -> list[str]:
    """For each heading with cells that are new or different, a few words; without repeats.

    Exercises count only if `before` is what was handed out: otherwise a student's answer would.
    """
    after = _digests(notebook, exercises)
    counts: dict[str, int] = {}
    heading = "the beginning"
    for number, cell in enumerate(notebook["cells"]):
        name = str(cell.get("id", number))
        if cell["cell_type"] == "markdown" and (found := re.match(r"#+ +(.+)", _source(cell))):
            heading = f"“{found[1].strip()}”"
        if name in after and before.get(name) != after[name]:
            counts[heading] = counts.get(heading, 0) + 1
    told = [f"{title} ({_cells(count)})" for title, count in counts.items()]
    gone = len(before.keys() - _digests(notebook).keys()) if exercises else 0
    return [*told, f"{_cells(gone)} left out"] if gone else told


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _link_to_copies(notebook: dict[str, Any], folder: Path) -> None:
    """Let the links to stylelib's code lead to copies, which are made or brought up to date."""
    for cell in notebook["cells"]:
        if cell["cell_type"] != "markdown":
            continue
        source = _source(cell)
        for name in _LINK.findall(source):
            copy = folder / CODE / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            _write(copy, (_PACKAGE / name).read_text(encoding="utf-8"))
        cell["source"] = _LINK.sub(rf"]({CODE}/\1)", source).splitlines(keepends=True)


def _install_cell(requirement: str) -> dict[str, Any]:
    source = _INSTALL.format(requirement=requirement)
    cell = {"cell_type": "code", "id": "install", "metadata": {}, "outputs": []}
    return cell | {"source": source.splitlines(keepends=True), "execution_count": None}


def _free_name(path: Path) -> Path:
    names: Iterable[str] = (f"{path.stem}-new{n}.ipynb" for n in ("", *map(str, range(2, 10**6))))
    return next(place for name in names if not (place := path.with_name(name)).exists())


def _write(path: Path, text: str) -> None:
    """Write a file completely or not at all."""
    half = path.with_name(f"{path.name}.part")
    half.write_text(text, encoding="utf-8", newline="\n")
    os.replace(half, path)
