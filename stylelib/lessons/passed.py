"""Which exercises a student has passed, kept in one small file beside their lessons.

It is kept only in a folder that ``stylelib lessons`` or ``stylelib lab`` made.
"""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .checking import Exercise

RECORD = ".stylelib/lessons.json"
"""The file that tells a folder of lessons from any other."""

FILE = "my-progress.md"
"""A list in Markdown, to be read as it is."""

_HEAD = """\
# My progress

stylelib writes this file when it checks an answer. An exercise that was passed once stays passed.
"""
_LINE = re.compile(r"^- \[([ x])\] (\d+)\.(\d+) (.*)$", re.MULTILINE)


def keep(passed: str, exercises: Mapping[str, "Exercise"], folder: Path | None = None) -> None:
    """Note that an exercise was passed; where that can't be written, nothing happens.

    Parameters
    ----------
    passed : str
        Its number.
    exercises : mapping of str to Exercise
        Those of the lessons that are open, which are listed, too.
    folder : Path, optional
        Where the lessons are: by default here, where a notebook runs.
    """
    folder = folder or Path()
    with suppress(OSError, ValueError):  # a full disk is no reason to fail a right answer
        if (folder / RECORD).exists():
            done = read(folder)
            listed = dict(done)
            for number, exercise in exercises.items():
                was_passed = number in done and done[number][1]
                listed[number] = exercise.title, was_passed or number == passed
            half = folder / f"{FILE}.part"
            half.write_text(_HEAD + "".join(_lessons(listed)), encoding="utf-8")
            os.replace(half, folder / FILE)


def read(folder: Path) -> dict[str, tuple[str, bool]]:
    """The title of each listed exercise, and whether it was passed, by number."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    return {f"{a}.{b}": (title, mark == "x") for mark, a, b, title in _LINE.findall(text)}


def _lessons(listed: Mapping[str, tuple[str, bool]]) -> Iterable[str]:
    """The list, lesson by lesson."""
    lessons: dict[int, list[str]] = {}
    for number in sorted(listed, key=lambda n: [int(part) for part in n.split(".")]):
        lessons.setdefault(int(number.split(".")[0]), []).append(number)
    for lesson, numbers in lessons.items():
        count = sum(listed[number][1] for number in numbers)
        yield f"\n## Lesson {lesson:02}: {count} of {len(numbers)}\n\n"
        for number in numbers:
            title, done = listed[number]
            yield f"- [{'x' if done else ' '}] {number} {title}\n"
