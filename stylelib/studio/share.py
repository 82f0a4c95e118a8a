"""Take it elsewhere: the code of a picture, and the settings for somebody else's studio."""

from collections.abc import Callable
from html import escape

import ipywidgets
import traitlets

from .part import Part, script
from .runs import Run
from .uploads import upload_button

_NOTHING = "Once a picture is painted, the Python code for it appears here."
_SETTINGS = (
    "<b>Settings</b> are the names of the pictures and all that you have set, without the pictures "
    "themselves. Copied, they can be pasted into a cell of another notebook; a file can be opened "
    "here. So can every picture that was saved: it records how it was made."
)


class Copy(Part):
    """A button that copies `text`; see copy.js."""

    _esm = script("copy.js")
    description = traitlets.Unicode().tag(sync=True)
    tooltip = traitlets.Unicode().tag(sync=True)
    done = traitlets.Unicode("Copied.").tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)  # nothing can be copied while it is empty


class Share(ipywidgets.VBox):
    """The code of the run that is shown, and the settings to copy, to save and to open.

    `opened`, once it is set, is called with the contents of a file.
    """

    opened: Callable[[bytes], object]

    def __init__(self) -> None:
        self.code, self.message, self.saved = (ipywidgets.HTML() for _ in range(3))
        self.copy_code = Copy(description="Copy the code", tooltip="Copy the Python code above")
        self.copy_settings = Copy(
            description="Copy the settings",
            tooltip="Copy a line of Python that opens a studio with these settings",
        )
        self.save = ipywidgets.Button(
            description="Save settings",
            icon="save",
            tooltip="Save the settings as a file beside the notebook",
        )
        self.upload = upload_button(
            lambda data, _: self.opened(data),
            self.message,
            description="Open settings or a painted picture",
            tooltip="Choose a file of settings or a picture that was painted, or drop it here",
            accept=".json,image/png,image/jpeg",
        )
        row = ipywidgets.HBox([self.copy_settings, self.save, self.upload])
        row.add_class("stylelib-bar")
        words = ipywidgets.HTML(f"<div class='stylelib-words'>{_SETTINGS}</div>")
        super().__init__([self.code, self.copy_code, words, row, self.saved, self.message])
        self.tell(None)

    def tell(self, run: Run | None) -> None:
        """Show how to paint a run again in Python."""
        if run is None or not run.losses:
            self.code.value, self.copy_code.text = _NOTHING, ""
            return
        given = [run.content, *run.paintings, *([run.mask] if run.mask else [])]
        files = ", ".join(p.name for p in given if isinstance(p.source, bytes))
        note = f"<p>First put these files beside the notebook: {escape(files)}</p>" if files else ""
        self.copy_code.text = run.code()
        self.code.value = (
            f"<p>Paste this into a cell to paint {escape(run.title)} again.</p>{note}"
            f"<pre style='white-space:pre-wrap; line-height:1.4'>{escape(run.code())}</pre>"
        )

    def say(self, notes: list[str]) -> None:
        """Show what could not be taken over."""
        self.message.value = "".join(f"<p>{escape(note)}</p>" for note in notes)


def settings_code(kind: str, text: str) -> str:
    """A line of Python that opens a painter of that kind with a setup."""
    return f"from stylelib.studio import {kind}\n\n{kind}(setup={text!r})"
