"""A real JupyterHub on this computer's loopback, and students who work on it.

``python tests/hub/classroom.py measure 4`` runs lesson 00 for 4 students at the same time, and says
what it takes; ``... day 30`` lets 30 paint and hand in lesson 03. jupyterhub and
configurable-http-proxy have to be installed.
"""

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import requests
import websocket

PROJECT = Path(__file__).resolve().parents[2]
RECIPE = PROJECT / "docs" / "hub" / "jupyterhub_config.py"
SETTINGS = PROJECT / "etc" / "jupyter"  # where an installed wheel has them, Jupyter finds them
BARE = "bare"  # this student's server goes without them
PATIENCE = 900  # seconds

# The recipe, with what a test needs: nobody's real account, and nothing outside this computer.
_CONFIG = """\
exec(compile(open({recipe!r}).read(), {recipe!r}, "exec"))
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Spawner.args = [*c.Spawner.args, "--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = {patience}
c.Spawner.environment = {{
    "PYTHONPATH": {package!r},
    "HOME": lambda spawner: {homes!r} + "/" + spawner.user.name,
    "JUPYTER_CONFIG_PATH": lambda spawner: "" if spawner.user.name == {bare!r} else {settings!r},
}}
"""


class Student:
    """Somebody at a browser, who has logged in."""

    def __init__(self, address: str, name: str) -> None:
        self.name, self.address = name, address
        self._browser = requests.Session()
        page = self._browser.get(f"{address}/hub/login", timeout=60)
        token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        assert token, page.text
        form = {"username": name, "password": "x", "_xsrf": token[1]}
        answer = self._browser.post(
            f"{address}/hub/login", data=form, timeout=60, allow_redirects=False
        )
        assert answer.status_code == 302, answer.text
        xsrf = self._browser.cookies.get("_xsrf", path="/hub/")
        answer = self._browser.post(
            f"{address}/hub/api/users/{name}/tokens",
            headers={"X-XSRFToken": str(xsrf), "Referer": f"{address}/hub/"},
            json={},
            timeout=60,
        )
        self._headers = {"Authorization": f"token {answer.json()['token']}"}
        self._socket: Any = None

    def call(self, path: str, method: str = "GET", **more: Any) -> Any:
        """Call the REST API of the hub, or of the student's own server."""
        url = f"{self.address}{path}"
        answer = requests.request(method, url, headers=self._headers, timeout=PATIENCE, **more)
        answer.raise_for_status()
        return answer.json() if answer.text else None

    def start(self) -> None:
        """Start the student's server, and wait for it."""
        if not self.call(f"/hub/api/users/{self.name}")["servers"]:
            self.call(f"/hub/api/users/{self.name}/server", "POST")
        until(self._is_ready)

    def _is_ready(self) -> bool:
        server = self.call(f"/hub/api/users/{self.name}")["servers"].get("")
        assert server, "the student's server did not start: see the hub's log"
        return bool(server["ready"])

    def notebook(self, name: str) -> dict[str, Any]:
        """A lesson in the student's home."""
        path = f"/user/{self.name}/api/contents/stylelib-lessons/{name}"
        content: dict[str, Any] = self.call(path)["content"]
        return content

    def open_kernel(self) -> None:
        """Start a kernel in the folder of the lessons."""
        where = {"path": "stylelib-lessons/x.ipynb"}
        kernel = self.call(f"/user/{self.name}/api/kernels", "POST", json=where)
        self._channels = f"/user/{self.name}/api/kernels/{kernel['id']}/channels"
        self._connect()

    def _connect(self) -> None:
        """Connect to the kernel; what it said since the last connection comes first."""
        url = f"{self.address}{self._channels}?session_id={self.name}".replace("http", "ws", 1)
        self._socket = websocket.create_connection(url, header=self._headers, timeout=PATIENCE)

    def run(self, code: str, reconnect: bool = True) -> str:
        """Run a cell and return what it printed or showed as text; an error is raised."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "session": self.name}
        header |= {"username": self.name, "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell"}
        self._socket.send(json.dumps(message | {"content": content}))
        told = ""
        while True:
            try:
                got = _message(self._socket.recv())
            except websocket.WebSocketConnectionClosedException:
                if not reconnect:
                    raise
                self._connect()  # as JupyterLab does: a busy server answers late
                continue
            if (got.get("parent_header") or {}).get("msg_id") != number:
                continue
            content = got["content"]
            match got["msg_type"]:
                case "stream":
                    told += content["text"]
                case "execute_result":
                    told += content["data"]["text/plain"]
                case "error":
                    raise AssertionError("\n".join(content["traceback"]))
                case "execute_reply":
                    return told

    def run_lesson(self, name: str) -> None:
        """Open a lesson, and run it from start to end."""
        for cell in self.notebook(name)["cells"]:
            if cell["cell_type"] == "code":
                self.run("".join(cell["source"]))


def _message(data: str | bytes) -> dict[str, Any]:
    """A message of Jupyter's; one with pictures begins with how many parts it has, and where."""
    if isinstance(data, bytes):
        begin, *ends = struct.unpack_from(f">{data[3]}I", data, 4)
        data = data[begin : ends[0] if ends else None]
    found: dict[str, Any] = json.loads(data)
    return found


