"""Change one setting of the default recipe at a time: pictures and numbers.

    python benchmarks/contact.py            # sheets and contact.csv, hours on a laptop
    python benchmarks/contact.py --size 160 --steps 60 --only pooling padding

Writes a contact sheet for each pair of pictures, with the setting and the numbers of
`quality.py` below each picture, and a table of all numbers. It can be stopped at any time and
resumed: what was painted is kept in benchmarks/cache. It runs on one thread, so that one machine
makes the same pictures each time.
"""

from statistics import median

import torch
from PIL import Image
from quality import Result, paint_and_measure
from shared import (
    DEFAULT,
    PAIRS,
    Row,
    contact_sheet,
    markdown,
    options_parser,
    save_sheet,
    write_table,  # fmt: skip
)

from stylelib import RECIPES, Recipe, load_image, to_pil
from stylelib.core.layers import STYLE_LAYERS

CHANGES: dict[str, dict[str, object]] = {
    "default": {},
    "style_weight: 8": {"style_weight": 8.0},
    "content also at conv5_2, style_weight: 8": {
        "content_layers": {"conv4_2": 1.0, "conv5_2": 1.0},
        "style_weight": 8.0,
    },
    # At the default style weight, the Gram matrix that is not centred and mean_std keep more
    # content. A larger weight shows what they keep when they come as close to the painting.
    "Gram matrix not centred": {"centered": False},
    "Gram matrix not centred, style_weight: 8": {"centered": False, "style_weight": 8.0},
    "Gram matrix not centred, style_weight: 16": {"centered": False, "style_weight": 16.0},
    # This balance is not relative, so it needs the weight of its recipe as well.
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
SHOWN = ["content", "edges", "style", "noise", "clipped"]
Results = dict[tuple[int, str], Result]  # by the pair's number and the change


def main() -> None:
    parser = options_parser(
        __doc__, size=DEFAULT.size, steps=DEFAULT.steps, pairs=list(range(1, len(PAIRS) + 1))
    )
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD",
                        help="only changes whose name contains one of these words")  # fmt: skip
    options = parser.parse_args()
    torch.set_num_threads(1)
    recipes = variants(DEFAULT.but(size=options.size, steps=options.steps), options.only)
    results: Results = {}
    for name, recipe in recipes.items():
        for number in options.pairs:
            results[number, name] = result = paint_and_measure(*PAIRS[number - 1], recipe, "cpu")
            print(f"{number}. {name}: {'; '.join(result.quality.caption())}", flush=True)
    for number in options.pairs:
        one = {name: results[number, name] for name in recipes}
        picture = sheet(*PAIRS[number - 1], options.size, one)
        save_sheet(picture, options.output / f"contact-{number}.jpg", quality=64)
    write_table(options.output / "contact.csv", table(results))
    print(markdown(summary(results)))


def variants(recipe: Recipe, words: list[str]) -> dict[str, Recipe]:
    """The recipe, and those of its changes whose name contains one of the words.

    A change without effect is left out: at a small size, coarse to fine has one stage only.
    """
    chosen = {}
    for name, changes in CHANGES.items():
        changed = recipe.but(**changes)
        same = not changed.coarse_to_fine and len(recipe.stages()) == 1
        if not changes or (not same and any(word in name for word in words)):
            chosen[name] = changed
    return chosen


def sheet(content: str, style: str, size: int, results: dict[str, Result]) -> Image.Image:
    """Photo, painting, and each result above its setting and numbers."""
    cells = [
        (to_pil(load_image(content, size)), f"{content}\nthe content"),
        (to_pil(load_image(style, size)), f"{style}\nthe style"),
    ]
    for name, result in results.items():
        cells.append((to_pil(result.image), "\n".join([name, *result.quality.caption()])))
    return contact_sheet(cells, columns=5, width=240, font=12)


def table(results: Results) -> list[Row]:
    """All numbers, pair by pair."""
    rows = []
    for (number, name), result in sorted(results.items(), key=lambda item: item[0][0]):
        content, style = PAIRS[number - 1]
        names = {"content picture": content, "style picture": style, "setting": name}
        rows.append(names | result.quality.row())
    return rows


def summary(results: Results) -> list[Row]:
    """The effect of each change: medians over the pairs."""
    rows = []
    for name in dict.fromkeys(name for _, name in results):
        each = [result.quality.row() for (_, other), result in results.items() if other == name]
        numbers = {shown: median(float(row[shown]) for row in each) for shown in SHOWN}
        rows.append({"setting": name} | {key: f"{number:.2f}" for key, number in numbers.items()})
    return rows


if __name__ == "__main__":
    main()
