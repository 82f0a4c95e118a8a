"""Train the feed-forward network that comes with stylelib.

    python benchmarks/train_sample.py       # writes stylelib/pictures/samples/hokusai-great-wave.pt

On one machine, with as many threads, the same network comes out each time.
"""

import argparse
from pathlib import Path
from statistics import fmean

import torch

from stylelib import FeedForward, load_image, train
from stylelib.pictures.samples import NETWORKS

NAME = "hokusai-great-wave"
STEPS = 1200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=NETWORKS[f"{NAME}.pt"])
    options = parser.parse_args()
    network = FeedForward(blocks=3, seed=options.seed)
    network.painting = NAME
    painting = load_image(NAME)
    totals = []
    for step in train(
        network, painting, steps=options.steps, seed=options.seed, precision=torch.bfloat16
    ):
        totals.append(step.losses["total"])
        if step.iteration % 50 == 0:
            print(
                f"step {step.iteration}, {step.seconds:.0f} s: {fmean(totals[-50:]):.3f}",
                flush=True,
            )
    network.save(options.output)
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
