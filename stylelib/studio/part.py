"""What all parts of the studio that have a script of their own share."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import anywidget
import traitlets

_HERE = Path(__file__).parent


def script(name: str) -> str:
    """The script of a part, from a file beside this one."""
    return "".join((_HERE / file).read_text(encoding="utf-8") for file in ("listen.js", name))


class Part(anywidget.AnyWidget):
    """A widget whose `_esm` is a `script`, which may load late; see listen.js."""

    own_id = traitlets.Unicode().tag(sync=True)  # its own, for the script

    def __init__(self, **traits: Any) -> None:
        own = uuid4().hex  # the script needs it even if it never hears of a change
        super().__init__(model_id=own, own_id=own, **traits)
        self.on_msg(_answer)


def _answer(part: Any, message: Any, _: Any) -> None:
    """Send everything again, once the script can hear it."""
    if isinstance(message, dict) and message.get("listening"):
        part.send_state([key for key in part.keys if not key.startswith("_")])
