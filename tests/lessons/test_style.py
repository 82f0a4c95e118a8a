"""Lesson 03: the numbers behind its figures, its controls, its exercises."""

from typing import Any

import numpy as np
import pytest
import torch
from answer_notebooks import solutions
from torch import Tensor
from torch.nn import functional as F

from stylelib.core.losses import total_variation
from stylelib.engine.network import VGG19, features
from stylelib.errors import StylelibError
from stylelib.guards import content_loss, gram_matrix
from stylelib.lessons.cnn.anatomy import receptive_field
from stylelib.lessons.drawing import distance_bars
from stylelib.lessons.style.compute import (
    coupled,
    distance_matrix,
    growth,
    mean_distance,
    mixed,
    most_active,
    repaint,
    shuffled,
    shuffled_tiles,
    style_distance,
    style_grams,
    texture,
    versions,
    without_each_part,
)
from stylelib.lessons.style.controls import (
    ALL,
    correlation_by_hand,
    distance_explorer,
    gram_explorer,
    parts_explorer,
    shuffle_explorer,
)
from stylelib.lessons.style.exercises import check
from stylelib.lessons.style.figures import (
    SHUFFLES,
    by_hand,
    gram_cell,
    parts,
    raw_and_centered,
    shuffle_positions,
    size_curves,
    versions_table,
)
from stylelib.lessons.theme import Plot
from stylelib.pictures.images import load_image

NAMES = ("blue", "curl", "pale")
SMALL = torch.tensor([[[4.0, 0], [2, 0]], [[2, 0], [3, 1]], [[0, 3], [0, 4]]])
LAYERS = ("conv1_1", "conv2_1")


# Gram matrices and distances


def test_grams_against_numpy(network: VGG19, painting: Tensor) -> None:
    grams = style_grams(painting, ["conv3_1"], network=network)["conv3_1"]
    centered = style_grams(painting, ["conv3_1"], centered=True, network=network)["conv3_1"]
    rows = features(painting, "conv3_1", network)["conv3_1"][0].flatten(1).double().numpy()
    np.testing.assert_allclose(grams[0].numpy(), rows @ rows.T / rows.shape[1], rtol=1e-3)
    covariance = np.cov(rows, bias=True)
    np.testing.assert_allclose(centered[0], covariance, atol=1e-4 * covariance.max())


def test_style_distance_by_hand() -> None:
    a, b = torch.tensor([[[2.0, 1], [1, 0]]]), torch.tensor([[[0.0, 1], [1, 4]]])
    # The squared differences add up to 4 + 16 = 20, the squares to 6 and 18: 12 on average.
    expected = {"x": pytest.approx(20 / 12)}
    assert style_distance({"x": a}, {"x": b}) == expected == style_distance({"x": b}, {"x": a})
    assert mean_distance({"x": a, "y": a}, {"x": b, "y": a}) == pytest.approx(10 / 12)
    apart = torch.tensor([[[3.0, 0], [0, 0]]]), torch.tensor([[[0.0, 0], [0, 5]]])
    assert style_distance({"x": apart[0]}, {"x": apart[1]}) == {"x": pytest.approx(2)}
    assert style_distance({"x": 10 * a}, {"x": 10 * b}) == expected


def test_distance_matrix(network: VGG19, camel: Tensor, painting: Tensor) -> None:
    grams = [style_grams(image, LAYERS, network=network) for image in (camel, painting, camel)]
    table = distance_matrix(grams, LAYERS)
    assert torch.equal(table, table.T)
    assert table.diagonal().abs().max() == 0
    assert table[0, 2] == 0
    assert float(table[0, 1]) == pytest.approx(mean_distance(grams[0], grams[1]))
    alone = distance_matrix(grams, ["conv2_1"])[0, 1]
    assert float(alone) == pytest.approx(style_distance(grams[0], grams[1])["conv2_1"])


