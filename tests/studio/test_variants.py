"""Several small paintings in one go, and those that please painted large."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from waiting import later

from stylelib import StylelibError
from stylelib.recipes import RECIPES
from stylelib.studio import Painter, Studio
from stylelib.studio.variants import variants

QUICK: dict[str, Any] = {
    "size": 48,
    "steps": 4,
    "content_layers": {"conv2_2": 1.0},
    "style_layers": {"conv1_1": 1.0},
    "method": "gram",
}


@pytest.fixture
def painter() -> Iterator[Painter]:
    painter = Painter(**QUICK)
    yield painter
    painter.close()


def test_nine_variants_differ_in_one_setting() -> None:
    recipe = RECIPES["gram"].but(style_weight=3.0)
    for what in ("likeness", "style_weight", "style_layers", "style_scale"):
        found = variants(what, recipe, {})
        assert len(found) == 9
        recipes = [recipe.but(**settings) for settings in found.values()]
        assert all([*other.changed_from(recipe)] in ([what], []) for other in recipes)
        assert all(a != b for i, a in enumerate(recipes) for b in recipes[:i])
    weights = [
        settings["style_weight"] for settings in variants("style_weight", recipe, {}).values()
    ]
    assert weights == sorted(weights) and weights[4] == 3.0
    paintings = {f"{i}.png": f"number {i}" for i in range(12)}
    assert variants("style", recipe, paintings)["number 8"] == {"style": "8.png"}
    assert len(variants("style", recipe, paintings)) == 9


def test_small_ones_are_shown_and_the_chosen_ones_painted_large(painter: Painter) -> None:
    """As in a kernel: two are clicked on twice, the second one while the first is painted."""
    grid = painter.desk.variants
    grid.what.value = "style_weight"
    grid.start()
    assert len(grid.chooser.pictures) == 9 and not painter.runs
    names = list(grid.chooser.pictures)

    async def work() -> None:
        painter.set(steps=30)
        for name in (names[8], names[0]):
            grid.chooser.buttons.value = name
            grid.chooser.buttons._handle_custom_msg({"twice": name}, [])
        assert "painted next" in painter.desk.panel.message.value
        await later(lambda: len(painter.runs) == 2 and painter.state == "idle")

    asyncio.run(work())
    weights = [run.recipe.style_weight for run in painter.runs]
    assert weights == [32.0, 0.5] and [run.iteration for run in painter.runs] == [30, 30]
    assert painter.values["style_weight"] == 0.5


def test_stopping_paints_nothing_that_waits(painter: Painter) -> None:
    async def work() -> None:
        painter.set(steps=500)
        painter.start()
        painter.paint_next()
        painter.stop()
        await later(lambda: painter.state == "idle")
        await asyncio.sleep(0.3)
        assert painter.state == "idle"

    asyncio.run(work())
    assert len(painter.runs) <= 1


def test_while_a_picture_is_painted_no_variants_are_begun(painter: Painter) -> None:
    async def work() -> None:
        painter.set(steps=500)
        painter.start()
        with pytest.raises(StylelibError, match="is being painted"):
            painter.desk.variants.start()
        painter.desk.variants.button.click()
        assert "is being painted" in painter.desk.variants.text.value
        painter.stop()
        await later(lambda: painter.state == "idle")

    asyncio.run(work())


def test_a_painting_comes_before_the_variants_that_are_under_way(painter: Painter) -> None:
    grid = painter.desk.variants

    async def work() -> None:
        grid.start()
        await later(lambda: grid.chooser.pictures)
        painter.start()
        await later(lambda: painter.runs)
        assert len(grid.chooser.pictures) < 8
        await later(lambda: len(grid.chooser.pictures) == 8)

    asyncio.run(work())


def test_what_can_be_varied_has_a_control() -> None:
    names = {name: [value for _, value in studio.desk.variants.what.options] for name, studio in
             {"painter": Painter(**QUICK), "studio": Studio(**QUICK)}.items()}  # fmt: skip
    assert names["painter"] == ["style", "style_weight"]
    assert names["studio"] == ["style", "style_weight", "style_layers", "style_scale"]
    assert "likeness" in dict(Painter().desk.variants.what.options).values()
