"""Settings that are taken to somebody else's studio, also damaged, old and hostile ones."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from stylelib import StylelibError, save_image
from stylelib.recipes import RECIPES
from stylelib.studio import Painter, Studio

QUICK: dict[str, Any] = {
    "size": 48,
    "steps": 4,
    "content_layers": {"conv2_2": 1.0},
    "style_layers": {"conv1_1": 1.0},
    "method": "gram",
}


@pytest.fixture
def studio() -> Iterator[Studio]:
    studio = Studio(**QUICK)
    yield studio
    studio.close()


def test_another_studio_paints_the_same(studio: Studio, folder: Path) -> None:
    Image.new("RGB", (40, 30), "teal").save(folder / "mine.png")
    mask = torch.zeros(1, 1, 30, 40)
    mask[..., :20] = 1
    save_image(mask.expand(1, 3, -1, -1), folder / "left.png")
    studio.set(
        content="mine.png", style="hokusai-poppies", second="kandinsky-composition-viii",
        style_shares=(0.3, 0.7), mask="left.png", keep_colors=True, optimizer="adam", steps=6,
        centered=False,
    )  # fmt: skip
    painted = studio.paint().picture()
    names: dict[str, Any] = {}
    exec(studio.desk.share.copy_settings.text.replace("\n\n", "\n\nother = "), names)
    other = names["other"]
    assert other.desk.share.message.value == ""
    assert other.recipe == studio.recipe and torch.equal(other.paint().picture(), painted)
    # As does what was saved: the settings by themselves, and the picture.
    studio.desk.share.save.click()
    assert "hokusai-poppies-settings.json" in studio.desk.share.saved.value
    for file in (folder / "mine-hokusai-poppies-settings.json", studio.save()):
        again = Studio(setup=file)
        assert again.setup() == studio.setup(), file
    assert str(folder) not in studio.setup()


def test_opening_with_the_button(studio: Studio) -> None:
    other = Painter("hokusai-poppies", style="camel", size=64)
    upload = studio.desk.share.upload
    upload.value = ({"name": "s.json", "size": 1, "content": other.setup().encode()},)
    assert studio.values["content"] == "hokusai-poppies" and studio.values["style"] == "camel"
    assert studio.recipe == other.recipe
    upload.value = ({"name": "essay.txt", "size": 1, "content": b"an essay"},)
    assert "essay.txt has no settings" in studio.desk.share.message.value


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("nowhere.json", "There is no file nowhere.json"),
        ("{", "damaged"),
        ("{}", "has no settings"),
        ('{"recipe": [1]}', "has no settings"),
        ('{"recipe":' + "[" * 90_000 + "]" * 9_000, "damaged"),
        ('{"recipe": "' + "a" * 200_000, "too long"),
        (b"\x89PNG\r\n", "has no settings"),
        (b"", "has no settings"),
        (7, "not 7"),
        ("a\0b", "There is no file"),
    ],
)
def test_what_holds_no_settings_is_refused(studio: Studio, given: Any, words: str) -> None:
    before = studio.setup()
    with pytest.raises(StylelibError, match=words):
        studio.use(given)
    assert studio.setup() == before


def test_what_is_right_is_used_and_the_rest_is_said(studio: Studio, folder: Path) -> None:
    recipe = studio.recipe.as_dict() | {
        "shine": 3, "size": "huge", "tv_weight": -1, "style_weight": float("nan"), "steps": 5000,
        "style_layers": {"conv9_9": 1}, "seed": 12,
    }  # fmt: skip
    record = {
        "content": "../../etc/passwd",
        "style": ["hokusai-poppies", {"a": 1}, 5],
        "where": "no list",
        "keep_colors": "yes",
        "recipe": recipe,
    }
    before = studio.recipe
    notes = studio.use(json.dumps(record))
    usual = RECIPES["gram"]  # for what can't be used
    wrong = ("size", "tv_weight", "style_weight", "style_layers")
    changes = {name: getattr(usual, name) for name in wrong} | {"seed": 12, "steps": 5000}
    assert studio.recipe == before.but(**changes) and not studio.values["keep_colors"]
    assert studio.values["content"] == "camel" and studio.values["style"] == "hokusai-poppies"
    said = " ".join(notes)
    for word in ("shine", "size", "tv_weight", "style_weight", "conv9_9", "no picture passwd here"):
        assert word in said
    assert all(note.endswith((".", "?")) for note in notes)
    assert "passwd" in studio.desk.share.message.value


def test_a_blend_needs_the_studio(studio: Studio) -> None:
    studio.set(second="hokusai-poppies", style_shares=(0.5, 0.5))
    painter = Painter()
    assert "Two paintings" in " ".join(painter.use(studio.setup()))
    painter.paint()


def test_a_recipe_changed_on_the_way_is_the_last_one(studio: Studio) -> None:
    run = studio.paint()
    run.changes = {2: {"style_weight": 5.0}, 10: {"style_weight": 7.0}}
    notes = studio.use(studio.save())
    assert studio.recipe.style_weight == 5.0  # the second change came after the last step
    assert "while this picture was painted" in notes[0]
