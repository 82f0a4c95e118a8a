"""Lesson 07: nearest places, patchworks, controls and exercises."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from answer_notebooks import solutions
from torch import Tensor
from torch.nn import functional as F

from stylelib import RECIPES, StylelibError, load_image
from stylelib.core.layers import CONVOLUTIONS, NEIGHBOUR_LAYERS
from stylelib.core.losses import gram_matrix
from stylelib.core.neighbours import nearest, neighbour_targets, places
from stylelib.engine.network import VGG19, features
from stylelib.lessons.checking import EXERCISES
from stylelib.lessons.explorer import Explorer, FigureImage
from stylelib.lessons.neighbours.compute import (
    DEPTHS,
    WAYS,
    cosines,
    grid_of,
    look,
    of_layers,
    patchwork,
    search,
    shuffled,
)
from stylelib.lessons.neighbours.controls import (
    likeness_explorer,
    nearest_by_hand,
    neighbour_explorer,
)
from stylelib.lessons.neighbours.exercises import check

# The lesson's example
PHOTO = torch.tensor([[[3.0, 4], [1, 5], [1, 3]], [[2, 1], [2, 6], [3, 5]]])
PAINTING = torch.tensor([[[8.0, 4], [9, 3], [3, 2]], [[6, 4], [4, 4], [6, 1]]])
NAMES = ("dark", "edge")


def text(plot: Any) -> list[str]:
    found = [t.get_text() for t in plot.figure.texts]
    return found + [t.get_text() for axes in plot.figure.axes for t in axes.texts]


def click(explorer: Explorer, x: float, y: float) -> None:
    """Click on the first axes, at a position in their data coordinates; an edge is just inside."""
    figure = explorer.plot.figure
    axes = figure.axes[0]
    inside = axes.bbox.padded(-0.01)
    point = np.clip(axes.transData.transform((x, y)), inside.min, inside.max)
    across, up = figure.transFigure.inverted().transform(point)
    explorer.click(float(across), 1 - float(up))


# By hand


def by_loops(wanted: Tensor, offered: Tensor, centered: bool) -> list[list[float]]:
    """The cosines written out."""

    def less_mean(vectors: Tensor) -> list[list[float]]:
        rows = vectors.tolist()
        means = [sum(column) / len(rows) * centered for column in zip(*rows, strict=True)]
        return [[x - m for x, m in zip(row, means, strict=True)] for row in rows]

    def cosine(p: list[float], q: list[float]) -> float:
        return (p[0] * q[0] + p[1] * q[1]) / (math.hypot(*p) * math.hypot(*q))

    return [[cosine(p, q) for q in less_mean(offered)] for p in less_mean(wanted)]


@pytest.mark.parametrize("centered", [False, True])
def test_cosines_against_loops(centered: bool) -> None:
    wanted, offered = PHOTO.flatten(0, 1), PAINTING.flatten(0, 1)
    expected = torch.tensor(by_loops(wanted, offered, centered))
    torch.testing.assert_close(cosines(wanted, offered, centered), expected)


def test_what_the_lesson_says_about_its_example() -> None:
    """Not centred, five of six places take the same piece; centred, each takes another."""
    wanted, offered = PHOTO.flatten(0, 1), PAINTING.flatten(0, 1)
    assert wanted.mean(0).tolist() == [2, 4] and offered.mean(0).tolist() == [6, 3]
    assert cosines(wanted, offered, False).argmax(1).tolist() == [4, 4, 4, 0, 4, 4]
    assert cosines(wanted, offered).argmax(1).tolist() == [1, 4, 2, 5, 3, 0]
    assert nearest(wanted, offered).tolist() == [1, 4, 2, 5, 3, 0]


def test_the_figure_by_hand_states_numbers_and_cosines() -> None:
    explorer = nearest_by_hand(PHOTO, PAINTING, NAMES)
    shown = text(explorer.plot)
    assert "3, 4" in shown and "8, 4" in shown
    # (3, 4) and (4, 4): 28 / (5 * 5.657)
    assert "0.99" in shown and "place 5 of the painting is nearest" in explorer.plot.alt
    explorer.set(centred=True)
    shown = text(explorer.plot)
    assert "1, 0" in shown and "3, 0" in shown and "-0.89" in shown
    assert "place 2 of the painting is nearest" in explorer.plot.alt
    assert "Place 4 of the photo" in explorer.set(place=4).plot.alt


@pytest.mark.parametrize(
    "chosen, where", [(2, (1, 0)), (4, (0, 1)), (6, (2.5, 1.5)), (1, (-0.5, -0.5))]
)
def test_a_click_on_a_place_by_hand(chosen: int, where: tuple[float, float]) -> None:
    explorer = nearest_by_hand(PHOTO, PAINTING, NAMES).set(place=3)
    click(explorer, *where)
    assert explorer.values["place"] == chosen


def test_vectors_of_another_shape_are_explained() -> None:
    with pytest.raises(StylelibError, match="two numbers for each place"):
        nearest_by_hand(PHOTO[..., :1], PAINTING, NAMES)


# In pictures


def test_vectors_are_those_of_the_book(camel: Tensor, network: VGG19) -> None:
    vectors = look(camel, network)
    torch.testing.assert_close(vectors, places(features(camel, NEIGHBOUR_LAYERS, network)))
    assert len(vectors) == math.prod(grid_of(camel)) == 9 * 16
    some = ["conv3_1", "conv4_1"]
    part = of_layers(vectors, some)
    torch.testing.assert_close(part, places(features(camel, some, network)))
    assert set().union(*DEPTHS.values()) == set(NEIGHBOUR_LAYERS)


def test_searches_against_brute_force(camel: Tensor, painting: Tensor, network: VGG19) -> None:
    found = search(camel, painting, network)
    assert set(found.found) == {(depth, way) for depth in DEPTHS for way in WAYS}
    for depth, layers in DEPTHS.items():
        a, b = (of_layers(look(i, network), layers).double() for i in (camel, painting))
        ours = {way: found.found[depth, way] for way in WAYS}
        rows = torch.arange(len(a))
        distances = (a[:, None] - b[None]).square().sum(2).sqrt()
        picked = distances[rows, ours["distance"]]
        torch.testing.assert_close(picked, distances.amin(1), rtol=1e-3, atol=1e-7)
        for way, mean in (("cosine, centred", 1), ("cosine, not centred", 0)):
            p, q = a - mean * a.mean(0), b - mean * b.mean(0)
            table = F.cosine_similarity(p[:, None], q[None], dim=2)
            torch.testing.assert_close(table[rows, ours[way]], table.amax(1), rtol=1e-4, atol=1e-6)


def test_a_patchwork_is_made_of_the_painting() -> None:
    painting = torch.rand(1, 3, 13, 18, generator=torch.Generator().manual_seed(2))
    made = patchwork(painting, torch.tensor([11, 0, 5, 6, 6, 3]), (2, 3))
    assert made.shape == (1, 3, 8, 12)
    assert torch.equal(made[..., :4, :4], painting[..., 8:12, 12:16])  # 11: row 2, column 3
    assert torch.equal(made[..., :4, 4:8], painting[..., :4, :4])
    assert torch.equal(made[..., 4:, 8:], painting[..., :4, 12:16])
    with pytest.raises(StylelibError, match="2 x 3 places need 6 pieces"):
        patchwork(painting, torch.tensor([0]), (2, 3))


def test_what_the_lesson_says_about_gram_matrices(
    camel: Tensor, painting: Tensor, network: VGG19
) -> None:
    """The pieces in another order have the same Gram matrix, and are far from the targets."""
    wanted, offered = look(camel, network), look(painting, network)
    index = nearest(wanted, offered)
    one, other = offered[index], offered[shuffled(index)]
    assert sorted(index.tolist()) == sorted(shuffled(index).tolist())
    grams = [gram_matrix(v.T[None, :, :, None]) for v in (one, other)]
    torch.testing.assert_close(grams[0], grams[1], rtol=1e-4, atol=1e-7)
    assert (one - other).square().mean() > 0.5 * one.var(0, correction=0).mean()


def test_what_the_lesson_says_about_ways_and_layers(network: VGG19) -> None:
    photo, painting = load_image("camel", 128), load_image("hokusai-great-wave", 128)
    found = search(photo, painting, network)

    def spread(way: str) -> float:
        return float(found.patchwork("all layers", way).std())

    def from_photo(depth: str) -> float:
        made = found.patchwork(depth)
        return float((made - photo[..., : made.shape[-2], : made.shape[-1]]).abs().mean())

    # By distance, cautious pieces are taken.
    assert spread("distance") < 0.7 * spread("cosine, centred")
    assert spread("cosine, not centred") < spread("cosine, centred")
    used = {way: len(found.found["all layers", way].unique()) for way in WAYS}
    assert max(used, key=used.__getitem__) == "cosine, centred"
    # Of the earliest layers, the nearest piece has the photo's own colour.
    assert from_photo("the earliest layers") < 0.7 * from_photo("all layers")


def test_a_click_on_the_photo_and_the_sliders_do_the_same(camel: Tensor, painting: Tensor) -> None:
    explorer = neighbour_explorer(search(camel, painting))
    click(explorer, 12 * 4 + 1.5, 5 * 4 + 1.5)  # the middle of the place in row 5 and column 12
    assert explorer.values["across"] == 12 and explorer.values["down"] == 5
    clicked = explorer.plot
    assert "row 5 and column 12" in clicked.alt
    again = neighbour_explorer(search(camel, painting)).set(across=12, down=5)
    assert again.plot.alt == clicked.alt and again.plot.image() == clicked.image()


def test_a_click_beside_the_photo_changes_nothing(camel: Tensor, painting: Tensor) -> None:
    explorer = neighbour_explorer(search(camel, painting), across=3, down=2)
    before = explorer.values
    for across, down in [(0.75, 0.2), (0.499, 0.2), (0.2, 0.75), (0.0, 1.0)]:
        explorer.click(across, down)
        assert explorer.values == before


def test_a_click_at_the_edge_of_a_photo_that_four_does_not_divide(painting: Tensor) -> None:
    photo = torch.rand(1, 3, 35, 47, generator=torch.Generator().manual_seed(3))
    explorer = neighbour_explorer(search(photo, painting))
    click(explorer, 46.3, 34.3)
    assert explorer.values["across"] == 10 and explorer.values["down"] == 7


def test_the_figure_marks_the_place_that_was_found(camel: Tensor, painting: Tensor) -> None:
    found = search(camel, painting)
    explorer = neighbour_explorer(found, across=7, down=4)
    for depth in DEPTHS:
        for way in WAYS:
            number = int(found.found[depth, way][4 * 16 + 7])
            row, column = divmod(number, grid_of(painting)[1])
            plot = explorer.set(layers=depth, compare=way).plot
            assert f"row {row} and column {column};" in plot.alt
            # The last frame of the last axes is around the piece.
            frame = plot.figure.axes[-1].patches[-1].get_bbox()
            assert (frame.x0 + 0.5, frame.y0 + 0.5) == (4 * column, 4 * row)


def test_a_message_from_the_browser_is_a_click(camel: Tensor, painting: Tensor) -> None:
    explorer = neighbour_explorer(search(camel, painting))
    (image,) = [c for c in explorer.children if isinstance(c, FigureImage)]
    assert (f"image/{image.format}", image.value) == explorer.plot.image()
    image._handle_custom_msg({"across": 0.25, "down": 0.25}, [])
    assert explorer.values["across"] > 0 and explorer.values["down"] > 0


def test_no_control_runs_the_network(
    camel: Tensor, painting: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer = neighbour_explorer(search(camel, painting))

    def too_slow(*_: Any) -> None:
        raise AssertionError("the network ran")

    monkeypatch.setattr(VGG19, "forward", too_slow)
    for depth in DEPTHS:
        assert depth in explorer.set(layers=depth, across=3).plot.alt


def test_the_likeness_slider_shows_each_picture(camel: Tensor, painting: Tensor) -> None:
    explorer = likeness_explorer({0.0: camel, 0.5: camel.flip(-1), 1.0: 1 - camel})
    assert explorer.values["likeness"] == "0.5"
    seen = {explorer.set(likeness=name).plot.image()[1] for name in ("0", "0.5", "1")}
    assert len(seen) == 3
    with pytest.raises(StylelibError, match="at least one picture"):
        likeness_explorer({})


def test_what_the_lesson_says_about_the_recipe() -> None:
    recipe = RECIPES["neighbours"]
    assert recipe.neighbour_weight > 0 and recipe.style_layers and not recipe.content_layers
    assert {name for name in CONVOLUTIONS if name in recipe.style_layers} <= set(NEIGHBOUR_LAYERS)
    assert recipe.but(size=256).stages()[0][0] <= 64


# Exercises

ANSWERS = solutions("07-neighbours")


@pytest.mark.parametrize("number", ANSWERS)
def test_each_mistake_is_recognised(number: str) -> None:
    for mistake in EXERCISES[number].mistakes:
        verdict = check(number, mistake.wrong)
        assert not verdict.passed
        assert verdict.message == mistake.hint


def with_loops(photo: Tensor, painting: Tensor) -> Tensor:
    a, b = photo - photo.mean(0), painting - painting.mean(0)
    found = []
    for one in a:
        best = max(range(len(b)), key=lambda i: float(F.cosine_similarity(one, b[i], dim=0)))
        found.append(best)
    return torch.tensor(found)


@pytest.mark.parametrize(
    ("number", "other"),
    {
        "7.1": lambda a, b: F.cosine_similarity(a, b, dim=0),
        "7.2": with_loops,
        "7.3": lambda a, b, k: torch.lerp(b[nearest(a, b)], a, k),
        "7.4": lambda p, b, k: F.mse_loss(p, neighbour_targets(p, b, k).detach()),
    }.items(),
)
def test_another_correct_answer_passes(number: str, other: Any) -> None:
    verdict = check(number, other)
    assert verdict.passed, verdict


def test_the_usual_slips_get_their_hints() -> None:
    """As a student would write them, not as the exercises know them."""

    def moving(picture: Tensor, painting: Tensor, likeness: float) -> Tensor:
        targets = (1 - likeness) * painting[nearest(picture, painting)] + likeness * picture
        return ((picture - targets) ** 2).mean()

    assert "A target stands still" in check("7.4", moving).message

    def not_centered(wanted: Tensor, offered: Tensor) -> Tensor:
        a = wanted / wanted.norm(dim=1, keepdim=True)
        b = offered / offered.norm(dim=1, keepdim=True)
        return (a @ b.T).max(dim=1).indices

    assert "nothing is centred" in check("7.2", not_centered).message

    def wrong_axis(wanted: Tensor, offered: Tensor) -> Tensor:
        return torch.corrcoef(torch.cat([wanted, offered])).argmax(0)

    assert not check("7.2", wrong_axis).passed

    def once(photo: Tensor, painting: Tensor, sizes: Any, find: Any, descend: Any) -> Tensor:
        picture = F.interpolate(photo, scale_factor=sizes[0] / 64)
        targets = find(picture, F.interpolate(painting, scale_factor=sizes[0] / 64))
        for size in sizes:
            picture = F.interpolate(picture, (48 * size // 64, size))
            picture = descend(picture, targets)
        return picture

    assert "Search anew at each size" in check("7.5", once).message


@pytest.mark.parametrize("number", ANSWERS)
def test_a_detached_answer_fails_where_the_gradient_counts(number: str) -> None:
    verdict = check(number, lambda *inputs: ANSWERS[number](*inputs).detach())
    assert verdict.passed == (not EXERCISES[number].gradient)


@pytest.mark.parametrize("number", ANSWERS)
def test_empty_answers_and_nonsense_are_explained(number: str) -> None:
    assert check(number, lambda *inputs: None).state == "empty"
    assert check(number, lambda *inputs: "seven").state == "wrong"
    assert "TypeError" in check(number, lambda: 7).message
