"""Two studios used in any order, with the mouse and from code: nothing is lost, all is in words."""

import asyncio
import datetime
import hashlib
import io
import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from PIL import Image

from stylelib import StylelibError, Transfer, load_image, read_recipe
from stylelib.studio import Studio
from stylelib.studio.runs import Run

TINY: dict[str, Any] = {
    "size": 16,
    "steps": 6,
    "weights": "random",
    "content_layers": {"conv1_2": 1.0},
    "style_layers": {"conv1_1": 1.0},
}
BUTTONS = ("paint", "pause", "stop", "continue", "save", "film")
PHOTOS = ("camel", "hokusai-poppies", "kandinsky-composition-viii")
WRONG: tuple[dict[str, Any], ...] = (
    {"style_weight": 1e9},
    {"style_weight": float("nan")},
    {"style_weight": "much"},
    {"size": 3},
    {"size": "skech"},
    {"steps": 0},
    {"stile": 1},
    {"style": "nowhere.png"},
    {"content": b"no picture"},
    {"second": "nowhere.png"},
    {"mask": torch.zeros(1, 1, 9, 16)},
    {"mask": "nowhere.png"},
    {"style_shares": (1.0, 2.0, 3.0)},
    {"style_layers": {"conv9_9": 1.0}},
    {"optimizer": "sgd"},
    {"scrub": 101},
    {"against": "nobody"},
)
KNOBS: dict[str, tuple[Any, ...]] = {
    "style_weight": (1.0, 4.0, 20.0),
    "content_weight": (0.5, 2.0),
    "tv_weight": (0.0, 1.0),
    "style_layers": ({"conv1_1": 1.0}, {"conv1_1": 0.5, "conv1_2": 1.0}),
    "statistic": ("gram", "mean_std", "sliced"),
    "steps": (1, 6, 9, 30),
    "size": (16, 24),
    "init": ("content", "noise"),
    "pooling": ("max", "average"),
    "match_colors": (False, True),
    "keep_colors": (False, True),
    "second": (None, "hokusai-poppies"),
    "compare": (0, 50, 100),
    "against": ("photo", "painting"),
    "scrub": (0, 24, 60, 100),
}


def png(shape: tuple[int, int], color: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", shape, color).save(buffer, "PNG")
    return buffer.getvalue()


UPLOADS = {
    "good": png((32, 18), "teal"),
    "tall": png((6, 90), "red"),
    "cut short": png((32, 18), "teal")[:40],
    "no picture": b"an essay",
    "empty": b"",
}


def uploaded(name: str, data: bytes) -> tuple[dict[str, Any]]:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return ({"name": name, "type": "image/png", "size": 1, "content": data, "last_modified": now},)


def painters() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "stylelib painter"]


