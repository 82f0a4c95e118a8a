"""Measure how long the default takes on a graphics card, and whether it paints the same twice.

    python benchmarks/card.py                       # prints the table and writes card.csv

Three ways, in turns, in one process, the loading of the network and of PyTorch apart: as it is;
without CUDA graphs; and with any algorithms of cuDNN, also those that add in any order.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from statistics import median

import torch
from shared import PAIRS, Row, machine, markdown, options_parser, wait_for, write_table
from torch import Tensor

from stylelib import RECIPES, Transfer, load_image
from stylelib.engine import cards
from stylelib.engine.network import NetworkCache


def main() -> None:
    parser = options_parser(__doc__, size=[512, 1024, 2048], repeats=3, device=True)
    parser.set_defaults(device="cuda")
    options = parser.parse_args()
    networks = NetworkCache()
    rows = [row for size in options.size
            for row in measure(size, options.repeats, options.device, networks)]  # fmt: skip
    write_table(options.output / "card.csv", rows)
    print(machine(options.device), markdown(rows), sep="\n\n")


def measure(size: int, repeats: int, device: str, networks: NetworkCache) -> list[Row]:
    """A row for each way of painting."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    pictures: dict[str, list[Tensor]] = {way: [] for way in WAYS}
    for _ in range(repeats + 1):
        for way, setting in WAYS.items():
            with setting():
                took, picture = paint(size, device, networks)
            seconds[way].append(took)
            pictures[way].append(picture)
    return [
        {
            "size": size,
            "way": way,
            "seconds": f"{median(times[1:]):.3f}",  # the first one loads kernels
            "largest difference": f"{largest_difference(pictures[way]):.4f}",
        }
        for way, times in seconds.items()
    ]


def paint(size: int, device: str, networks: NetworkCache) -> tuple[float, Tensor]:
    """Seconds for a picture with the default recipe, and the picture."""
    recipe = RECIPES["default"].but(size=size)
    given = [load_image(name, size) for name in PAIRS[0]]
    network = networks.load(recipe)
    wait_for(device)
    start = time.perf_counter()
    picture = Transfer(*given, recipe, network, device).run()
    return time.perf_counter() - start, picture


def largest_difference(pictures: list[Tensor]) -> float:
    """How far two pictures of the same seed are apart, at most, in 0-1."""
    return max(float((picture - pictures[0]).abs().max()) for picture in pictures)


@contextmanager
def without_graphs() -> Iterator[None]:
    os.environ[cards.SWITCH] = "0"
    try:
        yield
    finally:
        del os.environ[cards.SWITCH]


@contextmanager
def any_algorithm() -> Iterator[None]:
    usual = cards.habits
    cards.habits = lambda device: nullcontext()
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        cards.habits, torch.backends.cudnn.benchmark = usual, False


WAYS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "as it is": nullcontext,
    "without graphs": without_graphs,
    "any algorithm of cuDNN's": any_algorithm,
}

if __name__ == "__main__":
    main()
