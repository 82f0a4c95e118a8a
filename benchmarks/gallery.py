"""Paint the sample photo in the style of every sample painting, with the defaults.

    python benchmarks/gallery.py            # writes benchmarks/gallery.jpg

Nothing is chosen by hand: every picture is shown. On one machine, with as many
threads, the same pictures come out each time, bit for bit.
"""

import argparse
import time
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
    pictures: list[tuple[Image.Image, str]], columns: int = 3, width: int = WIDTH, font: int = 18
) -> Image.Image:
    """Pictures in a grid, each over its caption of one line or several."""
    line = round(LINE / 18 * font)
    below = line * max(caption.count("\n") + 1 for _, caption in pictures)
    height = max(round(width * picture.height / picture.width) for picture, _ in pictures)
    rows = -(-len(pictures) // columns)
    sheet = Image.new(
        "RGB",
        (columns * (width + MARGIN) + MARGIN, rows * (height + below + MARGIN) + MARGIN),
        "white",
    )
    draw, letters = ImageDraw.Draw(sheet), ImageFont.load_default(font)
    for place, (picture, caption) in enumerate(pictures):
        left = MARGIN + place % columns * (width + MARGIN)
        top = MARGIN + place // columns * (height + below + MARGIN)
        fitted = picture.resize((width, round(width * picture.height / picture.width)))
        sheet.paste(fitted, (left, top))
        for number, text in enumerate(caption.split("\n")):
            where = (left, top + height + 3 + number * line)
            draw.text(where, text, fill="#333333", font=letters)
    return sheet


if __name__ == "__main__":
    main()
