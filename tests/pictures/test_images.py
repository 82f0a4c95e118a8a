"""Loading and saving: pixels computed by hand, and files of every kind and condition."""

import errno
import io
import json
import os
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from formats import (
    ADOBE_RGB,
    DISPLAY_P3,
    GREY,
    MAKERS,
    RGB,
    SRGB,
    encoded,
    grey_profile,
    ink_profile,
    matrix_profile,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin
from torch import Tensor

from stylelib import (
    SAMPLES,
    StylelibError,
    load_image,
    load_mask,
    memory,
    read_recipe,
    resize,
    save_image,
    to_pil,
)
from stylelib.pictures import decoding, images

Noise = Callable[..., Tensor]

# Six different colours, two rows of three.
UPRIGHT = np.array(
    [
        [[255, 0, 0], [0, 255, 0], [0, 0, 255]],
        [[10, 20, 30], [200, 100, 50], [255, 255, 255]],
    ],
    dtype=np.uint8,
)


def pixels(image: Tensor) -> np.ndarray:
    """The picture as rows of RGB in 0-255."""
    assert image.dtype == torch.float32 and image.shape[:2] == (1, 3)
    assert image.is_contiguous()
    assert image.min() >= 0 and image.max() <= 1
    return (image[0] * 255).permute(1, 2, 0).numpy()


def assert_pixels(image: Tensor, expected: Any, tolerance: float = 1e-4) -> None:
    expected = np.asarray(expected, dtype=np.float64)
    found = pixels(image)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=tolerance)


# Where a picture can come from


def sources(folder: Path) -> dict[str, Any]:
    picture = Image.fromarray(UPRIGHT)
    data = encoded(picture)
    plain, accents = folder / "plain.png", folder / "Kamél 駱駝 of mine.png"
    for path in (plain, accents):
        path.write_bytes(data)
    return {
        "path": plain,
        "text": str(plain),
        "accents and spaces": str(accents),
        "bytes": data,
        "PIL": picture,
        "lazy PIL": Image.open(plain),
    }


@pytest.mark.parametrize("kind", ["path", "text", "accents and spaces", "bytes", "PIL", "lazy PIL"])
def test_every_kind_of_source(tmp_path: Path, kind: str) -> None:
    assert_pixels(load_image(sources(tmp_path)[kind]), UPRIGHT)


@pytest.mark.parametrize("name", list(SAMPLES))
def test_samples_by_name(name: str) -> None:
    image = load_image(name)
    with Image.open(SAMPLES[name].path) as file:
        assert_pixels(image, np.asarray(file.convert("RGB")))
    assert min(image.shape[-2:]) >= 256
    assert image.std() > 0.05


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert_pixels(load_image("plain.png"), UPRIGHT)


def test_a_pil_image_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("RGB", (640, 480), "red").save(path)
    with Image.open(path) as lazy:
        assert load_image(lazy, 16).shape == (1, 3, 12, 16)
        assert lazy.size == (640, 480)
    rgb = Image.new("RGB", (640, 480), "red")
    load_image(rgb, 16)
    assert rgb.size == (640, 480)


# Every way to store colours


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        # What the file's row 0 and column 0 are, in the picture shown (EXIF 2.32, 4.6.4 A)
        (1, UPRIGHT),  # top, left
        (2, UPRIGHT[:, ::-1]),  # top, right
        (3, UPRIGHT[::-1, ::-1]),  # bottom, right
        (4, UPRIGHT[::-1]),  # bottom, left
        (5, UPRIGHT.transpose(1, 0, 2)),  # left, top
        (6, UPRIGHT[:, ::-1].transpose(1, 0, 2)),  # right, top
        (7, UPRIGHT[::-1, ::-1].transpose(1, 0, 2)),  # right, bottom
        (8, UPRIGHT[::-1].transpose(1, 0, 2)),  # left, bottom
    ],
)
def test_exif_orientation_is_applied(orientation: int, stored: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(np.ascontiguousarray(stored))
    assert_pixels(load_image(encoded(picture, exif=exif)), UPRIGHT)
    large = picture.resize((picture.width * 32, picture.height * 32), Image.Resampling.NEAREST)
    jpeg = load_image(encoded(large, "JPEG", exif=exif, quality=95, subsampling=0), 48)
    assert jpeg.shape == (1, 3, 32, 48)
    centres = pixels(jpeg)[8::16, 8::16]
    np.testing.assert_allclose(centres, UPRIGHT, atol=6)


def grey_la() -> Image.Image:
    return Image.fromarray(np.array([[[0, 255], [100, 51], [40, 0]]], dtype=np.uint8), "LA")


def rgba() -> Image.Image:
    values = [[[200, 100, 0, 255], [100, 0, 250, 51], [1, 2, 3, 0]]]
    return Image.fromarray(np.array(values, dtype=np.uint8), "RGBA")


def palette() -> Image.Image:
    picture = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8), "P")
    picture.putpalette([10, 20, 30, 0, 255, 0, 255, 0, 0])
    return picture


def cmyk() -> Image.Image:
    values = [[[255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0], [0, 0, 0, 255], [0, 0, 0, 0]]]
    return Image.fromarray(np.array(values, dtype=np.uint8), "CMYK")


def grey(values: list[float], dtype: Any) -> Image.Image:
    return Image.fromarray(np.array([values], dtype=dtype))


