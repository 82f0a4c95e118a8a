"""A trained network as an ONNX file, for programs without Python."""

import io
import os
import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..checks import check_kind
from ..engine.modes import usual_modes
from ..errors import StylelibError
from ..pictures.files import check_place, write_atomically
from .network import MARGIN, FeedForward

ENDINGS = (".onnx",)
"""What the name of an exported network has to end in."""

_OPSET = 18  # from 2022: what reads ONNX today reads this
_ROUNDING = 1e-4  # an 8-bit picture has steps of 4e-3
_CHECKED = ((1, 3, 33, 46), (2, 3, 60, 21))  # shapes of photos, neither of them even


@usual_modes()
def export_onnx(network: FeedForward, path: str | os.PathLike[str]) -> Path:
    """Export a network to ONNX, and check that it paints the same there.

    The exported network takes ``photo``, float32 of shape (B, 3, H, W), RGB in 0-1, more than 16
    pixels on each side, and gives ``picture`` of the same shape. All but 3 may differ at each call.
    If it knows several paintings, it also takes ``shares``, float32 of shape (paintings,): how much
    each of them counts. They must add up to 1.

    Parameters
    ----------
    network : FeedForward
    path : path
        Ends in ``.onnx``.

    Raises
    ------
    StylelibError
        If the packages for it are not installed, the file can't be written, or the exported
        network paints something else.
    """
    check_kind(network, FeedForward, "The network")
    path = check_place(path, ENDINGS)
    try:
        import onnx  # noqa: F401 - PyTorch's exporter needs it for some layers
        import onnxruntime
    except ImportError as error:
        raise StylelibError('Exporting needs ONNX: pip install "stylelib[onnx]".') from error
    framed = _Framed(network).cpu().float().eval()
    buffer = io.BytesIO()
    axes = {0: "batch", 2: "height", 3: "width"}
    generator = torch.Generator().manual_seed(0)

    def example(shape: tuple[int, ...]) -> dict[str, Tensor]:
        given = {"photo": torch.rand(shape, generator=generator)}
        if len(network.paintings) > 1:
            shares = torch.rand(len(network.paintings), generator=generator)
            given["shares"] = network.shares(shares)
        return given

    with warnings.catch_warnings(), torch.no_grad():
        # The older exporter: it needs no other package, and heeds sizes that change.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            framed,
            tuple(example(_CHECKED[0]).values()),
            cast(Any, buffer),  # older versions of PyTorch say that it takes names alone
            input_names=list(example(_CHECKED[0])),
            output_names=["picture"],
            dynamic_axes={"photo": axes, "picture": axes},
            opset_version=_OPSET,
            dynamo=False,
        )
        session = onnxruntime.InferenceSession(
            buffer.getvalue(), providers=["CPUExecutionProvider"]
        )
        for shape in _CHECKED:
            given = example(shape)
            (painted,) = session.run(None, {name: one.numpy() for name, one in given.items()})
            off = float((torch.from_numpy(painted) - framed(*given.values())).abs().max())
            if not off <= _ROUNDING:
                raise StylelibError(
                    f"The exported network paints something else: a pixel is off by {off:.2g}. "
                    f"Nothing was saved. Update torch, onnx and onnxruntime."
                )
    write_atomically(path, buffer.getvalue())
    return path


class _Framed(nn.Module):
    """A copy of the network that adds a margin to each photo, as `FeedForward.paint` does."""

    def __init__(self, network: FeedForward) -> None:
        super().__init__()
        self.network = deepcopy(network)

    def forward(self, photo: Tensor, shares: Tensor | None = None) -> Tensor:
        height, width = photo.shape[-2:]
        wide = nn.functional.pad(photo, [MARGIN] * 4, mode="reflect")
        painted: Tensor = self.network(wide, shares)
        return painted[..., MARGIN : MARGIN + height, MARGIN : MARGIN + width]
