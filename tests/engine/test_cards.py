"""What is done otherwise on a graphics card, tried on the CPU with a stand-in for the card.

The stand-in's stream keeps a tape of each operation with the tensors that it read and wrote, as a
CUDA graph does, and replays it on the same tensors. So a picture that moved elsewhere, or a number
that Python had in hand, shows here as it would on a card.
"""

import math
import pickle
from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from stylelib import RECIPES, VGG19, Recipe, Style, StylelibError, Transfer, gram_matrix, memory
from stylelib.core.statistics import STATISTICS
from stylelib.core.statistics import gram as plain_gram
from stylelib.engine import cards, lbfgs
from stylelib.engine.gram import centered_gram
from stylelib.engine.memory import check_memory, words_for_full
from stylelib.engine.objective import Objective
from stylelib.engine.transfer import Step

Noise = Callable[..., Tensor]
CARD = torch.device("cuda")

SMALL = RECIPES["gram"].but(
    size=48,
    coarsest=32,
    steps=24,
    content_layers={"conv2_1": 1.0},
    style_layers={"conv1_1": 1.0, "conv2_1": 0.5},
)


class Tape(TorchDispatchMode):
    """Notes each operation, with the tensors themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        made = function(*args, **(kwargs or {}))
        self.done.append((function, args, kwargs or {}, made))
        return made

    def replay(self) -> None:
        with torch.no_grad():
            for function, args, kwargs, made in self.done:
                again = function(*args, **kwargs)
                for old, new in zip(tree_leaves(made), tree_leaves(again), strict=True):
                    if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)


class StandIn:
    """A stream of the CPU; what it captures holds nonsense until it is replayed."""

    captures = 0

    def beside(self, work: Callable[[], Any]) -> Any:
        return work()

    def capture(self, work: Callable[[], Any]) -> tuple[Callable[[], object], Any]:
        tape = Tape()
        with tape, cards.Rehearsal():
            made = work()
        StandIn.captures += 1
        with torch.no_grad():
            for tensor in tree_leaves(made):
                tensor.fill_(math.nan)
        return tape.replay, made


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do everything as on a card; the CPU is the card."""
    monkeypatch.setattr(cards, "on_card", lambda device: True)
    monkeypatch.setattr(cards, "stream", lambda device: StandIn())
    monkeypatch.setattr(StandIn, "captures", 0)


@pytest.fixture
def paint(camel: Tensor, painting: Tensor, network: VGG19) -> Callable[..., Transfer]:
    def make(recipe: Recipe = SMALL, styles: Any = None, **changes: Any) -> Transfer:
        recipe = recipe.but(**changes)
        return Transfer(camel, styles or painting, recipe, network, "cpu", torch.float32)

    return make


Paint = Callable[..., Transfer]


