"""Predictions that are pointed at or drawn, with the mouse and with the keyboard."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from .lab import Lab, Page, barriers

pytestmark = pytest.mark.browser

PLACE = """\
from stylelib import load_image
from stylelib.lessons.neighbours.compute import PARTS
from stylelib.lessons.sketches import predict_place, reveal_place
predict_place("90.1", "What goes first? Click on it.", load_image("camel", 256), PARTS)
"""
CURVE = """\
from stylelib.lessons.sketches import predict_curve, reveal_curve
predict_curve("90.2", "How will the loss go on?", 40, "target loss")
"""
REVEAL = [
    'reveal_place("90.1", "a face")',
    'reveal_curve("90.2", [9 / (9 + i) for i in range(41)])',
]


def test_click_and_draw(lab: Lab, page: Callable[..., Page]) -> None:
    notebook = page(lab.write("sketches.ipynb", PLACE, CURVE)).run_all()
    driver = notebook.page

    def kept(key: str) -> Any:
        file = lab.folder / ".stylelib" / "predictions.json"
        return json.loads(file.read_text()).get(key, {}) if file.exists() else {}

    # A place: click, then move with the keyboard.
    picture, drawing = (notebook.cell(index).locator(".stylelib-points") for index in (0, 1))
    area = picture.locator(".stylelib-points-area")
    box = area.bounding_box()
    area.click(position={"x": 0.88 * box["width"], "y": 0.3 * box["height"]})
    notebook.until(lambda: kept("90.1").get("said") == "a face", "the click is kept")
    for _ in range(3):
        driver.keyboard.press("Shift+ArrowLeft")
    notebook.until(lambda: kept("90.1")["said"] == "somewhere else", "the arrow keys move it")
    driver.keyboard.press("ArrowUp")
    notebook.until(lambda: kept("90.1")["drawn"][0][1] < 0.29, "up, too")

    # A curve: draw it in one go, then move a point, and go to the next with the keyboard.
    area = drawing.locator(".stylelib-points-area")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    driver.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.6 * box["height"])
    driver.mouse.down()
    for across, down in ((0.3, 0.62), (0.5, 0.75), (0.75, 0.8), (0.99, 0.82)):
        driver.mouse.move(
            box["x"] + across * box["width"], box["y"] + down * box["height"], steps=4
        )
    driver.mouse.up()
    notebook.until(lambda: "falls fast" in kept("90.2").get("said", ""), "the curve is kept")
    drawing.locator(".stylelib-points-handle").nth(2).focus()
    driver.keyboard.press("ArrowRight")
    for _ in range(2):
        driver.keyboard.press("Shift+ArrowUp")
    notebook.until(lambda: kept("90.2")["drawn"][3][1] < 0.5, "the last point is up")
    assert kept("90.2")["said"] == "it falls, and then rises again"
    notebook.shot("sketches")
    for index in (0, 1):
        assert notebook.misfits(notebook.cell(index)) == []
        frame = notebook.cell(index).locator(".jp-OutputArea-output:has(.jupyter-widgets)").last
        frame.evaluate("e => e.id = 'looked-at'")
        assert barriers(driver, "#looked-at") == []
        frame.evaluate("e => e.removeAttribute('id')")

    # What is kept comes back, and is shown beside what came out; then nothing moves any more.
    again = page(lab.write("again.ipynb", PLACE, CURVE, *REVEAL)).run_all()
    for index in (2, 3):
        again.until(again.cell(index).locator("img").first.is_visible, "both are shown")
    again.shot("sketches-revealed")
    before = kept("90.2")["drawn"]
    handle = again.cell(1).locator(".stylelib-points-handle").first
    again.until(lambda: handle.get_attribute("aria-disabled") == "true", "it is fixed")
    handle.focus()
    again.page.keyboard.press("ArrowDown")
    again.page.wait_for_timeout(500)
    assert kept("90.2")["drawn"] == before
