"""Feed-forward networks: what they paint, how they are trained, what their files may contain."""

import gc
import inspect
import io
import math
import os
import pickle
import re
import signal
import sys
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import tqdm.std
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

import stylelib
from stylelib import (
    RECIPES,
    SAMPLES,
    FeedForward,
    StylelibError,
    TrainingStep,
    cli,
    load_image,
    read_recipe,
    resize,
    save_image,
    train,
)
from stylelib.cli.progress import Progress
from stylelib.engine.network import VGG19, load_vgg19
from stylelib.engine.objective import Objective
from stylelib.feedforward import training
from stylelib.feedforward.network import checksum
from stylelib.pictures.samples import NETWORKS

# Quick: small strokes, and only early layers.
RECIPE = RECIPES["gram"].but(
    size=64,
    content_layers={"conv3_1": 1.0},
    style_layers={"conv1_1": 1.0, "conv2_1": 0.8, "conv3_1": 0.6},
)
TINY = {"crop": 32, "recipe": RECIPE, "device": "cpu"}


def tiny(seed: int = 0) -> FeedForward:
    """A network small enough to train in a test."""
    return FeedForward(width=4, blocks=1, seed=seed)


@pytest.fixture(scope="module")
def vgg() -> VGG19:
    """The network that the objective of the training uses."""
    return load_vgg19(last=RECIPE.deepest, pooling=RECIPE.pooling, padding=RECIPE.padding)


@pytest.fixture(scope="module")
def shipped() -> FeedForward:
    """The network that comes with stylelib."""
    return FeedForward.load("hokusai-great-wave.pt")


def numbers(network: FeedForward) -> Tensor:
    """All weights in one vector."""
    return torch.cat([value.detach().flatten() for value in network.parameters()])


# ------------------------------------------------------------------ what it paints


@pytest.mark.parametrize("shape", [(16, 16), (17, 19), (16, 201), (150, 18), (64, 62), (33, 47)])
def test_the_picture_has_the_size_of_the_photo(noise: Callable[..., Tensor], shape: Any) -> None:
    photo = noise(1, 3, *shape)
    network = tiny()
    assert network(photo).shape == photo.shape
    painted = network.paint(photo)
    assert painted.shape == photo.shape and painted.dtype == torch.float32
    assert painted.min() >= 0 and painted.max() <= 1 and painted.isfinite().all()
    assert not painted.requires_grad


def test_the_same_seed_makes_the_same_network(noise: Callable[..., Tensor]) -> None:
    before = torch.random.get_rng_state()
    photo = noise(1, 3, 40, 30)
    assert torch.equal(tiny(3).paint(photo), tiny(3).paint(photo))
    assert not torch.equal(tiny(3).paint(photo), tiny(4).paint(photo))
    assert torch.equal(
        torch.random.get_rng_state(), before
    )  # other random numbers are not affected


def test_brightness_and_contrast_of_the_photo_do_not_matter(shipped: FeedForward) -> None:
    # Instance normalisation removes them, up to its protection against a variance of 0.
    photo = load_image("camel", 96)
    assert (shipped.paint(photo) - shipped.paint(photo * 0.5 + 0.2)).abs().mean() < 0.01


def test_a_shifted_photo_is_painted_shifted(
    shipped: FeedForward,
) -> None:
    # Away from the edges it is invariant to shifts by multiples of 4 pixels.
    photo = load_image("camel", 256)
    shipped_left = shipped.paint(photo[..., :, :-8])
    shipped_right = shipped.paint(photo[..., :, 8:])
    inside = (slice(None), slice(None), slice(None), slice(64, 160))
    moved = (slice(None), slice(None), slice(None), slice(72, 168))
    assert (shipped_right[inside] - shipped_left[moved]).abs().mean() < 0.04


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (torch.zeros(1, 3, 15, 40), "40 x 15 pixels; the network needs at least 16"),
        (torch.zeros(3, 40, 40), "shape (3, 40, 40)"),
        (torch.full((1, 3, 40, 40), 255.0), "must be in 0-1"),
        (torch.full((1, 3, 40, 40), torch.nan), "not numbers"),
        ("camel", "not a tensor but str"),
    ],
)
def test_an_invalid_photo_is_refused(photo: Any, words: str) -> None:
    with pytest.raises(StylelibError) as told:
        tiny().paint(photo)
    assert words in str(told.value)


def test_a_photo_too_large_for_memory_is_refused_with_a_size_that_fits(monkeypatch: Any) -> None:
    monkeypatch.setattr("stylelib.engine.memory.free_memory", lambda device: 10**9)
    photo = torch.zeros(1, 3, 1, 1).expand(1, 3, 3000, 4000)
    with pytest.raises(StylelibError, match=r"4000 x 3000 .* needs about 1.9 GB .* Try size 2656"):
        tiny().paint(photo)


@pytest.mark.parametrize("size", [{"width": 0}, {"width": 1.5}, {"blocks": -1}, {"blocks": True}])
def test_an_invalid_network_size_is_refused(size: Any) -> None:
    with pytest.raises(StylelibError, match="must be a whole number from"):
        FeedForward(**size)


# ------------------------------------------------------------------- several paintings


def both() -> FeedForward:
    """A small network of two paintings, whose styles differ."""
    network = FeedForward(width=4, blocks=1, paintings=["waves", "poppies"])
    for name, value in network.named_parameters():
        if value.dim() == 2:
            generator = torch.Generator().manual_seed(len(name))
            value.data += 0.5 * torch.rand(value.shape, generator=generator)
    return network


