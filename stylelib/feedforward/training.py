"""Train a feed-forward network on its paintings."""

import math
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from numbers import Integral

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checks import as_path, check_kind, check_picture, check_precision, check_range
from ..core import vgg as core_vgg
from ..engine import sharing
from ..engine.devices import DEVICES, choose_device
from ..engine.masks import Style
from ..engine.memory import ran_out
from ..engine.modes import usual_modes
from ..engine.network import VGG19, prepare
from ..engine.objective import Objective
from ..engine.transfer import LOSSES
from ..errors import StylelibError, is_out_of_memory, pick, shown
from ..guards import smallest_side
from ..pictures.images import load_image, resize_to
from ..pictures.samples import SAMPLES
from ..recipes import RECIPES, Recipe
from .checkpoint import Checkpoint, fingerprint
from .network import FeedForward

TRAINING = RECIPES["gram"].but(
    size=384,
    style_weight=3,
    content_layers={"conv3_1": 1.0, "conv4_1": 1.0},
    style_layers={"conv1_1": 1.0, "conv2_1": 1.0, "conv3_1": 1.0, "conv4_1": 0.5},
)
"""The default recipe of `train`.

Where several pieces of a painting suit a place, a network that learns from neighbours learns their
mean, which is grey and blurred. Gram matrices notice that. Without the layers of block 5, a step
takes two thirds of the time.
"""

COARSE = 3
"""How many times smaller the second size is that the network's pictures are compared at.

A network paints at its full size at once. The small size tells it where the large dark and light
shapes go; the optimiser learns that from the small pictures that it begins with.
"""

ZOOMS = (0.4, 1.8)
"""The range of sizes that the photos are cropped at, relative to the recipe's size.

Instance normalisation needs crops that look like whole pictures: in a piece of sky, it would make
as much contrast as there is in all of the photo.
"""

COLORS = 6.0
"""Weight of the colours that the examples have: their mean squared error over blocks of 8 x 8."""

