"""The runs that lesson 02 shows at once: made beforehand, by benchmarks/early_bank.py."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor

from ...errors import pick
from ...pictures.images import load_image

FOLDER = Path(__file__).parent / "bank"
STARTS = ("noise, smooth", "noise", "Great Wave")
"""From what a run starts; smooth ones have total variation in their loss."""


@dataclass(frozen=True)
class Run:
    """A picture that was optimised step by step, and some of the pictures on the way.

    Attributes
    ----------
    name : str
        What it starts from and the content layer, as in ``"noise/conv4_2"``.
    files : dict of int to str
        The names of the files with the picture after that many steps.
    losses : list of float
        The relative error at the content layer after 0, 1, 2 … steps.
    errors : dict of str to float
        The relative error of the last picture, in pixels and at each layer.
    """

    name: str
    files: dict[int, str]
    losses: list[float]
    errors: dict[str, float]

    @property
    def image(self) -> Tensor:
        """The last picture, shape (1, 3, H, W), RGB in 0-1."""
        return self.at(max(self.files))

    def at(self, step: int) -> Tensor:
        """The picture after that many steps, one of `files`."""
        return _load(self.files[step])


@cache
def bank() -> dict[str, Run]:
    """All the runs by their names."""
    found: dict[str, dict[str, Any]] = {}
    for kept in json.loads((FOLDER / "index.json").read_text(encoding="utf-8")):
        run = found.setdefault(kept["run"], {"files": {}})
        run["files"][kept["step"]] = kept["file"]
        run |= {key: kept[key] for key in ("losses", "errors") if key in kept}
    return {name: Run(name, **run) for name, run in found.items()}


def made_before(name: str) -> Run:
    """One of the runs, such as ``"noise, smooth/conv4_2"`` or ``"painted/conv4_2"``."""
    return bank()[pick(name, bank(), "run")]


@cache
def _load(file: str) -> Tensor:
    return load_image(FOLDER / file)
