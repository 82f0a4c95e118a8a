"""Train the feed-forward network that comes with stylelib.

    python benchmarks/pictures.py           # collects the photos that it learns from
    python benchmarks/train_sample.py --threads 1

It writes stylelib/pictures/samples/hokusai-great-wave.pt. On one machine, with the same number of
threads, the same network comes out each time.
"""

import argparse
from pathlib import Path
from statistics import fmean

import torch
from pictures import FOLDER
from shared import options_parser

from stylelib import FeedForward, load_image, train
from stylelib.pictures.samples import NETWORKS

NAME = "hokusai-great-wave"
# What it learns from, beside the sample paintings: photos in the public domain or under CC0, CC BY
# or CC BY-SA 4.0. The camel, the alpaca, the kitten and the Taj Mahal are not among them: it is
# judged by what it makes of photos that it has never seen.
PHOTOS = (
    "astronaut", "coffee", "fig", "grace-hopper", "meerkats", "mountains", "safe-landing", "swans",
    "tower-bridge",
)  # fmt: skip


def main() -> None:
    options = parsed()
    torch.set_num_threads(options.threads)
    network = FeedForward(blocks=3, seed=options.seed)
    network.painting = NAME
    photos = [load_image(options.photos / f"{name}.png") for name in PHOTOS]
    settings = {"steps": options.steps, "seed": options.seed, "precision": torch.bfloat16}
    totals = []
    for step in train(network, load_image(NAME), photos, **settings):
        totals.append(step.losses["total"])
        if step.iteration % 50 == 0:
            loss = fmean(totals[-50:])
            print(f"step {step.iteration}, {step.seconds:.0f} s: {loss:.3f}", flush=True)
    network.save(options.output)
    print(f"wrote {options.output}")


def parsed() -> argparse.Namespace:
    """What the command line says."""
    parser = options_parser(__doc__, steps=1200, threads=True, output=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--photos", type=Path, default=FOLDER / "photos", help="a folder")
    parser.add_argument("--output", type=Path, default=NETWORKS[f"{NAME}.pt"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
