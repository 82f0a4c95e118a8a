"""The warm-up: its figure, and the exercises with what students write."""

from typing import Any

import pytest
import torch

from stylelib.lessons.warmup.exercises import check
from stylelib.lessons.warmup.figures import tensors


def test_small_tensors_share_one_grey_scale_and_say_their_shape() -> None:
    plot = tensors(one=torch.tensor([[1.0, 3.0]]), other=torch.tensor([9.0, 0.0, 2.0]))
    axes = plot.figure.axes
    assert [each.get_title() for each in axes] == ["one\n(1, 2)", "other\n(3,)"]
    assert [text.get_text() for each in axes for text in each.texts] == ["1", "3", "9", "0", "2"]
    assert {each.images[0].get_clim() for each in axes} == {(0.0, 9.0)}


@pytest.mark.parametrize(
    ("number", "wrong", "hint"),
    [
        ("0.1", lambda i: i[:, :, : i.shape[2] // 2, :], "upper half"),
        ("0.1", lambda i: torch.chunk(i, 2, dim=-1)[1], "right half"),
        ("0.1", lambda i: i[0][..., : i.shape[-1] // 2], "first dimension is lost"),
        ("0.1", lambda i: i[:, :, :, 0 : i.shape[-1] // 2 - 1], "too many or too few"),
        ("0.2", lambda i: i[:, :, ::2, :], "columns are all there"),
        ("0.2", lambda i: i[:, :, 1::2, 1::2], "Begin with the first"),
        ("0.2", lambda i: i[:, :, :2, :2], "two colons"),
        ("0.2", lambda i: i[::2, ::2], "pictures and colours"),
        ("0.3", lambda v: v.unsqueeze(0), "It takes two"),
        ("0.3", lambda v: v.reshape(*v.shape, 1, 1), "at the end"),
        ("0.3", lambda v: v.view(1, 1, -1), "in one row"),
        ("0.4", lambda i: i.mean([2, 3]), "shape is (1, 3)"),
        ("0.4", lambda i: torch.mean(i), "one number for everything"),
        ("0.4", lambda i: i.mean(dim=1, keepdim=True), "grey picture"),
        ("0.4", lambda i: i.sum((2, 3), keepdim=True), "this is the sum"),
        ("0.5", lambda i: i - i.mean(), "mean of its own"),
        ("0.5", lambda i: i - i.mean((2, 3)), "lined up with the columns"),
        ("0.5", lambda i: i.mean((2, 3), keepdim=True) - i, "sign is wrong"),
        ("0.6", lambda i, c: i * c, "from the right"),
        ("0.6", lambda i, c: i * c.view(3, 1), "One more 1"),
        ("0.6", lambda i, c: i + c.view(1, 3, 1, 1), "Multiply"),
        ("0.6", lambda i, c: i * c.mean(), "same number"),
    ],
)
def test_a_mistake_of_the_warm_up_gets_its_hint(number: str, wrong: Any, hint: str) -> None:
    verdict = check(number, wrong)
    assert verdict.state == "wrong"
    assert hint in verdict.message
