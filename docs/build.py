"""Build the site into ``build/site`` and check it: ``python docs/build.py``.

Every warning is an error. The built pages must be complete without internet: each link inside
the site has to lead to a page and to an anchor on it, and nothing that a page needs to be shown
(scripts, styles, fonts, pictures) may come from another address.
"""

import os
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.cmd.build import main as sphinx_build

PROJECT = Path(__file__).resolve().parents[1]
SITE = PROJECT / "build" / "site"
# A stylesheet's url(...) or @import of something on another host.
_FETCHED = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")


class Page(HTMLParser):
    """What a page links to, what it loads, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set(_FETCHED.findall(text))
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the addresses of a tag."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value or "")
            elif name == "href" and tag == "a":
                self.links.add(value or "")
            elif name in ("src", "href", "poster", "data"):
                self.loaded.add(value or "")
            elif name == "srcset":
                self.loaded.update(part.split()[0] for part in (value or "").split(","))


def problems(site: Path) -> list[str]:
    """What is wrong with a built site: broken links, and what it would load from elsewhere.

    Returns
    -------
    list of str
        A sentence for each problem; empty if there is none.
    """
    pages = {
        path: Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.parts  # the theme's own template
    }
    found = []
    for path, page in pages.items():
        name = path.relative_to(site)
        for address in sorted(page.links | page.loaded):
            parts = urlsplit(address)
            if parts.scheme in ("data", "mailto"):
                continue
            if parts.scheme or parts.netloc:
                if address in page.loaded:
                    found.append(f"{name} loads {address} from the internet.")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{name} links to {address}, which does not exist.")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors | {""}:
                found.append(f"{name} links to {address}, but there is no such anchor.")
    for path in sorted(site.rglob("*.css")):
        for address in _FETCHED.findall(path.read_text(encoding="utf-8")):
            found.append(f"{path.relative_to(site)} loads {address} from the internet.")
    return found


def main() -> int:
    """Build and check; the exit status is 0 if all is well."""
    shutil.rmtree(SITE, ignore_errors=True)  # pages of modules that have gone
    doctrees = SITE.with_name("doctrees")
    status = sphinx_build(
        ["-q", "-W", "--keep-going", "-E", "-c", "docs", "-d", str(doctrees), ".", str(SITE)]
    )
    found = problems(SITE)
    for sentence in found:
        print(sentence, file=sys.stderr)
    if not status and not found:
        print(f"The site is in {SITE.relative_to(PROJECT)}; open index.html in a browser.")
    return int(bool(status or found))


if __name__ == "__main__":
    os.chdir(PROJECT)
    sys.exit(main())
