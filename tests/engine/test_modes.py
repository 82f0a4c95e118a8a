"""What the caller has switched on in PyTorch, for the thread or the process, changes no picture."""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import torch
from torch import Tensor

from stylelib import RECIPES, FeedForward, Style, Transfer, load_vgg19, match_colors, train

SMALL = RECIPES["gram"].but(
    size=24,
    steps=3,
    coarsest=16,
    detail_steps=1,
    content_layers={"conv1_2": 1.0},
    style_layers={"conv1_1": 1.0},
)


def picture(height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(height)
    return torch.rand(1, 3, height, width, generator=generator, dtype=torch.float32, device="cpu")


PHOTO, PAINTING = picture(20, 24), picture(24, 22)


def painted(**changes: object) -> Tensor:
    """From the photo, deeper on the way, and once back."""
    network = load_vgg19("random", "conv1_2")
    mask = PHOTO[:, :1].round()
    transfer = Transfer(
        PHOTO, Style(PAINTING, mask), SMALL.but(**changes), network, "cpu", torch.float32
    )
    first = next(transfer)
    transfer.change(style_layers={"conv1_1": 1.0, "conv2_1": 0.5}, steps=4)
    next(transfer)
    transfer.go_back_to(first.image, 1)
    transfer.measure()
    return transfer.run()


def trained() -> Tensor:
    network = FeedForward(2, 1)
    vgg = load_vgg19("random", "conv1_2")
    for _ in train(network, PAINTING, recipe=SMALL, crop=32, steps=2, device="cpu", vgg=vgg):
        pass
    network.save("small.pt")
    return FeedForward.load("small.pt").paint(PHOTO)


ACTIONS: dict[str, Callable[[], Tensor]] = {
    "L-BFGS": painted,
    "Adam, from noise": lambda: painted(optimizer="adam", init="noise"),
    "colours": lambda: painted(match_colors=True, statistic="sliced"),
    "training": trained,
    "matching": lambda: match_colors(PAINTING, PHOTO),
}


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


MODES: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "float64 by default": lambda: default_dtype(torch.float64),
    "bfloat16 by default": lambda: default_dtype(torch.bfloat16),
    "on no device by default": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "deterministic": deterministic,
    "anomalies": torch.autograd.detect_anomaly,
    "maps kept elsewhere": torch.autograd.graph.save_on_cpu,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("usual"))
        return {name: action() for name, action in ACTIONS.items()}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("mode", MODES)
def test_the_callers_modes_change_nothing(mode: str, action: str, usual: dict[str, Tensor]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that looking for anomalies takes time
        with MODES[mode]():
            found = ACTIONS[action]()
            enabled = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
            with MODES[mode]():  # and they are as they were afterwards
                assert enabled == (torch.is_grad_enabled(), torch.is_inference_mode_enabled())
    assert found.dtype == torch.float32 and found.device.type == "cpu"
    assert torch.equal(found, usual[action])


def test_what_is_set_up_in_one_mode_is_used_in_another(usual: dict[str, Tensor]) -> None:
    """Inference mode makes tensors that can't take part in a backward pass, ever."""
    with torch.inference_mode():
        photo, painting = PHOTO.clone(), PAINTING.clone()
        network = load_vgg19("random", "conv1_2")
        mask = photo[:, :1].round()
        transfer = Transfer(photo, Style(painting, mask), SMALL, network, "cpu", torch.float32)
        first = next(transfer)
        transfer.go_back_to(first.image, 1)
    transfer.run()
    with torch.no_grad():
        transfer.change(steps=5)
        transfer.run()
    assert transfer.iteration == 5 and transfer.stopped is None
    with torch.inference_mode():
        painter = FeedForward(2, 1)
    step = next(train(painter, painting, recipe=SMALL, crop=32, steps=1, vgg=network))
    assert step.losses["total"] > 0


def test_steps_taken_by_several_threads(usual: dict[str, Tensor]) -> None:
    """Each has modes of its own, and one takes up what another has begun."""
    network = load_vgg19("random", "conv1_2")
    transfer = Transfer(PHOTO, PAINTING, SMALL, network, "cpu", torch.float32)
    whole = Transfer(PHOTO, PAINTING, SMALL, network, "cpu", torch.float32).run()

    def step(mode: AbstractContextManager[object]) -> None:
        with mode:
            next(transfer)

    for mode in (torch.no_grad(), torch.inference_mode(), torch.enable_grad()):
        thread = threading.Thread(target=step, args=(mode,))
        thread.start()
        thread.join()
    assert torch.equal(transfer.image, whole)
