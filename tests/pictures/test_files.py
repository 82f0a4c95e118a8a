"""Where files are saved: who may read them, links, and places that are refused."""

import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stylelib import (
    FeedForward,
    StylelibError,
    load_image,
    read_recipe,
    save_film,
    save_image,
)
from stylelib.errors import printable, shown
from stylelib.pictures.files import check_place, write_atomically
from stylelib.pictures.rescue import save_with

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions and files")
as_root = pytest.mark.skipif(
    getattr(os, "geteuid", lambda: 1)() != 0, reason="only root gives files away"
)
NOBODY = 65534


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    """Set it, until the test ends."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Root may open everything: be somebody else for a while."""
    root = os.geteuid() == 0
    if root:
        os.chmod(".", 0o755)
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


def mode(path: str | Path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


SAVERS: dict[str, Callable[[Tensor, str], Any]] = {
    "a.png": save_image,
    "a.jpg": save_image,
    "a.gif": lambda image, path: save_film([image, 1 - image], path),
    "a.pt": lambda image, path: FeedForward(4, 1).save(path),
}

# ------------------------------------------------------------------- permissions


@posix
@pytest.mark.parametrize("name", SAVERS)
@pytest.mark.parametrize(
    ("mask", "expected"),
    [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664), (0o027, 0o640), (0o222, 0o444)],
)
def test_a_new_file_follows_the_umask(
    camel: Tensor, umask: Any, name: str, mask: int, expected: int
) -> None:
    umask(mask)
    SAVERS[name](camel, name)
    assert mode(name) == expected
    place, _ = save_with(lambda place: save_image(camel, place), "new.png", new=True)
    assert mode(place) == expected
    assert len(os.listdir()) == 2


@posix
@pytest.mark.parametrize("name", SAVERS)
@pytest.mark.parametrize("kept", [0o600, 0o640, 0o664, 0o666, 0o755])
def test_an_older_file_keeps_its_permissions(
    camel: Tensor, umask: Any, name: str, kept: int
) -> None:
    Path(name).write_bytes(b"older")
    os.chmod(name, kept)
    for mask in (0o022, 0o077):
        umask(mask)
        SAVERS[name](camel, name)
        assert mode(name) == kept and Path(name).read_bytes() != b"older"


@posix
def test_a_private_file_is_private_while_it_is_written(
    umask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.png").touch(0o600)
    umask(0)
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.extend(mode(name) for name in os.listdir()))
    write_atomically(Path("a.png"), b"private")
    assert seen == [0o600, 0o600]


@posix
@as_root
def test_root_leaves_a_file_to_its_owner() -> None:
    Path("a.png").touch()
    os.chmod("a.png", 0o640)
    os.chown("a.png", NOBODY, NOBODY - 1)
    write_atomically(Path("a.png"), b"new")
    after = os.stat("a.png")
    assert (after.st_uid, after.st_gid, mode("a.png")) == (NOBODY, NOBODY - 1, 0o640)


