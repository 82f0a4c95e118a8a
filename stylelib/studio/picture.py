"""A photo, a painting or a mask, and where it was loaded from."""

import io
from base64 import b64encode
from dataclasses import dataclass, field

from torch import Tensor

from ..pictures.decoding import Source
from ..pictures.images import load_image, to_pil
from ..pictures.samples import SAMPLES


@dataclass(eq=False)
class Picture:
    """A picture to choose, and what it is loaded from."""

    name: str
    source: Source
    _loaded: dict[int | None, Tensor] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """The name to show."""
        return SAMPLES[self.name].title if self.name in SAMPLES else self.name

    def load(self, size: int | None) -> Tensor:
        """The picture as `load_image` gives it; the size loaded last is cached."""
        if size not in self._loaded:
            self._loaded = {size: load_image(self.source, size)}
        return self._loaded[size]


def samples(kind: str) -> list[Picture]:
    """The sample pictures of a kind, "photo" or "painting"."""
    return [Picture(name, name) for name, sample in SAMPLES.items() if sample.kind == kind]


def jpeg(image: Tensor, quality: int = 90) -> bytes:
    """A picture (1, 3, H, W) as a JPEG file."""
    buffer = io.BytesIO()
    to_pil(image).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def data_url(file: bytes, kind: str) -> str:
    """A file of that kind as a data URL, which a browser can show or save."""
    family = "application" if kind == "json" else "image"
    return f"data:{family}/{kind};base64,{b64encode(file).decode()}"
