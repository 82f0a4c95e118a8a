"""The exercises of lesson 02: from the mean squared error to a step of gradient descent."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from ...engine.network import features
from ...guards import content_loss
from ..checking import Exercise, Inputs, guide, register
from ..checking import check as check
from ..checking import hint as hint
from ..checking import solution as solution
from ..measures import relative_error
from ..mistakes import Answer, mistakes, mse_mistakes
from .compute import CONTENT_LAYERS

# 2.1, the mean squared error; 2.3, the relative error; 2.4, the gradient by hand


def _two_stacks(generator: Generator) -> Inputs:
    """Feature maps of a new picture and of the photo: 0 or more, as after ReLU."""
    stacks = torch.randn(2, 1, 4, 3, 5, generator=generator).relu() * 2 + 0.1
    return stacks[0], stacks[1]


_MSE = mistakes(
    *mse_mistakes(torch.sub),
    lambda m, t: (m.square() - t.square()).mean(),
    "subtract first, then square: a² − b² is not (a − b)².",
    lambda m, t: (m - t).square().mean((2, 3)),
    "this is one number for each map. Take the mean over everything: mean() without arguments.",
)

_RELATIVE_ERROR = mistakes(
    content_loss,
    "this is the content loss. Divide it by the target's mean square.",
    lambda m, t: content_loss(m, t) / m.square().mean(),
    "you divide by the new picture's mean square. Divide by the target's, which stays the "
    "same while the picture changes.",
    lambda m, t: content_loss(m, t) / t.mean(),
    "you divide by the target's mean. Divide by the mean of its squares, so that numerator "
    "and denominator are both squares.",
    lambda m, t: content_loss(m, t) / t.mean().square(),
    "the order matters: the mean of the target's squares, not the square of its mean.",
    lambda m, t: content_loss(m, t) / t.var(correction=0),
    lambda m, t: content_loss(m, t) / t.var(),
    "the variance leaves out the target's mean. Divide by the mean of its squares.",
    lambda m, t: content_loss(m, t) / t.square().sum(),
    "you divide a mean by a sum. Take the mean in both.",
    lambda m, t: ((m - t) / t).square().mean(),
    "you divide number by number, which is infinite where the target is 0. Divide the two "
    "means, once.",
)

_MSE_GRADIENT = mistakes(
    lambda m, t: (m - t) / m.numel(),
    "the 2 is missing: the derivative of x² is 2x.",
    lambda m, t: 2 * (m - t),
    "this is the gradient of the sum. For the mean, divide by maps.numel().",
    lambda m, t: 2 * (t - m) / m.numel(),
    "the sign is wrong: where maps is too large, the gradient is positive.",
    lambda m, t: m - t,
    "this is the difference. It points the right way, but two factors are missing: the 2 "
    "from the square, and the division by maps.numel().",
    lambda m, t: 2 * (m - t) / len(m),
    "len(maps) is the number of pictures, 1. Divide by maps.numel().",
    lambda m, t: 2 * (m - t).mean(),
    "this is one number, but the gradient has one for each number in maps. Leave out mean() "
    "and divide by maps.numel().",
    lambda m, t: 2 * (m - t).square() / m.numel(),
    "the derivative of x² is 2x: no square is left.",
)

# 2.2, the content loss of a picture


def _picture_and_photo(generator: Generator) -> Inputs:
    pictures = torch.rand(2, 1, 3, 24, 32, generator=generator)
    layers = ("conv2_2", "conv3_2", "conv1_2")
    return pictures[0], pictures[1], layers[int(pictures[0, 0, 0, 0, 0] * 3)]


def _difference(image: Tensor, photo: Tensor, layer: str, before_relu: bool = False) -> Tensor:
    maps, target = (features(each, layer, before_relu=before_relu) for each in (image, photo))
    return maps[layer] - target[layer]


def _picture_loss(image: Tensor, photo: Tensor, layer: str) -> Tensor:
    return _difference(image, photo, layer).square().mean()


def _always(layer: str) -> list[Answer | str]:
    return [
        lambda image, photo, _: _picture_loss(image, photo, layer),
        f"you always use {layer}. Use the layer that is given, the third argument.",
    ]


_PICTURE_LOSS = mistakes(
    lambda image, photo, layer: content_loss(image, photo),
    "you compare the pixels. Compare the feature maps: features(image, layer)[layer].",
    *(each for layer in ("conv1_1", *CONTENT_LAYERS) for each in _always(layer)),
    lambda image, photo, layer: _difference(image, photo, layer, True).square().mean(),
    "you compare the maps before their ReLU. Compare them after it.",
    *mse_mistakes(_difference),
    lambda image, photo, layer: features(image - photo, layer)[layer].square().mean(),
    "you subtract the pictures before the network sees them. Get the feature maps of each, "
    "then subtract those: with ReLU in between, that is not the same.",
)

# 2.5, one step downhill


def _picture_loss_rate(generator: Generator) -> Inputs:
    target = torch.rand(1, 3, 4, 6, generator=generator)
    picture = torch.rand(1, 3, 4, 6, generator=generator)

    def loss(image: Tensor) -> Tensor:
        return 40 * (image - target).pow(4).mean() + content_loss(image, target)

    # A rate large enough for some pixels to leave 0-1, so that clamp makes a difference.
    return picture, loss, 8.0


def _gradient(image: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
    pixels = image.detach().clone().requires_grad_()
    return torch.autograd.grad(loss(pixels), pixels)[0]


_STEP = mistakes(
    lambda image, loss, rate: image + rate * _gradient(image, loss),
    "you go uphill. The gradient points to where the loss grows, so subtract it.",
    lambda image, loss, rate: image - _gradient(image, loss),
    "multiply the gradient by rate, the learning rate, before you subtract it.",
    lambda image, loss, rate: _gradient(image, loss),
    "this is the gradient itself. Subtract rate times the gradient from the picture.",
    lambda image, loss, rate: -rate * _gradient(image, loss),
    "this is only the step. Add the picture to it.",
    lambda image, loss, rate: image - rate * _gradient(image, loss).sign(),
    "you use only the gradient's sign. Pixels with a larger gradient move further.",
    lambda image, loss, rate: (image - rate * _gradient(image, loss)).clamp(0, 1),
    "almost: leave out clamp. In this plain step, pixels may leave the range 0 to 1.",
    lambda image, loss, rate: image - rate * loss(image),
    "you subtract the loss, which is the same number for every pixel. Subtract its gradient: "
    "torch.autograd.grad(loss(pixels), pixels)[0].",
    lambda image, loss, rate: image,
    "the picture is unchanged. Subtract rate times the gradient from it.",
)

for _exercise in (
    Exercise("2.1", "Mean squared error", content_loss, _two_stacks, _MSE, gradient=True),
    Exercise(
        "2.2", "Content loss of a picture", _picture_loss, _picture_and_photo, _PICTURE_LOSS,
        gradient=True,
    ),
    Exercise("2.3", "Relative error", relative_error, _two_stacks, _RELATIVE_ERROR, gradient=True),
    Exercise(
        "2.4", "The gradient by hand", lambda m, t: 2 * (m - t) / m.numel(), _two_stacks,
        _MSE_GRADIENT,
    ),
    Exercise(
        "2.5", "One step downhill", lambda image, loss, rate: image - rate * _gradient(image, loss),
        _picture_loss_rate, _STEP,
    ),
):  # fmt: skip
    register(_exercise)

guide(
    "2.1",
    "three things happen, one after the other: subtract, square, take the mean.",
    "the mean of (maps − target)²; in Python a square is ** 2.",
    "difference = maps - target",
    solution="""
