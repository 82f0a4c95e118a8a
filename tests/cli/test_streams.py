"""Standard output and error that fail, are closed or missing: what was painted is saved."""

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stylelib import FeedForward, StylelibError, cli, load_image, read_recipe
from stylelib.cli.examine import Finding
from stylelib.cli.streams import SteadyStream
from stylelib.feedforward import training
from stylelib.pictures.film import Film

PAIR = ("camel", "hokusai-great-wave")
PAINT = (
    *("paint", *PAIR, "--size", "32", "--steps", "2", "--device", "cpu", "--weights", "random"),
    *("--content-layers", "conv1_2", "--style-layers", "conv1_1"),
    *("-o", "out.png", "--film", "out.gif"),
)
TRAIN = (
    "train",
    PAIR[1],
    "--steps",
    "1",
    "--style-scale",
    "0.2",
    "--device",
    "cpu",
    "-o",
    "net.pt",
)
no_windows = pytest.mark.skipif(os.name == "nt", reason="Windows has no such streams")

FULL = OSError(errno.ENOSPC, "No space left on device")
GONE = BrokenPipeError(errno.EPIPE, "Broken pipe")
HUNG_UP = OSError(errno.EIO, "Input/output error")
CLOSED = ValueError("I/O operation on closed file.")


class Failing(io.StringIO):
    """A stream, perhaps a terminal, whose writing and flushing fails from the nth time on."""

    def __init__(self, nth: int, error: Exception, terminal: bool) -> None:
        super().__init__()
        self.left, self.error, self.terminal = nth - 1, error, terminal
        self.failed = False

    def count(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.failed = True
            raise self.error

    def write(self, text: str) -> int:
        self.count()
        return super().write(text)

    def flush(self) -> None:
        self.count()

    def isatty(self) -> bool:
        return self.terminal


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A new folder, and networks that are trained in no time."""
    monkeypatch.chdir(tmp_path)
    small = (4, 1, 0, ("",))
    monkeypatch.setattr("stylelib.feedforward.network.FeedForward.__init__.__defaults__", small)
    quick = (training.train.__kwdefaults__ or {}) | {"crop": 48}
    monkeypatch.setattr("stylelib.feedforward.training.train.__kwdefaults__", quick)


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the doctor three findings; here are those that it has looked at."""
    seen: list[str] = []

    def examine() -> Any:
        for topic in ("Python", "Memory", "Speed"):
            seen.append(topic)
            yield Finding(topic, "as it should be")

    monkeypatch.setattr("stylelib.cli.examine.examine", examine)
    return seen


def painted() -> bool:
    """Whether the picture and the film are there, and whole."""
    made = read_recipe("out.png")
    assert made is not None and made["steps_done"] == 2
    assert load_image("out.png").shape == (1, 3, 18, 32)
    with Image.open("out.gif") as film:
        return getattr(film, "n_frames", 0) >= 2


def trained() -> bool:
    return FeedForward.load("net.pt").painting == PAIR[1]


def call_at_each_failure(
    arguments: tuple[str, ...],
    check: Callable[[int], None],
    name: str,
    error: Exception,
    terminal: bool = False,
) -> int:
    """Let the first, second ... write to a stream and all later ones fail, until none does.

    Calls the command line, and then `check` with the exit status; returns how many times.
    """
    for nth in count(1):
        streams = {"stdout": io.StringIO(), "stderr": io.StringIO()}
        streams[name] = failing = Failing(nth, error, terminal)
        folder = Path(f"{name}-{nth}").resolve()
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            for stream, value in streams.items():
                patch.setattr(sys, stream, value)
            status = cli.main(arguments)
            told = streams["stderr"].getvalue()
            patch.undo()
            os.chdir(folder)
            try:
                check(status)
                lost = name == "stdout" and failing.failed and error is not GONE
                assert status == int(lost), told
                assert ("Not all that it printed could be written" in told) == lost
                assert "Traceback" not in told
            finally:
                os.chdir(folder.parent)
        if not failing.failed:
            return nth
    raise AssertionError


# The others of these with -m slow.
QUICKLY = [("stdout", FULL), ("stderr", GONE), ("stdout", HUNG_UP), ("stderr", CLOSED)]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        pytest.param(name, error, marks=[pytest.mark.slow] * ((name, error) not in QUICKLY))
        for name in ("stdout", "stderr")
        for error in (FULL, GONE, HUNG_UP, CLOSED)
    ],
)
def test_a_painting_is_saved_whichever_write_fails(name: str, error: Exception) -> None:
    terminal = error is HUNG_UP

    def check(_: int) -> None:
        assert painted()

    assert call_at_each_failure(PAINT, check, name, error, terminal) > 5


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("stdout", FULL),
        ("stderr", CLOSED),
        *(
            pytest.param(name, error, marks=pytest.mark.slow)
            for name, error in [
                ("stdout", GONE),
                ("stdout", CLOSED),
                ("stderr", FULL),
                ("stderr", GONE),
            ]
        ),
    ],
)
def test_a_network_is_saved_whichever_write_fails(name: str, error: Exception) -> None:
    def check(_: int) -> None:
        assert trained()

    assert call_at_each_failure(TRAIN, check, name, error) > 2


