"""The exercises of lesson 07: from the cosine of two places to painting from small to large."""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from ...core.losses import content_loss
from ...core.neighbours import nearest, neighbour_targets
from ...pictures.images import resize, resize_to
from ..checking import Exercise, Inputs, register
from ..checking import check as check
from ..checking import hint as hint
from ..checking import solution as solution
from ..mistakes import mistakes, mse_mistakes
from . import guides as guides
from .compute import SIDE, cosines


def _places(generator: Generator, count: int, mean: float = 1.5) -> Tensor:
    """Random vectors of 6 numbers that have something in common, as after ReLU."""
    vectors = torch.randn(count, 6, generator=generator) + mean * torch.arange(1, 7) / 3
    return vectors.relu() * (0.3 + 2 * torch.rand(count, 1, generator=generator))


# 7.1, the cosine of two places


def _two_places(generator: Generator) -> Inputs:
    first, second = _places(generator, 2) + 0.1
    return first, second


_COSINE = mistakes(
    lambda a, b: a @ b,
    "this is the sum of the products alone, so long vectors win. Divide it by both lengths.",
    lambda a, b: (a * b).mean() / (a.norm() * b.norm()),
    "you took the mean of the products. Take their sum: the lengths are sums, too.",
    lambda a, b: a @ b / a.norm(),
    lambda a, b: a @ b / b.norm(),
    "you divided by one length only. Divide by both, or the longer vector still wins.",
    lambda a, b: a @ b / (a.norm() * b.norm()) ** 2,
    "you divided by the squares of the lengths. The square root is missing.",
    lambda a, b: a @ b / (a.norm() + b.norm()),
    "you added the two lengths. Multiply them.",
    lambda a, b: a @ b / (a.sum() * b.sum()),
    "the sum of the numbers is not the length. The length is the square root of the sum of the "
    "squares: v.norm().",
    lambda a, b: (a - b).norm(),
    lambda a, b: (a - b).square().sum(),
    "this is the distance. It also says how much longer one vector is; the cosine compares "
    "directions only.",
    lambda a, b: cosines((a - a.mean())[None], (b - b.mean())[None], False)[0, 0],
    "you subtracted the mean of the numbers within each vector. Nothing is to be subtracted here.",
    lambda a, b: F.normalize(a, dim=0) * F.normalize(b, dim=0),
    "these are the products, one for each feature. Add them up.",
    lambda a, b: torch.acos(cosines(a[None], b[None], False)[0, 0]),
    "this is the angle itself. Leave it at its cosine.",
)

# 7.2, the nearest place


def _photo_and_painting(generator: Generator) -> Inputs:
    return _places(generator, 40), _places(generator, 40, mean=0.7) * 2


def _normal(vectors: Tensor) -> Tensor:
    return F.normalize(vectors, dim=1)


def _centered(vectors: Tensor) -> Tensor:
    return vectors - vectors.mean(0)


_NEAREST = mistakes(
    lambda a, b: cosines(a, b, False).argmax(1),
    "nothing is centred. Subtract the mean of each picture's places first: what they all have "
    "in common makes all angles small, and a few pieces are taken everywhere.",
    lambda a, b: cosines(a - a.mean(0), b, False).argmax(1),
    lambda a, b: cosines(a, b - b.mean(0), False).argmax(1),
    "only one of the two pictures is centred. Subtract from both, from each its own mean.",
    lambda a, b: cosines(a - b.mean(0), b - b.mean(0), False).argmax(1),
    lambda a, b: cosines(a - a.mean(0), b - a.mean(0), False).argmax(1),
    "both pictures are centred with the same mean. Each has its own: a dark painting is dark as "
    "a whole.",
    lambda a, b: cosines(a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True), False).argmax(1),
    "you took the mean over the features of a place. Take it over the places: mean(0).",
    lambda a, b: cosines(a - a.mean(), b - b.mean(), False).argmax(1),
    "you took one mean over everything. Each feature has its own: mean(0).",
    lambda a, b: torch.cdist(a, b).argmin(1),
    lambda a, b: torch.cdist(_centered(a), _centered(b)).argmin(1),
    "this is the nearest by distance. Then cautious places win, which are near to the mean of "
    "all, and the strong strokes are never taken. Compare directions: the cosine.",
    lambda a, b: cosines(a, b).argmax(0),
    "this is the nearest place of the photo for each place of the painting. The photo asks, so "
    "take the largest cosine of each of its rows: argmax(1), not argmax(0).",
    lambda a, b: (_centered(a) @ _centered(b).mT).argmax(1),
    "the vectors of the painting are not divided by their lengths, so the longest ones are taken "
    "nearly everywhere.",
    lambda a, b: (F.normalize(_centered(a), dim=0) @ F.normalize(_centered(b), dim=0).mT).argmax(1),
    "you divided each feature by its length over all places. Divide each place's vector by its "
    "own length: dim=1.",
    lambda a, b: (_centered(_normal(a)) @ _centered(_normal(b)).mT).argmax(1),
    "you divide by the lengths first and centre afterwards. Centre first, or the lengths are not "
    "1 any more.",
    lambda a, b: cosines(a, b).argmin(1),
    "argmin takes the least similar place of all. The largest cosine is the nearest: argmax.",
    lambda a, b: cosines(a, b).amax(1),
    "these are the cosines themselves. Return where they are: argmax in place of max.",
    lambda a, b: cosines(a, b),
    "these are all the cosines. Return which one of each row is the largest: argmax(1).",
    lambda a, b: b[nearest(a, b)],
    "these are the vectors that were found. Return their numbers, for example with argmax(1).",
)

