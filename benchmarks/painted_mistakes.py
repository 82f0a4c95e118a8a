"""Paint what the usual mistakes of the lessons' exercises paint: a small picture for each.

    python benchmarks/painted_mistakes.py

A wrong answer that has one shows it beside its hint. The settings are those of a student's own
painter, with one function replaced by a wrong one.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lesson_bank import PAINTING, PHOTO, store
from torch import Tensor

from stylelib import load_image, style_loss
from stylelib.lessons.own import paint_with_my_code

FOLDER = Path(__file__).resolve().parents[1] / "stylelib" / "lessons" / "painted"
SIZE, STEPS = 256, 45


def rows(maps: Tensor) -> Tensor:
    return maps.flatten(2)


def mixed(maps: Tensor) -> Tensor:
    cut = maps.permute(0, 2, 3, 1).reshape(*maps.shape[:2], -1)
    return cut @ cut.mT / cut.shape[-1]


def places(maps: Tensor) -> Tensor:
    # Early layers have too many positions for a table of all pairs.
    small = torch.nn.functional.adaptive_avg_pool2d(maps, (18, 32))
    return rows(small).mT @ rows(small) / maps.shape[1]


def steps(rate_factor: float = 1, sign: int = 1, zero: bool = True) -> Callable[..., Tensor]:
    def descend(image: Tensor, loss: Callable[[Tensor], Tensor], rate: float, count: int) -> Tensor:
        pixels = image.clone().requires_grad_()
        optimizer = torch.optim.Adam([pixels], lr=rate * rate_factor)
        for _ in range(count):
            if zero:
                optimizer.zero_grad()
            (sign * loss(pixels)).backward()
            optimizer.step()
            pixels.data.clamp_(0, 1)
        return pixels.detach()

    return descend


def only(which: slice) -> Callable[..., Tensor]:
    return lambda g, t, w: style_loss(g, t, {name: w[name] for name in list(w)[which]})


MISTAKES: dict[str, dict[str, Callable[..., Any]]] = {
    "right": {},
    "gram-sum": {"my_gram": lambda maps: rows(maps) @ rows(maps).mT},
    "gram-positions": {"my_gram": places},
    "gram-mixed": {"my_gram": mixed},
    "content-sum": {"my_mse": lambda a, b: (a - b).square().sum()},
    "style-last-layer": {"my_style_loss": only(slice(-1, None))},
    "style-first-layer": {"my_style_loss": only(slice(0, 1))},
    "style-detached": {"my_target_loss": lambda c, s, a, b: a * c + b * s.detach()},
    "weights-swapped": {"my_target_loss": lambda c, s, a, b: b * c + a * s},
    "style-minus": {"my_target_loss": lambda c, s, a, b: a * c - b * s},
    "never-zeroed": {"my_steps": steps(zero=False)},
    "uphill": {"my_steps": steps(sign=-1)},
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=FOLDER, help="a folder")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    photo, painting = load_image(PHOTO), load_image(PAINTING)
    for name, functions in MISTAKES.items():
        path = folder / f"{name}.jpg"
        if path.exists():
            continue
        # Sums grow with the picture, so a painting of another size shows what is wrong with them.
        scale = 2.0 if name == "gram-sum" else 1.0
        made = paint_with_my_code(
            photo, painting, SIZE, STEPS, functions=functions, painting_scale=scale
        )
        assert made.image is not None
        store(made.image, path)
        print(name, flush=True)


if __name__ == "__main__":
    main()
