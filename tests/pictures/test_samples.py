"""The pictures that come with stylelib: whole, large enough, credited."""

from pathlib import Path

import pytest

from stylelib import SAMPLES, load_image
from stylelib.pictures.samples import Sample

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "stylelib" / "pictures" / "samples"
CREDITS = (FOLDER / "CREDITS.md").read_text(encoding="utf-8")


def test_the_camel_and_at_least_five_paintings() -> None:
    assert SAMPLES["camel"].kind == "photo"
    assert sum(sample.kind == "painting" for sample in SAMPLES.values()) >= 5
    assert {sample.path for sample in SAMPLES.values()} == set(FOLDER.glob("*.jpg"))


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_loads(sample: Sample) -> None:
    image = load_image(sample.name)
    assert image.shape[:2] == (1, 3)
    assert max(image.shape[-2:]) >= 512  # the default size, so that none is enlarged
    assert image.min() >= 0 and image.max() <= 1
    assert image.std() > 0.1  # not a blank picture
    assert sample.title in sample.caption and sample.maker in sample.caption


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_each_has_a_licence_file(sample: Sample) -> None:
    text = Path(f"{sample.path}.license").read_text(encoding="utf-8")
    tags = dict(line.split(": ", 1) for line in text.splitlines() if line.startswith("SPDX-"))
    assert tags["SPDX-FileCopyrightText"]
    licence = tags["SPDX-License-Identifier"]
    assert licence == ("CC-BY-SA-4.0" if sample.kind == "photo" else "LicenseRef-PublicDomain")
    assert (PROJECT / "LICENSES" / f"{licence}.txt").is_file()
    rows = [line for line in CREDITS.splitlines() if line.startswith(f"| `{sample.name}` |")]
    assert len(rows) == 1
    if sample.kind == "painting":
        assert sample.title in text and sample.title in rows[0]
