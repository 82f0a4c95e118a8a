"""Neighbours: each place of the new picture takes the place of the painting that is most like it.

A Gram matrix says which features occur together *somewhere* in a painting; where they belong in
the new picture, it can't say. Here every place has a target of its own: of all the painting's
places, the one whose features are nearest to those of the photo there. A dark fold takes a dark
stroke, an edge takes an edge. The loss is the content loss as before; only its target is no longer
the photo, but the photo put together from pieces of the painting.

After Kolkin, Kucera, Paris, Sýkora, Shechtman, Shakhnarovich, *Neural Neighbor Style Transfer*
(2022). They minimise the cosine distance; here it is the mean squared error.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F


def places(maps: Mapping[str, Tensor]) -> Tensor:
    """The features of each place: one long vector for each 4 x 4 pixels, from all layers.

    Feature maps of early layers are averaged over the place; a position of a deep layer covers
    several places, which share its features. Each layer is divided by its number of feature maps,
    so that wide layers don't outweigh narrow ones.

    Parameters
    ----------
    maps : mapping of layer name to Tensor, shape (1, C, h, w)
        The feature maps of one picture. At least one layer is of block 3, whose positions are the
        places.

    Returns
    -------
    Tensor, shape (h * w, all C together)
        The places row by row; h and w are those of block 3.

    Examples
    --------
    >>> early, middle = torch.ones(1, 64, 8, 8), torch.ones(1, 256, 2, 2)
    >>> places({"conv1_1": early, "conv3_1": middle}).shape
    torch.Size([4, 320])
    """
    grid = next(layer.shape[-2:] for name, layer in maps.items() if block_of(name) == 3)
    columns = []
    for name, layer in maps.items():
        if block_of(name) < 3:
            layer = F.avg_pool2d(layer, 2 ** (3 - block_of(name)))
        elif block_of(name) > 3:
            layer = F.interpolate(layer, grid)  # each number is repeated
        columns.append(layer[0].flatten(1) / layer.shape[1])
    return torch.cat(columns).mT


def block_of(layer: str) -> int:
    """The block of a layer, from 1; each pooling begins another."""
    return int(layer[4])


def nearest(wanted: Tensor, offered: Tensor, rows: int = 1024) -> Tensor:
    """For each vector, which of the offered ones is most like it.

    Likeness is the cosine of the angle between two vectors. Both sets are centred first: what all
    the places of a picture have in common says nothing about any of them.

    Parameters
    ----------
    wanted : Tensor, shape (N, D)
        The photo's places.
    offered : Tensor, shape (M, D)
        The painting's places.
    rows : int
        How many of the N are compared at a time: all N x M cosines at once may not fit in memory.

    Returns
    -------
    Tensor of int64, shape (N,)
        The number of the nearest one, 0 to M - 1.

    Examples
    --------
    >>> offered = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> nearest(torch.tensor([[2.0, 5.0], [5.0, 2.0], [4.0, 1.0]]), offered)
    tensor([1, 0, 0])
    """
    wanted = F.normalize(wanted - wanted.mean(0), dim=1)
    offered = F.normalize(offered - offered.mean(0), dim=1)
    return torch.cat([(some @ offered.mT).argmax(1) for some in wanted.split(rows)])


def neighbour_targets(photo: Tensor, painting: Tensor, likeness: float = 0.0) -> Tensor:
    """What each place should become: the nearest place of the painting, mixed with the photo's own.

    Parameters
    ----------
    photo : Tensor, shape (N, D)
    painting : Tensor, shape (M, D)
        The places of both pictures, from `places`.
    likeness : float, 0-1
        How much of the photo's own features stays: at 0 the target is all painting, at 1 it is the
        photo.

    Returns
    -------
    Tensor, shape (N, D)
    """
    found = painting[nearest(photo, painting)]
    return (1 - likeness) * found + likeness * photo
