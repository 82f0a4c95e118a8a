"""The faster convolutions and Gram matrices against PyTorch's own, forward and back."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from stylelib import RECIPES, Transfer, gram_matrix, load_image, load_vgg19
from stylelib.engine import devices
from stylelib.engine.devices import choose_winograd
from stylelib.engine.gram import centered_gram
from stylelib.engine.winograd import TILE, Winograd, matrices, pays

CPU = torch.device("cpu")


def both_ways(maps: Tensor, way: Callable[[Tensor], Tensor], pull: Tensor) -> tuple[Tensor, Tensor]:
    """What it gives, and the gradient of its input for a gradient of its output."""
    maps = maps.detach().clone().requires_grad_()
    out = way(maps)
    out.backward(pull.to(out.dtype))
    assert maps.grad is not None
    return out.detach(), maps.grad


def apart(a: Tensor, b: Tensor) -> float:
    return float((a.double() - b.double()).norm() / b.double().norm())


@pytest.mark.parametrize(
    ("batch", "height", "width"), [(1, 1, 1), (1, 4, 8), (1, 5, 3), (2, 9, 70), (3, 17, 6)]
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_same_as_a_convolution_and_a_relu(
    batch: int, height: int, width: int, layout: torch.memory_format
) -> None:
    torch.manual_seed(height)
    kernel, bias = torch.randn(24, 10, 3, 3), torch.randn(24)
    maps = torch.randn(batch, 10, height, width).to(memory_format=layout)
    pull = torch.randn(batch, 24, height, width)
    reference = both_ways(
        maps.double(),
        lambda x: F.relu(F.conv2d(x, kernel.double(), bias.double(), padding=1)),
        pull,
    )
    found = both_ways(maps, Winograd(kernel, bias), pull)
    for a, b in zip(found, reference, strict=True):
        assert a.shape == b.shape and a.dtype == torch.float32
        assert apart(a, b) < 3e-6


def test_more_tiles_than_one_band_holds() -> None:
    torch.manual_seed(1)
    kernel, bias = torch.randn(4, 2, 3, 3), torch.zeros(4)
    maps, pull = torch.randn(1, 2, 150, 130), torch.randn(1, 4, 150, 130)
    reference = both_ways(maps, lambda x: F.relu(F.conv2d(x, kernel, bias, padding=1)), pull)
    for a, b in zip(both_ways(maps, Winograd(kernel, bias), pull), reference, strict=True):
        assert apart(a, b) < 3e-6


def test_its_gradient_by_finite_differences() -> None:
    torch.manual_seed(2)
    layer = Winograd(torch.randn(3, 2, 3, 3).double(), torch.randn(3).double())
    maps = torch.randn(1, 2, 5, 6).double().requires_grad_()
    assert torch.autograd.gradcheck(layer, maps)


def test_in_bfloat16_it_rounds_no_worse_than_a_few_times_as_much() -> None:
    torch.manual_seed(3)
    kernel, bias = torch.randn(128, 128, 3, 3) / 34, torch.randn(128)
    maps = torch.randn(1, 128, 20, 20).relu()
    exact = F.relu(F.conv2d(maps, kernel, bias, padding=1))
    kernel, bias, maps = kernel.bfloat16(), bias.bfloat16(), maps.bfloat16()
    plain = F.relu(F.conv2d(maps, kernel, bias, padding=1))
    found = Winograd(kernel, bias)(maps)
    assert found.dtype == torch.bfloat16
    assert 1e-4 < apart(plain, exact) < apart(found, exact) < 0.02


def test_by_hand_in_one_dimension() -> None:
    """A row of six through a kernel of three: sums of products, as on paper."""
    to_points, of_kernel, back = matrices()
    row, kernel = [3.0, -1, 4, 1, -5, 9], [2.0, 7, -1]
    wanted = [sum(k * row[i + j] for j, k in enumerate(kernel)) for i in range(TILE)]
    points = to_points @ torch.tensor(row).double()
    found = back @ (points * (of_kernel @ torch.tensor(kernel).double()))
    torch.testing.assert_close(found, torch.tensor(wanted).double())
    # A kernel turned round has the same values, in reverse order.
    turned = of_kernel @ torch.tensor(kernel[::-1]).double()
    torch.testing.assert_close(turned, (of_kernel @ torch.tensor(kernel).double()).flip(0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_network_sees_the_same(dtype: torch.dtype) -> None:
    photo = load_image("camel", 96)
    layers = ["conv1_1", "conv2_2", "pool3", "conv4_2", "conv5_1"]
    plain, faster = load_vgg19(last="conv5_1"), load_vgg19(last="conv5_1")
    faster.set_precision(dtype, winograd=True)
    seen, wanted = faster(photo, layers), plain(photo, layers)
    for name in layers:
        assert seen[name].dtype == torch.float32
        assert apart(seen[name], wanted[name]) < (1e-5 if dtype == torch.float32 else 0.05)
    # Before the ReLU there are negative numbers; the faster way has none, so it isn't taken.
    before = faster(photo, ["conv4_2"], before_relu=True)["conv4_2"]
    assert before.min() < 0 and apart(before.relu(), wanted["conv4_2"]) < 0.05


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many feature maps each of Winograd's convolutions makes, as they are used."""
    widths: list[int] = []
    honest = Winograd.forward

    def forward(self: Winograd, maps: Tensor) -> Tensor:
        widths.append(self.bias.numel())
        return honest(self, maps)

    monkeypatch.setattr(Winograd, "forward", forward)
    return widths


