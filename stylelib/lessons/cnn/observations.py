"""What a network sees in several pictures, and what excites each channel."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.vgg import LAYERS, VGG19
from ...engine.network import features
from ...errors import StylelibError, pick
from .anatomy import cut, place, receptive_field


@dataclass(frozen=True)
class Patch:
    """A piece of a picture that a channel answers to.

    Attributes
    ----------
    picture : str
        Its name.
    row, column : int
        Where in the channel's map.
    value : float
        The map's value there.
    box : tuple of int
        Top, left, bottom, right in the picture, the last two just outside; may
        reach over the edge.
    """

    picture: str
    row: int
    column: int
    value: float
    box: tuple[int, int, int, int]


class Observations:
    """All that a network sees in several pictures, computed once, to be browsed.

    Parameters
    ----------
    pictures : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    network : VGG19, optional
        The embedded one by default.
    layers : sequence of str
        Whose maps to keep: each takes memory, the early ones most. Means and shares
        are kept of every layer up to the deepest of them.
    progress : callable, optional
        Called with the name of each picture that is done.
    """

    def __init__(
        self,
        pictures: Mapping[str, Tensor],
        network: VGG19 | None = None,
        layers: Iterable[str] = LAYERS,
        progress: Callable[[str], object] | None = None,
    ) -> None:
        self.pictures, self.layers = dict(pictures), tuple(layers)
        if not self.pictures or not self.layers:
            raise StylelibError("Give at least one picture to look at, and one layer.")
        self._maps: dict[str, dict[str, Tensor]] = {}
        self._means: dict[str, dict[str, Tensor]] = {}
        self._shares: dict[str, dict[str, float]] = {}
        for layer in self.layers:
            pick(layer, LAYERS, "layer")
        seen = LAYERS[: max(map(LAYERS.index, self.layers)) + 1]
        for name, image in self.pictures.items():
            with torch.no_grad():
                found = features(image, seen, network)
            # Half the memory; to look at, 11 bits are plenty.
            self._maps[name] = {layer: found[layer][0].half() for layer in self.layers}
            self._means[name] = {layer: maps[0].mean((1, 2)) for layer, maps in found.items()}
            self._shares[name] = {
                layer: float((maps > 0).float().mean()) for layer, maps in found.items()
            }
            if progress is not None:
                progress(name)

    def maps(self, picture: str, layer: str) -> Tensor:
        """The maps of one layer, shape (C, h, w), after ReLU."""
        kept = self._maps[pick(picture, self._maps, "picture")]
        return kept[pick(layer, kept, "layer here")].float()

    def count_channels(self, layer: str) -> int:
        """How many maps a layer has."""
        kept = next(iter(self._means.values()))
        return len(kept[pick(layer, kept, "layer here")])

    def channel(self, picture: str, layer: str, channel: int) -> Tensor:
        """One map, shape (h, w).

        Raises
        ------
        StylelibError
            If a name is unknown, or the layer has no such channel.
        """
        maps = self._maps[pick(picture, self._maps, "picture")]
        stack = maps[pick(layer, maps, "layer here")]
        if not 0 <= channel < len(stack):
            raise StylelibError(
                f"{layer} has {len(stack)} channels, numbered 0 to {len(stack) - 1}; "
                f"there is no channel {channel}."
            )
        return stack[channel].float()

    def most_active(self, picture: str, layer: str, count: int = 16) -> list[int]:
        """The channels with the highest mean, the highest first."""
        kept = self._means[pick(picture, self._means, "picture")]
        means = kept[pick(layer, kept, "layer here")]
        return means.argsort(descending=True, stable=True)[:count].tolist()

    def share_above_zero(self, layer: str) -> float:
        """The share, 0-1, of a layer's values that ReLU let through: the pictures' mean."""
        shares = [share[pick(layer, share, "layer here")] for share in self._shares.values()]
        return sum(shares) / len(shares)

    def strongest(self, layer: str, channel: int, count: int = 8) -> list[Patch]:
        """The patches of all the pictures that excite a channel most.

        Each is as large as the receptive field; two of one picture don't overlap
        by more than half its side.

        Parameters
        ----------
        layer : str
        channel : int
        count : int
            Fewer are returned where the channel answers in fewer places.

        Returns
        -------
        list of Patch, the strongest first
        """
        field = receptive_field(layer)
        apart = max(1, field.size // (2 * field.stride))
        found: list[Patch] = []
        for picture in self.pictures:
            values = self.channel(picture, layer, channel)
            for _ in range(count):
                value, place = values.flatten().max(dim=0)
                if value <= 0:
                    break
                row, column = divmod(int(place), values.shape[1])
                box = field.box(row, column)
                found.append(Patch(picture, row, column, float(value), box))
                top, left = max(0, row - apart), max(0, column - apart)
                values[top : row + apart + 1, left : column + apart + 1] = 0
        return sorted(found, key=lambda patch: -patch.value)[:count]

    def channels_at(
        self, picture: str, layer: str, x: float, y: float, count: int = 8
    ) -> list[int]:
        """The channels that one place excites most, compared with how they usually answer.

        Parameters
        ----------
        picture, layer : str
        x, y : float
            The place, in parts of the picture's width and height, 0-1 from its top left.
        count : int

        Returns
        -------
        list of int
            By the value there, or beside it, over the channel's mean in all the
            pictures; highest first.

        Raises
        ------
        StylelibError
            If a name is unknown, or the place is outside the picture.
        """
        maps = self.maps(picture, layer)
        row, column = place(y, maps.shape[1]), place(x, maps.shape[2])
        near = maps[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].amax((1, 2))
        usual = torch.stack([self._means[name][layer] for name in self.pictures]).mean(0)
        # A channel that is nearly always silent would win with next to nothing.
        stands_out = near / usual.clamp_min(0.01 * float(usual.mean()) + 1e-12)
        return stands_out.argsort(descending=True, stable=True)[:count].tolist()

    def crop(self, patch: Patch) -> Tensor:
        """The pixels of a patch, shape (1, 3, size, size); grey beyond the edge."""
        return cut(self.pictures[patch.picture], patch.box)
