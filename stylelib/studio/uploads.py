"""What a browser sends: a file of any name, size and contents."""

from typing import Any

import ipywidgets

from ..errors import StylelibError
from ..pictures.names import last_part

LARGEST = 100_000_000  # bytes; a picture of a good camera has 30 million at most


def take(upload: ipywidgets.FileUpload) -> tuple[bytes, str] | None:
    """The file that was uploaded, and its name; None if there is none.

    The widget lets go of it, and can take the same file again.

    Raises
    ------
    StylelibError
        If it is too large.
    """
    if not upload.value:
        return None
    file: dict[str, Any] = upload.value[0]
    upload.value = ()
    name, size = last_part(file["name"]), len(file["content"])
    if size > LARGEST:
        raise StylelibError(
            f"{name} has {size / 1e6:.0f} MB; a picture may have {LARGEST / 1e6:.0f}. "
            f"Make it smaller in an image editor first."
        )
    return bytes(file["content"]), name
