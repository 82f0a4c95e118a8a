"""Collect photos and paintings beside the samples, under free licences, from Debian's packages.

    python benchmarks/pictures.py                        # into benchmarks/cache/pictures
    python benchmarks/pictures.py --output FOLDER --packages FOLDER

It downloads the packages with apt-get, so it needs Debian or one of its relatives. With
`--packages` it reads the *.deb files in a folder instead. The pictures land in `photos/` and
`paintings/`, the longest side at most 1024 pixels, beside `CREDITS.md` and `pairs.txt`. They are
not part of this project: each has its own licence, and together they would be larger than it.
"""

import argparse
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from shared import CACHE

from stylelib import SAMPLES, load_image, to_pil

LONGEST = 1024  # pixels
FOLDER = CACHE / "pictures"
GCOMPRIS = "gcompris-qt-data"
# Where its puzzles put their pieces: fractions of a board of this size.
BOARD = (702, 515)
SIGN = ("CAMELS", "NEXT 12 KM", "DRIVE SLOWLY")  # what the sign says


@dataclass(frozen=True)
class Picture:
    """A picture in one of Debian's packages.

    Attributes
    ----------
    name : str
        The name of the file here, without its ending.
    kind : str
        "photo" or "painting".
    path : str
        The file in the package. "erase.rcc:kitten.webp" is a file in one of the archives of
        GCompris; if it is a .qml file, its puzzle is put together.
    """

    name: str
    kind: str
    title: str
    author: str
    licence: str
    path: str
    package: str = GCOMPRIS


LOMIRI = "usr/share/backgrounds"
PLASMA = "usr/share/wallpapers"
SKIMAGE = "usr/lib/python3/dist-packages/skimage/data"
PUBLIC = "public domain"
UNNAMED = "not named in GCompris", "GPL-3.0-or-later, as the package"

