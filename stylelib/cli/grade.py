"""``stylelib grade``: check the exercises in the notebooks that a class handed in."""

import csv
import json
import os
import shutil
import sys
import time
import zipfile
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from ..errors import StylelibError
from .handed_in import HandedIn, find, too_large
from .sandbox import Box, choose_box, environment, run
from .telling import say, tell

STATES = ("right", "wrong", "empty", "missing", "stopped")
"""What can be said of an answer; it is stopped if it takes too long or too much memory."""

_STARTING = 60  # seconds of processor time for Python and PyTorch to start
_PATIENCE = 8  # on a busy computer, all takes so much longer by the clock
_IN_ALL = 20  # a notebook as a whole may take so many times what a part of it may


@dataclass(frozen=True)
class Answer:
    """What was found out about an exercise in a notebook."""

    number: str
    state: str
    says: str = ""
    recognised: bool = False


@dataclass
class Report:
    """What was found out about a notebook."""

    student: str
    file: str
    answers: list[Answer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unreadable: str = ""

    @property
    def right(self) -> int:
        """How many answers are right."""
        return sum(answer.state == "right" for answer in self.answers)


@dataclass(frozen=True)
class Mistake:
    """A mistake that stylelib knows, and who makes it."""

    number: str
    hint: str
    students: list[str]


def grade(options: Namespace) -> int:
    """Check all notebooks in a folder or zip file, and write what was found. Returns the status."""
    from .grades import write_page

    place: Path = options.folder.resolve()
    if not (place.is_dir() or zipfile.is_zipfile(place)):
        raise StylelibError(
            f"{options.folder} is neither a folder nor a zip file. Give the folder of the files "
            f"that were handed in, or the zip file that you downloaded."
        )
    files = find(place)
    if all(file.is_predictions for file in files):
        raise StylelibError(
            f"There is no notebook, .ipynb, and no .zip with one in {options.folder}."
        )
    notebooks = [file for file in files if not file.is_predictions]
    name = place.name if place.is_dir() else place.stem
    output = options.output or place.with_name(f"{name}-grades")
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="stylelib-grade-", ignore_cleanup_errors=True) as made:
        work = Path(made).resolve()
        (work / "shared").mkdir()
        box = choose_box(work / "shared")
        say(f"stylelib: {box.told}")
        reports = _all_reports(notebooks, work, box, options)
    predictions = read_predictions(file for file in files if file.is_predictions)
    mistakes = commonest(reports)
    _write_csv(output, reports)
    page = write_page(output / "grades.html", name, reports, mistakes, predictions, box.told)
    _tell_summary(reports, mistakes)
    tell(f"The page to read: {page}. For a spreadsheet: grades.csv and answers.csv beside it.")
    return 0


