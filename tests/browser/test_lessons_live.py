"""What a student sees and does, in a real browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from stylelib import read_recipe

from .lab import Lab, Page

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


def reached(page: Page) -> int:
    """The step number in the panel."""
    found = page.until(lambda: page.text(r"step \d+ of"), "it shows the step")
    return int(found.split()[1])


def test_the_first_two_minutes(lab: Lab, page: Open, tmp_path: Path) -> None:
    changes = {"Painter()": "Painter(size=96, steps=4000)", "STEPS = 60": "STEPS = 6"}
    lesson = page(lab.rewrite("00-a-prettier-camel.ipynb", changes)).run_all()
    driver = lesson.page
    photo = lesson.pixels()
    lesson.shot("00-open")

    # Choose with the keyboard alone.
    wave = driver.locator(".stylelib-thumbnails button[data-name*=great-wave]")
    lesson.until(lambda: wave.get_attribute("aria-checked") == "true", "one is chosen")
    wave.focus()
    driver.keyboard.press("ArrowLeft")  # from the first to the last
    lesson.until(lambda: lesson.text("Composition VIII"), "the choice is named")

    # The expected time is shown before it starts.
    lesson.until(lambda: lesson.text(r"This will take [^\n]* on this computer"), "it is shown")
    lesson.press("Paint")
    lesson.until(lambda: lesson.pixels() != photo, "the picture appears")
    lesson.until(lambda: lesson.text(r"Painting: step \d+ of 4000, 96 × 54 pixels, .* left"), "")
    lesson.shot("00-painting")

    # A slider responds while it is painting, and painting continues.
    handle, readout = lesson.slider("likeness")
    before, step = readout.inner_text(), reached(lesson)
    handle.focus()
    for _ in range(10):
        driver.keyboard.press("ArrowRight")
    lesson.until(lambda: readout.inner_text() != before, "the slider responds")
    lesson.until(lambda: reached(lesson) > step, "it keeps painting")

    lesson.press("Pause")
    lesson.until(lambda: lesson.text("Paused"), "it pauses")
    lesson.until(lesson.button("Resume").is_visible, "it can be resumed")
    held = lesson.settled()
    lesson.shot("00-paused")
    driver.wait_for_timeout(1000)
    assert lesson.pixels() == held

    handle.focus()
    for _ in range(40):
        driver.keyboard.press("ArrowLeft")
    lesson.press("Resume")
    lesson.until(lambda: lesson.pixels() != held, "the picture follows the slider")
    lesson.press("Stop")
    lesson.until(lambda: lesson.text(r"Stopped: step \d+ of 4000"), "it stops")
    lesson.until(lesson.button("Paint").is_enabled, "it can start again")
    after = lesson.settled()

    handle, _ = lesson.slider("back in time")
    handle.focus()
    driver.keyboard.press("Home")
    lesson.until(lambda: lesson.text(r"Step 0 of 4000"), "back at the start")
    driver.keyboard.press("End")
    lesson.until(lambda: lesson.pixels() == after, "and at the end again")

    lesson.press("Save")
    saved = lesson.until(lambda: lesson.text(r"Saved as \S+\.png"), "it is saved").split()[-1]
    lesson.shot("00-saved")
    record = read_recipe(lab.folder / saved)
    assert record is not None and record["style"] == "kandinsky-composition-viii"
    with driver.expect_download() as download:
        driver.locator("a:has-text('Download it')").click()
    download.value.save_as(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == (lab.folder / saved).read_bytes()

    # With the file browser closed there is more room; nothing may be cut off or overlap.
    rows = [
        lesson.button("Save"),
        lesson.page.locator(".widget-slider:visible", has_text="back in time").first,
    ]

    def apart() -> bool:
        upper, lower = (row.bounding_box() for row in rows)
        return bool(upper["y"] + upper["height"] <= lower["y"])

    files = driver.locator("#jp-left-stack")
    lesson.until(apart, "the rows don't overlap")
    driver.keyboard.press("Control+b")
    lesson.until(lambda: not files.is_visible(), "the file browser closes")
    lesson.until(apart, "they still don't")

    # A photo as large as a phone's camera takes.
    grain = torch.rand(3000, 4000, 3, generator=torch.Generator().manual_seed(0))
    scene = Image.fromarray((grain * 255).to(torch.uint8).numpy())
    bright = Image.linear_gradient("L").resize(scene.size).convert("RGB")
    Image.blend(scene, bright, 0.3).save(tmp_path / "me.jpg", quality=92)
    assert (tmp_path / "me.jpg").stat().st_size > 9e6
    with driver.expect_file_chooser() as chooser:
        driver.locator(".stylelib-upload").first.click()
    chooser.value.set_files(tmp_path / "me.jpg")
    lesson.until(lambda: lesson.text(r"Photo\s+me\.jpg"), "my photo is chosen")
    lesson.until(lambda: lesson.pixels() != after, "and shown")
    lesson.shot("00-upload")
    lesson.press("Paint")
    lesson.until(lambda: lesson.text(r"Painting: step \d+ of 4000, 96 × 72"), "it is painted")
    lesson.press("Stop")
    lesson.until(lambda: lesson.text("Stopped"), "it stops")


def test_the_studio_in_the_dark(lab: Lab, page: Open) -> None:
    changes = {"SIZE = 256": "SIZE = 64", "STEPS = 40": "STEPS = 5"}
    changes['Studio(method="gram")'] = "Studio(size=96, steps=40, method='gram')"
    studio = page(lab.rewrite("05-studio.ipynb", changes), "JupyterLab Dark").run_all()
    driver = studio.page
    studio.shot("05-dark")
    driver.locator(".stylelib-row").first.scroll_into_view_if_needed()
    studio.press("Paint")
    studio.until(lambda: studio.text("Done: step 40 of 40"), "it paints")
    plain = studio.settled()
    driver.locator(".widget-checkbox input").first.focus()
    driver.keyboard.press("Space")
    studio.until(lambda: studio.pixels() != plain, "the colours change")
    studio.shot("05-colours")
    pages = {"Layers": "conv3_1", "Weights": "smoothness", "Style": "stroke size", "Steps": "steps"}
    for title, knob in pages.items():
        driver.locator(".jupyter-widget-Collapse-header", has_text=title).first.click()
        handle, readout = studio.slider(knob)
        before = readout.inner_text()
        handle.focus()
        driver.keyboard.press("ArrowRight")
        studio.until(readout.filter(has_not_text=before).is_visible, f"{knob} moves")
        studio.shot(f"05-{title}")
        if title == "Style":
            driver.locator(".widget-dropdown:visible", has_text="measured by").locator(
                "select"
            ).select_option(index=2)  # each direction's distribution
    studio.press("Paint")
    studio.until(lambda: studio.text("Done: step 50 of 50"), "it paints again")
    studio.until(
        lambda: "conv3_1 0.65" in studio.text(r"No\. 2\t[^\n]*"), "the difference is in the table"
    )
    studio.shot("05-session")
    driver.locator("text=In Python").first.click()
    studio.until(
        lambda: "'conv3_1': 0.65" in studio.text(r"transfer = Transfer\([^\n]*"), "and in the code"
    )


def test_running_the_cell_again_leaves_one_painter(lab: Lab, page: Open) -> None:
    cell = "from stylelib.studio import Painter\nPainter(size=64, steps=9000)"
    notebook = page(lab.write("twice.ipynb", cell, cell)).run_all()
    paints = notebook.buttons("Paint")
    notebook.until(lambda: paints.count() == 2, "both are there")
    paints.nth(0).click()
    says = [notebook.cell(index).text_content for index in (0, 1)]
    notebook.until(lambda: "Painting: step" in says[0](), "the first paints")
    paints.nth(1).click()
    notebook.until(lambda: "Painting: step" in says[1](), "the second paints")
    notebook.until(lambda: "Paused" in says[0](), "and the first waits")
