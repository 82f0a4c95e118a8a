"""The painter and the studio, driven from Python and as in a kernel."""

import asyncio
import base64
import io
import json
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import ipywidgets
import psutil
import pytest
import torch
from PIL import Image
from waiting import later

from stylelib import StylelibError, Transfer, load_image, read_recipe, to_pil
from stylelib.engine.network import NetworkCache
from stylelib.engine.pace import Pace, about, measure_pace
from stylelib.pictures.color import keep_colors
from stylelib.recipes import RECIPES, Recipe
from stylelib.studio import Painter, Studio
from stylelib.studio.chooser import PictureChooser
from stylelib.studio.curve import loss_curve
from stylelib.studio.picture import Picture
from stylelib.studio.uploads import Upload

# One early layer on a tiny picture: real painting, in a hundredth of a second a step.
TINY: dict[str, Any] = {
    "size": 48,
    "steps": 12,
    "content_layers": {"conv2_2": 1.0},
    "style_layers": {"conv1_1": 1.0, "conv2_1": 1.0},
}
QUICK = TINY | {"method": "gram"}


@pytest.fixture
def painter() -> Iterator[Painter]:
    painter = Painter(**QUICK)
    yield painter
    painter.close()


def shown(painter: Painter) -> Image.Image:
    return opened(painter.desk.viewer.image.value)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def far(a: Any, b: Any) -> float:
    """Mean difference of two pictures, in 0-255."""
    pixels = [torch.tensor(list(x.convert("RGB").tobytes()), dtype=torch.float32) for x in (a, b)]
    return float((pixels[0] - pixels[1]).abs().mean())


def press(painter: Painter, name: str) -> None:
    button = painter.desk.buttons[name]
    assert not button.disabled
    button.click()


def replay(code: str) -> Any:
    names: dict[str, Any] = {}
    exec(code, names)
    return names["picture"]


def test_painting_gives_a_picture_and_its_recipe(painter: Painter) -> None:
    before = shown(painter)
    run = painter.paint()
    assert run.iteration == 12 and run.finished and painter.run is run
    assert shown(painter).size == (48, 27)
    result = to_pil(run.picture())
    assert far(before.resize((48, 27)), result) > 3 * far(shown(painter), result)  # JPEG's loss
    assert torch.equal(replay(run.code()), run.picture())
    assert len(run.code().splitlines()) == 4
    text = painter.desk.panel.text.value
    assert "Done" in text and "step 12 of 12" in text and "48 × 27" in text
    assert f"style {run.losses[-1]['style']:.2g}" in painter.desk.panel.curve.value


def test_painting_here_can_show_a_bar(painter: Painter, capsys: pytest.CaptureFixture[str]) -> None:
    painter.paint()
    assert capsys.readouterr().out == ""
    painter.paint(bar=True)
    assert "painting: step 12 of 12" in capsys.readouterr().out
    with pytest.raises(StylelibError, match="bar is 1; it must be True or False"):
        painter.paint(bar=1)  # type: ignore[arg-type]


def test_painting_twice_is_the_same(painter: Painter) -> None:
    assert torch.equal(painter.paint().picture(), painter.paint().picture())
    assert [run.number for run in painter.runs] == [1, 2]


def test_controls_from_python(painter: Painter) -> None:
    painter.set(style="kandinsky-composition-viii", style_weight=10, size="sketch")
    assert painter.values["style"] == "kandinsky-composition-viii"
    assert painter.values["style_weight"] == 10
    assert painter.values["size"] == 256
    assert painter.recipe == RECIPES["gram"].but(**TINY).but(size=256, style_weight=10.0)
    assert painter.set(size=100, tv_weight=2.0).recipe.tv_weight == 2.0
    assert painter.values["size"] == 100
    for wrong, words in (
        ({"stile": 1}, "style"),
        ({"style": "hokusai"}, "hokusai"),
        ({"size": "skech"}, "sketch"),
        ({"size": 3}, "size"),
        ({"style_weight": 1e9}, "goes from"),
        ({"style_weight": "much"}, "much"),
        ({"optimizer": "sgd"}, "optimizer"),
        ({"method": "source"}, "no method called 'source'"),
        ({"compare": 101}, "compare"),
    ):
        before = painter.values
        with pytest.raises(StylelibError, match=words):
            painter.set(**wrong)
        assert painter.values == before


