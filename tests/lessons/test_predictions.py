"""Predictions: kept, compared with what came out, looked back on; the same for everybody."""

import json
from pathlib import Path
from typing import Any

import pytest

from stylelib.errors import StylelibError
from stylelib.lessons.predictions import forget, predict, reveal, surprises

CHOICES = ["sky", "calf", "wave"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: Any) -> Path:
    """A notebook's folder, and nothing kept in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plain(shown: Any) -> str:
    data, _ = shown._repr_mimebundle_()
    text: str = data["text/plain"]
    return text


def test_what_a_notebook_stores_is_the_same_for_everybody(folder: Path) -> None:
    def stored() -> list[str]:
        asked = predict("90.1", "Which is closest?", CHOICES)
        return [plain(asked), plain(reveal("90.1", "sky", "It is empty.")), plain(surprises("90"))]

    before = stored()
    assert not list(folder.iterdir())  # nobody answered, so nothing is written
    predict("90.1", "Which is closest?", CHOICES).value = "wave"
    assert stored() == before
    assert before[0] == "Which is closest?\n( ) sky\n( ) calf\n( ) wave"
    assert before[1] == "What came out: sky. It is empty."


def test_a_prediction_is_kept_compared_and_looked_back_on(folder: Path) -> None:
    predict("91.1", "Which is closest?", CHOICES).value = "wave"
    predict("91.2", "Which is largest?", CHOICES).value = "calf"
    assert predict("91.1", "Which is closest?", CHOICES).value == "wave"  # after a restart, too
    assert "You predicted: wave." in reveal("91.1", "sky").text
    assert "As you predicted" in reveal("91.2", "calf").text
    summary = surprises("91").text
    assert "1 of your 2 predictions" in summary
    assert "Which is closest?" in summary and "Which is largest?" not in summary
    kept = json.loads((folder / ".stylelib" / "predictions.json").read_text(encoding="utf-8"))
    assert kept["91.1"] == {"question": "Which is closest?", "said": "wave", "answer": "sky"}
    forget("91")
    assert predict("91.1", "Which is closest?", CHOICES).value is None
    assert "predictions of this lesson" in surprises("91").text


def test_after_the_answer_is_known_it_is_too_late_to_change() -> None:
    asked = predict("92.1", "Which is closest?", CHOICES)
    asked.value = "wave"
    assert not asked.children[1].disabled
    reveal("92.1", "sky")
    assert asked.children[1].disabled
    assert predict("92.1", "Which is closest?", CHOICES).children[1].disabled


def test_ranking_needs_each_choice_once() -> None:
    asked = predict("93.1", "Closest first?", CHOICES, rank=True)
    first, second, third = asked.children[1:-1]
    first.value = second.value = third.value = "sky"
    assert asked.value is None
    second.value, third.value = "wave", "calf"
    assert asked.value == ["sky", "wave", "calf"]
    assert "sky, then wave, then calf" in reveal("93.1", ["calf", "wave", "sky"]).text
    assert "As you predicted" in reveal("93.1", ["sky", "wave", "calf"]).text


def test_mistakes_are_explained() -> None:
    with pytest.raises(StylelibError, match="all of them different"):
        predict("94.1", "Which?", ["sky", "sky"])
    asked = predict("94.2", "Which?", CHOICES)
    with pytest.raises(StylelibError, match="one of the choices"):
        asked.value = "camel"
    with pytest.raises(StylelibError, match="choice"):
        reveal("94.2", "camel")


def test_a_damaged_file_and_a_folder_that_cannot_be_written(folder: Path) -> None:
    (folder / ".stylelib").mkdir()
    (folder / ".stylelib" / "predictions.json").write_text("[not json", encoding="utf-8")
    predict("95.1", "Which?", CHOICES).value = "sky"
    assert predict("95.1", "Which?", CHOICES).value == "sky"
    forget("95")
    for path in (folder / ".stylelib").iterdir():
        path.unlink()
    (folder / ".stylelib").rmdir()
    (folder / ".stylelib").write_text("a file in the way", encoding="utf-8")
    predict("95.2", "Which?", CHOICES).value = "sky"
    assert "As you predicted" in reveal("95.2", "sky").text
    forget("95")
