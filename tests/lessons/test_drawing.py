"""What the figures of several lessons draw."""

import asyncio
import io
from base64 import b64decode
from typing import Any

import ipywidgets
import pytest
import torch
from PIL import Image

from stylelib.lessons.drawing import distance_heat
from stylelib.lessons.explorer import Explorer, FigureImage
from stylelib.lessons.pictures import pictures
from stylelib.lessons.theme import Plot
from stylelib.pictures.images import load_image


def test_distance_heat_without_pictures() -> None:
    plot = distance_heat({"a": {"x": 0.0, "y": 3.0}})
    texts = [text.get_text() for axes in plot.figure.axes for text in axes.texts]
    assert texts == ["0.00", "3.00", "x", "y", "a"]
    assert load_image(plot.image()[1]).std() > 0.1
    assert "0.00" not in plot.alt  # numbers may differ a little between computers
    assert "relative error" in plot.alt


def photos(count: int = 2) -> Plot:
    noise = torch.rand(count, 1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    return pictures({str(number): image for number, image in enumerate(noise)})


def size(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.size


@pytest.mark.parametrize("plot", [distance_heat({"a": {"x": 0.0}}), photos()], ids=["png", "jpeg"])
def test_a_figure_has_twice_the_pixels_in_the_same_size(
    plot: Plot, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, plain = plot.image()
    data, metadata = plot._repr_mimebundle_()
    doubled = [2 * side for side in size(plain)]
    assert size(b64decode(data[kind])) == pytest.approx(doubled, abs=1)  # of half a pixel, rounded
    assert metadata[kind]["width"] == size(plain)[0]
    # Photos that are stored for the web have as many pixels as they are shown with.
    monkeypatch.setenv("STYLELIB_SMALL_FIGURES", "1")
    stored = size(b64decode(plot._repr_mimebundle_()[0][kind]))
    assert (stored == size(plain)) == (kind == "image/jpeg")


def test_an_explorer_at_rest_is_drawn_with_twice_the_pixels() -> None:
    slider = ipywidgets.IntSlider(2, 1, 3, description="how many")
    widths: list[int] = []

    def note(change: Any) -> None:
        widths.append(size(change["new"])[0])

    async def move() -> FigureImage:
        explorer = Explorer(lambda count: photos(count), count=slider)
        (image,) = (each for each in explorer.children if isinstance(each, FigureImage))
        image.observe(note, "value")
        slider.value = 3  # while it waits: the first figure is not drawn once more
        await asyncio.sleep(1.2)
        return image

    image = asyncio.run(move())
    assert widths == [image.width, 2 * image.width]
    assert image.width == photos(3).width
