"""Train a feed-forward network on one painting."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor

from ..checks import check_kind, check_picture, check_precision, check_range
from ..core.vgg import VGG19
from ..engine.devices import DEVICES, choose_device
from ..engine.masks import Style
from ..engine.memory import ran_out
from ..engine.network import prepare
from ..engine.objective import Objective
from ..errors import StylelibError, is_out_of_memory, pick, shown
from ..guards import smallest_side
from ..pictures.images import load_image, resize_to
from ..pictures.samples import SAMPLES
from ..recipes import Recipe
from .network import FeedForward

TRAINING = Recipe(style_weight=2.5)
"""The default recipe of `train`: what must serve every photo keeps less of each, so less style."""

_RATE, _WARM = 1e-2, 20  # Adam's learning rate, and the steps until it is reached
_ZOOMS = (0.6, 1.6)  # the pieces' sizes, beside the size that the network is to paint at


@dataclass(frozen=True)
class TrainingStep:
    """What one step of the training did.

    Attributes
    ----------
    iteration : int
        This step's number, from 1.
    share : float
        How much of the training is done, in 0-1.
    seconds : float
        Time since its start.
    losses : dict of str to float
        ``"content"``, ``"style"`` and ``"tv"``, each before its weight, and
        ``"total"``, the weighted sum: of the piece that was painted in this step.
        Each step paints another piece, so they jump: look at the mean of many.
    """

    iteration: int
    share: float
    seconds: float
    losses: dict[str, float]


def train(
    network: FeedForward,
    painting: Tensor,
    photos: Sequence[Tensor] = (),
    *,
    minutes: float = 10,
    steps: int | None = None,
    recipe: Recipe = TRAINING,
    crop: int = 144,
    seed: int = 0,
    device: str = "auto",
    precision: torch.dtype | None = None,
    vgg: VGG19 | None = None,
) -> Iterator[TrainingStep]:
    """Train a network on a painting, a step at a time: iterate over it.

    Each step cuts a piece out of a photo, lets the network paint it, and asks the
    `Objective`, the very loss of `Transfer`, how well that went. But it is the
    network's weights that move, not the pixels. Leave the loop when you like:
    the network is as good as it has become.

    Parameters
    ----------
    network : FeedForward
        It is changed in place.
    painting : Tensor, shape (1, 3, H, W), RGB in 0-1
    photos : sequence of Tensor, shape (1, 3, H, W), RGB in 0-1
        To learn from, beside the pictures that come with stylelib.
    minutes : float
        How long to train.
    steps : int, optional
        How many steps to take, instead of a time. Then the same seed and the same
        `precision` train the same network, on one computer with as many threads.
    recipe : Recipe
        Its layers and weights, and the size of the pictures to paint later.
    crop : int
        Sides of the pieces, in pixels.
    seed : int
        Of the choice of the pieces.
    device : {"auto", "cpu", "cuda", "mps"}
    precision : torch.dtype, optional
        Of VGG's convolutions: the fastest good one by default.
    vgg : VGG19, optional
        Loaded as the recipe says by default; one that is given keeps its precision.

    Returns
    -------
    iterator of `TrainingStep`

    Raises
    ------
    StylelibError
        If a picture or a number is not usable; from a step, if memory runs out or
        the loss is no number any more. The network stays as it was before that step.

    Examples
    --------
    >>> network = FeedForward()
    >>> for step in train(network, load_image("hokusai-great-wave"), minutes=10):
    ...     print(f"{step.share:.0%}")
    >>> network.save("great-wave.pt")
    """
    check_kind(network, FeedForward, "The network")
    check_kind(recipe, Recipe, "The recipe")
    if precision is not None:
        check_precision(precision)
    if vgg is not None:
        check_kind(vgg, VGG19, "The network that looks at it, vgg,")
    check_picture(painting, "The painting")
    if not isinstance(photos, list | tuple):
        raise StylelibError(f"The photos must be a list of pictures, not {shown(photos)}.")
    for photo in photos:
        check_picture(photo, "A photo")
    _check_numbers(minutes, steps, recipe, crop, seed)
    pictures = [load_image(name) for name in SAMPLES] + [
        photo.detach().cpu().float() for photo in photos
    ]
    on = choose_device(pick(device, DEVICES, "device"))
    vgg = prepare(recipe, on, precision) if vgg is None else vgg
    style = Style(painting.detach().cpu()).resized(recipe.style_size()).to(on)
    pieces = _pieces(pictures, crop, recipe.size, seed)
    objective = Objective(next(pieces).to(on), style, recipe, vgg)
    return _training(network.to(on), objective, pieces, on, minutes * 60, steps)


def _training(
    network: FeedForward,
    objective: Objective,
    pieces: Iterator[Tensor],
    device: torch.device,
    seconds: float,
    steps: int | None,
) -> Iterator[TrainingStep]:
    optimizer = torch.optim.Adam(network.parameters(), lr=_RATE)
    start, iteration, share = time.monotonic(), 0, 0.0
    while share < 1:
        iteration += 1
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min(1, iteration / _WARM) * _slower(share)
        try:
            losses = _step(network, objective.with_content(next(pieces).to(device)), optimizer)
        except Exception as error:
            if is_out_of_memory(error):
                raise ran_out(error) from error
            raise
        passed = time.monotonic() - start
        share = min(1.0, iteration / steps if steps else passed / seconds)
        yield TrainingStep(iteration, share, passed, losses)


def _slower(share: float) -> float:
    """Large steps first, small ones to finish: half a cosine, from 1 to nearly 0."""
    return 0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2


def _step(
    network: FeedForward, objective: Objective, optimizer: torch.optim.Optimizer
) -> dict[str, float]:
    optimizer.zero_grad()
    total, parts = objective(network(objective.content))
    total.backward()
    size = torch.nn.utils.clip_grad_norm_(network.parameters(), math.inf)
    if not (total.isfinite() and size.isfinite()):
        raise StylelibError(
            f"The loss became {total.item():g}, so the training stopped; the network is as it "
            f"was before. Try smaller weights."
        )
    optimizer.step()
    return {name: parts[name].item() for name in ("content", "style", "tv", "total")}


def _pieces(pictures: Sequence[Tensor], crop: int, size: int, seed: int) -> Iterator[Tensor]:
    """Pieces of pictures without end: anywhere, nearer or farther, mirrored, in other light."""
    generator = torch.Generator().manual_seed(int(seed))

    def between(low: float, high: float) -> float:
        return low + (high - low) * torch.rand((), generator=generator).item()

    while True:
        picture = pictures[int(between(0, len(pictures)))]
        height, width = picture.shape[-2:]
        # The picture's longest side becomes size * zoom; what of it makes a piece?
        zoom = math.exp(between(math.log(_ZOOMS[0]), math.log(_ZOOMS[1])))
        window = min(round(crop * max(height, width) / (size * zoom)), height, width)
        top, left = (int(between(0, side - window + 1)) for side in (height, width))
        piece = resize_to(
            picture[..., top : top + window, left : left + window].contiguous(), (crop, crop)
        )
        if between(0, 1) < 0.5:
            piece = piece.flip(-1)
        light, tint = between(-0.5, 0.5), torch.rand(1, 3, 1, 1, generator=generator) - 0.5
        yield piece.clamp_min(1e-3) ** torch.exp(light + 0.6 * tint)


def _check_numbers(minutes: float, steps: int | None, recipe: Recipe, crop: int, seed: int) -> None:
    check_range("crop", crop, max(32, smallest_side(recipe.deepest)), 1024, Integral)
    check_range("steps", 1 if steps is None else steps, 1, 10**9, Integral)
    check_range("seed", seed, 0, 2**63 - 1, Integral)
    check_range("minutes", minutes, 1e-4, 1e5)
