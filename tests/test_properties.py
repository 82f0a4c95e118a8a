"""Whatever a public function is given, it answers: with a result, or in words."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

import stylelib
from stylelib import RECIPES, FeedForward, Recipe, Style, StylelibError, Transfer
from stylelib.engine.network import VGG19
from stylelib.engine.weights import read_weights
from stylelib.pictures.color import keep_colors, luminance, match_colors
from stylelib.pictures.rescue import save_with

SMALL = RECIPES["gram"].but(
    size=16, steps=2, content_layers={"conv1_2": 1.0}, style_layers={"conv1_1": 1.0}
)
DTYPES = [
    *(torch.float32, torch.float16, torch.bfloat16, torch.float64),
    *(torch.uint8, torch.int64, torch.bool, torch.complex64),
]
SETTINGS = [setting.name for setting in fields(Recipe)]


# ------------------------------------------------------------------- what is given


@st.composite
def tensors(draw: Any, shape: Any = None) -> Tensor:
    """A tensor of any shape, kind of number and memory order, now and then with odd values."""
    if shape is None:
        sides = st.sampled_from([0, 1, 1, 2, 3, 3, 8])
        shape = st.one_of(
            st.lists(sides, max_size=5).map(tuple),
            st.tuples(st.just(1), st.sampled_from([1, 3, 4]), sides, sides),
        )
    generator = torch.Generator().manual_seed(draw(st.integers(0, 9)))
    tensor = torch.rand(draw(shape), generator=generator)
    tensor = tensor * draw(st.sampled_from([1, 1, 1, 0, 255, 1e30]))
    odd = draw(st.sampled_from([None, None, None, float("nan"), float("inf"), -1.0]))
    if odd is not None and tensor.numel():
        tensor.view(-1)[-1] = odd
    tensor = tensor.to(draw(st.sampled_from(DTYPES)))
    if tensor.is_floating_point() and draw(st.booleans()):
        tensor.requires_grad_()
    if tensor.dim() > 1 and draw(st.booleans()):
        tensor = tensor.transpose(-1, -2)
    return tensor


def noise(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height))


pictures = tensors(st.tuples(st.just(1), st.just(3), st.integers(1, 20), st.integers(1, 20)))
good = st.builds(noise, st.integers(16, 24), st.integers(16, 24))
words = st.sampled_from(["camel", "conv1_1", "conv9_9", "", "cpu", "a b", "\0", "x" * 300, "ä.png"])
numbers = st.one_of(
    st.integers(-3, 20),
    st.sampled_from([10**30, -(10**30), 10**400, 2**63]),
    st.floats(),
    st.sampled_from([1e-300, 1e12, np.float32(1), np.float64(2), np.int64(3), True]),
)
junk = st.one_of(
    st.none(),
    numbers,
    words,
    tensors(),
    st.binary(max_size=30),
    st.lists(st.one_of(numbers, words), max_size=3),
    st.dictionaries(words, numbers, max_size=3),
    st.sampled_from(
        [object(), np.zeros((4, 4, 3)), Image.new("RGB", (4, 4)), Path("nowhere"), ..., int, {1, 2}]
    ),
)
anything = st.one_of(junk, tensors(), pictures, good)
by_layer = st.one_of(junk, st.dictionaries(words, anything, max_size=3))


def or_rather(value: Any) -> Any:
    """This value, or junk in its place."""
    return st.one_of(st.just(value), junk)


# -------------------------------------------------------------------- what is asked


@pytest.fixture(scope="module")
def shallow() -> VGG19:
    return stylelib.load_vgg19("random", "conv1_2")


def transfer(network: VGG19) -> Transfer:
    """One that has taken its first step."""
    begun = Transfer(noise(20, 18), noise(18, 20), SMALL, network, "cpu", torch.float32)
    begun.quiet = True
    next(begun)
    return begun


def change(network: VGG19, name: str, value: Any) -> None:
    begun = transfer(network)
    before = begun.recipe
    try:
        begun.change(**{name: value})
    except StylelibError:
        assert begun.recipe == before  # all of it, or nothing
    next(begun, None)


def go_back(network: VGG19, image: Any, iteration: Any) -> None:
    begun = transfer(network)
    begun.go_back_to(image, iteration)
    next(begun, None)


# A name, what to call with the network and the drawn arguments, and what to draw.
CALLS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "content_loss": (lambda _, *a: stylelib.content_loss(*a), [anything, anything]),
    "content_loss of equals": (lambda _, a: stylelib.content_loss(a, a), [anything]),
    "gram_matrix": (lambda _, a: stylelib.gram_matrix(a), [anything]),
    "style_loss": (lambda _, *a: stylelib.style_loss(*a), [by_layer, by_layer, by_layer]),
    "style_loss of equals": (
        lambda _, a, w: stylelib.style_loss(a, a, w),
        [by_layer, or_rather(None)],
    ),
    "target_loss": (lambda _, *a: stylelib.target_loss(*a), [anything, anything, junk, numbers]),
    "total_variation": (lambda _, a: stylelib.total_variation(a), [anything]),
    "load_image": (lambda _, *a: stylelib.load_image(*a), [or_rather("camel"), junk]),
    "load_mask": (lambda _, *a: stylelib.load_mask(*a), [or_rather("camel"), junk]),
    "read_recipe": (lambda _, a: stylelib.read_recipe(a), [junk]),
    "resize": (lambda _, *a: stylelib.resize(*a), [anything, st.one_of(st.integers(1, 20), junk)]),
    "to_pil": (lambda _, a: stylelib.to_pil(a), [anything]),
    "save_image": (lambda _, *a: stylelib.save_image(*a), [anything, or_rather("a.png"), junk]),
    "save_film": (
        lambda _, *a: stylelib.save_film(*a),
        [
            st.one_of(st.lists(anything, max_size=3), st.lists(good, max_size=3), junk),
            or_rather("a.gif"),
        ],
    ),
    "save_with": (
        lambda _, image, path, recipe: save_with(
            lambda place: stylelib.save_image(image, place, recipe), path
        ),
        [good, junk, junk],
    ),
    "luminance": (lambda _, a: luminance(a), [anything]),
    "keep_colors": (lambda _, *a: keep_colors(*a), [good, anything]),
    "match_colors": (lambda _, *a: match_colors(*a), [anything, good]),
    "features": (
        lambda n, image, layers, before: stylelib.features(image, layers, n, before),
        [anything, st.one_of(st.just(["conv1_1", "conv1_2"]), by_layer), or_rather(False)],
    ),
    "features in what": (
        lambda n, a: stylelib.features(noise(8, 8), "conv1_1", n if a is None else a),
        [junk],
    ),
    "load_vgg19": (
        lambda _, *a: stylelib.load_vgg19("random", *a),
        [or_rather("conv1_1"), or_rather("max"), or_rather("zeros"), junk],
    ),
    "FeedForward": (
        lambda _, *a: FeedForward(*a),
        [junk, or_rather(0), or_rather(0), or_rather(["a", "b"])],
    ),
    "FeedForward.paint": (
        lambda _, *a: FeedForward(2, 0, 0, ["a", "b"]).paint(*a),
        [anything, st.one_of(st.just("a"), junk, st.dictionaries(words, numbers, max_size=2))],
    ),
    "FeedForward.learning": (lambda _, a: FeedForward(2, 0).learning(a), [junk]),
    "FeedForward.save": (lambda _, a: FeedForward(2, 0).save(a), [or_rather("a.pt")]),
    "FeedForward.load": (lambda _, a: FeedForward.load(a), [junk]),
    "train": (
        lambda n, network, image, photos, recipe, vgg: next(
            stylelib.train(
                network, image, photos, recipe=recipe, crop=32, vgg=n if vgg is None else vgg
            )
        ),
        [or_rather(FeedForward(2, 0)), anything, or_rather([]), or_rather(SMALL), or_rather(None)],
    ),
    "train how": (
        lambda n, minutes, steps, crop, seed, rate: next(
            stylelib.train(
                *(FeedForward(2, 0), noise(16, 16)),
                **{"minutes": minutes, "steps": steps, "crop": crop, "seed": seed, "rate": rate},
                **{"recipe": SMALL, "vgg": n},
            )
        ),
        [or_rather(1), or_rather(1), or_rather(32), junk, or_rather(0.01)],
    ),
    "VGG19": (lambda _, *a: VGG19(*a), [junk, junk, junk]),
    "read_weights": (
        lambda _, *a: read_weights(*a),
        [or_rather("random"), or_rather("conv1_1"), junk],
    ),
    "Recipe": (lambda _, name, value: Recipe(**{name: value}), [st.sampled_from(SETTINGS), junk]),
    "Recipe.but": (lambda _, name, value: SMALL.but(**{name: value}), [words, junk]),
    "Recipe.shares": (lambda _, a: SMALL.shares(a), [junk]),
    "Recipe.stages": (lambda _, a: SMALL.stages(a), [junk]),
    "Recipe.style_size": (lambda _, a: SMALL.style_size(a), [junk]),
    "Style": (lambda _, *a: Style(*a), [anything, anything, or_rather(None)]),
    "Transfer of what": (
        lambda n, *a: next(Transfer(*a, SMALL, n, "cpu", torch.float32)),
        [st.one_of(good, anything), st.one_of(good, anything, st.lists(good, max_size=2))],
    ),
    "Transfer how": (
        lambda n, r, *a: next(Transfer(noise(16, 17), noise(17, 16), r, *a)),
        [or_rather(SMALL), junk, or_rather("cpu"), st.one_of(st.sampled_from(DTYPES), junk)],
    ),
    "Transfer.run": (
        lambda n, *a: transfer(n).run(*a),
        [
            st.one_of(junk, st.dictionaries(numbers, by_layer, max_size=2)),
            or_rather(2),
            or_rather([]),
        ],
    ),
    "Transfer.change": (change, [st.one_of(st.sampled_from(SETTINGS), words), junk]),
    "Transfer.go_back_to": (go_back, [anything, st.one_of(st.integers(0, 3), junk)]),
    "Transfer.record": (
        lambda n, *a: transfer(n).record(*a),
        [junk, junk, or_rather(()), or_rather(())],
    ),
}


def try_all(name: str, network: VGG19, examples: int) -> None:
    """Call it so many times: each is to return, or to raise a StylelibError in plain words."""
    call, drawn = CALLS[name]

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(*drawn))
    def one(arguments: tuple[Any, ...]) -> None:
        try:
            call(network, *arguments)
        except StylelibError as error:
            text = str(error)
            assert 10 < len(text) < 1200 and "\n" not in text and text[-1] in ".?)", text

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of optimisations that give up, and of NumPy's overflows
        one()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place for what is saved."""
    monkeypatch.chdir(tmp_path)