def until(true: Callable[[], Any]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(1)


def free_port() -> int:
    """A port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def hub(folder: Path) -> Iterator[str]:
    """Start a hub with the recipe of the documentation; its address."""
    homes = folder / "homes"
    homes.mkdir()
    port = free_port()
    config = folder / "config.py"
    config.write_text(
        _CONFIG.format(
            recipe=str(RECIPE), port=port, hub_port=free_port(), api_port=free_port(),
            homes=str(homes), package=str(PROJECT), bare=BARE, settings=str(SETTINGS),
            patience=PATIENCE,
        )
    )  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", config],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            stdout=log,
            stderr=log,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            until(lambda: _answers(f"{address}/hub/health") or process.poll() is not None)
            assert process.poll() is None, (folder / "log").read_text()
            yield address
        finally:
            family = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            process.wait(60)
            for each in family:
                if each.is_running():
                    each.kill()


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.ConnectionError:
        return False


def processes(name: str, folder: Path) -> list[psutil.Process]:
    """The processes of a student, whose home is in the folder."""
    home = str(folder / "homes" / name)
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HOME") == home:
                found.append(process)
        except psutil.Error:
            continue
    return found


def megabytes(name: str, folder: Path) -> int:
    """What a student's processes hold that they share with nobody."""
    return sum(process.memory_full_info().uss for process in processes(name, folder)) // 10**6


PAINT = """\
import stylelib
camel, wave = (stylelib.load_image(n, 64) for n in ("camel", "hokusai-great-wave"))
transfer = stylelib.Transfer(camel, wave, stylelib.Recipe(size=64, steps=5))
for step in transfer:
    pass
print(transfer.iteration, tuple(transfer.image.shape))"""
ANSWERS = ("(a * b).mean()", "(a * b).sum()", "(a + b).mean()", "(a * b).sum()")


def attend(address: str, name: str, answer: str) -> str:
    """Log in, start a server, paint a camel, and answer the first exercise of lesson 03."""
    student = Student(address, name)
    student.start()
    student.open_kernel()
    painted = student.run(PAINT)
    notebook = student.notebook("03-style.ipynb")
    cell = next(c for c in notebook["cells"] if 'check("3.1"' in "".join(c["source"]))
    cell["source"] = f"def my_correlation(a, b):\n    return {answer}"
    body = {"type": "notebook", "content": notebook}
    path = f"/user/{name}/api/contents/stylelib-lessons/03-style.ipynb"
    student.call(path, "PUT", json=body)
    for kernel in student.call(f"/user/{name}/api/kernels"):
        student.call(f"/user/{name}/api/kernels/{kernel['id']}", "DELETE")
    return painted


def hand_in(folder: Path) -> Path:
    """Collect lesson 03 from the students' homes, in a folder for each."""
    handed = folder / "lesson-03"
    for home in sorted((folder / "homes").iterdir()):
        (handed / home.name).mkdir(parents=True)
        shutil.copy(home / "stylelib-lessons" / "03-style.ipynb", handed / home.name)
    return handed


def day(count: int) -> None:
    """A class paints at the same time and hands in lesson 03, which is graded."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        names = [f"student{number:02}" for number in range(count)]
        start = time.monotonic()
        with hub(folder) as address, ThreadPoolExecutor(count) as pool:
            answers = [ANSWERS[number % len(ANSWERS)] for number in range(count)]
            painted = list(pool.map(attend, [address] * count, names, answers))
        print(f"{count} students painted, {time.monotonic() - start:.0f} s: {set(painted)}")
        command = [sys.executable, "-m", "stylelib", "grade", str(hand_in(folder))]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(PROJECT)})
        print(f"graded, {time.monotonic() - start:.0f} s")


def measure(count: int) -> None:
    """Print what a class needs that runs lesson 00 at the same time."""
    with TemporaryDirectory() as place, hub(Path(place)) as address:
        folder = Path(place)
        names = [f"student{number:02}" for number in range(count)]

        def work(name: str) -> float:
            student = Student(address, name)
            student.start()
            student.open_kernel()
            start = time.monotonic()
            student.run_lesson("00-a-prettier-camel.ipynb")
            return time.monotonic() - start

        with ThreadPoolExecutor(count) as pool:
            seconds = sorted(pool.map(work, names))
        memory = sorted(megabytes(name, folder) for name in names)
        used = [
            sum(sum(process.cpu_times()[:2]) for process in processes(name, folder))
            for name in names
        ]
        print(f"{count} students, {os.cpu_count()} cores:")
        print(f"lesson 00 took {seconds[0]:.0f} to {seconds[-1]:.0f} s by the clock")
        print(f"a student used {min(used):.0f} to {max(used):.0f} s of a core, starting included")
        print(f"and holds {memory[0]} to {memory[-1]} MB of memory alone")


if __name__ == "__main__":
    {"measure": measure, "day": day}[sys.argv[1]](int(sys.argv[2]))