def test_what_the_lesson_says_about_the_paintings(network: VGG19) -> None:
    names = ("hokusai-great-wave", "hokusai-poppies", "kandinsky-composition-viii", "camel")
    images = [load_image(name, 128) for name in names]
    table = distance_matrix([style_grams(image, network=network) for image in images])
    assert table[1, 2] < table[0, 1]  # the Poppies: closer to Kandinsky than to the other Hokusai
    assert table[3, :3].min() > 1.7 * table[0, 1]  # the photo: far from all of them


def test_what_the_lesson_says_about_centred_paintings(network: VGG19) -> None:
    names = ("hokusai-great-wave", "hokusai-poppies", "kandinsky-composition-viii",
             "van-gogh-village-street-in-auvers")  # fmt: skip
    images = [load_image(name, 256) for name in names]
    table = distance_matrix(
        [style_grams(image, centered=True, network=network) for image in images]
    )
    assert table[0].argsort()[1] == 1  # the Great Wave: closest to the other Hokusai
    assert table[1].argsort()[1] == 2  # the Poppies: still closest to Kandinsky


# Shuffled maps, tiles and other versions


def test_shuffling_all_maps_the_same_way_keeps_the_gram_matrix_but_not_the_content(
    network: VGG19, painting: Tensor
) -> None:
    maps = features(painting, "conv3_1", network)["conv3_1"]
    moved = shuffled(maps)
    assert torch.allclose(gram_matrix(moved), gram_matrix(maps), rtol=1e-4, atol=1e-3)
    assert content_loss(moved, maps) > 0.5 * maps.square().mean()
    columns = {tuple(place) for place in maps[0].flatten(1).T.tolist()}
    assert {tuple(place) for place in moved[0].flatten(1).T.tolist()} == columns


def test_shuffling_each_map_its_own_way_keeps_only_the_diagonal(noise: Any) -> None:
    maps = noise(1, 3, 20, 20) ** 3
    maps[0, 1] = maps[0, 0]  # always active together
    gram, moved = gram_matrix(maps)[0], gram_matrix(shuffled(maps, together=False))[0]
    assert torch.allclose(moved.diagonal(), gram.diagonal(), rtol=1e-4)
    means = maps.mean((2, 3))[0]
    assert gram[0, 1] > 1.5 * means[0] * means[1]
    assert float(moved[0, 1]) == pytest.approx(float(means[0] * means[1]), rel=0.2)


def test_tiles_keep_the_pixels() -> None:
    image = torch.arange(3 * 8 * 13).view(1, 3, 8, 13).float()
    laid = shuffled_tiles(image, 4)
    assert laid.shape == (1, 3, 8, 12)
    kept = image[..., :12]
    assert torch.equal(laid.flatten().sort().values, kept.flatten().sort().values)
    tiles = [
        {tuple(t.flatten().tolist()) for row in x[0].split(2, 1) for t in row.split(3, 2)}
        for x in (laid, kept)
    ]
    assert tiles[0] == tiles[1] and len(tiles[0]) == 16
    assert not torch.equal(laid, kept)
    with pytest.raises(StylelibError, match="tiles"):
        shuffled_tiles(image, 9)


def test_versions(painting: Tensor) -> None:
    made = versions(painting)
    height, width = painting.shape[-2:]
    assert torch.equal(made["mirrored"].flip(-1), painting)
    assert made["quarter turn"].shape[-2:] == (width, height)
    assert made["half the size"].shape[-1] == width // 2
    assert torch.equal(
        made["all pixels shuffled"].sum((2, 3)).round(), painting.sum((2, 3)).round()
    )
    assert all(image.min() >= 0 and image.max() <= 1 for image in made.values())


def test_what_the_lesson_says_about_the_versions(network: VGG19) -> None:
    painting = load_image("hokusai-great-wave", 160)
    target = style_grams(painting, network=network)
    distances = {
        name: mean_distance(style_grams(image, network=network), target)
        for name, image in versions(painting).items()
    }
    assert min(distances, key=lambda name: distances[name]) == "mirrored"
    assert distances["all pixels shuffled"] == max(distances.values()) > 0.7
    assert distances["in 16 tiles"] < distances["quarter turn"] < distances["darker"]


# Centred and divided Gram matrices, the most active maps