def test_where_the_network_uses_it(used: list[int], noise: Callable[..., Tensor]) -> None:
    plain, faster = load_vgg19("random", "conv5_1"), load_vgg19("random", "conv5_1")
    faster.set_precision(torch.float32, winograd=True)
    plain(noise(1, 3, 64, 64), ["conv5_1"])
    assert not used
    faster(noise(1, 3, 256, 256), ["conv3_1"])
    assert used == [256]  # and neither conv1_1 nor conv2_2, which have too few maps
    used.clear()
    faster(noise(1, 3, 256, 240), ["conv5_1"])  # 16 x 15 places are too few for conv5_1
    assert used == [256] * 4 + [512] * 4
    used.clear()
    faster(noise(1, 3, 256, 256), ["conv5_1"])
    assert used == [256] * 4 + [512] * 5


def test_a_given_network_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, used: list[int]) -> None:
    """The transfer's own has Winograd's convolutions, and shares the weights."""
    photo, network = load_image("camel", 128), load_vgg19(last="conv3_1")
    recipe = RECIPES["gram"].but(
        size=128, steps=2, content_layers={"conv3_1": 1}, style_layers={"conv1_1": 1}
    )
    monkeypatch.setattr("stylelib.engine.network.choose_winograd", lambda *_: True)
    before = network(photo, ["conv3_1"])["conv3_1"]
    transfer = Transfer(photo, photo.flip(-1), recipe, network, "cpu", torch.float32)
    transfer.run()
    own = transfer.network
    assert own.winograd and used
    used.clear()
    assert network(photo, ["conv3_1"])["conv3_1"].equal(before)
    assert not network.winograd and not used
    shared = own.convolutions["conv1_1"].weight.data_ptr()
    assert shared == network.convolutions["conv1_1"].weight.data_ptr()


def test_only_where_there_are_maps_enough() -> None:
    assert not pays(torch.zeros(64, 3, 3, 3)) and not pays(torch.zeros(128, 128, 3, 3))
    assert pays(torch.zeros(256, 128, 3, 3)) and pays(torch.zeros(128, 128, 3, 3).bfloat16())


@pytest.mark.parametrize(("center", "band"), [(0.0, 4096), (0.7, 4096), (0.7, 9)])
def test_a_centered_gram_matrix_and_its_gradient(
    center: float, band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stylelib.engine.gram.BAND", band)  # 35 places
    torch.manual_seed(4)
    maps, middle = torch.randn(2, 6, 5, 7).relu(), torch.full((1, 6, 1, 1), center)
    pull = torch.randn(2, 6, 6)
    wanted = both_ways(maps, lambda x: gram_matrix(x - middle), pull)
    found = both_ways(maps, lambda x: centered_gram(x, middle), pull)
    torch.testing.assert_close(found, wanted)
    rounded = both_ways(maps.bfloat16(), lambda x: centered_gram(x, middle), pull)
    assert rounded[0].dtype == torch.float32 and rounded[1].dtype == torch.bfloat16
    assert apart(rounded[0], wanted[0]) < 5e-3 and apart(rounded[1], wanted[1]) < 1e-2
    # A gradient that float16 can hold, of factors that it can't.
    small, large = 1e-7 * pull, 1e4 * (maps - middle) + middle
    half = both_ways(large.half(), lambda x: centered_gram(x, middle), small)
    exact = both_ways(large.half().float(), lambda x: gram_matrix(x - middle), small)
    assert half[1].dtype == torch.float16 and apart(half[1], exact[1]) < 1e-2


def test_the_faster_way_paints_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Step by step the same losses as with plain convolutions: rounding apart."""
    photo, painting = load_image("camel", 96), load_image("hokusai-great-wave", 96)
    recipe = RECIPES["gram"].but(size=96, steps=12)
    losses = []
    for winograd in (False, True):
        monkeypatch.setattr("stylelib.engine.network.choose_winograd", lambda *_, w=winograd: w)
        transfer = Transfer(photo, painting, recipe, device="cpu", precision=torch.float32)
        assert transfer.network.winograd == winograd
        losses.append([step.losses["total"] for step in transfer])
    assert losses[0] != losses[1]
    assert losses[0][:6] == pytest.approx(losses[1][:6], rel=1e-3)  # then L-BFGS makes much of it
    assert losses[0] == pytest.approx(losses[1], rel=0.03)


# ---------------------------------------------------------------------- the choice


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> dict[bool, float]:
    """Seconds that Winograd's way and the other are said to take."""
    seconds = {True: 1.0, False: 2.0}
    monkeypatch.setattr(devices, "time_pass", lambda way, *_: seconds[isinstance(way, Winograd)])
    monkeypatch.setattr(devices, "has_matrix_units", lambda: False)
    choose_winograd.cache_clear()
    return seconds


def test_where_it_is_faster_it_is_taken(timed: dict[bool, float]) -> None:
    assert choose_winograd(CPU, torch.float32) and choose_winograd(CPU, torch.bfloat16)
    choose_winograd.cache_clear()
    timed[True] = 3.0
    assert not choose_winograd(CPU, torch.float32)


def test_where_it_is_not_made_for_it_is_not_tried(
    timed: dict[bool, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not choose_winograd(torch.device("cuda"), torch.bfloat16)
    assert not choose_winograd(CPU, torch.float64)
    monkeypatch.setattr(devices, "has_matrix_units", lambda: True)
    assert not choose_winograd(CPU, torch.bfloat16)


def test_the_threads_are_as_many_as_before() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        choose_winograd.cache_clear()
        choose_winograd(CPU, torch.float32)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
