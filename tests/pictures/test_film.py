"""Films, read by Pillow: frames, order, durations, colours."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageSequence
from torch import Tensor

from stylelib import StylelibError, save_film
from stylelib.pictures.film import Film, length

RED, GRAY = (0.8, 0.2, 0.1), (0.5, 0.5, 0.5)


def plain(color: tuple[float, ...], height: int = 20, width: int = 30) -> Tensor:
    return torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, height, width)


def frames(path: Path) -> list[NDArray[np.uint8]]:
    with Image.open(path) as film:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]


@pytest.mark.parametrize("ending", ["gif", "webp", "GIF"])
def test_frames_are_shown_in_order(tmp_path: Path, ending: str) -> None:
    given = [
        plain(RED, 10, 15),
        plain(GRAY),
        plain(RED),
    ]  # the first one small, as at first in a painting
    path = save_film(iter(given), str(tmp_path / f"film.{ending}"))
    shown = frames(path)
    assert [frame.shape for frame in shown] == [(20, 30, 3)] * 3
    for frame, color in zip(shown, (RED, GRAY, RED), strict=True):
        assert np.abs(frame / 255 - np.array(color)).max() < 0.02
    with Image.open(path) as film:
        assert film.info["loop"] == 0  # endlessly
        lasted = []
        for index in range(3):
            film.seek(index)
            film.load()
            lasted.append(film.info["duration"])
    assert lasted == [150, 150, 2500]


def test_a_film_is_at_most_400_pixels_large(tmp_path: Path) -> None:
    path = save_film([plain(RED, 900, 600), plain(GRAY, 900, 600)], tmp_path / "film.webp")
    assert frames(path)[0].shape == (400, 267, 3)


def test_webp_has_all_colours_and_gif_128(tmp_path: Path, camel: Tensor) -> None:
    def last(name: str) -> NDArray[np.uint8]:
        return frames(save_film([plain(RED), camel], tmp_path / name))[-1]

    def far(shown: NDArray[np.uint8]) -> float:
        return float(np.abs(shown / 255 - camel[0].permute(1, 2, 0).numpy()).mean())

    webp, gif = last("film.webp"), last("film.gif")
    assert far(webp) < 0.03
    assert far(gif) < 0.05
    colors = [len(np.unique(shown.reshape(-1, 3), axis=0)) for shown in (webp, gif)]
    assert colors[0] > 1000 and colors[1] <= 128


def test_more_pictures_are_kept_at_first() -> None:
    film = Film()
    for step in range(101):
        film.see(step, plain((step / 100, 0, 0)))
    kept = [round(100 * float(picture[0, 0, 0, 0])) for picture in film.pictures]
    assert kept[:7] == [0, 1, 2, 3, 4, 5, 6]
    gaps = np.diff(kept)
    assert (np.diff(gaps) >= -1).all() and 10 <= gaps[-1] <= 15
    film.see(kept[-1], plain(RED), last=True)  # it is kept already
    assert len(film.pictures) == len(kept)
    film.see(100, plain(GRAY), last=True)
    assert torch.equal(film.pictures[-1], plain(GRAY))
    film.see(1000, plain(RED, 600, 800))
    assert film.pictures[-1].shape == (1, 3, 300, 400)


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_a_picture_that_stays_is_shown_for_longer(tmp_path: Path, ending: str) -> None:
    """Neither Pillow nor the formats keep frames that change nothing, so they are not counted."""
    given = [plain(RED), plain(RED), plain(RED), plain(GRAY), plain(RED), plain(RED)]
    path = save_film(given, tmp_path / f"film.{ending}")
    lasted = []
    with Image.open(path) as film:
        for frame in ImageSequence.Iterator(film):
            frame.load()
            lasted.append(frame.info["duration"])
    assert lasted == [450, 150, 2650]
    assert length(path) == 3


def test_a_film_in_which_nothing_changes(tmp_path: Path) -> None:
    for given in ([plain(RED)] * 3, [plain(RED), plain((0.8, 0.2, 0.1001))]):
        with pytest.raises(StylelibError, match="All pictures of this film are the same"):
            save_film(given, tmp_path / "film.gif")
    assert not list(tmp_path.iterdir())


def test_mistakes_are_explained_in_a_sentence(tmp_path: Path) -> None:
    two = [plain(RED), plain(GRAY)]
    with pytest.raises(StylelibError, match=r"'film.mp4' must end in .gif or .webp"):
        save_film(two, tmp_path / "film.mp4")
    with pytest.raises(StylelibError, match="no folder"):
        save_film(two, tmp_path / "nowhere" / "film.gif")
    path = save_film(two, tmp_path / "film.gif")
    before = path.read_bytes()
    with pytest.raises(StylelibError, match="two pictures"):
        save_film(two[:1], path)
    with pytest.raises(StylelibError, match="not numbers"):
        save_film([two[0], torch.full((1, 3, 9, 9), torch.nan)], path)
    assert path.read_bytes() == before
