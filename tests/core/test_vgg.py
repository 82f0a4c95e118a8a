"""The network against torchvision's architecture with the same weights put in."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stylelib import LAYERS, VGG19, StylelibError, features, load_vgg19
from stylelib.core.layers import CONVOLUTIONS
from stylelib.engine.weights import read_weights

Noise = Callable[..., Tensor]
Reference = Callable[..., tuple[dict[str, Tensor], dict[str, Tensor]]]

# What the embedded weights are fed: (picture - mean) / std, RGB.
MEAN = torch.tensor([123.68, 116.779, 103.939]).view(1, 3, 1, 1) / 255
STD = 0.225

# float32 holds 24 bits; 16 convolutions of up to 4,608 products each.
ROUNDING = 2e-5


def assert_equal_maps(ours: Tensor, theirs: Tensor, tolerance: float = ROUNDING) -> None:
    """Equal to `tolerance` of the largest number in the map."""
    assert ours.shape == theirs.shape
    scale = theirs.abs().max()
    assert scale > 0
    assert (ours - theirs).abs().max() <= tolerance * scale


@pytest.fixture(scope="module")
def picture(camel: Tensor) -> Tensor:
    """An odd size: each pooling rounds down."""
    return torch.cat([camel[..., :35, :51], torch.rand(1, 3, 35, 51)])


# The architecture


def test_layers_are_those_of_vgg19() -> None:
    expected = (
        "conv1_1 conv1_2 pool1 conv2_1 conv2_2 pool2 conv3_1 conv3_2 conv3_3 conv3_4 pool3 "
        "conv4_1 conv4_2 conv4_3 conv4_4 pool4 conv5_1 conv5_2 conv5_3 conv5_4"
    )
    assert tuple(expected.split()) == LAYERS


def test_every_layer_is_torchvisions(
    network: VGG19, torchvision_maps: Reference, picture: Tensor
) -> None:
    before, after = torchvision_maps(picture)
    assert {*CONVOLUTIONS} < {*before} and {*LAYERS} <= {*before}
    ours_before = features(picture, LAYERS, network, before_relu=True)
    ours_after = features(picture, LAYERS, network)
    assert list(ours_before) == list(ours_after) == list(LAYERS)
    for name in LAYERS:
        assert_equal_maps(ours_before[name], before[name])
        assert_equal_maps(ours_after[name], after[name])


def test_before_and_after_relu_differ_as_relu_does(network: VGG19, picture: Tensor) -> None:
    for name in CONVOLUTIONS:
        before = features(picture, name, network, before_relu=True)[name]
        after = features(picture, name, network)[name]
        assert before.min() < 0
        torch.testing.assert_close(after, before.clamp(min=0), rtol=1e-4, atol=1e-4)


def test_average_pooling_is_torchvisions_with_the_poolings_replaced(
    network: VGG19,
    torchvision_layers: nn.Sequential,
    torchvision_maps: Reference,
    picture: Tensor,
) -> None:
    averaging = nn.Sequential(
        *(nn.AvgPool2d(2, 2) if isinstance(x, nn.MaxPool2d) else x for x in torchvision_layers)
    )
    before, after = torchvision_maps(picture, averaging)
    ours = copy.copy(network)
    ours.pooling = "average"
    for name, maps in ours(picture, LAYERS).items():
        assert_equal_maps(maps, after[name])
    assert_equal_maps(ours(picture, ["conv5_4"], before_relu=True)["conv5_4"], before["conv5_4"])
    plain = features(picture, "conv2_1", network)["conv2_1"]
    assert (plain - after["conv2_1"]).abs().max() > 0.1


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_pooling_by_name(pooling: str, noise: Noise) -> None:
    network = load_vgg19("random", last="pool1", pooling=pooling)
    maps = network(noise(1, 3, 6, 8), ["conv1_2", "pool1"])
    quads = maps["conv1_2"].view(1, 64, 3, 2, 4, 2)
    expected = quads.amax((3, 5)) if pooling == "max" else quads.mean((3, 5))
    torch.testing.assert_close(maps["pool1"], expected)


def test_replicate_padding_is_padding_by_hand(noise: Noise) -> None:
    image = noise(2, 3, 7, 9)
    weights = read_weights("embedded", "conv1_2")
    network = VGG19(weights, padding="replicate")
    x = F.pad((image - MEAN) / STD, (1, 1, 1, 1), mode="replicate")
    first = F.conv2d(x, weights.kernels["conv1_1"], weights.biases["conv1_1"])
    # Only the first convolution: the next ones see zeros beyond the edge.
    second = F.conv2d(
        F.relu(first), weights.kernels["conv1_2"], weights.biases["conv1_2"], padding=1
    )
    ours = network(image, ["conv1_1", "conv1_2"], before_relu=True)
    assert_equal_maps(ours["conv1_1"], first)
    assert_equal_maps(ours["conv1_2"], second)
    zeros = VGG19(weights)(image, ["conv1_1"], before_relu=True)["conv1_1"]
    inside = (..., slice(1, -1), slice(1, -1))
    assert_equal_maps(zeros[inside], first[inside])
    assert (zeros - first).abs().max() > 0.1


# What is built, and what runs


@pytest.mark.parametrize(
    ("last", "count"),
    [
        ("conv1_1", 3 * 9 * 64 + 64),
        ("pool1", 3 * 9 * 64 + 64 + 64 * 9 * 64 + 64),
        # as published: 20,024,384 in the sixteen convolutions
        ("conv5_4", 20_024_384),
    ],
)
def test_only_what_is_needed_is_built(last: str, count: int) -> None:
    network = load_vgg19("random", last=last)
    assert sum(p.numel() for p in network.parameters()) == count


@contextmanager
def counting(network: VGG19) -> Iterator[list[str]]:
    """The names of the convolutions that run meanwhile."""
    ran: list[str] = []
    hooks = [
        layer.register_forward_hook(lambda *_, name=name: ran.append(name))
        for name, layer in network.convolutions.items()
    ]
    yield ran
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("deepest", ["conv1_1", "pool1", "conv3_4", "conv5_4"])
def test_it_runs_to_the_deepest_layer_and_no_further(
    network: VGG19, camel: Tensor, deepest: str
) -> None:
    with counting(network) as ran:
        maps = features(camel, [deepest, "conv1_1"], network)
    assert set(maps) == {deepest, "conv1_1"}
    expected = [n for n in LAYERS[: LAYERS.index(deepest) + 1] if n.startswith("conv")]
    assert ran == expected


def test_layers_come_in_the_order_asked_for_and_one_may_stand_alone(
    network: VGG19, camel: Tensor
) -> None:
    maps = features(camel, ["conv2_1", "conv1_1"], network)
    assert list(maps) == ["conv2_1", "conv1_1"]
    alone = features(camel, "conv2_1", network)
    assert torch.equal(alone["conv2_1"], maps["conv2_1"])


def test_a_network_up_to_a_pooling_gives_that_pooling(noise: Noise) -> None:
    for last in ("pool1", "conv1_2"):
        network = load_vgg19("random", last=last)
        assert network.last == "pool1"
        assert network(noise(1, 3, 4, 4), ["pool1"])["pool1"].shape == (1, 64, 2, 2)


def test_the_default_network_is_the_embedded_one_loaded_once(network: VGG19, camel: Tensor) -> None:
    maps = features(camel, "conv3_1")["conv3_1"]
    assert torch.equal(maps, features(camel, "conv3_1", network)["conv3_1"])


# Batches, gradients, precision


def test_a_batch_gives_what_each_picture_gives(network: VGG19, picture: Tensor) -> None:
    layers = ["conv1_1", "pool2", "conv4_2", "conv5_4"]
    together = features(picture, layers, network)
    for index in range(len(picture)):
        alone = features(picture[index : index + 1], layers, network)
        for name in layers:
            assert_equal_maps(together[name][index : index + 1], alone[name])


def test_the_weights_are_frozen_and_the_gradient_reaches_the_picture(
    network: VGG19, camel: Tensor
) -> None:
    assert not any(p.requires_grad for p in network.parameters())
    image = camel.clone().requires_grad_()
    sum(maps.mean() for maps in features(image, LAYERS, network).values()).backward()  # type: ignore[union-attr]
    assert image.grad is not None and image.grad.isfinite().all()
    assert (image.grad != 0).float().mean() > 0.9
    assert all(p.grad is None for p in network.parameters())


@pytest.mark.parametrize("before_relu", [False, True])
def test_the_gradient_is_a_finite_difference(noise: Noise, before_relu: bool) -> None:
    """ReLU works in place to save memory: that must not spoil what autograd kept."""
    weights = read_weights("random", "conv2_1")
    network = VGG19(weights, pooling="average")
    network.set_precision(torch.float64)
    image = noise(1, 3, 6, 6, dtype=torch.float64).requires_grad_()

    def total(x: Tensor) -> Tensor:
        maps = network(x, ["conv1_1", "conv1_2", "pool1", "conv2_1"], before_relu)
        return torch.stack([m.square().mean() for m in maps.values()]).sum()

    assert torch.autograd.gradcheck(total, (image,))


def test_it_leaves_the_picture_as_it_was(network: VGG19, camel: Tensor) -> None:
    image = camel.clone()
    features(image, LAYERS, network)
    assert torch.equal(image, camel)


def test_bfloat16_is_close_to_float32(network: VGG19, camel: Tensor) -> None:
    half = copy.deepcopy(network)
    half.set_precision(torch.bfloat16)
    exact = features(camel, LAYERS, network)
    for name, maps in features(camel, LAYERS, half).items():
        assert maps.dtype == torch.float32
        error = (maps - exact[name]).norm() / exact[name].norm()
        # 8 bits a number, so 0.2 % at first; it adds up layer by layer.
        assert 0 < error < 0.03, name


def test_a_random_network_takes_imagenets_colours(noise: Noise) -> None:
    weights = read_weights("random", "conv1_1", seed=3)
    image = noise(1, 3, 5, 5)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    expected = F.conv2d((image - mean) / std, weights.kernels["conv1_1"], padding=1)
    ours = VGG19(weights)(image, ["conv1_1"], before_relu=True)["conv1_1"]
    assert_equal_maps(ours, expected)


# Errors


@pytest.mark.parametrize(
    ("name", "near"), [("conv4_5", "conv4_"), ("Conv1_1", "conv1_1"), ("conv42", "conv4_2")]
)
def test_an_unknown_layer_is_answered_with_the_nearest(
    network: VGG19, camel: Tensor, name: str, near: str
) -> None:
    for call in (
        lambda: features(camel, name, network),
        lambda: features(camel, ["conv1_1", name], network),
        lambda: load_vgg19(last=name),
    ):
        with pytest.raises(StylelibError, match=f"{name}.*Did you mean.*{near}"):
            call()


def test_a_name_like_no_other_gets_the_whole_list(network: VGG19, camel: Tensor) -> None:
    with pytest.raises(StylelibError) as caught:
        features(camel, "xyz", network)
    assert all(name in str(caught.value) for name in LAYERS)


def test_a_layer_deeper_than_the_network_says_how_to_build_it(camel: Tensor) -> None:
    network = load_vgg19("random", last="conv2_1")
    for name in ("conv2_2", "pool2", "conv5_4"):
        with pytest.raises(StylelibError, match=f"only up to conv2_1.*last='{name}'"):
            features(camel, name, network)


@pytest.mark.parametrize(
    ("shape", "layer", "needed"),
    [
        ((16, 15), "conv5_1", 16),
        ((15, 16), "pool4", 16),
        ((7, 40), "conv4_2", 8),
        ((1, 1), "pool1", 2),
    ],
)
def test_a_picture_too_small_for_a_layer(
    network: VGG19, noise: Noise, shape: tuple[int, int], layer: str, needed: int
) -> None:
    with pytest.raises(StylelibError, match=f"{shape[1]} x {shape[0]}.*{layer}.* {needed} "):
        features(noise(1, 3, *shape), layer, network)
    assert features(noise(1, 3, needed, needed), layer, network)[layer].shape[-1] >= 1


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (1, 4, 8, 8), (8, 8)])
def test_a_tensor_of_the_wrong_shape(network: VGG19, shape: tuple[int, ...]) -> None:
    with pytest.raises(StylelibError, match="load_image"):
        features(torch.zeros(shape), "conv1_1", network)


def test_what_is_no_tensor(network: VGG19) -> None:
    with pytest.raises(StylelibError, match=r"not str.*load_image"):
        features("camel", "conv1_1", network)  # type: ignore[arg-type]


def test_no_layer_at_all(network: VGG19, camel: Tensor) -> None:
    with pytest.raises(StylelibError, match="at least one layer"):
        features(camel, [], network)


@pytest.mark.parametrize("setting", ["pooling", "padding", "source"])
def test_an_unknown_setting(setting: str) -> None:
    settings = {"source": "random", "last": "conv1_1"} | {setting: "maxx"}
    with pytest.raises(StylelibError, match="maxx"):
        load_vgg19(**settings)  # type: ignore[arg-type]