PICTURES = [
    # Animals
    Picture("macaw", "photo", "Scarlet macaw", "Jar0d", "CC-BY-SA-2.0",
            "explore_world_animals.rcc:scarlet_macaw.webp"),
    Picture("kitten", "photo", "A posing kitten", "GalgenTX", "CC-BY-2.0",
            "erase.rcc:kitten.webp"),
    Picture("meerkats", "photo", "Meerkats at Tswalu", "Charles J. Sharp", "CC-BY-SA-4.0",
            "erase.rcc:meerkats.webp"),
    Picture("alpaca", "photo", "Alpaca", "Dietmar Rabich", "CC-BY-SA-4.0",
            "erase.rcc:alpaca.webp"),
    Picture("swans", "photo", "Mute swans and cygnets", "Charles J. Sharp", "CC-BY-SA-4.0",
            "erase.rcc:swans.webp"),
    # People
    Picture("astronaut", "photo", "Eileen Collins", "NASA", PUBLIC,
            f"{SKIMAGE}/astronaut.png", "python3-skimage"),
    Picture("grace-hopper", "photo", "Grace Hopper", "James S. Davis, US Navy", PUBLIC,
            "usr/share/matplotlib/mpl-data/sample_data/grace_hopper.jpg",
            "python-matplotlib-data"),
    Picture("musicians", "photo", "Mariachi band", *UNNAMED, "explore_world_music.rcc:mexico.webp"),
    # Flat graphics
    Picture("safe-landing", "photo", "Safe Landing", "Louis Durrant", "CC-BY-SA-4.0",
            f"{PLASMA}/SafeLanding/contents/images/5120x2880.jpg", "plasma-workspace-wallpapers"),
    Picture("stripes", "photo", "Painting Colors", "HEROBRINE7GAMER", "CC-BY-SA-3.0",
            f"{LOMIRI}/Painting-Colors_by__herobrine7gamer.jpg", "lomiri-wallpapers-20.04"),
    # Letters
    Picture("sign", "photo", "Picos de Europa, with a sign that was drawn into it",
            "Aitzol Berasategi", "CC-BY-4.0",
            f"{LOMIRI}/picosdeeuropa_by_Aitzol_Berasategi.jpg", "lomiri-wallpapers-16.04"),
    Picture("page", "photo", "Scanned page", "the scikit-image team", "BSD-3-Clause",
            f"{SKIMAGE}/page.png", "python3-skimage"),
    # Night
    Picture("tower-bridge", "photo", "Tower Bridge, London", "David Iliff", "CC-BY-SA-4.0",
            "details.rcc:TowerBridgeLondon_background.webp"),
    Picture("gateway", "photo", "Gateway of India", *UNNAMED,
            "explore_monuments.rcc:gatewayofIndia.webp"),
    # Landscapes
    Picture("boats", "photo", "Evening Glow", "Ian Hex", "LGPL-3.0",
            f"{PLASMA}/EveningGlow/contents/images/2560x1600.jpg", "plasma-workspace-wallpapers"),
    Picture("mountains", "photo", "Picos de Europa", "Aitzol Berasategi", "CC-BY-4.0",
            f"{LOMIRI}/picosdeeuropa_by_Aitzol_Berasategi.jpg", "lomiri-wallpapers-16.04"),
    # Buildings
    Picture("neuschwanstein", "photo", "Castle Neuschwanstein", "Softeis", "CC-BY-SA-3.0",
            "details.rcc:Neuschwanstein_background.webp"),
    Picture("taj-mahal", "photo", "Taj Mahal", "Yann", "CC-BY-SA-4.0",
            "explore_monuments.rcc:tajMahal.webp"),
    # Still lifes
    Picture("fig", "photo", "Picture 0B", 'Trevor "Freespace"', "CC-BY-4.0",
            f"{LOMIRI}/Picture_0B_by_freespace.jpg", "lomiri-wallpapers-16.04"),
    Picture("coffee", "photo", "Coffee cup", "Rachel Michetti", "CC0-1.0",
            f"{SKIMAGE}/coffee.png", "python3-skimage"),
    # Paintings
    Picture("arcimboldo-spring", "painting", "Spring, 1573", "Giuseppe Arcimboldo", PUBLIC,
            "paintings.rcc:board2_0.qml"),
    Picture("bazille-ramparts", "painting", "The Ramparts at Aigues-Mortes, 1867",
            "Frédéric Bazille", PUBLIC, "paintings.rcc:board20_0.qml"),
    Picture("bruegel-harvesters", "painting", "The Harvesters, 1565", "Pieter Bruegel the Elder",
            PUBLIC, "paintings.rcc:board17_0.qml"),
    Picture("durer-lion", "painting", "Lion, 1494", "Albrecht Dürer", PUBLIC,
            "paintings.rcc:board16_0.qml"),
    Picture("hokusai-ejiri", "painting", "Ejiri in Suruga Province, 1830-33", "Katsushika Hokusai",
            PUBLIC, "paintings.rcc:board6_0.qml"),
    Picture("hokusai-kazusa-sea-route", "painting", "The Kazusa Sea Route, 1830",
            "Katsushika Hokusai", PUBLIC, "paintings.rcc:board12_0.qml"),
    Picture("leonardo-mona-lisa", "painting", "Mona Lisa, 1503-19", "Leonardo da Vinci", PUBLIC,
            "paintings.rcc:board14_0.qml"),
    Picture("renoir-girls-at-the-piano", "painting", "Girls at the Piano, 1892",
            "Pierre-Auguste Renoir", PUBLIC, "paintings.rcc:board18_0.qml"),
    Picture("van-gogh-cafe-terrace", "painting", "Café Terrace at Night, 1888",
            "Vincent van Gogh", PUBLIC, "details.rcc:Gogh4_background.webp"),
    Picture("van-gogh-church-at-auvers", "painting", "The Church at Auvers, 1890",
            "Vincent van Gogh", PUBLIC, "details.rcc:Eglise_dAuvers-sur-Oise_background.webp"),
    Picture("van-gogh-night-cafe", "painting", "The Night Café, 1888", "Vincent van Gogh", PUBLIC,
            "details.rcc:Van_Gogh_The_Night_Cafe_background.webp"),
    Picture("van-gogh-pere-tanguy", "painting", "Portrait of Père Tanguy, 1887",
            "Vincent van Gogh", PUBLIC, "details.rcc:PortraitOfPereTanguy_background.webp"),
]  # fmt: skip

