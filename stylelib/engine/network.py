"""The network of `core`, ready to paint: loaded, checked, on a device, in a precision."""

from collections.abc import Iterable
from copy import copy, deepcopy
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..checks import check_kind
from ..core import vgg
from ..core.layers import CONVOLUTIONS, LAYERS, PADDINGS, POOLINGS
from ..core.vgg import Weights
from ..errors import pick
from ..guards import check_request
from ..recipes import Recipe
from . import cards
from .backprop import Convolution, Layer, through
from .devices import choose_device, choose_precision, choose_winograd
from .modes import usual_modes
from .weights import read_weights
from .winograd import Winograd, is_large, pays


class VGG19(vgg.VGG19):
    """The feature extractor of VGG-19, up to one layer, its weights frozen.

    The network of `stylelib.core.vgg`, whose code is written to be read. This one checks its
    arguments, and can compute in other precisions and with faster convolutions.

    Parameters
    ----------
    weights : Weights
        From `read_weights`; the convolutions in it are built, and no others.
    pooling : {"max", "average"}
    padding : {"zeros", "replicate"}
        See `stylelib.core.vgg.VGG19`.

    Raises
    ------
    StylelibError
        If an argument can't be used.
    """

    def __init__(self, weights: Weights, pooling: str = "max", padding: str = "zeros") -> None:
        check_kind(weights, Weights, "The weights of a VGG19")
        super().__init__(
            weights, pick(pooling, POOLINGS, "pooling"), pick(padding, PADDINGS, "padding")
        )
        self.set_precision(torch.float32)

    def set_precision(
        self, dtype: torch.dtype, winograd: bool = False, packed: bool = False
    ) -> None:
        """Compute the convolutions in `dtype`; pictures and maps stay as they are.

        bfloat16 keeps 8 bits of each number: three times as fast on a processor that
        has it, with no difference that the eye can see. It rounds the weights for good;
        copy the network first if float32 is wanted again.

        Parameters
        ----------
        dtype : torch.dtype
        winograd : bool
            Use fewer multiplications where that is faster: see `Winograd`.
        packed : bool
            Keep copies of the weights as the processor likes them: see `Convolution`. They don't
            change with the weights.
        """
        self.dtype, self.winograd, self.packed = dtype, winograd, packed
        # channels_last keeps a pixel's channels together: faster convolutions.
        self.convolutions.to(dtype=dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.forget()

    def forget(self) -> None:
        """Release what the next pass can make again from the weights, in some hundredths of a s."""
        self._faster: dict[str, Winograd | None] = {}
        self._plain: dict[str, Convolution] = {}

    def __getstate__(self) -> dict[str, Any]:
        """For copies and files, which weights in a processor's own order can't get into."""
        state: Any = super().__getstate__()
        kept: dict[str, Any] = state | {"_faster": {}, "_plain": {}}
        return kept

    def forward(
        self, image: Tensor, layers: Iterable[str], before_relu: bool = False
    ) -> dict[str, Tensor]:
        """See `features`."""
        wanted = check_request(self, image, layers, before_relu)
        maps = self.raw(image, wanted, before_relu)
        return {name: found.to(image.dtype) for name, found in maps.items()}

    def raw(
        self, image: Tensor, layers: Iterable[str], before_relu: bool = False
    ) -> dict[str, Tensor]:
        """The same unchecked, in the precision that the maps were computed in."""
        if before_relu or not self._can_be_fused(image):
            return super().forward(image, layers, before_relu)
        requested = list(layers)
        names = LAYERS[: max(map(LAYERS.index, requested)) + 1]
        maps = self.normalize(image)
        if self.padding == "replicate":
            maps = F.pad(maps, (1, 1, 1, 1), mode="replicate")
        return through(maps, names, requested, self._layer, self.pooling == "average")

    def _can_be_fused(self, image: Tensor) -> bool:
        """Whether nobody needs to see what is between two layers, and the device has no own way."""
        if image.device.type != "cpu" or self.dtype not in (torch.bfloat16, torch.float32):
            return False
        layers = self.convolutions.values()
        return not any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)

    def normalize(self, image: Tensor) -> Tensor:
        """As in `core`, then in the network's precision and memory format."""
        x: Tensor = super().normalize(image)
        return x.to(self.dtype, memory_format=torch.channels_last)

    def convolve(self, name: str, maps: Tensor, relu: bool = True) -> Tensor:
        """As in `core`, with fewer multiplications where that is faster."""
        if relu and (faster := self._with_fewer(name, maps)) is not None:
            return faster.forward(maps)
        layer: Any = self.convolutions[name]
        if layer.padding_mode == "replicate" and cards.on_card(maps.device):
            out = F.conv2d(cards.with_border(maps), layer.weight, layer.bias)
            return F.relu(out, inplace=True) if relu else out
        return super().convolve(name, maps, relu)

    def _with_fewer(self, name: str, maps: Tensor) -> Winograd | None:
        if not self.winograd or not is_large(maps):
            return None
        kept = self._faster  # another thread may `forget`
        if name not in kept:
            kernel, bias = (p.detach() for p in self.convolutions[name].parameters())
            kept[name] = Winograd(kernel, bias) if pays(kernel) else None
        return kept[name]

    def _layer(self, name: str, maps: Tensor) -> Layer:
        if (faster := self._with_fewer(name, maps)) is not None:
            return faster
        kept = self._plain
        if (layer := kept.get(name)) is None:
            padding = 0 if name == "conv1_1" and self.padding == "replicate" else 1
            layer = Convolution(self.convolutions[name], padding, self.packed)
            if self.packed:
                kept[name] = layer
        return layer


