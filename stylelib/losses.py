"""The losses: how far a picture is from the content and the style that we want.

They know nothing of VGG or of pictures: they compare tensors. Each is the same
few lines that the lessons derive, so read them.
"""

from collections.abc import Mapping

from torch import Tensor

from .checks import check_range, check_tensor, checked
from .errors import StylelibError


def content_loss(maps: Tensor, target: Tensor) -> Tensor:
    """Mean squared error between two stacks of feature maps.

    Parameters
    ----------
    maps, target : Tensor, shape (B, C, H, W)
        The new picture's feature maps and the content picture's, of one layer.

    Returns
    -------
    Tensor, scalar, 0 or more
        0 when the maps are equal.

    Raises
    ------
    StylelibError
        If the shapes differ, or these are no tensors of float numbers.

    Notes
    -----
    Gatys, Ecker, Bethge (2016), equation 1, with the mean in place of half the
    sum: then the number does not grow with the picture.
    """
    _same_shape(maps, target, "The feature maps")
    return (maps - target).square().mean()


def _check_gram(maps: Tensor) -> None:
    check_tensor(maps, "What gram_matrix is given")


@checked(_check_gram)
def gram_matrix(maps: Tensor) -> Tensor:
    """How much each pair of feature maps is active in the same places.

    Parameters
    ----------
    maps : Tensor, shape (B, C, H, W)
        The feature maps of one layer.

    Returns
    -------
    Tensor, shape (B, C, C)
        Entry ``[b, i, j]`` is the mean over all places of map ``i`` times map ``j``.

    Raises
    ------
    StylelibError
        If `maps` is no tensor of float numbers with four dimensions.

    Notes
    -----
    Gatys, Ecker, Bethge (2016), equation 3, divided by the number of places H·W,
    so that a painting has the same Gram matrix whatever its size.
    """
    if maps.dim() != 4:
        raise StylelibError(
            f"gram_matrix takes feature maps of shape (batch, channels, height, width), "
            f"but these have shape {tuple(maps.shape)}. Add the missing ones with unsqueeze."
        )
    flat = maps.flatten(start_dim=2)  # (B, C, H*W): a row for each feature map
    return flat @ flat.mT / flat.shape[-1]


def _check_style(
    grams: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    layer_weights: Mapping[str, float] | None = None,
) -> None:
    weights = {} if layer_weights is None else layer_weights
    for given in (grams, targets, weights):
        if not isinstance(given, Mapping):
            raise StylelibError(
                f"What style_loss is given must be a dict by layer, for example "
                f"{{'conv1_1': ...}}, not of type {type(given).__name__}."
            )
    for layer, weight in weights.items():
        _check_number(f"the weight of {layer}", weight)


@checked(_check_style)
def style_loss(
    grams: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    layer_weights: Mapping[str, float] | None = None,
) -> Tensor:
    """Weighted sum, over the layers, of the mean squared error between Gram matrices.

    Parameters
    ----------
    grams, targets : mapping of layer name to Tensor, shape (B, C, C)
        The new picture's Gram matrices and the painting's.
    layer_weights : mapping of layer name to float, optional
        How much each layer counts; every layer of `targets` counts 1 by default.

    Returns
    -------
    Tensor, scalar, 0 or more
        0 when all Gram matrices are equal.

    Raises
    ------
    StylelibError
        If a layer is missing from `grams` or `targets`, the shapes differ, or these
        are no tensors by layer.

    Notes
    -----
    Gatys, Ecker, Bethge (2016), equations 4 and 5; the factor 1 / 4N²M² there is
    the mean over the N² entries, and M² is in our `gram_matrix` already.
    """
    weights = dict.fromkeys(targets, 1.0) if layer_weights is None else layer_weights
    loss: Tensor | None = None
    for layer, weight in weights.items():
        if layer not in grams or layer not in targets:
            raise StylelibError(f"style_loss needs a Gram matrix of {layer} on both sides.")
        _same_shape(grams[layer], targets[layer], f"The Gram matrices of {layer}")
        term = weight * (grams[layer] - targets[layer]).square().mean()
        loss = term if loss is None else loss + term
    if loss is None:
        raise StylelibError("style_loss needs at least one layer.")
    return loss


def total_variation(image: Tensor) -> Tensor:
    """How rough a picture is: the mean squared step from a pixel to its neighbours.

    Parameters
    ----------
    image : Tensor, shape (B, C, H, W)

    Returns
    -------
    Tensor, scalar, 0 or more
        0 for a picture of one colour.

    Raises
    ------
    StylelibError
        If it is no such tensor, or a side is under two pixels: there is no neighbour.

    Notes
    -----
    Mahendran, Vedaldi (2015), section 3, with exponent 2.
    """
    check_tensor(image, "What total_variation is given")
    if image.dim() != 4 or min(image.shape[-2:]) < 2:
        raise StylelibError(
            f"total_variation takes a picture of at least 2 x 2 pixels, shape (B, C, H, W); "
            f"this one has shape {tuple(image.shape)}."
        )
    down = image[..., 1:, :] - image[..., :-1, :]
    right = image[..., :, 1:] - image[..., :, :-1]
    return down.square().mean() + right.square().mean()


def _check_target(
    content: Tensor,
    style: Tensor,
    content_weight: float = 1.0,
    style_weight: float = 1.0,
) -> None:
    _check_number("The content loss", content)
    _check_number("The style loss", style)
    _check_number("content_weight", content_weight)
    _check_number("style_weight", style_weight)


@checked(_check_target)
def target_loss(
    content: Tensor,
    style: Tensor,
    content_weight: float = 1.0,
    style_weight: float = 1.0,
) -> Tensor:
    """Content loss and style loss in one number, the one that gets minimised.

    Parameters
    ----------
    content, style : Tensor, scalar
        From `content_loss` and `style_loss`.
    content_weight, style_weight : float
        How much each one counts. Only their ratio changes the picture.

    Returns
    -------
    Tensor, scalar

    Raises
    ------
    StylelibError
        If one of them is no number.

    Notes
    -----
    Gatys, Ecker, Bethge (2016), equation 7.
    """
    return content_weight * content + style_weight * style


def _same_shape(a: Tensor, b: Tensor, what: str) -> None:
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
