"""The losses against numbers worked out by hand, numpy, and finite differences."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylelib import (
    StylelibError,
    content_loss,
    gram_matrix,
    style_loss,
    target_loss,
    total_variation,
)

Noise = Callable[..., Tensor]

# Two feature maps of 2 x 2 places.
MAPS = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, -2.0]]]])
ZEROS = torch.zeros_like(MAPS)

shapes = st.tuples(*(st.integers(1, n) for n in (2, 5, 6, 6)))
seeds = st.integers(0, 2**31)


def maps_of(shape: tuple[int, ...], seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


# Content loss


def test_content_loss_by_hand() -> None:
    # (1 + 4 + 9 + 16) + (0 + 1 + 0 + 4) = 35, of 8 numbers
    assert content_loss(MAPS, ZEROS).item() == pytest.approx(35 / 8)
    assert content_loss(MAPS, MAPS).item() == 0
    # One number of 8 is 2 away.
    other = MAPS.clone()
    other[0, 1, 0, 0] = 2
    assert content_loss(MAPS, other).item() == pytest.approx(4 / 8)


def test_content_loss_of_a_batch_is_the_mean_over_it() -> None:
    batch, target = torch.cat([MAPS, ZEROS]), torch.cat([ZEROS, ZEROS])
    assert content_loss(batch, target).item() == pytest.approx(35 / 16)


@settings(max_examples=30, deadline=None)
@given(shapes, seeds)
def test_content_loss_is_symmetric_and_quadratic(shape: tuple[int, ...], seed: int) -> None:
    a, b = maps_of(shape, seed), maps_of(shape, seed + 1)
    loss = content_loss(a, b)
    assert loss >= 0
    assert torch.isclose(loss, content_loss(b, a))
    assert torch.isclose(content_loss(3 * a, 3 * b), 9 * loss)
    assert torch.isclose(content_loss(a + 5, b + 5), loss)


def test_content_changes_when_places_are_shuffled(noise: Noise) -> None:
    maps = noise(1, 3, 4, 5)
    places = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    shuffled = maps.flatten(2)[..., places].view(1, 3, 4, 5)
    assert content_loss(shuffled, maps) > 0.01
    torch.testing.assert_close(gram_matrix(shuffled), gram_matrix(maps))


# Gram matrix


def test_gram_matrix_by_hand() -> None:
    # map 0 with itself: 1 + 4 + 9 + 16 = 30; map 1: 0 + 1 + 0 + 4 = 5;
    # one with the other: 0 + 2 + 0 - 8 = -6; each over four places.
    expected = torch.tensor([[[30 / 4, -6 / 4], [-6 / 4, 5 / 4]]])
    torch.testing.assert_close(gram_matrix(MAPS), expected)


@settings(max_examples=40, deadline=None)
@given(shapes, seeds)
def test_gram_matrix_is_numpys(shape: tuple[int, ...], seed: int) -> None:
    maps = maps_of(shape, seed)
    places = shape[2] * shape[3]
    expected = np.einsum("bihw,bjhw->bij", maps.numpy(), maps.numpy()) / places
    np.testing.assert_allclose(gram_matrix(maps).numpy(), expected, rtol=1e-12, atol=1e-14)


@settings(max_examples=40, deadline=None)
@given(shapes, seeds)
def test_gram_matrix_is_symmetric_and_positive(shape: tuple[int, ...], seed: int) -> None:
    gram = gram_matrix(maps_of(shape, seed))
    torch.testing.assert_close(gram, gram.transpose(1, 2))
    assert torch.linalg.eigvalsh(gram).min() > -1e-9
    assert (gram.diagonal(dim1=1, dim2=2) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(shapes, seeds)
def test_gram_matrix_forgets_places_and_follows_channels(shape: tuple[int, ...], seed: int) -> None:
    maps = maps_of(shape, seed)
    generator = torch.Generator().manual_seed(seed)
    places = torch.randperm(shape[2] * shape[3], generator=generator)
    shuffled = maps.flatten(2)[..., places].view(shape)
    torch.testing.assert_close(gram_matrix(shuffled), gram_matrix(maps))
    channels = torch.randperm(shape[1], generator=generator)
    permuted = gram_matrix(maps)[:, channels][:, :, channels]
    torch.testing.assert_close(gram_matrix(maps[:, channels]), permuted)


def test_gram_matrix_does_not_depend_on_the_size_of_the_picture(noise: Noise) -> None:
    maps = noise(1, 3, 4, 5)
    tiled = maps.repeat(1, 1, 3, 2)
    torch.testing.assert_close(gram_matrix(tiled), gram_matrix(maps))


def test_gram_matrix_of_a_batch_is_that_of_each(noise: Noise) -> None:
    batch = noise(3, 4, 5, 6)
    for together, alone in zip(gram_matrix(batch), batch, strict=True):
        torch.testing.assert_close(together, gram_matrix(alone[None])[0])


def test_gram_matrix_takes_maps_in_any_memory_order(noise: Noise) -> None:
    maps = noise(2, 4, 5, 6)
    other = maps.to(memory_format=torch.channels_last)
    torch.testing.assert_close(gram_matrix(other), gram_matrix(maps))


@pytest.mark.parametrize("shape", [(3,), (3, 4), (3, 4, 5), (1, 1, 3, 4, 5)])
def test_gram_matrix_of_the_wrong_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(StylelibError, match="batch, channels, height, width"):
        gram_matrix(torch.zeros(shape))


# Style loss

GRAM = torch.tensor([[[1.0, 2.0], [2.0, 5.0]]])
OTHER = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]])
# (0 + 4 + 4 + 9) / 4
DISTANCE = 17 / 4


def test_style_loss_by_hand() -> None:
    assert style_loss({"conv1_1": GRAM}, {"conv1_1": OTHER}).item() == pytest.approx(DISTANCE)
    assert style_loss({"conv1_1": GRAM}, {"conv1_1": GRAM}).item() == 0


def test_style_loss_adds_the_layers_up() -> None:
    grams, targets = {"a": GRAM, "b": 2 * GRAM}, {"a": OTHER, "b": 2 * OTHER}
    # b: all differences twice as large, so four times the loss
    assert style_loss(grams, targets).item() == pytest.approx(DISTANCE + 4 * DISTANCE)
    weighted = style_loss(grams, targets, {"a": 0.5, "b": 0.25})
    assert weighted.item() == pytest.approx(0.5 * DISTANCE + 0.25 * 4 * DISTANCE)
    assert style_loss(grams, targets, {"b": 1}).item() == pytest.approx(4 * DISTANCE)


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0, 100), st.floats(0, 100))
def test_style_loss_is_linear_in_the_weights(seed: int, first: float, second: float) -> None:
    grams = {name: maps_of((2, 3, 3, 1), seed + i)[..., 0] for i, name in enumerate("ab")}
    targets = {name: maps_of((2, 3, 3, 1), seed + 9 + i)[..., 0] for i, name in enumerate("ab")}
    alone = [style_loss(grams, targets, {name: 1.0}) for name in "ab"]
    together = style_loss(grams, targets, {"a": first, "b": second})
    torch.testing.assert_close(together, first * alone[0] + second * alone[1])


def test_style_loss_ignores_layers_that_are_not_asked_for() -> None:
    loss = style_loss({"a": GRAM, "extra": OTHER}, {"a": OTHER})
    assert loss.item() == pytest.approx(DISTANCE)


def test_style_loss_of_a_batch_is_the_mean_over_it() -> None:
    grams, targets = torch.cat([GRAM, OTHER]), torch.cat([OTHER, OTHER])
    assert style_loss({"a": grams}, {"a": targets}).item() == pytest.approx(DISTANCE / 2)


def test_style_loss_does_not_depend_on_the_size_of_the_picture(noise: Noise) -> None:
    maps, target = noise(1, 3, 4, 5), noise(1, 3, 6, 2, seed=2)
    small = style_loss({"a": gram_matrix(maps)}, {"a": gram_matrix(target)})
    large = style_loss({"a": gram_matrix(maps.repeat(1, 1, 4, 3))}, {"a": gram_matrix(target)})
    assert small > 0
    torch.testing.assert_close(large, small)


def test_style_loss_errors_say_which_layer() -> None:
    with pytest.raises(StylelibError, match="conv3_1"):
        style_loss({"conv1_1": GRAM}, {"conv1_1": GRAM, "conv3_1": GRAM})
    with pytest.raises(StylelibError, match="conv3_1"):
        style_loss({"conv1_1": GRAM}, {"conv1_1": GRAM}, {"conv3_1": 1.0})
    with pytest.raises(StylelibError, match=r"conv1_1.*\(1, 2, 2\).*\(1, 3, 3\)"):
        style_loss({"conv1_1": GRAM}, {"conv1_1": torch.eye(3)[None]})
    with pytest.raises(StylelibError, match="at least one layer"):
        style_loss({}, {})


# Total variation


def test_total_variation_by_hand() -> None:
    image = torch.tensor([[[[1.0, 2.0, 4.0], [1.0, 0.0, 3.0]]]])
    # down: 0, -2, -1: (0 + 4 + 1) / 3; right: 1, 2, -1, 3: (1 + 4 + 1 + 9) / 4
    assert total_variation(image).item() == pytest.approx(5 / 3 + 15 / 4)


def test_total_variation_of_a_flat_picture_is_zero() -> None:
    assert total_variation(torch.full((2, 3, 4, 5), 0.7)).item() == 0


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(2, 6), st.integers(2, 6))
def test_total_variation_has_no_preferred_side(seed: int, height: int, width: int) -> None:
    image = maps_of((2, 3, height, width), seed)
    rough = total_variation(image)
    assert rough > 0
    for other in (image.flip(2), image.flip(3), image.transpose(2, 3), image + 0.3, -image):
        torch.testing.assert_close(total_variation(other), rough)


@pytest.mark.parametrize("shape", [(1, 3, 1, 5), (1, 3, 5, 1), (3, 4, 5)])
def test_total_variation_needs_neighbours(shape: tuple[int, ...]) -> None:
    with pytest.raises(StylelibError, match="2 x 2 pixels"):
        total_variation(torch.zeros(shape))


# Target loss


def test_target_loss_by_hand() -> None:
    content, style = torch.tensor(3.0), torch.tensor(0.25)
    assert target_loss(content, style).item() == pytest.approx(3.25)
    assert target_loss(content, style, 2, 8).item() == pytest.approx(2 * 3 + 8 * 0.25)
    assert target_loss(content, style, 0, 1).item() == pytest.approx(0.25)


# Gradients


def test_gradients_are_finite_differences(noise: Noise) -> None:
    def leaf(*shape: int, seed: int = 1) -> Tensor:
        return noise(*shape, dtype=torch.float64, seed=seed).requires_grad_()

    maps, target = leaf(2, 3, 4, 5), leaf(2, 3, 4, 5, seed=2)
    check = torch.autograd.gradcheck
    assert check(content_loss, (maps, target))
    assert check(gram_matrix, (maps,))
    assert check(total_variation, (maps,))
    assert check(
        lambda a, b: style_loss(
            {"x": gram_matrix(a), "y": gram_matrix(a[:, :2])},
            {"x": gram_matrix(b), "y": gram_matrix(b[:, :2])},
            {"x": 0.3, "y": 2.0},
        ),
        (maps, target),
    )
    assert check(
        lambda a, b: target_loss(
            content_loss(a, b), style_loss({"x": gram_matrix(a)}, {"x": gram_matrix(b)}), 0.7, 3
        ),
        (maps, target),
    )


def test_content_gradient_by_hand() -> None:
    """Gatys et al. (2016), equation 2, with the mean: 2 (F - P) / N, also where F is 0."""
    maps = MAPS.clone().requires_grad_()
    content_loss(maps, ZEROS).backward()
    torch.testing.assert_close(maps.grad, 2 * MAPS / 8)


def test_style_gradient_by_hand() -> None:
    """Gatys et al. (2016), equation 6, for the mean over N² entries of G = F Fᵀ / M."""
    maps = MAPS.clone().requires_grad_()
    style_loss({"a": gram_matrix(maps)}, {"a": torch.zeros(1, 2, 2)}).backward()
    flat = MAPS.flatten(2)[0]
    gram = flat @ flat.T / 4
    expected = 4 / (2**2 * 4) * gram @ flat
    assert maps.grad is not None
    torch.testing.assert_close(maps.grad.flatten(2)[0], expected)


@pytest.mark.parametrize("shapes", [((1, 2, 3, 4), (1, 2, 4, 3)), ((1, 2, 3, 4), (2, 2, 3, 4))])
def test_content_loss_of_different_shapes(shapes: tuple[tuple[int, ...], ...]) -> None:
    a, b = (torch.zeros(shape) for shape in shapes)
    with pytest.raises(StylelibError, match="same size") as caught:
        content_loss(a, b)
    assert str(tuple(a.shape)) in str(caught.value) and str(tuple(b.shape)) in str(caught.value)
