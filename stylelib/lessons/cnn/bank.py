"""What some channels want to see: pictures made beforehand, by benchmarks/early_bank.py."""

import json
from functools import cache
from pathlib import Path

from torch import Tensor

from ...errors import StylelibError
from ...pictures.images import load_image

FOLDER = Path(__file__).parent / "bank"
READABLE, BARE = "readable", "bare"


@cache
def files() -> dict[tuple[str, int, str], Path]:
    """The files by layer, channel and kind: `READABLE`, or `BARE` without regularisers."""
    index = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
    return {(one["layer"], one["channel"], one["kind"]): FOLDER / one["file"] for one in index}


def channels() -> list[tuple[str, int]]:
    """The layers and channels that were visualised, from shallow to deep."""
    return sorted((layer, channel) for layer, channel, kind in files() if kind == READABLE)


@cache
def made_before(layer: str, channel: int, kind: str = READABLE) -> Tensor:
    """One of the pictures, shape (1, 3, H, W), RGB in 0-1.

    Raises
    ------
    StylelibError
        If there is none: `wanted` makes it.
    """
    if (layer, channel, kind) not in files():
        raise StylelibError(
            f"There is no picture of {layer}, channel {channel}, made beforehand. "
            f'Make it: wanted("{layer}", {channel})'
        )
    return load_image(files()[layer, channel, kind])
