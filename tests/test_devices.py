"""Which device, which precision, and how much memory: asked of made-up computers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from stylelib import StylelibError, devices
from stylelib.devices import check_memory, choose_device, choose_precision, memory_needed

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    choose_device.cache_clear()
    choose_precision.cache_clear()
    yield
    choose_device.cache_clear()
    choose_precision.cache_clear()


# The device


def test_the_cpu_is_always_there() -> None:
    assert choose_device("cpu") == CPU


def test_an_unknown_device_is_answered_with_the_nearest() -> None:
    with pytest.raises(StylelibError, match="Did you mean cuda"):
        choose_device("cuda:")
    with pytest.raises(StylelibError, match="There are: auto, cpu, cuda, mps"):
        choose_device("toaster")


def pretend(monkeypatch: pytest.MonkeyPatch, *working: str) -> None:
    monkeypatch.setattr(devices, "_works", lambda name: name in working)


@pytest.mark.parametrize(
    ("working", "chosen"), [((), "cpu"), (("mps",), "mps"), (("cuda",), "cuda")]
)
def test_auto_takes_what_works(
    monkeypatch: pytest.MonkeyPatch, working: tuple[str, ...], chosen: str
) -> None:
    pretend(monkeypatch, *working)
    assert choose_device("auto").type == chosen


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pretend(monkeypatch)
    with pytest.raises(StylelibError, match=f"no working {name} device.*Use 'cpu'"):
        choose_device(name)


def test_a_card_that_is_there_but_fails_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old driver, or a card with no memory left: torch says so only when it is used."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch, "rand", fail)
    assert choose_device("auto") == CPU
    with pytest.raises(StylelibError, match="no working cuda device"):
        choose_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA card")
def test_a_real_card() -> None:
    assert choose_device("auto").type == "cuda"
    check_memory(64, 64, choose_device("cuda"), torch.float32)


# The precision


@pytest.mark.parametrize(
    ("half", "full", "chosen"),
    [(1.0, 3.0, torch.bfloat16), (1.0, 1.2, torch.float32), (5.0, 1.0, torch.float32)],
)
def test_bfloat16_where_it_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, half: float, full: float, chosen: torch.dtype
) -> None:
    times = {torch.bfloat16: half, torch.float32: full}
    monkeypatch.setattr(devices, "_has_matrix_units", lambda: False)
    monkeypatch.setattr(devices, "_convolution_time", lambda dtype: times[dtype])
    assert choose_precision(CPU) == chosen


def test_float32_where_bfloat16_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def time(dtype: torch.dtype) -> float:
        if dtype == torch.bfloat16:
            raise RuntimeError("not implemented for 'BFloat16'")
        return 1.0

    monkeypatch.setattr(devices, "_has_matrix_units", lambda: False)
    monkeypatch.setattr(devices, "_convolution_time", time)
    assert choose_precision(CPU) == torch.float32


def test_float32_on_apples_gpu() -> None:
    assert choose_precision(torch.device("mps")) == torch.float32


def test_the_real_measurement_takes_no_time_to_speak_of() -> None:
    assert 0 < devices._convolution_time(torch.float32) < 5
    assert choose_precision(CPU) in (torch.float32, torch.bfloat16)


# The memory


def with_free(monkeypatch: pytest.MonkeyPatch, free: float) -> None:
    memory = SimpleNamespace(available=int(free))
    monkeypatch.setattr(devices.psutil, "virtual_memory", lambda: memory)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_a_larger_picture_needs_more(dtype: torch.dtype) -> None:
    small, large = memory_needed(256, 256, dtype), memory_needed(512, 512, dtype)
    assert 10_000_000 < small < large
    per_pixel = (large - small) / (512**2 - 256**2)
    # The maps of conv1_1 and conv1_2 alone: 64 numbers each, for every pixel.
    assert per_pixel > 2 * 64 * dtype.itemsize


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


def test_where_nothing_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    with_free(monkeypatch, 1e8)
    with pytest.raises(StylelibError, match="Close other programs"):
        check_memory(64, 64, CPU, torch.float32)


MEASURE = """
import resource, sys
import torch
from stylelib import RECIPES, Transfer, load_vgg19
from stylelib.devices import memory_needed

size, dtype = int(sys.argv[1]), getattr(torch, sys.argv[2])
network = load_vgg19()
network.set_precision(dtype)
scale = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
picture = torch.rand(1, 3, size, size)
recipe = RECIPES["default"].but(size=size, steps=3, coarse_to_fine=False)
Transfer(picture, picture.flip(2), recipe, network, "cpu", dtype).run()
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale - before
print(used, memory_needed(size, size, dtype))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no resource module")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_estimate_holds(dtype: str) -> None:
    """What a real step at 512 pixels takes is what was said, or less, but not by far."""
    command = [sys.executable, "-c", MEASURE, "512", dtype]
    used, said = map(int, subprocess.check_output(command, text=True).split())
    assert 0.3 * said < used <= said


def test_a_processor_with_matrix_units_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_convolution_time", lambda dtype: 1.0)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    assert choose_precision(CPU) == torch.bfloat16


def test_bfloat16_instructions_alone_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {torch.bfloat16: 2.0, torch.float32: 1.0}
    monkeypatch.setattr(devices, "_convolution_time", lambda dtype: times[dtype])
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    assert choose_precision(CPU) == torch.float32
