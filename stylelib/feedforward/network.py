"""A network that paints in one style, in one go: no optimisation, a blink."""

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
from ..errors import StylelibError, is_out_of_memory, pick
from ..pictures.images import check_place, write_whole
from ..pictures.samples import NETWORKS

ENDINGS = (".pt",)
"""What the name of a network's file has to end in."""

SMALLEST = 16
"""Pixels that a photo needs on each side: a quarter of it must have room for a 3 x 3 kernel."""

_FORMAT = "stylelib feed-forward network 1"
_LARGEST = 200_000_000  # bytes of a file: width 128, 16 blocks
_NEEDED, _BYTES = 300_000_000, 33  # measured: bytes at least, and a pixel a map
_MARGIN = 16  # pixels painted beyond each edge, and cut off: no edge is special


class FeedForward(nn.Module):
    """A network that turns a photo into a picture in one painting's style.

    New, it knows nothing: `train` it on a painting, or `load` one that is.

    Parameters
    ----------
    width : int, 1 to 128
        Feature maps at the picture's own size; twice and four times as many at
        a half and a quarter of it. More can draw finer, and is slower.
    blocks : int, 0 to 16
        Residual blocks, at a quarter of the size. Each lets it look at 16
        pixels more.
    seed : int
        Of the random weights that it starts from.

    Attributes
    ----------
    painting : str
        The name of what it was trained on, kept in its file; empty at first.

    Raises
    ------
    StylelibError
        If a number is out of range.

    Notes
    -----
    Johnson, Alahi, Fei-Fei, *Perceptual Losses for Real-Time Style Transfer*
    (2016), with the instance normalisation of Ulyanov, Vedaldi, Lempitsky
    (2016): each map of each picture gets mean 0 and variance 1, so that the
    photo's own contrast is gone, and the painting's can take its place.
    Growing back by nearest neighbour, then a convolution, leaves no
    checkerboard (Odena, Dumoulin, Olah 2016).

    Examples
    --------
    >>> network = FeedForward.load("hokusai-great-wave.pt")
    >>> save_image(network.paint(load_image("camel")), "camel.png")
    """

    def __init__(self, width: int = 16, blocks: int = 4, seed: int = 0) -> None:
        super().__init__()
        check_range("width", width, 1, 128, Integral)
        check_range("blocks", blocks, 0, 16, Integral)
        check_range("seed", seed, 0, 2**63 - 1, Integral)
        width, blocks = int(width), int(blocks)  # plain, for its file
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
        """Paint, with gradients: what `train` does.

        Parameters
        ----------
        photo : Tensor, shape (B, 3, H, W), RGB in 0-1
            Of at least 16 pixels on each side.

        Returns
        -------
        Tensor, shape (B, 3, H, W), RGB in 0-1
        """
        height, width = photo.shape[-2:]
        # It halves the size twice: up to whole quarters, and back.
        whole = F.pad(photo - 0.5, (0, -width % 4, 0, -height % 4), mode="replicate")
        painted: Tensor = self.layers(whole)
        return painted[..., :height, :width]

    @torch.no_grad()
    def paint(self, photo: Tensor) -> Tensor:
        """Paint a photo.

        Parameters
        ----------
        photo : Tensor, shape (1, 3, H, W), RGB in 0-1
            Of at least 16 pixels on each side.

        Returns
        -------
        Tensor, shape (1, 3, H, W), RGB in 0-1

        Raises
        ------
        StylelibError
            If it is no such picture, or memory runs out.
        """
        check_picture(photo, "The photo")
        height, width = photo.shape[-2:]
        if min(height, width) < SMALLEST:
            raise StylelibError(
                f"The photo is {width} x {height} pixels; the network needs at least {SMALLEST} "
                f"on each side. Use a larger photo."
            )
        edge = min(_MARGIN, height - 1, width - 1)
        device = next(self.parameters()).device
        needed = _NEEDED + _BYTES * self.width * height * width
        check_room(height, width, device, needed, fixed=_NEEDED)
        try:
            wide = F.pad(photo.detach().to(device, torch.float32), [edge] * 4, mode="reflect")
            return self(wide)[..., edge : edge + height, edge : edge + width].cpu()
        except Exception as error:
            if is_out_of_memory(error):
                raise ran_out(error) from error
            raise

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save it, whole or not at all.

        The numbers are kept in half precision: half the file, and no difference
        to be seen.

        Parameters
        ----------
        path : path
            Ends in ``.pt``.

        Raises
        ------
        StylelibError
            If the ending is another, or the file can't be written.
        """
        path = check_place(path, ENDINGS)
        state = {name: value.detach().cpu().half() for name, value in self.state_dict().items()}
        stored: dict[str, Any] = {"width": self.width, "blocks": self.blocks}
        stored |= {"format": _FORMAT, "painting": self.painting, "state": state}
        buffer = io.BytesIO()
        torch.save(stored | {"sha256": _checksum(stored)}, buffer)
        write_whole(path, buffer.getvalue())
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "FeedForward":
        """Load one that `save` wrote. The file is read, and nothing in it is run.

        Parameters
        ----------
        path : path, or name of a sample
            For example ``"hokusai-great-wave.pt"``, which comes with stylelib.

        Raises
        ------
        StylelibError
            If there is no such file, or it is cut short, altered or of another kind.
        """
        name, data = str(path), _read(path)
        try:
            _check_zip(data)
            stored = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            network = cls(stored["width"], stored["blocks"])
            own, state = network.state_dict(), stored["state"]
            if stored["format"] != _FORMAT or not isinstance(stored["painting"], str):
                raise ValueError("another format")
            if {n: (v.shape, torch.half) for n, v in own.items()} != {
                n: (v.shape, v.dtype) for n, v in state.items()
            }:
                raise ValueError("other shapes")
            if stored["sha256"] != _checksum(stored):
                raise ValueError("another checksum")
            if not all(value.isfinite().all() for value in state.values()):
                raise ValueError("not all numbers")
            network.load_state_dict(state)
        except Exception as error:  # a spoilt file raises anything, deep inside torch
            raise StylelibError(
                f"{name} is not a network that stylelib saved, or it is cut short or altered. "
                f"Train it again: stylelib train PAINTING --output {Path(name).name}"
            ) from error
        network.painting = stored["painting"]
        return network


class _Block(nn.Module):
    """What it adds to its input is what it learns (He et al. 2015)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_layer(width, width, 3), *_layer(width, width, 3)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.layers(x)
        return x + added


def _convolution(into: int, out: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(into, out, size, stride, padding=size // 2, padding_mode="reflect")


def _layer(into: int, out: int, size: int, stride: int = 1) -> list[nn.Module]:
    normalise = nn.InstanceNorm2d(out, affine=True)
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
        raise StylelibError(f"{path} could not be read ({error.strerror}).") from error


def _check_zip(data: bytes) -> None:
    """What torch saves is a zip file that compresses nothing: no small file unpacks to a huge."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
    if any(entry.compress_type for entry in entries):
        raise ValueError("compressed")
    if sum(entry.file_size for entry in entries) > len(data):
        raise ValueError("larger inside than outside")


def _checksum(stored: dict[str, Any]) -> str:
    """SHA-256 of all that is in a file: against damage, not against forgery."""
    head = [stored[key] for key in ("format", "painting", "width", "blocks")]
    digest = hashlib.sha256(repr(head).encode())
    for name, value in sorted(stored["state"].items()):
        digest.update(name.encode() + value.contiguous().numpy().tobytes())
    return digest.hexdigest()