def test_the_gram_matrix_is_products_of_means_plus_covariance(
    network: VGG19, painting: Tensor
) -> None:
    maps = features(painting, "conv2_1", network)["conv2_1"]
    active = most_active(maps, "conv2_1", 10)
    means = maps.mean((0, 2, 3))
    assert active.channels == sorted(range(128), key=lambda c: -means[c])[:10]
    kept = means[active.channels]
    assert torch.allclose(active.gram, active.centered + torch.outer(kept, kept), rtol=1e-3)
    assert float(active.gram[2, 5]) == pytest.approx(
        float((maps[0, active.channels[2]] * maps[0, active.channels[5]]).mean()), rel=1e-4
    )


def test_growth_with_size() -> None:
    found = growth(load_image("hokusai-great-wave"), "conv2_1", [64, 128])
    divided, plain = found["divided by H·W"], found["not divided"]
    assert divided[1] / divided[0] == pytest.approx(1, abs=0.25)
    # 128 x 86 pixels have 64 x 43 positions at conv2_1, and 64 x 43 pixels have 32 x 21.
    assert plain[1] / plain[0] == pytest.approx(64 * 43 / (32 * 21) * divided[1] / divided[0])


def test_what_the_lesson_says_about_receptive_fields() -> None:
    assert receptive_field("conv1_1").size == 3
    assert receptive_field("conv5_1").size == 156


# Textures


def test_a_texture_matches_the_painting_in_style_not_pixel_by_pixel(
    network: VGG19, painting: Tensor
) -> None:
    steps = list(texture(painting, LAYERS, 60, network=network))
    assert len(steps) == 60
    assert {step.shape for step in steps} == {painting.shape}
    made = steps[-1]
    target = style_grams(painting, LAYERS, network=network)
    noise = torch.rand(painting.shape, generator=torch.Generator().manual_seed(0))
    near, far = (
        mean_distance(style_grams(image, LAYERS, network=network), target)
        for image in (made, noise)
    )
    assert near < 0.05 < far
    assert F.mse_loss(made, painting) > 0.02
    *_, again = texture(painting, LAYERS, 60, network=network)
    assert torch.equal(made, again)


def test_a_texture_follows_its_settings(network: VGG19, painting: Tensor) -> None:
    def made(**settings: Any) -> Tensor:
        *_, last = texture(painting, LAYERS, 5, network=network, **settings)
        return last

    assert not torch.equal(made(centered=False), made())
    assert not torch.equal(made(seed=1), made())
    assert total_variation(made()) < 0.9 * total_variation(made(tv_weight=0.0))
    with pytest.raises(StylelibError, match="conv1_1"):
        next(texture(painting, ["conv1_9"], network=network))


# Figures and controls


def shown(plot: Plot) -> Tensor:
    """The picture that a reader sees, (1, 3, H, W) in 0-1."""
    return load_image(plot.image()[1])


def words(plot: Plot) -> list[str]:
    texts = [text for axes in plot.figure.axes for text in axes.texts]
    return [text.get_text() for text in [*texts, *plot.figure.texts]]


def titles(plot: Plot) -> list[str]:
    return [axes.get_title() for axes in plot.figure.axes]


def drawn(plot: Plot, axes: int) -> Any:
    return np.asarray(plot.figure.axes[axes].images[0].get_array())


def test_correlation_by_hand_shows_every_number() -> None:
    explorer = correlation_by_hand(SMALL, NAMES)
    pair = ["4", "0", "2", "0", "2", "0", "3", "1", "8", "0", "6", "0", "14 / 4", "= 3.5"]
    assert words(explorer.plot) == [*pair, "5", "3.5", "0", "3.5", "3.5", "1", "0", "1", "6.25"]
    explorer.set(second="pale")
    assert "= 0" in words(explorer.plot)
    assert shown(explorer.plot).std() > 0.1
    assert shown(by_hand(SMALL, NAMES, 2, 2)).std() > 0.1
    with pytest.raises(StylelibError, match="name"):
        correlation_by_hand(SMALL, NAMES[:2])


