"""Paint in a background thread while the controls stay responsive.

The thread only computes: it never touches a widget and never prints. Whatever
there is to show is shown on the kernel's own event loop.
"""

import asyncio
import atexit
import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ..core.vgg import VGG19
from ..engine.pace import Pace, measure_pace
from ..engine.sharing import share
from ..engine.transfer import Step, Transfer
from ..errors import OUT_OF_MEMORY, StylelibError, is_out_of_memory
from ..memory import give_back
from ..recipes import Recipe
from .runs import Run

PERIOD = 0.2  # seconds between two redraws, at least

Make = Callable[[], Transfer | None]
"""Makes the transfer; None if there is nothing more to do."""
Each = Callable[[Step, dict[str, Any], float], None]
"""Called after each step with the changes made just before it, and the seconds it took."""
Tell = Callable[[], None]

_alive: "weakref.WeakSet[Job]" = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alive.clear)  # the child has the jobs, not their threads


class Job:
    """One transfer, run to its end in a thread or right here. Idle until it is started.

    The bound method `tell` is called when there is something new to show, at most about
    five times a second: on the event loop that `start` was called from or, with `run`, on
    the caller's own thread. It is held weakly: once its owner is gone, the thread ends.
    The owner's previous job is stopped, and this one begins its work when that one has
    ended, so that there are never two.
    """

    def __init__(self, tell: Tell, previous: "Job | None" = None) -> None:
        self._tell = weakref.WeakMethod(tell)
        self._previous = previous
        if previous is not None:
            previous.stop()
        self._gate = threading.Condition()
        self._phase = "idle"
        self._wanted = "go"  # or "wait"; or "end", which is final
        self._waiting = False
        self._changes: dict[str, Any] = {}
        self._told, self._posted = float("-inf"), False
        self._thread: threading.Thread | None = None  # in the background
        self._here: int | None = None  # the thread that `run` was called in
        self._over = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.error: str | None = None  # what went wrong, in words

    @property
    def state(self) -> str:
        """One of "idle", "preparing", "painting", "pausing", "paused" or "stopping"."""
        if self._phase == "idle" or self._wanted == "go":
            return self._phase
        if self._wanted == "end":
            return "stopping"
        return "paused" if self._waiting else "pausing"

    @property
    def busy(self) -> bool:
        """Whether the job is under way, even if paused."""
        return self._phase != "idle"

    @property
    def over(self) -> bool:
        """Whether the job was under way, and has ended."""
        return self._over.is_set()

    def start(self, make: Make, each: Each) -> None:
        """Paint in the background.

        All other painters in this kernel are paused: two at once would only slow
        each other down. Neither `make` nor `each` may touch a widget, because both are
        called in the thread.
        """
        pause_all()
        _alive.add(self)
        self._phase = "preparing"
        self._loop = running_loop()
        self._thread = threading.Thread(
            target=self._work_silently, args=(make, each), name="stylelib painter", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError as error:  # the system allows no more threads
            self._thread, self._phase, self.error = None, "idle", in_words(error)
            self._over.set()
            self._news(now=True)

    def run(self, make: Make, each: Each) -> None:
        """Paint right here, to the end; whatever goes wrong is raised unchanged."""
        pause_all()
        self._phase, self._here = "preparing", threading.get_ident()
        self._work(make, each)

    def pause(self) -> None:
        """Wait after the current step."""
        self._want("wait")

    def resume(self) -> None:
        """Continue after `pause`."""
        self._want("go")

    def stop(self, wait: bool = False) -> None:
        """End after the current step; with `wait`, return only once it has ended."""
        self._want("end")
        if wait:
            self.join()

    def change(self, **changes: Any) -> None:
        """Change settings of the recipe before the next step; see `Transfer.change`."""
        with self._gate:
            self._changes |= changes

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the work to end; returns whether it has, or whether this thread does it."""
        if self._thread is None:  # Jupyter handles buttons in another thread than cells
            return self._here in (None, threading.get_ident()) or self._over.wait(timeout)
        if self._thread is threading.current_thread():
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _want(self, wanted: str) -> None:
        with self._gate:
            if self._wanted != "end":
                self._wanted = wanted
                self._gate.notify_all()

    def _work_silently(self, make: Make, each: Each) -> None:
        """Nobody could catch an exception in a thread; `error` says what it was."""
        with suppress(BaseException):
            self._work(make, each)

    def _work(self, make: Make, each: Each) -> None:
        transfer = None
        try:
            if self._previous is not None:
                self._previous.join()  # in the thread, so that the kernel doesn't wait
                self._previous = None
            transfer = make()
            while transfer is not None and self._may_go_on():
                begun = time.perf_counter()
                changes = self._apply_changes(transfer)
                step = next(transfer, None)
                if step is None:
                    self.error = transfer.stopped
                    break
                each(step, changes, time.perf_counter() - begun)
                self._news()
        except BaseException as error:
            self.error = in_words(error)
            raise
        finally:
            if transfer is not None:
                transfer.network.forget()
            transfer = None  # its feature maps take most of the memory
            share.rest()
            give_back()
            self._over.set()
            self._phase = "idle"
            self._news(now=True)

    def _may_go_on(self) -> bool:
        """Wait while paused; returns whether to take another step."""
        with self._gate:
            self._phase = "painting"
            while self._wanted == "wait" and self._tell() is not None:
                self._waiting = True
                self._news(now=True)
                self._gate.wait(1.0)
            self._waiting = False
            return self._wanted == "go" and self._tell() is not None

    def _apply_changes(self, transfer: Transfer) -> dict[str, Any]:
        with self._gate:
            changes, self._changes = self._changes, {}
        if changes:
            try:
                transfer.change(**changes)
            except StylelibError as error:  # one wrong setting must not cost the picture
                self.error = str(error)
                return {}
            self.error = None
        return changes

    def _news(self, now: bool = False) -> None:
        """Deliver news, unless some is on its way already or has just been delivered."""
        if self._posted or (not now and time.monotonic() - self._told < PERIOD):
            return
        if self._thread is None:
            self._deliver()
        elif self._loop is not None:
            self._posted = True
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the kernel is shutting down
                self.stop()

    def _deliver(self) -> None:
        self._posted, self._told = False, time.monotonic()
        tell = self._tell()
        if tell is not None:
            tell()


class Gauge:
    """Takes a few steps at small sizes to find this computer's pace, once with each workload.

    When it has been measured, `tell` is called as a `Job` calls it.
    """

    def __init__(self, tell: Tell, load: Callable[[Recipe], VGG19]) -> None:
        self._paces: dict[tuple[str, str, str, int, bool], Pace] = {}
        self._tried: set[tuple[str, str, str, int, bool]] = set()
        self._load = load
        self._job = Job(tell)

    def pace(self, run: Run) -> Pace | None:
        """The pace of such a run or, until that is known, of the most similar one, if any."""
        like = [pace for work, pace in self._paces.items() if work[0] == run.workload[0]]
        known = [*like, *self._paces.values()]
        return self._paces.get(run.workload, known[0] if known else None)

    def measure(self, run: Run) -> None:
        """Start measuring, unless that has been tried or the computer is busy painting."""
        load, paces, work = self._load, self._paces, run.workload

        def measure() -> None:
            paces[work] = measure_pace(
                lambda recipe: replace(run, recipe=recipe).transfer(load), run.recipe
            )

        if work not in self._tried and not any(job.busy for job in list(_alive)):
            self._tried.add(work)
            self._job.start(measure, lambda *_: None)

    def wait(self) -> None:
        """Wait until a measurement under way has ended."""
        self._job.join()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that is running here; a notebook's kernel has one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def pause_all() -> None:
    """Pause every job in this kernel."""
    for job in list(_alive):
        job.pause()


def in_words(error: BaseException) -> str:
    """What went wrong, for a student."""
    if isinstance(error, StylelibError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted. The picture so far is kept."
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    return f"An unexpected error occurred ({type(error).__name__}: {error}). Try again."


@atexit.register
def end_all() -> None:
    """End every job: a thread still computing while Python shuts down would crash it."""
    for job in list(_alive):
        job.stop()
    for job in list(_alive):
        job.join(10)
