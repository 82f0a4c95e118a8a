"""Painting on a Dask cluster: a real scheduler and real workers, which are killed."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image

from stylelib import Recipe, StylelibError
from stylelib.batch.painting import Painted, carry_out
from stylelib.batch.plan import Wish, plan
from stylelib.batch.workers import on_cluster

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

NETWORK = "hokusai-great-wave.pt"
COUNT = 200
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Start]:
    """Start ``dask`` with arguments; it ends with the test."""
    with ExitStack() as running:

        def start(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "dask", *arguments]
            settings = os.environ | {"OMP_NUM_THREADS": "1"} | environment
            with (tmp_path / f"{time.monotonic_ns()}.log").open("wb") as log:
                process = subprocess.Popen(
                    command, cwd=tmp_path, env=settings, stdout=log, stderr=log
                )
            running.callback(process.wait)
            running.callback(process.kill)
            return process

        yield start


@pytest.fixture
def address() -> str:
    """An address on this computer that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


def scheduler(start: Start, address: str) -> subprocess.Popen[bytes]:
    port = address.rsplit(":", 1)[1]
    return start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")


def worker(start: Start, address: str, **environment: str) -> subprocess.Popen[bytes]:
    options = ["--nthreads", "2", "--no-dashboard", "--death-timeout", "120", "--no-nanny"]
    return start("worker", address, "--host", "127.0.0.1", *options, **environment)


def run(
    folder: Path, address: str, count: int, at: dict[int, Callable[[], object]] | None = None
) -> list[Painted]:
    """Paint small pictures, and do something after a number of them."""
    photos = folder / "photos"
    photos.mkdir()
    for number in range(count):
        Image.effect_noise((64, 64), 50).convert("RGB").save(photos / f"{number:03}.png")
    orders = plan([str(photos)], [NETWORK], folder / "out", Wish(Recipe(size=64, steps=1)))
    painted = []
    for _, one in carry_out(orders, lambda tasks: on_cluster(tasks, address)):
        painted.append(one)
        (at or {}).get(len(painted), lambda: None)()
    return painted


def check(painted: list[Painted], folder: Path, count: int) -> None:
    assert [one.error for one in painted] == [None] * count
    assert len({one.place for one in painted}) == count  # none was painted twice
    assert len(list((folder / "out").iterdir())) == count


def test_nothing_is_lost_when_a_worker_and_then_the_scheduler_die(
    dask: Start, address: str, tmp_path: Path
) -> None:
    first = scheduler(dask, address)
    workers = [worker(dask, address), worker(dask, address)]

    def restart() -> None:
        first.kill()
        first.wait()
        scheduler(dask, address)
        worker(dask, address)

    painted = run(tmp_path, address, COUNT, {COUNT // 4: workers[0].kill, COUNT // 2: restart})
    check(painted, tmp_path, COUNT)


def test_a_worker_that_cannot_paint_is_left_out(dask: Start, address: str, tmp_path: Path) -> None:
    """It has another `stylelib` before ours on its path, in which no network can be loaded."""
    (tmp_path / "sitecustomize.py").write_text(
        "import stylelib.feedforward.network as network\n"
        "from stylelib import StylelibError\n"
        "def load(path):\n"
        "    raise StylelibError('The weights are missing.')\n"
        "network.FeedForward.load = staticmethod(load)\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    scheduler(dask, address)
    worker(dask, address, PYTHONPATH=path)
    worker(dask, address, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    time.sleep(15)  # both are there
    painted = run(tmp_path, address, 12)
    check(painted, tmp_path, 12)


def test_a_scheduler_that_does_not_answer_is_told(address: str, tmp_path: Path) -> None:
    import dask

    soon = dask.config.set({"distributed.comm.timeouts.connect": "2s"})
    with soon, pytest.raises(StylelibError, match="does not answer"):
        run(tmp_path, address, 1)
