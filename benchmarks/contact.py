"""One setting changed at a time, from the default recipe: pictures and numbers.

    python benchmarks/contact.py                    # sheets and contact.csv, hours on a laptop
    python benchmarks/contact.py --size 160 --steps 60 --only pooling padding

Writes a contact sheet for each pair of pictures, the setting and `quality`'s numbers under
each picture, and all numbers as a table. It can be stopped at any time: what was painted is
kept in benchmarks/cache, and not painted again. On one thread, so that one machine gives the
same pictures each time.
"""

import argparse
import csv
from pathlib import Path
from statistics import median

import torch
from cache import Painted, painted
from gallery import contact_sheet
from quality import Quality, measure

from stylelib import RECIPES, Recipe, Transfer, load_image, load_vgg19, to_pil
from stylelib.core.vgg import STYLE_LAYERS

HERE = Path(__file__).parent
DEFAULT = RECIPES["default"]
AS_SHIPPED = "default"

# A photo, a portrait, flat graphics, and an abstract picture, by paintings of different kinds.
PAIRS = [
    ("camel", "hokusai-great-wave"),
    ("camel", "kandinsky-composition-viii"),
    ("camel", "renoir-moulin-de-la-galette"),
    ("cassatt-summertime", "van-gogh-village-street-in-auvers"),
    ("hiroshige-horse-mackerel-and-prawn", "hokusai-poppies"),
    ("kandinsky-composition-viii", "hiroshige-inokashira-snow"),
]

CHANGES: dict[str, dict[str, object]] = {
    AS_SHIPPED: {},
    "style_weight: 8": {"style_weight": 8.0},
    "content also at conv5_2, style_weight: 8": {
        "content_layers": {"conv4_2": 1.0, "conv5_2": 1.0},
        "style_weight": 8.0,
    },
    # Not centred, and mean_std, keep more content at the default's style weight; more of it
    # shows what they keep when they are as near to the painting as the default.
    "Gram matrix not centred": {"centered": False},
    "Gram matrix not centred, style_weight: 8": {"centered": False, "style_weight": 8.0},
    "Gram matrix not centred, style_weight: 16": {"centered": False, "style_weight": 16.0},
    # The source's balance is not relative: it needs the source's weight, too.
    "balance: source": {"balance": "source", "style_weight": RECIPES["source"].style_weight},
    "style layers: equal": {"style_layers": dict.fromkeys(STYLE_LAYERS, 1.0)},
    "pooling: average": {"pooling": "average"},
    "padding: zeros": {"padding": "zeros"},
    "tv_weight: 10": {"tv_weight": 10.0},
    "init: noise": {"init": "noise"},
    "init: style": {"init": "style"},
    "statistic: mean_std": {"statistic": "mean_std"},
    "statistic: mean_std, style_weight: 8": {"statistic": "mean_std", "style_weight": 8.0},
    "statistic: mean_std, style_weight: 16": {"statistic": "mean_std", "style_weight": 16.0},
    "statistic: sliced": {"statistic": "sliced"},
    "optimizer: adam": {"optimizer": "adam"},
    "coarse_to_fine: off": {"coarse_to_fine": False},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=DEFAULT.size, help="longest side, in pixels")
    parser.add_argument("--steps", type=int, default=DEFAULT.steps)
    parser.add_argument("--pairs", type=int, nargs="+", default=range(1, len(PAIRS) + 1),
                        help=f"numbers from 1 to {len(PAIRS)}")  # fmt: skip
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD",
                        help="the changes whose name has one of these words")  # fmt: skip
    parser.add_argument("--output", type=Path, default=HERE, help="a folder")
    parser.add_argument("--name", default="contact", help="how the files' names begin")
    options = parser.parse_args()
    torch.set_num_threads(1)
    recipes = variants(DEFAULT.but(size=options.size, steps=options.steps), options.only)
    judge = load_vgg19(last="conv5_1", padding="replicate")
    found: dict[tuple[int, str], tuple[Painted, Quality]] = {}
    for name, recipe in recipes.items():  # change by change: stopped early, all pairs have some
        for number in options.pairs:
            content, style = PAIRS[number - 1]
            made = paint(content, style, recipe)
            quality = measure(made.image, load_image(content), load_image(style), judge)
            found[number, name] = made, quality
            print(f"{content} / {style}, {name}: {'; '.join(quality.caption())}", flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    for number in options.pairs:
        one = {name: found[number, name] for name in recipes}
        sheet(*PAIRS[number - 1], options.size, one).save(
            options.output / f"{options.name}-{number}.jpg", quality=64
        )
    write(options.output / f"{options.name}.csv", found)
    print(summary(found))


def variants(recipe: Recipe, words: list[str]) -> dict[str, Recipe]:
    """The recipe, and with one change at a time those that have one of these words.

    A change that changes nothing is left out: coarse to fine at a small size.
    """
    chosen = {}
    for name, changes in CHANGES.items():
        changed = recipe.but(**changes)
        same = not changed.coarse_to_fine and len(recipe.stages()) == 1
        if name == AS_SHIPPED or (not same and any(word in name for word in words)):
            chosen[name] = changed
    return chosen


def paint(content: str, style: str, recipe: Recipe) -> Painted:
    """The picture that a recipe gives of a pair of samples."""

    def transfer() -> torch.Tensor:
        pictures = load_image(content), load_image(style)
        return Transfer(*pictures, recipe, device="cpu").run()

    what = {"content": content, "style": style, "recipe": recipe.as_dict()}
    return painted(what, transfer)


def sheet(content: str, style: str, size: int, found: dict[str, tuple[Painted, Quality]]):
    """Photo, painting, and each picture over its setting and numbers."""
    pictures = [
        (to_pil(load_image(content, size)), f"{content}\nthe content"),
        (to_pil(load_image(style, size)), f"{style}\nthe style"),
    ]
    for name, (made, quality) in found.items():
        pictures.append((to_pil(made.image), "\n".join([name, *quality.caption()])))
    return contact_sheet(pictures, columns=5, width=240, font=12)


def write(path: Path, found: dict[tuple[int, str], tuple[Painted, Quality]]) -> None:
    """All numbers, a line for each picture."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        for (number, name), (_, quality) in sorted(found.items(), key=lambda item: item[0][0]):
            row = quality.row()
            if file.tell() == 0:
                table.writerow(["content picture", "style picture", "setting", *row])
            table.writerow([*PAIRS[number - 1], name, *row.values()])


def summary(found: dict[tuple[int, str], tuple[Painted, Quality]]) -> str:
    """What each change does: the median over the pairs, with the default first."""
    lines = [f"| setting | {' | '.join(SHOWN)} |", "|---" * (len(SHOWN) + 1) + "|"]
    for name in dict.fromkeys(name for _, name in found):
        ours = [quality.row() for (_, n), (_, quality) in found.items() if n == name]
        cells = [f"{median(float(row[number]) for row in ours):.2f}" for number in SHOWN]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


SHOWN = ["content", "edges", "style", "noise", "clipped"]

if __name__ == "__main__":
    main()
