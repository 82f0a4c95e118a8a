"""Jobs started, paused, resumed, stopped, changed and broken in any order, held to a model.

The transfers only wait: each step ends when the test says so. So nothing depends on how fast this
computer is, and the state of every job is known after every action.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from stylelib.errors import StylelibError
from stylelib.studio.jobs import Job

FAILURES: dict[str, tuple[BaseException, str]] = {
    "our own": (StylelibError("The picture is odd."), "The picture is odd."),
    "memory": (MemoryError(), "ran out of memory"),
    "torch's memory": (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out of memory"),
    "unexpected": (KeyError("gone"), "An unexpected error occurred (KeyError"),
    "exit": (SystemExit(3), "An unexpected error occurred (SystemExit: 3)"),
    "interrupt": (KeyboardInterrupt(), "Interrupted. The picture so far is kept."),
}
END = "end"


class Scripted:
    """A transfer whose steps end when `replies` says how: with True, `END` or an exception."""

    stopped = None

    def __init__(self, owner: "Owner", *replies: Any) -> None:
        self.owner, self.begun, self.steps, self.settings = owner, 0, 0, dict[str, Any]()
        self.network = SimpleNamespace(forget=lambda: None)
        self.replies: queue.Queue[Any] = queue.Queue()
        for reply in replies:
            self.replies.put(reply)

    def __next__(self) -> SimpleNamespace:
        self.begun += 1
        self.owner.at_work += 1
        self.owner.most_at_work = max(self.owner.most_at_work, self.owner.at_work)
        reply = self.replies.get(timeout=300)
        self.owner.at_work -= 1
        if isinstance(reply, BaseException):
            raise reply
        if reply is END:
            raise StopIteration
        self.steps += 1
        return SimpleNamespace(iteration=self.steps)

    def change(self, **changes: Any) -> None:
        if changes.get("weight", 0) < 0:
            raise StylelibError("The weight is below 0.")
        self.settings |= changes


class Owner:
    """What a widget is to its jobs."""

    def __init__(self) -> None:
        self.at_work = self.most_at_work = 0
        self.job = Job(self.told)
        self.seen: list[tuple[str, str | None]] = []
        self.threads: set[threading.Thread] = set()

    def told(self) -> None:
        self.threads.add(threading.current_thread())
        self.seen.append((self.job.state, self.job.error))


class Expected:
    """What a job should be doing: the model that the real one is held to."""

    def __init__(self, job: Job, transfer: Scripted, before: "Expected | None") -> None:
        self.job, self.transfer, self.before = job, transfer, before
        self.wanted, self.place = "go", "preparing"  # then "step", "gate" and "over"
        self.steps: list[tuple[int, dict[str, Any]]] = []
        self.remembered: list[tuple[int, dict[str, Any]]] = []  # by the real one
        self.changes: dict[str, Any] = {}
        self.due: dict[str, Any] = {}  # the changes made for the step that is under way
        self.error: str | None = None

    def want(self, wanted: str) -> None:
        if self.wanted != END:
            self.wanted = wanted
        self.settle()

    def settle(self) -> None:
        """Do what needs no reply from the test."""
        if self.place == "preparing" and self.before is not None and self.before.place != "over":
            return
        if self.place in ("preparing", "gate"):
            self.place = {"go": "step", "wait": "gate", END: "over"}[self.wanted]
            if self.place == "step":
                self._apply()

    def _apply(self) -> None:
        self.due, self.changes = self.changes, {}
        if self.due.get("weight", 0) < 0:
            self.error, self.due = "The weight is below 0.", {}
        elif self.due:
            self.error = None

    def step(self) -> None:
        """The step ends well."""
        self.steps.append((len(self.steps) + 1, self.due))
        self.place = "gate"
        self.settle()

    @property
    def has_begun(self) -> bool:
        """Whether the step that should be under way is; between two steps, it could be paused."""
        return self.place != "step" or self.transfer.begun > len(self.steps)

    @property
    def state(self) -> str:
        if self.place == "over":
            return "idle"
        if self.wanted == END:
            return "stopping"
        if self.wanted == "wait":
            return "paused" if self.place == "gate" else "pausing"
        return "painting" if self.place == "step" else "preparing"


class Jobs(RuleBasedStateMachine):
    """Two owners, each with one job after the other."""

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.trouble: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.trouble.append(context))
        self.owners = [Owner(), Owner()]
        self.chains: list[list[Expected]] = [[], []]

    def do(self, action: Callable[[], Any]) -> None:
        """Do something as a kernel does, on its event loop, and wait until the jobs follow."""

        async def work() -> None:
            action()
            deadline = time.monotonic() + 60
            while True:
                for job in self.all:
                    job.settle()
                await asyncio.sleep(0)
                found = [(e.job.state, e.remembered) for e in self.all]
                wanted = [(e.state, e.steps) for e in self.all]
                if (
                    found == wanted
                    and all(e.has_begun for e in self.all)
                    and all(map(self.has_heard, self.owners, self.chains))
                ):
                    return
                assert time.monotonic() < deadline, (found, wanted)
                await asyncio.sleep(0.001)

        self.loop.run_until_complete(work())
        self.check()

    @property
    def all(self) -> list[Expected]:
        return [job for chain in self.chains for job in chain]

    @staticmethod
    def has_heard(owner: Owner, chain: list[Expected]) -> bool:
        """That a job is paused or over is always told; other news may come later."""
        if not chain or chain[-1].state not in ("paused", "idle"):
            return True
        return bool(owner.seen) and owner.seen[-1] == (chain[-1].state, chain[-1].error)

    def check(self) -> None:
        here = threading.current_thread()
        for owner, chain in zip(self.owners, self.chains, strict=True):
            assert owner.most_at_work <= 1, "two jobs of one owner took steps at once"
            assert owner.threads <= {here}, "a widget would have been touched in a thread"
            for job in chain:
                assert job.job.error == job.error
                assert job.job.busy == (job.place != "over")
                assert job.place == "over" or not job.job.join(0)
        assert not self.trouble, self.trouble

    def begin(self, which: int, *replies: Any) -> tuple[Job, Any, Any, Expected]:
        owner, chain = self.owners[which], self.chains[which]
        owner.job = Job(owner.told, owner.job)
        transfer = Scripted(owner, *replies)
        expected = Expected(owner.job, transfer, chain[-1] if chain else None)
        if chain:
            chain[-1].want(END)
        for other in self.all:
            other.want("wait")
        chain.append(expected)

        def each(step: Any, changes: dict[str, Any], seconds: float) -> None:
            expected.remembered.append((step.iteration, changes))

        return owner.job, lambda: transfer, each, expected

    owner = st.integers(0, 1)

    @rule(which=owner)
    def start(self, which: int) -> None:
        def action() -> None:
            job, make, each, _ = self.begin(which)
            job.start(make, each)

        self.do(action)

    @rule(which=owner, steps=st.integers(0, 2))
    def run_here(self, which: int, steps: int) -> None:
        """As `Painter.paint` does, which returns when all is done."""
        for job in self.chains[which]:  # a job in a step, or waiting for one, comes first
            if job.place != "over":
                self.do(lambda job=job: (job.job.stop(), job.want(END)))
                if job.place == "step":
                    self.end_step(job)

        def action() -> None:
            job, make, each, expected = self.begin(which, *[True] * steps, END)
            job.run(make, each)
            expected.settle()
            for _ in range(steps):
                expected.step()
            expected.place = "over"

        self.do(action)

    def end_step(self, job: Expected) -> None:
        def action() -> None:
            job.step()
            job.transfer.replies.put(True)

        self.do(action)

    def in_step(self, which: int) -> Expected | None:
        return next((job for job in self.chains[which] if job.place == "step"), None)

    @rule(which=owner)
    def a_step_ends(self, which: int) -> None:
        if job := self.in_step(which):
            self.end_step(job)

    @rule(which=owner)
    def the_last_step_was_taken(self, which: int) -> None:
        if job := self.in_step(which):

            def action() -> None:
                job.place, job.error = "over", None
                job.transfer.replies.put(END)

            self.do(action)

    @rule(which=owner, kind=st.sampled_from(sorted(FAILURES)))
    def a_step_fails(self, which: int, kind: str) -> None:
        job = self.in_step(which)
        if job is None:
            return
        error, words = FAILURES[kind]
        assert job is not None
        job.transfer.replies.put(error)
        job.job.join(60)
        assert words in str(job.job.error)
        job.place, job.error = "over", job.job.error
        self.do(lambda: None)

    @rule(which=owner)
    def pause(self, which: int) -> None:
        self.ask(which, "pause", "wait")

    @rule(which=owner)
    def resume(self, which: int) -> None:
        self.ask(which, "resume", "go")

    @rule(which=owner)
    def stop(self, which: int) -> None:
        self.ask(which, "stop", END)

    def ask(self, which: int, name: str, wanted: str) -> None:
        def action() -> None:
            getattr(self.owners[which].job, name)()
            if self.chains[which]:
                self.chains[which][-1].want(wanted)

        self.do(action)

    @rule(which=owner, weight=st.integers(-1, 3), other=st.booleans())
    def change(self, which: int, weight: int, other: bool) -> None:
        """Also a wrong one, and several before one step."""
        changes: dict[str, Any] = {"weight": weight} | ({"size": weight} if other else {})

        def action() -> None:
            self.owners[which].job.change(**changes)
            if self.chains[which]:
                self.chains[which][-1].changes |= changes

        self.do(action)

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        for owner in self.owners:
            owner.job.stop()
        for job in self.all:
            job.want(END)
        for job in self.all:
            if job.place == "step":
                self.end_step(job)
        self.do(lambda: None)
        assert all(job.job.join(60) for job in self.all)
        self.loop.close()
        assert not [t for t in threading.enumerate() if t.name == "stylelib painter"]


@pytest.mark.parametrize("many", [40, pytest.param(2000, marks=pytest.mark.slow)])
def test_jobs_in_any_order(many: int) -> None:
    run_state_machine_as_test(
        Jobs,
        settings=settings(
            max_examples=many,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        ),
    )
