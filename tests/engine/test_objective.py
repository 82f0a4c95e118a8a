"""Several paintings and masks, against sums written out by hand."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from stylelib import (
    RECIPES,
    VGG19,
    Style,
    StylelibError,
    Transfer,
    load_image,
    load_mask,
    resize,
)
from stylelib.engine.objective import Objective

LAYERS = {"conv1_1": 1.0, "conv3_1": 0.5}
RECIPE = RECIPES["gram"].but(style_layers=LAYERS, size=64, steps=6, coarse_to_fine=False)
# No division by the target's own size: what the sums below are.
PLAIN = RECIPE.but(balance="source", centered=False, content_weight=0.0, style_weight=1.0)


@pytest.fixture
def other() -> Tensor:
    return load_image("kandinsky-composition-viii", 64)


@pytest.fixture
def left(camel: Tensor) -> Tensor:
    """A mask of the left part of the camel, of whole places of each layer up to conv3_1."""
    mask = torch.zeros(1, 1, *camel.shape[-2:])
    mask[..., :24] = 1
    return mask


def flat(maps: Tensor) -> np.ndarray:
    return maps[0].flatten(1).double().numpy()


def style(objective: Objective, image: Tensor) -> float:
    return float(objective(image)[1]["style"])


def test_two_paintings_count_by_their_shares(
    camel: Tensor, painting: Tensor, other: Tensor, network: VGG19
) -> None:
    for recipe in (PLAIN, RECIPE):
        first, second = (
            style(Objective(camel, p, recipe, network), camel) for p in (painting, other)
        )
        pair = [painting, other]
        even = style(Objective(camel, pair, recipe, network), camel)
        assert even == pytest.approx((first + second) / 2, rel=1e-5)
        uneven = Objective(camel, pair, recipe.but(style_shares=(3, 1)), network)
        assert style(uneven, camel) == pytest.approx((3 * first + second) / 4, rel=1e-5)
        alone = Objective(camel, pair, recipe.but(style_shares=[0, 2]), network)
        assert style(alone, camel) == pytest.approx(second, rel=1e-5)


@pytest.mark.parametrize("centered", [False, True])
def test_a_mask_compares_that_part_of_the_photo_alone(
    camel: Tensor, painting: Tensor, left: Tensor, network: VGG19, centered: bool
) -> None:
    recipe = PLAIN.but(centered=centered)
    found = Objective(camel, Style(painting, where=left), recipe, network)(camel)[1]
    seen, painted = network(camel, LAYERS), network(painting, LAYERS)
    for name, weight in LAYERS.items():
        maps = seen[name]
        columns = maps.shape[-1] * 24 // 64
        part, whole = flat(maps[..., :columns]), flat(painted[name])
        center = whole.mean(1, keepdims=True) * centered
        gram = (part - center) @ (part - center).T / part.shape[1]
        target = (whole - center) @ (whole - center).T / whole.shape[1]
        # The source's balance, and the share of the photo that the mask takes up.
        factor = weight * flat(maps).shape[1] / len(gram) * 24 / 64
        expected = factor * ((gram - target) ** 2).mean()
        assert float(found[f"style {name}"]) == pytest.approx(expected, rel=1e-4)


def test_a_soft_mask_weighs_each_place(
    camel: Tensor, painting: Tensor, network: VGG19, noise: Callable[..., Tensor]
) -> None:
    layer = {"conv2_1": 1.0}
    recipe = PLAIN.but(style_layers=layer, content_layers={})
    soft = noise(1, 1, *camel.shape[-2:])
    found = style(Objective(camel, Style(painting, where=soft), recipe, network), camel)
    maps, whole = flat(network(camel, layer)["conv2_1"]), flat(network(painting, layer)["conv2_1"])
    height, width = camel.shape[-2] // 2, camel.shape[-1] // 2
    weights = soft[0, 0].numpy().reshape(height, 2, width, 2).mean((1, 3)).ravel()
    gram = sum(w * np.outer(maps[:, i], maps[:, i]) for i, w in enumerate(weights)) / weights.sum()
    target = whole @ whole.T / whole.shape[1]
    factor = height * width / len(gram) * float(soft.mean())
    assert found == pytest.approx(factor * ((gram - target) ** 2).mean(), rel=1e-3)


def test_a_part_of_the_painting_is_a_painting(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    """Up to the border, where a convolution sees what lies beside the part."""
    part = torch.zeros(1, 1, *painting.shape[-2:])
    part[..., 16:48] = 1
    for centered in (False, True):
        recipe = PLAIN.but(centered=centered, style_layers={"conv1_1": 1.0})
        masked = Objective(camel, Style(painting, source=part), recipe, network)
        cut = Objective(camel, painting[..., 16:48], recipe, network)
        close = style(masked, camel) / style(cut, camel)
        assert close == pytest.approx(1, rel=0.1)
        assert style(Objective(camel, painting, recipe, network), camel) != style(masked, camel)


def test_detail_is_what_the_first_layers_ask(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    layers = {"conv4_1": 2.0, "conv3_1": 0.5, "conv1_1": 1.0}
    recipe = PLAIN.but(style_layers=layers, content_weight=1.0, style_weight=3.0, tv_weight=0.1)
    objective = Objective(camel, painting, recipe, network)
    detail = objective.of_detail()
    assert detail is not None
    parts, whole = detail(camel)[1], objective(camel)[1]
    assert [name for name in parts if " " in name] == ["style conv3_1", "style conv1_1"]
    style = float(whole["style conv3_1"] + whole["style conv1_1"])
    assert float(parts["style"]) == pytest.approx(style, rel=1e-6)
    assert float(parts["total"]) == pytest.approx(3 * style + 0.1 * float(whole["tv"]), rel=1e-6)
    assert objective.recipe == recipe  # as it was
    for deep in ({"style_layers": {"conv4_1": 1.0, "conv1_1": 0.0}}, {"style_weight": 0.0}):
        assert Objective(camel, painting, recipe.but(**deep), network).of_detail() is None


def paint(camel: Tensor, styles: object, network: VGG19, **changes: object) -> Transfer:
    recipe = RECIPE.but(style_layers={"conv1_1": 1.0}, content_layers={"conv2_1": 1.0})
    return Transfer(camel, styles, recipe.but(**changes), network, "cpu", torch.float32)  # type: ignore[arg-type]


def test_what_the_mask_leaves_out_stays_the_photo(
    camel: Tensor, painting: Tensor, left: Tensor, network: VGG19
) -> None:
    larger = {"coarse_to_fine": True, "size": 256, "steps": 4}
    for changes in ({}, {"init": "noise"}, larger, larger | {"detail_steps": 3}):
        transfer = paint(camel, Style(painting, where=left), network, **changes)
        image = transfer.run()
        photo = resize(camel, transfer.recipe.size)
        edge = round(photo.shape[-1] * 24 / 64) + (photo.shape[-1] > 64)
        soft = 0 if photo.shape[-1] == 64 else 8  # the mask's edge is resized with it
        assert torch.equal(image[..., edge + soft :], photo[..., edge + soft :])
        assert not torch.equal(image[..., :edge], photo[..., :edge])


def test_two_paintings_each_in_its_place(
    camel: Tensor, painting: Tensor, other: Tensor, left: Tensor, network: VGG19
) -> None:
    both = paint(camel, [Style(painting, left), Style(other, 1 - left)], network).run()
    one = paint(camel, Style(painting, left), network).run()
    assert torch.equal(one[..., 24:], camel[..., 24:])
    assert (both[..., 24:] - camel[..., 24:]).abs().mean() > 0.01


@pytest.mark.parametrize("balance", ["relative", "source"])
def test_another_photo_is_asked_for_as_by_a_new_objective(
    camel: Tensor, painting: Tensor, network: VGG19, noise: Callable[..., Tensor], balance: str
) -> None:
    recipe = RECIPE.but(balance=balance, tv_weight=0.1)
    first = Objective(camel, painting, recipe, network)
    picture, photo = noise(*camel.shape), camel.flip(-1)
    before = first(picture)[0]
    _, parts = first.with_content(photo)(picture)
    _, expected = Objective(photo, painting, recipe, network)(picture)
    assert {n: float(p) for n, p in parts.items()} == pytest.approx(
        {n: float(p) for n, p in expected.items()}
    )
    assert first(picture)[0] == before != parts["total"]  # the first one is as it was


def test_a_mask_stays_with_its_photo(
    camel: Tensor, painting: Tensor, left: Tensor, network: VGG19
) -> None:
    objective = Objective(camel, Style(painting, where=left), RECIPE, network)
    with pytest.raises(StylelibError, match="A mask belongs to one photo"):
        objective.with_content(camel)


def test_shares_change_on_the_way(
    camel: Tensor, painting: Tensor, other: Tensor, network: VGG19
) -> None:
    transfer = paint(camel, [painting, other], network, style_shares=(1, 0))
    first = next(transfer).losses["style"]
    transfer.change(style_shares=(0, 1))
    assert next(transfer).losses["style"] != pytest.approx(first, rel=0.01)
    assert transfer.recipe.style_shares == (0, 1)
    with pytest.raises(StylelibError, match=r"3 numbers for 2 paintings"):
        transfer.change(style_shares=(1, 1, 1))
    assert transfer.recipe.style_shares == (0, 1)
    next(transfer)


def test_strokes_grow_with_the_painting(camel: Tensor, network: VGG19) -> None:
    large = load_image("hokusai-great-wave", 128)
    doubled = paint(camel, large, network, style_scale=2.0)
    whole = Objective(camel, large, doubled.recipe, network)
    assert next(doubled).losses["style"] == pytest.approx(style(whole, camel), rel=1e-5)


def test_the_record_names_the_masks_without_their_folders(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    record = paint(camel, [painting, painting], network).record(
        "/home/me/camel.jpg", ["a/one.png", "b\\two.png"], ["/secret/sky.png", None]
    )
    assert record["content"] == "camel.jpg" and record["style"] == ["one.png", "two.png"]
    assert record["where"] == ["sky.png", None] and "source" not in record
    assert record["recipe"]["style_shares"] == [] and record["recipe"]["style_scale"] == 1.0


def test_a_mask_is_loaded_as_grey(tmp_path: object, camel: Tensor) -> None:
    from PIL import Image

    mask = load_mask(Image.linear_gradient("L"), 64)
    assert mask.shape == (1, 1, 64, 64) and mask.min() < 0.05 and mask.max() > 0.95


def test_mistakes_are_told(camel: Tensor, painting: Tensor, left: Tensor, network: VGG19) -> None:
    for message, make in {
        "black all over, so nothing": lambda: Transfer(camel, Style(painting, where=left * 0)),
        "mask of the painting is black": lambda: Style(painting, source=painting[:, :1] * 0),
        r"must be \(1, 1, height, width\), as load_mask": lambda: Style(painting, where=camel),
        "is not a tensor but str; use load_mask": lambda: Style(painting, where="sky.png"),  # type: ignore[arg-type]
        "a mask has the proportions": lambda: paint(
            camel, Style(painting, where=left[..., :20]), network
        ).run(),
        "values from 0 to 255; they must be in 0-1": lambda: Style(painting, where=left * 255),
        "at least one painting": lambda: Transfer(camel, []),
        "style_shares is 3; give": lambda: RECIPE.but(style_shares=3),
        "share is -1": lambda: RECIPE.but(style_shares=(-1, 2)),
        "All of style_shares are 0": lambda: RECIPE.but(style_shares=(0, 0)),
        "2 numbers for 1 painting;": lambda: Transfer(
            camel, painting, RECIPE.but(style_shares=(1, 2))
        ),
        "style_scale is 0; it must be": lambda: RECIPE.but(style_scale=0),
    }.items():
        with pytest.raises(StylelibError, match=message):
            make()


def test_the_losses_of_the_picture_as_it_is(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    """`measure` tells of the picture after the step what the next step tells of it."""
    recipe = RECIPE.but(optimizer="adam")
    transfer = Transfer(camel, painting, recipe, network, precision=torch.float32)
    at_first = transfer.measure()
    first = next(transfer)
    assert at_first.losses == pytest.approx(first.losses, rel=1e-5)
    now = transfer.measure()
    assert now.iteration == 1
    assert now.losses == pytest.approx(next(transfer).losses, rel=1e-4)
    assert now.losses["total"] != pytest.approx(first.losses["total"], rel=1e-3)
