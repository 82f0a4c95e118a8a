"""The photo's colours in the painted picture."""

import colorsys

import pytest
import torch

from stylelib import StylelibError, load_image
from stylelib.color import keep_colors, luminance


def test_luminance_is_the_y_of_yiq() -> None:
    image = torch.rand(1, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    for row in range(2):
        for column in range(2):
            y, _, _ = colorsys.rgb_to_yiq(*image[0, :, row, column].tolist())
            # colorsys rounds its three weights to two digits
            assert luminance(image)[0, 0, row, column].item() == pytest.approx(y, abs=0.01)


def test_light_is_the_pictures_and_hue_is_the_photos() -> None:
    generator = torch.Generator().manual_seed(1)
    image, photo = (torch.rand(1, 3, 8, 8, generator=generator) for _ in range(2))
    mixed = keep_colors(image, photo)
    assert mixed.min() >= 0 and mixed.max() <= 1
    assert torch.allclose(luminance(mixed), luminance(image), atol=1e-5)
    for pixel in range(64):
        old, new = (p[0].flatten(1)[:, pixel].tolist() for p in (photo, mixed))
        # hue in YIQ is the direction of (I, Q): the order of the channels, at least, stays
        if max(new) - min(new) > 1e-3:
            assert sorted(range(3), key=old.__getitem__) == sorted(range(3), key=new.__getitem__)


def test_same_picture_is_unchanged() -> None:
    camel = load_image("camel", 64)
    assert torch.allclose(keep_colors(camel, camel), camel, atol=1e-5)


def test_grey_photo_gives_grey() -> None:
    mixed = keep_colors(load_image("hokusai-great-wave", 64), torch.full((1, 3, 5, 9), 0.3))
    assert (mixed.amax(1) - mixed.amin(1)).max() < 1e-5


def test_shapes() -> None:
    image = torch.rand(1, 3, 10, 14)
    assert keep_colors(image, torch.rand(1, 3, 7, 9)).shape == image.shape
    with pytest.raises(StylelibError, match="shape"):
        keep_colors(torch.rand(3, 10, 14), image)
