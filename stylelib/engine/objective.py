"""The target loss of a picture: what the photo and the paintings ask of it."""

import math
from collections.abc import Mapping, Sequence
from copy import copy

import torch
from torch import Tensor

from ..core.layers import LAYERS, NEIGHBOUR_LAYERS
from ..core.losses import content_loss, style_loss, target_loss, total_variation
from ..core.statistics import STATISTICS, Statistic, gram
from ..errors import StylelibError
from ..recipes import Recipe
from .gram import centered_gram
from .masks import Style, as_styles, fit_mask, painted_pixels, shares_of_places
from .neighbours import COHERENCE, TURNS, Neighbours, Pieces
from .network import VGG19

_PHOTO = 0.75  # the photo's share in what the paintings are searched for; the picture has the rest
_DETAIL = "conv3_1"  # up to this layer: a third of the cost of all layers to conv5_1


class Objective:
    """The target loss for one content picture and one or more paintings, at one size.

    Parameters
    ----------
    content : Tensor, shape (1, 3, H, W), RGB in 0-1
        At the size at which it is compared.
    style : Tensor, shape (1, 3, H', W'), `Style`, or several of them
        At the size at which it is compared; its shape may differ from the content's.
    recipe : Recipe
    network : VGG19
        At least as deep as the recipe's deepest layer.
    picture : Tensor, of the content's shape, optional
        The picture so far, which has a say in which neighbours are chosen; the content by default.
    single : bool
        Search for each place's neighbour by itself and in the painting as it hangs. What a place
        should become then depends only on what is seen there: a network can learn that.

    Attributes
    ----------
    content : Tensor
        As given.
    painted : Tensor, shape (1, 1, H, W), bool, or None
        The pixels that are painted; None if all of them are.
    """

    def __init__(
        self,
        content: Tensor,
        style: Tensor | Style | Sequence[Tensor | Style],
        recipe: Recipe,
        network: VGG19,
        picture: Tensor | None = None,
        single: bool = False,
    ) -> None:
        self.recipe, self.network, self.content = recipe, network, content
        layers = {*recipe.content_layers, *recipe.style_layers}
        if recipe.neighbour_weight:
            layers.update(NEIGHBOUR_LAYERS)
        self.layers = sorted(layers, key=LAYERS.index)
        styles = as_styles(style)
        shares = recipe.shares(len(styles))
        with torch.no_grad():
            seen = network(content, self.layers)
            self.content_maps = {name: seen[name] for name in recipe.content_layers}
            masks = [fit_mask(one.where, content.shape, "photo") for one in styles]
            self.targets = [
                StyleTarget(one, mask, share, seen, recipe, network)
                for one, mask, share in zip(styles, masks, shares, strict=True)
            ]
            self._styles, self._single, self._pieces = styles, single, list[Pieces]()
            self.neighbours = None
            if recipe.neighbour_weight:
                pieces = self._cut(styles)
                self.neighbours = self._find_neighbours(pieces, masks, picture)
        self.content_weights = self._balance()
        self.painted = painted_pixels(masks)

    def _cut(self, styles: Sequence[Style]) -> list[Pieces]:
        turns = 1 if self._single else TURNS
        return [Pieces(one, self.network, turns) for one in styles]

    def _find_neighbours(
        self,
        pieces: Sequence[Pieces],
        masks: Sequence[Tensor | None],
        picture: Tensor | None = None,
    ) -> Neighbours:
        query = self.content
        if picture is not None:
            query = _PHOTO * self.content + (1 - _PHOTO) * picture
        shares, likeness = self.recipe.shares(len(pieces)), self.recipe.kept
        coherence = 0.0 if self._single else COHERENCE
        return Neighbours(
            query, self.content, pieces, masks, shares, likeness, self.network, coherence
        )

    def with_content(self, content: Tensor) -> "Objective":
        """The same for another photo of the same size; the paintings' targets are kept.

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
            if self.neighbours is not None:
                if not self._pieces:  # they are large, so they are kept only where needed again
                    self._pieces = self._cut(self._styles)
                other.neighbours = other._find_neighbours(self._pieces, [None] * len(self._pieces))
        other.content_weights = other._balance()
        return other

    def of_detail(self) -> "Objective | None":
        """The style loss of the first layers alone; None if the recipe uses none of them."""
        first = LAYERS[: LAYERS.index(_DETAIL) + 1]
        layers = {n: w for n, w in self.recipe.style_layers.items() if w and n in first}
        if not layers or not self.recipe.style_weight:
            return None
        other = copy(self)
        other.recipe = self.recipe.but(content_layers={}, style_layers=layers)
        other.layers, other.content_weights, other.neighbours = list(layers), {}, None
        return other

    def _balance(self) -> dict[str, float]:
        """The factor of each content layer's mean squared error; see `Recipe`."""
        weights = _shares(self.recipe.content_layers)
        if self.recipe.balance == "source":
            return weights
        return {n: w / _mean_square(self.content_maps[n]) for n, w in weights.items()}

    def __call__(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The target loss of a picture, for the gradient, and its parts, to be looked at."""
        image = image.view_as(image)  # so that hooks are on this pass's, not the caller's
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
        style_weight = self.recipe.style_weight
        if self.neighbours is not None:
            style_weight *= 1 - self.recipe.kept
        total = target_loss(content, style, self.recipe.content_weight, style_weight)
        if self.neighbours is not None:
            found = self.neighbours.losses(maps)
            parts |= {f"neighbours {name}": part for name, part in found.items()}
            parts["neighbours"] = torch.stack(list(found.values())).sum()
            total = total + self.recipe.neighbour_weight * parts["neighbours"]
        rough = total_variation(image) if self.recipe.tv_weight else zero
        total = total + self.recipe.tv_weight * rough
        if self.network.dtype == torch.float16 and image.requires_grad:
            _fit_into_float16(image, total)
        return total, parts | {"content": content, "style": style, "tv": rough, "total": total}


def _fit_into_float16(image: Tensor, total: Tensor) -> None:
    """Scale the gradients on the way from the loss back to the picture; those of both stay right.

    A gradient is in proportion to its loss, which may be 1e9, and float16 ends at 65,504. Scaled,
    the loss is one for each number of the picture. Powers of two round nothing. Micikevicius et
    al., *Mixed Precision Training* (2018), section 3.2.
    """
    loss = total.item()
    if 0 < loss < math.inf:
        scale = 2.0 ** round(math.log2(image.numel() / loss))
        total.register_hook(lambda gradient: gradient * scale)
        image.register_hook(lambda gradient: gradient / scale)


class StyleTarget:
    """What one painting asks for: its statistic in each layer, and where it applies.

    `mask`, at the content picture's size, says where it goes, `share` how much it counts among the
    paintings; `seen` are the content picture's feature maps.
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
        shares = shares_of_places(style.source, painted)
        area = 1.0 if mask is None else float(mask.mean())
        self.places = shares_of_places(mask, {name: seen[name] for name in layers})
        self.centers = {
            name: (painted[name] * shares.get(name, 1)).mean((2, 3), keepdim=True) * recipe.centered
            for name in layers
        }
        self.wanted = {name: self._measure(painted[name], name, shares) for name in layers}
        whole = {name: self.statistic(painted[name], shares.get(name)) for name in layers}
        self.degree = _degree(self.statistic, painted[layers[-1]]) if layers else 2.0
        # A region counts in proportion to its area: the same pull on each pixel.
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
        """The factor of each layer's mean squared error; see `Recipe`."""
        style = dict(recipe.style_layers)
        if recipe.balance == "source":
            for name in style:
                channels, places = seen[name].shape[1], seen[name][0, 0].numel()
                # The source does not divide its Gram matrices by H·W: that is (H·W)² here.
                style[name] *= places / channels
            return style
        for name, share in _shares(style).items():
            # A painting of one colour has no correlations: compare with its brightness.
            floor = 1e-3 * _mean_square(whole[name])
            # 1 % too much in the maps is 2 % in a Gram matrix, 1 % in a mean: count both alike.
            alike = (2 / self.degree) ** 2
            style[name] = share * alike / max(_mean_square(self.wanted[name]), floor)
        return style

    def loss(self, maps: Mapping[str, Tensor], name: str) -> Tensor:
        """One layer's part of the style loss of a picture with these feature maps."""
        found = self._measure(maps[name], name, self.places)
        return style_loss({name: found}, self.wanted, {name: self.weights[name]})


def _degree(statistic: Statistic, maps: Tensor) -> float:
    """The power of the maps that a statistic grows with: 2 for the Gram matrix."""
    growth = _mean_square(statistic(2 * maps, None)) / _mean_square(statistic(maps, None))
    return max(math.log2(growth) / 2, 0.5)


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights that add up to 1, so that more layers don't mean more loss."""
    total = sum(weights.values()) or 1.0
    return {name: weight / total for name, weight in weights.items()}


def _mean_square(tensor: Tensor) -> float:
    return max(float(tensor.square().mean()), 1e-12)
