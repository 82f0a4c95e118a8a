"""What Gram matrices know of a painting: compare paintings by them, and make textures from them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.vgg import STYLE_LAYERS, VGG19
from ...engine.network import default_network
from ...engine.transfer import Step, Transfer
from ...errors import StylelibError
from ...guards import gram_matrix
from ...pictures.images import resize
from ...recipes import Recipe

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
    layers : several names
    centered : bool
        Subtract each map's own mean first: the result is their covariance.
    network : VGG19, optional
        The embedded one by default.

    Returns
    -------
    dict of layer name to Tensor, shape (B, C, C)

    Raises
    ------
    StylelibError
        If a layer is unknown, or the picture is too small for it.
    """
    maps = (network or default_network())(image, layers)
    return {name: gram_matrix(center(m) if centered else m) for name, m in maps.items()}


def center(maps: Tensor) -> Tensor:
    """Feature maps (B, C, H, W) with the mean of each map subtracted from it."""
    return maps - maps.mean((2, 3), keepdim=True)


def style_distance(grams: Grams, others: Grams) -> dict[str, float]:
    """How different two pictures' Gram matrices are, layer by layer.

    Parameters
    ----------
    grams, others : mapping of layer name to Tensor, shape (B, C, C)

    Returns
    -------
    dict of layer name to float, 0 to 2
        The style loss of the layer divided by the mean of the two matrices' mean
        squares, so that layers and paintings can be compared, in either order.
        0 when they are equal; 2 would be for two that share no pair of channels.
        (Centred matrices have negative numbers too, and can go beyond.)
    """
    found = {}
    for name, gram in grams.items():
        size = (gram.square().mean() + others[name].square().mean()) / 2
        found[name] = float((gram - others[name]).square().mean() / size)
    return found


def mean_distance(grams: Grams, others: Grams) -> float:
    """`style_distance`, averaged over the layers."""
    distances = style_distance(grams, others)
    return sum(distances.values()) / len(distances)


def distance_matrix(pictures: Sequence[Grams], layers: Iterable[str] = STYLE_LAYERS) -> Tensor:
    """The mean style distance of each picture from each.

    Parameters
    ----------
    pictures : sequence of Gram matrices, as `style_grams` gives them
    layers : several names
        That count, all the same.

    Returns
    -------
    Tensor, shape (N, N), float32
        Symmetric, with 0 on the diagonal.
    """
    layers = list(layers)
    chosen = [{name: grams[name] for name in layers} for grams in pictures]
    table = torch.zeros(len(chosen), len(chosen))
    for i, one in enumerate(chosen):
        for j, other in enumerate(chosen[:i]):
            table[i, j] = table[j, i] = mean_distance(one, other)
    return table


def shuffled(maps: Tensor, together: bool = True, seed: int = 0) -> Tensor:
    """Feature maps with their places shuffled.

    Parameters
    ----------
    maps : Tensor, shape (B, C, H, W)
    together : bool
        All maps in the same way, so that what was in one place stays in one
        place. Otherwise each map in a way of its own.
    seed : int

    Returns
    -------
    Tensor, shape (B, C, H, W)
        Each map has the same values as before.
    """
    generator = torch.Generator().manual_seed(seed)
    flat = maps.flatten(start_dim=2)
    channels, places = flat.shape[1:]
    keys = torch.rand(1 if together else channels, places, generator=generator)
    order = keys.argsort(dim=1).expand(channels, places)
    return flat.gather(2, order.expand_as(flat)).view_as(maps)


def shuffled_tiles(image: Tensor, count: int = 4, seed: int = 0) -> Tensor:
    """A picture cut into `count` x `count` tiles, laid out again at random.

    Parameters
    ----------
    image : Tensor, shape (1, C, H, W)
        What is left over at the right and at the bottom is cut off.
    count : int
    seed : int

    Raises
    ------
    StylelibError
        If the picture has fewer pixels than tiles on a side.
    """
    channels, height, width = image.shape[1:]
    h, w = height // count, width // count
    if min(h, w) < 1:
        raise StylelibError(f"A picture of {width} x {height} pixels has no {count} tiles a side.")
    tiles = image[0, :, : h * count, : w * count].reshape(channels, count, h, count, w)
    tiles = tiles.permute(1, 3, 0, 2, 4).flatten(0, 1)
    order = torch.randperm(count**2, generator=torch.Generator().manual_seed(seed))
    laid = tiles[order].view(count, count, channels, h, w).permute(2, 0, 3, 1, 4)
    return laid.reshape(1, channels, h * count, w * count)


def versions(image: Tensor) -> dict[str, Tensor]:
    """One picture in many ways: moved, turned, cut, resized, recoloured, taken apart.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1

    Returns
    -------
    dict of name to Tensor
    """
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


def growth(painting: Tensor, layer: str, sizes: Sequence[int]) -> dict[str, list[float]]:
    """The mean entry of a Gram matrix at several sizes of one picture.

    Parameters
    ----------
    painting : Tensor, shape (1, 3, H, W), RGB in 0-1
    layer : str
    sizes : sequence of int
        Longest side, in pixels.

    Returns
    -------
    dict of str to list of float
        Of the plain sum over the places, and of our `gram_matrix`, divided by
        their number.
    """
    found: dict[str, list[float]] = {"not divided": [], "divided by H·W": []}
    for size in sizes:
        with torch.no_grad():
            maps = default_network()(resize(painting, size), [layer])[layer]
        mean = float(gram_matrix(maps).mean())
        found["divided by H·W"].append(mean)
        found["not divided"].append(mean * maps[0, 0].numel())
    return found


@dataclass(frozen=True)
class ActiveMaps:
    """The most active feature maps of one layer, the most active first.

    Attributes
    ----------
    layer : str
    channels : list of int
        Which maps of the layer they are.
    maps : Tensor, shape (count, H, W)
    gram, centered : Tensor, shape (count, count)
        Their rows and columns of the Gram matrix, as it is, and of centred maps.
    """

    layer: str
    channels: list[int]
    maps: Tensor
    gram: Tensor
    centered: Tensor


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
) -> Iterator[Step]:
    """Begin with noise, and change its pixels until its Gram matrices are a painting's.

    Parameters
    ----------
    painting : Tensor, shape (1, 3, H, W), RGB in 0-1
        Only its Gram matrices are used. The texture gets its size.
    layers : several names
        Where they are compared, all the same.
    steps : int
        Three fifths of them at half the size, where large shapes form sooner.
    centered : bool
        See `Recipe`.
    seed : int
        Of the noise.
    network : VGG19, optional
        The embedded one by default.

    Yields
    ------
    Step
        After each step; the texture is the `image` of the last one.

    Raises
    ------
    StylelibError
        If a layer is unknown, or a number out of range.

    Notes
    -----
    Gatys, Ecker, Bethge: Texture Synthesis Using Convolutional Neural Networks
    (2015), section 3.
    """
    longest, coarse = max(painting.shape[-2:]), round(0.6 * steps)
    recipe = Recipe(
        content_layers={},
        style_layers=dict.fromkeys(layers, 1.0),
        centered=centered,
        coarse_to_fine=False,
        init="noise",
        seed=seed,
    )
    image = None
    for size, count in ((longest // 2, coarse), (longest, steps - coarse)):
        stage = recipe.but(size=size, steps=count)
        # float32: bfloat16 differs more between computers.
        network = network or default_network()
        transfer = Transfer(painting, painting, stage, network, "cpu", torch.float32)
        if image is not None:
            transfer.go_back_to(image, 0)
        yield from transfer
        image = transfer.image
