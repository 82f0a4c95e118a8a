"""Numbers that go wrong: the painting recovers, or stops in words with the best picture so far."""

import hashlib
import math
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from stylelib import RECIPES, VGG19, Recipe, Transfer, load_image, load_vgg19, resize
from stylelib.core.statistics import STATISTICS

RECIPE = RECIPES["gram"].but(
    size=40,
    steps=8,
    content_layers={"conv2_1": 1.0},
    style_layers={"conv1_1": 1.0, "conv3_1": 1.0},
)
ADAM = RECIPE.but(optimizer="adam")
WEIGHTS = (0, 1e-12, 1e6, 1e12)


@pytest.fixture(scope="module")
def network() -> VGG19:
    """As deep as is needed here."""
    return load_vgg19(last="conv3_1")


@pytest.fixture(scope="module")
def photo() -> Tensor:
    return load_image("camel", 40)


@pytest.fixture(scope="module")
def painting() -> Tensor:
    return load_image("hokusai-great-wave", 40)


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """No test here may take a minute: one that hangs is told where."""
    if os.name == "nt" or threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(*_: Any) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def quiet(
    content: Tensor,
    style: Tensor,
    recipe: Recipe,
    network: VGG19,
    precision: torch.dtype = torch.float32,
) -> Transfer:
    transfer = Transfer(content, style, recipe, network, "cpu", precision)
    transfer.quiet = True  # it is asked for `stopped` here
    return transfer


def ends_well(transfer: Transfer) -> list[float]:
    """Paint to the end: a sound picture, all steps or a sentence; the losses on the way."""
    losses = [step.losses["total"] for step in transfer]
    assert transfer.image.isfinite().all()
    assert transfer.image.min() >= 0 and transfer.image.max() <= 1
    assert all(map(math.isfinite, losses))
    if transfer.stopped is None:
        assert len(losses) == transfer.iteration == transfer.recipe.steps
    else:
        assert "best picture so far is kept. Try a smaller" in transfer.stopped
    return losses


# ------------------------------------------------------------------------- extremes


@pytest.mark.parametrize("balance", ["relative", "source"])
@pytest.mark.parametrize("recipe", [RECIPE, ADAM], ids=["lbfgs", "adam"])
@pytest.mark.parametrize("name", ["content_weight", "style_weight", "tv_weight"])
def test_weights_from_nothing_to_a_million_millions(
    name: str, recipe: Recipe, balance: str, photo: Tensor, painting: Tensor, network: VGG19
) -> None:
    for weight in WEIGHTS:
        transfer = quiet(photo, painting, recipe.but(balance=balance, **{name: weight}), network)
        ends_well(transfer)
        assert transfer.stopped is None, f"{name} {weight}: {transfer.stopped}"


def test_all_weights_at_once(photo: Tensor, painting: Tensor, network: VGG19) -> None:
    for content in WEIGHTS:
        for style in WEIGHTS:
            changes = {"content_weight": content, "style_weight": style, "tv_weight": content}
            ends_well(quiet(photo, painting, RECIPE.but(**changes), network))


@pytest.mark.parametrize("layer", [0.0, 1e-12, 1e12])
def test_layer_weights(layer: float, photo: Tensor, painting: Tensor, network: VGG19) -> None:
    layers = {"conv1_1": layer, "conv3_1": 1.0}
    for balance in ("relative", "source"):
        recipe = RECIPE.but(style_layers=layers, balance=balance)
        ends_well(quiet(photo, painting, recipe, network))


@pytest.mark.parametrize("clamp", [True, False])
@pytest.mark.parametrize("rate", [1e-9, 0.02, 1.0, 30.0, 1000.0])
def test_a_learning_rate_that_explodes_keeps_the_best_picture(
    rate: float, clamp: bool, photo: Tensor, painting: Tensor, network: VGG19
) -> None:
    transfer = quiet(photo, painting, ADAM.but(learning_rate=rate, clamp=clamp), network)
    losses = ends_well(transfer)
    if transfer.stopped is not None:
        assert transfer.measure().losses["total"] == pytest.approx(min(losses), rel=1e-4)
    assert (transfer.stopped is None) or rate >= 1


@pytest.mark.parametrize("weight", [1.0, 1e4, 1e12])
@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_that_would_overflow(
    precision: torch.dtype, weight: float, photo: Tensor, painting: Tensor
) -> None:
    for balance in ("relative", "source"):
        recipe = RECIPE.but(
            style_weight=weight, balance=balance, size=32, steps=4,
            content_layers={"conv1_2": 1.0}, style_layers={"conv2_1": 1.0},
        )  # fmt: skip
        # A network of its own: half precision rounds the weights for good.
        transfer = quiet(photo, painting, recipe, load_vgg19(last="conv2_1"), precision)
        ends_well(transfer)
        # A gradient of 1e12 is more than float16 can hold: it is scaled on its way.
        assert transfer.stopped is None
        assert not torch.equal(transfer.image, resize(photo, 32))


