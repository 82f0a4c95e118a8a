"""What Gram matrices know about a painting: distances between paintings, and textures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import torch
from torch import Tensor

from ...core.layers import STYLE_LAYERS
from ...core.loop import step
from ...core.losses import total_variation
from ...core.vgg import VGG19
from ...engine.network import default_network, prepare
from ...errors import StylelibError, pick
from ...guards import gram_matrix, style_loss
from ...pictures.images import resize
from ...recipes import RECIPES

Grams = Mapping[str, Tensor]


@torch.no_grad()
def style_grams(
    image: Tensor,
    layers: Iterable[str] = STYLE_LAYERS,
    centered: bool = False,
    network: VGG19 | None = None,
) -> dict[str, Tensor]:
    """The Gram matrices of a picture.

    Parameters
    ----------
    image : Tensor, shape (B, 3, H, W), RGB in 0-1
    layers : iterable of str
    centered : bool
        Subtract each map's mean first: the Gram matrix is then the maps' covariance.
    network : VGG19, optional
        The embedded one by default.

    Returns
    -------
    dict of layer name to Tensor, shape (B, C, C)

    Raises
    ------
    StylelibError
        If there is no such layer, or the picture is too small for it.
    """
    maps = (network or default_network())(image, layers)
    return {name: gram_matrix(center(m) if centered else m) for name, m in maps.items()}


def center(maps: Tensor) -> Tensor:
    """Feature maps (B, C, H, W) with the mean of each map subtracted from it."""
    return maps - maps.mean((2, 3), keepdim=True)


def style_distance(grams: Grams, others: Grams) -> dict[str, float]:
    """How much the Gram matrices of two pictures differ, layer by layer.

    Parameters
    ----------
    grams, others : mapping of layer name to Tensor, shape (B, C, C)

    Returns
    -------
    dict of layer name to float, 0 to 2
        The layer's style loss divided by the average of the two matrices' mean squares, so
        that layers and paintings can be compared. It is symmetric: 0 for equal matrices, 2
        for matrices with no pair of channels in common. (Centred matrices have negative
        entries too, and can be further apart.)

    Examples
    --------
    >>> style_distance({"conv1_1": torch.ones(1, 2, 2)}, {"conv1_1": torch.zeros(1, 2, 2)})
    {'conv1_1': 2.0}
    """
    found = {}
    for name, gram in grams.items():
        size = (gram.square().mean() + others[name].square().mean()) / 2
        found[name] = float((gram - others[name]).square().mean() / size)
    return found


def mean_distance(grams: Grams, others: Grams) -> float:
    """The `style_distance`, averaged over the layers."""
    distances = style_distance(grams, others)
    return sum(distances.values()) / len(distances)


def distance_matrix(pictures: Sequence[Grams], layers: Iterable[str] = STYLE_LAYERS) -> Tensor:
    """The `mean_distance` over some layers between each two of N pictures, shape (N, N)."""
    layers = list(layers)
    chosen = [{name: grams[name] for name in layers} for grams in pictures]
    table = torch.zeros(len(chosen), len(chosen))
    for i, j in combinations(range(len(chosen)), 2):
        table[i, j] = table[j, i] = mean_distance(chosen[i], chosen[j])
    return table


def shuffled(maps: Tensor, together: bool = True, seed: int = 0) -> Tensor:
    """Feature maps with their positions shuffled.

    Parameters
    ----------
    maps : Tensor, shape (B, C, H, W)
    together : bool
        Shuffle all maps in the same way, so that values at the same position stay together.
        Otherwise each map is shuffled in its own way.
    seed : int

    Returns
    -------
    Tensor, shape (B, C, H, W)
        Each map has the same values as before.
    """
    generator = torch.Generator().manual_seed(seed)
    flat = maps.flatten(start_dim=2)
    channels, positions = flat.shape[1:]
    keys = torch.rand(1 if together else channels, positions, generator=generator)
    order = keys.argsort(dim=1).expand(channels, positions)
    return flat.gather(2, order.expand_as(flat)).view_as(maps)


def shuffled_tiles(image: Tensor, count: int = 4, seed: int = 0) -> Tensor:
    """A picture cut into `count` x `count` tiles that are put together in random order.

    What is left over on the right and at the bottom is cut off.
    """
    height, width = image.shape[-2:]
    h, w = height // count, width // count
    if min(h, w) < 1:
        raise StylelibError(
            f"A picture of {width} x {height} pixels can't be cut into {count} x {count} tiles."
        )
    rows = image[..., : h * count, : w * count].split(h, -2)
    tiles = [tile for row in rows for tile in row.split(w, -1)]
    order = torch.randperm(count**2, generator=torch.Generator().manual_seed(seed))
    laid = [torch.cat([tiles[i] for i in row], -1) for row in order.view(count, count).tolist()]
    return torch.cat(laid, -2)


def versions(image: Tensor) -> dict[str, Tensor]:
    """A picture (1, 3, H, W) in many versions: mirrored, rotated, cropped, resized, recoloured."""
    height, width = image.shape[-2:]
    middle = image[..., height // 4 : height - height // 4, width // 4 : width - width // 4]
    return {
        "mirrored": image.flip(-1),
        "in 16 tiles": shuffled_tiles(image),
        "left half": image[..., : width // 2],
        "half the size": resize(image, max(height, width) // 2),
        "upside down": image.flip(-2),
        "quarter turn": image.rot90(1, (2, 3)),
        "the middle": middle,
        "grey": image.mean(1, keepdim=True).expand_as(image),
        "darker": image * 0.6,
        "all pixels shuffled": shuffled(image),
    }


@torch.no_grad()
def growth(painting: Tensor, layer: str, sizes: Sequence[int]) -> dict[str, list[float]]:
    """The mean entry of a painting's Gram matrix at several sizes.

    Parameters
    ----------
    painting : Tensor, shape (1, 3, H, W), RGB in 0-1
    layer : str
    sizes : sequence of int
        Longest side, in pixels.

    Returns
    -------
    dict of str to list of float
        For the plain sum over the positions, and for `gram_matrix`, divided by their number.
    """
    maps = [default_network()(resize(painting, size), [layer])[layer] for size in sizes]
    means = [float(gram_matrix(each).mean()) for each in maps]
    sums = [mean * each[0, 0].numel() for mean, each in zip(means, maps, strict=True)]
    return {"not divided": sums, "divided by H·W": means}


@dataclass(frozen=True)
class ActiveMaps:
    """The most active feature maps of one layer, the most active first."""

    layer: str
    channels: list[int]  # which of the layer's channels they are
    maps: Tensor  # (count, H, W)
    gram: Tensor  # (count, count), their part of the Gram matrix
    centered: Tensor  # the same, of the centred maps


def most_active(maps: Tensor, layer: str, count: int = 24) -> ActiveMaps:
    """The `count` maps of a layer (1, C, H, W) with the highest means."""
    order = maps.mean((0, 2, 3)).argsort(descending=True, stable=True)[:count]
    some = maps[:, order]
    return ActiveMaps(
        layer, order.tolist(), some[0], gram_matrix(some)[0], gram_matrix(center(some))[0]
    )


def texture(
    painting: Tensor,
    layers: Iterable[str] = STYLE_LAYERS,
    steps: int = 60,
    centered: bool = True,
    seed: int = 0,
    network: VGG19 | None = None,
    tv_weight: float = 0.3,
) -> Iterator[Tensor]:
    """Start from noise and optimise its pixels until its Gram matrices match a painting's.

    Gatys, Ecker, Bethge, *Texture Synthesis Using Convolutional Neural Networks* (2015).
    All steps are at the painting's size: what a layer can't see is not put in by a
    smaller picture.

    Parameters
    ----------
    painting : Tensor, shape (1, 3, H, W), RGB in 0-1
        Only its Gram matrices are used. The texture gets the same size.
    layers : iterable of str
        Where the Gram matrices are compared, with equal weights.
    steps : int
    centered : bool
        Subtract each map's mean first. See `Recipe`, whose setting of that name subtracts the
        painting's.
    seed : int
        For the noise.
    network : VGG19, optional
        The embedded one by default.
    tv_weight : float
        How much the total variation counts. Without it a fine grain of the noise is left, six
        times as rough as the Great Wave, which the layers hardly notice; with 0.3 the texture is
        about as rough as the painting, and shows the same structures.

    Yields
    ------
    Tensor, shape (1, 3, H, W), RGB in 0-1
        The texture after each step.

    Raises
    ------
    StylelibError
        If there is no such layer, or the painting is too small for it.
    """
    targets = style_grams(painting, layers, centered, network)
    noise = torch.rand(painting.shape, generator=torch.Generator().manual_seed(seed))
    return repaint(noise, targets, steps, centered, network, tv_weight)


def repaint(
    start: Tensor,
    targets: Grams,
    steps: int = 60,
    centered: bool = True,
    network: VGG19 | None = None,
    tv_weight: float = 0.0,
) -> Iterator[Tensor]:
    """Optimise the pixels of a picture until its Gram matrices match some targets.

    Parameters
    ----------
    start : Tensor, shape (1, 3, H, W), RGB in 0-1
        It is left as it is.
    targets : mapping of layer name to Tensor, shape (1, C, C)
        From `style_grams`, `coupled` or `mixed`; each layer counts the same.
    steps : int
        Of Adam, with a learning rate of 0.05.
    centered : bool
        Whether the targets are centred.
    network : VGG19, optional
        The embedded one by default.
    tv_weight : float
        How much the total variation counts.

    Yields
    ------
    Tensor, shape (1, 3, H, W), RGB in 0-1
        The picture after each step.
    """
    network = network or _quick_network()
    weights = {name: 1 / (len(targets) * gram.square().mean()) for name, gram in targets.items()}

    def loss(image: Tensor) -> Tensor:
        maps = network(image, targets)
        grams = {name: gram_matrix(center(m) if centered else m) for name, m in maps.items()}
        return style_loss(grams, targets, weights) + tv_weight * total_variation(image)

    pixels = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=0.05)
    for _ in range(steps):
        step(pixels, loss, optimizer)
        pixels.data.clamp_(0, 1)
        yield pixels.detach().clone()


@lru_cache(maxsize=1)
def _quick_network() -> VGG19:
    """The embedded one in the precision that paints fastest here: half the time of float32."""
    return prepare(RECIPES["gram"], torch.device("cpu"), network=default_network())


# Surgery on Gram matrices


def coupled(grams: Grams, layer: str, i: int, j: int, times: float) -> dict[str, Tensor]:
    """Gram matrices in which two maps of one layer go together more, less, or not at all.

    Parameters
    ----------
    grams : mapping of layer name to Tensor, shape (1, C, C)
    layer : str
        Whose matrix to change.
    i, j : int
        Numbers of the two maps. If they are the same, all entries of that map are changed: there is
        more or less of it, with whatever it goes together.
    times : float, 0 or more
        What the entries are multiplied by: 0 strikes them out.

    Returns
    -------
    dict of layer name to Tensor, shape (1, C, C)
        The matrices of the other layers are the same as before.

    Raises
    ------
    StylelibError
        If there is no such layer or no such map.
    """
    gram = grams[pick(layer, grams, "layer")].clone()
    for number in (i, j):
        if not 0 <= number < gram.shape[-1]:
            raise StylelibError(
                f"{layer} has {gram.shape[-1]} maps, numbered from 0, so there is no map {number}."
            )
    if i == j:
        gram[:, i] *= times
        gram[:, :, i] *= times
    else:
        gram[:, i, j] *= times
        gram[:, j, i] *= times
    return {**grams, layer: gram}


def mixed(grams: Grams, others: Grams, share: float) -> dict[str, Tensor]:
    """The Gram matrices of two paintings, entry by entry, with a `share`, 0-1, of the second."""
    return {name: (1 - share) * gram + share * others[name] for name, gram in grams.items()}


# Which parts are the style?


def without_each_part(maps: Tensor, rows: int = 4, columns: int = 6) -> Tensor:
    """How far the Gram matrix moves if one part of a picture is left out.

    Parameters
    ----------
    maps : Tensor, shape (1, C, H, W)
    rows, columns : int
        The picture is divided into this many parts each way; no more than H and W.

    Returns
    -------
    Tensor, shape (rows, columns)
        For each part the `style_distance` between the maps without it and all of the maps.
    """
    height, width = maps.shape[-2:]
    whole = gram_matrix(maps)
    found = torch.zeros(rows, columns)
    for row in range(rows):
        for column in range(columns):
            keep = torch.ones(height, width, dtype=torch.bool)
            top, bottom = row * height // rows, (row + 1) * height // rows
            left, right = column * width // columns, (column + 1) * width // columns
            keep[top:bottom, left:right] = False
            rest = gram_matrix(maps[:, :, keep].unsqueeze(-1))
            found[row, column] = style_distance({"": rest}, {"": whole})[""]
    return found
