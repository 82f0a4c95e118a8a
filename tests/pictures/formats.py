"""One small picture in every format that Pillow opens, and colour profiles, made from scratch."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 32, 24


def picture() -> Image.Image:
    """Smooth, so that lossy formats keep it, and with four different sides."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    red, green = 255 * x / (WIDTH - 1), 255 * y / (HEIGHT - 1)
    return Image.fromarray(np.stack([red, green, 128 + 0 * x], axis=2).round().astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.copy().save(buffer, kind, **options)  # saving as JPEG changes the image's settings
    return buffer.getvalue()


RGB = picture()
GREY = RGB.convert("L")
PIXELS, GREYS = RGB.tobytes(), GREY.tobytes()


def _cur() -> bytes:
    """The same as an icon, except for two bytes in the header."""
    icon = bytearray(encoded(RGB.convert("RGBA"), "ICO", sizes=[(32, 24)], bitmap_format="bmp"))
    icon[2] = 2
    return bytes(icon)


def _dcx() -> bytes:
    return struct.pack("<3I", 0x3ADE68B1, 12, 0) + encoded(RGB, "PCX")


def _fits() -> bytes:
    cards = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 2"]
    cards += [f"NAXIS1  = {WIDTH}", f"NAXIS2  = {HEIGHT}", "END"]
    head = "".join(card.ljust(80) for card in cards).ljust(2880)
    bottom_up = GREY.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes()
    return head.encode() + bottom_up.ljust(2880, b"\0")


def _fli() -> bytes:
    """One frame, uncompressed (chunk 16), in 256 greys."""
    chunk = struct.pack("<IH", 6 + len(GREYS), 16) + GREYS
    frame = struct.pack("<IHH8x", 16 + len(chunk), 0xF1FA, 1) + chunk
    head = struct.pack("<I6H", 128 + len(frame), 0xAF12, 1, WIDTH, HEIGHT, 8, 3)
    return head.ljust(128, b"\0") + frame


def _ftex() -> bytes:
    head = b"FTEX" + struct.pack("<8i", 0, WIDTH, HEIGHT, 1, 1, 1, 32, 0)[:28]
    return head + struct.pack("<i", len(PIXELS)) + PIXELS


def _gbr() -> bytes:
    return struct.pack(">5I", 28, 1, WIDTH, HEIGHT, 1) + b"camel\0\0\0" + GREYS


def _imt() -> bytes:
    return f"width {WIDTH}\nheight {HEIGHT}\npixel n8\n\x0c".encode() + GREYS


def _mcidas() -> bytes:
    words = [0] * 64
    words[1], words[8], words[9], words[10], words[13], words[33] = 4, HEIGHT, WIDTH, 1, 1, 256
    return struct.pack(">64i", *words) + GREYS


def _pcd() -> bytes:
    """A flat grey, 768 x 512: repeatedly two rows of brightness, then a row of each colour."""
    rows = bytes([100]) * 1536 + bytes([156]) * 384 + bytes([137]) * 384
    return bytes(2048) + b"PCD_IPI".ljust(96 * 2048 - 2048, b"\0") + rows * 256


def _pixar() -> bytes:
    head = bytearray(1024)
    head[:4] = b"\x80\xe8\0\0"
    struct.pack_into("<HH", head, 416, HEIGHT, WIDTH)
    struct.pack_into("<HH", head, 424, 14, 2)
    return bytes(head) + PIXELS


def _psd() -> bytes:
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, HEIGHT, WIDTH, 8, 3)
    planes = b"".join(band.tobytes() for band in RGB.split())
    return head + bytes(12) + b"\0\0" + planes


def _sun() -> bytes:
    return struct.pack(">8I", 0x59A66A95, WIDTH, HEIGHT, 24, len(PIXELS), 3, 0, 0) + PIXELS


def _xpm() -> bytes:
    rows = [f'"{WIDTH} {HEIGHT} 256 2",'] + [
        f'"{n:02x} c #{n:02x}{n:02x}{n:02x}",' for n in range(256)
    ]
    values = np.asarray(GREY)
    rows += ['"' + "".join(f"{value:02x}" for value in row) + '",' for row in values]
    return ("/* XPM */\nstatic char * camel[] = {\n" + "\n".join(rows) + "\n};\n").encode()


def _xv() -> bytes:
    """Three bits of red, three of green, two of blue."""
    values = np.asarray(RGB).astype(int)
    small = (values[..., 0] >> 5 << 5) | (values[..., 1] >> 5 << 2) | (values[..., 2] >> 6)
    return f"P7 332\n#\n{WIDTH} {HEIGHT} 255\n".encode() + small.astype(np.uint8).tobytes()


def _saved(kind: str, mode: str = "RGB", **options: Any) -> Callable[[], bytes]:
    return lambda: encoded(RGB.convert(mode), kind, **options)


