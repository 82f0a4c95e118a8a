"""A network that paints with a single forward pass, without optimisation."""

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..checks import as_path, check_picture, check_range
from ..engine.memory import check_room, ran_out
from ..engine.modes import usual_modes
from ..errors import StylelibError, is_out_of_memory, pick, shown
from ..pictures.files import cannot_read, check_place, write_atomically
from ..pictures.samples import NETWORKS

ENDINGS = (".pt",)
"""What the name of a network's file has to end in."""

SMALLEST = 16
"""Pixels that a photo needs on each side: a quarter of it must have room for a 3 x 3 kernel."""

MOST = 64
"""Paintings that one network may learn."""

Blend = str | Mapping[str, float] | Tensor
"""A painting's name, or how much each painting counts; see `FeedForward.shares`."""

_FORMAT = "stylelib feed-forward network 2"
_FIRST = "stylelib feed-forward network 1"  # of one painting; its scales and shifts are vectors
_LARGEST = 200_000_000  # bytes of a file with width 128 and 16 blocks
_NEEDED, _BYTES = 300_000_000, 33  # memory, as measured: at least, and per pixel and map
MARGIN = 16
"""Pixels added at each edge and cut off again, so that edges look no different."""


class FeedForward(nn.Module):
    """A network that turns a photo into a picture in the style of one painting, or of several.

    A new one is untrained: `train` it on its paintings, or `load` a trained one.

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
    paintings : sequence of str
        The names of the paintings that it is to learn, 1 to 64; by default one without a name.

    Attributes
    ----------
    paintings : tuple of str
        As given; they are kept in its file.
    painting : str
        The name of the first one, or of the only one. It can be changed.
    colors : scale and shift of each painting's colours, or None in a network of an old file

    Raises
    ------
    StylelibError
        If a number is out of range, or the names are not different texts.

    Notes
    -----
    The architecture is that of Johnson, Alahi, Fei-Fei, *Perceptual Losses for Real-Time
    Style Transfer* (2016), with the instance normalisation of Ulyanov, Vedaldi, Lempitsky
    (2016): each feature map gets mean 0 and variance 1, which removes the contrast of the
    photo, so that the painting's can take its place. Nearest-neighbour upsampling and then
    a convolution avoid checkerboard artifacts (Odena, Dumoulin, Olah 2016).

    With several paintings, all convolutions are shared. Each painting only has its own scale
    and shift of each feature map after the normalisation: conditional instance normalisation
    (Dumoulin, Shlens, Kudlur, *A Learned Representation for Artistic Style*, 2017, equation 5).
    The three colours are normalised, too, at the end: a picture then has the painting's mean and
    contrast, whatever the photo. (Networks in files of older versions don't do so.) The weighted
    means of two paintings' scales and shifts are a style between them (section 3.5).

    Examples
    --------
    >>> from stylelib import load_image
    >>> photo = load_image("camel", size=64)
    >>> network = FeedForward.load("hokusai-great-wave.pt")
    >>> network.paint(photo).shape
    torch.Size([1, 3, 36, 64])
    """

    @usual_modes()
    def __init__(
        self, width: int = 16, blocks: int = 4, seed: int = 0, paintings: Sequence[str] = ("",)
    ) -> None:
        super().__init__()
        check_range("width", width, 1, 128, Integral)
        check_range("blocks", blocks, 0, 16, Integral)
        check_range("seed", seed, 0, 2**63 - 1, Integral)
        width, blocks = int(width), int(blocks)  # plain integers, for its file
        self.width, self.blocks, self.paintings = width, blocks, _checked_names(paintings)
        styles = len(self.paintings)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(seed))
            self.layers = _Layers(
                *_layer(3, width, 9, styles),
                *_layer(width, 2 * width, 3, styles, stride=2),
                *_layer(2 * width, 4 * width, 3, styles, stride=2),
                *(_Block(4 * width, styles) for _ in range(blocks)),
                nn.Upsample(scale_factor=2),
                *_layer(4 * width, 2 * width, 3, styles),
                nn.Upsample(scale_factor=2),
                *_layer(2 * width, width, 3, styles),
                _convolution(width, 3, 9),
            )
            self.colors: _Normalise | None = _Normalise(styles, 3)

    @property
    def painting(self) -> str:
        """The name of the first painting, or of the only one."""
        return self.paintings[0]

    @painting.setter
    def painting(self, name: str) -> None:
        self.paintings = (name, *self.paintings[1:])

    def shares(self, style: Blend | None = None) -> Tensor:
        """How much each painting counts in a style.

        Parameters
        ----------
        style : str, mapping of str to float, or Tensor of shape (paintings,), optional
            A painting's name; or how much each of several counts, 0 or more, where only the ratio
            matters. It may be left out if there is only one painting.

        Returns
        -------
        Tensor, shape (paintings,)
            They add up to 1.

        Raises
        ------
        StylelibError
            If there is no such painting, or a share can't be used.
        """
        names = list(self.paintings)
        if style is None:
            if len(names) > 1:
                raise StylelibError(
                    f"This network knows several paintings, so say which it is to paint after: "
                    f"{', '.join(names)}."
                )
            style = torch.ones(1)
        elif isinstance(style, str):
            style = {style: 1.0}
        if isinstance(style, Mapping):
            given = [0.0] * len(names)
            for name, share in style.items():
                check_range(f"The share of {shown(name)}", share, 0, 1e12, Real)
                given[names.index(pick(name, names, "painting in this network"))] = float(share)
            style = torch.tensor(given)
        if not isinstance(style, Tensor) or style.shape != (len(names),):
            raise StylelibError(
                f"A style is a painting's name, names with their shares, or a tensor of "
                f"{len(names)} shares, not {shown(style)}."
            )
        weight = next(self.parameters())
        style = style.detach().to(weight.device, torch.float32)
        total = style.sum()
        if not (style >= 0).all() or not 0 < total < torch.inf:
            raise StylelibError(
                "The shares of the paintings must be 0 or more, and at least one must count."
            )
        return (style / total).to(weight.dtype)

    @usual_modes()
    @torch.no_grad()
    def learning(self, paintings: Sequence[str]) -> "FeedForward":
        """A copy that is to learn other paintings, with all that this one has learned.

        It needs far less training than a new one: its convolutions already tell light from dark
        and one thing from another. A painting that this network knows keeps its scales and
        shifts; any other one begins with the mean of all.

        Parameters
        ----------
        paintings : sequence of str
            Their names, 1 to 64.

        Raises
        ------
        StylelibError
            If the names are not different texts.

        Examples
        --------
        >>> network = FeedForward.load("hokusai-great-wave.pt").learning(["my-painting"])
        >>> network.paintings
        ('my-painting',)
        """
        other = FeedForward(self.width, self.blocks, paintings=paintings)
        known, names = len(self.paintings), other.paintings
        shares = torch.full((len(names), known), 1 / known)
        for number, name in enumerate(names):
            if name in self.paintings:
                shares[number] = self.shares(name).float().cpu()
        own = other.state_dict()
        for name, value in self.state_dict().items():
            value = value.detach().cpu().float()
            own[name].copy_(shares @ value if value.dim() == 2 else value)
        if other.colors is not None:
            fresh = [number for number, name in enumerate(names) if name not in self.paintings]
            other.colors.weight[fresh], other.colors.bias[fresh] = 1.0, 0.0
        return other

    @torch.no_grad()
    def take_colors(self, number: int, painting: Tensor) -> None:
        """Give a painting's style its mean and contrast, unless it has learned them already.

        Parameters
        ----------
        number : int
            Which of the network's paintings it is.
        painting : Tensor, shape (1, 3, H, W), RGB in 0-1
        """
        if self.colors is None:
            return
        scale, shift = self.colors.weight[number], self.colors.bias[number]
        if torch.equal(scale, torch.ones_like(scale)) and not shift.any():
            spread, mean = torch.std_mean(painting.float().clamp(0.02, 0.98).logit(), (0, 2, 3))
            scale.copy_(spread)
            shift.copy_(mean)

    def forward(self, photo: Tensor, shares: Tensor | None = None) -> Tensor:
        """Paint with gradients, for training.

        Parameters
        ----------
        photo : Tensor, shape (B, 3, H, W), RGB in 0-1
            At least 16 pixels on each side.
        shares : Tensor, shape (paintings,), optional
            As `shares` gives them. They may be left out if there is only one painting.

        Returns
        -------
        Tensor, shape (B, 3, H, W), RGB in 0-1
        """
        height, width = photo.shape[-2:]
        # Height and width are halved twice, so they are padded to multiples of 4.
        whole = F.pad(photo - 0.5, (0, -width % 4, 0, -height % 4), mode="replicate")
        whole = whole.to(next(self.parameters()).dtype)
        if shares is None:
            shares = self.shares()
        painted: Tensor = self.layers(whole, shares)
        if self.colors is not None:
            painted = self.colors(painted, shares)
        return painted[..., :height, :width].sigmoid()

    @usual_modes()
    @torch.no_grad()
    def paint(self, photo: Tensor, style: Blend | None = None) -> Tensor:
        """Paint a photo.

        Parameters
        ----------
        photo : Tensor, shape (1, 3, H, W), RGB in 0-1
            At least 16 pixels on each side.
        style : str, mapping of str to float, or Tensor of shape (paintings,), optional
            Which painting to paint after, or how much each counts; see `shares`.

        Returns
        -------
        Tensor, shape (1, 3, H, W), RGB in 0-1
            On the CPU.

        Raises
        ------
        StylelibError
            If it is not such a picture, there is no such painting, or memory runs out.

        Examples
        --------
        >>> network = FeedForward(width=4, blocks=1, paintings=["waves", "poppies"])
        >>> photo = torch.rand(1, 3, 20, 30)
        >>> between = network.paint(photo, {"waves": 1, "poppies": 3})
        """
        check_picture(photo, "The photo")
        shares = self.shares(style)
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
            painted: Tensor = self(wide, shares)[..., edge : edge + height, edge : edge + width]
            return painted.float().cpu()
        except Exception as error:
            if is_out_of_memory(error):
                raise ran_out(error) from error
            raise

    def paint_all(self, photo: Tensor, columns: int = 2) -> Tensor:
        """Paint a photo after each painting, and put the pictures together in rows.

        Parameters
        ----------
        photo : Tensor, shape (1, 3, H, W), RGB in 0-1
        columns : int
            Pictures in a row.

        Returns
        -------
        Tensor, shape (1, 3, rows * H, columns * W), RGB in 0-1
        """
        painted = [self.paint(photo, name) for name in self.paintings]
        columns = min(columns, len(painted))
        painted += [torch.ones_like(painted[0])] * (-len(painted) % columns)
        rows = [torch.cat(painted[i : i + columns], 3) for i in range(0, len(painted), columns)]
        return torch.cat(rows, 2)

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
        stored |= {"format": _FORMAT, "paintings": list(self.paintings), "state": state}
        buffer = io.BytesIO()
        try:
            torch.save(stored | {"sha256": checksum(stored)}, buffer)
            _decode(buffer.getvalue())
        except Exception as error:
            raise StylelibError(
                "The network can't be saved: its layers, width, blocks or paintings' names are not "
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


class _Normalise(nn.Module):
    """Conditional instance normalisation: the paintings share all but the scale and the shift."""

    def __init__(self, styles: int, maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(styles, maps, dtype=torch.float32))
        self.bias = nn.Parameter(torch.zeros(styles, maps, dtype=torch.float32))

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        return F.instance_norm(x, weight=shares @ self.weight, bias=shares @ self.bias)


class _Layers(nn.Sequential):
    """Layers one after the other; those that normalise are told how much each painting counts."""

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:  # type: ignore[override]
        for layer in self:
            x = layer(x, shares) if isinstance(layer, _Normalise | _Block) else layer(x)
        return x


class _Block(nn.Module):
    """A residual block: it learns what to add to its input (He et al. 2015)."""

    def __init__(self, width: int, styles: int) -> None:
        super().__init__()
        second = _layer(width, width, 3, styles)[:-1]
        self.layers = _Layers(*_layer(width, width, 3, styles), *second)

    def forward(self, x: Tensor, shares: Tensor) -> Tensor:
        added: Tensor = self.layers(x, shares)
        return x + added


def _convolution(into: int, out: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        into, out, size, stride, size // 2, padding_mode="reflect", dtype=torch.float32
    )


def _layer(into: int, out: int, size: int, styles: int, stride: int = 1) -> list[nn.Module]:
    return [_convolution(into, out, size, stride), _Normalise(styles, out), nn.ReLU()]


def _checked_names(paintings: Sequence[str]) -> tuple[str, ...]:
    if isinstance(paintings, str) or not isinstance(paintings, list | tuple):
        raise StylelibError(f"The paintings must be a list of names, not {shown(paintings)}.")
    names = tuple(paintings)
    if not 1 <= len(names) <= MOST:
        raise StylelibError(f"A network may know 1 to {MOST} paintings, not {len(names)}.")
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise StylelibError(f"The paintings need names that differ, not {shown(paintings)}.")
    return names


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
    old = stored["format"] == _FIRST
    if stored["format"] not in (_FIRST, _FORMAT):
        raise ValueError("another format")
    paintings = [stored["painting"]] if old else stored["paintings"]
    network = FeedForward(stored["width"], stored["blocks"], paintings=paintings)
    state = stored["state"]
    if stored["sha256"] != checksum(stored):
        raise ValueError("another checksum")
    if not all(v.dtype == torch.half and v.isfinite().all() for v in state.values()):
        raise ValueError("not all numbers are finite, in half precision")
    if "colors.weight" not in state:
        network.colors = None
    if old:
        shapes = {name: value.shape for name, value in network.state_dict().items()}
        state = {name: value.view(shapes[name]) for name, value in state.items()}
    network.load_state_dict(state)
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
    names = "painting" if stored["format"] == _FIRST else "paintings"
    head = [stored[key] for key in ("format", names, "width", "blocks")]
    digest = hashlib.sha256(repr(head).encode())
    for name, value in sorted(stored["state"].items()):
        digest.update(name.encode() + value.contiguous().numpy().tobytes())
    return digest.hexdigest()
