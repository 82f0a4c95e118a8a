"""A network exported to ONNX paints as it does in PyTorch."""

import builtins
from pathlib import Path
from typing import Any

import pytest
import torch

from stylelib import FeedForward, StylelibError, export_onnx, load_image
from stylelib.cli import main

NETWORK = "hokusai-great-wave.pt"


def test_it_paints_the_same_at_every_size(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    assert main(["export", NETWORK, str(tmp_path / "wave.onnx")]) == 0
    session = runtime.InferenceSession(str(tmp_path / "wave.onnx"))
    network = FeedForward.load(NETWORK)
    for size in (40, 97):
        photo = load_image("camel", size)
        (painted,) = session.run(None, {"photo": photo.numpy()})
        torch.testing.assert_close(
            torch.from_numpy(painted), network.paint(photo), rtol=0, atol=1e-5
        )


def test_a_network_of_several_paintings_takes_their_shares(tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    network = FeedForward(width=2, blocks=1, paintings=["waves", "poppies"])
    for value in network.parameters():
        value.data += torch.rand(value.shape, generator=torch.Generator().manual_seed(1)) / 4
    session = runtime.InferenceSession(str(export_onnx(network, tmp_path / "both.onnx")))
    photo = load_image("camel", 40)
    for shares in ([1.0, 0.0], [0.3, 0.7]):
        given = {"photo": photo.numpy(), "shares": torch.tensor(shares).numpy()}
        (painted,) = session.run(None, given)
        expected = network.paint(photo, torch.tensor(shares))
        torch.testing.assert_close(torch.from_numpy(painted), expected, rtol=0, atol=1e-5)


def test_what_it_needs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_module = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.split(".")[0] in ("onnx", "onnxruntime"):
            raise ImportError(name)
        return import_module(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StylelibError, match=r"pip install \"stylelib\[onnx\]\""):
        export_onnx(FeedForward(width=2, blocks=0), tmp_path / "network.onnx")
    with pytest.raises(StylelibError, match="must end in"):
        export_onnx(FeedForward(width=2, blocks=0), tmp_path / "network.pt")
