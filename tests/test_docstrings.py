"""Each example in a docstring runs, and gives what it says."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import stylelib

FOLDER = Path(stylelib.__file__).parent
MODULES = [
    module.name
    for module in pkgutil.walk_packages([str(FOLDER)], "stylelib.")
    if module.name != "stylelib.__main__"
]
WITH_EXAMPLES = [
    name
    for name in MODULES
    if ">>>" in Path(importlib.util.find_spec(name).origin).read_text(encoding="utf-8")  # type: ignore[union-attr, arg-type]
]


def test_there_are_examples() -> None:
    assert {"stylelib.core.losses", "stylelib.engine.transfer"} <= set(WITH_EXAMPLES)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # what they save goes here
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(importlib.import_module(name), optionflags=flags).failed == 0
