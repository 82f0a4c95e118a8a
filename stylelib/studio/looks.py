"""How the controls look: widths and rows that they share."""

from typing import Any

import ipywidgets

ROW = {"width": "100%", "flex_flow": "row wrap", "align_items": "center"}
WIDE = {"description_width": "110px"}
FULL = {"width": "calc(100% - 6px)"}


def button(name: str, icon: str, tooltip: str, kind: str = "") -> Any:
    """A button with a word and an icon."""
    return ipywidgets.Button(
        description=name,
        icon=icon,
        tooltip=tooltip,
        button_style=kind,
        layout={"width": "auto", "min_width": "84px"},
    )


def close_all(widget: Any) -> None:
    """Close a widget with all its children; otherwise ipywidgets keeps them for ever."""
    for part in getattr(widget, "children", ()):
        close_all(part)
    for name in ("layout", "style"):
        part = getattr(widget, name, None)
        if isinstance(part, ipywidgets.Widget):
            part.close()
    ipywidgets.Widget.close(widget)
