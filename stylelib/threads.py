"""What is settled before PyTorch is loaded, and after a fork: where it runs, how threads wait."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from os import environ


def need_main_interpreter() -> None:
    """Raise an ImportError in a subinterpreter, for which NumPy and PyTorch are not made."""
    for name in ("_interpreters", "_xxsubinterpreters"):  # from Python 3.13 on, and before
        if find_spec(name):
            interpreters = import_module(name)
            if interpreters.get_current() != interpreters.get_main():
                raise ImportError(
                    "stylelib can't run in a subinterpreter, since PyTorch can't. Start a process "
                    "of its own for it, for example with the module multiprocessing; under "
                    "mod_wsgi, set WSGIApplicationGroup %{GLOBAL}."
                )
            return


def wait_asleep() -> None:
    """Let waiting threads sleep after a tenth of a millisecond, unless the user has set this.

    On Linux they wait by spinning (libgomp), and a spinning thread can keep the one that it
    waits for from running: with one other program busy on two cores, a step at 128 pixels
    takes 1.9 s instead of 0.12 s (benchmarks/busy.py). libgomp reads the variable once, when
    PyTorch loads it, and has no function to change it later. So it is set when stylelib is
    imported: in an editor or on a server nothing else of ours runs before PyTorch does.
    """
    if "OMP_WAIT_POLICY" not in environ:
        environ.setdefault("GOMP_SPINCOUNT", "3000")


def one_thread_in_forks() -> None:
    """Let a forked process, such as one of `multiprocessing`, compute with a single thread.

    It has none of the threads that its parent computed with, and libgomp would wait for them for
    ever. PyTorch's own `DataLoader` does the same.
    """
    if hasattr(os, "register_at_fork"):  # not on Windows, which doesn't fork
        os.register_at_fork(after_in_child=_one_thread)


def _one_thread() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "set_num_threads"):  # it is loaded, and completely
        torch.set_num_threads(1)
