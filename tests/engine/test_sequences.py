"""A transfer under any sequence of what its methods allow, with tiny pictures."""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from torch import Tensor

from stylelib import (
    RECIPES,
    Recipe,
    Step,
    Style,
    StylelibError,
    Transfer,
    load_vgg19,
    read_recipe,
    save_image,
)
from stylelib.engine.network import VGG19
from stylelib.recipes import SETTINGS

START = RECIPES["gram"].but(
    size=20,
    steps=6,
    coarsest=16,
    content_layers={"conv1_2": 1.0},
    style_layers={"conv1_1": 1.0},
    weights="random",
)

# For each setting that may change while painting, values to change it to.
LIVE: dict[str, list[Any]] = {
    "content_layers": [{}, {"conv1_2": 1.0}, {"conv1_1": 0.5, "pool1": 1.0}, {"conv2_1": 1.0}],
    "style_layers": [{}, {"conv1_1": 1.0}, {"conv1_1": 0.0}, {"conv2_1": 1.0, "conv1_2": 3.0}],
    "content_weight": [0, 1.0, 1e-9, 1e9],
    "style_weight": [0, 4.0, 1e-9, 1e9],
    # Neighbours are searched for with the picture so far: their losses depend on the way to it.
    "neighbour_weight": [0],
    "likeness": [0.0, 0.35, 1.0],
    "tv_weight": [0, 50.0],
    "style_shares": [(), (1.0, 3.0), (1.0,)],
    "style_scale": [0.5, 1.0, 2.0],
    "statistic": ["gram", "mean_std", "sliced"],
    "balance": ["relative", "source"],
    "centered": [True, False],
    "steps": [1, 4, 9],
    "detail_steps": [0, 2],
    "optimizer": ["lbfgs", "adam"],
    "learning_rate": [1e-9, 0.02, 1e3],
    "clamp": [True, False],
}
FIXED = {
    "size": 24,
    "init": "noise",
    "seed": 1,
    "pooling": "average",
    "padding": "zeros",
    "match_colors": True,
    "coarse_to_fine": False,
    "coarsest": 20,
    "weights": "embedded",
}


