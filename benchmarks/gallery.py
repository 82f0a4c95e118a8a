"""Paint the sample photo in the style of every sample painting, with the default settings.

    python benchmarks/gallery.py            # writes gallery.jpg
    python benchmarks/gallery.py --all      # every sample: writes all-pairs.jpg and all-pairs.csv

Nothing is chosen by hand: pairs that don't suit each other are shown as well. It can be stopped
at any time and resumed: what was painted is kept in benchmarks/cache.
"""

import textwrap

from PIL import Image
from quality import Result, paint_and_measure
from shared import contact_sheet, machine, options_parser, save_sheet, write_table

from stylelib import RECIPES, SAMPLES, load_image, to_pil

DEFAULT = RECIPES["default"]
PAINTINGS = [name for name, sample in SAMPLES.items() if sample.kind == "painting"]
WIDTH = 220  # pixels of a picture on the sheet of all pairs
Results = dict[tuple[str, str], Result]


def main() -> None:
    parser = options_parser(__doc__, size=DEFAULT.size, steps=DEFAULT.steps)
    parser.add_argument("--all", action="store_true", help="every sample in place of the photo")
    options = parser.parse_args()
    print(machine(), flush=True)
    recipe = DEFAULT.but(size=options.size, steps=options.steps)
    results: Results = {}
    for content, style in all_pairs() if options.all else [("camel", name) for name in PAINTINGS]:
        results[content, style] = result = paint_and_measure(content, style, recipe)
        print(f"{content}, {style}: {result.seconds:.0f} s", flush=True)
    if not options.all:
        save_sheet(photo_sheet(results), options.output / "gallery.jpg", quality=88)
        return
    save_sheet(sheet(results), options.output / "all-pairs.jpg", quality=65)
    rows = [
        {"content picture": content, "style picture": style, "seconds": f"{result.seconds:.1f}"}
        | result.quality.row()
        for (content, style), result in results.items()
    ]
    write_table(options.output / "all-pairs.csv", rows)


def all_pairs() -> list[tuple[str, str]]:
    """Each sample with each painting except itself."""
    return [(content, style) for content in SAMPLES for style in PAINTINGS if content != style]


def photo_sheet(results: Results) -> Image.Image:
    """The photo and its pictures."""
    cells = [(to_pil(load_image("camel")), "The photo")]
    cells += [(to_pil(result.image), title(style)) for (_, style), result in results.items()]
    return contact_sheet(cells, 3, width=480, font=18)


def sheet(results: Results) -> Image.Image:
    """A row for each content picture, to the left, and a column for each painting, above."""

    def sample(name: str) -> tuple[Image.Image, str]:
        return to_pil(load_image(name, 2 * WIDTH)), textwrap.fill(title(name), 34)

    cells: list[tuple[Image.Image | None, str]] = [(None, "Down: the content.\nAcross: the style.")]
    cells += map(sample, PAINTINGS)
    for content in SAMPLES:
        cells.append(sample(content))
        for style in PAINTINGS:
            result = results.get((content, style))
            cells.append((to_pil(result.image) if result else None, ""))
    return contact_sheet(cells, 1 + len(PAINTINGS), WIDTH, font=11)


def title(name: str) -> str:
    """A sample's title and its maker."""
    sample = SAMPLES[name]
    return f"{sample.title}, {sample.maker.split(',')[0]}"


if __name__ == "__main__":
    main()
