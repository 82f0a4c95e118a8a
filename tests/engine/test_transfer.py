"""The optimisation against the formulae written out, finite differences and plain Adam."""

import copy
import json
import math
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from stylelib import (
    RECIPES,
    VGG19,
    Recipe,
    Step,
    Style,
    StylelibError,
    Transfer,
    load_vgg19,
    memory,
    resize,
)
from stylelib.engine.lbfgs import LBFGS
from stylelib.engine.objective import Objective

Noise = Callable[..., Tensor]
Reference = Callable[..., tuple[dict[str, Tensor], dict[str, Tensor]]]
Paint = Callable[..., Transfer]

FULL = RECIPES["gram"].but(size=48, steps=10, coarse_to_fine=False)
# The same with few and shallow layers, for what does not hang on them.
QUICK = FULL.but(
    content_layers={"conv2_1": 1.0},
    style_layers={"conv1_1": 1.0, "conv2_1": 0.5},
    size=32,
    steps=8,
)
ADAM = QUICK.but(optimizer="adam", learning_rate=0.02)
OPTIMIZERS = {"lbfgs": QUICK, "adam": ADAM}


@pytest.fixture
def paint(camel: Tensor, painting: Tensor, network: VGG19) -> Paint:
    """Make a transfer of the camel, in float32 on the CPU, with some settings changed."""

    def make(recipe: Recipe = QUICK, **changes: Any) -> Transfer:
        recipe = recipe.but(**changes)
        return Transfer(camel, painting, recipe, network, "cpu", torch.float32)

    return make


@pytest.fixture
def paint_anywhere(camel: Tensor, painting: Tensor, network: VGG19, device: str) -> Paint:
    """Make such a transfer on the CPU or, in another run of the test, on a graphics card."""

    def make(recipe: Recipe = QUICK, **changes: Any) -> Transfer:
        recipe = recipe.but(**changes)
        return Transfer(camel, painting, recipe, network, device, torch.float32)

    return make


def mean(values: Tensor) -> Tensor:
    return values.sum() / values.numel()


# What a step gives


