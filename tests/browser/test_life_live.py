"""Before, after and around the painting: nobody has to ask whether it is stuck, in a browser."""

from collections.abc import Callable

import pytest

from .lab import Lab, Page

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

PAINTER = "from stylelib.studio import Painter\npainter = Painter(size=64, steps=9000)\npainter"
BUSY = "import os, time\nwhile not os.path.exists('go-on'):\n    time.sleep(0.1)"


def forgive(page: Page) -> None:
    """JupyterLab reports each widget that it doesn't find; what it shows instead is tested."""
    page.errors[:] = [error for error in page.errors if "widget model not found" not in error]


def test_from_the_first_press_to_the_next_day(lab: Lab, page: Open) -> None:
    name = lab.write("life.ipynb", PAINTER, BUSY)
    go_on, painted = lab.folder / "go-on", lab.folder / "painted"
    go_on.unlink(missing_ok=True)
    for file in painted.glob("*"):
        file.unlink()
    notebook = page(name)
    driver = notebook.page

    # While a later cell runs, the browser says what a press is waiting for.
    driver.click("text=Run >> nth=0")
    driver.click("text=Run All Cells >> nth=0")
    notebook.until(notebook.buttons("Paint").count, "the painter is there")
    notebook.until(lambda: notebook.text("Other cells are still running"), "it says why")
    notebook.press("Paint")
    waiting = driver.locator("text=Waiting for the cells below to finish")
    waiting.wait_for(state="visible", timeout=5000)
    notebook.shot("life-waiting")
    go_on.touch()
    notebook.until(lambda: notebook.text(r"Painting: step \d+ of 9000"), "it paints")
    waiting.wait_for(state="hidden")

    # A picture that was stopped early says so.
    notebook.press("Stop")
    notebook.until(lambda: notebook.text(r"Stopped: step \d+ of 9000"), "it stops")
    notebook.until(lambda: len(list(painted.glob("001-*.png"))) == 1, "the picture is kept")
    notebook.until(lambda: notebook.text("kept in the folder painted"), "and it says where")

    # The kernel restarts while it paints: what was painted stays to be seen.
    notebook.press("Paint")
    note = driver.locator(".stylelib-still")
    notebook.until(lambda: "No. 2" in note.text_content(), "the notebook holds the newest picture")
    assert not note.is_visible()
    driver.click("text=Kernel >> nth=0")
    driver.click("text=Restart Kernel… >> nth=0")
    driver.click(".jp-Dialog button:has-text('Restart')")
    kept = driver.locator(".jp-OutputArea-child:has(.stylelib-still) + * img")

    def stands_still() -> bool:
        gone = not notebook.buttons("Stop").count()
        return bool(gone and note.is_visible() and kept.is_visible())

    notebook.until(stands_still, "a still picture")
    assert "run this cell again" in note.inner_text() and "of 9000. No. 2" in note.inner_text()
    notebook.shot("life-restarted")

    # The next day.
    driver.keyboard.press("Control+s")
    notebook.until(lambda: "of 9000. No. 2" in (lab.folder / name).read_text(), "it is saved")
    lab.end_kernels()
    notebook.open(name)
    notebook.until(stands_still, "the same when it is opened again")
    assert "model not found" not in driver.locator(".jp-Notebook").inner_text()
    notebook.shot("life-next-day")
    driver.locator(".jp-CodeCell .cm-content").first.click()
    driver.keyboard.press("Control+Enter")
    notebook.until(notebook.buttons("Paint").count, "the painter is there")
    thumbnail = driver.locator(".stylelib-thumbnails button[title='No. 1']")
    notebook.until(thumbnail.count, "with the picture from the day before")
    assert not note.is_visible() and not kept.is_visible()
    thumbnail.click()
    notebook.until(lambda: notebook.text(r"Step \d+ of 9000\. No\. 1"), "it is shown again")
    notebook.shot("life-again")
    forgive(notebook)


def test_a_stopped_picture_is_finished(lab: Lab, page: Open) -> None:
    cell = "from stylelib.studio import Painter\nPainter(size=96, steps=60, gallery=None)"
    notebook = page(lab.write("finish.ipynb", cell)).run_all()
    notebook.press("Paint")
    notebook.until(lambda: notebook.text(r"Painting: step \d+ of 60, 64 × 36"), "it paints")
    curve = notebook.page.locator("svg[role=img][aria-label*='losses jump']")
    notebook.until(curve.count, "the curve says what happens when the picture grows")
    assert curve.locator("text=96 px").count()
    notebook.press("Stop")
    notebook.until(lambda: notebook.text("still small, 64 × 36 pixels"), "it says so")
    notebook.shot("finish-stopped")
    notebook.press("Save")
    notebook.until(lambda: notebook.text("The picture is still small"), "saving does, too")
    notebook.press("Finish it")
    notebook.until(lambda: notebook.text("Done: step 60 of 60, 96 × 54 pixels"), "it is whole")
    assert not notebook.buttons("Finish it").count()
    notebook.shot("finish-done")
