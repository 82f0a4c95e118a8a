"""Give the photo's colours to a painted picture, or to a painting before it is used."""

import torch
from torch import Tensor

from ..checks import check_colors, check_picture
from .images import resize_to

_LUMA = (0.299, 0.587, 0.114)  # how much red, green and blue count for brightness, as in YIQ


def luminance(image: Tensor) -> Tensor:
    """The luminance of each pixel, Y in YIQ: (B, 3, H, W), RGB in 0-1, to (B, 1, H, W)."""
    check_colors(image, several=True)
    weights = image.new_tensor(_LUMA).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)


def keep_colors(image: Tensor, content: Tensor) -> Tensor:
    """The luminance of the painted picture with the colours of the photo.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        The painted picture.
    content : Tensor, shape (1, 3, h, w), RGB in 0-1
        The photo; resized to the picture's shape.

    Returns
    -------
    Tensor, shape (1, 3, H, W), RGB in 0-1
        Its `luminance` is exactly that of `image`.

    Raises
    ------
    StylelibError
        If either is not one picture.

    Notes
    -----
    Luminance-only transfer, Gatys et al., *Controlling Perceptual Factors in Neural
    Style Transfer* (2017), section 5, but after painting rather than before: so it can
    be switched on and off at any time. A colour that does not exist at a luminance
    becomes paler; its hue is kept.

    Examples
    --------
    >>> photo, painted = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 16, 16)
    >>> mixed = keep_colors(painted, photo)
    >>> torch.allclose(luminance(mixed), luminance(painted), atol=1e-5)
    True
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
    """Give one picture the colour statistics of another: mean and covariance.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        For example the painting.
    like : Tensor, shape (1, 3, h, w), RGB in 0-1
        For example the photo.

    Returns
    -------
    Tensor, shape (1, 3, H, W), RGB in 0-1
        The mean and the 3 x 3 covariance of its colours are those of `like`, except
        where colours had to be clipped at 0 or 1.

    Raises
    ------
    StylelibError
        If either is not one picture.

    Notes
    -----
    Gatys et al. (2017), section 5, match both with a linear map of the colours. Of the
    many such maps, this one moves the colours least (Pitié, Kokaram, *The Linear
    Monge-Kantorovitch Linear Colour Mapping for Example-Based Colour Transfer*, 2007).

    Examples
    --------
    >>> bluish = torch.rand(1, 3, 32, 32) * torch.tensor([0.2, 0.4, 0.6]).view(1, 3, 1, 1)
    >>> matched = match_colors(torch.rand(1, 3, 16, 16), bluish)
    >>> [round(mean, 1) for mean in matched.mean((0, 2, 3)).tolist()]
    [0.1, 0.2, 0.3]
    """
    check_picture(image, "The picture")
    check_picture(like, "The picture to take the colours from")
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
    little = 1e-7 * torch.eye(3, dtype=torch.float64, device=image.device)
    return mean, covariance + little  # not 0 for one colour


def _power(matrix: Tensor, exponent: float) -> Tensor:
    """A power of a symmetric positive definite matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    power: Tensor = vectors * values.clamp_min(1e-15) ** exponent @ vectors.T
    return power
