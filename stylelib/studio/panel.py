"""How the painting goes: in words, as a bar, and as a curve."""

import time
from html import escape

import ipywidgets

from ..engine.pace import Pace, about
from .curve import loss_curve
from .runs import Run

_CURVE_PERIOD = 0.9  # seconds

_WORDS = {
    "preparing": "Getting ready: the network looks at both pictures…",
    "painting": "Painting",
    "pausing": "Pausing after this step…",
    "paused": "Paused. Press Resume to go on",
    "stopping": "Stopping after this step…",
}


class Panel(ipywidgets.VBox):
    """Says what is going on, so that nobody has to wonder whether it is stuck."""

    def __init__(self) -> None:
        self.bar = ipywidgets.FloatProgress(
            max=1.0, tooltip="How much of the painting is done", layout={"width": "100%"}
        )
        self.text = ipywidgets.HTML()
        self.message = ipywidgets.HTML()
        self.curve = ipywidgets.HTML(value=loss_curve([], 240))
        self._drawn = float("-inf")
        super().__init__([self.bar, self.text, self.message, self.curve])

    def say(self, message: str) -> None:
        """Say something in bold below the bar, until the next thing is to say."""
        self.message.value = f"<b style='line-height:1.3'>{escape(message)}</b>" if message else ""

    def show(self, state: str, run: Run | None, pace: Pace) -> None:
        """Show how far a run is."""
        if run is None:
            self.bar.value, self.text.value = 0.0, ""
            return
        recipe, done = run.recipe_at(run.iteration), run.iteration
        shape = (3, 4) if run.image is None else tuple(run.image.shape)
        whole = pace.seconds(recipe, shape)
        left = pace.seconds(recipe, shape, done)
        self.bar.value = 1.0 - left / whole if whole else 1.0
        self.bar.bar_style = {"painting": "info", "idle": "success"}.get(state, "warning")
        count = f"step {done} of {recipe.steps}"
        if run.image is not None:
            count += f", {run.image.shape[-1]} × {run.image.shape[-2]} pixels"
        if state == "painting" and done:
            # Once it runs, this run's own speed tells more than a measurement before.
            passed = whole - left
            speed = run.seconds / passed if done > 5 and passed > 0 else 1.0
            text = f"Painting: {count}, {about(left * speed)} left"
        elif state == "idle":
            end = "Done" if done >= recipe.steps else "Stopped"
            text = f"{end}: {count}, in {run.seconds:.0f} s"
        elif state == "painting":
            text = "Painting: the first step is the longest…"
        elif done and state != "preparing":
            text = f"{_WORDS[state]} ({count})"
        else:
            text = _WORDS[state]
        # Room for two lines always: what stands below must not jump.
        style = "line-height:1.4; min-height:2.8em"
        self.text.value = f"<div aria-live='polite' style='{style}'>{escape(text)}</div>"
        now = time.monotonic()
        if state != "painting" or now - self._drawn >= _CURVE_PERIOD:
            self._drawn = now
            self.curve.value = loss_curve(run.losses, recipe.steps)
