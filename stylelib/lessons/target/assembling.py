"""Exercises of lesson 04 in which a loop is put together, mended, or written in another way."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ...core.layers import CONTENT_LAYER, STYLE_LAYERS
from ...core.loop import style_transfer
from ...core.losses import content_loss, gram_matrix, style_loss
from ...engine.network import default_network
from ...pictures.images import load_image, resize
from ..checking import Exercise, Inputs, Verdict, Watched
from ..mistakes import Answer, mistakes
from ..painted import Hint
from .plain import plain_vgg19
from .solving import FORGOT_ZERO, grams_of, picture_and_loss, small_network, some_steps

Picture = Callable[[Tensor], Tensor]

# 4.2, put the lines of a loop in order

LINES = {
    "A": "    optimizer.step()",
    "B": "pixels = camel.clone().requires_grad_()",
    "C": "    loss(pixels).backward()",
    "D": "for _ in range(steps):",
    "E": "    optimizer.zero_grad()",
    "F": "optimizer = torch.optim.Adam([pixels], lr=0.02)",
    "G": "    pixels.data.clamp_(0, 1)",
}


def _before(first: str, second: str) -> Callable[..., bool]:
    """Whether the order has the second line before the first."""
    return lambda _, __, order: order.index(first) > order.index(second)


_ORDER = mistakes(
    lambda _, __, order: not isinstance(order, str),
    'return the letters as a text, such as "ABCDEFG".',
    lambda _, __, order: sorted(order.upper()) != sorted(LINES),
    "use each of the letters A to G once.",
    _before("B", "F"),
    "the optimiser is given the pixels before there are any. B comes first.",
    _before("F", "D"),
    "the optimiser is made anew in each step, so it forgets all that it has learned about the "
    "loss. Make it before the loop.",
    _before("D", "E"),
    _before("D", "C"),
    _before("D", "A"),
    _before("D", "G"),
    "an indented line stands before the loop that it belongs to.",
    _before("C", "A"),
    "the pixels move before there is a gradient to follow. backward() comes before step().",
    lambda _, __, order: order.index("C") < order.index("E") < order.index("A"),
    "the gradient is cleared after it was computed and before it is used, so nothing moves.",
    _before("E", "A"),
    "clear the old gradient at the beginning of a step: what the last step left of it, or anybody "
    "else before the loop, must not be added to the new one.",
    _before("A", "G"),
    "you clamp before the pixels have moved, so the last step may leave 0 to 1. Clamp after "
    "step().",
)

# 4.4, a loop with three faults


def _faulty(
    copy: bool = True, zero: bool = True, whole: bool = True
) -> Callable[[Tensor, Picture, float, int], Tensor]:
    def descend(image: Tensor, loss: Picture, rate: float, steps: int) -> Tensor:
        result = some_steps(zero=zero, fewer=0 if whole else 1)(image, loss, rate, steps)
        if not copy:
            image.copy_(result)
        return result

    return descend


@dataclass(frozen=True)
class Hunt(Exercise):
    """An exercise whose function is there already, and broken."""

    broken: Callable[..., Any] | None = None

    def untouched(self, before: Inputs, after: Inputs, result: Any) -> bool:
        """Whether all of the faults are still there."""
        if super().untouched(before, after, result):
            return True
        assert self.broken is not None
        image = before[0].clone()
        same = isinstance(result, Tensor) and torch.equal(
            self.broken(image, *before[1:]), result.detach()
        )
        return same and torch.equal(image, after[0].detach())


_HUNT = mistakes(
    _faulty(whole=False, zero=False),
    _faulty(whole=False),
    "that is a single step: there is still a fault at the end of the loop. When does the function "
    "return?",
    _faulty(zero=False),
    FORGOT_ZERO,
    lambda image, loss, rate, steps: some_steps(clamp=False)(image, loss, rate, steps),
    "clamping was right: leave it in.",
)

# 4.6, L-BFGS with a closure


def _lbfgs(
    image: Tensor,
    loss: Picture,
    steps: int,
    zero: bool = True,
    value: bool = True,
    backward: bool = True,
    copy: bool = True,
    calls: int = 0,
) -> Tensor:
    pixels = image.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([pixels], max_iter=1)

    def closure() -> Any:
        if zero:
            optimizer.zero_grad()
        found = loss(pixels)
        if backward:
            found.backward()
        return found if value else None

    for _ in range(calls or steps):
        optimizer.step(closure)
    return pixels.detach()


def _no_closure(image: Tensor, loss: Picture, steps: int) -> Tensor:
    pixels = image.clone().requires_grad_()
    loss(pixels).backward()
    torch.optim.LBFGS([pixels], max_iter=1).step()  # type: ignore[call-arg]
    return pixels.detach()


def _by_adam(image: Tensor, loss: Picture, steps: int) -> Tensor:
    return some_steps(clamp=False)(image, loss, 0.02, steps)


def _flawed(**flaws: Any) -> Answer:
    return lambda image, loss, steps: _lbfgs(image, loss, steps, **flaws)


_LBFGS = mistakes(
    _flawed(zero=False),
    "the gradients add up. The closure is called again and again, so zero_grad() belongs into it.",
    _flawed(value=False),
    "the closure returns nothing. L-BFGS wants to know the loss: return it.",
    _no_closure,
    "step() needs the closure: optimizer.step(closure), without brackets behind its name.",
    _flawed(backward=False),
    "the pixels don't move. Call backward() in the closure.",
    _flawed(calls=1),
    "that is a single step. Call optimizer.step(closure) in a loop.",
    _by_adam,
    "this is Adam. Use torch.optim.LBFGS([pixels], max_iter=1).",
    lambda image, loss, steps: _lbfgs(image, loss, steps).clamp(0, 1),
    "the steps are right. Leave out the clamp here, so that the result can be compared.",
)


def _loss_to_solve(generator: Generator) -> Inputs:
    image, loss, _, steps = picture_and_loss(generator)
    return image, loss, steps


# 4.8, coarse to fine


def _coarse_to_fine(
    photo: Tensor,
    painting: Tensor,
    sizes: Sequence[int],
    paint: Callable[..., Tensor],
    restart: bool = False,
    large_painting: bool = False,
    fixed: bool = False,
) -> Tensor:
    image = photo
    for size in sizes:
        start = resize(photo if restart else image, size)
        artwork = painting if large_painting else resize(painting, size)
        image = paint(start, photo if fixed else resize(photo, size), artwork)
    return image


def _pyramid(generator: Generator) -> Inputs:
    photo, painting = torch.rand(2, 1, 3, 24, 32, generator=generator)
    strength = 0.3 + 0.1 * float(photo[0, 0, 0, 0])

    def paint(start: Tensor, photo: Tensor, painting: Tensor) -> Tensor:
        """A painter that is quick: a third of each."""
        if start.shape != photo.shape:
            raise ValueError("start and photo differ in size")
        return start + strength * (photo - start) + 0.2 * (resize(painting, 32).mean() - start)

    return photo, painting, [8, 16, 32], paint


def _coarse(**flaws: Any) -> Answer:
    return lambda *setting: _coarse_to_fine(*setting, **flaws)


_COARSE_TO_FINE = mistakes(
    _coarse(restart=True),
    # The same picture, whether the earlier sizes were painted for nothing or not at all.
    "only the last size shows in your picture. Either each size starts from the photo again, or "
    "you paint at the last size only. Enlarge the picture so far, and go on from that.",
    _coarse(fixed=True),
    "the photo has another size than the picture. Resize it for each size.",
    lambda photo, painting, sizes, paint: _coarse_to_fine(photo, painting, sizes[::-1], paint),
    "you go from large to small. The small picture comes first.",
    lambda photo, painting, sizes, paint: _coarse_to_fine(photo, painting, sizes[:1], paint),
    "you paint at the first size only. Is return inside the loop?",
    lambda photo, painting, sizes, paint: resize(
        _coarse_to_fine(photo, painting, sizes[:-1], paint), sizes[-1]
    ),
    "at the last size the picture is enlarged, but not painted any more.",
    _coarse(large_painting=True),
    "the painting is at its full size throughout. Resize it for each size, or its strokes have "
    "another scale than the picture.",
)

# 4.9 and 4.10, targets and losses


def _two_pictures(generator: Generator) -> Inputs:
    camel = torch.rand(1, 3, 16, 20, generator=generator)
    painting = torch.rand(1, 3, 16, 24, generator=generator)
    return camel, painting, small_network(generator).requires_grad_(False)


def _targets(camel: Tensor, painting: Tensor, network: Any, content: str = CONTENT_LAYER) -> Any:
    maps = network(painting, STYLE_LAYERS)
    return {CONTENT_LAYER: network(camel, [content])[content], **grams_of(maps)}


_TARGETS = mistakes(
    lambda c, p, n: _targets(p, c, n),
    "the pictures are swapped: the content comes from the camel, the style from the painting.",
    lambda c, p, n: _targets(c, c, n),
    "the Gram matrices are the camel's. Take the painting's.",
    lambda c, p, n: {CONTENT_LAYER: n(c, [CONTENT_LAYER])[CONTENT_LAYER], **n(p, STYLE_LAYERS)},
    "these are the painting's feature maps. The style targets are their Gram matrices.",
    lambda c, p, n: {
        CONTENT_LAYER: gram_matrix(n(c, [CONTENT_LAYER])[CONTENT_LAYER]),
        **grams_of(n(p, STYLE_LAYERS)),
    },
    "the content target is the feature maps themselves, not their Gram matrix: places count.",
    lambda c, p, n: grams_of(n(p, STYLE_LAYERS)),
    "the content target is missing: the camel's feature maps, under the key conv4_2.",
    lambda c, p, n: _targets(c, p, n, "conv4_1"),
    "the content is compared at conv4_2, not at conv4_1.",
)


def _picture_and_targets(generator: Generator) -> Inputs:
    camel, painting, network = _two_pictures(generator)
    with torch.no_grad():
        targets = _targets(camel, painting, network)
    image = torch.rand(camel.shape, generator=generator)
    content_weight = 1 / float(targets[CONTENT_LAYER].square().mean())
    weights = {name: 0.3 / float(targets[name].square().mean()) for name in STYLE_LAYERS}
    return image, targets, network, content_weight, weights


def _losses(
    image: Tensor,
    targets: dict[str, Tensor],
    network: Any,
    content_weight: float,
    layer_weights: dict[str, float] | None,
    style: float = 1.0,
    detached: bool = False,
) -> Tensor:
    maps = network(image, [CONTENT_LAYER, *STYLE_LAYERS])
    grams = grams_of(maps)
    if detached:
        grams = {name: gram.detach() for name, gram in grams.items()}
    wanted = {name: targets[name] for name in STYLE_LAYERS}
    content = content_weight * content_loss(maps[CONTENT_LAYER], targets[CONTENT_LAYER])
    return content + style * style_loss(grams, wanted, layer_weights)


_LOSSES = mistakes(
    lambda i, t, n, c, w: _losses(i, t, n, c, w, detached=True),
    Hint(
        "the number is right, but the style loss has lost its gradient: nothing of the painting "
        "would reach the pixels. Leave out detach() and no_grad().",
        "style-detached",
    ),
    lambda i, t, n, c, w: _losses(i, t, n, 0.0, w),
    "the content loss is missing.",
    lambda i, t, n, c, w: _losses(i, t, n, c, w, style=0.0),
    "the style loss is missing.",
    lambda i, t, n, c, w: _losses(i, t, n, 1.0, w),
    "content_weight is not used.",
    lambda i, t, n, c, w: _losses(i, t, n, c, None),
    "layer_weights are not used. Give them to style_loss as its third input.",
)

# 4.12, the capstone

_SIZE, _STEPS, _MOST_LINES = 64, 12, 40


def _photo_and_painting(generator: Generator) -> Inputs:
    photo = load_image("camel", _SIZE)
    return photo, load_image("hokusai-great-wave", _SIZE), plain_vgg19(), _STEPS


def _reference(before: Inputs) -> Tensor:
    return style_transfer(before[0], before[1], default_network(), 3.0, range(_STEPS))


def _reference_loss(before: Inputs) -> Picture:
    photo, painting = before[:2]
    network = default_network()
    with torch.no_grad():
        wanted = network(photo, [CONTENT_LAYER])[CONTENT_LAYER]
        painted = grams_of(network(painting, STYLE_LAYERS))
    shares = {name: 3 / (5 * gram.square().mean()) for name, gram in painted.items()}

    @torch.no_grad()
    def loss(image: Tensor) -> Tensor:
        maps = network(image, [CONTENT_LAYER, *STYLE_LAYERS])
        content = content_loss(maps[CONTENT_LAYER], wanted) / wanted.square().mean()
        total: Tensor = content + style_loss(grams_of(maps), painted, shares)
        return total

    return loss


def _fallen(before: Inputs, result: Tensor) -> float:
    """How far the target loss has fallen, as a share of how far the reference brings it down."""
    loss = _reference_loss(before)
    start, now, best = (float(loss(x)) for x in (before[0], result, _reference(before)))
    return (start - now) / (start - best)


def _same_weights(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return all(torch.equal(old, new) for old, new in pairs)


_CAPSTONE = mistakes(
    lambda before, after, result: not _same_weights(before[2], after[2]),
    "the network's weights have changed. Give the optimiser nothing but the pixels.",
    lambda before, after, result: not torch.equal(before[0], after[0].detach()),
    "you painted on the photo itself. Start from a copy: photo.clone().",
    lambda before, after, result: not isinstance(result, Tensor),
    "return the picture, a tensor, and nothing else.",
    lambda before, after, result: result.shape != before[0].shape,
    "the picture should have the photo's shape.",
    lambda before, after, result: not result.isfinite().all(),
    "the picture contains NaN or infinite values.",
    lambda before, after, result: result.min() < 0 or result.max() > 1,
    "some pixels have left 0 to 1. Clamp them, at the latest at the end. (What goes into the "
    "network is normalised, what comes out of your function is not.)",
    lambda before, after, result: torch.equal(result.detach(), before[0]),
    "you return the photo, unchanged. Does the optimiser get [pixels], with requires_grad_()? Is "
    "backward() called before step()?",
    lambda before, after, result: _fallen(before, result.detach()) < 0,
    "the target loss is higher than at the start. Is there a minus sign? Do you start from noise?",
    lambda before, after, result: _fallen(before, result.detach()) < 0.85,
    "the target loss falls, but not as far as it should in this many steps. Three usual reasons: "
    "the picture is not normalised before it goes into the network; a layer's number is off by one "
    "(take the maps after the ReLU: 22 for the content, 1, 6, 11, 20 and 29 for the style); or a "
    "loss is not divided by the mean square of its target.",
)


class Capstone(Watched):
    """The last exercise, of limited length."""

    def check(self, answer: Any) -> Verdict:
        """Count the lines first."""
        try:
            lines = len(inspect.getsource(answer).strip().splitlines())
        except (OSError, TypeError):  # what was typed into a console has no source
            lines = 0
        if lines > _MOST_LINES:
            return Verdict(
                self, "wrong", f"your function has {lines} lines. Do it in {_MOST_LINES} or fewer."
            )
        return super().check(answer)


ASSEMBLING: tuple[Exercise, ...] = (
    Watched("4.2", "The loop in order", lambda: "BFDECAG", lambda _: (), _ORDER),
    Hunt(
        "4.4", "Three faults", _faulty(), picture_and_loss, _HUNT,
        broken=_faulty(copy=False, zero=False, whole=False),
    ),
    Exercise("4.6", "L-BFGS with a closure", _lbfgs, _loss_to_solve, _LBFGS),
    Exercise("4.8", "Coarse to fine", _coarse_to_fine, _pyramid, _COARSE_TO_FINE),
    Exercise("4.9", "The targets", _targets, _two_pictures, _TARGETS),
    Exercise("4.10", "The losses", _losses, _picture_and_targets, _LOSSES, gradient=True),
    Capstone(
        "4.12", "All of it, with torch alone", _reference, _photo_and_painting, _CAPSTONE,
        rounds=1,  # with the real network it takes seconds
    ),
)  # fmt: skip
"""The exercises, by their numbers."""
