"""The background thread: it obeys within one step, there is only ever one, and it ends."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import torch
from torch import Tensor
from waiting import later

from stylelib.engine.network import VGG19
from stylelib.engine.transfer import Step, Transfer
from stylelib.errors import StylelibError
from stylelib.recipes import RECIPES
from stylelib.studio import jobs
from stylelib.studio.jobs import Job

SMALL = RECIPES["gram"].but(
    size=32, steps=10_000, coarse_to_fine=False, content_layers={"conv1_2": 1.0},
    style_layers={"conv1_1": 1.0},
)  # fmt: skip


class Owner:
    """What a widget is to its job: it is told when there is something new, and looks."""

    def __init__(self) -> None:
        self.job = Job(self.told)
        self.news: list[tuple[float, int, str, str]] = []
        self.steps: list[Step] = []
        self.changes: dict[int, dict[str, Any]] = {}
        self.threads: set[str] = set()

    def start(self, make: Callable[[], Transfer], each: Any = None) -> None:
        self.job = Job(self.told, self.job)
        self.job.start(make, each or self.each)

    def run(self, make: Callable[[], Transfer]) -> None:
        self.job = Job(self.told, self.job)
        self.job.run(make, self.each)

    def told(self) -> None:
        thread = threading.current_thread().name
        self.news.append((time.monotonic(), len(self.steps), self.job.state, thread))

    def each(self, step: Step, changes: dict[str, Any], seconds: float) -> None:
        assert seconds > 0
        self.threads.add(threading.current_thread().name)
        self.steps.append(step)
        if changes:
            self.changes[step.iteration] = changes


@pytest.fixture
def owner() -> Any:
    owner = Owner()
    yield owner
    owner.job.stop(wait=True)


@pytest.fixture
def make(camel: Tensor, painting: Tensor, network: VGG19) -> Callable[[], Transfer]:
    def make(**changes: Any) -> Transfer:
        return Transfer(
            camel, painting, SMALL.but(**changes), network, "cpu", precision=torch.float32
        )

    return make


def painters() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "stylelib painter"]


def until(true: Callable[[], Any], timeout: float = 20) -> None:
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def in_loop(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_news_arrive_on_the_loop_and_are_merged(
    owner: Owner, make: Callable[..., Transfer]
) -> None:
    async def work() -> None:
        owner.start(make)
        await later(lambda: len(owner.steps) > 60)
        owner.job.stop()
        await later(lambda: owner.job.state == "idle")
        await asyncio.sleep(0.05)

    start = time.monotonic()
    in_loop(work())
    most = (time.monotonic() - start) / jobs.PERIOD + 2  # and the end
    assert owner.threads == {"stylelib painter"}
    assert {thread for *_, thread in owner.news} == {threading.current_thread().name}
    assert 2 <= len(owner.news) <= min(most, len(owner.steps) / 2)
    assert owner.news[-1][2] == "idle"  # the last news is that it has ended


def test_a_blocked_loop_gets_one_message_not_many(
    owner: Owner, make: Callable[..., Transfer]
) -> None:
    async def work() -> None:
        owner.start(make)
        until(lambda: len(owner.steps) > 60)  # like a running cell: nothing is delivered meanwhile
        assert owner.news == []
        taken = len(owner.steps)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(owner.news) == 1
        assert owner.news[0][1] >= taken
        owner.job.stop(wait=True)

    in_loop(work())


def test_pause_resume_stop_within_a_step(owner: Owner, make: Callable[..., Transfer]) -> None:
    owner.start(make)
    until(lambda: len(owner.steps) >= 3)
    owner.job.pause()
    assert owner.job.state == "pausing"
    before = len(owner.steps)
    until(lambda: owner.job.state == "paused")
    assert len(owner.steps) <= before + 1
    held = len(owner.steps)
    time.sleep(0.3)
    assert len(owner.steps) == held
    owner.job.resume()
    until(lambda: len(owner.steps) >= held + 3)
    before = len(owner.steps)
    owner.job.stop(wait=True)
    assert len(owner.steps) <= before + 1
    assert owner.job.state == "idle" and not painters()


def test_stopped_midway_it_gives_memory_back(
    owner: Owner, make: Callable[..., Transfer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, after the transfer is gone: before that, there is little to give back."""
    transfers: weakref.WeakSet[Transfer] = weakref.WeakSet()
    alive: list[int] = []
    monkeypatch.setattr(jobs, "give_back", lambda: alive.append(len(transfers)))

    def made() -> Transfer:
        transfer = make()
        transfers.add(transfer)
        return transfer

    owner.start(made)
    until(lambda: len(owner.steps) >= 2)
    owner.job.stop(wait=True)
    assert alive == [0]


