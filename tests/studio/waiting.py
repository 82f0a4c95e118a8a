"""Wait as a kernel does, with the event loop running."""

import asyncio
import time
from collections.abc import Callable
from typing import Any


async def later(true: Callable[[], Any], timeout: float = 120) -> None:
    """Wait until something is true, `timeout` seconds at most."""
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
