"""A real JupyterLab, and a page in a real browser to drive it."""

import importlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
LAPTOP = {"width": 1366, "height": 768}
PATIENCE = 120  # seconds: enough for a computer ten times slower
_SETTINGS = {
    # No questions about news, and no saving over our copies.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
}


def find_browser() -> str | None:
    """A Chromium that is installed here."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


_CELL = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell"
_COMPLAINTS = ("error", "stderr")
# What has a scrollbar; only output of `print` and code may, when it is long or wide.
_SCROLLED = """outputs => outputs.flatMap(output => [output, ...output.querySelectorAll('*')])
  .filter(e => e.clientWidth > 0 && !e.matches('pre, pre *, .jp-RenderedText')
    && ((e.scrollWidth > e.clientWidth && /auto|scroll/.test(getComputedStyle(e).overflowX))
     || (e.scrollHeight > e.clientHeight && /auto|scroll/.test(getComputedStyle(e).overflowY))))
  .map(e => `${e.className}: ${e.scrollWidth} x ${e.scrollHeight} in `
    + `${e.clientWidth} x ${e.clientHeight}`)"""
# What ends beyond the right edge of its output, where it can't be seen.
_CUT_OFF = """outputs => outputs.flatMap(output => [...output.querySelectorAll(
    'button, select, input, img, canvas, .widget-label, .widget-readout, .widget-html-content')]
  .filter(e => e.offsetWidth > 1
    && e.getBoundingClientRect().right > output.getBoundingClientRect().right + 1)
  .map(e => `${e.className} ${e.textContent.slice(0, 30)}`))"""
_PICTURE = "img.jupyter-widgets:visible, .jupyter-widgets img:visible"
# Null while a new picture is still loading: drawn then, it would be blank.
_PIXELS = """(image, [width, height]) => {
  if (!image.complete || image.naturalWidth === 0) return null;
  const canvas = document.createElement('canvas');
  canvas.width = width; canvas.height = height;
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, width, height);
  return Array.from(context.getImageData(0, 0, width, height).data);
}"""


class Lab:
    """JupyterLab as `stylelib lab` opens it, with a token and settings of its own."""

    def __init__(self, home: Path) -> None:
        self.folder, self._home = home / "notebooks", home
        self.folder.mkdir()
        for path in (ROOT / "notebooks").glob("*.ipynb"):
            notebook = nbformat.read(path, as_version=4)
            for cell in notebook.cells:  # whatever is shown was then made by this test
                if cell.cell_type == "code":
                    cell.outputs, cell.execution_count = [], None
            nbformat.write(notebook, self.folder / path.name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.token = secrets.token_hex(16)
        self.log = home / "lab.log"
        self.set_theme("JupyterLab Light")
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        own = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        environment = os.environ | {name: str(self._home / sub) for name, sub in own.items()}
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        command = [
            *(sys.executable, "-m", "stylelib", "lab", "--no-browser", "--ServerApp.ip=127.0.0.1"),
            *(f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"),
            f"--IdentityProvider.token={self.token}",
            *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        ]
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                command, cwd=self._home, stdout=log, stderr=log, env=environment
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.ask("api/status")
                return process
            except (urllib.error.URLError, ConnectionError):
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    raise RuntimeError(self.log.read_text()) from None
                time.sleep(0.2)

    def ask(self, path: str, method: str = "GET") -> Any:
        """Call the server's own interface."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/{path}",
            headers={"Authorization": f"token {self.token}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def set_theme(self, name: str) -> None:
        """Choose JupyterLab's theme for pages opened from now on."""
        for plugin, values in (_SETTINGS | {"apputils-extension/themes": {"theme": name}}).items():
            path = self._home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook with these code cells, and return its name."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
        )
        nbformat.write(notebook, self.folder / name)
        return name

    def rewrite(self, name: str, changes: dict[str, str]) -> str:
        """Copy a lesson with some of its text replaced, and return the copy's name."""
        notebook = nbformat.read(self.folder / name, as_version=4)
        for old, new in changes.items():
            assert any(old in cell.source for cell in notebook.cells), old
            for cell in notebook.cells:
                cell.source = cell.source.replace(old, new)
        nbformat.write(notebook, self.folder / f"copy-{name}")
        return f"copy-{name}"

    def end_kernels(self) -> None:
        """Shut every kernel down."""
        for session in self.ask("api/sessions"):
            self.ask(f"api/sessions/{session['id']}", "DELETE")

    def stop(self) -> None:
        """Stop the server and its kernels."""
        self.end_kernels()
        self._process.terminate()
        self._process.wait(PATIENCE)

    def complaints(self) -> list[str]:
        """The errors in the log."""
        text = self.log.read_text(errors="replace")
        # Jupyter's own, when a kernel is ended under an open page.
        text = re.sub(
            r"[^\n]*Traceback(?:(?!Traceback).)*?operation on non-socket", "", text, flags=re.S
        )
        return [line for line in text.splitlines() if re.search(r"Traceback|\[E |rror:", line)]


