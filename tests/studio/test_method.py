"""The method as the first choice: the knobs that it shows, and what its runs say."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import ipywidgets
import pytest
import torch
from torch import Tensor

from stylelib import StylelibError, Transfer, read_recipe
from stylelib.engine.pace import Pace
from stylelib.recipes import METHODS, RECIPES, Recipe
from stylelib.studio import Painter, Studio, jobs
from stylelib.studio.picture import Picture
from stylelib.studio.runs import Run

TINY: dict[str, Any] = {"size": 32, "steps": 6}


@pytest.fixture
def studio() -> Iterator[Studio]:
    studio = Studio(**TINY)
    yield studio
    studio.close()


def again(run: Run) -> Tensor:
    """The picture that the run's code paints."""
    names: dict[str, Any] = {}
    exec(run.code(), names)
    picture: Tensor = names["picture"]
    return picture


def visible(widget: Any) -> list[Any]:
    """A widget and all that is in it, without what is hidden."""
    if widget.layout.display == "none":
        return []
    children = getattr(widget, "children", ())
    return [widget, *(part for child in children for part in visible(child))]


def paint_and(studio: Studio, act: Callable[[], object], at: int = 3) -> Run:
    """Paint, and do something right after a step, as if with the mouse."""
    honest = Transfer.__next__

    def acting(transfer: Transfer) -> Any:
        step = honest(transfer)
        if step.iteration == at:
            act()
        return step

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transfer, "__next__", acting)
        return studio.paint()


def test_the_method_comes_first_and_says_what_it_does(studio: Studio) -> None:
    assert next(iter(studio.controls)) == "method" and studio.values["method"] == "neighbours"
    assert studio.recipe == RECIPES["neighbours"].but(**TINY)
    words = "Each place of the photo takes the most similar place of the painting."
    buttons = studio.method.buttons
    assert words in studio.method.children[1].value and words in buttons.tooltips[0]
    assert all("next painting" in tooltip for tooltip in buttons.tooltips)
    buttons.value = "gram"  # with the mouse
    assert studio.recipe == RECIPES["gram"].but(**TINY)
    assert "as a whole" in studio.method.children[1].value
    assert studio.set(method="neighbours").recipe == RECIPES["neighbours"].but(**TINY)
    assert buttons.value == "neighbours"
    with pytest.raises(StylelibError, match="no method called 'gramm'"):
        Painter(method="gramm")


def test_only_knobs_with_an_effect_are_shown(studio: Studio) -> None:
    def shown(painter: Painter) -> list[str]:
        sliders = (ipywidgets.FloatSlider, ipywidgets.FloatLogSlider)
        return [part.description for part in visible(painter) if isinstance(part, sliders)]

    def ends(painter: Painter) -> str:
        return "".join(p.value for p in visible(painter) if isinstance(p, ipywidgets.HTML))

    painter = Painter(**TINY)
    assert shown(painter) == ["likeness"] and "more painting · more photo" in ends(painter)
    painter.set(method="gram")
    assert shown(painter) == ["style weight"] and "more photo · more painting" in ends(painter)
    painter.close()

    both = {"smoothness", "stroke size", "conv1_1"}
    assert shown(studio)[0] == "likeness" and both <= {*shown(studio)}
    assert shown(studio).count("style weight") == 1
    assert {"content weight", "conv4_2"}.isdisjoint(shown(studio))
    studio.set(method="gram")
    assert shown(studio)[0] == "style weight" and both <= {*shown(studio)}
    assert "likeness" not in shown(studio)
    assert {"content weight", "conv4_2"} <= {*shown(studio)}


def test_what_was_asked_for_stays_with_either_method() -> None:
    studio = Studio(**TINY, style_weight=10.0, coarse_to_fine=False)
    studio.set(likeness=0.8, tv_weight=3, clamp=False, method="gram")
    expected = {"style_weight": 10.0, "coarse_to_fine": False, "clamp": False}
    expected |= TINY | {"likeness": 0.8, "tv_weight": 3.0}
    assert studio.recipe == RECIPES["gram"].but(**expected)
    studio.set(method="neighbours")
    assert studio.recipe == RECIPES["neighbours"].but(**expected)
    studio.close()
    studio = Studio(**TINY).set(method="gram", style_weight=30)
    assert studio.recipe.style_weight == 30
    assert studio.set(method="neighbours").recipe.style_weight == 0.6
    with pytest.raises(StylelibError, match=r"goes from 0\.019 to 19"):
        studio.set(style_weight=30)
    assert studio.set(style_weight=19).recipe.style_weight == 19  # the end, as it is shown
    studio.close()


@pytest.mark.parametrize("method", METHODS)
def test_code_and_record_make_the_same_picture(studio: Studio, method: str) -> None:
    knob = {"neighbours": "likeness", "gram": "style_weight"}[method]
    first = studio.set(method=method).paint()
    recipe = {"neighbours": 'RECIPES["neighbours"].but', "gram": 'RECIPES["gram"].but'}[method]
    assert f"{recipe}(size=32, steps=6)" in first.code()
    assert torch.equal(again(first), first.picture())
    record = read_recipe(studio.save())
    assert record is not None and Recipe(**record["recipe"]) == first.recipe

    live = paint_and(studio, lambda: studio.set(**{knob: 0.9}))
    assert live.changes == {3: {knob: 0.9}}
    assert not torch.equal(live.picture(), first.picture())
    assert torch.equal(again(live), live.picture())

    studio.set(**{knob: 0.2})
    studio.go_on(live.frames[-3].iteration)
    later = studio.run
    assert later is not None and later.iteration == 6
    assert later.changes == {3: {knob: 0.9}, 4: {knob: 0.2}}
    assert torch.equal(again(later), later.picture())