_BLOCK = 8
_SHARP = 1.4  # an example that is enlarged more than this is blurred: only its colours count
_APART = 0x9E3779B97F4A7C15  # far apart, so that no other seed has the same crops
_WARM_UP = 20  # steps until the learning rate is reached


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
        ``"content"``, ``"style"``, ``"tv"`` and, if the recipe has neighbours,
        ``"neighbours"``, each before its weight, and ``"total"``, the weighted sum. All are
        means of both sizes. With examples, ``"colors"`` is there, too, whose weight is `COLORS`.
        Each step paints another crop, so they vary a lot: look at the mean of many steps.
    """

    iteration: int
    share: float
    seconds: float
    losses: dict[str, float]


@usual_modes()
def train(
    network: FeedForward,
    paintings: Tensor | Sequence[Tensor],
    photos: Sequence[Tensor] = (),
    *,
    examples: Sequence[Sequence[Tensor | None]] = (),
    minutes: float = 10,
    steps: int | None = None,
    recipe: Recipe = TRAINING,
    crop: int = 96,
    rate: float = 1e-2,
    seed: int = 0,
    device: str = "auto",
    precision: torch.dtype | None = None,
    vgg: core_vgg.VGG19 | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Generator[TrainingStep, None, None]:
    """Train a network on its painting, or paintings: iterate over the steps.

    In each step the network paints a crop of a photo, and the loss is the one that
    `Transfer` lowers, at the full size and at a third of it. But it is the network's weights
    that change, not the pixels. You can leave the loop at any step and use the network as it is.
    Several paintings take turns, one a step.

    It learns from the paintings that come with stylelib. The photo of the camel is left out, so
    that she shows what a network makes of a photo that it has never seen.

    Parameters
    ----------
    network : FeedForward
        Changed in place.
    paintings : Tensor, shape (1, 3, H, W), RGB in 0-1, or several of them
        As many as the network has names for, in their order.
    photos : sequence of Tensor, shape (1, 3, H, W), RGB in 0-1
        Photos to learn from, besides the paintings that come with stylelib.
    examples : sequence of sequences of Tensor, shape (1, 3, H, W), RGB in 0-1, or None
        For each painting, all the photos as they should be painted, in their order: what
        `Transfer` makes of them, or None where there is no example. The size may differ, the
        proportions not. The network then learns from these photos alone. What it paints should
        have the examples' features in the content layers, instead of the photos', and their
        colours.
    minutes : float, 1e-4 to 1e5
        How long to train, in all.
    steps : int, optional
        How many steps to take, instead of a time. The same seed and `precision` then give
        the same network, on the same computer with the same number of threads.
    recipe : Recipe
        Its layers, weights, and the size of the pictures that the network is to paint.
    crop : int, 32 to 1024 (from 48 on with layers of block 5)
        Side of the crops, in pixels.
    rate : float, 1e-6 to 1
        Adam's learning rate, at first. A network that was trained before forgets much at more
        than 0.003.
    seed : int
        Seed of the choice of the crops.
    device : {"auto", "cpu", "cuda", "mps"}
    precision : torch.dtype, optional
        Of VGG's convolutions; by default the fastest that is good enough.
    vgg : VGG19, optional
        By default the one that the recipe asks for. A given one keeps its precision.
    checkpoint : path, optional
        A file that keeps what it takes to go on. It is written once a minute and when you leave
        the loop, and removed at the end. If it is there at the beginning, the training goes on
        from it, as if it had never stopped.

    Returns
    -------
    iterator of `TrainingStep`

    Raises
    ------
    StylelibError
        If a picture or a number can't be used, or the checkpoint is damaged or belongs to another
        training; from a step, if memory runs out or the loss
        becomes NaN or infinite. The network stays as it was before that step.

    Examples
    --------
    >>> network, painting = FeedForward(), load_image("hokusai-great-wave", size=64)
    >>> for step in train(network, painting, steps=2, crop=64):  # better: minutes=10
    ...     print(f"{step.share:.0%}")
    50%
    100%
    >>> network.save("great-wave.pt")  # doctest: +SKIP
    PosixPath('great-wave.pt')
    """
    check_kind(network, FeedForward, "The network")
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise StylelibError(
            "All weights of the network are frozen, so there is nothing to train. "
            "Release them with network.requires_grad_()."
        )
    check_kind(recipe, Recipe, "The recipe")
    if precision is not None:
        check_precision(precision)
    if vgg is not None:
        check_kind(vgg, core_vgg.VGG19, "vgg, the network that the loss is computed with,")
    paintings = [paintings] if isinstance(paintings, Tensor) else paintings
    if not isinstance(paintings, list | tuple):
        raise StylelibError(f"The painting must be a picture, or a list, not {shown(paintings)}.")
    for painting in paintings:
        check_picture(painting, "The painting")
    if len(paintings) != len(network.paintings):
        raise StylelibError(
            f"The network has names for {len(network.paintings)} paintings, and {len(paintings)} "
            f"were given. Make one that fits: FeedForward(paintings=[...])."
        )
    if not isinstance(photos, list | tuple):
        raise StylelibError(f"The photos must be a list of pictures, not {shown(photos)}.")
    for photo in photos:
        check_picture(photo, "A photo")
    _check_examples(examples, len(paintings), len(photos))
    _check_numbers(minutes, steps, recipe, crop, seed)
    check_range("rate", rate, 1e-6, 1)
    pictures = [photo.detach().cpu().float() for photo in photos]
    if not examples:
        samples = [name for name, one in SAMPLES.items() if one.kind == "painting"]
        pictures = [*map(load_image, samples), *pictures]
    on = choose_device(pick(device, DEVICES, "device"))
    if not isinstance(vgg, VGG19):
        vgg = prepare(recipe, on, precision, vgg)
    first = next(crops(pictures, crop, recipe.size, seed)).photo.to(on)
    objectives = [_objectives(first, painting, recipe, vgg) for painting in paintings]
    for number, painting in enumerate(paintings):
        network.take_colors(number, painting)
    network.to(on, torch.float32)
    kept = None
    if checkpoint is not None:
        how = (network.width, network.blocks, network.paintings, recipe.as_dict(), crop, rate, seed)
        every = [*paintings, *pictures, *chain.from_iterable(examples)]
        which = [one is not None for one in every]
        mark = fingerprint((how, which), [one for one in every if one is not None])
        kept = Checkpoint(as_path(checkpoint), mark)
    photo_crops = partial(crops, pictures, crop, recipe.size, seed)
    return _training(network, objectives, photo_crops, examples, rate, minutes * 60, steps, kept)


def _objectives(
    photo: Tensor, painting: Tensor, recipe: Recipe, vgg: VGG19
) -> dict[int, Objective]:
    """What a painting asks for at each size, by how many times smaller that is."""
    style, found = Style(painting.detach().cpu()), {}
    sides = sorted(painting.shape[-2:])
    least = math.ceil(smallest_side(recipe.deepest) * sides[1] / sides[0])
    for by in (1, COARSE):
        size = recipe.style_size() // by
        # At a small size, a quarter of the painting could be too thin for the network.
        smaller = style.resized(max(2, size if by == 1 else max(size, least))).to(photo.device)
        found[by] = Objective(F.avg_pool2d(photo, by), smaller, recipe, vgg, single=True)
    return found


def _training(
    network: FeedForward,
    objectives: Sequence[Mapping[int, Objective]],
    photo_crops: Callable[[int], Iterator["Crop"]],
    examples: Sequence[Sequence[Tensor | None]],
    rate: float,
    seconds: float,
    steps: int | None,
    kept: Checkpoint | None,
) -> Generator[TrainingStep, None, None]:
    device = next(network.parameters()).device
    shared = [one for one in network.parameters() if one.dim() != 2]
    own = [one for one in network.parameters() if one.dim() == 2]
    # Of n paintings, each has its turn in every n-th step: Adam's steps are then 1 / sqrt(n) as
    # long on average.
    groups = [{"params": shared, "times": 1.0},
              {"params": own, "times": math.sqrt(len(objectives))}]  # fmt: skip
    optimizer = torch.optim.Adam(groups, lr=rate)
    iteration, before = kept.load(network, optimizer) if kept else (0, 0.0)
    parts = photo_crops(iteration + 1)
    start, share, passed = time.monotonic() - before, 0.0, before
    try:
        while share < 1:
            iteration += 1
            share = (iteration - 1) / steps if steps else min(1.0, passed / seconds)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["times"] * min(1, iteration / _WARM_UP) * _decay(share)
            if device.type == "cpu":
                sharing.share.take()
            which = (iteration - 1) % len(objectives)
            with usual_modes():
                part = next(parts)
                example = examples[which][part.number] if examples else None
                shares = F.one_hot(torch.tensor(which, device=device), len(objectives)).float()
                losses = _step(network, shares, objectives[which], part, example, optimizer)
            passed = time.monotonic() - start
            share = min(1.0, iteration / steps if steps else passed / seconds)
            if kept is not None:
                kept.keep(network, optimizer, iteration, passed)
            yield TrainingStep(iteration, share, passed, losses)
    except Exception as error:
        if is_out_of_memory(error):
            raise ran_out(error) from error
        raise
    finally:
        sharing.share.rest()
        if kept is not None:
            kept.end(done=share >= 1)


def _decay(share: float) -> float:
    """Cosine decay of the learning rate, from 1 to 0.01."""
    return 0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2


def _step(
    network: FeedForward,
    shares: Tensor,
    objectives: Mapping[int, Objective],
    part: "Crop",
    example: Tensor | None,
    optimizer: torch.optim.Optimizer,
) -> dict[str, float]:
    optimizer.zero_grad()
    photo = part.photo.to(shares.device)
    # Where VGG computes in bfloat16, so does the network, in two thirds of the time.
    quick = photo.device.type == "cpu" and objectives[1].network.dtype == torch.bfloat16
    with torch.autocast("cpu", torch.bfloat16, enabled=quick):
        painted = network(photo, shares)
    painted, like = painted.float(), photo
    if example is not None:
        sharp = part.enlarged(example) <= _SHARP
        example = part.cut(example.detach().cpu().float()).to(photo.device)
        like = example if sharp else photo
    found = []
    for by, objective in objectives.items():
        _, parts = objective.with_content(F.avg_pool2d(like, by))(F.avg_pool2d(painted, by))
        found.append({name: parts[name] for name in LOSSES if name in parts})
    losses = {name: torch.stack([parts[name] for parts in found]).mean() for name in found[0]}
    if example is not None:
        losses["colors"] = _color_loss(painted, example)
        losses["total"] = losses["total"] + COLORS * losses["colors"]
    total = losses["total"]
    total.backward()
    size = torch.nn.utils.clip_grad_norm_(network.parameters(), math.inf)
    if not (total.isfinite() and size.isfinite()):
        raise StylelibError(
            f"The loss became {total.item():g} and its gradient {size.item():g}, so training "
            f"stopped; the network is as it was before this step. Try smaller weights."
        )
    optimizer.step()
    return {name: loss.item() for name, loss in losses.items()}


def _color_loss(painted: Tensor, example: Tensor) -> Tensor:
    """The error of the mean colours of small blocks, relative to the example's variance."""
    errors = F.avg_pool2d(painted, _BLOCK) - F.avg_pool2d(example, _BLOCK)
    return errors.square().mean() / example.var().clamp_min(1e-3)


