"""A picture that stays in the notebook where a widget was, for whoever opens it without a kernel.

A notebook stores what a cell has put out, but not a widget: opened the next day, JupyterLab
would say "Error displaying widget: model not found", though the same output holds a picture, too.
So a widget is followed by two more outputs: a note, which styles all three, and a picture. The
style shows either the widget, while it is connected to a running kernel, or
note and picture. Elsewhere (GitHub, HTML made of the notebook) there is no widget, and the
picture is there as well.
"""

import os
import sys
import time
from collections.abc import Callable
from html import escape
from typing import Any

from IPython.display import display

from .theme import with_picture

_VIEW = "application/vnd.jupyter.widget-view+json"
_NOTE = "This is what was shown here last. To use the controls again, run this cell again."
_OUTPUT = ".jp-OutputArea-child"
_NOTED = ".jp-OutputArea-child:has(.stylelib-still)"
# What comes just before the note. JupyterLab 4.6 no longer marks a widget by its MIME type.
_WIDGET = f"{_OUTPUT}:has(+ {_OUTPUT} .stylelib-still)"
_ALIVE = ":has(> * > .widget-vbox:not(.jupyter-widgets-disconnected))"
# A widget appears a moment after its output, and one that is missing is searched for for 2 s.
_STYLE = f"""
{_WIDGET}{_ALIVE} + {_NOTED}, {_WIDGET}{_ALIVE} + {_NOTED} + {_OUTPUT} {{display:none}}
{_WIDGET}:not({_ALIVE}) {{display:none}}
{_WIDGET} + {_NOTED} .stylelib-still {{display:block!important; visibility:hidden;
  animation:stylelib-still 0s 2.3s forwards}}
{_WIDGET} + {_NOTED} + {_OUTPUT} {{visibility:hidden; animation:stylelib-still 0s .4s forwards}}
@keyframes stylelib-still {{to {{visibility:visible}}}}
"""
_KEPT = 4  # outputs of the same widget that are kept up to date
PERIOD = 5.0  # seconds between two pictures, at least


class Still:
    """The pictures that stand in for one widget, in each of the outputs that show it."""

    def __init__(self) -> None:
        self._handles: list[tuple[Any, Any]] = []  # of the note and the picture
        self._updated = time.monotonic()

    def show(self, bundle: Any) -> None:
        """Display a widget's MIME bundle with a picture, as `with_picture` makes it."""
        formats, metadata = bundle
        if not _in_jupyter():
            display(formats, metadata=metadata, raw=True)
            return
        view = {kind: formats[kind] for kind in (_VIEW,) if kind in formats}
        still = {kind: value for kind, value in formats.items() if kind != _VIEW}
        display(view, raw=True)
        note = display(_note(still["text/plain"]), raw=True, display_id=True)
        picture = display(still, metadata=metadata, raw=True, display_id=True)
        if note is not None and picture is not None:  # plain Python displays nothing
            self._handles = [*self._handles, (note, picture)][-_KEPT:]

    def update(self, make: Callable[[], tuple[str, bytes, str]], now: bool) -> None:
        """Put another picture in its place, right `now` or if the last one is old.

        `make` returns the picture's MIME type, its bytes and what it shows, in words.
        """
        if not self._handles or not (now or time.monotonic() - self._updated > PERIOD):
            return
        formats, metadata = with_picture({}, *make())
        for note, picture in self._handles:
            note.update(_note(formats["text/plain"]), raw=True)
            picture.update(formats, metadata=metadata, raw=True)
        self._updated = time.monotonic()


def _note(words: str) -> dict[str, str]:
    """The note; it describes the picture, since JupyterLab shows no alternative text."""
    text = f"<b>{_NOTE}</b><br>{escape(words)}"
    return {"text/html": f"<style>{_STYLE}</style><div class='stylelib-still' hidden>{text}</div>"}


def _in_jupyter() -> bool:
    """Whether the style above applies; elsewhere both widget and picture would be seen."""
    return "VSCODE_PID" not in os.environ and "google.colab" not in sys.modules
