"""Which pictures are painted, and where they go."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stylelib import FeedForward, Recipe, StylelibError
from stylelib.batch.plan import Wish, find_photos, plan, read_file

WISH = Wish(Recipe(size=32, steps=1))
NETWORK, EIGHT = "hokusai-great-wave.pt", "eight-paintings.pt"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with two photos, one of them in an inner folder, and what is no photo."""
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    (folder / ".cache").mkdir()
    for name in ("b.png", "trip/A.JPG", ".hidden.png", ".cache/c.png"):
        Image.new("RGB", (20, 20), "teal").save(folder / name)
    (folder / "notes.txt").write_text("no picture")
    return folder


def names(found: list[tuple[str, Path]]) -> list[str]:
    return [Path(photo).name for photo, _ in found]


def test_a_folder_is_searched_with_its_inner_folders(photos: Path) -> None:
    found = find_photos([str(photos)])
    assert names(found) == ["b.png", "A.JPG"]
    assert [folder for _, folder in found] == [Path(), Path("trip")]


def test_the_folder_that_is_painted_into_is_not_searched(photos: Path) -> None:
    assert names(find_photos([str(photos)], leave_out=photos / "trip")) == ["b.png"]


def test_patterns_files_and_samples_are_each_taken_once(photos: Path) -> None:
    given = ["camel", str(photos / "*.png"), str(photos / "b.png"), str(photos / "**" / "*.JPG")]
    assert names(find_photos(given)) == ["camel", "b.png", "A.JPG"]


@pytest.mark.parametrize(
    ("name", "said"), [("empty", "no picture in"), ("*.gif", "No picture's name fits")]
)
def test_nothing_found_is_said(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(StylelibError, match=said):
        find_photos([str(tmp_path / name)])


def test_a_picture_of_each_photo_in_the_style_of_each_painting(photos: Path) -> None:
    out = Path("out")
    orders = plan([str(photos)], ["hokusai-poppies", NETWORK], out, WISH)
    assert [str(order.place.relative_to(out)) for order in orders] == [
        "b-hokusai-poppies.png",
        "b-hokusai-great-wave.png",
        str(Path("trip", "A-hokusai-poppies.png")),
        str(Path("trip", "A-hokusai-great-wave.png")),
    ]


def test_blended_paintings_make_one_picture_of_each_photo() -> None:
    styles = ["hokusai-poppies", "cassatt-summertime"]
    (order,) = plan(["camel"], styles, Path("out"), WISH, blend=True)
    assert order.styles == tuple(styles)
    with pytest.raises(StylelibError, match="paints alone"):
        plan(["camel"], [NETWORK, *styles], Path("out"), WISH, blend=True)


def test_a_network_of_several_paintings_paints_after_those_that_are_named_or_all() -> None:
    def styles(*given: str, blend: bool = False, shares: tuple[float, ...] = ()) -> list[Any]:
        wish = Wish(WISH.recipe.but(style_shares=shares))
        return [one.styles for one in plan(["camel"], given, Path("out"), wish, blend)]

    known = FeedForward.load(EIGHT).paintings
    assert styles(EIGHT) == [(EIGHT, name) for name in known]
    named = ["hokusai-poppies", "cassatt-summertime"]
    assert styles(EIGHT, *named) == [(EIGHT, name) for name in named]
    assert styles(*named, EIGHT, blend=True, shares=(1, 3)) == [(EIGHT, *named)]
    (order,) = plan(["camel"], [EIGHT, named[0]], Path("out"), WISH)
    assert order.place.name == "camel-eight-paintings-hokusai-poppies.png"
    for given, wrong, said in (
        ((EIGHT, "camel"), {}, "no painting in this network called 'camel'"),
        ((EIGHT, NETWORK), {}, "without other networks"),
        ((EIGHT, *named), {"blend": True, "shares": (1, 2, 3)}, "as many shares as paintings"),
        ((EIGHT,), {"blend": True, "shares": (1, 2)}, "as many shares as paintings"),
    ):
        with pytest.raises(StylelibError, match=said):
            styles(*given, **wrong)


def test_names_that_collide_are_refused_also_where_case_does_not_count(photos: Path) -> None:
    Image.new("RGB", (20, 20)).save(photos / "B.jpg")
    with pytest.raises(StylelibError, match=r"B\.jpg and .*b\.png.* Rename one"):
        plan([str(photos)], [NETWORK], Path("out"), WISH)


def test_a_painting_that_cannot_be_read_stops_everything_before_it_begins(photos: Path) -> None:
    (photos / "broken.png").write_bytes(b"no picture")
    for style in (str(photos / "broken.png"), str(photos / "missing.png"), "hokusai-grate-wave"):
        with pytest.raises(StylelibError, match=r"broken|missing|Did you mean"):
            plan(["camel"], [style], Path("out"), WISH)


def test_the_key_depends_on_all_that_the_picture_depends_on(photos: Path) -> None:
    def key(photo: str = "camel", style: str = "hokusai-poppies", **wish: object) -> str:
        wishes = Wish(**({"recipe": WISH.recipe} | wish))  # type: ignore[arg-type]
        return plan([photo], [style], Path("out"), wishes)[0].read().key

    changed = [
        key(),
        key(photo=str(photos / "b.png")),
        key(style="cassatt-summertime"),
        key(recipe=Recipe(size=32, steps=2)),
        key(keep_colors=True),
        key(only_colors=True),
        key(start="cassatt-summertime"),
        *(one.read().key for one in plan(["camel"], [EIGHT], Path("out"), WISH)),
    ]
    assert len(set(changed)) == len(changed)
    assert key(device="cpu") == key()


def test_a_file_is_read_by_its_name_or_a_samples(photos: Path) -> None:
    assert read_file("camel").data[:2] == b"\xff\xd8"  # how a JPEG begins
    with pytest.raises(StylelibError, match="There is no file"):
        read_file(str(photos / "missing.png"))
