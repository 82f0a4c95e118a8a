"""What a class handed in: the notebooks in folders and zip files, and whose they are.

Nothing is unpacked. A file is read when it is its turn, and only as far as a notebook may reach: a
small zip file can hold more than a disk has room for.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

LARGEST = 100_000_000
"""Bytes of a notebook, or of a zip file inside another, that are still read."""

MOST = 100
"""Notebooks of one student that are looked at."""

HIDDEN = ".stylelib"
_PREDICTIONS = f"{HIDDEN}/predictions.json"
_NOTEBOOKS = (".ipynb", ".ipynb.json", ".ipynb.txt")  # some browsers add an ending of their own
_SKIPPED = {".ipynb_checkpoints", "__MACOSX"}
_NBGRADER = "submitted"
_DEEPEST = 3  # zip files in zip files
_ENTRIES = 100_000  # in a zip file

# Moodle: "Anna Lind_4711_assignsubmission_file/03.ipynb", or "..._file_03.ipynb" if the teacher
# downloads without folders. The group of those who are in no group has no number.
_MOODLE = re.compile(r"(?P<name>.+?)(?:_(?P<number>\d+))?_assignsubmission_[a-z]+(?:_.*)?")
# Canvas: "lindanna_LATE_4711_123456_03.ipynb".
_CANVAS = re.compile(r"(?P<name>[^_]+)(?:_LATE)?_(?P<number>\d{2,})_\d{4,}_.+")

Open = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class HandedIn:
    """A file that was handed in: by whom, what it is called there, and how it is opened."""

    student: str
    file: str
    open: Open
    trouble: str = ""
    number: str = ""
    """The student's number in the learning platform, if the file's name has one."""

    @property
    def is_predictions(self) -> bool:
        """Whether it is a student's predictions, and no notebook."""
        return self.file.endswith(_PREDICTIONS)

    def read(self) -> bytes:
        """All of it, but at most one byte more than `LARGEST`.

        Raises
        ------
        ValueError
            If it can't be read. A damaged or encrypted zip file is one reason of many.
        """
        try:
            with self.open() as file:
                return file.read(LARGEST + 1)
        except Exception as error:  # zipfile, zlib and lzma each have their own
            raise ValueError(_why(error)) from error


def find(place: Path) -> list[HandedIn]:
    """The notebooks and predictions in a folder or a zip file, and in the zip files in it.

    A student is called after the first folder that the file is in: so it is in nbgrader's folder
    ``submitted``, and in what one downloads from Moodle and Gradescope. A file that is in no folder
    has a student's name in its own, as from Canvas, or from Moodle without folders. A folder around
    everything is passed over.
    """
    if place.is_dir():
        files = {
            path.relative_to(place).as_posix(): _opener(path)
            for path in sorted(place.rglob("*"))
            if _is_wanted(path.as_posix()) and not path.is_symlink() and path.is_file()
        }
        found = list(_of_class("", files, 0))
    else:
        found = list(_in_zip(HandedIn("", "", _opener(place)), 0, maybe_class=True))
    numbers = {(one.student, one.number) for one in found}
    namesakes = Counter(student for student, _ in numbers)
    seen = Counter[str]()
    kept = []
    for one in found:
        if namesakes[one.student] > 1:
            one = replace(one, student=f"{one.student} ({one.number})")
        seen[one.student] += 1
        if seen[one.student] <= MOST:
            kept.append(one)
        elif seen[one.student] == MOST + 1:
            kept.append(replace(one, trouble=f"there are more than {MOST} files of this student"))
    return kept


def too_large(size: int) -> str:
    """What is said of a file of so many bytes, if it is not read."""
    if size <= LARGEST:
        return ""
    return f"it has more than {LARGEST / 1e6:.0f} MB"


def _opener(path: Path) -> Open:
    return lambda: path.open("rb")