def _all_reports(
    notebooks: list[HandedIn], work: Path, box: Box, options: Namespace
) -> list[Report]:
    """A report on each notebook; several are marked at the same time."""
    memory = int(options.memory * 1e9)
    room = max(1, psutil.virtual_memory().available // memory)
    with ThreadPoolExecutor(min(room, os.cpu_count() or 1)) as pool:
        jobs = [
            pool.submit(report, handed_in, work / f"notebook-{n}", work / "shared", box,
                        options.seconds, memory)
            for n, handed_in in enumerate(notebooks)
        ]  # fmt: skip
        found = []
        for number, job in enumerate(jobs, 1):
            found.append(job.result())
            say(f"{number} of {len(jobs)}: {found[-1].file}")
    return sorted(found, key=lambda one: (one.student.casefold(), one.file))


def report(
    handed_in: HandedIn, folder: Path, shared: Path, box: Box, seconds: float, memory: int
) -> Report:
    """Mark a notebook in a process of its own, which is started again without what stopped it.

    Parameters
    ----------
    handed_in : HandedIn
        The notebook.
    folder : Path
        Where that process may write; it is made.
    shared : Path
        Where Matplotlib keeps its list of fonts.
    box : Box
        How it is closed off.
    seconds : float
        How much processor time a cell or an exercise may take.
    memory : int
        How many bytes the process may hold.
    """
    found = Report(handed_in.student, handed_in.file, unreadable=handed_in.trouble)
    content = b""
    try:
        content = content if found.unreadable else handed_in.read()
    except ValueError as error:
        found.unreadable = f"it can't be read ({error})"
    found.unreadable = found.unreadable or too_large(len(content))
    if found.unreadable:
        return found
    stopped = list[str]()
    answers = dict[str, Answer]()
    latest = time.monotonic() + _STARTING * _PATIENCE + seconds * _IN_ALL
    while not found.unreadable:
        # Anew each time: in the place of a file, code could have left a link to one of yours.
        place = folder / str(len(stopped))
        place.mkdir(parents=True)
        notebook, results = place / "handed-in.ipynb", place / "results"
        notebook.write_bytes(content)
        results.touch()
        command = [*box.prefix(place, shared), sys.executable, "-m", "stylelib.cli.marking",
                   str(notebook), str(results), str(memory), *stopped]  # fmt: skip
        watch = _Watch(results, seconds, latest)
        ending = run(command, place, environment(place, shared), memory, watch.is_over)
        part, ended = _read(results, found, answers)
        if ended:
            break
        if part == "start" or part in stopped or time.monotonic() > latest:
            found.notes.append(_STOPPED[ending].format(part="The notebook"))
            break
        stopped.append(part)
        number = part.removeprefix("exercise ")
        if number == part:
            found.notes.append(_STOPPED[ending].format(part=part.capitalize()))
        else:
            answers[number] = Answer(number, "stopped", _STOPPED[ending].format(part="It"))
    shutil.rmtree(folder, ignore_errors=True)
    found.answers = sorted(answers.values(), key=lambda answer: _order(answer.number))
    if not (answers or found.unreadable or found.notes):
        found.notes.append("There is no exercise of the lessons in it.")
    return found


_STOPPED = {
    "time": "{part} did not come to an end in time.",
    "memory": "{part} needed too much memory or started too many processes.",
    "ended": "{part} ended Python.",
}


class _Watch:
    """Whether a process has had its time: each part that it begins gets the same."""

    def __init__(self, results: Path, seconds: float, latest: float) -> None:
        self._results, self._seconds, self._latest = results, seconds, latest
        self._size, self._used, self._began = -1, 0.0, 0.0

    def is_over(self, used: float) -> bool:
        """Whether it is, given the seconds of processor time used since it started."""
        now, size = time.monotonic(), self._size
        with suppress(OSError):
            size = self._results.lstat().st_size
        if size != self._size:
            self._size, self._used, self._began = size, used, now
        seconds = self._seconds if size > len(_FIRST) else _STARTING
        waited = (now - self._began) / _PATIENCE
        return max(used - self._used, waited) > seconds or now > self._latest


_FIRST = '{"kind": "part", "name": "start"}\r\n'


def _read(results: Path, found: Report, answers: dict[str, Answer]) -> tuple[str, bool]:
    """Read what a process wrote; return the part that it was in, and whether it ended.

    Code that was handed in may have written there, too: nothing is taken on trust.
    """
    part, ended = "start", False
    notes = list[str]()
    for line in _lines(results):
        try:
            values = json.loads(line)
            match values.pop("kind"):
                case "part":
                    part = _text(values["name"], 40)
                case "exercises":
                    for number in (_text(number, 8) for number in values["numbers"][:99]):
                        answers.setdefault(number, Answer(number, "stopped"))
                case "note":
                    notes.append(_text(values["text"], 400))
                case "unreadable":
                    found.unreadable = _text(values["why"], 400)
                case "verdict":
                    number, state = _text(values["number"], 8), values["state"]
                    if state in STATES and number in answers:
                        says = _text(values["says"], 1000)
                        recognised = values["recognised"] is True
                        answers[number] = Answer(number, state, says, recognised)
                case "end":
                    ended = True
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
    found.notes += [note for note in notes[:20] if note not in found.notes]
    return part, ended


def _lines(results: Path) -> list[str]:
    """The lines of a file, but not what a link leads to, or what another program is to send."""
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(os.open(results, os.O_RDONLY | careful), encoding="utf-8", errors="replace") as f:
            return f.read(2_000_000).splitlines() if S_ISREG(os.fstat(f.fileno()).st_mode) else []
    except OSError:
        return []


def _text(value: Any, most: int) -> str:
    return str(value)[:most]


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in number.split("."))


