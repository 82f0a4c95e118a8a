"""Keep the photo's own colours: after painting, or before it."""

import torch
from torch import Tensor

from ..checks import check_colors, check_picture
from .images import resize_to

_LUMA = (0.299, 0.587, 0.114)  # how much red, green and blue count for brightness, as in YIQ


def luminance(image: Tensor) -> Tensor:
    """How bright each pixel is: the Y of YIQ.

    Parameters
    ----------
    image : Tensor, shape (B, 3, H, W), RGB in 0-1

    Returns
    -------
    Tensor, shape (B, 1, H, W), in 0-1

    Raises
    ------
    StylelibError
        If they are no pictures.
    """
    check_colors(image, several=True)
    weights = image.new_tensor(_LUMA).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)


def keep_colors(image: Tensor, content: Tensor) -> Tensor:
    """The painted picture's light and dark, in the photo's colours.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        The painted picture.
    content : Tensor, shape (1, 3, h, w), RGB in 0-1
        The photo; resized to the picture's shape.

    Returns
    -------
    Tensor, shape (1, 3, H, W), RGB in 0-1
        Its `luminance` is the picture's, exactly.

    Raises
    ------
    StylelibError
        If either is not one picture.

    Notes
    -----
    The luminance-only transfer of Gatys et al., *Controlling Perceptual Factors
    in Neural Style Transfer* (2017), done after painting rather than before: so
    it can be switched on and off while you look. Where a colour does not exist
    at that brightness it is made paler, its hue kept.
    """
    check_colors(image)
    check_colors(content)
    photo = resize_to(content, (image.shape[-2], image.shape[-1]))
    light = luminance(image)
    tint = photo - luminance(photo)
    room = torch.where(tint > 0, 1 - light, light) / tint.abs().clamp_min(1e-6)
    strength = room.amin(1, keepdim=True).clamp(0, 1)
    return (light + strength * tint).clamp(0, 1)


def match_colors(image: Tensor, like: Tensor) -> Tensor:
    """A picture with another's colours: their mean and how they vary together.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        For example the painting.
    like : Tensor, shape (1, 3, h, w), RGB in 0-1
        For example the photo.

    Returns
    -------
    Tensor, shape (1, 3, H, W), RGB in 0-1
        Its colours' mean and 3 x 3 covariance are those of `like`, except where
        a colour had to be cut off at 0 or 1.

    Raises
    ------
    StylelibError
        If either is not one picture.

    Notes
    -----
    Gatys et al. (2017), section 5.1, match both with a linear map of the
    colours. Of the many that do, this is the one that moves them least (Pitié,
    Kokaram, *The Linear Monge-Kantorovitch Linear Colour Mapping*, 2007,
    equation 14).
    """
    check_picture(image, "The picture")
    check_picture(like, "The picture of the colours")
    (mean, spread), (wanted_mean, wanted) = _colors(image), _colors(like)
    root, back = _power(spread, 0.5), _power(spread, -0.5)
    linear = back @ _power(root @ wanted @ root, 0.5) @ back
    pixels = linear @ (image.double().flatten(2)[0] - mean) + wanted_mean
    return pixels.reshape(image.shape).to(image).clamp(0, 1)


def _colors(image: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (3, 1) and covariance (3, 3) of a picture's colours."""
    pixels = image.double().flatten(2)[0]
    mean = pixels.mean(1, keepdim=True)
    covariance = (pixels - mean) @ (pixels - mean).T / pixels.shape[1]
    return mean, covariance + 1e-7 * torch.eye(3, dtype=torch.float64)  # even of one colour


def _power(matrix: Tensor, exponent: float) -> Tensor:
    """A power of a symmetric, positive matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors * values.clamp_min(1e-15) ** exponent @ vectors.T
