"""Draw with the mouse where the painting goes, in a real browser."""

from collections.abc import Callable

import pytest
from torch.nn.functional import max_pool2d

from stylelib import load_image, load_mask
from stylelib.pictures.images import resize_to

from .lab import Lab, Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_a_mask_is_drawn_with_the_mouse(lab: Lab, page: Callable[..., Page], theme: str) -> None:
    for file in lab.folder.glob("*.png"):
        file.unlink()
    cell = "from stylelib.studio import Studio\nstudio = Studio(size=96, steps=20)\nstudio"
    notebook = page(lab.write("draw.ipynb", cell), theme).run_all()
    driver = notebook.page
    look = theme.split()[-1].lower()
    driver.locator(".jupyter-widget-Collapse-header", has_text="Where to paint").first.click()
    canvas = driver.locator(".stylelib-mask canvas")
    canvas.scroll_into_view_if_needed()
    notebook.until(lambda: canvas.evaluate("c => c.width") == 512, "the photo is there")

    def stroke(height: float) -> None:
        box = canvas.bounding_box()
        y = box["y"] + height * box["height"]
        driver.mouse.move(box["x"] + 0.1 * box["width"], y)
        driver.mouse.down()
        for x in (0.3, 0.6, 0.9):
            driver.mouse.move(box["x"] + x * box["width"], y)
        driver.mouse.up()

    # A stroke across the upper third, a second one, and undo. The mask is named after its
    # contents, so the name shows that it is the first one again.
    drawn = driver.locator("text=/Mask: mask-/")
    stroke(0.15)
    notebook.until(drawn.is_visible, "the mask has arrived in Python")
    first = drawn.inner_text()
    stroke(0.8)
    notebook.until(lambda: drawn.inner_text() != first, "the second stroke has, too")
    driver.locator(".stylelib-mask button", has_text="Undo").click()
    notebook.until(lambda: drawn.inner_text() == first, "the last stroke is undone")
    notebook.shot(f"05-mask-{look}")

    notebook.press("Paint")
    done = driver.locator("text=/Done: step 20 of 20/")
    notebook.until(done.is_visible, "it paints")
    notebook.press("Save")
    notebook.until(lambda: notebook.text("Saved as"), "picture and mask are saved")
    notebook.shot(f"05-masked-{look}")
    (mask,) = lab.folder.glob("mask-*.png")
    (picture,) = set(lab.folder.glob("*.png")) - {mask}
    painted, photo = load_image(picture), load_image("camel", 96)
    where = resize_to(load_mask(mask), (54, 96)) > 0.5
    near = max_pool2d(where.float(), 7, 1, 3) > 0  # its edge is soft
    assert 0.1 < where.float().mean() < 0.5
    changed = (painted - photo).abs().amax(1, keepdim=True) > 1.5 / 255
    assert changed[where].float().mean() > 0.5
    assert not changed[~near].any()

    driver.locator(".stylelib-mask button", has_text="Invert").click()
    notebook.until(lambda: drawn.inner_text() != first, "the mask is inverted")
    driver.locator(".stylelib-mask button", has_text="Clear").click()
    notebook.until(lambda: not drawn.is_visible(), "and cleared")


def test_the_method_is_chosen_with_the_mouse(lab: Lab, page: Callable[..., Page]) -> None:
    cell = "from stylelib.studio import Painter\npainter = Painter(size=64, steps=9000)\npainter"
    notebook = page(lab.write("method.ipynb", cell))
    notebook.page.locator(".jp-CodeCell .cm-content").first.click()
    notebook.page.keyboard.press("Control+Enter")
    notebook.until(lambda: notebook.text("takes the most similar place"), "it says what it does")
    sliders = notebook.page.locator(".widget-slider:visible")
    notebook.until(sliders.filter(has_text="likeness").count, "its slider is there")
    notebook.press("Paint")
    notebook.until(lambda: notebook.text(r"neighbours \d"), "its losses are there")
    notebook.press("Gram matrices (2015)")
    notebook.until(lambda: notebook.text("effect with the next painting"), "it says so")
    notebook.until(sliders.filter(has_text="style weight").count, "another slider is there")
    assert not sliders.filter(has_text="likeness").count()
    notebook.shot("method")
    notebook.press("Stop")
    notebook.until(lambda: notebook.text(r"Stopped: step \d+ of 9000"), "it stops")
    notebook.press("Paint")
    notebook.until(lambda: notebook.text(r"content \d"), "this one has the content loss")
    notebook.press("Stop")
    notebook.until(lambda: notebook.text(r"Gram matrices \(2015\)\t"), "the table names both")


def test_a_reopened_tab_finds_its_painting(lab: Lab, page: Callable[..., Page]) -> None:
    cell = "from stylelib.studio import Painter\npainter = Painter(size=64, steps=9000)\npainter"
    name = lab.write("reload.ipynb", cell, "print(painter.run.iteration)")
    notebook = page(name)
    notebook.page.locator(".jp-CodeCell .cm-content").first.click()
    notebook.page.keyboard.press("Control+Enter")
    notebook.until(notebook.buttons("Paint").count, "the painter is there")
    photo = notebook.pixels()
    notebook.press("Paint")
    notebook.until(lambda: notebook.pixels() != photo, "it paints")
    notebook.page.keyboard.press("Control+s")
    notebook.page.wait_for_timeout(1000)
    reached = int(notebook.until(lambda: notebook.text(r"step \d+ of 9000"), "").split()[1])
    notebook.page.goto("about:blank")  # closed while painting
    notebook.page.wait_for_timeout(1000)

    address = f"http://127.0.0.1:{lab.port}/lab/tree/{name}?token={lab.token}"
    notebook.page.goto(address)
    notebook.until(notebook.buttons("Stop").count, "the same painter is there again")

    def step() -> int:
        return int((notebook.text(r"step \d+ of 9000") or "step 0 of 9000").split()[1])

    notebook.until(lambda: step() > reached, "it has kept painting, and still does")
    notebook.shot("reopened")
    notebook.press("Stop")
    notebook.until(lambda: notebook.text(r"Stopped: step \d+ of 9000"), "its buttons work")
