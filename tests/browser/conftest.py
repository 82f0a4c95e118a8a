"""One JupyterLab and one browser for all browser tests; a fresh page and kernel for each."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .lab import LAPTOP, Lab, Page, find_browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium or Chrome is installed here")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        # Playwright would hide the scrollbars that people see.
        browser = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox"], ignore_default_args=["--hide-scrollbars"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture
def page(
    browser: Any, lab: Lab, request: pytest.FixtureRequest
) -> Iterator[Callable[[str, str], Page]]:
    """Open a page in a theme; afterwards, neither page nor server may have logged an error.

    If STYLELIB_SHOTS is set to a folder, screenshots are kept there.
    """
    opened: list[Page] = []
    shots = os.environ.get("STYLELIB_SHOTS")
    shutil.rmtree(lab.folder / "painted", ignore_errors=True)  # the pictures of other tests
    heard = len(lab.complaints())

    def open_page(name: str, theme: str = "JupyterLab Light") -> Page:
        lab.set_theme(theme)
        tab = browser.new_page(viewport=LAPTOP)
        opened.append(Page(tab, lab, Path(shots) if shots else None))
        return opened[-1].open(name)

    yield open_page
    # Before closing: a page that is closed under a busy kernel logs errors of its own.
    errors = [error for page in opened for error in page.errors] + lab.complaints()[heard:]
    for page in opened:
        page.page.close()
    lab.end_kernels()
    assert errors == []
