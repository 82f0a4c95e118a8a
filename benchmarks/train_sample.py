"""Train the feed-forward network of eight paintings that comes with stylelib.

    python benchmarks/pictures.py           # collects the photos that it learns from
    python benchmarks/train_sample.py --threads 1 --style-weight 5 --minutes 32 --output first.pt
    python benchmarks/train_sample.py --threads 1 --style-weight 2 --start first.pt --minutes 24 \
        --output second.pt
    python benchmarks/train_sample.py --threads 1 --start second.pt --minutes 7

That is how it was trained, some 7,000 steps in all. The first training was stopped after 1,284 of
them: colours and strokes were there, but the camel was lost. At the smaller style weight of the
second one she came back. These two saw photos at 0.4 to 1.3 times the recipe's size; the last one,
as is usual now, up to 1.8 times: at 512 pixels its pictures were grey before.

It writes stylelib/pictures/samples/eight-paintings.pt and, on the way, what the camel looks like
to cache/eight-paintings.png. Stopped and started again, it goes on. Without `--start` it begins
with the convolutions of hokusai-great-wave.pt, which was trained on a single painting. With
`--steps`, on one machine with the same number of threads, the same network comes out each time.
"""

import argparse
from pathlib import Path
from statistics import fmean

import torch
from pictures import FOLDER
from shared import CACHE, options_parser

from stylelib import SAMPLES, FeedForward, load_image, save_image, train
from stylelib.feedforward.training import TRAINING
from stylelib.pictures.samples import NETWORKS

NAME, START = "eight-paintings", "hokusai-great-wave.pt"
PAINTINGS = [name for name, sample in SAMPLES.items() if sample.kind == "painting"]
# What it learns from, beside the sample paintings: photos in the public domain or under CC0, CC BY
# or CC BY-SA 4.0. The camel, the alpaca, the kitten and the Taj Mahal are not among them: it is
# judged by what it makes of photos that it has never seen.
PHOTOS = (
    "astronaut", "coffee", "fig", "grace-hopper", "meerkats", "mountains", "safe-landing", "swans",
    "tower-bridge",
)  # fmt: skip
SHOWN = 500  # steps between two pictures of the camel


def main() -> None:
    options = parsed()
    torch.set_num_threads(options.threads)
    network = FeedForward.load(options.start).learning(PAINTINGS)
    photos = [load_image(options.photos / f"{name}.png") for name in PHOTOS]
    CACHE.mkdir(exist_ok=True)
    settings = {"seed": options.seed, "precision": torch.bfloat16, "rate": 0.003}
    settings |= {"checkpoint": CACHE / f"{NAME}.unfinished"}
    settings |= {"recipe": TRAINING.but(style_weight=options.style_weight)}
    settings |= {"minutes": options.minutes} if options.minutes else {"steps": options.steps}
    totals = []
    for step in train(network, list(map(load_image, PAINTINGS)), photos, **settings):
        totals.append(step.losses["total"])
        if step.iteration % SHOWN == 0:
            loss = fmean(totals[-SHOWN:])
            print(f"step {step.iteration}, {step.seconds:.0f} s: {loss:.3f}", flush=True)
            save_image(network.paint_all(load_image("camel", 256)), CACHE / f"{NAME}.png")
    network.save(options.output)
    print(f"wrote {options.output} after {step.iteration} steps")


def parsed() -> argparse.Namespace:
    """What the command line says."""
    parser = options_parser(__doc__, steps=6000, threads=True, output=None)
    parser.add_argument("--minutes", type=float, help="how long, instead of a number of steps")
    parser.add_argument("--start", default=START, help="the network that it begins with")
    parser.add_argument("--style-weight", type=float, default=TRAINING.style_weight)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--photos", type=Path, default=FOLDER / "photos", help="a folder")
    parser.add_argument("--output", type=Path, default=NETWORKS[f"{NAME}.pt"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
