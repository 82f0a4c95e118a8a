"""The exercises of lesson 04, but for the last, which is in `whole_loop`."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from ...core.vgg import CONVOLUTIONS, VGG19, Weights
from ...guards import target_loss, total_variation
from ..checking import Exercise, Inputs, Mistake, register
from ..checking import check as check
from ..watching import Watched


def _two_losses(generator: Generator) -> Inputs:
    content, style = torch.rand(2, generator=generator) * 3 + 0.5
    weights = (torch.rand(2, generator=generator) * 4 + 0.3).tolist()
    return content, style * 2, *weights


register(
    Exercise(
        "4.1",
        "Target loss",
        right=target_loss,
        inputs=_two_losses,
        gradient=True,
        mistakes=(
            Mistake(
                lambda c, s, a, b: b * c + a * s,
                "the weights are swapped: content_weight belongs to the content loss.",
            ),
            Mistake(
                lambda c, s, a, b: c + s,
                "the two losses are added, but neither has its weight yet.",
            ),
            Mistake(lambda c, s, a, b: c + b * s, "content_weight is missing."),
            Mistake(lambda c, s, a, b: a * c + s, "style_weight is missing."),
            Mistake(
                lambda c, s, a, b: (a * c + b * s) / 2,
                "that is the mean of the two parts. Just add them.",
            ),
            Mistake(
                lambda c, s, a, b: (a * c + b * s) / (a + b),
                "you divided by the sum of the weights. Just add the weighted losses.",
            ),
            Mistake(
                lambda c, s, a, b: a * c * b * s,
                "you multiplied the two parts: then the product is 0 as soon as one of them is. "
                "Add them.",
            ),
            Mistake(
                lambda c, s, a, b: (a + b) * (c + s),
                "here each weight multiplies both losses. Multiply each loss by its own weight, "
                "then add.",
            ),
            Mistake(
                lambda c, s, a, b: a * c - b * s,
                "you subtract the style part, so more style loss would be better. Add it.",
            ),
            Mistake(lambda c, s, a, b: a * c, "the style part is missing."),
            Mistake(lambda c, s, a, b: b * s, "the content part is missing."),
        ),
    )
)


def _picture_and_loss(generator: Generator) -> Inputs:
    """A loss whose lowest place lies outside 0-1 for some pixels, so that clamping matters."""
    image, wanted = torch.rand(2, 1, 3, 4, 5, generator=generator)
    scale = torch.rand(1, 3, 4, 5, generator=generator) + 0.2
    wanted = 3 * wanted - 1

    def loss(picture: Tensor) -> Tensor:
        return (scale * (picture - wanted)).square().sum()

    return image, loss, 0.1 + 0.05 * float(image[0, 0, 0, 0]), 6


def some_steps(
    zero: bool = True, clamp: str = "each", sign: int = 1, fewer: int = 0
) -> Callable[..., Tensor]:
    """Some steps with Adam; other settings than the default ones are the usual mistakes."""

    def optimise(image: Tensor, loss: Callable[[Tensor], Tensor], rate: float, steps: int) -> Any:
        pixels = image.clone().requires_grad_()
        optimizer = torch.optim.Adam([pixels], lr=rate)
        for _ in range(fewer or steps):
            if zero:
                optimizer.zero_grad()
            (sign * loss(pixels)).backward()
            optimizer.step()
            if clamp == "each":
                pixels.data.clamp_(0, 1)
        return pixels.detach().clamp(0, 1) if clamp == "end" else pixels.detach()

    return optimise


FORGOT_ZERO = (
    "the gradients of earlier steps are still in it: backward() adds to what is there. Call "
    "optimizer.zero_grad() in every step, before backward()."
)
UPHILL = (
    "this goes uphill: the loss grows. An optimiser minimises what you call backward() on, so "
    "leave out the minus."
)

register(
    Exercise(
        "4.2",
        "Some steps, within 0 to 1",
        right=some_steps(),
        inputs=_picture_and_loss,
        mistakes=(
            Mistake(some_steps(zero=False), FORGOT_ZERO),
            Mistake(some_steps(zero=False, clamp="no"), FORGOT_ZERO),
            Mistake(
                some_steps(clamp="no"),
                "the steps are right, but pixels leave 0 to 1, where no screen can show them. "
                "Clamp them after each step.",
            ),
            Mistake(
                some_steps(clamp="end"),
                "you clamp once, at the end. Clamp after each step, so that the next one starts "
                "from a picture that can be shown.",
            ),
            Mistake(some_steps(sign=-1), UPHILL),
            Mistake(some_steps(sign=-1, clamp="no"), UPHILL),
            Mistake(
                some_steps(fewer=1),
                "that is one step. Take as many as asked: is return inside the loop, or is the "
                "loop missing?",
            ),
            Mistake(
                lambda image, loss, rate, steps: image,
                "the picture comes back as it was. Does the optimiser get [pixels], is there a "
                "backward() before step(), and do you return the pixels?",
            ),
        ),
    )
)


def small_network(generator: Generator) -> VGG19:
    """A VGG-19 with few channels and random numbers, not frozen: a check takes no time."""
    kernels, biases, before = {}, {}, 3
    for name in list(CONVOLUTIONS)[: list(CONVOLUTIONS).index("conv5_1") + 1]:
        spread = (2 / (9 * before)) ** 0.5
        kernels[name] = spread * torch.randn(6, before, 3, 3, generator=generator)
        biases[name] = 0.05 * torch.rand(6, generator=generator)
        before = 6
    network = VGG19(Weights(kernels, biases, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)))
    return network.requires_grad_(True)


def _trainable_network_and_camel(generator: Generator) -> Inputs:
    return small_network(generator), torch.rand(1, 3, 5, 7, generator=generator)


def _freeze(network: VGG19, camel: Tensor) -> Tensor:
    network.requires_grad_(False)
    return camel.clone().requires_grad_()


def _frozen(network: VGG19) -> list[bool]:
    return [not parameter.requires_grad for parameter in network.parameters()]


register(
    Watched(
        "4.3",
        "What may change, and what may not",
        right=_freeze,
        inputs=_trainable_network_and_camel,
        mistakes=(
            Mistake(
                lambda before, after, result: result is None or result is ...,
                "something has changed, but nothing comes back. Return the pixels.",
            ),
            Mistake(
                lambda before, after, result: not isinstance(result, Tensor),
                "give back the pixels, a tensor, and nothing else.",
            ),
            Mistake(
                lambda before, after, result: (
                    result.shape != before[1].shape or not torch.equal(result.detach(), before[1])
                ),
                "the pixels should begin as a copy of the camel: camel.clone().",
            ),
            Mistake(
                lambda before, after, result: result.data_ptr() == after[1].data_ptr(),
                "these are the camel's own numbers, so painting would change the camel itself, "
                "the very thing to compare with. Make a copy first: clone().",
            ),
            Mistake(
                lambda before, after, result: after[1].requires_grad,
                "the camel itself now records gradients, too. Copy it first, then call "
                "requires_grad_() on the copy.",
            ),
            Mistake(
                lambda before, after, result: not result.requires_grad,
                "the pixels don't ask for a gradient, so backward() would have nowhere to put "
                "one. Call requires_grad_() on them.",
            ),
            Mistake(
                lambda before, after, result: not any(_frozen(after[0])),
                "the network is not frozen: backward() would compute a gradient for each of its "
                "weights, for nothing. Switch them off with requires_grad_(False).",
            ),
            Mistake(
                lambda before, after, result: not all(_frozen(after[0])),
                "only a part of the network is frozen. Go through all of network.parameters().",
            ),
        ),
    )
)


def _pictures(generator: Generator) -> Inputs:
    return (torch.rand(2, 3, 5, 8, generator=generator),)


def _down(image: Tensor) -> Tensor:
    return image[..., 1:, :] - image[..., :-1, :]


def _right(image: Tensor) -> Tensor:
    return image[..., 1:] - image[..., :-1]


def _both(measure: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda image: measure(_down(image)) + measure(_right(image))


register(
    Exercise(
        "4.4",
        "Total variation",
        right=total_variation,
        inputs=_pictures,
        gradient=True,
        mistakes=(
            Mistake(
                lambda image: _down(image).square().mean(),
                "only the steps from row to row are in it. Add those from column to column.",
            ),
            Mistake(
                lambda image: _right(image).square().mean(),
                "only the steps from column to column are in it. Add those from row to row.",
            ),
            Mistake(
                _both(lambda step: step.square().sum()),
                "you add the squares up, so a larger picture would be rougher. Take the mean.",
            ),
            Mistake(
                _both(lambda step: step.abs().mean()),
                "you took the size of each step. That is a total variation, too, but here we "
                "square the steps.",
            ),
            Mistake(
                _both(lambda step: step.mean()),
                "steps up and steps down cancel. Square each before you take the mean.",
            ),
            Mistake(
                _both(lambda step: step.mean().square()),
                "first square each step, then take the mean, or up and down cancel.",
            ),
            Mistake(
                lambda image: _both(lambda step: step.square().mean())(image) / 2,
                "you took the mean of the two directions. Add them.",
            ),
            Mistake(
                lambda image: (
                    torch.cat([_down(image).flatten(), _right(image).flatten()]).square().mean()
                ),
                "you took one mean over both directions together. Take one for each, and add.",
            ),
            Mistake(
                lambda image: (
                    (image.roll(-1, 2) - image).square().mean()
                    + (image.roll(-1, 3) - image).square().mean()
                ),
                "roll goes round the edge: the last row is compared with the first, which is no "
                "neighbour of it. Use slices: image[..., 1:, :] and image[..., :-1, :].",
            ),
            Mistake(
                lambda image: (
                    (image[:, 1:] - image[:, :-1]).square().mean()
                    + (image[:, :, 1:] - image[:, :, :-1]).square().mean()
                ),
                "one of your two directions goes from colour to colour: the shape is (pictures, "
                "colours, rows, columns). Use the last two dimensions.",
            ),
        ),
    )
)
