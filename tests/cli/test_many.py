"""``stylelib paint`` with many pictures: what it prints, reports, and ends with."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from stylelib import load_image, read_recipe
from stylelib.cli import main

NETWORK = "hokusai-great-wave.pt"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a folder of two photos and a damaged one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name in ("a", "b & <b>", "broken"):
        Image.new("RGB", (24, 20), "teal").save(tmp_path / "photos" / f"{name}.png")
    (tmp_path / "photos" / "broken.png").write_bytes(b"no picture")
    return tmp_path


def paint(*arguments: str) -> int:
    return main(["paint", *arguments, "--size", "32"])


def test_a_folder_is_painted_and_failures_come_at_the_end(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert paint("photos", NETWORK, "--output", "out") == 1
    said = capsys.readouterr()
    assert "Of 3 pictures, 2 were painted, 0 were there already, and 1 failed." in said.out
    assert said.err.splitlines()[-1].startswith("photos/broken.png, hokusai-great-wave.pt: ")
    assert len(list((photos / "out").iterdir())) == 2
    assert paint("photos", NETWORK, "--output", "out") == 1
    assert "0 were painted, 2 were there already" in capsys.readouterr().out


def test_several_photos_and_paintings(photos: Path) -> None:
    given = ["photos/a.png", "camel", "--paintings", NETWORK, "--output", "out"]
    assert paint(*given) == 0
    assert paint(*given) == 0
    names = sorted(path.name for path in (photos / "out").iterdir())
    assert names == ["a-hokusai-great-wave.png", "camel-hokusai-great-wave.png"]


class Page(HTMLParser):
    """Every tag of a page, with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_report_shows_each_picture_and_needs_no_other_file(photos: Path) -> None:
    paint("photos", NETWORK, "--report", "report.html")
    page = Page((photos / "report.html").read_text("utf-8"))
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == 2 + 2  # before and after; the damaged one has neither
    assert all(str(image["src"]).startswith("data:image/jpeg;base64,") for image in images)
    assert all(image["alt"] for image in images)
    assert not any(tag in ("script", "b") and attrs for tag, attrs in page.tags)
    entries = json.loads((photos / "report.json").read_text("utf-8"))
    assert [entry["status"] for entry in entries] == ["painted", "painted", "failed"]
    assert [bool(entry["error"]) for entry in entries] == [False, False, True]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["photos", NETWORK, "--film", "film.gif"], "--film is for a single picture"),
        (["photos", NETWORK, "--mask", "photos/a.png"], "--mask is for a single picture"),
        (["photos", NETWORK, "--jobs", "2", "--scheduler"], "--jobs for this computer"),
        (["photos", NETWORK, "--jobs", "0"], "from 1 to 256"),
        (["photos", NETWORK, "--report", "report.txt"], "must end in"),
        (["photos"], "one painting"),
        (["camel"], "Give a painting"),
        (["photos", NETWORK, "--only-colors"], "not from a network"),
        (["nowhere/*.png", NETWORK], "No picture's name fits"),
    ],
)
def test_mistakes_are_said_before_anything_is_painted(
    photos: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert paint(*arguments) == 1
    assert said in capsys.readouterr().err
    assert not (photos / "painted").exists()


def test_a_single_picture_takes_only_the_paintings_colors(photos: Path) -> None:
    assert paint("camel", "hokusai-poppies", "--only-colors", "-o", "camel.png") == 0
    record = read_recipe(photos / "camel.png") or {}
    assert record["only_colors"] is True
    assert (record["content"], record["style"]) == ("camel", "hokusai-poppies")


def test_a_single_picture_starts_from_a_file(photos: Path) -> None:
    start = photos / "photos" / "a.png"
    few = ["--steps", "1", "--recipe", "gram", "--content-weight", "1e-9", "-o", "camel.png"]
    assert paint("camel", "hokusai-poppies", "--init", str(start), *few) == 0
    assert (read_recipe(photos / "camel.png") or {})["start"] == "a.png"
    teal = load_image(start)[0, :, 0, 0].view(1, 3, 1, 1)
    painted = load_image(photos / "camel.png")
    assert (painted - teal).abs().mean() < (load_image("camel", 32) - teal).abs().mean() / 2
