"""A real JupyterLab, and a page in a real browser that drives it."""

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
_SETTINGS = {
    # What a student would not see either: questions about news, and saving over our copy.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
}


def find_browser() -> str | None:
    """A Chromium that is installed here."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


class Lab:
    """JupyterLab as `stylelib lab` opens it, with a token and settings of its own."""

    def __init__(self, home: Path) -> None:
        self.folder, self._home = home / "notebooks", home
        self.folder.mkdir()
        for path in (ROOT / "notebooks").glob("*.ipynb"):
            shutil.copy(path, self.folder)
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
        deadline = time.monotonic() + 60
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
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def set_theme(self, name: str) -> None:
        """Choose JupyterLab's theme for pages opened from now on."""
        for plugin, values in (_SETTINGS | {"apputils-extension/themes": {"theme": name}}).items():
            path = self._home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook of these code cells, and return its name."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
        )
        nbformat.write(notebook, self.folder / name)
        return name

    def end_kernels(self) -> None:
        """Shut every kernel down."""
        for session in self.ask("api/sessions"):
            self.ask(f"api/sessions/{session['id']}", "DELETE")

    def stop(self) -> None:
        """End it, and its kernels with it."""
        self.end_kernels()
        self._process.terminate()
        self._process.wait(20)

    def complaints(self) -> list[str]:
        """What the log says went wrong."""
        text = self.log.read_text(errors="replace")
        return [line for line in text.splitlines() if re.search(r"Traceback|\[E |rror:", line)]


class Page:
    """A notebook open in the browser."""

    def __init__(self, page: Any, lab: Lab, shots: Path | None = None) -> None:
        self.page, self.lab, self._shots = page, lab, shots
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        # Missing source maps and the like are told as failed loads; those are not ours.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def open(self, name: str) -> "Page":
        """Open a notebook, with the file browser closed as on a small screen."""
        url = f"http://127.0.0.1:{self.lab.port}/lab/tree/{name}"
        self.page.goto(f"{url}?token={self.lab.token}&reset")
        cell = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell"
        self.page.wait_for_selector(cell, timeout=60_000)
        self.page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=60_000)
        # Before that, JupyterLab would ask which kernel to take.
        self.until(lambda: self.idle, "the kernel is ready", 60)
        return self

    @property
    def idle(self) -> bool:
        """Whether the status bar says that the kernel is there, and waits."""
        bar = self.page.query_selector("#jp-main-statusbar")
        return bar is not None and "| Idle" in bar.inner_text()

    def run_all(self, timeout: float = 120) -> "Page":
        """Run all cells, and wait for the last."""
        self.page.click("text=Run >> nth=0")
        self.page.click("text=Run All Cells >> nth=0")
        self.wait_idle(timeout)
        return self

    def wait_idle(self, timeout: float = 120) -> None:
        """Wait until no cell is waiting or running."""
        waiting = ".jp-InputArea-prompt:has-text('[*]')"
        self.page.wait_for_timeout(500)
        self.until(
            lambda: self.idle and not self.page.query_selector_all(waiting),
            "all cells have run",
            timeout,
        )

    def until(self, true: Callable[[], Any], what: str, timeout: float = 20) -> Any:
        """Wait until something is so."""
        deadline = time.monotonic() + timeout
        while True:
            value = true()
            if value:
                return value
            if time.monotonic() > deadline:
                self.shot("failed")
                raise AssertionError(f"waited {timeout} s in vain until {what}")
            self.page.wait_for_timeout(50)

    def shot(self, name: str) -> None:
        """Keep a picture of the page, if that is asked for."""
        if self._shots is not None:
            self.page.screenshot(path=self._shots / f"{name}.png")

    def button(self, name: str) -> Any:
        """The visible button of that name."""
        exact = re.compile(rf"^\s*{re.escape(name)}\s*$")
        return self.page.locator("button.jupyter-button:visible", has_text=exact).first

    def press(self, name: str) -> None:
        """Press a button."""
        self.button(name).click()