def test_a_style_is_a_scale_and_a_shift_of_each_normalised_map(camel: Tensor) -> None:
    network = both()
    first = [dict(network.layers.named_children())[name] for name in "01"]
    shares = torch.tensor([0.25, 0.75])
    maps = first[0](camel)
    mean = maps.mean((2, 3), keepdim=True)
    spread = (maps.var((2, 3), correction=0, keepdim=True) + 1e-5).sqrt()
    scale, shift = (0.25 * p[0] + 0.75 * p[1] for p in (first[1].weight, first[1].bias))
    expected = (maps - mean) / spread * scale.view(-1, 1, 1) + shift.view(-1, 1, 1)
    torch.testing.assert_close(first[1](maps, shares), expected, rtol=1e-3, atol=1e-3)


def test_styles_by_name_by_share_and_as_a_tensor(camel: Tensor) -> None:
    network = both()
    waves, poppies = (network.paint(camel, name) for name in network.paintings)
    assert (waves - poppies).abs().max() > 0.01
    assert torch.equal(network.paint(camel, {"poppies": 7}), poppies)
    between = network.paint(camel, {"waves": 1, "poppies": 3})
    assert torch.equal(between, network.paint(camel, torch.tensor([0.5, 1.5])))
    assert not torch.equal(between, waves) and not torch.equal(between, poppies)
    alone = network.learning(["poppies"])
    torch.testing.assert_close(alone.paint(camel), poppies)


@pytest.mark.parametrize(
    ("style", "words"),
    [
        (None, "say which it is to paint after: waves, poppies"),
        ("wave", "Did you mean waves?"),
        ({"waves": -1}, "The share of 'waves' is -1"),
        ({"waves": 0}, "at least one must count"),
        ({}, "at least one must count"),
        ({"waves": True}, "The share of 'waves' is True"),
        (torch.tensor([1.0, torch.nan]), "must be 0 or more"),
        (torch.ones(3), "a tensor of 2 shares"),
        (3, "a tensor of 2 shares, not 3"),
    ],
)
def test_a_style_that_it_can_not_paint_is_refused(camel: Tensor, style: Any, words: str) -> None:
    with pytest.raises(StylelibError) as told:
        both().paint(camel, style)
    assert words in str(told.value)


@pytest.mark.parametrize("names", ["waves", [], ["a", "a"], [1], ["x"] * 65, None])
def test_names_that_it_can_not_have_are_refused(names: Any) -> None:
    with pytest.raises(StylelibError, match="paintings"):
        FeedForward(4, 1, paintings=names)


def test_a_picture_has_its_paintings_colours_from_the_start(painting: Tensor, vgg: VGG19) -> None:
    network, photo = tiny(), load_image("camel", 96)
    next(train(network, painting, steps=100, vgg=vgg, **TINY))  # a first step is a short one
    painted = network.paint(photo)
    for measure in (Tensor.mean, Tensor.std):
        found, wanted = (measure(image, dim=(0, 2, 3)) for image in (painted, painting))
        assert (found - wanted).abs().max() < 0.05
    learned = network.learning(["other"])
    before = learned.paint(photo)
    learned.take_colors(0, 1 - painting)
    assert (learned.paint(photo) - before).abs().mean() > 0.05


def test_several_paintings_survive_their_file(tmp_path: Path, camel: Tensor) -> None:
    again = FeedForward.load(both().save(tmp_path / "both.pt"))
    assert again.paintings == ("waves", "poppies")
    for name in again.paintings:
        assert (again.paint(camel, name) - both().paint(camel, name)).abs().max() < 2 / 255


def test_several_paintings_take_turns(painting: Tensor, vgg: VGG19) -> None:
    network = both()
    others = [painting, painting.flip(1).contiguous()]
    with pytest.raises(StylelibError, match="names for 2 paintings, and 1 were given"):
        train(network, painting, **TINY)
    steps = train(network, others, steps=2, vgg=vgg, **TINY)
    for turn in (0, 1):
        next(steps)
        for name, value in network.named_parameters():
            if value.dim() == 2:
                assert value.grad is not None
                used = value.grad.abs().sum(1) > 0
                assert used.tolist() == [turn == 0, turn == 1], name


def test_a_training_goes_on_where_it_stopped(painting: Tensor, vgg: VGG19, tmp_path: Path) -> None:
    how = TINY | {"steps": 4, "vgg": vgg}
    whole, parts, file = tiny(), tiny(), tmp_path / "tiny.unfinished"
    losses = [step.losses for step in train(whole, painting, **how)]
    for step in train(parts, painting, checkpoint=file, **how):
        if step.iteration == 2:
            break
    del step
    gc.collect()  # the iterator ends here, and writes the file
    parts = tiny(7)  # whatever it is, it becomes what it was
    rest = list(train(parts, painting, checkpoint=file, **how))
    assert [step.iteration for step in rest] == [3, 4] and not file.exists()
    assert [step.losses for step in rest] == losses[2:]
    assert torch.equal(numbers(parts), numbers(whole))


def test_a_checkpoint_that_does_not_fit_is_refused(
    painting: Tensor, vgg: VGG19, tmp_path: Path
) -> None:
    file, how = tmp_path / "tiny.unfinished", TINY | {"steps": 4, "vgg": vgg}
    steps = train(tiny(), painting, checkpoint=file, **how)
    next(steps)
    steps.close()
    with pytest.raises(StylelibError, match="other pictures or settings"):
        next(train(tiny(), painting, checkpoint=file, seed=1, **how))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(StylelibError, match=r"damaged.*Delete it"):
        next(train(tiny(), painting, checkpoint=file, **how))
    assert file.read_bytes() == data


# ----------------------------------------------------------------------- how it learns


def test_training_lowers_the_loss_of_a_photo(painting: Tensor, camel: Tensor, vgg: VGG19) -> None:
    network, photo = tiny(), load_image("camel", 96)
    before = network.paint(photo)
    steps = list(train(network, painting, steps=60, vgg=vgg, **TINY))
    assert [step.iteration for step in steps] == list(range(1, 61))
    assert [step.share for step in steps] == pytest.approx([n / 60 for n in range(1, 61)])
    assert all(a.seconds < b.seconds for a, b in pairwise(steps))
    target = by_hand(painting, photo, vgg)
    assert target(network.paint(photo)) < 0.7 * target(before)