def tiff_of_12_bits(values: list[int]) -> bytes:
    """One row of grey, two pixels in three bytes, laid out as in the specification (TIFF 6.0)."""
    data = int("".join(f"{value:012b}" for value in values), 2).to_bytes(len(values) * 3 // 2)
    tags = {256: len(values), 257: 1, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1}
    tags[279] = len(data)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data
    return head + struct.pack("<H", len(tags)) + entries + bytes(4)


def on_white(value: Any, alpha: float) -> Any:
    return value * alpha / 255 + 255 * (1 - alpha / 255)


MODES: dict[str, tuple[bytes, list[Any]]] = {
    "1-bit": (encoded(grey([0, 255, 0], np.uint8).convert("1")), [0, 255, 0]),
    "grey": (encoded(grey([0, 77, 255], np.uint8)), [0, 77, 255]),
    "grey with alpha": (encoded(grey_la()), [0, on_white(100, 51), 255]),
    "grey with a transparent value": (
        encoded(grey([0, 77, 255], np.uint8), transparency=77),
        [0, 255, 255],
    ),
    "palette": (encoded(palette()), [[10, 20, 30], [0, 255, 0], [255, 0, 0]]),
    "palette with a transparent colour": (
        encoded(palette(), transparency=1),
        [[10, 20, 30], [255, 255, 255], [255, 0, 0]],
    ),
    "palette with alphas": (
        encoded(palette(), transparency=bytes([255, 51, 0])),
        [[10, 20, 30], [on_white(0, 51), 255, on_white(0, 51)], [255, 255, 255]],
    ),
    "RGB with a transparent colour": (
        encoded(palette().convert("RGB"), transparency=(0, 255, 0)),
        [[10, 20, 30], [255, 255, 255], [255, 0, 0]],
    ),
    "RGBA": (
        encoded(rgba()),
        [
            [200, 100, 0],
            [on_white(100, 51), on_white(0, 51), on_white(250, 51)],
            [255, 255, 255],
        ],
    ),
    "CMYK": (
        encoded(cmyk(), "TIFF"),
        [[0, 255, 255], [255, 0, 255], [255, 255, 0], [0, 0, 0], [255, 255, 255]],
    ),
    # 257 = 65535 / 255
    "16-bit grey PNG": (
        encoded(grey([0, 257 * 200, 32768, 65535], np.uint16)),
        [0, 200, 32768 / 257, 255],
    ),
    "16-bit grey TIFF": (
        encoded(grey([0, 257 * 200, 32768, 65535], np.uint16), "TIFF"),
        [0, 200, 32768 / 257, 255],
    ),
    "16-bit grey PNG with a transparent value": (
        encoded(grey([0, 257 * 200, 32768, 65535], np.uint16), transparency=32768),
        [0, 200, 255, 255],
    ),
    "16-bit grey TIFF, nearly black as it stands": (
        encoded(grey([0, 51, 255, 300], np.uint16), "TIFF"),
        [0, 51, 255, 255],
    ),
    "16-bit grey TIFF of 12 bits": (
        encoded(grey([0, 273, 4095, 1365], np.uint16), "TIFF"),
        [0, 17, 255, 85],
    ),
    "16-bit grey TIFF, swapped": (
        encoded(grey([0, 257 * 200, 32768, 65535], np.uint16), "TIFF", tiffinfo={262: 0}),
        [255, 55, 255 - 32768 / 257, 0],
    ),
    "12-bit TIFF": (tiff_of_12_bits([0, 273, 3000, 2730]), [0, 17, 3000 / 4095 * 255, 170]),
    "10-bit PGM": (b"P5 3 1 1023\n" + struct.pack(">3H", 0, 341, 1023), [0, 85, 255]),
    "int16 in 0-255": (encoded(grey([-5, 51, 255, 260], np.int16), "TIFF"), [0, 51, 255, 255]),
    "all of int16": (encoded(grey([0, 6553.4, 32767], np.int16), "TIFF"), [0, 51, 255]),
    "int32 in 0-255": (encoded(grey([-5, 51, 255, 260], np.int32), "TIFF"), [0, 51, 255, 255]),
    "int32 in 0-1": (encoded(grey([0, 1, 0], np.int32), "TIFF"), [0, 255, 0]),
    "int32 of 10 bits": (encoded(grey([-5, 341, 1023], np.int32), "TIFF"), [0, 85, 255]),
    "int32 of 16 bits": (
        encoded(grey([-5, 257 * 200, 65535], np.int32), "TIFF"),
        [0, 200, 255],
    ),
    "int32 of 17 bits": (encoded(grey([0, 43690, 131071], np.int32), "TIFF"), [0, 85, 255]),
    "all of int32": (encoded(grey([0, 2**31 / 5, 2**31 - 1], np.int32), "TIFF"), [0, 51, 255]),
    "float in 0-1": (encoded(grey([0, 0.2, 1, -0.3], np.float32), "TIFF"), [0, 51, 255, 0]),
    "float in 0-1, a little more": (
        encoded(grey([0, 0.2, 0.6, 1.02], np.float32), "TIFF"),
        [0, 51, 153, 255],
    ),
    "float in 0-255": (encoded(grey([0, 51, 255, 300], np.float32), "TIFF"), [0, 51, 255, 255]),
    "float of 16 bits": (
        encoded(grey([0, 257 * 51, 65535], np.float32), "TIFF"),
        [0, 51, 255],
    ),
    "float in 0-1, swapped": (
        encoded(grey([0, 0.2, 1], np.float32), "TIFF", tiffinfo={262: 0}),
        [255, 204, 0],
    ),
    "float, not all numbers": (
        encoded(grey([0.2, np.nan, 1], np.float32), "TIFF"),
        [51, 0, 255],
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", list(MODES))
def test_every_mode_becomes_rgb(mode: str) -> None:
    data, expected = MODES[mode]
    row = [v if isinstance(v, list) else [v] * 3 for v in expected]
    # Half of 1/255, for rounding to 8 bits.
    assert_pixels(load_image(data), [row], tolerance=0.51)
    assert_pixels(load_image(Image.open(io.BytesIO(data))), [row], tolerance=0.51)


# What a program may hold in memory, whether or not a file can: a mode and the bytes of some pixels.
HELD: dict[str, tuple[list[int], list[int]]] = {
    "L": ([0, 200], [0, 0, 0, 200, 200, 200]),
    "LA": ([0, 255, 100, 51], [0, 0, 0, 224, 224, 224]),
    "La": ([0, 255, 20, 51], [0, 0, 0, 224, 224, 224]),  # multiplied by alpha
    "RGB": ([200, 100, 0, 9, 8, 7], [200, 100, 0, 9, 8, 7]),
    "RGBX": ([200, 100, 0, 1, 9, 8, 7, 255], [200, 100, 0, 9, 8, 7]),
    "RGBA": ([200, 100, 0, 255, 100, 0, 250, 51], [200, 100, 0, 224, 204, 254]),
    "RGBa": ([200, 100, 0, 255, 20, 0, 50, 51], [200, 100, 0, 224, 204, 254]),
    "CMYK": ([0, 255, 255, 0, 0, 0, 0, 255], [255, 0, 0, 0, 0, 0]),
    # JFIF: red is Y = 0.299, Cb = 0.5 - 0.1687, Cr = 1
    "YCbCr": ([76, 85, 255, 128, 128, 128], [255, 0, 0, 128, 128, 128]),
    "HSV": ([0, 255, 255, 170, 255, 255], [255, 0, 0, 0, 0, 255]),
    # CIELAB with D50, as in ICC profiles: sRGB's red is (54.29, 80.81, 69.89), and L* = 50 is
    # a luminance of 0.184, in sRGB 119. The bytes are L* · 2.55, a* and b*.
    "LAB": ([138, 81, 70, 128, 0, 0], [255, 0, 0, 119, 119, 119]),
    "I;16": ([0, 51, 255, 255], [51, 51, 51, 255, 255, 255]),
    "I;16L": ([0, 51, 255, 255], [51, 51, 51, 255, 255, 255]),
    "I;16B": ([51, 0, 255, 255], [51, 51, 51, 255, 255, 255]),
}


@pytest.mark.parametrize("mode", HELD)
def test_every_mode_that_a_pil_picture_can_have(mode: str) -> None:
    stored, expected = HELD[mode]
    picture = Image.frombytes(mode, (2, 1), bytes(stored))
    assert_pixels(load_image(picture), np.array(expected).reshape(1, 2, 3), tolerance=5.5)


REFUSED_NUMBERS = {
    "light as it was measured": (grey([0.2, 0.1, 0.6, 40], np.float32), "from 0.1 to 40"),
    "twice as light as white": (grey([0, 0.5, 2], np.float32), "from 0 to 2"),
    "numbers of kinds": (grey([0, 1, 2, 3], np.int32), "from 0 to 3"),
    "normalised": (grey([-2.1, 0.3, 1.4], np.float32), "from -2.1 to 1.4"),
    "half of them negative": (grey([-32768, 0, 32767], np.int16), "from -32768 to 32767"),
    "too large": (grey([0, 1e30], np.float32), r"from 0 to 1e\+30"),
    "not a number": (grey([np.nan, np.inf], np.float32), "holds no numbers"),
}


@pytest.mark.parametrize("numbers", REFUSED_NUMBERS)
def test_numbers_without_a_known_white_are_refused(numbers: str) -> None:
    picture, message = REFUSED_NUMBERS[numbers]
    for source in (picture, encoded(picture, "TIFF")):
        with pytest.raises(StylelibError, match=message):
            load_image(source)


def test_a_mask_of_zeros_and_ones() -> None:
    """In 8 bits, 1 is nearly black: such a mask would paint nothing, and nobody would know why."""
    mask = np.zeros((4, 6), np.uint8)
    mask[:, 3:] = 1
    with pytest.raises(StylelibError, match=r"brightest pixel is 1, .* multiply its"):
        load_mask(Image.fromarray(mask))
    assert load_mask(Image.fromarray(0 * mask)).max() == 0
    for right in (255 * mask, mask.astype(np.int32), mask.astype(np.uint16), mask.astype(bool)):
        found = load_mask(Image.fromarray(right))
        assert found[..., 3:].min() == 1 and found[..., :3].max() == 0


def test_the_size_does_not_change_what_is_white() -> None:
    """Shrinking takes means: the one brightest pixel must be seen before."""
    values = np.full((400, 400), 500, np.int32)
    values[7, 7] = 1023
    picture = Image.fromarray(values)
    for size in (None, 50):
        assert load_image(picture, size).median().item() * 255 == pytest.approx(125, abs=0.5)


def test_a_transparent_colour_of_16_bits_is_white() -> None:
    """Pillow keeps 8 bits of each channel, and the colour as it is in the file."""
    colours = struct.pack(">6H", 65535, 0, 30000, 500, 600, 700)
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0),
        b"tRNS": colours[:6],
        b"IDAT": zlib.compress(b"\0" + colours),
        b"IEND": b"",
    }
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks.items()
    )
    assert_pixels(load_image(data), [[[255, 255, 255], [2, 2, 3]]], tolerance=1)