def test_stop_while_paused(owner: Owner, make: Callable[..., Transfer]) -> None:
    owner.start(make)
    owner.job.pause()
    until(lambda: owner.job.state == "paused")
    owner.job.stop(wait=True)
    assert owner.job.state == "idle" and not painters()


def test_changes_come_between_steps(owner: Owner, make: Callable[..., Transfer]) -> None:
    owner.start(make)
    until(lambda: len(owner.steps) >= 3)
    owner.job.pause()
    until(lambda: owner.job.state == "paused")
    done = len(owner.steps)
    owner.job.change(style_weight=7.0)
    owner.job.change(content_weight=2.0)
    owner.job.resume()
    until(lambda: len(owner.steps) > done)
    assert owner.changes == {done + 1: {"style_weight": 7.0, "content_weight": 2.0}}
    losses = owner.steps[done].losses
    assert losses["total"] == pytest.approx(2 * losses["content"] + 7 * losses["style"], rel=1e-4)


def test_a_wrong_change_is_reported_and_loses_nothing(
    owner: Owner, make: Callable[..., Transfer]
) -> None:
    owner.start(make)
    until(lambda: owner.steps)
    owner.job.change(style_weight=-1.0)
    until(lambda: owner.job.error)
    assert "style_weight" in str(owner.job.error)
    done = len(owner.steps)
    until(lambda: len(owner.steps) > done + 2)
    assert owner.changes == {}


def test_starting_twice_leaves_one(owner: Owner, make: Callable[..., Transfer]) -> None:
    at_work: list[int] = []

    def each(step: Step, changes: dict[str, Any], seconds: float) -> None:
        at_work.append(threading.get_ident())

    for _ in range(5):
        owner.start(make, each)
    until(lambda: len(at_work) > 5)
    until(lambda: len(painters()) == 1)
    # The last one's steps came after all the others': they never alternated.
    last = at_work.index(at_work[-1])
    assert set(at_work[last:]) == {at_work[-1]}


def test_another_painter_pauses_the_first(owner: Owner, make: Callable[..., Transfer]) -> None:
    other = Owner()
    owner.start(make)
    until(lambda: owner.steps)
    other.start(make)
    until(lambda: owner.job.state == "paused")
    until(lambda: other.steps)
    other.job.stop(wait=True)


def test_errors_are_explained_in_words(owner: Owner) -> None:
    def too_large() -> Transfer:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    def broken() -> Transfer:
        raise KeyError("gone")

    def wrong() -> Transfer:
        raise StylelibError("The picture is odd. Take another.")

    for fail, words in ((too_large, "out of memory"), (broken, "KeyError"), (wrong, "is odd")):
        owner.start(fail)
        assert owner.job.join(10)
        assert words in str(owner.job.error)
        with pytest.raises((RuntimeError, KeyError, StylelibError)):
            owner.run(fail)
    assert owner.job.state == "idle"


def test_a_diverging_loss_is_reported_without_a_warning(
    owner: Owner, make: Callable[..., Transfer], recwarn: Any
) -> None:
    def diverge() -> Transfer:
        transfer = make(optimizer="adam", learning_rate=1000.0, clamp=False, steps=50)
        transfer.quiet = True
        return transfer

    owner.start(diverge)
    assert owner.job.join(60)
    assert "best picture so far is kept" in str(owner.job.error)
    assert not recwarn.list


def test_running_here_gives_the_same_picture(owner: Owner, make: Callable[..., Transfer]) -> None:
    owner.run(lambda: make(steps=6))
    assert [step.iteration for step in owner.steps] == [1, 2, 3, 4, 5, 6]
    assert owner.threads == {threading.current_thread().name}
    assert owner.news[-1][1:3] == (6, "idle")
    assert torch.equal(owner.steps[-1].image, make(steps=6).run())


def test_the_thread_ends_with_its_owner(make: Callable[..., Transfer]) -> None:
    owner = Owner()
    steps: list[Step] = []
    owner.start(make, lambda step, changes, seconds: steps.append(step))
    until(lambda: steps)
    del owner
    gc.collect()
    until(lambda: not painters())


def test_the_thread_ends_with_the_loop(owner: Owner, make: Callable[..., Transfer]) -> None:
    async def work() -> None:
        owner.start(make)
        await later(lambda: owner.steps)

    in_loop(work())  # closes the loop, like a kernel that shuts down
    until(lambda: not painters())


def test_at_exit_no_thread_is_left(owner: Owner, make: Callable[..., Transfer]) -> None:
    owner.start(make)
    until(lambda: owner.steps)
    jobs.end_all()
    assert not painters()
