"""What comes from outside is only data: never code, never a path; and nothing listens."""

import ast
import getpass
import io
import json
import os
import pickle
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from stylelib import RECIPES, FeedForward, StylelibError, cli, read_recipe
from stylelib.pictures.names import file_name
from stylelib.studio import Studio, uploads
from stylelib.studio.chooser import PictureChooser
from stylelib.studio.runs import Picture, Run

PROJECT = Path(__file__).resolve().parent.parent
QUICK: dict[str, Any] = {
    "size": 32,
    "steps": 2,
    "content_layers": {"conv1_2": 1.0},
    "style_layers": {"conv1_1": 1.0},
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder, with folders above it to break out to."""
    here = tmp_path / "a" / "b"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def studio() -> Iterator[Studio]:
    studio = Studio(**QUICK)
    yield studio
    studio.close()


def photo(width: int = 40) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, 30)).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def uploaded(name: str, data: Any) -> tuple[dict[str, Any]]:
    """What the browser sends for an upload."""
    file = {"name": name, "type": "image/png", "size": len(data), "content": data}
    return (file | {"last_modified": datetime.now()},)


# ------------------------------------------------------------------ names don't become paths

NAMES = [
    *("../../evil.png", "..\\..\\evil.png", "/etc/passwd", "C:\\evil.png", "C:evil.png"),
    *("\\\\host\\x.png", "a\0b.png", "a\nb.png", "a\rb\tc.png", "\x1b[2Jx.png", "\u202egnp.exe"),
    *("\ud800.png", "", ".", "..", "...", "/", "\\", ".png", ".hidden.png", " . ", "-", "~"),
    *("~root.png", "-rf.png", "CON", "con.png", "PRN.jpg", "aux.", "NUL.tar.gz", "COM1.png"),
    *("lpt9.png", "COM\N{SUPERSCRIPT ONE}.png", "CONIN$", "trailing.", "trailing. ."),
    *("x" * 300 + ".png", "\u9a86" * 200 + ".png", "x." + "y" * 300),
    *("\N{WOMAN}\N{ZERO WIDTH JOINER}\N{ARTIST PALETTE}" * 60, "a:b.png", 'a"b.png', "a|b?.png"),
    *("<script>.png", "$(touch x).png", "`touch x`.png", "%2e%2e%2fx.png", "e\u0301.png"),
    *("\uff0e\uff0e\uff0fevil.png", "a\u2215b.png", "\uff21\uff1a\uff22.png", "my cat.png"),
]  # fmt: skip
_WINDOWS = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.I)


def is_safe(name: str) -> bool:
    """Whether Windows, macOS and Linux all accept it as a plain, visible file."""
    return (
        0 < len(name.encode()) <= 240
        and not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f]', name)
        and name not in (".", "..")
        and not name.startswith(".")
        and not name.endswith((".", " "))
        and not _WINDOWS.match(name)
        and name.isprintable()
    )


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_hostile_name_becomes_safe(name: str) -> None:
    assert is_safe(file_name(name)), file_name(name)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.text(), st.text(alphabet='./\\:con\0 \n"~aA1$', max_size=12)))
def test_any_name_becomes_safe(name: str) -> None:
    safe = file_name(name)
    assert is_safe(safe) and file_name(safe) == safe


def test_an_ordinary_name_is_kept() -> None:
    for name in (
        "my cat.jpg",
        "骆驼 à la plage.png",
        "IMG_2024-01-02 (3).JPEG",
        "a.b.c.png",
        "camel",
    ):
        assert file_name(name) == name


def outside(folder: Path) -> set[Path]:
    """All files except those directly in the folder."""
    return {path for path in folder.parents[1].rglob("*") if path.parent != folder} - {folder}


def test_the_name_of_an_upload_cannot_reach_another_folder(studio: Studio, folder: Path) -> None:
    before = outside(folder)
    hostile = NAMES[::5]  # `new_path` is tested with all of them below
    for number, name in enumerate(hostile, start=1):
        studio.photos.upload.value = uploaded(name, photo(30 + number))
        assert studio.photos.message.value == ""
        run = studio.paint()
        assert len(run.content.name.encode()) <= 255 and run.content.name.isprintable()
        assert read_recipe(studio.save()) is not None
    assert outside(folder) == before
    saved = [path.name for path in folder.iterdir()]
    assert len(saved) == len(hostile) and all(map(is_safe, saved))


def test_each_run_gets_a_new_name(folder: Path) -> None:
    for name in NAMES:
        picture = Picture(name, b"")
        path = Run(1, picture, picture, RECIPES["gram"]).new_path(".png")
        assert path.parent == Path() and is_safe(path.name)
        path.touch()
        assert Run(1, picture, picture, RECIPES["gram"]).new_path(".png") != path


def test_the_command_line_shortens_long_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "x" * 250 + ".png"
    (folder / name).write_bytes(photo())
    small = ("--size", "32", "--steps", "1", "--content-layers", "conv1_2")
    assert cli.main(["paint", name, "camel", *small, "--style-layers", "conv1_1"]) == 0
    assert f"{'prettier-' + 'x' * 76}.png" in os.listdir(), capsys.readouterr()


# --------------------------------------------------------------------- uploads are limited


def test_a_too_large_upload_is_refused(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(studio.photos.pictures)
    for widget in (studio.photos, studio.mask):
        widget.upload.value = uploaded("huge.png", bytes(uploads.LARGEST + 1))
        assert "huge.png is 100 MB; a file may be 100 at most." in widget.message.value
        assert widget.upload.value == ()  # it is not kept
    assert studio.photos.pictures == before


def test_a_script_in_the_name_of_an_upload_is_escaped(studio: Studio) -> None:
    name = "<img src=x onerror=alert(1)>.png"
    studio.photos.upload.value = uploaded(name, b"no picture")
    assert "<img" not in studio.photos.message.value
    studio.photos.upload.value = uploaded(name, photo())
    studio.paint()
    studio.desk.buttons["save"].click()
    texts = [w.value for w in _widgets(studio) if type(w).__name__ == "HTML"]
    assert not any("<img src=x" in text for text in texts)


def _widgets(widget: Any) -> list[Any]:
    parts = [part for child in getattr(widget, "children", ()) for part in _widgets(child)]
    return [widget, *parts]


# ------------------------------------------------------------------------------ privacy


@pytest.fixture
def private(folder: Path) -> dict[str, str]:
    """A photo and a mask in a folder with a private name."""
    home = folder / "home of Secret Student"
    home.mkdir()
    (home / "cat.png").write_bytes(photo())
    Image.new("L", (40, 30), 255).save(home / "mask.png")
    return {"content": str(home / "cat.png"), "mask": str(home / "mask.png")}


def tells(data: bytes) -> list[str]:
    """What a file reveals about the computer and its user."""
    secrets = ["Secret Student", str(Path.home()), str(PROJECT), str(Path.cwd())]
    # Short names, such as "root", occur by chance.
    secrets += [name for name in (socket.gethostname(), getpass.getuser()) if len(name) > 4]
    forms = [s.encode(coding) for s in secrets for coding in ("utf-8", "utf-16-le")]
    forms += [json.dumps(s)[1:-1].encode() for s in secrets]
    inside = [data]
    if data[:4] == b"\x89PNG":  # its texts may be compressed
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            inside.append(repr(picture.info).encode())
    return [str(form) for form in forms if any(form in part for part in inside)]


def test_a_saved_picture_reveals_nothing_private(studio: Studio, private: dict[str, str]) -> None:
    assert tells(b"x Secret Student x") and tells(
        str(Path.home()).encode()
    )  # the check itself works
    studio.set(**private).paint()
    for path in (studio.save(), studio.save("a.jpg"), studio.film()):
        assert not tells(path.read_bytes()), path
    recipe = read_recipe("a.jpg")
    assert recipe is not None and recipe["content"] == "cat.png" and recipe["where"] == ["mask.png"]


def test_the_command_line_reveals_nothing_private(private: dict[str, str]) -> None:
    layers = ["--content-layers", "conv1_2", "--style-layers", "conv1_1"]
    given = ["paint", private["content"], private["content"], "--mask", private["mask"], *layers]
    given += ["--size", "32", "--steps", "1"]
    assert cli.main([*given, "-o", "a.png"]) == 0
    assert not tells(Path("a.png").read_bytes())
    train = ["train", private["content"], "--steps", "1", "--output", "a.pt"]
    assert cli.main(train) == 0
    assert not tells(Path("a.pt").read_bytes())


# ----------------------------------------------------------------- what is read is not executed


class Payload:
    """Unpickling it creates a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.marker,)


