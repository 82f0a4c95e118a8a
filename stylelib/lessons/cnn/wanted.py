"""Feature visualisation: a picture made to excite one channel as much as possible."""

from collections.abc import Iterable

import torch
from torch import Tensor

from ...core.vgg import VGG19
from ...engine.network import default_network
from ...errors import StylelibError

_CONTRAST = 0.5  # how far the colours are from grey at the start
_SHIFT = 8  # pixels by which the picture is moved at random before each step


def wanted(
    layer: str,
    channel: int,
    steps: Iterable[object] = range(64),
    size: int = 128,
    readable: bool = True,
    network: VGG19 | None = None,
) -> Tensor:
    """Change the pixels of a picture, step by step, so that a channel's map becomes brighter.

    Olah, Mordvintsev, Schubert: *Feature Visualization* (Distill, 2017). Made `readable`, the
    picture is moved a little at random before each step, so that no single pixel can be relied
    on, and described by waves of which the long ones count more (their "decorrelated" space),
    so that the fine ones do not win. Without that, the channel is excited by noise that says
    nothing to us.

    Parameters
    ----------
    layer : str
    channel : int
    steps : iterable
        It can be wrapped in a progress bar.
    size : int
        Height and width, in pixels.
    readable : bool
    network : VGG19, optional
        The embedded one by default.

    Returns
    -------
    Tensor, shape (1, 3, size, size), RGB in 0-1

    Raises
    ------
    StylelibError
        If the layer has no such channel.
    """
    network = network or default_network()
    count = len(network.get_parameter(f"convolutions.{layer}.weight"))
    if not 0 <= channel < count:
        raise StylelibError(
            f"{layer} has {count} channels, numbered 0 to {count - 1}; "
            f"there is no channel {channel}."
        )
    start = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(channel))
    numbers = torch.view_as_real(torch.fft.rfft2(start, norm="ortho")) if readable else start
    numbers = (0.1 * numbers).requires_grad_()
    optimizer = torch.optim.Adam([numbers], lr=0.05)
    moves = torch.randint(-_SHIFT, _SHIFT + 1, (10_000, 2), generator=torch.Generator())
    for _, (down, right) in zip(steps, moves.tolist(), strict=False):
        image = _picture(numbers, size, readable)
        if readable:
            image = image.roll((down, right), (2, 3))
        optimizer.zero_grad()
        # Before ReLU: a channel that is silent everywhere would have no gradient to follow.
        (-network(image, [layer], before_relu=True)[layer][0, channel].mean()).backward()
        optimizer.step()
    return _picture(numbers, size, readable).detach()


def _picture(numbers: Tensor, size: int, readable: bool) -> Tensor:
    """The picture that the optimised numbers describe: as pixels or, made readable, as waves."""
    if not readable:
        return torch.sigmoid(_CONTRAST * numbers)
    down, right = torch.fft.fftfreq(size), torch.fft.rfftfreq(size)
    frequency = (down[:, None].square() + right.square()).sqrt().clamp_min(1 / size)
    waves = torch.view_as_complex(numbers.contiguous()) / frequency
    image: Tensor = torch.fft.irfft2(waves, s=(size, size), norm="ortho")
    mixed: Tensor = torch.einsum("ij,bjhw->bihw", _COLORS, image)
    image = 4 * _CONTRAST * mixed / size**0.5
    return image.sigmoid()


_COLORS = torch.tensor([[0.56, 0.19, 0.04], [0.58, 0.0, -0.05], [0.58, -0.19, 0.04]])
"""How the colours of photos vary together, by which channels become brightness, blue against
orange, and green against purple: after the values of Olah et al.'s library *lucid*, where the
last is about twice as strong."""
