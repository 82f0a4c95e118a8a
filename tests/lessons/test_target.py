"""Lesson 04: its numbers, figures, controls and exercises."""

import copy
import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from answer_notebooks import solutions
from PIL import Image
from torch import Tensor
from tqdm import tqdm
from tqdm.notebook import tqdm_notebook

from stylelib import (
    Recipe,
    StylelibError,
    Transfer,
    content_loss,
    features,
    gram_matrix,
    load_image,
    resize,
    style_loss,
    target_loss,
)
from stylelib.core.layers import STYLE_LAYERS
from stylelib.core.loop import optimize, style_transfer
from stylelib.engine.network import VGG19
from stylelib.lessons.checking import check
from stylelib.lessons.progress import progress, progress_bar
from stylelib.lessons.target import controls as explore
from stylelib.lessons.target import figures as plots
from stylelib.lessons.target.compute import Losses, Run, paint, pixel_gradients
from stylelib.lessons.target.exercises import small_network
from stylelib.lessons.theme import Plot
from stylelib.recipes import RECIPES

STEPS = 8
RECIPE = Recipe(
    size=48,
    steps=STEPS,
    coarse_to_fine=False,
    centered=False,
    style_layers=dict.fromkeys(STYLE_LAYERS, 1.0),
    style_weight=3.0,
)
PARTS = ("content", "style", "target")


@pytest.fixture(scope="module")
def small() -> VGG19:
    return small_network(torch.Generator().manual_seed(3)).requires_grad_(False)


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor]:
    camel, painting = torch.rand(2, 1, 3, 32, 48, generator=torch.Generator().manual_seed(4))
    return camel, painting


@pytest.fixture(scope="module")
def losses(pair: tuple[Tensor, Tensor], small: VGG19) -> Losses:
    """Written out as in the lesson."""
    camel, painting = pair
    with torch.no_grad():
        wanted = features(camel, "conv4_2", small)["conv4_2"]
        painted = grams(features(painting, STYLE_LAYERS, small))
    share = {name: 0.2 / gram.square().mean() for name, gram in painted.items()}

    def both(image: Tensor) -> tuple[Tensor, Tensor]:
        maps = features(image, ["conv4_2", *STYLE_LAYERS], small)
        content = content_loss(maps["conv4_2"], wanted) / wanted.square().mean()
        return content, style_loss(grams(maps), painted, share)

    return both


def grams(maps: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: gram_matrix(maps[name]) for name in STYLE_LAYERS}


@pytest.fixture(scope="module")
def painted(pair: tuple[Tensor, Tensor], small: VGG19) -> Callable[..., Run]:
    def make(label: str = "a painting", **changes: Any) -> Run:
        return paint(*pair, RECIPE.but(**changes), small, label)

    return make


@pytest.fixture(scope="module")
def run(painted: Callable[..., Run]) -> Run:
    return painted()


# The numbers


def test_a_run_keeps_every_frame_and_its_losses(run: Run, losses: Losses) -> None:
    assert len(run.frames) == len(run.losses) == len(run.seconds) == STEPS + 1
    assert run.seconds == sorted(run.seconds)
    for frame, given, layers in zip(run.frames, run.losses, run.layers, strict=True):
        content, style = (float(loss) for loss in losses(frame))
        assert given["content"] == pytest.approx(content, rel=1e-3, abs=1e-6)
        assert given["style"] == pytest.approx(3 * style, rel=1e-3)
        assert given["target"] == pytest.approx(content + 3 * style, rel=1e-3)
        assert sum(layers[f"style {name}"] for name in STYLE_LAYERS) == pytest.approx(
            style, rel=1e-3
        )


def test_paint_paints_what_transfer_paints(
    run: Run, pair: tuple[Tensor, Tensor], small: VGG19
) -> None:
    transfer = Transfer(*pair, RECIPE, small, "cpu", torch.float32)
    assert torch.equal(run.image, transfer.run())


def test_paint_passes_its_steps_through_watch(pair: tuple[Tensor, Tensor], small: VGG19) -> None:
    seen: list[Any] = []

    def watch(steps: Any, label: str, total: int) -> Any:
        for step in steps:
            seen.append((label, total, step.iteration))
            yield step

    paint(*pair, RECIPE.but(steps=2), small, "watched", watch)
    assert seen == [("watched", 2, 1), ("watched", 2, 2)]