def test_a_network_with_a_payload_is_refused_and_not_executed(tmp_path: Path) -> None:
    marker = tmp_path / "went-off"
    path = FeedForward(1, 0).save("honest.pt")
    stored = torch.load(path, weights_only=True)
    for key in stored:
        torch.save(stored | {key: Payload(marker)}, "evil.pt")
        with pytest.raises(StylelibError, match="not a network that stylelib saved"):
            FeedForward.load("evil.pt")
    torch.save(stored | {"more": Payload(marker)}, "evil.pt")
    with pytest.raises(StylelibError, match="not a network that stylelib saved"):
        FeedForward.load("evil.pt")
    Path("bare.pt").write_bytes(pickle.dumps(Payload(marker)))
    with pytest.raises(StylelibError):
        FeedForward.load("bare.pt")
    assert not marker.exists()
    with zipfile.ZipFile("evil.pt") as archive:  # it is one
        (name,) = (n for n in archive.namelist() if n.endswith("data.pkl"))
        with pytest.raises(Exception, match=r"persistent|load"):
            pickle.loads(archive.read(name))
    pickle.loads(Path("bare.pt").read_bytes())
    assert marker.exists()


def test_a_recipe_in_a_picture_is_not_executed(tmp_path: Path) -> None:
    marker = tmp_path / "went-off"
    code = f"__import__('pathlib').Path({str(marker)!r}).touch()"
    texts = [code, f"!!python/object/apply:eval [{code!r}]", pickle.dumps(Payload(marker)).hex()]
    texts += [json.dumps({"recipe": code, "size": code, "__class__": code, "__reduce__": [code]})]
    for text in texts:
        info = PngImagePlugin.PngInfo()
        info.add_itxt("stylelib", text)
        Image.new("RGB", (40, 30)).save("evil.png", pnginfo=info)
        exif = Image.Exif()
        exif[0x010E] = f"stylelib: {text}"
        Image.new("RGB", (40, 30)).save("evil.jpg", exif=exif)
        for path in ("evil.png", "evil.jpg"):
            recipe = read_recipe(path)
            assert recipe is None or recipe == json.loads(text)
            chooser = PictureChooser("x", [Picture("camel", "camel")])
            chooser.choose(path)
            chooser.close()
    assert not marker.exists()


