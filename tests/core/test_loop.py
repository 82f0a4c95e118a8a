"""The loop: by hand, and against the engine, which takes the same steps faster."""

import ast
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

import stylelib
from stylelib import RECIPES, Transfer, load_vgg19
from stylelib.core import loop, vgg
from stylelib.core.layers import STYLE_LAYERS
from stylelib.engine.weights import read_weights

BOOK = sorted((Path(stylelib.__file__).parent / "core").glob("*.py"))


def test_a_step_is_gradient_descent() -> None:
    pixels = torch.tensor([[[[0.5, 0.25]]]], requires_grad=True)
    optimizer = torch.optim.SGD([pixels], lr=0.1)
    for _ in range(2):  # the gradient of the first step must not be added to the second's
        loss = loop.step(pixels, lambda x: (x - 1).square().sum(), optimizer)
    # x becomes x - 0.1 * 2 (x - 1), twice: what is left of the way to 1 is 0.64 of it.
    torch.testing.assert_close(pixels.detach(), torch.tensor([[[[0.68, 0.52]]]]))
    assert loss.item() == pytest.approx((0.8 * 0.5) ** 2 + (0.8 * 0.75) ** 2)
    assert not loss.requires_grad


def test_the_loop_gets_there_and_leaves_the_start_as_it_was() -> None:
    start, goal = torch.full((1, 3, 2, 2), 0.5), torch.tensor([1.4, 0.3, -0.2]).view(1, 3, 1, 1)
    asked = []
    image = loop.optimize(
        start, lambda x: (x - goal).square().sum(), (asked.append(n) for n in range(300))
    )
    assert len(asked) == 300
    expected = goal.clamp(0, 1).expand(1, 3, 2, 2)  # only the result is brought back to 0-1
    torch.testing.assert_close(image, expected, rtol=0, atol=1e-3)
    assert torch.equal(start, torch.full((1, 3, 2, 2), 0.5)) and not image.requires_grad


def test_the_book_paints_what_the_engine_paints(camel: Tensor, painting: Tensor) -> None:
    """The book's plain loop, and `Transfer` with all its machinery: the same picture."""
    recipe = RECIPES["gram"].but(
        size=64,
        steps=5,
        style_layers=dict.fromkeys(STYLE_LAYERS, 1.0),
        centered=False,
        coarse_to_fine=False,
        optimizer="adam",
        clamp=False,
    )
    network = vgg.VGG19(read_weights("embedded", "conv5_1"))
    given = load_vgg19(last="conv5_1")
    fast = Transfer(camel, painting, recipe, given, "cpu", torch.float32).run()
    plain = loop.style_transfer(camel, painting, network, recipe.style_weight, range(5))
    assert (plain - camel).abs().mean() > 0.01
    torch.testing.assert_close(plain, fast, rtol=0, atol=2e-3)


def test_a_transfer_takes_the_books_step(
    monkeypatch: pytest.MonkeyPatch, camel: Tensor, painting: Tensor
) -> None:
    taken = []
    honest = loop.step

    def step(*arguments: object) -> Tensor:
        taken.append(arguments)
        return honest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "step", step)
    recipe = RECIPES["gram"].but(size=32, steps=3, style_layers={"conv1_1": 1})
    Transfer(camel, painting, recipe.but(content_layers={"conv2_1": 1}), device="cpu").run()
    assert len(taken) == 3


@pytest.mark.parametrize("path", BOOK, ids=lambda path: path.stem)
def test_the_book_imports_torch_and_itself_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level <= 1  # `from .losses`, never `from ..`
            names = [] if node.level else [node.module or ""]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            top = name.split(".")[0]
            assert top == "torch" or top in sys.stdlib_module_names, name


def test_the_book_can_be_read_in_half_an_hour() -> None:
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in BOOK) < 650
