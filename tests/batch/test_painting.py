"""Painting many pictures: what is saved, skipped, refused and told."""

import os
import signal
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest
import torch
from PIL import Image

from stylelib import FeedForward, Recipe, StylelibError, load_image, paint_all, read_recipe
from stylelib.batch.painting import carry_out
from stylelib.batch.plan import Order, Wish, plan
from stylelib.batch.tasks import Task, attempt
from stylelib.batch.workers import Outcomes, in_turn, on_processes
from stylelib.pictures.color import match_colors

SMALL = Recipe(size=32, steps=1)
NETWORK = "hokusai-great-wave.pt"


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    """Three photos, the second of them damaged."""
    files = []
    for number, color in enumerate(("teal", "orange", "navy")):
        files.append(str(tmp_path / f"{number}.png"))
        Image.new("RGB", (24, 20), color).save(files[-1])
    Path(files[1]).write_bytes(Path(files[1]).read_bytes()[:40])
    return files


def test_one_that_fails_is_told_and_the_rest_goes_on(photos: list[str], tmp_path: Path) -> None:
    painted = list(paint_all(photos, NETWORK, tmp_path / "out", SMALL))
    assert [one.photo for one in painted] == photos
    assert [one.error is None for one in painted] == [True, False, True]
    assert "1.png" in (painted[1].error or "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "0-hokusai-great-wave.png",
        "2-hokusai-great-wave.png",
    ]


def test_the_picture_is_that_of_the_network_and_says_how_it_was_made(
    photos: list[str], tmp_path: Path
) -> None:
    (one,) = paint_all(photos[0], NETWORK, tmp_path / "out", SMALL)
    expected = FeedForward.load(NETWORK).paint(load_image(photos[0], 32))
    assert torch.allclose(load_image(one.place), expected, atol=1 / 255)
    record = read_recipe(one.place) or {}
    assert (record["content"], record["network"]) == ("0.png", NETWORK)


def test_a_network_of_several_paintings_paints_a_folder(photos: list[str], tmp_path: Path) -> None:
    styles = ["eight-paintings.pt", "hokusai-poppies", "cassatt-summertime"]
    network, photo = FeedForward.load(styles[0]), load_image(photos[0], 32)
    alone = list(paint_all(photos[0], styles, tmp_path / "out", SMALL))
    blend = SMALL.but(style_shares=(1.0, 3.0))
    (both,) = paint_all(photos[0], styles, tmp_path / "both", blend, blend=True)
    for one, style in (
        (alone[0], {styles[1]: 1.0}),
        (alone[1], {styles[2]: 1.0}),
        (both, {styles[1]: 1.0, styles[2]: 3.0}),
    ):
        assert torch.allclose(load_image(one.place), network.paint(photo, style), atol=1 / 255)
        record = read_recipe(one.place) or {}
        assert record["network"] == styles[0]
        assert record.get("style_shares", [1.0]) == list(style.values())
    (again, _) = paint_all(photos[0], styles, tmp_path / "out", SMALL)
    assert again.before


