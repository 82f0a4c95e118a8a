"""Choose a picture by clicking on it, or upload your own."""

import io
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
from PIL import ImageOps

from ..errors import StylelibError, pick
from ..pictures.decoding import Source
from ..pictures.images import load_image, to_pil
from ..pictures.samples import SAMPLES
from .picture import Picture, data_url
from .uploads import upload_button

THUMBNAIL = (72, 54)  # width and height, in pixels


class PictureChooser(ipywidgets.VBox):
    """Thumbnails, one of them chosen, and, if `upload` names it, a button to upload a picture.

    The thumbnails are buttons with a picture on them, so they work with the mouse,
    with Tab and Space, and for screen readers.
    """

    def __init__(
        self,
        label: str,
        pictures: list[Picture],
        upload: str | None = None,
        size: tuple[int, int] = THUMBNAIL,
    ) -> None:
        self.label, self._size = label, size
        self.pictures = {picture.name: picture for picture in pictures}
        self._thumbnails: dict[str, str] = {}
        self._watchers: list[Callable[[], None]] = []
        self.buttons = ipywidgets.ToggleButtons(options=[], style={"button_width": f"{size[0]}px"})
        self.buttons.add_class("stylelib-thumbnails")
        self.buttons.add_class(f"stylelib-{self.buttons.model_id[:12]}")
        self._css, self.caption = ipywidgets.HTML(), ipywidgets.HTML()
        self._css.layout.display = "none"
        self.message = ipywidgets.HTML()
        self.upload = upload_button(
            self.add,
            self.message,
            description=upload or "",
            tooltip="Choose a picture file on your computer",
            layout={"width": f"{size[0]}px", "height": f"{size[1]}px", "margin": "3px"},
        )
        self.upload.add_class("stylelib-upload")
        row = ipywidgets.HBox(
            [self.buttons, *([self.upload] if upload else [])], layout={"flex_flow": "row wrap"}
        )
        self.buttons.observe(self._chosen, "value")
        self._offer()
        super().__init__([self._css, self.caption, row, self.message])
        if pictures:
            self.value = pictures[0].name

    @property
    def value(self) -> str:
        """The name of the chosen picture; set it to choose."""
        return self.buttons.value or ""

    @value.setter
    def value(self, name: str) -> None:
        self.buttons.value = pick(name, self.pictures, "picture")

    @property
    def picture(self) -> Picture:
        """The chosen picture."""
        return self.pictures[self.value]

    def watch(self, told: Callable[[], None]) -> None:
        """Call `told` when another picture is chosen."""
        self._watchers.append(told)

    def choose(self, source: Source) -> None:
        """Choose a picture by name, or add one and choose it."""
        if isinstance(source, str) and source in self.pictures:
            self.value = source
        else:
            self.add(source)

    def add(self, source: Source, name: str | None = None) -> None:
        """Add a picture under a name, by default its path or sample's name, and choose it."""
        name = name or (str(source) if isinstance(source, str | Path) else "picture")
        if name not in SAMPLES or source != name:
            load_image(source, self._size[0])
            while name in SAMPLES:
                name = f"my-{name}"
        self.pictures[name] = Picture(name, source)
        self._thumbnails.pop(name, None)
        self._offer()
        if self.value == name:
            self._chosen()
        self.value = name

    def remove(self, name: str) -> None:
        """Stop offering a picture."""
        del self.pictures[name], self._thumbnails[name]
        self._offer()

    def _offer(self) -> None:
        """Show a button for each picture, without calling any watcher."""
        chosen = self.buttons.value
        self.buttons.unobserve(self._chosen, "value")
        self.buttons.tooltips = [_caption(picture) for picture in self.pictures.values()]
        self.buttons.options = list(self.pictures)
        if chosen in self.pictures:
            self.buttons.value = chosen
        self.buttons.observe(self._chosen, "value")
        for name, picture in self.pictures.items():
            if name not in self._thumbnails:
                self._thumbnails[name] = _thumbnail(picture.source, self._size)
        mine = f".stylelib-{self.buttons.model_id[:12]} button"
        rules = [f"{mine} {{height:{self._size[1]}px}}"] + [
            f"{mine}[value='{i}'] {{background-image:url({self._thumbnails[name]})!important}}"
            for i, name in enumerate(self.pictures)
        ]
        self._css.value = f"<style>{_CSS}{''.join(rules)}</style>"

    def _chosen(self, _: Any = None) -> None:
        caption = _caption(self.picture) if self.value else ""
        self.caption.value = (
            f"<div class='stylelib-caption'><b>{self.label}</b>&ensp;{escape(caption)}</div>"
        )
        self.message.value = ""
        try:
            for told in self._watchers:
                told()
        except StylelibError as error:  # its file may be gone by now
            self.message.value = f"<b>{escape(str(error))}</b>"


def _caption(picture: Picture) -> str:
    return SAMPLES[picture.name].caption if picture.name in SAMPLES else picture.label


def _thumbnail(source: Source, size: tuple[int, int]) -> str:
    """A small picture as a data URL, at twice the resolution for high-density screens."""
    picture = to_pil(load_image(source, 3 * max(size)))
    buffer = io.BytesIO()
    ImageOps.fit(picture, (2 * size[0], 2 * size[1])).save(buffer, "JPEG", quality=80)
    return data_url(buffer.getvalue(), "jpeg")


# Text of size 0 is invisible, but screen readers still read it; everybody else sees the picture.
# ipywidgets shows a count of files in an upload button, which means nothing here.
_CSS = """
.stylelib-thumbnails button {font-size:0; margin:3px; padding:0; background-size:cover!important;
  background-position:center!important; border-radius:4px; opacity:.85}
.stylelib-thumbnails button:hover {opacity:1}
.stylelib-thumbnails button.mod-active {opacity:1; outline:3px solid #0072B2; outline-offset:1px;
  box-shadow:none}
.stylelib-thumbnails button:focus-visible {opacity:1; outline:3px dashed #D55E00}
.stylelib-upload {font-size:0; border:2px dashed #767676; border-radius:4px; padding:0 8px;
  line-height:1.2; white-space:normal}
.stylelib-upload i {font-size:0; margin:0}
.stylelib-upload::after {content:'+ your own'; font-size:13px}
.stylelib-caption {width:0; min-width:100%; white-space:nowrap; overflow:hidden;
  text-overflow:ellipsis}
"""