def test_all_public_names_are_tried() -> None:
    """Else a new one would be forgotten here."""
    tried = {name.split()[0].split(".")[0] for name in CALLS}
    not_called = {"LAYERS", "RECIPES", "SAMPLES", "STATISTICS"}
    not_called |= {"Painted", "Step", "StylelibError", "TrainingStep"}
    not_called |= {"export_onnx", "paint_all"}  # they write files: see their own tests
    assert set(stylelib.__all__) <= tried | not_called


@pytest.mark.parametrize("name", CALLS)
def test_it_answers_in_words(name: str, shallow: VGG19) -> None:
    try_all(name, shallow, 60)


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_it_answers_in_words_very_often(name: str, shallow: VGG19) -> None:
    try_all(name, shallow, 2000)


def test_numpys_numbers_are_numbers(shallow: VGG19) -> None:
    """As a loop over np.arange gives them; and they go into the file as plain ones."""
    recipe = SMALL.but(size=np.int64(16), style_weight=np.float32(0.5), steps=np.int32(1))
    assert (type(recipe.size), type(recipe.style_weight)) == (int, float)
    painted = Transfer(noise(16, 16), noise(16, 16), recipe, shallow, "cpu")
    painted.run()
    saved = stylelib.save_image(painted.image, "a.png", painted.record("a", "b"))
    made = stylelib.read_recipe(saved)
    assert made is not None and made["recipe"]["style_weight"] == 0.5


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_decimals_paint_what_float32_paints(dtype: torch.dtype, shallow: VGG19) -> None:
    photo, painting = (noise(20, 16).to(dtype), noise(16, 20).to(dtype))
    given = Transfer(photo, painting, SMALL, shallow, "cpu", torch.float32).run()
    plain = Transfer(photo.float(), painting.float(), SMALL, shallow, "cpu", torch.float32).run()
    assert given.dtype == torch.float32 and torch.equal(given, plain)


