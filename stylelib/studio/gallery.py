"""A folder beside the notebook with the newest pictures: there again after the kernel's restart."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

from ..errors import StylelibError
from ..pictures.images import load_image, read_recipe
from ..pictures.names import file_name
from ..pictures.rescue import save_new
from ..pictures.samples import SAMPLES
from ..recipes import Recipe
from .picture import Picture
from .runs import Run

KEPT = 20  # pictures
LARGEST = 100_000_000  # bytes of all of them
_NAME = re.compile(r"(\d{3,6})-.*\.png")
_BESIDE = (
    "The newest {kept} pictures are kept in the folder <b>{folder}</b> beside this notebook. They "
    "are here again when you open it the next time."
)
_ELSEWHERE = (
    "The newest {kept} pictures are kept in the folder <b>{folder}</b>. They are here again when "
    "you open this notebook the next time."
)


class Gallery:
    """The pictures that were painted, as PNG files that hold their recipes.

    Without a folder, nothing is kept, nor on a page that Voilà serves: its visitors would see each
    other's pictures. Files that it has not written itself are left alone.
    """

    def __init__(self, folder: Path | None) -> None:
        if any(name.startswith("VOILA_") for name in os.environ):
            folder = None
        self.folder = folder
        self._paths: dict[Run, Path] = {}  # of this session's runs
        self.words = ""  # where the pictures are, for the user
        if folder is not None:
            words = _ELSEWHERE if folder.is_absolute() else _BESIDE
            self.words = words.format(kept=KEPT, folder=escape(str(folder)))

    def runs(self) -> list[Run]:
        """The runs whose pictures are there, oldest first, each with a number of its own."""
        found: dict[int, Run] = {}
        for path, record in self._files():
            number = int(path.name.partition("-")[0])
            while number in found:
                number += 1
            # Whatever is wrong with one picture, the others are shown.
            with suppress(StylelibError, KeyError, TypeError, ValueError, AttributeError):
                found[number] = self._run(number, path, record)
        return list(found.values())[-KEPT:]

    def add(self, run: Run) -> None:
        """Keep a run's picture as it looks now; the oldest pictures make room for it.

        Raises
        ------
        StylelibError
            If it can't be written.
        """
        if self.folder is None:
            return
        if run in self._paths:
            run.save(self._paths[run], history=True)
            return
        with suppress(OSError):  # `save` says what is wrong
            self.folder.mkdir(exist_ok=True)
        names = "-".join(Path(file_name(p.name)).stem for p in (run.content, run.style))
        path = self.folder / file_name(f"{run.number:03d}-{names}.png")
        self._paths[run] = save_new(lambda place: run.save(place, history=True), path)
        self._make_room()

    def holds(self, run: Run) -> bool:
        """Whether `add` has kept a run."""
        return run in self._paths

    def _make_room(self) -> None:
        files = list(self._files())
        sizes = [path.stat().st_size for path, _ in files]
        while len(files) > KEPT or (len(files) > 1 and sum(sizes) > LARGEST):
            path, record = files.pop(0)
            sizes.pop(0)
            self._paths = {run: kept for run, kept in self._paths.items() if kept != path}
            others = {name for _, other in files for name in _masks(other)}
            for name in {path.name, *_masks(record)} - others:
                with suppress(OSError):
                    (path.parent / name).unlink(missing_ok=True)

    def _files(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """The files that `add` has written, and what they record, oldest first."""
        with suppress(OSError):
            paths = [] if self.folder is None else list(self.folder.iterdir())
            for path in sorted(paths, key=lambda path: path.name):
                if _NAME.fullmatch(path.name):
                    with suppress(StylelibError):
                        record = read_recipe(path)
                        if record is not None and "history" in record:
                            yield path, record

    def _run(self, number: int, path: Path, record: dict[str, Any]) -> Run:
        styles = record["style"] if isinstance(record["style"], list) else [record["style"]]
        content, style, *more = (self._picture(name) for name in (record["content"], *styles))
        mask = next(iter(_masks(record)), None)
        run = Run(
            number,
            content,
            style,
            Recipe(**record["recipe"]),
            second=more[0] if more else None,
            mask=None if mask is None else self._picture(mask),
            colors=record.get("keep_colors") is True and content.name in SAMPLES,
        )
        run.restore(load_image(path), record)
        return run

    def _picture(self, name: str) -> Picture:
        """A sample, a file in the folder, or else one beside the notebook, be it there or not."""
        assert self.folder is not None
        safe = file_name(name)
        kept = self.folder / safe
        if name in SAMPLES or not kept.is_file():
            return Picture(name, name if name in SAMPLES else Path(safe))
        return Picture(name, kept)


def _masks(record: dict[str, Any]) -> list[str]:
    """The names of the masks that were drawn for a picture."""
    where = record.get("where")
    names = where if isinstance(where, list) else []
    return [n for n in names if isinstance(n, str) and re.fullmatch(r"mask-[0-9a-f]+\.png", n)]
