"""The network that paints, kept from one painting to the next."""

from typing import Any

from ..devices import choose_device, choose_precision, choose_winograd
from ..recipes import Recipe
from ..vgg import LAYERS, VGG19, load_vgg19


class Networks:
    """The network that was used last, kept for the next painting."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._network: VGG19 | None = None

    def load(self, recipe: Recipe) -> VGG19:
        """The network for a recipe, as deep as it needs."""
        layers = [*recipe.content_layers, *recipe.style_layers]
        deepest = max(layers, key=LAYERS.index)
        seed = recipe.seed if recipe.weights == "random" else 0
        key = (recipe.weights, recipe.pooling, recipe.padding, seed)
        network = self._network
        if network is None or key != self._key or not _reaches(network, deepest):
            network = load_vgg19(recipe.weights, deepest, recipe.pooling, recipe.padding, seed)
            device = choose_device()
            precision = choose_precision(device)
            # As a transfer wants it: it copies any other.
            network.to(device).set_precision(precision, choose_winograd(device, precision))
            self._key, self._network = key, network
        return network

    def clear(self) -> None:
        """Let go of it."""
        self._network = None


def _reaches(network: VGG19, layer: str) -> bool:
    return LAYERS.index(network.last) >= LAYERS.index(layer)
