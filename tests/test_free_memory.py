"""How much memory is free, by every limit; and that what is kept is given back."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fresh import KEEP, python

from stylelib.memory import free_memory, give_back, group_folders, keep_memory, memory_limits

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits")


# What is free: Linux's control groups, of made-up computers


def write(root: Path, files: dict[str, Any]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


V2 = {
    "proc/self/cgroup": "0::/room/laptop",
    "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw",
    "sys/fs/cgroup/room/memory.max": 5000,
    "sys/fs/cgroup/room/memory.high": "max",
    "sys/fs/cgroup/room/memory.current": 4200,
    "sys/fs/cgroup/room/memory.stat": "anon 7\ninactive_file 100\nactive_file 9",
    "sys/fs/cgroup/room/laptop/memory.max": "max",
    "sys/fs/cgroup/room/laptop/memory.current": 10,
    "sys/fs/cgroup/room/laptop/memory.stat": "anon 0",
}
HIGH = {"sys/fs/cgroup/room/laptop/memory.high": 310}
V1 = {
    "proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/docker/abc/inner\n0::/",
    # A container that sees its own part alone.
    "proc/self/mountinfo": "29 23 0:25 /docker/abc /sys/fs/cgroup/cpu ro - cgroup c rw,cpu\n"
    "31 23 0:27 /docker/abc /sys/fs/cgroup/memory ro - cgroup c rw,memory",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": 9000,
    "sys/fs/cgroup/memory/memory.usage_in_bytes": 6000,
    "sys/fs/cgroup/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 500",
    "sys/fs/cgroup/memory/inner/memory.limit_in_bytes": 2**63 - 4096,
    "sys/fs/cgroup/memory/inner/memory.usage_in_bytes": 1,
    "sys/fs/cgroup/memory/inner/memory.stat": "",
}
ELSEWHERE = {"proc/self/cgroup": "4:memory:/somewhere/else"}


@pytest.mark.parametrize(
    ("files", "free"),
    [
        (V2, 900),  # 5000 - 4200 + 100, of the group above
        (V2 | HIGH, 300),  # 310 - 10, of its own
        (V2 | {"proc/self/cgroup": "0::/"}, None),
        (V1, 3500),  # 9000 - 6000 + 500, of the container
        (V1 | ELSEWHERE, 3500),
    ],
)
def test_control_groups(tmp_path: Path, files: dict[str, Any], free: int | None) -> None:
    limits = memory_limits(write(tmp_path, files))
    assert limits.get("of the container or control group") == free


def test_no_control_groups_at_all() -> None:
    limits = memory_limits(Path("/no/such/folder"))
    assert "of the computer" in limits and "of the container or control group" not in limits


# What is free: real limits


def test_free_memory_is_that_of_the_computer_or_less() -> None:
    import psutil

    assert 0 < free_memory() <= psutil.virtual_memory().total


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group of ours, version 1 or 2, that allows 2 GB, and one in it that allows all."""
    own = next((f for f in group_folders(Path("/"), "cgroup", "memory")), None)
    name = "memory.limit_in_bytes"
    if own is None:
        own, name = next(group_folders(Path("/"), "cgroup2", ""), None), "memory.max"
    if own is None:
        pytest.skip("no control groups here")
    outer = own / f"stylelib-test-{os.getpid()}"
    try:
        (outer / "inner").mkdir(parents=True)
        (outer / name).write_text("2000000000")
    except OSError:
        for folder in (outer / "inner", outer):
            if folder.exists():
                folder.rmdir()
        pytest.skip("may not make control groups here")
    yield outer / "inner"
    (outer / "inner").rmdir()
    outer.rmdir()


@LINUX
def test_a_real_control_group_above_ours(group: Path) -> None:
    code = "from stylelib.memory import memory_limits; print(memory_limits())"
    told = python(code, limit=f"echo $$ > {group}/cgroup.procs")
    limits: dict[str, int] = eval(told)
    assert 1.8e9 < limits["of the container or control group"] < 2e9


FREE = """
import psutil
from stylelib.memory import free_memory, memory_limits
print(free_memory(), psutil.Process().memory_info().vms, *memory_limits())
"""


@LINUX
@pytest.mark.parametrize("option", ["v", "d"])
def test_a_real_limit_of_the_process(option: str) -> None:
    told = python(FREE, limit=f"ulimit -{option} 800000").split(" ", 2)
    assert f"ulimit -{option}" in told[2]
    if option == "v":
        assert int(told[0]) == pytest.approx(800_000 * 1024 - int(told[1]), abs=2e6)
    assert 0.3e9 < int(told[0]) < 0.82e9


# What is kept between steps


@LINUX
def test_memory_is_kept_until_it_is_given_back() -> None:
    told = python(KEEP + "print(pages()); keep_memory(); pages(); print(pages(), size())\n"
                         "give_back(); print(size())")  # fmt: skip
    cleared, kept, before, after = map(int, told.split())
    assert cleared > 20 * 60_000_000 / 65_536 and kept < cleared / 20
    assert before - after > 50_000_000


@LINUX
@pytest.mark.parametrize("name", ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"])
def test_who_sets_it_has_it_their_way(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1000000")
    first, again = map(int, python(KEEP + "print(pages()); keep_memory(); print(pages())").split())
    assert again > first / 2


@LINUX
def test_where_the_process_has_a_limit_none_is_kept() -> None:
    told = python(KEEP + "print(pages()); keep_memory(); print(pages())", limit="ulimit -v 8000000")
    first, again = map(int, told.split())
    assert again > first / 2


def test_other_systems_have_no_such_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stylelib.memory.ctypes.CDLL", lambda _: object())
    keep_memory()
    give_back()
