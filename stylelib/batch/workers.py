"""Who paints: this process, several processes of this computer, or the workers of a Dask cluster.

Each of the three takes tasks one after the other, no more than it can work on soon, and hands
back each outcome as soon as it is there. A worker that dies takes nothing with it but its task,
which another one takes up again.
"""

import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from itertools import islice
from multiprocessing import active_children, get_context
from typing import TYPE_CHECKING, Any, TypeVar

import psutil
import torch

from ..errors import StylelibError
from ..memory import free_memory
from .tasks import Outcome, Task, attempt

if TYPE_CHECKING:
    from ..engine.transfer import Step

T = TypeVar("T")
Tasks = Iterable[tuple[T, Task]]
Outcomes = Iterator[tuple[T, Outcome]]

_DIED = (
    "The program that painted it ended without a word; the computer may have run out of memory. "
    "Use a smaller size, or fewer jobs."
)
_PATIENCE = 300.0  # seconds in which a scheduler that went away may come back
_PER_WORKER = 2_000_000_000  # bytes; painting 512 pixels takes 1.4 GB
_WAIT = 1.0  # seconds between two looks at a cluster


def in_turn(tasks: Tasks[T], show: "Callable[[Step], None] | None" = None) -> Outcomes[T]:
    """Paint one picture after the other, in this process; `show` is called with each step."""
    for which, task in tasks:
        yield which, attempt(task, show)


def on_processes(tasks: Tasks[T], jobs: int) -> Outcomes[T]:
    """Paint several pictures at a time, each in a process of its own.

    Parameters
    ----------
    tasks : iterable of (anything, Task)
    jobs : int
        How many at a time; they share the computer's cores.

    Yields
    ------
    anything, Outcome
        In the order in which they get done.
    """
    left = iter(tasks)
    again: deque[tuple[T, Task]] = deque()  # each was being painted when a process died
    with _Pool(jobs) as pool:
        running: dict[Future[Outcome], tuple[T, Task]] = {}
        while True:
            if again and not running:  # alone, so that it is known which one a process dies of
                running[pool.submit(again[0][1])] = again[0]
            elif not again:
                for which, task in islice(left, jobs - len(running)):
                    running[pool.submit(task)] = which, task
            if not running:
                return
            done = wait(running, return_when=FIRST_COMPLETED).done
            died = []
            for future in done:
                which, task = running.pop(future)
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    died.append((which, task))
                    continue
                if again and again[0][1] is task:
                    again.popleft()
                yield which, outcome
            if died:
                died += running.values()
                running.clear()
                pool.renew()
                if again:
                    yield again.popleft()[0], Outcome(error=_DIED)
                else:
                    again.extend(died)


class _Pool:
    """Processes that can be ended at once, and be replaced when one of them died."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._threads = max(1, torch.get_num_threads() // jobs)
        self._begin()

    def _begin(self) -> None:
        self._before = set(active_children())
        # Not forked: PyTorch's threads don't survive it.
        self._pool = ProcessPoolExecutor(
            self._jobs, get_context("spawn"), _set_up, (self._threads,)
        )

    def submit(self, task: Task) -> Future[Outcome]:
        return self._pool.submit(attempt, task)

    def renew(self) -> None:
        self._end()
        self._begin()

    def _end(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for child in set(active_children()) - self._before:
            child.kill()
        self._pool.shutdown()

    def __enter__(self) -> "_Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()


def _set_up(threads: int) -> None:
    """Prepare a process for painting. Ctrl-C is for the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(threads)


