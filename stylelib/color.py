"""Keep the photo's own colours."""

import torch
from torch import Tensor

from .errors import StylelibError
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
    """
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
    for picture in (image, content):
        if picture.dim() != 4 or picture.shape[:2] != (1, 3):
            raise StylelibError(
                f"One picture is a tensor of shape (1, 3, height, width); this one has shape "
                f"{tuple(picture.shape)}."
            )
    photo = resize_to(content, (image.shape[-2], image.shape[-1]))
    light = luminance(image)
    tint = photo - luminance(photo)
    room = torch.where(tint > 0, 1 - light, light) / tint.abs().clamp_min(1e-6)
    strength = room.amin(1, keepdim=True).clamp(0, 1)
    return (light + strength * tint).clamp(0, 1)
