"""One background thread that paints, while the controls stay alive.

The thread only computes: it never touches a widget and never prints. What there
is to show is shown on the kernel's own event loop.
"""

import asyncio
import atexit
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from ..engine.transfer import Step, Transfer
from ..errors import OUT_OF_MEMORY, StylelibError, is_out_of_memory
from ..memory import give_back

PERIOD = 0.2  # seconds between two redraws, at least

Make = Callable[[], Transfer | None]
Each = Callable[[Step, dict[str, Any], float], None]

_alive: "weakref.WeakSet[_Job]" = weakref.WeakSet()


def anyone_busy() -> bool:
    """Whether any painter of this kernel has something under way."""
    return any(job.state != "idle" for job in list(_alive))


class Worker:
    """Takes a transfer's steps in a thread; at most one at a time.

    Parameters
    ----------
    tell : bound method
        Called with no arguments when there is something new to show, about five
        times a second at most: on the event loop that `start` was called from,
        or, in `run`, on the caller's own thread. Held weakly: when its owner is
        gone, the thread ends.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = weakref.WeakMethod(tell)
        self._job: _Job | None = None

    @property
    def state(self) -> str:
        """One of "idle", "preparing", "painting", "pausing", "paused", "stopping"."""
        return self._job.state if self._job is not None else "idle"

    @property
    def busy(self) -> bool:
        """Whether there is a thread, even one that waits."""
        return self.state != "idle"

    @property
    def error(self) -> str | None:
        """What went wrong in the newest job, in words."""
        return self._job.error if self._job is not None else None

    def start(self, make: Make, each: Each, changes: dict[str, Any] | None = None) -> None:
        """Paint in the background, once whatever this worker did before has stopped.

        Painters elsewhere in this kernel are told to pause: two at once would
        only slow each other down.

        Parameters
        ----------
        make : callable
            Makes the transfer; called in the thread, since loading takes time. If
            it returns None, that was all there was to do.
        each : callable
            Called in the thread after each step, with the step, the changes that
            were made just before it, and the seconds it took. Must not touch a
            widget.
        changes : dict, optional
            To `change` before the first step.
        """
        job = self._next(make, each, changes)
        _alive.add(job)
        job.thread = threading.Thread(target=job.run, name="stylelib painter", daemon=True)
        job.thread.start()

    def run(self, make: Make, each: Each, changes: dict[str, Any] | None = None) -> None:
        """Paint here and now, to the end.

        Raises
        ------
        Exception
            Whatever went wrong, as it was; `error` has it in words.
        """
        job = self._next(make, each, changes)
        job.loop = None
        job.run()
        if job.failure is not None:
            raise job.failure

    def _next(self, make: Make, each: Each, changes: dict[str, Any] | None) -> "_Job":
        self.stop()
        for other in list(_alive):
            other.pause()
        self._job = _Job(make, each, self._tell, before=self._job)
        self._job.change(changes or {})
        return self._job

    def pause(self) -> None:
        """Wait after the step that is being taken."""
        if self._job is not None:
            self._job.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        if self._job is not None:
            self._job.want("go")

    def stop(self, wait: bool = False) -> None:
        """End after the step that is being taken; with `wait`, not before it has."""
        if self._job is not None:
            self._job.want("end")
            if wait:
                self._job.join()

    def change(self, **changes: Any) -> None:
        """Change settings of the recipe, before the next step; see `Transfer.change`."""
        if self._job is not None:
            self._job.change(changes)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the thread; returns whether it has ended."""
        return self._job is None or self._job.join(timeout)


class _Job:
    """One transfer's life in the thread. What the thread holds is this, and no widget."""

    def __init__(
        self,
        make: Make,
        each: Each,
        tell: "weakref.WeakMethod[Callable[[], None]]",
        before: "_Job | None",
    ) -> None:
        self._before = before
        self._make, self._each, self._tell = make, each, tell
        self._gate = threading.Condition()
        self._wanted, self._changes = "go", dict[str, Any]()
        self._told, self._posted = float("-inf"), False
        self.state = "preparing"
        self.error: str | None = None
        self.failure: BaseException | None = None
        self.thread: threading.Thread | None = None
        try:
            self.loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self.loop = None

    def pause(self) -> None:
        with self._gate:
            if self._wanted == "go" and self.state in ("preparing", "painting"):
                self._wanted, self.state = "wait", "pausing"

    def want(self, wanted: str) -> None:
        with self._gate:
            if self.state == "idle" or self._wanted in ("end", wanted):
                return
            self._wanted = wanted
            self.state = "painting" if wanted == "go" else "stopping"
            self._gate.notify_all()

    def change(self, changes: dict[str, Any]) -> None:
        with self._gate:
            self._changes |= changes

    def join(self, timeout: float | None = None) -> bool:
        if self.thread is not None and self.thread is not threading.current_thread():
            self.thread.join(timeout)
            return not self.thread.is_alive()
        return True

    def run(self) -> None:
        """All of it. Errors are kept, not raised: nobody could catch them in a thread."""
        transfer = None
        try:
            if self._before is not None:
                self._before.join()  # never two at work; waited for here, not in the kernel
                self._before = None
            transfer = self._make()
            while transfer is not None and self._may_go_on():
                begun = time.perf_counter()
                changes = self._apply_changes(transfer)
                step = next(transfer, None)
                if step is None:
                    self.error = transfer.stopped
                    break
                self._each(step, changes, time.perf_counter() - begun)
                self._news()
        except BaseException as error:
            self.failure, self.error = error, in_words(error)
        finally:
            # Let go of the network's maps: they are most of the memory.
            del self._make, self._each
            transfer = None
            give_back()
            with self._gate:
                self.state = "idle"
            self._news(now=True)

    def _may_go_on(self) -> bool:
        """Wait while that is wanted; returns whether there is to be another step."""
        with self._gate:
            if self._wanted == "go":
                self.state = "painting"
            while self._wanted == "wait":
                self.state = "paused"
                self._news(now=True)
                self._gate.wait(1.0)
                if self._tell() is None:
                    return False
            return self._wanted == "go" and self._tell() is not None

    def _apply_changes(self, transfer: Transfer) -> dict[str, Any]:
        with self._gate:
            changes, self._changes = self._changes, {}
        if changes:
            try:
                transfer.change(**changes)
            except StylelibError as error:  # a wrong knob must not cost the picture
                self.error = str(error)
                return {}
            self.error = None
        return changes

    def _news(self, now: bool = False) -> None:
        """Have it shown; unless that is under way already, or was a moment ago."""
        if self._posted or (not now and time.monotonic() - self._told < PERIOD):
            return
        if self.thread is None:
            self._deliver()
        elif self.loop is not None:
            self._posted = True
            try:
                self.loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the kernel is shutting down
                self.want("end")

    def _deliver(self) -> None:
        self._posted, self._told = False, time.monotonic()
        tell = self._tell()
        if tell is not None:
            tell()


def in_words(error: BaseException) -> str:
    """What went wrong, for a student."""
    if isinstance(error, StylelibError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted. What was painted so far is kept."
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    return f"Something unforeseen went wrong ({type(error).__name__}: {error}). Try again."


@atexit.register
def _end_all() -> None:
    """A thread that computes while Python takes itself down would crash it."""
    for job in list(_alive):
        job.want("end")
    for job in list(_alive):
        job.join(10)
