"""Neighbours: by hand, by brute force in float64, and gradients against finite differences."""

import math

import pytest
import torch
from torch import Tensor

from stylelib.core.losses import content_loss
from stylelib.core.neighbours import nearest, neighbour_targets, places


def test_a_place_by_hand() -> None:
    """Two layers: 4 x 4 pixels are averaged to one number, and the deep number is repeated."""
    early = torch.arange(32.0).view(1, 1, 4, 8)  # two places of 4 x 4
    middle = torch.tensor([[[[10.0, 20.0]], [[30.0, 40.0]]]])  # two maps of 1 x 2
    deep = torch.tensor([[[[7.0]]]])  # lies under both
    found = places({"conv1_1": early, "conv3_1": middle, "conv4_1": deep})
    # Rows 0 to 3, columns 0 to 3: (0 + 3) / 2 + 8 * 1.5 = 13.5; columns 4 to 7: four more.
    expected = [[13.5, 10 / 2, 30 / 2, 7.0], [17.5, 20 / 2, 40 / 2, 7.0]]
    torch.testing.assert_close(found, torch.tensor(expected))


def test_a_place_of_the_second_block_covers_two_by_two() -> None:
    second = torch.tensor([[[[1.0, 3.0, 0.0, 0.0], [5.0, 7.0, 0.0, 8.0]]]])
    found = places({"conv2_2": second, "conv3_3": torch.zeros(1, 1, 1, 2)})
    torch.testing.assert_close(found, torch.tensor([[4.0, 0.0], [2.0, 0.0]]))


@pytest.mark.parametrize("height, width", [(16, 24), (17, 31), (23, 18)])
def test_every_size_has_a_vector_for_each_place(height: int, width: int) -> None:
    """Sides that 4 or 8 do not divide are rounded down, as the network's poolings do."""
    maps = {
        "conv1_2": torch.rand(1, 2, height, width),
        "conv2_1": torch.rand(1, 3, height // 2, width // 2),
        "conv3_1": torch.rand(1, 4, height // 4, width // 4),
        "conv4_4": torch.rand(1, 5, height // 8, width // 8),
    }
    found = places(maps)
    assert found.shape == ((height // 4) * (width // 4), 14)
    grid = found.view(height // 4, width // 4, 14)
    torch.testing.assert_close(grid[-1, -1, 9:], maps["conv4_4"][0, :, -1, -1] / 5)


def test_nearest_by_hand() -> None:
    """Without the mean, (3, 3) points the other way than (1, 1): direction counts, not length."""
    offered = torch.tensor([[3.0, 0.0], [0.0, 3.0], [0.0, 0.0]])  # mean (1, 1)
    wanted = torch.tensor([[9.0, 1.0], [2.0, 8.0], [1.0, 0.0]])  # mean (4, 3)
    # Centred: wanted (5, -2), (-2, 5), (-3, -3); offered (2, -1), (-1, 2), (-1, -1).
    assert nearest(wanted, offered).tolist() == [0, 1, 2]


@pytest.mark.parametrize("rows", [1, 7, 1024])
def test_nearest_against_brute_force(rows: int) -> None:
    generator = torch.Generator().manual_seed(3)
    wanted = torch.randn(40, 6, generator=generator, dtype=torch.float64) + 2
    offered = torch.randn(30, 6, generator=generator, dtype=torch.float64) * 3 - 1
    expected = []
    for a in (wanted - wanted.mean(0)).tolist():
        cosines = []
        for b in (offered - offered.mean(0)).tolist():
            product = sum(x * y for x, y in zip(a, b, strict=True))
            cosines.append(product / (math.hypot(*a) * math.hypot(*b)))
        expected.append(cosines.index(max(cosines)))
    assert nearest(wanted, offered, rows).tolist() == expected
    assert len(set(expected)) > 5


def test_targets_by_hand() -> None:
    photo = torch.tensor([[9.0, 1.0], [2.0, 8.0], [1.0, 0.0]])
    painting = torch.tensor([[3.0, 0.0], [0.0, 3.0], [0.0, 0.0]])
    torch.testing.assert_close(neighbour_targets(photo, painting), painting)
    mixed = torch.tensor([[4.5, 0.25], [0.5, 4.25], [0.25, 0.0]])  # 3/4 painting, 1/4 photo
    torch.testing.assert_close(neighbour_targets(photo, painting, 0.25), mixed)
    torch.testing.assert_close(neighbour_targets(photo, painting, 1.0), photo)


def test_gradients_against_finite_differences() -> None:
    generator = torch.Generator().manual_seed(5)
    shapes = {
        "conv1_1": (3, 8, 12),
        "conv2_1": (2, 4, 6),
        "conv3_1": (4, 2, 3),
        "conv4_1": (5, 1, 1),
    }
    targets = torch.rand(6, 14, generator=generator, dtype=torch.float64)
    maps = [
        torch.rand(1, *shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in shapes.values()
    ]

    def loss(*given: Tensor) -> Tensor:
        return content_loss(places(dict(zip(shapes, given, strict=True))), targets)

    assert torch.autograd.gradcheck(loss, maps)
