"""Lesson 06: its numbers, figures, controls and exercises."""

from typing import Any

import numpy as np
import pytest
import torch
from answer_notebooks import solutions
from torch import Tensor, nn
from torch.nn import functional as F

from stylelib import RECIPES, STATISTICS, StylelibError, Transfer, load_image
from stylelib.core.layers import STYLE_LAYERS
from stylelib.engine.network import VGG19, features
from stylelib.engine.objective import Objective
from stylelib.lessons.beyond.compute import along, clouds, step_seconds, style_left
from stylelib.lessons.beyond.controls import sand_explorer, statistics_explorer
from stylelib.lessons.beyond.exercises import check
from stylelib.lessons.beyond.figures import SEEN, WAYS, growth, left_table, seen_by
from stylelib.lessons.checking import EXERCISES
from stylelib.lessons.cnn.anatomy import receptive_field

# Clouds


def test_clouds_hold_the_two_most_active_maps_in_units_of_the_painting(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    found = clouds({"painting": painting, "photo": camel}, ["conv2_1"], network)["conv2_1"]
    theirs, ours = (
        features(image, "conv2_1", network)["conv2_1"][0].flatten(1).double().numpy()
        for image in (painting, camel)
    )
    assert list(found.channels) == sorted(range(128), key=lambda c: -theirs[c].mean())[:2]
    i, j = found.channels
    for row, channel in enumerate((i, j)):
        unit = theirs[channel].std(ddof=1)
        np.testing.assert_allclose(found.points["photo"][row], ours[channel] / unit, rtol=1e-4)
    assert found.points["painting"].std(1).tolist() == pytest.approx([1, 1])


def test_projections_of_a_cloud() -> None:
    points = torch.tensor([[3.0, 0, 1, 2], [10, 40, 30, 20]])
    assert along(points, 0, 4).tolist() == pytest.approx([0, 1, 2, 3])
    assert along(points, 90, 4).tolist() == pytest.approx([10, 20, 30, 40])
    diagonal = sorted((x + y) / 2**0.5 for x, y in points.T.tolist())
    assert along(points, 45, 4).tolist() == pytest.approx(diagonal, rel=1e-5)
    assert along(points, 0, 2).tolist() == pytest.approx([0, 3])


def text(plot: Any) -> list[str]:
    found = [t.get_text() for t in plot.figure.texts]
    return found + [t.get_text() for axes in plot.figure.axes for t in axes.texts]


def test_the_figure_states_the_gap_that_it_shows(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    found = clouds({"painting": painting, "photo": camel}, ["conv1_1"], network)["conv1_1"]
    a, b = (np.sort(found.points[name][1].numpy()) for name in found.points)
    share = np.linspace(0, 1, 2000)
    gap = np.mean((np.quantile(a, share) - np.quantile(b, share)) ** 2)
    (stated,) = [t for t in text(seen_by(found, "sliced", 90)) if "gap" in t]
    assert float(stated.split()[-1]) == pytest.approx(gap, abs=0.02)


def test_box_and_ellipse_are_one_standard_deviation_wide(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    found = clouds({"painting": painting, "photo": camel}, ["conv2_1"], network)["conv2_1"]
    points = found.points["painting"].double().numpy()
    for statistic in ("mean_std", "gram"):
        lines = seen_by(found, statistic, 0).figure.axes[0].lines
        line = np.array(lines[2].get_xydata()).T  # after the dots and the white outline
        # Both touch the mean plus one standard deviation along each axis.
        np.testing.assert_allclose(line.max(1), points.mean(1) + points.std(1, ddof=1), rtol=0.01)
    # On the ellipse every point is at Mahalanobis distance 1.
    out = line - points.mean(1, keepdims=True)
    far = np.einsum("in,ij,jn->n", out, np.linalg.inv(np.cov(points)), out)
    np.testing.assert_allclose(far, 1, rtol=0.01)


@pytest.mark.parametrize("statistic", SEEN)
def test_the_explorer_draws_each_statistic(statistic: str, camel: Tensor, painting: Tensor) -> None:
    explorer = statistics_explorer({"the wave": painting, "the camel": camel}, "conv1_1")
    before = explorer.plot.image()[1]
    explorer.set(statistic=statistic, angle=30)
    assert explorer.plot.image()[1] != before
    assert "30 degrees" in explorer.plot.alt
    assert SEEN[statistic] in explorer.plot.alt
    with pytest.raises(StylelibError, match="can't be"):
        explorer.set(statistic="kurtosis")


def test_no_control_runs_the_network(
    camel: Tensor, painting: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer = statistics_explorer({"the wave": painting, "the camel": camel})

    def too_slow(*_: Any) -> None:
        raise AssertionError("the network ran")

    monkeypatch.setattr(VGG19, "forward", too_slow)
    for layer in STYLE_LAYERS:
        assert layer in explorer.set(layer=layer, angle=60).plot.alt


# What is left of a style


def test_style_left_is_a_ratio_of_style_losses(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    half = F.interpolate((camel + camel.flip(-1)) / 2, scale_factor=1)
    images = {"photo": camel, "other": half, "painting": painting}
    table = style_left(images, painting, camel, network=network)
    assert list(table) == list(images)
    for statistic in STATISTICS:
        objective = Objective(camel, painting, RECIPES["gram"].but(statistic=statistic), network)
        losses = [float(objective(image)[1]["style"]) for image in (half, camel)]
        assert table["photo"][statistic] == pytest.approx(1)
        assert table["painting"][statistic] == pytest.approx(0, abs=1e-6)
        assert table["other"][statistic] == pytest.approx(losses[0] / losses[1], rel=1e-4)
    assert "0.00" in text(left_table(table, images))
    with pytest.raises(StylelibError, match="same picture"):
        style_left(images, camel, camel, network=network)


def test_what_the_lesson_says_about_the_three_statistics(network: VGG19) -> None:
    """Painting with one lowers all three, and each is lowest when it was painted with."""
    camel, painting = load_image("camel", 96), load_image("hokusai-great-wave", 96)
    recipe = RECIPES["gram"].but(size=96, steps=15, coarse_to_fine=False)
    painted = {
        name: Transfer(camel, painting, recipe.but(statistic=name), network, "cpu").run()
        for name in STATISTICS
    }
    table = style_left(painted, painting, camel, network=network)
    for name in STATISTICS:
        assert min(table, key=lambda row: table[row][name]) == name
        assert max(table[name].values()) < 0.8


def test_what_the_lesson_says_about_sizes() -> None:
    assert receptive_field("conv5_1").size == 156
    assert 64 * 65 // 2 < 4096 == 64**2  # of conv1_1: the matrix is symmetric


# What pixels cost


def test_steps_on_larger_pictures_take_longer(camel: Tensor, painting: Tensor) -> None:
    seconds = step_seconds(camel, painting, [32, 64])
    assert list(seconds) == [32, 64]
    assert 0 < seconds[32] < 60
    big = step_seconds(load_image("camel"), painting, [256])
    assert big[256] > 3 * seconds[32]  # 64 times the pixels
    plot = growth({32: 0.5, 64: 2.0}, {32: 1000, 64: 4000})
    line = plot.figure.axes[0].lines[0]
    assert list(line.get_ydata()) == [0, 2.0] and list(line.get_xdata()) == [0, 4.0]


# Exercises


ANSWERS = solutions("06-beyond")
COMPARED = [number for number in ANSWERS if number != "6.7"]  # which is watched at work


@pytest.mark.parametrize("number", COMPARED)
def test_each_mistake_is_recognised(number: str) -> None:
    for mistake in EXERCISES[number].mistakes:
        verdict = check(number, mistake.wrong)
        assert not verdict.passed
        assert verdict.message == mistake.hint


def train_once(
    network: nn.Module, photos: list[Tensor], loss: Any, optimizer: Any, flaw: str = ""
) -> float | None:
    value = torch.tensor(0.0)
    for photo in photos:
        if flaw != "zero":
            optimizer.zero_grad()
        value = loss(network(photo))
        (-value if flaw == "uphill" else value).backward()
        if flaw != "step":
            optimizer.step()
        if flaw == "pixels":
            photo += 0.1
        if flaw == "first":
            break
    return None if flaw == "nothing" else float(value)


@pytest.mark.parametrize(
    ("flaw", "hint"),
    {
        "zero": "earlier photos",
        "uphill": "uphill",
        "step": "weights have not changed",
        "pixels": "photos have changed",
        "first": "only the first photo",
        "nothing": "Return the loss",
    }.items(),
)
def test_the_training_is_watched(flaw: str, hint: str) -> None:
    verdict = check("6.7", lambda *setting: train_once(*setting, flaw=flaw))
    assert verdict.state == "wrong" and hint in verdict.message, verdict
    assert check("6.7", lambda *_: None).state == "empty"


def test_sand_is_moved_least_if_ranks_are_kept() -> None:
    grains, places = torch.tensor([1.0, 5, 2]), torch.tensor([6.0, 2, 3])
    explorer = sand_explorer(grains, places)
    # In the order given: 5, 3 and 1 far. By rank: 1 to 2, 2 to 3, 5 to 6.
    assert f"distance is {(25 + 9 + 1) / 3:.3g}" in explorer.plot.alt
    assert "distance is 1." in explorer.set(way=WAYS[0]).plot.alt


def by_loops(maps: Tensor) -> Tensor:
    """Instance normalisation written out."""
    new = maps.clone()
    for picture in new:
        for one in picture:
            values = one.flatten().tolist()
            mean = sum(values) / len(values)
            spread = (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5
            one -= mean
            one /= spread
    return new


@pytest.mark.parametrize(
    ("number", "other"),
    {
        "6.1": lambda m: torch.stack([m.mean((0, 2, 3)), m.std((0, 2, 3), correction=0)]),
        "6.2": lambda a, b, d: F.mse_loss(torch.sort(a.T @ d)[0], torch.sort(b.T @ d)[0]),
        "6.3": lambda a, b: torch.cat(
            [
                (a[:, c] - a[:, c].mean()) / a[:, c].std() * b[:, c].std() + b[:, c].mean()
                for c in range(3)
            ]
        )[None],
        "6.4": lambda m, w: torch.einsum("ihw,jhw,hw->ij", m, m, w) / w.sum(),
        "6.5": F.instance_norm,
    }.items(),
)
def test_another_correct_answer_passes(number: str, other: Any) -> None:
    assert check(number, other).passed


def test_instance_normalisation_with_loops() -> None:
    assert check("6.5", by_loops).passed


@pytest.mark.parametrize("number", COMPARED)
def test_a_detached_answer_fails_where_the_gradient_counts(number: str) -> None:
    verdict = check(number, lambda *inputs: ANSWERS[number](*inputs).detach())
    assert verdict.passed == (not EXERCISES[number].gradient)


@pytest.mark.parametrize("number", COMPARED)
def test_empty_answers_and_nonsense_are_explained(number: str) -> None:
    assert check(number, lambda *inputs: None).state == "empty"
    assert check(number, lambda *inputs: "seven").state == "wrong"
    assert "TypeError" in check(number, lambda: 7).message
