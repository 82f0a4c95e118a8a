"""Disks that fill up or vanish, and killed processes: a clear sentence, and nothing is lost."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from stylelib import StylelibError, cli, load_image, read_recipe, save_image
from stylelib.core import loop
from stylelib.pictures.rescue import save_with

PAIR = ("camel", "hokusai-great-wave")
SMALL = (
    *("--size", "48", "--steps", "3", "--device", "cpu"),
    *("--content-layers", "conv2_1", "--style-layers", "conv1_1"),
)
no_windows = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals and mounts")


# ------------------------------------------------------------ no room for the picture


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder (here), a home folder, and a folder for temporary files."""
    for name in ("here", "home", "temporary", "out"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs a disk of its own, which only root may mount, on Linux")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Write until nothing more goes in."""
    with (disk / "full").open("wb", buffering=0) as file, pytest.raises(OSError, match="space"):
        while True:
            file.write(bytes(4096))


def lock(disk: Path) -> None:
    """Make the disk read-only, as a system does if it has errors."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make something happen during the second step of a transfer."""

    def do(happens: Callable[[], Any]) -> None:
        going_on, taken = loop.step, count(1)

        def step(*arguments: Any) -> Any:
            if next(taken) == 2:
                happens()
            return going_on(*arguments)

        monkeypatch.setattr(loop, "step", step)

    return do


@pytest.fixture
def paint(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Call the command line: exit status, stdout and stderr."""

    def call(*options: str | Path) -> tuple[int, str, str]:
        status = cli.main(["paint", *PAIR, *SMALL, *map(str, options)])
        return status, *capsys.readouterr()

    return call


def is_whole(path: Path, steps: int = 3) -> bool:
    """Whether it is a complete picture that records how it was made."""
    recipe = read_recipe(path)
    assert recipe is not None and load_image(path).shape == (1, 3, 27, 48)
    return recipe["steps_done"] == steps


def test_a_folder_that_vanishes_while_painting(places: Path, at_step: Any, paint: Any) -> None:
    at_step(lambda: shutil.rmtree(places / "out"))
    status, out, err = paint("-o", places / "out" / "camel.png")
    kept = places / "here" / "camel.png"
    assert status == 1 and is_whole(kept)
    assert f"There is no folder {places / 'out'}" in err and f"saved here: {kept}" in err
    assert out.startswith(f"{kept}: 48 x 27 pixels")


def test_a_disk_that_fills_up_while_painting(
    places: Path, disk: Path, at_step: Any, paint: Any
) -> None:
    old = save_image(load_image("camel", 32), disk / "camel.png").read_bytes()
    at_step(lambda: fill(disk))
    status, _, err = paint("-o", disk / "camel.png")
    assert status == 1 and is_whole(places / "here" / "camel.png")
    assert "There is no space left for" in err
    assert (disk / "camel.png").read_bytes() == old
    assert sorted(p.name for p in disk.iterdir()) == ["camel.png", "full"]


def test_a_disk_that_becomes_read_only_while_painting(
    places: Path, disk: Path, at_step: Any, paint: Any
) -> None:
    at_step(lambda: lock(disk))
    status, _, err = paint("-o", disk / "camel.png")
    assert status == 1 and is_whole(places / "here" / "camel.png")
    assert "can be read but not written" in err


def test_a_rescued_picture_overwrites_no_other(places: Path, at_step: Any, paint: Any) -> None:
    for name in ("camel.png", "camel-2.png"):
        (places / "here" / name).write_bytes(b"another picture")
    at_step(lambda: shutil.rmtree(places / "out"))
    assert paint("-o", places / "out" / "camel.png")[0] == 1
    assert is_whole(places / "here" / "camel-3.png")
    for name in ("camel.png", "camel-2.png"):
        assert (places / "here" / name).read_bytes() == b"another picture"


@no_windows
def test_the_current_folder_vanishes(places: Path, at_step: Any, paint: Any) -> None:
    at_step(lambda: shutil.rmtree(places / "here"))
    status, _, err = paint("-o", "camel.png")
    assert status == 1 and is_whole(places / "home" / "camel.png")
    assert f"saved here: {places / 'home' / 'camel.png'}" in err


@no_windows
def test_here_and_home_are_on_the_full_disk(
    places: Path, disk: Path, at_step: Any, paint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(disk)
    monkeypatch.setenv("HOME", str(disk))
    at_step(lambda: fill(disk))
    status, _, err = paint("-o", "camel.png")
    assert status == 1 and is_whole(places / "temporary" / "camel.png")
    assert f"saved here: {places / 'temporary' / 'camel.png'}" in err


@no_windows
def test_no_room_anywhere_is_reported(
    camel: Tensor, places: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(disk)
    monkeypatch.chdir(disk)
    monkeypatch.setenv("HOME", str(disk))
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    with pytest.raises(StylelibError, match="no space left"):
        save_with(lambda place: save_image(camel, place), disk / "camel.png")
    assert [p.name for p in disk.iterdir()] == ["full"]


# ----------------------------------------------------------- signals while it paints


def start(
    folder: Path, steps: int = 1_000_000, stderr: Any = subprocess.PIPE
) -> subprocess.Popen[str]:
    """Start a painting that reacts to signals, even where the tests themselves ignore them."""
    listening = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
        "from stylelib.cli import main; sys.exit(main())"
    )
    arguments = ["paint", *PAIR, *SMALL, "--steps", str(steps), "-o", "out.png"]
    return subprocess.Popen(
        [sys.executable, "-c", listening, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


@no_windows
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_repeated_signals_do_not_lose_the_picture(tmp_path: Path, name: str) -> None:
    """Ctrl-C held down; shutdown; the terminal closed, so that nothing reads the output."""
    process = start(tmp_path)
    assert process.stderr is not None
    try:
        assert process.stderr.readline().startswith("step 1/")
        if name == "SIGHUP":
            process.stderr.close()
        while not (tmp_path / "out.png").exists():
            process.send_signal(getattr(signal, name))
            time.sleep(0.01)
            assert process.poll() is None, "it gave up before it had saved the picture"
        process.wait(30)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    recipe = read_recipe(tmp_path / "out.png")
    assert recipe is not None and is_whole(tmp_path / "out.png", recipe["steps_done"])


@no_windows
def test_a_log_on_a_full_disk_does_not_stop_it(places: Path, disk: Path) -> None:
    fill(disk)
    with (disk / "full").open("a") as log:
        process = start(places / "out", steps=50, stderr=log)
        try:
            process.wait(60)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0
    assert is_whole(places / "out" / "out.png", 50)