def barriers(page: Any, *parts: str) -> list[str]:
    """What axe-core finds serious or critical in those parts of a page, with an example of each."""
    axe = importlib.import_module("axe_playwright_python.sync_playwright").Axe()
    options = {"resultTypes": ["violations"]}
    found = axe.run(page, context=[[part] for part in parts], options=options).response
    return [
        f"{one['id']}: {one['help']} ({len(one['nodes'])} times): {one['nodes'][0]['html'][:200]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


class Page:
    """A notebook open in the browser."""

    def __init__(self, page: Any, lab: Lab, shots: Path | None = None) -> None:
        self.page, self.lab, self._shots = page, lab, shots
        self.errors: list[str] = []
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        # Missing source maps and the like are reported as failed loads; those are not ours.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def open(self, name: str) -> "Page":
        """Open a notebook, and wait for its kernel."""
        url = f"http://127.0.0.1:{self.lab.port}/lab/tree/{name}"
        self.page.goto(f"{url}?token={self.lab.token}&reset")
        self.page.wait_for_selector(_CELL)
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        # Before that, JupyterLab would ask which kernel to use.
        self.until(lambda: self.idle, "the kernel is ready")
        return self

    @property
    def idle(self) -> bool:
        """Whether the status bar says that the kernel is idle."""
        bar = self.page.query_selector("#jp-main-statusbar")
        return bar is not None and "| Idle" in bar.inner_text()

    def run_all(self) -> "Page":
        """Run all cells and wait for the last one. No cell may raise or warn."""
        self.page.click("text=Run >> nth=0")
        self.page.click("text=Run All Cells >> nth=0")
        prompts = self.page.locator(f"{_CELL}.jp-CodeCell .jp-InputArea-prompt")

        def through() -> bool:
            self.check_outputs()
            # Each has a number; a waiting cell has none yet, or a star. Not the inner text:
            # JupyterLab omits that for cells out of view.
            return all(re.search(r"\d", prompt) for prompt in prompts.all_text_contents())

        self.until(through, "all cells have run", 3 * PATIENCE)
        self.until(lambda: self.idle, "the kernel is idle")
        return self

    def check_outputs(self) -> None:
        """No cell may show an error or have written to stderr."""
        kinds = (f"{_CELL} [data-mime-type='application/vnd.jupyter.{k}']" for k in _COMPLAINTS)
        seen = self.page.locator(", ".join(kinds)).all_text_contents()
        assert seen == []

    def until(self, true: Callable[[], Any], what: str, timeout: float = PATIENCE) -> Any:
        """Wait until something is true."""
        deadline = time.monotonic() + timeout
        while True:
            value = true()
            if value:
                return value
            if time.monotonic() > deadline:
                self.shot("failed")
                raise AssertionError(f"waited {timeout} s in vain: {what}")
            self.page.wait_for_timeout(50)

    def misfits(self, within: Any) -> list[str]:
        """What has a scrollbar, or ends beyond the edge, in the outputs there."""
        outputs = within.locator(".jp-OutputArea-output")
        scrolled: list[str] = outputs.evaluate_all(_SCROLLED)
        cut_off: list[str] = outputs.evaluate_all(_CUT_OFF)
        return scrolled + cut_off

    def shot(self, name: str) -> None:
        """Keep a screenshot, if that was asked for."""
        if self._shots is not None:
            self.page.screenshot(path=self._shots / f"{name}.png")

    def cell(self, index: int) -> Any:
        """A cell of the notebook, numbered as in its file."""
        return self.page.locator(_CELL).nth(index)

    def text(self, pattern: str) -> str:
        """The text matching `pattern` in the cells in or near the viewport, or an empty string."""
        found = re.search(pattern, self.page.locator(".jp-Notebook").inner_text())
        return found.group() if found else ""

    def button(self, name: str) -> Any:
        """The first visible button of that name."""
        return self.buttons(name).first

    def buttons(self, name: str) -> Any:
        """All visible buttons of that name."""
        exact = re.compile(rf"^\s*{re.escape(name)}\s*$")
        return self.page.locator("button.jupyter-button:visible", has_text=exact)

    def press(self, name: str) -> None:
        """Press a button."""
        self.button(name).click()

    def slider(self, label: str) -> Any:
        """A slider's handle, and the number beside it."""
        row = self.page.locator(".widget-slider:visible", has_text=label).first
        return row.locator(".noUi-handle"), row.locator(".widget-readout")

    def pixels(self, within: Any = None, size: tuple[int, int] = (16, 9)) -> list[int]:
        """The pixels of the first widget picture there, scaled down."""
        image = (within or self.page).locator(_PICTURE).first
        values: list[int] = self.until(
            lambda: image.evaluate(_PIXELS, list(size)), "the picture is there"
        )
        assert len(set(values)) > 5, "the picture is blank"
        return values

    def settled(self) -> list[int]:
        """The picture's pixels once it has stopped changing.

        When the panel says "Paused", the last picture may not have arrived yet; its
        caption comes after it.
        """
        steps = [r"(?:Paused|Stopped|Done)\b.*step (\d+) of", r"\bStep (\d+) of"]

        def arrived() -> bool:
            shown = self.page.locator(".jp-Notebook").inner_text()
            said, drawn = (re.search(step, shown) for step in steps)
            return said is not None and drawn is not None and said.group(1) == drawn.group(1)

        self.until(arrived, "the caption has the last step's number")
        looks: list[list[int]] = [[], self.pixels()]

        def still() -> bool:
            self.page.wait_for_timeout(300)
            looks.append(self.pixels())
            return looks[-1] == looks[-2] == looks[-3]

        self.until(still, "the picture no longer changes")
        return looks[-1]