@usual_modes()
def load_vgg19(
    source: str = "embedded",
    last: str = "conv5_4",
    pooling: str = "max",
    padding: str = "zeros",
    seed: int = 0,
) -> VGG19:
    """Load a pretrained, frozen VGG-19 feature extractor.

    Parameters
    ----------
    source : {"embedded", "torchvision", "random"}
        Where the weights come from, see `read_weights`. The default came with
        the installation, so that a whole class gets the same pictures, offline.
    last : str
        The deepest layer needed; deeper ones are not built.
    pooling : {"max", "average"}
    padding : {"zeros", "replicate"}
        See `VGG19`.
    seed : int
        Only for ``source="random"``.

    Returns
    -------
    VGG19

    Raises
    ------
    StylelibError
        If a name is unknown, or the weights file is missing or altered.
    """
    pick(last, LAYERS, "layer")
    convolutions = [name for name in LAYERS[: LAYERS.index(last) + 1] if name in CONVOLUTIONS]
    return VGG19(read_weights(source, convolutions[-1], seed), pooling, padding)


default_network = lru_cache(maxsize=1)(load_vgg19)
"""The whole embedded network: the first call loads it, and later calls return the same object."""


def features(
    image: Tensor,
    layers: str | Iterable[str] = LAYERS,
    network: vgg.VGG19 | None = None,
    before_relu: bool = False,
) -> dict[str, Tensor]:
    """The feature maps that the network computes from a picture.

    Parameters
    ----------
    image : Tensor, shape (B, 3, H, W), RGB in 0-1
    layers : str or several
        ``"conv1_1"`` … ``"conv5_4"``, ``"pool1"`` … ``"pool4"``. The network
        runs to the deepest of them and stops there.
    network : VGG19, optional
        The embedded one by default, loaded once.
    before_relu : bool
        By default a convolution's maps are taken after its ReLU, as Gatys et al.
        do; this takes them before. Pooled maps are always after.

    Returns
    -------
    dict of layer name to Tensor, shape (B, C, h, w)
        h and w are halved, rounding down, by each pooling before the layer.

    Raises
    ------
    StylelibError
        If a layer is unknown or deeper than the network, or the picture has the
        wrong shape or is too small for the layer.

    Examples
    --------
    >>> from stylelib import features, load_image
    >>> maps = features(load_image("camel", size=64), ["conv1_1", "conv4_2"])
    >>> maps["conv4_2"].shape
    torch.Size([1, 512, 4, 8])
    """
    names = [layers] if isinstance(layers, str) else layers
    if network is not None:
        check_kind(network, vgg.VGG19, "The network")
    network = network or default_network()
    check_request(network, image, names, before_relu)
    maps: dict[str, Tensor] = network(image, names, before_relu)
    return maps


def prepare(
    recipe: Recipe,
    device: torch.device,
    precision: torch.dtype | None = None,
    network: vgg.VGG19 | None = None,
) -> VGG19:
    """The network that paints a recipe: on the device, in a precision, as fast as it can be.

    A given network is used as it is if it fits. If not, it is copied, since it may be in use
    elsewhere. Without one, the recipe says which weights to load, and how deep.
    """
    precision = precision or choose_precision(device)
    winograd = choose_winograd(device, precision)
    if network is None:
        network = load_vgg19(
            recipe.weights, recipe.deepest, recipe.pooling, recipe.padding, recipe.seed
        )
    elif not isinstance(network, VGG19):
        network = _with_engine(network)
    elif (network.mean.device, network.dtype) != (device, precision):
        network = deepcopy(network)
    elif network.winograd == winograd:
        return network
    else:
        network = copy(network)  # it shares the weights
    network.to(device).set_precision(precision, winograd, packed=device.type == "cpu")
    return network


def _with_engine(network: vgg.VGG19) -> VGG19:
    """A copy of a network of `core`."""
    kernels, biases = (
        {
            name: getattr(layer, part).detach().clone()
            for name, layer in network.convolutions.items()
        }
        for part in ("weight", "bias")
    )
    mean, std = (tuple(numbers.flatten().tolist()) for numbers in (network.mean, network.std))
    return VGG19(Weights(kernels, biases, mean, std), network.pooling, network.padding)


class NetworkCache:
    """The network that was used last, kept for the next painting."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._network: VGG19 | None = None

    def load(self, recipe: Recipe) -> VGG19:
        """The network for a recipe: the one that was used last, if it fits and is deep enough."""
        seed = recipe.seed if recipe.weights == "random" else 0
        key = (recipe.weights, recipe.pooling, recipe.padding, seed)
        network = self._network
        if network is None or key != self._key or not reaches(network, recipe.deepest):
            network = prepare(recipe, choose_device())
            self._key, self._network = key, network
        return network

    def clear(self) -> None:
        """Release the network."""
        self._network = None


def reaches(network: vgg.VGG19, layer: str) -> bool:
    """Whether a network is deep enough to have that layer."""
    return LAYERS.index(network.last) >= LAYERS.index(layer)
