"""The way through the network and back on a processor: the numbers of `core`, in fewer passes.

Where convolutions are fast, as on processors with matrix units, half of a step is spent on what
lies between them: each ReLU, pooling and sum of gradients reads all maps and writes them. Here a
ReLU is part of the convolution before it, on the way back it is applied in place, and after a
pooling to a quarter of the numbers; and gradients are added where they arise.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

_SIDES = [1, 1]  # of strides and dilations


class Layer(Protocol):
    """A convolution and the ReLU after it."""

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve, and apply the ReLU."""

    def backward(self, gradient: Tensor, out: Tensor | None) -> Tensor:
        """The gradient of the input; `gradient`, that of the output, may be overwritten.

        It is set to 0 where `out`, the output, is 0; None if that is done.
        """


class Convolution:
    """PyTorch's convolution, with the ReLU in one pass where it offers that.

    Parameters
    ----------
    layer : nn.Conv2d
        Of stride 1, with 3 x 3 weights.
    padding : int
        Zeros around the maps.
    packed : bool
        Keep copies of the weights in the processor's own order, for both ways: otherwise they are
        put in order at each call, which takes longer than the convolution where maps are small.
    """

    def __init__(self, layer: nn.Module, padding: int = 1, packed: bool = False) -> None:
        self.kernel, self.bias = (parameter.detach() for parameter in layer.parameters())
        self.padding = padding
        self._packed: list[Tensor] = []  # forward and backward
        if packed and fused():
            turned = self.kernel.transpose(0, 1).flip(2, 3)
            turned = turned.contiguous(memory_format=torch.channels_last)
            pairs = ((self.kernel, padding), (turned, 2 - padding))
            self._packed = [_pack(kernel, by) for kernel, by in pairs]

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve, and apply the ReLU."""
        if fused():
            kernel = self._packed[0] if self._packed else self.kernel
            return _convolve(maps, kernel, self.bias, self.padding, "relu")
        return F.relu(F.conv2d(maps, self.kernel, self.bias, padding=self.padding), inplace=True)

    def backward(self, gradient: Tensor, out: Tensor | None) -> Tensor:
        """The gradient of the input; `gradient`, that of the output, may be overwritten."""
        if out is not None:
            mask(gradient, out)
        if self._packed:
            return _convolve(gradient, self._packed[1], None, 2 - self.padding, "none")
        batch, _, *size = gradient.shape
        shape = (batch, self.kernel.shape[1], *(side + 2 - 2 * self.padding for side in size))
        like = gradient.new_empty(1).expand(shape)  # its numbers are not needed
        found: Tensor = torch.ops.aten.convolution_backward(
            gradient, like, self.kernel, None, _SIDES, [self.padding] * 2, _SIDES,
            False, [0, 0], 1, [True, False, False],
        )[0]  # fmt: skip
        return found


def mask(gradient: Tensor, out: Tensor) -> None:
    """Set a gradient to 0, in place, where the output of a ReLU is 0."""
    torch.ops.aten.threshold_backward.grad_input(gradient, out, 0, grad_input=gradient)


def _convolve(maps: Tensor, kernel: Tensor, bias: Tensor | None, padding: int, end: str) -> Tensor:
    out: Tensor = torch.ops.mkldnn._convolution_pointwise(
        maps, kernel, bias, [padding] * 2, _SIDES, _SIDES, 1, end, [], ""
    )
    return out


def _pack(kernel: Tensor, padding: int) -> Tensor:
    size = [1, kernel.shape[1], 16, 16]  # of the maps; the order is right for others, too
    packed: Tensor = torch.ops.mkldnn._reorder_convolution_weight(
        kernel, [padding] * 2, _SIDES, _SIDES, 1, size
    )
    return packed


@lru_cache
def fused() -> bool:
    """Whether PyTorch has a convolution with its ReLU (of oneDNN, which `torch.compile` uses).

    It is no public function, so it is tried, and only where it was measured.
    """
    if sys.platform != "linux" or not torch.backends.mkldnn.is_available():
        return False
    maps, kernel = torch.linspace(-1, 1, 256).view(1, 16, 4, 4), torch.linspace(-1, 1, 2304)
    kernel, bias = kernel.view(16, 16, 3, 3), torch.linspace(-1, 1, 16)
    with suppress(Exception):
        found = _convolve(maps, _pack(kernel, 1), bias, 1, "relu")
        return torch.allclose(found, F.conv2d(maps, kernel, bias, padding=1).relu(), atol=1e-4)
    return False


def through(
    maps: Tensor,
    names: Sequence[str],
    requested: Sequence[str],
    layer: Callable[[str, Tensor], Layer],
    average: bool,
) -> dict[str, Tensor]:
    """The maps of the requested layers, after ReLU.

    Parameters
    ----------
    maps : Tensor, shape (B, 3, H, W)
        The input of the first layer.
    names : sequence of str
        All layers up to the deepest of the requested ones.
    requested : sequence of str
    layer : callable
        Of a convolution's name and its input or output, what computes it.
    average : bool
        Average pooling in place of max pooling.
    """
    keep = torch.is_grad_enabled() and maps.requires_grad
    found = _Pass.apply(maps, names, set(requested), layer, average, keep)
    of_name = dict(zip((name for name in names if name in requested), found, strict=True))
    return {name: of_name[name] for name in requested}


class _Pass(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        maps: Tensor,
        names: Sequence[str],
        requested: set[str],
        layer: Callable[[str, Tensor], Layer],
        average: bool,
        keep: bool,
    ) -> tuple[Tensor, ...]:
        found: list[Tensor] = []
        kept: list[Tensor] = []
        # For each layer its name, the input's shape, and the places in `kept` of what the way back
        # needs. Not what computes it: a loss that somebody keeps must not hold copies of weights.
        way: list[tuple[str, torch.Size, list[int]]] = []
        for number, name in enumerate(names):
            shape, needed = maps.shape, []
            if not name.startswith("pool"):
                maps = layer(name, maps).forward(maps)
                # After a pooling of the largest the ReLU's gradient is left to the pooling: where
                # the largest of four is 0, all are.
                pooled = names[number + 1 : number + 2] and names[number + 1].startswith("pool")
                if name in requested or average or not pooled:
                    needed = [maps]
            elif average:
                maps = F.avg_pool2d(maps, 2)
            else:
                maps, places = F.max_pool2d(maps, 2, return_indices=True)
                needed = [maps, places]
            if keep:
                way.append((name, shape, list(range(len(kept), len(kept) + len(needed)))))
                kept += needed
            if name in requested:
                found.append(maps)
        ctx.way, ctx.requested, ctx.layer, ctx.average = way, requested, layer, average
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*kept)
        return tuple(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        kept, given = ctx.saved_tensors, list(gradients)
        gradient: Tensor | None = None
        for name, shape, places in reversed(ctx.way):
            own = given.pop() if name in ctx.requested else None
            if own is not None:
                # What is given may be in use elsewhere; what was computed here is not.
                gradient = _copy(own) if gradient is None else gradient.add_(own)
            if gradient is None:
                continue
            needed = [kept[place] for place in places]
            if not name.startswith("pool"):
                # The output is as large as the input, so it is computed in the same way.
                layer = ctx.layer(name, gradient)
                gradient = layer.backward(gradient, needed[0] if needed else None)
            elif ctx.average:
                gradient = torch.ops.aten.avg_pool2d_backward(
                    gradient, gradient.new_empty(1).expand(shape), [2, 2], [], [0, 0],
                    False, True, None,
                )  # fmt: skip
            else:
                mask(gradient, needed[0])
                gradient = _spread(gradient, needed[1], shape)
        return gradient, None, None, None, None, None


def _copy(gradient: Tensor) -> Tensor:
    return gradient.clone(memory_format=torch.channels_last)


def _spread(gradient: Tensor, places: Tensor, shape: torch.Size) -> Tensor:
    """The gradient of max pooling, each number at the place of its window's largest."""
    refused = torch.are_deterministic_algorithms_enabled()
    if refused or (gradient.device.type == "cpu" and not _unpools(gradient.dtype)):
        like = gradient.new_empty(1).expand(shape)
        found: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
            gradient, like, [2, 2], [2, 2], [0, 0], [1, 1], False, places
        )
        return found
    # Windows don't overlap, so this writes the same; but with all threads.
    return F.max_unpool2d(gradient, places, [2, 2], output_size=list(shape))


@cache
def _unpools(dtype: torch.dtype) -> bool:
    """Whether max_unpool2d takes such numbers on the processor: PyTorch 2.4 takes no bfloat16."""
    small = torch.zeros(1, 2, 2, 2, dtype=dtype).contiguous(memory_format=torch.channels_last)
    try:
        F.max_unpool2d(small, torch.zeros_like(small, dtype=torch.int64), [2, 2])
    except RuntimeError:
        return False
    return True
