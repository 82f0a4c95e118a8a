"""What a student sees and does, in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from PIL import Image

from stylelib import read_recipe

from .lab import Lab, Page

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

_PIXELS = """image => {
  const canvas = document.createElement('canvas');
  canvas.width = 16; canvas.height = 9;
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, 16, 9);
  return Array.from(context.getImageData(0, 0, 16, 9).data);
}"""


def pixels(page: Page, nth: int = 0) -> list[int]:
    """The nth widget picture on the page, small: what a person would see of it."""
    image = page.page.locator("img.jupyter-widgets:visible, .jupyter-widgets img:visible").nth(nth)
    page.until(lambda: image.evaluate("i => i.complete && i.naturalWidth > 0"), "it is there")
    values: list[int] = image.evaluate(_PIXELS)
    assert len(set(values)) > 5, "the picture is blank"
    return values


def settled(page: Page) -> list[int]:
    """The picture once it stands still: the last one drawn may still be on its way."""
    seen: list[list[int]] = [[]]

    def still() -> list[int]:
        page.page.wait_for_timeout(500)
        seen.append(pixels(page))
        return seen[-1] if seen[-1] == seen[-2] else []

    found: list[int] = page.until(still, "the picture stands still")
    return found


def text(page: Page, pattern: str) -> str:
    """What the page says that looks like `pattern`, or nothing."""
    found = re.search(pattern, page.page.locator(".jp-Notebook").inner_text())
    return found.group() if found else ""


def slider(page: Page, label: str) -> Any:
    row = page.page.locator(".widget-slider:visible", has_text=label).first
    return row.locator(".noUi-handle"), row.locator(".widget-readout")


def rewrite(lab: Lab, name: str, old: str, new: str) -> str:
    """A copy of a lesson with some text replaced in its code; the original stays."""
    notebook = nbformat.read(lab.folder / name, as_version=4)
    assert any(old in cell.source for cell in notebook.cells)
    for cell in notebook.cells:
        cell.source = cell.source.replace(old, new)
    nbformat.write(notebook, lab.folder / f"copy-{name}")
    return f"copy-{name}"


def test_the_first_two_minutes(lab: Lab, page: Open, tmp_path: Path) -> None:
    name = rewrite(lab, "00-a-prettier-camel.ipynb", "Painter()", "Painter(size=96, steps=4000)")
    lesson = page(rewrite(lab, name, "STEPS = 60", "STEPS = 6")).run_all()
    driver = lesson.page
    photo = pixels(lesson)
    lesson.shot("00-open")

    # Choose with the keyboard alone.
    wave = driver.locator(".stylelib-thumbnails button[value='0']").nth(1)
    assert "mod-active" in (wave.get_attribute("class") or "")
    kandinsky = driver.locator(".stylelib-thumbnails button", has_text="kandinsky")
    kandinsky.focus()
    driver.keyboard.press("Space")
    lesson.until(lambda: text(lesson, "Composition VIII"), "the choice is named")

    # The time is said before it starts.
    lesson.until(lambda: text(lesson, r"This will take [^\n]* on this computer"), "it says so")
    lesson.press("Paint")
    lesson.until(lambda: pixels(lesson) != photo, "the picture appears", 15)
    lesson.until(lambda: text(lesson, r"Painting: step \d+ of 4000, 96 × 54 pixels, .* left"), "")
    lesson.shot("00-painting")

    # A slider answers while it paints, and it goes on painting.
    handle, readout = slider(lesson, "style weight")
    before, step = readout.inner_text(), text(lesson, r"step \d+ of")
    handle.focus()
    for _ in range(10):
        driver.keyboard.press("ArrowRight")
    lesson.until(lambda: readout.inner_text() != before, "the slider answers", 5)
    lesson.until(lambda: text(lesson, r"step \d+ of") != step, "it goes on painting")

    lesson.press("Pause")
    lesson.until(lambda: text(lesson, "Paused"), "it pauses", 5)
    assert lesson.button("Resume").is_visible()
    held = settled(lesson)
    lesson.shot("00-paused")
    driver.wait_for_timeout(1000)
    assert pixels(lesson) == held

    handle.focus()
    for _ in range(40):
        driver.keyboard.press("ArrowLeft")
    lesson.press("Resume")
    lesson.until(lambda: pixels(lesson) != held, "the picture follows the weight")
    lesson.press("Stop")
    lesson.until(lambda: text(lesson, r"Stopped: step \d+ of 4000"), "it stops", 5)
    assert lesson.button("Paint").is_enabled()
    after = settled(lesson)

    handle, _ = slider(lesson, "before / after")
    handle.focus()
    for _ in range(5):
        driver.keyboard.press("PageUp")
    lesson.until(lambda: pixels(lesson) != after, "the photo is uncovered")
    lesson.shot("00-compare")
    driver.keyboard.press("Home")
    lesson.until(lambda: pixels(lesson) == after, "and covered again")

    handle, _ = slider(lesson, "back in time")
    handle.focus()
    driver.keyboard.press("Home")
    lesson.until(lambda: text(lesson, r"Step 0 of 4000"), "back at the start")
    driver.keyboard.press("End")
    lesson.until(lambda: pixels(lesson) == after, "and at the end again")

    lesson.press("Save")
    saved = lesson.until(lambda: text(lesson, r"Saved as \S+\.png"), "it is saved").split()[-1]
    lesson.shot("00-saved")
    record = read_recipe(lab.folder / saved)
    assert record is not None and record["style"] == "kandinsky-composition-viii"
    with driver.expect_download() as download:
        driver.locator("a:has-text('Download it')").click()
    download.value.save_as(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == (lab.folder / saved).read_bytes()

    # With the file browser closed there is more room: nothing may be cut off or overlap.
    for _ in range(2):
        rows = [
            lesson.page.locator(".widget-slider:visible", has_text="back in time").first,
            lesson.button("Save"),
        ]
        upper, lower = (row.bounding_box() for row in rows)
        assert upper["y"] + upper["height"] <= lower["y"]
        driver.keyboard.press("Control+b")
        driver.wait_for_timeout(500)

    # A photo as large as a phone's.
    grain = torch.rand(3000, 4000, 3, generator=torch.Generator().manual_seed(0))
    scene = Image.fromarray((grain * 255).to(torch.uint8).numpy())
    bright = Image.linear_gradient("L").resize(scene.size).convert("RGB")
    Image.blend(scene, bright, 0.3).save(tmp_path / "me.jpg", quality=92)
    assert (tmp_path / "me.jpg").stat().st_size > 9e6
    with driver.expect_file_chooser() as chooser:
        driver.locator(".stylelib-upload").first.click()
    chooser.value.set_files(tmp_path / "me.jpg")
    lesson.until(lambda: text(lesson, r"Photo\s+me\.jpg"), "my photo is chosen", 30)
    lesson.until(lambda: pixels(lesson) != after, "and shown")
    lesson.shot("00-upload")
    lesson.press("Paint")
    lesson.until(lambda: text(lesson, r"Painting: step \d+ of 4000, 96 × 72"), "it is painted", 30)
    lesson.press("Stop")
    lesson.until(lambda: text(lesson, "Stopped"), "it stops", 5)


def test_the_studio_in_the_dark(lab: Lab, page: Open) -> None:
    name = rewrite(lab, "05-studio.ipynb", "SIZE = 160", "SIZE = 64")
    name = rewrite(lab, rewrite(lab, name, "STEPS = 50", "STEPS = 5"), "Studio()",
                   "Studio(size=96, steps=40)")  # fmt: skip
    studio = page(name, "JupyterLab Dark").run_all()
    driver = studio.page
    studio.shot("05-dark")
    driver.locator(".stylelib-thumbnails").first.scroll_into_view_if_needed()
    studio.press("Paint")
    studio.until(lambda: text(studio, "Done: step 40 of 40"), "it paints", 60)
    plain = settled(studio)
    driver.locator(".widget-checkbox input").first.focus()
    driver.keyboard.press("Space")
    studio.until(lambda: pixels(studio) != plain, "the colours change")
    studio.shot("05-colours")
    for title, knob in (("Layers", "conv3_1"), ("Weights", "smoothness"), ("Steps", "steps")):
        driver.locator(".jupyter-widget-Collapse-header", has_text=title).first.click()
        handle, readout = slider(studio, knob)
        before = readout.inner_text()
        handle.focus()
        driver.keyboard.press("ArrowRight")
        studio.until(lambda b=before, r=readout: r.inner_text() != b, f"{knob} moves")
        studio.shot(f"05-{title}")
    studio.press("Paint")
    studio.until(lambda: text(studio, "Done: step 50 of 50"), "it paints again", 60)
    assert "conv3_1 0.65" in text(studio, r"No\. 2\t[^\n]*")
    studio.shot("05-session")
    driver.locator("text=In Python").first.click()
    assert "'conv3_1': 0.65" in studio.until(
        lambda: text(studio, r"transfer = Transfer\([^\n]*"), "the recipe stands there"
    )


def test_running_the_cell_again_leaves_one_painter(lab: Lab, page: Open) -> None:
    cell = "from stylelib.widgets import Painter\np = Painter(size=64, steps=9000)\np"
    threads = "import threading\nprint('threads:', [t.name for t in threading.enumerate()].count("
    threads += "'stylelib painter'), 'paused:', old.state)"
    notebook = page(lab.write("twice.ipynb", cell, "old = p", cell, threads)).run_all()
    driver = notebook.page
    notebook.press("Paint")
    notebook.until(lambda: text(notebook, r"Painting: step \d+"), "the first paints")
    paints = driver.locator("button.jupyter-button", has_text=re.compile(r"^\s*Paint\s*$"))
    paints.nth(1).scroll_into_view_if_needed()
    paints.nth(1).click()
    notebook.until(
        lambda: len(re.findall(r"Painting: step", driver.locator(".jp-Notebook").inner_text())) == 1
        and text(notebook, "Paused"), "the first waits while the second paints"
    )  # fmt: skip


@pytest.mark.parametrize("number", ["01", "02", "03", "04"])
def test_an_explorer_of_each_lesson_answers(lab: Lab, page: Open, number: str) -> None:
    name = next(path.name for path in lab.folder.glob(f"{number}-*.ipynb"))
    notebook = nbformat.read(lab.folder / name, as_version=4)
    first = next(
        i for i, c in enumerate(notebook.cells)
        if c.cell_type == "code" and re.search(r"^(explore\.|\w*[Ee]xplorer\()", c.source, re.M)
    )  # fmt: skip
    notebook.cells = notebook.cells[: first + 1]
    nbformat.write(notebook, lab.folder / f"short-{name}")
    lesson = page(f"short-{name}").run_all(120)
    control = lesson.page.locator(
        ".widget-slider .noUi-handle:visible, .widget-dropdown select:visible"
    ).first
    control.scroll_into_view_if_needed()
    before = pixels(lesson)
    if control.evaluate("e => e.tagName") == "SELECT":
        control.select_option(index=control.evaluate("e => (e.selectedIndex + 1) % e.length"))
    else:
        control.focus()
        for _ in range(3):
            lesson.page.keyboard.press("ArrowRight")
    lesson.until(lambda: pixels(lesson) != before, "the figure follows the control", 10)
    lesson.shot(f"{number}-explorer")
