"""The page that `stylelib grade` makes for the teacher: one HTML file, which loads nothing."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .grade import Mistake, Question, Report

_MARKS = {
    "right": ("✓", "right"),
    "wrong": ("✗", "wrong"),
    "empty": ("…", "not begun"),
    "missing": ("–", "no answer in the notebook"),
    "stopped": ("■", "stopped: too long, or too much memory"),
}
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem;
  padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #8886; text-align: left;
  vertical-align: top; }
td.mark { text-align: center; }
.right { background: #2a82; } .wrong { background: #d532; } .stopped { background: #e902; }
.known { font-weight: bold; outline: 2px solid #d538; outline-offset: -2px; }
.bar { display: inline-block; height: .8em; background: #48c; margin-right: .5em; }
.small { font-size: .85em; opacity: .8; }
li { margin: .3rem 0; } details { margin: .5rem 0; }
"""


def write_page(
    path: Path,
    title: str,
    reports: Sequence["Report"],
    mistakes: Sequence["Mistake"],
    predictions: Sequence["Question"],
    closed: str,
) -> Path:
    """Write the page, and return where it is."""
    from .grade import titles

    known = titles()
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>',
        f"<h1>{escape(title)}</h1>",
        f'<p class="small">{escape(closed)} Marks show who needs help. They are no proof: code can '
        "be copied, and code that is written to cheat can forge a mark.</p>",
        "<h2>The commonest mistakes</h2>",
        *_mistakes(mistakes, len({one.student for one in reports}), known),
        "<h2>Who and what</h2>",
        *_table(reports, known),
        *_predictions(predictions),
        "<h2>What each student was told</h2>",
        *(part for one in reports for part in _details(one, known)),
        "</html>",
    ]
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def _mistakes(mistakes: Sequence["Mistake"], students: int, known: dict[str, str]) -> Iterable[str]:
    if not mistakes:
        yield "<p>None that stylelib knows.</p>"
        return
    yield "<ol>"
    for mistake in mistakes[:3]:
        who = escape(", ".join(mistake.students))
        title = escape(f"{mistake.number} {known.get(mistake.number, '')}")
        count = f"{len(mistake.students)} of {students}"
        yield f"<li><b>{count}</b>, exercise {title}: {escape(mistake.hint)}"
        yield f'<br><span class="small">{who}</span></li>'
    yield "</ol>"
    if len(mistakes) > 3:
        yield f"<details><summary>{len(mistakes) - 3} more</summary><ul>"
        for mistake in mistakes[3:]:
            who = escape(", ".join(mistake.students))
            yield f"<li>{len(mistake.students)}, exercise {escape(mistake.number)}: "
            yield f'{escape(mistake.hint)} <span class="small">{who}</span></li>'
        yield "</ul></details>"


def _table(reports: Sequence["Report"], known: dict[str, str]) -> Iterable[str]:
    numbers = list(
        dict.fromkeys(number for number in known if any(_has(one, number) for one in reports))
    )
    heads = "".join(
        f'<th title="{escape(known[number], quote=True)}">{escape(number)}</th>'
        for number in numbers
    )
    yield f"<table><tr><th>student</th><th>notebook</th><th>right</th>{heads}<th></th></tr>"
    for one in reports:
        answers = {answer.number: answer for answer in one.answers}
        cells = ""
        for number in numbers:
            answer = answers.get(number)
            if answer is None:
                cells += "<td></td>"
                continue
            mark, words = _MARKS[answer.state]
            style = f"mark {answer.state}{' known' if answer.recognised else ''}"
            told = escape(f"{words}: {answer.says}", quote=True)
            cells += f'<td class="{style}" title="{told}" aria-label="{words}">{mark}</td>'
        notes = escape((one.unreadable and f"Not read: {one.unreadable}.") or " ".join(one.notes))
        right = "" if one.unreadable else f"{one.right} of {len(one.answers)}"
        yield (
            f"<tr><td>{escape(one.student)}</td><td>{escape(one.file)}</td><td>{right}</td>"
            f'{cells}<td class="small">{notes}</td></tr>'
        )
    yield "</table>"
    legend = "; ".join(f"{mark} {words}" for mark, words in _MARKS.values())
    yield f'<p class="small">{legend}. With a frame: a mistake that stylelib recognised.</p>'


def _has(report: "Report", number: str) -> bool:
    return any(answer.number == number for answer in report.answers)


def _predictions(questions: Sequence["Question"]) -> Iterable[str]:
    if not questions:
        return
    yield "<h2>What they predicted</h2>"
    for question in questions:
        yield f"<h3>{escape(question.key)} {escape(question.question)}</h3><table>"
        most = max(question.said.values(), default=1)
        for said, count in question.said.most_common():
            right = "✓ what came out" if said == question.answer else ""
            bar = f'<span class="bar" style="width: {10 * count / most:.1f}em"></span>{count}'
            yield f"<tr><td>{escape(said)}</td><td>{bar}</td><td>{right}</td></tr>"
        yield "</table>"


def _details(one: "Report", known: dict[str, str]) -> Iterable[str]:
    told = [answer for answer in one.answers if answer.state in ("wrong", "stopped")]
    if told:
        yield f"<details><summary>{escape(one.student)}, {escape(one.file)}</summary><ul>"
        for answer in told:
            title = escape(f"{answer.number} {known.get(answer.number, '')}")
            yield f"<li>{title}: {escape(answer.says)}</li>"
        yield "</ul></details>"
