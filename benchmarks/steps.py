"""What a step costs: seconds, beside its bare convolutions, and memory, as the picture grows.

    python benchmarks/steps.py                      # prints the table and writes steps.csv
    python benchmarks/steps.py --size 256 512

A step of the default recipe, its bare convolutions and a large matrix product, which shows what
the processor can do at most, are timed in turns, and the median is told.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from speed import Run, machine, write
from torch import Tensor
from torch.nn import functional as F

from stylelib import RECIPES, Transfer, load_image, load_vgg19
from stylelib.core.vgg import LAYERS
from stylelib.engine.devices import choose_precision

DEFAULT = RECIPES["default"]
PAIR = ("camel", "hokusai-great-wave")
FIELDS = ["size", "pixels", "seconds a step", "bare convolutions", "step / bare",
          "bare / peak", "peak MB"]  # fmt: skip
SIDE = 1536  # of the matrices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[256, 512, 1024, 2048])
    parser.add_argument("--steps", type=int, default=5, help="to take the median of")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="a folder")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dtype = choose_precision(torch.device("cpu"))
    rows = [cost(size, options.steps, options.threads, dtype) for size in options.size]
    (options.output / "steps.csv").unlink(missing_ok=True)
    for row in rows:
        write(options.output / "steps.csv", FIELDS, row)
    print(machine(options.threads), dtype)
    for line in [FIELDS, ["---"] * len(FIELDS), *rows]:
        print(f"| {' | '.join(map(str, line))} |")


def cost(size: int, steps: int, threads: int, dtype: torch.dtype) -> list[object]:
    """A line of the table."""
    pictures = [load_image(name, size) for name in PAIR]
    height, width = pictures[0].shape[-2:]
    network = load_vgg19(last=DEFAULT.deepest)
    network.set_precision(dtype)
    times: list[tuple[float, float, float]] = []
    with Run(at_full_size, pictures, steps + 2, threads) as run:
        for _ in range(steps + 1):  # the first also sets up
            before = run.seconds
            run.go(1)
            seconds = run.seconds - before
            times.append((seconds, bare(network, height, width), seconds_of(product(dtype))))
        run.stop()
    step, convolutions, peak = (median(each) for each in zip(*times[1:], strict=True))
    share = (multiplications(network, height, width) / convolutions) / (SIDE**3 / peak)
    return [size, height * width, f"{step:.3f}", f"{convolutions:.3f}",
            f"{step / convolutions:.2f}", f"{share:.2f}", f"{run.peak:.0f}"]  # fmt: skip


def at_full_size(
    content: Tensor, style: Tensor, steps: int, show: Callable[[Tensor], None]
) -> None:
    """Steps of the default recipe, not coarse to fine."""
    recipe = DEFAULT.but(size=max(content.shape[-2:]), steps=steps, coarse_to_fine=False)
    for step in Transfer(content, style, recipe, device="cpu"):
        show(step.image)


def maps_through(network: torch.nn.Module, height: int, width: int):
    """Each convolution that a step needs, with the size of its maps."""
    for name in LAYERS[: LAYERS.index(DEFAULT.deepest) + 1]:
        if name.startswith("pool"):
            height, width = height // 2, width // 2
        else:
            yield network.convolutions[name], height, width


def bare(network: torch.nn.Module, height: int, width: int) -> float:
    """Seconds of the convolutions alone, as PyTorch has them: forward, and back to their input."""
    seconds = 0.0
    for layer, h, w in maps_through(network, height, width):
        make = {"dtype": layer.weight.dtype}
        x = torch.rand(1, layer.in_channels, h, w, **make).to(memory_format=torch.channels_last)
        pull = torch.rand(1, layer.out_channels, h, w, **make).to(memory_format=torch.channels_last)
        x.requires_grad_()
        start = time.perf_counter()
        torch.autograd.grad(F.conv2d(x, layer.weight, layer.bias, padding=1), x, pull)
        seconds += time.perf_counter() - start
    return seconds


def multiplications(network: torch.nn.Module, height: int, width: int) -> int:
    """How many of them a plain convolution takes, forward and back."""
    return sum(
        2 * layer.weight.numel() * h * w for layer, h, w in maps_through(network, height, width)
    )


def product(dtype: torch.dtype) -> Callable[[], Tensor]:
    """A product of two large matrices."""
    a, b = (torch.rand(SIDE, SIDE, dtype=dtype) for _ in range(2))
    return lambda: a @ b


def seconds_of(work: Callable[[], object]) -> float:
    """The best of three."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
