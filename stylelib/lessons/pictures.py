"""Pictures side by side."""

from collections.abc import Mapping

from torch import Tensor

from .theme import Plot, grid, show_picture


def pictures(images: Mapping[str, Tensor], columns: int = 3, width: float = 4.0) -> Plot:
    """Pictures side by side, each under its name.

    Parameters
    ----------
    images : mapping of title to Tensor, shape (1, 3, H, W), RGB in 0-1
    columns : int
        At most that many in a row.
    width : float
        Of one picture, in inches.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    tallest = max(image.shape[-2] / image.shape[-1] for image in images.values())
    figure, axes = grid(rows, columns, (width, width * tallest + 0.4))
    for axis in axes.flat[len(images) :]:
        axis.set_visible(False)
    for axis, (title, image) in zip(axes.flat, images.items(), strict=False):
        show_picture(axis, image, title)
    return Plot(figure, "Pictures side by side: " + ", ".join(images) + ".")
