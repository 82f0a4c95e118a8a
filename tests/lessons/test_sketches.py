"""Predictions that are pointed at or drawn: kept, put into words, shown beside what came out."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from stylelib.cli.grade import HandedIn, read_predictions
from stylelib.errors import StylelibError
from stylelib.lessons.predictions import surprises
from stylelib.lessons.sketches import (
    POINTS,
    SHAPES,
    predict_curve,
    predict_place,
    reveal_curve,
    reveal_place,
    shape,
)

IMAGE = torch.rand(1, 3, 36, 64, generator=torch.Generator().manual_seed(0))
REGIONS = {"the face": [(0.8, 0.2, 1.0, 0.4)], "the legs": [(0.0, 0.6, 0.4, 1.0), (0.6, 0.6, 1, 1)]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: Any) -> Path:
    """A notebook's folder, and nothing kept in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(folder: Path) -> Any:
    return json.loads((folder / ".stylelib" / "predictions.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("where", "said"),
    [((0.9, 0.3), "the face"), ((0.7, 0.9), "the legs"), ((0.5, 0.9), "somewhere else")],
)
def test_a_place_is_kept_by_the_name_of_its_region(
    folder: Path, where: tuple[float, float], said: str
) -> None:
    asked = predict_place("80.1", "What goes first?", IMAGE, REGIONS)
    assert asked.value is None and not list(folder.iterdir())
    asked.points.value = [list(where)]  # as the browser does
    again = predict_place("80.1", "What goes first?", IMAGE, REGIONS)  # after a restart
    assert again.value == where and again.points.touched
    told = reveal_place("80.1", "the face", "It is small.").text
    assert ("As you predicted" in told) == (said == "the face")
    assert "frame around the face" in told and "data:image" in told
    assert again.points.disabled
    assert predict_place("80.1", "What goes first?", IMAGE, REGIONS).points.disabled
    stored = folder / ".stylelib" / "predictions.json"
    file = HandedIn("ada", "predictions.json", lambda: stored.open("rb"))
    (question,) = read_predictions([file])
    assert question.said == {said: 1} and question.answer == "the face"


def test_a_curve_is_kept_by_its_shape_and_shown_beside_the_real_one(folder: Path) -> None:
    asked = predict_curve("81.1", "How will it fall?", 40)
    assert asked.value is None
    asked.value = [0.9, 0.8, 0.5, 0.1]
    assert asked.value == pytest.approx([0.9, 0.8, 0.5, 0.1])
    assert kept(folder)["81.1"]["said"] == SHAPES[4]
    loss = [50 * math.exp(-step / 8) for step in range(41)]
    told = reveal_curve("81.1", loss, "Steps get shorter.").text
    assert "You predicted: it falls slowly, and then faster." in told and "data:image" in told
    assert "What came out: it falls fast, and then more and more slowly." in told
    assert "0 of your 1 predictions" in surprises("81").text
    drawn, real = asked.compared([number / 50 for number in loss]).figure.axes[0].lines
    assert list(drawn.get_ydata()) == pytest.approx([1, 0.9, 0.8, 0.5, 0.1])
    assert list(real.get_ydata()) == pytest.approx([number / 50 for number in loss])


def test_who_makes_no_prediction_sees_only_what_came_out(folder: Path) -> None:
    predict_place("82.1", "What goes first?", IMAGE, REGIONS)
    predict_curve("82.2", "How will it fall?", 40)
    told = [reveal_place("82.1", "the face"), reveal_curve("82.2", [4.0, 3.0, 2.0, 1.0, 0.0])]
    assert all("You made no prediction" in one.text and "img" not in one.text for one in told)
    assert repr(told[1]) == "What came out: it falls evenly."
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([1, 1.02, 0.98, 1, 0.97], SHAPES[0]),
        ([1, 1.1, 1.2, 1.3, 1.5], SHAPES[1]),
        ([1, 0.4, 0.3, 0.6, 0.9], SHAPES[2]),
        ([1, 0.4, 0.3, 0.25, 0.2], SHAPES[3]),
        ([1, 0.95, 0.9, 0.6, 0.1], SHAPES[4]),
        ([1, 0.75, 0.5, 0.25, 0], SHAPES[5]),
        ([1, 1.2, 0.6, 0.3, 0.2], SHAPES[5]),
    ],
)
def test_the_shape_of_a_curve_in_words(numbers: list[float], words: str) -> None:
    assert shape(numbers) == words
    finer = [numbers[i // 3] + (numbers[min(i // 3 + 1, 4)] - numbers[i // 3]) * (i % 3) / 3
             for i in range(3 * POINTS + 1)]  # fmt: skip
    assert shape(finer) == words  # however many numbers there are


def test_what_a_notebook_stores_has_the_picture_and_the_question() -> None:
    for asked in (
        predict_place("83.1", "What goes first?", IMAGE, REGIONS),
        predict_curve("83.2", "How will it fall?", 40),
    ):
        data, metadata = asked._repr_mimebundle_()
        (kind,) = (kind for kind in data if kind.startswith("image/"))
        assert asked.question in data["text/plain"] and "arrow keys" in metadata[kind]["alt"]


def test_mistakes_are_explained() -> None:
    with pytest.raises(StylelibError, match="at least one region"):
        predict_place("84.1", "Where?", IMAGE, {})
    with pytest.raises(StylelibError, match="at least 4 steps"):
        predict_curve("84.2", "How?", 2)
    with pytest.raises(StylelibError, match="has 4 numbers"):
        predict_curve("84.3", "How?", 8).value = [1.0]
    predict_place("84.4", "Where?", IMAGE, REGIONS)
    with pytest.raises(StylelibError, match="region"):
        reveal_place("84.4", "the tail")
