"""What lesson 07 computes: nearest places in several ways, and patchworks of a painting."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ...core.layers import CONVOLUTIONS, NEIGHBOUR_LAYERS
from ...core.neighbours import block_of, nearest, places
from ...core.vgg import VGG19
from ...engine.network import features
from ...errors import StylelibError
from ..progress import progress

SIDE = 4  # pixels of a place

DEPTHS: dict[str, tuple[str, ...]] = {
    "all layers": NEIGHBOUR_LAYERS,
    "the earliest layers": tuple(n for n in NEIGHBOUR_LAYERS if block_of(n) == 1),
    "the deepest layers": tuple(
        n for n in NEIGHBOUR_LAYERS if block_of(n) == block_of(NEIGHBOUR_LAYERS[-1])
    ),
}
"""The layers that places can be compared in, by what the controls call them."""


WAYS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cosine, centred": nearest,
    "cosine, not centred": lambda wanted, offered: cosines(wanted, offered, False).argmax(1),
    "distance": lambda wanted, offered: torch.cdist(wanted, offered).argmin(1),
}
"""How places can be compared, by what the controls call it."""

PARTS = {
    "a face": [(0.81, 0.21, 0.96, 0.38), (0.29, 0.42, 0.39, 0.56)],
    "the humps": [(0.43, 0.10, 0.71, 0.34), (0.12, 0.38, 0.28, 0.50)],
    "the legs": [(0.33, 0.52, 0.55, 0.88), (0.60, 0.58, 0.79, 0.88), (0.04, 0.60, 0.31, 0.86)],
}
"""Where they are in the photo of the camel and her calf: left, top, right, bottom, from 0 to 1."""


def cosines(wanted: Tensor, offered: Tensor, centered: bool = True) -> Tensor:
    """The cosine between each two vectors of (N, D) and (M, D), shape (N, M).

    With `centered`, the mean of each set is subtracted first.

    Examples
    --------
    >>> cosines(torch.tensor([[3.0, 4.0]]), torch.tensor([[6.0, 8.0], [4.0, 3.0]]), False)
    tensor([[1.0000, 0.9600]])
    """
    if centered:
        wanted, offered = wanted - wanted.mean(0), offered - offered.mean(0)
    return F.normalize(wanted, dim=1) @ F.normalize(offered, dim=1).mT


def look(image: Tensor, network: VGG19 | None = None) -> Tensor:
    """The features of the places of a picture (1, 3, H, W), shape (N, D)."""
    return places(features(image, NEIGHBOUR_LAYERS, network))


def grid_of(image: Tensor) -> tuple[int, int]:
    """Rows and columns of the places of a picture."""
    height, width = image.shape[-2:]
    return height // SIDE, width // SIDE


def of_layers(vectors: Tensor, layers: Sequence[str]) -> Tensor:
    """Of the vectors (N, D) of `look`, the columns that come from these layers."""
    widths = [CONVOLUTIONS[name][1] for name in NEIGHBOUR_LAYERS]
    parts = dict(zip(NEIGHBOUR_LAYERS, vectors.split(widths, 1), strict=True))
    return torch.cat([parts[name] for name in layers], 1)


@dataclass(frozen=True, eq=False)
class Search:
    """A photo, a painting, and which place of the painting each place of the photo took."""

    photo: Tensor
    painting: Tensor
    wanted: Tensor  # the photo's places, (N, D)
    offered: Tensor  # the painting's, (M, D)
    found: dict[tuple[str, str], Tensor]  # by names in `DEPTHS` and in `WAYS`; shape (N,)

    def patchwork(self, depth: str = "all layers", way: str = "cosine, centred") -> Tensor:
        """The photo put together from the pieces of the painting that its places took."""
        return patchwork(self.painting, self.found[depth, way], grid_of(self.photo))


@torch.no_grad()
def search(photo: Tensor, painting: Tensor, network: VGG19 | None = None) -> Search:
    """Find the nearest place of the painting for each place of the photo, in all the ways.

    A progress bar shows how far it is.

    Parameters
    ----------
    photo, painting : Tensor, shape (1, 3, H, W), RGB in 0-1
        They may differ in size. The widest search compares each place of one with each place of
        the other, so memory grows with the product of their sizes: 30 MB at 256 pixels.
    network : VGG19, optional
        The embedded one by default.
    """
    wanted, offered = look(photo, network), look(painting, network)
    found = {}
    pairs = [(depth, way) for depth in DEPTHS for way in WAYS]
    for depth, way in progress(pairs, "looking for neighbours"):
        a, b = (of_layers(vectors, DEPTHS[depth]) for vectors in (wanted, offered))
        found[depth, way] = WAYS[way](a, b)
    return Search(photo, painting, wanted, offered, found)


def patchwork(painting: Tensor, index: Tensor, grid: tuple[int, int]) -> Tensor:
    """A picture put together from pieces of a painting, 4 x 4 pixels each.

    Parameters
    ----------
    painting : Tensor, shape (1, 3, H, W), RGB in 0-1
    index : Tensor of int64, shape (N,)
        Which place of the painting goes to each place, both counted row by row.
    grid : (int, int)
        Rows and columns of the picture's places, N in all.

    Returns
    -------
    Tensor, shape (1, 3, 4 * rows, 4 * columns)

    Raises
    ------
    StylelibError
        If `index` has not one number for each place.
    """
    if index.numel() != grid[0] * grid[1]:
        raise StylelibError(
            f"{grid[0]} x {grid[1]} places need {grid[0] * grid[1]} pieces of the painting, "
            f"but {index.numel()} were given."
        )
    rows, columns = grid_of(painting)
    whole = painting[..., : SIDE * rows, : SIDE * columns]
    pieces = F.unfold(whole, SIDE, stride=SIDE)[..., index]
    return F.fold(pieces, (SIDE * grid[0], SIDE * grid[1]), SIDE, stride=SIDE)


def shuffled(index: Tensor, seed: int = 0) -> Tensor:
    """The same pieces in random order."""
    return index[torch.randperm(len(index), generator=torch.Generator().manual_seed(seed))]
