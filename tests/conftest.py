"""What the tests share: the network, two small pictures, torchvision's VGG-19."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # several at a time, so that each has a core of its own
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import stylelib  # noqa: F401 - before torch: it settles how threads wait

# isort: split
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stylelib.core.layers import CONVOLUTIONS
from stylelib.engine import sharing
from stylelib.engine.network import VGG19, load_vgg19
from stylelib.pictures.images import load_image


@pytest.fixture(scope="session", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever else paints on this computer must not change the tests' numbers."""
    sharing.share.painters.folder = tmp_path_factory.mktemp("painters")


@pytest.fixture(scope="session")
def network() -> VGG19:
    """The embedded network, whole, in float32. Tests only look at it."""
    return load_vgg19()


@pytest.fixture(scope="session")
def camel() -> Tensor:
    """The camel, 64 x 36 pixels. Tests only look at it."""
    return load_image("camel", 64)


@pytest.fixture(scope="session")
def painting() -> Tensor:
    """A painting whose longest side is 64 pixels. Tests only look at it."""
    return load_image("hokusai-great-wave", 64)


@pytest.fixture(
    params=[
        "cpu",
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card"),
        ),
    ]
)
def device(request: pytest.FixtureRequest) -> str:
    """Where to paint: on the CPU and, where there is one, on a graphics card."""
    name: str = request.param
    return name


@pytest.fixture
def noise() -> Callable[..., Tensor]:
    """Make random numbers in 0-1, the same ones for the same shape."""

    def make(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 1) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(*shape, generator=generator, dtype=dtype)

    return make


@pytest.fixture(scope="session")
def torchvision() -> Any:
    """The package, also where it was built for another PyTorch than the one here.

    Then its compiled operators can't be loaded, and its Python part, which is
    all that VGG needs, stops at names that they would have declared.
    """
    try:
        import torchvision
    except RuntimeError:
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _keep.append(library)
        import torchvision
    return torchvision


_keep: list[object] = []  # a Library takes its names with it when it goes


@pytest.fixture(scope="session")
def torchvision_layers(torchvision: Any, network: VGG19) -> nn.Sequential:
    """torchvision's own VGG-19, layer after layer, holding our weights."""
    with torch.device("meta"):  # no memory for the classifier, no numbers drawn
        layers: nn.Sequential = torchvision.models.vgg19(weights=None).features
    layers = layers.to_empty(device="cpu")
    theirs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    assert len(theirs) == len(CONVOLUTIONS) == 16
    with torch.no_grad():
        for convolution, name in zip(theirs, CONVOLUTIONS, strict=True):
            convolution.load_state_dict(network.convolutions[name].state_dict())
    for layer in layers:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False  # so that the maps before it can be looked at
    return layers.requires_grad_(False).eval()


Maps = dict[str, Tensor]


@pytest.fixture(scope="session")
def torchvision_maps(torchvision_layers: nn.Sequential) -> Callable[..., tuple[Maps, Maps]]:
    """Every layer's maps by its name, before and after ReLU, from torchvision's layers."""
    # What the embedded weights are fed: (picture - mean) / std, RGB.
    mean = torch.tensor([123.68, 116.779, 103.939]).view(1, 3, 1, 1) / 255

    def run(image: Tensor, layers: nn.Sequential = torchvision_layers) -> tuple[Maps, Maps]:
        before, after = {}, {}
        x = (image - mean) / 0.225
        block, index = 1, 0
        for layer in layers:
            if min(x.shape[-2:]) < 2 and isinstance(layer, nn.MaxPool2d):
                break
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                index += 1
                before[f"conv{block}_{index}"] = x
            elif isinstance(layer, nn.ReLU):
                after[f"conv{block}_{index}"] = x
            else:
                before[f"pool{block}"] = after[f"pool{block}"] = x
                block, index = block + 1, 0
        return before, after

    return run
