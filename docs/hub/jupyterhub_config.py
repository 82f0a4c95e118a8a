"""stylelib's lessons for a class on one server: a plain JupyterHub.

Start it with ``jupyterhub -f jupyterhub_config.py``; docs/hub/index.md says how to set it up.
"""

import shlex
import sys

c = get_config()  # noqa: F821

MEMORY = 3  # GB that one process of a student may hold

c.JupyterHub.bind_url = "http://:8000"  # put a web server with HTTPS before it, or see ssl_cert
c.Authenticator.allow_all = True  # everybody who has an account on this server

# A student's server copies what is new of the lessons to their home, and then opens them.
stylelib = shlex.join([sys.executable, "-m", "stylelib", "lessons"])
server = shlex.join([sys.executable, "-m", "jupyterhub.singleuser"])
c.Spawner.cmd = [
    "sh", "-c", f'ulimit -d {MEMORY * 1_000_000}; {stylelib}; exec {server} "$@"', "stylelib",
]  # fmt: skip
c.Spawner.default_url = "/lab/tree/stylelib-lessons/00-a-prettier-camel.ipynb"
c.Spawner.env_keep = [*("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV"), "JUPYTER_CONFIG_PATH"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 180  # thirty may start at the same time

# A kernel that has done nothing for 20 minutes gives its memory back; work is in the notebook.
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=1200",
    "--MappingKernelManager.cull_interval=60",
    "--MappingKernelManager.cull_connected=True",
    "--ServerApp.shutdown_no_activity_timeout=3600",
]
