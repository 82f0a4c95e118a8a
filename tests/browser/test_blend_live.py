"""Drag from one painting to another, in a real browser."""

from collections.abc import Callable

import pytest

from .lab import Lab, Page, barriers

pytestmark = pytest.mark.browser


def test_the_camel_follows_the_slider(lab: Lab, page: Callable[..., Page]) -> None:
    cell = "from stylelib.studio import Live\nlive = Live()\nlive"
    notebook = page(lab.write("live.ipynb", cell)).run_all()
    picture, mouse = notebook.page.locator(".stylelib-live img"), notebook.page.mouse
    notebook.until(picture.is_visible, "the picture is there")
    notebook.shot("live")
    output = notebook.page.locator(".jp-OutputArea-output:has(.stylelib-live)")
    handle, _ = notebook.slider("blend")
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before, said = notebook.pixels(output), [picture.get_attribute("alt")]
    mouse.move(x, y)
    mouse.down()
    for across in (20, 40, 60):  # the picture follows before the button is released
        mouse.move(x + across, y)
        notebook.until(lambda: picture.get_attribute("alt") != said[-1], "another picture")
        said.append(picture.get_attribute("alt"))
    mouse.up()
    assert notebook.pixels(output) != before
    handle.press("End")
    notebook.until(lambda: " 100 % Village Street" in picture.get_attribute("alt"), "by keyboard")
    assert notebook.misfits(notebook.cell(0)) == []
    output.evaluate("e => e.id = 'looked-at'")
    assert barriers(notebook.page, "#looked-at") == []


def test_the_painter_has_a_page_for_it(lab: Lab, page: Callable[..., Page]) -> None:
    cell = "from stylelib.studio import Painter\npainter = Painter(size=64)\npainter"
    notebook = page(lab.write("live-page.ipynb", cell)).run_all()
    notebook.page.locator(".jupyter-widget-Collapse-header", has_text="Live").first.click()
    picture = notebook.page.locator(".stylelib-live img")
    notebook.until(picture.is_visible, "it opens")
    before = picture.get_attribute("src")
    notebook.slider("blend")[0].press("Home")
    notebook.until(lambda: picture.get_attribute("src") != before, "and follows the keyboard")
    picture.scroll_into_view_if_needed()
    notebook.shot("live-page")
