"""What tests run in a Python of their own, with limits that only it has."""

import os
import subprocess
import sys


def python(code: str, *arguments: object, limit: str = "") -> str:
    """What a fresh Python prints; `limit` is a command of the shell for before it starts."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    if limit:
        command = ["sh", "-c", f'{limit}; exec "$@"', "sh", *command]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


KEEP = """
import resource, psutil, torch
from stylelib.memory import give_back, keep_memory

def pages(pieces=20, each=60_000_000):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(pieces):
        torch.ones(each // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def size():
    return psutil.Process().memory_info().rss

"""
