"""The studio's second painting, its mask and its settings, from Python and with the mouse."""

import base64
import datetime
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylelib import StylelibError, Transfer, load_image, read_recipe
from stylelib.recipes import METHODS, RECIPES, SETTINGS, Recipe, Setting
from stylelib.studio import Studio
from stylelib.studio.runs import Run

QUICK: dict[str, Any] = {
    "method": "gram",
    "content_layers": {"conv2_2": 1.0},
    "style_layers": {"conv1_1": 1.0},
}


@pytest.fixture
def studio() -> Iterator[Studio]:
    studio = Studio(size=64, steps=10, **QUICK)
    yield studio
    studio.close()


@pytest.fixture
def left() -> Tensor:
    """A mask of the left half of the camel."""
    half = torch.zeros(1, 1, 36, 64)
    half[..., :32] = 1
    return half


def again(run: Run) -> Tensor:
    """The picture that the run's code paints."""
    names: dict[str, Any] = {}
    exec(run.code(), names)
    picture: Tensor = names["picture"]
    return picture


def sent(image: Image.Image) -> str:
    """A picture as the browser sends it."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def test_two_paintings_are_blended(studio: Studio) -> None:
    one = studio.paint()
    assert studio.recipe.style_shares == ()
    studio.set(second="kandinsky-composition-viii", style_shares=(0.25, 0.75))
    assert studio.knobs["style_shares"].slider.value == 75
    both = studio.paint()
    assert both.title.endswith("after The Great Wave off Kanagawa and Composition VIII")
    assert not torch.equal(one.picture(), both.picture())
    assert torch.equal(again(both), both.picture())
    assert "Composition VIII" in studio.desk.session.table.value
    record = read_recipe(studio.save())
    assert record is not None
    assert record["style"] == ["hokusai-great-wave", "kandinsky-composition-viii"]
    assert record["recipe"]["style_shares"] == [0.25, 0.75]
    studio.set(second=None)
    assert studio.recipe.style_shares == () and len(studio.paint().paintings) == 1


def test_the_blend_can_change_while_painting(studio: Studio) -> None:
    studio.set(second="kandinsky-composition-viii", style_shares=(1, 0))
    honest, seen = Transfer.__next__, []

    def turning(transfer: Transfer) -> Any:
        step = honest(transfer)
        seen.append(tuple(transfer.recipe.style_shares))
        if step.iteration == 4:
            studio.knobs["style_shares"].slider.value = 80
        return step

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transfer, "__next__", turning)
        run = studio.paint()
    assert seen[3] == (1.0, 0.0) and seen[-1] == (0.2, 0.8)
    assert run.changes == {4: {"style_shares": (0.2, 0.8)}}
    assert torch.equal(again(run), run.picture())


def test_a_second_painting_waits_for_the_next_run(studio: Studio) -> None:
    run = studio.paint()
    assert run.can_follow("style_shares", ()) and not run.can_follow("style_shares", (0.5, 0.5))
    studio.set(second="hokusai-poppies")
    assert run.follow(studio.recipe) == ({}, {"style_shares": (0.5, 0.5)})
    assert run.recipe_at(99).style_shares == ()


def test_a_studios_values_can_be_set_on_another(studio: Studio, left: Tensor) -> None:
    studio.set(style_shares=(0.3, 0.7), mask=left, second="hokusai-poppies", style_scale=2)
    twin = Studio(size=64, steps=10, **QUICK).set(**studio.values)
    assert torch.equal(studio.paint().picture(), twin.paint().picture())
    assert twin.run is not None and twin.run.code() == studio.run.code()  # type: ignore[union-attr]
    twin.close()


def test_the_statistic_and_the_matched_colours(studio: Studio) -> None:
    run = studio.set(statistic="mean_std", match_colors=True).paint()
    assert (run.recipe.statistic, run.recipe.match_colors) == ("mean_std", True)
    assert torch.equal(again(run), run.picture())
    for change in ({"match_colors": False}, {"statistic": "sliced"}):
        other = studio.set(**change).paint()
        assert not torch.equal(other.picture(), run.picture())
        run = other
    assert run.can_follow("statistic", "gram") and not run.can_follow("match_colors", True)
    with pytest.raises(StylelibError, match="no statistic called 'kurtosis'"):
        studio.set(statistic="kurtosis")


def test_outside_the_mask_the_photo_is_unchanged(studio: Studio, left: Tensor) -> None:
    run = studio.set(mask=left).paint()
    photo = load_image("camel", 64)
    assert torch.equal(run.picture()[..., 32:], photo[..., 32:])
    assert not torch.equal(run.picture()[..., :32], photo[..., :32])
    saved = studio.save()
    record = read_recipe(saved)
    assert record is not None and record["where"] == [run.mask.name]  # type: ignore[union-attr]
    assert (saved.parent / record["where"][0]).is_file()
    assert torch.equal(again(run), run.picture())


def test_a_mask_between_two_paintings(studio: Studio, left: Tensor) -> None:
    Image.fromarray((left[0, 0] * 255).byte().numpy()).save("half.png")
    run = studio.set(mask="half.png", second="hokusai-poppies").paint()
    photo = load_image("camel", 64)
    for part in (slice(0, 32), slice(32, 64)):
        assert not torch.equal(run.picture()[..., part], photo[..., part])
    assert "load_mask('half.png', 64)" in run.code()
    assert torch.equal(again(run), run.picture())


def test_another_photo_removes_the_mask(studio: Studio, left: Tensor) -> None:
    studio.set(mask=left)
    studio.set(content="hokusai-poppies")
    assert studio.mask.value is None
    assert studio.set(mask=left).set(mask=None).mask.value is None


def test_a_bad_mask_is_reported(studio: Studio, left: Tensor) -> None:
    Path("essay.png").write_text("no picture")
    for bad, message in {
        "essay.png": "essay.png is not a picture",
        "nowhere.png": "There is no file nowhere.png",
    }.items():
        with pytest.raises(StylelibError, match=message):
            studio.set(mask=bad)
    with pytest.raises(StylelibError, match="black all over"):
        studio.set(mask=left * 0)
    with pytest.raises(StylelibError, match="as load_mask makes it"):
        studio.set(mask=left[0])
    # Proportions unlike the photo's are reported when painting starts, and nothing is lost.
    studio.set(mask=torch.ones(1, 1, 40, 40))
    with pytest.raises(StylelibError, match="the proportions of its picture"):
        studio.paint()
    assert studio.set(mask=None).paint().finished


def uploaded(name: str, data: bytes) -> tuple[dict[str, Any]]:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return ({"name": name, "type": "image/png", "size": 1, "content": data, "last_modified": now},)


def test_a_mask_is_uploaded(studio: Studio) -> None:
    data = base64.b64decode(sent(Image.new("L", (64, 36), 255)).partition(",")[2])
    studio.mask.upload.value = uploaded("w.png", data)
    assert studio.mask.value is not None and studio.mask.upload.value == ()
    studio.mask.upload.value = uploaded("../w.png", b"no")
    assert "<b>w.png is not a picture" in studio.mask.message.value


def test_what_the_browser_draws_is_the_mask(studio: Studio) -> None:
    drawn = Image.new("L", (512, 288))
    drawn.paste(255, (0, 0, 256, 288))
    studio.mask.canvas.mask = sent(drawn)
    run = studio.paint()
    photo = load_image("camel", 64)
    changed = (run.picture() - photo).abs().amax((0, 1, 2)) > 0
    assert changed[:30].all() and not changed[34:].any()
    studio.mask.canvas.mask = ""  # everything is erased
    assert studio.mask.value is None
    studio.mask.canvas.mask = "data:image/png;base64,@@@"
    assert studio.mask.value is None


def made_up(name: str, kind: str, default: Any, **known: Any) -> Any:
    """A field of a recipe, as `Recipe` has them."""
    known = {"label": f"made-up {name}"} | known
    return field(default=default, metadata={"setting": Setting(kind, f"Help for {name}.", **known)})


@dataclass(frozen=True)
class Glittering(Recipe):
    """A recipe with settings that stylelib doesn't have, one of each kind."""

    glitter: float = made_up("glitter", "number", 3.0, low=0, high=50, shown=(0, 10, 0.5))
    sparks: int = made_up("sparks", "whole", 7, low=0, high=99)
    shine: float = made_up("shine", "number", 0.1, low=0, high=1e6, live=False)
    metal: str = made_up("metal", "choice", "gold", choices=("gold", "silver"))
    night: bool = made_up("night", "switch", False)
    hidden: bool = made_up("hidden", "switch", False, label="")