@pytest.mark.parametrize("error", [FULL, GONE, CLOSED])
def test_the_doctor_finishes_whichever_write_fails(findings: list[str], error: Exception) -> None:
    def check(_: int) -> None:
        assert findings == ["Python", "Memory", "Speed"]
        findings.clear()

    assert call_at_each_failure(("doctor",), check, "stdout", error) > 10


@pytest.mark.parametrize("arguments", [("samples",), ("--help",), ("--version",), ()])
@pytest.mark.parametrize("error", [FULL, GONE, CLOSED])
def test_lists_and_help_whichever_write_fails(arguments: Any, error: Exception) -> None:
    assert call_at_each_failure(arguments, lambda _: None, "stdout", error) > 1


def test_all_results_are_saved_before_the_first_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Watching(io.StringIO):
        def write(self, text: str) -> int:
            assert painted()
            return super().write(text)

    monkeypatch.setattr(sys, "stdout", stream := Watching())
    assert cli.main(PAINT) == 0
    assert "out.png: 32 x 18" in stream.getvalue() and "out.gif: a film" in stream.getvalue()


@pytest.mark.parametrize("missing", [("stdout",), ("stderr",), ("stdout", "stderr")])
def test_without_streams_as_under_pythonw(
    findings: list[str], monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    there = io.StringIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None if name in missing else there)
    assert cli.main(PAINT) == 0 and painted()
    assert cli.main(TRAIN) == 0 and trained()
    for arguments in (("doctor",), ("samples",), ("--help",)):
        assert cli.main(arguments) == 0
    assert cli.main(("paint", "camle", PAIR[1])) == 1
    assert cli.main(("paint", "--sise")) == 2
    assert ("Did you mean camel?" in there.getvalue()) == ("stderr" not in missing)
    assert ("a film of" in there.getvalue()) == ("stdout" not in missing)


def test_an_interrupted_painting_is_saved_although_stderr_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    see = Film.see

    def interrupt(self: Film, iteration: int, *arguments: Any, **options: Any) -> None:
        see(self, iteration, *arguments, **options)
        if iteration == 2 and not options:
            raise KeyboardInterrupt

    monkeypatch.setattr(Film, "see", interrupt)
    monkeypatch.setattr(sys, "stderr", Failing(1, HUNG_UP, True))
    monkeypatch.setattr(sys, "stdout", Failing(1, HUNG_UP, True))
    assert cli.main(PAINT) == 130 and painted()


def test_a_film_is_saved_although_the_picture_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any) -> Path:
        raise StylelibError("There is no space left.")

    monkeypatch.setattr("stylelib.pictures.images.save_image", refuse)
    assert cli.main(PAINT) == 1
    out, err = capsys.readouterr()
    assert out == "out.gif: a film of 3 pictures.\n" and "There is no space left." in err
    with Image.open("out.gif") as film:
        assert getattr(film, "n_frames", 0) >= 2


