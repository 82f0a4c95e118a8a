"""Measure what a step costs as the picture grows: time beside its bare convolutions, and memory.

    python benchmarks/steps.py                      # prints the table and writes steps.csv
    python benchmarks/steps.py --size 256 512 --recipe neighbours

Timed in turns: a step of each recipe; its bare convolutions; and a product of large matrices, which
shows what the processor can do at most. The table has the medians.
"""

import time
from collections.abc import Iterator
from functools import partial
from statistics import median

import torch
from runs import Run, Show
from shared import (
    PAIRS,
    Row,
    machine,
    markdown,
    options_parser,
    table_name,
    wait_for,
    write_table,
)
from torch import Tensor, nn
from torch.nn import functional as F

from stylelib import LAYERS, RECIPES, VGG19, Transfer, load_image, load_vgg19
from stylelib.engine.cards import EVERY
from stylelib.engine.devices import choose_precision

SIDE = 1536  # of the matrices


def main() -> None:
    parser = options_parser(
        __doc__, size=[256, 512, 1024, 2048], steps=5, threads=True, device=True
    )
    parser.add_argument(
        "--recipe", nargs="+", choices=list(RECIPES), default=["gram", "neighbours"]
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dtype = choose_precision(torch.device(options.device))
    rows = [
        cost(name, size, options.steps, dtype, options.device)
        for name in options.recipe
        for size in options.size
    ]
    write_table(options.output / table_name("steps", options.device), rows)
    print(machine(options.device), dtype, markdown(rows), sep="\n")


def cost(recipe: str, size: int, steps: int, dtype: torch.dtype, device: str = "cpu") -> Row:
    """A row of the table: a step of a recipe at a size."""
    pictures = [load_image(name, size) for name in PAIRS[0]]
    height, width = pictures[0].shape[-2:]
    network = load_vgg19(last=RECIPES[recipe].deepest)
    network.to(device).set_precision(dtype)
    several = 1 if device == "cpu" else 2 * EVERY  # a card is asked after some steps only
    times: list[tuple[float, float, float]] = []
    with Run(partial(at_full_size, recipe), pictures, several * (steps + 1) + 1, device) as run:
        for _ in range(steps + 1):  # the first round, which sets things up, is dropped
            before = run.seconds
            run.go(several)
            seconds = (run.seconds - before) / several
            times.append((seconds, bare(network, height, width), product(dtype, device)))
        run.stop()
    step, convolutions, peak = (median(each) for each in zip(*times[1:], strict=True))
    share = (multiplications(network, height, width) / convolutions) / (SIDE**3 / peak)
    digits = 3 if device == "cpu" else 5
    return {
        "recipe": recipe,
        "size": size,
        "pixels": height * width,
        "seconds a step": f"{step:.{digits}f}",
        "bare convolutions": f"{convolutions:.{digits}f}",
        "step / bare": f"{step / convolutions:.2f}",
        "bare / peak": f"{share:.2f}",
        "peak MB": f"{run.peak:.0f}",
    }


def at_full_size(name: str, content: Tensor, style: Tensor, steps: int, show: Show) -> None:
    """Steps of a recipe without smaller pictures first."""
    recipe = RECIPES[name].but(size=max(content.shape[-2:]), steps=steps, coarse_to_fine=False)
    for step in Transfer(content, style, recipe, device=content.device.type):
        show(partial(getattr, step, "image"))


def convolutions_of(
    network: VGG19, height: int, width: int
) -> Iterator[tuple[nn.Conv2d, int, int]]:
    """Each convolution of a network, with the size of its maps."""
    for name in LAYERS[: LAYERS.index(network.last) + 1]:
        if name.startswith("pool"):
            height, width = height // 2, width // 2
        else:
            yield network.convolutions[name], height, width


def bare(network: VGG19, height: int, width: int) -> float:
    """Seconds of PyTorch's convolutions alone: forward, and backward to their input."""
    device = network.mean.device
    if device.type != "cpu":
        return bare_on_card(network, height, width)
    seconds = 0.0
    for layer, h, w in convolutions_of(network, height, width):
        x, gradient = (
            torch.rand(1, channels, h, w, dtype=layer.weight.dtype).to(
                memory_format=torch.channels_last
            )
            for channels in (layer.in_channels, layer.out_channels)
        )
        x.requires_grad_()
        start = time.perf_counter()
        torch.autograd.grad(F.conv2d(x, layer.weight, layer.bias, padding=1), x, gradient)
        seconds += time.perf_counter() - start
    return seconds


def bare_on_card(network: VGG19, height: int, width: int, repeats: int = 10) -> float:
    """The same where work is done while more is handed in: the mean of some repeats in a row."""
    device, work = network.mean.device, []
    for layer, h, w in convolutions_of(network, height, width):
        x, gradient = (
            torch.rand(1, channels, h, w, dtype=layer.weight.dtype, device=device).to(
                memory_format=torch.channels_last
            )
            for channels in (layer.in_channels, layer.out_channels)
        )
        work.append((layer, x.requires_grad_(), gradient))
    for timed in (False, True):
        wait_for(device.type)
        start = time.perf_counter()
        for _ in range(repeats):
            for layer, x, gradient in work:
                torch.autograd.grad(F.conv2d(x, layer.weight, layer.bias, padding=1), x, gradient)
        wait_for(device.type)
        if timed:
            return (time.perf_counter() - start) / repeats
    raise AssertionError


def multiplications(network: VGG19, height: int, width: int) -> int:
    """The number of multiplications of plain convolutions, forward and backward."""
    return sum(
        2 * layer.weight.numel() * h * w for layer, h, w in convolutions_of(network, height, width)
    )


def product(dtype: torch.dtype, device: str = "cpu") -> float:
    """Seconds of a product of two large matrices, the best of three."""
    a, b = (torch.rand(SIDE, SIDE, dtype=dtype, device=device) for _ in range(2))
    times = []
    for _ in range(3):
        wait_for(device)
        start = time.perf_counter()
        a @ b
        wait_for(device)
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
