"""How PyTorch's threads wait for each other, decided before PyTorch is loaded."""

import os


def let_threads_sleep() -> None:
    """Let PyTorch's threads go to sleep soon instead of spinning while they wait.

    On Linux, PyTorch's threads (GNU OpenMP) spin while they wait for each other. When
    another program keeps one of two cores busy, a step then takes 20 to 35 times as long
    (see ``benchmarks/busy.py``). With this setting they sleep after about a tenth of a
    millisecond; on an idle computer the next operation comes sooner than that.

    OpenMP reads the variable when PyTorch is loaded, and the kernels that JupyterLab
    starts inherit it. Nothing changes if the user has set how threads wait.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "3000")
