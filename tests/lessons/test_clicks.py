"""Inside figures one clicks on what one means; sliders and menus do the same."""

from typing import Any

import pytest
import torch
from torch import Tensor

from stylelib import load_image, load_vgg19
from stylelib.lessons.cnn import controls as cnn
from stylelib.lessons.cnn.observations import Observations
from stylelib.lessons.content import controls as content
from stylelib.lessons.explorer import Explorer
from stylelib.lessons.style import controls as style


def click(explorer: Explorer, axes: int, x: float, y: float) -> dict[str, Any]:
    """Click at a position in the data coordinates of some axes; all values afterwards."""
    figure = explorer.plot.figure
    point = figure.axes[axes].transData.transform((x, y))
    across, up = figure.transFigure.inverted().transform(point)
    explorer.click(float(across), 1 - float(up))
    return explorer.values


@pytest.fixture(scope="module")
def camel() -> Tensor:
    return load_image("camel", 48)


@pytest.fixture(scope="module")
def observations(camel: Tensor) -> Observations:
    return Observations({"camel": camel}, load_vgg19(), ["conv1_1", "conv2_1"])


def test_a_place_on_the_camel(camel: Tensor, observations: Observations) -> None:
    for explorer, axes in [
        (cnn.position_explorer(observations, "camel", "conv2_1"), 0),
        (cnn.position_explorer(observations, "camel", "conv2_1"), 3),  # one of the maps
        (cnn.receptive_field_explorer(camel, "conv2_1"), 0),
    ]:
        before = explorer.plot.image()
        values = click(explorer, axes, 11.5, 20.25)
        assert values["x"] == pytest.approx(12 / 48, abs=0.005)
        assert values["y"] == pytest.approx(20.75 / 27, abs=0.005)
        assert explorer.plot.image() != before


def test_a_pixel_under_the_window(camel: Tensor) -> None:
    explorer = cnn.walk_explorer(camel)
    assert click(explorer, 0, 7.2, 3.9)["position"] == 4 * 48 + 7
    assert click(explorer, 1, 47.4, 26.4)["position"] == 27 * 48 - 1
    assert click(explorer, 2, 1, 1)["position"] == 27 * 48 - 1  # the nine numbers of the window


def test_a_feature_map_in_a_mosaic(observations: Observations) -> None:
    explorer = cnn.most_active_explorer(observations, "camel", "conv2_1")
    channels = observations.most_active("camel", "conv2_1", 10)
    tall = 27 / 48 + 0.17
    # The picture is the first beside the large one; four are in its two rows, five below.
    for number, (row, column) in {0: (0, 2), 2: (0, 4), 5: (1, 4), 6: (2, 0), 10: (2, 4)}.items():
        assert click(explorer, 0, 1.03 * column + 0.5, -(row + 0.6) * tall)["enlarged"] == number
        name = f"channel {channels[number - 1]}" if number else "the picture"
        assert explorer.plot.alt.endswith(f"enlarged: {name}.")
    assert click(explorer, 0, 1.0, -0.8 * tall)["enlarged"] == 10  # the large one itself


def test_a_cell_of_a_gram_matrix(camel: Tensor) -> None:
    explorer = style.gram_explorer(camel, "conv1_1", count=6, layers=["conv1_1"])
    values = click(explorer, 0, 4.4, 1.6)
    assert (values["i"], values["j"]) == (2, 4)
    assert "row 2 and column 4" in explorer.plot.alt
    assert click(explorer, 1, 5, 5) == values  # a map: nothing to choose there

    by_hand = style.correlation_by_hand(torch.rand(3, 2, 2), ["sky", "hump", "sand"])
    values = click(by_hand, 4, 2, 1)
    assert (values["first"], values["second"]) == ("hump", "sand")
    assert click(by_hand, 0, 0, 0) == values


def test_a_number_and_a_step_in_lesson_two(camel: Tensor) -> None:
    numbers = content.loss_by_hand([[1, 0], [2, 5]], [[3, 0], [1, 2]])
    assert click(numbers, 0, 1, 0)["top_right"] == 1
    assert click(numbers, 0, 1, 1)["bottom_right"] == 0  # after the largest comes 0
    assert click(numbers, 1, 0, 0)["top_left"] == 1  # the target stays

    shift = content.shift_explorer(camel, 2, most=8, layers=["pixels", "conv1_1"])
    assert click(shift, 2, 5.3, 0.1)["shift"] == 5
