"""Lesson 01: its computations, figures, controls and exercises."""

import asyncio
import math
from base64 import b64decode
from itertools import pairwise
from typing import Any

import ipywidgets
import pytest
import torch
from answer_notebooks import solutions
from PIL import Image, ImageFilter
from torch import Tensor, nn
from torch.nn import functional as F

from stylelib.core.layers import CONVOLUTIONS, LAYERS
from stylelib.core.vgg import Weights
from stylelib.engine.network import VGG19, features, load_vgg19
from stylelib.errors import StylelibError
from stylelib.lessons.cnn import (
    bank,
    controls,
    figures_convolution,
    figures_maps,
    figures_network,
    figures_pooling,
)
from stylelib.lessons.cnn.anatomy import (
    CLASSIFIER,
    count_parameters,
    cut,
    index_at,
    influence,
    map_shape,
    receptive_field,
)
from stylelib.lessons.cnn.exercises import check
from stylelib.lessons.cnn.kernels import KERNELS, convolve, grey
from stylelib.lessons.cnn.observations import Observations
from stylelib.lessons.cnn.wanted import wanted
from stylelib.lessons.explorer import Explorer, FigureImage
from stylelib.lessons.theme import Plot
from stylelib.pictures.images import load_image

# Kernels


@pytest.mark.parametrize("name", KERNELS)
def test_convolution_matches_an_image_editor(name: str) -> None:
    pixels = torch.randint(0, 256, (12, 9), generator=torch.Generator().manual_seed(3))
    picture = Image.frombytes("L", (9, 12), bytes(pixels.flatten().tolist()))
    kernel = [number for row in KERNELS[name] for number in row]
    # Pillow lists a kernel's rows bottom to top, and clips to 0-255.
    rows = [number for row in reversed(KERNELS[name]) for number in row]
    filtered = picture.filter(ImageFilter.Kernel((3, 3), rows, scale=1))
    expected = torch.tensor(list(filtered.tobytes())).view(12, 9)[1:-1, 1:-1]
    found = convolve(pixels.float(), torch.tensor(kernel).view(3, 3))[1:-1, 1:-1]
    assert (found.clamp(0, 255) - expected).abs().max() <= 1


def test_convolution_keeps_the_size_and_repeats_the_border() -> None:
    flat = torch.full((5, 7), 0.3)
    assert torch.allclose(convolve(flat, torch.tensor(KERNELS["blur"])), flat)
    assert convolve(flat, torch.tensor(KERNELS["edge"])).abs().max() < 1e-6
    with pytest.raises(StylelibError, match="nine numbers"):
        convolve(flat, torch.ones(2, 3))


def test_grey_weighs_the_colours_by_perceived_brightness(camel: Tensor) -> None:
    red = torch.zeros(1, 3, 1, 1)
    red[0, 0] = 1
    assert grey(red).item() == pytest.approx(0.299)
    assert torch.allclose(grey(torch.ones(1, 3, 2, 2)), torch.ones(2, 2))
    assert grey(camel).shape == camel.shape[-2:]


def test_two_kernels_make_one_unless_relu_is_between_them(camel: Tensor) -> None:
    picture = grey(camel)
    dot = torch.zeros(7, 7)
    dot[3, 3] = 1
    sharpen, blur = (torch.tensor(KERNELS[name]) for name in ("sharpen", "blur"))
    both = convolve(convolve(dot, sharpen), blur)[1:6, 1:6].flip(0, 1)
    once = F.conv2d(picture[None, None], both[None, None])[0, 0]
    twice = convolve(convolve(picture, sharpen), blur)[2:-2, 2:-2]
    assert torch.allclose(once, twice, atol=1e-5)
    broken = convolve(convolve(picture - 0.5, sharpen).relu(), blur)[2:-2, 2:-2]
    assert not torch.allclose(once - 0.5 * both.sum(), broken, atol=1e-2)


# The network's anatomy