@dataclass(frozen=True)
class Crop:
    """A square part of a photo, as the network sees it in training.

    Attributes
    ----------
    photo : Tensor, shape (1, 3, side, side), RGB in 0-1
        The part; it may be mirrored, and its brightness and tint differ from the photo's.
    number : int
        Which photo it is from.
    box : tuple of float
        Top, left, height and width of the part, as shares of the photo's height and width.
    mirrored : bool
    """

    photo: Tensor
    number: int
    box: tuple[float, float, float, float]
    mirrored: bool

    def cut(self, picture: Tensor) -> Tensor:
        """The same part of another picture, at the same size; colours are left as they are."""
        return _cut(picture, self.box, self.photo.shape[-1], self.mirrored)

    def enlarged(self, picture: Tensor) -> float:
        """How many times as large that part is shown as it is in a picture."""
        return self.photo.shape[-1] / (self.box[2] * picture.shape[-2])


def _cut(
    picture: Tensor, box: tuple[float, float, float, float], side: int, mirrored: bool
) -> Tensor:
    height, width = picture.shape[-2:]
    top, left = min(round(box[0] * height), height - 1), min(round(box[1] * width), width - 1)
    bottom = top + max(1, round(box[2] * height))
    right = left + max(1, round(box[3] * width))
    part = resize_to(picture[..., top:bottom, left:right].contiguous(), (side, side))
    return part.flip(-1) if mirrored else part


