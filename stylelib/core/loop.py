"""The optimisation: the pixels change, step by step; the network does not.

Here the parts come together. Every optimisation in this package calls `step`; `optimize`
is the loop around it, and `style_transfer` the basic method: a photo and a painting go in,
a new picture comes out.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import torch
from torch import Tensor

from .layers import CONTENT_LAYER, STYLE_LAYERS
from .losses import content_loss, gram_matrix, style_loss, target_loss
from .vgg import VGG19


class Optimizer(Protocol):
    """Any optimiser whose `step` needs no closure, such as `torch.optim.Adam`."""

    def zero_grad(self) -> None:
        """Reset the gradient."""

    def step(self) -> object:
        """Update the pixels from their gradient."""


def step(pixels: Tensor, loss: Callable[[Tensor], Tensor], optimizer: Optimizer) -> Tensor:
    """Take one step downhill: the gradient flows back through the network to the pixels.

    Parameters
    ----------
    pixels : Tensor that requires a gradient, shape (1, 3, H, W)
        Changed in place.
    loss : callable
        Maps the pixels to the scalar to minimise.
    optimizer : Optimizer
        Created for these pixels.

    Returns
    -------
    Tensor, scalar
        The loss before the step.
    """
    optimizer.zero_grad()
    value = loss(pixels)
    value.backward()
    optimizer.step()
    return value.detach()


def optimize(
    image: Tensor,
    loss: Callable[[Tensor], Tensor],
    steps: Iterable[object],
    learning_rate: float = 0.02,
) -> Tensor:
    """Change the pixels of a picture, step by step, so that a loss becomes smaller.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        The picture to start from; it is left as it is.
    loss : callable
        Maps the pixels to the scalar to minimise.
    steps : iterable
        For example ``range(200)``; it can be wrapped in a progress bar.
    learning_rate : float
        Adam's: about how far a pixel moves in each step, in 0-1.

    Returns
    -------
    Tensor, shape (1, 3, H, W), RGB in 0-1
        On the way pixels may leave this range; they are clamped at the end.
    """
    pixels = image.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=learning_rate)
    for _ in steps:
        step(pixels, loss, optimizer)
    return pixels.detach().clamp(0, 1)


def style_transfer(
    content: Tensor,
    style: Tensor,
    network: VGG19,
    style_weight: float = 3.0,
    steps: Iterable[object] = range(200),
) -> Tensor:
    """A new picture with the content of the one and the style of the other.

    Gatys, Ecker, Bethge (2016), section 2.3; but with Adam in place of L-BFGS, max pooling,
    starting from the photo, and each loss divided by the mean square of its target, so that
    layers with large activations do not dominate.

    Parameters
    ----------
    content, style : Tensor, shape (1, 3, H, W), RGB in 0-1
        The photo and the painting; they may differ in size.
    network : VGG19
    style_weight : float
        How much the style loss counts; the content loss counts 1.
    steps : iterable
        As for `optimize`.

    Returns
    -------
    Tensor, shape (1, 3, H, W), RGB in 0-1
    """

    def grams(maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {layer: gram_matrix(maps[layer]) for layer in STYLE_LAYERS}

    with torch.no_grad():  # the targets are constants
        content_target = network(content, [CONTENT_LAYER])[CONTENT_LAYER]
        style_targets = grams(network(style, STYLE_LAYERS))
    layer_weights = {
        layer: 1 / (len(STYLE_LAYERS) * gram.square().mean())
        for layer, gram in style_targets.items()
    }

    def loss(image: Tensor) -> Tensor:
        maps = network(image, [CONTENT_LAYER, *STYLE_LAYERS])
        content_part = content_loss(maps[CONTENT_LAYER], content_target)
        content_part = content_part / content_target.square().mean()
        style_part = style_loss(grams(maps), style_targets, layer_weights)
        return target_loss(content_part, style_part, style_weight=style_weight)

    return optimize(content, loss, steps)
