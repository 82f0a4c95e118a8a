"""Painting with the whole history kept, and the gradients of the losses as pictures."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ...core.layers import CONTENT_LAYER, STYLE_LAYERS
from ...core.losses import content_loss, gram_matrix
from ...core.vgg import VGG19
from ...engine.masks import Style
from ...engine.network import default_network
from ...engine.transfer import Step, Transfer
from ...errors import StylelibError
from ...pictures.images import resize
from ...recipes import Recipe

Losses = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Takes a picture and returns its content loss and its style loss, both differentiable."""
PARTS = ("content", "style", "target")


@dataclass(frozen=True, eq=False)  # == of tensors is not a single truth value
class Run:
    """A finished run of the optimisation, with its whole history.

    Attributes
    ----------
    label : str
        What to call it in a figure.
    recipe : Recipe
    frames : list of Tensor, shape (1, 3, H, W), RGB in 0-1
        The picture after 0, 1, 2 … steps.
    losses : list of dict of str to float
        For each frame ``"content"``, ``"style"`` and ``"tv"``, each times its weight,
        and ``"target"``, their sum.
    layers : list of dict of str to float
        For each frame the loss of each layer, before the weights of content and style.
    seconds : list of float
        For each frame the seconds from the start until it was ready, on this computer.
    """

    label: str
    recipe: Recipe
    frames: list[Tensor] = field(repr=False)
    losses: list[dict[str, float]] = field(repr=False)
    layers: list[dict[str, float]] = field(repr=False)
    seconds: list[float] = field(repr=False)

    @property
    def image(self) -> Tensor:
        """The last picture."""
        return self.frames[-1]

    def called(self, label: str) -> "Run":
        """The same run under another label."""
        return replace(self, label=label)

    def curve(self, part: str) -> list[float]:
        """One of the `losses` of every frame."""
        return [losses[part] for losses in self.losses]


def paint(
    content: Tensor,
    style: Tensor | Style | Sequence[Tensor | Style],
    recipe: Recipe,
    network: VGG19 | None = None,
    label: str = "",
    watch: Callable[..., Iterable[Step]] | None = None,
    start: Tensor | None = None,
) -> Run:
    """Paint a picture with `Transfer`, and keep every step.

    Parameters
    ----------
    content : Tensor, shape (1, 3, H, W), RGB in 0-1
    style : Tensor, shape (1, 3, H, W), `Style`, or several of them
    recipe : Recipe
    network : VGG19, optional
        The embedded one by default. It computes in float32 on the CPU, so that a whole
        class gets the same pictures.
    label : str
    watch : callable, optional
        Called with the steps, the label and the number of steps; returns the steps, as
        `stylelib.lessons.progress.progress` does.
    start : Tensor, shape (1, 3, H, W), RGB in 0-1, optional
        The picture to start from, resized to the recipe's size. By default the recipe
        decides.
    """
    network = network or default_network()
    begun = time.perf_counter()
    transfer = Transfer(content, style, recipe, network, "cpu", torch.float32)
    if start is not None:
        transfer.go_back_to(resize(start, recipe.size), 0)
    run = Run(label, recipe, [transfer.image], [], [], [0.0])
    for step in watch(transfer, label, recipe.steps) if watch else transfer:
        run.seconds.append(time.perf_counter() - begun)
        run.frames.append(step.image)
        # A step has the losses of the picture that it started with.
        run.losses.append(weighted(step.losses, recipe))
        run.layers.append(step.layers)
    last = transfer.measure()
    run.losses.append(weighted(last.losses, recipe))
    run.layers.append(last.layers)
    return run


def weighted(losses: Mapping[str, float], recipe: Recipe) -> dict[str, float]:
    """Each loss times its weight, and their sum, ``"target"``."""
    names = ("content", "style", "tv")
    parts = {name: getattr(recipe, f"{name}_weight") * losses[name] for name in names}
    return parts | {"target": sum(parts.values())}


