"""What the benchmarks measure, on pictures of which the answer is known."""

import argparse
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylelib import RECIPES, Transfer, load_image
from stylelib.engine.network import VGG19
from stylelib.engine.objective import Objective

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import all_pairs
import busy
import competitors
import contact
import crowson
import first
import peers
import quality
import speed
import steps
from cache import Painted, painted
from gallery import contact_sheet

LAYERS = ["conv1_1", "conv3_1"]


def plain(value: float, size: int = 32) -> Tensor:
    """A grey picture."""
    return torch.full((1, 3, size, size), value)


def stripes(period: int, size: int = 32, low: float = 0.25, high: float = 0.75) -> Tensor:
    """Upright stripes, half of each period dark."""
    dark = (torch.arange(size) % period) < period // 2
    return torch.where(dark, low, high).expand(1, 3, size, size)


# --------------------------------------------------------------------- content


def test_correlation_is_numpys_when_there_is_one_map(noise) -> None:
    a, b = noise(1, 9, 7, seed=1), noise(1, 9, 7, seed=2)
    wanted = np.corrcoef(a.numpy().ravel(), b.numpy().ravel())[0, 1]
    assert quality.correlation(a, b) == pytest.approx(wanted, abs=1e-5)


def test_correlation_is_of_places_not_of_how_strong_each_map_is() -> None:
    strong = torch.tensor([100.0, 0, 50]).view(3, 1, 1)
    a = torch.tensor([[1.0, 0], [0, 0]]) + strong
    b = torch.tensor([[0.0, 1], [0, 0]]) + strong
    assert quality.correlation(a, b) == pytest.approx(-1 / 3)  # by hand: 1/4 and 3/4 around 0
    assert quality.correlation(a, 3 * a + 7) == pytest.approx(1)
    assert quality.correlation(a, 5 - a) == pytest.approx(-1)


def test_nothing_to_compare_is_no_correlation() -> None:
    assert quality.correlation(torch.ones(2, 4, 4), torch.ones(2, 4, 4)) == 0


def test_steepness_of_a_ramp_is_its_slope() -> None:
    ramp = (torch.arange(8) / 10).expand(1, 3, 6, 8)
    assert quality.steepness(ramp)[0, 0, 2:4, 2:6] == pytest.approx(torch.full((2, 4), 0.1))
    across = quality.steepness(ramp.mT)[0, 0, 2:6, 2:4]
    assert across == pytest.approx(torch.full((4, 2), 0.1))
    assert float(quality.steepness(plain(0.3)).max()) == pytest.approx(0, abs=1e-6)


# ----------------------------------------------------------------------- style


def test_style_distance_is_the_relative_one_of_gram_matrices(network: VGG19, noise) -> None:
    picture, painting = noise(1, 3, 32, 40, seed=1), noise(1, 3, 32, 40, seed=2) / 2
    found = quality.style_distances(picture, painting, network, LAYERS, [1.0])
    for layer in LAYERS:
        grams = []
        for image in (picture, painting):
            maps = network(image, [layer])[layer][0].numpy().astype(np.float64)
            flat = maps.reshape(len(maps), -1)
            grams.append(flat @ flat.T / flat.shape[1])
        wanted = np.linalg.norm(grams[0] - grams[1]) / np.linalg.norm(grams[1])
        assert found[layer, 1.0] == pytest.approx(wanted, rel=1e-4)


def test_a_painting_has_its_own_style_at_every_scale_that_is_large_enough(
    network: VGG19, noise
) -> None:
    painting = noise(1, 3, 64, 80)
    found = quality.style_distances(painting, painting, network, LAYERS)
    assert set(found) == {(layer, scale) for layer in LAYERS for scale in (1.0, 0.5)}
    assert max(found.values()) == 0


def test_smaller_scales_see_coarser_differences(network: VGG19) -> None:
    found = quality.style_distances(stripes(2, 64), plain(0.5, 64), network, ["conv1_1"])
    assert found["conv1_1", 0.5] < found["conv1_1", 1.0] / 4  # shrunk, fine stripes are grey


