"""Painters of one computer share its cores: the arithmetic, the folder, and real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import psutil
import pytest
import torch

from stylelib.engine import sharing
from stylelib.engine.sharing import AT_WORK, Painters, Share, cores


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Eight cores, of which PyTorch uses all by default; nothing chosen by the user."""
    for name in sharing.CHOSEN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sharing, "cores", lambda: 8)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    before = torch.get_num_threads()
    torch.set_num_threads(8)
    yield
    torch.set_num_threads(before)


class Crowd(Painters):
    """So many painters at work."""

    many = 1

    def count(self) -> int:
        return self.many


def threads_among(crowd: Crowd, many: int) -> int:
    crowd.many = many
    share = Share(crowd)
    share.take()
    found = torch.get_num_threads()
    share.rest()
    return found


def test_cores_over_painters_and_at_least_one(eight: None, tmp_path: Path) -> None:
    crowd = Crowd(tmp_path)
    found = [threads_among(crowd, many) for many in (1, 2, 3, 4, 8, 30)]
    assert found == [8, 4, 2, 2, 1, 1]
    assert torch.get_num_threads() == 8  # afterwards it is as before


def test_who_comes_and_goes_is_noticed_while_painting(
    eight: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd, clock = Crowd(tmp_path), [100.0]
    monkeypatch.setattr(sharing, "monotonic", lambda: clock[0])
    share = Share(crowd)
    found = []
    for crowd.many in (1, 4, 2):
        share.take()
        found.append(torch.get_num_threads())
        clock[0] += 0.4  # steps follow each other fast: it looks once a second
    share.take()
    assert [*found, torch.get_num_threads()] == [8, 8, 8, 4]
    share.rest()


def test_a_number_that_the_user_sets_is_left(
    eight: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(tmp_path)
    torch.set_num_threads(5)  # before painting
    assert threads_among(crowd, 4) == 5 == torch.get_num_threads()
    torch.set_num_threads(8)
    share = Share(crowd)
    crowd.many = 2
    share.take()
    torch.set_num_threads(3)  # while painting
    share.take()
    share.rest()
    assert torch.get_num_threads() == 3
    torch.set_num_threads(8)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert threads_among(crowd, 4) == 8


def test_a_quota_counts_as_cores(tmp_path: Path) -> None:
    group = tmp_path / "sys/fs/cgroup/class"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/class\n")
    mount = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    (tmp_path / "proc/self/mountinfo").write_text(mount)
    own = cores(tmp_path)
    assert own >= 1
    for text, wanted in (("max 100000", own), ("100000 100000", 1), ("50000 100000", 1)):
        (group / "cpu.max").write_text(text)
        assert cores(tmp_path) == wanted
    (group / "cpu.max").write_text("nonsense")
    assert cores(tmp_path) == own


SLEEPER = (
    "import sys, time; from pathlib import Path; from stylelib.engine.sharing import Painters; "
    "Painters(Path(sys.argv[1])).enter(); print('in', flush=True); time.sleep(60)"
)


def test_painters_find_each_other_and_the_dead_do_not_count(tmp_path: Path) -> None:
    painters = Painters(tmp_path / "painters")
    assert painters.count() == 1  # there is no folder yet
    painters.enter()
    assert painters.count() == 1
    command = [sys.executable, "-c", SLEEPER, str(painters.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline()
        assert painters.count() == 2
        (file,) = [path for path in painters.folder.iterdir() if f"-{other.pid}-" in path.name]
        assert file.stat().st_size == 0 and file.name.count("-") == 2
        old = time.time() - AT_WORK - 1
        os.utime(file, (old, old))
        assert painters.count() == 1  # it rests
        os.utime(file)
        other.kill()
        other.wait()
    assert painters.count() == 1 and not file.exists()  # it crashed, and left its file behind
    painters.leave()
    assert not list(painters.folder.iterdir())


def test_a_number_that_another_process_has_by_now_is_not_a_painter(tmp_path: Path) -> None:
    painters = Painters(tmp_path)
    painters.enter()
    (own,) = tmp_path.iterdir()
    namespace, number, began = own.name.split("-")
    parent = psutil.Process().ppid()
    for name in (f"{namespace}-{parent}-{int(began) - 9999}", f"1-{number}-{began}", "notes.txt"):
        (tmp_path / name).touch()
    assert painters.count() == 1
    assert {path.name for path in tmp_path.iterdir()} == {own.name, f"1-{number}-{began}",
                                                          "notes.txt"}  # fmt: skip


def test_a_fork_does_not_leave_for_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painters = Painters(tmp_path)
    painters.enter()
    with monkeypatch.context() as fork:
        fork.setattr(os, "getpid", lambda: 1)
        copy(painters).leave()
    assert len(list(tmp_path.iterdir())) == 1
    painters.leave()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_link_in_the_folders_place_is_not_followed(tmp_path: Path) -> None:
    """It could lead to a folder of one's own, which all users could then write to."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (tmp_path / "painters").symlink_to(home)
    painters = Painters(tmp_path / "painters")
    painters.enter()
    assert painters.count() == 1
    assert home.stat().st_mode & 0o777 == 0o700 and not list(home.iterdir())


def test_where_nothing_can_be_written_it_paints_all_the_same(eight: None, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    share = Share(Painters(tmp_path / "file" / "painters"))
    share.take()
    assert torch.get_num_threads() == 8
    share.rest()
