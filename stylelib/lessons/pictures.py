"""Pictures side by side."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from torch import Tensor

from .theme import Plot, canvas, place, show_picture, styled

_TITLE = 0.42  # inches for a picture's name
_GAP = 0.03  # between two pictures, as a fraction of their width


@styled()
def pictures(images: Mapping[str, Tensor], columns: int = 3, width: float = 4.0) -> Plot:
    """Pictures side by side, each with its name above.

    Parameters
    ----------
    images : mapping of title to Tensor, shape (1, 3, H, W), RGB in 0-1
    columns : int
        The most pictures in a row.
    width : float
        Width of one picture, in inches.
    """
    figure = picture_grid(images, min(columns, len(images)), width)
    return Plot(figure, "Pictures side by side: " + ", ".join(images) + ".")


def picture_grid(
    images: Mapping[str, Tensor], columns: int, width: float, below: float = 0.0
) -> Figure:
    """A figure with pictures in rows, each with its name above, and `below` them free inches."""
    rows = -(-len(images) // columns)
    tallest = max(image.shape[-2] / image.shape[-1] for image in images.values())
    tall = width * (1 - _GAP) * tallest
    height = rows * (tall + _TITLE) + below
    figure = canvas(columns * width, height)
    for index, (title, image) in enumerate(images.items()):
        row, column = divmod(index, columns)
        bottom = 1 - (row + 1) * (tall + _TITLE) / height
        axes = place(figure, column / columns, bottom, (1 - _GAP) / columns, tall / height)
        show_picture(axes, image, title)
    return figure