def picture(height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(100 * height + width)
    return torch.rand(1, 3, height, width, generator=generator)


LEFT = torch.zeros(1, 1, 18, 20)
LEFT[..., :10] = 1
PHOTO = picture(18, 20)
STYLES: dict[str, list[Style]] = {
    "one": [Style(picture(20, 17))],
    "masked": [Style(picture(20, 17), LEFT)],
    "two": [Style(picture(20, 17)), Style(picture(16, 20), LEFT, picture(16, 20)[:, :1])],
}


@pytest.fixture(scope="module")
def network() -> VGG19:
    return load_vgg19("random", "conv1_2")


class Interrupted(BaseException):
    """Like Ctrl+C."""


class Machine(RuleBasedStateMachine):
    """What may be done to a transfer, in any order; `network` is the same for all."""

    network: VGG19
    folder: Any

    @initialize(
        styles=st.sampled_from(sorted(STYLES)),
        init=st.sampled_from(["content", "noise", "style"]),
        coarse=st.booleans(),
        optimizer=st.sampled_from(["lbfgs", "adam"]),
    )
    def begin(self, styles: str, init: str, coarse: bool, optimizer: str) -> None:
        self.styles = STYLES[styles]
        recipe = START.but(init=init, coarse_to_fine=coarse, optimizer=optimizer)
        self.transfer = self.make(recipe)
        self.kept = [(self.transfer.image.clone(), 0)]
        self.clamped = True  # so far: else pixels may be outside 0-1, but not in the picture

    def make(self, recipe: Recipe, network: VGG19 | None = None) -> Transfer:
        network = network or self.network
        made = Transfer(PHOTO, self.styles, recipe, network, "cpu", torch.float32)
        made.quiet = True
        return made

    @rule()
    def step(self) -> None:
        transfer, before, image = self.transfer, self.transfer.iteration, self.transfer.image
        over = bool(transfer.stopped) or before >= transfer.recipe.steps
        step = next(transfer, None)
        if step is None:
            assert transfer.iteration == before
            assert transfer.stopped or before >= transfer.recipe.steps
            return
        assert not over
        assert (step.iteration, step.steps) == (before + 1, transfer.recipe.steps)
        assert transfer.iteration == step.iteration
        assert torch.equal(step.image, transfer.image)
        assert set(step.losses) == {"content", "style", "tv", "total"}
        numbers = [*step.losses.values(), *step.layers.values()]
        assert all(math.isfinite(number) for number in numbers)
        self.is_the_sum(step)
        if self.clamped and image.shape == step.image.shape:
            # Those of the picture before or, if it had to go back, of an earlier one.
            earlier = [image, *(kept for kept, _ in self.kept if kept.shape == image.shape)]
            assert any(self.are_of(step, one) for one in earlier)
        self.kept.append((step.image, step.iteration))

    def are_of(self, step: Step, image: Tensor) -> bool:
        """Whether a step's losses are those of a picture, as another transfer measures them."""
        other = self.make(self.transfer.recipe, self.transfer.network)
        other.go_back_to(image, 0)
        measured = other.measure()
        return all(
            step.losses[name]
            == pytest.approx(value, rel=1e-3, abs=1e-6 * abs(measured.losses["total"]))
            for name, value in measured.losses.items()
        )

    def is_the_sum(self, step: Step) -> None:
        recipe, losses = self.transfer.recipe, step.losses
        total = recipe.content_weight * losses["content"] + recipe.style_weight * losses["style"]
        total += recipe.tv_weight * losses["tv"]
        assert losses["total"] == pytest.approx(total, rel=1e-4, abs=1e-9)
        for kind, layers in (("content", recipe.content_layers), ("style", recipe.style_layers)):
            names = {f"{kind} {layer}" for layer in layers}
            assert names == {name for name in step.layers if name.startswith(kind)}
            parts = sum(step.layers[name] for name in names)
            assert losses[kind] == pytest.approx(parts, rel=1e-4, abs=1e-9)

    @rule(name=st.sampled_from(sorted(LIVE)), data=st.data())
    def change(self, name: str, data: st.DataObject) -> None:
        value = data.draw(st.sampled_from(LIVE[name]))
        transfer = self.transfer
        before, image, iteration = transfer.recipe, transfer.image.clone(), transfer.iteration
        try:
            transfer.change(**{name: value})
        except StylelibError as error:
            assert str(error) and transfer.recipe == before
        else:
            assert transfer.recipe.changed_from(before).keys() <= {name}
            assert getattr(transfer.recipe, name) == value
            assert transfer.stopped is None
            self.clamped = self.clamped and transfer.recipe.clamp
        assert torch.equal(transfer.image, image) and transfer.iteration == iteration

    @rule(name=st.sampled_from(sorted(FIXED)))
    def change_what_is_fixed(self, name: str) -> None:
        before, image = self.transfer.recipe, self.transfer.image.clone()
        if getattr(before, name) != FIXED[name]:
            with pytest.raises(StylelibError, match=f"{name} can't be changed while painting"):
                self.transfer.change(style_weight=7.0, **{name: FIXED[name]})
        assert self.transfer.recipe == before and torch.equal(self.transfer.image, image)

    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        image, iteration = data.draw(st.sampled_from(self.kept))
        self.transfer.go_back_to(image, iteration)
        assert torch.equal(self.transfer.image, image)
        assert self.transfer.iteration == iteration and self.transfer.stopped is None

    @rule(data=st.data())
    def go_back_and_on_twice(self, data: st.DataObject) -> None:
        """From the same picture, with the same settings, the same pictures follow."""
        image, iteration = data.draw(st.sampled_from(self.kept))
        found = []
        for _ in range(2):
            self.transfer.go_back_to(image, iteration)
            step = next(self.transfer, None)
            found.append((step and step.losses, self.transfer.image.clone()))
        assert found[0][0] == found[1][0] and torch.equal(found[0][1], found[1][1])

    @rule(data=st.data(), steps=st.integers(1, 3), after=st.integers(1, 8))
    def interrupt(self, data: st.DataObject, steps: int, after: int) -> None:
        """After an interrupt anywhere, it goes on as if there had been none."""
        image, iteration = data.draw(st.sampled_from(self.kept))
        transfer = self.transfer
        transfer.go_back_to(image, iteration)
        expected = [next(transfer, None) for _ in range(steps)]
        reached = transfer.image.clone(), transfer.iteration, transfer.stopped
        transfer.go_back_to(image, iteration)
        found: list[Step | None] = []
        with interrupted(transfer.network, after):
            while len(found) < steps:
                before, done = transfer.image.clone(), transfer.iteration
                try:
                    found.append(next(transfer, None))
                except Interrupted:
                    assert torch.equal(transfer.image, before) and transfer.iteration == done
        assert torch.equal(transfer.image, reached[0])
        assert (transfer.iteration, transfer.stopped) == reached[1:]
        assert [one and one.losses for one in found] == [one and one.losses for one in expected]
        self.kept.append((reached[0], reached[1]))

    @rule()
    def measure(self) -> None:
        """Looking changes nothing."""
        image, iteration = self.transfer.image.clone(), self.transfer.iteration
        step = self.transfer.measure()
        self.is_the_sum(step)
        assert step.iteration == iteration and torch.equal(step.image, image)
        assert torch.equal(self.transfer.image, image)

    @rule()
    def save_and_resume(self) -> None:
        """From the recipe in the file and the picture so far, another transfer goes on alike."""
        transfer = self.transfer
        path = self.folder / "picture.png"
        save_image(transfer.image, path, transfer.record("camel", ["a"] * len(self.styles)))
        made = read_recipe(path)
        assert made is not None and made["steps_done"] == transfer.iteration
        recipe = Recipe(**made["recipe"])
        assert recipe == transfer.recipe
        image, iteration = transfer.image, transfer.iteration
        other = self.make(recipe, transfer.network)
        for one in (transfer, other):
            one.go_back_to(image, iteration)
            next(one, None)
        assert torch.equal(transfer.image, other.image)
        assert (transfer.iteration, transfer.stopped) == (other.iteration, other.stopped)

    @rule(until=st.integers(0, 9))
    def run(self, until: int) -> None:
        before = self.transfer.iteration
        image = self.transfer.run(until=until)
        assert torch.equal(image, self.transfer.image)
        steps = self.transfer.recipe.steps
        if not self.transfer.stopped:
            assert self.transfer.iteration == max(before, min(until, steps))
        self.kept.append((image.clone(), self.transfer.iteration))

    @invariant()
    def the_picture_is_a_picture(self) -> None:
        image = self.transfer.image
        assert image.shape[:2] == (1, 3) and image.dtype == torch.float32
        assert image.device.type == "cpu" and not image.requires_grad
        assert image.isfinite().all() and image.min() >= 0 and image.max() <= 1
        assert 16 <= max(image.shape[-2:]) <= self.transfer.recipe.size

    @invariant()
    def outside_the_mask_is_the_photo(self) -> None:
        image = self.transfer.image
        if len(self.styles) == 1 and self.styles[0].where is not None and image.shape[-1] == 20:
            assert torch.equal(image[..., 10:], PHOTO[..., 10:])

    @invariant()
    def what_was_given_is_as_it_was(self) -> None:
        for one in self.styles:
            assert torch.equal(one.image, picture(*one.image.shape[-2:]))
        assert torch.equal(PHOTO, picture(18, 20))


@contextmanager
def interrupted(network: VGG19, after: int) -> Iterator[None]:
    """Let one pass through the network be interrupted: so many from now."""
    left, normalize = iter(range(after)), network.normalize

    def count(image: Tensor) -> Tensor:
        if next(left, None) == after - 1:
            raise Interrupted
        return normalize(image)

    # Not a hook of a layer: with hooks, maps are computed in another way, and rounded differently.
    network.normalize = count  # type: ignore[method-assign]
    try:
        yield
    finally:
        del network.normalize


def try_sequences(network: VGG19, folder: Any, examples: int, steps: int) -> None:
    machine: Callable[[], RuleBasedStateMachine] = type(
        "Sequences", (Machine,), {"network": network, "folder": folder}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a quiet transfer warns of nothing
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_all_live_settings_are_changed_here() -> None:
    assert set(LIVE) == {name for name, setting in SETTINGS.items() if setting.live}
    assert set(FIXED) == set(SETTINGS) - set(LIVE)


def test_sequences(network: VGG19, tmp_path: Any) -> None:
    try_sequences(network, tmp_path, examples=20, steps=12)


@pytest.mark.slow
def test_many_long_sequences(network: VGG19, tmp_path: Any) -> None:
    try_sequences(network, tmp_path, examples=1000, steps=40)