def test_every_control_has_a_tooltip_and_keyboard_access() -> None:
    studio = Studio(**QUICK)
    seen = []
    stack: list[Any] = [studio]
    while stack:
        widget = stack.pop()
        stack += getattr(widget, "children", ())
        kinds = (
            ipywidgets.Button,
            ipywidgets.FloatSlider,
            ipywidgets.FloatLogSlider,
            ipywidgets.IntSlider,
            ipywidgets.SelectionSlider,
            ipywidgets.Dropdown,
            ipywidgets.Checkbox,
            ipywidgets.BoundedIntText,
            Upload,
        )
        if isinstance(widget, kinds):
            seen.append(widget)
            assert widget.tooltip, widget
            assert widget.description
        if isinstance(widget, ipywidgets.ToggleButtons):
            assert len(widget.tooltips) >= len(widget.options) - 1
    assert len(seen) > 25
    studio.close()


def test_before_and_after(painter: Painter) -> None:
    easel = painter.desk.viewer.image
    assert not easel.before  # there is nothing to compare yet
    painter.paint()
    after = shown(painter)
    assert far(opened(easel.before), to_pil(load_image("camel", 48))) < 4
    painter.set(compare=50)
    assert easel.split == 50 and "Left of the line: photo." in easel.alt
    assert far(shown(painter), after) == 0  # the line is drawn in the browser
    easel.split = 30  # as the browser sets it
    assert painter.values["compare"] == 30
    photo = easel.before
    painter.set(scrub=0)
    assert easel.before is photo  # not sent again
    painter.set(against="painting")
    assert far(opened(easel.before), to_pil(load_image("hokusai-great-wave", 48))) < 6
    assert (easel.before_name, easel.name) == ("painting", "No. 1")
    painter.paint()
    painter.set(against="No. 1")
    assert far(opened(easel.before), after) < 4


def test_a_photo_keeps_its_proportions_on_the_page(painter: Painter) -> None:
    tall = Image.new("RGB", (30, 60), "teal")
    painter.set(content=tall)
    width, height = painter.desk.viewer.image.shape
    assert height / width == pytest.approx(2, rel=0.05)


def test_back_in_time_and_continue_from_there(painter: Painter) -> None:
    first = painter.paint()
    kept = [frame.iteration for frame in first.frames]
    assert kept[0] == 0 and kept[-1] == 12 and len(kept) > 6
    painter.set(scrub=25)  # three of twelve
    frame = first.frames[3]
    assert far(shown(painter), Image.open(io.BytesIO(frame.jpeg))) < 3
    saved = painter.save()  # saves what is shown
    assert read_recipe(saved)["steps_done"] == kept[3]  # type: ignore[index]
    painter.set(style_weight=20)
    press(painter, "continue")
    second = painter.run
    assert second is not None and second.number == 2 and second.iteration == 12
    assert second.changes == {kept[3]: {"style_weight": 20.0}}
    assert not torch.equal(first.picture(), second.picture())
    assert torch.equal(replay(second.code()), second.picture())
    assert first in painter.runs  # nothing is lost
    painter.go_on(second.frames[-2].iteration)  # without changing a setting
    third = painter.run
    assert third is not None and third.again == [kept[3], second.frames[-2].iteration]
    assert torch.equal(replay(third.code()), third.picture())
    painter.set(steps=20)  # changes no loss, so only `again` restarts the optimiser
    painter.go_on(third.frames[-3].iteration)
    fourth = painter.run
    assert fourth is not None and fourth.iteration == 20
    assert torch.equal(replay(fourth.code()), fourth.picture())
    assert "style weight" in painter.desk.session.table.value
    painter.desk.session.chooser.value = "No. 1"
    assert painter.run is first
    with pytest.raises(StylelibError, match="newest"):
        painter.go_on(kept[2])
    painter.desk.session.chooser.value = "No. 2"
    with pytest.raises(StylelibError, match="not kept"):
        painter.go_on(1000)


def test_save_and_film(painter: Painter, folder: Path) -> None:
    with pytest.raises(StylelibError, match="Press Paint"):
        painter.save()
    assert painter.desk.buttons["save"].disabled
    run = painter.paint()
    press(painter, "save")
    press(painter, "save")
    press(painter, "film")
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"camel-hokusai-great-wave-{end}" for end in ("1.gif", "1.png", "2.png")]
    assert names[0] in painter.desk.saved.value and "download=" in painter.desk.saved.value
    picture = Image.open(folder / names[1])
    assert picture.tobytes() == to_pil(run.picture()).tobytes()
    record = read_recipe(folder / names[1])
    assert record is not None and record["content"] == "camel" and record["recipe"]["size"] == 48
    film = Image.open(folder / names[0])
    assert film.n_frames == len(run.frames) and film.info["loop"] == 0  # type: ignore[attr-defined]
    with pytest.raises(StylelibError, match="folder"):
        painter.save("nowhere/x.png")


