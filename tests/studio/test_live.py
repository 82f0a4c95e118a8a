"""The slider between two paintings."""

from io import BytesIO
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from stylelib import FeedForward, StylelibError, load_image
from stylelib.studio import Live, Painter


@pytest.fixture(scope="module")
def live() -> Live:
    """A small one."""
    return Live(size=48)


def shown(live: Live) -> Tensor:
    """The picture that is shown."""
    kind, data = live.plot.image()
    assert kind == "image/jpeg" and Image.open(BytesIO(data)).format == "JPEG"
    return load_image(data)


def test_it_shows_what_the_network_paints(live: Live) -> None:
    live.set(first="hokusai-poppies", second="cassatt-summertime", share=25)
    expected = FeedForward.load("eight-paintings.pt").paint(
        load_image("camel", 48), {"hokusai-poppies": 3, "cassatt-summertime": 1}
    )
    assert (shown(live) - expected).abs().mean() < 0.02
    assert live.plot.alt == (
        "A Bactrian camel and her calf, painted by a network: 75 % Poppies, 25 % Summertime."
    )


def test_both_ends_are_the_paintings_alone(live: Live) -> None:
    ends = [shown(live.set(share=share)) for share in (0, 100)]
    assert (ends[0] - ends[1]).abs().mean() > 0.02
    same = shown(live.set(first="cassatt-summertime", share=60))
    assert torch.equal(same, ends[1])  # the same painting at both ends


def test_every_control_has_a_label_and_a_tooltip(live: Live) -> None:
    assert list(live.controls) == ["first", "share", "second"]
    for control in live.controls.values():
        assert control.description and control.tooltip


def test_another_photo_is_painted_at_once() -> None:
    live = Live(size=48)
    before = shown(live)
    live.photos.add("cassatt-summertime")
    assert shown(live).shape != before.shape and "Summertime, painted" in live.plot.alt


def test_the_painter_has_it_on_a_page_that_opens(tmp_path: Path) -> None:
    painter = Painter(size=32, gallery=tmp_path)
    page = painter.desk.live
    assert page.live is None  # nothing is loaded before
    page.selected_index = 0
    assert page.live is not None and "camel" in page.live.plot.alt
    page.live.set(share=10)
    painter.photos.add("cassatt-summertime")  # the painter's photo is also the page's
    assert page.live.plot.alt.startswith("Summertime") and page.live.values["share"] == 10
    painter.close()


def test_a_network_of_one_painting_has_nothing_to_drag_to() -> None:
    with pytest.raises(
        StylelibError, match=r"a single painting, hokusai-great-wave.*stylelib train"
    ):
        Live(network="hokusai-great-wave.pt")
    with pytest.raises(StylelibError, match="size is 8"):
        Live(size=8)
