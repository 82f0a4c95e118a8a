"""The progress of a run: in words, as a bar, and as a curve."""

import time
from html import escape

import ipywidgets

from ..engine.pace import Pace, about
from ..recipes import Recipe
from .curve import loss_curve
from .runs import Run

_CURVE_PERIOD = 0.9  # seconds

_TEXTS = {
    "preparing": "Getting ready: the network is looking at both pictures…",
    "starting": "Painting: the first step takes longest…",
    "painting": "Painting: step {done} of {steps}, {width} × {height} pixels, {left} left",
    "pausing": "Pausing after this step…",
    "paused": "Paused at step {done} of {steps}. Press Resume to continue.",
    "stopping": "Stopping after this step…",
    "done": "Done: step {done} of {steps}, {width} × {height} pixels, in {seconds:.0f} s",
    "stopped": "Stopped: step {done} of {steps}, {width} × {height} pixels, in {seconds:.0f} s",
    "small": "Stopped: step {done} of {steps}. The picture is still small, {width} × {height} "
    "pixels; finishing it takes {left}.",
}


class Panel(ipywidgets.VBox):
    """Says what is going on, so that nobody has to wonder whether it is stuck."""

    def __init__(self) -> None:
        self.bar = ipywidgets.FloatProgress(
            max=1.0,
            tooltip="How much of the painting is done",
            layout={"width": "calc(100% - 4px)"},
        )
        self.text = ipywidgets.HTML()
        self.message = ipywidgets.HTML()
        self.curve = ipywidgets.HTML()
        self._drawn = float("-inf")
        super().__init__([self.bar, self.text, self.message])  # the curve is placed elsewhere

    def say(self, message: str) -> None:
        """Show a message in bold below the bar, until the next one."""
        self.message.value = f"<b style='line-height:1.3'>{escape(message)}</b>" if message else ""

    def show(self, state: str, run: Run | None, pace: Pace, wanted: Recipe) -> None:
        """Show how far a run has got or, before the first, that the wanted one is to come."""
        if run is None:
            self.bar.value, self.text.value = 0.0, ""
            self.curve.value = loss_curve([], wanted.stages())
            return
        recipe, done = run.recipe_at(run.iteration), run.iteration
        shape = (3, 4) if run.image is None else tuple(run.image.shape)
        whole = pace.seconds(recipe, shape)
        left = pace.seconds(recipe, shape, done)
        self.bar.value = 1.0 - left / whole if whole else 1.0
        self.bar.bar_style = {"painting": "info", "idle": "success"}.get(state, "warning")
        if state == "painting" and not done:
            state = "starting"
        elif state == "idle":
            state = "small" if run.small else "stopped"
            state = "done" if done >= recipe.steps else state
        # After a few steps, the run's own speed says more than an earlier measurement.
        passed = pace.seconds(recipe, shape, run.begun) - left
        speed = run.seconds / passed if done > run.begun + 5 and passed > 0 else 1.0
        text = _TEXTS[state].format(
            done=done,
            steps=recipe.steps,
            width=shape[-1],
            height=shape[-2],
            left=about(left * speed),
            seconds=run.seconds,
        )
        self.text.value = f"<div aria-live='polite' class='stylelib-progress'>{escape(text)}</div>"
        now = time.monotonic()
        if state != "painting" or now - self._drawn >= _CURVE_PERIOD:
            self._drawn = now
            self.curve.value = loss_curve(run.losses, recipe.stages())
