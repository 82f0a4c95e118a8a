"""A report on many pictures: a page with all of them before and after, and the same as JSON."""

import base64
import io
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from ..errors import StylelibError
from ..pictures.files import check_place, write_atomically
from ..pictures.images import to_pil
from .painting import Painted
from .plan import read_file

ENDINGS = (".html", ".json")
"""What the name of a report can end in."""

_THUMBNAIL = 240  # pixels, the longest side

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto;
       padding: 0 1rem; }}
ul {{ list-style: none; padding: 0; display: grid; gap: 2rem;
     grid-template-columns: repeat(auto-fill, minmax(26rem, 1fr)); }}
figure {{ margin: 0; }}
.pair {{ display: grid; grid-template-columns: 1fr 1fr; gap: .25rem; align-items: end; }}
img {{ width: 100%; height: auto; display: block; }}
.failed {{ border-inline-start: .25rem solid #c33; padding-inline-start: .75rem; }}
figcaption {{ overflow-wrap: anywhere; font-size: .875rem; }}
</style>
<h1>{title}</h1>
<p>{summary}</p>
{failures}
<h2>All pictures</h2>
<ul>
{pictures}
</ul>
</html>
"""


def save_report(painted: Sequence[Painted], path: Path) -> Path:
    """Save a report: a page that needs no other file, with its JSON beside it; or JSON alone.

    Parameters
    ----------
    painted : several Painted
    path : Path
        Ends in ``.html`` or ``.json``.

    Raises
    ------
    StylelibError
        If it can't be written.
    """
    check_place(path, ENDINGS)
    data = json.dumps([as_dict(one) for one in painted], indent=1, ensure_ascii=False)
    write_atomically(path.with_suffix(".json"), f"{data}\n".encode())
    if path.suffix.lower() == ".html":
        write_atomically(path, _page(painted).encode())
    return path


def as_dict(painted: Painted) -> dict[str, Any]:
    """A picture's entry in the report, as plain values."""
    status = "failed" if painted.error else "was there" if painted.before else "painted"
    return {
        "photo": painted.photo,
        "style": list(painted.styles),
        "picture": str(painted.place),
        "status": status,
        "error": painted.error,
        "seconds": round(painted.seconds, 1),
    }


def summary(painted: Sequence[Painted]) -> str:
    """How many were painted, were there before, and failed, in a sentence."""
    failed = sum(one.error is not None for one in painted)
    before = sum(one.before for one in painted)
    return (
        f"Of {len(painted)} pictures, {len(painted) - failed - before} were painted, {before} were "
        f"there already, and {failed} failed."
    )


def _page(painted: Sequence[Painted]) -> str:
    failed = [one for one in painted if one.error]
    failures = ""
    if failed:
        lines = "\n".join(
            f"<li><b>{escape(one.photo)}</b>: {escape(one.error or '')}</li>" for one in failed
        )
        failures = f"<h2>What failed</h2>\n<ol>\n{lines}\n</ol>"
    return _PAGE.format(
        title="Painted pictures",
        summary=escape(summary(painted)),
        failures=failures,
        pictures="\n".join(map(_figure, painted)),
    )


def _figure(painted: Painted) -> str:
    styles = ", ".join(Path(style).stem for style in painted.styles)
    if painted.error:
        caption = f"{painted.photo}, {styles}: {painted.error}"
    elif painted.before:
        caption = f"{painted.place}: it was there already."
    else:
        caption = f"{painted.place}: painted in {painted.seconds:.0f} s."
    images = _thumbnail(painted.photo, f"The photo {Path(painted.photo).name}")
    if not painted.error:
        images += _thumbnail(str(painted.place), f"The same, in the style of {styles}")
    kind = ' class="failed"' if painted.error else ""
    return (
        f'<li{kind}><figure><div class="pair">{images}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure></li>"
    )


def _thumbnail(name: str, text: str) -> str:
    """A small copy of a picture; nothing if it can't be read."""
    buffer = io.BytesIO()
    try:
        picture = to_pil(read_file(name).as_picture(_THUMBNAIL))
    except StylelibError:
        return ""
    picture.save(buffer, "JPEG", quality=80)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<img src="data:image/jpeg;base64,{data}" alt="{escape(text)}" '
        f'width="{picture.width}" height="{picture.height}" loading="lazy">'
    )
