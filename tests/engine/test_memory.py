"""How much memory is free and how much is needed; and what happens when there is none left."""

import os
import sys

import pytest
import torch
from fresh import KEEP, python
from torch import Tensor

from stylelib import LAYERS, RECIPES, VGG19, StylelibError, Transfer, features, memory
from stylelib.engine.memory import check_memory, memory_needed, numbers_kept, ran_out
from stylelib.errors import OUT_OF_MEMORY, is_out_of_memory

CPU = torch.device("cpu")
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits")


def with_free(monkeypatch: pytest.MonkeyPatch, free: float) -> None:
    monkeypatch.setattr(memory, "memory_limits", lambda: {"of the computer": int(free)})


# What is needed


@pytest.mark.parametrize(
    "deepest", ["conv1_1", "conv2_2", "pool3", "conv4_2", "conv5_1", "conv5_4"]
)
def test_what_the_network_keeps(network: VGG19, deepest: str) -> None:
    """Counted on real maps."""
    layers = LAYERS[: LAYERS.index(deepest) + 1]
    maps = features(torch.rand(1, 3, 64, 32), layers, network)
    counted = sum(values.numel() for values in maps.values()) / (64 * 32)
    assert numbers_kept(deepest) == pytest.approx(counted, rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_a_larger_picture_needs_more(dtype: torch.dtype) -> None:
    small, large = memory_needed(256, 256, dtype), memory_needed(512, 512, dtype)
    assert 10_000_000 < small < large
    per_pixel = (large - small) / (512**2 - 256**2)
    # The maps of conv1_1 and conv1_2 alone: 64 numbers each, for every pixel.
    assert per_pixel > 2 * 64 * dtype.itemsize


def test_deeper_layers_need_more() -> None:
    needed = [memory_needed(512, 512, torch.float32, deepest=name) for name in LAYERS]
    assert needed == sorted(needed) and needed[0] < needed[-1]


def test_a_search_needs_more_for_each_painting_but_not_without_end() -> None:
    none, one, two = (
        memory_needed(512, 512, torch.float32, 512**2, searched=count) for count in (0, 1, 2)
    )
    assert 0 < one - none == two - one < 1e9
    large = [memory_needed(4096, 4096, torch.float32, 4096**2, searched=n) for n in (0, 1)]
    assert large[1] - large[0] == one - none  # only so many places of it are searched


def test_1024_pixels_fit_in_4_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    with_free(monkeypatch, 4e9)
    check_memory(1024, 1024, CPU, torch.float32)


@pytest.mark.parametrize("free", [1e9, 3.7e9, 16e9])
@pytest.mark.parametrize(("height", "width"), [(8192, 8192), (4000, 8192), (8192, 2400)])
def test_the_size_that_is_advised_fits(
    monkeypatch: pytest.MonkeyPatch, free: float, height: int, width: int
) -> None:
    with_free(monkeypatch, free)
    expected = f"{width} x {height} pixels needs about .* GB of memory, and {free / 1e9:.1f} GB"
    with pytest.raises(StylelibError, match=expected) as caught:
        check_memory(height, width, CPU, torch.float32)
    size = int(str(caught.value).rsplit("Try size ", 1)[1].rstrip("."))
    scale = size / max(height, width)
    assert 0.02 < scale < 1
    check_memory(round(height * scale), round(width * scale), CPU, torch.float32)
    larger = 1.1 * scale  # and it is not much smaller than it need be
    with pytest.raises(StylelibError):
        check_memory(round(height * larger), round(width * larger), CPU, torch.float32)


def test_a_painting_larger_than_the_photo_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A panorama of 1000 x 100 pixels after a square painting whose strokes are enlarged."""
    with_free(monkeypatch, 1e9)
    check_memory(100, 1000, CPU, torch.float32, painting=1000 * 100)
    with pytest.raises(StylelibError, match=r"the painting is the larger one.*Try size (\d+)") as e:
        check_memory(100, 1000, CPU, torch.float32, painting=3000 * 3000)
    scale = int(str(e.value).rsplit("Try size ", 1)[1].rstrip(".")) / 1000
    painting = round(3000 * 3000 * scale**2)
    check_memory(round(100 * scale), round(1000 * scale), CPU, torch.float32, painting)


def test_where_nothing_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    with_free(monkeypatch, 1e8)
    with pytest.raises(StylelibError, match="Close other programs"):
        check_memory(64, 64, CPU, torch.float32)


# When it runs out

SAID = [
    (MemoryError(), True),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"), True),
    (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
    (RuntimeError("std::bad_alloc"), True),
    (RuntimeError("could not create a primitive"), True),
    (RuntimeError("could not execute a primitive"), True),
    (ImportError("x.so: failed to map segment from shared object"), True),
    (RuntimeError("could not create a primitive descriptor for a convolution"), False),
    (RuntimeError("shapes differ"), False),
    (ImportError("No module named x"), False),
    (ValueError("out of memory"), False),
]


@pytest.mark.parametrize(("error", "full"), SAID)
def test_who_says_out_of_memory(error: Exception, full: bool) -> None:
    assert is_out_of_memory(error) is full


def test_a_kept_error_keeps_no_maps() -> None:
    """A notebook keeps the last error; what was under way must go all the same."""
    gone: list[str] = []

    class Maps:
        def __del__(self) -> None:
            gone.append("maps")

    def work() -> list[str]:
        maps = Maps()
        try:
            raise MemoryError("none left")
        finally:  # a closure, which a cleared frame still holds
            [str(maps) for _ in range(1)]

    with pytest.raises(StylelibError, match="ran out of memory") as kept:
        try:
            work()
        except MemoryError as error:
            raise ran_out(error, lambda: gone.append("told")) from error
    assert str(kept.value.__cause__) == "none left" and gone == ["maps", "told"]


PAINT = """
import resource, sys
import psutil, torch
import stylelib.engine.network
from stylelib import RECIPES, StylelibError, Transfer, load_vgg19
from stylelib.errors import OUT_OF_MEMORY, is_out_of_memory

winograd = False
stylelib.engine.network.choose_winograd = lambda *_: winograd

def paint(size):
    picture = torch.rand(1, 3, size, size)
    recipe = RECIPES["gram"].but(size=size, steps=1, coarse_to_fine=False)
    transfer = Transfer(picture, picture.flip(2), recipe, network, "cpu", torch.float32)
    transfers.append(transfer)  # as a notebook's variables do
    return transfer.run().shape[-1]

def leave(room):
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + room,) * 2)

