"""Painting with the whole history kept, and the gradients of the losses as pictures."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

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
