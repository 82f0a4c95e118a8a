"""Recipes: what is refused, how the steps are shared out, and that they can be stored."""

import dataclasses
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stylelib import RECIPES, STATISTICS, Recipe, StylelibError
from stylelib.recipes import MAX_SIZE, SETTINGS

NAN = float("nan")


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("optimizer", ["sgd", "", None, 5]),
        ("init", ["contents", "random"]),
        ("balance", ["relativ"]),
        ("pooling", ["avg", "mean"]),
        ("padding", ["zero", "reflect"]),
        ("weights", ["caffe"]),
        ("content_weight", [-1, NAN, float("inf"), "1", None, True]),
        ("style_weight", [-1e-9, NAN, 1e13, [3.0]]),
        ("tv_weight", [-1, NAN]),
        ("learning_rate", [0, -0.1, NAN, 1e4]),
        ("size", [15, 0, -512, MAX_SIZE + 1, 100.5, "512", NAN, True]),
        ("steps", [0, -1, 10.5, 10**9, "many"]),
        ("seed", [-1, 0.5, 2**63, "seed"]),
        ("content_layers", [["conv4_2"], "conv4_2", {"conv4_2": -1}, {"conv4_2": NAN}]),
        ("style_layers", [["conv1_1"], {"conv1_1": "1"}, {"conv9_9": 1.0}]),
    ],
)
def test_a_bad_value_is_refused_in_words(setting: str, values: list[Any]) -> None:
    for value in values:
        with pytest.raises(StylelibError) as caught:
            RECIPES["gram"].but(**{setting: value})
        assert len(str(caught.value)) > 20
        with pytest.raises(StylelibError):
            Recipe(**{setting: value})


def test_errors_name_the_setting_and_its_range() -> None:
    with pytest.raises(StylelibError, match="style_weight is -1; it must be a number from 0"):
        Recipe(style_weight=-1)
    with pytest.raises(StylelibError, match="size is 15; it must be a whole number from 16"):
        Recipe(size=15)
    with pytest.raises(StylelibError, match=r"conv4_5.*Did you mean .*conv4_"):
        Recipe(content_layers={"conv4_5": 1.0})
    with pytest.raises(StylelibError, match="the weight of conv4_2 is -2"):
        Recipe(content_layers={"conv4_2": -2})
    with pytest.raises(StylelibError, match="at least one layer"):
        Recipe(content_layers={}, style_layers={})


def test_every_layer_may_serve_for_content_and_style() -> None:
    recipe = Recipe(content_layers={"pool4": 1}, style_layers={"conv5_4": 0.5, "pool1": 0})
    assert recipe.content_layers == {"pool4": 1}
    assert Recipe(content_layers={}).style_layers
    assert Recipe(style_layers={}).content_layers


def test_but_changes_what_is_said_and_nothing_else() -> None:
    recipe = RECIPES["gram"]
    before = recipe.as_dict()
    other = recipe.but(style_weight=7.0, size=99)
    assert (other.style_weight, other.size) == (7.0, 99)
    assert recipe.as_dict() == before
    assert other.as_dict() == before | {"style_weight": 7.0, "size": 99}
    assert recipe.but() == recipe
    with pytest.raises(StylelibError, match="Did you mean style_weight"):
        recipe.but(styl_weight=7.0)


def test_a_recipe_can_not_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RECIPES["gram"].size = 100  # type: ignore[misc]


@pytest.mark.parametrize("name", list(RECIPES))
def test_plain_values_and_back(name: str) -> None:
    recipe = RECIPES[name].but(size=321, style_layers={"conv2_1": 0.5, "conv1_2": 2})
    text = json.dumps(recipe.as_dict())
    assert Recipe(**json.loads(text)) == recipe
    stored = recipe.as_dict()
    stored["style_layers"]["conv1_1"] = 5.0  # a copy: the recipe keeps its own
    assert recipe.style_layers == {"conv2_1": 0.5, "conv1_2": 2}


