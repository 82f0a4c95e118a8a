"""What a layer knows about a picture: distances measured in it, pictures reconstructed from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.vgg import VGG19
from ...engine.network import default_network
from ...engine.transfer import Transfer
from ...errors import StylelibError
from ...pictures.images import resize_to
from ...recipes import Recipe
from ..measures import relative_error
from ..progress import progress

CONTENT_LAYERS = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")
"""The layers that Gatys, Ecker, Bethge (2016) reconstruct pictures from, in figure 1."""

PIXELS = "pixels"
DEPTHS = (PIXELS, *CONTENT_LAYERS)
"""Where two pictures are compared: in their pixels, and at each of the layers."""

_FRAMES = 18  # how many pictures a reconstruction keeps, the first and the last included


@dataclass(frozen=True)
class Reconstruction:
    """How a picture was reconstructed from one layer.

    Attributes
    ----------
    layer : str
    frames : dict of int to Tensor, shape (1, 3, H, W), RGB in 0-1
        The picture after that many steps; 0 is the noise at the start. The steps that are
        kept lie closer together at the beginning, where more happens.
    losses : list of float
        The `relative_error` at the layer after 0, 1, 2 … steps.
    """

    layer: str
    frames: dict[int, Tensor]
    losses: list[float]

    @property
    def image(self) -> Tensor:
        """The last picture."""
        return self.frames[max(self.frames)]


def reconstruct(
    image: Tensor,
    layer: str,
    steps: int = 60,
    tv_weight: float = 0.0,
    seed: int = 0,
    network: VGG19 | None = None,
) -> Reconstruction:
    """Start from noise and optimise its pixels until a layer responds as it does to `image`.

    Mahendran, Vedaldi (2015), section 2, who add total variation; Gatys, Ecker, Bethge (2016),
    section 2.1.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        Only its feature maps at `layer` are used.
    layer : str
    steps : int
    tv_weight : float, 0 or more
        The weight of total variation beside the relative error. Above 0, the result is a
        smooth picture among those that the layer can't tell apart.
    seed : int
        For the noise.
    network : VGG19, optional
        The embedded one by default.

    Raises
    ------
    StylelibError
        If the layer is unknown or a number is out of range.
    """
    recipe = Recipe(
        content_layers={layer: 1.0},
        style_layers={},
        tv_weight=tv_weight,
        size=max(image.shape[-2:]),
        steps=steps,
        coarse_to_fine=False,
        init="noise",
        seed=seed,
    )
    # Without style layers the second picture, the painting, plays no part.
    # bfloat16 would differ more from one computer to another than float32 does.
    network = network or default_network()
    transfer = Transfer(image, image, recipe, network, "cpu", torch.float32)
    kept = {round(steps ** (i / (_FRAMES - 1))) for i in range(_FRAMES)}
    frames, losses = {0: transfer.image}, []
    for step in progress(transfer, f"from {layer}"):
        losses.append(step.losses["content"])  # of the picture before this step
        if step.iteration in kept:
            frames[step.iteration] = step.image
    last = relative_distances(transfer.image, image, [layer], network)
    return Reconstruction(layer, frames, [*losses, last[layer]])


def relative_errors(maps: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> dict[str, float]:
    """The `relative_error` at each layer."""
    return {layer: float(relative_error(maps[layer], targets[layer])) for layer in targets}


def relative_distances(
    image: Tensor,
    target: Tensor,
    layers: Sequence[str] = CONTENT_LAYERS,
    network: VGG19 | None = None,
) -> dict[str, float]:
    """The `relative_error` between two pictures, at each of several layers.

    Parameters
    ----------
    image, target : Tensor, shape (1, 3, H, W), RGB in 0-1
        Two pictures of the same size.
    layers : sequence of str
        Names of layers, or ``"pixels"``.
    network : VGG19, optional
        The embedded one by default.
    """
    return relative_errors(
        feature_maps(image, layers, network), feature_maps(target, layers, network)
    )


@torch.no_grad()
def feature_maps(
    image: Tensor, layers: Sequence[str], network: VGG19 | None = None
) -> dict[str, Tensor]:
    """A picture's feature maps (1, C, h, w), and under ``"pixels"`` the picture itself.

    The picture is normalised as the network's input, so that 0 is a middle grey, the mean of
    the pictures that it was trained on.
    """
    network = network or default_network()
    deep = [name for name in layers if name != PIXELS]
    maps = network(image, deep) if deep else {}
    pixels = (image - network.mean) / network.std
    return {name: pixels if name == PIXELS else maps[name] for name in layers}


def distance_table(
    images: Mapping[str, Tensor],
    layers: Sequence[str] = DEPTHS,
    averaged: bool = False,
) -> dict[str, dict[str, dict[str, float]]]:
    """The relative distance of each picture from each other one, layer by layer.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
        Pictures of the same size.
    layers : sequence of str
        Names of layers, or ``"pixels"``.
    averaged : bool
        Compare each map's mean over all positions: what is in a picture, but not where. By
        default maps are compared position by position, as content loss does.

    Returns
    -------
    dict
        ``table[target][name][layer]``, not symmetric: each error is relative to its target.
    """
    found = {name: feature_maps(image, layers) for name, image in images.items()}
    if averaged:
        found = {
            name: {layer: each.mean((2, 3)) for layer, each in maps.items()}
            for name, maps in found.items()
        }
    return {
        target: {name: relative_errors(maps, targets) for name, maps in found.items()}
        for target, targets in found.items()
    }


def descend(rate: float, start: float, target: float, steps: int) -> list[float]:
    """Gradient descent of a single pixel whose loss is (pixel - target)².

    Returns
    -------
    list of float
        The pixel after 0, 1, 2 … steps.

    Examples
    --------
    >>> descend(rate=0.25, start=1.0, target=0.0, steps=2)
    [1.0, 0.5, 0.25]
    """
    path = [start]
    for _ in range(steps):
        gradient = 2 * (path[-1] - target)
        path.append(path[-1] - rate * gradient)
    return path


def shifted(image: Tensor, shift: int, margin: int) -> Tensor:
    """A picture moved `shift` pixels to the right, and cropped so that no pixel is invented.

    Whatever the shift, 0 to `margin`, the result is `margin` pixels narrower.
    """
    if not 0 <= shift <= margin < image.shape[-1]:
        raise StylelibError(f"The shift must be 0 to {margin} pixels here, not {shift}.")
    return image[..., margin - shift : image.shape[-1] - shift]


def crop(image: Tensor, box: tuple[int, int, int, int], shape: tuple[int, int]) -> Tensor:
    """Part of a picture, resized.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    box : (left, top, right, bottom), in pixels
    shape : (height, width) of the result, in pixels

    Raises
    ------
    StylelibError
        If the box is empty or reaches beyond the picture.
    """
    left, top, right, bottom = box
    height, width = image.shape[-2:]
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise StylelibError(
            f"The box {box} does not lie within the picture of {width} x {height} pixels."
        )
    return resize_to(image[..., top:bottom, left:right], shape)
