"""What goes wrong around a painter: threads, closed widgets, lost files, errors of others."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import torch
from PIL import Image
from waiting import later

from stylelib import StylelibError, load_image, read_recipe
from stylelib.studio import Painter, Studio
from stylelib.studio.picture import Picture
from stylelib.studio.runs import Run

QUICK: dict[str, Any] = {
    "size": 24,
    "steps": 4,
    "weights": "random",
    "content_layers": {"conv1_2": 1.0},
    "style_layers": {"conv1_1": 1.0},
}


@pytest.fixture
def painter() -> Iterator[Painter]:
    painter = Painter(**QUICK)
    yield painter
    painter.close()
    assert not painters()


def painters() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "stylelib painter"]


def said(painter: Painter) -> str:
    return unescape(painter.desk.panel.message.value)


def is_ready(painter: Painter) -> bool:
    """Whether the buttons offer a new painting, and saving what there is."""
    buttons = painter.desk.buttons
    assert buttons["stop"].disabled and buttons["pause"].disabled
    return not buttons["paint"].disabled and buttons["save"].disabled == (painter.run is None)


# ------------------------------------------------------------------------- threads


def test_two_threads_that_learn_of_the_end_keep_the_run_once(
    painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jupyter handles buttons in another thread than cells, and both look at the same painter."""
    finish, start = Run.finish, threading.Barrier(2)

    def slowly(run: Run) -> None:
        time.sleep(0.2)
        finish(run)

    def wait() -> None:
        start.wait()
        painter.wait()

    async def work() -> None:
        painter.start()
        for thread in painters():
            thread.join()  # the news about it come only once this has ended
        monkeypatch.setattr(Run, "finish", slowly)
        await asyncio.gather(asyncio.to_thread(wait), asyncio.to_thread(wait))

    asyncio.run(work())
    assert [run.number for run in painter.runs] == [1]


def test_a_look_at_a_run_before_it_starts_does_not_end_it(painter: Painter) -> None:
    """Another thread may show the painter just then; here an observer does."""
    painter.paint()
    painter.desk.buttons["save"].click()
    painter.desk.saved.observe(lambda _: painter.resume(), "value")
    second = painter.paint()
    assert painter.runs[1:] == [second] and second.iteration == 4


def test_paint_in_a_cell_is_replaced_by_another_thread(painter: Painter) -> None:
    """The first ends after its step, its picture is kept, and the two never overlap."""
    painter.set(steps=100_000)
    runs: list[Run] = []
    cell = threading.Thread(target=lambda: runs.append(painter.paint()))
    cell.start()
    deadline = time.monotonic() + 60
    while painter.run is None or painter.run.iteration < 3:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    painter.set(steps=4)
    second = painter.paint()
    first_steps = painter.runs[0].iteration
    cell.join(60)
    assert not cell.is_alive() and len(runs) == 1
    assert painter.runs == [runs[0], second]
    assert runs[0].finished and runs[0].iteration == first_steps and second.iteration == 4


def test_saving_while_settings_change(painter: Painter) -> None:
    """The record is read in one thread while the painting thread adds to it."""
    run = painter.paint()
    step = run.losses[-1]

    class Step:
        iteration, steps, losses, layers, image = 1, 10**9, step, {}, run.image

    def add() -> None:
        for number in range(1, 800):
            Step.iteration = number
            run.add(Step, {"style_weight": float(number)}, 0.1)  # type: ignore[arg-type]

    kept = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        other = threading.Thread(target=add)
        other.start()
        while other.is_alive():
            run.record()
    finally:
        other.join()
        sys.setswitchinterval(kept)
    assert len(run.changes) == 799


