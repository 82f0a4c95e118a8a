"""Every control of every explorer in lessons 01 to 04, 06 and 07, moved in the whole notebook."""

import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from .lab import Lab, Page, barriers

pytestmark = pytest.mark.browser

EXPLORER = re.compile(r"^(?:explore\.|\w*(?:E|_e)xplorer\()", re.MULTILINE)
# The same cells with smaller pictures and fewer steps, to save time.
LESSONS: dict[str, dict[str, str]] = {
    "01-what-a-cnn-sees.ipynb": {"SIZE = 512": "SIZE = 128"},
    "02-content.ipynb": {
        "SIZE = 320": "SIZE = 128",
        "steps=40": "steps=3",
    },
    "03-style.ipynb": {
        "SIZE = 256": "SIZE = 64",
        "STYLE_LAYERS[:count])": "STYLE_LAYERS[:count], 5)",
        "painting, centered=False)": "painting, steps=5, centered=False)",
        "less_blue, 60": "less_blue, 5",
        "noise, both, centered": "noise, both, 5, centered",
        "range(60)": "range(5)",
    },
    "04-target-loss.ipynb": {
        "SIZE = 192": "SIZE = 64",
        "across=120, down=40": "across=12, down=9",
        "STEPS = 1, 3, 40": "STEPS = 1, 3, 6",
        "STEPS = 80, 40": "STEPS = 10, 6",
        '"large at once", 18': '"large at once", 3',
        '"small, then large", 8': '"small, then large", 2',
    },
    "06-beyond.ipynb": {
        "SIZE = 128": "SIZE = 64",
        "steps=30": "steps=2",
        "[64, 128, 192, 256]": "[32, 48, 64]",
        "steps=60, recipe": "steps=4, recipe",
        "total=60": "total=4",
        "in (20, 60)": "in (2, 4)",
        '"camel", 512': '"camel", 128',
        "256": "64",
    },
    "07-neighbours.ipynb": {
        "SIZE = 256": "SIZE = 64",
        "across=57, down=10": "across=4, down=5",
        '"camel", 128': '"camel", 32',
        '"hokusai-great-wave", 128': '"hokusai-great-wave", 32',
        "range(40)": "range(2)",
        "range(25)": "range(2)",
        "128, 40)": "64, 2)",
        "SIZE, 60)": "SIZE, 2)",
    },
}
# Of an animation's buttons, only play and stop.
CONTROLS = (
    ".noUi-handle, .widget-dropdown select, .widget-checkbox input, "
    ".widget-play button:nth-of-type(-n+2), .widget-toggle-buttons button:not(.mod-active)"
)
# Text with less room than it needs; a slider's handle extends past its end on purpose.
CUT_OFF = """output => Array.from(
  output.querySelectorAll('.widget-label, .widget-readout, .widget-html-content, select'))
  .filter(e => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
  .map(e => e.textContent)"""


@pytest.mark.parametrize("name", LESSONS)
def test_every_explorer_answers(lab: Lab, page: Callable[..., Page], name: str) -> None:
    copy = lab.rewrite(name, LESSONS[name])
    theme = "JupyterLab Dark" if name.startswith("03") else "JupyterLab Light"
    lesson = page(copy, theme).run_all()
    cells = nbformat.read(lab.folder / copy, as_version=4).cells
    explorers = [index for index, cell in enumerate(cells) if EXPLORER.search(cell.source)]
    assert len(explorers) >= {"06": 1, "07": 3}.get(name[:2], 4)
    for index in explorers:
        output = lesson.cell(index).locator(".jp-OutputArea-child .jupyter-widgets").first
        output.scroll_into_view_if_needed()
        lesson.pixels(output)  # there, and not blank
        controls = output.locator(CONTROLS)
        for number in range(controls.count()):
            move(lesson, output, controls.nth(number))
        assert output.evaluate(CUT_OFF) == []
        frame = lesson.cell(index).locator(".jp-OutputArea-output:has(.jupyter-widgets)").last
        assert lesson.misfits(lesson.cell(index)) == []
        frame.evaluate("e => e.id = 'looked-at'")
        assert barriers(lesson.page, "#looked-at") == []
        frame.evaluate("e => e.removeAttribute('id')")
        lesson.shot(f"{name[:2]}-cell-{index}")
    lesson.check_outputs()


def test_a_click_on_the_photo_moves_the_sliders(lab: Lab, page: Callable[..., Page]) -> None:
    name = "07-neighbours.ipynb"
    copy = lab.rewrite(name, LESSONS[name])
    lesson = page(copy).run_all()
    cells = nbformat.read(lab.folder / copy, as_version=4).cells
    (index,) = (i for i, cell in enumerate(cells) if "neighbour_explorer(" in cell.source)
    output = lesson.cell(index).locator(".jp-OutputArea-child .jupyter-widgets").first
    picture = output.locator("img")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    handle = output.locator(".noUi-handle").first
    before = handle.get_attribute("aria-valuenow")
    picture.click(position={"x": 0.3 * box["width"], "y": 0.25 * box["height"]})
    lesson.until(lambda: handle.get_attribute("aria-valuenow") != before, "the slider moves")


def move(lesson: Page, output: Any, control: Any) -> None:
    """Move one control with the keyboard or the mouse, and check that the figure follows."""

    def look() -> list[int]:
        return lesson.pixels(output, (96, 54))

    before = look()
    kind = control.evaluate("e => e.tagName + ' ' + (e.type || '')").strip()
    if kind.startswith("SELECT"):
        control.select_option(index=control.evaluate("e => (e.selectedIndex + 1) % e.length"))
    elif kind.endswith("checkbox"):
        control.focus()
        lesson.page.keyboard.press("Space")
    elif kind.startswith("BUTTON"):
        control.click()
    else:
        least, now = (float(control.get_attribute(f"aria-value{end}")) for end in ("min", "now"))
        control.focus()
        lesson.page.keyboard.press("End" if now == least else "Home")
    lesson.until(lambda: look() != before, f"the figure follows the control ({kind})")