def by_hand(painting: Tensor, photo: Tensor, vgg: VGG19) -> Callable[[Tensor], float]:
    """The target loss, computed with NumPy: the mean of that at full size and at a third."""
    height, width = painting.shape[-2:]
    small = resize(painting, max(height, width) // training.COARSE)
    whole = at_one_size(painting, photo, vgg)
    third = at_one_size(small, F.avg_pool2d(photo, training.COARSE), vgg)
    return lambda image: (whole(image) + third(F.avg_pool2d(image, training.COARSE))) / 2


def at_one_size(painting: Tensor, photo: Tensor, vgg: VGG19) -> Callable[[Tensor], float]:
    """The target loss at one size, computed with NumPy."""

    def maps(image: Tensor) -> dict[str, np.ndarray]:
        found = vgg(image, RECIPE.style_layers)
        return {n: m[0].flatten(1).detach().double().numpy() for n, m in found.items()}

    def loss(image: Tensor) -> float:
        new, old, style = maps(image), maps(photo), maps(painting)
        total = ((new["conv3_1"] - old["conv3_1"]) ** 2).mean() / (old["conv3_1"] ** 2).mean()
        weights = np.array(list(RECIPE.style_layers.values()))
        for name, weight in zip(RECIPE.style_layers, weights / weights.sum(), strict=True):
            mean = style[name].mean(axis=1, keepdims=True)
            gram, wanted = (
                (m - mean) @ (m - mean).T / m.shape[1] for m in (new[name], style[name])
            )
            total += (
                RECIPE.style_weight * weight * ((gram - wanted) ** 2).mean() / (wanted**2).mean()
            )
        step = image[0].double().numpy()
        rough = (np.diff(step, axis=1) ** 2).mean() + (np.diff(step, axis=2) ** 2).mean()
        return float(total + RECIPE.tv_weight * rough)

    return loss


PAINTINGS = [name for name, one in SAMPLES.items() if one.kind == "painting"]


def test_the_loss_of_a_step_is_that_of_the_objective(painting: Tensor, vgg: VGG19) -> None:
    photos = [load_image(name) for name in PAINTINGS]
    crops = training.crops(photos, 32, RECIPE.size, seed=5)
    next(crops)  # the objective is set up with it
    piece, network = next(crops).photo, tiny()
    network.take_colors(0, painting)
    expected = by_hand(painting, piece, vgg)(network(piece).detach())
    step = next(train(network, painting, steps=1, seed=5, vgg=vgg, **TINY))
    assert step.losses["total"] == pytest.approx(expected, rel=1e-4)
    weighted = RECIPE.style_weight * step.losses["style"] + RECIPE.tv_weight * step.losses["tv"]
    assert step.losses["total"] == pytest.approx(step.losses["content"] + weighted, rel=1e-5)


@pytest.mark.parametrize("size", [160, 20])
def test_examples_give_the_content_and_the_colors(painting: Tensor, vgg: VGG19, size: int) -> None:
    photos = [load_image("camel"), load_image("hokusai-poppies")]
    examples = [load_image("camel", size).flip(1), load_image("hokusai-poppies", size).flip(1)]
    crops = training.crops(photos, 32, RECIPE.size, seed=5)
    next(crops)  # the objective is set up with it
    piece, network = next(crops), tiny()
    network.take_colors(0, painting)
    example, painted = piece.cut(examples[piece.number]), network(piece.photo).detach()
    like = example if size == 160 else piece.photo  # a small one is blurred where it is enlarged
    blocks = (F.avg_pool2d(painted - example, 8).numpy() ** 2).mean() / example.numpy().var(ddof=1)
    step = next(train(network, painting, photos, examples=[examples], steps=1, seed=5, vgg=vgg,
                      **TINY))  # fmt: skip
    assert step.losses["colors"] == pytest.approx(blocks, rel=1e-4)
    expected = by_hand(painting, like, vgg)(painted) + training.COLORS * blocks
    assert step.losses["total"] == pytest.approx(expected, rel=1e-4)


def test_an_example_is_cut_where_its_photo_is() -> None:
    places = torch.stack(torch.meshgrid(torch.arange(90.0), torch.arange(160.0), indexing="ij"))
    photo = torch.cat([places / 160, torch.zeros(1, 90, 160)])[None]
    crops = training.crops([photo], 32, 64, seed=3)
    for piece in (next(crops) for _ in range(20)):
        same, double = piece.cut(photo), piece.cut(resize(photo, 320))
        assert (same - double).abs().max() < 0.02
        order = piece.photo[0, :2].flatten(1).argsort()[:, [0, -1]]  # its darkest and brightest
        for channel, (dark, bright) in enumerate(order.tolist()):
            values = same[0, channel].flatten()
            assert values[dark] <= values.min() + 0.02 and values[bright] >= values.max() - 0.02


def test_a_network_learns_the_colors_of_its_examples(painting: Tensor, vgg: VGG19) -> None:
    photos, means = [load_image(name, 64) for name in PAINTINGS[:2]], []
    how: dict[str, Any] = TINY | {"steps": 30, "rate": 0.05, "vgg": vgg}
    for color in ((0.8, 0.1, 0.1), (0.1, 0.1, 0.8)):
        flat = torch.tensor(color).view(1, 3, 1, 1)
        examples = [[(flat + 0.2 * (photo - 0.5)).clamp(0, 1) for photo in photos]]
        network = tiny()
        steps = list(train(network, painting, photos, examples=examples, **how))
        first, last = (fmean(s.losses["colors"] for s in part) for part in (steps[:5], steps[-5:]))
        assert last < 0.7 * first
        means.append(network.paint(load_image("camel", 64)).mean((0, 2, 3)))
    assert means[0][0] > means[1][0] + 0.04 and means[1][2] > means[0][2] + 0.04


NEIGHBOURS = RECIPES["neighbours"].but(likeness=0.5, style_weight=3, size=64)


def test_a_network_learns_from_neighbours_at_two_sizes(painting: Tensor) -> None:
    vgg = load_vgg19(last="conv4_1", padding=NEIGHBOURS.padding)
    how = TINY | {"recipe": NEIGHBOURS}

    def total(photo: Tensor, painted: Tensor) -> float:
        found = []
        for by, size in ((1, 64), (training.COARSE, 64 // training.COARSE)):
            small = F.avg_pool2d(photo, by)
            objective = Objective(small, resize(painting, size), NEIGHBOURS, vgg, single=True)
            found.append(float(objective(F.avg_pool2d(painted, by))[0]))
        return sum(found) / 2

    crops = training.crops([load_image(name) for name in PAINTINGS], 32, 64, seed=0)
    next(crops)
    network, photo = tiny(), next(crops).photo
    network.take_colors(0, painting)
    expected = total(photo, network(photo).detach())
    steps = list(train(network, painting, steps=40, vgg=vgg, **how))
    assert steps[0].losses["total"] == pytest.approx(expected, rel=1e-3)
    assert total(photo, network(photo).detach()) < 0.9 * expected
    for losses in (step.losses for step in steps):
        weighted = NEIGHBOURS.style_weight * (1 - NEIGHBOURS.kept) * losses["style"]
        weighted += NEIGHBOURS.neighbour_weight * losses["neighbours"]
        assert losses["total"] == pytest.approx(weighted, rel=1e-5)


def test_the_neighbours_of_a_training_are_searched_for_upright(painting: Tensor) -> None:
    # A turned painting offers the same pieces, turned: upright, other ones are the nearest.
    losses = []
    for image in (painting, painting.rot90(1, (2, 3)).contiguous()):
        recipe = NEIGHBOURS.but(style_weight=0)
        step = next(train(tiny(), image, steps=1, **TINY | {"recipe": recipe}))
        losses.append(step.losses["neighbours"])
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)


def test_the_camel_is_not_trained_on(painting: Tensor, vgg: VGG19, monkeypatch: Any) -> None:
    loaded: list[str] = []

    def load(name: str) -> Tensor:
        loaded.append(name)
        return load_image(name, 64)

    monkeypatch.setattr("stylelib.feedforward.training.load_image", load)
    next(train(tiny(), painting, steps=1, vgg=vgg, **TINY))
    assert loaded == PAINTINGS and "camel" not in loaded and len(loaded) == len(SAMPLES) - 1


def test_a_step_reaches_every_weight(painting: Tensor, vgg: VGG19) -> None:
    network = tiny()
    old = {name: value.detach().clone() for name, value in network.named_parameters()}
    next(train(network, painting, steps=5, vgg=vgg, **TINY))
    for name, value in network.named_parameters():
        assert value.grad is not None and value.grad.isfinite().all(), name
        # Normalisation cancels the bias before it: its gradient is only rounding.
        if name.endswith("weight") or name in list(old)[-1:]:
            assert (value != old[name]).float().mean() > 0.9, name
    assert all(not weight.requires_grad for weight in vgg.parameters())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_network_of_other_numbers_paints_and_trains(
    painting: Tensor, camel: Tensor, vgg: VGG19, dtype: torch.dtype
) -> None:
    plain, other = tiny(), tiny().to(dtype)
    painted = other.paint(camel)
    assert painted.dtype == torch.float32
    assert (painted - plain.paint(camel)).abs().max() < 0.05
    step = next(train(other, painting, steps=1, vgg=vgg, **TINY))
    assert step.losses["total"] > 0


def test_frozen_weights(painting: Tensor, vgg: VGG19) -> None:
    """Some may be, and stay as they are; if all are, there is nothing to train."""
    network = tiny().requires_grad_(False)
    with pytest.raises(StylelibError, match=r"All weights .* are frozen.*requires_grad_\(\)"):
        train(network, painting, steps=1, vgg=vgg, **TINY)
    network.take_colors(0, painting)  # training would do so first
    before = {name: value.clone() for name, value in network.named_parameters()}
    network.layers[-1].weight.requires_grad_()
    next(train(network, painting, steps=1, vgg=vgg, **TINY))
    now = dict(network.named_parameters())
    moved = [name for name, value in now.items() if not torch.equal(value, before[name])]
    assert moved == ["layers.18.weight"]


def test_the_same_seed_trains_the_same_network(painting: Tensor, vgg: VGG19) -> None:
    trained = []
    for seed in (1, 1, 2):
        network = tiny()
        steps = list(train(network, painting, steps=3, seed=seed, vgg=vgg, **TINY))
        trained.append((numbers(network), [step.losses for step in steps]))
    assert torch.equal(trained[0][0], trained[1][0]) and trained[0][1] == trained[1][1]
    assert not torch.equal(trained[0][0], trained[2][0])


def test_training_can_stop_at_any_step_and_continue(
    painting: Tensor, vgg: VGG19, tmp_path: Path
) -> None:
    network, photo = tiny(), load_image("camel", 64)
    untrained = network.paint(photo)
    for step in train(network, painting, steps=1000, vgg=vgg, **TINY):
        if step.iteration == 2:
            break
    painted = network.paint(photo)
    assert not torch.equal(painted, untrained)
    network.save(tmp_path / "early.pt")
    again = FeedForward.load(tmp_path / "early.pt").paint(photo)
    assert (again - painted).abs().max() < 2 / 255
    assert len(list(train(network, painting, steps=2, vgg=vgg, **TINY))) == 2  # it continues


def test_training_stops_when_the_time_is_up(painting: Tensor, vgg: VGG19, monkeypatch: Any) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("stylelib.feedforward.training.time.monotonic", lambda: float(next(clock)))
    steps = list(train(tiny(), painting, minutes=0.5, vgg=vgg, **TINY))
    assert [(step.seconds, step.share) for step in steps] == [
        (10, pytest.approx(1 / 3)),
        (20, pytest.approx(2 / 3)),
        (30, 1),
    ]


def test_a_nan_loss_leaves_the_network_unchanged(painting: Tensor, vgg: VGG19) -> None:
    network = tiny()
    steps = train(network, painting, steps=9, vgg=vgg, **TINY)
    next(steps)
    with torch.no_grad():
        network.layers[-1].bias[0] = torch.nan  # type: ignore[union-attr, operator, index]
    before = numbers(network)
    with pytest.raises(StylelibError, match="gradient nan"):
        next(steps)
    assert torch.equal(numbers(network).nan_to_num(9), before.nan_to_num(9))


def test_training_uses_the_given_photos(painting: Tensor, vgg: VGG19, monkeypatch: Any) -> None:
    monkeypatch.setattr("stylelib.feedforward.training.SAMPLES", {})
    red = torch.tensor([0.9, 0.0, 0.0]).view(1, 3, 1, 1).expand(1, 3, 80, 60)
    seen: list[Tensor] = []
    network = tiny()
    network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    list(train(network, painting, [red], steps=3, vgg=vgg, **TINY))
    assert len(seen) == 3
    for piece in seen:
        assert piece.shape == (1, 3, 32, 32)
        assert piece[:, 0].min() > 0.7 and piece[:, 1:].max() < 0.1
        assert piece.std(dim=(2, 3)).max() < 1e-3


def test_crops_vary_in_position_and_zoom() -> None:
    # Red increases to the right and shows the position; green stripes show the zoom.
    right = torch.linspace(0, 1, 160).expand(90, 160)
    stripes = (torch.arange(160) // 8 % 2).expand(90, 160)
    crops = training.crops([torch.stack([right, stripes, 0 * right])[None]], 32, 64, seed=0)
    found = [next(crops).photo for _ in range(60)]
    assert all(piece.shape == (1, 3, 32, 32) for piece in found)
    rows = [piece[0, :, 16] for piece in found]
    assert 15 < sum(bool(row[0, 0] > row[0, -1]) for row in rows) < 45  # mirrored
    assert min(row[0].min() for row in rows) < 0.05
    assert max(row[0].max() for row in rows) > 0.95
    seen = [int((row[1] > 0.5).diff().sum()) for row in rows]  # edges of stripes, 8 pixels apart
    nearest = 32 * 160 / (64 * max(training.ZOOMS)) / 8
    assert nearest - 1 <= min(seen) <= nearest + 1 and 90 / 8 - 1 <= max(seen) <= 90 / 8 + 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"crop": 8}, "crop is 8; it must be a whole number from 32"),
        ({"crop": 40, "recipe": RECIPES["gram"]}, "crop is 40; it must be a whole number from 48"),
        ({"rate": 0}, "rate is 0; it must be a number from"),
        ({"crop": 64.0}, "crop is 64.0"),
        ({"steps": 0}, "steps is 0"),
        ({"minutes": 0}, "minutes is 0; it must be a number from"),
        ({"minutes": "ten"}, "minutes is 'ten'"),
        ({"device": "tpu"}, "no device called 'tpu'"),
        ({"photos": [torch.zeros(3, 9, 9)]}, "A photo is a tensor of shape (3, 9, 9)"),
        ({"photos": ["camel"]}, "A photo is not a tensor but str"),
        ({"examples": torch.rand(1, 3, 9, 9)}, "The examples must be a list"),
        ({"examples": [[torch.rand(1, 3, 9, 9)]]}, "one example for each of the 0 photos"),
        ({"examples": [[], []]}, "a list of examples for each of the 1 paintings"),
        ({"examples": [[]]}, "give the photos, too"),
        (
            {"photos": [torch.rand(1, 3, 9, 9)], "examples": [["camel"]]},
            "An example is not a tensor but str",
        ),
    ],
)
def test_a_wrong_argument_is_refused_before_the_first_step(
    painting: Tensor, wrong: Any, words: str
) -> None:
    with pytest.raises(StylelibError) as told:
        train(tiny(), painting, **wrong)
    assert words in str(told.value)


