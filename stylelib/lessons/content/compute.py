"""What a layer knows of a picture: rebuild the picture from it, and measure distances in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.vgg import VGG19
from ...engine.network import default_network
from ...engine.transfer import Transfer
from ...errors import StylelibError
from ...guards import content_loss
from ...pictures.images import resize_to
from ...recipes import Recipe

CONTENT_LAYERS = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")
"""The layers that Gatys, Ecker, Bethge (2016) rebuild pictures from, in figure 1."""

PIXELS = "pixels"
_FRAMES = 18  # pictures kept of a rebuilding, the first and the last among them


@dataclass(frozen=True)
class Rebuilding:
    """How a picture was rebuilt from one layer.

    Attributes
    ----------
    layer : str
    frames : dict of int to Tensor, shape (1, 3, H, W), RGB in 0-1
        The picture after so many steps; 0 is the noise it began with. The steps
        kept lie closer together at the beginning, where more happens.
    losses : list of float
        After 0, 1, 2 … steps: the relative error at the layer, see `relative_error`.
    """

    layer: str
    frames: dict[int, Tensor]
    losses: list[float]

    @property
    def image(self) -> Tensor:
        """The last picture."""
        return self.frames[max(self.frames)]


def rebuild(
    image: Tensor,
    layer: str,
    steps: int = 60,
    tv_weight: float = 0.0,
    seed: int = 0,
    network: VGG19 | None = None,
) -> Rebuilding:
    """Begin with noise, and change its pixels until one layer sees what it saw in a picture.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
        Only its feature maps at `layer` are used.
    layer : str
    steps : int
    tv_weight : float, 0 or more
        How much total variation counts beside the relative error: more than 0
        asks for a smooth picture among those that the layer can't tell apart.
    seed : int
        Of the noise.
    network : VGG19, optional
        The embedded one, as deep as needed, by default.

    Returns
    -------
    Rebuilding

    Raises
    ------
    StylelibError
        If there is no such layer, or a number is out of range.

    Notes
    -----
    Gatys, Ecker, Bethge (2016), section 2.1; Mahendran, Vedaldi (2015), who
    were first, with total variation (their section 3).
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
    # The painting plays no part. float32: bfloat16 differs more between computers.
    network = network or default_network()
    transfer = Transfer(image, image, recipe, network, "cpu", torch.float32)
    keep = _spread(steps)
    frames, losses = {0: transfer.image}, []
    for step in transfer:
        losses.append(step.losses["content"])  # of the picture before the step
        if step.iteration in keep:
            frames[step.iteration] = step.image
    last = relative_distances(transfer.image, image, [layer], network)
    return Rebuilding(layer, frames, [*losses, last[layer]])


def _spread(steps: int) -> set[int]:
    return {round(steps ** (i / (_FRAMES - 1))) for i in range(_FRAMES)}


def relative_error(maps: Tensor, target: Tensor) -> Tensor:
    """Content loss as a share of the target's own size.

    Parameters
    ----------
    maps, target : Tensor, shape (B, C, H, W)

    Returns
    -------
    Tensor, scalar, 0 or more
        0 when they are equal, 1 for maps that are zero everywhere.

    Raises
    ------
    StylelibError
        If the shapes differ.
    """
    return content_loss(maps, target) / target.square().mean()


def relative_distances(
    image: Tensor,
    target: Tensor,
    layers: Iterable[str] = CONTENT_LAYERS,
    network: VGG19 | None = None,
) -> dict[str, float]:
    """How far a picture is from another, in pixels and in some layers.

    Parameters
    ----------
    image, target : Tensor, shape (1, 3, H, W), RGB in 0-1
        Of one size.
    layers : several names
        Of layers, or ``"pixels"``: those as the network gets them, with the mean
        colour of its training pictures subtracted, so that 0 is a middle grey.
    network : VGG19, optional
        The embedded one by default.

    Returns
    -------
    dict of layer name to float
        The relative error, see `relative_error`.

    Raises
    ------
    StylelibError
        If a layer is unknown or the sizes differ.
    """
    seen = [look(picture, layers, network) for picture in (image, target)]
    return {name: float(relative_error(seen[0][name], seen[1][name])) for name in seen[0]}


@torch.no_grad()
def look(image: Tensor, layers: Iterable[str], network: VGG19 | None = None) -> dict[str, Tensor]:
    """Feature maps, and under ``"pixels"`` what the network gets; see `relative_distances`."""
    network = network or default_network()
    layers = list(layers)
    deep = [name for name in layers if name != PIXELS]
    maps = network(image, deep) if deep else {}
    given = (image - network.mean) / network.std
    return {name: given if name == PIXELS else maps[name] for name in layers}


def distance_table(
    images: Mapping[str, Tensor],
    layers: Iterable[str] = (PIXELS, *CONTENT_LAYERS),
    anywhere: bool = False,
    network: VGG19 | None = None,
) -> dict[str, dict[str, dict[str, float]]]:
    """The relative distance of each picture from each, layer by layer.

    Parameters
    ----------
    images : mapping of name to Tensor, shape (1, 3, H, W), RGB in 0-1
        All of one size.
    layers, network
        See `relative_distances`.
    anywhere : bool
        Compare each map's mean over all places, so that it matters what there
        is, but not where. By default place by place, as content loss does.

    Returns
    -------
    dict
        ``table[target][name][layer]``; not symmetric, for each is a share of the
        target's own size.

    Raises
    ------
    StylelibError
        If a layer is unknown or the sizes differ.
    """
    seen = {name: look(image, layers, network) for name, image in images.items()}
    if anywhere:
        seen = {
            name: {layer: maps.mean((2, 3)) for layer, maps in found.items()}
            for name, found in seen.items()
        }
    return {
        target: {
            name: {layer: float(relative_error(maps[layer], wanted[layer])) for layer in maps}
            for name, maps in seen.items()
        }
        for target, wanted in seen.items()
    }


def shifted(image: Tensor, shift: int, margin: int) -> Tensor:
    """The picture as seen `shift` pixels further to the right.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    shift : int, 0 to `margin`
    margin : int
        The result is that much narrower, the same for each shift, so that its
        pixels are all real ones.

    Returns
    -------
    Tensor, shape (1, 3, H, W - margin)

    Raises
    ------
    StylelibError
        If `shift` is out of range.
    """
    if not 0 <= shift <= margin < image.shape[-1]:
        raise StylelibError(f"A shift is 0 to {margin} pixels here, not {shift}.")
    return image[..., margin - shift : image.shape[-1] - shift]


def cut_out(image: Tensor, box: tuple[int, int, int, int], shape: tuple[int, int]) -> Tensor:
    """A part of a picture, resized.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    box : (left, top, right, bottom)
        In pixels of the picture.
    shape : (height, width)
        Of the result, in pixels.

    Raises
    ------
    StylelibError
        If the box is empty or leaves the picture.
    """
    left, top, right, bottom = box
    height, width = image.shape[-2:]
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise StylelibError(
            f"The box {box} does not lie within the picture, {width} x {height} pixels."
        )
    return resize_to(image[..., top:bottom, left:right], shape)