def test_another_method_waits_for_the_next_painting(studio: Studio) -> None:
    first = paint_and(studio, lambda: studio.set(method="gram", style_weight=30, tv_weight=5))
    assert first.changes == {}
    assert "takes effect with the next painting" in studio.desk.panel.message.value
    # To and fro, and then a change that the run can take.
    second = studio.set(tv_weight=0).paint()
    assert second.recipe == RECIPES["gram"].but(**TINY, style_weight=30.0)

    def to_and_fro() -> None:
        studio.set(method="neighbours", likeness=0.9).set(method="gram", style_weight=30)
        studio.set(content_weight=2.0)

    third = paint_and(studio, to_and_fro)
    assert third.recipe == second.recipe
    assert third.changes == {3: {"likeness": 0.9, "style_weight": 30.0, "content_weight": 2.0}}
    assert torch.equal(again(third), third.picture())


def test_continuing_keeps_the_method_and_says_so() -> None:
    async def work() -> None:
        studio = Studio(**TINY)
        studio.start()
        assert studio.run is not None
        studio.wait()
        run = studio.run
        studio.set(method="gram")
        studio.go_on(run.frames[2].iteration)
        assert "takes effect with the next painting" in studio.desk.panel.message.value
        studio.wait()
        again = studio.run
        assert again is not None and again is not run and again.changes == {}
        assert "neighbours" in again.losses[-1]
        studio.close()

    asyncio.run(work())


def test_each_run_shows_its_own_losses(studio: Studio) -> None:
    run = studio.paint()
    curve = studio.desk.panel.curve
    assert f"Neighbour loss {run.losses[-1]['neighbours']:.2g} and style loss" in curve.value
    table = studio.desk.session.table
    assert "neighbour loss" in table.value and "content loss" not in table.value
    studio.set(method="gram").paint()
    assert "Content loss" in curve.value
    heads = [part.split("</th>")[0] for part in table.value.split("</tr>")[0].split("<th>")[1:]]
    # No columns for the settings that come with the method.
    assert heads == ["", "method", "style loss", "neighbour loss", "content loss", "time"]
    assert "Neighbours (2022)" in table.value and "<b>Gram matrices (2015)</b>" in table.value
    studio.set(style_weight=9).paint()
    assert "<th>style weight</th>" in table.value and "<b>9</b>" in table.value


class Listener:
    """What a widget is to its gauge."""

    def told(self) -> None:
        pass


def test_the_pace_is_measured_for_each_kind_of_run(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[float] = []

    def measure(make: Any, recipe: Recipe) -> Pace:
        measured.append(recipe.neighbour_weight)
        return Pace(fixed=len(measured))

    monkeypatch.setattr(jobs, "measure_pace", measure)
    listener, picture = Listener(), Picture("camel", "camel")
    gauge = jobs.Gauge(listener.told, lambda recipe: None)  # type: ignore[arg-type, return-value]
    neighbours, gram = (Run(1, picture, picture, RECIPES[method]) for method in METHODS)
    blend = replace(gram, second=picture)
    masked = replace(blend, mask=picture)
    assert gauge.pace(gram) is None
    for run in (neighbours, neighbours, gram, gram, blend, masked, replace(gram, number=7)):
        gauge.measure(run)
        gauge.wait()
        assert gauge.pace(neighbours) == Pace(fixed=1)
        if run is neighbours:  # better than none
            assert gauge.pace(gram) == Pace(fixed=1)
        if run is gram:  # the same method's
            assert gauge.pace(masked) == Pace(fixed=2)
    assert measured == [1, 0, 0, 0] and gauge.pace(masked) == Pace(fixed=4)


def test_a_pace_that_cannot_be_measured_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Recipe] = []

    def measure(make: Any, recipe: Recipe) -> Pace:
        tried.append(recipe)
        raise StylelibError("There is no file soon.png.")

    monkeypatch.setattr(jobs, "measure_pace", measure)
    listener, picture = Listener(), Picture("camel", "camel")
    gauge = jobs.Gauge(listener.told, lambda recipe: None)  # type: ignore[arg-type, return-value]
    run = Run(1, picture, picture, RECIPES["gram"])
    for _ in range(3):
        gauge.measure(run)
        gauge.wait()
    assert len(tried) == 1 and gauge.pace(run) is None


def test_in_a_kernel_the_expected_time_is_that_of_the_method(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def measure(make: Any, recipe: Recipe) -> Pace:
        return Pace(fixed=600 / 6 if recipe.neighbour_weight else 7200 / 6, per_pixel=0.0)

    monkeypatch.setattr(jobs, "measure_pace", measure)

    async def work() -> None:
        painter = Painter(**TINY)

        async def until_it_says(unit: str) -> None:
            deadline = time.monotonic() + 20
            while unit not in painter.desk.expect.value:
                assert time.monotonic() < deadline, painter.desk.expect.value
                await asyncio.sleep(0.01)

        painter._repr_mimebundle_()
        await until_it_says("minutes")
        painter.set(method="gram")
        await until_it_says("hours")
        painter.close()
        assert "stylelib painter" not in [t.name for t in threading.enumerate()]

    asyncio.run(work())