def pixel_gradients(
    image: Tensor, losses: Losses, content_weight: float = 1.0, style_weight: float = 1.0
) -> dict[str, Tensor]:
    """The gradient of each loss with respect to the pixels of a picture.

    A positive number means that the loss grows if the pixel gets brighter.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    losses : callable
        Takes the picture and returns its content loss and its style loss.
    content_weight, style_weight : float
        The gradients are those of the weighted losses, so that they add up.

    Returns
    -------
    dict of str to Tensor, shape (1, 3, H, W)
        ``"content"``, ``"style"`` and ``"target"``.

    Raises
    ------
    StylelibError
        If a loss does not depend on the picture.
    """
    pixels = image.detach().clone().requires_grad_()
    content, style = losses(pixels)
    content, style = content_weight * content, style_weight * style
    found = {}
    for name, loss in zip(PARTS, (content, style, content + style), strict=True):
        if not loss.requires_grad:
            raise StylelibError(
                f"The {name} loss does not depend on the picture that was given: its gradient is "
                f"lost. Compute it from that picture, without detach or no_grad."
            )
        (found[name],) = torch.autograd.grad(loss, pixels, retain_graph=True)
    return found


@dataclass(frozen=True)
class Pair:
    """Two feature maps whose product at one place asks for a change of style.

    Attributes
    ----------
    layer : str
    maps : two ints
        Their numbers in the layer.
    wanted : bool
        Whether they should be active together more; otherwise less.
    strength : float, 0-1
        How much it counts, compared with the strongest pair there.
    source : two floats, 0-1
        Where in the painting they are most active together: fractions of its height and width.
    """

    layer: str
    maps: tuple[int, int]
    wanted: bool
    strength: float
    source: tuple[float, float]


class Reasons:
    """Why the pixels of a picture change: what content and each style layer ask of them.

    Parameters
    ----------
    image, content, style : Tensor, shape (1, 3, H, W), RGB in 0-1
        The picture as it is now, the photo, which has the same size, and the painting.
    content_weight, style_weight : float
    network : VGG19, optional
        The embedded one by default.
    """

    def __init__(
        self,
        image: Tensor,
        content: Tensor,
        style: Tensor,
        content_weight: float = 1.0,
        style_weight: float = 3.0,
        network: VGG19 | None = None,
    ) -> None:
        network = network or default_network()
        self.image, self.painting = image, style
        with torch.no_grad():
            wanted = network(content, [CONTENT_LAYER])[CONTENT_LAYER]
            self._offered = network(style, STYLE_LAYERS)
        pixels = image.detach().clone().requires_grad_()
        maps = network(pixels, [CONTENT_LAYER, *STYLE_LAYERS])
        loss = content_loss(maps[CONTENT_LAYER], wanted) / wanted.square().mean()
        losses = {"content": content_weight * loss}
        self._maps, self._missing = {}, {}
        for name in STYLE_LAYERS:
            gram, target = gram_matrix(maps[name]), gram_matrix(self._offered[name])
            share = style_weight / (len(STYLE_LAYERS) * target.square().mean())
            losses[name] = share * (gram - target).square().mean()
            self._maps[name] = maps[name].detach()[0]
            self._missing[name] = (target - gram).detach()[0]
        self._asked = {
            name: -torch.autograd.grad(one, pixels, retain_graph=True)[0][0]
            for name, one in losses.items()
        }

    def asked(self, across: int, down: int) -> dict[str, Tensor]:
        """What ``"content"`` and each style layer ask of a pixel.

        Returns
        -------
        dict of str to Tensor, shape (3,)
            Minus the gradient, for red, green and blue: positive if it should become brighter.
        """
        return {name: asked[:, down, across] for name, asked in self._asked.items()}

    def pairs(self, across: int, down: int, count: int = 3) -> list[Pair]:
        """The pairs of maps that ask most of a pixel, at the style layer that asks most."""
        asked = self.asked(across, down)
        layer = max(STYLE_LAYERS, key=lambda name: float(asked[name].abs().sum()))
        maps, height = self._maps[layer], self.image.shape[-2]
        row = min(down * maps.shape[-2] // height, maps.shape[-2] - 1)
        column = min(across * maps.shape[-1] // self.image.shape[-1], maps.shape[-1] - 1)
        here = maps[:, row, column]
        weights = (self._missing[layer] * torch.outer(here, here)).triu(1)
        best = weights.abs().flatten().argsort(descending=True)[:count].tolist()
        top = max(float(weights.abs().max()), 1e-12)
        found = []
        for number in best:
            i, j = divmod(number, len(here))
            offered = self._offered[layer][0]
            spot = int((offered[i] * offered[j]).argmax())
            y, x = divmod(spot, offered.shape[-1])
            source = (y + 0.5) / offered.shape[-2], (x + 0.5) / offered.shape[-1]
            value = float(weights[i, j])
            found.append(Pair(layer, (i, j), value > 0, abs(value) / top, source))
        return found
