"""One look for every figure: colours with a meaning, text for the back row."""

import io
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

# Okabe and Ito's colours: told apart by colour-blind people, and the same
# everywhere for the same thing.
COLORS = {
    "content": "#0072B2",
    "style": "#D55E00",
    "target": "#332288",
    "tv": "#009E73",
    "accent": "#CC79A7",
    "muted": "#767676",
}
MAPS = "viridis"  # values from 0 up: feature maps, Gram matrices
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
_LARGE = 60_000  # bytes; above, JPEG is several times smaller
_ONE_THREAD = RLock()


@contextmanager
def styled() -> Iterator[None]:
    """Draw in our look.

    Matplotlib's settings belong to the whole process, and JupyterLab moves a
    slider in a thread of its own: two that set and restore them at once would
    leave them mixed for good. So one thread at a time.
    """
    with _ONE_THREAD, rc_context(STYLE):
        yield


class Plot:
    """A drawn figure with words for those who don't see it; a notebook shows it.

    Parameters
    ----------
    figure : Figure
    alt : str
        What there is to see, in a sentence or two.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        self.figure, self.alt = figure, alt

    def image(self) -> tuple[str, bytes]:
        """The figure's MIME type and bytes: PNG, or JPEG where that is far smaller."""
        # Not savefig, which lays out and draws everything twice.
        with styled():
            self.figure.set_dpi(_DPI)
            canvas = FigureCanvasAgg(self.figure)
            canvas.draw()
        picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        if len(_encode(picture, "PNG", compress_level=1)) <= 2 * _LARGE:  # a quick guess
            png = _encode(picture, "PNG")
            if len(png) <= _LARGE:
                return "image/png", png
        return "image/jpeg", _encode(picture, "JPEG", quality=77, optimize=True)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        kind, data = self.image()
        return (
            {kind: b64encode(data).decode(), "text/plain": self.alt},
            {kind: {"alt": self.alt}},
        )

    def __repr__(self) -> str:
        return self.alt


def grid(
    rows: int, columns: int, size: tuple[float, float] = (3.0, 3.0), **options: Any
) -> tuple[Figure, NDArray[Any]]:
    """A figure and a 2-D array of its axes; `size` is one cell's, in inches.

    Not made with pyplot, which keeps every figure for ever.
    """
    with styled():
        figure = Figure(figsize=(columns * size[0], rows * size[1]), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes


def canvas(width: float, height: float) -> Figure:
    """A figure, in inches, whose parts are put by hand with `place`.

    Matplotlib's own layout draws everything twice: too slow under a slider.
    """
    return Figure(figsize=(width, height))


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place of a `canvas`, all in shares of its width and height."""
    with styled():
        return figure.add_axes((left, bottom, width, height))


def whole(figure: Figure) -> Axes:
    """Axes as large as a `canvas`, for all its thumbnails: axes for each would be slow."""
    axes = place(figure, 0.0, 0.0, 1.0, 1.0)
    axes.set(xlim=(0, 1), ylim=(0, 1), zorder=-1, autoscale_on=False)
    bare(axes)
    return axes


def thumbnail(
    axes: Axes, image: Tensor, center: tuple[float, float], room: tuple[float, float]
) -> None:
    """Draw a picture in `whole` axes, as large as there is room around `center`."""
    width, height = axes.figure.get_size_inches()  # type: ignore[union-attr]
    shape = image.shape[-1] / image.shape[-2] * height / width
    wide = min(room[0], room[1] * shape)
    tall = wide / shape
    (x, y), pixels = center, as_array(image[0].permute(1, 2, 0).clamp(0, 1))
    extent = (x - wide / 2, x + wide / 2, y - tall / 2, y + tall / 2)
    axes.imshow(pixels, extent=extent, aspect="auto")


def show_picture(axes: Axes, image: Tensor, title: str = "") -> None:
    """Draw a picture (1, 3, H, W) in 0-1, or one map (H, W), with no ticks."""
    pixels = image.detach().cpu().float()
    if pixels.dim() == 4:
        axes.imshow(pixels[0].permute(1, 2, 0).clamp(0, 1).numpy())
    else:
        axes.imshow(pixels.numpy(), cmap=MAPS)
    bare(axes, title)


def bare(axes: Axes, title: str = "") -> None:
    """Take ticks and frame off; say what it is."""
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
    """A tensor as Matplotlib takes it."""
    return np.asarray(tensor.detach().cpu().float())
