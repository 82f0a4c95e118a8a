"""A button for files from the browser, which may have any name, size and contents."""

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets
import traitlets

from ..errors import StylelibError
from ..pictures.names import last_part
from .part import Part, script

LARGEST = 100_000_000  # bytes; a good camera's pictures take 30 million at most


class Upload(Part):
    """A button that takes a file, also one that is dropped on it; see uploads.js."""

    _esm = script("uploads.js")
    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode("image/*").tag(sync=True)
    largest = traitlets.Int(LARGEST).tag(sync=True)
    value = traitlets.Tuple()  # of one dictionary, with the name, size and content of a file

    def __init__(self, **looks: Any) -> None:
        super().__init__(**looks)
        self._parts = bytearray()
        self.on_msg(self._receive)

    def _receive(self, _: Any, told: Any, parts: list[Any]) -> None:
        """Put the parts of a file together."""
        if "name" not in told:
            return
        name, size = str(told["name"]), int(told["size"])
        if told["start"] == 0:
            self._parts = bytearray()
        if told["start"] != len(self._parts):
            return  # of a file that another one has replaced
        if size <= LARGEST:
            for part in parts:
                self._parts += part
        if len(self._parts) >= size or size > LARGEST or told.get("unreadable"):
            content, self._parts = bytes(self._parts), bytearray()
            self.value = ({"name": name, "size": size, "content": content},)


def upload_button(
    use: Callable[[bytes, str], object], message: ipywidgets.HTML, **looks: Any
) -> Upload:
    """A button that hands a file's contents and name to `use`, and shows errors in `message`."""
    upload = Upload(**looks)

    def receive(_: Any) -> None:
        if not upload.value:
            return
        file: dict[str, Any] = upload.value[0]
        upload.value = ()  # not kept, and the same file can be uploaded again
        name, size = last_part(file["name"]), max(len(file["content"]), file["size"])
        try:
            if size > LARGEST:
                raise StylelibError(
                    f"{name} is {size / 1e6:.0f} MB; a file may be {LARGEST / 1e6:.0f} at most. "
                    f"Make it smaller in an image editor first."
                )
            use(bytes(file["content"]), name)
        except StylelibError as error:
            text = str(error).replace("The given data", name)
            message.value = f"<b>{escape(text)}</b>"

    upload.observe(receive, "value")
    return upload
