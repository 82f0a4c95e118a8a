"""Outputs that would overwrite what is worked from, and names and values that are echoed."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stylelib import SAMPLES, cli, load_image, read_recipe
from stylelib.engine.transfer import Transfer

PAIR = ("camel", "hokusai-great-wave")
SMALL = ("--size", "32", "--steps", "1", "--device", "cpu", "--weights", "random")
Run = Callable[..., SimpleNamespace]
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: Any, tmp_path: Path) -> Run:
    """Call the command line in a new folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str | Path) -> SimpleNamespace:
        status = cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return SimpleNamespace(status=status, out=out, err=err)

    return call


@pytest.fixture
def no_work(monkeypatch: Any) -> None:
    """Loading a picture or a network is already too much."""

    def work(*_: Any) -> None:
        raise AssertionError("it was not refused before the work")

    monkeypatch.setattr("stylelib.pictures.images.load_image", work)
    monkeypatch.setattr("stylelib.feedforward.network.FeedForward.load", work)


@posix
@pytest.mark.parametrize("kind", ["the file itself", "a link", "a hard link", "another path"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("paint", "GIVEN.png", PAIR[1], "-o", "OUT.png"),
        ("paint", "camel", "GIVEN.png", "-o", "OUT.png"),
        ("paint", "camel", "hokusai-poppies", "GIVEN.png", "-o", "OUT.png"),
        ("paint", *PAIR, "--mask", "GIVEN.png", "-o", "OUT.png"),
        ("paint", *PAIR, "--mask", "GIVEN.png", "--film", "OUT.gif"),
        ("paint", "GIVEN.png", PAIR[1], "-o", "x.png", "--film", "OUT.webp"),
        ("paint", "camel", "GIVEN.pt", "-o", "OUT.png"),
        ("paint", "GIVEN.png", "hokusai-great-wave.pt", "-o", "OUT.png"),
        ("train", "GIVEN.pt", "-o", "OUT.pt"),
        ("train", "GIVEN.png", "-o", "OUT.pt"),
        ("train", "camel", "--photos", "photos", "-o", "OUT.pt"),
        ("paint", *PAIR, "-o", "GIVEN.png", "--film", "OUT.gif"),
    ],
)
def test_an_output_that_is_worked_from_is_refused_before_the_work(
    run: Run, no_work: None, arguments: tuple[str, ...], kind: str
) -> None:
    Path("photos").mkdir()
    given = next((Path(a.replace("GIVEN", "given")) for a in arguments if "GIVEN" in a), None)
    given = given or Path("photos/given.jpg")
    given.write_bytes(b"precious")
    ending = next(Path(a).suffix for a in arguments if a.startswith("OUT"))
    output = Path("output" + ending)
    if kind == "a link":
        output.symlink_to(given)
    elif kind == "a hard link":
        os.link(given, output)
    elif given.suffix != ending:
        pytest.skip("the ending alone tells them apart")
    else:
        output = given if kind == "the file itself" else Path("photos/../" + str(given))
    swap = {f"OUT{ending}": str(output)}
    result = run(*(swap.get(a, a.replace("GIVEN", "given")) for a in arguments))
    option = "--film" if "--film" in arguments else "--output"
    assert result.status == 1 and result.out == ""
    assert result.err == (f"stylelib: {option} is the same file as {given}. Choose another name.\n")
    assert given.read_bytes() == b"precious"


def test_a_sample_is_not_overwritten(run: Run, no_work: None) -> None:
    before = SAMPLES["camel"].path.read_bytes()
    result = run("paint", *PAIR, "-o", SAMPLES["camel"].path)
    assert result.status == 1 and "--output is the same file as camel" in result.err
    assert SAMPLES["camel"].path.read_bytes() == before


@posix
def test_a_picture_and_a_film_that_lead_to_one_new_file(run: Run, no_work: None) -> None:
    Path("out.png").symlink_to("both")
    Path("out.gif").symlink_to("both")
    result = run("paint", *PAIR, "-o", "out.png", "--film", "out.gif")
    assert result.status == 1 and "--film is the same file as out.png" in result.err


def test_the_default_name_gets_a_number_whatever_is_there(run: Run) -> None:
    Path("prettier-camel.png").touch(0o444)
    Path("prettier-camel-2.png").mkdir()
    assert "prettier-camel-3.png: 32 x 18" in run("paint", *PAIR, *SMALL).out
    result = run("paint", "prettier-camel-3.png", PAIR[1], *SMALL)
    assert "prettier-prettier-camel-3.png: 32 x 18" in result.out
    Path("prettier-camel.png").chmod(0o644)


# ------------------------------------------------------------------------ echoes