def test_a_picture_is_saved_although_memory_runs_out_for_the_film(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_out(*_: Any) -> Path:
        raise MemoryError

    monkeypatch.setattr("stylelib.pictures.film.save_film", run_out)
    assert cli.main(PAINT) == 1
    out, err = capsys.readouterr()
    assert out.startswith("out.png: 32 x 18 pixels") and "a film" not in out
    assert "ran out of memory" in err and load_image("out.png").shape == (1, 3, 18, 32)


def test_a_picture_is_saved_although_memory_runs_out_for_a_frame(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    see = Film.see

    def run_out(self: Film, iteration: int, *arguments: Any, **options: Any) -> None:
        if iteration == 2:
            raise MemoryError
        see(self, iteration, *arguments, **options)

    monkeypatch.setattr(Film, "see", run_out)
    assert cli.main(PAINT) == 1
    out, err = capsys.readouterr()
    assert out.startswith("out.png: 32 x 18 pixels, 2 steps")
    assert "ran out of memory" in err and "The picture so far is kept." in err
    assert load_image("out.png").shape == (1, 3, 18, 32)


def test_a_steady_stream_is_a_stream_like_any_other() -> None:
    inside = io.TextIOWrapper(io.BytesIO(), "ascii")
    stream = SteadyStream(inside)
    assert stream.write("骆驼\n") == 3 and stream.encoding == "ascii" and not stream.isatty()
    stream.flush()
    inside.seek(0)
    assert inside.read() == "??\n" and stream.trouble is None
    inside.close()
    assert not stream.isatty() and stream.write("more") == 4
    assert isinstance(stream.trouble, ValueError)


# -------------------------------------------------------- with a process's own streams

CASES = {
    "stdout is a full disk": 'exec "$@" >/dev/full 2>err',
    "stderr is a full disk": 'exec "$@" >out 2>/dev/full',
    "stdout is closed": 'exec "$@" >&- 2>err',
    "stderr is closed": 'exec "$@" >out 2>&-',
    "all are closed": 'exec "$@" <&- >&- 2>&-',
    "nobody reads": '"$@" 2>err | true',
}


@no_windows
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("case", CASES)
def test_a_process_with_such_streams(case: str, unbuffered: str) -> None:
    if "full" in case and not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    command = ["sh", "-c", CASES[case], "sh", sys.executable, "-m", "stylelib", *PAINT]
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, env=environment, timeout=300)
    err = Path("err").read_text() if Path("err").exists() else ""
    assert done.returncode == int(case == "stdout is a full disk"), err
    assert painted()
    assert "Exception" not in err and "Traceback" not in err
    assert ("could be written (" in err) == (case == "stdout is a full disk")
    if Path("out").exists():
        assert "out.gif: a film of" in Path("out").read_text()


@no_windows
def test_a_terminal_that_is_closed_while_it_paints() -> None:
    terminal, inner = os.openpty()
    command = [sys.executable, "-m", "stylelib", *PAINT, "--steps", "300"]
    process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner)
    try:
        shown = b""
        while b"step " not in shown:
            shown += os.read(terminal, 1000)
        os.close(inner)
        os.close(terminal)
        process.wait(300)
    finally:
        process.kill()
        process.wait()
    assert load_image("out.png").shape == (1, 3, 18, 32)
    with Image.open("out.gif") as film:
        assert getattr(film, "n_frames", 0) >= 2


@no_windows
def test_what_is_printed_into_a_closed_stream_reaches_no_file() -> None:
    """The next file that is opened would take the place of the closed one."""
    code = (
        "import os, sys, stylelib.cli\n"
        "def main():\n"
        "    with open('picture', 'w') as picture:\n"
        "        os.write(1, b'from a library'), os.write(2, b'from a library')\n"
        "        picture.write('pixels')\n"
        "    return 0\n"
        "stylelib.cli.main = main\n"
        "from stylelib.__main__ import main\n"
        "sys.exit(main())"
    )
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code]
    subprocess.run(command, timeout=300)
    assert Path("picture").read_text() == "pixels"
