"""The way through the network in fewer passes against autograd through the network of the book."""

import pickle
from copy import deepcopy

import pytest
import torch
from torch import Tensor

from stylelib import VGG19, load_image, load_vgg19
from stylelib.core import vgg
from stylelib.core.losses import content_loss
from stylelib.engine import backprop

LAYERS = ["conv4_1", "conv1_1", "pool1", "conv2_2", "conv3_1"]  # in this order, some before pools


@pytest.fixture(scope="module")
def photo() -> Tensor:
    return load_image("camel", 47)[..., :25, :]  # odd sides: poolings leave a row and a column out


def pulled(network: vgg.VGG19, photo: Tensor, layers: list[str]) -> tuple[list[Tensor], Tensor]:
    """The maps, and the gradient of a loss of all of them."""
    image = photo.clone().requires_grad_()
    maps = network(image, layers)
    assert list(maps) == layers
    sum(content_loss(one, one.detach().flip(-1)) for one in maps.values()).backward()  # type: ignore[union-attr]
    assert image.grad is not None
    return [one.detach() for one in maps.values()], image.grad


def plain(network: VGG19) -> vgg.VGG19:
    """The network of the book with the same weights."""
    weights = vgg.Weights(
        {name: layer.weight.detach().float() for name, layer in network.convolutions.items()},
        {name: layer.bias.detach().float() for name, layer in network.convolutions.items()},
        tuple(network.mean.flatten().tolist()),
        tuple(network.std.flatten().tolist()),
    )
    return vgg.VGG19(weights, network.pooling, network.padding)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(("pooling", "padding"), [("max", "replicate"), ("average", "zeros")])
def test_maps_and_gradients_are_those_of_the_book(
    pooling: str, padding: str, fused: bool, packed: bool, photo: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if not fused:
        monkeypatch.setattr(backprop, "fused", lambda: False)
    network = load_vgg19(last="conv4_1", pooling=pooling, padding=padding)
    network.set_precision(torch.float32, packed=packed)
    for layers in (LAYERS, ["conv4_1"], ["pool2"]):
        found, wanted = pulled(network, photo, layers), pulled(plain(network), photo, layers)
        for one, other in zip((*found[0], found[1]), (*wanted[0], wanted[1]), strict=True):
            assert (one - other).norm() < 1e-5 * other.norm()


def test_the_gradients_of_the_largest_go_where_pytorch_sends_them(
    photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bfloat16 several of four are often equally large: the first gets it. Bit for bit."""
    network = load_vgg19(last="conv3_1")
    network.set_precision(torch.bfloat16)
    for layers in (["conv3_1"], ["conv1_2", "pool1", "conv3_1"]):
        found = pulled(network, photo, layers)[1]
        torch.use_deterministic_algorithms(True)
        try:
            assert pulled(network, photo, layers)[1].equal(found)
        finally:
            torch.use_deterministic_algorithms(False)
        monkeypatch.setattr(backprop, "fused", lambda: False)
        monkeypatch.setattr(VGG19, "raw", vgg.VGG19.forward)
        assert pulled(network, photo, layers)[1].equal(found)
        monkeypatch.undo()


def test_given_gradients_are_left_as_they_are(photo: Tensor) -> None:
    network = load_vgg19(last="conv1_2")
    image = photo.clone().requires_grad_()
    maps = network.raw(image, ["conv1_1", "conv1_2"])
    given = [torch.ones_like(one) for one in maps.values()]
    torch.autograd.backward(list(maps.values()), given)
    assert all(bool((one == 1).all()) for one in given)


def test_hooks_on_layers_are_called(photo: Tensor) -> None:
    """Students look into a network with them."""
    network, seen = load_vgg19(last="conv1_2"), list[torch.Size]()
    hook = network.convolutions["conv1_2"].register_forward_hook(
        lambda _layer, _given, out: seen.append(out.shape)
    )
    network(photo, ["conv1_2"])
    hook.remove()
    network(photo, ["conv1_2"])
    assert seen == [(1, 64, *photo.shape[-2:])]


def test_changed_weights_count_at_once(photo: Tensor) -> None:
    """In a network of one's own; what `prepare` makes for a painting keeps copies of them."""
    network = load_vgg19(last="conv1_2")
    before = network(photo, ["conv1_2"])["conv1_2"]
    network.convolutions["conv1_2"].weight.data.mul_(0)
    network.convolutions["conv1_2"].bias.data.fill_(2)
    assert not before.eq(2).all() and network(photo, ["conv1_2"])["conv1_2"].eq(2).all()


def test_copies_of_weights_can_be_forgotten_and_are_not_copied(photo: Tensor) -> None:
    network = load_vgg19(last="conv2_1")
    network.set_precision(torch.float32, packed=True)
    before = network(photo, ["conv2_1"])["conv2_1"]
    for other in (deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert other(photo, ["conv2_1"])["conv2_1"].equal(before)
    network.forget()
    assert network(photo, ["conv2_1"])["conv2_1"].equal(before)
