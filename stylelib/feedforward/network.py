"""A network that paints in one style with a single forward pass, without optimisation."""

import hashlib
import io
import os
import zipfile
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..checks import as_path, check_picture, check_range
from ..engine.memory import check_room, ran_out
from ..engine.modes import usual_modes
from ..errors import StylelibError, is_out_of_memory, pick
from ..pictures.files import cannot_read, check_place, write_atomically
from ..pictures.samples import NETWORKS

ENDINGS = (".pt",)
"""What the name of a network's file has to end in."""

SMALLEST = 16
"""Pixels that a photo needs on each side: a quarter of it must have room for a 3 x 3 kernel."""

_FORMAT = "stylelib feed-forward network 1"
_LARGEST = 200_000_000  # bytes of a file with width 128 and 16 blocks
_NEEDED, _BYTES = 300_000_000, 33  # memory, as measured: at least, and per pixel and map
MARGIN = 16
"""Pixels added at each edge and cut off again, so that edges look no different."""


class FeedForward(nn.Module):
    """A network that turns a photo into a picture in the style of one painting.

    A new one is untrained: `train` it on a painting, or `load` a trained one.

    Parameters
    ----------
    width : int, 1 to 128
        Feature maps at full size; there are twice as many at half the size, and four
        times as many at a quarter. More of them can draw finer detail, and are slower.
    blocks : int, 0 to 16
        Residual blocks, at a quarter of the size. Each widens the receptive field by 16
        pixels.
    seed : int
        Seed of the random weights that it starts from.

    Attributes
    ----------
    painting : str
        The name of the painting that it was trained on, kept in its file; empty at first.

    Raises
    ------
    StylelibError
        If a number is out of range.

    Notes
    -----
    The architecture is that of Johnson, Alahi, Fei-Fei, *Perceptual Losses for Real-Time
    Style Transfer* (2016), with the instance normalisation of Ulyanov, Vedaldi, Lempitsky
    (2016): each feature map gets mean 0 and variance 1, which removes the contrast of the
    photo, so that the painting's can take its place. Nearest-neighbour upsampling and then
    a convolution avoid checkerboard artifacts (Odena, Dumoulin, Olah 2016).

    Examples
    --------
    >>> from stylelib import load_image
    >>> network = FeedForward.load("hokusai-great-wave.pt")
    >>> network.paint(load_image("camel", size=64)).shape
    torch.Size([1, 3, 36, 64])
    """

    @usual_modes()
    def __init__(self, width: int = 16, blocks: int = 4, seed: int = 0) -> None:
        super().__init__()
        check_range("width", width, 1, 128, Integral)
        check_range("blocks", blocks, 0, 16, Integral)
        check_range("seed", seed, 0, 2**63 - 1, Integral)
        width, blocks = int(width), int(blocks)  # plain integers, for its file
        self.width, self.blocks, self.painting = width, blocks, ""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(seed))
            self.layers = nn.Sequential(
                *_layer(3, width, 9),
                *_layer(width, 2 * width, 3, stride=2),
                *_layer(2 * width, 4 * width, 3, stride=2),
                *(_Block(4 * width) for _ in range(blocks)),
                nn.Upsample(scale_factor=2),
                *_layer(4 * width, 2 * width, 3),
                nn.Upsample(scale_factor=2),
                *_layer(2 * width, width, 3),
                _convolution(width, 3, 9),
                nn.Sigmoid(),
            )

    def forward(self, photo: Tensor) -> Tensor:
        """Paint with gradients, for training.

        Parameters
        ----------
        photo : Tensor, shape (B, 3, H, W), RGB in 0-1
            At least 16 pixels on each side.

        Returns
        -------
        Tensor, shape (B, 3, H, W), RGB in 0-1
        """
        height, width = photo.shape[-2:]
        # Height and width are halved twice, so they are padded to multiples of 4.
        whole = F.pad(photo - 0.5, (0, -width % 4, 0, -height % 4), mode="replicate")
        whole = whole.to(next(self.parameters()).dtype)
        painted: Tensor = self.layers(whole)
        return painted[..., :height, :width]

    @usual_modes()
    @torch.no_grad()
    def paint(self, photo: Tensor) -> Tensor:
        """Paint a photo.

        Parameters
        ----------
        photo : Tensor, shape (1, 3, H, W), RGB in 0-1
            At least 16 pixels on each side.

        Returns
        -------
        Tensor, shape (1, 3, H, W), RGB in 0-1
            On the CPU.

        Raises
        ------
        StylelibError
            If it is not such a picture, or memory runs out.
        """
        check_picture(photo, "The photo")
        height, width = photo.shape[-2:]
        if min(height, width) < SMALLEST:
            raise StylelibError(
                f"The photo is {width} x {height} pixels; the network needs at least {SMALLEST} "
                f"on each side. Use a larger photo."
            )
        edge = min(MARGIN, height - 1, width - 1)
        device = next(self.parameters()).device
        needed = _NEEDED + _BYTES * self.width * height * width
        check_room(height, width, device, needed, fixed=_NEEDED)
        try:
            wide = F.pad(photo.detach().to(device, torch.float32), [edge] * 4, mode="reflect")
            painted: Tensor = self(wide)[..., edge : edge + height, edge : edge + width]
            return painted.float().cpu()
        except Exception as error:
            if is_out_of_memory(error):
                raise ran_out(error) from error
            raise

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save the network to a file, which is written completely or not at all.

        The weights are kept in half precision: half the size, with no visible difference.

        Parameters
        ----------
        path : path
            Ends in ``.pt``.

        Raises
        ------
        StylelibError
            If it has another ending, the file can't be written, or `load` could not read it: a
            weight is NaN or infinite in half precision, or a layer was exchanged.
        """
        path = check_place(path, ENDINGS)
        state = {name: value.detach().cpu().half() for name, value in self.state_dict().items()}
        if not all(value.isfinite().all() for value in state.values()):
            raise StylelibError(
                f"The network can't be saved: some of its weights are NaN, infinite or larger than "
                f"the file can hold, {torch.finfo(torch.half).max:g}. Train it anew, or load it "
                f"as it was saved before."
            )
        stored: dict[str, Any] = {"width": self.width, "blocks": self.blocks}
        stored |= {"format": _FORMAT, "painting": self.painting, "state": state}
        buffer = io.BytesIO()
        try:
            torch.save(stored | {"sha256": checksum(stored)}, buffer)
            _decode(buffer.getvalue())
        except Exception as error:
            raise StylelibError(
                "The network can't be saved: its layers, width, blocks or painting's name are not "
                "such as a FeedForward has. Make a new one and train it."
            ) from error
        write_atomically(path, buffer.getvalue())
        return path

    @staticmethod
    @usual_modes()
    def load(path: str | os.PathLike[str] | bytes) -> "FeedForward":
        """Load a network that `save` wrote. Nothing in the file is executed.

        Parameters
        ----------
        path : path, name of a sample, or a file's contents
            For example ``"hokusai-great-wave.pt"``, which comes with stylelib.

        Raises
        ------
        StylelibError
            If there is no such file, or it is cut short, altered or of another kind.
        """
        if isinstance(path, bytes):
            try:
                return _decode(path)
            except Exception as error:
                raise StylelibError(
                    "These bytes are not a network that stylelib saved, or they are altered."
                ) from error
        name, data = str(path), _read(path)
        try:
            return _decode(data)
        except Exception as error:  # a damaged file may raise anything, deep inside torch
            raise StylelibError(
                f"{name} is not a network that stylelib saved, or it is cut short or altered. "
                f"Train it again: stylelib train PAINTING --output {Path(name).name}"
            ) from error


class _Block(nn.Module):
    """A residual block: it learns what to add to its input (He et al. 2015)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_layer(width, width, 3), *_layer(width, width, 3)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.layers(x)
        return x + added


