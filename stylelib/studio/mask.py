"""Say where the painting goes: draw it on the photo, or upload a mask."""

import hashlib
import io
from base64 import b64decode
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets
from PIL import Image
from torch import Tensor

from ..checks import check_picture
from ..engine.masks import EMPTY
from ..errors import StylelibError
from ..pictures.decoding import Source
from ..pictures.images import load_mask
from .part import Part, script
from .picture import Picture, data_url, jpeg
from .uploads import upload_button

_HERE = Path(__file__).parent
_SHOWN = 512  # longest side of the photo to draw on, in pixels


class Canvas(Part):
    """A photo to draw on, in the browser; see mask.js."""

    _esm = script("mask.js")
    _css = _HERE / "mask.css"
    photo = traitlets.Unicode().tag(sync=True)  # a data URL, as the mask is
    mask = traitlets.Unicode().tag(sync=True)  # empty if nothing is drawn
    shown = traitlets.Int().tag(sync=True)  # increased with each mask that Python sets


class MaskPad(ipywidgets.VBox):
    """A mask: none, drawn with the mouse, or from a file."""

    value = traitlets.Any(None)  # a Picture, white where the painting goes

    def __init__(self) -> None:
        self._photo: Picture | None = None
        self.canvas = Canvas()
        self.message = ipywidgets.HTML()
        self.upload = upload_button(
            lambda data, _: self.choose(data),
            self.message,
            description="Mask from a file",
            tooltip="A black and white picture in the photo's proportions; white is painted",
        )
        self.everywhere = ipywidgets.Button(
            description="Everywhere",
            icon="times",
            tooltip="Remove the mask, and paint everywhere",
            layout={"width": "auto"},
        )
        head = ipywidgets.HTML(
            "Mark where the painting goes. The rest stays a photo or, if "
            "there is a second painting, takes its style.",
            layout={"width": "calc(100% - 6px)"},
        )
        row = ipywidgets.HBox([self.upload, self.everywhere])
        super().__init__([head, self.canvas, row, self.message])
        self.everywhere.on_click(lambda _: self.choose(None))
        self.canvas.observe(self._drawn, "mask")

    def show(self, photo: Picture) -> None:
        """Draw on this photo; another photo's mask is removed."""
        if photo is self._photo:
            return
        self._photo = photo
        self.canvas.photo = data_url(jpeg(photo.load(_SHOWN)), "jpeg")
        self.choose(None)

    def choose(self, source: "Source | Tensor | Picture | None") -> None:
        """Take a mask from a file, its contents, a PIL image or a tensor (1, 1, H, W)."""
        picture, url = None, ""
        if isinstance(source, Picture):
            source = source.source
        if source is not None:
            data = _png(_read(source))
            if isinstance(source, str | Path):
                picture = Picture(str(source), source)
            else:
                picture = _drawn_picture(data)
            url = data_url(data, "png")
        self.canvas.unobserve(self._drawn, "mask")
        self.canvas.mask = url
        self.canvas.shown += 1
        self.canvas.observe(self._drawn, "mask")
        self._set(picture)

    def _set(self, picture: Picture | None) -> None:
        self.message.value = f"Mask: <b>{escape(Path(picture.name).name)}</b>" if picture else ""
        self.value = picture

    def _drawn(self, change: Any) -> None:
        """The browser has sent a drawing."""
        try:
            data = b64decode(change["new"].partition(",")[2])
            self._set(_drawn_picture(_png(load_mask(data))) if data else None)
        except (StylelibError, ValueError) as error:
            self.message.value = f"<b>{escape(str(error))}</b>"


def _read(source: "Source | Tensor") -> Tensor:
    if isinstance(source, Tensor):
        check_picture(source, "The mask", channels=1)
        mask = source.detach().cpu().float()
    else:
        mask = load_mask(source)
    if mask.max() < EMPTY:
        raise StylelibError("The mask is black all over. White means: paint here.")
    return mask


def _drawn_picture(data: bytes) -> Picture:
    """A mask without a file, named after its contents, so that saving it twice does no harm."""
    return Picture(f"mask-{hashlib.sha256(data).hexdigest()[:8]}.png", data)


def _png(mask: Tensor) -> bytes:
    buffer = io.BytesIO()
    grey = (mask[0, 0].clamp(0, 1) * 255).round().byte().numpy()
    Image.fromarray(grey).save(buffer, "PNG")
    return buffer.getvalue()
