"""What has to be settled before PyTorch is loaded: where it runs, and how its threads wait."""

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