def test_deep_grey_with_a_profile() -> None:
    """As 8-bit grey with the same profile."""
    deep = encoded(grey([0, 257 * 100, 65535], np.uint16), icc_profile=grey_profile(1.0))
    plain = encoded(grey([0, 100, 255], np.uint8), icc_profile=grey_profile(1.0))
    assert_pixels(load_image(deep), pixels(load_image(plain)))
    assert pixels(load_image(deep))[0, 1, 0] > 160  # sRGB's number for 0.39 of the light


def test_a_cmyk_jpeg_is_not_a_negative() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert_pixels(load_image(encoded(red, "JPEG")), np.full((16, 16, 3), [255, 0, 0]), 6)


def test_the_first_frame_of_an_animation_is_loaded() -> None:
    frames = [Image.new("RGB", (4, 3), colour) for colour in ("red", "blue", "lime")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert_pixels(load_image(data), np.full((3, 4, 3), [255, 0, 0]))


LOSSY = {"AVIF", "BLP", "GIF", "JPEG", "WEBP"}
GREY_ONLY = {"FITS", "FLI", "GBR", "IMT", "MCIDAS", "SPIDER", "XPM"}
BLACK_AND_WHITE = {"MSP", "XBM"}


def test_no_format_is_missing_from_these_tests() -> None:
    """Each that Pillow opens is tested below, or refused. Check that a new one is safe."""
    Image.init()
    assert set(Image.OPEN) - {"FPX", "MIC"} <= set(MAKERS) | decoding.REFUSED


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")  # Pillow's, on saving
@pytest.mark.parametrize("kind", list(MAKERS))
def test_every_format_that_pillow_opens(tmp_path: Path, kind: str) -> None:
    Image.init()
    if kind not in Image.OPEN:
        pytest.skip(f"this Pillow has no {kind}")
    path = tmp_path / "picture.xyz"
    path.write_bytes(MAKERS[kind]())
    image = load_image(path)
    if kind == "PCD":  # one size only, and a flat grey
        assert image.shape == (1, 3, 512, 768) and image.std() < 0.01
        return
    if kind == "ICNS":  # square only, and stored large
        image, expected = resize(image, 128), np.asarray(RGB.resize((128, 128)))
        return assert_pixels(image, expected, tolerance=40)
    expected = np.asarray(RGB)
    if kind in GREY_ONLY:
        expected = np.asarray(GREY.convert("RGB"))
    if kind in BLACK_AND_WHITE:
        expected = np.asarray(RGB.convert("1").convert("RGB"))
    if kind == "XVTHUMB":  # eight reds, eight greens, four blues
        return assert_pixels(image, expected, tolerance=64)
    assert_pixels(image, expected, tolerance=20 if kind in LOSSY else 1.01)


def test_a_wrong_ending_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(encoded(Image.fromarray(UPRIGHT)))
    assert_pixels(load_image(path), UPRIGHT)


# Colour profiles


def linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1, in 0-255."""
    linear = linear.clip(0, 1)
    curved = 1.055 * linear ** (1 / 2.4) - 0.055
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, curved)


def lab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """Lab to sRGB through XYZ under D50 (CIE 15)."""
    f = (lab[..., :1] + 16) / 116 + np.stack(
        [lab[..., 1] / 500, 0 * lab[..., 0], -lab[..., 2] / 200], axis=-1
    )
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * (0.9642, 1, 0.8249)
    return linear_to_srgb(xyz @ np.linalg.inv(np.array(SRGB)).T)


SPACES = {"Display P3": (DISPLAY_P3, 2.2), "Adobe RGB": (ADOBE_RGB, 563 / 256)}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PNG with alpha", "JPEG, large"])
@pytest.mark.parametrize("space", list(SPACES))
def test_wide_gamut_colours_become_srgb(space: str, kind: str) -> None:
    colorants, gamma = SPACES[space]
    profile = matrix_profile(colorants, gamma)
    values = np.random.default_rng(3).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    linear = (values / 255) ** gamma
    to_srgb = np.linalg.inv(np.array(SRGB)) @ np.array(colorants)
    expected = linear_to_srgb(linear @ to_srgb.T)
    assert np.abs(expected - values).max() > 20  # there really is something to convert
    picture = Image.fromarray(values)
    if kind == "JPEG, large":
        large = picture.resize((5 * 96, 4 * 96), Image.Resampling.NEAREST)
        data = encoded(large, "JPEG", icc_profile=profile, quality=95, subsampling=0)
        found = pixels(load_image(data, 80))[8::16, 8::16]
        return np.testing.assert_allclose(found, expected, atol=10)
    if kind == "PNG with alpha":
        picture.putalpha(51)
        data = encoded(picture, icc_profile=profile)
        return assert_pixels(load_image(data), on_white(expected, 51), tolerance=1.5)
    assert_pixels(load_image(encoded(picture, kind, icc_profile=profile)), expected, 2.5)


def test_an_srgb_profile_changes_almost_nothing() -> None:
    values = np.random.default_rng(3).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(Image.fromarray(values), icc_profile=profile)
    assert_pixels(load_image(data), values, tolerance=1)


def test_a_grey_picture_with_a_profile() -> None:
    levels = np.array([[0, 20, 100, 200, 255]], dtype=np.uint8)
    data = encoded(Image.fromarray(levels), icc_profile=grey_profile(1.0))
    expected = linear_to_srgb(levels / 255)
    assert_pixels(load_image(data), expected[..., None].repeat(3, axis=2), tolerance=1.5)


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_with_a_profile_becomes_srgb(kind: str) -> None:
    """Muted inks, which differ from what CMYK without a profile gives."""
    mixtures = np.array([[(n >> bit) & 1 for bit in (3, 2, 1, 0)] for n in range(16)])
    cyan, magenta, yellow, black = mixtures.T
    lab = np.stack(
        [
            (100 - 25 * cyan - 30 * magenta - 8 * yellow) * (1 - black),
            (-30 * cyan + 50 * magenta) * (1 - black),
            (-30 * cyan + 45 * yellow) * (1 - black),
        ],
        axis=1,
    )
    picture = Image.fromarray((255 * mixtures[None]).astype(np.uint8), "CMYK")
    large = picture.resize((16 * 16, 16), Image.Resampling.NEAREST)
    data = encoded(large, kind, icc_profile=ink_profile(lab))
    found = pixels(load_image(data))[8, 8::16]
    np.testing.assert_allclose(found, lab_to_srgb(lab), atol=3 if kind == "TIFF" else 8)
    assert np.abs(pixels(load_image(encoded(large, kind)))[8, 8::16] - found).max() > 50


P3_PROFILE = matrix_profile(DISPLAY_P3, 2.2)
NO_PROFILES = {
    "empty": b"",
    "text": b"not a profile",
    "cut": P3_PROFILE[:200],
    "header alone": P3_PROFILE[:132],
    "zeros": bytes(4000),
    "of other colours": grey_profile(1.0),
    "of inks": ink_profile(np.zeros((16, 3))),
}


@pytest.mark.parametrize("state", list(NO_PROFILES))
def test_an_invalid_profile_is_ignored(state: str) -> None:
    data = encoded(Image.fromarray(UPRIGHT), icc_profile=NO_PROFILES[state])
    assert_pixels(load_image(data), UPRIGHT)


def test_a_profile_that_is_not_bytes_is_ignored() -> None:
    picture = Image.fromarray(UPRIGHT)
    picture.info["icc_profile"] = "sRGB"
    assert_pixels(load_image(picture), UPRIGHT)


# Size


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 90))
def test_resize_keeps_the_proportions(height: int, width: int, size: int) -> None:
    small = resize(torch.rand(1, 3, height, width), size)
    assert max(small.shape[-2:]) == size
    ratio = size / max(height, width)
    # Rounded to the nearest pixel, but at least one.
    assert abs(small.shape[-2] - max(1, height * ratio)) <= 0.5
    assert abs(small.shape[-1] - max(1, width * ratio)) <= 0.5
    assert small.min() >= 0 and small.max() <= 1


def test_resize_to_the_same_size_changes_nothing(noise: Noise) -> None:
    image = noise(1, 3, 7, 9)
    assert torch.equal(resize(image, 9), image)


@pytest.mark.parametrize("size", [8, 31, 64])
def test_a_fine_checkerboard_becomes_grey(size: int) -> None:
    board = (torch.arange(128)[:, None] + torch.arange(128)) % 2
    small = resize(board.float().expand(1, 3, -1, -1), size)
    # Away from the edges. Without antialiasing, black and white stripes would remain.
    assert (small[..., 2:-2, 2:-2] - 0.5).abs().max() < 0.02


def test_resize_keeps_flat_areas_and_means() -> None:
    flat = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 40, 60)
    torch.testing.assert_close(resize(flat, 30), flat[..., :20, :30], atol=1e-6, rtol=0)
    smooth = torch.linspace(0.2, 0.8, 64).expand(1, 3, 48, 64)
    assert resize(smooth, 16).mean().item() == pytest.approx(0.5, abs=1e-3)
    torch.testing.assert_close(
        resize(smooth, 16)[0, 0, 0], smooth[0, 0, 0].view(16, 4).mean(1), atol=0.01, rtol=0
    )


def test_resize_takes_batches(noise: Noise) -> None:
    batch = noise(3, 3, 20, 30)
    for together, alone in zip(resize(batch, 12), batch, strict=True):
        torch.testing.assert_close(together, resize(alone[None], 12)[0])


@pytest.mark.parametrize("size", [0, -5, 2.5, True, "big", float("nan")])
def test_an_invalid_size_is_refused(size: Any, noise: Noise) -> None:
    with pytest.raises(StylelibError, match=r"size is .* whole number from 1 to"):
        resize(noise(1, 3, 4, 4), size)
    with pytest.raises(StylelibError, match=r"size is .* whole number from 1 to"):
        load_image("camel", size)


@pytest.mark.parametrize("size", [16, 50, 200, 333])
def test_early_shrinking_gives_the_same_picture(tmp_path: Path, size: int) -> None:
    """A much larger JPEG is decoded at a half, a quarter or an eighth of its size."""
    path = tmp_path / "large.jpg"
    large = SAMPLES["camel"].path
    with Image.open(large) as camel:
        camel.resize((2000, 1125), Image.Resampling.BICUBIC).save(path, quality=95)
    quick, full = load_image(path, size), resize(load_image(path), size)
    assert quick.shape == full.shape
    difference = (quick - full).abs()
    assert difference.mean() < 0.01
    assert difference.max() < 0.15


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(("width", "height"), [(2000, 1125), (1125, 2000), (999, 500), (801, 3)])
def test_early_shrinking_gives_the_same_shape(width: int, height: int, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.new("RGB", (width, height)), "JPEG", exif=exif)
    for size in (7, 33, 100, 333):
        if min(width, height) > 3 or size > 100:
            assert load_image(data, size).shape == resize(load_image(data), size).shape


def test_longest_side_from_a_file() -> None:
    assert load_image("camel", 100).shape == (1, 3, 56, 100)  # 1024 x 576
    tall = encoded(Image.new("RGB", (30, 90)))
    assert load_image(tall, 45).shape == (1, 3, 45, 15)
    assert load_image(tall, 180).shape == (1, 3, 180, 60)


# What is not a picture


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + check

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


JPEG = encoded(Image.effect_noise((64, 64), 50).convert("RGB"), "JPEG")
PNG = encoded(Image.effect_noise((64, 64), 50).convert("RGB"))

BROKEN = {
    "empty": b"",
    "text": b"This is a letter, not a picture.",
    "HTML": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "zeros": bytes(10_000),
    "cut JPEG": JPEG[: len(JPEG) // 2],
    "cut PNG": PNG[: len(PNG) // 2],
    "JPEG header alone": JPEG[:20],
    "PNG header alone": PNG[:33],
    "PNG, one pixel byte altered": PNG[:200] + bytes([PNG[200] ^ 255]) + PNG[201:],
    "bomb": bomb(60_000, 60_000),
    "smaller bomb": bomb(20_000, 10_000),
    "bomb inside the limit": bomb(10_000, 10_000),
    "20,000 x 20,000": bomb(20_000, 20_000),
    "HEIC photo": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500),
    "film": b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + bytes(500),
    "zip archive": b"PK\x03\x04" + bytes(500),
    "PDF": b"%PDF-1.7\n" + bytes(500),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
}


@pytest.mark.parametrize("state", list(BROKEN))
@pytest.mark.parametrize("ending", ["jpg", "png", "txt"])
def test_a_broken_file_is_explained(tmp_path: Path, state: str, ending: str) -> None:
    path = tmp_path / f"my photo.{ending}"
    path.write_bytes(BROKEN[state])
    for call in (
        lambda: load_image(path),
        lambda: load_image(str(path), 32),
        lambda: read_recipe(path),
    ):
        with pytest.raises(StylelibError) as caught:
            call()
        message = str(caught.value)
        assert str(path) in message
        assert message.endswith((".", "again.")) and message.count(". ") >= 1, message
    with pytest.raises(StylelibError, match="given data"):
        load_image(BROKEN[state])


def test_things_that_are_not_files(tmp_path: Path) -> None:
    cases: list[tuple[Any, str]] = [
        (tmp_path, "is a folder"),
        (tmp_path / "nothing.jpg", "no file .*nothing.jpg"),
        ("nowhere/at/all", "no file nowhere"),
        ("nothing.jpg", "no file nothing.jpg"),
        ("https://example.org/camel.jpg", "web address.*Download"),
        ("file:///camel.jpg", "web address"),
        ("hokusai-great-wav", "Did you mean hokusai-great-wave"),
        ("Camel", "Did you mean camel"),
        (Path("camel"), "no file camel"),
        ("", "folder|sample"),
        ("a\0b", "sample"),
        ("a\0b.png", "no file"),
        ("x" * 5000 + ".png", "x"),
        (5, "not from int"),
        (None, "not from NoneType"),
        (UPRIGHT, "not from ndarray"),
        (torch.zeros(1, 3, 2, 2), "not from Tensor"),
    ]
    for source, message in cases:
        with pytest.raises(StylelibError, match=message):
            load_image(source)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes, which Windows lacks")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(StylelibError, match="ordinary file"):
        load_image(tmp_path / "pipe.jpg")


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="permissions don't bind root, nor Windows"
)
def test_a_file_without_read_access(tmp_path: Path) -> None:
    path = tmp_path / "private.png"
    path.write_bytes(PNG)
    path.chmod(0)
    with pytest.raises(StylelibError, match="may not be read"):
        load_image(path)


def test_tiny_pictures() -> None:
    one = encoded(Image.new("RGB", (1, 1), (10, 20, 30)))
    assert_pixels(load_image(one), [[[10, 20, 30]]])
    assert load_image(encoded(Image.new("RGB", (1, 40)))).shape == (1, 3, 40, 1)
    assert load_image(encoded(Image.new("RGB", (2, 40))), 20).shape == (1, 3, 20, 1)
    for width, height in ((1, 1), (1, 40), (40, 1)):
        with pytest.raises(StylelibError, match=f"{width} x {height} pixels: too small"):
            load_image(encoded(Image.new("RGB", (width, height))), 16)
    with pytest.raises(StylelibError, match="too small"):
        load_image(Image.new("RGB", (0, 5)))


def test_a_heic_photo_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(BROKEN["HEIC photo"])
    with pytest.raises(StylelibError, match=r"IMG_0001.HEIC is a HEIC photo.*JPEG"):
        load_image(path)


def test_a_long_thin_picture_of_many_pixels(tmp_path: Path) -> None:
    for shape in ((1, 10_000), (10_000, 1)):
        data = encoded(Image.new("RGB", shape, (10, 20, 30)))
        assert load_image(data).shape == (1, 3, shape[1], shape[0])
        with pytest.raises(StylelibError, match="too small"):
            load_image(data, 512)


def test_a_decompression_bomb_for_a_slow_decoder_is_refused_at_once() -> None:
    """QOI packs 62 pixels into a byte; unpacking 150 megapixels takes minutes in Python."""
    data = b"qoif" + (15_000).to_bytes(4, "big") + (10_000).to_bytes(4, "big") + b"\x03\x00"
    with pytest.raises(StylelibError, match="too many pixels"):
        load_image(data + b"\xfd" * 3_000_000, 64)


def test_a_picture_too_large_for_memory_is_refused_before_decoding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = SimpleNamespace(available=1_000_000)
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: free)
    data = encoded(Image.new("RGB", (250, 200)))
    with pytest.raises(StylelibError, match=r"does not fit in memory. Close"):
        load_image(data)
    assert load_image(data, 50).shape == (1, 3, 40, 50)


# To PIL


def test_to_pil_rounds_and_clips() -> None:
    values = torch.tensor([0.0, 0.5, 1.0, -1.0, 2.0, 100.4 / 255, 100.6 / 255])
    picture = to_pil(values.expand(1, 3, 1, -1))
    assert picture.mode == "RGB" and picture.size == (7, 1)
    expected = [0, 128, 255, 0, 255, 100, 101]
    assert [picture.getpixel((x, 0)) for x in range(7)] == [(v,) * 3 for v in expected]


def test_to_pil_takes_tensors_with_gradients(noise: Noise) -> None:
    image = noise(1, 3, 4, 5).requires_grad_() * 1
    assert to_pil(image).size == (5, 4)
    assert to_pil(image.bfloat16()).size == (5, 4)


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (1, 1, 4, 5), (1, 4, 4, 5)])
def test_to_pil_of_the_wrong_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(StylelibError, match="shape"):
        to_pil(torch.zeros(shape))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_to_pil_refuses_nan_and_infinity(value: float, noise: Noise, tmp_path: Path) -> None:
    image = noise(1, 3, 4, 5)
    image[0, 1, 2, 3] = value
    with pytest.raises(StylelibError, match="not numbers"):
        to_pil(image)
    with pytest.raises(StylelibError, match="not numbers"):
        save_image(image, tmp_path / "x.png")
    assert not list(tmp_path.iterdir())


# Saving

RECIPE = {
    "content": "Kamél 駱駝.jpg",
    "style": 'a "quoted" \\ name\n',
    "weights": {"conv4_2": 1.0, "conv1_1": 0.25},
    "steps": 240,
    "seed": 2**62,
    "none": None,
    "flag": True,
}


def test_png_keeps_the_pixels(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    image = load_image(Image.fromarray(values))
    path = save_image(image, tmp_path / "a.png")
    assert path == tmp_path / "a.png"
    assert torch.equal(load_image(path), image)
    assert np.array_equal(np.asarray(Image.open(path)), values)


@pytest.mark.parametrize("ending", [".jpg", ".jpeg", ".JPG"])
def test_jpeg_keeps_the_pixels_nearly(camel: Tensor, tmp_path: Path, ending: str) -> None:
    path = save_image(camel, tmp_path / f"a{ending}")
    assert Image.open(path).format == "JPEG"
    assert (load_image(path) - camel).abs().mean() < 0.01


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_saved_recipe_can_be_read(camel: Tensor, tmp_path: Path, ending: str) -> None:
    path = save_image(camel, tmp_path / f"a.{ending}", RECIPE)
    assert read_recipe(path) == RECIPE
    assert read_recipe(path.read_bytes()) == RECIPE
    assert read_recipe(Image.open(path)) == RECIPE
    assert read_recipe(str(path)) == RECIPE
    assert read_recipe(save_image(camel, tmp_path / f"b.{ending}")) is None
    assert read_recipe(save_image(camel, tmp_path / f"c.{ending}", {})) == {}


def test_other_programs_can_read_the_recipe(camel: Tensor, tmp_path: Path) -> None:
    png = save_image(camel, tmp_path / "a.png", RECIPE)
    assert b"iTXtstylelib" in png.read_bytes()
    jpeg = Image.open(save_image(camel, tmp_path / "a.jpg", RECIPE))
    kind, text = jpeg.getexif()[0x010E].split(": ", 1)
    assert kind == "stylelib" and json.loads(text) == RECIPE


def with_text(key: str, text: str, compressed: bool = False) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_itxt(key, text, zip=compressed)
    return encoded(Image.new("RGB", (2, 2)), pnginfo=info)


def with_description(text: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = text
    return encoded(Image.new("RGB", (2, 2)), "JPEG", exif=exif)


SPOILT = [
    "",
    "not JSON",
    "{",
    "[1, 2]",
    "5",
    '"text"',
    "null",
    "[" * 100_000,
    '{"a":' * 100_000,
    '{"n": ' + "9" * 10_000 + "}",  # Python refuses to read such a number
    "\x00\x01",
]


@pytest.mark.parametrize("text", SPOILT, ids=range(len(SPOILT)))
def test_a_damaged_recipe_reads_as_none(text: str) -> None:
    assert read_recipe(with_text("stylelib", text)) is None
    assert read_recipe(with_description(f"stylelib: {text[:60_000]}")) is None


def test_metadata_of_other_programs_is_not_a_recipe() -> None:
    assert read_recipe(with_text("Comment", '{"a": 1}')) is None
    assert read_recipe(with_description('{"a": 1}')) is None
    assert read_recipe(with_description("A camel in the sun")) is None
    assert read_recipe(encoded(Image.new("RGB", (2, 2)), "GIF", comment=b"x")) is None
    assert read_recipe("camel") is None
    odd = Image.new("RGB", (2, 2))
    odd.info["stylelib"] = 5
    assert read_recipe(odd) is None


def test_a_compressed_text_bomb_is_refused() -> None:
    data = with_text("stylelib", "x" * 200_000_000, compressed=True)
    assert len(data) < 1_000_000
    with pytest.raises(StylelibError):
        read_recipe(data)
    with pytest.raises(StylelibError):
        load_image(data)


def test_a_recipe_that_cannot_be_stored(camel: Tensor, tmp_path: Path) -> None:
    with pytest.raises(StylelibError, match="plain values"):
        save_image(camel, tmp_path / "a.png", {"path": tmp_path})
    loop: dict[str, Any] = {}
    loop["self"] = loop
    with pytest.raises(StylelibError, match="plain values"):
        save_image(camel, tmp_path / "a.png", loop)
    assert not list(tmp_path.iterdir())
    # EXIF holds 64 KB, PNG any amount. A picture is not lost for its recipe.
    long = {"text": "x" * 70_000}
    with pytest.warns(UserWarning, match="too long for a JPEG file"):
        saved = save_image(camel, tmp_path / "a.jpg", long)
    assert load_image(saved).shape == camel.shape and read_recipe(saved) is None
    assert read_recipe(save_image(camel, tmp_path / "a.png", long)) == long


def test_a_picture_too_long_for_jpeg(tmp_path: Path) -> None:
    ribbon = torch.zeros(1, 3, 1, 70_000)
    with pytest.raises(StylelibError, match=r"JPEG.*\.png"):
        save_image(ribbon, tmp_path / "a.jpg")
    assert load_image(save_image(ribbon, tmp_path / "a.png")).shape == (1, 3, 1, 70_000)


# Where a picture can't be saved


def test_paths_that_cannot_be_written(camel: Tensor, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    cases: list[tuple[Any, str]] = [
        (tmp_path / "camel", "must end in .png or .jpg"),
        (tmp_path / "camel.gif", "must end in .png or .jpg"),
        (tmp_path / ".png", "must end in"),
        (tmp_path / "folder.png", "is a folder"),
        (tmp_path / "nowhere" / "a.png", "no folder .*nowhere"),
        (tmp_path / "file" / "a.png", "no folder"),
        ("https://example.org/a.png", "no folder"),
        (tmp_path / ("x" * 300 + ".png"), "too long for a file"),
        (tmp_path / "a\0b.png", "can't be the name of a file"),
    ]
    for path, message in cases:
        with pytest.raises(StylelibError, match=message):
            save_image(camel, path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.png"]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount a small disk in memory; only root may."""
    made: list[Path] = []

    def mount(options: str, fill: Callable[[Path], Any] | None = None) -> Path:
        folder = tmp_path / "disk"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("needs a disk of its own, which only root may mount, on Linux")
        made.append(folder)
        if fill:
            fill(folder)
        if options:
            subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)
        return folder

    yield mount
    for folder in made:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_picture(
    camel: Tensor, noise: Noise, mounted: Callable[..., Path]
) -> None:
    disk = mounted("")
    path = save_image(camel, disk / "a.png", RECIPE)
    before = path.read_bytes()
    with pytest.raises(StylelibError, match="There is no space left for"):
        save_image(noise(1, 3, 400, 400), path)
    assert path.read_bytes() == before
    assert list(disk.iterdir()) == [path]