def test_gram_explorer_shows_the_maps_behind_the_entry(network: VGG19, painting: Tensor) -> None:
    explorer = gram_explorer(painting, "conv1_1", 0, 1, 8, LAYERS, network)
    before = shown(explorer.plot)
    explorer.set(layer="conv2_1", i=2, j=5)
    maps = features(painting, "conv2_1", network)["conv2_1"][0]
    order = maps.mean((1, 2)).argsort(descending=True)
    gram, row, column, _, product = (drawn(explorer.plot, axes) for axes in range(5))
    np.testing.assert_allclose(row, maps[order[2]])
    np.testing.assert_allclose(column, maps[order[5]])
    np.testing.assert_allclose(product, row * column, rtol=1e-5)
    assert gram[2, 5] == pytest.approx(product.mean(), rel=1e-4)
    assert titles(explorer.plot)[1] == f"row 2: channel {order[2]}"
    assert (shown(explorer.plot) - before).abs().mean() > 0.01
    with pytest.raises(StylelibError, match="can't be"):
        explorer.set(i="blue")


def test_shuffle_explorer(network: VGG19, painting: Tensor) -> None:
    explorer = shuffle_explorer(painting, "conv2_1", layers=LAYERS, network=network)
    losses = words(explorer.plot)[:2]
    assert float(losses[0]) > 0.5 and losses[1] == "0.00"
    assert explorer.plot.alt.endswith("content loss large, style loss zero.")
    maps = features(painting, "conv2_1", network)["conv2_1"]
    some = most_active(maps, "conv2_1").maps[None]
    assert float(losses[0]) == pytest.approx(
        float((shuffled(some) - some).square().sum() / some.square().sum()), abs=0.01
    )
    explorer.set(positions="each map shuffled its own way")
    assert float(words(explorer.plot)[1]) > 0.01
    explorer.set(positions="not shuffled")
    assert words(explorer.plot)[:2] == ["0.00", "0.00"]
    active = most_active(maps, "conv2_1")
    assert all(shown(shuffle_positions(active, way)).std() > 0.1 for way in SHUFFLES)


def test_distance_explorer(network: VGG19, camel: Tensor, painting: Tensor) -> None:
    images = {"camel": camel, "wave": painting, "mirrored": painting.flip(-1)}
    explorer = distance_explorer(images, LAYERS, network)
    grams = {name: style_grams(image, LAYERS, network=network) for name, image in images.items()}
    far, near = (mean_distance(grams[name], grams["wave"]) for name in ("camel", "mirrored"))
    explorer.set(picture="wave")
    assert words(explorer.plot)[:2] == [f"{near:.2f}", f"{far:.2f}"]  # the nearest first
    assert f"mirrored {near:.2f}, camel {far:.2f}" in explorer.plot.alt
    explorer.set(layer="conv2_1")
    alone = style_distance(grams["camel"], grams["wave"])["conv2_1"]
    assert words(explorer.plot)[1] == f"{alone:.2f}"
    explorer.set(layer=ALL, centered=True)
    centered = [style_grams(image, LAYERS, True, network) for image in images.values()]
    assert words(explorer.plot)[1] == f"{mean_distance(*centered[:2]):.2f}"


# Which parts are the style?


def test_leaving_out_a_part_by_hand() -> None:
    maps = torch.tensor([[[[1.0, 0], [0, 0]], [[0, 2], [0, 0]]]])
    # All: a diagonal of 1/4 and 1. Without the top left: 0 and 4/3. Without the top right: 1/3, 0.
    found = without_each_part(maps, 2, 2)
    size = (1 / 16 + 1 + 16 / 9) / 2
    assert float(found[0, 0]) == pytest.approx((1 / 16 + 1 / 9) / size)
    size = (1 / 16 + 1 + 1 / 9) / 2
    assert float(found[0, 1]) == pytest.approx((1 / 144 + 1) / size)
    assert found[1, 0] == found[1, 1]  # both are empty


