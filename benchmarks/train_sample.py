"""Train the feed-forward network that comes with stylelib.

    python benchmarks/train_sample.py       # writes stylelib/pictures/samples/hokusai-great-wave.pt

On one machine, with the same number of threads, the same network comes out each time.
"""

from pathlib import Path
from statistics import fmean

import torch
from shared import options_parser

from stylelib import FeedForward, load_image, train
from stylelib.pictures.samples import NETWORKS

NAME = "hokusai-great-wave"


def main() -> None:
    parser = options_parser(__doc__, steps=1200, output=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=NETWORKS[f"{NAME}.pt"])
    options = parser.parse_args()
    network = FeedForward(blocks=3, seed=options.seed)
    network.painting = NAME
    settings = {"steps": options.steps, "seed": options.seed, "precision": torch.bfloat16}
    totals = []
    for step in train(network, load_image(NAME), **settings):
        totals.append(step.losses["total"])
        if step.iteration % 50 == 0:
            loss = fmean(totals[-50:])
            print(f"step {step.iteration}, {step.seconds:.0f} s: {loss:.3f}", flush=True)
    network.save(options.output)
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
