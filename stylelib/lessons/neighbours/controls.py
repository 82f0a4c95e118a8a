"""The controls of lesson 07."""

from collections.abc import Mapping
from typing import Any

from ipywidgets import Checkbox, IntSlider, SelectionSlider
from torch import Tensor

from ...errors import StylelibError
from ..explorer import Explorer, cell
from ..theme import Plot
from ..widgets import menu
from .compute import DEPTHS, SIDE, WAYS, Search, grid_of
from .figures import by_hand, chosen, taken

_PHOTO = 0  # the first axes of `taken`


def nearest_by_hand(
    photo: Tensor, painting: Tensor, names: tuple[str, str], centered: bool = False
) -> Explorer:
    """Choose a place of a small photo, and see which place of a small painting is nearest.

    Parameters
    ----------
    photo, painting : Tensor, shape (rows, columns, 2)
        Two features of each place.
    names : (str, str)
        Of the features.
    centered : bool
        Whether the mean of each picture's places is subtracted at the start.

    Raises
    ------
    StylelibError
        If they have another shape.
    """
    for vectors in (photo, painting):
        if vectors.dim() != 3 or vectors.shape[-1] != 2:
            raise StylelibError("Give two numbers for each place: the shape (rows, columns, 2).")
    rows, columns = photo.shape[:2]

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        place = cell(y, rows) * columns + cell(x, columns) + 1
        return {"place": place} if axes == _PHOTO else {}

    return Explorer(
        lambda place, centred: by_hand(photo, painting, names, place - 1, centred),
        clicked,
        place=IntSlider(
            1, 1, rows * columns, description="place of the photo",
            tooltip="Which place looks for its nearest neighbour, counted row by row",
        ),
        centred=Checkbox(
            centered, description="centred", indent=False,
            tooltip="First subtract the mean of each picture's places",
        ),
    )  # fmt: skip


def neighbour_explorer(
    found: Search,
    across: int = 0,
    down: int = 0,
    depth: str = "all layers",
    way: str = "cosine, centred",
) -> Explorer:
    """Choose a place of the photo, by click or slider, and see its neighbour in the painting.

    Parameters
    ----------
    found : Search
        From `compute.search`.
    across, down : int
        Column and row of the place at the start; a place is 4 x 4 pixels.
    depth, way : str
        Names in `DEPTHS` and in `WAYS`: how places are compared at the start.
    """
    rows, columns = grid_of(found.photo)

    def draw(across: int, down: int, layers: str, compare: str) -> Plot:
        return taken(found, layers, compare, down, across)

    def clicked(axes: int, x: float, y: float) -> Mapping[str, Any]:
        if axes != _PHOTO:
            return {}
        # A pixel's middle has whole coordinates; what is left over at the edge belongs to no place.
        column, row = ((each + 0.5) / SIDE - 0.5 for each in (x, y))
        return {"across": cell(column, columns), "down": cell(row, rows)}

    return Explorer(
        draw,
        clicked,
        across=IntSlider(
            across, 0, columns - 1, description="across",
            tooltip="The column of the place; the arrow keys move by one",
        ),
        down=IntSlider(
            down, 0, rows - 1, description="down",
            tooltip="The row of the place; the arrow keys move by one",
        ),
        layers=menu("compare in", DEPTHS, depth, "The layers whose features are compared"),
        compare=menu("by", WAYS, way, "How the features of two places are compared"),
    )  # fmt: skip


def likeness_explorer(images: Mapping[float, Tensor]) -> Explorer:
    """Slide from all painting to all photo.

    Parameters
    ----------
    images : mapping of likeness to Tensor, shape (1, 3, H, W), RGB in 0-1
        Pictures that were painted with each likeness, in order.

    Raises
    ------
    StylelibError
        If there are none.
    """
    if not images:
        raise StylelibError("Give at least one picture.")
    named = {f"{likeness:g}": image for likeness, image in images.items()}
    names = list(named)
    slider = SelectionSlider(
        options=names, value=names[len(names) // 2], description="likeness",
        tooltip="How much of the photo stays: 0 is all painting, 1 is all photo",
    )  # fmt: skip
    return Explorer(lambda likeness: chosen(named, likeness, "likeness"), likeness=slider)