def my_mse(maps, target):
    return ((maps - target) ** 2).mean()
""",
)
guide(
    "2.2",
    "get the feature maps of both pictures at the layer; the rest is exercise 2.1.",
    "features(...) returns a dictionary, so ask it for the layer: features(image, layer)[layer].",
    "maps = features(image, layer)[layer]",
    solution="""
def my_content_loss(image, photo, layer):
    maps = features(image, layer)[layer]
    target = features(photo, layer)[layer]
    return ((maps - target) ** 2).mean()
""",
)
guide(
    "2.3",
    "one mean divided by another mean.",
    "mean((maps − target)²) / mean(target²).",
    "error = ((maps - target) ** 2).mean()",
    solution="""
def my_relative_error(maps, target):
    return ((maps - target) ** 2).mean() / (target**2).mean()
""",
)
guide(
    "2.4",
    "the result has the same shape as maps: no mean in it.",
    "2 · (maps − target), divided by how many numbers there are.",
    "count = maps.numel()",
    solution="""
def my_gradient(maps, target):
    return 2 * (maps - target) / maps.numel()
""",
)
guide(
    "2.5",
    "first a copy that can be differentiated, then the gradient, then the step.",
    "new picture = picture − rate · gradient.",
    "pixels = image.clone().requires_grad_()",
    solution="""
def my_step(image, loss, rate):
    pixels = image.clone().requires_grad_()
    gradient = torch.autograd.grad(loss(pixels), pixels)[0]
    return image - rate * gradient
""",
)
