"""What the benchmarks measure, on pictures of which the answer is known."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stylelib import RECIPES, load_image
from stylelib.vgg import VGG19

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import contact
import quality
from cache import painted
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
    noisy = (
        painting + 0.2 * torch.randn(painting.shape, generator=torch.Generator().manual_seed(0))
    ).clamp(0, 1)
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


def test_a_change_is_one_change_and_one_that_changes_nothing_is_left_out() -> None:
    recipe = RECIPES["default"].but(size=128)
    found = contact.variants(recipe, [""])
    assert "coarse_to_fine: off" not in found  # so small, there is one size only
    assert "coarse_to_fine: off" in contact.variants(RECIPES["default"].but(size=320), [""])
    assert found.pop("default") == recipe
    assert all(changed != recipe for changed in found.values())
    assert len({str(changed) for changed in found.values()}) == len(found)
    assert set(contact.variants(recipe, ["init"])) == {"default", "init: noise", "init: style"}


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
