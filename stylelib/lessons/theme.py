"""One look for all figures: colours with a meaning, text legible from the back row."""

import io
import os
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

# Okabe and Ito's colours, which colour-blind people can tell apart. The same thing has
# the same colour everywhere.
COLORS = {
    "content": "#0072B2",
    "style": "#D55E00",
    "target": "#332288",
    "tv": "#009E73",
    "accent": "#CC79A7",
    "muted": "#767676",
}
MAPS = "viridis"  # values from 0 upwards: feature maps, Gram matrices
SIGNED = "RdBu_r"  # values around 0: kernels, gradients

STYLE: Any = {
    "font.size": 14,
    "axes.titlesize": 15,
    "axes.labelsize": 14,
    "figure.titlesize": 18,
    "legend.fontsize": 13,
    "lines.linewidth": 2.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",  # opaque, so that dark themes don't swallow the text
    "savefig.facecolor": "white",
}
_DPI = 90
_LARGE = 60_000  # bytes; above that, JPEG is several times smaller
_SMALL = (
    "STYLELIB_SMALL_FIGURES"  # if set, a notebook with many photos stays small enough for the web
)
_ONE_THREAD = RLock()


@contextmanager
def styled() -> Iterator[None]:
    """Draw in this look.

    Matplotlib's settings are global, and JupyterLab moves a slider in a thread of its
    own. Two threads that set and restore them at the same time would leave them mixed
    up for good, so only one thread draws at a time.
    """
    with _ONE_THREAD, rc_context(STYLE):
        yield


class Plot:
    """A figure, displayed by a notebook; `alt` says in a sentence or two what it shows."""

    def __init__(self, figure: Figure, alt: str) -> None:
        self.figure, self.alt = figure, alt

    def image(self) -> tuple[str, bytes]:
        """The figure's MIME type and bytes: PNG, or JPEG where that is much smaller."""
        picture = self._drawn(_DPI)
        if len(_encode(picture, "PNG", compress_level=1)) <= 2 * _LARGE:  # a quick guess
            png = _encode(picture, "PNG")
            if len(png) <= _LARGE:
                return "image/png", png
        return "image/jpeg", _encode(picture, "JPEG", quality=72, optimize=True)

    def _drawn(self, dpi: int) -> Image.Image:
        # savefig would lay out and draw everything twice.
        with styled():
            self.figure.set_dpi(dpi)
            canvas = FigureCanvasAgg(self.figure)
            canvas.draw()
        return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")

    def _repr_mimebundle_(self, **_: Any) -> Any:
        kind, data = self.image()
        sharp = self.sharp(kind)
        if len(sharp) <= 1.5 * len(data) or not os.environ.get(_SMALL):
            return with_picture({}, kind, sharp, self.alt, width=self.width)
        return with_picture({}, kind, data, self.alt)

    @property
    def width(self) -> int:
        """How wide it is shown, in pixels."""
        return int(self.figure.get_size_inches()[0] * _DPI)

    def sharp(self, kind: str) -> bytes:
        """The bytes of a picture with twice as many pixels each way, for projectors.

        Parameters
        ----------
        kind : str
            The MIME type, as `image` gives it.
        """
        picture = self._drawn(2 * _DPI)
        if kind == "image/png":
            return _encode(picture.convert("P", palette=Image.Palette.ADAPTIVE), "PNG")
        return _encode(picture, "JPEG", quality=60, optimize=True)

    def __repr__(self) -> str:
        return self.alt


def with_picture(
    bundle: Any, kind: str, data: bytes, alt: str, **look: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A MIME bundle and its metadata with a picture, which shows even without a kernel."""
    formats, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    picture = {kind: b64encode(data).decode(), "text/plain": alt}
    return {**formats, **picture}, {**metadata, kind: {"alt": alt, **look}}


def grid(
    rows: int, columns: int, size: tuple[float, float] = (3.0, 3.0), **options: Any
) -> tuple[Figure, NDArray[Any]]:
    """A figure and the 2-D array of its axes; `size` is that of one cell, in inches.

    pyplot would keep every figure in memory.
    """
    with styled():
        figure = Figure(figsize=(columns * size[0], rows * size[1]), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes


def canvas(width: float, height: float) -> Figure:
    """A figure of this size, in inches, with axes added by `place`.

    Matplotlib's automatic layout draws everything twice, too slow for a slider.
    """
    return Figure(figsize=(width, height))


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes in a `canvas`, at a position given in fractions of its width and height."""
    with styled():
        return figure.add_axes((left, bottom, width, height))


def whole(figure: Figure) -> Axes:
    """Axes that fill a `canvas`, for all its thumbnails: axes for each would be slow."""
    axes = place(figure, 0.0, 0.0, 1.0, 1.0)
    axes.set(xlim=(0, 1), ylim=(0, 1), zorder=-1, autoscale_on=False)
    bare(axes)
    return axes


def thumbnail(
    axes: Axes, image: Tensor, center: tuple[float, float], room: tuple[float, float]
) -> None:
    """Draw a picture in `whole` axes around `center`, as large as fits into `room`."""
    width, height = axes.figure.get_size_inches()  # type: ignore[union-attr]
    shape = image.shape[-1] / image.shape[-2] * height / width
    wide = min(room[0], room[1] * shape)
    tall = wide / shape
    (x, y), pixels = center, as_array(image[0].permute(1, 2, 0).clamp(0, 1))
    extent = (x - wide / 2, x + wide / 2, y - tall / 2, y + tall / 2)
    axes.imshow(pixels, extent=extent, aspect="auto")


def show_picture(axes: Axes, image: Tensor, title: str = "") -> None:
    """Draw a picture (1, 3, H, W) in 0-1, or one map (H, W), without ticks."""
    pixels = image.detach().cpu().float()
    if pixels.dim() == 4:
        axes.imshow(pixels[0].permute(1, 2, 0).clamp(0, 1).numpy())
    else:
        axes.imshow(pixels.numpy(), cmap=MAPS)
    bare(axes, title)


def bare(axes: Axes, title: str = "") -> None:
    """Remove ticks and frame, and set the title."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    if title:
        axes.set_title(title, fontsize=STYLE["axes.titlesize"])


def _encode(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def as_array(tensor: Tensor) -> NDArray[Any]:
    """A tensor as a NumPy array for Matplotlib."""
    return np.asarray(tensor.detach().cpu().float())