def halves(camel: Tensor) -> tuple[Tensor, Tensor]:
    left = torch.zeros(1, 1, *camel.shape[-2:])
    left[..., : camel.shape[-1] // 2] = 1
    return left, 1 - left


# One graph for loss and gradient


FULL, HALF = torch.float32, torch.bfloat16
KINDS: dict[str, tuple[Recipe, str, torch.dtype]] = {
    "gram": (RECIPES["gram"].but(tv_weight=1.0), "one", HALF),
    "source": (RECIPES["source"], "one", FULL),
    "neighbours": (RECIPES["neighbours"], "one", FULL),
    "means": (SMALL.but(statistic="mean_std"), "one", FULL),
    "averages": (SMALL.but(pooling="average", padding="replicate"), "one", FULL),
    "masked": (RECIPES["gram"], "masked", FULL),
    "neighbours in two parts": (RECIPES["neighbours"], "two", HALF),
    "two blended": (RECIPES["gram"], "blend", FULL),
}


@pytest.mark.parametrize(("recipe", "kind", "dtype"), KINDS.values(), ids=KINDS)
def test_loss_and_gradient_are_replayed_and_the_same(
    card: None,
    recipe: Recipe,
    kind: str,
    dtype: torch.dtype,
    camel: Tensor,
    painting: Tensor,
    network: VGG19,
    noise: Noise,
) -> None:
    """Nothing in them waits for the card: else they could not be captured."""
    camel, painting = camel[..., :32], painting[..., :34, :34]
    left, right = halves(camel)
    styles: dict[str, list[Tensor | Style]] = {
        "one": [painting],
        "masked": [Style(painting, left)],
        "two": [Style(painting, left), Style(painting.flip(3), right)],
        "blend": [painting, Style(painting.flip(2), left, painting[:, :1])],
    }
    net = network_for(network, recipe, dtype)
    objective = Objective(camel, styles[kind], recipe, net)
    pixels = camel.clone().requires_grad_()
    call = cards.captured(objective, recipe, dtype, CARD)
    for seed in range(cards.WARM_UP + 2):
        pixels.data.copy_(noise(*camel.shape, seed=seed))
        found, parts = call(pixels)
        pixels.grad = None
        found.backward()
        same = pixels.detach().clone().requires_grad_()
        total, wanted = objective(same)
        total.backward()
        assert pixels.grad is not None and same.grad is not None
        assert torch.equal(found.detach(), total.detach()) and total > 0
        assert torch.equal(pixels.grad, same.grad) and same.grad.abs().max() > 0
        assert parts.keys() == wanted.keys()
        for name, part in parts.items():
            assert torch.equal(part.detach(), wanted[name].detach()), name
    assert isinstance(call, cards.Captured) and call.replays == 2
    assert StandIn.captures == 1


def network_for(network: VGG19, recipe: Recipe, dtype: torch.dtype) -> VGG19:
    copied = deepcopy(network)
    copied.pooling, copied.padding = recipe.pooling, recipe.padding
    copied.convolutions["conv1_1"].padding_mode = recipe.padding
    copied.set_precision(dtype)
    return copied


WAITING: dict[str, Callable[[Tensor], Tensor]] = {
    "a number": lambda x: x.mean() * x.detach().mean().item(),
    "a condition": lambda x: x.mean() if x.mean() > 0 else -x.mean(),
    "places": lambda x: x[x > 0.5].mean(),
    "where": lambda x: x.flatten()[x.flatten().nonzero()[:, 0]].mean(),
    "random numbers": lambda x: (x * torch.rand_like(x)).mean(),
    "numbers of Python's": lambda x: x.mean() * torch.tensor(2.0),
    "an inverse": lambda x: torch.linalg.inv(x[0, 0, :4, :4] + torch.eye(4)).mean(),
    "in the gradient": lambda x: Reads.apply(x).mean(),
}


class Reads(torch.autograd.Function):
    """Reads a number in its backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * (2.0 if gradients[0].sum().item() else 0.0)


@pytest.mark.parametrize("formula", WAITING.values(), ids=WAITING)
def test_what_waits_for_the_card_is_never_captured(
    card: None, formula: Callable[[Tensor], Tensor], noise: Noise
) -> None:
    calls = []

    def loss(image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        calls.append(1)
        total = formula(image)
        return total, {"total": total}

    call = cards.Captured(loss, CARD)
    pixels = noise(1, 3, 8, 8).requires_grad_()
    for _ in range(4):
        pixels.grad = None
        call(pixels)[0].backward()
        assert pixels.grad is not None and pixels.grad.isfinite().all()
    assert not StandIn.captures and call.replays == 0
    assert len(calls) == 1 + 4  # the rehearsal, then plainly


def test_a_capture_that_fails_leaves_the_painting_going_on(
    card: None, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def fail(self: StandIn, work: Callable[[], Any]) -> Any:
        tries.append(work())
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    monkeypatch.setenv(cards.SWITCH, "0")
    plain = list(paint())
    monkeypatch.delenv(cards.SWITCH)
    monkeypatch.setattr(StandIn, "capture", fail)
    monkeypatch.setattr(cards.Failed, "ever", False)
    found = list(paint())
    assert len(tries) == 1  # not again at the next size, nor in the next painting
    assert [step.losses for step in found] == [step.losses for step in plain]
    assert all(torch.equal(a.image, b.image) for a, b in zip(found, plain, strict=True))


def test_full_memory_is_no_reason_to_go_on_plainly(
    card: None, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: StandIn, work: Callable[[], Any]) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(StandIn, "capture", fail)
    transfer = paint()
    with pytest.raises(StylelibError, match="ran out of memory"):
        transfer.run()
    assert transfer.iteration == cards.WARM_UP
    assert not cards.Failed.ever


def test_the_switch(monkeypatch: pytest.MonkeyPatch, card: None) -> None:
    def loss(image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return image.sum(), {}

    def kind(recipe: Recipe = SMALL, dtype: torch.dtype = torch.bfloat16) -> type:
        return type(cards.captured(loss, recipe, dtype, CARD))

    assert kind() is cards.Captured
    assert kind(dtype=torch.float16) is not cards.Captured  # its scale is read from the loss
    assert kind(SMALL.but(statistic="sliced")) is not cards.Captured
    monkeypatch.setitem(STATISTICS, "mine", lambda maps, share: maps.mean())
    assert kind(SMALL.but(statistic="mine")) is not cards.Captured
    monkeypatch.setenv(cards.SWITCH, "0")
    assert kind() is not cards.Captured
    monkeypatch.undo()
    assert cards.captured(loss, SMALL, torch.float32, torch.device("cpu")) is loss


NEEDS_CARD = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")


@NEEDS_CARD
@pytest.mark.parametrize("name", ["gram", "neighbours", "source"])
def test_a_real_card_replays_its_graph(
    name: str, camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    recipe = RECIPES[name]
    on_card = network_for(network, recipe, torch.bfloat16).to(CARD)
    camel, painting = camel.to(CARD), painting.to(CARD)
    objective = Objective(camel, painting, recipe, on_card)
    call = cards.captured(objective, recipe, torch.bfloat16, CARD)
    pixels = camel.clone().requires_grad_()
    with cards.habits(CARD):
        for _ in range(cards.WARM_UP + 3):
            pixels.data.mul_(0.99)
            pixels.grad = None
            found = call(pixels)[0]
            found.backward()
            same = pixels.detach().clone().requires_grad_()
            total = objective(same)[0]
            total.backward()
            torch.testing.assert_close(found, total, rtol=1e-3, atol=1e-6)
            torch.testing.assert_close(pixels.grad, same.grad, rtol=1e-2, atol=1e-5)
    assert isinstance(call, cards.Captured) and call.replays == 3


# A whole transfer


@NEEDS_CARD
@pytest.mark.parametrize("name", ["gram", "neighbours", "source-fast"])
def test_a_real_card_paints_the_same_picture_twice(
    name: str, camel: Tensor, painting: Tensor
) -> None:
    recipe = RECIPES[name].but(size=96, coarsest=48, steps=24, coarse_to_fine=True)
    pictures = [Transfer(camel, painting, recipe, device="cuda").run() for _ in range(2)]
    assert torch.equal(*pictures)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_graphs_change_nothing_and_are_made_anew_when_something_changes(
    card: None, paint: Paint, monkeypatch: pytest.MonkeyPatch, optimizer: str, camel: Tensor,
    painting: Tensor,
) -> None:  # fmt: skip
    recipe = SMALL.but(optimizer=optimizer, detail_steps=4, steps=20)
    styles = [Style(painting, halves(camel)[0])]
    changes = {15: {"style_weight": 9.0, "tv_weight": 1.0}}

    def painted() -> list[Step]:
        transfer, steps = paint(recipe, styles), []
        for step in transfer:
            steps.append(step)
            if step.iteration in changes:
                transfer.change(**changes[step.iteration])
        return steps

    monkeypatch.setenv(cards.SWITCH, "0")
    plain = painted()
    assert not StandIn.captures
    monkeypatch.delenv(cards.SWITCH)
    found = painted()
    # Two sizes, the detail in between, and the larger size again after the change.
    assert StandIn.captures == 4
    assert [s.iteration for s in found] == list(range(1, 21))
    for one, other in zip(found, plain, strict=True):
        assert one.losses == other.losses and one.layers == other.layers
        assert torch.equal(one.image, other.image)
    assert found[0].image.shape[-1] == 32 and found[-1].image.shape[-1] == 48


def test_it_paints_what_the_cpu_paints(paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for rounding, which grows from step to step."""
    shallow = SMALL.but(coarse_to_fine=False, steps=8)
    for recipe in (shallow, RECIPES["neighbours"].but(size=32, steps=5, coarse_to_fine=False)):
        expected = list(paint(recipe))
        with monkeypatch.context() as patch:
            patch.setattr(cards, "on_card", lambda device: True)
            patch.setattr(cards, "stream", lambda device: StandIn())
            found = list(paint(recipe))
        for one, other in zip(found, expected, strict=True):
            assert one.losses == pytest.approx(other.losses, rel=2e-3, abs=1e-6)
        assert (found[-1].image - expected[-1].image).abs().mean() < 2e-3


def test_a_step_waits_for_nothing(card: None, paint: Paint) -> None:
    """Between the questions, a step can be taken without a single answer from the card."""
    for optimizer in ("lbfgs", "adam"):
        transfer = paint(coarse_to_fine=False, optimizer=optimizer)
        for _ in range(cards.WARM_UP + 2):
            next(transfer)
        with NoAnswers():
            steps = [next(transfer) for _ in range(cards.EVERY - cards.WARM_UP - 3)]
        assert len(steps) > 1 and transfer.iteration == cards.EVERY - 1
        assert steps[0].losses["total"] > steps[-1].losses["total"] > 0


class NoAnswers(TorchDispatchMode):
    """No number is read. Adam counts its steps on the CPU, in float32 and without any waiting."""

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function is torch.ops.aten._local_scalar_dense.default:
            number = args[0]
            assert number.dim() == 0 and number == number.round() and 0 < number < 100
            return function(*args)
        assert torch.Tag.data_dependent_output not in function.tags, function
        if function is torch.ops.aten.index.Tensor:
            assert all(index.dtype == torch.int64 for index in args[1]), args[1]
        else:
            assert torch.Tag.dynamic_output_shape not in function.tags, function
        return function(*args, **(kwargs or {}))


# Steps that are fetched when somebody looks


def test_a_step_is_of_its_step_however_late_it_is_looked_at(card: None, paint: Paint) -> None:
    at_once = []
    for step in paint():
        at_once.append((step.losses, step.layers, step.image.clone()))
    late = list(paint())
    for step, (losses, layers, image) in zip(late, at_once, strict=True):
        assert step.losses == losses and step.layers == layers
        assert torch.equal(step.image, image)
    assert len({step.losses["total"] for step in late}) == 24


def test_a_step_looks_like_any_other(card: None, paint: Paint) -> None:
    step = next(paint(init="noise"))
    again = next(paint(init="noise"))
    assert set(step.losses) == {"content", "style", "tv", "total"}
    assert set(step.layers) == {"content conv2_1", "style conv1_1", "style conv2_1"}
    assert step.losses == again.losses and torch.equal(step.image, again.image)
    assert repr(next(paint())).startswith("Step(iteration=1, steps=24, losses={'content': 0.0")
    copied = pickle.loads(pickle.dumps(next(paint(init="noise"))))
    assert copied.losses == step.losses and torch.equal(copied.image, step.image)
    assert copied == Step(1, 24, step.losses, step.layers, copied.image)
    with pytest.raises(AttributeError, match="no picture"):
        _ = step.picture  # type: ignore[attr-defined]
    step.image.fill_(0.5)  # its own


def test_steps_that_are_kept_leave_the_card(card: None, paint: Paint) -> None:
    transfer, waiting = paint(coarse_to_fine=False), []
    kept = []
    for step in transfer:
        kept.append(step)
        waiting.append(sum("image" not in vars(one) for one in kept))
    assert max(waiting) == cards.EVERY
    assert waiting[-1] <= 1


# Sound or not, known late


class Spoilt:
    """The objective, with a loss times `value` at one call; a graph would not call it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, value: float, *calls: int) -> None:
        self.count = 0
        honest = Objective.__call__

        def call(objective: Objective, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
            self.count += 1
            total, parts = honest(objective, image)
            return (total * value if self.count in calls else total), parts

        monkeypatch.setenv(cards.SWITCH, "0")
        monkeypatch.setattr(Objective, "__call__", call)


FLAT = SMALL.but(coarse_to_fine=False, size=32, steps=20)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e9])
def test_lbfgs_goes_back_to_the_step_that_was_not_sound(
    card: None, paint: Paint, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    honest = list(paint(FLAT))
    Spoilt(monkeypatch, value, 13)
    transfer = paint(FLAT)
    steps = list(transfer)
    # It asks after steps 8 and 16; the thirteenth went wrong. Steps 13 to 15 were handed out.
    assert [s.iteration for s in steps] == [*range(1, 16), *range(13, 21)]
    assert transfer.iteration == 20 and transfer.stopped is None
    for one, other in zip(steps[:12], honest, strict=False):
        assert torch.equal(one.image, other.image)
    for step in steps[12:15]:  # the last sound picture
        assert torch.equal(step.image, steps[11].image)
    assert all(step.image.isfinite().all() for step in steps)
    assert steps[-1].losses["total"] < steps[0].losses["total"]
    assert torch.equal(transfer.image, steps[-1].image)


def test_what_follows_is_what_would_have_followed_at_once(
    card: None, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []
    for every in (1, 8):
        with monkeypatch.context() as patch:
            patch.setattr(cards, "EVERY", every)
            spoilt = Spoilt(patch, math.nan, 5)
            if every == 8:  # the calls until it asks are in vain
                spoilt.count = 0
            ends.append(paint(FLAT, steps=16).run())
    assert torch.equal(*ends)


def test_adam_stops_at_the_step_that_was_not_sound(
    card: None, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = FLAT.but(optimizer="adam", learning_rate=0.02)
    honest = list(paint(recipe))
    Spoilt(monkeypatch, math.nan, *range(5, 100))
    transfer = paint(recipe)
    with pytest.warns(RuntimeWarning, match="best picture so far is kept"):
        steps = list(transfer)
    assert len(steps) == 7 and transfer.iteration == 4
    assert "became nan at step 5" in str(transfer.stopped)
    assert torch.equal(transfer.image, honest[2].image)  # as on the CPU
    with pytest.raises(StopIteration):
        next(transfer)


@pytest.mark.parametrize("look", ["image", "change", "run", "measure"])
def test_whoever_looks_sees_a_sound_picture_and_its_count(
    card: None, paint: Paint, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    Spoilt(monkeypatch, math.nan, 3)
    transfer = paint(FLAT)
    seen = [next(transfer) for _ in range(5)]
    assert transfer.iteration == 5  # not known yet
    if look == "image":
        assert transfer.image.isfinite().all() and transfer.iteration == 2
    elif look == "change":
        transfer.change(style_weight=1.0)
        assert transfer.iteration == 2
    elif look == "measure":
        assert transfer.measure().iteration == 2
    else:
        transfer.run(until=5)
        assert transfer.iteration == 5
    assert next(transfer).iteration == (6 if look == "run" else 3)
    assert all(torch.equal(step.image, seen[1].image) for step in seen[2:])


def test_a_bad_first_step_leaves_the_start(
    card: None, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    Spoilt(monkeypatch, math.nan, *range(1, 1000))
    for optimizer in ("lbfgs", "adam"):
        transfer = paint(FLAT, optimizer=optimizer)
        start = transfer.image
        with pytest.warns(RuntimeWarning):
            transfer.run()
        assert torch.equal(transfer.image, start) and transfer.iteration == 0


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_interrupted_at_any_moment_and_gone_on_with_it_is_the_same_picture(
    card: None, paint: Paint, optimizer: str
) -> None:
    """In the middle of a step, wherever an operation of PyTorch begins."""
    recipe = FLAT.but(optimizer=optimizer, steps=7)
    expected = paint(recipe).run()
    transfer, interrupts = paint(recipe), 0
    for when in (1, 2, 9, 30, 31, 33, 36, 40, 45, 50, 60, 80):
        try:
            with Interrupt(when):
                next(transfer)
        except KeyboardInterrupt:
            interrupts += 1
    assert interrupts > 6
    assert torch.equal(transfer.run(), expected)


class Interrupt(TorchDispatchMode):
    """Ctrl+C at one of the operations from now."""

    def __init__(self, when: int) -> None:
        super().__init__()
        self.left = when

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return function(*args, **(kwargs or {}))


# The formulas


@pytest.mark.parametrize("masked", [False, True])
def test_the_directions_are_those_of_lbfgs(noise: Noise, masked: bool) -> None:
    """On a quadratic with a ridge, which makes some pairs say nothing; longer than the memory."""
    stiff = torch.rand(1, 3, 6, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    painted = (noise(1, 1, 6, 8) > 0.3) if masked else None
    ends = []
    for make in (lbfgs.LBFGS, cards.LBFGS):
        pixels = noise(1, 3, 6, 8, dtype=torch.float64).requires_grad_()
        optimizer, moved = make(pixels, painted, 0.01), []
        for step in range(lbfgs.MEMORY + 12):
            optimizer.zero_grad()
            loss = (stiff * pixels**2).sum() + (0.1 * (5 * pixels).cos().sum() if step < 1 else 0)
            loss.backward()
            assert pixels.grad is not None
            if painted is not None:
                pixels.grad *= painted
            before = pixels.detach().clone()
            if step % 5 == 3:  # a step that is taken back
                snapshot = optimizer.snapshot()
                optimizer.step()
                pixels.data.copy_(before)
                optimizer.restore(snapshot)
            optimizer.step()
            moved.append(pixels.detach() - before)
        ends.append(moved)
    for ours, theirs in zip(*ends, strict=True):
        assert (ours - theirs).norm() <= 1e-6 * theirs.norm() + 1e-12


def test_a_pair_that_says_nothing_changes_nothing(noise: Noise) -> None:
    pixels = noise(1, 3, 4, 4).requires_grad_()
    optimizer = cards.LBFGS(pixels)
    gradient = noise(1, 3, 4, 4, seed=2)
    moves = []
    for factor in (1.0, 2.0, 1.0):  # uphill the gradient grows: y against s
        pixels.grad, before = factor * gradient, pixels.detach().clone()
        optimizer.step()
        moves.append(before - pixels.detach())
    torch.testing.assert_close(moves[1], moves[0])  # as long as a first step
    assert all(move.isfinite().all() for move in moves)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_one_product_is_the_gram_matrix(card: None, noise: Noise, dtype: torch.dtype) -> None:
    maps = noise(2, 5, 90, 100).to(dtype)  # more than one band of the CPU's
    center = noise(1, 5, 1, 1, seed=2).to(dtype)
    maps.requires_grad_()
    found = centered_gram(maps, center)
    exact = maps.detach().double().requires_grad_()
    wanted = gram_matrix(exact - center.double())
    assert found.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-5)
    weights = noise(2, 5, 5, seed=3)
    (found * weights).sum().backward()
    (wanted * weights).sum().backward()
    assert maps.grad is not None and exact.grad is not None
    error = (maps.grad.double() - exact.grad).norm() / exact.grad.norm()
    assert error < (2e-2 if dtype.itemsize == 2 else 1e-5)
    torch.testing.assert_close(plain_gram(exact - center).detach(), wanted.detach())


def test_a_border_repeats_the_edges(noise: Noise) -> None:
    maps = noise(1, 3, 5, 7).to(memory_format=torch.channels_last).requires_grad_()
    other = maps.detach().clone().requires_grad_()
    found = cards.with_border(maps)
    wanted = torch.nn.functional.pad(other, (1, 1, 1, 1), mode="replicate")
    assert torch.equal(found, wanted)
    weights = noise(*found.shape, seed=2)
    (found * weights).sum().backward(), (wanted * weights).sum().backward()
    torch.testing.assert_close(maps.grad, other.grad)


# The card's memory, and settings


def card_with(monkeypatch: pytest.MonkeyPatch, free: float, kept: float = 0) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (int(free), int(4e9)))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: int(kept + 1e8))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: int(1e8))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_card_of_4_gigabytes_paints_512_pixels(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype
) -> None:
    """Square, with a painting as large: by the estimate. Its driver and the screen take some."""
    card_with(monkeypatch, 3.3e9)
    check_memory(512, 512, CARD, dtype, 512**2, "conv5_1", 1)
    with pytest.raises(StylelibError, match=r"2048 x 2048.*3\.3 GB are free\. Try size \d+"):
        check_memory(2048, 2048, CARD, dtype, 2048**2, "conv5_1", 1)
    card_with(monkeypatch, 1e8, kept=3.2e9)  # freed by a picture before
    assert memory.free_memory(CARD) == pytest.approx(3.3e9)
    check_memory(512, 512, CARD, dtype, 512**2, "conv5_1", 1)


def test_a_card_that_runs_out_says_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    card_with(monkeypatch, 3e9)
    words = words_for_full(CARD, 1024, 1024, int(4e9))
    assert words == "The graphics card ran out of memory. Try size 800."
    # The estimate was too low: then by a fifth less.
    assert "Try size 384" in words_for_full(CARD, 512, 300, int(1e9))
    card_with(monkeypatch, 3e8)
    assert "device 'cpu'" in words_for_full(CARD, 512, 300, int(1e9))


def test_cudnns_settings_hold_while_anybody_paints(monkeypatch: pytest.MonkeyPatch) -> None:
    cudnn = SimpleNamespace(deterministic=False, benchmark=True)
    monkeypatch.setattr(torch.backends, "cudnn", cudnn)
    with cards.habits(torch.device("cpu")):
        assert not cudnn.deterministic
    first, second = cards.habits(CARD), cards.habits(CARD)
    with first:
        second.__enter__()
        assert cudnn.deterministic and not cudnn.benchmark
    assert cudnn.deterministic  # the other one still paints
    second.__exit__(None, None, None)
    assert (cudnn.deterministic, cudnn.benchmark) == (False, True)
