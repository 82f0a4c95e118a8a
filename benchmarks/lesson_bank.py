"""Paint what lessons 04 to 06 show at 512 pixels and could not paint while a student waits.

    python benchmarks/lesson_bank.py

The pictures go to a folder as JPEG files, with an index.json that has their losses, and what
MobileNetV2 (see recognised.py) takes them for. Runs that are there already are left out, so the
script can be stopped and resumed.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from recognised import classes, missing, probabilities

from stylelib import RECIPES, Recipe, Transfer, load_image
from stylelib.core.layers import STYLE_LAYERS

BANK = Path(__file__).resolve().parents[1] / "stylelib" / "lessons" / "target" / "bank"
PHOTO, PAINTING, SIZE = "camel", "hokusai-great-wave", 512
EQUAL = Recipe(
    size=SIZE, steps=60, coarse_to_fine=True, centered=False, style_weight=3.0,
    style_layers=dict.fromkeys(STYLE_LAYERS, 1.0),
)  # fmt: skip
EARLY = (2, 8, 24)  # steps after which a picture is kept, beside the last
RATIOS = {"1 : 0.3": (1, 0.3), "1 : 1": (1, 1), "1 : 3": (1, 3), "1 : 10": (1, 10),
          "1 : 30": (1, 30), "0 : 1": (0, 1)}  # fmt: skip


def plans() -> dict[str, tuple[Recipe, tuple[int, ...]]]:
    """Each run by its name, question and answer: its recipe, and the steps to keep beside the last.

    The first ones are those that the lessons need most.
    """
    found: dict[str, tuple[Recipe, tuple[int, ...]]] = {}
    found["ratio/1 : 0"] = EQUAL.but(style_weight=0.0, steps=1, coarse_to_fine=False), ()
    for label, (content, style) in RATIOS.items():
        recipe = EQUAL.but(content_weight=float(content), style_weight=float(style))
        found[f"ratio/{label}"] = recipe, ()
    found["start/camel"] = EQUAL, EARLY
    found["start/noise"] = EQUAL.but(init="noise"), EARLY
    for layer in STYLE_LAYERS:
        found[f"style layer/{layer} alone"] = EQUAL.but(style_layers={layer: 1.0}), ()
    found["method/neighbours"] = RECIPES["neighbours"].but(size=SIZE), ()
    found["start/painting"] = EQUAL.but(init="style"), EARLY
    return found


def run(name: str, recipe: Recipe, keep: tuple[int, ...], folder: Path) -> list[dict[str, Any]]:
    """Paint one run, and save what is kept of it: a dictionary for each picture."""
    photo, painting = load_image(PHOTO), load_image(PAINTING)
    transfer = Transfer(photo, painting, recipe)
    saved = []
    for step in transfer:
        if step.iteration in keep or step.iteration == recipe.steps:
            words = "".join(c if c.isalnum() else "-" for c in name)
            path = folder / f"{words}-{step.iteration}.jpg"
            store(step.image, path)
            measured = transfer.measure() if recipe.content_layers else None
            losses: Mapping[str, float] = measured.losses if measured else {}
            layers = {k: round(v, 4) for k, v in (measured.layers if measured else {}).items()}
            saved.append({
                "run": name, "step": step.iteration, "file": path.name,
                "losses": {k: round(v, 4) for k, v in losses.items()}, "layers": layers,
                "seen": seen(step.image),
            })  # fmt: skip
    return saved


def store(image: torch.Tensor, path: Path) -> None:
    """Save a picture as a small JPEG."""
    pixels = image[0].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).cpu().numpy()
    Image.fromarray(pixels).save(path, quality=74, optimize=True, progressive=True)


def seen(image: torch.Tensor) -> dict[str, float]:
    """The three classes that MobileNetV2 is most sure of, and the camel's; how sure, 0 to 1."""
    chances = probabilities(image.cpu().float())
    best = chances.argsort(descending=True)[:3].tolist()
    camel = classes().index("Arabian camel")
    return {classes()[i]: round(float(chances[i]), 3) for i in dict.fromkeys([*best, camel])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=BANK, help="a folder")
    parser.add_argument("--only", nargs="+", default=[""], help="how the names of the runs begin")
    options = parser.parse_args()
    folder, only = options.output, options.only
    if absent := missing():
        raise SystemExit(f"These packages are missing: {', '.join(absent)}. See recognised.py.")
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.json"

    def known() -> list[dict[str, Any]]:
        return json.loads(index.read_text(encoding="utf-8")) if index.exists() else []

    for name, (recipe, keep) in plans().items():
        if name.startswith(tuple(only)) and not any(each["run"] == name for each in known()):
            made = run(name, recipe, keep, folder)
            order = list(plans())
            done = sorted(known() + made, key=lambda one: (order.index(one["run"]), one["step"]))
            index.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
            print(name, made[-1]["losses"], made[-1]["seen"], flush=True)


if __name__ == "__main__":
    main()