# To choose settings with: every kind of photo, and painters who draw, who dab and who fill.
TUNING = [
    ("camel", "hokusai-great-wave"),
    ("macaw", "kandinsky-composition-viii"),
    ("astronaut", "van-gogh-village-street-in-auvers"),
    ("safe-landing", "hiroshige-inokashira-snow"),
    ("sign", "hokusai-great-wave"),
    ("tower-bridge", "van-gogh-cafe-terrace"),
    ("boats", "bruegel-harvesters"),
    ("fig", "arcimboldo-spring"),
]
# To judge with: no setting may be chosen by looking at these.
HELD_OUT = [
    ("camel", "renoir-moulin-de-la-galette"),
    ("kitten", "cassatt-summertime"),
    ("meerkats", "hokusai-poppies"),
    ("grace-hopper", "renoir-girls-at-the-piano"),
    ("stripes", "van-gogh-night-cafe"),
    ("page", "hokusai-ejiri"),
    ("gateway", "hokusai-kazusa-sea-route"),
    ("mountains", "hiroshige-horse-mackerel-and-prawn"),
    ("taj-mahal", "van-gogh-church-at-auvers"),
    ("coffee", "kandinsky-composition-viii"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=FOLDER, help="a folder")
    parser.add_argument("--packages", type=Path, help="a folder with the .deb files")
    options = parser.parse_args()
    packages = options.packages or download(CACHE / "debian")
    unpacked = {name: unpack(packages, name) for name in {p.package for p in PICTURES}}
    for picture in PICTURES:
        save(read(picture, unpacked[picture.package]), picture.kind, picture.name, options.output)
    for name, sample in SAMPLES.items():
        save(to_pil(load_image(name, LONGEST)), sample.kind, name, options.output)
    (options.output / "CREDITS.md").write_text(credits_page(), encoding="utf-8")
    (options.output / "pairs.txt").write_text(pairs_file(), encoding="utf-8")
    print(f"{len(PICTURES) + len(SAMPLES)} pictures are in {options.output}")


def save(picture: Image.Image, kind: str, name: str, folder: Path) -> None:
    """Save a picture, as large as the benchmarks need it."""
    path = folder / f"{kind}s" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    picture.save(path)


def credits_page() -> str:
    """Where each picture comes from, in Markdown."""
    lines = [
        "# Where the pictures come from",
        "",
        "They come from Debian's packages, were scaled down and saved as PNG. The painters died",
        "before 1945: their works are in the public domain.",
        "",
        "| picture | title | author | licence | Debian package | file |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{p.name}` | {p.title} | {p.author} | {p.licence} | `{p.package}` | `{p.path}` |"
        for p in PICTURES
    ]
    lines += [
        f"| `{name}` | {sample.title} | {sample.maker} | in `{name}.jpg.license` "
        f"| none: a sample of stylelib | `stylelib/pictures/samples/{name}.jpg` |"
        for name, sample in SAMPLES.items()
    ]
    return "\n".join(lines) + "\n"


def pairs_file() -> str:
    """The pairs, one a line: photo, painting, and what the pair is for."""
    lines = [f"{photo} {painting} tuning" for photo, painting in TUNING]
    lines += [f"{photo} {painting} held-out" for photo, painting in HELD_OUT]
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------- what was painted


def find(name: str, folder: Path = FOLDER) -> Path | str:
    """The file of a picture in the folder; a sample's name stands for itself."""
    for kind in ("photos", "paintings"):
        for path in (folder / kind).glob(f"{name}.*"):
            return path
    if name in SAMPLES:
        return name
    raise SystemExit(
        f"There is no picture {name!r} in {folder}, and no sample has that name. "
        "Collect the pictures with: python benchmarks/pictures.py"
    )


def painted_pairs(folders: Iterable[Path]) -> dict[str, tuple[str, str]]:
    """The photo and the painting of every file PHOTO__PAINTING.png that all the folders have."""
    names = [{path.name for path in folder.glob("*__*.png")} for folder in folders]
    common = sorted(set.intersection(*names))
    if not common:
        raise SystemExit(
            "The folders have no picture in common. Each method's folder should have pictures of "
            "the same pairs, named PHOTO__PAINTING.png."
        )
    return {name: pair_of(name) for name in common}


def pair_of(name: str) -> tuple[str, str]:
    """The photo and the painting of a file PHOTO__PAINTING.png."""
    photo, _, painting = name.removesuffix(".png").partition("__")
    return photo, painting


# ---------------------------------------------------------------- Debian's packages


def download(folder: Path) -> Path:
    """Download the packages that aren't in the folder yet."""
    if shutil.which("apt-get") is None:
        raise SystemExit(
            "The pictures are in packages of Debian, and this computer has no apt-get. Download "
            "the packages of your choice elsewhere and give their folder with --packages."
        )
    folder.mkdir(parents=True, exist_ok=True)
    missing = {p.package for p in PICTURES if not list(folder.glob(f"{p.package}_*.deb"))}
    if missing:
        subprocess.run(["apt-get", "download", *sorted(missing)], cwd=folder, check=True)
    return folder


def unpack(packages: Path, name: str) -> Path:
    """Unpack a package beside its file, unless that was done before."""
    found = sorted(packages.glob(f"{name}_*.deb"))
    if not found:
        raise SystemExit(f"{packages} has no package {name}: download it with apt-get download.")
    folder = found[-1].with_suffix("")
    if not folder.exists():
        subprocess.run(["dpkg-deb", "-x", found[-1], folder], check=True)
    return folder


def read(picture: Picture, package: Path) -> Image.Image:
    """A picture from an unpacked package, on white where it is transparent."""
    archive, inside, name = picture.path.partition(":")
    if not inside:
        image = Image.open(package / picture.path)
    else:
        files = dict(resources((package / "usr/share/gcompris-qt/rcc" / archive).read_bytes()))
        image = puzzle(files, name) if name.endswith(".qml") else Image.open(BytesIO(files[name]))
    image = image.convert("RGBA")
    opaque = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return with_sign(opaque) if picture.name == "sign" else opaque


def resources(archive: bytes) -> Iterator[tuple[str, bytes]]:
    """The name, without folders, and the content of each file in one of Qt's .rcc archives."""
    magic, version, tree, data, names = struct.unpack_from(">4sIIII", archive)
    if magic != b"qres":
        raise ValueError("this is not one of Qt's resource archives")
    entry = 14 if version == 1 else 22  # bytes; a date is added in version 2

    def walk(number: int) -> Iterator[tuple[str, bytes]]:
        at = tree + entry * number
        name, flags = struct.unpack_from(">IH", archive, at)
        if flags & 2:  # a folder
            count, first = struct.unpack_from(">II", archive, at + 6)
            for child in range(first, first + count):
                yield from walk(child)
            return
        (letters,) = struct.unpack_from(">H", archive, names + name)
        start = names + name + 6  # behind a hash of the name
        text = archive[start : start + 2 * letters].decode("utf-16-be")
        (offset,) = struct.unpack_from(">I", archive, at + 10)
        (length,) = struct.unpack_from(">I", archive, data + offset)
        content = archive[data + offset + 4 : data + offset + 4 + length]
        yield text, zlib.decompress(content[4:]) if flags & 1 else content

    return walk(0)


def puzzle(files: dict[str, bytes], board: str) -> Image.Image:
    """A painting put together from its pieces, which overlap."""
    canvas = Image.new("RGBA", (2 * BOARD[0], 2 * BOARD[1]))
    pieces = re.findall(
        r'"image/(.*\.webp)",\s*"x" : "([\d.]+)",\s*"y" : "([\d.]+)"', files[board].decode()
    )
    # Some pieces don't meet: a line of the one beside is seen through the gap, in place of white.
    for across, down in ((-1, 0), (1, 0), (0, -1), (0, 1), (0, 0)):
        for name, x, y in pieces:  # the middle of the piece
            piece = Image.open(BytesIO(files[name])).convert("RGBA")
            left = round((float(x) + 0.5) * BOARD[0] - piece.width / 2)
            top = round((float(y) + 0.5) * BOARD[1] - piece.height / 2)
            canvas.alpha_composite(piece, (left + across, top + down))
    return canvas.crop(opaque_box(canvas))


def opaque_box(picture: Image.Image) -> tuple[int, int, int, int]:
    """The box of a picture without its ragged edges."""
    left, top, right, bottom = picture.getbbox()
    clear = np.asarray(picture.getchannel("A")) < 255
    while True:
        inside = clear[top:bottom, left:right]
        edges = [inside[:, 0], inside[0], inside[:, -1], inside[-1]]
        worst = max(range(4), key=lambda edge: edges[edge].mean())
        if not edges[worst].any():
            return left, top, right, bottom
        left, top = left + (worst == 0), top + (worst == 1)
        right, bottom = right - (worst == 2), bottom - (worst == 3)


def with_sign(photo: Image.Image) -> Image.Image:
    """The photo with a road sign in the foreground, whose letters are known."""
    photo.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    width, height = photo.size
    sign = Image.new("RGBA", (600, 300))
    draw = ImageDraw.Draw(sign)
    draw.rounded_rectangle((0, 0, 599, 299), 24, fill="#f4f1e6", outline="#1c3f2e", width=12)
    for line, text in enumerate(SIGN):
        font = ImageFont.load_default(64 if line else 84)
        draw.text((300, 66 + 88 * line), text, fill="#15221b", font=font, anchor="mm")
    # A little from the side, as a driver sees it: where each corner of the result comes from.
    sign = sign.transform(
        sign.size,
        Image.Transform.QUAD,
        (0, -14, 0, 314, 600, 300, 600, 0),
        Image.Resampling.BICUBIC,
    )
    scene = photo.convert("RGBA")
    left, top = round(0.44 * width), round(0.45 * height)
    sign = sign.resize((round(0.5 * width), round(0.25 * width)), Image.Resampling.LANCZOS)
    post = ImageDraw.Draw(scene)
    for x in (0.12, 0.88):
        at = left + round(x * sign.width)
        post.rectangle((at - 6, top + 10, at + 6, round(0.97 * height)), fill="#6d6a62")
    scene.alpha_composite(sign.filter(ImageFilter.GaussianBlur(0.6)), (left, top))
    return scene.convert("RGB")


if __name__ == "__main__":
    main()