FLAT = {"black": 0.0, "grey": 0.5, "white": 1.0}


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("balance", ["relative", "source"])
def test_pictures_of_one_colour_and_twins(
    statistic: str, balance: str, photo: Tensor, painting: Tensor, network: VGG19
) -> None:
    flat = {name: torch.full((1, 3, 24, 40), value) for name, value in FLAT.items()}
    pairs = [(photo, photo), (painting, painting)]
    pairs += [(one, other) for one in flat.values() for other in flat.values()]
    pairs += [pair for one in flat.values() for pair in ((photo, one), (one, painting))]
    recipe = RECIPE.but(statistic=statistic, balance=balance, steps=3)
    for content, style in pairs:
        transfer = quiet(content, style, recipe, network)
        losses = ends_well(transfer)
        assert transfer.stopped is None
        if content is style:  # there is nothing to do
            assert losses == pytest.approx([0, 0, 0], abs=1e-6)
            assert (transfer.image - resize(content, recipe.size)).abs().max() < 1e-3


@pytest.mark.parametrize("statistic", STATISTICS)
def test_lbfgs_that_shoots_far_too_far_comes_back(
    statistic: str, photo: Tensor, painting: Tensor, network: VGG19
) -> None:
    """It starts where the content loss is 0, so its first step knows nothing of that cliff."""
    recipe = RECIPE.but(content_weight=1e12, statistic=statistic, steps=15)
    transfer = quiet(photo, painting, recipe, network)
    losses = ends_well(transfer)
    assert max(losses) > 1e5 * losses[0]
    assert transfer.measure().losses["total"] < 1.1 * losses[0]


# ------------------------------------------------------------- the same picture again


@pytest.mark.parametrize("recipe", [RECIPE, ADAM], ids=["lbfgs", "adam"])
def test_twenty_runs_give_one_picture(
    recipe: Recipe, photo: Tensor, painting: Tensor, network: VGG19
) -> None:
    recipe = recipe.but(init="noise", seed=5, size=32, steps=5)
    images = [quiet(photo, painting, recipe, network).run() for _ in range(20)]
    assert all(torch.equal(image, images[0]) for image in images)


def test_another_process_gives_the_same_picture(
    photo: Tensor, painting: Tensor, network: VGG19
) -> None:
    recipe = RECIPE.but(init="noise", seed=5, size=32, steps=5)
    code = (
        "import hashlib, torch; from stylelib import *; "
        f"torch.set_num_threads({torch.get_num_threads()}); "
        "photo, painting = load_image('camel', 40), load_image('hokusai-great-wave', 40); "
        f"transfer = Transfer(photo, painting, Recipe(**{recipe.as_dict()!r}), "
        "load_vgg19(last='conv3_1'), 'cpu', torch.float32); "
        "print(hashlib.sha256(transfer.run().numpy().tobytes()).hexdigest())"
    )
    # A number of threads that is set is not shared with others who paint.
    threads = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=threads
    )
    here = quiet(photo, painting, recipe, network).run()
    assert done.stdout.strip() == hashlib.sha256(here.numpy().tobytes()).hexdigest()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no timer that interrupts")
@pytest.mark.parametrize("recipe", [RECIPE, ADAM], ids=["lbfgs", "adam"])
def test_interrupted_anywhere_and_gone_on_with_it_is_the_same_picture(
    recipe: Recipe, photo: Tensor, painting: Tensor, network: VGG19
) -> None:
    """A real signal after some milliseconds, again and again, as the kernel's stop button sends."""
    recipe = recipe.but(steps=20)
    expected = quiet(photo, painting, recipe, network).run()

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    chance, interrupts = random.Random(1), 0
    for _ in range(3):
        transfer = quiet(photo, painting, recipe, network)
        before = signal.signal(signal.SIGVTALRM, interrupt)
        try:
            while transfer.iteration < recipe.steps:
                try:
                    signal.setitimer(signal.ITIMER_VIRTUAL, chance.uniform(0.001, 0.05))
                    transfer.run()
                    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
                except KeyboardInterrupt:
                    interrupts += 1
                    assert transfer.image.isfinite().all()
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)
        assert torch.equal(transfer.image, expected)
    assert interrupts > 10
