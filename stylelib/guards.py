"""The functions of `core` as `stylelib` offers them: their arguments are checked first.

In `core` a formula stands alone. Here a wrong argument is explained in a sentence, before
PyTorch raises an error from deep inside.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

from torch import Tensor

from .checks import check_range, check_switch, check_tensor
from .core import losses
from .core.layers import LAYERS
from .core.vgg import VGG19
from .errors import StylelibError, pick, shown

P = ParamSpec("P")
R = TypeVar("R")


def checked(check: Callable[P, None]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let `check` see a function's arguments first; it raises if they can't be used."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        check.__qualname__ = function.__qualname__  # for Python's own errors, of missing arguments

        @wraps(function)
        def call(*arguments: P.args, **named: P.kwargs) -> R:
            check(*arguments, **named)
            return function(*arguments, **named)

        return call

    return decorate


def _check_content(maps: Tensor, target: Tensor) -> None:
    _check_same_shape(maps, target, "The feature maps")


def _check_gram(maps: Tensor) -> None:
    check_tensor(maps, "The argument of gram_matrix")
    if maps.dim() != 4:
        raise StylelibError(
            f"gram_matrix takes feature maps of shape (batch, channels, height, width), "
            f"but these have shape {tuple(maps.shape)}. Add the missing ones with unsqueeze."
        )


def _check_style(
    grams: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    layer_weights: Mapping[str, float | Tensor] | None = None,
) -> None:
    for given in (grams, targets, {} if layer_weights is None else layer_weights):
        if not isinstance(given, Mapping):
            raise StylelibError(
                f"Each argument of style_loss must be a dict by layer, for example "
                f"{{'conv1_1': ...}}, not of type {type(given).__name__}."
            )
    weights = dict.fromkeys(targets, 1.0) if layer_weights is None else layer_weights
    if not weights:
        raise StylelibError("style_loss needs at least one layer.")
    for layer, weight in weights.items():
        _check_number(f"the weight of {layer}", weight)
        if layer not in grams or layer not in targets:
            raise StylelibError(f"style_loss needs a Gram matrix of {layer} on both sides.")
        _check_same_shape(grams[layer], targets[layer], f"The Gram matrices of {layer}")


def _check_variation(image: Tensor) -> None:
    check_tensor(image, "The argument of total_variation")
    if image.dim() != 4 or min(image.shape[-2:]) < 2:
        raise StylelibError(
            f"total_variation takes a picture of at least 2 x 2 pixels, shape (B, C, H, W); "
            f"this one has shape {tuple(image.shape)}."
        )


def _check_target(
    content: Tensor, style: Tensor, content_weight: float = 1.0, style_weight: float = 1.0
) -> None:
    _check_number("The content loss", content)
    _check_number("The style loss", style)
    _check_number("content_weight", content_weight)
    _check_number("style_weight", style_weight)


def _check_same_shape(a: Tensor, b: Tensor, what: str) -> None:
    check_tensor(a, what)
    check_tensor(b, what)
    if a.shape != b.shape:
        raise StylelibError(
            f"{what} have different shapes, {tuple(a.shape)} and {tuple(b.shape)}: "
            f"compare the same layer, of pictures of the same size."
        )


def _check_number(name: str, number: object) -> None:
    if isinstance(number, Tensor) and number.numel() == 1:
        check_tensor(number, name)
    else:
        check_range(name, number, -1e15, 1e15)


content_loss = checked(_check_content)(losses.content_loss)
gram_matrix = checked(_check_gram)(losses.gram_matrix)
style_loss = checked(_check_style)(losses.style_loss)
total_variation = checked(_check_variation)(losses.total_variation)
target_loss = checked(_check_target)(losses.target_loss)


def smallest_side(layer: str) -> int:
    """How many pixels a picture needs on each side for `layer`: each pooling halves them."""
    poolings = sum(name.startswith("pool") for name in LAYERS[: LAYERS.index(layer) + 1])
    return int(2**poolings)


def check_request(
    network: VGG19, image: Tensor, layers: Iterable[str], before_relu: bool = False
) -> list[str]:
    """Refuse a picture or layers that the network can't take; returns the layers' names."""
    if not isinstance(layers, Iterable) or isinstance(layers, Tensor):
        raise StylelibError(f"Layers are given by name, not as {shown(layers)}.")
    check_switch("before_relu", before_relu)
    wanted = [pick(name, LAYERS, "layer") for name in layers]
    if not wanted:
        raise StylelibError("Name at least one layer, for example conv4_2.")
    if not isinstance(image, Tensor):
        raise StylelibError(
            f"The network takes a picture as a tensor, not {type(image).__name__}. "
            f"load_image makes one."
        )
    check_tensor(image, "The picture")
    if image.dim() != 4 or image.shape[1] != 3:
        raise StylelibError(
            f"A picture here is a tensor of shape (batch, 3, height, width), but this one "
            f"has shape {tuple(image.shape)}. load_image makes the right one."
        )
    deepest = max(wanted, key=LAYERS.index)
    if LAYERS.index(deepest) > LAYERS.index(network.last):
        raise StylelibError(
            f"This network was built only up to {network.last}, so it has no {deepest}. "
            f"Build it deeper: load_vgg19(last={deepest!r})."
        )
    smallest = smallest_side(deepest)
    if min(image.shape[-2:]) < smallest:
        raise StylelibError(
            f"This picture is {image.shape[-1]} x {image.shape[-2]} pixels; {deepest} needs "
            f"at least {smallest} on each side, since each pooling halves them. "
            f"Use a larger picture or an earlier layer."
        )
    return wanted
