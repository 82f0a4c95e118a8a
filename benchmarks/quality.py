"""Numbers that help the eye: how much content a picture kept, how much style it reached.

No number here says whether a picture is good; look at it first. They say what to look
for: `Quality` has each with its range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor
from torch.nn import functional as F

from stylelib import VGG19, gram_matrix, resize
from stylelib.core.vgg import STYLE_LAYERS
from stylelib.pictures.images import resize_to

CONTENT_LAYER = "conv4_2"
SCALES = (1.0, 0.5, 0.25)
SMALLEST = 32  # pixels on the shorter side: smaller, conv5_1 sees next to nothing
GREY = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)


@dataclass(frozen=True)
class Quality:
    """What was measured of one picture.

    Attributes
    ----------
    content : float, -1 to 1
        How alike the picture's and the photo's feature maps at conv4_2 are, place by
        place: 1 for the photo itself, about 0 for any other picture.
    edges : float, -1 to 1
        The same of how steep the brightness is around each pixel.
    style : dict of (layer, scale) to float, 0 or more
        How far the Gram matrix is from the painting's, over the length of that one: 0
        for the painting itself.
    noise : float, 0 or more
        Roughness from pixel to pixel, over the painting's: 1 when it is as rough.
    clipped : float, 0 to 1
        Share of the pixels in which a colour is as dark or as bright as can be.
    """

    content: float
    edges: float
    style: dict[tuple[str, float], float]
    noise: float
    clipped: float

    @property
    def distance(self) -> float:
        """The mean of `style` over layers and scales."""
        return fmean(self.style.values())

    def row(self) -> dict[str, str]:
        """All of it, by name, for a table."""
        layers = sorted({layer for layer, _ in self.style})
        means = {
            f"style {layer}": fmean(d for (name, _), d in self.style.items() if name == layer)
            for layer in layers
        }
        scales = {
            f"style at {scale:g}": fmean(d for (_, at), d in self.style.items() if at == scale)
            for scale in sorted({scale for _, scale in self.style}, reverse=True)
        }
        numbers = {"content": self.content, "edges": self.edges, "style": self.distance}
        numbers |= means | scales | {"noise": self.noise, "clipped": self.clipped}
        return {name: f"{number:.3f}" for name, number in numbers.items()}

    def caption(self) -> list[str]:
        """The most telling of it in two short lines."""
        return [
            f"content {self.content:.2f}  edges {self.edges:.2f}  style {self.distance:.2f}",
            f"noise {self.noise:.2f}  clipped {100 * self.clipped:.0f} %",
        ]


@torch.no_grad()
def measure(picture: Tensor, photo: Tensor, painting: Tensor, network: VGG19) -> Quality:
    """Measure a picture, shape (1, 3, H, W), painted of a photo after a painting."""
    photo = resize_to(photo, (picture.shape[-2], picture.shape[-1]))
    painting = resize(painting, max(picture.shape[-2:]))
    maps = network(torch.cat([picture, photo]), [CONTENT_LAYER])[CONTENT_LAYER]
    return Quality(
        content=correlation(maps[0], maps[1]),
        edges=correlation(steepness(picture)[0], steepness(photo)[0]),
        style=style_distances(picture, painting, network),
        noise=roughness(picture) / max(roughness(painting), 1e-6),
        clipped=clipped(picture),
    )


def correlation(a: Tensor, b: Tensor) -> float:
    """Of two stacks of maps, (C, H, W), how they vary over the places together.

    Each map's mean is subtracted first: what remains is *where*, not how much.
    """
    a, b = (x - x.mean((-2, -1), keepdim=True) for x in (a.double(), b.double()))
    return float((a * b).sum() / (a.norm() * b.norm()).clamp_min(1e-12))


def steepness(image: Tensor) -> Tensor:
    """How much the brightness changes around each pixel, (1, 1, H, W).

    The size of Sobel's gradient, averaged over 3 x 3 pixels: an edge may be drawn one
    pixel beside its place.
    """
    down = torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]) / 8
    kernels = torch.stack([down, down.T]).unsqueeze(1)
    slopes = F.conv2d(F.pad(grey(image), (1, 1, 1, 1), mode="replicate"), kernels)
    return F.avg_pool2d(slopes.norm(dim=1, keepdim=True), 3, 1, 1, count_include_pad=False)


def style_distances(
    picture: Tensor,
    painting: Tensor,
    network: VGG19,
    layers: Sequence[str] = STYLE_LAYERS,
    scales: Sequence[float] = SCALES,
) -> dict[tuple[str, float], float]:
    """Relative distance of the Gram matrices by layer and scale, both pictures shrunk alike."""
    distances = {}
    for scale in scales:
        if scale != 1 and scale * min(*picture.shape[-2:], *painting.shape[-2:]) < SMALLEST:
            continue
        maps = [
            network(resize(image, round(scale * max(image.shape[-2:]))), layers)
            for image in (picture, painting)
        ]
        for layer in layers:
            found, wanted = (gram_matrix(seen[layer]) for seen in maps)
            distance = (found - wanted).norm() / wanted.norm().clamp_min(1e-12)
            distances[layer, scale] = float(distance)
    return distances


def roughness(image: Tensor) -> float:
    """Root mean square of how far a pixel's brightness is from the mean of the 3 x 3 around it."""
    light = grey(image)
    smooth = F.avg_pool2d(F.pad(light, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return float((light - smooth).square().mean().sqrt())


def clipped(image: Tensor) -> float:
    """Share of the pixels with a colour at 0 or 255 once in 8 bits."""
    levels = image.mul(255).round()
    return float(((levels <= 0) | (levels >= 255)).any(1).float().mean())


def grey(image: Tensor) -> Tensor:
    """How bright each pixel looks, (B, 1, H, W)."""
    return (image * torch.tensor(GREY).view(1, 3, 1, 1)).sum(1, keepdim=True)