# -------------------------------------------------------------- noise, clipped


def test_roughness_of_a_checkerboard_by_hand() -> None:
    board = ((torch.arange(7).view(-1, 1) + torch.arange(7)) % 2).float().expand(1, 3, 7, 7)
    # Of the nine pixels around, four have the other colour; at the edge, whose row counts
    # twice, five, but for the corners: 29 pixels are 4/9 off and 20 are 5/9 off.
    wanted = ((29 * 16 + 20 * 25) / 49) ** 0.5 / 9
    assert quality.roughness(board) == pytest.approx(wanted)
    assert quality.roughness(plain(0.5)) == pytest.approx(0, abs=1e-6)
    assert quality.roughness(stripes(2)) > 3 * quality.roughness(stripes(16))


def test_clipped_counts_pixels_not_colours() -> None:
    image = plain(0.5, 2)
    image[0, 0, 0, 0] = 1.0
    image[0, 1:, 0, 0] = 0.0  # the same pixel
    image[0, 2, 1, 1] = 0.001  # 0 in a file
    image[0, 2, 0, 1] = 0.004  # 1 in a file
    assert quality.clipped(image) == 0.5


# --------------------------------------------------------------------- together


def test_the_photo_keeps_its_content_and_the_painting_has_its_style(
    network: VGG19, camel: Tensor, painting: Tensor
) -> None:
    photo = quality.measure(camel, camel, painting, network)
    assert photo.content == pytest.approx(1) and photo.edges == pytest.approx(1)
    copy = quality.measure(painting, camel, painting, network)
    assert copy.distance == 0 and copy.noise == pytest.approx(1)
    assert copy.content < 0.3 and photo.distance > 0.2
    grain = torch.randn(painting.shape, generator=torch.Generator().manual_seed(0))
    noisy = (painting + 0.2 * grain).clamp(0, 1)
    worse = quality.measure(noisy, camel, painting, network)
    assert worse.noise > 1.5 and worse.clipped > copy.clipped
    assert worse.row()["noise"] == f"{worse.noise:.3f}"


def test_the_row_has_each_mean() -> None:
    style = {("a", 1.0): 0.1, ("a", 0.5): 0.3, ("b", 1.0): 0.5, ("b", 0.5): 0.7}
    row = quality.Quality(0.5, 0.25, style, 2.0, 0.125).row()
    assert row["style"] == "0.400"
    assert (row["style a"], row["style b"]) == ("0.200", "0.600")
    assert (row["style at 1"], row["style at 0.5"]) == ("0.300", "0.500")


# ----------------------------------------------------------------------- sheets


def test_a_contact_sheet_has_every_picture_in_its_place() -> None:
    colors = ["red", "green", "blue", "black"]
    pictures = [(Image.new("RGB", (40, 20), c), f"{c}\nline") for c in colors]
    sheet = contact_sheet(pictures, columns=3, width=80, font=10)
    assert sheet.width == 3 * (80 + 12) + 12
    assert sheet.getpixel((12 + 40, 12 + 20)) == (255, 0, 0)
    assert sheet.getpixel((2 * 92 + 12 + 40, 12 + 20)) == (0, 0, 255)
    second_row = 12 + 40 + 2 * 14 + 12  # two lines of caption
    assert sheet.getpixel((12 + 1, second_row + 1)) == (0, 0, 0)
    assert sheet.getpixel((12 + 1, second_row - 1)) == (255, 255, 255)


