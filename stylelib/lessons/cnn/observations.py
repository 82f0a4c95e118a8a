"""What a network sees in several pictures, and what excites each channel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from ...core.layers import LAYERS
from ...core.vgg import VGG19
from ...engine.network import features
from ...errors import StylelibError, pick
from ..progress import progress
from .anatomy import cut, index_at, receptive_field

T = TypeVar("T")


@dataclass(frozen=True)
class Patch:
    """A piece of a picture that excites a channel."""

    picture: str  # its name
    row: int  # in the channel's map
    column: int
    value: float  # of the map, at that position
    box: tuple[int, int, int, int]  # see `ReceptiveField.box`; it may extend beyond the edge


class Observations:
    """A network's feature maps of several pictures, computed once, to be browsed.

    A progress bar shows how far the computation is.

    Parameters
    ----------
    pictures : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
    network : VGG19, optional
        The embedded one by default.
    layers : iterable of str
        The layers whose maps are kept. Maps take memory, those of early layers most.
        Means and shares are kept for every layer up to the deepest of them.
    label : str
        What the progress bar says.

    Raises
    ------
    StylelibError
        If a layer is unknown, or no picture or no layer is given. Every method raises it
        for a picture or a layer that was not observed, or a channel that does not exist.
    """

    def __init__(
        self,
        pictures: Mapping[str, Tensor],
        network: VGG19 | None = None,
        layers: Iterable[str] = LAYERS,
        label: str = "looking at the pictures",
    ) -> None:
        self.pictures = dict(pictures)
        self.layers = tuple(pick(layer, LAYERS, "layer") for layer in layers)
        if not self.pictures or not self.layers:
            raise StylelibError("Give at least one picture to look at, and at least one layer.")
        self._maps: dict[str, dict[str, Tensor]] = {}
        self._means: dict[str, dict[str, Tensor]] = {}
        self._shares: dict[str, dict[str, float]] = {}
        seen = LAYERS[: max(map(LAYERS.index, self.layers)) + 1]
        for name, image in progress(self.pictures.items(), label):
            with torch.no_grad():
                found = features(image, seen, network)
            # Half precision takes half the memory, and is plenty to look at.
            self._maps[name] = {layer: found[layer][0].half() for layer in self.layers}
            self._means[name] = {layer: maps[0].mean((1, 2)) for layer, maps in found.items()}
            self._shares[name] = {
                layer: float((maps > 0).float().mean()) for layer, maps in found.items()
            }

    def maps(self, picture: str, layer: str) -> Tensor:
        """The maps of one layer, shape (C, h, w), after ReLU."""
        return _look_up(self._maps, picture, layer).float()

    def count_channels(self, layer: str) -> int:
        """How many maps a layer has."""
        return len(_look_up(self._means, next(iter(self.pictures)), layer))

    def channel(self, picture: str, layer: str, channel: int) -> Tensor:
        """One map, shape (h, w), after ReLU."""
        maps = _look_up(self._maps, picture, layer)
        if not 0 <= channel < len(maps):
            raise StylelibError(
                f"{layer} has {len(maps)} channels, numbered 0 to {len(maps) - 1}; "
                f"there is no channel {channel}."
            )
        return maps[channel].float()

    def most_active(self, picture: str, layer: str, count: int = 16) -> list[int]:
        """The channels with the highest mean, highest first."""
        return _highest(_look_up(self._means, picture, layer), count)

    def share_above_zero(self, layer: str) -> float:
        """The share, 0-1, of a layer's values that are above 0, averaged over the pictures."""
        shares = [_look_up(self._shares, picture, layer) for picture in self.pictures]
        return sum(shares) / len(shares)

    def strongest(self, layer: str, channel: int, count: int = 8) -> list[Patch]:
        """The patches of all the pictures that excite a channel most, strongest first.

        Each patch is as large as the receptive field. Two patches of one picture overlap
        by no more than half their side. There are fewer than `count` where the channel
        is above 0 at fewer positions.
        """
        field = receptive_field(layer)
        apart = max(1, field.size // (2 * field.stride))
        found: list[Patch] = []
        for picture in self.pictures:
            values = self.channel(picture, layer, channel)
            for _ in range(count):
                value, index = values.flatten().max(dim=0)
                if value <= 0:
                    break
                row, column = divmod(int(index), values.shape[1])
                box = field.box(row, column)
                found.append(Patch(picture, row, column, float(value), box))
                top, left = max(0, row - apart), max(0, column - apart)
                values[top : row + apart + 1, left : column + apart + 1] = 0
        return sorted(found, key=lambda patch: -patch.value)[:count]

    def channels_at(
        self, picture: str, layer: str, x: float, y: float, count: int = 8
    ) -> list[int]:
        """The channels that stand out at a position: fractions, 0-1, of the width and height.

        They are sorted by the largest value at or next to the position, divided by the
        channel's mean over all the pictures; highest first.
        """
        maps = self.maps(picture, layer)
        row, column = index_at(y, maps.shape[1]), index_at(x, maps.shape[2])
        near = maps[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].amax((1, 2))
        usual = torch.stack([self._means[name][layer] for name in self.pictures]).mean(0)
        # Without the lower bound, a channel that is nearly always silent would win.
        return _highest(near / usual.clamp_min(0.01 * float(usual.mean()) + 1e-12), count)

    def crop(self, patch: Patch) -> Tensor:
        """The pixels of a patch, shape (1, 3, size, size); grey beyond the edge."""
        return cut(self.pictures[patch.picture], patch.box)


def _look_up(kept: Mapping[str, Mapping[str, T]], picture: str, layer: str) -> T:
    of_picture = kept[pick(picture, kept, "picture")]
    return of_picture[pick(layer, of_picture, "observed layer")]


def _highest(values: Tensor, count: int) -> list[int]:
    """The indices of the largest values, largest first."""
    indices: list[int] = values.argsort(descending=True, stable=True)[:count].tolist()
    return indices