def sources() -> list[Path]:
    return sorted((PROJECT / "stylelib").rglob("*.py"))


def test_the_package_executes_no_text_and_no_program() -> None:
    """There is no eval, no shell, no unsafe pickle."""
    forbidden = {"eval", "exec", "compile", "__import__", "system", "popen", "Popen"}
    banned = {"pickle", "marshal", "shelve", "subprocess", "dill", "joblib", "yaml", "code"}
    assert len(sources()) > 40
    for path in sources():
        # The doctor runs this same Python to see whether packages can be imported, `bundle` runs
        # pip, and what students handed in is graded in a process of its own.
        starts = path.name in ("examine.py", "bundle.py", "sandbox.py")
        modules = banned - {"subprocess"} if starts else banned
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.name}, line {getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                assert not modules & {name.name.split(".")[0] for name in node.names}, where
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert (node.module or "").split(".")[0] not in modules, where
            if isinstance(node, ast.Call):
                called = node.func
                name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
                method = isinstance(called, ast.Attribute) and name in ("eval", "compile")
                # What was handed in is run, by a process that is closed off (`sandbox`).
                graded = path.name == "marking.py" and name in ("compile", "eval", "exec")
                # What a student wrote, and kept beside the lessons.
                graded = graded or (path.name == "own.py" and name in ("compile", "exec"))
                started = path.name == "sandbox.py" and name == "Popen"
                assert name not in forbidden or method or graded or started, where
                if name in ("load", "get_state_dict") and "torch" in ast.unparse(called):
                    safe = {k.arg: ast.unparse(k.value) for k in node.keywords}
                    assert safe.get("weights_only") == "True", where


def test_the_doctor_starts_only_this_python() -> None:
    source = (PROJECT / "stylelib" / "cli" / "examine.py").read_text(encoding="utf-8")
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess.")
    ]
    assert [ast.unparse(call.args[0]) for call in calls] == ["command"]
    assert re.findall(r"\bcommand = (.*)", source) == [
        '[sys.executable, "-P", "-c", _IMPORT, _MODULES.get(name, name)]',
        'shutil.which("jupyter")',  # only compared with this Python's, not started
    ]
    assert not any(keyword.arg == "shell" for call in calls for keyword in call.keywords)


