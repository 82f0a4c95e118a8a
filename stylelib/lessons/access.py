"""What ipywidgets leaves out for people who use the keyboard or a screen reader."""

from pathlib import Path

import anywidget
import traitlets


class Access(anywidget.AnyWidget):
    """Invisible; put it among other widgets, and they all get what they lack: see access.js.

    Sliders, menus and buttons without a text get a name, the pages of an accordion open with
    *Enter* or *Space*, Jupyter's shortcuts keep out, and a button that is disabled when it is
    pressed keeps the focus.
    """

    _esm = Path(__file__).parent / "access.js"
    words = traitlets.Dict(
        {
            "play": "Play",
            "pause": "Pause",
            "stop": "Stop, and go back to the start",
            "repeat": "Repeat",
            "progress": "Progress",
        }
    ).tag(sync=True)