def test_a_new_setting_becomes_a_control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a setting needs for that is its line in `Recipe`."""
    for new in fields(Glittering):
        monkeypatch.setitem(SETTINGS, new.name, new.metadata["setting"])
    for method in METHODS:
        monkeypatch.setitem(RECIPES, method, Glittering())
    studio = Studio(size=64, steps=10, metal="silver", **QUICK)
    (pages,) = (w for w in parts(studio) if isinstance(w, ipywidgets.Accordion) and w.titles[1:])
    knobs = pages.children[pages.titles.index("More")].children
    assert [(type(k).__name__, k.description, k.value) for k in knobs] == [
        ("FloatSlider", "made-up glitter", 3.0),
        ("BoundedIntText", "made-up sparks", 7),
        ("FloatLogSlider", "made-up shine", 0.1),
        ("Dropdown", "made-up metal", "silver"),
        ("Checkbox", "made-up night", False),
    ]
    assert (knobs[0].min, knobs[0].max, knobs[0].step) == (0, 10, 0.5)
    assert knobs[1].max == 99 and knobs[3].options == (("gold", "gold"), ("silver", "silver"))
    assert "Help for glitter. You can change it while painting." in knobs[0].tooltip
    assert "next painting" in knobs[2].tooltip
    with pytest.raises(StylelibError, match="goes from 0 to 10"):
        studio.set(glitter=20)
    with pytest.raises(StylelibError, match="no metal called 'tin'"):
        studio.set(metal="tin")
    honest = Transfer.__next__

    def turning(transfer: Transfer) -> Any:
        step = honest(transfer)
        if step.iteration == 4:
            studio.set(glitter=5, shine=0.2)
        return step

    monkeypatch.setattr(Transfer, "__next__", turning)
    run = studio.set(sparks=8).paint()
    monkeypatch.setattr(Transfer, "__next__", honest)
    assert run.changes == {4: {"glitter": 5.0}}
    assert "takes effect with the next painting" in studio.desk.panel.message.value
    assert torch.equal(again(run), run.picture())
    assert studio.paint().recipe.changed_from(run.recipe) == {"glitter": 5.0, "shine": 0.2}
    assert "made-up shine" in studio.desk.session.table.value
    assert "made-up metal" not in studio.desk.session.table.value  # the same in both
    studio.close()


def parts(widget: Any) -> list[Any]:
    """A widget and all that is in it."""
    return [widget, *(part for child in getattr(widget, "children", ()) for part in parts(child))]
