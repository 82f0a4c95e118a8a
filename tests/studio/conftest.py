"""A studio works in the current folder: here, in an empty one."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a temporary folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
