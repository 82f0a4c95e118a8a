"""Coarse to fine: which size is painted when, and what happens when it grows."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..core import loop
from ..errors import StylelibError
from ..guards import smallest_side
from ..pictures.images import fit, resize_to
from ..recipes import Recipe
from . import cards
from .lbfgs import FIRST, LBFGS
from .masks import Style
from .objective import Objective


def size_at(recipe: Recipe, iteration: int) -> int:
    """The longest side, in pixels, that a recipe paints at after this many steps."""
    done = 0
    for size, steps in recipe.stages():
        done += steps
        if iteration < done:
            return size
    return recipe.size


def least_size(recipe: Recipe, content: Tensor, styles: Sequence[Style]) -> int:
    """The smallest longest side at which no picture is too thin for the network."""
    deepest = recipe.deepest
    least = 0
    pictures = [(content, "content", 1.0)]
    pictures += [(style.image, "style", recipe.style_scale) for style in styles]
    for image, what, scale in pictures:
        long, short = max(image.shape[-2:]), min(image.shape[-2:])
        least = max(least, math.ceil(smallest_side(deepest) * long / short / scale))
        if least > recipe.size:
            raise StylelibError(
                f"At size {recipe.size} the {what} picture is too thin for {deepest}, which "
                f"needs {smallest_side(deepest)} pixels on each side. "
                f"Use size {least} or more, crop the picture, or use earlier layers."
            )
    return least


def first_picture(recipe: Recipe, content: Tensor, style: Tensor, size: int) -> Tensor:
    """The picture to start from, with the photo's proportions and a longest side of `size`."""
    shape = fit(content.shape, size)
    if recipe.init == "noise":
        generator = torch.Generator().manual_seed(recipe.seed)
        return torch.rand(1, 3, *shape, generator=generator, dtype=torch.float32)
    return resize_to(content if recipe.init == "content" else style, shape).clone()


def add_detail(pixels: Tensor, objective: Objective) -> bool:
    """Put in what enlarging could not: the style of the first layers, which are quick to compute.

    The pixels are changed in place, to the best picture of the recipe's `detail_steps`. Returns
    whether the recipe uses any of these layers.
    """
    detail = objective.of_detail()
    if detail is None:
        return False
    device = pixels.device
    make = cards.LBFGS if cards.on_card(device) else LBFGS
    optimizer = make(pixels, detail.painted, 3 * FIRST)  # it has far to go
    call = cards.captured(detail, detail.recipe, detail.network.dtype, device)
    best, least = pixels.detach().clone(), pixels.new_full((), math.inf)

    def loss(image: Tensor) -> Tensor:
        return call(image)[0]

    # What is best is chosen on the device, so that nothing waits for a card's answers.
    for _ in range(objective.recipe.detail_steps):
        before = pixels.detach().clone()
        value = loop.step(pixels, loss, optimizer)
        better = value < least  # never, once it is no longer a number
        best, least = torch.where(better, before, best), torch.where(better, value, least)
        if objective.recipe.clamp:
            pixels.data.clamp_(0, 1)
    with torch.no_grad():
        better = loss(pixels) < least
        pixels.data.copy_(torch.where(better, pixels, best))
    return True
