"""What stylelib sets in every Jupyter server of its installation: the size of uploads.

``etc/jupyter/jupyter_server_config.d/stylelib.json``, which comes with the wheel, switches it on:
JupyterHub, Binder and others start their servers themselves, and not with ``stylelib lab``.
"""

from typing import Any

SETTINGS = {"websocket_max_message_size": 200_000_000}
"""For Tornado. Jupyter's own limit, 10 MB, breaks the connection when a photo from a good camera is
uploaded."""


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    for name, value in SETTINGS.items():
        server.web_app.settings.setdefault(name, value)