# 7.3, the targets


def _places_and_likeness(generator: Generator) -> Inputs:
    likeness = 0.2 + 0.2 * float(torch.rand((), generator=generator))
    return *_photo_and_painting(generator), likeness


_TARGETS = mistakes(
    lambda a, b, k: neighbour_targets(a, b, 1 - k),
    "likeness is the wrong way round: it is the photo's share, and the painting has the rest.",
    lambda a, b, k: neighbour_targets(a, b),
    "likeness is not used: at 0 the target is all painting.",
    lambda a, b, k: b[nearest(a, b)] + k * a,
    "the painting's share is missing: multiply what was found by 1 - likeness.",
    lambda a, b, k: (1 - k) * b[nearest(a, b)],
    "the photo's share is missing: add likeness times the photo's own features.",
    lambda a, b, k: (1 - k) * a[nearest(a, b)] + k * a,
    "you took the places that were found from the photo. They are numbers of the painting's "
    "places.",
    lambda a, b, k: (1 - k) * b + k * a,
    "you mixed place by place, as if the painting showed the same thing in the same place. Take "
    "the nearest ones: painting[nearest(photo, painting)].",
    lambda a, b, k: (1 - k) * b[nearest(b, a)] + k * a,
    "the search is the wrong way round. The photo's places ask: nearest(photo, painting).",
    lambda a, b, k: (1 - k) * _centered(b)[nearest(a, b)] + k * a,
    lambda a, b, k: (1 - k) * _centered(b)[nearest(a, b)] + k * _centered(a),
    "the targets are centred. Centring is for the search alone; the picture should get the "
    "painting's features as they are.",
    lambda a, b, k: (1 - k) * _normal(b)[nearest(a, b)] + k * a,
    lambda a, b, k: (1 - k) * _normal(b)[nearest(a, b)] + k * _normal(a),
    "the targets are divided by their lengths. That is for the search alone; the lengths say how "
    "strong a stroke is.",
    lambda a, b, k: nearest(a, b),
    "these are the numbers of the places. Take these places of the painting.",
)

# 7.4, the loss, and what may not move


def _picture_and_painting(generator: Generator) -> Inputs:
    return _places_and_likeness(generator)


def _loss(picture: Tensor, painting: Tensor, likeness: float) -> Tensor:
    return content_loss(picture, neighbour_targets(picture.detach(), painting, likeness))


_LOSS = mistakes(
    lambda p, b, k: content_loss(p, neighbour_targets(p, b, k)),
    "the loss is right, but its gradient is not, because it also flows through the targets: they "
    "would move towards the picture, and the steps would be too small. A target stands still: "
    "search with picture.detach().",
    *mse_mistakes(lambda p, b, k: p - neighbour_targets(p.detach(), b, k)),
    lambda p, b, k: content_loss(p, neighbour_targets(p.detach(), b)),
    "likeness is not used. Give it to neighbour_targets.",
    lambda p, b, k: content_loss(p, neighbour_targets(p.detach(), b, 1 - k)),
    "likeness is the wrong way round.",
    lambda p, b, k: content_loss(p, b),
    "you compare with the painting place by place. Compare with the targets.",
    lambda p, b, k: 1 - (_normal(p) * _normal(neighbour_targets(p.detach(), b, k))).sum(1).mean(),
    "this is one minus the cosine, as in the paper. Here we compare by the mean squared error, as "
    "in lesson 02.",
)