def _of_class(folder: str, files: dict[str, Open], depth: int) -> Iterator[HandedIn]:
    """What is in files that are the whole class's, by their names; `folder` is put before these."""
    paths = _without_wrapper(files)
    for name, path in paths.items():
        student, number = _student(path)
        one = HandedIn(student, f"{folder}{name}", files[name], number=number)
        if not _is_zip(path.name):
            yield one
        else:
            yield from _in_zip(one, depth, maybe_class=len(path.parts) == 1 and not number)


def _in_zip(zipped: HandedIn, depth: int, maybe_class: bool) -> Iterator[HandedIn]:
    """What is in a zip file: one student's, after whom it is called, or the whole class's."""
    try:
        with zipped.open() as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except Exception as error:
        yield replace(zipped, trouble=f"it can't be unpacked ({_why(error)})")
        return
    if len(entries) > _ENTRIES or depth == _DEEPEST:
        yield replace(zipped, trouble="it holds too many files")
        return
    files: dict[str, Open] = {}
    for entry in entries:
        # Some programs on Windows write a backslash, and some others a "./" before each.
        name = str(PurePosixPath(entry.filename.replace("\\", "/").lstrip("/")))
        if not entry.is_dir() and _is_wanted(name):
            files.setdefault(name, partial(_open_entry, zipped.open, entry))
    folder = f"{zipped.file}/" if zipped.file else ""
    if not zipped.student or (maybe_class and _is_class(_without_wrapper(files).values())):
        yield from _of_class(folder, files, depth + 1)
        return
    for name, opened in files.items():
        one = replace(zipped, file=f"{folder}{name}", open=opened)
        yield from _in_zip(one, depth + 1, maybe_class=False) if _is_zip(name) else [one]


def _open_entry(opened: Open, entry: zipfile.ZipInfo) -> IO[bytes]:
    """A file in a zip file, which may itself lie in one: as much of it as is read."""
    with opened() as file, zipfile.ZipFile(file) as archive, archive.open(entry) as source:
        return BytesIO(source.read(LARGEST + 1))


def _without_wrapper(names: Iterable[str]) -> dict[str, PurePosixPath]:
    """Each path without the folders around all that was handed in."""
    short = {name: PurePosixPath(name) for name in names}
    while len({path.parts[:1] for path in short.values()}) == 1:
        inner = {name: PurePosixPath(*path.parts[1:]) for name, path in short.items()}
        if not _is_class(inner.values()):
            break
        short = inner
    # nbgrader's course also has the teacher's own notebooks, and what was graded before.
    submitted = {
        name: PurePosixPath(*path.parts[1:])
        for name, path in short.items()
        if path.parts[0] == _NBGRADER and len(path.parts) > 3
    }
    return submitted or short


def _is_class(paths: Iterable[PurePosixPath]) -> bool:
    """Whether files are several students': in a folder each, or named by a learning platform."""
    paths = list(paths)
    if not all(path.parts for path in paths):
        return False
    in_folders = all(len(path.parts) > 1 for path in paths)
    if in_folders and len({path.parts[0] for path in paths} - {HIDDEN}) > 1:
        return True
    return any(map(_named_by_platform, paths))


def _student(path: PurePosixPath) -> tuple[str, str]:
    """Whose a file is, by its path; and that student's number, if the path has it."""
    first = path.parts[0]
    if known := _named_by_platform(path):
        return known["name"], known["number"] or ""
    if len(path.parts) > 1:
        return (first if first != HIDDEN else "unknown"), ""
    ending = next(end for end in (*_NOTEBOOKS, ".zip") if first.lower().endswith(end))
    return first[: -len(ending)] or first, ""


def _named_by_platform(path: PurePosixPath) -> re.Match[str] | None:
    """What a learning platform wrote into the name of a student's folder or file."""
    first = path.parts[0]
    return _MOODLE.fullmatch(first) or (_CANVAS.fullmatch(first) if len(path.parts) == 1 else None)


def _is_wanted(name: str) -> bool:
    path = PurePosixPath(name)
    if _SKIPPED & set(path.parts) or path.name.startswith("._"):  # what macOS adds
        return False
    return name.endswith(_PREDICTIONS) or name.lower().endswith(_NOTEBOOKS) or _is_zip(name)


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
