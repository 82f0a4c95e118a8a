"""The last exercise of lesson 04: the whole loop, from two pictures to a painting."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

from ...core.vgg import STYLE_LAYERS, VGG19
from ...guards import content_loss, gram_matrix, style_loss, target_loss
from ..checking import Inputs, Mistake, register
from ..watching import Watched
from .exercises import FORGOT_ZERO, UPHILL, small_network, some_steps

_RATE = 0.02
_CONTENT_LAYER = "conv4_2"


def _whole_setting(generator: Generator) -> Inputs:
    network = small_network(generator)
    camel = torch.rand(1, 3, 16, 20, generator=generator)
    painting = torch.rand(1, 3, 16, 20, generator=generator)
    with torch.no_grad():
        maps = network(camel, [_CONTENT_LAYER])[_CONTENT_LAYER]
        grams = _grams(network(painting, STYLE_LAYERS))
    # Both parts count about the same, so that a loss without one of them can be told.
    content_weight = 1 / float(maps.square().mean())
    layer_weights = {name: 0.3 / float(gram.square().mean()) for name, gram in grams.items()}
    return camel, painting, network, content_weight, layer_weights, 8


def _grams(maps: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: gram_matrix(maps[name]) for name in STYLE_LAYERS}


def _loss_of(
    camel: Tensor,
    painting: Tensor,
    network: VGG19,
    content_weight: float,
    layer_weights: dict[str, float],
    content_layer: str = _CONTENT_LAYER,
) -> Callable[[Tensor], Tensor]:
    with torch.no_grad():
        wanted = network(camel, [content_layer])[content_layer]
        painted = _grams(network(painting, STYLE_LAYERS))

    def loss(image: Tensor) -> Tensor:
        maps = network(image, [content_layer, *STYLE_LAYERS])
        content = content_loss(maps[content_layer], wanted)
        return target_loss(
            content, style_loss(_grams(maps), painted, layer_weights), content_weight, 1.0
        )

    return loss


def _paint(*setting: Any, **flaws: Any) -> Tensor:
    loss = _loss_of(*setting[:-1])
    picture: Tensor = some_steps(**flaws)(setting[0], loss, _RATE, setting[-1])
    return picture


def _alike(result: Tensor, other: Tensor) -> bool:
    return float((result.detach() - other).abs().mean()) < 1e-3


def _flawed(**flaws: Any) -> Callable[[Inputs, Inputs, Any], bool]:
    """Whether the picture is what the loop gives with some flaw in it."""
    return lambda before, after, result: _alike(result, _paint(*before, **flaws))


def _minimised(change: Callable[..., Inputs]) -> Callable[[Inputs, Inputs, Any], bool]:
    """Whether the picture is what the loop gives for another loss."""

    def other(before: Inputs, after: Inputs, result: Any) -> bool:
        loss = _loss_of(*change(*before[:-1]))
        return _alike(result, some_steps()(before[0], loss, _RATE, before[-1]))

    return other


def _network_changed(before: Inputs, after: Inputs, result: Any) -> bool:
    pairs = zip(before[2].parameters(), after[2].parameters(), strict=True)
    return not all(torch.equal(old, new) for old, new in pairs)


def _changed(place: int) -> Callable[[Inputs, Inputs, Any], bool]:
    return lambda before, after, result: not torch.equal(before[place], after[place].detach())


def _too_far(before: Inputs, after: Inputs, result: Any) -> bool:
    return float((result.detach() - before[0]).abs().max()) > 2 * _RATE * before[-1]


def _progress(before: Inputs, result: Tensor) -> float:
    """How much of what the loop takes off the target loss this picture takes off."""
    pictures = (before[0], result, _paint(*before))
    with torch.no_grad():
        start, now, best = map(_loss_of(*before[:-1]), pictures)
    return float((start - now) / (start - best))


_WEIGHTS = "multiply the content loss by content_weight"
_LAYERS = "give layer_weights to style_loss as its third input"

register(
    Watched(
        "4.5",
        "The whole loop",
        right=_paint,
        inputs=_whole_setting,
        mistakes=(
            Mistake(
                _network_changed,
                "the network's weights have changed: you optimised the network. Give the "
                "optimiser the pixels alone, in a list: [pixels].",
            ),
            Mistake(
                _changed(0),
                "you painted on the camel itself, and so changed what to compare with. Begin "
                "with a copy: camel.clone().",
            ),
            Mistake(
                _changed(1),
                "you changed the painting. Only the pixels of the new picture may change.",
            ),
            Mistake(
                lambda before, after, result: not isinstance(result, Tensor),
                "give back the picture, a tensor, and nothing else.",
            ),
            Mistake(
                lambda before, after, result: result.shape != before[0].shape,
                "the picture should have the camel's shape. Return the pixels.",
            ),
            Mistake(
                lambda before, after, result: not result.isfinite().all(),
                "the picture holds values that are not numbers (NaN or infinite).",
            ),
            Mistake(
                lambda before, after, result: torch.equal(result.detach(), before[0]),
                "the picture that comes back is the camel, unchanged. Does the optimiser get "
                "[pixels], with requires_grad_()? Is backward() called before step()? Is the style "
                "loss in it (content loss alone is 0 from the start)? Do you return the pixels?",
            ),
            Mistake(
                _too_far,
                "this is further from the camel than Adam's steps of 0.02 can go. Begin with the "
                "camel, not with noise or the painting, and use lr=0.02.",
            ),
            Mistake(
                lambda before, after, result: result.min() < 0 or result.max() > 1,
                "some pixels have left 0 to 1. Clamp them after each step, with clamp_(0, 1).",
            ),
            Mistake(_flawed(zero=False), FORGOT_ZERO),
            Mistake(_flawed(fewer=1), "that is one step. Is return inside the loop?"),
            Mistake(
                _minimised(lambda c, p, net, weight, layers: (p, c, net, weight, layers)),
                "camel and painting are mixed up: content comes from the camel, style from the "
                "painting.",
            ),
            Mistake(
                _minimised(lambda c, p, net, weight, layers: (c, p, net, 0.0, layers)),
                f"there is no content loss in what you minimise: {_WEIGHTS}, and add it.",
            ),
            Mistake(
                _minimised(lambda c, p, net, weight, layers: (c, p, net, 1.0, layers)),
                f"content_weight is not used: {_WEIGHTS}.",
            ),
            Mistake(
                _minimised(
                    lambda c, p, net, weight, layers: (c, p, net, weight, dict.fromkeys(layers, 1))
                ),
                f"layer_weights are not used: {_LAYERS}.",
            ),
            Mistake(
                _minimised(
                    lambda c, p, net, weight, layers: (c, p, net, 1.0, dict.fromkeys(layers, 1))
                ),
                f"the weights are not used: {_WEIGHTS}, and {_LAYERS}.",
            ),
            *(
                Mistake(
                    _minimised(lambda *setting, layer=layer: (*setting, layer)),
                    f"you compare content at {layer}. Do it at conv4_2.",
                )
                for layer in STYLE_LAYERS
            ),
            Mistake(lambda before, after, result: _progress(before, result) < 0, UPHILL),
            Mistake(
                # Another optimiser is welcome, if it gets nearly as far.
                lambda before, after, result: _progress(before, result) < 0.9,
                "the target loss goes down, but not as far as it should in so many steps. Compare "
                "your loop with the lesson's, line by line.",
            ),
        ),
    )
)