def test_a_read_only_disk(camel: Tensor, mounted: Callable[..., Path]) -> None:
    disk = mounted("ro", lambda folder: save_image(camel, folder / "a.png"))
    with pytest.raises(StylelibError, match="can be read but not written"):
        save_image(camel, disk / "a.png")
    assert load_image(disk / "a.png").shape == camel.shape


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="permissions don't bind root, nor Windows"
)
def test_a_folder_without_write_access(camel: Tensor, tmp_path: Path) -> None:
    path = save_image(camel, tmp_path / "a.png")
    before = path.read_bytes()
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StylelibError, match="may not be written"):
            save_image(1 - camel, path)
    finally:
        tmp_path.chmod(0o700)
    assert path.read_bytes() == before


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_while_saving_leaves_the_old_picture(
    camel: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = save_image(camel, tmp_path / "a.png")
    before = path.read_bytes()

    def fail(*args: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(images.os, step, fail)
    with pytest.raises(StylelibError, match="There is no space left"):
        save_image(1 - camel, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_while_saving_leaves_the_old_picture(
    camel: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_image(camel, tmp_path / "a.png")
    before = path.read_bytes()

    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(images.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_image(1 - camel, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


DYING = """
import os, random, signal, sys, time
from pathlib import Path
from PIL import Image
import torch
from stylelib.pictures import images

torch.set_num_threads(1)
path, old, new = Path(sys.argv[1]), *(torch.full((1, 3, 64, 64), v) for v in (0.2, 0.8))

def attempt(work, seconds):
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]

# Killed at the worst moments.
def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)

for step in ("fsync", "replace"):
    images.save_image(old, path)
    before = path.read_bytes()
    def work():
        setattr(images.os, step, die)
        images.save_image(new, path)
    assert attempt(work, None) == signal.SIGKILL, "it was not killed"
    assert path.read_bytes() == before, f"damaged at {step}"

# Killed at any moment, while large files are written.
contents = [bytes([65 + i]) * 20_000_000 for i in range(2)]
images.write_atomically(path, contents[0])
def work():
    for turn in range(10**6):
        images.write_atomically(path, contents[turn % 2])
for turn in range(12):
    assert attempt(work, random.uniform(0.02, 0.15)) == signal.SIGKILL
    assert path.read_bytes() in contents, "cut short"
print("complete")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL and no fork")
def test_a_process_killed_while_saving_leaves_a_complete_file(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", DYING, str(tmp_path / "a.png")], capture_output=True, text=True
    )
    assert result.stdout == "complete\n", result.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows replaces no file that is being read")
def test_two_threads_saving_to_the_same_file(tmp_path: Path) -> None:
    """The file is always one of the two, complete."""
    path = tmp_path / "a.png"
    colours = [torch.full((1, 3, 32, 32), value) for value in (0.2, 0.8)]
    save_image(colours[0], path)
    done = threading.Event()

    def save(image: Tensor) -> None:
        while not done.is_set():
            save_image(image, path)

    threads = [threading.Thread(target=save, args=(image,)) for image in colours]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            found = load_image(path)
            assert any((found - image).abs().max() < 0.01 for image in colours)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_other_users_can_read_a_saved_picture(camel: Tensor, tmp_path: Path) -> None:
    path = save_image(camel, tmp_path / "a.png")
    assert path.stat().st_mode & 0o044 == 0o044


@pytest.mark.slow
def test_a_photo_of_108_megapixels_opens() -> None:
    photo = encoded(Image.new("RGB", (12_000, 9_000), (200, 100, 50)), "JPEG")
    image = load_image(photo, 64)
    assert_pixels(image, np.full((48, 64, 3), [200, 100, 50]), 3)
