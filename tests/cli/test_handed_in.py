"""What a class handed in, as learning platforms and other graders export it."""

import io
import zipfile
from pathlib import Path

import pytest

from stylelib.cli import handed_in
from stylelib.cli.handed_in import find

Files = dict[str, "bytes | Files"]


def otter(name: str, **more: bytes) -> Files:
    """What otter-grader 7 puts into a zip file: the notebook, its log, and the zip file's name."""
    return {
        f"{name}.ipynb": b"{}",
        f"{name}.pdf": b"%PDF-1.5",
        ".OTTER_LOG": b"\x80\x04",
        "__zip_filename__": f"{name}_2026_11_27T10_11_12_123456.zip".encode(),
    }


def packed(files: Files) -> bytes:
    """A zip file; files in a dictionary are one inside it."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, bytes) else packed(content))
    return target.getvalue()


def in_folder(place: Path, files: Files) -> Path:
    """The same files in a folder."""
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else packed(content))
    return place


LESSON = {
    "stylelib-lessons/03-style.ipynb": b"{}",
    "stylelib-lessons/.stylelib/predictions.json": b"",
}
ANNA, BEN = "Anna Lind", "Ben Ångström-O'Neill"
EXPORTS: dict[str, tuple[Files, set[str]]] = {
    # Moodle since 4.0, Moodle before, and without folders; a group and those in no group
    "Moodle": (
        {
            f"{ANNA}_4711_assignsubmission_file/03-style.ipynb": b"{}",
            f"{ANNA}_4711_assignsubmission_file/more/04.ipynb": b"{}",
            f"{ANNA}_4711_assignsubmission_onlinetext/onlinetext.html": b"<p>",
            f"{BEN}_4712_assignsubmission_file/lesson.zip": {
                "a/1.ipynb": b"{}",
                "b/2.ipynb": b"{}",
            },
        },
        {ANNA, BEN},
    ),
    "Moodle, before 4.0": (
        {f"{who}_{n}_assignsubmission_file_/x.ipynb": b"{}" for n, who in enumerate((ANNA, BEN))},
        {ANNA, BEN},
    ),
    "Moodle, without folders": (
        {
            f"{ANNA}_4711_assignsubmission_file_03-style.ipynb": b"{}",
            f"{BEN}_4712_assignsubmission_file_lesson.zip": LESSON,
        },
        {ANNA, BEN},
    ),
    "Moodle, one student only": (
        {f"{ANNA}_4711_assignsubmission_file/03-style.ipynb": b"{}"},
        {ANNA},
    ),
    "Moodle, of groups": (
        {
            "Red_3_assignsubmission_file/x.ipynb": b"{}",
            "Default group_assignsubmission_file/x.ipynb": b"{}",
        },
        {"Red", "Default group"},
    ),
    "Moodle, anonymous, and two of the same name": (
        {f"Participant_{n}_assignsubmission_file/x.ipynb": b"{}" for n in (17, 18)},
        {"Participant (17)", "Participant (18)"},
    ),
    "Moodle, with otter's": (
        {f"{ANNA}_4711_assignsubmission_file/03_2026_11_27T10_11_12_123456.zip": otter("03")},
        {ANNA},
    ),
    "otter": (
        {"anna.zip": otter("03-style"), "03-style_2026_11_27T10_11_12_123456.zip": otter("03")},
        {"anna", "03-style_2026_11_27T10_11_12_123456"},
    ),
    "Canvas": (
        {
            "lindanna_4711_123456_03-style.ipynb": b"{}",
            "oneillben_LATE_4712_123457_03-style-1.ipynb": b"{}",
            "oneillben_LATE_4712_123458_lesson.zip": LESSON,
        },
        {"lindanna", "oneillben"},
    ),
    "Gradescope": (
        {
            "assignment_1_export/submission_7/03.ipynb": b"{}",
            "assignment_1_export/submission_8/03.ipynb": b"{}",
            "assignment_1_export/submission_metadata.yml": b"",
        },
        {"submission_7", "submission_8"},
    ),
    "nbgrader": (
        {
            "course/source/style/03.ipynb": b"{}",
            "course/submitted/anna/style/03.ipynb": b"{}",
            "course/submitted/anna/style/timestamp.txt": b"",
            "course/autograded/anna/style/03.ipynb": b"{}",
        },
        {"anna"},
    ),
    "a file, or a zip file, each": (
        {"anna.ipynb": b"{}", "ben.IPYNB": b"{}", "carl.ipynb.json": b"{}", "dora.zip": LESSON},
        {"anna", "ben", "carl", "dora"},
    ),
    "a folder each, made on a Mac": (
        {
            "anna/03.ipynb": b"{}",
            "anna/.ipynb_checkpoints/03-checkpoint.ipynb": b"{}",
            "__MACOSX/anna/._03.ipynb": b"Mac",
            "ben.zip": LESSON | {"__MACOSX/stylelib-lessons/._03-style.ipynb": b"Mac"},
        },
        {"anna", "ben"},
    ),
    "made on Windows": ({"eva\\03.ipynb": b"{}", "./ben/03.ipynb": b"{}"}, {"eva", "ben"}),
}


# In a folder with other files, these would be one student's zip file, which is called all.zip.
ONE_STUDENTS = {"anna"}


@pytest.mark.parametrize(("files", "students"), EXPORTS.values(), ids=EXPORTS)
def test_whose_each_file_is(tmp_path: Path, files: Files, students: set[str]) -> None:
    zipped = tmp_path / "download.zip"
    zipped.write_bytes(packed(files))
    places = [zipped, in_folder(tmp_path / "zip in a folder", {"all.zip": files})]
    if not any("\\" in name for name in files):
        places.append(in_folder(tmp_path / "unpacked", files))
    if students & ONE_STUDENTS:
        del places[1]
    for place in places:
        found = find(place)
        assert {one.student for one in found} == students
        assert not [one for one in found if one.trouble]
        assert all(one.read() == b"{}" for one in found if not one.is_predictions)
        assert "Mac" not in "".join(one.read().decode() for one in found)


def test_a_zip_file_that_is_damaged_or_locked(tmp_path: Path) -> None:
    whole = packed({"03.ipynb": b"{}" * 1000, "04.ipynb": b"{}"})
    folder = in_folder(
        tmp_path, {"anna.zip": b"PK no zip", "ben.zip": whole[:-30], "carl.zip": b""}
    )
    broken = bytearray(whole)
    broken[39:44] = bytes(5)  # in the middle of the first file
    in_folder(folder, {"dora.zip": bytes(broken)})
    found = {one.file: one for one in find(folder)}
    assert [one for one in found if found[one].trouble] == ["anna.zip", "ben.zip", "carl.zip"]
    with pytest.raises(ValueError, match=r"error|Error|Bad"):
        found["dora.zip/03.ipynb"].read()
    assert found["dora.zip/04.ipynb"].read() == b"{}"


def test_a_small_zip_file_with_more_than_a_disk_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Little of it is read, nothing is written, and no file gets a name from the zip file."""
    monkeypatch.setattr(handed_in, "LARGEST", 10**6)
    bomb = {"../../large.ipynb": bytes(10**7), "/etc/many.zip": {"x.ipynb": b"{}"}}
    deep: Files = {"x.ipynb": b"{}"}
    for _ in range(9):
        deep = {"again.zip": deep}
    many: Files = {f"{number}.ipynb": b"" for number in range(1000)}
    folder = in_folder(tmp_path / "in", {"anna.zip": bomb, "ben.zip": deep, "carl.zip": many})
    before = sorted(tmp_path.rglob("*"))
    found = find(folder)
    large = next(one for one in found if "large" in one.file)
    assert len(large.read()) == 10**6 + 1 and handed_in.too_large(len(large.read()))
    assert [one.trouble for one in found if one.student == "ben"] == ["it holds too many files"]
    carls = [one for one in found if one.student == "carl"]
    assert len(carls) == handed_in.MOST + 1 and "more than 100 files" in carls[-1].trouble
    assert sorted(tmp_path.rglob("*")) == before