def test_scripts_load_nothing_from_elsewhere() -> None:
    scripts = [p for p in (PROJECT / "stylelib").rglob("*") if p.suffix in (".js", ".css", ".html")]
    assert scripts
    for path in scripts:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//[a-z]|\beval\b|innerHTML|new Function|@import", text), path


def test_the_lessons_hold_no_scripts() -> None:
    """Neither in their outputs nor in their metadata."""
    lessons = sorted((PROJECT / "notebooks").glob("*.ipynb"))
    assert len(lessons) >= 6
    for path in lessons:
        lesson = json.loads(path.read_text(encoding="utf-8"))
        assert set(lesson["metadata"]) <= {"kernelspec", "language_info", "widgets"}, path
        for output in (o for cell in lesson["cells"] for o in cell.get("outputs", [])):
            kinds = output.get("data", {})
            assert not any("script" in kind for kind in kinds), path
            for kind in [kind for kind in kinds if kind.startswith("image/") and "svg" not in kind]:
                del kinds[kind]  # pixels contain any letters by chance
        text = json.dumps(lesson)
        assert not re.search(r"<script|javascript|onerror\s*=|onload\s*=|<iframe", text, re.I), path
        assert not tells(text.encode()), path
        for cell in lesson["cells"]:
            assert set(cell["metadata"]) <= {"tags", "jupyter", "slideshow", "editable"}, path


# --------------------------------------------------------------------------- open ports


def listening(process: psutil.Process) -> set[str]:
    """The addresses on which it and its children listen."""
    found = set()
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # it has ended
            ask_for = getattr(one, "net_connections", None) or one.connections
            for connection in ask_for("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    found.add(connection.laddr.ip)
    return found


def ask(port: int, path: str, token: str = "", body: bytes | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"token {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


def test_the_lab_has_a_token_and_listens_only_locally(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    names = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")
    places = {name: str(tmp_path / name) for name in names}
    places |= {"JUPYTER_RUNTIME_DIR": str(tmp_path / "run"), "JUPYTER_TOKEN": ""}
    environment = {k: v for k, v in (os.environ | places).items() if v}
    command = [sys.executable, "-m", "stylelib", "lab", "--no-browser", f"--port={port}"]
    command += ["--allow-root", "--ServerApp.port_retries=0"]
    log = tmp_path / "log"
    with log.open("w") as said:
        server = subprocess.Popen(command, stdout=said, stderr=said, env=environment, cwd=PROJECT)
    try:
        token = _token(tmp_path / "run", server)
        deadline = time.monotonic() + 60
        while True:
            try:
                assert ask(port, "/api/contents")[0] == 403
                break
            except urllib.error.URLError:
                assert time.monotonic() < deadline and server.poll() is None, log.read_text()
                time.sleep(0.1)
        assert len(token) >= 40
        assert ask(port, "/api/contents", "wrong")[0] == 403
        assert ask(port, "/api/kernels", "", b"{}")[0] == 403
        assert ask(port, "/api/contents", token)[0] == 200
        assert ask(port, "/api/kernels", token, b"{}")[0] == 201
        assert listening(psutil.Process(server.pid)) <= {"127.0.0.1", "::1"}
        assert listening(psutil.Process(server.pid))
    finally:
        parts = psutil.Process(server.pid).children(recursive=True)
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        for part in parts:
            if part.is_running():
                part.kill()


def _token(folder: Path, server: subprocess.Popen[bytes]) -> str:
    """The token, from the file that the server writes for its owner only."""
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        for path in folder.glob("jpserver-*.json"):
            if os.name != "nt":
                assert path.stat().st_mode & 0o077 == 0
            try:
                return str(json.loads(path.read_text())["token"])
            except ValueError:  # half written
                pass
        time.sleep(0.1)
    raise AssertionError("the server did not start")
