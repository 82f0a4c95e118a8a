"""Train the feed-forward network of eight paintings that comes with stylelib.

    python benchmarks/pictures.py           # collects the photos that it learns from
    python benchmarks/train_sample.py --threads 1

It writes stylelib/pictures/samples/eight-paintings.pt, and, on the way, what the camel looks like to
cache/eight-paintings.png. Stopped and started again, it goes on. It begins with the convolutions
of hokusai-great-wave.pt, which was trained in the same way, on a single painting. With `--steps`, on
one machine with the same number of threads, the same network comes out each time.
"""

import argparse
from pathlib import Path
from statistics import fmean

import torch
from pictures import FOLDER
from shared import CACHE, options_parser

from stylelib import SAMPLES, FeedForward, load_image, save_image, train
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
    network = FeedForward.load(START).learning(PAINTINGS)
    photos = [load_image(options.photos / f"{name}.png") for name in PHOTOS]
    CACHE.mkdir(exist_ok=True)
    settings = {"seed": options.seed, "precision": torch.bfloat16, "rate": 0.003}
    settings |= {"checkpoint": CACHE / f"{NAME}.unfinished"}
    settings |= {"minutes": options.minutes} if options.minutes else {"steps": options.steps}
    totals = []
    for step in train(network, list(map(load_image, PAINTINGS)), photos, **settings):
        totals.append(step.losses["total"])
        if step.iteration % SHOWN == 0:
            loss = fmean(totals[-SHOWN:])
            print(f"step {step.iteration}, {step.seconds:.0f} s: {loss:.3f}", flush=True)
            camel = load_image("camel", 256)
            rows = [torch.cat([network.paint(camel, name) for name in PAINTINGS[i : i + 2]], 3)
                    for i in range(0, len(PAINTINGS), 2)]  # fmt: skip
            save_image(torch.cat(rows, 2), CACHE / f"{NAME}.png")
    network.save(options.output)
    print(f"wrote {options.output} after {step.iteration} steps")


def parsed() -> argparse.Namespace:
    """What the command line says."""
    parser = options_parser(__doc__, steps=6000, threads=True, output=None)
    parser.add_argument("--minutes", type=float, help="how long, instead of a number of steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--photos", type=Path, default=FOLDER / "photos", help="a folder")
    parser.add_argument("--output", type=Path, default=NETWORKS[f"{NAME}.pt"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
