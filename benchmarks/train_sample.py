"""Train the feed-forward network of eight paintings that comes with stylelib.

    python benchmarks/pictures.py           # collects the photos that it learns from
    python benchmarks/train_sample.py --threads 1 --minutes 50

First, nine photos are painted after each painting by optimisation, at 256 pixels: a quarter of an
hour on two cores. The network learns from these examples, see `train`.

It writes stylelib/pictures/samples/eight-paintings.pt and, on the way, what the camel looks like
to cache/eight-paintings.png. Stopped and started again, it goes on. It begins with the network
given by `--start`, made wider if need be. With `--steps`, on one machine with the same number of
threads, the same network comes out each time.

The network that comes with stylelib has a history. It began with hokusai-great-wave.pt, a network
of one painting: 7,000 steps of 16 maps without examples, with style weights of 5, 2 and 3. Made
wider, it took 4,000 steps with an early version of this script, and then 9,157 with the command
above.
"""

import argparse
from pathlib import Path
from statistics import fmean

import torch
from pictures import FOLDER
from shared import CACHE, options_parser, painted
from torch import Tensor

from stylelib import RECIPES, SAMPLES, FeedForward, Transfer, load_image, save_image, train
from stylelib.feedforward.training import TRAINING
from stylelib.pictures.samples import NETWORKS

NAME = "eight-paintings"
START = f"{NAME}.pt"
PAINTINGS = [name for name, sample in SAMPLES.items() if sample.kind == "painting"]
# What it learns from, beside the sample paintings: photos in the public domain or under CC0, CC BY
# or CC BY-SA 4.0. The camel, the alpaca, the kitten and the Taj Mahal are not among them: it is
# judged by what it makes of photos that it has never seen.
PHOTOS = (
    "astronaut", "coffee", "fig", "grace-hopper", "meerkats", "mountains", "safe-landing", "swans",
    "tower-bridge",
)  # fmt: skip
EXAMPLE = RECIPES["neighbours"].but(size=256)
SHOWN = 500  # steps between two pictures of the camel


def main() -> None:
    options = parsed()
    photos = {name: load_image(options.photos / f"{name}.png") for name in PHOTOS}
    paintings = {name: load_image(name) for name in PAINTINGS}
    examples = [
        [example(name, photo, title, painting) for name, photo in (photos | paintings).items()]
        for title, painting in paintings.items()
    ]
    torch.set_num_threads(options.threads)
    network = wider(FeedForward.load(options.start).learning(PAINTINGS), options.width)
    settings = {"seed": options.seed, "precision": torch.bfloat16, "rate": 0.003, "crop": 144}
    settings |= {"checkpoint": CACHE / f"{NAME}.unfinished"}
    settings |= {"recipe": TRAINING.but(style_weight=options.style_weight)}
    settings |= {"minutes": options.minutes} if options.minutes else {"steps": options.steps}
    pictures, totals = [*photos.values(), *paintings.values()], []
    for step in train(network, [*paintings.values()], pictures, examples=examples, **settings):
        totals.append(step.losses["total"])
        if step.iteration % SHOWN == 0:
            loss = fmean(totals[-SHOWN:])
            print(f"step {step.iteration}, {step.seconds:.0f} s: {loss:.3f}", flush=True)
            save_image(network.paint_all(load_image("camel", 256)), CACHE / f"{NAME}.png")
    network.save(options.output)
    print(f"wrote {options.output} after {step.iteration} steps")


def example(name: str, photo: Tensor, title: str, painting: Tensor) -> Tensor | None:
    """A photo painted by optimisation; a painting is its own example, and none for the others."""
    if name in PAINTINGS:
        return painting if name == title else None
    key = {"content": name, "style": title, "recipe": EXAMPLE.as_dict()}
    return painted(key, lambda: Transfer(photo, painting, EXAMPLE).run()).image


@torch.no_grad()
def wider(network: FeedForward, width: int, noise: float = 1.0) -> FeedForward:
    """A network of more feature maps that paints about the same.

    The first maps stand twice, and what follows takes half of each (Chen, Goodfellow, Shlens,
    *Net2Net: Accelerating Learning via Knowledge Transfer*, 2016). Some noise makes the two learn
    different things.
    """
    if network.width == width:
        return network
    other = FeedForward(width, network.blocks, paintings=network.paintings)
    generator = torch.Generator().manual_seed(0)

    def twice(maps: int) -> Tensor:  # which old map each new one is
        return torch.arange(maps * width // network.width) % maps

    old, new = network.state_dict(), other.state_dict()
    for name, value in old.items():
        value = value.float()
        if value.dim() == 4 and value.shape[1] != 3:
            chosen = twice(value.shape[1])
            value = value[:, chosen] / chosen.bincount()[chosen].view(-1, 1, 1)
        if value.dim() == 2 and value.shape[1] != 3:
            value = value[:, twice(value.shape[1])]
        elif value.dim() != 2 and value.shape[0] != 3:
            value = value[twice(value.shape[0])]
        if value.dim() == 4:
            some, more = (noise * torch.randn(value.shape, generator=generator) for _ in range(2))
            value = value * (1 + 0.3 * some) + 0.05 * value.std() * more
        new[name].copy_(value)
    return other


def parsed() -> argparse.Namespace:
    """What the command line says."""
    parser = options_parser(__doc__, steps=6000, threads=True, output=None)
    parser.add_argument("--minutes", type=float, help="how long, instead of a number of steps")
    parser.add_argument("--start", default=START, help="the network that it begins with")
    parser.add_argument("--width", type=int, default=24, help="feature maps at full size")
    parser.add_argument("--style-weight", type=float, default=TRAINING.style_weight)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--photos", type=Path, default=FOLDER / "photos", help="a folder")
    parser.add_argument("--output", type=Path, default=NETWORKS[f"{NAME}.pt"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
