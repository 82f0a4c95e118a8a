"""Numbers that help the eye: how much content a picture kept, and how close its style came.

    python benchmarks/quality.py PHOTO PICTURE ... --painting PAINTING
    python benchmarks/quality.py --methods FOLDER ... --pictures FOLDER --json FILE

No number says whether a picture is good: look at it first. The numbers tell you what to look
for. `Quality` lists them with their ranges; the methods themselves minimise numbers like these.
The table is therefore of numbers that no method minimises, `recognised.Recognised`. Beside them it
has the style distance, which can't tell where anything is: a picture in which the photo is lost
may have the smallest.

With `--methods` each folder has the pictures of one method, named PHOTO__PAINTING.png, and
`--pictures` is where `pictures.py` has put the photos and paintings.
"""

import stylelib  # noqa: F401 - before torch: it settles how threads wait

# isort: split
import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean

import pictures
import torch
from recognised import recognise
from shared import Row, markdown, painted
from torch import Tensor
from torch.nn import functional as F

from stylelib import VGG19, Recipe, Transfer, gram_matrix, load_image, load_vgg19, resize
from stylelib.core.layers import CONTENT_LAYER, STYLE_LAYERS
from stylelib.pictures.images import resize_to

SCALES = (1.0, 0.5, 0.25)
SMALLEST = 32  # pixels on the shorter side: of smaller pictures conv5_1 sees next to nothing
GREY = (0.299, 0.587, 0.114)  # brightness of red, green and blue (ITU-R BT.601)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photo", type=Path, nargs="?")
    parser.add_argument("pictures", type=Path, nargs="*", help="made from the photo")
    parser.add_argument("--painting", type=Path, help="whose style the pictures have")
    parser.add_argument("--methods", type=Path, nargs="+", metavar="FOLDER",
                        help="a method's pictures, named PHOTO__PAINTING.png")  # fmt: skip
    parser.add_argument("--pictures", type=Path, dest="originals", metavar="FOLDER",
                        default=pictures.FOLDER, help="the photos and paintings")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table there as well")
    options = parser.parse_args()
    if options.methods:
        rows = method_rows({path.name: path for path in options.methods}, options.originals)
    elif options.pictures:
        rows = [
            {"picture": path.name} | picture_row(path, options.photo, options.painting)
            for path in options.pictures
        ]
    else:
        parser.error("give a photo and pictures that were made from it, or --methods")
    report = {"pictures": rows}
    print(markdown(map(readable, rows)))
    if options.methods:
        report["methods"] = means(rows)
        print("\n" + markdown(map(readable, report["methods"])))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


def method_rows(methods: Mapping[str, Path], originals: Path) -> list[Row]:
    """A row for each pair and each method, whose folder has the pictures PHOTO__PAINTING.png."""
    return [
        {"method": method, "photo": photo, "painting": painting}
        | picture_row(
            folder / name, pictures.find(photo, originals), pictures.find(painting, originals)
        )
        for name, (photo, painting) in pictures.painted_pairs(methods.values()).items()
        for method, folder in methods.items()
    ]


def picture_row(picture: Path, photo: Path | str, painting: Path | str | None) -> Row:
    """What no method minimises, and the style distance, of one picture; None: nothing to tell."""
    made = load_image(picture)
    size = (made.shape[-2], made.shape[-1])
    before = load_image(photo)
    row = recognise(made, resize_to(before, size)).row()
    style = measure(made, before, load_image(painting), judge()).distance if painting else None
    return row | {"style": style}


def means(rows: Sequence[Row]) -> list[Row]:
    """Each method's means over the pairs where there was something to tell."""
    table = []
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == method]
        numbers: Row = {"method": method, "pairs": len(mine)}
        for name in ("sure", "letters", "faces", "style"):
            known = [row[name] for row in mine if row[name] is not None]
            numbers[name] = fmean(known) if known else None
        ranks = [row["rank"] for row in mine if row["rank"] is not None]
        numbers["class kept"] = sum(rank == 1 for rank in ranks) / len(ranks) if ranks else None
        table.append(numbers)
    return table


def readable(row: Row) -> Row:
    """The row with numbers cut short and a dash where there is none."""
    return {
        name: "–" if value is None else f"{value:.2f}" if isinstance(value, float) else value
        for name, value in row.items()
    }