def test_a_film_stays_small(folder: Path) -> None:
    painter = Painter(**QUICK | {"size": 640, "steps": 3, "coarse_to_fine": False})
    painter.paint()
    film = Image.open(painter.film())
    assert max(film.size) == 400
    painter.close()


def test_upload(painter: Painter) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (90, 120), (200, 30, 30)).save(buffer, "JPEG")
    file: dict[str, Any] = {"name": "me & <you>.jpg", "type": "image/jpeg", "size": 1}
    file |= {"content": b"no picture", "last_modified": datetime.now()}
    painter.photos.upload.value = (file,)
    assert "is not a picture" in painter.photos.message.value
    assert "&lt;you&gt;" in painter.photos.message.value
    assert painter.values["content"] == "camel"
    painter.photos.upload.value = (file | {"content": memoryview(buffer.getvalue())},)
    assert painter.values["content"] == "me & <you>.jpg"
    assert painter.photos.message.value == "" and painter.photos.upload.value == ()
    assert shown(painter).size == (384, 512)  # the photo is shown at once
    run = painter.paint()
    assert run.picture().shape == (1, 3, 48, 36)
    assert "beside the notebook" in painter.desk.share.code.value
    assert painter.save().suffix == ".png"


def test_own_pictures_from_python(folder: Path) -> None:
    Image.new("RGB", (60, 40), (10, 200, 30)).save(folder / "green.png")
    painter = Painter("green.png", Image.new("RGB", (30, 30), "blue"), **QUICK)
    assert painter.values["content"] == "green.png"
    run = painter.paint()
    assert run.picture()[0, 2].mean() > load_image("green.png")[0, 2].mean() + 0.05
    painter.close()
    with pytest.raises(StylelibError, match="no file"):
        Painter("missing.png")


def test_a_failed_painting_loses_nothing(painter: Painter, folder: Path) -> None:
    Image.new("RGB", (60, 40)).save(folder / "soon.png")
    first = painter.paint()
    painter.set(content=str(folder / "soon.png"))
    (folder / "soon.png").unlink()
    with pytest.raises(StylelibError, match="no file"):
        painter.paint()
    assert "no file" in painter.desk.panel.message.value
    assert painter.runs == [first] and painter.run is None
    painter.desk.session.chooser.value = "No. 1"
    assert painter.run is first
    assert not painter.desk.buttons["save"].disabled
    painter.set(content="camel")
    assert painter.paint().number == 2


class Interrupted:
    """A step that is interrupted while the run remembers it."""

    def __init__(self, step: Any) -> None:
        self.iteration, self.steps, self.losses = step.iteration, step.steps, step.losses
        self.layers, self.pictures = step.layers, [step.image]

    @property
    def image(self) -> Any:
        self.pictures.append(self.pictures[0])
        if len(self.pictures) == 2:
            raise KeyboardInterrupt
        return self.pictures[0]


