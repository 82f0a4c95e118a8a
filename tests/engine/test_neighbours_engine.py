"""The engine's neighbours against those of the book, and against targets put together by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from stylelib import RECIPES, VGG19, Style, StylelibError, Transfer, load_image
from stylelib.core.layers import CONVOLUTIONS, NEIGHBOUR_LAYERS
from stylelib.core.losses import content_loss
from stylelib.core.neighbours import block_of, nearest, places
from stylelib.engine.neighbours import COHERENCE, OFFERED, Neighbours, Pieces, vectors_of
from stylelib.engine.objective import Objective
from stylelib.pictures.images import resize_to

RECIPE = RECIPES["neighbours"].but(size=64, steps=6, coarse_to_fine=False)


@pytest.fixture(scope="module")
def photo() -> Tensor:
    """16 x 8 places, and 8 x 4 positions of the deep layer: each covers four whole places."""
    return load_image("camel", 64)[..., :32, :]


@pytest.fixture(scope="module")
def paintings() -> list[Tensor]:
    return [
        resize_to(load_image(name), (40, 56)) for name in ("hokusai-great-wave", "hokusai-poppies")
    ]


@pytest.fixture(scope="module")
def pieces(paintings: list[Tensor], network: VGG19) -> list[Pieces]:
    with torch.no_grad():
        return [Pieces(Style(painting), network) for painting in paintings]


def find(
    photo: Tensor,
    pieces: list[Pieces],
    network: VGG19,
    likeness: float = 0.0,
    masks: list[Tensor | None] | None = None,
    shares: tuple[float, ...] = (1.0,),
) -> Neighbours:
    with torch.no_grad():
        masks = masks or [None] * len(pieces)
        return Neighbours(photo, photo, pieces, masks, shares, likeness, network)


def seen(image: Tensor, network: VGG19) -> dict[str, Tensor]:
    return network(image, NEIGHBOUR_LAYERS)


def turned_places(painting: Tensor, network: VGG19) -> Tensor:
    turns = [torch.rot90(painting, turn, (2, 3)) for turn in range(4)]
    return torch.cat([places(seen(turn, network)) for turn in turns])


def test_a_painting_can_be_searched_upright_only(
    paintings: list[Tensor], pieces: list[Pieces], network: VGG19
) -> None:
    with torch.no_grad():
        upright = Pieces(Style(paintings[0]), network, turns=1)
    for name, vectors in upright.vectors.items():
        assert len(vectors) == 10 * 14 == len(pieces[0].vectors[name]) / 4
        assert torch.equal(vectors, pieces[0].vectors[name][: len(vectors)])


def test_a_place_can_be_searched_for_by_itself(
    photo: Tensor, paintings: list[Tensor], network: VGG19
) -> None:
    # Of the upright painting, the book's nearest: what beside it was found does not matter.
    wanted, offered = places(seen(photo, network)), places(seen(paintings[0], network))
    targets = offered[nearest(wanted, offered)]
    recipe = RECIPE.but(likeness=0.0, style_weight=0)
    alone = Objective(photo, paintings[0], recipe, network, single=True)
    for objective in (alone, alone.with_content(photo)):
        assert objective.neighbours is not None
        found = objective.neighbours.targets["conv3_1"][0].flatten(1).mT / 256
        width = sum(
            CONVOLUTIONS[n][1] for n in NEIGHBOUR_LAYERS[: NEIGHBOUR_LAYERS.index("conv3_1")]
        )
        same = (found - targets[:, width : width + 256]).abs().amax(1) < 1e-5
        assert same.float().mean() > 0.95  # the search compares in fewer directions
    strokes = Objective(photo, paintings[0], recipe, network)
    assert strokes.neighbours is not None
    both = (strokes.neighbours.targets["conv3_1"], alone.neighbours.targets["conv3_1"])
    assert not torch.allclose(*both)


def test_another_photo_is_looked_at_once(
    photo: Tensor, paintings: list[Tensor], network: VGG19, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Training does this in each step: what is searched for is the photo itself.
    objective = Objective(photo, paintings[0], RECIPE, network)
    objective.with_content(photo)  # the first time, the painting is cut into pieces
    looked: list[Tensor] = []
    raw = VGG19.raw

    def noted(self: VGG19, image: Tensor, *layers: Any) -> dict[str, Tensor]:
        looked.append(image)
        return raw(self, image, *layers)

    monkeypatch.setattr(VGG19, "raw", noted)
    again = objective.with_content(photo.flip(3))
    assert len(looked) == 1
    expected = Objective(photo.flip(3), paintings[0], RECIPE, network)
    assert again(photo)[1]["neighbours"] == expected(photo)[1]["neighbours"]


def test_the_search_finds_what_the_book_finds(
    photo: Tensor, paintings: list[Tensor], pieces: list[Pieces], network: VGG19
) -> None:
    wanted, offered = places(seen(photo, network)), turned_places(paintings[0], network)
    exact = nearest(wanted, offered)
    found = pieces[0].nearest(vectors_of(seen(photo, network)))
    assert (found == exact).float().mean() > 0.9
    wanted, offered = wanted - wanted.mean(0), offered - offered.mean(0)
    best, taken = (F.cosine_similarity(wanted, offered[index]) for index in (exact, found))
    assert (best - taken).max() < 0.05  # where they differ, the two are nearly as similar
    assert len(set(found.tolist())) > 20


def test_the_loss_pulls_as_that_of_the_book(
    photo: Tensor, paintings: list[Tensor], pieces: list[Pieces], network: VGG19
) -> None:
    """Its value differs by a constant, how far the four targets of a deep position are apart."""
    found = pieces[0].nearest(vectors_of(seen(photo, network)), (8, 16), COHERENCE)
    targets = turned_places(paintings[0], network)[found]
    neighbours = find(photo, pieces[:1], network)

    gradients = []
    for fast in (True, False):
        image = (0.9 * photo + 0.05).requires_grad_()
        maps = seen(image, network)
        if fast:
            loss = torch.stack(list(neighbours.losses(maps).values())).sum()
        else:
            # The book takes the mean over all numbers, the engine compares with the spread.
            loss = content_loss(places(maps), targets) * targets.shape[1] / pieces[0].spread
        gradients.append(torch.autograd.grad(loss, image)[0])
    fast_one, book = gradients
    assert (fast_one - book).norm() < 1e-3 * book.norm()


def test_the_spread_is_the_mean_squared_distance_from_the_mean(
    paintings: list[Tensor], pieces: list[Pieces], network: VGG19
) -> None:
    offered = turned_places(paintings[0], network)
    expected = (offered - offered.mean(0)).square().sum(1).mean()
    assert pieces[0].spread == pytest.approx(float(expected), rel=1e-4)


def test_likeness_goes_from_all_painting_to_all_photo(
    photo: Tensor, pieces: list[Pieces], network: VGG19
) -> None:
    maps = seen(photo, network)
    losses = []
    for likeness in (0.0, 0.3, 0.6, 1.0):
        found = find(photo, pieces[:1], network, likeness)
        losses.append(float(sum(found.losses(maps).values())))
    assert losses == sorted(losses, reverse=True) and losses[0] > 0.2
    assert losses[-1] == pytest.approx(0, abs=1e-6)
    recipe = RECIPE.but(likeness=1.0)
    total, _ = Objective(photo, load_image("hokusai-great-wave", 64), recipe, network)(photo)
    assert total.item() == pytest.approx(0, abs=1e-6)  # the Gram matrices ask for nothing, either


def test_several_paintings_count_by_their_shares(
    photo: Tensor, pieces: list[Pieces], network: VGG19
) -> None:
    first, second = (find(photo, [one], network) for one in pieces)
    blend = find(photo, pieces, network, shares=(0.25, 0.75))
    for name in NEIGHBOUR_LAYERS:
        expected = 0.25 * first.targets[name] + 0.75 * second.targets[name]
        torch.testing.assert_close(blend.targets[name], expected, rtol=1e-4, atol=1e-4)


def test_masks_say_where_each_painting_goes(
    photo: Tensor, pieces: list[Pieces], network: VGG19
) -> None:
    left = torch.zeros(1, 1, *photo.shape[-2:])
    left[..., :32] = 1
    first, second = (find(photo, [one], network) for one in pieces)
    both = find(photo, pieces, network, masks=[left, 1 - left], shares=(0.5, 0.5))
    alone = find(photo, pieces[:1], network, masks=[left])
    own = find(photo, pieces[:1], network, likeness=1.0)
    for name, target in both.targets.items():
        half = target.shape[-1] // 2
        torch.testing.assert_close(target[..., :half], first.targets[name][..., :half])
        torch.testing.assert_close(target[..., half:], second.targets[name][..., half:])
        torch.testing.assert_close(alone.targets[name][..., :half], first.targets[name][..., :half])
        # Where no painting goes, the photo stays.
        torch.testing.assert_close(alone.targets[name][..., half:], own.targets[name][..., half:])


def test_a_mask_on_the_painting_leaves_the_rest_of_it_out(
    paintings: list[Tensor], pieces: list[Pieces], network: VGG19
) -> None:
    top = torch.zeros(1, 1, 40, 56)
    top[..., :20, :] = 1
    with torch.no_grad():
        some = Pieces(Style(paintings[0], source=top), network)
    for name, vectors in some.vectors.items():
        assert len(vectors) == len(pieces[0].vectors[name]) / 2
    upright = pieces[0].vectors["conv3_2"][: 5 * 14]  # the first rows, before the turned ones
    assert torch.equal(some.vectors["conv3_2"][: 5 * 14], upright)


def test_a_large_painting_offers_its_corners(network: VGG19) -> None:
    """However large it is: memory and time stay bounded."""
    large = resize_to(load_image("hokusai-poppies"), (480, 560))  # 120 x 140 places
    with torch.no_grad():
        one = Pieces(Style(large), network)
    count = len(one.vectors["conv1_1"])
    assert 4 * OFFERED <= count < 4.2 * OFFERED < 4 * 120 * 140


def test_a_plain_area_takes_whole_strokes(
    paintings: list[Tensor], pieces: list[Pieces], network: VGG19
) -> None:
    """Side by side in the picture, side by side in the painting, as far as the painting goes."""
    with torch.no_grad():
        wanted = seen(torch.full((1, 3, 32, 32), 0.6), network)
    alone = pieces[0].nearest(vectors_of(wanted)).view(8, 8)
    together = pieces[0].nearest(vectors_of(wanted), (8, 8), 0.5).view(8, 8)

    def side_by_side(found: Tensor) -> float:
        return (found[:, 1:] - found[:, :-1] == 1).float().mean().item()

    assert side_by_side(alone) < 0.3 and side_by_side(together) > 0.8


def test_strokes_are_continued_only_while_they_are_similar_enough(
    photo: Tensor, paintings: list[Tensor], pieces: list[Pieces], network: VGG19
) -> None:
    maps = seen(photo, network)
    wanted, offered = places(maps), turned_places(paintings[0], network)
    wanted, offered = wanted - wanted.mean(0), F.normalize(offered - offered.mean(0), dim=1)
    best = (wanted @ offered.mT).amax(1)
    lost = []
    for coherence in (0.0, 0.2, 1.0):
        found = pieces[0].nearest(vectors_of(maps), (8, 16), coherence)
        similarity = (wanted * offered[found]).sum(1)
        given_up = (best - similarity) / wanted.norm(dim=1).mean()
        assert given_up.max() < coherence + 0.05  # for the search in fewer directions
        lost.append(given_up.mean().item())
    assert lost == sorted(lost) and lost[0] < 0.01 < lost[2]


def test_targets_are_those_of_the_layers(
    photo: Tensor, pieces: list[Pieces], network: VGG19
) -> None:
    found = find(photo, pieces[:1], network)
    for name, target in found.targets.items():
        step = 4 if block_of(name) < 4 else 8
        assert target.shape == (1, CONVOLUTIONS[name][1], 32 // step, 64 // step)


def test_it_paints_the_same_picture_twice_and_goes_coarse_to_fine(photo: Tensor) -> None:
    recipe = RECIPES["neighbours"].but(size=80, steps=6, coarsest=32)
    painting = load_image("hokusai-great-wave", 80)
    steps = list(Transfer(photo, painting, recipe, device="cpu"))
    sizes = [max(step.image.shape[-2:]) for step in steps]
    assert sizes == sorted(sizes) and set(sizes) == {40, 80}
    assert torch.equal(steps[-1].image, Transfer(photo, painting, recipe, device="cpu").run())
    assert steps[-1].losses["neighbours"] < steps[sizes.index(80)].losses["neighbours"]
    parts = sum(v for name, v in steps[-1].layers.items() if name.startswith("neighbours"))
    assert steps[-1].losses["neighbours"] == pytest.approx(parts, rel=1e-4)


def test_likeness_can_be_changed_on_the_way(photo: Tensor) -> None:
    painting = load_image("hokusai-great-wave", 64)
    transfer = Transfer(photo, painting, RECIPE.but(likeness=0.0), device="cpu")
    transfer.run(until=3)
    before = transfer.measure().losses["neighbours"]
    transfer.change(likeness=0.9)
    assert transfer.measure().losses["neighbours"] != before
    kept = (transfer.run() - photo).abs().mean()
    assert kept < (Transfer(photo, painting, RECIPE.but(likeness=0.0)).run() - photo).abs().mean()


def test_a_network_that_is_too_shallow_is_replaced(photo: Tensor, network: VGG19) -> None:
    assert RECIPES["neighbours"].deepest == "conv4_1"
    assert RECIPES["gram"].but(neighbour_weight=1.0).deepest == "conv5_1"


def test_a_picture_too_thin_for_the_deep_layer_is_refused() -> None:
    thin = torch.rand(1, 3, 100, 10)
    with pytest.raises(StylelibError, match="too thin for conv4_1"):
        Transfer(thin, load_image("hokusai-great-wave", 64), RECIPE.but(size=64))


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16, torch.float16])
def test_a_painting_of_one_colour_can_be_painted_after(
    photo: Tensor, precision: torch.dtype
) -> None:
    plain = torch.tensor([0.2, 0.4, 0.8]).view(1, 3, 1, 1).expand(1, 3, 40, 48)
    transfer = Transfer(photo, plain, RECIPE, device="cpu", precision=precision)
    image = transfer.run()
    assert transfer.stopped is None and image.isfinite().all()
    assert (image - plain[..., :1, :1]).abs().mean() < (photo - plain[..., :1, :1]).abs().mean()