class Failures(logging.Handler):
    """What ipywidgets logs where a button's function raises: a student would not see it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())


class Watched(Transfer):
    """A transfer that knows how many others take a step at the same time."""

    at_work: set[int] = set()  # noqa: RUF012 - shared on purpose
    most = 0
    stepping = Transfer.__next__

    def step(self) -> Any:
        Watched.at_work.add(threading.get_ident())
        Watched.most = max(Watched.most, len(Watched.at_work))
        try:
            return Watched.stepping(self)
        finally:
            Watched.at_work.discard(threading.get_ident())


class Studios(RuleBasedStateMachine):
    """What students may do with two studios in one notebook."""

    @initialize()
    def open(self) -> None:
        self.back = Path.cwd()
        self.folder = tempfile.TemporaryDirectory()
        os.chdir(self.folder.name)
        self.loop = asyncio.new_event_loop()
        self.trouble: list[Any] = []
        self.loop.set_exception_handler(lambda _, context: self.trouble.append(context))
        self.log = Failures()
        logging.getLogger("traitlets").addHandler(self.log)
        Watched.most = 0
        self.studios = [Studio(seed=n, **TINY) for n in (1, 2)]
        self.begun: list[list[Run]] = [[], []]
        self.files: dict[Path, str] = {}
        self.from_files: list[Run] = []

    def do(self, which: int, action: Callable[[Studio], Any], wrong: bool = False) -> Any:
        """Do something on the event loop, as a kernel does; errors may only be in words."""

        async def work() -> Any:
            result = None
            try:
                result = action(self.studios[which])
                assert not wrong, "it was accepted"
            except StylelibError as error:
                assert str(error).strip().endswith((".", "?")), error
            await asyncio.sleep(0)
            return result

        result = self.loop.run_until_complete(work())
        self.remember(which)
        self.check()
        return result

    def remember(self, which: int) -> None:
        run = self.studios[which].run
        if run is not None and run not in self.begun[which]:
            self.begun[which].append(run)

    def check(self) -> None:
        assert not self.log.found and not self.trouble, (self.log.found, self.trouble)
        assert len(Watched.at_work) <= 2 and Watched.most <= 2
        for studio, begun in zip(self.studios, self.begun, strict=True):
            shown = studio.desk.panel.message.value + studio.photos.message.value
            assert "unexpected" not in shown and "Error" not in shown, shown
            numbers = [run.number for run in studio.runs]
            assert numbers == sorted(set(numbers))
            for run in begun:
                # A run without a step leaves nothing; every other one is kept, and once only.
                kept = studio.runs.count(run)
                assert kept == (1 if run.finished and run.losses else 0), run.title
                assert run.finished or (run is begun[-1] and studio.run is run)
                assert not run.losses or (run.image is not None and run.image.isfinite().all())
                if kept:
                    assert run.frames[-1].iteration == run.iteration <= run.steps

    def check_buttons(self, studio: Studio) -> None:
        """The buttons that fit what is going on, once that no longer changes by itself."""
        can = {name: not studio.desk.buttons[name].disabled for name in BUTTONS}
        run, state = studio.run, studio.state
        assert state in ("idle", "paused")
        assert can["paint"] == (state == "idle")
        assert can["pause"] == can["stop"] == (state == "paused")
        assert (studio.desk.buttons["pause"].description == "Resume") == (state == "paused")
        assert can["save"] == (run is not None and bool(run.losses))
        assert can["film"] == (can["save"] and state == "idle")
        frame = None if run is None else studio.desk.viewer.frame or run.frames[-1]
        goes_on = frame is not None and frame.image is not None and frame.iteration < run.steps  # type: ignore[union-attr]
        assert can["continue"] == (state == "idle" and goes_on)

    which = st.integers(0, 1)

    @rule(which=which, name=st.sampled_from(BUTTONS))
    def press(self, which: int, name: str) -> None:
        def action(studio: Studio) -> None:
            before = set(Path().iterdir())
            if not studio.desk.buttons[name].disabled:
                studio.desk.buttons[name].click()
            for path in set(Path().iterdir()) - before - {Path("painted")}:
                self.keep(path)

        self.do(which, action)

    @rule(which=which, name=st.sampled_from(["start", "pause", "resume", "stop", "go_on"]))
    def call(self, which: int, name: str) -> None:
        """Also what makes no sense now, which the buttons don't offer."""
        self.do(which, lambda studio: getattr(studio, name)())

    @rule(which=which)
    def paint_here(self, which: int) -> None:
        run = self.do(which, lambda studio: studio.paint())
        if run is not None:
            assert run.finished and run.iteration == run.steps
            self.check_buttons(self.studios[which])

    @rule(which=which, iteration=st.integers(0, 9))
    def go_on_from(self, which: int, iteration: int) -> None:
        self.do(which, lambda studio: studio.go_on(iteration))

    @rule(which=which, film=st.booleans())
    def save(self, which: int, film: bool) -> None:
        def action(studio: Studio) -> None:
            frame, run = studio.desk.viewer.frame, studio.run
            path = studio.film() if film else studio.save()
            assert path not in self.files
            self.keep(path)
            recipe = read_recipe(path)
            if frame is not None and not film:
                assert recipe is not None and recipe["steps_done"] == frame.iteration
            elif run is not None and run.finished and not film:
                assert recipe is not None and recipe["steps_done"] == run.iteration

        self.do(which, action)

    def keep(self, path: Path) -> None:
        """A file that must stay as it is."""
        self.files[path] = hashlib.sha256(path.read_bytes()).hexdigest()

    @rule(which=which, knob=st.sampled_from(sorted(KNOBS)), place=st.integers(0, 3))
    def turn(self, which: int, knob: str, place: int) -> None:
        value = KNOBS[knob][place % len(KNOBS[knob])]
        self.do(which, lambda studio: studio.set(**{knob: value}))

    @rule(which=which, share=st.integers(0, 20), widget=st.sampled_from(["weight", "blend"]))
    def move_a_slider(self, which: int, share: int, widget: str) -> None:
        def action(studio: Studio) -> None:
            if widget == "weight":
                studio.knobs["style_weight"].value = 10 ** (share / 10)
            else:
                studio.knobs["style_shares"].slider.value = 5 * share

        self.do(which, action)

    @rule(which=which, wrong=st.sampled_from(WRONG))
    def set_something_wrong(self, which: int, wrong: dict[str, Any]) -> None:
        values = self.studios[which].values
        self.do(which, lambda studio: studio.set(**wrong), wrong=True)
        assert self.studios[which].values == values

    @rule(which=which, kind=st.sampled_from(["content", "style"]), name=st.sampled_from(PHOTOS))
    def choose(self, which: int, kind: str, name: str) -> None:
        self.do(which, lambda studio: studio.set(**{kind: name}))

    @rule(
        which=which,
        where=st.sampled_from(["photos", "paintings", "mask"]),
        kind=st.sampled_from(sorted(UPLOADS)),
        name=st.sampled_from(["me.png", "camel", "../<b>.png", ""]),
    )
    def upload(self, which: int, where: str, kind: str, name: str) -> None:
        def action(studio: Studio) -> None:
            place = getattr(studio, where)
            place.upload.value = uploaded(name, UPLOADS[kind])
            assert place.upload.value == ()

        self.do(which, action)

    @rule(which=which, share=st.integers(1, 16), tall=st.booleans())
    def draw_a_mask(self, which: int, share: int, tall: bool) -> None:
        mask = torch.zeros(1, 1, 40 if tall else 9, 16)
        mask[..., :share] = 1
        self.do(which, lambda studio: studio.set(mask=mask))

    @rule(which=which)
    def paint_everywhere(self, which: int) -> None:
        self.do(which, lambda studio: studio.mask.everywhere.click())

    @rule(which=which, place=st.integers(0, 5))
    def look_back(self, which: int, place: int) -> None:
        def action(studio: Studio) -> None:
            if studio.runs:
                name = studio.runs[place % len(studio.runs)].name
                studio.desk.session.chooser.value = name

        self.do(which, action)

    @rule(which=which)
    def open_it_anew(self, which: int) -> None:
        """As after running its cell again: the same values, and what was saved is still there."""
        self.do(which, lambda studio: studio.close())
        values = self.studios[which].values
        for name in ("content", "style", "second"):  # what was uploaded is no longer there
            if values[name] not in (*PHOTOS, "hokusai-great-wave", ""):
                del values[name]
        del values["against"]  # a run of before
        self.begun[which] = []
        self.studios[which] = Studio(seed=which + 1, **TINY)
        self.from_files += self.studios[which].runs
        self.do(which, lambda studio: studio.set(**values))
        new = self.studios[which].values
        for name, value in values.items():
            assert getattr(new[name], "name", new[name]) == getattr(value, "name", value)

    @rule()
    def a_moment_passes(self) -> None:
        self.loop.run_until_complete(asyncio.sleep(0.004))
        for which in (0, 1):
            self.remember(which)
        self.check()

    @rule()
    def they_come_to_rest(self) -> None:
        """Everything that goes on has ended or waits, and the buttons show it."""

        async def work() -> None:
            deadline = time.monotonic() + 120
            while not all(studio.state in ("idle", "paused") for studio in self.studios):
                assert time.monotonic() < deadline, [studio.state for studio in self.studios]
                await asyncio.sleep(0.002)
            for studio in self.studios:
                if studio.state == "idle":
                    studio.wait()  # for the thread; the news about it come next
            await asyncio.sleep(0.002)

        self.loop.run_until_complete(work())
        for which in (0, 1):
            self.remember(which)
        self.check()
        for studio in self.studios:
            self.check_buttons(studio)

    def teardown(self) -> None:
        if not hasattr(self, "studios"):
            return
        try:
            for which in (0, 1):
                self.do(which, lambda studio: studio.stop())
            self.they_come_to_rest()
            for path, digest in self.files.items():
                assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, path
                assert path.suffix != ".png" or load_image(path).isfinite().all()
            for studio in self.studios:
                self.paint_again(studio.runs[-1:])
        finally:
            for studio in self.studios:
                studio.close()
            self.loop.close()
            logging.getLogger("traitlets").removeHandler(self.log)
            os.chdir(self.back)
            self.folder.cleanup()
        assert not painters()

    def paint_again(self, runs: list[Run]) -> None:
        """The code that a studio shows paints the same picture."""
        for run in runs:
            given = [run.content, *run.paintings, *([run.mask] if run.mask else [])]
            for picture in given:
                if isinstance(picture.source, bytes):
                    Path(Path(picture.name).name).write_bytes(picture.source)
            if any("/" in picture.name or picture.name == "picture" for picture in given):
                continue  # uploaded under a name that is no file's here
            names: dict[str, Any] = {}
            exec(run.code(), names)
            again, shown = names["picture"], run.picture()
            if run in self.from_files:  # a PNG has eight bits a colour
                again, shown = ((255 * picture).round() for picture in (again, shown))
            assert torch.equal(again, shown), run.code()


@pytest.mark.parametrize("many", [8, pytest.param(600, marks=pytest.mark.slow)])
def test_two_studios_in_any_order(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Transfer, "__next__", Watched.step)
    run_state_machine_as_test(
        Studios,
        settings=settings(
            max_examples=many,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        ),
    )
