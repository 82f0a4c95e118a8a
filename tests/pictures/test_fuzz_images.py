"""The loader on real files damaged in thousands of ways: a picture or a sentence, in time."""

import faulthandler
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from formats import MAKERS, encoded, variants
from PIL import Image

from stylelib import SAMPLES, StylelibError, load_image, read_recipe
from stylelib.pictures.images import load_mask

SECONDS = 20  # for one file, on a machine that is also busy with other work
MEMORY = 2_500_000_000  # bytes, at most, for any file
HEADS = [0, 1, 0x7F, 0x80, 0xFF, 0xFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x10000, 3, 13_000]


def real_files() -> list[bytes]:
    """Every format, common ones in many variants, and a real photo from a camera."""
    Image.init()
    files = [make() for kind, make in MAKERS.items() if kind in Image.OPEN and kind != "PCD"]
    files += variants().values()
    with Image.open(SAMPLES["camel"].path) as photo:
        small = photo.resize((160, 90))
    return [*files, *(encoded(small, kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF"))]


def spoil(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Change bytes, flip bits, replace numbers in the header; cut, splice, repeat."""
    spoilt = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        if not spoilt:
            break
        reach = min(len(spoilt), chance.choice([16, 64, 300, len(spoilt)]))
        place = chance.randrange(reach)
        match chance.randrange(7):
            case 0:
                spoilt[place] = chance.randrange(256)
            case 1:
                spoilt[place] ^= 1 << chance.randrange(8)
            case 2:  # a width, a length, a count, an offset
                size = chance.choice([1, 2, 4])
                value = chance.choice(HEADS) & (256**size - 1)
                spoilt[place : place + size] = value.to_bytes(
                    size, chance.choice(["big", "little"])
                )
            case 3:
                del spoilt[place:]
            case 4:
                del spoilt[place : place + chance.randrange(1, 40)]
            case 5:  # the start of this, the end of another
                other = chance.choice(others)
                spoilt[place:] = other[min(place, len(other)) :]
            case 6:
                end = place + chance.randrange(1, 200)
                spoilt[place:place] = spoilt[place:end] * chance.choice([1, 2, 30])
    return bytes(spoilt)


def mutations(count: int, seed: int) -> Iterator[bytes]:
    files = real_files()
    chance = random.Random(seed)
    for turn in range(count):
        yield spoil(files[turn % len(files)], files, chance)


def fuzz(count: int, seed: int) -> tuple[int, int, float]:
    """Load each; return how many gave a picture, how many a sentence, and the longest time in s."""
    pictures, refused, longest = 0, 0, 0.0
    for turn, data in enumerate(mutations(count, seed)):
        load = (load_image, load_mask)[turn % 13 == 0]
        size = (None, 16, 48)[turn % 3]
        begun = time.monotonic()
        faulthandler.dump_traceback_later(SECONDS, exit=True)  # even in a decoder written in C
        try:
            image = load(data, size)
            assert image.shape[:2] == (1, 1 if load is load_mask else 3), image.shape
            assert min(image.shape[-2:]) >= 1 and bool(image.isfinite().all())
            assert image.min() >= 0 and image.max() <= 1
            assert size is None or max(image.shape[-2:]) == size
            pictures += 1
        except StylelibError as error:
            assert str(error).endswith((".", "again.")), error
            refused += 1
        except BaseException:
            Path("damaged.bin").write_bytes(data)  # to look into it later
            raise
        if turn % 5 == 0:
            with suppress(StylelibError):
                assert isinstance(read_recipe(data), dict | None)
        faulthandler.cancel_dump_traceback_later()
        longest = max(longest, time.monotonic() - begun)
    return pictures, refused, longest


def run_apart(folder: Path, count: int, seed: int) -> tuple[int, int, float]:
    """In a new process, so that a crash, a hang or full memory is noticed."""
    done = subprocess.run(
        [sys.executable, __file__, str(count), str(seed)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    # libtiff prints its own messages; no warning of Python's may reach a student.
    assert "Warning" not in done.stderr, done.stderr[-3000:]
    pictures, refused, longest, memory = map(float, done.stdout.split())
    assert memory < MEMORY
    print(done.stdout)  # shown with -s
    return int(pictures), int(refused), longest


def test_damaged_files_give_a_picture_or_a_sentence(tmp_path: Path) -> None:
    pictures, refused, _ = run_apart(tmp_path, 600, seed=1)
    assert pictures > 100 and refused > 100  # both happen, so both were tried


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_ten_thousand_damaged_files(tmp_path: Path, seed: int) -> None:
    pictures, refused, _ = run_apart(tmp_path, 2500, seed)
    assert pictures > 500 and refused > 500


def peak_memory() -> int:
    """The most memory that this process ever had, in bytes."""
    info = psutil.Process().memory_info()
    if os.name == "nt":
        return int(info.peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


if __name__ == "__main__":
    load_image("camel", 16)  # memory that PyTorch takes does not count
    at_first = peak_memory()
    result = fuzz(int(sys.argv[1]), int(sys.argv[2]))
    print(*result, peak_memory() - at_first)