def test_what_the_lesson_says_about_the_parts(network: VGG19) -> None:
    painting = load_image("hokusai-great-wave", 160)
    maps = network(painting, ["conv1_1", "conv3_1"])
    mirrored = style_distance(
        style_grams(painting.flip(-1), maps, network=network),
        style_grams(painting, maps, network=network),
    )
    for layer, of_layer in maps.items():
        assert without_each_part(of_layer).max() < min(0.1, mirrored[layer])
    explorer = parts_explorer(painting, layers=["conv1_1", "conv3_1"], network=network)
    assert len(words(explorer.plot)) == 24


# Surgery


def test_gram_surgery_by_hand() -> None:
    gram = torch.tensor([[[1.0, 2, 3], [2, 4, 5], [3, 5, 6]]])
    struck = coupled({"a": gram, "b": gram}, "a", 0, 2, 0.0)
    assert struck["a"].tolist() == [[[1, 2, 0], [2, 4, 5], [0, 5, 6]]]
    assert struck["b"] is gram and gram[0, 0, 2] == 3
    assert coupled({"a": gram}, "a", 1, 1, 2.0)["a"].tolist() == [
        [[1, 4, 3], [4, 16, 10], [3, 10, 6]]
    ]
    assert mixed({"a": gram}, {"a": 3 * gram}, 0.25)["a"].tolist() == (1.5 * gram).tolist()
    with pytest.raises(StylelibError, match="no map 3"):
        coupled({"a": gram}, "a", 0, 3, 1.0)
    with pytest.raises(StylelibError, match="layer"):
        coupled({"a": gram}, "c", 0, 1, 1.0)


def test_repainting_follows_the_matrix_after_surgery(network: VGG19, painting: Tensor) -> None:
    grams = style_grams(painting, ["conv1_1"], network=network)
    blue = int(grams["conv1_1"][0].diagonal().argmax())
    quiet = coupled(grams, "conv1_1", blue, blue, 0.25)
    *_, image = repaint(painting, quiet, 20, centered=False, network=network)
    now = style_grams(image, ["conv1_1"], network=network)
    assert mean_distance(now, quiet) < 0.5 * mean_distance(grams, quiet)


def test_other_figures_are_not_blank(network: VGG19, painting: Tensor) -> None:
    maps = features(painting, "conv2_1", network)["conv2_1"]
    active = most_active(maps, "conv2_1")
    plots = [
        raw_and_centered(active),
        gram_cell(active, 0, 0, painting),
        size_curves([64, 128], {"not divided": [1.0, 4.0], "divided by H·W": [1.0, 1.1]}),
        versions_table({"mirrored": {"conv1_1": 0.1}}, {"mirrored": painting}, "the wave"),
        distance_bars({"a": 0.3, "b": 1.7}, {"a": painting, "b": painting}, "a distance"),
        parts(painting, torch.tensor([[0.001, 0.02], [0.003, 0.004]]), "conv2_1"),
    ]
    for plot in plots:
        assert shown(plot).std() > 0.1, plot.alt
    assert "0.10" in words(plots[3])
    raw, means, centered = (drawn(plots[0], axes) for axes in range(3))
    np.testing.assert_allclose(raw, means + centered, rtol=1e-4, atol=1e-4)


# Exercises: what students write

NUMBERS = solutions("03-style")


def loops(maps: Tensor, entry: Any, pairs: Any = lambda i, j: True) -> Tensor:
    gram = torch.zeros(len(maps), len(maps))
    for i in range(len(maps)):
        for j in range(len(maps)):
            if pairs(i, j):
                gram[i, j] = entry(maps[i], maps[j])
    return gram


def einsum(maps: Tensor) -> Tensor:
    return torch.einsum("bihw,bjhw->bij", maps, maps)


def by_reshape(maps: Tensor, *shape: int) -> Tensor:
    flat = maps.reshape(*shape)
    return torch.matmul(flat, flat.transpose(1, 2))


def last_first(maps: Tensor) -> Tensor:
    return by_reshape(maps.permute(0, 2, 3, 1), 2, 4, 15) / 15


def one_layer(maps: Tensor, target: Tensor) -> Tensor:
    return einsum(maps) / (maps.shape[2] * maps.shape[3]) - target


