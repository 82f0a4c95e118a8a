"""Drag from one painting to another, and the photo follows at once."""

from numbers import Integral
from pathlib import Path
from typing import Any

import ipywidgets
from torch import Tensor

from ..checks import check_range
from ..errors import StylelibError
from ..feedforward.network import FeedForward
from ..lessons.explorer import Explorer, FigureImage
from ..lessons.theme import Plot
from ..pictures.decoding import Source
from ..pictures.samples import SAMPLES
from .chooser import PictureChooser
from .picture import Picture, jpeg, samples

_NETWORK = "eight-paintings.pt"
_SHOWN = 640  # pixels wide on the page; the picture has fewer, to be painted at once
_TITLE = "Live: drag from one painting to another"
_ALT = "{photo}, painted by a network: {first} % {from_}, {second} % {to}."


class LiveImage(FigureImage):
    """The painted picture, larger than its pixels; see studio.css."""

    _css = Path(__file__).parent / "studio.css"

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.add_class("stylelib-live")


class Painted(Plot):
    """A picture instead of a figure."""

    def __init__(self, image: Tensor, alt: str) -> None:
        self._jpeg, self.alt = jpeg(image), alt

    def image(self) -> tuple[str, bytes]:
        """Its MIME type and bytes."""
        return "image/jpeg", self._jpeg

    @property
    def width(self) -> int:
        """How wide it is shown, in pixels."""
        return _SHOWN

    def sharp(self, kind: str) -> bytes:
        """Its bytes: it has no more pixels than these."""
        return self._jpeg


class Live(Explorer):
    """A slider between two paintings; a feed-forward network paints the photo as you drag.

    Parameters
    ----------
    content : path, bytes, PIL image or name of a sample
        The photo to begin with.
    size : int, 16 to 1024
        Longest side of the picture, in pixels. While you drag, twice the size takes four times as
        long.
    network : FeedForward, path or name of a sample
        One that knows two paintings or more.
    photos : PictureChooser, optional
        Where the photo is chosen; by default one of its own.

    Raises
    ------
    StylelibError
        If a picture or the network can't be used.

    Examples
    --------
    >>> live = Live(size=64).set(first="hokusai-poppies", share=100)
    >>> live.plot.alt.split(": ")[1]
    '0 % Poppies, 100 % Village Street in Auvers.'
    """

    image_kind = LiveImage

    def __init__(
        self,
        content: Source = "camel",
        size: int = 256,
        network: FeedForward | str | Path = _NETWORK,
        photos: PictureChooser | None = None,
    ) -> None:
        check_range("size", size, 16, 1024, Integral)
        self.network = network if isinstance(network, FeedForward) else FeedForward.load(network)
        names = self.network.paintings
        if len(names) < 2:
            raise StylelibError(
                f"This network knows a single painting, {names[0]}. There is nothing to drag to; "
                f"train one on several: stylelib train PAINTING PAINTING --output FILE.pt"
            )
        self._size = size
        self._loaded: tuple[Picture | None, Tensor | None] = None, None
        self.photos = photos or PictureChooser("Photo", samples("photo"), "Your own photo")
        if photos is None:
            self.photos.choose(content)
        options = [(_title(name), name) for name in names]
        first = "hokusai-great-wave" if "hokusai-great-wave" in names else names[0]
        second = "van-gogh-village-street-in-auvers"
        second = second if second in names and second != first else names[-1]
        super().__init__(
            self._paint,
            first=ipywidgets.Dropdown(
                options=options, value=first, description="from",
                tooltip="The painting at the left end of the slider",
                layout={"width": "auto", "flex": "1 1 140px"},
            ),
            share=ipywidgets.IntSlider(
                50, 0, 100, 1, description="blend", readout=False,
                tooltip="How much of the second painting, in percent",
                layout={"width": "auto", "flex": "2 1 160px"},
            ),
            second=ipywidgets.Dropdown(
                options=options, value=second, description="to",
                tooltip="The painting at the right end of the slider",
                layout={"width": "auto", "flex": "1 1 140px"},
            ),
        )  # fmt: skip
        if photos is None:
            self.children: tuple[Any, ...] = (self.photos, *self.children)
        self.photos.watch(self.redraw)

    def _paint(self, first: str, share: int, second: str) -> Plot:
        picture = self.photos.picture
        if self._loaded[0] is not picture:
            self._loaded = picture, picture.load(self._size)
        photo = self._loaded[1]
        assert photo is not None
        shares = {first: 100.0 - share}
        shares[second] = shares.get(second, 0.0) + share
        told = {"from_": _title(first), "to": _title(second)}
        alt = _ALT.format(photo=picture.label, first=100 - share, second=share, **told)
        return Painted(self.network.paint(photo, shares), alt)


class LivePage(ipywidgets.Accordion):
    """A page with `Live`, which is made when the page is opened for the first time."""

    def __init__(self, photos: PictureChooser) -> None:
        self._photos, self._box = photos, ipywidgets.VBox()
        self.live: Live | None = None
        super().__init__([self._box], titles=[_TITLE], selected_index=None)
        self.observe(self._opened, "selected_index")

    def _opened(self, _: Any) -> None:
        if self.live is None and self.selected_index is not None:
            self.live = Live(photos=self._photos)
            self._box.children = [self.live]


def _title(name: str) -> str:
    return SAMPLES[name].title if name in SAMPLES else name