# ------------------------------------------------------------------------- its file


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A small network's file."""
    network = tiny()
    network.painting = "my painting"
    return network.save(tmp_path / "tiny.pt")


def test_a_loaded_network_paints_the_same(saved: Path, noise: Callable[..., Tensor]) -> None:
    network, photo = FeedForward.load(saved), noise(1, 3, 40, 50)
    assert (network.width, network.blocks, network.painting) == (4, 1, "my painting")
    assert (network.paint(photo) - tiny().paint(photo)).abs().max() < 2 / 255
    again = network.save(saved.with_name("again.pt"))
    assert torch.equal(FeedForward.load(again).paint(photo), network.paint(photo))
    assert saved.stat().st_size < 2 * numbers(network).numel() + 12_000  # half precision


def told(path: Path | str) -> str:
    """The message of the error that loading raises."""
    with pytest.raises(StylelibError) as error:
        FeedForward.load(path)
    return str(error.value)


def test_a_file_cut_short_is_refused(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        assert "cut short or altered" in told(saved)


def test_a_file_with_a_changed_weight_is_refused(saved: Path) -> None:
    whole = saved.read_bytes()
    with zipfile.ZipFile(saved) as archive:
        places = [entry.header_offset for entry in archive.infolist() if "/data/" in entry.filename]
    for place in [*places[::5], *range(200, len(whole), len(whole) // 20)]:
        spoilt = bytearray(whole)
        spoilt[place + 70] ^= 1
        saved.write_bytes(spoilt)
        try:
            network = FeedForward.load(saved)
        except StylelibError as error:
            assert "cut short or altered" in str(error)
        else:  # padding between the numbers does not matter
            assert torch.equal(numbers(network), numbers(tiny()).half().float())


def contents(path: Path) -> dict[str, Any]:
    """The contents of a network's file."""
    stored: dict[str, Any] = torch.load(path, weights_only=True)
    return stored


@pytest.mark.parametrize(
    "change",
    [
        {"width": 5},
        {"width": 10**9},
        {"blocks": 2},
        {"paintings": ["another"]},
        {"paintings": [7]},
        {"paintings": "my painting"},
        {"paintings": ["my painting", "another"]},
        {"format": "stylelib feed-forward network 1"},
        {"format": "stylelib feed-forward network 3"},
        {"state": {}},
        {"state": None},
    ],
)
def test_an_inconsistent_file_is_refused(saved: Path, change: dict[str, Any]) -> None:
    torch.save(contents(saved) | change, saved)
    assert "cut short or altered" in told(saved)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 70_000.0])
def test_a_network_that_could_not_be_loaded_is_not_saved(saved: Path, value: float) -> None:
    """70,000 is more than half precision holds."""
    before = saved.read_bytes()
    network = tiny()
    with torch.no_grad():
        next(iter(network.parameters())).view(-1)[3] = value
    with pytest.raises(StylelibError, match=r"can't be saved: some of its weights.*65504"):
        network.save(saved)
    assert saved.read_bytes() == before


def test_a_network_with_other_layers_is_not_saved(tmp_path: Path) -> None:
    changed = [tiny() for _ in range(3)]
    changed[0].layers[0] = torch.nn.Conv2d(3, 4, 3)
    changed[1].width = 5
    changed[2].painting = Path("camel.jpg")  # type: ignore[assignment]
    for network in changed:
        with pytest.raises(StylelibError, match="can't be saved: its layers, width, blocks or"):
            network.save(tmp_path / "changed.pt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [torch.inf, torch.nan])
def test_a_file_with_nan_or_infinity_is_refused(saved: Path, value: float) -> None:
    stored = contents(saved)
    stored["state"]["layers.0.weight"][0, 0, 0, 0] = value
    torch.save(stored | {"sha256": checksum(stored)}, saved)
    assert "cut short or altered" in told(saved)


class Evil:
    """Unpickling it would create a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.mark),))


def test_a_hostile_file_runs_nothing(saved: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    stored = contents(saved)
    files = [pickle.dumps(Evil(mark)), pickle.dumps(stored | {"painting": Evil(mark)})]
    for modern in (True, False):
        buffer = io.BytesIO()
        torch.save(stored | {"painting": Evil(mark)}, buffer, _use_new_zipfile_serialization=modern)
        files.append(buffer.getvalue())
    for data in files:
        saved.write_bytes(data)
        assert "not a network that stylelib saved" in told(saved)
        assert not mark.exists()
    pickle.loads(files[0])
    assert mark.exists()  # it does work


def test_a_compressed_file_is_refused(saved: Path) -> None:
    with zipfile.ZipFile(saved) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    assert "cut short or altered" in told(saved)


def test_a_huge_file_is_not_read(saved: Path) -> None:
    with saved.open("r+b") as file:
        file.truncate(10**12)  # a sparse file, which takes no room on the disk
    assert "too large" in told(saved)


def test_missing_files_are_explained(tmp_path: Path) -> None:
    assert "too long for a file" in told("x" * 300 + ".pt")
    assert "a path, not 3" in told(3)  # type: ignore[arg-type]
    assert "Did you mean hokusai-great-wave.pt?" in told("hokusai-grate-wave.pt")
    assert "There is no file" in told(tmp_path / "nowhere.pt")
    assert "There is no file" in told(tmp_path)


def test_a_path_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    for name, words in [
        ("network.png", "must end in .pt"),
        ("nowhere/network.pt", "There is no folder"),
        ("folder.pt", "is a folder. Name a file in it"),
    ]:
        (tmp_path / "folder.pt").mkdir(exist_ok=True)
        with pytest.raises(StylelibError) as error:
            tiny().save(tmp_path / name)
        assert words in str(error.value)
    assert os.listdir(tmp_path) == ["folder.pt"]


def test_a_file_is_replaced_completely_or_not_at_all(saved: Path, monkeypatch: Any) -> None:
    whole = saved.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stylelib.pictures.images.os.fsync", full)
    with pytest.raises(StylelibError, match="no space left"):
        tiny(1).save(saved)
    assert saved.read_bytes() == whole and os.listdir(saved.parent) == ["tiny.pt"]


# ----------------------------------------------------------- the network that is shipped


def test_the_shipped_network_is_small_and_names_its_painting(shipped: FeedForward) -> None:
    assert set(NETWORKS) == {path.name for path in Path(stylelib.__file__).parent.rglob("*.pt")}
    for name, path in NETWORKS.items():
        assert path.stat().st_size < 3_000_000
        assert set(FeedForward.load(name).paintings) <= set(PAINTINGS)
        assert Path(f"{path}.license").is_file()
    assert shipped.painting == "hokusai-great-wave"
    assert FeedForward.load("eight-paintings.pt").paintings == tuple(PAINTINGS)


@pytest.mark.parametrize("size", [192, 256])
def test_it_paints_the_style_and_keeps_the_camel(
    shipped: FeedForward, network: VGG19, size: int
) -> None:
    photo, painting = load_image("camel", size), load_image("hokusai-great-wave", size)
    painted = shipped.paint(photo)
    assert style_distance(painted, painting, network) < 0.55 * style_distance(
        photo, painting, network
    )
    a, b = (network(image, ["conv4_2"])["conv4_2"].flatten() for image in (painted, photo))
    assert torch.corrcoef(torch.stack([a, b]))[0, 1] > 0.42


def test_the_network_of_eight_paintings_knows_each_of_them(network: VGG19) -> None:
    eight, photo = FeedForward.load("eight-paintings.pt"), load_image("camel", 192)
    for name in PAINTINGS:
        painting, painted = load_image(name, 192), eight.paint(photo, name)
        left = style_distance(painted, painting, network)
        assert left < 0.55 * style_distance(photo, painting, network), name
        others = [one for one in PAINTINGS if one != name]
        assert left < style_distance(eight.paint(photo, others[0]), painting, network), name


def style_distance(image: Tensor, painting: Tensor, network: VGG19) -> float:
    """Distance of the means and deviations of feature maps, which training did not use."""
    layers = ["conv1_2", "conv2_2", "conv3_2", "conv4_2"]
    new, old = network(image, layers), network(painting, layers)
    distance = 0.0
    for name in layers:
        for statistic in (Tensor.mean, Tensor.std):
            a, b = (statistic(maps[name][0].flatten(1), dim=1) for maps in (new, old))
            distance += float((a - b).square().sum() / b.square().sum())
    return distance


# ------------------------------------------------------------------- the command line

Run = Callable[..., SimpleNamespace]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: Any, tmp_path: Path) -> Run:
    """Call the command line in a new folder."""
    monkeypatch.chdir(tmp_path)
    new, start = inspect.unwrap(FeedForward.__init__), inspect.unwrap(training.train)
    monkeypatch.setattr(new, "__defaults__", (4, 1, 0, ("",)))
    monkeypatch.setattr(start, "__kwdefaults__", start.__kwdefaults__ | {"crop": 48})

    def call(*arguments: str | Path) -> SimpleNamespace:
        new = ["--start", "none"] if arguments[0] == "train" and "--start" not in arguments else []
        try:
            status = cli.main([*map(str, arguments), *new])
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = capsys.readouterr()
        return SimpleNamespace(status=status, out=out, err=err)

    return call


def test_training_and_then_painting(run: Run) -> None:
    Path("photos").mkdir()
    save_image(load_image("camel", 100), "photos/mine.png")
    Path("photos/notes.txt").write_text("no picture")
    result = run(
        *("train", "hokusai-poppies", "-o", "poppies.pt", "--steps", "2", "--photos", "photos"),
        *("--style-weight", "6", "--style-scale", "0.2", "--seed", "3", "--device", "cpu"),
    )
    assert result.status == 0, result.err
    assert "poppies.pt: 2 steps" in result.out and "the content loss from" in result.out
    assert "stylelib paint camel poppies.pt" in result.out
    assert "step 2, 100%, content" in result.err and "notes.txt is not a picture" in result.err
    assert FeedForward.load("poppies.pt").painting == "hokusai-poppies"

    given = ("photos/mine.png", "poppies.pt", "--size", "80", "-o", "out.png")
    result = run("paint", *given, "--device", "cpu")  # as what it is compared with
    assert result.status == 0, result.err
    assert "out.png: 80 x 45 pixels, in one go" in result.out
    made = read_recipe("out.png")
    assert made is not None and made["style"] == "hokusai-poppies"
    assert (made["content"], made["network"]) == ("mine.png", "poppies.pt")
    expected = FeedForward.load("poppies.pt").paint(load_image("photos/mine.png", 80))
    assert (load_image("out.png") - expected).abs().max() <= 0.51 / 255


def test_painting_with_the_shipped_network(run: Run) -> None:
    result = run("paint", "camel", "hokusai-great-wave.pt", "--size", "64", "--keep-colors")
    assert result.status == 0, result.err
    assert load_image("prettier-camel.png").shape == (1, 3, 36, 64)
    assert "hokusai-great-wave.pt" in run("samples").out


def test_ctrl_c_keeps_the_network_so_far(run: Run, monkeypatch: Any) -> None:
    going_on = Objective.with_content
    done: list[int] = []

    def step(self: Objective, content: Tensor) -> Objective:
        if len(done) == 4:  # a step compares at two sizes
            raise KeyboardInterrupt
        done.append(1)
        return going_on(self, content)

    monkeypatch.setattr(Objective, "with_content", step)
    start = ("train", "hokusai-poppies", "--style-scale", "0.2", "--device", "cpu", "-o")
    result = run(*start, "early.pt")
    assert result.status == 130 and "Stopped at step 2. The network so far is kept" in result.err
    assert FeedForward.load("early.pt").painting == "hokusai-poppies"
    assert "The same command goes on from there" in result.err
    result = run(*start, "none.pt")
    assert result.status == 130 and "nothing was saved" in result.err
    assert sorted(os.listdir()) == ["early.pt", "early.pt.unfinished"]

    monkeypatch.setattr(Objective, "with_content", going_on)
    result = run(*start, "early.pt", "--steps", "3", "--preview", "camel.png")
    assert result.status == 0 and "goes on from early.pt.unfinished" in result.err
    assert "early.pt: 3 steps" in result.out and load_image("camel.png").shape[-1] == 256
    assert sorted(os.listdir()) == ["camel.png", "early.pt"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send Ctrl-C to one process")
def test_ctrl_c_while_saving_does_not_lose_the_network(run: Run, monkeypatch: Any) -> None:
    saving = FeedForward.save

    def save(network: FeedForward, path: Path) -> Path:
        os.kill(os.getpid(), signal.SIGINT)
        return saving(network, path)

    monkeypatch.setattr(FeedForward, "save", save)
    result = run("train", "camel", "--style-scale", "0.2", "--steps", "1", "-o", "kept.pt")
    assert result.status == 0 and Path("kept.pt").is_file()


def test_a_network_whose_folder_is_gone_is_saved_elsewhere(run: Run, monkeypatch: Any) -> None:
    Path("gone").mkdir()
    going_on = Objective.with_content

    def step(self: Objective, content: Tensor) -> Objective:
        if Path("gone").exists():
            Path("gone").rmdir()
        return going_on(self, content)

    monkeypatch.setattr(Objective, "with_content", step)
    result = run("train", "camel", "--style-scale", "0.2", "--steps", "1", "-o", "gone/net.pt")
    assert result.status == 1 and "it was saved here: " in result.err
    assert FeedForward.load("net.pt").painting == "camel"


PAIR = ("camel", "hokusai-great-wave.pt")
EIGHT = ("camel", "eight-paintings.pt")


def test_the_command_blends_paintings_of_a_network(run: Run) -> None:
    two = ("hokusai-poppies", "cassatt-summertime")
    result = run("paint", *EIGHT, *two, "--style-shares", "1,3", "--size", "64", "-o", "out.png")
    assert result.status == 0, result.err
    made = read_recipe("out.png")
    assert made is not None and (made["style"], made["style_shares"]) == ([*two], [1, 3])
    network, photo = FeedForward.load(EIGHT[1]), load_image("camel", 64)
    expected = network.paint(photo, dict(zip(two, (1, 3), strict=True)))
    assert (load_image("out.png") - expected).abs().max() <= 0.51 / 255


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("paint", *PAIR, "--style-weight", "3"), "--style-weight does nothing"),
        (("paint", *PAIR, "--mask", "sky.png"), "--mask does nothing"),
        (("paint", *PAIR, "--steps", "3"), "--steps does nothing"),
        (("paint", *PAIR, "--film", "film.gif"), "--film does nothing"),
        (("paint", *PAIR, "--recipe", "source"), "--recipe does nothing"),
        (("paint", *PAIR, "hokusai-poppies"), "no painting in this network called"),
        (("paint", *PAIR, "other.pt"), "Trained networks can't be blended"),
        (("paint", "camel", "eight-paintings.pt"), "several paintings. Add one of them"),
        (("paint", *EIGHT, "hokusai-popies"), "Did you mean hokusai-poppies"),
        (("paint", *EIGHT, "hokusai-poppies", "--style-shares", "1,2"), "as many --style-shares"),
        (("paint", "camel", "nowhere/net.pt"), "There is no file nowhere/net.pt"),
        (("paint", "camel", "camel.pt"), "no file or trained network called 'camel.pt'"),
        (("paint", *PAIR, "--size", "8"), "needs at least 16"),
        (("paint", *PAIR, "-o", "out.gif"), "must end in .png"),
        (("train", "camle", "-o", "n.pt"), "Did you mean camel?"),
        (("train", "camel", "-o", "n.png"), "must end in .pt"),
        (("train", "camel", "-o", "n.pt", "--photos", "nowhere"), "There is no folder nowhere"),
        (("train", "camel", "-o", "n.pt", "--photos", "empty"), "There is no picture in empty"),
        (("train", "camel", "-o", "n.pt", "--minutes", "-1"), "minutes is -1.0"),
        (("train", "camel", "-o", "n.pt", "--seed", "-1"), "seed is -1"),
        (("train", "camel", "-o", "n.pt", "--style-weight", "-1"), "style_weight is -1.0"),
    ],
)
def test_errors_are_explained_in_one_sentence(run: Run, arguments: Any, words: str) -> None:
    Path("empty").mkdir()
    Image.new("L", (64, 36), 255).save("sky.png")
    result = run(*arguments)
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    assert words in result.err and result.err.startswith("stylelib: ")
    assert sorted(os.listdir()) == ["empty", "sky.png"]


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def show(stream: io.StringIO, monkeypatch: Any) -> list[str]:
    """The output for a training of 100 steps in 50 seconds."""
    clock = [0.0]
    monkeypatch.setattr(tqdm.std, "time", lambda: clock[0])
    monkeypatch.setenv("COLUMNS", "80")
    bar = Progress(1.0, stream, mean_of=30)
    for step in range(1, 101):
        clock[0] += 0.5
        losses = {"content": float(step), "style": 2.0 * step, "tv": 0.0, "total": 3.0 * step}
        bar.show(step / 100, f"step {step}", losses.copy)
    bar.close()
    assert bar.first["content"] == 15.5 and bar.last["style"] == 171  # means of 30 steps
    return re.split("[\r\n]", stream.getvalue().strip())


def test_the_bar_shows_the_share_and_the_time_left(monkeypatch: Any) -> None:
    _, *lines = show(Terminal(), monkeypatch)
    assert len(lines) >= 100 and all(line.isascii() and len(line) < 80 for line in lines)
    start = " 50% [#######........] step 50, content 35.5, style 71, "
    # tqdm cuts off the parts of a second, so rounding may take one away.
    assert lines[49].rstrip() in (f"{start}00:25 left", f"{start}00:24 left")
    assert lines[-1].rstrip().endswith("00:50 in all")


def test_a_log_gets_a_few_lines(monkeypatch: Any) -> None:
    lines = show(io.StringIO(), monkeypatch)
    assert len(lines) == 21
    assert lines[0] == "step 1, 1%, content 1, style 2, starting"
    assert lines[-1] == "step 100, 100%, content 85.5, style 171, 00:50 in all"


def test_the_help_explains_training(run: Run) -> None:
    result = run("train", "--help")
    assert result.status == 0 and max(map(len, result.out.splitlines())) <= 80
    assert run("train", "camel").status == 2  # no --output


def test_a_training_step_holds_plain_values() -> None:
    step = TrainingStep(1, 0.5, 2.0, {"total": 1.0})
    assert (step.iteration, step.share, step.seconds) == (1, 0.5, 2.0)


def test_a_small_size_is_trained_for_too() -> None:
    """A quarter of it would be too thin for conv5_1."""
    recipe = RECIPES["gram"].but(size=64)
    network = FeedForward(width=4, blocks=1)
    painting = load_image("hokusai-great-wave", 256)
    steps = list(train(network, painting, steps=1, recipe=recipe, crop=64, device="cpu"))
    assert math.isfinite(steps[-1].losses["total"])