def crops(
    pictures: Sequence[Tensor], crop: int, size: int, seed: int, first: int = 0
) -> Iterator[Crop]:
    """Endless random crops of pictures: position, zoom, mirroring, brightness and tint vary.

    `crop` is their side, and `size` the longest side of a picture that they are to look like parts
    of, both in pixels. They begin with number `first`.
    """
    generator = torch.Generator()

    def random(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, dtype=torch.float32)

    def between(low: float, high: float) -> float:
        return low + (high - low) * random().item()

    for step in count(first):  # each has its own seed, so that one can begin with any of them
        generator.manual_seed((seed + step * _APART) % 2**63)
        number = int(between(0, len(pictures)))
        height, width = pictures[number].shape[-2:]
        # If the picture's longest side became size * zoom, how much of it would a crop show?
        zoom = math.exp(between(math.log(ZOOMS[0]), math.log(ZOOMS[1])))
        window = min(round(crop * max(height, width) / (size * zoom)), height, width)
        top, left = (int(between(0, side - window + 1)) for side in (height, width))
        box = (top / height, left / width, window / height, window / width)
        mirrored = between(0, 1) < 0.5
        part = _cut(pictures[number], box, crop, mirrored)
        light, tint = between(-0.5, 0.5), random(1, 3, 1, 1) - 0.5
        part = part.clamp_min(1e-3) ** torch.exp(light + 0.6 * tint)
        yield Crop(part, number, box, mirrored)


def _check_examples(
    examples: Sequence[Sequence[Tensor | None]], paintings: int, photos: int
) -> None:
    if not isinstance(examples, list | tuple):
        raise StylelibError(
            f"The examples must be a list with a list of pictures for each painting, not "
            f"{shown(examples)}."
        )
    if not examples:
        return
    if len(examples) != paintings or any(
        not isinstance(each, list | tuple) or len(each) != photos for each in examples
    ):
        raise StylelibError(
            f"There must be a list of examples for each of the {paintings} paintings, and in each "
            f"list one example for each of the {photos} photos."
        )
    for example in chain.from_iterable(examples):
        if example is not None:
            check_picture(example, "An example")
    if not photos:
        raise StylelibError("The examples show how photos should be painted: give the photos, too.")


def _check_numbers(minutes: float, steps: int | None, recipe: Recipe, crop: int, seed: int) -> None:
    least = max(32, COARSE * smallest_side(recipe.deepest))
    check_range("crop", crop, least, 1024, Integral)
    check_range("steps", 1 if steps is None else steps, 1, 10**9, Integral)
    check_range("seed", seed, 0, 2**63 - 1, Integral)
    check_range("minutes", minutes, 1e-4, 1e5)