def _convolution(into: int, out: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        into, out, size, stride, size // 2, padding_mode="reflect", dtype=torch.float32
    )


def _layer(into: int, out: int, size: int, stride: int = 1) -> list[nn.Module]:
    normalise = nn.InstanceNorm2d(out, affine=True, dtype=torch.float32)
    return [_convolution(into, out, size, stride), normalise, nn.ReLU()]


def _read(path: str | os.PathLike[str]) -> bytes:
    file = as_path(path)
    try:
        if not file.exists() and str(path) in NETWORKS:
            file = NETWORKS[str(path)]
        if not file.exists() and len(file.parts) == 1:
            pick(str(path), NETWORKS, "file or trained network")
        if not file.is_file():
            raise StylelibError(f"There is no file {path}. Check the name and the folder.")
        if file.stat().st_size > _LARGEST:
            raise StylelibError(f"{path} is too large to be a network that stylelib saved.")
        return file.read_bytes()
    except OSError as error:
        raise cannot_read(str(path), error) from error


def _decode(data: bytes) -> FeedForward:
    """The network in a file; raises anything if it is not as `save` made it."""
    _check_zip(data)
    stored = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    network = FeedForward(stored["width"], stored["blocks"])
    state = stored["state"]
    if stored["format"] != _FORMAT or not isinstance(stored["painting"], str):
        raise ValueError("another format")
    if stored["sha256"] != checksum(stored):
        raise ValueError("another checksum")
    if not all(v.dtype == torch.half and v.isfinite().all() for v in state.values()):
        raise ValueError("not all numbers are finite, in half precision")
    network.load_state_dict(state)
    network.painting = stored["painting"]
    return network


def _check_zip(data: bytes) -> None:
    """Refuse a small file that unpacks to a huge one: torch saves without compression."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
    if any(entry.compress_type for entry in entries):
        raise ValueError("compressed")
    if sum(entry.file_size for entry in entries) > len(data):
        raise ValueError("larger inside than outside")


def checksum(stored: dict[str, Any]) -> str:
    """SHA-256 of everything in a file: it detects damage, not forgery."""
    head = [stored[key] for key in ("format", "painting", "width", "blocks")]
    digest = hashlib.sha256(repr(head).encode())
    for name, value in sorted(stored["state"].items()):
        digest.update(name.encode() + value.contiguous().numpy().tobytes())
    return digest.hexdigest()