def test_what_is_done_is_skipped_by_what_it_was_made_from_not_by_its_name(
    photos: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (first,) = paint_all(photos[0], NETWORK, out, SMALL)
    before = first.place.stat().st_mtime_ns
    (again,) = paint_all(photos[0], NETWORK, out, SMALL)
    assert again.before and again.place.stat().st_mtime_ns == before
    Image.new("RGB", (24, 20), "pink").save(photos[0])  # another photo of the same name
    (other,) = paint_all(photos[0], NETWORK, out, SMALL)
    assert "made in another way" in (other.error or "")
    assert other.place.stat().st_mtime_ns == before
    (replaced,) = paint_all(photos[0], NETWORK, out, SMALL, overwrite=True)
    assert replaced.error is None and not replaced.before
    (kept,) = paint_all(photos[0], NETWORK, out, SMALL, overwrite=True)
    assert kept.before


def test_it_is_lazy(photos: list[str], tmp_path: Path) -> None:
    several = paint_all([photos[0], photos[2]], NETWORK, tmp_path / "out", SMALL)
    assert not (tmp_path / "out").exists()
    next(several)
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_a_folder_that_cannot_be_made_is_told_for_each_picture(
    photos: list[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    (one,) = paint_all(photos[0], NETWORK, tmp_path / "file" / "out", SMALL)
    assert one.error and "file" in one.error


def test_a_picture_that_cannot_be_saved_there_is_not_lost(
    photos: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    wish = Wish(SMALL)
    orders = plan([photos[0]], [NETWORK], tmp_path / "out", wish)

    def folder_goes(tasks: Iterable[tuple[Order, Task]]) -> Outcomes[Order]:
        for order, outcome in in_turn(tasks):
            order.place.parent.rmdir()
            yield order, outcome

    ((_, one),) = carry_out(orders, folder_goes)
    assert one.error and "saved here" in one.error
    assert [path.name for path in (tmp_path / "home").iterdir()] == [one.place.name]


def test_only_colors_gives_the_photo_the_paintings_colors(tmp_path: Path) -> None:
    wish = Wish(SMALL, only_colors=True)
    orders = plan(["camel"], ["hokusai-poppies"], tmp_path, wish)
    ((_, one),) = carry_out(orders, in_turn)
    expected = match_colors(load_image("camel", 32), load_image("hokusai-poppies"))
    assert torch.allclose(load_image(one.place), expected, atol=1 / 255)


def test_a_start_is_what_the_first_step_begins_with(tmp_path: Path) -> None:
    recipe = Recipe(size=48, steps=1, content_weight=1e-9, style_weight=1e-9)
    wish = Wish(recipe, start="cassatt-summertime")
    ((_, one),) = carry_out(plan(["camel"], ["hokusai-poppies"], tmp_path, wish), in_turn)
    photo, start = load_image("camel", 48), load_image("cassatt-summertime", 48)
    start = torch.nn.functional.interpolate(start, photo.shape[-2:], mode="bilinear")
    painted = load_image(one.place)
    assert (painted - start).abs().mean() < (painted - photo).abs().mean()


def test_arguments_are_checked_at_once(tmp_path: Path) -> None:
    with pytest.raises(StylelibError, match="jobs"):
        paint_all("camel", NETWORK, tmp_path, SMALL, jobs=0)
    with pytest.raises(StylelibError, match="recipe"):
        paint_all("camel", NETWORK, tmp_path, "gram")  # type: ignore[arg-type]
    with pytest.raises(StylelibError, match="at least one"):
        paint_all([], NETWORK, tmp_path, SMALL)


def test_a_task_without_memory_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(FeedForward, "paint", full)
    (order,) = plan(["camel"], [NETWORK], tmp_path, Wish(SMALL))
    assert "memory" in (attempt(order.read()).error or "")


@pytest.mark.slow
def test_several_processes_paint_the_same_pictures(photos: list[str], tmp_path: Path) -> None:
    for jobs in (1, 2):
        list(paint_all(["camel", *photos], NETWORK, tmp_path / str(jobs), SMALL, jobs=jobs))
    files = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "2").iterdir())
    for name in files:
        one, other = (load_image(tmp_path / folder / name) for folder in ("1", "2"))
        assert torch.allclose(one, other, atol=1 / 255)


@pytest.mark.slow
def test_a_process_that_is_killed_takes_no_picture_with_it(tmp_path: Path) -> None:
    photo = str(tmp_path / "large.png")
    Image.effect_noise((800, 800), 50).convert("RGB").save(photo)
    recipe = Recipe(size=800, steps=1)
    orders = plan([photo, "camel", "hokusai-poppies"], [NETWORK], tmp_path / "out", Wish(recipe))
    killed: list[int] = []

    def kill_one() -> None:
        end = time.monotonic() + 60
        while not killed and time.monotonic() < end:
            for child in psutil.Process().children(recursive=True):
                if "spawn_main" in " ".join(child.cmdline()) and child.cpu_times().user > 1.5:
                    os.kill(child.pid, signal.SIGKILL)
                    killed.append(child.pid)
                    return
            time.sleep(0.05)

    killer = threading.Thread(target=kill_one)
    killer.start()
    painted = [one for _, one in carry_out(orders, lambda tasks: on_processes(tasks, 2))]
    killer.join()
    assert killed
    assert [one.error for one in painted] == [None] * 3
    assert len(list((tmp_path / "out").iterdir())) == 3
