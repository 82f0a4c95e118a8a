"""Paint the sample photo in the style of every sample painting, with the defaults.

    python benchmarks/gallery.py            # writes benchmarks/gallery.jpg

Nothing is chosen by hand: every picture is shown. On one machine, with as many
threads, the same pictures come out each time, bit for bit.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from stylelib import RECIPES, SAMPLES, Transfer, load_image, to_pil

WIDTH, MARGIN, LINE = 480, 12, 26  # pixels; the line for letters of 18


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--content", default="camel", help="a sample's name or a file")
    parser.add_argument("--size", type=int, default=RECIPES["default"].size)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".jpg"))
    options = parser.parse_args()
    recipe = RECIPES["default"].but(size=options.size)
    content = load_image(options.content)
    rows = [(to_pil(content), "The photo")]
    for name, sample in SAMPLES.items():
        if sample.kind != "painting":
            continue
        start = time.perf_counter()
        image = Transfer(content, load_image(name), recipe).run()
        print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
        rows.append((to_pil(image), f"{sample.title}, {sample.maker.split(',')[0]}"))
    contact_sheet(rows).save(options.output, quality=88)
    print(f"wrote {options.output}")


def contact_sheet(
    pictures: Sequence[tuple[Image.Image | None, str]],
    columns: int = 3,
    width: int = WIDTH,
    font: int = 18,
) -> Image.Image:
    """Pictures in a grid, each over its caption of some lines or none; None leaves a gap.

    A row is as high as its highest picture and caption.
    """
    line = round(LINE / 18 * font)
    rows = [pictures[first : first + columns] for first in range(0, len(pictures), columns)]
    heights = [max(scaled(picture, width) for picture, _ in row) for row in rows]
    below = [line * max(len(caption.splitlines()) for _, caption in row) for row in rows]
    sheet = Image.new(
        "RGB",
        (
            columns * (width + MARGIN) + MARGIN,
            sum(heights) + sum(below) + MARGIN * (len(rows) + 1),
        ),
        "white",
    )
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
    """How high a picture is when it is so wide."""
    return round(width * picture.height / picture.width) if picture else 0


if __name__ == "__main__":
    main()