@pytest.fixture(scope="module")
def open_network() -> VGG19:
    """Positive weights and average pooling, so that no pixel's influence is hidden."""
    kernels = {
        name: torch.full((2, 3 if name == "conv1_1" else 2, 3, 3), 0.2) for name in CONVOLUTIONS
    }
    biases = {name: torch.zeros(2) for name in CONVOLUTIONS}
    return VGG19(Weights(kernels, biases, (0, 0, 0), (1, 1, 1)), pooling="average")


@pytest.mark.parametrize("layer", LAYERS)
def test_receptive_field_is_where_the_gradient_is_not_zero(layer: str, open_network: VGG19) -> None:
    image = torch.ones(1, 3, 320, 320)
    field = receptive_field(layer)
    row, column = (170 // field.stride, 150 // field.stride)
    moved = influence(image, layer, row, column, open_network) > 0
    top, left, bottom, right = field.box(row, column)
    expected = torch.zeros_like(moved)
    expected[max(0, top) : bottom, max(0, left) : right] = True
    assert top > 0 and bottom - top == right - left == field.size
    assert torch.equal(moved, expected)


def test_gradient_in_the_real_network_stays_in_the_receptive_field(network: VGG19) -> None:
    image = load_image("camel", 128)
    counts = influence(image, "conv3_1", 9, 16, network)
    top, left, bottom, right = receptive_field("conv3_1").box(9, 16)
    inside = counts[top:bottom, left:right]
    assert inside.sum() == pytest.approx(counts.sum().item())
    # As the lesson says, most of it comes from the middle.
    assert inside[6:18, 6:18].sum() > 0.5 * inside.sum()
    assert inside[6:18, 6:18].mean() > 3 * inside[:3].mean()


@pytest.mark.parametrize("size", [(64, 48), (50, 97)])
def test_map_shapes_match_the_network(size: tuple[int, int], network: VGG19) -> None:
    found = features(torch.rand(1, 3, *size), LAYERS, network)
    assert {name: tuple(x.shape[1:]) for name, x in found.items()} == {
        name: map_shape(name, *size) for name in LAYERS
    }


def test_parameter_counts_match_torchvision(torchvision: Any) -> None:
    with torch.device("meta"):
        full = torchvision.models.vgg19(weights=None)
    counts = count_parameters()
    assert sum(counts.values()) == sum(p.numel() for p in full.parameters()) == 143_667_240
    classifier = sum(counts[name] for name in CLASSIFIER)
    assert classifier == sum(p.numel() for p in full.classifier.parameters()) == 123_642_856
    fc6 = next(layer for layer in full.classifier if isinstance(layer, nn.Linear))
    assert fc6.in_features == CLASSIFIER["fc6"][0]


def test_cut_fills_beyond_the_edge() -> None:
    image = torch.rand(1, 3, 6, 8)
    assert torch.equal(cut(image, (1, 2, 4, 7)), image[..., 1:4, 2:7])
    corner = cut(image, (-2, 5, 3, 10))
    assert corner.shape == (1, 3, 5, 5)
    assert torch.equal(corner[..., 2:, :3], image[..., :3, 5:])
    assert (corner[..., :2, :] == 0.5).all() and (corner[..., 3:] == 0.5).all()


def test_index_at() -> None:
    assert [index_at(part, 10) for part in (0, 0.05, 0.1, 0.999, 1)] == [0, 0, 1, 9, 9]
    with pytest.raises(StylelibError, match="from 0"):
        index_at(1.2, 10)


# What the network sees


@pytest.fixture(scope="module")
def observations(network: VGG19) -> Observations:
    names = ("camel", "hokusai-great-wave", "kandinsky-composition-viii")
    pictures = {name: load_image(name, 96) for name in names}
    return Observations(pictures, network, ("conv1_1", "conv2_1", "conv3_1", "conv4_4"))


def test_observations_match_the_network(observations: Observations, network: VGG19) -> None:
    image = observations.pictures["camel"]
    found = features(image, LAYERS[:15], network)
    kept = observations.maps("camel", "conv3_1")
    assert torch.allclose(kept, found["conv3_1"][0], rtol=1e-3, atol=1e-3)
    means = found["conv4_4"][0].mean((1, 2))
    assert observations.most_active("camel", "conv4_4", 5) == means.topk(5).indices.tolist()
    shares = [
        (features(x, "conv3_4", network)["conv3_4"] > 0).float().mean().item()
        for x in observations.pictures.values()
    ]
    assert observations.share_above_zero("conv3_4") == pytest.approx(sum(shares) / 3, rel=1e-5)


@pytest.mark.parametrize(("layer", "channel"), [("conv1_1", 21), ("conv3_1", 104)])
def test_strongest_patches(observations: Observations, layer: str, channel: int) -> None:
    found = observations.strongest(layer, channel, 6)
    values = [patch.value for patch in found]
    assert len(found) == 6 and values == sorted(values, reverse=True)
    everywhere = [observations.channel(name, layer, channel) for name in observations.pictures]
    assert values[0] == max(float(x.max()) for x in everywhere)
    field = receptive_field(layer)
    for patch in found:
        assert (
            patch.value
            == observations.channel(patch.picture, layer, channel)[patch.row, patch.column].item()
        )
        assert observations.crop(patch).shape == (1, 3, field.size, field.size)
    for one, other in pairwise(found):
        if one.picture == other.picture:
            apart = max(abs(one.row - other.row), abs(one.column - other.column))
            assert apart * field.stride >= field.size / 2 - field.stride


def test_a_patch_alone_gives_the_same_value(observations: Observations, network: VGG19) -> None:
    """The value depends on nothing outside its patch."""
    field, margin = receptive_field("conv3_1"), 10
    row = (margin - field.start) // field.stride
    assert field.box(row, row)[0] == margin
    inside = []
    for patch in observations.strongest("conv3_1", 104, 12):
        height, width = observations.pictures[patch.picture].shape[-2:]
        if min(patch.box) >= 0 and patch.box[2] <= height and patch.box[3] <= width:
            inside.append(patch)
    assert inside
    for patch in inside:
        alone = torch.rand(1, 3, field.size + 2 * margin, field.size + 2 * margin)
        alone[..., margin:-margin, margin:-margin] = observations.crop(patch)
        value = features(alone, "conv3_1", network)["conv3_1"][0, 104, row, row]
        assert value.item() == pytest.approx(patch.value, rel=2e-3)


def test_channels_at_a_position_stand_out_there(observations: Observations) -> None:
    best = observations.channels_at("camel", "conv4_4", 0.88, 0.3, 1)[0]
    values = observations.channel("camel", "conv4_4", best)
    row, column = index_at(0.3, values.shape[0]), index_at(0.88, values.shape[1])
    near = values[row - 1 : row + 2, column - 1 : column + 2]
    usual = torch.cat(
        [observations.maps(n, "conv4_4")[best].flatten() for n in observations.pictures]
    )
    assert near.max() > 10 * usual.mean()
    with pytest.raises(StylelibError, match="from 0"):
        observations.channels_at("camel", "conv4_4", -0.1, 0.3)


def test_observations_refuse_what_was_not_observed(observations: Observations) -> None:
    with pytest.raises(StylelibError, match="camel"):
        observations.maps("camle", "conv3_1")
    with pytest.raises(StylelibError, match="conv3_1"):
        observations.maps("camel", "conv3_2")
    with pytest.raises(StylelibError, match="0 to 255"):
        observations.channel("camel", "conv3_1", 256)
    with pytest.raises(StylelibError, match="at least one"):
        Observations({})


def test_channels_with_random_weights_are_not_choosy(observations: Observations) -> None:
    image = {"camel": observations.pictures["camel"]}
    untrained = Observations(image, load_vgg19("random", last="conv4_4"), ["conv4_4"])
    assert untrained.share_above_zero("conv4_4") == pytest.approx(0.5, abs=0.1)
    assert observations.share_above_zero("conv4_4") < 0.25
    assert observations.share_above_zero("conv1_1") == pytest.approx(0.5, abs=0.15)


def test_what_the_lesson_says_about_eyes(network: VGG19) -> None:
    pictures = {name: load_image(name, 512) for name in ("camel", "hokusai-poppies")}
    seen = Observations(pictures, network, ["conv4_4"])
    heads = [patch for patch in seen.strongest("conv4_4", 134, 2)]
    assert {patch.picture for patch in heads} == {"camel"}
    centres = sorted((patch.column + 0.5) / 64 for patch in heads)
    assert centres == pytest.approx([0.36, 0.89], abs=0.04)  # the calf's head, the mother's head
    assert seen.channels_at("camel", "conv4_4", 0.893, 0.3, 1) == [134]
    # Section 9: humps and petals excite the same channel.
    found = seen.strongest("conv4_4", 178, 4)
    assert {patch.picture for patch in found} == {"camel", "hokusai-poppies"}


# Figures


def shown(plot: Plot) -> Tensor:
    """What a reader sees: shape (1, 3, H, W), in 0-1."""
    return load_image(plot.image()[1])


def test_walk_shows_the_sum_and_the_results_so_far() -> None:
    picture = torch.arange(30.0).view(5, 6) / 30
    kernel = torch.tensor(KERNELS["vertical edge"])
    plot = figures_convolution.walk(picture, kernel, 8)  # row 1, column 2
    # Weights -1 -2 -1 on the left, 1 2 1 on the right; neighbours differ by 1/30: 8 / 30.
    assert "sum: 0.27" in plot.figure.axes[-1].get_title()
    numbers = [float(text.get_text()) for axes in plot.figure.axes for text in axes.texts]
    assert sum(numbers[-9:]) == pytest.approx(8 / 30, abs=0.05)
    so_far = torch.from_numpy(plot.figure.axes[1].images[0].get_array().filled(math.nan))
    assert so_far.flatten().isfinite().sum() == 9


def test_kept_by_pooling() -> None:
    values = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    kept = figures_pooling.kept_by_pooling(values)
    assert kept.view(3, 2, 4, 2).sum((1, 3)).eq(1).all()
    assert torch.equal(
        values[kept].sort().values, F.max_pool2d(values[None], 2).flatten().sort()[0]
    )
    assert figures_pooling.kept_by_pooling(torch.rand(5, 7)).sum() == 6
    with pytest.raises(StylelibError, match="2 x 2"):
        figures_pooling.kept_by_pooling(torch.rand(3, 4, 4))


def test_relu_figure_counts_the_zeros() -> None:
    before = torch.tensor([[-1.0, 2.0], [-3.0, -4.0]])
    plot = figures_convolution.relu(before, before.relu())
    assert any("75%" in axes.get_title() for axes in plot.figure.axes)


def test_shapes_and_parameters_show_the_numbers() -> None:
    words = [text.get_text() for text in figures_network.shapes(100, 64).figure.axes[0].texts]
    assert "256\n× 25\n× 16" in words and "512\n× 6\n× 4" in words
    words = [text.get_text() for text in figures_network.parameters().figure.axes[0].texts]
    assert words == ["convolutions\n20.0 M", "fc6\n102.8 M", "fc7\n16.8 M", "fc8\n4.1 M"]


def test_the_picture_of_a_node_adds_up() -> None:
    window = torch.arange(9.0).view(3, 3) / 10
    plot = figures_network.node(window, -torch.ones(3, 3), bias=0.6)
    words = [text.get_text() for text in plot.figure.axes[0].texts]
    assert "sum\n-3.00" in words and "ReLU\n0.00" in words  # 0.6 − 3.6


def test_a_wanted_picture_excites_its_channel(network: VGG19, camel: Tensor) -> None:
    def excites(image: Tensor) -> float:
        return float(features(image, "conv2_1", network)["conv2_1"][0, 12].mean())

    for readable in (True, False):
        start, end = (
            excites(wanted("conv2_1", 12, range(steps), 48, readable, network)) for steps in (0, 25)
        )
        assert end > 1.5 * max(start, excites(camel))
    with pytest.raises(StylelibError, match="0 to 127"):
        wanted("conv2_1", 128)


def test_the_wanted_pictures_made_beforehand(observations: Observations) -> None:
    assert len(bank.channels()) >= 12
    for layer, channel, kind in bank.files():
        assert bank.made_before(layer, channel, kind).shape == (1, 3, 128, 128)
    with pytest.raises(StylelibError, match=r"wanted\("):
        bank.made_before("conv3_4", 511)
    made = {"wanted": bank.made_before("conv3_1", 104)}
    plot = figures_maps.wanted_beside(observations, "conv3_1", 104, made)
    assert len(plot.figure.axes) > 3 and shown(plot).std() > 0.03


def test_receptive_field_figure_draws_the_boxes(camel: Tensor) -> None:
    plot = figures_network.receptive_fields(camel, ["conv2_1", "conv3_1"], 0.5, 0.5)
    sizes = [patch.get_width() for patch in plot.figure.axes[0].patches]
    assert sizes == [10, 24]
    with pytest.raises(StylelibError, match="from 0"):
        figures_network.receptive_fields(camel, ["conv2_1"], 2, 0.5)


def test_no_figure_is_blank(observations: Observations, network: VGG19, camel: Tensor) -> None:
    picture, kernel = grey(camel), torch.tensor(KERNELS["edge"])
    values = observations.channel("camel", "conv2_1", 3)
    both = {"one": {"conv2_1": observations.maps("camel", "conv2_1")}}
    plots = [
        figures_convolution.numbers(picture[:4, :4]),
        figures_convolution.filtered(picture, kernel),
        figures_convolution.presets(picture),
        figures_convolution.walk(picture, kernel, 300),
        figures_convolution.swatches(figures_convolution.first_kernels(network)),
        figures_convolution.first_layer(camel, network, 21),
        figures_convolution.relu(values - 1, (values - 1).relu()),
        figures_pooling.pooling_numbers(values[:4, :4]),
        figures_pooling.pooling_map(values),
        figures_maps.feature_map(observations, "camel", "conv2_1", 3),
        figures_maps.mosaic(observations, "camel", "conv2_1"),
        figures_maps.exciting(observations, [("conv1_1", 21), ("conv4_4", 178)]),
        figures_maps.where_exciting(observations, "conv3_1", 104),
        figures_maps.channels_at(observations, "camel", "conv3_1", 0.5, 0.5),
        figures_maps.compared(both, ["conv2_1"]),
        figures_maps.choosiness({"trained": observations}, ["conv1_1", "conv3_4"]),
    ]
    for plot in plots:
        kind, _ = plot.image()
        assert kind in ("image/png", "image/jpeg")
        assert shown(plot).std() > 0.03, plot.alt
        assert len(plot.alt) > 20


# Controls


def different(before: Tensor, plot: Plot) -> bool:
    after = shown(plot)
    return before.shape != after.shape or bool((before - after).abs().mean() > 0.001)


def image_of(explorer: Explorer) -> bytes:
    (image,) = (child for child in explorer.children if isinstance(child, FigureImage))
    data: bytes = image.value
    return data


def test_kernel_explorer_keeps_name_and_weights_in_sync(camel: Tensor) -> None:
    explorer = controls.KernelExplorer(camel, "blur")
    assert explorer.values["centre"] == pytest.approx(1 / 9, abs=0.01)
    before = shown(explorer.plot)
    explorer.set(preset="emboss")
    numbers = [value for name, value in explorer.values.items() if name != "preset"]
    assert numbers == [number for row in KERNELS["emboss"] for number in row]
    assert different(before, explorer.plot)
    before = shown(explorer.plot)
    explorer.set(bottom=-6)
    assert explorer.values["preset"] == controls.OWN
    assert explorer.values["centre"] == 1
    assert different(before, explorer.plot)
    explorer.set(preset="emboss")
    assert explorer.values["bottom"] == 1


def test_explorers_follow_their_controls(
    observations: Observations, network: VGG19, camel: Tensor
) -> None:
    moves = [
        (controls.walk_explorer(camel), {"position": 700}),
        (controls.walk_explorer(camel, position=900), {"preset": "blur"}),
        (controls.first_layer_explorer(camel, network), {"channel": 40}),
        (controls.map_explorer(observations, "camel"), {"picture": "hokusai-great-wave"}),
        (controls.map_explorer(observations, "camel"), {"layer": "conv4_4", "channel": 378}),
        (controls.most_active_explorer(observations, "camel"), {"layer": "conv2_1"}),
        (controls.patch_explorer(observations, "conv3_1", 104), {"channel": 5}),
        (controls.position_explorer(observations, "camel", "conv3_1"), {"x": 0.1, "y": 0.1}),
        (controls.receptive_field_explorer(camel), {"layer": "conv2_1"}),
        (controls.receptive_field_explorer(camel, "conv2_1"), {"x": 0.9}),
        (controls.shape_explorer(64, 64), {"width": 512}),
    ]
    for explorer, values in moves:
        for control in explorer.controls.values():
            assert control.description and control.tooltip
        before = image_of(explorer)
        explorer.set(**values)
        assert explorer.values.items() >= values.items()
        assert image_of(explorer) != before, values
        with pytest.raises(StylelibError):
            explorer.set(nothing=1)


def test_an_explorer_has_its_figure_and_alt_text_for_the_web() -> None:
    explorer = controls.shape_explorer(64, 96)
    data, metadata = explorer._repr_mimebundle_()
    assert "64 x 64 x 96" in data["text/plain"]
    assert metadata["image/png"]["alt"] == data["text/plain"]
    picture = load_image(b64decode(data["image/png"]))
    assert torch.equal(picture, shown(explorer.plot))


def test_set_draws_once_and_a_drag_draws_only_its_last_position() -> None:
    drawn: list[tuple[int, int]] = []

    def draw(a: int, b: int) -> Plot:
        drawn.append((a, b))
        return figures_network.shapes(64, 64)

    def explorer() -> Explorer:
        made = Explorer(draw, a=ipywidgets.IntSlider(max=9), b=ipywidgets.IntSlider(max=9))
        drawn.clear()
        return made

    async def drag(explorer: Explorer) -> None:
        explorer.set(a=1, b=2)
        for value in range(3, 9):
            explorer.controls["a"].value = value
        await asyncio.sleep(0.2)

    explorer().set(a=1, b=2)
    assert drawn == [(1, 2)]
    asyncio.run(drag(explorer()))
    assert drawn == [(1, 2), (8, 2)]


def test_controls_moved_before_an_error_are_shown(camel: Tensor) -> None:
    explorer = controls.receptive_field_explorer(camel, x=0.5)
    with pytest.raises(StylelibError, match="can't be"):
        explorer.set(x=0.1, layer="conv9_1")
    before = figures_network.receptive_fields(camel, ["conv4_1"], 0.5, 0.5)
    assert different(shown(before), explorer.plot)


def test_the_channel_slider_stays_within_the_layer(observations: Observations) -> None:
    explorer = controls.map_explorer(observations, "camel", "conv4_4", 500)
    explorer.set(layer="conv1_1")
    assert explorer.values == {"picture": "camel", "layer": "conv1_1", "channel": 63}


def test_observations_show_their_progress(network: VGG19, camel: Tensor, capsys: Any) -> None:
    seen = Observations({"camel": camel}, network, ["conv1_1"], "looking")
    assert seen.count_channels("conv1_1") == 64
    assert "looking" in capsys.readouterr().out


# Exercises

RIGHT = solutions("01-what-a-cnn-sees")


def flipped(window: Tensor, kernel: Tensor) -> float:
    total = 0.0
    for row in range(3):
        for column in range(3):
            total += float(window[row, column] * kernel[2 - row, 2 - column])
    return total


def in_place(maps: Tensor) -> Tensor:
    maps[maps < 0] = 0
    return maps


def every_second(maps: Tensor) -> Tensor:
    channels, height, width = maps.shape
    result = torch.zeros(channels, height // 2, width // 2)
    for row in range(0, height, 2):
        for column in range(0, width, 2):
            result[:, row // 2, column // 2] = maps[:, row, column]
    return result


def overlapping(maps: Tensor) -> Tensor:
    rows = torch.maximum(maps[:, :-1], maps[:, 1:])
    return torch.maximum(rows[:, :, :-1], rows[:, :, 1:])


def mean_of_four(maps: Tensor) -> Tensor:
    return (maps[:, ::2, ::2] + maps[:, 1::2, ::2] + maps[:, ::2, 1::2] + maps[:, 1::2, 1::2]) / 4


def same_steps(layers: tuple[str, ...]) -> int:
    return 1 + sum(2 if layer == "conv" else 1 for layer in layers)


def from_zero(layers: tuple[str, ...]) -> int:
    size: int = RIGHT["1.5"](layers)
    return size - 1


def three_a_layer(layers: tuple[str, ...]) -> int:
    size, step = 1, 1
    for layer in layers:
        size += 3 * step if layer == "conv" else step
        step *= 2 if layer == "pool" else 1
    return size


def double_first(layers: tuple[str, ...]) -> int:
    size, step = 1, 1
    for layer in layers:
        if layer == "pool":
            step *= 2
            size += step
        else:
            size += 2 * step
    return size


@pytest.mark.parametrize(
    ("number", "wrong", "hint"),
    [
        ("1.1", lambda w, k: w * k, "add them up"),
        ("1.1", lambda w, k: torch.mean(w * k), "divided by nine"),
        ("1.1", lambda w, k: torch.matmul(w, k).sum(), "matrix product"),
        ("1.1", flipped, "flipped"),
        ("1.1", lambda w, k: sum(w + k).sum(), "Multiply"),
        ("1.2", in_place, "in place"),
        ("1.2", lambda m: torch.abs(m), "minus signs"),
        ("1.2", lambda m: torch.where(m > 0, 1.0, 0.0), "zeros and ones"),
        ("1.2", lambda m: torch.minimum(m, torch.zeros_like(m)), "wrong way round"),
        ("1.2", lambda m: m[m > 0], "in their places"),
        ("1.3", mean_of_four, "average pooling"),
        ("1.3", every_second, "top left"),
        ("1.3", overlapping, "overlap"),
        ("1.3", lambda m: torch.maximum(m[:, ::2], m[:, 1::2]), "only the height"),
        ("1.3", lambda m: m.flatten(1).max(1).values, "one number for a whole map"),
        ("1.4", lambda side, n: side / 2**n, "part of a pixel"),
        ("1.4", lambda side, n: math.ceil(side / 2**n), "rounded up"),
        ("1.4", lambda side, n: side // (n * 2), "Each pooling halves"),
        ("1.4", lambda side, n: side // 2, "after one pooling"),
        ("1.5", same_steps, "twice as much"),
        ("1.5", from_zero, "start from 1"),
        ("1.5", three_a_layer, "not 3"),
        ("1.5", double_first, "first add"),
        ("1.5", lambda layers: RIGHT["1.5"](layers) ** 2, "area"),
    ],
)
def test_a_common_mistake_gets_its_hint(number: str, wrong: Any, hint: str) -> None:
    verdict = check(number, wrong)
    assert verdict.state == "wrong"
    assert hint in verdict.message


@pytest.mark.parametrize("number", RIGHT)
def test_empty_and_nonsense_answers_are_explained(number: str) -> None:
    assert check(number, lambda *inputs: ...).state == "empty"
    assert check(number, lambda *inputs: None).state == "empty"
    for nonsense in (lambda *i: "camel", lambda *i: 1 / 0, lambda: 1, lambda *i: [], 3):
        verdict = check(number, nonsense)
        assert verdict.state == "wrong" and len(verdict.message) > 20
    assert check(number, lambda *i: torch.zeros(2, 1, 4)).state == "wrong"
    assert check(number, lambda *i: torch.full((), math.nan)).state == "wrong"
