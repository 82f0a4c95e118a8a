"""The pictures that are kept in a folder, and are there again when a painter is made anew."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from stylelib import load_image, read_recipe, save_image
from stylelib.studio import Painter, Studio, gallery

# One early layer on a tiny picture: real painting, in a hundredth of a second a step.
QUICK: dict[str, Any] = {
    "size": 32,
    "steps": 3,
    "method": "gram",
    "content_layers": {"conv1_2": 1.0},
    "style_layers": {"conv1_1": 1.0},
}


@pytest.fixture
def folder(folder: Path) -> Path:
    """Where a painter in the current folder keeps its pictures."""
    return folder / "painted"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_painted_is_there_again(folder: Path) -> None:
    first = Studio(**QUICK)
    first.start()  # outside a kernel, right here
    mask = torch.zeros(1, 1, 18, 32)
    mask[..., :16] = 1
    first.set(second="hokusai-poppies", mask=mask, style_weight=7.0, keep_colors=True).start()
    first.set(steps=5).go_on(2)
    first.set(keep_colors=False)  # this one as it was painted, the others in the photo's colours
    first.paint()  # from code: whoever wrote it has the run, and needs no file
    assert len(first.runs) == 4
    pictures = [name for name in names(folder) if not name.startswith("mask-")]
    assert pictures == [f"00{n}-camel-hokusai-great-wave.png" for n in (1, 2, 3)]

    again = Studio(**QUICK)
    assert [run.title for run in again.runs] == [run.title for run in first.runs[:3]]
    for before, after in zip(first.runs, again.runs, strict=False):
        painted = load_image(folder / pictures[before.number - 1])
        assert torch.equal(after.picture() if not after.colors else after.image, painted)  # type: ignore[arg-type]
        assert after.code() == before.code()
        assert after.recipe_at(after.iteration) == before.recipe_at(before.iteration)
        assert after.losses[-1] == pytest.approx(before.losses[-1], rel=1e-3)
        assert len(after.losses) == before.iteration
    assert again.runs[1].mask is not None and again.runs[1].mask.load(None).shape[1] == 3
    assert again.run is None  # the painter begins as always, with the photo
    assert "painted" in again.desk.session.kept.value and again.desk.session.layout.display is None
    again.desk.session.chooser.value = "No. 2"
    assert again.run is again.runs[1] and again.desk.buttons["continue"].disabled
    again.set(compare=50, against="No. 1")
    again.start()
    assert again.runs[-1].number == 4
    first.close()
    again.close()


def test_the_folder_stays_small_and_others_files_stay(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "KEPT", 2)
    folder.mkdir()
    mine = save_image(load_image("camel", 16), folder / "000-mine.png")
    studio = Studio(**QUICK)
    mask = torch.ones(1, 1, 18, 32)
    mask[..., :8] = 0
    studio.set(mask=mask).start()
    (drawn,) = (path for path in folder.glob("mask-*.png"))
    studio.set(mask=None)
    for _ in range(2):
        studio.start()
    assert names(folder) == [
        mine.name,
        "002-camel-hokusai-great-wave.png",
        "003-camel-hokusai-great-wave.png",
    ]
    assert not drawn.exists()
    monkeypatch.setattr(gallery, "LARGEST", 100)
    studio.start()
    assert names(folder) == [mine.name, "004-camel-hokusai-great-wave.png"]
    studio.close()


def test_nothing_is_kept_unasked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def keeps_nothing(painter: Painter) -> None:
        painter.start()
        assert len(painter.runs) == 1 and not folder.exists()
        assert painter.desk.session.kept.value == ""
        painter.close()

    keeps_nothing(Painter(gallery=None, **QUICK))
    with monkeypatch.context() as page:
        page.setenv("VOILA_REQUEST_URL", "http://localhost:8866/")  # a web page for many
        keeps_nothing(Painter(**QUICK))
    folder.write_text("a file, not a folder")
    painter = Painter(**QUICK)
    painter.start()
    assert len(painter.runs) == 1
    assert "are not kept" in painter.desk.session.kept.value
    painter.close()


def test_a_damaged_picture_does_not_hide_the_others(folder: Path) -> None:
    painter = Painter(**QUICK)
    painter.start()
    painter.close()
    (good,) = folder.iterdir()
    record = read_recipe(good)
    assert record is not None
    image = load_image(good)
    wrong: list[Any] = [
        {"style": []},
        {"recipe": {"size": 10**9}},
        {"recipe": 3},
        {"history": 3},
        {"history": {"seconds": 1, "losses": {}}},
        {"history": {"seconds": 1, "losses": {"style": [1.0]}}},
        {"steps_done": "many"},
        {"changes": [1]},
        {"content": 5},
    ]
    for number, change in enumerate(wrong):
        save_image(image, folder / f"1{number:02d}-x.png", record | change)
    (folder / "200-x.png").write_bytes(good.read_bytes()[:300])
    Image.new("RGB", (8, 8)).save(folder / "201-x.png")
    save_image(image, folder / "202-x.png", record)
    painter = Painter(**QUICK)
    assert [run.number for run in painter.runs] == [1, 202]
    painter.close()


def test_a_picture_stopped_early_is_finished_on_request() -> None:
    async def work() -> None:
        painter = Painter(**QUICK | {"size": 48, "steps": 150, "coarsest": 16})
        painter.start()
        run = painter.run
        assert run is not None

        async def until(state: str) -> None:
            deadline = time.monotonic() + 300
            while painter.state != state or (state == "painting" and run.iteration < 2):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.005)

        finish = painter.desk.buttons["finish"]
        await until("painting")
        assert finish.layout.display == "none"
        painter.desk.buttons["stop"].click()
        await until("idle")
        await asyncio.sleep(0.05)
        said = painter.desk.panel.text.value
        assert re.search(r"still small, (16 × 9|24 × 14) pixels; finishing it takes a few s", said)
        painter.desk.buttons["save"].click()
        assert "still small" in painter.desk.saved.value
        assert finish.layout.display is None
        finish.click()
        await until("idle")
        await asyncio.sleep(0.05)
        assert painter.run is not run and painter.run is not None
        assert painter.run.picture().shape[-1] == 48 and painter.run.iteration == 150
        assert finish.layout.display == "none"
        painter.desk.buttons["save"].click()
        assert "still small" not in painter.desk.saved.value
        painter.close()

    asyncio.run(work())


@pytest.mark.parametrize("kind", [Painter, Studio])
def test_a_sketch_takes_few_steps(kind: type[Painter]) -> None:
    painter = kind(gallery=None)
    assert painter.recipe.steps == 200
    painter.set(size="sketch")
    assert painter.recipe.steps == 30
    assert painter.set(method="gram").recipe.steps == 30
    assert painter.set(size="poster").recipe.steps == 200
    assert painter.set(steps=70, size="sketch").recipe.steps == 70  # chosen: it stays
    painter.close()
    painter = kind(size="sketch", steps=90, gallery=None)
    assert painter.recipe.steps == 90
    painter.close()
