"""What style is measured by, against NumPy, and what a painting by each must be."""

import numpy as np
import pytest
import torch
from torch import Tensor

from stylelib import RECIPES, STATISTICS, VGG19, Recipe, Style, StylelibError, Transfer, resize
from stylelib.core.statistics import directions, gram, mean_std, sliced
from stylelib.engine.objective import Objective

RECIPE = RECIPES["gram"].but(
    style_layers={"conv1_1": 1.0, "conv3_1": 0.5}, size=64, steps=8, coarse_to_fine=False
)


@pytest.fixture
def maps() -> Tensor:
    return torch.randn(1, 40, 20, 30, generator=torch.Generator().manual_seed(1)).abs()


@pytest.fixture
def half(maps: Tensor) -> Tensor:
    """Shares of the places: the left half alone counts."""
    share = torch.zeros(1, 1, *maps.shape[-2:])
    share[..., :15] = 2
    return share


def test_mean_and_standard_deviation_are_numpys(maps: Tensor) -> None:
    points = maps[0].flatten(1).double().numpy()
    found = mean_std(maps)
    np.testing.assert_allclose(found[0, 0], points.mean(1), rtol=1e-5)
    np.testing.assert_allclose(found[0, 1], points.std(1), rtol=1e-5)


@pytest.mark.parametrize("name", STATISTICS)
def test_of_a_region_it_is_that_of_the_region_cut_out(
    name: str, maps: Tensor, half: Tensor
) -> None:
    torch.testing.assert_close(
        STATISTICS[name](maps, half), STATISTICS[name](maps[..., :15], None), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("name", STATISTICS)
def test_it_forgets_where_things_are(name: str, maps: Tensor) -> None:
    places = torch.randperm(600, generator=torch.Generator().manual_seed(2))
    shuffled = maps.flatten(2)[..., places].view_as(maps)
    torch.testing.assert_close(STATISTICS[name](shuffled, None), STATISTICS[name](maps, None))
    assert not torch.allclose(STATISTICS[name](2 * maps, None), STATISTICS[name](maps, None))


@pytest.mark.parametrize("name", STATISTICS)
def test_its_shape_does_not_depend_on_the_pictures_size(name: str) -> None:
    shapes = {STATISTICS[name](torch.rand(1, 64, h, w), None).shape for h, w in [(3, 4), (40, 31)]}
    assert len(shapes) == 1


def test_sliced_is_the_sliced_wasserstein_distance() -> None:
    """In one dimension the distance of two sorted clouds is known by formula."""
    generator = torch.Generator().manual_seed(3)
    a = torch.randn(1, 8, 64, 64, generator=generator)
    shift = torch.arange(8.0).view(1, 8, 1, 1)
    found = (sliced(a) - sliced(a + shift)).square().mean()
    # A cloud moved by a vector: each of the 8 orthonormal directions sees its part of it.
    assert float(found) == pytest.approx(float(shift.square().sum()) / 8, rel=1e-4)
    same = torch.randn(1, 8, 64, 64, generator=generator)
    wider = (sliced(a) - sliced(3 * same)).square().mean()
    assert float(wider) == pytest.approx((3 - 1) ** 2, rel=0.05)  # of normal distributions


def test_sliced_sees_what_the_gram_matrix_cannot() -> None:
    """Two clouds of the same mean and correlations, one of two heaps, one round."""
    generator = torch.Generator().manual_seed(4)
    heaps = torch.randint(0, 2, (1, 1, 200, 200), generator=generator) * 2.0 - 1
    normal = torch.randn(1, 1, 200, 200, generator=generator)
    normal = (normal - normal.mean()) / normal.std()
    heaps = (heaps - heaps.mean()) / heaps.std()
    assert (gram(heaps) - gram(normal)).abs().max() < 1e-3
    assert (mean_std(heaps) - mean_std(normal)).abs().max() < 1e-3
    assert (sliced(heaps) - sliced(normal)).square().mean() > 0.1


def test_directions_are_at_right_angles_and_always_the_same(maps: Tensor) -> None:
    rows = directions(40)
    torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows)), atol=1e-5, rtol=0)
    directions.cache_clear()
    torch.testing.assert_close(directions(40), rows, atol=0, rtol=0)


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("centered", [False, True])
def test_the_style_loss_is_nothing_for_the_painting_itself(
    name: str, centered: bool, painting: Tensor, network: VGG19
) -> None:
    recipe = RECIPE.but(statistic=name, centered=centered)
    losses = Objective(painting, painting, recipe, network)(painting)[1]
    assert float(losses["style"]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", STATISTICS)
def test_the_style_weight_means_about_the_same(
    name: str, camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    """Near the painting: maps 1 % too strong cost about the same by each statistic."""
    recipe = RECIPE.but(statistic=name, centered=False)
    objective = Objective(camel, painting, recipe, network)
    maps = {n: 1.01 * m for n, m in network(painting, list(recipe.style_layers)).items()}
    loss = sum(float(objective.targets[0].loss(maps, layer)) for layer in recipe.style_layers)
    assert loss == pytest.approx(0.02**2, rel=0.05)


@pytest.mark.parametrize("name", STATISTICS)
def test_painting_by_it_lowers_its_own_loss(
    name: str, camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    transfer = Transfer(
        camel, painting, RECIPE.but(statistic=name), network, precision=torch.float32
    )
    before = transfer.measure().losses
    transfer.run()
    after = transfer.measure().losses
    assert after["total"] < 0.7 * before["total"]
    assert after["style"] < 0.7 * before["style"]


@pytest.mark.parametrize("name", STATISTICS)
def test_gradients_are_finite_where_maps_are_flat(name: str, network: VGG19) -> None:
    flat = torch.full((1, 3, 48, 48), 0.5)
    objective = Objective(flat, flat * 0.5, RECIPE.but(statistic=name), network)
    pixels = flat.clone().requires_grad_()
    total, _ = objective(pixels)
    total.backward()
    assert pixels.grad is not None
    assert pixels.grad.isfinite().all()


def test_by_each_statistic_a_mask_keeps_the_photo_outside(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    mask = torch.zeros(1, 1, *camel.shape[-2:])
    mask[..., :24] = 1
    for name in STATISTICS:
        transfer = Transfer(
            camel, Style(painting, where=mask), RECIPE.but(statistic=name, steps=2), network
        )
        picture, photo = transfer.run(), resize(camel, RECIPE.size)
        assert torch.equal(picture[..., 24:], photo[..., 24:])
        assert not torch.allclose(picture[..., :24], photo[..., :24])


def test_a_statistic_of_ones_own(
    monkeypatch: pytest.MonkeyPatch, camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    monkeypatch.setitem(STATISTICS, "peaks", lambda maps, share: maps.amax((2, 3)))
    recipe = RECIPE.but(statistic="peaks", centered=False)
    objective = Objective(camel, painting, recipe, network)
    found, wanted = (
        network(image, ["conv1_1"])["conv1_1"].amax((2, 3)) for image in (camel, painting)
    )
    by_hand = (found - wanted).square().mean() / wanted.square().mean()
    share = 1 / 1.5  # of conv1_1, of weights 1 and 0.5
    loss = float(objective(camel)[1]["style conv1_1"])
    assert loss == pytest.approx(4 * share * float(by_hand), rel=1e-4)  # degree 1: times 2²


def test_an_unknown_statistic_is_told_with_the_nearest() -> None:
    with pytest.raises(StylelibError, match="Did you mean sliced"):
        Recipe(statistic="slice")