def test_paint_starts_from_a_given_picture_enlarged(
    run: Run, pair: tuple[Tensor, Tensor], small: VGG19
) -> None:
    larger = paint(*pair, RECIPE.but(size=96, steps=1), small, start=run.image)
    assert larger.frames[0].shape == (1, 3, 64, 96)
    assert torch.equal(larger.frames[0], resize(run.image, 96))


def test_the_loop_by_hand_paints_what_the_book_and_transfer_paint(
    pair: tuple[Tensor, Tensor], small: VGG19, losses: Losses
) -> None:
    by_hand = optimize(pair[0], lambda image: target_loss(*losses(image), 1, 3), range(STEPS))
    in_the_book = style_transfer(*pair, small, style_weight=3, steps=range(STEPS))
    assert torch.allclose(by_hand, in_the_book, atol=1e-4)
    recipe = RECIPE.but(optimizer="adam", learning_rate=0.02, clamp=False)
    transfer = Transfer(*pair, recipe, small, "cpu", torch.float32)
    assert (transfer.run() - by_hand).abs().mean() < 1e-3


def test_gradients_are_the_slopes_of_the_losses_and_add_up(
    pair: tuple[Tensor, Tensor], losses: Losses
) -> None:
    image = (pair[0] + pair[1]) / 2
    found = pixel_gradients(image, losses, 1.0, 3.0)
    assert torch.allclose(found["content"] + found["style"], found["target"], atol=1e-6)
    # Compared with a finite difference in the direction of the gradient.
    direction = found["target"] / found["target"].norm()

    def loss(at: Tensor) -> float:
        content, style = losses(at)
        return float(content + 3 * style)

    slope = (loss(image + 1e-4 * direction) - loss(image - 1e-4 * direction)) / 2e-4
    assert slope == pytest.approx(float(found["target"].norm()), rel=0.05)


def test_the_content_gradient_of_the_camel_itself_is_0(
    pair: tuple[Tensor, Tensor], losses: Losses
) -> None:
    assert not pixel_gradients(pair[0], losses)["content"].any()
    assert not pair[0].requires_grad


def test_a_detached_loss_raises_an_explanation(pair: tuple[Tensor, Tensor]) -> None:
    def detached(image: Tensor) -> tuple[Tensor, Tensor]:
        return image.detach().sum(), image.sum()

    with pytest.raises(StylelibError, match="content loss does not depend on the picture"):
        pixel_gradients(pair[0], detached)


# The figures


def pixels_of(plot: Plot) -> np.ndarray[Any, Any]:
    with Image.open(io.BytesIO(plot.image()[1])) as picture:
        return np.asarray(picture.convert("RGB"), dtype=float)


def test_every_figure_is_drawn_and_has_alt_text(
    painted: Callable[..., Run], run: Run, pair: tuple[Tensor, Tensor]
) -> None:
    camel, other = pair
    several = [run.called("from the camel"), painted("from noise", init="noise")]
    gradients = {name: torch.randn_like(camel) for name in PARTS}
    parts = {"camel": (0.0, 1.0), "painting": (1.0, 0.2)}
    figures = [
        plots.scales({"camel": camel, "painting": other}, parts, 1, 3),
        plots.gradient_maps(camel, gradients),
        plots.loss_curves(run),
        plots.filmstrip(run),
        plots.frame_and_losses(run, 2),
        plots.ratio_strip(several),
        plots.trade_off(several, several[0]),
        plots.compare(several),
        plots.race(several),
    ]
    for figure in figures:
        drawn = pixels_of(figure)
        assert drawn.std() > 10 and min(drawn.shape[:2]) > 150
        assert len(figure.alt) > 30


def test_scales_show_the_weighted_losses_and_their_order(pair: tuple[Tensor, Tensor]) -> None:
    images = dict(zip(("camel", "painting"), pair, strict=True))
    parts = {"camel": (0.0, 1.0), "painting": (1.0, 0.2)}
    for style_weight, totals, order in (
        (3, (3.0, 1.6), "painting, camel"),
        (0.1, (0.1, 1.02), "camel, painting"),
    ):
        plot = plots.scales(images, parts, 1, style_weight)
        bars = plot.figure.axes[-1].patches
        tops = [bar.get_y() + bar.get_height() for bar in bars[2:]]
        assert tops == pytest.approx(totals)
        assert f"highest: {order}." in plot.alt