def layer_by_layer(grams: Any, targets: Any, weights: Any, start: float = 0.0) -> Any:
    return [F.mse_loss(grams[n], targets[n]) * weights[n] for n in weights]


def overwritten(grams: Any, targets: Any, weights: Any) -> Any:
    for name in weights:
        loss = weights[name] * F.mse_loss(grams[name], targets[name])
    return loss


def returned_early(grams: Any, targets: Any, weights: Any) -> Any:
    loss = 0
    for name in weights:
        loss += weights[name] * F.mse_loss(grams[name], targets[name])
        return loss


def weight_inside(grams: Any, targets: Any, weights: Any) -> Any:
    return sum(((weights[n] * (grams[n] - targets[n])) ** 2).mean() for n in weights)


def in_place(maps: Tensor) -> Tensor:
    with torch.no_grad():
        maps /= maps.shape[-1] * maps.shape[-2]
    return einsum(maps)


WRONG = [
    # number, a student's answer, words of the hint; | between alternatives
    ("3.1", lambda a, b: torch.sum(a * b), "take the mean"),
    ("3.1", lambda a, b: torch.mul(a, b), "still a map"),
    ("3.1", lambda a, b: torch.mean(a) * torch.mean(b), "means first"),
    ("3.1", lambda a, b: torch.mean(torch.matmul(a, b)), "matrix product"),
    ("3.1", lambda a, b: torch.mean(a + b), "Multiply them"),
    ("3.1", lambda a, b: F.mse_loss(a, b), "content loss"),
    (
        "3.1",
        lambda a, b: torch.tensor(np.corrcoef(a.flatten().numpy(), b.flatten().numpy())[0, 1]),
        "coefficient",
    ),
    ("3.1", lambda a, b: (a * b).mean() / 2, "factor"),
    ("3.2", lambda m: loops(m, lambda a, b: torch.sum(a * b)), "take the mean"),
    (
        "3.2",
        lambda m: loops(m, lambda a, b: (a * b).mean()) / m.shape[0],
        "also divide by the number of channels",
    ),
    ("3.2", lambda m: loops(m, lambda a, b: a.mean() * b.mean()), "then take the mean"),
    ("3.2", lambda m: loops(m, lambda a, b: (a * b).mean(), lambda i, j: i <= j), "lower left"),
    ("3.2", lambda m: loops(m, lambda a, b: (a * b).mean(), lambda i, j: i < j), "diagonal and"),
    ("3.2", lambda m: loops(m, lambda a, b: (a * b).mean(), lambda i, j: i >= j), "upper right"),
    ("3.2", lambda m: loops(m, lambda a, b: (a * b).mean(), lambda i, j: i == j), "two loops"),
    ("3.2", lambda m: loops(m, lambda a, b: (a * b).mean(), lambda i, j: i != j), "with itself"),
    ("3.2", lambda m: loops(m, lambda a, b: (a * b).mean())[None], "one dimension too many"),
    ("3.3", einsum, "take the mean"),
    ("3.3", lambda m: einsum(m) / (4 * 15), "also divide by the number of channels"),
    ("3.3", lambda m: einsum(m) / m.shape[1], "number of positions, H"),
    ("3.3", lambda m: einsum(m) / 15 / m.shape[0], "also divide by the number of pictures"),
    ("3.3", lambda m: torch.einsum("bchw,bcxy->bhwxy", m, m).reshape(2, 15, 15), "Swap"),
    ("3.3", lambda m: torch.einsum("bcp,bcq->bpq", m.flatten(2), m.flatten(2)) / 15, "Swap"),
    ("3.3", lambda m: by_reshape(m.permute(0, 2, 1, 3), 2, 4, 15) / 15, "the numbers"),
    ("3.3", last_first, "got mixed: reshape"),
    ("3.3", lambda m: by_reshape(m.view(2, 15, 4).transpose(1, 2), 2, 4, 15) / 15, "got mixed"),
    (
        "3.3",
        lambda m: torch.stack([torch.cov(x.flatten(1), correction=0) for x in m]),
        "mean first",
    ),
    ("3.3", lambda m: by_reshape(m, 1, 8, 15)[0] / 15, "pictures of the batch got mixed"),
    ("3.3", lambda m: einsum(m)[0] / 15, "first picture only"),
    ("3.3", lambda m: einsum(m).sum(0) / 30, "averaged over"),
    ("3.3", lambda m: torch.matmul(m, m.transpose(2, 3)), "multiply the rows of the maps"),
    ("3.3", lambda m: einsum(m.detach()) / 15, "gradient is lost"),
    ("3.3", lambda m: einsum(m) / 15 * 0.5 + einsum(m.detach()) / 30, "part of the computation"),
    ("3.3", in_place, "in place|factor"),
    ("3.4", lambda m, t: torch.sum(one_layer(m, t) ** 2), "sum of the squared"),
    ("3.4", lambda m, t: torch.mean(one_layer(m, t)), "cancel"),
    ("3.4", lambda m, t: torch.mean(torch.abs(one_layer(m, t))), "mean absolute difference"),
    ("3.4", lambda m, t: torch.mean(one_layer(m, t) ** 2) ** 0.5, "square root"),
    ("3.4", lambda m, t: torch.norm(one_layer(m, t)), "length"),
    ("3.4", lambda m, t: one_layer(m, t) ** 2, "one square for each number"),
    ("3.4", lambda m, t: torch.mean(one_layer(m, t)) ** 2, "square each difference, then"),
    ("3.4", lambda m, t: F.mse_loss(einsum(m), t), "not divided"),
    ("3.4", lambda m, t: (m - t).square().mean(), "stopped with"),
    ("3.4", lambda m, t: (one_layer(m, t) ** 2).mean().item(), "gradient is lost"),
    ("3.4", lambda m, t: (one_layer(m, t).detach() ** 2).mean(), "gradient is lost"),
    ("3.5", lambda g, t, w: sum(layer_by_layer(g, t, dict.fromkeys(w, 1))), "its weight"),
    ("3.5", lambda g, t, w: torch.stack(layer_by_layer(g, t, w)).mean(), "Add them up"),
    ("3.5", lambda g, t, w: sum(layer_by_layer(g, t, w)) / sum(w.values()), "sum of the weights"),
    ("3.5", weight_inside, "weights get squared"),
    ("3.5", overwritten, "only the last layer"),
    ("3.5", returned_early, "return inside"),
    (
        "3.5",
        lambda g, t, w: sum(F.mse_loss(g[n], t[n], reduction="sum") * w[n] for n in w),
        "within a layer",
    ),
    ("3.5", lambda g, t, w: dict(zip(w, layer_by_layer(g, t, w), strict=True)), "single one"),
    ("3.5", lambda g, t, w: sum(x.item() for x in layer_by_layer(g, t, w)), "gradient is lost"),
    (
        "3.5",
        lambda g, t, w: sum(layer_by_layer(g | {"conv1_1": g["conv1_1"].detach()}, t, w)),
        "part of the computation",
    ),
]


@pytest.mark.parametrize(("number", "answer", "hint"), WRONG)
def test_a_common_mistake_gets_its_own_hint(number: str, answer: Any, hint: str) -> None:
    verdict = check(number, answer)
    assert verdict.state == "wrong"
    assert any(word in verdict.message for word in hint.split("|")), verdict


@pytest.mark.parametrize("number", NUMBERS)
def test_empty_and_garbage_are_explained(number: str) -> None:
    assert check(number, lambda *inputs: ...).state == "empty"
    assert check(number, lambda *inputs: None).state == "empty"
    assert "without brackets" in check(number, 3).message
    assert "should be a" in check(number, lambda *inputs: "blue").message
    assert "shape" in check(number, lambda *inputs: torch.zeros(7, 1, 2)).message
    assert "ZeroDivisionError" in check(number, lambda *inputs: 1 / 0).message
    assert "NaN" in check(number, lambda *inputs: NUMBERS[number](*inputs) / 0).message
