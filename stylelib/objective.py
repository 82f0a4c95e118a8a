"""The target loss of a picture, and what the photo and the paintings ask of it."""

import math
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from .checks import check_picture
from .errors import StylelibError
from .images import fit, resize, resize_to
from .losses import content_loss, style_loss, target_loss, total_variation
from .recipes import Recipe
from .statistics import STATISTICS, Statistic, centered_gram, gram
from .vgg import LAYERS, VGG19

_DETAIL = "conv3_1"  # up to there: a third of the cost of all layers to conv5_1
_EMPTY = 1 / 512  # darker than that is black: half of the smallest step of a picture file


@dataclass(frozen=True, eq=False)
class Style:
    """A painting, and where it goes.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        The painting.
    where : Tensor, shape (1, 1, h, w), in 0-1, optional
        Where on the photo its style goes: 1 here, 0 not; everywhere by default.
        In the photo's proportions, of any size. `load_mask` makes one.
    source : Tensor, shape (1, 1, h, w), in 0-1, optional
        Which part of the painting its style is taken from; all of it by default.

    Raises
    ------
    StylelibError
        If one of them is not such a picture, or no part of the painting is left.

    Notes
    -----
    Gatys et al., *Controlling Perceptual Factors in Neural Style Transfer*
    (2017), section 4: spatial control.

    Examples
    --------
    >>> sky = load_mask("sky.png")
    >>> night = Style(load_image("hokusai-great-wave"), where=sky)
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
            _check_proportions(self.source, self.image.shape, "painting")
            if self.source.max() < _EMPTY:
                raise StylelibError(
                    "The mask of the painting is black all over, so there is no style to take. "
                    "White means: from here."
                )
        for name in ("image", "where", "source"):
            tensor = getattr(self, name)
            object.__setattr__(self, name, None if tensor is None else tensor.float())

    def resized(self, size: int) -> "Style":
        """The same with the painting's longest side of `size` pixels."""
        image = resize(self.image.detach(), size)
        source = _fit_mask(self.source, image.shape, "painting")
        return Style(image, self.where, source)

    def to(self, device: torch.device) -> "Style":
        """The same on a device."""
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
    if all(one.where is not None and one.where.max() < _EMPTY for one in styles):
        raise StylelibError(
            "The mask is black all over, so nothing would be painted. White means: here."
        )
    return styles