resource.setrlimit(resource.RLIMIT_AS, (2**45,) * 2)  # ulimit: there from the start
transfers = []
network = load_vgg19(last="conv5_1")
network.set_precision(torch.float32, winograd)
paint(32)
"""
# At 256 pixels every layer has enough tiles: the weights are made before there is a limit.
WINOGRAD = PAINT.replace("winograd = False", "winograd = True").replace("paint(32)", "paint(256)")


@LINUX
def test_the_size_that_is_offered_can_be_painted() -> None:
    """Under a real limit of the process, said before the work starts."""
    told = python(
        PAINT
        + """
leave(650_000_000)
try:
    paint(2048)
except StylelibError as error:
    print(error)
    print(paint(int(str(error).rsplit("Try size ", 1)[1].rstrip("."))))
"""
    )
    assert "GB are free. Try size" in told
    assert 96 <= int(told.split()[-1]) <= 256


@LINUX
@pytest.mark.parametrize("paint", [PAINT, WINOGRAD])
def test_after_running_out_a_smaller_picture_can_be_painted(paint: str) -> None:
    """Nothing foresaw it, the failed transfer and its error are kept: still it goes on."""
    told = python(
        paint
        + """
stylelib.engine.transfer.check_memory = lambda *_: None
leave(230_000_000)
kept = []
for size in (384, 384):
    try:
        paint(size)
    except StylelibError as error:
        kept.append(error)
        print(str(error) == OUT_OF_MEMORY)
print(paint(128))
"""
    )
    assert told.split() == ["True", "True", "128"]


@LINUX
def test_a_finished_painting_gives_its_memory_back() -> None:
    told = python(
        KEEP
        + """
from stylelib import RECIPES, Transfer, load_image
recipe = RECIPES["gram"].but(size=256, steps=2, coarse_to_fine=False)
transfer = Transfer(load_image("camel"), load_image("hokusai-poppies"), recipe, device="cpu")
for step in transfer:
    painted = size()
print(painted, size())
"""
    )
    painted, after = map(int, told.split())
    assert painted - after > 50_000_000


@LINUX
def test_onednn_without_room_is_told_in_the_same_words() -> None:
    """It has a way of its own to say so. It remembers, so the sentence tells to start again."""
    told = python(
        PAINT
        + """