@posix
@as_root
def test_what_a_group_may_do_is_not_given_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.png").touch()
    os.chmod("a.png", 0o664)
    os.chown("a.png", -1, NOBODY - 1)

    def forbidden(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", forbidden)
    write_atomically(Path("a.png"), b"new")
    assert mode("a.png") == 0o604 and Path("a.png").read_bytes() == b"new"


# ------------------------------------------------------------------------- links


@posix
def test_a_link_stays_and_what_it_leads_to_is_written(here: Path, camel: Tensor) -> None:
    for name in ("folder", "links"):
        Path(name).mkdir()
    Path("folder/real.png").write_bytes(b"older")
    Path("folder/real.png").chmod(0o600)
    Path("links/one.png").symlink_to("../folder/real.png")
    Path("two.png").symlink_to(here / "links" / "one.png")
    assert save_image(camel, "two.png") == Path("two.png")
    assert Path("two.png").is_symlink() and Path("links/one.png").is_symlink()
    assert not Path("folder/real.png").is_symlink() and mode("folder/real.png") == 0o600
    assert load_image("folder/real.png").shape == camel.shape
    assert os.listdir("folder") == ["real.png"] and os.listdir("links") == ["one.png"]


@posix
def test_a_link_to_a_file_that_is_not_there_yet(camel: Tensor) -> None:
    Path("folder").mkdir()
    Path("a.png").symlink_to("folder/new.png")
    save_image(camel, "a.png")
    assert Path("a.png").is_symlink() and load_image("folder/new.png").shape == camel.shape
    Path("b.png").symlink_to("nowhere/new.png")
    with pytest.raises(StylelibError, match=r"There is no folder .*nowhere"):
        save_image(camel, "b.png")


@posix
def test_links_that_lead_nowhere_useful_are_refused() -> None:
    Path("loop.png").symlink_to("loop.png")
    with pytest.raises(StylelibError, match=r"loop\.png is a link that leads back to itself"):
        check_place("loop.png", [".png"])
    Path("folder").mkdir()
    Path("link.png").symlink_to("folder")
    with pytest.raises(StylelibError, match=r"link\.png is a folder"):
        check_place("link.png", [".png"])
    Path("null.png").symlink_to(os.devnull)
    with pytest.raises(StylelibError, match=r"null\.png is not an ordinary file"):
        check_place("null.png", [".png"])


# ------------------------------------------------------------- files that must stay


@posix
def test_what_is_not_an_ordinary_file_is_refused(camel: Tensor) -> None:
    os.mkfifo("pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        for name in ("pipe.png", "socket.png"):
            before = os.stat(name)
            with pytest.raises(StylelibError, match=f"{name} is not an ordinary file. Choose"):
                save_image(camel, name)
            assert os.stat(name).st_ino == before.st_ino
    assert sorted(os.listdir()) == ["pipe.png", "socket.png"]


@pytest.mark.parametrize("name", SAVERS)
def test_a_write_protected_file_is_refused_also_for_root(camel: Tensor, name: str) -> None:
    Path(name).write_bytes(b"precious")
    os.chmod(name, 0o444)
    with pytest.raises(StylelibError, match=f"{name} is write-protected"):
        SAVERS[name](camel, name)
    assert Path(name).read_bytes() == b"precious" and os.listdir() == [name]
    os.chmod(name, 0o644)  # Windows deletes no protected file


def test_a_file_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.png").write_bytes(b"theirs")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StylelibError, match=r"a\.png is write-protected"):
        check_place("a.png", [".png"])


@posix
def test_a_protected_file_does_not_keep_a_numbered_one_from_being_saved(camel: Tensor) -> None:
    Path("a.png").touch(0o444)
    check_place("a.png", [".png"], new=True)
    place, trouble = save_with(lambda place: save_image(camel, place), "a.png", new=True)
    assert (place, trouble) == (Path("a-2.png"), None)


# ---------------------------------------------------------------- places and names

BAD_NAMES = [
    ("x" * 300 + ".png", "too long for a file"),
    ("x/" * 3000 + "a.png", "too long for a file"),
    ("a\0b.png", "can't be the name of a file"),
    ("a\ud800.png", "can't be the name of a file"),
    ("a\x1b[2Jb.gif", r"'a\\x1b\[2Jb.gif' must end in .png"),
    ("nowhere/a.png", "There is no folder nowhere"),
    ("file/a.png", "There is no folder file"),
]


@pytest.mark.parametrize(("name", "words"), BAD_NAMES)
def test_a_name_that_no_file_can_have(name: str, words: str) -> None:
    if os.name == "nt" and "long" in words:
        pytest.skip("Windows says it in another way")
    Path("file").touch()
    with pytest.raises(StylelibError, match=words) as caught:
        check_place(name, [".png"])
    assert len(str(caught.value)) < 200 and "Errno" not in str(caught.value)
    assert os.listdir() == ["file"]


@posix
@pytest.mark.parametrize("closed", [0o000, 0o400, 0o500])
def test_a_closed_folder_is_refused_in_a_sentence(closed: int) -> None:
    Path("folder").mkdir()
    os.chmod("folder", closed)
    with as_ordinary_user(), pytest.raises(StylelibError) as caught:
        check_place("folder/a.png", [".png"])
    os.chmod("folder", 0o700)
    words = "folder/a.png may not be written. Choose another folder, or change its permissions."
    assert str(caught.value) == words


@posix
def test_files_in_a_closed_folder_are_not_read() -> None:
    Path("folder").mkdir()
    os.chmod("folder", 0o000)
    for load, name in ((load_image, "folder/a.png"), (FeedForward.load, "folder/a.pt")):
        with as_ordinary_user(), pytest.raises(StylelibError) as caught:
            load(name)
        assert str(caught.value) == f"{name} may not be read. Change its permissions."
    os.chmod("folder", 0o700)


def test_files_whose_name_is_too_long_are_not_read() -> None:
    for load, ending in ((load_image, ".png"), (FeedForward.load, ".pt")):
        with pytest.raises(StylelibError) as caught:
            load("x" * 5000 + ending)
        assert len(str(caught.value)) < 200 and "Errno" not in str(caught.value)


@posix
def test_a_deleted_working_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "gone").mkdir()
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()
    with pytest.raises(StylelibError, match="folder that you are in was deleted"):
        check_place("a.png", [".png"])
    assert check_place(here / "a.png", [".png"])


def test_a_picture_with_the_longest_name_is_rescued_under_a_shorter_one(
    here: Path, camel: Tensor
) -> None:
    """Here a number would make the name too long."""
    name = "x" * 251 + ".png"
    Path("out").mkdir()
    Path(name).touch()
    broken = [True]

    def save(place: Path) -> Path:
        if broken.pop():
            broken.append(False)
            raise StylelibError("The disk is full.")
        broken.append(False)
        return save_image(camel, place)

    place, trouble = save_with(save, Path("out") / name)
    assert place.parent == here and len(place.name) <= 80 and place.suffix == ".png"
    assert trouble and str(place) in trouble and load_image(place).shape == camel.shape


def test_a_saved_picture_stays_although_its_saver_fails_afterwards(camel: Tensor) -> None:
    def save(place: Path) -> Path:
        save_image(camel, place)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save_with(save, "a.png", new=True)
    assert load_image("a.png").shape == camel.shape


# ------------------------------------------------------------------ what fits in


@pytest.mark.parametrize(
    ("name", "longest"), [("a.jpg", 65_400), ("a.jpeg", 65_400), ("a.png", 67_108_864)]
)
def test_a_recipe_that_is_too_long_is_left_out_with_a_warning(name: str, longest: int) -> None:
    image = torch.rand(1, 3, 4, 4)
    room = longest - len('{"notes": ""}')
    save_image(image, name, {"notes": "x" * room})
    assert read_recipe(name) == {"notes": "x" * room}
    with pytest.warns(UserWarning, match=f"recipe is too long for a .*{name} was saved without"):
        save_image(image, name, {"notes": "x" * (room + 1)})
    assert read_recipe(name) is None and load_image(name).shape == image.shape


# ----------------------------------------------------------------------- messages


@pytest.mark.parametrize(
    "code",
    [
        "\x1b[2J",
        "\x07",
        "\x9b31m",
        "\r",
        "\n",
        "\t",
        "\x00",
        "\u202e",
        "\u2066",
        "\u2028",
        "\udcff",
    ],
)
def test_messages_hold_no_codes_for_terminals(code: str) -> None:
    told = str(StylelibError(f"There is no file a{code}b."))
    assert not any(c in told for c in code if not c.isprintable())
    assert "\\" in told and told.startswith("There is no file a\\") and told.endswith("b.")
    assert printable(told) == told


def test_messages_keep_letters_of_all_alphabets() -> None:
    text = "Es gibt keine Datei “Käse”, 骆驼 がぎ، جمل 👩‍🎨 C:\\new\\table\u3000!"
    assert printable(text) == text


def test_values_are_shortened_in_messages() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    for value in (10**4000, 10**6000, "x" * 5000, [1] * 5000, Broken()):
        assert 0 < len(shown(value)) <= 80
    assert len(printable("9" * 5000)) < 100
    long_path = "/".join(["folder"] * 100)
    assert printable(long_path) == long_path