# 7.5, from small to large

Find = Callable[[Tensor, Tensor], Tensor]
"""Takes what is searched for and the painting, both pictures; returns the targets."""
Descend = Callable[[Tensor, Tensor], Tensor]
"""Takes a picture and targets; returns the picture after some steps towards them."""


def _pixels_of_places(image: Tensor) -> Tensor:
    """In place of a network's features, which would take too long to check an exercise with."""
    return F.unfold(image, SIDE, stride=SIDE)[0].mT


def _find(query: Tensor, painting: Tensor) -> Tensor:
    return neighbour_targets(_pixels_of_places(query), _pixels_of_places(painting))


def _descend(picture: Tensor, targets: Tensor) -> Tensor:
    pixels = picture.detach().clone().requires_grad_()
    loss = (_pixels_of_places(pixels) - targets).square().sum()
    (gradient,) = torch.autograd.grad(loss, pixels)
    return (pixels - 0.2 * gradient).detach()


def _two_pictures_and_sizes(generator: Generator) -> Inputs:
    photo = torch.rand(1, 3, 48, 64, generator=generator)
    painting = torch.rand(1, 3, 64, 48, generator=generator) ** 2
    return photo, painting, [16, 32, 64], _find, _descend


def _small_to_large(
    photo_share: float = 0.75,
    renew: bool = True,
    go_on: bool = True,
    scale_painting: bool = True,
    sizes: slice = slice(None),
) -> Callable[[Tensor, Tensor, Sequence[int], Find, Descend], Tensor]:
    """Painting from small to large; settings other than the defaults are common mistakes."""

    def paint(
        photo: Tensor, painting: Tensor, all_sizes: Sequence[int], find: Find, descend: Descend
    ) -> Tensor:
        picture = resize(photo, all_sizes[0])
        targets = None
        for size in all_sizes[sizes]:
            small = resize(photo, size)
            picture = resize_to(picture, (small.shape[-2], small.shape[-1])) if go_on else small
            query = photo_share * small + (1 - photo_share) * picture
            if targets is None or renew:
                targets = find(query, resize(painting, size) if scale_painting else painting)
            picture = descend(picture, targets)
        return picture

    return paint


def _searched_before(
    photo: Tensor, painting: Tensor, sizes: Sequence[int], find: Find, descend: Descend
) -> Tensor:
    targets = find(photo, painting)
    return _small_to_large()(photo, painting, sizes, lambda *_: targets, descend)


_SMALL_TO_LARGE = mistakes(
    _small_to_large(renew=False),
    _searched_before,
    "the targets are those of another size: there is one for each place, and a larger picture has "
    "more places. Search anew at each size, inside the loop.",
    _small_to_large(go_on=False),
    "you start from the photo at each size, so what the smaller pictures found out is lost. "
    "Enlarge the picture so far, and go on with it.",
    _small_to_large(photo_share=1.0),
    "you search for the photo alone. Give the picture so far a say, a quarter: it knows what was "
    "decided at the smaller size.",
    _small_to_large(photo_share=0.0),
    "you search for the picture so far alone. Then nobody remembers the photo: three quarters of "
    "what is searched for should be the photo.",
    _small_to_large(photo_share=0.25),
    "photo and picture are the wrong way round in what you search for: 0.75 of the photo, 0.25 of "
    "the picture so far.",
    _small_to_large(photo_share=0.5),
    "you search for photo and picture half and half. Take 0.75 of the photo, 0.25 of the picture.",
    _small_to_large(scale_painting=False),
    "the painting is searched at its full size. Resize it, too, or the strokes come out too small "
    "for the picture.",
    _small_to_large(sizes=slice(1)),
    "this is the picture of the first size. Is return inside the loop?",
    _small_to_large(sizes=slice(-1, None)),
    "only the last size is painted. Paint at each of them, from small to large.",
)

register(
    Exercise(
        "7.1", "The cosine of two places", lambda a, b: a @ b / (a.norm() * b.norm()),
        _two_places, _COSINE,
    ),
    Exercise("7.2", "The nearest place", nearest, _photo_and_painting, _NEAREST),
    Exercise(
        "7.3", "What each place should become", neighbour_targets, _places_and_likeness, _TARGETS
    ),
    Exercise("7.4", "A target stands still", _loss, _picture_and_painting, _LOSS, gradient=True),
    Exercise(
        "7.5", "From small to large", _small_to_large(), _two_pictures_and_sizes, _SMALL_TO_LARGE
    ),
)  # fmt: skip