stylelib.engine.transfer.check_memory = lambda *_: None
room = [torch.ones(4_000_000) for _ in range(8)]
del room  # now small tensors find room, but nothing new from the system
leave(0)
try:
    paint(48)
except StylelibError as error:
    print(str(error) == OUT_OF_MEMORY, error.__cause__)
"""
    )
    assert told == "True could not create a primitive\n"
    assert "start Python again" in OUT_OF_MEMORY


MEASURE = """
import resource, sys
import torch
from stylelib import RECIPES, Transfer, load_vgg19
from stylelib.engine import transfer
from stylelib.engine.devices import choose_winograd
from stylelib.engine.memory import memory_needed
from stylelib.core.layers import LAYERS

size, dtype = int(sys.argv[1]), getattr(torch, sys.argv[2])
deepest, scale = sys.argv[3], float(sys.argv[4])
transfer.check_memory = lambda *_: None
default = RECIPES["gram"]
shallow = [n for n in default.style_layers if LAYERS.index(n) <= LAYERS.index(deepest)]
recipe = default.but(
    size=size, steps=3, coarse_to_fine=False, style_scale=scale,
    content_layers={deepest: 1.0}, style_layers=dict.fromkeys(shallow, 1.0),
)
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
picture = torch.rand(1, 3, size, size)
network = load_vgg19(last=deepest)
network.set_precision(dtype, choose_winograd(torch.device("cpu"), dtype))
Transfer(picture, picture.flip(2), recipe, network, "cpu", dtype).run()
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before
print(used, memory_needed(size, size, dtype, round(size * scale) ** 2, deepest))
"""

MEASURE_SEARCH = """
import resource, sys
import torch
from stylelib import RECIPES, Transfer
from stylelib.engine import transfer
from stylelib.engine.memory import memory_needed

size, dtype = int(sys.argv[1]), getattr(torch, sys.argv[2])
transfer.check_memory = lambda *_: None
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
picture, recipe = torch.rand(1, 3, size, size), RECIPES["neighbours"].but(size=size, steps=8)
Transfer(picture, picture.flip(2), recipe, device="cpu", precision=dtype).run()
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit - before
print(used, memory_needed(size, size, dtype, size**2, recipe.deepest, searched=1))
"""


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("size", [384, 768])
def test_the_estimate_of_a_search_holds(size: int, dtype: str) -> None:
    used, said = map(int, python(MEASURE_SEARCH, size, dtype).split())
    assert 0.5 * said < used <= said


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize(
    ("size", "dtype", "deepest", "scale"),
    [
        (512, "float32", "conv5_1", 1.0),
        (512, "bfloat16", "conv5_1", 1.0),
        (768, "float32", "conv4_2", 1.0),
        (512, "float32", "conv1_2", 1.0),
        (256, "float32", "conv5_1", 5.0),
    ],
)
def test_the_estimate_holds(size: int, dtype: str, deepest: str, scale: float) -> None:
    """What real steps take is what was said, or less, but not by far."""
    used, said = map(int, python(MEASURE, size, dtype, deepest, scale).split())
    assert 0.5 * said < used <= said


def test_a_painting_that_is_done_keeps_no_copies_of_the_weights(
    network: VGG19, camel: Tensor, painting: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPES["gram"].but(size=64, steps=2, coarse_to_fine=False)
    transfer = Transfer(camel, painting, recipe, network, "cpu", torch.float32)
    forgotten: list[int] = []
    monkeypatch.setattr(
        type(transfer.network), "forget", lambda _: forgotten.append(transfer.iteration)
    )
    transfer.run()
    assert forgotten == [2]


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["gram", "neighbours"])
def test_a_kernel_that_has_painted_and_rests_is_small(recipe: str) -> None:
    """The transfer is kept, as a notebook's variables are."""
    told = python(
        f"""
import psutil
from stylelib import RECIPES, Transfer, load_image
recipe = RECIPES["{recipe}"].but(steps=3, coarse_to_fine=False)
transfer = Transfer(load_image("camel"), load_image("hokusai-great-wave"), recipe, device="cpu")
transfer.run()
print(psutil.Process().memory_info().rss)
"""
    )
    assert int(told) < 400e6