def test_gradient_maps_sum_the_colours_and_share_one_scale(pair: tuple[Tensor, Tensor]) -> None:
    ones = torch.ones_like(pair[0])
    gradients = {"content": 0 * ones, "style": -2 * ones, "target": ones}
    plot = plots.gradient_maps(pair[0], gradients, "camel")
    drawn = [axes.images[0] for axes in plot.figure.axes[1:4]]
    assert [float(np.mean(image.get_array())) for image in drawn] == [0, -6, 3]
    assert {image.get_clim() for image in drawn} == {(-6, 6)}
    assert "gradient of the content loss is 0 everywhere." in plot.alt


def test_curves_show_the_numbers_of_the_run(run: Run) -> None:
    plot = plots.race([run])
    by_step, by_time = (axes.lines[0] for axes in plot.figure.axes[-2:])
    assert list(by_step.get_ydata()) == run.curve("target")
    assert list(by_time.get_xdata()) == run.seconds
    stack, layers = plots.loss_curves(run).figure.axes
    assert list(stack.lines[0].get_ydata()) == run.curve("target")
    drawn = {line.get_label(): list(line.get_ydata()) for line in layers.lines}
    assert drawn["conv3_1"] == [found["style conv3_1"] for found in run.layers]
    # The first content loss is 0, which a logarithmic axis can't show.
    assert drawn["conv4_2\n(content)"] == [f["content conv4_2"] for f in run.layers][1:]
    assert "content loss rises. The style loss falls. The target loss falls." in (
        plots.loss_curves(run).alt
    )


def test_a_filmstrip_starts_with_the_first_frame_and_ends_with_the_last(
    run: Run,
) -> None:
    shown = [axes.get_title() for axes in plots.filmstrip(run).figure.axes]
    assert shown[0] == "step 0" and shown[-1] == f"step {STEPS}"


# The controls


def test_two_sliders_set_the_weights(pair: tuple[Tensor, Tensor], losses: Losses) -> None:
    images = dict(zip(("camel", "painting"), pair, strict=True))
    control = explore.weigh(images, losses)
    content, style = (float(loss) for loss in losses(pair[1]))
    control.set(content_weight=10, style_weight=0.1)
    words = [text.get_text() for text in control.plot.figure.axes[-1].texts]
    assert words[1] == f"{10 * content + 0.1 * style:.2f}"
    assert "highest: camel, painting" in control.plot.alt
    control.set(content_weight=0.01, style_weight=10)
    assert "highest: painting, camel" in control.plot.alt


def test_the_gradient_explorer_shows_the_chosen_picture(
    pair: tuple[Tensor, Tensor], losses: Losses
) -> None:
    images = {"camel": pair[0], "half and half": (pair[0] + pair[1]) / 2}
    control = explore.gradient_explorer(images, losses)
    assert "gradient of the content loss is 0 everywhere" in control.plot.alt
    assert "0 everywhere" not in control.set(picture="half and half").plot.alt
    with pytest.raises(StylelibError, match="picture can't be"):
        control.set(picture="giraffe")


def test_scrubbing_shows_the_frame_and_its_losses(run: Run) -> None:
    control = explore.scrub(run)
    for step in (0, STEPS):
        plot = control.set(step=step).plot
        assert f"after {step} steps" in plot.alt
        picture, curves = plot.figure.axes
        assert np.allclose(picture.images[0].get_array(), run.frames[step][0].movedim(0, 2))
        assert curves.lines[-1].get_xydata().tolist() == [[step, run.losses[step]["target"]]]


def test_the_ratio_explorer_shows_the_chosen_run(
    painted: Callable[..., Run],
) -> None:
    paintings = [
        painted("1 : 0", content_weight=1.0, style_weight=0.0),
        painted("0 : 1", content_weight=0.0, style_weight=1.0),
    ]
    control = explore.ratio_explorer(paintings)
    assert "As content loss rises, style loss falls" in control.plot.alt
    for one in paintings:
        plot = control.set(ratio=one.label).plot
        assert f"content : style = {one.label}" in plot.alt
        ((x, y),) = plot.figure.axes[1].lines[1].get_xydata().tolist()
        assert x == pytest.approx(one.layers[-1]["content conv4_2"])
        assert y == pytest.approx(sum(one.layers[-1][f"style {n}"] for n in STYLE_LAYERS))
    with pytest.raises(StylelibError, match="own label"):
        explore.ratio_explorer([paintings[0], paintings[0]])


