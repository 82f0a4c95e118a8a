"""What the benchmarks share: pairs of pictures, options, kept paintings, sheets and tables."""

import argparse
import csv
import hashlib
import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from stylelib import RECIPES, load_image, save_image

HERE = Path(__file__).parent
CACHE = HERE / "cache"  # git ignores it
DEFAULT = RECIPES["gram"]
# A photo, people, flat graphics and an abstract picture, in the style of different paintings.
PAIRS = [
    ("camel", "hokusai-great-wave"),
    ("camel", "kandinsky-composition-viii"),
    ("camel", "renoir-moulin-de-la-galette"),
    ("cassatt-summertime", "van-gogh-village-street-in-auvers"),
    ("hiroshige-horse-mackerel-and-prawn", "hokusai-poppies"),
    ("kandinsky-composition-viii", "hiroshige-inokashira-snow"),
]
MARGIN = 12  # pixels around the pictures of a sheet
LINE = 26 / 18  # height of a line of text, relative to its letters


def options_parser(
    doc: str,
    size: int | list[int] | None = None,
    steps: int | None = None,
    pairs: list[int] | None = None,
    repeats: int | None = None,
    threads: bool = False,
    device: bool = False,
    output: str | None = "a folder",
) -> argparse.ArgumentParser:
    """A parser with the options that most benchmarks have; those without a default are left out."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    if size is not None:
        parser.add_argument("--size", type=int, default=size, help="longest side, in pixels",
                            nargs="+" if isinstance(size, list) else None)  # fmt: skip
    if steps is not None:
        parser.add_argument("--steps", type=int, default=steps)
    if pairs is not None:
        parser.add_argument("--pairs", type=int, nargs="+", default=pairs,
                            help=f"numbers from 1 to {len(PAIRS)}")  # fmt: skip
    if repeats is not None:
        parser.add_argument("--repeats", type=int, default=repeats)
    if threads:
        parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    if device:
        parser.add_argument("--device", choices=["cpu", "cuda", "mps"], default="cpu",
                            help="where everything is computed")  # fmt: skip
    if output is not None:
        parser.add_argument("--output", type=Path, default=HERE, help=output)
    return parser


# ------------------------------------------------------------------------ paintings


@dataclass(frozen=True)
class Painted:
    """A picture with 8 bits per colour, and the wall-clock seconds that it took."""

    image: Tensor
    seconds: float


def painted(key: Mapping[str, Any], paint: Callable[[], Tensor], folder: Path = CACHE) -> Painted:
    """What `paint` makes, or made before for the same `key`: all that the picture depends on.

    So a benchmark of many hours can be stopped and resumed.
    """
    text = json.dumps(key, sort_keys=True)
    picture = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.png"
    facts = picture.with_suffix(".json")
    if not facts.exists():  # it is written last: if it is there, the picture is complete
        folder.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        image = paint()
        seconds = time.perf_counter() - start
        save_image(image, picture)
        facts.write_text(json.dumps({"key": key, "seconds": seconds}), encoding="utf-8")
    seconds = json.loads(facts.read_text(encoding="utf-8"))["seconds"]
    return Painted(load_image(picture), seconds)


# --------------------------------------------------------------------------- sheets


def contact_sheet(
    pictures: Sequence[tuple[Image.Image | None, str]], columns: int, width: int, font: int
) -> Image.Image:
    """Arrange pictures in a grid, each above its caption; None leaves a gap.

    A caption may have several lines or none. A row is as high as its tallest picture and
    longest caption.
    """
    line = round(LINE * font)
    rows = [pictures[first : first + columns] for first in range(0, len(pictures), columns)]
    heights = [max(scaled(picture, width) for picture, _ in row) for row in rows]
    below = [line * max(len(caption.splitlines()) for _, caption in row) for row in rows]
    size = (
        columns * (width + MARGIN) + MARGIN,
        sum(heights) + sum(below) + MARGIN * (len(rows) + 1),
    )
    sheet = Image.new("RGB", size, "white")
    draw, letters = ImageDraw.Draw(sheet), ImageFont.load_default(font)
    top = MARGIN
    for row, height, captions in zip(rows, heights, below, strict=True):
        for column, (picture, caption) in enumerate(row):
            left = MARGIN + column * (width + MARGIN)
            if picture is not None:
                sheet.paste(picture.resize((width, scaled(picture, width))), (left, top))
            for number, text in enumerate(caption.splitlines()):
                where = (left, top + height + 3 + number * line)
                draw.text(where, text, fill="#333333", font=letters)
        top += height + captions + MARGIN
    return sheet


def scaled(picture: Image.Image | None, width: int) -> int:
    """The height of a picture that is scaled to `width`."""
    return round(width * picture.height / picture.width) if picture else 0


def save_sheet(sheet: Image.Image, path: Path, quality: int) -> None:
    """Save a sheet as a JPEG, as small as it gets without loss beyond `quality`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, quality=quality, optimize=True, progressive=True)


# --------------------------------------------------------------------------- tables

Row = dict[str, Any]


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """Write a CSV file with a line for each row; the first row's keys are the header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a table in Markdown."""
    rows = list(rows)
    lines = [rows[0].keys(), ["---"] * len(rows[0]), *(row.values() for row in rows)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def table_name(name: str, device: str) -> str:
    """The name of a table: that of a graphics card has a file of its own."""
    return f"{name}.csv" if device == "cpu" else f"{name}-{device}.csv"


def wait_for(device: str) -> None:
    """Wait until a graphics card has done what it was told: before each look at the clock."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def machine(device: str = "cpu") -> str:
    """The processor or the card, the load and the versions of a measurement."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), name)
    if device == "cuda":
        name = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, beside {name}"
    return (
        f"{name}, {psutil.cpu_count()} cores, {torch.get_num_threads()} thread(s) used, "
        f"load {psutil.getloadavg()[0]:.1f}, Python {platform.python_version()}, "
        f"torch {torch.__version__}"
    )
