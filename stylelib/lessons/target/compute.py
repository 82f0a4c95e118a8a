"""One number for content and style: what it is made of, and how a painting lowered it."""

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
"""From a picture to its content loss and its style loss, both to differentiate."""
PARTS = ("content", "style", "target")


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Painting:
    """A painting with its whole history.

    Attributes
    ----------
    label : str
        What to call it in a figure.
    recipe : Recipe
    frames : list of Tensor, shape (1, 3, H, W), RGB in 0-1
        The picture after 0, 1, 2 … steps.
    losses : list of dict of str to float
        Of each frame: ``"content"``, ``"style"`` and ``"tv"``, each times its
        weight, and ``"target"``, their sum.
    layers : list of dict of str to float
        Of each frame, layer by layer, before the weights of content and style.
    seconds : list of float
        When each frame was ready, from the start, on this computer.
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

    def called(self, label: str) -> "Painting":
        """The same painting under another label."""
        return replace(self, label=label)

    def curve(self, part: str) -> list[float]:
        """One of the `losses` over all the steps."""
        return [losses[part] for losses in self.losses]


def paint(
    content: Tensor,
    style: Tensor | Style | Sequence[Tensor | Style],
    recipe: Recipe,
    network: VGG19 | None = None,
    label: str = "",
    watch: Callable[..., Iterable[Step]] | None = None,
    start: Tensor | None = None,
) -> Painting:
    """Paint a picture with `Transfer`, and keep every step.

    Parameters
    ----------
    content : Tensor, shape (1, 3, H, W), RGB in 0-1
    style : Tensor, shape (1, 3, H, W), `Style`, or several of them
    recipe : Recipe
    network : VGG19, optional
        The embedded one by default. It computes in float32, on the CPU, so that
        a whole class gets the same pictures.
    label : str
    watch : callable, optional
        Such as `stylelib.widgets.progress`: called with the steps, the label and
        how many there will be; passes the steps on.
    start : Tensor, shape (1, 3, H, W), RGB in 0-1, optional
        A picture to paint on from, resized to the recipe's size. By default the
        recipe says where to begin.

    Raises
    ------
    StylelibError
        If a picture is not usable.
    """
    network = network or default_network()
    begun = time.perf_counter()
    transfer = Transfer(content, style, recipe, network, "cpu", torch.float32)
    if start is not None:
        transfer.go_back_to(resize(start, recipe.size), 0)
    history = Painting(label, recipe, [transfer.image], [], [], [0.0])
    for step in watch(transfer, label, recipe.steps) if watch else transfer:
        history.seconds.append(time.perf_counter() - begun)
        history.frames.append(step.image)
        # A step tells the losses of the picture that it began with.
        history.losses.append(weighed(step.losses, recipe))
        history.layers.append(step.layers)
    last = transfer.measure()
    history.losses.append(weighed(last.losses, recipe))
    history.layers.append(last.layers)
    return history


def weighed(losses: Mapping[str, float], recipe: Recipe) -> dict[str, float]:
    """Each loss times its weight, and their sum, ``"target"``."""
    weights = {
        "content": recipe.content_weight,
        "style": recipe.style_weight,
        "tv": recipe.tv_weight,
    }
    parts = {name: weight * losses[name] for name, weight in weights.items()}
    return parts | {"target": sum(parts.values())}


def pixel_gradients(
    image: Tensor, losses: Losses, content_weight: float = 1.0, style_weight: float = 1.0
) -> dict[str, Tensor]:
    """How each loss would change if a pixel became brighter, for every pixel.

    Parameters
    ----------
    image : Tensor, shape (1, 3, H, W), RGB in 0-1
    losses : callable
        From the picture to its content loss and its style loss.
    content_weight, style_weight : float
        The gradients are of the weighted losses, so that they add up.

    Returns
    -------
    dict of str to Tensor, shape (1, 3, H, W)
        ``"content"``, ``"style"`` and ``"target"``: that of the target loss.

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
