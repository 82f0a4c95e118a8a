"""The exercises of the warm-up: slicing, a new dimension, means, broadcasting."""

import torch
from torch import Generator, Tensor

from ..checking import Exercise, Inputs, guide, register
from ..checking import check as check
from ..checking import hint as hint
from ..checking import solution as solution
from ..mistakes import mistakes


def _picture(generator: Generator) -> Inputs:
    return (torch.rand(1, 3, 4, 6, generator=generator),)


def _map(generator: Generator) -> Inputs:
    return (torch.rand(3, 5, generator=generator),)


def _picture_and_color(generator: Generator) -> Inputs:
    # As wide as there are colours, so that broadcasting along the wrong dimension is no error.
    return torch.rand(1, 3, 4, 3, generator=generator), torch.rand(3, generator=generator)


def _centered(image: Tensor) -> Tensor:
    return image - image.mean((2, 3), keepdim=True)


_LEFT_HALF = mistakes(
    lambda image: image[..., image.shape[-1] // 2 :],
    "this is the right half. A slice that begins at 0 is written [: end].",
    lambda image: image[:, :, : image.shape[-2] // 2],
    "this is the upper half. Rows come before columns: slice the last dimension.",
    lambda image: image[..., ::2],
    "this is every second column. Take the first half of them: [: end], not [::2].",
    lambda image: image[0, :, :, : image.shape[-1] // 2],
    "the half is right, but the first dimension is lost. An index such as 0 removes its "
    "dimension; a colon keeps it.",
    lambda image: image[..., : image.shape[-1] // 2 - 1],
    lambda image: image[..., : image.shape[-1] // 2 + 1],
    "one column too many or too few. In [: end] the column number end is left out.",
    lambda image: image[..., :1, : image.shape[-1] // 2],
    "you have only one row. Leave the rows alone with a colon, or with ... before the last slice.",
)

_EVERY_SECOND = mistakes(
    lambda image: image[..., ::2],
    "the rows are all there still. Give two slices: one for rows, one for columns.",
    lambda image: image[:, :, ::2],
    "the columns are all there still. Give two slices: one for rows, one for columns.",
    lambda image: image[..., 1::2, 1::2],
    "you begin with the second one. Begin with the first: leave the number before :: out.",
    lambda image: image[..., : image.shape[-2] // 2, : image.shape[-1] // 2],
    "this is the top left quarter. A step stands after the second colon: [::2].",
    lambda image: image[..., :2, :2],
    "[:2] is the first two. Every second one is [::2], with two colons.",
    lambda image: image[::2, ::2],
    "these are the first two dimensions, pictures and colours. Rows and columns are the last "
    "two: put ... before the slices.",
)

_AS_BATCH = mistakes(
    lambda values: values[None],
    lambda values: values[..., None],
    lambda values: values[:, None],
    "this adds one dimension. It takes two: one for the pictures, one for the channels.",
    lambda values: values[:, :, None, None],
    lambda values: values[..., None, None],
    "the new dimensions are at the end. Put None first: what comes first in the brackets comes "
    "first in the shape.",
    lambda values: values[None, ..., None],
    "one of the new dimensions is at the end. Put both before the rows.",
    lambda values: values.T[None, None],
    "rows and columns have changed places. [None, None] alone moves nothing.",
    lambda values: values.flatten()[None, None],
    "the numbers are now in one row. [None, None] alone keeps rows and columns.",
)

_MEAN_COLOR = mistakes(
    lambda image: image.mean(),
    "this is one number for everything. Say over which dimensions: the rows and the columns.",
    lambda image: image.mean((2, 3)),
    "the three numbers are right, but the shape is (1, 3). With keepdim=True the dimensions that "
    "you average over stay, with length 1.",
    lambda image: image.mean(1, keepdim=True),
    lambda image: image.mean(1),
    "you average over the colours, which gives a grey picture. Average over rows and columns, "
    "dimensions 2 and 3.",
    lambda image: image.mean((1, 2, 3), keepdim=True),
    "you average over the colours, too. Leave dimension 1 out.",
    lambda image: image.sum((2, 3), keepdim=True),
    "this is the sum. Take the mean.",
    lambda image: image.mean(2, keepdim=True),
    lambda image: image.mean(3, keepdim=True),
    "you average over one dimension. Give both in brackets: (2, 3).",
    lambda image: image.mean((0, 2, 3)),
    "three numbers, but without their dimensions: pictures, rows and columns are gone. Average "
    "over (2, 3) only, with keepdim=True.",
)

_CENTERED = mistakes(
    lambda image: image - image.mean(),
    "you subtract one number from all three colours. Each colour has a mean of its own.",
    lambda image: image - image.mean(1, keepdim=True),
    "you subtract the grey picture. Average over rows and columns, not over colours.",
    lambda image: image.mean((2, 3), keepdim=True),
    "these are the means. Subtract them from the picture.",
    lambda image: image.mean((2, 3), keepdim=True) - image,
    "the sign is wrong: picture minus mean.",
    lambda image: image / image.mean((2, 3), keepdim=True),
    "you divide by the means. Subtract them.",
    lambda image: image - image.mean((2, 3)),
    "without keepdim=True the means have shape (1, 3), and those are lined up with the columns. "
    "With it they have shape (1, 3, 1, 1).",
)

_TINTED = mistakes(
    lambda image, color: image * color,
    "shapes are lined up from the right, so your three numbers met the three columns of this "
    "picture. Make their shape (3, 1, 1) first.",
    lambda image, color: image * color[:, None],
    "shapes are lined up from the right: (3, 1) meets rows and columns. One more 1 is needed: "
    "(3, 1, 1).",
    lambda image, color: image + color[:, None, None],
    "you add the colour. Multiply by it.",
    lambda image, color: image * color.mean(),
    "you multiply all three colours by the same number.",
    lambda image, color: (image * color[:, None, None])[0],
    "the first dimension is lost. Leave the picture as it is: multiply, and nothing else.",
    lambda image, color: image * color[0],
    "you use the number for red only. Let all three meet their colours.",
)

for _exercise in (
    Exercise("0.1", "The left half", lambda i: i[..., : i.shape[-1] // 2], _picture, _LEFT_HALF),
    Exercise("0.2", "Every second pixel", lambda i: i[..., ::2, ::2], _picture, _EVERY_SECOND),
    Exercise(
        "0.3", "One map with four dimensions", lambda values: values[None, None], _map, _AS_BATCH
    ),
    Exercise(
        "0.4", "The mean colour", lambda i: i.mean((2, 3), keepdim=True), _picture, _MEAN_COLOR
    ),
    Exercise("0.5", "Each colour without its mean", _centered, _picture, _CENTERED),
    Exercise(
        "0.6", "A picture in coloured light", lambda i, color: i * color[:, None, None],
        _picture_and_color, _TINTED,
    ),
):  # fmt: skip
    register(_exercise)

guide(
    "0.1",
    "the columns are the last dimension; image.shape[-1] says how many there are.",
    "the first half of n things is [: n // 2], and ... stands for all the dimensions before.",
    "half = image.shape[-1] // 2",
    solution="""
def my_left_half(image):
    half = image.shape[-1] // 2
    return image[..., :half]
""",
)
guide(
    "0.2",
    "a slice may have a step: start : end : step.",
    "every second one is [::2]; you need it twice, for rows and for columns.",
    "return image[..., ::2, and one more slice ]",
    solution="""
def my_every_second(image):
    return image[..., ::2, ::2]
""",
)
guide(
    "0.3",
    "None in the brackets makes a new dimension of length 1, where it stands.",
    "(height, width) should become (1, 1, height, width): two new ones, both in front.",
    "return values[None, and one more ]",
    solution="""
def my_stack(values):
    return values[None, None]
""",
)
guide(
    "0.4",
    "mean takes the dimensions that it should average over, as a tuple.",
    "rows and columns are dimensions 2 and 3; keepdim=True keeps them, with length 1.",
    "return image.mean((2, 3), and what keeps the dimensions )",
    solution="""
def my_mean_color(image):
    return image.mean((2, 3), keepdim=True)
""",
)
guide(
    "0.5",
    "you have just computed the means; now subtract.",
    "(1, 3, h, w) minus (1, 3, 1, 1): the 1s are repeated.",
    "means = image.mean((2, 3), keepdim=True)",
    solution="""
def my_centered(image):
    means = image.mean((2, 3), keepdim=True)
    return image - means
""",
)
guide(
    "0.6",
    "shapes are lined up from the right. Where are the colours of the picture, from the right?",
    "(1, 3, h, w) times (3, 1, 1).",
    "light = color[:, None, None]",
    solution="""
def my_tint(image, color):
    light = color[:, None, None]
    return image * light
""",
)
