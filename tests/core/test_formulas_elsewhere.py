"""How the book's losses relate to those of other courses and libraries.

Someone who comes from there finds other numbers; by what factor is said here. Each is written out
from its description as a sum over i, j, c, y and x, with numpy:

- CS231n, Stanford, assignment 3, *Style Transfer* (2017 to 2021)
- PyTorch, *Neural Transfer Using PyTorch*, pytorch.org/tutorials
- TensorFlow, *Neural style transfer*, tensorflow.org/tutorials/generative/style_transfer
- pystiche 1.0, ``pystiche.gram_matrix`` and ``pystiche.loss.functional``
- kornia, ``kornia.losses.total_variation``
"""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stylelib import content_loss, gram_matrix, style_loss, total_variation

Array = NDArray[np.float64]

N, C, H, W = 1, 5, 4, 7
MAPS: Array = np.random.default_rng(0).normal(size=(N, C, H, W))
TARGET: Array = np.random.default_rng(1).normal(size=(N, C, H, W))
BINARY: Array = np.random.default_rng(2).integers(0, 2, size=(1, 3, 6, 9)).astype(float)


def correlations(maps: Array) -> Array:
    """The sum over all positions of map i times map j: (C, C)."""
    return np.einsum("iyx,jyx->ij", maps[0], maps[0])


def ours(function: Any, *arrays: Array) -> Any:
    return function(*map(torch.from_numpy, arrays)).numpy()


def our_style(divisor: float = 1.0) -> float:
    """Our style loss of one layer, of Gram matrices divided by `divisor`."""
    grams = [{"conv1_1": gram_matrix(torch.from_numpy(m)) / divisor} for m in (MAPS, TARGET)]
    return style_loss(*grams).item()


def steps(image: Array) -> tuple[Array, Array]:
    """The differences of vertical and of horizontal neighbours."""
    return np.diff(image, axis=2), np.diff(image, axis=3)


def test_cs231n() -> None:
    """It sums squared errors, and divides Gram matrices by C·H·W."""
    content = ((MAPS - TARGET) ** 2).sum()
    assert content == pytest.approx(N * C * H * W * ours(content_loss, MAPS, TARGET))
    gram, wanted = (correlations(maps) / (C * H * W) for maps in (MAPS, TARGET))
    np.testing.assert_allclose(gram, ours(gram_matrix, MAPS)[0] / C)
    # C² numbers, each a C-th: the two factors cancel.
    assert ((gram - wanted) ** 2).sum() == pytest.approx(our_style())
    down, right = steps(BINARY)
    variation = (down**2).sum() + (right**2).sum()
    means = [(d**2).mean() for d in (down, right)]
    assert variation == pytest.approx(down.size * means[0] + right.size * means[1])
    assert sum(means) == pytest.approx(ours(total_variation, BINARY))


def test_pytorchs_tutorial() -> None:
    """Gram matrices divided by all numbers of a layer, and mean squared errors."""
    gram, wanted = (correlations(maps) / maps.size for maps in (MAPS, TARGET))
    np.testing.assert_allclose(gram, ours(gram_matrix, MAPS)[0] / C)
    assert ((gram - wanted) ** 2).mean() == pytest.approx(our_style() / C**2)
    content = ((MAPS - TARGET) ** 2).mean()
    assert content == pytest.approx(float(ours(content_loss, MAPS, TARGET)))


def test_tensorflows_tutorial() -> None:
    """Gram matrices divided by the number of positions; the layers' mean."""
    gram, wanted = (correlations(maps) / (H * W) for maps in (MAPS, TARGET))
    np.testing.assert_allclose(gram, ours(gram_matrix, MAPS)[0])
    layers = {name: torch.from_numpy(gram) for name in ("conv1_1", "conv2_1")}
    targets = {name: torch.from_numpy(wanted) for name in layers}
    mean_of_layers = np.mean([((gram - wanted) ** 2).mean()] * 2)
    assert mean_of_layers == pytest.approx(style_loss(layers, targets).item() / 2)


def test_pystiches_losses() -> None:
    """Gram matrices with ``normalize=True``; its total variation has no last row and column."""
    np.testing.assert_allclose(correlations(MAPS) / (H * W), ours(gram_matrix, MAPS)[0])
    assert ((MAPS - TARGET) ** 2).mean() == pytest.approx(float(ours(content_loss, MAPS, TARGET)))
    y, x = np.mgrid[0:6, 0:9]
    for pattern, expected in (
        (x % 2, 1),
        (y % 2, 1),
        ((x + y) % 2, 2),
        (0 * x, 0),
        (x / 8, 1 / 64),
    ):
        image = np.broadcast_to(pattern.astype(float), (1, 3, 6, 9)).copy()
        down, right = steps(image)
        inside = (down[..., :-1] ** 2 + right[..., :-1, :] ** 2).mean()
        assert inside == pytest.approx(expected)
        assert float(ours(total_variation, image)) == pytest.approx(expected)


def test_kornias_total_variation() -> None:
    """It sums absolute differences, which are their own squares where all is black or white."""
    down, right = steps(BINARY)
    summed = np.abs(down).sum() + np.abs(right).sum()
    counts = down.size, right.size
    assert summed == (down != 0).sum() + (right != 0).sum()
    # Ours are means, of 3·5·9 and of 3·6·8 differences.
    assert counts == (135, 144)
    parts = [np.abs(d).sum() / count for d, count in zip((down, right), counts, strict=True)]
    assert sum(parts) == pytest.approx(float(ours(total_variation, BINARY)))
    # A black and white edge down the middle: one difference of 1 in each row of each channel.
    edge = np.zeros((1, 3, 6, 8))
    edge[..., 4:] = 1
    assert np.abs(steps(edge)[1]).sum() == 18
    assert float(ours(total_variation, edge)) == pytest.approx(18 / (3 * 6 * 7))