@pytest.mark.parametrize("recipe", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_steps_are_counted_and_told(paint_anywhere: Paint, recipe: Recipe) -> None:
    transfer = paint_anywhere(recipe, tv_weight=2.0, content_weight=0.7, style_weight=5.0)
    assert transfer.iteration == 0 and transfer.stopped is None
    steps = list(transfer)
    assert [step.iteration for step in steps] == list(range(1, 9))
    assert transfer.iteration == 8 and transfer.stopped is None
    assert list(transfer) == []
    for step in steps:
        assert step.steps == 8
        assert set(step.losses) == {"content", "style", "tv", "total"}
        assert set(step.layers) == {"content conv2_1", "style conv1_1", "style conv2_1"}
        assert all(math.isfinite(v) and v >= 0 for v in step.losses.values())
        losses, layers = step.losses, step.layers
        assert losses["content"] == pytest.approx(layers["content conv2_1"], rel=1e-5)
        style = layers["style conv1_1"] + layers["style conv2_1"]
        assert losses["style"] == pytest.approx(style, rel=1e-5)
        total = 0.7 * losses["content"] + 5 * losses["style"] + 2 * losses["tv"]
        assert losses["total"] == pytest.approx(total, rel=1e-5)
        assert step.image.shape == (1, 3, 18, 32)
        assert step.image.dtype == torch.float32 and step.image.device.type == "cpu"
        assert not step.image.requires_grad
        assert step.image.min() >= 0 and step.image.max() <= 1
    assert len({step.image.sum().item() for step in steps}) == 8
    assert torch.equal(transfer.image, steps[-1].image)


@pytest.mark.parametrize("recipe", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_steps_picture_is_a_copy_of_its_own(paint_anywhere: Paint, recipe: Recipe) -> None:
    recipe = recipe.but(size=170, coarsest=85, coarse_to_fine=True, steps=4)  # two sizes
    expected = paint_anywhere(recipe).run()
    transfer = paint_anywhere(recipe)
    for step in transfer:
        step.image.fill_(0.5)
    assert torch.equal(transfer.image, expected)


def test_the_pictures_given_are_left_as_they_are(paint: Paint, camel: Tensor) -> None:
    before = camel.clone()
    paint(ADAM, size=64).run()
    assert torch.equal(camel, before)


@pytest.mark.parametrize("recipe", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_the_loss_is_that_of_the_picture_before_the_step(
    paint_anywhere: Paint, recipe: Recipe
) -> None:
    transfer = paint_anywhere(recipe)
    before = transfer.measure()
    for step in transfer:
        assert step.losses["total"] == pytest.approx(before.losses["total"], rel=1e-4)
        assert step.losses["style"] == pytest.approx(before.losses["style"], rel=1e-4)
        before = transfer.measure()


def test_no_total_variation_is_told_as_zero(paint: Paint) -> None:
    assert next(paint()).losses["tv"] == 0


# Pausing, seeds


@pytest.mark.parametrize("recipe", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_pausing_changes_nothing_bit_for_bit(paint_anywhere: Paint, recipe: Recipe) -> None:
    recipe = recipe.but(size=170, coarsest=85, coarse_to_fine=True, steps=6, detail_steps=2)
    expected = [step.image for step in paint_anywhere(recipe)]
    transfer, other = paint_anywhere(recipe), paint_anywhere(recipe, init="noise", seed=3)
    images = [next(transfer).image]
    for step in transfer:
        images.append(step.image)
        if step.iteration == 3:
            break
    next(other)  # another transfer with the same network, meanwhile
    images += [step.image for step in transfer]
    assert len(images) == 6
    assert all(torch.equal(a, b) for a, b in zip(images, expected, strict=True))


@pytest.mark.parametrize("recipe", [FULL, FULL.but(optimizer="adam")], ids=["lbfgs", "adam"])
def test_a_seed_gives_the_same_picture_twice_bit_for_bit(
    paint_anywhere: Paint, recipe: Recipe
) -> None:
    recipe = recipe.but(init="noise", seed=11, steps=5)
    first = paint_anywhere(recipe)
    torch.manual_seed(99)  # not this seed
    second = paint_anywhere(recipe)
    assert torch.equal(first.image, second.image)
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a.image, b.image)
        assert a.losses == b.losses and a.layers == b.layers


def test_another_seed_gives_another_picture(paint: Paint) -> None:
    first, second = paint(init="noise", seed=1), paint(init="noise", seed=2)
    assert (first.image - second.image).abs().mean() > 0.2
    assert (first.run() - second.run()).abs().mean() > 0.01


def test_the_seed_leaves_torchs_own_alone(paint: Paint) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    paint(init="noise", seed=1).run()
    assert torch.equal(torch.rand(3), expected)


# Where it starts


def test_starting_points(paint: Paint, camel: Tensor, painting: Tensor) -> None:
    assert torch.equal(paint(init="content").image, resize(camel, 32))
    start = paint(init="style").image
    assert start.shape == (1, 3, 18, 32)  # the painting, in the shape of the photo
    assert start.mean().item() == pytest.approx(painting.mean().item(), abs=0.02)
    noise = paint(init="noise").image
    assert noise.shape == (1, 3, 18, 32)
    # Evenly spread over 0-1: mean 1/2, variance 1/12; 1,728 numbers.
    assert noise.mean().item() == pytest.approx(0.5, abs=0.03)
    assert noise.var().item() == pytest.approx(1 / 12, abs=0.01)


@pytest.mark.parametrize("init", ["noise", "style"])
def test_outside_the_mask_the_first_picture_is_the_photo(
    camel: Tensor, painting: Tensor, network: VGG19, init: str
) -> None:
    mask = torch.zeros(1, 1, *camel.shape[-2:])
    mask[..., 32:] = 1
    start = Transfer(camel, Style(painting, mask), QUICK.but(init=init, size=64), network, "cpu")
    assert torch.equal(start.image[..., :32], camel[..., :32])
    assert (start.image[..., 32:] - camel[..., 32:]).abs().mean() > 0.1
    # The other painting goes there.
    styles = [Style(painting, mask), painting.flip(3)]
    start = Transfer(camel, styles, QUICK.but(init=init, size=64), network, "cpu")
    assert (start.image[..., :32] - camel[..., :32]).abs().mean() > 0.1


def test_starting_from_the_content_there_is_no_content_loss(paint: Paint) -> None:
    first = next(paint(init="content"))
    assert first.losses["content"] == 0 and first.losses["style"] > 0


def test_starting_from_the_style_there_is_no_style_loss(camel: Tensor, network: VGG19) -> None:
    painting = camel.flip(3).roll(7, 2)  # of the same shape, so that it is not resized
    recipe = QUICK.but(init="style", size=64)
    first = next(Transfer(camel, painting, recipe, network, "cpu", torch.float32))
    assert first.losses["style"] == 0 and first.losses["content"] > 0


# The objective, against the formulae


def relative_loss(
    maps: dict[str, Tensor], seen: dict[str, Tensor], painted: dict[str, Tensor], recipe: Recipe
) -> tuple[Tensor, Tensor]:
    """Content and style loss with each layer divided by the mean square of its target."""
    content = style = torch.zeros(())
    for name, weight in recipe.content_layers.items():
        share = weight / sum(recipe.content_layers.values())
        error = mean((maps[name] - seen[name]) ** 2)
        content = content + share * error / mean(seen[name] ** 2)
    for name, weight in recipe.style_layers.items():
        share = weight / sum(recipe.style_layers.values())
        new, old = maps[name][0].flatten(1), painted[name][0].flatten(1)
        if recipe.centered:
            centre = old.mean(1, keepdim=True)
            new, old = new - centre, old - centre
        gram, target = new @ new.T / new.shape[1], old @ old.T / old.shape[1]
        style = style + share * mean((gram - target) ** 2) / mean(target**2)
    return content, style


def source_loss(
    maps: dict[str, Tensor], seen: dict[str, Tensor], painted: dict[str, Tensor], recipe: Recipe
) -> tuple[Tensor, Tensor]:
    """As the notebook that the story follows: raw Gram matrices, divided by C·H·W."""
    content = mean((maps["conv4_2"] - seen["conv4_2"]) ** 2)
    style = torch.zeros(())
    for name, weight in recipe.style_layers.items():
        _, channels, height, width = maps[name].shape
        new, old = maps[name].view(channels, -1), painted[name].view(channels, -1)
        difference = new @ new.T - old @ old.T
        style = style + weight * mean(difference**2) / (channels * height * width)
    return content, style


CASES: dict[str, tuple[Recipe, Callable[..., tuple[Tensor, Tensor]]]] = {
    "centred": (FULL.but(balance="relative", centered=True, style_weight=3.0), relative_loss),
    "not centred": (FULL.but(balance="relative", centered=False), relative_loss),
    "many layers": (
        FULL.but(
            balance="relative",
            content_layers={"conv4_2": 1.0, "conv3_1": 0.25, "pool2": 0.5},
            style_layers={"conv1_1": 2.0, "pool3": 0.5, "conv5_1": 1.0},
            content_weight=0.3,
            style_weight=11.0,
            tv_weight=0.5,
        ),
        relative_loss,
    ),
    "source": (RECIPES["source"], source_loss),
}


@pytest.fixture
def trio(camel: Tensor, painting: Tensor, noise: Noise) -> tuple[Tensor, Tensor, Tensor]:
    """A picture to judge, content and painting, all of one shape."""
    content, style = camel[..., :32, :48], painting[..., :32, :48]
    return (0.7 * content + 0.3 * noise(1, 3, 32, 48)), content, style


@pytest.mark.parametrize(("recipe", "formula"), CASES.values(), ids=CASES)
def test_the_objective_is_the_formula(
    recipe: Recipe,
    formula: Callable[..., tuple[Tensor, Tensor]],
    trio: tuple[Tensor, Tensor, Tensor],
    network: VGG19,
    torchvision_maps: Reference,
) -> None:
    recipe = recipe.but(pooling="max", padding="zeros")
    image, content, style = trio
    ours = image.clone().requires_grad_()
    total, parts = Objective(content, style, recipe, network)(ours)
    total.backward()

    theirs = image.clone().requires_grad_()
    seen, painted = torchvision_maps(content)[1], torchvision_maps(style)[1]
    expected_content, expected_style = formula(torchvision_maps(theirs)[1], seen, painted, recipe)
    rows, columns = theirs[..., 1:, :] - theirs[..., :-1, :], theirs[..., 1:] - theirs[..., :-1]
    expected = (
        recipe.content_weight * expected_content
        + recipe.style_weight * expected_style
        + recipe.tv_weight * (mean(rows**2) + mean(columns**2))
    )
    expected.backward()

    assert parts["content"].item() == pytest.approx(expected_content.item(), rel=1e-4)
    assert parts["style"].item() == pytest.approx(expected_style.item(), rel=1e-4)
    assert total.item() == pytest.approx(expected.item(), rel=1e-4)
    assert ours.grad is not None and theirs.grad is not None
    error = (ours.grad - theirs.grad).norm() / theirs.grad.norm()
    assert error < 1e-3


def test_a_style_of_another_size_has_the_same_style(network: VGG19, noise: Noise) -> None:
    """The painting six times side by side, in frames of the colour that padding adds."""
    style = torch.tensor([123.68, 116.779, 103.939]).div(255).view(1, 3, 1, 1).repeat(1, 1, 32, 40)
    style[..., 1:-1, 1:-1] = noise(1, 3, 30, 38)
    image = noise(1, 3, 32, 32, seed=2)
    recipe = QUICK.but(balance="relative", style_layers={"conv1_1": 1.0})
    one = Objective(image, style, recipe, network)(image)[1]["style"].item()
    six = Objective(image, style.repeat(1, 1, 2, 3), recipe, network)(image)[1]["style"].item()
    assert one > 0.01
    assert six == pytest.approx(one, rel=1e-4)


def test_scaling_the_layer_weights_changes_nothing_when_relative(
    trio: tuple[Tensor, Tensor, Tensor], network: VGG19
) -> None:
    image, content, style = trio
    layers = {"conv1_1": 1.0, "conv2_1": 0.5}
    totals = [
        Objective(content, style, QUICK.but(balance="relative", style_layers=weights), network)(
            image
        )[0].item()
        for weights in (layers, {name: 1000 * weight for name, weight in layers.items()})
    ]
    assert totals[1] == pytest.approx(totals[0], rel=1e-5)


@pytest.mark.parametrize("name", ["centred", "source"])
def test_the_gradient_is_a_finite_difference(
    name: str, trio: tuple[Tensor, Tensor, Tensor], network: VGG19, noise: Noise
) -> None:
    # Average pooling and a smooth start keep kinks out of the way.
    exact = copy.deepcopy(network)
    exact.set_precision(torch.float64)
    exact.pooling = "average"
    image, content, style = (picture.double() for picture in trio)
    recipe = CASES[name][0].but(tv_weight=0.5)
    objective = Objective(content, style, recipe, exact)
    point = image.clone().requires_grad_()
    objective(point)[0].backward()
    assert point.grad is not None
    for seed in range(3):
        direction = noise(*image.shape, dtype=torch.float64, seed=seed) - 0.5
        direction /= direction.norm()
        step = 1e-6
        with torch.no_grad():
            up, down = (objective(image + way * direction)[0] for way in (step, -step))
        slope = (up - down).item() / (2 * step)
        assert (point.grad * direction).sum().item() == pytest.approx(slope, rel=1e-4)


# The optimisers


def test_adam_is_adam_written_out(
    camel: Tensor, painting: Tensor, network: VGG19, torchvision_maps: Reference
) -> None:
    """Kingma, Ba (2015), algorithm 1, on the source's losses."""
    content, style = camel[..., :32, :48], painting[..., :32, :48]
    recipe = RECIPES["source"].but(size=48, steps=10)
    result = Transfer(content, style, recipe, network, "cpu", torch.float32).run()

    seen, painted = torchvision_maps(content)[1], torchvision_maps(style)[1]
    x, m, v = content.clone(), torch.zeros_like(content), torch.zeros_like(content)
    for t in range(1, 11):
        x.requires_grad_()
        near, like = source_loss(torchvision_maps(x)[1], seen, painted, recipe)
        (g,) = torch.autograd.grad(near + 1e6 * like, x)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        x = (x - 0.003 * 0.225 * m_hat / (v_hat.sqrt() + 1e-8)).detach()
    moved = (result - content).abs()
    assert moved.max() > 0.005  # ten steps of 0.000675
    difference = (result - x.clamp(0, 1)).abs()
    # Adam turns the rounding of a gradient near zero into a part of a step.
    assert difference.mean() < 1e-6 and difference.max() < 2e-4


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("balance", ["relative", "source"])
def test_the_loss_goes_down(paint_anywhere: Paint, optimizer: str, balance: str) -> None:
    transfer = paint_anywhere(
        FULL,
        optimizer=optimizer,
        balance=balance,
        style_weight=3.0 if balance == "relative" else 1e3,
        steps=20,
    )
    totals = [step.losses["total"] for step in transfer]
    assert totals[-1] < 0.5 * totals[0]
    assert min(totals[15:]) < min(totals[:8])


def test_both_optimisers_reach_the_content_from_noise(paint: Paint, camel: Tensor) -> None:
    for optimizer, steps in (("lbfgs", 40), ("adam", 120)):
        transfer = paint(
            init="noise",
            style_layers={},
            content_layers={"conv1_1": 1.0},
            optimizer=optimizer,
            learning_rate=0.05,
            steps=steps,
        )
        start = (transfer.image - resize(camel, 32)).abs().mean()
        end = (transfer.run() - resize(camel, 32)).abs().mean()
        assert end < 0.3 * start, optimizer


def test_lbfgs_needs_fewer_steps_than_adam(paint: Paint) -> None:
    ends = {
        optimizer: list(paint(FULL, optimizer=optimizer, learning_rate=0.02, steps=15))[-1]
        for optimizer in ("lbfgs", "adam")
    }
    assert ends["lbfgs"].losses["total"] < ends["adam"].losses["total"]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_clamping_keeps_the_pixels_in_range(
    painting: Tensor,
    network: VGG19,
    noise: Noise,
    optimizer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Tensor] = []
    honest = Objective.__call__

    def call(self: Objective, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        seen.append(image.detach().clone())
        return honest(self, image)

    monkeypatch.setattr(Objective, "__call__", call)
    content = noise(1, 3, 32, 32).round()  # black and white: each push may lead out
    for clamp in (True, False):
        recipe = QUICK.but(optimizer=optimizer, clamp=clamp, steps=3)
        transfer = Transfer(content, painting, recipe, network, "cpu", torch.float32)
        assert (transfer.run() - content).abs().max() > 0.001
        inside = seen[-1].min() >= 0 and seen[-1].max() <= 1
        assert inside == clamp


def test_total_variation_smooths(paint: Paint) -> None:
    def roughness(weight: float) -> float:
        image = paint(tv_weight=weight, steps=12).run()
        return image.diff(dim=3).square().mean().item()

    assert roughness(100.0) < 0.5 * roughness(0.0)


# Changing on the way


def test_a_change_is_followed_at_the_next_step(
    paint: Paint, camel: Tensor, painting: Tensor, torchvision_maps: Reference
) -> None:
    transfer = paint(balance="relative", centered=True, clamp=True)
    for _ in range(3):
        next(transfer)
    before = transfer.image
    transfer.change(style_weight=50.0, style_layers={"conv1_2": 1.0, "conv2_1": 3.0})
    step = next(transfer)
    assert step.iteration == 4
    seen = torchvision_maps(resize(camel, 32))[1]
    painted = torchvision_maps(resize(painting, 32))[1]
    content, style = relative_loss(torchvision_maps(before)[1], seen, painted, transfer.recipe)
    assert step.losses["content"] == pytest.approx(content.item(), rel=1e-3)
    assert step.losses["style"] == pytest.approx(style.item(), rel=1e-3)
    assert step.losses["total"] == pytest.approx((content + 50 * style).item(), rel=1e-3)
    assert set(step.layers) == {"content conv2_1", "style conv1_2", "style conv2_1"}


def test_a_change_changes_the_picture_and_only_from_then_on(paint_anywhere: Paint) -> None:
    plain = [step.image for step in paint_anywhere()]
    transfer = paint_anywhere()
    changed = []
    for step in transfer:
        changed.append(step.image)
        if step.iteration == 4:
            transfer.change(style_weight=0.0)
    assert all(torch.equal(a, b) for a, b in zip(plain[:4], changed[:4], strict=True))
    assert not torch.equal(plain[-1], changed[-1])


def test_run_with_changes_is_iterating_with_changes(paint_anywhere: Paint) -> None:
    transfer, replay = paint_anywhere(), paint_anywhere()
    for step in transfer:
        if step.iteration == 3:
            transfer.change(style_weight=0.5)
        if step.iteration == 5:
            transfer.change(content_weight=0.1, tv_weight=1.0)
    changes = {3: {"style_weight": 0.5}, 5: {"content_weight": 0.1, "tv_weight": 1.0}}
    assert torch.equal(replay.run(changes), transfer.image)
    assert replay.recipe == transfer.recipe
    part = paint_anywhere()
    part.run(until=4)
    assert part.iteration == 4


@pytest.mark.parametrize(
    "change",
    [
        {"size": 64},
        {"init": "noise"},
        {"pooling": "average"},
        {"weights": "random"},
        {"seed": 4},
        {"coarse_to_fine": True},
        {"coarsest": 64},
    ],
)
def test_what_can_not_be_changed_any_more(paint: Paint, change: dict[str, Any]) -> None:
    transfer = paint(pooling="max")
    next(transfer)
    with pytest.raises(StylelibError, match="can't be changed while painting"):
        transfer.change(**change)
    same = {name: getattr(transfer.recipe, name) for name in change}
    transfer.change(**same)  # no change at all
    assert next(transfer).iteration == 2


def test_a_bad_change_leaves_everything_as_it_was(paint: Paint) -> None:
    transfer, plain = paint(), paint()
    next(transfer)
    for change in ({"style_weight": -1}, {"styl_weight": 1}, {"style_layers": {"conv9_1": 1}}):
        with pytest.raises(StylelibError):
            transfer.change(**change)
    assert transfer.recipe == plain.recipe
    assert torch.equal(transfer.run(), plain.run())


def test_a_deeper_layer_can_be_asked_for_on_the_way(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    shallow = load_vgg19(last="conv2_1")
    transfer = Transfer(camel, painting, QUICK, shallow, "cpu", torch.float32)
    next(transfer)
    transfer.change(content_layers={"conv3_2": 1.0})
    assert "content conv3_2" in next(transfer).layers


def test_more_steps_let_a_finished_transfer_go_on(paint: Paint) -> None:
    transfer = paint(steps=3)
    transfer.run()
    with pytest.raises(StopIteration):
        next(transfer)
    transfer.change(steps=5)
    assert [(s.iteration, s.steps) for s in transfer] == [(4, 5), (5, 5)]


def test_changing_the_optimiser_on_the_way(paint_anywhere: Paint) -> None:
    transfer = paint_anywhere(FULL, optimizer="adam")
    next(transfer)
    transfer.change(optimizer="lbfgs")
    steps = list(transfer)
    assert len(steps) == 9
    assert steps[-1].losses["total"] < steps[0].losses["total"]


def test_going_back_and_on_from_there(paint_anywhere: Paint) -> None:
    transfer = paint_anywhere(size=170, coarsest=85, coarse_to_fine=True, steps=8)
    steps = list(transfer)
    early = steps[2]
    ends = []
    for _ in range(2):
        transfer.go_back_to(early.image, early.iteration)
        assert torch.equal(transfer.image, early.image) and transfer.iteration == 3
        again = list(transfer)
        assert [s.iteration for s in again] == [4, 5, 6, 7, 8]
        ends.append(again[-1].image)
    assert torch.equal(ends[0], ends[1])
    assert ends[0].shape == steps[-1].image.shape
    assert transfer.image is not early.image


def test_going_back_to_what_is_no_picture(paint: Paint) -> None:
    transfer = paint()
    with pytest.raises(StylelibError, match="earlier picture"):
        transfer.go_back_to(torch.zeros(3, 4, 4), 1)


# Coarse to fine


def test_coarse_to_fine_ends_at_the_right_size(paint_anywhere: Paint) -> None:
    transfer = paint_anywhere(size=300, coarse_to_fine=True, steps=6)
    stages = transfer.recipe.stages()
    assert len(stages) >= 2
    found = [max(step.image.shape[-2:]) for step in transfer]
    assert found == [size for size, count in stages for _ in range(count)]
    assert transfer.image.shape == (1, 3, 169, 300)  # 64 x 36, enlarged


@pytest.mark.parametrize("steps", [1, 2])
def test_one_step_is_enough_for_the_right_size(paint: Paint, steps: int) -> None:
    assert paint(size=300, coarse_to_fine=True, steps=steps).run().shape == (1, 3, 169, 300)


def test_coarse_to_fine_starts_each_size_from_the_one_before(paint: Paint) -> None:
    recipe = QUICK.but(size=170, coarsest=85, coarse_to_fine=True, steps=2)
    transfer = paint(recipe, init="noise", tv_weight=1.0)
    small = next(transfer).image
    assert max(small.shape[-2:]) == 85
    larger = next(transfer)
    start = resize(small, 170)
    tv = start.diff(dim=2).square().mean() + start.diff(dim=3).square().mean()
    assert larger.losses["tv"] == pytest.approx(tv.item(), rel=1e-4)


DETAILED = QUICK.but(size=170, coarsest=85, coarse_to_fine=True, steps=4, detail_steps=6)


def test_detail_is_added_after_an_enlargement(paint_anywhere: Paint) -> None:
    bare, detailed = list(paint_anywhere(DETAILED, detail_steps=0)), list(paint_anywhere(DETAILED))
    for step in (0, 1):  # the small picture is the same
        assert torch.equal(bare[step].image, detailed[step].image)
    for layer in ("style conv1_1", "style conv2_1"):
        assert detailed[2].layers[layer] < 0.5 * bare[2].layers[layer]


@pytest.mark.parametrize(
    "changes", [{"coarse_to_fine": False}, {"style_layers": {"conv2_1": 0.0}}, {"style_weight": 0}]
)
def test_where_there_is_none_to_add(paint: Paint, changes: dict[str, Any]) -> None:
    recipe = DETAILED.but(**changes)
    assert torch.equal(paint(recipe).run(), paint(recipe, detail_steps=0).run())


def test_adding_detail_makes_no_picture_worse(
    paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its steps lead astray, the best picture of them is taken: here the enlarged one."""
    plain = list(paint(DETAILED, detail_steps=0))
    transfer = paint(DETAILED)
    next(transfer), next(transfer)

    class Astray(LBFGS):
        def step(self) -> None:
            self.pixels.data.fill_(1e9)

    monkeypatch.setattr("stylelib.engine.stages.LBFGS", Astray)
    assert next(transfer).losses == pytest.approx(plain[2].losses)


def test_interrupted_while_it_adds_detail(paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, transfer, count = paint(DETAILED).run(), paint(DETAILED), 0
    honest = Objective.__call__

    def call(self: Objective, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        nonlocal count
        count += 1
        if count == 5:  # two steps on the small picture, and the third of the detail
            raise KeyboardInterrupt
        return honest(self, image)

    monkeypatch.setattr(Objective, "__call__", call)
    with pytest.raises(KeyboardInterrupt):
        transfer.run()
    assert transfer.iteration == 2
    assert torch.equal(transfer.run(), expected)


# When it goes wrong


class Spoilt:
    """The objective, giving `value` in place of the loss at some of its calls."""

    def __init__(self, value: float, calls: Callable[[int], bool]) -> None:
        self.value, self.calls, self.count = value, calls, 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        honest = Objective.__call__
        spoilt = self

        def call(self: Objective, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
            spoilt.count += 1
            total, parts = honest(self, image)
            return (total * spoilt.value if spoilt.calls(spoilt.count) else total), parts

        monkeypatch.setattr(Objective, "__call__", call)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9])
def test_adam_stops_and_keeps_the_last_good_picture(
    paint: Paint, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    expected = [step.image for step in paint(ADAM)]
    Spoilt(value, lambda call: call >= 5).install(monkeypatch)
    transfer = paint(ADAM)
    with pytest.warns(RuntimeWarning, match="best picture so far is kept"):
        images = [step.image for step in transfer]
    # The fifth loss is bad. It is of the picture after step 4, so that of step 3 is the
    # last that is known to be good.
    assert len(images) == transfer.iteration == 4
    assert torch.equal(transfer.image, expected[2])
    assert transfer.stopped is not None
    assert "step 5" in transfer.stopped and "smaller learning rate" in transfer.stopped
    with pytest.raises(StopIteration):
        next(transfer)


def test_a_quiet_transfer_does_not_warn(paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    Spoilt(float("nan"), lambda call: call >= 2).install(monkeypatch)
    transfer = paint(ADAM)
    transfer.quiet = True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        transfer.run()
    assert transfer.stopped


def test_a_bad_first_loss_leaves_the_start(paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    Spoilt(float("nan"), lambda call: True).install(monkeypatch)
    for recipe in OPTIMIZERS.values():
        transfer = paint(recipe)
        start = transfer.image
        with pytest.warns(RuntimeWarning):
            assert list(transfer) == []
        assert torch.equal(transfer.image, start)
        assert transfer.stopped and transfer.iteration == 0


@pytest.mark.parametrize("value", [float("nan"), 1e9])
def test_lbfgs_starts_afresh_once_and_finishes(
    paint: Paint, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    spoilt = Spoilt(value, lambda call: call == 5)
    spoilt.install(monkeypatch)
    transfer = paint(FULL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        steps = list(transfer)
    assert [step.iteration for step in steps] == list(range(1, 11))
    assert spoilt.count == 11
    assert transfer.stopped is None
    assert steps[-1].losses["total"] < steps[0].losses["total"]


def test_lbfgs_gives_up_in_the_end(paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt = Spoilt(float("nan"), lambda call: call >= 4)
    spoilt.install(monkeypatch)
    transfer = paint()
    with pytest.warns(RuntimeWarning):
        steps = list(transfer)
    assert len(steps) == 3 and transfer.stopped
    assert spoilt.count < 20
    assert transfer.image.isfinite().all()


def test_adam_that_truly_explodes(paint: Paint, camel: Tensor) -> None:
    transfer = paint(ADAM, learning_rate=1000.0, clamp=False)
    with pytest.warns(RuntimeWarning):
        steps = list(transfer)
    assert 1 <= len(steps) < 8
    assert transfer.stopped
    # Its first step went a thousand away from the camel, which is what was good.
    assert torch.equal(transfer.image, resize(camel, 32))


def test_a_stopped_transfer_can_go_on_with_other_settings(paint: Paint) -> None:
    transfer = paint(ADAM, learning_rate=1000.0, clamp=False)
    transfer.quiet = True
    transfer.run()
    assert "best picture so far" in str(transfer.stopped)
    transfer.change(learning_rate=0.01)
    assert transfer.stopped is None
    steps = list(transfer)
    assert steps[-1].iteration == 8 and transfer.stopped is None
    assert steps[-1].losses["total"] < steps[0].losses["total"]


def test_pixels_that_are_no_numbers_are_noticed(
    paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finite loss with a gradient that is not: seen before the picture is shown."""
    honest = Objective.__call__

    def call(self: Objective, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        total, parts = honest(self, image)
        return total + 0 * (image - image.detach()).sum().sqrt(), parts  # slope at 0: infinite

    monkeypatch.setattr(Objective, "__call__", call)
    for recipe in OPTIMIZERS.values():
        transfer = paint(recipe)
        start = transfer.image
        with pytest.warns(RuntimeWarning):
            assert list(transfer) == []  # not one with such a picture
        assert torch.equal(transfer.image, start)


# Odd pictures, odd settings


@pytest.mark.parametrize("recipe", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_all_weights_zero_change_nothing(paint: Paint, recipe: Recipe) -> None:
    transfer = paint(recipe, content_weight=0.0, style_weight=0.0)
    start = transfer.image
    assert torch.equal(transfer.run(), start)
    assert transfer.iteration == 8


def test_layer_weights_of_zero(paint: Paint) -> None:
    transfer = paint(content_layers={"conv2_1": 0.0}, style_layers={"conv1_1": 0.0})
    start = transfer.image
    assert torch.equal(transfer.run(), start)


@pytest.mark.parametrize("balance", ["relative", "source"])
@pytest.mark.parametrize("recipe", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_pictures_of_one_colour(
    camel: Tensor, network: VGG19, recipe: Recipe, balance: str
) -> None:
    recipe = recipe.but(balance=balance, steps=4)
    flat, black = torch.full_like(camel, 0.4), torch.zeros_like(camel)
    for content, style in ((flat, camel), (camel, flat), (flat, flat), (black, black)):
        transfer = Transfer(content, style, recipe, network, "cpu", torch.float32)
        assert len(list(transfer)) == 4
        assert transfer.image.isfinite().all() and transfer.stopped is None


def test_content_and_style_the_same(camel: Tensor, network: VGG19) -> None:
    """Nothing to do, so nothing happens."""
    for recipe in OPTIMIZERS.values():
        transfer = Transfer(camel, camel, recipe, network, "cpu", torch.float32)
        start = transfer.image
        steps = list(transfer)
        assert steps[0].losses["total"] == 0
        assert torch.equal(transfer.image, start)


@pytest.mark.parametrize("shape", [(16, 300), (300, 16)])
def test_a_very_long_picture(noise: Noise, network: VGG19, shape: tuple[int, int]) -> None:
    """Small at first, a side would be too short for conv5_1."""
    recipe = FULL.but(size=310, steps=4, coarse_to_fine=True)
    assert recipe.stages()[0][0] < 300
    content, style = noise(1, 3, *shape), noise(1, 3, 300, 16, seed=2)
    transfer = Transfer(content, style, recipe, network, "cpu", torch.float32)
    assert len(list(transfer)) == 4
    assert max(transfer.image.shape[-2:]) == 310
    assert min(transfer.image.shape[-2:]) == 17  # 16 * 310 / 300 = 16.5, for conv5_1's 16


def test_a_picture_too_thin_for_its_size_is_refused_at_once(
    camel: Tensor, noise: Noise, network: VGG19
) -> None:
    ribbon, recipe = noise(1, 3, 4, 300), FULL.but(size=512)
    for content, style, what in ((ribbon, camel, "content"), (camel, ribbon, "style")):
        with pytest.raises(StylelibError, match=f"{what} picture is too thin.*size 1200 or more"):
            Transfer(content, style, recipe, network, "cpu", torch.float32)
    shallow = QUICK.but(size=512)
    transfer = Transfer(ribbon, camel, shallow, network, "cpu", torch.float32)
    with pytest.raises(StylelibError, match="too thin for conv5_1"):
        transfer.change(style_layers={"conv5_1": 1.0})
    assert next(transfer).iteration == 1


def test_what_is_no_picture(camel: Tensor, network: VGG19) -> None:
    spoilt = camel.clone()
    spoilt[0, 0, 0, 0] = float("nan")
    cases = [
        (camel[0], "shape"),
        (camel[:, :1], "shape"),
        (torch.cat([camel, camel]), "shape"),
        (spoilt, "not numbers"),
        (camel[..., :1], "too small"),
    ]
    for picture, message in cases:
        with pytest.raises(StylelibError, match=f"content picture.*{message}"):
            Transfer(picture, camel, QUICK, network)
        with pytest.raises(StylelibError, match=f"style picture.*{message}"):
            Transfer(camel, picture, QUICK, network)


def test_a_size_that_does_not_fit_in_memory(paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    free = SimpleNamespace(available=4_000_000_000)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: free)
    with pytest.raises(StylelibError, match=r"GB of memory.*4\.0 GB are free.*Try size (\d+)"):
        paint(size=8192)


# The network


def test_the_network_given_is_left_as_it_is(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    before = {name: values.clone() for name, values in network.state_dict().items()}
    Transfer(camel, painting, QUICK.but(steps=1), network, "cpu", torch.bfloat16).run()
    assert network.dtype == torch.float32
    after = network.state_dict()
    assert all(torch.equal(after[name], values) for name, values in before.items())
    assert all(values.dtype == torch.float32 for values in after.values())


def test_bfloat16_paints_nearly_the_same(camel: Tensor, painting: Tensor, network: VGG19) -> None:
    ends = [
        Transfer(camel, painting, FULL, network, "cpu", precision)
        for precision in (torch.float32, torch.bfloat16)
    ]
    exact, half = (end.run() for end in ends)
    moved = (exact - resize(camel, 48)).abs().mean()
    difference = (exact - half).abs().mean()
    assert 0 < difference < 0.3 * moved
    assert half.dtype == torch.float32


@pytest.mark.parametrize("recipe", ["default", "source", "source-fast"])
def test_float16_paints_nearly_the_same(
    camel: Tensor, painting: Tensor, network: VGG19, recipe: str
) -> None:
    """Its numbers end at 65,504, and the loss of the source's recipe begins at 6e8."""
    small = RECIPES[recipe].but(size=32, steps=4, content_layers={"conv3_1": 1.0})
    small = small.but(style_layers={"conv1_1": 1.0, "conv2_1": 0.75, "conv3_1": 0.2})
    reached = {}
    for precision in (torch.float32, torch.float16):
        transfer = Transfer(camel, painting, small, network, "cpu", precision)
        transfer.run()
        assert transfer.stopped is None and transfer.iteration == 4
        reached[precision] = transfer.measure().losses["total"]
    assert reached[torch.float16] == pytest.approx(reached[torch.float32], rel=0.05)


def test_the_scale_of_the_weights_does_not_matter_in_float16(camel: Tensor, network: VGG19) -> None:
    """Neither do gradients vanish where the loss is small."""
    half = copy.deepcopy(network)
    half.set_precision(torch.float16)
    gradients = []
    for scale in (1e-9, 1.0, 1e9):
        recipe = QUICK.but(content_weight=scale, style_weight=scale)
        picture = camel.clone().requires_grad_()
        Objective(camel.flip(3), camel.flip(2), recipe, half)(picture)[0].backward()
        assert picture.grad is not None
        gradients.append(picture.grad / scale)
    largest = gradients[1].abs().max().item()
    assert largest > 0
    for gradient in gradients:
        torch.testing.assert_close(gradient, gradients[1], rtol=1e-2, atol=5e-3 * largest)


def test_only_the_layers_needed_are_loaded(camel: Tensor, painting: Tensor) -> None:
    transfer = Transfer(camel, painting, QUICK.but(weights="random"), device="cpu")
    assert list(transfer.network.convolutions) == ["conv1_1", "conv1_2", "conv2_1"]


def test_the_recipe_chooses_the_network(camel: Tensor, painting: Tensor) -> None:
    recipe = QUICK.but(weights="random", pooling="average", padding="replicate", seed=3)
    network = Transfer(camel, painting, recipe, device="cpu", precision=torch.float32).network
    expected = load_vgg19("random", "conv2_1", "average", "replicate", seed=3)
    assert (network.pooling, network.padding) == ("average", "replicate")
    for name, values in expected.state_dict().items():
        assert torch.equal(network.state_dict()[name], values)


# The record


def test_the_record_tells_how_and_not_where(paint: Paint) -> None:
    transfer = paint()
    next(transfer)
    record = transfer.record("/home/someone/photos/my camel.jpg", r"C:\Users\someone\painting.png")
    assert json.loads(json.dumps(record)) == record
    assert (record["content"], record["style"]) == ("my camel.jpg", "painting.png")
    assert record["recipe"] == transfer.recipe.as_dict()
    assert record["steps_done"] == 1
    assert "someone" not in json.dumps(record)
    assert record["versions"]["torch"] == torch.__version__


# At full depth and the default recipe


@pytest.mark.slow
@pytest.mark.parametrize("name", list(RECIPES))
def test_the_named_recipes_paint_a_camel(
    camel: Tensor, painting: Tensor, network: VGG19, name: str
) -> None:
    recipe = RECIPES[name].but(size=160, steps=40)
    steps: list[Step] = list(Transfer(camel, painting, recipe, network, "cpu", torch.float32))
    assert steps[-1].losses["style"] < steps[0].losses["style"]
    image = steps[-1].image
    assert max(image.shape[-2:]) == 160
    start = resize(camel, 160)
    assert 0.01 < (image - start).abs().mean() < 0.3
