"""The recipe of Katherine Crowson's style-transfer-pytorch, which is in no package index.

Written anew from what that program does by default, for one painting, on our network: its
losses, its sizes, and Adam, which goes on from size to size. What it shows is not the last
picture but an average of the last hundred or so.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from stylelib import VGG19, gram_matrix, load_vgg19, resize
from stylelib.core.vgg import STYLE_LAYERS

CONTENT_LAYER, CONTENT_WEIGHT, TV_WEIGHT = "conv4_2", 0.015, 2.0
_PARTS = dict(zip(STYLE_LAYERS, (256, 64, 16, 4, 1), strict=True))
STYLE_WEIGHTS = {layer: part / sum(_PARTS.values()) for layer, part in _PARTS.items()}
SMALLEST = 128  # longest side of the first picture
STEPS = 500  # at each size but the first, which takes twice as many
LEARNING_RATE, DECAY = 0.02, 0.99


def paint(content: Tensor, style: Tensor, steps: int, network: VGG19 | None = None) -> Tensor:
    """The picture at the photo's size, after so many steps in all: see `default_steps`."""
    network = network or load_vgg19(last="conv5_1", padding="replicate")
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
    """Longest sides, each the square root of 2 times the one before, up to `end`."""
    found = [end]
    while (smaller := round(end / 2 ** (len(found) / 2))) >= SMALLEST:
        found.append(smaller)
    return found[::-1]


def default_steps(end: int) -> int:
    """Its own number of steps in all, for a picture whose longest side is `end`."""
    return STEPS * (len(sizes(end)) + 1)


def stages(end: int, steps: int) -> list[tuple[int, int]]:
    """The sizes, and the steps at each: at the first about twice as many as at each other."""
    first, *others = sizes(end)
    each = max(1, steps // (len(others) + 2))
    return [(first, max(1, steps - each * len(others))), *((size, each) for size in others)]


def loss_of(content: Tensor, style: Tensor, network: VGG19) -> Callable[[Tensor], Tensor]:
    """What is minimised, as a function of the picture."""
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
    """Squared differences over absolute ones: its slope is as steep for small and large maps."""
    apart = a - b
    return apart.square().sum() / (apart.abs().sum() + 1e-8)


def variation(image: Tensor) -> Tensor:
    """Squared differences to the right and down, their mean; beyond the edge nothing changes."""
    padded = F.pad(image, (0, 1, 0, 1), mode="replicate")
    right, down = padded.diff(dim=-1)[..., :-1, :], padded.diff(dim=-2)[..., :-1]
    return (right.square() + down.square()).mean()


def adam_for(pixels: Tensor, before: torch.optim.Adam | None) -> torch.optim.Adam:
    """Adam for these pixels; what it knew of a smaller picture is scaled up."""
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
    """At another picture's size."""
    return F.interpolate(x, like.shape[-2:], mode=mode)


class Average:
    """A mean that forgets: each new picture counts a hundredth, each one before a bit less."""

    def __init__(self, first: Tensor) -> None:
        self._sum, self._weight = torch.zeros_like(first), 0.0
        self.add(first)

    @torch.no_grad()
    def add(self, image: Tensor) -> None:
        self._sum = DECAY * self._sum + (1 - DECAY) * image
        self._weight = DECAY * self._weight + (1 - DECAY)

    @property
    def value(self) -> Tensor:
        """The weights add up to 1, however few there are yet."""
        return self._sum / self._weight