def commonest(reports: Iterable[Report]) -> list[Mistake]:
    """The mistakes that were recognised, those that most students make first."""
    makers: dict[tuple[str, str], dict[str, None]] = {}
    for one in reports:
        for answer in one.answers:
            if answer.recognised:
                makers.setdefault((answer.number, answer.says), {})[one.student] = None
    mistakes = [Mistake(number, hint, list(who)) for (number, hint), who in makers.items()]
    return sorted(mistakes, key=lambda one: (-len(one.students), _order(one.number)))


@dataclass(frozen=True)
class Question:
    """A prediction that students made: how many said what, and what came out."""

    key: str
    question: str
    said: Counter[str]
    answer: str


def read_predictions(files: Iterable[HandedIn]) -> list[Question]:
    """Count what the students predicted."""
    questions: dict[str, Question] = {}
    for file in files:
        try:
            kept = json.loads(file.read()[:1_000_000])
            for key, one in kept.items():
                question = _text(one["question"], 500)
                said, answer = (_in_words(one.get(name)) for name in ("said", "answer"))
                first = Question(_text(key, 20), question, Counter(), answer)
                found = questions.setdefault(first.key, first)
                found.said[said] += bool(said)
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
    return sorted(questions.values(), key=lambda one: _order(one.key))


def _in_words(said: Any) -> str:
    return _text(", then ".join(map(str, said)) if isinstance(said, list) else said or "", 300)


def _write_csv(folder: Path, reports: list[Report]) -> None:
    """A row for each notebook in grades.csv, and one for each answer in answers.csv."""
    numbers = sorted({answer.number for one in reports for answer in one.answers}, key=_order)
    with (folder / "grades.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["student", "file", "right", "of", *numbers, "notes"])
        for one in reports:
            states = {answer.number: answer.state for answer in one.answers}
            notes = " ".join([*filter(None, [one.unreadable]), *one.notes])
            cells = [*(states.get(number, "") for number in numbers), notes]
            rows.writerow(map(_cell, [one.student, one.file, one.right, len(one.answers), *cells]))
    with (folder / "answers.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["student", "file", "exercise", "state", "recognised mistake", "told"])
        for one in reports:
            for answer in one.answers:
                known = "yes" if answer.recognised else ""
                told = [answer.number, answer.state, known, answer.says]
                rows.writerow(map(_cell, [one.student, one.file, *told]))


def _cell(value: object) -> object:
    """A value that a spreadsheet does not take for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def titles() -> dict[str, str]:
    """The title of each exercise, by its number."""
    from .marking import registered

    return {number: exercise.title for number, exercise in registered().items()}


def _tell_summary(reports: list[Report], mistakes: list[Mistake]) -> None:
    students = len({one.student for one in reports})
    tell(f"Notebooks: {len(reports)}. Students: {students}.")
    for one in reports:
        if one.unreadable:
            tell(f"Not read: {one.file}: {one.unreadable}.")
    if mistakes:
        tell("The commonest mistakes:")
    for mistake in mistakes[:3]:
        tell(f"  {len(mistake.students)} of {students}, exercise {mistake.number}: {mistake.hint}")
