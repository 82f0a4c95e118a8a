"""The time left, as the panel says it."""

from dataclasses import replace

import pytest
import torch

from stylelib.engine.pace import Pace
from stylelib.engine.transfer import Step
from stylelib.recipes import RECIPES
from stylelib.studio.panel import Panel
from stylelib.studio.picture import Picture
from stylelib.studio.runs import Frame, Run

RECIPE = RECIPES["gram"].but(size=64, steps=200, coarse_to_fine=False)
A_SECOND = Pace(fixed=1.0, per_pixel=0.0)


def painted(run: Run, first: int, last: int, seconds: float) -> Run:
    """With these steps taken, each in that time."""
    image, losses = torch.rand(1, 3, 36, 64), {"content": 1.0, "style": 1.0}
    for number in range(first, last + 1):
        run.add(Step(number, 200, losses, {}, image), {}, seconds)
    return run


def said(run: Run) -> str:
    panel = Panel()
    panel.show("painting", run, A_SECOND, run.recipe)
    return panel.text.value


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.5, "about 50 s"), (1.0, "minute and a half"), (3.0, "5 minutes")]
)
def test_a_run_knows_its_own_speed(seconds: float, words: str) -> None:
    camel = Picture("camel", "camel")
    run = Run(1, camel, camel, RECIPE)
    run.frames = [Frame(0, b"", torch.rand(1, 3, 36, 64))]
    painted(run, 1, 100, seconds)
    assert words in said(run)
    # Continued from there: what was painted before says nothing about the time now.
    branch = run.back_to(replace(run.frames[-1], image=torch.rand(1, 3, 36, 64)), 2)
    assert "minute and a half" in said(branch)
    assert words in said(painted(branch, branch.iteration + 1, branch.iteration + 6, seconds))