class Objective:
    """The target loss, for one content picture and one or more paintings at one size.

    Parameters
    ----------
    content : Tensor, shape (1, 3, H, W), RGB in 0-1
        At the size to compare at.
    style : Tensor, shape (1, 3, H', W'), `Style`, or several of them
        At the size to compare at; it need not have the content's shape.
    recipe : Recipe
    network : VGG19
        At least as deep as the recipe's deepest layer.

    Attributes
    ----------
    content : Tensor
        As given.
    painted : Tensor, shape (1, 1, H, W), bool, or None
        The pixels that a style goes to; None if it is all of them.
    """

    def __init__(
        self,
        content: Tensor,
        style: Tensor | Style | Sequence[Tensor | Style],
        recipe: Recipe,
        network: VGG19,
    ) -> None:
        self.recipe, self.network, self.content = recipe, network, content
        self.layers = sorted({*recipe.content_layers, *recipe.style_layers}, key=LAYERS.index)
        styles = as_styles(style)
        shares = recipe.shares(len(styles))
        with torch.no_grad():
            seen = network(content, self.layers)
            self.content_maps = {name: seen[name] for name in recipe.content_layers}
            masks = [_fit_mask(one.where, content.shape, "photo") for one in styles]
            self.targets = [
                StyleTarget(one, mask, share, seen, recipe, network)
                for one, mask, share in zip(styles, masks, shares, strict=True)
            ]
        self.content_weights = self._balance()
        drawn = [mask for mask in masks if mask is not None]
        self.painted = None
        if len(drawn) == len(styles):
            self.painted = torch.stack(drawn).amax(0) > _EMPTY

    def with_content(self, content: Tensor) -> "Objective":
        """The same for another photo of the same size; the painting is not looked at again.

        Raises
        ------
        StylelibError
            If there are masks: they belong to the first photo.
        """
        if any(target.places for target in self.targets):
            raise StylelibError("A mask belongs to one photo; leave it out for several.")
        other, layers = copy(self), list(self.recipe.content_layers)
        other.content = content
        with torch.no_grad():
            other.content_maps = self.network(content, layers) if layers else {}
        other.content_weights = other._balance()
        return other

    def of_detail(self) -> "Objective | None":
        """What the first layers alone ask of the style; None if none of them is asked."""
        first = LAYERS[: LAYERS.index(_DETAIL) + 1]
        layers = {n: w for n, w in self.recipe.style_layers.items() if w and n in first}
        if not layers or not self.recipe.style_weight:
            return None
        other = copy(self)
        other.recipe = self.recipe.but(content_layers={}, style_layers=layers)
        other.layers, other.content_weights = list(layers), {}
        return other

    def _balance(self) -> dict[str, float]:
        """What each content layer's mean squared error is multiplied by; see `Recipe`."""
        weights = _shares(self.recipe.content_layers)
        if self.recipe.balance == "source":
            return weights
        return {n: w / _mean_square(self.content_maps[n]) for n, w in weights.items()}

    def __call__(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The target loss of a picture, to differentiate, and its parts, to look at."""
        maps = self.network.raw(image, self.layers)
        parts: dict[str, Tensor] = {}
        zero = image.new_zeros(())
        content, style = zero, zero
        for name, weight in self.content_weights.items():
            parts[f"content {name}"] = weight * content_loss(maps[name], self.content_maps[name])
            content = content + parts[f"content {name}"]
        for name in self.recipe.style_layers:
            parts[f"style {name}"] = zero
            for target in self.targets:
                parts[f"style {name}"] = parts[f"style {name}"] + target.loss(maps, name)
            style = style + parts[f"style {name}"]
        total = target_loss(content, style, self.recipe.content_weight, self.recipe.style_weight)
        rough = total_variation(image) if self.recipe.tv_weight else zero
        total = total + self.recipe.tv_weight * rough
        return total, parts | {"content": content, "style": style, "tv": rough, "total": total}


class StyleTarget:
    """What one painting asks for, layer by layer: its `STATISTICS`, and where.

    Parameters
    ----------
    style : Style
    mask : Tensor, shape (1, 1, H, W), in 0-1, or None
        Where it goes, at the content picture's size.
    share : float
        How much it counts among the paintings.
    seen : mapping of layer name to Tensor
        The content picture's feature maps.
    recipe, network
        As for `Objective`.
    """

    def __init__(
        self,
        style: Style,
        mask: Tensor | None,
        share: float,
        seen: Mapping[str, Tensor],
        recipe: Recipe,
        network: VGG19,
    ) -> None:
        layers = list(recipe.style_layers)
        self.statistic = STATISTICS[recipe.statistic]
        painted = network(style.image, layers) if layers else {}
        source = _shares_of_places(style.source, painted)
        area = 1.0 if mask is None else float(mask.mean())
        self.places = _shares_of_places(mask, {name: seen[name] for name in layers})
        self.centers = {
            name: (painted[name] * source.get(name, 1)).mean((2, 3), keepdim=True) * recipe.centered
            for name in layers
        }
        self.wanted = {name: self._measure(painted[name], name, source) for name in layers}
        whole = {name: self.statistic(painted[name], source.get(name)) for name in layers}
        self.degree = _degree(self.statistic, painted[layers[-1]]) if layers else 2.0
        # A small region counts as little as it is large: the same pull on each pixel.
        self.weights = {
            name: weight * share * area
            for name, weight in self._balance(whole, seen, recipe).items()
        }

    def _measure(self, maps: Tensor, name: str, places: Mapping[str, Tensor]) -> Tensor:
        if self.statistic is gram and name not in places:
            return centered_gram(maps, self.centers[name])
        return self.statistic(maps - self.centers[name], places.get(name))

    def _balance(
        self, whole: Mapping[str, Tensor], seen: Mapping[str, Tensor], recipe: Recipe
    ) -> dict[str, float]:
        """What each layer's mean squared error is multiplied by; see `Recipe`."""
        style = dict(recipe.style_layers)
        if recipe.balance == "source":
            for name in style:
                channels, places = seen[name].shape[1], seen[name][0, 0].numel()
                # (H W)² from the Gram matrices, which the source does not divide.
                style[name] *= places / channels
            return style
        for name, share in _shares(style).items():
            # A painting of one colour has no correlations: compare with its brightness.
            floor = 1e-3 * _mean_square(whole[name])
            # Maps 1 % off are 2 % off in a Gram matrix, 1 % in a mean: count both alike.
            alike = (2 / self.degree) ** 2
            style[name] = share * alike / max(_mean_square(self.wanted[name]), floor)
        return style

    def loss(self, maps: Mapping[str, Tensor], name: str) -> Tensor:
        """One layer's share of the style loss of a picture with these feature maps."""
        found = self._measure(maps[name], name, self.places)
        return style_loss({name: found}, self.wanted, {name: self.weights[name]})


def _shares_of_places(mask: Tensor | None, maps: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """How much each place of each layer's maps counts, 1 on average. Empty without a mask."""
    if mask is None:
        return {}
    places = {}
    for name, layer in maps.items():
        share = F.adaptive_avg_pool2d(mask.to(layer), (layer.shape[-2], layer.shape[-1]))
        places[name] = share / share.mean().clamp_min(1e-12)
    return places


def _degree(statistic: Statistic, maps: Tensor) -> float:
    """The power with which a statistic grows with the maps: 2 for the Gram matrix."""
    growth = _mean_square(statistic(2 * maps, None)) / _mean_square(statistic(maps, None))
    return max(math.log2(growth) / 2, 0.5)


def _fit_mask(mask: Tensor | None, shape: Sequence[int], what: str) -> Tensor | None:
    """A mask at the size of its picture."""
    if mask is None:
        return None
    _check_proportions(mask, shape, what)
    return resize_to(mask, (shape[-2], shape[-1]))


def _check_proportions(mask: Tensor, shape: Sequence[int], what: str) -> None:
    """A mask of other proportions is not of that picture: don't stretch it in silence."""
    wanted, found = fit(shape, 1000), fit(mask.shape, 1000)
    coarse = 1000 / max(mask.shape[-2:])  # one pixel of a small mask: it was rounded
    if max(abs(a - b) for a, b in zip(wanted, found, strict=True)) > max(20, coarse):
        raise StylelibError(
            f"The mask is {mask.shape[-1]} x {mask.shape[-2]} pixels and the {what} "
            f"{shape[-1]} x {shape[-2]}: a mask has the proportions of its picture. "
            f"Make it from that {what}."
        )


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights that add up to 1, so that more layers don't mean more loss."""
    total = sum(weights.values()) or 1.0
    return {name: weight / total for name, weight in weights.items()}


def _mean_square(tensor: Tensor) -> float:
    return max(float(tensor.square().mean()), 1e-12)
