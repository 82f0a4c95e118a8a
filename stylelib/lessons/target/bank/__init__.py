"""Pictures painted beforehand, at 512 pixels, so that a slider answers at once.

`benchmarks/lesson_bank.py` paints them: the camel after the Great Wave, with the losses of lesson
04, in 60 steps of L-BFGS from small to large.
"""

import json
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from ....errors import pick
from ....pictures.images import load_image

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Saved:
    """One picture of the bank.

    Attributes
    ----------
    label : str
        The answer that it gives, for example ``"1 : 3"`` to the question ``"ratio"``.
    step : int
        After how many steps.
    file : str
    losses : dict of str to float
        ``"content"`` and ``"style"``, before their weights; empty if the method has none.
    layers : list of dict of str to float
        A single dictionary: the loss of each layer, as in a `Run`.
    seen : dict of str to float, 0-1
        What MobileNetV2, which had no part in the painting, takes the picture for: its three most
        probable classes of ImageNet and the Arabian camel, and how probable they are.
    """

    label: str
    step: int
    file: str
    losses: dict[str, float] = field(repr=False)
    layers: list[dict[str, float]] = field(repr=False)
    seen: dict[str, float] = field(repr=False)

    @cached_property
    def image(self) -> Tensor:
        """The picture, shape (1, 3, H, W), RGB in 0-1: W is 512 at the end, less before."""
        return load_image(_FOLDER / self.file)


def saved(question: str) -> dict[str, list[Saved]]:
    """The pictures of the bank that answer a question.

    Parameters
    ----------
    question : {"ratio", "start", "style layer", "method"}

    Returns
    -------
    dict of str to list of Saved
        For each answer the pictures that were kept, after few steps first.

    Raises
    ------
    StylelibError
        If there is no such question.
    """
    asked = {each["run"].partition("/")[0]: None for each in _index()}
    pick(question, asked, "question of the bank")
    found: dict[str, list[Saved]] = {}
    for each in _index():
        name, _, label = each["run"].partition("/")
        if name == question:
            facts = {key: each[key] for key in ("step", "file", "losses", "seen")}
            found.setdefault(label, []).append(Saved(label, layers=[each["layers"]], **facts))
    return found


def last(question: str) -> list[Saved]:
    """The finished picture of each answer to a question."""
    return [pictures[-1] for pictures in saved(question).values()]


@cache
def _index() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((_FOLDER / "index.json").read_text(encoding="utf-8"))
    return found
