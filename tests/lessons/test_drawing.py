"""What the figures of several lessons draw."""

from stylelib.lessons.drawing import distance_heat
from stylelib.pictures.images import load_image


def test_distance_heat_without_pictures() -> None:
    plot = distance_heat({"a": {"x": 0.0, "y": 3.0}})
    texts = [text.get_text() for axes in plot.figure.axes for text in axes.texts]
    assert texts == ["0.00", "3.00", "x", "y", "a"]
    assert load_image(plot.image()[1]).std() > 0.1
    assert "0.00" not in plot.alt  # numbers may differ a little between computers
    assert "relative error" in plot.alt
