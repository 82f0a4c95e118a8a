"""The studio in Voilà, as docs/hub/museum shows it to visitors."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

pytest.importorskip("voila")
websocket = pytest.importorskip("websocket")
from classroom import free_port, until  # noqa: E402

MUSEUM = Path(__file__).parents[2] / "docs" / "hub" / "museum"
pytestmark = pytest.mark.slow


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The page, with its settings, but for kernels that end after seconds without a visitor."""
    shutil.copytree(MUSEUM, tmp_path / "museum")
    (tmp_path / "kernels").mkdir()
    port = free_port()
    command = [sys.executable, "-m", "voila", "studio.ipynb", f"--port={port}", "--no-browser"]
    command += [
        "--MappingKernelManager.cull_idle_timeout=15",
        "--MappingKernelManager.cull_interval=1",
    ]
    process = subprocess.Popen(
        command,
        cwd=tmp_path / "museum",
        env=os.environ | {"TMPDIR": str(tmp_path / "kernels")},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def test_a_visitor_uploads_a_large_photo_and_leaves_nothing_behind(
    address: str, tmp_path: Path
) -> None:
    page = ""

    def shown() -> bool:
        nonlocal page
        try:
            page = urlopen(f"http://{address}/", timeout=300).read().decode()
        except OSError:
            time.sleep(1)
        return bool(page)

    until(shown)
    assert "from stylelib" not in page  # no code in sight
    found = re.search(r'"kernelId": "([^"]+)"', page)
    assert found
    place = tmp_path / "kernels"
    folders = [path for path in place.glob("tmp*") if path.is_dir()]
    assert folders, "the visitor's own folder"
    socket = websocket.create_connection(f"ws://{address}/api/kernels/{found[1]}/channels")
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "comm_msg", "session": "visitor"}
    header |= {"username": "", "version": "5.3"}
    content = {"comm_id": "none", "data": {"photo": "x" * 12_000_000}}
    message = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell"}
    socket.send(json.dumps(message | {"content": content}))
    socket.settimeout(120)
    assert json.loads(socket.recv())["content"], "a message over 10 MB closes no connection"
    until(lambda: not any(path.exists() for path in folders))
    socket.close()
