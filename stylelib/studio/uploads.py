"""A button for files from the browser, which may have any name, size and contents."""

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from ..errors import StylelibError
from ..pictures.names import last_part

LARGEST = 100_000_000  # bytes; a good camera's pictures take 30 million at most


def upload_button(
    use: Callable[[bytes, str], object], message: ipywidgets.HTML, **looks: Any
) -> ipywidgets.FileUpload:
    """A button that hands a file's contents and name to `use`, and shows errors in `message`."""
    upload = ipywidgets.FileUpload(accept="image/*", **looks)

    def receive(_: Any) -> None:
        if not upload.value:
            return
        file: dict[str, Any] = upload.value[0]
        upload.value = ()  # not kept, and the same file can be uploaded again
        name, size = last_part(file["name"]), len(file["content"])
        try:
            if size > LARGEST:
                raise StylelibError(
                    f"{name} is {size / 1e6:.0f} MB; a picture may be {LARGEST / 1e6:.0f} at most. "
                    f"Make it smaller in an image editor first."
                )
            use(bytes(file["content"]), name)
        except StylelibError as error:
            text = str(error).replace("The given data", name)
            message.value = f"<b>{escape(text)}</b>"

    upload.observe(receive, "value")
    return upload
