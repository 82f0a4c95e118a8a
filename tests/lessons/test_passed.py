"""The file that says what a student has passed."""

from pathlib import Path

import pytest

from stylelib.lessons import passed
from stylelib.lessons.style.exercises import check


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of lessons, in which a notebook runs."""
    (tmp_path / passed.RECORD).parent.mkdir()
    (tmp_path / passed.RECORD).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_right_answer_is_kept_and_stays_when_a_wrong_one_follows(folder: Path) -> None:
    check("3.1", lambda a, b: (a + b).mean())
    assert not (folder / passed.FILE).exists()
    check("3.1", lambda a, b: (a * b).mean())
    check("3.1", lambda a, b: None)
    text = (folder / passed.FILE).read_text()
    assert "## Lesson 03: 1 of 5\n\n- [x] 3.1 Two maps, one number\n- [ ] 3.2 " in text


def test_what_was_passed_in_other_lessons_stays(folder: Path) -> None:
    (folder / passed.FILE).write_text("- [x] 9.1 Earlier\n- [ ] 9.2 Not yet\n- [x] 3.2 Loops\n")
    check("3.1", lambda a, b: (a * b).mean())
    listed = passed.read(folder)
    assert listed["9.1"] == ("Earlier", True) and listed["9.2"] == ("Not yet", False)
    done = {number for number, (_, was_passed) in listed.items() if was_passed}
    assert done == {"3.1", "3.2", "9.1"}
    assert "## Lesson 09: 1 of 2" in (folder / passed.FILE).read_text()


def test_elsewhere_and_where_nothing_can_be_written_it_is_left_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / passed.FILE).mkdir()
    assert check("3.1", lambda a, b: (a * b).mean()).passed
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert check("3.1", lambda a, b: (a * b).mean()).passed
    assert list(Path().iterdir()) == []
