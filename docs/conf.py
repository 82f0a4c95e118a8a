"""The site's configuration; ``python docs/build.py`` builds it and checks its links.

The source directory is the project's folder, not this one: lessons, benchmarks, contributor's
notes and changelog are read where they lie, and nothing is copied.
"""

import html
import json
import pkgutil
import re
from importlib import import_module
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.util import logging

from stylelib import Recipe, __version__
from stylelib.cli.marking import registered
from stylelib.recipes import SETTINGS

logger = logging.getLogger(__name__)

PROJECT = Path(__file__).resolve().parents[1]
project = "stylelib"
author = "the stylelib authors"
version = release = __version__
language = "en"

root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "notebooks/*.ipynb",
    "benchmarks/README.md",
    "stylelib/pictures/samples/CREDITS.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = [".*", "build", "dist", "tests", "**/.ipynb_checkpoints", "docs/_*"]
exclude_patterns += ["docs/hub/museum"]
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_argparse_cli",
]

# ------------------------------------------------------------------------- how it looks
html_theme = "pydata_sphinx_theme"
html_title = "stylelib"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "redirect.html"}  # the home page is docs/index.html
templates_path = ["_templates"]
html_copy_source = False
html_show_sourcelink = False
html_context = {"default_mode": "auto"}  # light or dark, as the system is set
html_theme_options = {
    "logo": {"text": "stylelib"},
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "show_prev_next": True,
    "show_nav_level": 1,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {  # pages with nothing below them in the tree of contents
    f"docs/{page}": [] for page in ("index", "setup", "tinkerers", "inside")
}
copyright = "the stylelib authors; the code and the lessons are under the MIT licence"

# ------------------------------------------------------------------------------ lessons
# The stored outputs are shown: nothing runs while the site is built.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js = {}  # no scripts from elsewhere: a page has no kernel to answer a control
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]

_RUN_IT = """\
:::{{note}}
The pictures below were stored when the lesson last ran. To move the controls and to have your
answers checked, run it on your own computer: `stylelib lab` opens `{name}.ipynb`.
:::
"""