def test_the_source_recipe_is_what_the_source_says() -> None:
    recipe = RECIPES["source"]
    assert recipe.content_layers == {"conv4_2": 1.0}
    assert recipe.style_layers == {
        "conv1_1": 1.0,
        "conv2_1": 0.75,
        "conv3_1": 0.2,
        "conv4_1": 0.2,
        "conv5_1": 0.2,
    }
    assert (recipe.content_weight, recipe.style_weight, recipe.tv_weight) == (1, 1e6, 0)
    assert (recipe.optimizer, recipe.steps, recipe.init) == ("adam", 5000, "content")
    assert (recipe.balance, recipe.pooling, recipe.coarse_to_fine) == ("source", "max", False)
    assert not recipe.centered and not recipe.clamp
    # 0.003 in pixels divided by ImageNet's standard deviation, 0.225 of ours
    assert recipe.learning_rate == pytest.approx(0.000675)


def test_the_fast_way_has_the_sources_losses() -> None:
    """Only how to get there is another."""
    way = {"steps", "coarse_to_fine", "coarsest", "detail_steps", "optimizer", "clamp"}
    source, fast = RECIPES["source"].as_dict(), RECIPES["source-fast"].as_dict()
    assert {name for name in source if source[name] != fast[name]} == way


@settings(max_examples=300, deadline=None)
@given(st.integers(16, MAX_SIZE), st.integers(1, 3000), st.booleans(), st.integers(16, 600))
def test_stages(size: int, steps: int, coarse_to_fine: bool, coarsest: int) -> None:
    recipe = Recipe(size=size, steps=steps, coarse_to_fine=coarse_to_fine, coarsest=coarsest)
    stages = recipe.stages()
    sizes, counts = [s for s, _ in stages], [n for _, n in stages]
    assert sum(counts) == steps
    assert sizes[-1] == size
    assert sizes == sorted(set(sizes))
    assert min(counts) >= 1
    assert all(isinstance(n, int) for n in sizes + counts)
    assert sizes[0] >= min(coarsest, size)
    if not coarse_to_fine:
        assert stages == [(size, steps)]
    # No size is more than about twice the one before: a larger jump blurs what is there.
    assert all(b <= 2 * a + 1 for a, b in pairwise(sizes))


def test_stages_start_small_and_spend_most_steps_there() -> None:
    stages = Recipe(size=1024, steps=400, coarse_to_fine=True).stages()
    assert stages[0][0] <= 256
    counts = [n for _, n in stages]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_few_steps_are_done_at_the_size_asked_for(steps: int) -> None:
    stages = Recipe(size=1024, steps=steps, coarse_to_fine=True).stages()
    assert len(stages) <= steps
    assert stages[-1][0] == 1024


def test_stages_up_to_a_longest_side() -> None:
    recipe = Recipe(size=1024, steps=100, coarse_to_fine=True)
    assert recipe.stages(longest=300)[-1][0] == 300
    assert recipe.stages(longest=5000) == recipe.stages()
    assert sum(n for _, n in recipe.stages(longest=300)) == 100


# Each setting is described once


def test_every_field_is_described() -> None:
    assert list(SETTINGS) == [field.name for field in dataclasses.fields(Recipe)]
    for name, setting in SETTINGS.items():
        assert setting.help.endswith(".") and setting.help[0].isupper(), name
        assert name in (Recipe.__doc__ or "")
        assert setting.option in ("", "look", "work"), name


def test_the_statistics_on_offer_are_those_of_the_book(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = SETTINGS["statistic"]
    assert setting.choices == setting.values == tuple(STATISTICS)
    with pytest.raises(StylelibError, match="peaks"):
        Recipe(statistic="peaks")
    monkeypatch.setitem(STATISTICS, "peaks", lambda maps, share=None: maps.amax((2, 3)))
    assert Recipe(statistic="peaks").statistic == "peaks" and "peaks" in setting.values


def test_what_may_change_while_painting() -> None:
    fixed = {name for name, setting in SETTINGS.items() if not setting.live}
    assert fixed == {
        "size", "coarse_to_fine", "coarsest", "init", "pooling", "padding", "weights", "seed",
        "match_colors",
    }  # fmt: skip


def test_what_changed() -> None:
    recipe = RECIPES["gram"]
    assert recipe.changed_from(recipe) == {}
    changed = recipe.but(style_weight=7, init="noise").changed_from(recipe)
    assert changed == {"style_weight": 7.0, "init": "noise"}


def test_a_small_picture_keeps_more_of_the_photo() -> None:
    kept = [Recipe(size=size, likeness=0.25).kept for size in (128, 256, 512, 1024)]
    assert kept == pytest.approx([0.5, 0.25**0.5**0.5, 0.25, 0.25])
    assert [Recipe(size=64, likeness=end).kept for end in (0, 1)] == [0, 1]