def test_no_more_threads(painter: Painter) -> None:
    """As under a limit of processes: it is said, and painting works once there is room again."""

    async def work() -> None:
        before = threading.stack_size(1 << 46)
        try:
            painter.desk.buttons["paint"].click()
        finally:
            threading.stack_size(before)
        await asyncio.sleep(0)
        assert painter.state == "idle" and "can't start new thread" in said(painter)
        assert is_ready(painter) and painter.runs == []
        painter.desk.buttons["paint"].click()
        await later(lambda: painter.state == "idle" and painter.runs)
        assert is_ready(painter) and said(painter) == ""

    asyncio.run(work())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_of_a_kernel_that_paints() -> None:
    """The child has the painter but not its thread: it can end, and use what there is."""
    code = (
        "import asyncio, os, sys, time\n"
        "from stylelib.studio import Painter\n"
        f"painter = Painter(**{QUICK | {'steps': 100000}!r})\n"
        "async def work():\n"
        "    painter.start()\n"
        "    while painter.run.iteration < 3: await asyncio.sleep(0.01)\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        print(painter.save('child.png'), flush=True)\n"
        "        sys.exit(7)\n"
        "    assert os.waitpid(child, 0)[1] >> 8 == 7\n"
        "    painter.stop()\n"
        "asyncio.run(work())\n"
        "painter.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout == "child.png\n", done.stderr
    assert read_recipe("child.png") is not None


def paint_one(seed: int) -> float:
    painter = Painter(**QUICK, seed=seed)
    return float(painter.paint().picture().mean())


@pytest.mark.skipif(sys.platform != "linux", reason="fork is safe with PyTorch on Linux only")
def test_painting_in_forked_processes() -> None:
    """As with `multiprocessing.Pool`, after this process has painted."""
    here = [paint_one(seed) for seed in (1, 2)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        there = pool.map_async(paint_one, (1, 2)).get(timeout=100)
    assert there == pytest.approx(here, abs=1e-3)


# ------------------------------------------------------------------ closed widgets


@pytest.mark.parametrize("how", ["close", "close_all"])
def test_closed_while_painting(how: str) -> None:
    painter = Studio(**QUICK | {"steps": 100_000})

    async def work() -> None:
        painter.start()
        run = painter.run
        assert run is not None
        await later(lambda: run.iteration > 2)
        (ipywidgets.Widget.close_all if how == "close_all" else painter.close)()
        assert not painters()
        await asyncio.sleep(0.3)  # news that were under way
        assert torch.isfinite(run.picture()).all()  # what was painted can still be had

    asyncio.run(work())
    with pytest.raises(StylelibError, match="was closed"):
        painter.paint()
    with pytest.raises(StylelibError, match="was closed"):
        painter.start()
    painter.close()


@pytest.mark.parametrize("part", ["viewer", "panel", "session", "mask", "photos"])
def test_one_part_closed_while_painting(part: str) -> None:
    studio = Studio(**QUICK | {"steps": 60})

    async def work() -> None:
        studio.start()
        run = studio.run
        assert run is not None
        await later(lambda: run.iteration > 2)
        (getattr(studio, part, None) or getattr(studio.desk, part)).close()
        await later(lambda: run.finished)
        assert studio.runs == [run] and run.iteration == 60
        assert read_recipe(studio.save()) is not None

    asyncio.run(work())
    studio.close()


def test_the_browser_closes_the_connection(painter: Painter) -> None:
    """As JupyterLab may, when its page is closed."""
    painter.set(steps=60)

    async def work() -> None:
        painter.start()
        run = painter.run
        assert run is not None
        await later(lambda: run.iteration > 2)
        for widget in (painter.desk.viewer.image, painter.desk.panel.text, painter):
            widget.comm.handle_close({"content": {"data": {}}})
        await later(lambda: run.finished)
        assert painter.runs == [run] and is_ready(painter)

    asyncio.run(work())


# ------------------------------------------------------------- files, and others' errors


def test_the_photos_file_vanishes(painter: Painter, folder: Path) -> None:
    """While it is painted, and before it is chosen again."""
    for name in ("mine.png", "other.png"):
        Image.new("RGB", (40, 20), "teal").save(folder / name)
        painter.set(content=name, steps=1).paint()
    painter.set(steps=60)

    async def work() -> None:
        painter._repr_mimebundle_()  # shown in a notebook, it measures this computer's pace
        await later(lambda: painter.desk.expect.value)
        painter.start()
        run = painter.run
        assert run is not None
        await later(lambda: run.iteration > 2)
        for name in ("mine.png", "other.png"):
            (folder / name).unlink()
        await later(lambda: run.finished)
        await asyncio.sleep(0.05)
        assert painter.runs[2:] == [run] and is_ready(painter)
        painter.knobs["style_weight"].value = 7.0  # with the mouse
        painter.photos.buttons.value = "mine.png"
        assert "There is no file mine.png" in painter.photos.message.value
        painter.desk.buttons["paint"].click()
        assert "There is no file mine.png" in said(painter)
        # At the size at which it was loaded before, it may be painted all the same.
        await later(lambda: painter.state == "idle" and is_ready(painter))
        before = len(painter.runs)
        painter.photos.buttons.value = "camel"
        painter.set(steps=2)
        painter.desk.buttons["paint"].click()
        await later(lambda: len(painter.runs) == before + 1)

    asyncio.run(work())


def test_an_unexpected_error_behind_a_button_is_said(
    painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In JupyterLab the traceback only goes to a log that nobody opens."""
    painter.paint()
    for error, words in (
        (OSError(5, "Input/output error"), "An unexpected error occurred (OSError"),
        (MemoryError(), "ran out of memory"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Run, "save", lambda *_, error=error, **__: (_ for _ in ()).throw(error))
            painter.desk.buttons["save"].click()
        assert words in said(painter) and is_ready(painter)
    painter.desk.buttons["save"].click()
    assert len(list(Path().glob("*.png"))) == 1


def test_showing_fails_while_painting(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example because memory is short: the painting goes on, and the buttons follow."""
    painter.set(steps=40)
    told: list[Any] = []

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        painter.start()
        run = painter.run
        assert run is not None
        await later(lambda: run.iteration > 2)
        with monkeypatch.context() as patch:
            patch.setattr(painter.desk.viewer, "draw", lambda *_: [].pop())
            patch.setattr(painter.desk.panel, "show", lambda *_: [].pop())
            await later(lambda: not painters())
            await asyncio.sleep(0.05)
        assert "An unexpected error occurred (IndexError" in said(painter)
        assert run.finished and painter.runs == [run] and is_ready(painter)

    asyncio.run(work())
    assert told  # and the log has the traceback


def test_an_observer_that_raises(painter: Painter) -> None:
    """A student's own function, called when a slider moves."""

    def broken(_: Any) -> None:
        raise ZeroDivisionError

    painter.controls["style_weight"].observe(broken, "value")
    with pytest.raises(ZeroDivisionError):
        painter.set(style_weight=5)
    assert painter.paint().recipe.style_weight == 5 and is_ready(painter)


def test_a_folder_that_may_not_be_looked_into(tmp_path: Path) -> None:
    """The picture is saved elsewhere. Root may look anywhere, so another user tries."""
    closed, home = tmp_path / "closed", tmp_path / "home"
    code = (
        "import os, sys\n"
        "from stylelib.studio import Painter\n"
        f"painter = Painter(**{QUICK!r})\n"
        "painter.paint()\n"
        "painter.save()  # another user may not be able to import what this takes\n"
        "os.chdir(sys.argv[1])\n"
        "os.chmod('.', 0)\n"
        "if os.geteuid() == 0: os.setegid(65534); os.seteuid(65534)\n"
        "print(painter.save())\n"
    )
    for place in (closed, home):
        place.mkdir()
        place.chmod(0o777)
    for place in [home, *home.parents][:5]:
        if place.stat().st_mode & 0o001 == 0:
            place.chmod(place.stat().st_mode | 0o011)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(closed)],
            capture_output=True,
            text=True,
            env=os.environ | {"HOME": str(home)},
        )
    finally:
        closed.chmod(0o700)
    assert done.returncode == 0, done.stderr
    assert load_image(done.stdout.strip()).shape[1] == 3
    assert Path(done.stdout.strip()).parent == home


def test_kernels_that_save_to_one_folder_at_the_same_time(folder: Path) -> None:
    """With the same picture, mask and name: nobody's file overwrites another's."""
    code = (
        "import sys, time, torch\n"
        "from stylelib.studio import Studio\n"
        f"studio = Studio(**{QUICK!r}, seed=int(sys.argv[1]))\n"
        "mask = torch.zeros(1, 1, 14, 24); mask[..., :12] = 1\n"
        "studio.set(mask=mask).paint()\n"
        "while time.time() < float(sys.argv[2]): pass\n"
        "print(*[studio.save() for _ in range(10)], *[studio.film() for _ in range(2)])\n"
    )
    start = time.time() + 6
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(seed), str(start)], stdout=subprocess.PIPE, text=True
        )
        for seed in (1, 2)
    ]
    told = [process.communicate(timeout=200)[0].split() for process in started]
    assert [len(names) for names in told] == [12, 12]
    names = {*told[0], *told[1]}
    assert len(names) == 24
    (mask,) = set(os.listdir()) - names
    assert mask.startswith("mask-")
    for seed, mine in zip((1, 2), told, strict=True):
        for name in mine[:10]:
            recipe = read_recipe(name)
            assert recipe is not None and recipe["recipe"]["seed"] == seed


def test_pictures_are_loaded_once_for_a_size(folder: Path) -> None:
    """A picture that is shown can be painted although its file has vanished meanwhile."""
    Image.new("RGB", (40, 20), "teal").save(folder / "mine.png")
    picture = Picture("mine.png", "mine.png")
    first = picture.load(24)
    (folder / "mine.png").unlink()
    assert picture.load(24) is first
