"""The recipe of Katherine Crowson's style-transfer-pytorch, which no package index has.

This is a new implementation of what that program does by default, for one painting, on
stylelib's network: its losses, its sizes, and Adam, whose state is carried on from size to size.
The result is not the last picture but an average of the last hundred or so.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from stylelib import VGG19, gram_matrix, load_vgg19, resize
from stylelib.core.layers import CONTENT_LAYER, STYLE_LAYERS

CONTENT_WEIGHT, TV_WEIGHT = 0.015, 2.0
_PARTS = dict(zip(STYLE_LAYERS, (256, 64, 16, 4, 1), strict=True))
STYLE_WEIGHTS = {layer: part / sum(_PARTS.values()) for layer, part in _PARTS.items()}
SMALLEST = 128  # longest side of the first picture
STEPS = 500  # at each size but the first, which takes twice as many
LEARNING_RATE, DECAY = 0.02, 0.99


def paint(content: Tensor, style: Tensor, steps: int, network: VGG19 | None = None) -> Tensor:
    """Paint at the photo's size, with a total number of steps; see `default_steps`."""
    network = network or load_vgg19(last="conv5_1", padding="replicate").to(content.device)
    result, adam = None, None
    for size, share in stages(max(content.shape[-2:]), steps):
        photo = resize(content, size)
        loss = loss_of(photo, resize(style, size), network)
        start = photo if result is None else scaled(result, photo, "bicubic").clamp(0, 1)
        pixels = start.clone().requires_grad_()
        adam = adam_for(pixels, adam)
        average = Average(pixels)
        for _ in range(share):
            adam.zero_grad()
            loss(pixels).backward()
            adam.step()
            with torch.no_grad():
                pixels.clamp_(0, 1)
            average.add(pixels)
        result = average.value
    return result.clamp(0, 1)


def sizes(end: int) -> list[int]:
    """The longest sides up to `end`, each √2 times the one before."""
    found = [end]
    while (smaller := round(end / 2 ** (len(found) / 2))) >= SMALLEST:
        found.append(smaller)
    return found[::-1]


def default_steps(end: int) -> int:
    """The total number of steps that the program takes for a longest side of `end` pixels."""
    return STEPS * (len(sizes(end)) + 1)


def stages(end: int, steps: int) -> list[tuple[int, int]]:
    """The sizes with their steps: about twice as many at the first as at each of the others."""
    first, *others = sizes(end)
    each = max(1, steps // (len(others) + 2))
    return [(first, max(1, steps - each * len(others))), *((size, each) for size in others)]


def loss_of(content: Tensor, style: Tensor, network: VGG19) -> Callable[[Tensor], Tensor]:
    """The loss as a function of the picture."""
    with torch.no_grad():
        wanted = network(content, [CONTENT_LAYER])[CONTENT_LAYER]
        grams = {name: gram_matrix(maps) for name, maps in network(style, STYLE_LAYERS).items()}

    def loss(image: Tensor) -> Tensor:
        maps = network(image, [CONTENT_LAYER, *STYLE_LAYERS])
        total = TV_WEIGHT * variation(image)
        total = total + CONTENT_WEIGHT * distance(maps[CONTENT_LAYER], wanted)
        for name, weight in STYLE_WEIGHTS.items():
            total = total + weight * distance(gram_matrix(maps[name]), grams[name])
        return total

    return loss


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Squared over absolute differences: the gradient does not depend on the scale of the maps."""
    difference = a - b
    return difference.square().sum() / (difference.abs().sum() + 1e-8)


def variation(image: Tensor) -> Tensor:
    """Mean squared difference to the pixels on the right and below; edge pixels are repeated."""
    padded = F.pad(image, (0, 1, 0, 1), mode="replicate")
    right, down = padded.diff(dim=-1)[..., :-1, :], padded.diff(dim=-2)[..., :-1]
    return (right.square() + down.square()).mean()


def adam_for(pixels: Tensor, before: torch.optim.Adam | None) -> torch.optim.Adam:
    """Adam for these pixels; its moments for a smaller picture are scaled up."""
    adam = torch.optim.Adam([pixels], lr=LEARNING_RATE)
    if before is not None:
        (known,) = before.state.values()
        adam.state[pixels] = {
            "step": known["step"],
            "exp_avg": scaled(known["exp_avg"], pixels, "bicubic"),
            "exp_avg_sq": scaled(known["exp_avg_sq"], pixels, "bilinear").clamp_min(0),
        }
    return adam


def scaled(x: Tensor, like: Tensor, mode: str) -> Tensor:
    """Resize to the size of another picture."""
    return F.interpolate(x, like.shape[-2:], mode=mode)


class Average:
    """An exponential moving average: each new picture has a weight of one hundredth."""

    def __init__(self, first: Tensor) -> None:
        self._sum, self._weight = torch.zeros_like(first), 0.0
        self.add(first)

    @torch.no_grad()
    def add(self, image: Tensor) -> None:
        self._sum = DECAY * self._sum + (1 - DECAY) * image
        self._weight = DECAY * self._weight + (1 - DECAY)

    @property
    def value(self) -> Tensor:
        """The average with weights that add up to 1, however few pictures there are so far."""
        return self._sum / self._weight
