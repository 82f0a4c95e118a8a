"""VGG-19 as named feature maps, frozen: the classifier is gone."""

from collections.abc import Iterable
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .checks import check_kind, check_switch, check_tensor, checked
from .errors import StylelibError, pick, shown
from .weights import CONVOLUTIONS, Weights, read_weights
from .winograd import Winograd, is_large, pays

POOLINGS = ("max", "average")


def _with_pools() -> tuple[str, ...]:
    names: list[str] = []
    for name in CONVOLUTIONS:
        if name.endswith("_1") and names:
            names.append(f"pool{int(name[4]) - 1}")
        names.append(name)
    return tuple(names)


LAYERS = _with_pools()
"""All layers in order: ``conv1_1``, ``conv1_2``, ``pool1`` … ``conv5_4``."""


def smallest_side(layer: str) -> int:
    """How many pixels a picture needs on each side for `layer`: each pooling halves them."""
    return 2 ** sum(name.startswith("pool") for name in LAYERS[: LAYERS.index(layer) + 1])


def _check_request(
    self: "VGG19", image: Tensor, layers: Iterable[str], before_relu: bool = False
) -> None:
    if not isinstance(layers, Iterable) or isinstance(layers, Tensor):
        raise StylelibError(f"Layers are given by name, not as {shown(layers)}.")
    check_switch("before_relu", before_relu)


class VGG19(nn.Module):
    """The feature extractor of VGG-19, up to one layer, its weights frozen.

    Parameters
    ----------
    weights : Weights
        From `read_weights`; the convolutions in it are built, and no others.
    pooling : {"max", "average"}
        Gatys et al. (2016), section 2: average pooling "yields slightly more
        appealing results". VGG was trained with max.
    padding : {"zeros", "replicate"}
        What the first convolution sees beyond the edge: black after subtracting
        the mean (grey, that is), as in training, or the border pixel again.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Weights, pooling: str = "max", padding: str = "zeros") -> None:
        super().__init__()
        check_kind(weights, Weights, "What a VGG19 is made of")
        self.pooling = pick(pooling, POOLINGS, "pooling")
        self.padding = pick(padding, ("zeros", "replicate"), "padding")
        self.convolutions = nn.ModuleDict()
        for name, kernel in weights.kernels.items():
            layer = nn.Conv2d(
                kernel.shape[1],
                kernel.shape[0],
                3,
                padding=1,
                padding_mode="replicate" if name == "conv1_1" and padding != "zeros" else "zeros",
            )
            layer.weight = nn.Parameter(kernel, requires_grad=False)
            layer.bias = nn.Parameter(weights.biases[name], requires_grad=False)
            self.convolutions[name] = layer
        self.register_buffer("mean", torch.tensor(weights.mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(weights.std).view(1, 3, 1, 1))
        self.eval()
        self.set_precision(torch.float32)

    def set_precision(self, dtype: torch.dtype, winograd: bool = False) -> None:
        """Compute the convolutions in `dtype`; pictures and maps stay as they are.

        bfloat16 keeps 8 bits of each number: three times as fast on a processor
        that has it, and not to be told apart by eye. It rounds the weights for
        good; copy the network first if float32 is wanted again.

        Parameters
        ----------
        dtype : torch.dtype
        winograd : bool
            With fewer multiplications where that is faster: see `Winograd`.
        """
        self.dtype = dtype
        # channels_last keeps a pixel's channels together: faster convolutions.
        self.convolutions.to(dtype=dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.winograd = winograd
        self._faster: dict[str, Winograd | None] = {}

    def _winograd(self, name: str, maps: Tensor) -> Winograd | None:
        """A convolution's faster form, if it has one for such maps; made when first needed."""
        if not self.winograd or not is_large(maps):
            return None
        if name not in self._faster:
            kernel, bias = (p.detach() for p in self.convolutions[name].parameters())
            self._faster[name] = Winograd(kernel, bias) if pays(kernel) else None
        return self._faster.get(name)

    @property
    def last(self) -> str:
        """The deepest layer that it has: its last convolution, or the pooling after it."""
        following = LAYERS.index(list(self.convolutions)[-1]) + 1
        pooled = following < len(LAYERS) and LAYERS[following].startswith("pool")
        return LAYERS[following if pooled else following - 1]

    @checked(_check_request)
    def forward(
        self, image: Tensor, layers: Iterable[str], before_relu: bool = False
    ) -> dict[str, Tensor]:
        """See `features`."""
        maps = self.raw(image, layers, before_relu)
        return {name: found.to(image.dtype) for name, found in maps.items()}

    def raw(
        self, image: Tensor, layers: Iterable[str], before_relu: bool = False
    ) -> dict[str, Tensor]:
        """The same, in the precision that they were computed in."""
        wanted = [pick(name, LAYERS, "layer") for name in layers]
        if not wanted:
            raise StylelibError("Name at least one layer, for example conv4_2.")
        deepest = max(wanted, key=LAYERS.index)
        self._check(image, deepest)
        found: dict[str, Tensor] = {}
        x = ((image - self.mean) / self.std).to(self.dtype, memory_format=torch.channels_last)
        for name in LAYERS[: LAYERS.index(deepest) + 1]:
            if name.startswith("pool"):
                out = x = F.max_pool2d(x, 2) if self.pooling == "max" else F.avg_pool2d(x, 2)
            elif not before_relu and (faster := self._winograd(name, x)):
                out = x = faster(x)  # convolution and ReLU at once: the same, sooner
            else:
                out = self.convolutions[name](x)
                x = F.relu(out, inplace=not before_relu)
            if name in wanted:
                found[name] = out
        return {name: found[name] for name in wanted}

    def _check(self, image: Tensor, deepest: str) -> None:
        if not isinstance(image, Tensor):
            raise StylelibError(
                f"The network takes a picture as a tensor, not {type(image).__name__}. "
                f"load_image makes one."
            )
        check_tensor(image, "The picture")
        if image.dim() != 4 or image.shape[1] != 3:
            raise StylelibError(
                f"A picture here is a tensor of shape (batch, 3, height, width), but this one "
                f"has shape {tuple(image.shape)}. load_image makes the right one."
            )
        if LAYERS.index(deepest) > LAYERS.index(self.last):
            raise StylelibError(
                f"This network was built only up to {self.last}, so it has no {deepest}. "
                f"Build it deeper: load_vgg19(last={deepest!r})."
            )
        smallest = smallest_side(deepest)
        if min(image.shape[-2:]) < smallest:
            raise StylelibError(
                f"This picture is {image.shape[-1]} x {image.shape[-2]} pixels; {deepest} needs "
                f"at least {smallest} on each side, for each pooling halves them. "
                f"Use a larger picture or an earlier layer."
            )


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
        The deepest layer needed; what lies beyond is not built.
    pooling : {"max", "average"}
    padding : {"zeros", "replicate"}
        See `VGG19`.
    seed : int
        For ``source="random"`` alone.

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
"""The embedded network, whole; loaded at the first call, the same one ever after."""


def features(
    image: Tensor,
    layers: str | Iterable[str] = LAYERS,
    network: VGG19 | None = None,
    before_relu: bool = False,
) -> dict[str, Tensor]:
    """The feature maps that a picture gives in the network.

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
    >>> maps = features(load_image("camel"), ["conv1_1", "conv4_2"])
    >>> maps["conv4_2"].shape
    torch.Size([1, 512, 72, 128])
    """
    names = [layers] if isinstance(layers, str) else layers
    if network is not None:
        check_kind(network, VGG19, "The network")
    return (network or default_network())(image, names, before_relu)