def on_cluster(tasks: Tasks[T], address: str | None = None) -> Outcomes[T]:
    """Paint on the workers of a Dask cluster.

    Parameters
    ----------
    tasks : iterable of (anything, Task)
    address : str, optional
        The scheduler's, for example ``tcp://10.0.0.5:8786``. By default the one in Dask's
        configuration or, if there is none, a cluster on this computer.

    Yields
    ------
    anything, Outcome
        In the order in which they get done.

    Raises
    ------
    StylelibError
        If Dask is not installed, or there is no such scheduler.

    Notes
    -----
    Dask takes the tasks of a worker that died to another one. A task that three workers died of
    is given up. If the scheduler went away, everything that was not back is sent again, once it
    is there.
    """
    with _Cluster(address) as cluster:
        left = iter(tasks)
        running: dict[Any, tuple[T, Task]] = {}
        while True:
            for which, task in islice(left, max(0, cluster.room() - len(running))):
                running[cluster.submit(task)] = which, task
            if not running:
                return
            for future in cluster.finished(running):
                which, task = running.pop(future)
                outcome = cluster.outcome(future)
                if outcome is None:
                    running[cluster.submit(task)] = which, task
                else:
                    yield which, outcome


class _Cluster:
    """A Dask client that waits for its scheduler, and keeps away from workers that can't paint."""

    def __init__(self, address: str | None) -> None:
        try:
            import distributed
        except ImportError as error:
            raise StylelibError(
                'Painting on a cluster needs Dask: pip install "stylelib[cluster]".'
            ) from error
        self._dask = distributed
        self._address = address
        self._unfit: set[str] = set()  # workers that can't paint
        try:
            self._client = self._connect()
        except (OSError, ValueError) as error:
            where = f"at {address}" if address else "of Dask's configuration"
            raise StylelibError(
                f"The scheduler {where} does not answer ({error}). Check the address, and that "
                f"it is running: dask scheduler"
            ) from error

    def _connect(self) -> Any:
        import dask

        if self._address or dask.config.get("scheduler-address", None):
            return self._dask.Client(self._address)
        cores = psutil.cpu_count() or 1
        workers = max(1, min(cores, free_memory() // _PER_WORKER))
        return self._dask.Client(n_workers=workers, threads_per_worker=1, dashboard_address=None)

    def __enter__(self) -> "_Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # whatever is wrong with the connection, the work is over
            self._client.close()

    def room(self) -> int:
        """How many tasks it is worth to hand over: each worker has one, and the next one."""
        return max(2, 2 * len(self._workers()))

    def _workers(self) -> list[str]:
        if self._client.status != "running":
            return []
        return list(self._client.scheduler_info(n_workers=-1)["workers"])

    def submit(self, task: Task) -> Any:
        """Hand over a task, to one of the workers that can paint."""
        fit = [worker for worker in self._workers() if worker not in self._unfit]
        only = {"workers": fit} if self._unfit and fit else {}
        return self._client.submit(_attempt_there, task, pure=False, **only)

    def finished(self, futures: Iterable[Any]) -> list[Any]:
        """Wait for some that are finished, or lost with their scheduler."""
        futures = list(futures)
        while not (done := [one for one in futures if one.status != "pending"]):
            time.sleep(_WAIT / 10)
        return done

    def outcome(self, future: Any) -> Outcome | None:
        """The outcome, or None if the task has to be handed over again."""
        if future.status in ("cancelled", "lost"):
            self._wait_for_scheduler()
            return None
        try:
            worker, outcome = future.result()
        except self._dask.KilledWorker:
            return Outcome(error=_DIED)
        except ImportError as error:
            return Outcome(
                error=f"A worker of the cluster can't paint ({error}). Install stylelib there."
            )
        assert isinstance(outcome, Outcome)
        if not outcome.unfit:
            return outcome
        self._unfit.add(worker)
        if set(self._workers()) <= self._unfit:
            return Outcome(error=outcome.error)
        return None

    def _wait_for_scheduler(self) -> None:
        start = time.monotonic()
        while self._client.status != "running":
            if time.monotonic() - start > _PATIENCE:
                raise StylelibError(
                    "The scheduler went away and did not come back. What is painted is saved; "
                    "start again to go on."
                )
            time.sleep(_WAIT)
            if self._client.status == "closed":
                with suppress(OSError):
                    self._client = self._connect()


def _attempt_there(task: Task) -> tuple[str, Outcome]:
    """Paint on a worker of a cluster, and say which one it is."""
    from distributed import get_worker

    return get_worker().address, attempt(task)
