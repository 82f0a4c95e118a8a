"""What stands in several places agrees, and what is shipped is complete."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from stylelib import SAMPLES
from stylelib.cli import server
from stylelib.pictures.samples import NETWORKS

PROJECT = Path(__file__).resolve().parent.parent
# Needed on Windows or macOS only.
ELSEWHERE = {"appnope", "colorama", "pywinpty"}
# What conda-forge calls a package that has another name on PyPI.
CONDA_NAMES = {"pytorch": "torch"}


def read(name: str) -> str:
    """A text file of the project."""
    return (PROJECT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The table [project] of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]
    return table


@pytest.fixture(scope="module")
def needed(project: dict[str, Any]) -> dict[str, Requirement]:
    """What stylelib asks for, with the extra for the tests, by name."""
    asked = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return {Requirement(line).name: Requirement(line) for line in asked}


# -------------------------------------------------------------- one set of versions


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    """The versions of constraints.txt, by name."""
    lines = [line for line in read("constraints.txt").splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def test_the_class_versions_are_ones_that_stylelib_allows(
    needed: dict[str, Requirement], pins: dict[str, str]
) -> None:
    for name, requirement in needed.items():
        assert requirement.specifier.contains(pins[name]), name


def test_the_class_versions_install_on_every_python_that_stylelib_runs_on(
    pins: dict[str, str],
) -> None:
    for name, version in pins.items():
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            assert name in ELSEWHERE, name
            continue
        assert distribution.version.split("+")[0] == version, name
        pythons = SpecifierSet(distribution.metadata.get("Requires-Python", ""))
        for python in ("3.11.0", "3.12.0", "3.13.0", "3.14.0", "3.14.2"):
            assert pythons.contains(python), (name, python)


SYSTEMS = {
    "Linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macOS": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "Windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
# The graphics cards' libraries, which PyTorch for Linux asks for itself, each in one version.
CHOSEN_BY_TORCH = re.compile(r"nvidia-|cuda-|triton$")


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_class_versions_are_all_that_is_installed(
    pins: dict[str, str], system: str, python: str
) -> None:
    """What stylelib needs, what that needs, and so on: each has its version written down."""
    where = SYSTEMS[system] | {"python_version": python, "python_full_version": f"{python}.2"}
    where |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    where |= {"platform_machine": "arm64" if system == "macOS" else "x86_64"}
    seen: set[tuple[str, str]] = set()
    left = [("stylelib", extra) for extra in ("", "test")]
    while left:
        name, extra = left.pop()
        if (name, extra) in seen or CHOSEN_BY_TORCH.match(name):
            continue
        seen.add((name, extra))
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # on other systems only: what it needs can't be looked up here
        for requirement in map(Requirement, lines):
            if not requirement.marker or requirement.marker.evaluate(where | {"extra": extra}):
                needed = canonicalize_name(requirement.name)
                left += [(needed, extra) for extra in ("", *requirement.extras)]
    assert len(seen) > 100
    assert {name for name, _ in seen if not CHOSEN_BY_TORCH.match(name)} - {"stylelib"} <= set(pins)


def test_conda_gets_the_same(needed: dict[str, Requirement], project: dict[str, Any]) -> None:
    environment = yaml.safe_load(read("environment.yml"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    *packages, pip = environment["dependencies"]
    assert pip == {"pip": ["-e .[test]"]}
    python, *others = [re.split(r"(?=[=<>])", package, maxsplit=1) for package in packages]
    assert python[0] == "python" and re.fullmatch(r"=3\.\d+", python[1])
    assert SpecifierSet(project["requires-python"]).contains(python[1].lstrip("="))
    assert others.pop(0) == ["pip"]
    for name, versions in others:
        assert SpecifierSet(versions) == needed[CONDA_NAMES.get(name, name)].specifier


def test_binder_gets_the_same(project: dict[str, Any]) -> None:
    assert {"-c ../constraints.txt", "."} <= set(read("binder/requirements.txt").splitlines())
    name, version = read("binder/runtime.txt").strip().split("-")
    assert name == "python" and SpecifierSet(project["requires-python"]).contains(version)


# ------------------------------------------------------------------- the README's commands


def commands(kind: str) -> list[str]:
    """The commands of one shell in the README."""
    blocks = re.findall(rf"^```{kind}\n(.*?)^```", read("README.md"), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def test_the_readme_sets_up_in_one_line_for_each_system() -> None:
    install = ".venv/bin/pip install -c constraints.txt -e ."
    opens = f"python3 -m venv .venv && {install} && .venv/bin/stylelib lab"
    tests = opens.replace("-e .", '-e ".[test]"').replace("stylelib lab", "pytest")
    assert {opens, tests} <= set(commands("sh"))
    for line in (opens, tests):
        line = line.replace("python3", "py").replace(" &&", ";").replace("/bin/", "\\Scripts\\")
        assert line in commands("powershell")


def test_ci_does_what_the_readme_says() -> None:
    ran = [line for line in read(".ci/run").splitlines() if line and not line.startswith("#")]
    tests = next(line for line in commands("sh") if line.endswith("/pytest"))
    assert [line for line in ran if line in tests.split(" && ")] == tests.split(" && ")
    checks = ["ruff check .", "ruff format --check .", "mypy", "lint-imports"]
    for check in (*checks, "python docs/build.py", "pytest -m browser"):
        assert f".venv/bin/{check}" in ran


def test_the_readmes_stylelib_commands_are_understood() -> None:
    from stylelib.cli.options import make_parser

    lines = [line.split("stylelib ", 1)[1] for line in commands("sh") if "bin/stylelib " in line]
    assert "paint camel hokusai-great-wave --output prettier-camel.png" in lines
    for line in lines:
        make_parser().parse_args(line.split())


def test_the_tinkerers_example_runs(monkeypatch: Any, tmp_path: Path) -> None:
    page = read("docs/tinkerers.md")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    small = code.replace("size=256", "size=64").replace("range(200)", "range(2)")
    assert "size=64" in small and "range(2)" in small
    exec(compile(small, "tinkerers.md", "exec"), {})
    assert list(tmp_path.glob("*.png"))


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", read("README.md"))
    for link in links:
        assert link.startswith("https://") or (PROJECT / link).exists(), link
    lessons = [path.name for path in sorted((PROJECT / "notebooks").glob("*.ipynb"))]
    assert lessons == [Path(link).name for link in links if link.endswith(".ipynb")]


# ----------------------------------------------------------------------- what is shipped


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, as it would be published."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=PROJECT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("stylelib-*.whl")
    return built


def test_a_wheel_has_all_of_the_package(wheel: Path) -> None:
    """A name in .gitignore can leave a folder out of it."""
    files = [path for path in (PROJECT / "stylelib").rglob("*") if path.is_file()]
    names = {path.relative_to(PROJECT).as_posix() for path in files if path.name[0] != "."}
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in names if "__pycache__" not in name} <= set(archive.namelist())


def test_a_wheel_has_the_samples_and_their_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    folder = "stylelib/pictures/samples"
    wanted = {"stylelib/py.typed", "stylelib/cli/__init__.py", f"{folder}/CREDITS.md"}
    wanted |= {"stylelib/studio/mask.js", "stylelib/studio/mask.css", "stylelib/__init__.pyi"}
    for sample in SAMPLES:
        wanted |= {f"{folder}/{sample}.jpg", f"{folder}/{sample}.jpg.license"}
    for network in NETWORKS:
        wanted |= {f"{folder}/{network}", f"{folder}/{network}.license"}
    assert wanted <= names
    own = f"{wheel.stem[:14]}.data/data/etc/jupyter/jupyter_server_config.d/stylelib.json"
    assert own in names
    rest = {name.split("/")[0] for name in names - {own}}
    assert rest == {"stylelib", wheel.stem[:14] + ".dist-info"}
    assert not [name for name in names if "answers" in name], "students install it"


def test_a_wheel_alone_brings_the_lessons(wheel: Path, tmp_path: Path) -> None:
    """Installed, it knows nothing of the folder that it was built in."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-m", "stylelib", "lessons", "mine"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=True,
    )
    mine = {path.name for path in (tmp_path / "mine").glob("*.ipynb")}
    assert done.stdout == f"{len(mine)} notebooks were copied to mine.\n"
    assert mine == {path.name for path in (PROJECT / "notebooks").glob("*.ipynb")}
    shipped = tmp_path / "installed" / "stylelib" / "shipped" / "constraints.txt"
    assert shipped.read_text() == read("constraints.txt")


def test_every_server_takes_as_large_photos_as_stylelib_lab() -> None:
    """The servers themselves are tried in tests/hub."""
    switched_on = json.loads(read("etc/jupyter/jupyter_server_config.d/stylelib.json"))
    assert switched_on == {"ServerApp": {"jpserver_extensions": {server.__name__: True}}}
    museum = json.loads(read("docs/hub/museum/voila.json"))
    assert museum["Voila"]["tornado_settings"] == server.SETTINGS
