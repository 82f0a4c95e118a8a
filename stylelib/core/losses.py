"""The losses: how far a picture is from the content and from the style that we want.

They know nothing of networks or of pictures; they compare tensors. Equation numbers are
those of Gatys, Ecker, Bethge, *Image Style Transfer Using Convolutional Neural Networks*
(2016), up to constant factors: sums are replaced by means, so that the values are
comparable between pictures of different sizes.
"""

from collections.abc import Mapping

import torch
from torch import Tensor


def content_loss(maps: Tensor, target: Tensor) -> Tensor:
    """Mean squared error between feature maps: equation 1.

    Parameters
    ----------
    maps, target : Tensor, shape (B, C, H, W)
        The new picture's feature maps and the photo's, of the same layer.

    Returns
    -------
    Tensor, scalar, 0 or more

    Examples
    --------
    >>> content_loss(torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[3.0, 0.0]]]]))
    tensor(2.)
    """
    return (maps - target).square().mean()


def gram_matrix(maps: Tensor) -> Tensor:
    """The product of each pair of feature maps, averaged over positions: equation 3.

    An entry is large where two features occur together. The positions are lost; what
    remains, which features occur together, describes style rather than content.

    Parameters
    ----------
    maps : Tensor, shape (B, C, H, W)

    Returns
    -------
    Tensor, shape (B, C, C)
        Entry ``[b, i, j]`` is the mean, over all positions, of map ``i`` times map ``j``.

    Examples
    --------
    >>> gram_matrix(torch.tensor([[[[4.0, 0.0]], [[2.0, 6.0]]]]))
    tensor([[[ 8.,  4.],
             [ 4., 20.]]])
    """
    flat = maps.flatten(start_dim=2)  # (B, C, H*W): one row for each feature map
    return flat @ flat.mT / flat.shape[-1]


def style_loss(
    grams: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    layer_weights: Mapping[str, float | Tensor] | None = None,
) -> Tensor:
    """Mean squared error between Gram matrices, summed over the layers: equations 4 and 5.

    Parameters
    ----------
    grams, targets : mapping of layer name to Tensor, shape (B, C, C)
        The new picture's Gram matrices and the painting's.
    layer_weights : mapping of layer name to float or scalar Tensor, optional
        How much each layer counts: 1 for each layer of `targets` by default.

    Returns
    -------
    Tensor, scalar, 0 or more
    """
    weights = dict.fromkeys(targets, 1.0) if layer_weights is None else layer_weights
    terms = [w * (grams[name] - targets[name]).square().mean() for name, w in weights.items()]
    return torch.stack(terms).sum()


def total_variation(image: Tensor) -> Tensor:
    """How rough a picture is: the mean squared differences of neighbouring pixels.

    The total variation of Mahendran, Vedaldi (2015), with β = 2: that of vertical
    neighbours plus that of horizontal ones.

    Parameters
    ----------
    image : Tensor, shape (B, C, H, W), at least 2 x 2 pixels

    Returns
    -------
    Tensor, scalar, 0 or more
    """
    down = image[..., 1:, :] - image[..., :-1, :]
    right = image[..., :, 1:] - image[..., :, :-1]
    return down.square().mean() + right.square().mean()


def target_loss(
    content: Tensor, style: Tensor, content_weight: float = 1.0, style_weight: float = 1.0
) -> Tensor:
    """The weighted sum of content loss and style loss, which is minimised: equation 7.

    Parameters
    ----------
    content, style : Tensor, scalar
        From `content_loss` and `style_loss`.
    content_weight, style_weight : float
        How much each counts. Only their ratio changes the picture.

    Returns
    -------
    Tensor, scalar
    """
    return content_weight * content + style_weight * style
