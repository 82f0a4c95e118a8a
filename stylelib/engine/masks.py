"""Paintings with masks, which say to what part of the photo each one's style goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checks import check_picture
from ..errors import StylelibError
from ..pictures.images import fit, resize, resize_to

EMPTY = 1 / 512  # anything darker counts as black: half of the smallest step of a picture file


@dataclass(frozen=True, eq=False)
class Style:
    """A painting, and where it goes.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        The painting.
    where : Tensor, shape (1, 1, h, w), in 0-1, optional
        Where on the photo its style goes: 1 there, 0 elsewhere; everywhere by default.
        In the photo's proportions, of any size. `load_mask` makes one.
    source : Tensor, shape (1, 1, h, w), in 0-1, optional
        Which part of the painting its style is taken from; all of it by default.

    Raises
    ------
    StylelibError
        If one of them is not as described here, or no part of the painting is left.

    Notes
    -----
    Gatys et al., *Controlling Perceptual Factors in Neural Style Transfer*
    (2017), section 4: spatial control.

    Examples
    --------
    >>> from stylelib import Style, load_image, load_mask
    >>> sky = load_mask("camel", size=64)  # a file of your own, white where the sky is
    >>> wave = Style(load_image("hokusai-great-wave", size=64), where=sky)
    """

    image: Tensor
    where: Tensor | None = None
    source: Tensor | None = None

    def __post_init__(self) -> None:
        check_picture(self.image, "The style picture")
        if self.where is not None:
            check_picture(self.where, "The mask", channels=1)
        if self.source is not None:
            check_picture(self.source, "The mask of the painting", channels=1)
            check_proportions(self.source, self.image.shape, "painting")
            if self.source.max() < EMPTY:
                raise StylelibError(
                    "The mask of the painting is black all over, so there is no style to take. "
                    "White means: take the style from here."
                )
        for name in ("image", "where", "source"):
            tensor = getattr(self, name)
            object.__setattr__(self, name, None if tensor is None else tensor.float())

    def resized(self, size: int) -> "Style":
        """The same, with the painting resized to a longest side of `size` pixels."""
        image = resize(self.image.detach(), size)
        source = fit_mask(self.source, image.shape, "painting")
        return Style(image, self.where, source)

    def to(self, device: torch.device) -> "Style":
        """The same, moved to a device."""
        where, source = (None if m is None else m.to(device) for m in (self.where, self.source))
        return Style(self.image.to(device), where, source)


def as_styles(style: "Tensor | Style | Sequence[Tensor | Style]") -> list[Style]:
    """A list of styles from one painting or several, with their masks or without."""
    several = [style] if isinstance(style, Tensor | Style) else style
    if not isinstance(several, list | tuple):
        raise StylelibError(
            f"The style picture must be a tensor, a Style or a list of these, not of type "
            f"{type(style).__name__}; use load_image."
        )
    if not several:
        raise StylelibError("Give at least one painting.")
    styles = [one if isinstance(one, Style) else Style(one) for one in several]
    if all(one.where is not None and one.where.max() < EMPTY for one in styles):
        raise StylelibError(
            "The mask is black all over, so nothing would be painted. White means: paint here."
        )
    return styles


def divide(paintings: Sequence[Tensor], mask: Tensor | None) -> list[Style]:
    """Where each painting goes: the first where the mask is white, the second where it is black."""
    if mask is None:
        return [Style(painting) for painting in paintings]
    if len(paintings) > 2:
        raise StylelibError("A mask divides the photo between two paintings; give one or two.")
    return [Style(p, where) for p, where in zip(paintings, (mask, 1 - mask), strict=False)]


def names_of_halves(mask: str, paintings: int) -> list[str]:
    """What `divide` gives each painting, written in terms of the mask's name."""
    return [mask, f"1 - {mask}"][:paintings]


def painted_pixels(masks: Sequence[Tensor | None]) -> Tensor | None:
    """The pixels that any painting goes to, (1, 1, H, W), bool; None if that is all of them."""
    drawn = [mask for mask in masks if mask is not None]
    return torch.stack(drawn).amax(0) > EMPTY if len(drawn) == len(masks) else None


def shares_of_places(mask: Tensor | None, maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """How much each position in each layer's maps counts: 1 on average; empty without a mask."""
    if mask is None:
        return {}
    places = {}
    for name, layer in maps.items():
        share = F.adaptive_avg_pool2d(mask.to(layer), (layer.shape[-2], layer.shape[-1]))
        places[name] = share / share.mean().clamp_min(1e-12)
    return places


def fit_mask(mask: Tensor | None, shape: Sequence[int], what: str) -> Tensor | None:
    """A mask at the size of its picture."""
    if mask is None:
        return None
    check_proportions(mask, shape, what)
    return resize_to(mask, (shape[-2], shape[-1]))


def check_proportions(mask: Tensor, shape: Sequence[int], what: str) -> None:
    """Refuse a mask of other proportions: it belongs to another picture, so don't stretch it."""
    wanted, found = fit(shape, 1000), fit(mask.shape, 1000)
    coarse = 1000 / max(mask.shape[-2:])  # one pixel: a small mask's sides were rounded
    if max(abs(a - b) for a, b in zip(wanted, found, strict=True)) > max(20, coarse):
        raise StylelibError(
            f"The mask is {mask.shape[-1]} x {mask.shape[-2]} pixels and the {what} "
            f"{shape[-1]} x {shape[-2]}: a mask has the proportions of its picture. "
            f"Make it from that {what}."
        )
