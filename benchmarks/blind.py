"""Let people judge pictures without knowing which method made them.

    python benchmarks/blind.py sheets FOLDER FOLDER ... --output SHEETS --key KEY.json
    python benchmarks/blind.py tally KEY.json ANSWERS.json ...

Each FOLDER has the pictures of one method, named PHOTO__PAINTING.png; `--pictures` is where
`pictures.py` has put the photos and paintings. A sheet shows one pair: the photo and the painting,
small, and below them the methods' pictures in an order of chance, by the letters A, B, C and so on.
The key says who is who. Keep it away from the judges.

An answer orders the letters of a sheet, the best first. Letters in one string are equally good:

    {"camel__hokusai-great-wave": ["B", "AC"]}
"""

import argparse
import json
import random
import string
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from statistics import fmean

import pictures
from PIL import Image
from shared import MARGIN, Row, contact_sheet, markdown

from stylelib import load_image, to_pil

Key = dict[str, dict[str, str]]  # for each sheet the method behind each letter
Answers = Mapping[str, Sequence[str]]  # for each sheet its letters, the best first
SMALL = 256  # pixels of the photo's and the painting's longest side
LARGE = 640  # pixels of a method's picture in width


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    sheets = commands.add_parser("sheets", help="write a sheet for each pair, and the key")
    sheets.add_argument("methods", type=Path, nargs="+", metavar="FOLDER",
                        help="a method's pictures, named PHOTO__PAINTING.png")  # fmt: skip
    sheets.add_argument("--pictures", type=Path, default=pictures.FOLDER, metavar="FOLDER",
                        help="the photos and paintings")  # fmt: skip
    sheets.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    sheets.add_argument("--key", type=Path, required=True, metavar="FILE",
                        help="in another folder than the sheets")  # fmt: skip
    sheets.add_argument("--columns", type=int, default=2)
    sheets.add_argument("--seed", type=int, help="for the same order again")
    tallied = commands.add_parser("tally", help="count the judges' answers")
    tallied.add_argument("key", type=Path)
    tallied.add_argument("answers", type=Path, nargs="+", help="a file for each judge")
    options = parser.parse_args()
    if options.command == "sheets":
        write_sheets(options)
        return
    judges = [json.loads(path.read_text(encoding="utf-8")) for path in options.answers]
    print(markdown(tally(json.loads(options.key.read_text(encoding="utf-8")), judges)))


def write_sheets(options: argparse.Namespace) -> None:
    """Write a PNG for each pair that all methods have, and the key."""
    methods = {folder.name: folder for folder in options.methods}
    if len(methods) < len(options.methods):
        raise SystemExit("Two of the folders have the same name. Each method needs its own.")
    if options.key.resolve().parent == options.output.resolve():
        raise SystemExit("The key would be among the sheets, where judges see it.")
    pairs = pictures.painted_pairs(methods.values())
    key = shuffled([name.removesuffix(".png") for name in pairs], list(methods), options.seed)
    options.output.mkdir(parents=True, exist_ok=True)
    options.key.parent.mkdir(parents=True, exist_ok=True)
    for name, (photo, painting) in pairs.items():
        originals = [
            to_pil(load_image(pictures.find(original, options.pictures), SMALL))
            for original in (photo, painting)
        ]
        made = {
            letter: Image.open(methods[method] / name).convert("RGB")
            for letter, method in key[name.removesuffix(".png")].items()
        }
        sheet(originals, made, options.columns).save(options.output / name)
    options.key.write_text(json.dumps(key, indent=1), encoding="utf-8")
    print(f"{len(pairs)} sheets are in {options.output}")


def shuffled(sheets: Sequence[str], methods: Sequence[str], seed: int | None = None) -> Key:
    """Give each method a letter, on each sheet another."""
    if len(methods) > len(string.ascii_uppercase):
        raise SystemExit("There are more methods than letters.")
    chance = random.Random(seed)
    return {
        name: dict(zip(string.ascii_uppercase, chance.sample(methods, len(methods)), strict=False))
        for name in sheets
    }


def sheet(
    originals: Sequence[Image.Image], made: Mapping[str, Image.Image], columns: int
) -> Image.Image:
    """The photo and the painting, small, above the pictures with their letters."""
    columns = min(columns, len(made))
    cells = [(picture, letter) for letter, picture in made.items()]
    below = contact_sheet(cells, columns, LARGE, font=32)
    height = max(picture.height for picture in originals)
    whole = Image.new("RGB", (below.width, below.height + height + MARGIN), "white")
    whole.paste(below, (0, height + MARGIN))
    left = MARGIN
    for picture in originals:
        whole.paste(picture, (left, MARGIN))
        left += picture.width + MARGIN
    return whole


def tally(key: Key, judges: Sequence[Answers]) -> list[Row]:
    """Each method's mean rank and its wins, the best first.

    Equally good pictures share their ranks: two behind the best have 2.5 each. A sheet is won by
    the picture that is put first; two that share the first place have half a win each.
    """
    ranks: dict[str, list[Fraction]] = {}
    wins: dict[str, Fraction] = {}
    for answers in judges:
        for name, groups in answers.items():
            if name not in key:
                raise ValueError(f"The key has no sheet {name!r}.")
            given = sorted("".join(groups))
            if given != sorted(key[name]):
                raise ValueError(
                    f"An answer to {name} has the letters {', '.join(given)}. "
                    f"It should have each of {', '.join(sorted(key[name]))} once."
                )
            before = 0
            for group in filter(None, groups):
                for letter in group:
                    method = key[name][letter]
                    shared = before + Fraction(len(group) + 1, 2)
                    ranks.setdefault(method, []).append(shared)
                    won = Fraction(1, len(group)) if before == 0 else Fraction(0)
                    wins[method] = wins.get(method, Fraction(0)) + won
                before += len(group)
    rows: list[Row] = []
    for method, mine in ranks.items():
        won = float(wins[method])
        rows.append(
            {"method": method, "sheets": len(mine), "mean rank": f"{fmean(mine):.2f}",
             "wins": f"{won:g}", "share of wins": f"{won / len(mine):.2f}"}
        )  # fmt: skip
    return sorted(rows, key=lambda row: float(row["mean rank"]))


if __name__ == "__main__":
    main()
