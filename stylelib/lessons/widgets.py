"""Controls that the explorers of several lessons have."""

from collections.abc import Iterable

from ipywidgets import Dropdown


def menu(name: str, options: Iterable[str], value: str, tooltip: str) -> Dropdown:
    """A menu to choose one of several names."""
    return Dropdown(options=list(options), value=value, description=name, tooltip=tooltip)
