"""Pictures with the colours of other pictures."""

import colorsys

import numpy as np
import pytest
import torch
from torch import Tensor

from stylelib import RECIPES, VGG19, StylelibError, Transfer, load_image, match_colors
from stylelib.pictures.color import keep_colors, luminance


def test_luminance_is_y_in_yiq() -> None:
    image = torch.rand(1, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    for row in range(2):
        for column in range(2):
            y, _, _ = colorsys.rgb_to_yiq(*image[0, :, row, column].tolist())
            # colorsys rounds its three weights to two digits
            assert luminance(image)[0, 0, row, column].item() == pytest.approx(y, abs=0.01)


def test_luminance_comes_from_the_picture_and_hue_from_the_photo() -> None:
    generator = torch.Generator().manual_seed(1)
    image, photo = (torch.rand(1, 3, 8, 8, generator=generator) for _ in range(2))
    mixed = keep_colors(image, photo)
    assert mixed.min() >= 0 and mixed.max() <= 1
    assert torch.allclose(luminance(mixed), luminance(image), atol=1e-5)
    for pixel in range(64):
        old, new = (p[0].flatten(1)[:, pixel].tolist() for p in (photo, mixed))
        # the hue in YIQ is the direction of (I, Q): at least the order of the channels stays
        if max(new) - min(new) > 1e-3:
            assert sorted(range(3), key=old.__getitem__) == sorted(range(3), key=new.__getitem__)


def test_same_picture_is_unchanged() -> None:
    camel = load_image("camel", 64)
    assert torch.allclose(keep_colors(camel, camel), camel, atol=1e-5)


def test_a_grey_photo_gives_grey() -> None:
    mixed = keep_colors(load_image("hokusai-great-wave", 64), torch.full((1, 3, 5, 9), 0.3))
    assert (mixed.amax(1) - mixed.amin(1)).max() < 1e-5


def test_shapes() -> None:
    image = torch.rand(1, 3, 10, 14)
    assert keep_colors(image, torch.rand(1, 3, 7, 9)).shape == image.shape
    with pytest.raises(StylelibError, match="shape"):
        keep_colors(torch.rand(3, 10, 14), image)


def colors(image: Tensor) -> tuple[np.ndarray, np.ndarray]:
    pixels = image[0].flatten(1).double().numpy()
    return pixels.mean(1), np.cov(pixels, bias=True)


def test_matched_colors_have_the_mean_and_covariance_of_the_other(camel: Tensor) -> None:
    generator = torch.Generator().manual_seed(5)
    mild = 0.4 + 0.2 * torch.rand(1, 3, 30, 50, generator=generator)  # far from 0 and 1
    mild[:, 1] = 0.5 * mild[:, 0] + 0.5 * mild[:, 1]
    like = 0.45 + 0.1 * camel
    found = match_colors(mild, like)
    for ours, theirs in zip(colors(found), colors(like), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_colors_that_already_match_stay(camel: Tensor) -> None:
    torch.testing.assert_close(match_colors(camel, camel), camel, atol=1e-3, rtol=0)


def test_matching_moves_colors_as_little_as_possible() -> None:
    """For grey pictures it is a stretch: dark stays dark. (A rotation by 180° would match, too.)"""
    grey = torch.linspace(0.4, 0.6, 100).view(1, 1, 10, 10).expand(1, 3, 10, 10)
    found = match_colors(grey, 0.5 + 2 * (grey - 0.5))
    torch.testing.assert_close(found, 0.5 + 2 * (grey - 0.5), atol=1e-2, rtol=0)


def test_pictures_of_a_single_color_can_be_matched() -> None:
    flat, other = torch.full((1, 3, 8, 8), 0.2), torch.rand(1, 3, 9, 9)
    for image, like in [(flat, other), (other, flat), (flat, flat)]:
        assert match_colors(image, like).isfinite().all()
    assert float((match_colors(other, flat) - 0.2).abs().max()) < 0.01


def test_match_colors_in_a_recipe_equals_matching_by_hand(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    recipe = RECIPES["gram"].but(size=64, steps=3, style_layers={"conv2_1": 1.0})
    by_recipe = Transfer(camel, painting, recipe.but(match_colors=True), network).run()
    by_hand = Transfer(camel, match_colors(painting, camel), recipe, network).run()
    assert torch.equal(by_recipe, by_hand)
    assert not torch.equal(by_recipe, Transfer(camel, painting, recipe, network).run())
