"""Says in the browser that the kernel is busy with other cells, when the kernel itself can't."""

from pathlib import Path
from typing import Any

import traitlets

from .part import Part, script

_HERE = Path(__file__).parent
_WORDS = {
    "opened": "Other cells are still running. You can press Paint already: painting begins when "
    "they have finished.",
    "pressed": "Waiting for the cells below to finish. Then what you pressed happens.",
}


class Lookout(Part):
    """A sentence that appears while presses wait for other cells; see lookout.js."""

    _esm = script("lookout.js")
    _css = _HERE / "lookout.css"
    words = traitlets.Dict(_WORDS).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.on_msg(_answer)


def _answer(lookout: Any, question: Any, _: Any) -> None:
    """Send the browser's question back: then the kernel is free."""
    if "asked" in question:
        lookout.send(question)
