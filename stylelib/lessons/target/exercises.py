"""The exercises of lesson 04: target loss, the loop, freezing, total variation, and all of it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from ...core.layers import CONTENT_LAYER, STYLE_LAYERS
from ...core.loop import optimize
from ...core.losses import target_loss, total_variation
from ...core.vgg import VGG19
from ..checking import Exercise, Inputs, Watched, register
from ..checking import check as check
from ..checking import hint as hint
from ..checking import solution as solution
from ..mistakes import mistakes
from ..painted import Hint
from . import guides as guides
from .assembling import ASSEMBLING
from .solving import (
    FORGOT_ZERO,
    UPHILL,
    grams_of,
    loss_of,
    picture_and_loss,
    small_network,
    some_steps,
)

Question = Callable[[Inputs, Inputs, Any], bool]
"""About the inputs before, the inputs after, and the result, as `Watched` asks."""


def _two_losses(generator: Generator) -> Inputs:
    content, style = torch.rand(2, generator=generator) * 3 + 0.5
    weights = (torch.rand(2, generator=generator) * 4 + 0.3).tolist()
    return content, style * 2, *weights


_TARGET_LOSS = mistakes(
    lambda c, s, a, b: b * c + a * s,
    Hint("the weights are swapped: content_weight belongs to the content loss.", "weights-swapped"),
    lambda c, s, a, b: c + s,
    "the two losses are added, but neither has its weight yet.",
    lambda c, s, a, b: c + b * s,
    "content_weight is missing.",
    lambda c, s, a, b: a * c + s,
    "style_weight is missing.",
    lambda c, s, a, b: (a * c + b * s) / 2,
    "that is the mean of the two parts. Just add them.",
    lambda c, s, a, b: (a * c + b * s) / (a + b),
    "you divided by the sum of the weights. Just add the weighted losses.",
    lambda c, s, a, b: a * c * b * s,
    "you multiplied the two parts, so the product is 0 as soon as one of them is. Add them.",
    lambda c, s, a, b: (a + b) * (c + s),
    "each weight multiplies both losses here. Multiply each loss by its own weight, then add.",
    lambda c, s, a, b: a * c - b * s,
    Hint(
        "you subtract the style part, so a larger style loss would be better. Add it.",
        "style-minus",
    ),
    lambda c, s, a, b: a * c,
    "the style part is missing.",
    lambda c, s, a, b: b * s,
    "the content part is missing.",
)


_STEPS = mistakes(
    some_steps(zero=False),
    some_steps(zero=False, clamp=False),
    FORGOT_ZERO,
    some_steps(clamp=False),
    "the steps are right, but some pixels leave 0 to 1, and no screen can show them. Clamp "
    "the pixels after each step.",
    lambda image, loss, rate, steps: optimize(image, loss, range(steps), rate),
    "you clamp once, at the end. Clamp after each step, so that the next step starts from a "
    "picture that can be shown.",
    some_steps(sign=-1),
    some_steps(sign=-1, clamp=False),
    UPHILL,
    some_steps(fewer=1),
    "that is a single step. Is the loop missing, or is return inside it?",
    lambda image, loss, rate, steps: image,
    "the picture comes back unchanged. Does the optimiser get [pixels], is backward() called "
    "before step(), and do you return the pixels?",
)


def _trainable_network_and_camel(generator: Generator) -> Inputs:
    return small_network(generator), torch.rand(1, 3, 5, 7, generator=generator)


def _freeze(network: VGG19, camel: Tensor) -> Tensor:
    network.requires_grad_(False)
    return camel.clone().requires_grad_()


def _frozen(network: VGG19) -> list[bool]:
    return [not parameter.requires_grad for parameter in network.parameters()]


_FREEZE = mistakes(
    lambda before, after, result: result is None or result is ...,
    "something has changed, but your function returns nothing. Return the pixels.",
    lambda before, after, result: not isinstance(result, Tensor),
    "return the pixels, a tensor, and nothing else.",
    lambda before, after, result: (
        result.shape != before[1].shape or not torch.equal(result.detach(), before[1])
    ),
    "the pixels should start as a copy of the camel: camel.clone().",
    lambda before, after, result: result.data_ptr() == after[1].data_ptr(),
    "these pixels share their memory with the camel, so painting would change the camel "
    "itself, which you need for comparison. Make a copy first: clone().",
    lambda before, after, result: after[1].requires_grad,
    "the camel itself now requires a gradient, too. Copy it first, then call requires_grad_() "
    "on the copy.",
    lambda before, after, result: not result.requires_grad,
    "the pixels don't require a gradient, so backward() would not compute one for them. Call "
    "requires_grad_() on them.",
    lambda before, after, result: not any(_frozen(after[0])),
    "the network is not frozen: backward() would compute a gradient for each of its weights, "
    "which nobody needs. Turn that off with requires_grad_(False).",
    lambda before, after, result: not all(_frozen(after[0])),
    "only part of the network is frozen. Go through all of network.parameters().",
)


def _pictures(generator: Generator) -> Inputs:
    return (torch.rand(2, 3, 5, 8, generator=generator),)


def _down(image: Tensor) -> Tensor:
    return image[..., 1:, :] - image[..., :-1, :]


def _right(image: Tensor) -> Tensor:
    return image[..., 1:] - image[..., :-1]


def _both(measure: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda image: measure(_down(image)) + measure(_right(image))


_TOTAL_VARIATION = mistakes(
    lambda image: _down(image).square().mean(),
    "only the differences from row to row are in it. Add those from column to column.",
    lambda image: _right(image).square().mean(),
    "only the differences from column to column are in it. Add those from row to row.",
    _both(lambda change: change.square().sum()),
    "you sum the squares, so a larger picture would count as rougher. Take the mean.",
    _both(lambda change: change.abs().mean()),
    "you took the absolute value of each difference. That is a total variation, too, but here "
    "we square the differences.",
    _both(lambda change: change.mean()),
    "differences up and down cancel. Square each of them before you take the mean.",
    _both(lambda change: change.mean().square()),
    "first square each difference, then take the mean, or up and down cancel.",
    lambda image: _both(lambda change: change.square().mean())(image) / 2,
    "you took the mean of the two directions. Add them.",
    lambda image: torch.cat([_down(image).flatten(), _right(image).flatten()]).square().mean(),
    "you took one mean over both directions together. Take one for each, and add them.",
    lambda image: (
        (image.roll(-1, 2) - image).square().mean() + (image.roll(-1, 3) - image).square().mean()
    ),
    "roll wraps around the edge: the last row is compared with the first, which is not its "
    "neighbour. Use slices: image[..., 1:, :] and image[..., :-1, :].",
    lambda image: (
        (image[:, 1:] - image[:, :-1]).square().mean()
        + (image[:, :, 1:] - image[:, :, :-1]).square().mean()
    ),
    "one of your two directions goes from colour to colour. The shape is (pictures, colours, "
    "rows, columns); use the last two dimensions.",
)


_RATE = 0.02


def _whole_setting(generator: Generator) -> Inputs:
    network = small_network(generator)
    camel = torch.rand(1, 3, 16, 20, generator=generator)
    painting = torch.rand(1, 3, 16, 20, generator=generator)
    with torch.no_grad():
        maps = network(camel, [CONTENT_LAYER])[CONTENT_LAYER]
        grams = grams_of(network(painting, STYLE_LAYERS))
    # Both parts count about the same, so that a loss that lacks one of them is noticed.
    content_weight = 1 / float(maps.square().mean())
    layer_weights = {name: 0.3 / float(gram.square().mean()) for name, gram in grams.items()}
    return camel, painting, network, content_weight, layer_weights, 8


def _paint(*setting: Any, **flaws: Any) -> Tensor:
    return some_steps(**flaws)(setting[0], loss_of(*setting[:-1]), _RATE, setting[-1])


def _alike(result: Tensor, other: Tensor) -> bool:
    return bool((result.detach() - other).abs().mean() < 1e-3)


def _flawed(**flaws: Any) -> Question:
    """Whether the picture is the result of a loop with this flaw."""
    return lambda before, after, result: _alike(result, _paint(*before, **flaws))


def _minimised(swap: bool = False, **changes: Any) -> Question:
    """Whether the picture is the result of minimising another loss."""

    def other(before: Inputs, after: Inputs, result: Any) -> bool:
        camel, painting, network, content_weight, layer_weights, steps = before
        pair = (painting, camel) if swap else (camel, painting)
        weights = {"content_weight": content_weight, "layer_weights": layer_weights}
        loss = loss_of(*pair, network, **weights | changes)
        return _alike(result, some_steps()(camel, loss, _RATE, steps))

    return other


def _network_changed(before: Inputs, after: Inputs, result: Any) -> bool:
    pairs = zip(before[2].parameters(), after[2].parameters(), strict=True)
    return not all(torch.equal(old, new) for old, new in pairs)


def _changed(place: int) -> Question:
    return lambda before, after, _: not torch.equal(before[place], after[place].detach())


def _share_of_descent(before: Inputs, result: Tensor) -> float:
    """How far the target loss fell, as a share of how far the right loop brings it down."""
    pictures = (before[0], result, _paint(*before))
    with torch.no_grad():
        start, now, best = map(loss_of(*before[:-1]), pictures)
    return float((start - now) / (start - best))


_WHOLE_LOOP = mistakes(
    _network_changed,
    "the network's weights have changed, so you optimised the network. Give the optimiser "
    "nothing but the pixels, in a list: [pixels].",
    _changed(0),
    "you painted on the camel itself, which you need for comparison. Start from a copy: "
    "camel.clone().",
    _changed(1),
    "you changed the painting. Only the pixels of the new picture may change.",
    lambda before, after, result: not isinstance(result, Tensor),
    "return the picture, a tensor, and nothing else.",
    lambda before, after, result: result.shape != before[0].shape,
    "the picture should have the camel's shape. Return the pixels.",
    lambda before, after, result: not result.isfinite().all(),
    "the picture contains NaN or infinite values.",
    lambda before, after, result: torch.equal(result.detach(), before[0]),
    "you return the camel, unchanged. Does the optimiser get [pixels], with requires_grad_()? "
    "Is backward() called before step()? Is the style loss included (the content loss alone "
    "is 0 from the start)? Do you return the pixels?",
    lambda before, after, result: (result - before[0]).abs().max() > 2 * _RATE * before[-1],
    "this is further from the camel than Adam's steps of 0.02 can go. Start from the camel, "
    "not from noise or the painting, and use lr=0.02.",
    lambda before, after, result: result.min() < 0 or result.max() > 1,
    "some pixels have left 0 to 1. Clamp them after each step, with clamp_(0, 1).",
    _flawed(zero=False),
    FORGOT_ZERO,
    _flawed(fewer=1),
    "that is a single step. Is return inside the loop?",
    _minimised(swap=True),
    "camel and painting are mixed up: the content comes from the camel, the style from the "
    "painting.",
    _minimised(content_weight=0.0),
    "what you minimise has no content loss in it. Multiply the content loss by "
    "content_weight, and add it.",
    _minimised(content_weight=1.0),
    "content_weight is not used. Multiply the content loss by it.",
    _minimised(layer_weights=None),
    "layer_weights are not used. Give them to style_loss as its third input.",
    _minimised(content_weight=1.0, layer_weights=None),
    "the weights are not used. Multiply the content loss by content_weight, and give "
    "layer_weights to style_loss as its third input.",
    *(
        each
        for layer in STYLE_LAYERS
        for each in (
            _minimised(content_layer=layer),
            f"you compare the content at {layer}. Do it at conv4_2.",
        )
    ),
    lambda before, after, result: _share_of_descent(before, result) < 0,
    UPHILL,
    # Another optimiser is fine if it gets almost as far.
    lambda before, after, result: _share_of_descent(before, result) < 0.9,
    "the target loss falls, but not as far as it should in this many steps. Compare your loop "
    "with the lesson's, line by line.",
)

register(
    Exercise("4.1", "Target loss", target_loss, _two_losses, _TARGET_LOSS, gradient=True),
    Exercise("4.3", "Some steps, within 0 to 1", some_steps(), picture_and_loss, _STEPS),
    Watched(
        "4.5", "What may change, and what may not", _freeze, _trainable_network_and_camel, _FREEZE
    ),
    Exercise("4.7", "Total variation", total_variation, _pictures, _TOTAL_VARIATION, gradient=True),
    Watched("4.11", "The whole loop", _paint, _whole_setting, _WHOLE_LOOP),
    *ASSEMBLING,
)
