"""The recipe for JupyterHub in docs/hub: a real hub, on which several students paint at once.

It is skipped where jupyterhub (pip) or configurable-http-proxy (npm) is not installed.
"""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("jupyterhub")
pytest.importorskip("websocket")

import websocket
from classroom import ANSWERS, BARE, Student, attend, hand_in, hub, megabytes, until

from stylelib import cli

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("configurable-http-proxy"), reason="no proxy"),
]
UPLOAD = "data = '{}'\nprint(len(data))".format("x" * 12_000_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with hub(folder) as found:
        yield found


def begin(address: str, name: str) -> Student:
    student = Student(address, name)
    student.start()
    student.open_kernel()
    return student


def test_three_students_paint_at_the_same_time_and_hand_in_lesson_03(
    address: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    names = ["anna", "ben", "carl"]
    with ThreadPoolExecutor(3) as pool:
        painted = list(pool.map(attend, [address] * 3, names, ANSWERS))
    assert painted == ["5 (1, 3, 36, 64)\n"] * 3
    for name in names:  # each has a copy of their own
        assert (folder / "homes" / name / "stylelib-lessons" / "04-target-loss.ipynb").exists()
        assert megabytes(name, folder) < 2000
    assert cli.main(["grade", str(hand_in(folder))]) == 0
    said = capfd.readouterr().out
    assert "Students: 3." in said
    assert "1 of 3, exercise 3.1: this is the sum over the positions." in said
    assert "1 of 3, exercise 3.1: you add the maps." in said


def test_a_photo_of_twelve_megabytes_arrives_with_the_wheels_setting_alone(address: str) -> None:
    assert begin(address, "dora").run(UPLOAD) == "12000000\n"
    with pytest.raises((websocket.WebSocketException, OSError)):
        begin(address, BARE).run(UPLOAD, reconnect=False)


def test_nobody_reaches_the_server_of_somebody_else(address: str) -> None:
    dora, eve = Student(address, "dora"), Student(address, "eve")
    dora.start()
    until(lambda: dora.call("/user/dora/api/status"))
    with pytest.raises(OSError, match=r"403|404"):
        eve.call("/user/dora/api/contents")
