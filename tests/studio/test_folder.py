"""A folder of photos painted from the studio."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from waiting import later

from stylelib import StylelibError, load_image, read_recipe, save_image, to_pil
from stylelib.studio import Studio
from stylelib.studio.folder import REPORT

QUICK: dict[str, Any] = {
    "size": 32,
    "steps": 3,
    "method": "gram",
    "content_layers": {"conv1_2": 1.0},
    "style_layers": {"conv1_1": 1.0},
}


@pytest.fixture
def studio(folder: Path) -> Iterator[Studio]:
    (folder / "photos" / "more").mkdir(parents=True)
    for name in ("a.png", "b.png", "more/c.png"):
        save_image(load_image("camel", 32), folder / "photos" / name)
    studio = Studio(gallery=None, **QUICK)
    yield studio
    studio.close()


def test_each_photo_is_painted_and_reported(studio: Studio, folder: Path) -> None:
    (folder / "photos" / "notes.jpg").write_text("not a picture")
    many, place = studio.folder, folder / "photos-painted"
    studio.set(keep_colors=True)
    many.start()
    names = [
        "a-hokusai-great-wave.png",
        "b-hokusai-great-wave.png",
        "more/c-hokusai-great-wave.png",
    ]
    made = read_recipe(place / names[0])
    assert made is not None and made["recipe"]["steps"] == 3 and made["keep_colors"] is True
    assert sorted(str(p.relative_to(place)) for p in place.rglob("*.png")) == names
    assert "notes.jpg" in many.text.value and "photos-painted" in many.text.value
    assert (place / REPORT).read_text().count("<figure") == 4

    # Again: what is done is skipped, and the painting that fails is told again.
    times = [(place / name).stat().st_mtime_ns for name in names]
    many.start()
    assert [(place / name).stat().st_mtime_ns for name in names] == times
    assert sum(one.before for one in many.painted) == 3 and many.button.disabled is False


def test_two_paintings_are_blended(studio: Studio, folder: Path) -> None:
    studio.set(second="hokusai-poppies", style_shares=(0.3, 0.7))
    studio.folder.name.value = "photos/more"
    studio.folder.start()
    (path,) = (folder / "photos" / "more-painted").glob("*.png")
    made = read_recipe(path)
    assert made is not None and made["style"] == ["hokusai-great-wave", "hokusai-poppies"]


def test_it_can_be_stopped_and_goes_on(studio: Studio, folder: Path) -> None:
    """As in a kernel, where it paints in the background."""
    many = studio.folder

    async def use() -> None:
        studio.set(steps=100)
        many.button.click()
        assert many.button.disabled and studio.state == "idle"
        with pytest.raises(StylelibError, match="is being painted"):
            many.start()
        await later(lambda: many.painted)
        many.halt.click()
        await later(lambda: not many.button.disabled)
        assert 1 <= len(many.painted) < 3
        many.button.click()
        await later(lambda: len(many.painted) == 3 and not many.button.disabled)

    asyncio.run(use())
    assert sum(one.before for one in many.painted) >= 1
    assert len(list((folder / "photos-painted").rglob("*.png"))) == 3


def test_what_can_not_be_painted_is_said(studio: Studio, folder: Path) -> None:
    many = studio.folder
    many.name.value = "<b>holidays"
    many.button.click()
    assert "&lt;b&gt;holidays" in many.text.value and "<b>holidays" not in many.text.value
    many.name.value = "photos"
    studio.set(mask=torch.ones(1, 1, 8, 8))
    with pytest.raises(StylelibError, match="for a single photo"):
        many.start()
    studio.set(mask=None, style=to_pil(load_image("hokusai-poppies", 32)))
    with pytest.raises(StylelibError, match="its file beside the notebook"):
        many.start()
