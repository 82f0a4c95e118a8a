"""How the controls look."""

from typing import Any

import ipywidgets

ROW = {"width": "100%", "flex_flow": "row wrap", "align_items": "center"}
WIDE = {"style": {"description_width": "110px"}, "layout": {"width": "calc(100% - 6px)"}}
"""A control as wide as its page, with a label of the same width as the others'."""


def close_all(widget: Any) -> None:
    """Close a widget with all its children; otherwise ipywidgets keeps them for ever."""
    for part in getattr(widget, "children", ()):
        close_all(part)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, ipywidgets.Widget):
            part.close()
    ipywidgets.Widget.close(widget)
