"""The pictures that were painted beforehand, and the figures that show them."""

import pytest
import torch

from stylelib import load_image
from stylelib.core.losses import content_loss, gram_matrix
from stylelib.engine.network import VGG19
from stylelib.errors import StylelibError
from stylelib.lessons.target import controls as explore
from stylelib.lessons.target.bank import last, saved
from stylelib.lessons.target.compute import Reasons, pixel_gradients

LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")


def test_the_ratios_go_from_content_to_style() -> None:
    strip = last("ratio")
    assert [one.label for one in strip] == [
        "1 : 0", "1 : 0.3", "1 : 1", "1 : 3", "1 : 10", "1 : 30", "0 : 1",
    ]  # fmt: skip
    content = [one.losses["content"] for one in strip]
    style = [one.losses["style"] for one in strip]
    assert content == sorted(content) and style == sorted(style, reverse=True)
    photo = load_image("camel", 512)
    assert (strip[0].image - photo).abs().mean() < 0.02
    assert strip[0].seen["Arabian camel"] > 0.5 > strip[-1].seen["Arabian camel"]


def test_every_picture_is_there_at_full_size() -> None:
    for question in ("ratio", "start", "style layer", "method"):
        for pictures in saved(question).values():
            assert [one.step for one in pictures] == sorted(one.step for one in pictures)
            for one in pictures:
                height, width = one.image.shape[-2:]
                assert width / height == pytest.approx(16 / 9)
                assert one.image.std() > 0.1
                assert all(0 <= chance <= 1 for chance in one.seen.values())
            assert pictures[-1].image.shape == (1, 3, 288, 512)  # painted from small to large
    with pytest.raises(StylelibError, match="question"):
        saved("weather")


def test_the_explorer_shows_the_chosen_picture() -> None:
    explorer = explore.saved_explorer("start")
    assert "step 60" in explorer.plot.alt
    assert "start noise, step 2" in explorer.set(answer="noise", moment=0).plot.alt
    one = explore.saved_explorer("ratio").set(answer="0 : 1").plot
    assert "ratio 0 : 1" in one.alt and "moment" not in explore.saved_explorer("ratio").controls


# Why did this pixel change?


@pytest.fixture(scope="module")
def why(network: VGG19) -> Reasons:
    photo, painting = load_image("camel", 48), load_image("hokusai-great-wave", 48)
    return Reasons((photo + photo.flip(-1)) / 2, photo, painting, 1.0, 3.0, network)


def test_what_a_pixel_is_asked_adds_up_to_the_gradient(why: Reasons, network: VGG19) -> None:
    photo, painting = load_image("camel", 48), load_image("hokusai-great-wave", 48)
    wanted = network(photo, ["conv4_2"])["conv4_2"]
    painted = {name: gram_matrix(maps) for name, maps in network(painting, LAYERS).items()}

    def losses(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = network(image, ["conv4_2", *LAYERS])
        style = [
            (gram_matrix(maps[name]) - gram).square().mean() / gram.square().mean()
            for name, gram in painted.items()
        ]
        content = content_loss(maps["conv4_2"], wanted) / wanted.square().mean()
        return content, torch.stack(style).mean()

    gradient = pixel_gradients(why.image, losses, 1.0, 3.0)
    asked = why.asked(20, 10)
    for part, found in (
        ("content", asked["content"]),
        ("style", sum((asked[name] for name in LAYERS), torch.zeros(3))),
    ):
        expected = -gradient[part][0, :, 10, 20]
        assert torch.allclose(found, expected, rtol=1e-2, atol=1e-3 * float(expected.abs().max()))


def test_the_pairs_are_those_that_differ_most_where_they_are_active(
    why: Reasons, network: VGG19
) -> None:
    pairs = why.pairs(20, 10)
    assert len(pairs) == 3 and pairs[0].strength == 1
    assert [one.strength for one in pairs] == sorted((one.strength for one in pairs), reverse=True)
    layer = pairs[0].layer
    maps = network(why.image, [layer])[layer]
    target = gram_matrix(network(why.painting, [layer])[layer])[0]
    missing = target - gram_matrix(maps)[0]
    for one in pairs:
        i, j = one.maps
        assert one.wanted == bool(missing[i, j] > 0)
        assert min(one.source) >= 0 and max(one.source) <= 1


def test_the_pixel_explorer_can_be_clicked_on(why: Reasons) -> None:
    explorer = explore.pixel_explorer(why)
    before = explorer.plot.alt
    figure = explorer.plot.figure
    box = figure.axes[0].get_position()
    explorer.click(box.x0 + 0.75 * box.width, 1 - (box.y0 + 0.25 * box.height))  # type: ignore[attr-defined]
    assert explorer.plot.alt != before
    assert abs(explorer.values["across"] - 36) <= 2
