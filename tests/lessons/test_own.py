"""Painting with a student's own code: what is kept, and what it paints."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stylelib import RECIPES, STATISTICS, Transfer
from stylelib.engine.network import VGG19
from stylelib.errors import StylelibError
from stylelib.lessons.checking import EXERCISES, check
from stylelib.lessons.own import PARTS, keep, kept, paint_with_my_code, use_my_gram
from stylelib.lessons.painted import Hint, painted
from stylelib.lessons.style import exercises as style_exercises
from stylelib.lessons.target import exercises
from stylelib.lessons.target.solving import small_network

assert style_exercises and exercises  # they register their exercises

GRAM = """\
def my_gram(maps):
    rows = maps.flatten(2)
    return rows @ rows.mT / rows.shape[2]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook's folder, with no code in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def tiny() -> VGG19:
    return small_network(torch.Generator().manual_seed(3)).requires_grad_(False)


@pytest.fixture(scope="module")
def pair() -> tuple[Tensor, Tensor]:
    photo, painting = torch.rand(2, 1, 3, 32, 48, generator=torch.Generator().manual_seed(4))
    return photo, painting


def written(source: str, name: str, folder: Path) -> Any:
    """A function as if it was written in a notebook: of `__main__`, and with a source."""
    file = folder / "cell.py"
    file.write_text(source, encoding="utf-8")
    names: dict[str, Any] = {"__name__": "__main__", "torch": torch}
    exec(compile(source, str(file), "exec"), names)
    return names[name]


def test_what_passes_its_check_is_kept_and_what_does_not_is_not(folder: Path) -> None:
    wrong = written("def my_gram(maps):\n    return maps * 0\n", "my_gram", folder)
    assert not check("3.3", wrong).passed and not kept()
    assert "collected" in check("3.3", written(GRAM, "my_gram", folder)).message
    maps = torch.rand(1, 2, 3, 3)
    assert torch.allclose(kept()["my_gram"](maps), written(GRAM, "my_gram", folder)(maps))
    text = (folder / "my_code.py").read_text(encoding="utf-8")
    assert text.count("def my_gram") == 1 and GRAM in text


def test_a_newer_version_takes_the_place_of_an_older_one(folder: Path) -> None:
    for line in ("return 1", "return 2"):
        assert keep(written(f"def my_steps():\n    {line}\n", "my_steps", folder))
        assert keep(written(GRAM, "my_gram", folder))
    assert kept()["my_steps"]() == 2
    assert set(kept()) == {"my_steps", "my_gram"}


def test_only_what_a_student_wrote_is_kept() -> None:
    assert not keep(check) and not keep(len)
    assert not Path("my_code.py").exists()


def test_a_damaged_file_is_explained(folder: Path) -> None:
    (folder / "my_code.py").write_text("def my_gram(:\n", encoding="utf-8")
    with pytest.raises(StylelibError, match=r"my_code\.py stops with SyntaxError"):
        kept()


def test_nothing_is_painted_as_long_as_there_is_nothing_to_paint_with(
    pair: tuple[Tensor, Tensor],
) -> None:
    painting = paint_with_my_code(*pair)
    assert painting.image is None and not painting.own
    assert "my_gram (3.3)" in repr(painting)


def test_own_functions_are_called_and_paint_what_the_books_do(
    folder: Path, pair: tuple[Tensor, Tensor], tiny: VGG19
) -> None:
    def paint() -> Any:
        return paint_with_my_code(*pair, size=48, steps=6, network=tiny)

    books = paint_with_my_code(*pair, 48, 6, functions={}, network=tiny).image
    keep(written(GRAM, "my_gram", folder))
    mine = paint()
    assert mine.own == ["my_gram"] and "my_steps" in mine.lent
    assert mine.image is not None and mine.image.shape == (1, 3, 32, 48)
    assert torch.allclose(mine.image, books, atol=1e-3)
    keep(written(GRAM.replace("/ rows.shape[2]", "* 0 + 1"), "my_gram", folder))
    assert not torch.allclose(paint().image, books, atol=1e-3)  # this one is really called
    keep(written("def my_gram(maps):\n    return helper(maps)\n", "my_gram", folder))
    with pytest.raises(StylelibError, match="helper"):
        paint()


def test_the_studio_can_paint_with_a_students_gram_matrix(
    folder: Path, pair: tuple[Tensor, Tensor], tiny: VGG19
) -> None:
    assert "no my_gram" in use_my_gram() and "my_gram" not in STATISTICS
    keep(written(GRAM, "my_gram", folder))
    try:
        assert "can be chosen" in use_my_gram()
        recipe = RECIPES["gram"].but(size=48, steps=3, coarse_to_fine=False)
        books, mine = (
            Transfer(*pair, recipe.but(statistic=name), tiny, "cpu", torch.float32).run()
            for name in ("gram", "my_gram")
        )
        assert torch.allclose(mine, books, atol=1e-3)
    finally:
        STATISTICS.pop("my_gram", None)


def test_the_numbers_say_where_each_part_is_written() -> None:
    assert {number for number, _ in PARTS.values()} - {"2.1"} <= set(EXERCISES)


def test_a_mistake_shows_what_it_would_paint() -> None:
    verdict = check("4.1", lambda c, s, a, b: b * c + a * s)
    assert "swapped" in repr(verdict) and "data:image/jpeg" in verdict._repr_html_()
    assert "data:image" not in check("4.1", lambda c, s, a, b: c + s)._repr_html_()


def test_every_painted_hint_has_a_picture() -> None:
    hints = [m.hint for exercise in EXERCISES.values() for m in exercise.mistakes]
    pictures = {hint.paints: painted(hint) for hint in hints if isinstance(hint, Hint)}
    assert len(pictures) >= 9
    assert all(data is not None and data[:2] == b"\xff\xd8" for data in pictures.values())
    assert len(set(pictures.values())) == len(pictures)
    assert painted("a hint without one") is None