@dataclass(frozen=True)
class Quality:
    """The measurements of one picture.

    Attributes
    ----------
    content : float, -1 to 1
        Correlation of the feature maps at conv4_2 with those of the photo: 1 for the photo
        itself, about 0 for an unrelated picture.
    edges : float, -1 to 1
        Correlation of the brightness gradients with those of the photo.
    style : dict of (layer, scale) to float, 0 or more
        Distance of the Gram matrix to that of the painting, relative to the norm of the
        painting's: 0 for the painting itself.
    noise : float, 0 or more
        Roughness from pixel to pixel relative to that of the painting: 1 if equally rough.
    clipped : float, 0 to 1
        Fraction of the pixels with a colour at 0 or 255.
    """

    content: float
    edges: float
    style: dict[tuple[str, float], float]
    noise: float
    clipped: float

    @property
    def distance(self) -> float:
        """The mean of `style` over layers and scales."""
        return fmean(self.style.values())

    def row(self) -> dict[str, str]:
        """All numbers by name, for a table."""
        layers = sorted({layer for layer, _ in self.style})
        means = {
            f"style {layer}": fmean(d for (name, _), d in self.style.items() if name == layer)
            for layer in layers
        }
        scales = {
            f"style at {scale:g}": fmean(d for (_, at), d in self.style.items() if at == scale)
            for scale in sorted({scale for _, scale in self.style}, reverse=True)
        }
        numbers = {"content": self.content, "edges": self.edges, "style": self.distance}
        numbers |= means | scales | {"noise": self.noise, "clipped": self.clipped}
        return {name: f"{number:.3f}" for name, number in numbers.items()}

    def caption(self) -> list[str]:
        """The most telling numbers in two short lines."""
        return [
            f"content {self.content:.2f}  edges {self.edges:.2f}  style {self.distance:.2f}",
            f"noise {self.noise:.2f}  clipped {100 * self.clipped:.0f} %",
        ]


@dataclass(frozen=True)
class Result:
    """A picture, the seconds that it took, and its measurements."""

    image: Tensor
    seconds: float
    quality: Quality


def paint_and_measure(content: str, style: str, recipe: Recipe, device: str = "auto") -> Result:
    """Paint one sample in the style of another, unless the cache has the picture."""
    key = {"content": content, "style": style, "recipe": recipe.as_dict(), "device": device}
    pictures = load_image(content), load_image(style)
    made = painted(key, lambda: Transfer(*pictures, recipe, device=device).run())
    return Result(made.image, made.seconds, measure(made.image, *pictures, judge()))


@cache
def judge() -> VGG19:
    """The network that all pictures are measured with."""
    return load_vgg19(last="conv5_1", padding="replicate")


@torch.no_grad()
def measure(picture: Tensor, photo: Tensor, painting: Tensor, network: VGG19) -> Quality:
    """Measure a picture, shape (1, 3, H, W), that shows a photo in the style of a painting."""
    photo = resize_to(photo, (picture.shape[-2], picture.shape[-1]))
    painting = resize(painting, max(picture.shape[-2:]))
    maps = network(torch.cat([picture, photo]), [CONTENT_LAYER])[CONTENT_LAYER]
    return Quality(
        content=correlation(maps[0], maps[1]),
        edges=correlation(steepness(picture)[0], steepness(photo)[0]),
        style=style_distances(picture, painting, network),
        noise=roughness(picture) / max(roughness(painting), 1e-6),
        clipped=clipped(picture),
    )


def correlation(a: Tensor, b: Tensor) -> float:
    """The correlation of two stacks of maps, (C, H, W), over all positions.

    The mean of each map is subtracted first, so that only *where* it responds counts.
    """
    a, b = (x - x.mean((-2, -1), keepdim=True) for x in (a.double(), b.double()))
    return float((a * b).sum() / (a.norm() * b.norm()).clamp_min(1e-12))


def steepness(image: Tensor) -> Tensor:
    """The magnitude of the brightness gradient around each pixel, (1, 1, H, W).

    This is the Sobel gradient averaged over 3 x 3 pixels, so that an edge may be off by one
    pixel.
    """
    down = torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]) / 8
    kernels = torch.stack([down, down.T]).unsqueeze(1)
    slopes = F.conv2d(F.pad(grey(image), (1, 1, 1, 1), mode="replicate"), kernels)
    return F.avg_pool2d(slopes.norm(dim=1, keepdim=True), 3, 1, 1, count_include_pad=False)


def style_distances(
    picture: Tensor,
    painting: Tensor,
    network: VGG19,
    layers: Sequence[str] = STYLE_LAYERS,
    scales: Sequence[float] = SCALES,
) -> dict[tuple[str, float], float]:
    """Relative distance of the Gram matrices by layer and scale; both pictures are scaled."""
    distances = {}
    for scale in scales:
        if scale != 1 and scale * min(*picture.shape[-2:], *painting.shape[-2:]) < SMALLEST:
            continue
        maps = [
            network(resize(image, round(scale * max(image.shape[-2:]))), layers)
            for image in (picture, painting)
        ]
        for layer in layers:
            found, wanted = (gram_matrix(seen[layer]) for seen in maps)
            distance = (found - wanted).norm() / wanted.norm().clamp_min(1e-12)
            distances[layer, scale] = float(distance)
    return distances


def roughness(image: Tensor) -> float:
    """Root mean square difference of each pixel's brightness to the mean of its 3 x 3 pixels."""
    light = grey(image)
    smooth = F.avg_pool2d(F.pad(light, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return float((light - smooth).square().mean().sqrt())


def clipped(image: Tensor) -> float:
    """Fraction of the pixels with a colour at 0 or 255 when stored in 8 bits."""
    levels = image.mul(255).round()
    return float(((levels <= 0) | (levels >= 255)).any(1).float().mean())


def grey(image: Tensor) -> Tensor:
    """The brightness of each pixel, (B, 1, H, W)."""
    return (image * torch.tensor(GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)


if __name__ == "__main__":
    main()
