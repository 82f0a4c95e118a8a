"""The studio in Jupyter Notebook 7, and as a web page that Voilà serves."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from .lab import LAPTOP, PATIENCE, ROOT, Lab, Page

pytestmark = pytest.mark.browser
STUDIO = "from stylelib.studio import Studio\nStudio(size=96, steps=60)"
Serve = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def serve(lab: Lab, tmp_path: Path) -> Iterator[Serve]:
    """Start another Jupyter server in the lessons' folder; yields its address."""

    @contextmanager
    def started(module: str, *options: str) -> Iterator[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        own = {name: str(tmp_path) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        log = tmp_path / "server.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", module, "--no-browser", f"--port={port}", *options],
                cwd=lab.folder,
                env=os.environ | own | {"PYTHONPATH": path},
                stdout=file,
                stderr=file,
            )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address, process, log)
            yield address
            assert "Traceback" not in log.read_text(errors="replace")
        finally:
            process.terminate()
            process.wait(PATIENCE)

    yield started


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            urllib.request.urlopen(address, timeout=PATIENCE).close()
            return
        except urllib.error.HTTPError:
            return  # it is running, and wants a token
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(errors="replace")) from None
            time.sleep(0.2)


def paint(page: Page, text: Callable[[], str]) -> None:
    """Paint to the end, and check that the picture has changed and that a slider moves."""
    page.until(page.buttons("Paint").count, "the studio is there", 3 * PATIENCE)
    photo = page.pixels()
    page.press("Paint")
    page.until(lambda: "Done: step 60 of 60" in text() or page.pixels() != photo, "it paints")
    page.until(lambda: "Done: step 60 of 60" in text(), "it is done")
    page.until(lambda: page.pixels() != photo, "the picture has changed")
    handle, readout = page.slider("likeness")
    before = readout.inner_text()
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    page.page.mouse.move(x + 40, y, steps=5)
    page.page.mouse.up()
    page.until(lambda: readout.inner_text() != before, "a slider moves")


def test_in_notebook_7(browser: Any, lab: Lab, serve: Serve) -> None:
    pytest.importorskip("notebook")
    name = lab.write("studio-in-notebook.ipynb", STUDIO)
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    token = "--IdentityProvider.token=secret"
    with serve("notebook", "--ServerApp.ip=127.0.0.1", token, *root) as address:
        page = Page(browser.new_page(viewport=LAPTOP), lab, shots())
        page.page.goto(f"{address}/notebooks/{name}?token=secret")
        page.page.wait_for_selector(".jp-CodeCell")
        rests = page.page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']")
        page.until(rests.count, "the kernel is ready")
        page.errors.clear()  # Notebook's own, from before anything of ours is there
        page.until(lambda: run_first(page), "the cell runs")
        paint(page, lambda: page.page.locator(".jp-Notebook").inner_text())
        page.shot("notebook-7")
        page.check_outputs()
        assert page.errors == []
        page.page.close()


def run_first(page: Page) -> bool:
    """Run the first cell; a kernel that has only just started may miss the first request."""
    cell = page.page.locator(".jp-CodeCell").first
    if re.search(r"[\d*]", cell.locator(".jp-InputArea-prompt").text_content()):
        return True
    cell.locator(".cm-content").click()
    page.page.keyboard.press("Control+Enter")
    page.page.wait_for_timeout(2000)
    return False


def test_as_a_web_page(browser: Any, lab: Lab, serve: Serve) -> None:
    pytest.importorskip("voila")
    name = lab.write("studio-as-page.ipynb", STUDIO)
    with serve("voila", name) as address:
        page = Page(browser.new_page(viewport=LAPTOP), lab, shots())
        page.page.goto(address)
        body = page.page.locator("body")
        paint(page, body.inner_text)
        page.shot("voila")
        assert "from stylelib" not in body.inner_text()  # no code is shown
        # Voilà's own page logs an error about a JupyterLab extension that it doesn't use.
        assert [error for error in page.errors if "voila.js" not in error] == []
        page.page.close()


def shots() -> Path | None:
    """Where to keep screenshots, if that was asked for."""
    folder = os.environ.get("STYLELIB_SHOTS")
    return Path(folder) if folder else None