def test_a_contact_sheet_has_gaps_and_rows_as_high_as_they_need() -> None:
    low, high = Image.new("RGB", (40, 20), "red"), Image.new("RGB", (40, 60), "blue")
    sheet = contact_sheet([(None, ""), (low, ""), (high, ""), (low, "")], columns=2, width=40)
    assert sheet.size == (2 * 52 + 12, 12 + 20 + 12 + 60 + 12)
    assert sheet.getpixel((12 + 20, 12 + 10)) == (255, 255, 255)
    assert sheet.getpixel((52 + 12, 12)) == (255, 0, 0)
    assert sheet.getpixel((12, 12 + 20 + 12)) == (0, 0, 255)
    assert sheet.getpixel((12, 12 + 20 + 11)) == (255, 255, 255)


def test_a_change_is_one_change_and_one_that_changes_nothing_is_left_out() -> None:
    recipe = RECIPES["default"].but(size=128)
    found = contact.variants(recipe, [""])
    assert "coarse_to_fine: off" not in found  # so small, there is one size only
    assert "coarse_to_fine: off" in contact.variants(RECIPES["default"].but(size=320), [""])
    assert found.pop("default") == recipe
    assert all(changed != recipe for changed in found.values())
    assert len({str(changed) for changed in found.values()}) == len(found)
    assert set(contact.variants(recipe, ["init"])) == {"default", "init: noise", "init: style"}
    heavier = contact.variants(recipe, ["style_weight"])
    assert len(heavier) == 7 and all(r.style_weight > 4 for r in list(heavier.values())[1:])


def test_what_was_painted_is_not_painted_again(tmp_path: Path, noise) -> None:
    calls = []

    def paint() -> Tensor:
        calls.append(1)
        return noise(1, 3, 8, 9)

    what = {"content": "a", "recipe": {"size": 8}}
    first = painted(what, paint, tmp_path)
    again = painted(what, paint, tmp_path)
    assert len(calls) == 1
    assert torch.equal(first.image, again.image) and first.seconds == again.seconds
    assert torch.equal(first.image, (noise(1, 3, 8, 9) * 255).round() / 255)
    painted(what | {"recipe": {"size": 9}}, paint, tmp_path)
    assert len(calls) == 2
    for facts in tmp_path.glob("*.json"):
        facts.unlink()  # stopped between picture and facts
    painted(what, paint, tmp_path)
    assert len(calls) == 3


def test_the_pairs_and_the_table_of_the_changes(tmp_path: Path) -> None:
    for content, style in contact.PAIRS:
        assert content != style
        load_image(content, 32), load_image(style, 32)
    assert len(contact.PAIRS) >= 6
    style = {("conv1_1", 1.0): 0.5}
    found = {
        (pair, name): (None, quality.Quality(value, 0, style, 1, 0))
        for pair, value in ((1, 0.1), (2, 0.2), (3, 0.6))
        for name in ("default", "tv")
    }
    lines = contact.summary(found).splitlines()
    assert lines[2] == "| default | 0.20 | 0.00 | 0.50 | 1.00 | 0.00 |"
    contact.write(tmp_path / "t.csv", found)
    rows = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 7 and rows[0].startswith("content picture,style picture,setting,content")
    assert rows[1].startswith("camel,hokusai-great-wave,default,0.100")


def test_all_pairs_are_every_content_with_every_other_painting() -> None:
    pairs = all_pairs.pairs()
    assert len(set(pairs)) == len(pairs) == 8 + 8 * 7
    assert all(content != style and style != "camel" for content, style in pairs)


def test_the_sheet_of_all_pairs_has_rows_columns_and_an_empty_diagonal(tmp_path: Path) -> None:
    quality_of_all = quality.Quality(0.5, 0, {("conv1_1", 1.0): 0.5}, 1, 0)
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 20, 40)
    found = {pair: (Painted(red, 1.25), quality_of_all) for pair in all_pairs.pairs()}
    sheet = all_pairs.sheet(found)
    step = all_pairs.WIDTH + 12
    assert sheet.width == 9 * step + 12
    reds = [sheet.getpixel((12 + step * column + 99, y)) == (255, 0, 0)
            for column in range(9) for y in range(sheet.height)]  # fmt: skip
    assert sum(reds) == 64 * all_pairs.WIDTH // 2  # all 64, twice as wide as high
    all_pairs.write(tmp_path / "t.csv", found)
    rows = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 65 and rows[1].startswith("camel,hokusai-great-wave,1.2,0.500")


