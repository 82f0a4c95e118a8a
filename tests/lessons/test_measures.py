"""The distance between feature maps that lessons 02 and 03 share."""

import pytest
import torch

from stylelib.lessons.measures import relative_error


def test_relative_error_by_hand() -> None:
    maps, target = torch.tensor([[[[1.0, 0.0], [2.0, 2.0]]]]), torch.tensor([[[[3.0, 0], [1, 2]]]])
    # The differences are -2, 0, 1, 0. Their squares add up to 5, the target's squares to 14.
    assert relative_error(maps, target).item() == pytest.approx(5 / 14)
    assert relative_error(target, target).item() == 0
    assert relative_error(torch.zeros(1, 1, 2, 2), target).item() == pytest.approx(1)