CODES = "\x1b]0;owned\x07\x1b[2J\r\u202ea\nb\udcff"
ECHOES: list[tuple[str, ...]] = [
    ("paint", f"{CODES}.png", PAIR[1]),
    ("paint", CODES, PAIR[1]),
    ("paint", "camel", f"{CODES}.png"),
    ("paint", "camel", f"{CODES}.pt"),
    ("paint", *PAIR, "--mask", f"{CODES}.png"),
    ("paint", *PAIR, "-o", f"{CODES}.gif"),
    ("paint", *PAIR, "-o", f"{CODES}/out.png"),
    ("paint", *PAIR, "-o", "out.png", "--film", f"{CODES}.png"),
    ("paint", *PAIR, "--recipe", CODES),
    ("paint", *PAIR, "--init", CODES),
    ("paint", *PAIR, "--device", CODES),
    ("paint", *PAIR, "--style-layers", CODES),
    ("paint", *PAIR, "--size", CODES),
    ("paint", *PAIR, "--style-weight", CODES),
    ("paint", *PAIR, f"--{CODES}"),
    ("train", CODES, "-o", "net.pt"),
    ("train", "camel", "-o", f"{CODES}.png"),
    ("train", "camel", "-o", "net.pt", "--photos", CODES),
    (CODES,),
    ("samples", CODES),
]


@pytest.mark.parametrize("arguments", ECHOES)
def test_codes_for_terminals_are_not_echoed(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.status in (1, 2) and result.out == ""
    assert result.err.endswith("\n") and result.err.count("\n") == 1
    assert all(c.isprintable() for c in result.err[:-1])


@posix
def test_codes_in_names_of_files_that_are_there(run: Run, tmp_path: Path) -> None:
    Path("photos").mkdir()
    photo, other = f"{CODES}.jpg", f"photos/{CODES}.txt"
    Path(photo).write_bytes(SAMPLES["camel"].path.read_bytes())
    Path(other).write_text("no picture")
    result = run("paint", photo, PAIR[1], *SMALL, "-o", f"{CODES}.png")
    assert result.status == 0 and load_image(f"{CODES}.png").shape == (1, 3, 18, 32)
    skipped = run("train", "camel", "-o", "net.pt", "--photos", "photos")
    for text in (result.out, result.err, skipped.err):
        assert all(c.isprintable() or c == "\n" for c in text)
    assert result.out.count("\n") == 2 and skipped.err.count("\n") == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("paint", *PAIR, "--size", "9" * 5000),
        ("paint", *PAIR, "--size", "9" * 4000),
        ("paint", *PAIR, "--seed", "-" + "9" * 5000),
        ("paint", *PAIR, "--style-weight", "x" * 5000),
        ("paint", *PAIR, "--style-shares", ",".join(["1"] * 5000)),
        ("paint", *PAIR, "--style-layers", "x" * 5000),
        ("paint", *PAIR, "--recipe", "x" * 5000),
        ("paint", *PAIR, "--device", "x" * 5000),
        ("paint", "x" * 5000, PAIR[1]),
        ("paint", "x" * 5000 + ".png", PAIR[1]),
        ("paint", "camel", "x" * 5000 + ".png"),
        ("paint", "camel", "x" * 5000 + ".pt"),
        ("paint", *PAIR, "--mask", "x" * 5000 + ".png"),
        ("paint", *PAIR, "-o", "x" * 5000 + ".png"),
        ("paint", *PAIR, "-o", "x" * 5000),
        ("paint", *PAIR, "-o", "out.png", "--film", "x" * 5000 + ".gif"),
        ("train", "x" * 5000, "-o", "net.pt"),
        ("train", "camel", "-o", "x" * 5000 + ".pt"),
        ("train", "camel", "-o", "net.pt", "--photos", "x" * 5000),
        ("x" * 5000,),
        ("--" + "x" * 5000,),
    ],
)
def test_endless_values_are_shortened(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.status in (1, 2) and result.out == ""
    assert result.err.count("\n") == 1 and len(result.err) < 400
    assert "Errno" not in result.err and "x" * 100 not in result.err
    assert os.listdir() == []


def test_a_recipe_that_does_not_fit_in_a_jpeg_does_not_lose_the_picture(
    run: Run, monkeypatch: Any
) -> None:
    monkeypatch.setattr(Transfer, "record", lambda *_: {"style": ["x" * 200] * 400})
    result = run("paint", *PAIR, *SMALL, "-o", "out.jpg")
    assert result.status == 0 and "out.jpg: 32 x 18" in result.out
    assert "stylelib: The recipe is too long for a JPEG file: out.jpg was saved" in result.err
    assert load_image("out.jpg").shape == (1, 3, 18, 32) and read_recipe("out.jpg") is None
