"""Make the pictures that lessons 01 and 02 show at once, because making them takes too long.

    python benchmarks/early_bank.py reconstructions   # lesson 02
    python benchmarks/early_bank.py wanted            # lesson 01

Together they take about 20 minutes of a quiet processor core.

Each goes to a folder of JPEG files with an index.json. What is there already is left out, so the
script can be stopped and resumed.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from stylelib import RECIPES, Recipe, Transfer, load_image
from stylelib.lessons.cnn import wanted as visualisation
from stylelib.lessons.content.compute import CONTENT_LAYERS, DEPTHS, relative_distances

LESSONS = Path(__file__).resolve().parents[1] / "stylelib" / "lessons"
PHOTO, PAINTING, SIZE, STEPS = "camel", "hokusai-great-wave", 384, 60
EARLY = (4, 15)  # steps after which a picture is kept, beside the last
QUALITY, EARLY_QUALITY = 70, 50  # of the JPEG files: noise takes much room
SMOOTH = 3.0  # weight of total variation
CHANNELS = {
    "conv2_1": (12, 30, 64),
    "conv3_1": (5, 60, 104),
    "conv3_4": (20, 91, 130),
    "conv4_1": (60, 190, 330),
    "conv4_4": (134, 178, 379),
}


def reconstructions() -> dict[str, Recipe]:
    """The runs of lesson 02, each by its start and the layer that it is made from."""
    bare = Recipe(style_layers={}, size=SIZE, steps=STEPS, coarse_to_fine=False, init="noise")
    starts = {
        "noise, smooth": bare.but(tv_weight=SMOOTH),
        "noise": bare,
        "Great Wave": bare.but(init="style"),
    }
    runs = {
        f"{start}/{layer}": recipe.but(content_layers={layer: 1.0})
        for start, recipe in starts.items()
        for layer in CONTENT_LAYERS
    }
    gram = RECIPES["gram"].but(size=512)
    for layer in CONTENT_LAYERS[1::2] + CONTENT_LAYERS[-1:]:
        runs[f"painted/{layer}"] = gram.but(content_layers={layer: 1.0})
    return runs


def reconstruct(name: str, recipe: Recipe, folder: Path) -> list[dict[str, Any]]:
    """One run: a dictionary for each picture that is kept."""
    transfer = Transfer(load_image(PHOTO), load_image(PAINTING), recipe)
    losses, saved = [], []
    for step in transfer:
        losses.append(round(step.losses["content"], 4))  # of the picture before this step
        keep = EARLY if recipe.init != "content" else ()
        if step.iteration in (*keep, recipe.steps):
            path = folder / f"{name.replace(', ', '-').replace(' ', '-').replace('/', '-')}"
            path = path.with_name(f"{path.name}-{step.iteration}.jpg")
            store(step.image, path, QUALITY if step.iteration == recipe.steps else EARLY_QUALITY)
            saved.append({"run": name, "step": step.iteration, "file": path.name})
    losses.append(round(transfer.measure().losses["content"], 4))
    photo = load_image(PHOTO, recipe.size)
    errors = relative_distances(transfer.image, photo, DEPTHS)
    saved[-1]["losses"] = losses
    saved[-1]["errors"] = {layer: round(error, 4) for layer, error in errors.items()}
    return saved


def wanted(folder: Path, done: list[dict[str, Any]]) -> None:
    """What some channels want to see; for the first of each layer without regularisers, too."""
    for position in range(3):
        for layer, channels in CHANNELS.items():
            for readable in (True, False) if position == 0 else (True,):
                channel, kind = channels[position], "readable" if readable else "bare"
                path = folder / f"{layer}-{channel}-{kind}.jpg"
                if any(each["file"] == path.name for each in done):
                    continue
                store(visualisation.wanted(layer, channel, readable=readable), path)
                done.append({"layer": layer, "channel": channel, "kind": kind, "file": path.name})
                write(folder, done)
                print(layer, channel, kind, flush=True)


def store(image: Tensor, path: Path, quality: int = QUALITY) -> None:
    """Save a picture as a small JPEG."""
    pixels = np.asarray(image[0].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).cpu())
    Image.fromarray(pixels).save(path, quality=quality, optimize=True, progressive=True)


def read(folder: Path) -> list[dict[str, Any]]:
    """What is there already."""
    index = folder / "index.json"
    return json.loads(index.read_text(encoding="utf-8")) if index.exists() else []


def write(folder: Path, new: list[dict[str, Any]]) -> None:
    """Add to what is there; two of these scripts may run at the same time."""
    files = {each["file"]: each for each in [*read(folder), *new]}
    lines = ",\n".join(json.dumps(each) for each in files.values())
    (folder / "index.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("reconstructions", "wanted"))
    parser.add_argument("--only", default="", help="runs whose name begins with this")
    options = parser.parse_args()
    what = options.what
    folder = LESSONS / ("content" if what == "reconstructions" else "cnn") / "bank"
    folder.mkdir(parents=True, exist_ok=True)
    if what == "wanted":
        wanted(folder, read(folder))
        return
    for name, recipe in reconstructions().items():
        if name.startswith(options.only) and all(each["run"] != name for each in read(folder)):
            new = reconstruct(name, recipe, folder)
            write(folder, new)
            print(name, new[-1]["losses"][-1], flush=True)


if __name__ == "__main__":
    main()
