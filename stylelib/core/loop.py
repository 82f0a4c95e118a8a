"""The optimisation: the pixels change, step by step; the network does not.

Here the parts come together. `step` is the one step of every optimisation in this
package, `optimize` the loop around it, and `style_transfer` the whole idea: a photo and
a painting go in, a new picture comes out.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import torch
from torch import Tensor

from .layers import CONTENT_LAYER, STYLE_LAYERS
from .losses import content_loss, gram_matrix, style_loss, target_loss
from .vgg import VGG19


class Optimizer(Protocol):
    """What turns gradients into a step: PyTorch's optimisers, or one of your own."""

    def zero_grad(self) -> None:
        """Forget the gradient of the step before."""

    def step(self) -> object:
        """Move the pixels, by the gradient that `backward` has left on them."""


def step(pixels: Tensor, loss: Callable[[Tensor], Tensor], optimizer: Optimizer) -> Tensor:
    """Take one step downhill.

    Parameters
    ----------
    pixels : Tensor that requires a gradient, shape (1, 3, H, W)
        Changed in place.
    loss : callable
        From the pixels to the number that is to become smaller.
    optimizer : Optimizer
        Of these pixels.

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
        From the pixels to the number that is to become smaller.
    steps : iterable
        For example ``range(200)``.
    learning_rate : float
        About how far a pixel moves in each step.

    Returns
    -------
    Tensor, shape (1, 3, H, W), RGB in 0-1
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

    Gatys, Ecker, Bethge (2016), section 2.3, with Adam in place of L-BFGS, and started from
    the photo. Each layer's loss is divided by the mean square of its target, so that all
    layers count alike, whatever the size of their numbers.

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
        wanted = network(content, [CONTENT_LAYER])[CONTENT_LAYER]
        painted = grams(network(style, STYLE_LAYERS))
    share = 1 / len(STYLE_LAYERS)
    layer_weights = {layer: share / gram.square().mean() for layer, gram in painted.items()}

    def loss(image: Tensor) -> Tensor:
        maps = network(image, [CONTENT_LAYER, *STYLE_LAYERS])
        content_part = content_loss(maps[CONTENT_LAYER], wanted) / wanted.square().mean()
        style_part = style_loss(grams(maps), painted, layer_weights)
        return target_loss(content_part, style_part, style_weight=style_weight)

    return optimize(content, loss, steps)
