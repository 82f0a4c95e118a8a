"""Choose a picture by clicking on it, or upload your own."""

import io
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
import traitlets
from PIL import ImageOps

from ..errors import StylelibError, pick
from ..pictures.decoding import Source
from ..pictures.images import load_image, to_pil
from ..pictures.samples import SAMPLES
from .part import Part, script
from .picture import Picture, data_url
from .uploads import upload_button

THUMBNAIL = (64, 48)  # width and height, in pixels


class Thumbnails(Part):
    """Buttons with pictures on them, of which one is chosen; see thumbnails.js."""

    _esm = script("thumbnails.js")
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    captions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    pictures = traitlets.List(traitlets.Unicode()).tag(sync=True)  # data URLs
    size = traitlets.List([64, 48]).tag(sync=True)  # width and height, in pixels
    label = traitlets.Unicode().tag(sync=True)
    value = traitlets.Unicode(None, allow_none=True).tag(sync=True)  # the name of the chosen one

    @traitlets.validate("value")
    def _check(self, proposal: Any) -> str | None:
        name: str | None = proposal["value"]
        return name if name is None else pick(name, self.names, "picture")


class PictureChooser(ipywidgets.VBox):
    """Thumbnails, one of them chosen, and, if `upload` names it, a box for another picture.

    The box takes a file that is chosen or dropped on it.
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
        self.buttons = Thumbnails(size=list(size), label=label)
        self.caption, self.message = ipywidgets.HTML(), ipywidgets.HTML()
        self.upload = upload_button(
            self.add,
            self.message,
            description="+ your own",
            tooltip=f"{upload}: choose a file on your computer, or drop it here",
        )
        row = ipywidgets.Box([self.buttons, *([self.upload] if upload else [])])
        row.add_class("stylelib-row")
        self.buttons.observe(self._chosen, "value")
        self._offer()
        super().__init__([self.caption, row, self.message])
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

    def watch_twice(self, told: Callable[[], None]) -> None:
        """Call `told` when a picture is clicked on twice, after it has been chosen."""

        def clicked(_: Any, message: Any, __: Any) -> None:
            if message.get("twice") == self.value:
                told()

        self.buttons.on_msg(clicked)

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

    def offer(self, source: Source, name: str) -> None:
        """Offer a picture without choosing it."""
        self.pictures[name] = Picture(name, source)
        self._offer()

    def clear(self) -> None:
        """Offer nothing."""
        self.pictures, self._thumbnails = {}, {}
        self._offer()

    def remove(self, name: str) -> None:
        """Stop offering a picture."""
        del self.pictures[name], self._thumbnails[name]
        self._offer()

    def _offer(self) -> None:
        """Show a button for each picture, without calling any watcher."""
        for name, picture in self.pictures.items():
            if name not in self._thumbnails:
                self._thumbnails[name] = _thumbnail(picture.source, self._size)
        with self.buttons.hold_sync():
            self.buttons.names = list(self.pictures)
            self.buttons.captions = [_caption(picture) for picture in self.pictures.values()]
            self.buttons.pictures = [self._thumbnails[name] for name in self.pictures]
            if self.buttons.value not in self.pictures:
                self.buttons.unobserve(self._chosen, "value")
                self.buttons.value = None
                self.buttons.observe(self._chosen, "value")

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
