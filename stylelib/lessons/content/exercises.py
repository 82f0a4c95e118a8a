"""The exercises of lesson 02, Content."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ...engine.network import features
from ...guards import content_loss
from ..checking import Exercise, Inputs, Mistake, register
from ..checking import check as check
from .compute import relative_error

_SUM = "you add the squares up; divide by how many there are: mean, not sum."
_NO_SQUARE = (
    "square the difference before you take the mean: without it, too much here "
    "makes up for too little there."
)


def _two_stacks(generator: torch.Generator) -> Inputs:
    """Feature maps of a new picture and of the photo; both after ReLU, so 0 or more."""
    stacks = torch.randn(2, 1, 4, 3, 5, generator=generator).relu() * 2 + 0.1
    return stacks[0], stacks[1]


register(
    Exercise(
        "2.1",
        "Mean squared error",
        right=content_loss,
        inputs=_two_stacks,
        mistakes=(
            Mistake(lambda maps, target: (maps - target).square().sum(), _SUM),
            Mistake(lambda maps, target: (maps - target).mean(), _NO_SQUARE),
            Mistake(
                lambda maps, target: (maps - target).abs().mean(),
                "that is the mean of the absolute differences; square them instead of abs().",
            ),
            Mistake(
                lambda maps, target: (maps - target).square().mean().sqrt(),
                "that is the square root of the right number; leave the root out.",
            ),
            Mistake(
                lambda maps, target: (maps - target).mean().square(),
                "the order counts: first square each difference, then take the mean of them all.",
            ),
            Mistake(
                lambda maps, target: (maps.square() - target.square()).mean(),
                "subtract first, then square: a² − b² is not (a − b)².",
            ),
            Mistake(
                lambda maps, target: (maps - target).square(),
                "that is one square for each number; now make one number of them: their mean.",
            ),
            Mistake(
                lambda maps, target: (maps - target).square().mean((2, 3)),
                "that is one number for each map; take the mean over everything, mean() with "
                "nothing in the brackets.",
            ),
        ),
        gradient=True,
    )
)


def _picture_and_photo(generator: torch.Generator) -> Inputs:
    pictures = torch.rand(2, 1, 3, 24, 32, generator=generator)
    layers = ("conv2_2", "conv3_2", "conv1_2")
    return pictures[0], pictures[1], layers[int(pictures[0, 0, 0, 0, 0] * 3)]


def _loss_between(**options: Any) -> Callable[[Tensor, Tensor, str], Tensor]:
    def loss(image: Tensor, photo: Tensor, layer: str) -> Tensor:
        image_maps = features(image, layer, **options)[layer]
        return content_loss(image_maps, features(photo, layer, **options)[layer])

    return loss


def _always(layer: str) -> Callable[[Tensor, Tensor, str], Tensor]:
    return lambda image, photo, _: _loss_between()(image, photo, layer)


register(
    Exercise(
        "2.2",
        "Content loss of a picture",
        right=_loss_between(),
        inputs=_picture_and_photo,
        mistakes=(
            Mistake(
                lambda image, photo, layer: content_loss(image, photo),
                "you compare the pixels; compare what the layer makes of them: "
                "features(image, layer)[layer].",
            ),
            Mistake(
                _always("conv4_2"),
                "you always look at conv4_2; use the layer that is given, the third input.",
            ),
            *(
                Mistake(_always(name), f"you always look at {name}; use the layer that is given.")
                for name in ("conv1_1", "conv1_2", "conv2_2", "conv3_2", "conv5_2")
            ),
            Mistake(
                _loss_between(before_relu=True),
                "you compare the maps before their ReLU; take them after it, as features does "
                "when you leave before_relu out.",
            ),
            Mistake(
                lambda image, photo, layer: (
                    (features(image, layer)[layer] - features(photo, layer)[layer]).square().sum()
                ),
                _SUM,
            ),
            Mistake(
                lambda image, photo, layer: features(image - photo, layer)[layer].square().mean(),
                "you subtract the pictures and then look; look at each first, then subtract the "
                "feature maps. With ReLU on the way that is not the same.",
            ),
        ),
        gradient=True,
    )
)


register(
    Exercise(
        "2.3",
        "Relative error",
        right=relative_error,
        inputs=_two_stacks,
        mistakes=(
            Mistake(content_loss, "that is the content loss; now divide it by the target's size."),
            Mistake(
                lambda maps, target: content_loss(maps, target) / maps.square().mean(),
                "you divide by the new picture's mean square; divide by the target's. The "
                "target stays the same while the picture changes.",
            ),
            Mistake(
                lambda maps, target: content_loss(maps, target) / target.mean(),
                "you divide by the target's mean; divide by the mean of its squares, so that "
                "above and below stand squares.",
            ),
            Mistake(
                lambda maps, target: content_loss(maps, target) / target.mean().square(),
                "the order counts: the mean of the target's squares, not the square of its mean.",
            ),
            Mistake(
                lambda maps, target: content_loss(maps, target) / target.var(correction=0),
                "you divide by the variance, which leaves the target's mean out; take the mean "
                "of the squares.",
            ),
            Mistake(
                lambda maps, target: content_loss(maps, target) / target.var(),
                "you divide by the variance, which leaves the target's mean out; take the mean "
                "of the squares.",
            ),
            Mistake(
                lambda maps, target: content_loss(maps, target) / target.square().sum(),
                "a mean above but a sum below: take the mean of both.",
            ),
            Mistake(
                lambda maps, target: ((maps - target) / target).square().mean(),
                "you divide number by number; a target of 0 would make that infinite. Divide "
                "the two means, once.",
            ),
        ),
        gradient=True,
    )
)


def _mse_gradient(maps: Tensor, target: Tensor) -> Tensor:
    return 2 * (maps - target) / maps.numel()


register(
    Exercise(
        "2.4",
        "The gradient by hand",
        right=_mse_gradient,
        inputs=_two_stacks,
        mistakes=(
            Mistake(
                lambda maps, target: (maps - target) / maps.numel(),
                "the 2 is missing: the derivative of x² is 2x.",
            ),
            Mistake(
                lambda maps, target: 2 * (maps - target),
                "that is the gradient of the sum; the mean also divides by how many numbers "
                "there are, maps.numel().",
            ),
            Mistake(
                lambda maps, target: 2 * (target - maps) / maps.numel(),
                "the sign is the wrong way round: where the picture's number is too large, the "
                "gradient is above 0.",
            ),
            Mistake(
                lambda maps, target: maps - target,
                "that is the difference; it points the right way, but two factors are missing: "
                "the 2 from the square, and the mean's division.",
            ),
            Mistake(
                lambda maps, target: 2 * (maps - target) / len(maps),
                "len(maps) is the number of pictures, 1; divide by the number of all numbers, "
                "maps.numel().",
            ),
            Mistake(
                lambda maps, target: 2 * (maps - target).mean(),
                "that is one number; a gradient has one for each number in maps, so leave "
                "mean() out and divide by maps.numel().",
            ),
            Mistake(
                lambda maps, target: 2 * (maps - target).square() / maps.numel(),
                "the derivative of x² is 2x: no square is left.",
            ),
        ),
    )
)


def _picture_loss_rate(generator: torch.Generator) -> Inputs:
    target = torch.rand(1, 3, 4, 6, generator=generator)
    picture = torch.rand(1, 3, 4, 6, generator=generator)

    def loss(image: Tensor) -> Tensor:
        return 40 * (image - target).pow(4).mean() + content_loss(image, target)

    # Large enough for some pixels to leave 0-1, which tells a clamp.
    return picture, loss, 8.0


def _gradient(image: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
    pixels = image.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(pixels), pixels)
    return gradient


register(
    Exercise(
        "2.5",
        "One step downhill",
        right=lambda image, loss, rate: image - rate * _gradient(image, loss),
        inputs=_picture_loss_rate,
        mistakes=(
            Mistake(
                lambda image, loss, rate: image + rate * _gradient(image, loss),
                "you go uphill: the gradient points where the loss grows, so subtract it.",
            ),
            Mistake(
                lambda image, loss, rate: image - _gradient(image, loss),
                "multiply the gradient by rate, the learning rate, before you subtract it.",
            ),
            Mistake(
                lambda image, loss, rate: _gradient(image, loss),
                "that is the gradient itself; take rate times it away from the picture.",
            ),
            Mistake(
                lambda image, loss, rate: -rate * _gradient(image, loss),
                "that is only the step; add the picture to it.",
            ),
            Mistake(
                lambda image, loss, rate: image - rate * _gradient(image, loss).sign(),
                "you use the gradient's sign only; pixels with a larger gradient move further.",
            ),
            Mistake(
                lambda image, loss, rate: (image - rate * _gradient(image, loss)).clamp(0, 1),
                "nearly: leave clamp out here. This step is the plain one, and pixels may leave "
                "0 to 1.",
            ),
            Mistake(
                lambda image, loss, rate: image - rate * loss(image),
                "you subtract the loss; it is the same number for each pixel. Subtract its "
                "gradient: torch.autograd.grad(loss(pixels), pixels)[0].",
            ),
            Mistake(
                lambda image, loss, rate: image,
                "the picture comes back as it was; take rate times the gradient away from it.",
            ),
        ),
    )
)