def _show_lesson(app: Sphinx, docname: str, source: list[str]) -> None:
    """Describe each picture of a lesson, and say where its controls work."""
    if not docname.startswith("notebooks/"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if any(mime.startswith("image/") for mime in data):
                text = "".join(data["text/plain"])
                cell["metadata"]["mystnb"] = {"image": {"alt": text}}
    if docname != "notebooks/glossary":
        name = docname.rpartition("/")[2]
        note = {"cell_type": "markdown", "metadata": {}, "source": _RUN_IT.format(name=name)}
        notebook["cells"].insert(1, note | {"id": "run-it"})
    source[0] = json.dumps(notebook)


# -------------------------------------------------------------------------------- the API
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say the types, with shapes and ranges
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
default_role = "py:obj"  # `gram_matrix` in a docstring is a link
suppress_warnings = ["ref.python"]  # some names are in the core and, guarded, at the door
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True
add_module_names = False

_ROOM = re.compile(r"^\{\{ *room +([\w.]+) *\}\}$", re.MULTILINE)
_NOT_SHOWN = {"stylelib.__main__", "stylelib.version", "stylelib.core"}
_shown: set[str] = set()


def _modules(name: str) -> list[str]:
    """A module and, if it is a package, all that lie in it."""
    path = getattr(import_module(name), "__path__", None)
    if path is None:
        return [name]
    return [name, *(module.name for module in pkgutil.walk_packages(path, f"{name}."))]


def _list_rooms(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace each ``{{ room stylelib.core }}`` by the documentation of its modules."""

    def room(match: re.Match[str]) -> str:
        parts = []
        for module in _modules(match[1]):
            _shown.add(module)
            is_package = hasattr(import_module(module), "__path__")
            if module != match[1] or not is_package:
                parts.append(f"## {module.removeprefix('stylelib.').split('.', 1)[-1]}\n")
            parts.append(f"```{{eval-rst}}\n.. automodule:: {module}\n```\n")
        return "\n".join(parts)

    source[0] = _ROOM.sub(room, source[0])


def _check_rooms(app: Sphinx, env: object) -> None:
    """Warn of modules that no page shows."""
    for module in _modules("stylelib")[1:]:
        if module not in _shown and module not in _NOT_SHOWN:
            logger.warning("No page in docs/reference shows %s.", module)


def _list_settings(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace ``{{ settings }}`` by a table of the fields of `Recipe`."""
    if "{{ settings }}" not in source[0]:
        return
    rows = [
        "| setting | default | values | command line | changes while painting |",
        "|---|---|---|---|---|",
    ]
    for name, setting in SETTINGS.items():
        default = getattr(Recipe(), name)
        if setting.kind == "layers":
            default = ", ".join(default)
        values = {"switch": "True, False"}.get(setting.kind, ", ".join(setting.choices))
        if setting.kind in ("number", "whole"):
            values = f"{setting.low:g} to {setting.high:g}"
            if setting.high >= 1e9:
                values = f"{setting.low:g} or more"
        option = f"`--{name.replace('_', '-')}`" if setting.option else ""
        live = "yes" if setting.live else "no"
        rows.append(f"| `{name}` | {default} | {values} | {option} | {live} |")
    source[0] = source[0].replace("{{ settings }}", "\n".join(rows))


# ---------------------------------------------------------------------- notes for teachers
_LESSON = re.compile(r"^\{\{ *lesson +([\w-]+) *\}\}$", re.MULTILINE)
_TO_LESSON = re.compile(r"\]\((?!https?:|#)([^)]+)")
_LEARNED = re.compile(r"^## What you learned\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"(#+) (.*)")
_CHECK = re.compile(r'\bcheck\("([\d.]+)"')
_SOURCES = "Where it comes from"  # to look up, not to read aloud
_ALOUD = 130  # words a minute
_EXERCISE = 4  # minutes
_RESERVE = 0.2


def _list_lessons(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace ``{{ lesson 03 }}`` by what is known of a lesson, and ``{{ minutes }}`` by a table.

    It is read from the notebook and from the exercises' mistakes, so that it never goes stale.
    """
    source[0] = _LESSON.sub(lambda match: _about(match[1]), source[0])
    if "{{ minutes }}" in source[0]:
        names = "| lesson | read aloud | exercises | reserve | together | optional parts |"
        rows = [names, "|---|---|---|---|---|---|"]
        for path in sorted((PROJECT / "notebooks").glob("[0-9]*.ipynb")):
            title = _texts(path)[0].splitlines()[0].lstrip("# ")
            needed, optional = _minutes(path)
            cells = [*needed, optional[-1]]
            rows.append(f"| {title} | " + " | ".join(f"{m} min" for m in cells) + " |")
        source[0] = source[0].replace("{{ minutes }}", "\n".join(rows))


def _cells(path: Path) -> list[tuple[str, str]]:
    """The kind and the source of each cell of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]


def _texts(path: Path) -> list[str]:
    """What the Markdown cells of a notebook say."""
    return [source for kind, source in _cells(path) if kind == "markdown"]


def _exercises(path: Path) -> list[str]:
    """The numbers of a lesson's exercises, in their order."""
    return [number for kind, source in _cells(path) if kind == "code"
            for number in _CHECK.findall(source)]  # fmt: skip


def _minutes(path: Path) -> list[tuple[int, int, int, int]]:
    """The minutes of a lesson without its optional parts, and those of the optional parts.

    Each has four numbers: the text, the exercises, a reserve, and all together. A part is
    optional if its heading says so, with everything below that heading.
    """
    words, exercises = {False: 0, True: 0}, {False: 0, True: 0}
    level, reading = 0, True  # level of the optional heading; 0: not in one
    for kind, source in _cells(path):
        if kind == "code":
            exercises[level > 0] += len(_CHECK.findall(source))
            continue
        for line in source.splitlines():
            if heading := _HEADING.match(line):
                depth, title = len(heading[1]), heading[2]
                reading = title != _SOURCES
                if not level or depth <= level:
                    level = depth if "optional" in title.lower() else 0
            words[level > 0] += reading * len(line.split())
    found = []
    for optional in (False, True):
        aloud, writing = round(words[optional] / _ALOUD), _EXERCISE * exercises[optional]
        reserve = round(_RESERVE * (aloud + writing))
        found.append((aloud, writing, reserve, aloud + writing + reserve))
    return found


def _about(name: str) -> str:
    """The minutes and key points of a lesson, and what students get wrong in it."""
    (path,) = (PROJECT / "notebooks").glob(f"{name}*.ipynb")
    (aloud, exercises, reserve, total), optional = _minutes(path)
    learned = [points.strip() for points in _LEARNED.findall("\n".join(_texts(path)))]
    if not any(learned):
        logger.warning("%s has no section “What you learned”.", path.name)
    more = f" The optional parts take about {optional[-1]} more." if optional[-1] else ""
    parts = [
        f"[Open the lesson](../../notebooks/{path.name}). About {total} minutes: {aloud} for the "
        f"text, read aloud, {exercises} for the exercises, {reserve} in reserve.{more}",
        "**Key points**",
        *(_TO_LESSON.sub(r"](../../notebooks/\1", points) for points in learned),
    ]
    known = registered()
    if _exercises(path):
        parts.append("**What students get wrong** (each of these gets its hint)")
    for number in _exercises(path):
        hints = dict.fromkeys(mistake.hint for mistake in known[number].mistakes)
        items = "".join(f"<li>{html.escape(hint)}</li>" for hint in hints)
        title = html.escape(f"{number} {known[number].title}: {len(hints)} mistakes")
        parts.append(f"<details><summary>{title}</summary><ul>{items}</ul></details>")
    return "\n\n".join(parts)


# ------------------------------------------------------------------------------ formulas
# MathML, which browsers draw themselves: MathJax would be fetched from elsewhere.
html_math_renderer = "mathml"


def _inline(translator: object, node: nodes.math) -> None:
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: object, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register what is above."""
    app.connect("source-read", _show_lesson)
    app.connect("source-read", _list_rooms)
    app.connect("source-read", _list_settings)
    app.connect("source-read", _list_lessons)
    app.connect("env-check-consistency", _check_rooms)
    for field in PyObject.doc_field_types:
        if field.name == "variable":  # the Attributes of a docstring, which Sphinx calls Variables
            field.label = "Attributes"
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
