"""Which device and which precision: asked of made-up computers."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from stylelib import StylelibError
from stylelib.engine import devices
from stylelib.engine.devices import choose_device, choose_precision
from stylelib.engine.memory import check_memory

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
    monkeypatch.setattr(devices, "has_matrix_units", lambda: False)
    monkeypatch.setattr(devices, "convolution_time", lambda dtype: times[dtype])
    assert choose_precision(CPU) == chosen


def test_float32_where_bfloat16_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def time(dtype: torch.dtype) -> float:
        if dtype == torch.bfloat16:
            raise RuntimeError("not implemented for 'BFloat16'")
        return 1.0

    monkeypatch.setattr(devices, "has_matrix_units", lambda: False)
    monkeypatch.setattr(devices, "convolution_time", time)
    assert choose_precision(CPU) == torch.float32


def test_float32_on_apples_gpu() -> None:
    assert choose_precision(torch.device("mps")) == torch.float32


def test_the_real_measurement_takes_no_time_to_speak_of() -> None:
    assert 0 < devices.convolution_time(torch.float32) < 5
    assert choose_precision(CPU) in (torch.float32, torch.bfloat16)


def test_a_processor_with_matrix_units_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "convolution_time", lambda dtype: 1.0)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    assert choose_precision(CPU) == torch.bfloat16


def test_bfloat16_instructions_alone_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {torch.bfloat16: 2.0, torch.float32: 1.0}
    monkeypatch.setattr(devices, "convolution_time", lambda dtype: times[dtype])
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    assert choose_precision(CPU) == torch.float32
