"""PyTorch's modes that hold for all that a thread computes, whoever switched them on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch


@contextmanager
def usual_modes() -> Iterator[None]:
    """Compute as if the caller had switched on nothing: gradients, full precision, on the CPU.

    In a notebook all may run under ``torch.no_grad()`` or ``torch.inference_mode()``, which leave
    nothing to descend on, under ``torch.autocast``, or with a default device. A given device or
    dtype still holds.
    """
    with ExitStack() as modes:
        modes.enter_context(torch.inference_mode(False))
        modes.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda", "mps"):
            if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
                modes.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":  # it costs time at each operation
            modes.enter_context(torch.device("cpu"))
        yield
