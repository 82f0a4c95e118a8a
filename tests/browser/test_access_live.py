"""Without a mouse, with a screen reader, at every width, and without internet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from stylelib.lessons.exporting import PageExporter, SlidesExporter

from .lab import ROOT, Lab, Page, barriers

pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")

WIDTHS = {1024: 640, 1280: 800, 1920: 1080}  # 1024 x 640 is also 1280 x 800 at 125 %
FOCUSED = """() => { const e = document.activeElement;
  return (e.getAttribute('aria-label') || e.innerText || '').trim(); }"""
HEIGHTS = "() => [...document.querySelectorAll('section')].map(e => e.offsetHeight / innerHeight)"


@pytest.mark.browser
def test_the_studio_without_a_mouse(lab: Lab, page: Callable[..., Page]) -> None:
    cell = "from stylelib.studio import Studio\nStudio(size=64, steps=40)"
    studio = page(lab.write("keys.ipynb", cell)).run_all()
    driver, keys = studio.page, studio.page.keyboard
    studio.until(studio.buttons("Paint").count, "the studio is there")
    output = studio.cell(0).locator(".jp-OutputArea-output:has(.stylelib-painter)")
    output.evaluate("e => e.id = 'ours'")

    def focused() -> str:
        return str(driver.evaluate(FOCUSED))

    def tab_to(name: str) -> None:
        for _ in range(60):
            if focused() == name:
                return
            keys.press("Tab")
        raise AssertionError(f"Tab never came to {name}")

    # Paint with Enter: the focus stays there, while it paints and afterwards.
    studio.button("Paint").focus()
    keys.press("Enter")
    studio.until(lambda: studio.text(r"Painting: step \d+"), "it paints")
    assert focused() == "Paint"
    keys.press("Enter")  # does nothing now
    studio.until(lambda: studio.text("Done: step 40 of 40"), "it is done")
    assert focused() == "Paint"
    assert studio.text("Done: step 40 of 40")

    # Each page opens by itself, with what is on it.
    for title in ("Weights", "Layers", "In Python, and for others"):
        tab_to(title)
        header = driver.locator(":focus")
        assert header.get_attribute("aria-expanded") == "false"
        keys.press("Enter")
        studio.until(lambda h=header: h.get_attribute("aria-expanded") == "true", "it opens")
        assert barriers(driver, "#ours") == []

    # Nothing is cut off or scrolls, whatever the width of the window.
    for width, height in WIDTHS.items():
        driver.set_viewport_size({"width": width, "height": height})
        driver.wait_for_timeout(300)
        assert studio.misfits(studio.cell(0)) == []
        studio.shot(f"studio-{width}")


@pytest.mark.browser
def test_pages_and_slides_of_the_lessons(browser: Any, tmp_path: Path) -> None:
    tab = browser.new_page(viewport={"width": 1280, "height": 720}, offline=True)
    errors: list[str] = []
    tab.on("console", lambda message: message.type == "error" and errors.append(message.text))
    file = tmp_path / "lesson.html"

    def open_as(exporter: type[PageExporter], path: Path) -> None:
        html, _ = exporter().from_notebook_node(nbformat.read(path, as_version=4))
        file.write_text(html, encoding="utf-8")
        tab.goto(file.as_uri())

    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        open_as(PageExporter, path)
        assert barriers(tab, "body") == [], path.name
        open_as(SlidesExporter, path)
        heights = tab.evaluate(HEIGHTS)
        assert len(heights) > 5 and max(heights) < 1.01, path.name
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    tab.wait_for_function("Math.round(scrollY / innerHeight) === 2")
    assert errors == []
    tab.close()