MAKERS: dict[str, Callable[[], bytes]] = {
    "AVIF": _saved("AVIF", quality=95),
    "BLP": lambda: encoded(RGB.quantize(256), "BLP"),
    "BMP": _saved("BMP"),
    "CUR": _cur,
    "DCX": _dcx,
    "DDS": _saved("DDS"),
    "DIB": _saved("DIB"),
    "FITS": _fits,
    "FLI": _fli,
    "FTEX": _ftex,
    "GBR": _gbr,
    "GIF": _saved("GIF"),
    "ICNS": lambda: encoded(RGB.resize((128, 128)).convert("RGBA"), "ICNS"),
    "ICO": lambda: encoded(RGB, "ICO", sizes=[(WIDTH, HEIGHT)]),
    "IM": _saved("IM"),
    "IMT": _imt,
    "JPEG": _saved("JPEG", quality=95),
    "JPEG2000": _saved("JPEG2000"),
    "MCIDAS": _mcidas,
    "MSP": _saved("MSP", "1"),
    "PCD": _pcd,
    "PCX": _saved("PCX"),
    "PIXAR": _pixar,
    "PNG": _saved("PNG"),
    "PPM": _saved("PPM"),
    "PSD": _psd,
    "QOI": _saved("QOI"),
    "SGI": _saved("SGI"),
    "SPIDER": _saved("SPIDER", "F"),
    "SUN": _sun,
    "TGA": _saved("TGA"),
    "TIFF": _saved("TIFF"),
    "WEBP": _saved("WEBP", quality=95),
    "XBM": _saved("XBM", "1"),
    "XPM": _xpm,
    "XVTHUMB": _xv,
}
"""How to make a file of each format, by Pillow's name for it."""


def _several() -> dict[str, Any]:
    return {"save_all": True, "append_images": [RGB.rotate(90 * n) for n in (1, 2)]}


def variants() -> dict[str, bytes]:
    """Variants of common formats that cameras, phones and drawing programs write."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "stylelib: {}"
    deep = Image.fromarray(np.asarray(GREY).astype(np.uint16) * 257)
    return {
        "JPEG, EXIF and profile": encoded(RGB, "JPEG", exif=exif, icc_profile=display_p3()),
        "JPEG, CMYK, progressive": encoded(RGB.convert("CMYK"), "JPEG", progressive=True),
        "JPEG, grey": encoded(GREY, "JPEG"),
        "MPO": encoded(RGB, "MPO", **_several()),
        "PNG, EXIF and profile": encoded(RGB, exif=exif, icc_profile=display_p3()),
        "PNG, palette, transparent": encoded(RGB.quantize(64), transparency=3),
        "PNG, 16 bits": encoded(deep),
        "PNG, RGBA": encoded(RGB.convert("RGBA")),
        "PNG, 1 bit": encoded(RGB.convert("1")),
        "APNG": encoded(RGB, "PNG", **_several()),
        "GIF, several frames": encoded(RGB, "GIF", **_several()),
        "WEBP, lossless, several frames": encoded(RGB, "WEBP", lossless=True, **_several()),
        "TIFF, LZW, several pages": encoded(RGB, "TIFF", compression="tiff_lzw", **_several()),
        "TIFF, JPEG": encoded(RGB, "TIFF", compression="jpeg"),
        "TIFF, float": encoded(RGB.convert("F"), "TIFF"),
        "TIFF, YCbCr": encoded(RGB.convert("YCbCr"), "TIFF"),
        "BMP, palette": encoded(RGB.quantize(16), "BMP"),
        "TGA, packed": encoded(RGB, "TGA", compression="tga_rle"),
        "PPM, grey": encoded(GREY, "PPM"),
    }


# Colour profiles, laid out as in the ICC's specification (ICC.1:2001-04)


def matrix_profile(colorants: Any, gamma: float) -> bytes:
    """An RGB profile: each channel to a power, then a matrix to XYZ (columns: R, G, B)."""
    curve = b"curv" + struct.pack(">4xIH2x", 1, round(gamma * 256))
    tags = {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), np.asarray(colorants).T, strict=True):
        tags[name] = _xyz(column)
    return _profile(b"RGB ", b"XYZ ", tags)


def grey_profile(gamma: float) -> bytes:
    curve = b"curv" + struct.pack(">4xIH2x", 1, round(gamma * 256))
    return _profile(b"GRAY", b"XYZ ", {b"kTRC": curve})


def ink_profile(corners: Any) -> bytes:
    """A CMYK profile: what Lab colour each of the 16 mixtures of full inks has (K runs fastest)."""
    lab = np.asarray(corners, dtype=float)
    numbers = np.stack([lab[:, 0] * 652.8, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], 1)
    table = b"mft2" + struct.pack(">4x4B", 4, 3, 2, 0)
    table += struct.pack(">9i", *(65536 * np.eye(3, dtype=int)).ravel())
    table += struct.pack(">HH", 2, 2) + struct.pack(">8H", *[0, 65535] * 4)
    table += numbers.round().astype(">u2").tobytes() + struct.pack(">6H", *[0, 65535] * 3)
    return _profile(b"CMYK", b"Lab ", {b"A2B0": table})


def _xyz(values: Any) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(round(65536 * float(v)) for v in values))


def _profile(colours: bytes, space: bytes, tags: dict[bytes, bytes]) -> bytes:
    white = (0.9642, 1.0, 0.8249)  # D50
    tags = {b"wtpt": _xyz(white), **tags}
    body, index = b"", b""
    for name, data in tags.items():
        index += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data.ljust((len(data) + 3) // 4 * 4, b"\0")
    size = 132 + len(index) + len(body)
    kind = b"prtr" if colours == b"CMYK" else b"mntr"
    head = struct.pack(">I4xI4s4s4s12x4s", size, 0x02400000, kind, colours, space, b"acsp")
    head = head.ljust(68, b"\0") + struct.pack(">3i", *(round(65536 * v) for v in white))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + index + body


# Adapted to D50 by Bradford's method, as profiles have them.
DISPLAY_P3 = [
    [0.51512, 0.29198, 0.15710],
    [0.24120, 0.69225, 0.06657],
    [-0.00105, 0.04189, 0.78407],
]
ADOBE_RGB = [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
SRGB = [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]


def display_p3() -> bytes:
    """The colours of an iPhone's photos (their curve is close to this power)."""
    return matrix_profile(DISPLAY_P3, 2.2)