def test_progress_passes_every_item_on_and_counts_in_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(progress(range(7), "by hand")) == list(range(7))
    assert list(progress(iter("ab"), "letters", 2)) == ["a", "b"]
    printed = capsys.readouterr().out
    assert "by hand: 7 steps" in printed and "by hand: step 7 of 7" in printed
    assert "letters: 2 steps" in printed and "letters: step 2 of 2" in printed


def test_progress_in_a_notebook_is_a_widget(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stylelib.lessons.progress.tqdm", tqdm_notebook)
    loop: Any = progress(range(7), "by hand")
    assert capsys.readouterr().out.strip() == "by hand: 7 steps"  # what a web page shows
    assert list(loop) == list(range(7))
    _, bar, label = loop.container.children
    assert bar.value == 7 and bar.bar_style == "success"
    assert "step 7 of 7" in label.value.replace("\u2007", " ")


def test_the_bar_of_a_painting_counts_the_time_of_its_sizes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPES["gram"].but(size=64, steps=12, coarsest=16, content_layers={"conv1_2": 1.0},
                                 style_layers={"conv1_1": 1.0})  # fmt: skip
    photo, painting = load_image("camel", 64), load_image("hokusai-poppies", 64)
    shares: list[float] = []

    class Recorded(tqdm):
        def update(self, n: float = 1) -> bool | None:
            shown = super().update(n)
            shares.append(self.n / self.total)
            return shown

    monkeypatch.setattr("stylelib.lessons.progress.tqdm", Recorded)
    transfer = Transfer(photo, painting, recipe)
    sizes = [max(step.image.shape) for step in progress(transfer, "a camel", 12)]
    assert sizes[0] == 16 and sizes[-1] == 64
    printed = capsys.readouterr().out
    assert printed.strip().startswith("a camel: 12 steps") and "a camel: step 12 of 12" in printed
    large = sizes.index(64)
    parts = np.diff([0.0, *shares])
    assert shares[-1] == pytest.approx(1)
    assert parts[large + 1] > 1.3 * parts[1]  # a step at the last size takes longest
    assert torch.equal(
        Transfer(photo, painting, recipe).run(each=progress_bar(transfer)), transfer.image
    )
    assert "painting: step 12 of 12" in capsys.readouterr().out


# The exercises

ANSWERS = solutions("04-target-loss")


@pytest.mark.parametrize("number", ANSWERS)
def test_an_empty_answer_is_not_wrong_yet(number: str) -> None:
    for empty in (lambda *_: None, lambda *_: ...):
        verdict = check(number, empty)
        assert verdict.state == "empty" and "not yet" in repr(verdict)


@pytest.mark.parametrize("number", ANSWERS)
@pytest.mark.parametrize(
    "garbage",
    [
        lambda *_: "a camel",
        lambda *_: torch.zeros(3, 1, 2),
        lambda *_: torch.tensor(math.nan),
        lambda *_: [1, 2],
        lambda: 0,
        lambda *_: 1 / 0,
        "not a function",
        None,
    ],
)
def test_nonsense_is_explained_and_raises_nothing(number: str, garbage: Any) -> None:
    verdict = check(number, garbage)
    assert verdict.state == "wrong" and len(verdict.message) > 20


def descend(
    image: Tensor,
    loss: Callable[[Tensor], Tensor],
    rate: float,
    steps: int,
    *,
    zero: bool = True,
    backward: bool = True,
    clamp: bool = True,
    sign: int = 1,
    copy: bool = True,
) -> Tensor:
    """The loop, with the mistakes that a student may make."""
    pixels = image.clone() if copy else image
    pixels.requires_grad_()
    optimizer = torch.optim.Adam([pixels], lr=rate)
    for _ in range(steps):
        value = sign * loss(pixels)
        if zero:
            optimizer.zero_grad()
        if backward:
            value.backward()
        optimizer.step()
        if clamp:
            with torch.no_grad():
                pixels.clamp_(0, 1)
    return pixels.detach()


def test_a_detached_loss_in_the_answer_is_explained() -> None:
    def detached(image: Tensor, loss: Any, rate: float, steps: int) -> Tensor:
        return descend(image, lambda pixels: loss(pixels.detach()), rate, steps)

    verdict = check("4.3", detached)
    assert verdict.state == "wrong" and "does not require grad" in verdict.message


def clamped_at_the_end(image: Tensor, loss: Any, rate: float, steps: int) -> Tensor:
    return optimize(image, loss, range(steps), rate)


def not_a_copy(network: VGG19, camel: Tensor) -> Tensor:
    for parameter in network.parameters():
        parameter.requires_grad = False
    camel.requires_grad = True
    return camel


def half_frozen(network: VGG19, camel: Tensor) -> Tensor:
    network.convolutions["conv1_1"].requires_grad_(False)
    return camel.clone().requires_grad_()


def freeze_only(network: VGG19, camel: Tensor) -> Tensor:
    network.requires_grad_(False)
    return camel.clone()


def copy_of_a_recording(network: VGG19, camel: Tensor) -> Tensor:
    network.requires_grad_(False)
    return camel.requires_grad_().clone()


def noise_to_paint(network: VGG19, camel: Tensor) -> Tensor:
    network.requires_grad_(False)
    return torch.rand_like(camel).requires_grad_()


def loop(
    layer: str = "conv4_2", content: float = 1.0, styled: bool = True, **flaws: Any
) -> Callable[..., Tensor]:
    """The whole loop, with the mistakes that a student may make."""

    def paint_it(
        camel: Tensor,
        painting: Tensor,
        network: VGG19,
        content_weight: float,
        layer_weights: dict[str, float],
        steps: int,
    ) -> Tensor:
        with torch.no_grad():
            wanted = network(camel, [layer])[layer]
            targets = grams(network(painting, STYLE_LAYERS))

        def loss(image: Tensor) -> Tensor:
            maps = network(image, [layer, *STYLE_LAYERS])
            value = content * content_weight * content_loss(maps[layer], wanted)
            if styled:
                value = value + style_loss(grams(maps), targets, layer_weights)
            return value

        return descend(camel, loss, 0.02, steps, **flaws)

    return paint_it


def train_the_network(camel: Tensor, painting: Tensor, network: VGG19, *_: Any) -> Tensor:
    pixels = camel.clone().requires_grad_()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    network(pixels, ["conv4_2"])["conv4_2"].sum().backward()
    optimizer.step()
    return pixels.detach()


def from_noise(camel: Tensor, painting: Tensor, *rest: Any) -> Tensor:
    noise = torch.rand(camel.shape, generator=torch.Generator().manual_seed(9))
    return descend(noise, lambda image: (image - camel).square().mean(), 0.02, rest[-1])


def swapped_pictures(camel: Tensor, painting: Tensor, *rest: Any) -> Tensor:
    return descend_from(camel, painting, camel, *rest)


def descend_from(start: Tensor, camel: Tensor, painting: Tensor, *rest: Any) -> Tensor:
    network, content_weight, layer_weights, steps = rest
    with torch.no_grad():
        wanted = network(camel, ["conv4_2"])["conv4_2"]
        targets = grams(network(painting, STYLE_LAYERS))

    def loss(image: Tensor) -> Tensor:
        maps = network(image, ["conv4_2", *STYLE_LAYERS])
        style = style_loss(grams(maps), targets, layer_weights)
        return content_weight * content_loss(maps["conv4_2"], wanted) + style

    return descend(start, loss, 0.02, steps)


def unweighted(camel: Tensor, painting: Tensor, network: VGG19, *rest: Any) -> Tensor:
    ones = dict.fromkeys(STYLE_LAYERS, 1.0)
    return descend_from(camel, camel, painting, network, 1.0, ones, rest[-1])


def solve(
    image: Tensor,
    loss: Callable[[Tensor], Tensor],
    steps: int,
    *,
    zero: bool = True,
    backward: bool = True,
    value: bool = True,
) -> Tensor:
    """L-BFGS, with the mistakes that a student may make."""
    pixels = image.clone().requires_grad_()
    solver: Any = torch.optim.LBFGS([pixels], max_iter=1)

    def closure() -> Tensor | None:
        if zero:
            solver.zero_grad()
        found = loss(pixels)
        if backward:
            found.backward()
        return found if value else None

    for _ in range(steps):
        solver.step(closure)
    return pixels.detach()


def no_closure(image: Tensor, loss: Callable[[Tensor], Tensor], steps: int) -> Tensor:
    pixels = image.clone().requires_grad_()
    solver: Any = torch.optim.LBFGS([pixels], max_iter=1)
    for _ in range(steps):
        solver.zero_grad()
        loss(pixels).backward()
        solver.step()
    return pixels.detach()


def grow(
    photo: Tensor,
    painting: Tensor,
    sizes: list[int],
    paint: Any,
    *,
    restart: bool = False,
    whole_photo: bool = False,
    whole_painting: bool = False,
) -> Tensor:
    """Coarse to fine, with the mistakes that a student may make."""
    picture = photo
    for size in sizes:
        picture = paint(
            resize(photo if restart else picture, size),
            photo if whole_photo else resize(photo, size),
            painting if whole_painting else resize(painting, size),
        )
    return picture


def not_painted_at_the_end(p: Tensor, w: Tensor, sizes: list[int], paint: Any) -> Tensor:
    return resize(grow(p, w, sizes[:-1], paint), sizes[-1])


def two_targets(camel: Tensor, painting: Tensor, network: VGG19, layer: str = "conv4_2") -> Any:
    content = features(camel, layer, network)[layer].detach()
    styles = features(painting, STYLE_LAYERS, network)
    return {"conv4_2": content} | {name: gram_matrix(maps) for name, maps in styles.items()}


def without_grams(camel: Tensor, painting: Tensor, network: VGG19) -> Any:
    return features(painting, STYLE_LAYERS, network) | features(camel, "conv4_2", network)


def gram_of_content(camel: Tensor, painting: Tensor, network: VGG19) -> Any:
    targets = two_targets(camel, painting, network)
    return targets | {"conv4_2": gram_matrix(targets["conv4_2"])}


def without_content(camel: Tensor, painting: Tensor, network: VGG19) -> Any:
    targets = two_targets(camel, painting, network)
    del targets["conv4_2"]
    return targets


def two_losses(
    image: Tensor,
    targets: dict[str, Tensor],
    network: VGG19,
    content_weight: float,
    layer_weights: dict[str, float],
    *,
    parts: tuple[float, float] = (1.0, 1.0),
    detach: bool = False,
) -> Tensor:
    maps = features(image, ["conv4_2", *STYLE_LAYERS], network)
    found = grams({name: each.detach() for name, each in maps.items()} if detach else maps)
    content = content_weight * content_loss(maps["conv4_2"], targets["conv4_2"])
    wanted = {name: targets[name] for name in STYLE_LAYERS}
    return parts[0] * content + parts[1] * style_loss(found, wanted, layer_weights)


def train_the_layers(photo: Tensor, painting: Tensor, layers: Any, steps: int) -> Tensor:
    with torch.no_grad():
        layers[0].bias += 0.1
    return photo.clone()


def onto_the_photo(photo: Tensor, painting: Tensor, layers: Any, steps: int) -> Tensor:
    return photo.mul_(0.9)


MISTAKES: list[tuple[str, Callable[..., Any], str]] = [
    ("4.1", lambda c, s, cw, sw: sw * c + cw * s, "swapped"),
    ("4.1", lambda c, s, cw, sw: c + s, "neither has its weight"),
    ("4.1", lambda c, s, cw, sw: c + sw * s, "content_weight is missing"),
    ("4.1", lambda c, s, cw, sw: cw * c + s, "style_weight is missing"),
    ("4.1", lambda c, s, cw, sw: cw * c * sw * s, "multiplied the two parts"),
    ("4.1", lambda c, s, cw, sw: torch.stack([cw * c, sw * s]).mean(), "mean of the two parts"),
    ("4.1", lambda c, s, cw, sw: cw * c.detach() + sw * s, "detach"),
    ("4.1", lambda c, s, cw, sw: cw * c.item() + sw * s.item(), "gradient is lost"),
    ("4.3", lambda *a: descend(*a, zero=False), "zero_grad"),
    ("4.3", lambda *a: descend(*a, clamp=False), "pixels leave 0 to 1"),
    ("4.3", clamped_at_the_end, "clamp once, at the end"),
    ("4.3", lambda *a: descend(*a, sign=-1), "uphill"),
    ("4.3", lambda *a: descend(*a, backward=False), "comes back unchanged"),
    ("4.3", lambda *a: descend(*a, copy=False), "changed its inputs"),
    ("4.3", lambda image, loss, rate, steps: descend(image, loss, rate, 1), "single step"),
    ("4.5", not_a_copy, "share their memory"),
    ("4.5", half_frozen, "only part of the network"),
    ("4.5", freeze_only, "don't require a gradient"),
    ("4.5", copy_of_a_recording, "the camel itself now requires"),
    ("4.5", noise_to_paint, "a copy of the camel"),
    ("4.5", lambda network, camel: camel.clone().requires_grad_(), "the network is not frozen"),
    ("4.5", lambda network, camel: network.requires_grad_(False), "a tensor, and nothing else"),
    ("4.5", lambda network, camel: [network.requires_grad_(False), None][1], "Return the pixels"),
    ("4.7", lambda i: (i[:, :, 1:] - i[:, :, :-1]).pow(2).mean(), "row to row"),
    ("4.7", lambda i: (i[..., 1:] - i[..., :-1]).pow(2).mean(), "column to column"),
    ("4.7", lambda i: sum(i.diff(dim=d).pow(2).sum() for d in (2, 3)), "sum the squares"),
    ("4.7", lambda i: sum(i.diff(dim=d).abs().mean() for d in (2, 3)), "absolute value"),
    ("4.7", lambda i: sum(i.diff(dim=d).mean() for d in (2, 3)), "cancel"),
    ("4.7", lambda i: sum(i.diff(dim=d).pow(2).mean() for d in (1, 2)), "colour to colour"),
    (
        "4.7",
        lambda i: sum((torch.roll(i, 1, d) - i).pow(2).mean() for d in (2, 3)),
        "wraps around the edge",
    ),
    ("4.7", lambda i: sum(i.detach().diff(dim=d).pow(2).mean() for d in (2, 3)), "gradient"),
    ("4.11", train_the_network, "optimised the network"),
    ("4.11", loop(copy=False), "painted on the camel itself"),
    ("4.11", loop(zero=False), "zero_grad"),
    ("4.11", loop(backward=False), "unchanged"),
    ("4.11", loop(clamp=False), "left 0 to 1"),
    ("4.11", loop(sign=-1), "uphill"),
    ("4.11", loop(styled=False), "unchanged"),  # the camel's own content is right already
    ("4.11", loop(content=0.0), "no content loss"),
    ("4.11", loop(layer="conv3_1"), "at conv3_1"),
    ("4.11", from_noise, "Start from the camel"),
    ("4.11", swapped_pictures, "mixed up"),
    ("4.11", unweighted, "the weights are not used"),
    ("4.2", lambda: list("BFDECAG"), "return the letters as a text"),
    ("4.2", lambda: "BFDECA", "each of the letters A to G once"),
    ("4.2", lambda: "FBDECAG", "B comes first"),
    ("4.2", lambda: "BDFECAG", "made anew in each step"),
    ("4.2", lambda: "BFEDCAG", "before the loop that it belongs to"),
    ("4.2", lambda: "BFDEACG", "before there is a gradient"),
    ("4.2", lambda: "BFDCEAG", "after it was computed and before it is used"),
    ("4.2", lambda: "BFDCAGE", "at the beginning of a step"),
    ("4.2", lambda: "BFDECGA", "clamp before the pixels have moved"),
    ("4.4", lambda image, loss, rate, steps: descend(image, loss, rate, 1), "single step"),
    ("4.4", lambda *a: descend(*a, zero=False), "zero_grad"),
    ("4.4", lambda *a: descend(*a, clamp=False), "leave it in"),
    ("4.4", lambda *a: descend(*a, copy=False), "changed its inputs"),
    ("4.6", lambda *a: solve(*a, zero=False), "gradients add up"),
    ("4.6", lambda *a: solve(*a, value=False), "closure returns nothing"),
    ("4.6", no_closure, "step() needs the closure"),
    ("4.6", lambda *a: solve(*a, backward=False), "Call backward() in the closure"),
    ("4.6", lambda image, loss, steps: solve(image, loss, 1), "single step"),
    ("4.6", lambda i, loss, steps: descend(i, loss, 0.02, steps, clamp=False), "this is Adam"),
    ("4.6", lambda *a: solve(*a).clamp(0, 1), "Leave out the clamp"),
    ("4.8", lambda *a: grow(*a, restart=True), "starts from the photo again"),
    ("4.8", lambda *a: grow(*a, whole_photo=True), "another size than the picture"),
    ("4.8", lambda p, w, sizes, paint: grow(p, w, sizes[::-1], paint), "from large to small"),
    (
        "4.8",
        lambda p, w, sizes, paint: grow(p, w, sizes[-1:], paint),
        "paint at the last size only",
    ),
    ("4.8", lambda p, w, sizes, paint: grow(p, w, sizes[:1], paint), "first size only"),
    ("4.8", not_painted_at_the_end, "enlarged, but not painted"),
    ("4.8", lambda *a: grow(*a, whole_painting=True), "painting is at its full size"),
    ("4.9", lambda c, p, n: two_targets(p, c, n), "swapped"),
    ("4.9", lambda c, p, n: two_targets(c, c, n), "are the camel's"),
    ("4.9", without_grams, "painting's feature maps"),
    ("4.9", gram_of_content, "not their Gram matrix"),
    ("4.9", without_content, "content target is missing"),
    ("4.9", lambda *a: two_targets(*a, layer="conv4_1"), "not at conv4_1"),
    ("4.10", lambda *a: two_losses(*a, detach=True), "lost its gradient"),
    ("4.10", lambda *a: two_losses(*a, parts=(0.0, 1.0)), "content loss is missing"),
    ("4.10", lambda *a: two_losses(*a, parts=(1.0, 0.0)), "style loss is missing"),
    ("4.10", lambda i, t, n, c, w: two_losses(i, t, n, 1.0, w), "content_weight is not used"),
    (
        "4.10",
        lambda i, t, n, c, w: two_losses(i, t, n, c, dict.fromkeys(w, 1.0)),
        "layer_weights are not used",
    ),
    ("4.12", train_the_layers, "network's weights have changed"),
    ("4.12", onto_the_photo, "painted on the photo itself"),
    ("4.12", lambda photo, *_: [photo.clone()], "a tensor, and nothing else"),
    ("4.12", lambda photo, *_: photo[..., 1:], "the photo's shape"),
    ("4.12", lambda photo, *_: photo * math.nan, "NaN or infinite"),
    ("4.12", lambda photo, *_: photo * 2, "left 0 to 1"),
    ("4.12", lambda photo, *_: photo.clone(), "the photo, unchanged"),
    ("4.12", lambda photo, *_: torch.rand_like(photo), "higher than at the start"),
    ("4.12", lambda p, w, layers, _: ANSWERS["4.12"](p, w, layers, 3), "not as far as it should"),
]


@pytest.mark.parametrize(("number", "wrong", "words"), MISTAKES)
def test_a_common_mistake_gets_its_own_hint(
    number: str, wrong: Callable[..., Any], words: str
) -> None:
    verdict = check(number, wrong)
    assert verdict.state == "wrong"
    assert words in verdict.message, verdict


def test_another_optimiser_passes_if_it_gets_as_far() -> None:
    def faster(camel: Tensor, painting: Tensor, network: VGG19, *rest: Any) -> Tensor:
        pixels = camel.clone().requires_grad_()
        optimizer = torch.optim.LBFGS([pixels], max_iter=20)
        content_weight, layer_weights, _ = rest
        with torch.no_grad():
            wanted = network(camel, ["conv4_2"])["conv4_2"]
            targets = grams(network(painting, STYLE_LAYERS))

        def closure() -> Tensor:
            optimizer.zero_grad()
            maps = network(pixels, ["conv4_2", *STYLE_LAYERS])
            style = style_loss(grams(maps), targets, layer_weights)
            loss = content_weight * content_loss(maps["conv4_2"], wanted) + style
            loss.backward()
            return loss

        optimizer.step(closure)
        near = pixels.detach().clamp(0, 1)
        return camel + (near - camel).clamp(-0.3, 0.3)

    verdict = check("4.11", faster)
    assert verdict.passed, verdict


def test_a_check_starts_from_the_same_network_every_time() -> None:
    network = small_network(torch.Generator().manual_seed(0))
    before = copy.deepcopy(network.state_dict())
    check("4.11", train_the_network)
    fresh = small_network(torch.Generator().manual_seed(0)).state_dict()
    assert all(torch.equal(fresh[name], before[name]) for name in before)
