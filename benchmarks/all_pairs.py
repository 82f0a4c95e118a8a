"""Every sample in the style of every sample painting, with the defaults, on one sheet.

    python benchmarks/all_pairs.py                  # all-pairs.jpg and all-pairs.csv
    python benchmarks/all_pairs.py --size 128 --steps 40 --precision float32

Nothing is chosen by hand: every pair is shown, also those that don't suit each other; a row
for each content, a column for each painting. It can be stopped at any time: what was painted
is kept in benchmarks/cache. In the precision that the package chooses, unlike `contact.py`.
"""

import argparse
import csv
import textwrap
from pathlib import Path

import torch
from cache import Painted, painted
from gallery import contact_sheet
from PIL import Image
from quality import Quality, measure

from stylelib import RECIPES, SAMPLES, Recipe, Transfer, load_image, load_vgg19, to_pil
from stylelib.engine.devices import choose_device, choose_precision

HERE = Path(__file__).parent
DEFAULT = RECIPES["default"]
PAINTINGS = [name for name, sample in SAMPLES.items() if sample.kind == "painting"]
WIDTH, MOST = 220, 1_200_000  # pixels of a picture on the sheet, bytes of the sheet
Found = dict[tuple[str, str], tuple[Painted, Quality]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=DEFAULT.size, help="longest side, in pixels")
    parser.add_argument("--steps", type=int, default=DEFAULT.steps)
    parser.add_argument("--precision", choices=["auto", "float32", "bfloat16"], default="auto",
                        help="auto: bfloat16 where it is faster")  # fmt: skip
    parser.add_argument("--output", type=Path, default=HERE, help="a folder")
    options = parser.parse_args()
    device = choose_device()
    automatic = options.precision == "auto"
    precision = choose_precision(device) if automatic else getattr(torch, options.precision)
    print(f"on {device.type} in {precision}, {torch.get_num_threads()} threads", flush=True)
    recipe = DEFAULT.but(size=options.size, steps=options.steps)
    judge = load_vgg19(last="conv5_1", padding="replicate")
    found: Found = {}
    for content, style in pairs():
        made = paint(content, style, recipe, device, precision)
        quality = measure(made.image, load_image(content), load_image(style), judge)
        found[content, style] = made, quality
        told = f"{made.seconds:.0f} s; {'; '.join(quality.caption())}"
        print(f"{len(found)}. {content} / {style}: {told}", flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    save_small(sheet(found), options.output / "all-pairs.jpg")
    write(options.output / "all-pairs.csv", found)


def pairs() -> list[tuple[str, str]]:
    """Each sample with each painting but itself, content by content."""
    return [(content, style) for content in SAMPLES for style in PAINTINGS if content != style]


def paint(
    content: str, style: str, recipe: Recipe, device: torch.device, precision: torch.dtype
) -> Painted:
    """The picture of a pair of samples, painted now or before."""
    what = {"content": content, "style": style, "recipe": recipe.as_dict(),
            "device": device.type, "precision": str(precision)}  # fmt: skip
    return painted(what, lambda: transfer(content, style, recipe, device, precision))


def transfer(
    content: str, style: str, recipe: Recipe, device: torch.device, precision: torch.dtype
) -> torch.Tensor:
    pictures = load_image(content), load_image(style)
    return Transfer(*pictures, recipe, device=device.type, precision=precision).run()


def sheet(found: Found) -> Image.Image:
    """The paintings over their columns, each content before its row."""
    cells: list[tuple[Image.Image | None, str]] = [(None, "Down: the content.\nAcross: the style.")]
    cells += [(to_pil(load_image(name, 2 * WIDTH)), title(name)) for name in PAINTINGS]
    for content in SAMPLES:
        cells.append((to_pil(load_image(content, 2 * WIDTH)), title(content)))
        for style in PAINTINGS:
            pair = found.get((content, style))
            cells.append((to_pil(pair[0].image) if pair else None, ""))
    return contact_sheet(cells, 1 + len(PAINTINGS), WIDTH, font=11)


def title(name: str) -> str:
    """A sample's title and maker, in lines that fit under its picture."""
    sample = SAMPLES[name]
    return textwrap.fill(f"{sample.title}, {sample.maker.split(',')[0]}", 34)


def save_small(picture: Image.Image, path: Path, most: int = MOST) -> None:
    """Save as a JPEG, as good as it can be without being larger than so many bytes."""
    for quality in range(88, 20, -4):
        picture.save(path, quality=quality)
        if path.stat().st_size <= most:
            break


def write(path: Path, found: Found) -> None:
    """All numbers, a line for each picture."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        for (content, style), (made, quality) in found.items():
            row = quality.row()
            if file.tell() == 0:
                table.writerow(["content picture", "style picture", "seconds", *row])
            table.writerow([content, style, f"{made.seconds:.1f}", *row.values()])


if __name__ == "__main__":
    main()
