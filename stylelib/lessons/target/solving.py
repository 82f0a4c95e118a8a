"""What several exercises of lesson 04 need: a tiny network, a loop with flaws, a target loss."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from ...core.layers import CONTENT_LAYER, CONVOLUTIONS, STYLE_LAYERS
from ...core.loop import step
from ...core.losses import content_loss, gram_matrix, style_loss, target_loss
from ...core.vgg import VGG19, Weights
from ..checking import Inputs
from ..painted import Hint


def picture_and_loss(generator: Generator) -> Inputs:
    """A loss whose minimum lies outside 0-1 for some pixels, so that clamping matters."""
    image, wanted = torch.rand(2, 1, 3, 4, 5, generator=generator)
    scale = torch.rand(1, 3, 4, 5, generator=generator) + 0.2
    minimum: Tensor = 3 * wanted - 1

    def loss(picture: Tensor) -> Tensor:
        return (scale * (picture - minimum)).square().sum()

    return image, loss, 0.1 + 0.05 * float(image[0, 0, 0, 0]), 6


class _NeverZeroed(torch.optim.Adam):
    """Adam as it works if `zero_grad` is forgotten: the gradients add up."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Do nothing."""


def some_steps(
    zero: bool = True, clamp: bool = True, sign: int = 1, fewer: int = 0
) -> Callable[..., Tensor]:
    """Steps with Adam; settings other than the defaults are common mistakes."""

    def descend(image: Tensor, loss: Callable[[Tensor], Tensor], rate: float, steps: int) -> Tensor:
        pixels = image.clone().requires_grad_()
        optimizer = (torch.optim.Adam if zero else _NeverZeroed)([pixels], lr=rate)
        for _ in range(fewer or steps):
            step(pixels, lambda picture: sign * loss(picture), optimizer)
            if clamp:
                pixels.data.clamp_(0, 1)
        return pixels.detach()

    return descend


def small_network(generator: Generator) -> VGG19:
    """A VGG-19 with six random maps a layer, not frozen; it makes a check almost instant."""
    kernels, biases, before = {}, {}, 3
    for name in list(CONVOLUTIONS)[: list(CONVOLUTIONS).index("conv5_1") + 1]:
        spread = (2 / (9 * before)) ** 0.5
        kernels[name] = spread * torch.randn(6, before, 3, 3, generator=generator)
        biases[name] = 0.05 * torch.rand(6, generator=generator)
        before = 6
    network = VGG19(Weights(kernels, biases, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)))
    return network.requires_grad_(True)


def grams_of(maps: dict[str, Tensor]) -> dict[str, Tensor]:
    """The Gram matrices of the style layers."""
    return {name: gram_matrix(maps[name]) for name in STYLE_LAYERS}


def loss_of(
    camel: Tensor,
    painting: Tensor,
    network: VGG19,
    content_weight: float,
    layer_weights: dict[str, float] | None,
    content_layer: str = CONTENT_LAYER,
) -> Callable[[Tensor], Tensor]:
    """The target loss of the whole loop, as a function of the picture."""
    with torch.no_grad():
        wanted = network(camel, [content_layer])[content_layer]
        painted = grams_of(network(painting, STYLE_LAYERS))

    def loss(image: Tensor) -> Tensor:
        maps = network(image, [content_layer, *STYLE_LAYERS])
        content = content_loss(maps[content_layer], wanted)
        style = style_loss(grams_of(maps), painted, layer_weights)
        return target_loss(content, style, content_weight)

    return loss


FORGOT_ZERO = Hint(
    "the gradients of earlier steps are still there, because backward() adds to them. Call "
    "optimizer.zero_grad() in every step, before backward().",
    "never-zeroed",
)
UPHILL = Hint(
    "this goes uphill: the loss grows. An optimiser minimises whatever you call backward() on, so "
    "leave out the minus sign.",
    "uphill",
)