def test_an_interrupt_keeps_the_picture(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Transfer.__next__

    def interrupting(transfer: Transfer) -> Any:
        step = honest(transfer)
        return Interrupted(step) if step.iteration == 5 else step

    monkeypatch.setattr(Transfer, "__next__", interrupting)
    with pytest.raises(KeyboardInterrupt):
        painter.paint()
    run = painter.run
    assert run is not None and run.finished and run.iteration == 5
    assert "kept" in painter.desk.panel.message.value


def test_in_a_kernel_it_paints_in_the_background(painter: Painter) -> None:
    painter.set(steps=10_000)

    async def work() -> None:
        before = painter.desk.viewer.image.value
        press(painter, "paint")
        await later(lambda: painter.run is not None and painter.run.iteration > 20)
        await later(lambda: painter.desk.viewer.image.value != before)
        assert painter.desk.buttons["paint"].disabled
        assert "Painting: step" in painter.desk.panel.text.value
        assert " left" in painter.desk.panel.text.value
        press(painter, "pause")
        assert painter.desk.buttons["pause"].description == "Resume"
        await later(lambda: "Paused" in painter.desk.panel.text.value)
        held = painter.desk.viewer.image.value
        painter.set(style_weight=30)
        painter.set(size="poster")
        assert "next painting" in painter.desk.panel.message.value
        await asyncio.sleep(0.3)
        assert painter.desk.viewer.image.value == held
        press(painter, "pause")
        assert painter.desk.buttons["pause"].description == "Pause"
        run = painter.run
        assert run is not None
        await later(lambda: run.changes)
        assert list(run.changes.values()) == [{"style_weight": 30.0}]
        at = run.iteration
        await later(lambda: run.iteration > at + 10)
        press(painter, "stop")
        await later(lambda: painter.state == "idle" and run.finished)
        await asyncio.sleep(0.05)
        assert "Stopped" in painter.desk.panel.text.value
        assert not painter.desk.buttons["paint"].disabled
        assert torch.equal(replay(run.code()), run.picture())

    asyncio.run(work())


def test_starting_again_keeps_the_earlier_pictures(painter: Painter) -> None:
    painter.set(steps=10_000)

    async def work() -> None:
        for number in (1, 2, 3):
            painter.start()
            run = painter.run
            assert run is not None and run.number == number
            await later(lambda run=run: run.iteration > 3)
        painter.stop()
        await later(lambda: len(painter.runs) == 3)
        names = [t.name for t in threading.enumerate()]
        assert names.count("stylelib painter") <= 1

    asyncio.run(work())


def test_closing_leaves_no_thread_and_no_widget() -> None:
    async def work() -> None:
        before = set(ipywidgets.widgets.widget._instances)
        painter = Studio(**QUICK | {"steps": 10_000})
        painter.start()
        await later(lambda: painter.run is not None and painter.run.iteration > 2)
        painter.close()
        assert "stylelib painter" not in [t.name for t in threading.enumerate()]
        left = set(ipywidgets.widgets.widget._instances) - before
        assert len(left) < 5, left

    asyncio.run(work())


def test_without_a_kernel_the_picture_is_still_shown(painter: Painter) -> None:
    data, _ = painter._repr_mimebundle_()
    still = Image.open(io.BytesIO(base64.b64decode(data["image/jpeg"])))
    assert still.width > 700 and data["text/plain"] == "Painter: A Bactrian camel and her calf"
    run = painter.paint()
    data, _ = painter._repr_mimebundle_()
    assert "Step 12 of 12" in data["text/plain"]
    assert (
        far(
            still.resize((64, 20)),
            Image.open(io.BytesIO(base64.b64decode(data["image/jpeg"]))).resize((64, 20)),
        )
        > 5
    )
    data, metadata = run._repr_mimebundle_()
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/jpeg"])))
    assert picture.size == (48, 27) and metadata["image/jpeg"]["alt"] == data["text/plain"]


def test_studio_knobs_make_the_recipe() -> None:
    studio = Studio("camel", "hokusai-poppies", **QUICK)
    assert studio.recipe == RECIPES["gram"].but(**TINY)
    studio.set(
        style_layers={"conv1_1": 0.5}, content_layers={"conv3_2": 1.0}, tv_weight=20.0,
        init="noise", seed=7, optimizer="adam", steps=30, pooling="average", content_weight=2.0,
    )  # fmt: skip
    recipe = studio.recipe
    assert dict(recipe.style_layers) == {"conv1_1": 0.5}
    assert (recipe.init, recipe.seed, recipe.optimizer, recipe.tv_weight) == (
        "noise",
        7,
        "adam",
        20,
    )
    run = studio.paint()
    assert torch.equal(replay(run.code()), run.picture())
    with pytest.raises(StylelibError, match="layer"):
        studio.set(style_layers={"conv9_9": 1.0})
    with pytest.raises(StylelibError, match="0 to 2"):
        studio.set(style_layers={"conv1_1": 5.0})
    assert dict(studio.recipe.style_layers) == {"conv1_1": 0.5}
    studio.close()


def test_layers_change_while_it_paints() -> None:
    studio = Studio(**QUICK | {"steps": 10_000})

    async def work() -> None:
        studio.start()
        run = studio.run
        assert run is not None
        await later(lambda: run.iteration > 3)
        studio.set(style_layers={"conv1_1": 1.0, "conv3_1": 0.5}, tv_weight=5.0)
        await later(lambda: "style conv3_1" in run.layers)  # deeper than was loaded
        await later(lambda: run.losses[-1]["tv"] > 0)
        studio.stop()
        await later(lambda: run.finished)
        if run.iteration < 300:
            assert torch.equal(replay(run.code()), run.picture())

    asyncio.run(work())
    studio.close()


def test_keep_my_colours_changes_only_the_looks() -> None:
    studio = Studio(**QUICK)
    run = studio.paint()
    plain = run.picture()
    studio.set(keep_colors=True)
    camel = load_image("camel", 48)
    assert torch.equal(run.picture(), keep_colors(plain, camel))
    assert torch.equal(replay(run.code()), run.picture())
    assert far(shown(studio), to_pil(run.picture())) < 4
    assert read_recipe(studio.save())["keep_colors"] is True  # type: ignore[index]
    with Image.open(studio.film("film.webp")) as film:
        film.seek(film.n_frames - 1)  # type: ignore[attr-defined]
        assert far(film, to_pil(run.picture())) < 12 < far(film, to_pil(plain))
    studio.set(keep_colors=False)
    assert torch.equal(run.picture(), plain)
    studio.close()


def test_only_the_newest_runs_are_kept() -> None:
    painter = Painter(**QUICK | {"steps": 1, "size": 16, "content_layers": {"conv1_2": 1.0},
                                 "style_layers": {"conv1_1": 1.0}})  # fmt: skip
    for _ in range(22):
        painter.paint()
    assert [run.number for run in painter.runs] == list(range(3, 23))
    assert all(frame.image is None for run in painter.runs[:-1] for frame in run.frames)
    painter.close()


def test_the_expected_time() -> None:
    recipe = RECIPES["gram"].but(**TINY)
    load, names = NetworkCache().load, ("camel", "hokusai-poppies")

    def make(small: Recipe) -> Transfer:
        photo, painting = (load_image(name, small.size) for name in names)
        return Transfer(photo, painting, small, load(small))

    found = measure_pace(make, recipe.but(coarsest=32))
    assert 0 < found.per_pixel < 1e-3 and found.fixed >= 0 and 0.5 <= found.preparing <= 3
    pace, recipe = Pace(fixed=1.0, per_pixel=0.0), RECIPES["gram"].but(size=512, steps=100)
    stages = len(recipe.stages())
    assert pace.seconds(recipe, (9, 16)) == 100 + stages
    assert pace.seconds(recipe, (9, 16), done=100) == 0
    assert pace.seconds(recipe, (9, 16), done=99) == 1
    slow = Pace(fixed=1.0, per_pixel=0.0, preparing=3.0)
    assert slow.seconds(recipe, (9, 16)) == 100 + 3 * stages
    detailed = pace.seconds(recipe.but(detail_steps=6), (9, 16))
    assert detailed == pytest.approx(100 + stages + 3 * (stages - 1))
    larger = Pace(fixed=0.0, per_pixel=1.0)
    assert larger.step(512, (9, 16)) == pytest.approx(4 * larger.step(256, (9, 16)))
    said = [about(s) for s in (3, 22, 60, 100, 600, 7200)]
    assert said == [
        "a few seconds", "about 20 s", "about a minute", "about a minute and a half",
        "about 10 minutes", "about 2.0 hours",
    ]  # fmt: skip


def test_the_curve_has_a_point_for_each_step_and_a_text() -> None:
    assert "No steps yet" in loss_curve([], [(64, 10)])
    losses = [{"content": 0.1 * i, "style": 1 / (1 + i), "tv": 0, "total": 0} for i in range(9)]
    drawn = loss_curve(losses, [(64, 10)])
    assert "Content loss 0.8 and style loss 0.11 after 9 of 10 steps" in drawn
    assert drawn.count("<polyline") == 2
    assert len(drawn.split('points="')[1].split('"')[0].split()) == 9
    drawn = loss_curve([loss | {"neighbours": 0.5} for loss in losses], [(64, 10)])
    assert "Neighbour loss 0.5 and style loss 0.11 after 9 of 10 steps" in drawn
    assert drawn.count("<polyline") == 2 and "content" not in drawn.lower()
    long = loss_curve(losses * 1000, [(64, 9000)])
    assert len(long.split('points="')[1].split('"')[0].split()) < 130


def test_chooser_names_are_escaped_and_unique() -> None:
    chooser = PictureChooser("Photo", [Picture("camel", "camel")], "Your own")
    chooser.add(Image.new("RGB", (8, 8)), "camel")  # must not take the sample's name
    assert list(chooser.pictures) == ["camel", "my-camel"]
    chooser.add(Image.new("RGB", (8, 8)), "<script>")
    assert "<script>" not in chooser.caption.value


def test_metadata_is_plain_json(painter: Painter) -> None:
    run = painter.paint()
    json.dumps(run.record())
    assert "/" not in json.dumps(run.record())


@pytest.mark.slow
def test_memory_is_flat_over_fifty_paintings() -> None:
    painter = Painter(size=128, steps=6)
    process = psutil.Process()

    async def work() -> None:
        sizes = []
        for _ in range(50):
            painter.start()
            run = painter.run
            assert run is not None
            await later(lambda run=run: run.finished)
            sizes.append(process.memory_info().rss / 1e6)
        print([round(size) for size in sizes[::7]])
        # Once the session is full (20 runs), memory must not grow any more.
        assert max(sizes[-10:]) < max(sizes[20:30]) + 15

    asyncio.run(work())
    painter.close()
    assert "stylelib painter" not in [t.name for t in threading.enumerate()]