ODD: dict[str, tuple[Callable[[], Tensor], str]] = {
    "sparse": (lambda: noise(16, 16).to_sparse(), r"layout sparse_coo.*\.to_dense\(\)"),
    "without numbers": (lambda: noise(16, 16).to("meta"), "device 'meta', which holds no numbers"),
    "divided twice by 255": (lambda: noise(16, 16) / 255, "nearly black.*divided by 255"),
}


@pytest.mark.parametrize("kind", ODD)
def test_tensors_that_are_no_ordinary_pictures(kind: str, shallow: VGG19) -> None:
    make, message = ODD[kind]
    takers: list[Callable[[Tensor], Any]] = [
        Style,
        lambda image: Transfer(image, noise(16, 16), SMALL, shallow, "cpu"),
        lambda image: match_colors(image, noise(16, 16)),
        FeedForward(2, 0).paint,
    ]
    if kind != "divided twice by 255":  # of these, values are not checked
        takers += [stylelib.to_pil, stylelib.gram_matrix, stylelib.total_variation, luminance]
        takers += [lambda image: stylelib.features(image, "conv1_1", shallow)]
    for take in takers:
        with pytest.raises(StylelibError, match=message):
            take(make())


def test_a_recipe_is_its_own_copy() -> None:
    """What is changed afterwards in the dict that it was made of changes no recipe."""
    layers = {"conv1_1": 1.0}
    recipe = Recipe(style_layers=layers)
    layers["nonsense"] = -1.0
    with suppress(StylelibError):
        assert recipe.but() == recipe
    assert dict(recipe.style_layers) == {"conv1_1": 1.0}
