"""Lesson 02: the numbers behind its figures, its controls, its exercises."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from stylelib.engine.network import VGG19, features
from stylelib.errors import StylelibError
from stylelib.lessons.content.bank import STARTS, bank, made_before
from stylelib.lessons.content.compute import (
    CONTENT_LAYERS,
    DEPTHS,
    PIXELS,
    crop,
    descend,
    distance_table,
    feature_maps,
    reconstruct,
    relative_distances,
    shifted,
)
from stylelib.lessons.content.controls import (
    AVERAGED,
    bank_explorer,
    descent_explorer,
    distance_explorer,
    loss_by_hand,
    reconstruction_explorer,
    shift_explorer,
    valley_explorer,
)
from stylelib.lessons.content.exercises import check
from stylelib.lessons.content.figures import by_hand, reconstructions_at
from stylelib.lessons.theme import Plot
from stylelib.pictures.images import load_image, to_pil

# Distances


def test_distances_against_numpy(network: VGG19, camel: Tensor, painting: Tensor) -> None:
    other = F.interpolate(painting, camel.shape[-2:])
    found = relative_distances(other, camel, (PIXELS, "conv2_2", "conv5_2"))
    # The mean colour of VGG's training pictures, as its authors give it.
    mean = np.array([123.68, 116.779, 103.939]) / 255
    a, b = (image[0].permute(1, 2, 0).numpy() - mean for image in (other, camel))
    assert found[PIXELS] == pytest.approx(((a - b) ** 2).sum() / (b**2).sum(), rel=1e-3)
    for layer in ("conv2_2", "conv5_2"):
        a, b = (features(image, layer, network)[layer].numpy() for image in (other, camel))
        assert found[layer] == pytest.approx(((a - b) ** 2).sum() / (b**2).sum(), rel=1e-4)


def test_distance_table_by_position_and_averaged(camel: Tensor) -> None:
    images = {"camel": camel, "mirrored": camel.flip(-1), "dark": camel * 0.5}
    table = distance_table(images, (PIXELS, "conv1_2"))
    assert table["camel"]["camel"] == {PIXELS: 0, "conv1_2": 0}
    assert table["camel"]["dark"] == pytest.approx(
        relative_distances(images["dark"], camel, (PIXELS, "conv1_2"))
    )
    averaged = distance_table(images, (PIXELS, "conv1_2"), averaged=True)
    # Mirroring moves every pixel and changes no average.
    assert table["camel"]["mirrored"][PIXELS] > 0.1
    assert averaged["camel"]["mirrored"][PIXELS] == pytest.approx(0, abs=1e-8)


def test_distances_between_pictures_of_different_sizes_are_an_error(camel: Tensor) -> None:
    with pytest.raises(StylelibError, match="different shapes"):
        relative_distances(camel, camel[..., :-2], [PIXELS])


def test_shifting_moves_the_picture_right_and_invents_no_pixel(camel: Tensor) -> None:
    start, moved = shifted(camel, 0, 10), shifted(camel, 4, 10)
    assert start.shape == moved.shape == (1, 3, camel.shape[-2], camel.shape[-1] - 10)
    assert torch.equal(moved[..., 4:], start[..., :-4])
    with pytest.raises(StylelibError, match="0 to 10"):
        shifted(camel, 11, 10)


def test_crop(camel: Tensor) -> None:
    assert torch.equal(crop(camel, (5, 10, 25, 30), (20, 20)), camel[..., 10:30, 5:25])
    assert crop(camel, (5, 10, 25, 30), (9, 7)).shape == (1, 3, 9, 7)
    with pytest.raises(StylelibError, match="64 x 36"):
        crop(camel, (5, 10, 65, 30), (20, 20))


def test_what_the_lesson_says_about_two_camels() -> None:
    photo, shape = load_image("camel"), (84, 112)
    wave = load_image("hokusai-great-wave")
    images = {
        "mother": crop(photo, (340, 40, 980, 520), shape),
        "calf": crop(photo, (48, 222, 400, 486), shape),
        "sky": crop(photo, (0, 0, 280, 210), shape),
        "wave": crop(wave, (0, 0, wave.shape[-2] * 4 // 3, wave.shape[-2]), shape),
    }
    images["mirrored"] = images["mother"].flip(-1)
    placed = distance_table(images)["mother"]
    averaged = distance_table(images, averaged=True)["mother"]
    for layer in CONTENT_LAYERS:
        assert placed["calf"][layer] < placed["wave"][layer]
        assert averaged["calf"][layer] < min(averaged["wave"][layer], averaged["sky"][layer])
    assert placed["sky"]["conv3_2"] < placed["calf"]["conv3_2"]  # the half that is false
    assert placed["mirrored"]["conv4_2"] > 1
    assert averaged["wave"][PIXELS] < averaged["calf"][PIXELS]


def test_deep_layers_tolerate_a_small_shift_better() -> None:
    wide = load_image("camel", 160)
    start, moved = shifted(wide, 0, 8), shifted(wide, 8, 8)
    found = relative_distances(moved, start)
    assert found["conv5_2"] < 0.5 * found["conv3_2"]
    assert found["conv5_2"] < found["conv4_2"] < found["conv2_2"]


# Reconstruction


def test_a_reconstruction_matches_at_its_layer(camel: Tensor) -> None:
    found = reconstruct(camel, "conv2_2", steps=25)
    assert found.losses[0] == pytest.approx(
        relative_distances(found.frames[0], camel, ["conv2_2"])["conv2_2"], rel=1e-3
    )
    assert len(found.losses) == 26
    assert found.losses[-1] == pytest.approx(
        relative_distances(found.image, camel, ["conv2_2"])["conv2_2"]
    )
    assert found.losses[-1] < 0.1 < 1 < found.losses[0]
    assert min(found.frames) == 0 and max(found.frames) == 25
    assert found.image.min() >= 0 and found.image.max() <= 1


def test_a_reconstruction_starts_from_noise_that_the_seed_chooses(camel: Tensor) -> None:
    one, same, other = (reconstruct(camel, "conv1_1", steps=1, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one.image, same.image)
    assert not torch.equal(one.frames[0], other.frames[0])
    correlation = torch.corrcoef(torch.stack([one.frames[0].flatten(), camel.flatten()]))[0, 1]
    assert abs(correlation) < 0.1


def test_total_variation_makes_the_reconstruction_smoother(camel: Tensor) -> None:
    rough, smooth = (reconstruct(camel, "conv3_2", 15, tv_weight=weight) for weight in (0.0, 3.0))
    assert smooth.image.diff(dim=-1).abs().mean() < 0.7 * rough.image.diff(dim=-1).abs().mean()


def test_a_reconstruction_from_a_deeper_layer_leaves_the_pixels_freer(camel: Tensor) -> None:
    errors = [
        relative_distances(reconstruct(camel, layer, 25).image, camel, [PIXELS])[PIXELS]
        for layer in ("conv1_2", "conv3_2", "conv5_2")
    ]
    assert errors[0] < errors[1] < errors[2]


# Made beforehand


def test_the_bank_is_complete_and_says_what_its_pictures_show() -> None:
    runs = [made_before(f"{start}/{layer}") for start in STARTS for layer in CONTENT_LAYERS]
    assert len({tuple(run.files) for run in runs}) == 1  # one slider for all of them
    for run in runs:
        layer = run.name.split("/")[1]
        assert list(run.errors) == list(DEPTHS)
        assert run.losses[0] > 1 and run.losses[-1] < 0.2 * run.losses[0]
        assert run.losses[-1] == pytest.approx(run.errors[layer], abs=0.02)
    # The files are JPEG, which changes the speckle: compare where there is least of it.
    run = made_before("noise, smooth/conv3_2")
    photo = load_image("camel", max(run.image.shape))
    for layer, error in relative_distances(run.image, photo, ["conv3_2", "conv4_2"]).items():
        assert error == pytest.approx(run.errors[layer], abs=0.15)
    painted = [run for name, run in bank().items() if name.startswith("painted/")]
    assert len(painted) == 3 and all(max(run.image.shape) == 512 for run in painted)


def test_what_the_lesson_says_about_the_bank() -> None:
    for layer in CONTENT_LAYERS[2:]:
        runs = {start: made_before(f"{start}/{layer}").image for start in STARTS}
        rough = {start: float(image.diff(dim=-1).abs().mean()) for start, image in runs.items()}
        assert rough["noise, smooth"] < 0.8 * rough["noise"]  # total variation removes speckle
    errors = made_before("noise/conv3_2").errors
    assert max(errors["conv4_2"], errors["conv5_2"]) < 0.5 * errors["conv1_2"]


def test_the_bank_explorer_shows_other_pictures(camel: Tensor) -> None:
    explorer = bank_explorer(camel)
    seen = [shown(explorer.plot)]
    for values in ({"step": 4}, {"layer": "conv5_2"}, {"start": "Great Wave"}):
        explorer.set(**values)
        seen.append(shown(explorer.plot))
        assert (seen[-1] - seen[-2]).abs().mean() > 0.001


# One pixel


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.1])
def test_descent_of_one_pixel_against_the_closed_form(rate: float) -> None:
    path = descend(rate, start=0.9, target=0.3, steps=5)
    assert path == pytest.approx([0.3 + (1 - 2 * rate) ** n * 0.6 for n in range(6)])


def test_the_valley_and_the_descent_follow_their_sliders() -> None:
    ball = valley_explorer(pixel=0.9, target=0.3)
    assert "gradient +1.20" in words(ball.plot)
    ball.set(pixel=0.1)
    assert "gradient -0.40" in words(ball.plot)
    steps = descent_explorer(rate=0.1)
    before = shown(steps.plot)
    steps.set(rate=0.9)
    assert (shown(steps.plot) - before).abs().mean() > 0.001
    assert list(steps.plot.figure.axes[1].lines[0].get_ydata()[:2]) == pytest.approx([0.9, -0.18])


# Figures and controls


def shown(plot: Plot) -> Tensor:
    """The picture that a reader sees, (1, 3, H, W) in 0-1."""
    return load_image(plot.image()[1])


def words(plot: Plot) -> list[str]:
    return [text.get_text() for axes in plot.figure.axes for text in axes.texts]


def test_loss_by_hand_shows_every_number() -> None:
    explorer = loss_by_hand([[1, 0], [2, 2]], [[3, 0], [1, 2]])
    numbers = ["1", "0", "2", "2", "3", "0", "1", "2", "-2", "0", "1", "0", "4", "0", "1", "0"]
    assert words(explorer.plot) == [*numbers, "5 / 4", "= 1.25"]
    explorer.set(top_left=3, bottom_left=1)
    assert words(explorer.plot)[-1] == "= 0"
    assert shown(explorer.plot).std() > 0.1
    with pytest.raises(StylelibError, match="2 x 2"):
        loss_by_hand([[1, 0]], [[3, 0], [1, 2]])


def test_by_hand_agrees_with_torch() -> None:
    maps, target = torch.tensor([[1.0, 4], [0, 2]]), torch.tensor([[2.0, 2], [5, 2]])
    assert words(by_hand(maps, target))[-1] == f"= {F.mse_loss(maps, target):g}"


def test_shift_explorer() -> None:
    explorer = shift_explorer(load_image("camel", 72), shift=0, most=8, layers=(PIXELS, "conv2_2"))
    before = shown(explorer.plot)
    lines = {line.get_label(): line for line in explorer.plot.figure.axes[2].lines}
    wide = load_image("camel", 72)
    expected = relative_distances(shifted(wide, 8, 8), shifted(wide, 0, 8), ["conv2_2"])
    assert lines["conv2_2"].get_ydata()[8] == pytest.approx(expected["conv2_2"], rel=1e-4)
    assert lines["conv2_2"].get_ydata()[0] == 0
    explorer.set(shift=5)
    assert (shown(explorer.plot) - before).abs().mean() > 0.001


def test_distance_explorer(camel: Tensor) -> None:
    images = {"camel": camel, "dark": camel * 0.5, "mirrored": camel.flip(-1)}
    explorer = distance_explorer(images, "camel", (PIXELS, "conv1_2"))
    found = relative_distances(images["dark"], camel, (PIXELS, "conv1_2"))
    texts = words(explorer.plot)
    assert texts[:2] == [f"{found[PIXELS]:.2f}", f"{found['conv1_2']:.2f}"]
    assert texts[-2:] == ["dark", "mirrored"]
    explorer.set(compare=AVERAGED)
    assert words(explorer.plot)[2] == "0.00"
    explorer.set(target="dark")
    assert words(explorer.plot)[-2:] == ["camel", "mirrored"]
    lines = distance_explorer(images, "camel", (PIXELS, "conv1_2"), numbers=False).plot
    drawn = {line.get_label(): line.get_ydata() for line in lines.figure.axes[0].lines}
    assert drawn["dark"] == pytest.approx([found[PIXELS], found["conv1_2"]])
    assert shown(explorer.plot).std() > 0.1


def test_reconstruction_explorer(camel: Tensor) -> None:
    found = {layer: reconstruct(camel, layer, 5) for layer in ("conv1_1", "conv2_1")}
    explorer = reconstruction_explorer(found)
    picture = explorer.plot.figure.axes[0].images[0].get_array()
    assert np.allclose(picture, found["conv1_1"].image[0].permute(1, 2, 0).numpy())
    explorer.set(steps=0)
    picture = explorer.plot.figure.axes[1].images[0].get_array()
    assert np.allclose(picture, found["conv2_1"].frames[0][0].permute(1, 2, 0).numpy())
    assert shown(reconstructions_at(found, 5)).std() > 0.1
    with pytest.raises(StylelibError, match="same number of steps"):
        reconstruction_explorer({**found, "conv1_2": reconstruct(camel, "conv1_2", 2)})


def test_feature_maps(camel: Tensor) -> None:
    assert torch.equal(
        feature_maps(camel, ["conv1_1"])["conv1_1"], features(camel, "conv1_1")["conv1_1"]
    )
    assert to_pil(camel).size == (64, 36)


# Exercises: what students write

NUMBERS = ("2.1", "2.2", "2.3", "2.4", "2.5")


def loss_at(image: Tensor, photo: Tensor, layer: str) -> Tensor:
    a = features(image, [layer])[layer]
    b = features(photo, [layer])[layer]
    return F.mse_loss(a, b)


def gradient_of(image: Tensor, loss: Any) -> Tensor:
    image = image.clone()
    image.requires_grad = True
    loss(image).backward()
    assert image.grad is not None
    return image.grad


def numpy_mse(a: Tensor, b: Tensor) -> Tensor:
    return torch.tensor(np.mean((a.detach().numpy() - b.numpy()) ** 2))


def step_in_place(image: Tensor, loss: Any, rate: float) -> Tensor:
    gradient = gradient_of(image, loss)
    image -= rate * gradient
    return image


WRONG = [
    # number, a student's answer, words of the hint
    ("2.1", lambda a, b: torch.sum((a - b) ** 2), "sum of the squared"),
    ("2.1", lambda a, b: torch.mean(a - b), "square the differences first"),
    ("2.1", lambda a, b: F.l1_loss(a, b), "absolute"),
    ("2.1", lambda a, b: ((a - b) ** 2).mean() ** 0.5, "square root"),
    ("2.1", lambda a, b: torch.mean(a - b) ** 2, "order matters"),
    ("2.1", lambda a, b: torch.mean(a**2 - b**2), "subtract first"),
    ("2.1", lambda a, b: (a - b) ** 2, "one square for each number"),
    ("2.1", lambda a, b: ((a - b) ** 2).mean(dim=[-2, -1]), "one number for each map"),
    ("2.1", lambda a, b: 0.5 * ((a - b) ** 2).mean(), "factor"),
    ("2.1", lambda a, b: F.mse_loss(a, b).item(), "gradient is lost"),
    ("2.1", numpy_mse, "gradient is lost"),
    ("2.2", lambda i, p, layer: F.mse_loss(i, p), "compare the pixels"),
    ("2.2", lambda i, p, layer: loss_at(i, p, "conv4_2"), "always use conv4_2"),
    ("2.2", lambda i, p, layer: loss_at(i, p, "conv2_2"), "always use conv2_2"),
    (
        "2.2",
        lambda i, p, layer: F.mse_loss(
            features(i, layer, before_relu=True)[layer],
            features(p, layer, before_relu=True)[layer],
        ),
        "before their ReLU",
    ),
    (
        "2.2",
        lambda i, p, layer: F.mse_loss(
            features(i, layer)[layer], features(p, layer)[layer], reduction="sum"
        ),
        "sum of the squared",
    ),
    (
        "2.2",
        lambda i, p, layer: (features(i - p, layer)[layer] ** 2).mean(),
        "before the network sees them",
    ),
    ("2.2", lambda i, p, layer: loss_at(i.detach(), p, layer), "gradient is lost"),
    ("2.2", lambda i, p, layer: F.mse_loss(features(i)[layer], features(p)), "stopped with"),
    ("2.3", lambda a, b: F.mse_loss(a, b), "this is the content loss"),
    ("2.3", lambda a, b: F.mse_loss(a, b) / (a**2).mean(), "new picture's"),
    ("2.3", lambda a, b: F.mse_loss(a, b) / b.mean(), "mean of its squares"),
    ("2.3", lambda a, b: F.mse_loss(a, b) / b.mean() ** 2, "order matters"),
    ("2.3", lambda a, b: F.mse_loss(a, b) / b.var(), "variance"),
    ("2.3", lambda a, b: F.mse_loss(a, b) / torch.sum(b**2), "divide a mean by a sum"),
    ("2.3", lambda a, b: (((a - b) / b) ** 2).mean(), "number by number"),
    ("2.4", lambda a, b: (a - b) / a.numel(), "the 2 is missing"),
    ("2.4", lambda a, b: 2 * (a - b), "gradient of the sum"),
    ("2.4", lambda a, b: 2 / a.numel() * (b - a), "sign is wrong"),
    ("2.4", lambda a, b: a - b, "two factors"),
    ("2.4", lambda a, b: 2 * torch.mean(a - b), "one number"),
    ("2.4", lambda a, b: 2 * (a - b) ** 2 / a.numel(), "no square is left"),
    ("2.4", lambda a, b: 2 * (a - b) / a.shape[-1], "factor"),
    ("2.5", lambda i, loss, rate: i + rate * gradient_of(i, loss), "uphill"),
    ("2.5", lambda i, loss, rate: i - gradient_of(i, loss), "learning rate"),
    ("2.5", lambda i, loss, rate: gradient_of(i, loss), "gradient itself"),
    ("2.5", lambda i, loss, rate: -rate * gradient_of(i, loss), "only the step"),
    (
        "2.5",
        lambda i, loss, rate: i - rate * gradient_of(i, loss).sign(),
        "only the gradient's sign",
    ),
    ("2.5", lambda i, loss, rate: (i - rate * gradient_of(i, loss)).clamp(0, 1), "clamp"),
    ("2.5", lambda i, loss, rate: i - rate * loss(i), "subtract the loss"),
    ("2.5", lambda i, loss, rate: i, "unchanged"),
    ("2.5", step_in_place, "in place"),
    ("2.5", lambda i, loss, rate: torch.autograd.grad(loss(i), i), "stopped with RuntimeError"),
]


@pytest.mark.parametrize(("number", "wrong", "hint"), WRONG)
def test_a_common_mistake_gets_its_own_hint(number: str, wrong: Any, hint: str) -> None:
    verdict = check(number, wrong)
    assert verdict.state == "wrong"
    assert hint in verdict.message


@pytest.mark.parametrize("number", NUMBERS)
def test_an_empty_cell_gets_not_yet(number: str) -> None:
    def empty(*_: Any) -> None: ...

    assert check(number, empty).state == "empty"
    assert "not yet" in str(check(number, empty))


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(
    "garbage",
    [3, "text", lambda *_: "text", lambda *_: 1 / 0, lambda: 1, lambda *_: torch.ones(7)],
)
def test_garbage_is_explained_and_not_raised(number: str, garbage: Any) -> None:
    verdict = check(number, garbage)
    assert verdict.state == "wrong"
    assert len(verdict.message) > 20
