"""Pictures that were painted already, so that a long benchmark can be stopped and gone on with."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from stylelib import load_image, save_image

FOLDER = Path(__file__).with_name("cache")  # git ignores it


@dataclass(frozen=True)
class Painted:
    """A picture of 8 bits a colour, and the seconds that it took, by the clock."""

    image: Tensor
    seconds: float


def painted(what: Mapping[str, Any], paint: Callable[[], Tensor], folder: Path = FOLDER) -> Painted:
    """The picture that `paint` makes, or made before, of `what`: plain values that say it all."""
    text = json.dumps(what, sort_keys=True)
    picture = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.png"
    facts = picture.with_suffix(".json")
    if not facts.exists():  # written last: then the picture is whole
        folder.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        image = paint()
        seconds = time.perf_counter() - start
        save_image(image, picture)
        facts.write_text(json.dumps({"what": what, "seconds": seconds}), encoding="utf-8")
    seconds = json.loads(facts.read_text(encoding="utf-8"))["seconds"]
    return Painted(load_image(picture), seconds)