def test_a_jpeg_is_saved_as_good_as_it_may_be_large(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (100, 100, 3), dtype=np.uint8)
    picture, sizes = Image.fromarray(pixels), []
    for most in (1_000_000, 9_000):
        all_pairs.save_small(picture, tmp_path / "t.jpg", most)
        sizes.append((tmp_path / "t.jpg").stat().st_size)
    assert sizes[1] <= 9_000 < sizes[0]


# ------------------------------------------------------------------ competitors

SOURCE = RECIPES["source"]


@pytest.fixture
def goal(network: VGG19, camel: Tensor, painting: Tensor) -> Objective:
    """The loss that all minimise."""
    return Objective(camel, painting, SOURCE, network)


def test_the_source_as_one_writes_it_paints_what_our_source_recipe_paints(
    network: VGG19, camel: Tensor, painting: Tensor
) -> None:
    pictures: list[Tensor] = []
    competitors.source(camel, painting, 5, pictures.append)
    recipe = SOURCE.but(size=64, steps=5)
    ours = Transfer(camel, painting, recipe, network, "cpu", torch.float32)
    for step, picture in zip(ours, pictures, strict=True):
        assert float((step.image - picture).abs().max()) < 2e-4


def test_the_tutorials_way_has_the_same_loss(goal: Objective, camel: Tensor, painting: Tensor):
    weights = competitors.read_weights("embedded")
    model, losses = competitors.with_losses(weights, camel, painting)
    with torch.no_grad():
        model(painting_at := camel.flip(-1))
        found = sum(float(loss.value) for loss in losses)
        assert found == pytest.approx(float(goal(painting_at)[0]), rel=1e-4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pastiche")
def test_pastiche_has_the_same_loss(goal: Objective, camel: Tensor, painting: Tensor) -> None:
    content, style = ((image * 255).round() / 255 for image in (camel, painting))
    artist = competitors.pastiche_artist(content, style)
    assert float((competitors.pastiche_image(artist) - content).abs().max()) < 1e-5
    same = Objective(content, style, SOURCE, goal.network)
    assert artist.loss == pytest.approx(float(same(content)[0]), rel=1e-3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pastiche")
@pytest.mark.parametrize("way", competitors.COMPETITORS)
def test_each_way_comes_nearer(way: str, goal: Objective, camel: Tensor, painting: Tensor) -> None:
    losses: list[float] = []

    def show(image: Tensor) -> None:
        assert image.shape == camel.shape
        with torch.no_grad():
            losses.append(float(goal(image.clamp(0, 1))[0]))
        if len(losses) == 12:
            raise speed.Reached

    with pytest.raises(speed.Reached):
        competitors.COMPETITORS[way](camel, painting, 12, show)
    start = float(goal(camel)[0])
    assert losses[-1] < (0.95 if way == "source" else 0.7) * start


# ------------------------------------------------------------------------ speed


class Master:
    """The other end of a stopwatch's connection: wants so many steps each time, then none."""

    def __init__(self, clock: list[float], wishes: list[int]) -> None:
        self.seen: list[tuple[int, float]] = []
        self.clock, self.wishes = clock, wishes

    def send(self, what: tuple[int, float, object]) -> None:
        self.seen.append(what[:2])

    def recv(self) -> int:
        self.clock[0] += 1000  # the others' turn
        return self.wishes.pop(0)


def test_the_clock_stands_while_it_waits_for_its_turn() -> None:
    clock = [50.0]
    master = Master(clock, [1, 3, 0])
    watch = speed.Stopwatch(master, lambda: clock[0])
    with pytest.raises(speed.Reached):
        for _ in range(9):
            clock[0] += 10  # a step takes 10 s
            watch.show(torch.zeros(1))
    assert master.seen == [(1, 10), (2, 20), (5, 50)]


def test_a_way_ends_at_the_target_and_the_source_past_its_best() -> None:
    curve = [(1, 9.0), (2, 5.0), (4, 5.2)]
    assert not speed.settled(curve, None) and not speed.settled(curve, 5.1)
    assert speed.settled(curve, 5.2)
    assert speed.settled([*curve, (8, 5.3)], None)
    assert not speed.settled([*curve, (8, 5.3), (16, 4.0)], None)


def test_steps_to_a_loss() -> None:
    curve = [(1, 9.0), (2, 5.0), (4, 5.5), (8, 4.0)]
    assert [speed.steps_to(loss, curve) for loss in (5, 4.5, 3)] == [2, 8, None]


def test_seconds_between_what_was_timed_and_beyond_it() -> None:
    timed = [(1, 3.0), (5, 5.0), (9, 11.0)]  # the first with the start
    assert [speed.seconds_at(step, timed) for step in (1, 3, 5, 7, 9)] == [3, 4, 5, 8, 11]
    assert speed.seconds_at(1009, timed) == 11 + 1000 * (11 - 3) / (9 - 1)
    assert speed.seconds_at(1, [(1, 2.0)]) == 2


def tables(folder: Path, seconds: dict[str, list[float]]) -> tuple[Path, Path]:
    """Curves of two ways, and seconds a step of each in each repeat."""
    curves, times = folder / "curves.csv", folder / "seconds.csv"
    losses = {
        "source": [(1, 9.0), (100, 2.0), (200, 2.05)],
        "a": [(1, 8.0), (10, 2.0)],
        "b": [(1, 8.0), (10, 2.1)],
    }
    for way, found in losses.items():
        for step, loss in found:
            speed.write(curves, speed.CURVE, [64, "x", "y", way, step, loss])
        for repeat, each in enumerate(seconds[way]):
            for step in (1, 5):
                speed.write(times, speed.SECONDS, [64, "x", "y", way, repeat, step, step * each, 9])
    return curves, times


def test_the_report_has_medians_and_says_never(tmp_path: Path) -> None:
    seconds = {"source": [1.0, 2, 3], "a": [0.5, 2, 1], "b": [1.0, 1, 1]}
    rows = list(speed.summary(*tables(tmp_path, seconds)))
    assert [row["way"] for row in rows] == ["source"] * 3 + ["a"] * 3 + ["b"] * 3
    assert (rows[0]["steps to 1x"], rows[0]["seconds to 1x"]) == (100, "100.00")
    lines = speed.report(rows).splitlines()
    assert lines[2] == "| 64 | source | 3 | 100 | 200.0 | 200.0 | 200.0 | 1.0 | 2.000 | 9 |"
    # 100 / 5, 200 / 20 and 300 / 10: each repeat beside the source's of the same repeat.
    assert lines[3] == "| 64 | a | 3 | 10 | 10.0 | 10.0 | 10.0 | 20.0 | 1.000 | 9 |"
    assert lines[4] == "| 64 | b | 3 | never | 10.0 | 10.0 | never | never | 1.000 | 9 |"


def test_the_plot_is_drawn(tmp_path: Path) -> None:
    curves, seconds = tables(tmp_path, {"source": [1.0], "a": [2.0], "b": [3.0]})
    for path in (curves, seconds):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(",a,", ",stylelib,").replace(",b,", ",pastiche,"), "utf-8")
    speed.write(seconds, speed.SECONDS, [64, "x", "y", "source", 1, 1, 1.0, 9])
    speed.plot(curves, seconds, tmp_path / "plot.png")
    assert Image.open(tmp_path / "plot.png").size == (700, 440)


def test_the_quick_source_takes_the_same_steps(camel: Tensor, painting: Tensor) -> None:
    plain: list[Tensor] = []
    quick: list[Tensor] = []
    competitors.source(camel, painting, 4, plain.append)
    competitors.quick_source(camel, painting, 4, quick.append)
    for a, b in zip(plain, quick, strict=True):
        # Adam's first steps are of one length in one direction or the other, by the sign alone.
        assert float((a - b).abs().mean()) < 2e-4


def test_ours_goes_on_after_its_own_steps(
    camel: Tensor, painting: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = RECIPES["source-fast"].but(steps=3)
    monkeypatch.setitem(competitors.RECIPES, "source-fast", fast)
    pictures: list[Tensor] = []
    competitors.ours(camel, painting, 5, pictures.append)
    assert len(pictures) == 5


def test_the_multiplications_of_a_step(network: VGG19) -> None:
    found = [(h, w) for _, h, w in steps.maps_through(network, 32, 16)]
    assert found == [(32, 16)] * 2 + [(16, 8)] * 2 + [(8, 4)] * 4 + [(4, 2)] * 4 + [(2, 1)]
    by_hand = 2 * 9 * (
        (3 * 64 + 64 * 64) * 512 + (64 * 128 + 128 * 128) * 128 + (128 * 256 + 3 * 256**2) * 32
        + (256 * 512 + 3 * 512**2) * 8 + 512**2 * 2
    )  # fmt: skip
    assert steps.multiplications(network, 32, 16) == by_hand


@pytest.mark.slow
def test_what_a_step_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--size", "40", "--steps", "2", "--threads", "1", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["steps.py", *arguments])
    steps.main()
    row = speed.read(tmp_path / "steps.csv")[0]
    assert int(row["pixels"]) == 40 * 22  # the camel is 16:9
    assert float(row["seconds a step"]) > float(row["bare convolutions"]) / 4 > 0
    assert 0 < float(row["bare / peak"]) < 1.5 and float(row["peak MB"]) > 100
    assert "| 40 |" in capsys.readouterr().out


@pytest.mark.slow
def test_a_step_beside_other_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--size", "40", "--others", "0", "1", "--repeats", "1", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["busy.py", *arguments])
    busy.main()
    rows = speed.read(tmp_path / "busy.csv")
    assert [(row["other programs"], row["how threads wait"]) for row in rows] == [
        (others, way) for others in "01" for way in busy.WAYS
    ]
    assert all(float(row["seconds a step"]) > 0 for row in rows)
    assert not [p for p in psutil.Process().children() if "while True" in " ".join(p.cmdline())]


@pytest.mark.slow
def test_curves_and_seconds_are_found_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--size", "40", "--steps", "4", "--pairs", "1", "--repeats", "2", "--threads", "1"]
    monkeypatch.setattr(sys, "argv", ["speed.py", *arguments, "--output", str(tmp_path)])
    monkeypatch.setattr(speed, "COMPETITORS", dict(list(competitors.COMPETITORS.items())[::3]))
    monkeypatch.setattr(speed, "plot", lambda *_: None)
    speed.main()
    rows = speed.read(tmp_path / "speed.csv")
    assert [(row["way"], row["repeat"]) for row in rows] == [
        (way, repeat) for repeat in "12" for way in ("source", "stylelib")
    ]
    assert rows[0]["steps to 1x"] == "4" and float(rows[0]["seconds to 1x"]) > 0
    assert all(float(row["peak MB"]) > 100 for row in rows)
    assert "| 40 | stylelib | 2 |" in capsys.readouterr().out
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    speed.main()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.slow
def test_another_way_sets_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--size", "40", "--steps", "6", "--pairs", "1", "--repeats", "1", "--threads", "1"]
    arguments += ["--target", "tutorial", "--ways", "stylelib", "--most", "60"]
    monkeypatch.setattr(sys, "argv", ["speed.py", *arguments, "--output", str(tmp_path)])
    monkeypatch.setattr(speed, "plot", lambda *_: None)
    speed.main()
    curves = speed.read_curves(tmp_path / "speed-curves.csv")
    theirs, ours = curves.values()
    assert [run[3] for run in curves] == ["tutorial", "stylelib"]
    assert theirs[-1][0] == 6  # it takes all its steps
    assert ours[-1][1] <= speed.best(theirs) < ours[-2][1]
    lines = capsys.readouterr().out.splitlines()
    assert "| tutorial | 1 |" in lines[-2] and " | 1.0 | " in lines[-2]


# ----------------------------------------------------------------------- peers


def test_the_sources_picture_is_its_last(camel: Tensor, painting: Tensor) -> None:
    pictures: list[Tensor] = []
    competitors.source(camel, painting, 2, pictures.append)
    found = peers.paint_source(camel, painting, 2)
    assert torch.equal(found, pictures[-1].clamp(0, 1))
    assert not torch.equal(found, pictures[0].clamp(0, 1))


def test_neural_styles_network_is_ours_for_bgr_in_0_255(
    network: VGG19, camel: Tensor, torchvision_layers: torch.nn.Sequential
) -> None:
    weights = competitors.read_weights("embedded")
    state = peers.as_caffe(weights)
    theirs = deepcopy(torchvision_layers)
    theirs.load_state_dict({key.removeprefix("features."): state[key] for key in state})
    mean = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    with torch.no_grad():
        found = theirs[:30](camel.flip(1) * 255 - mean) / (255 * weights.std[0])
    wanted = network(camel, ["conv5_1"])["conv5_1"]
    assert float((found - wanted).abs().max()) < 1e-4 * float(wanted.max())


def test_neural_styles_program_is_called_with_files_and_its_picture_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, camel: Tensor, painting: Tensor
) -> None:
    program = tmp_path / "neural_style" / "neural_style.py"
    program.parent.mkdir()
    program.write_text(
        "import shutil, sys, torch\n"
        "told = dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True))\n"
        "assert sys.argv[1] == '-disable_check' and told['-gpu'] == 'c'\n"
        "assert told['-num_iterations'] == '7' and told['-image_size'] == '64'\n"
        "assert len(torch.load(told['-model_file'])) == 32 and torch.get_num_threads() == 1\n"
        "shutil.copy(told['-style_image'], told['-output_image'])\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    made = peers.paint_neural_style(camel, painting, 7)
    assert float((made - painting).abs().max()) <= 0.501 / 255


def test_a_peer_that_is_not_installed_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    names = ["steps", "source_steps", "pastiche_steps", "pystiche_steps", "neural_style_steps"]
    asked = argparse.Namespace(**dict(zip(names, range(1, 6), strict=True)))
    asked.size, asked.crowson_steps, asked.quick_source = 181, None, False
    shown = {name: steps for name, steps, _ in peers.programs(asked)}
    assert "pystiche" not in shown and "neural-style" not in shown
    assert shown["Crowson's recipe"] == 1500
    monkeypatch.setattr(peers, "find_spec", lambda name: name)
    asked.crowson_steps = 6
    assert [steps for _, steps, _ in peers.programs(asked)] == [1, 2, 3, 4, 5, 6]


# --------------------------------------------------------------------- Crowson's


def test_crowsons_sizes_and_steps() -> None:
    assert crowson.sizes(512) == [128, 181, 256, 362, 512]
    assert crowson.sizes(300) == [150, 212, 300]
    assert crowson.sizes(64) == [64]  # smaller than its smallest
    assert crowson.default_steps(256) == 1000 + 500 + 500
    assert crowson.stages(256, 2000) == [(128, 1000), (181, 500), (256, 500)]
    assert crowson.stages(256, 9) == [(128, 5), (181, 2), (256, 2)]
    assert crowson.stages(256, 1) == [(128, 1), (181, 1), (256, 1)]  # each size gets one


def test_crowsons_distance_and_its_slope_by_hand() -> None:
    a = torch.tensor([1.0, -2, 0], requires_grad=True)
    found = crowson.distance(a, torch.zeros(3))
    found.backward()
    assert found.item() == pytest.approx(5 / 3)  # (1 + 4) / (1 + 2)
    # (2 a · 3 - 5 · sign a) / 9: what it is divided by has a slope, too.
    assert a.grad.tolist() == pytest.approx([1 / 9, -7 / 9, 0])
    same = torch.ones(3, requires_grad=True)
    crowson.distance(same, torch.ones(3)).backward()
    assert same.grad.tolist() == [0, 0, 0]


def test_crowsons_variation_by_hand() -> None:
    image = torch.tensor([[0.0, 1, 1], [0, 3, 1]]).view(1, 1, 2, 3)
    # To the right 1, 0; 3, -2. Down 0, 2, 0. Six pixels, beyond whose edge nothing changes.
    assert float(crowson.variation(image)) == pytest.approx((1 + 9 + 4 + 4) / 6)


def test_crowsons_average_is_weighted_by_age() -> None:
    first, second = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    average = crowson.Average(second)
    assert average.value == pytest.approx(second)
    average.add(first)
    assert average.value == pytest.approx(second * 0.99 / 1.99)


def test_crowsons_loss_is_its_parts(network: VGG19, camel: Tensor, painting: Tensor) -> None:
    loss = crowson.loss_of(camel, painting, network)
    image = camel.flip(-1)
    total = 2 * crowson.variation(image)
    maps = [network(picture, ["conv4_2"])["conv4_2"] for picture in (image, camel)]
    total += 0.015 * crowson.distance(*maps)
    for layer, part in zip(crowson.STYLE_LAYERS, (256, 64, 16, 4, 1), strict=True):
        flat = [network(picture, [layer])[layer][0].flatten(1) for picture in (image, painting)]
        total += part / 341 * crowson.distance(*(f @ f.T / f.shape[1] for f in flat))
    assert float(loss(image)) == pytest.approx(float(total), rel=1e-5)


def test_crowsons_adam_goes_on_at_the_next_size() -> None:
    small = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
    adam = crowson.adam_for(small, None)
    (3 * small).sum().backward()
    adam.step()
    large = torch.full((1, 3, 6, 6), 0.5, requires_grad=True)
    state = crowson.adam_for(large, adam).state[large]
    assert float(state["step"]) == 1
    assert state["exp_avg"] == pytest.approx(torch.full_like(large, 0.3), rel=1e-5)
    assert state["exp_avg_sq"] == pytest.approx(torch.full_like(large, 0.009), rel=1e-5)


def test_crowsons_recipe_comes_nearer_at_each_size(
    network: VGG19, camel: Tensor, painting: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowson, "SMALLEST", 45)
    assert crowson.sizes(64) == [45, 64]
    loss = crowson.loss_of(camel, painting, network)
    made = [crowson.paint(camel, painting, steps, network) for steps in (3, 12)]
    assert made[0].shape == camel.shape and made[0].min() >= 0 and made[0].max() <= 1
    with torch.no_grad():
        start, few, more = (float(loss(image)) for image in (camel, *made))
    assert more < few < start


def test_a_picture_is_recognisable_when_nine_tenths_of_the_loss_are_gone() -> None:
    # From 11 to 1: 2 is enough. A loss is of the picture before its step.
    assert first.recognisable([11, 8, 2.1, 2.0, 5, 1]) == 3
    assert first.recognisable([11, 1.5, 1]) == 1
    assert first.recognisable([3, 3]) == 1  # nothing was lost


def test_the_first_picture_is_timed_from_the_start_of_python() -> None:
    heard = first.told("camel", "hokusai-great-wave", 48, 2)
    seconds, losses = zip(*heard, strict=True)
    assert len(heard) == 3 and list(seconds) == sorted(seconds)
    assert 0.1 < seconds[0] < seconds[1]  # no torch is imported sooner
    assert losses[0] == 0 < losses[1]
