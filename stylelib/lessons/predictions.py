"""Commit first: a prediction is kept, compared with what comes out, and looked back on.

What a student says is kept in a small file beside the notebook, ``.stylelib/predictions.json``,
and stays there. It never leaves the computer.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from ..errors import StylelibError, pick

Said = str | list[str]

_FOLDER, _FILE = ".stylelib", "predictions.json"
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_CHOOSE = "choose"

_unsaved: dict[str, dict[str, Any]] = {}  # where the folder can't be written to
_asked: dict[str, "Asked"] = {}


class Told(ipywidgets.HTML):
    """A text that depends on what the student said, with a `plain` one that does not.

    The plain text is what a notebook stores, so that it is the same for everybody.
    """

    def __init__(self, text: str, plain: str) -> None:
        super().__init__(f"<div style='white-space: normal'>{text}</div>")
        self.text, self._plain = text, plain

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return _with_text(super()._repr_mimebundle_(**options), self._plain)

    def __repr__(self) -> str:
        return self._plain


class Asked(ipywidgets.VBox):
    """A question whose answer is kept as soon as it is given.

    Parameters
    ----------
    key, question : str
    choices : sequence of str
        All that can be said.
    inputs : sequence of Widget
        What to answer with.
    """

    def __init__(
        self, key: str, question: str, choices: Sequence[str], inputs: Sequence[Any]
    ) -> None:
        self.key, self.question, self.choices = key, question, list(choices)
        self._note = ipywidgets.HTML()
        super().__init__([ipywidgets.HTML(f"<b>{escape(question)}</b>"), *inputs, self._note])
        if key in (kept := _read()):
            self.tell(
                "This is what you said." if "answer" in kept[key] else "Your prediction is kept."
            )

    @property
    def kept(self) -> dict[str, Any]:
        """What is kept about this question."""
        return dict(_read().get(self.key, {}))

    def keep(self, said: Said, **more: Any) -> None:
        """Keep what the student says."""
        if _keep(self.key, question=self.question, said=said, **more):
            self.tell("Your prediction is kept.")
        else:
            self.tell("Your prediction is kept until you close the notebook.")

    def tell(self, text: str) -> None:
        """Say something below the question."""
        self._note.value = f"<i>{text}</i>"

    def fix(self) -> None:
        """Let nothing change any more: what came out is known."""
        for each in self.children[1:-1]:
            each.disabled = True

    def ask(self) -> None:
        """Remember that the question was asked in this notebook."""
        _asked[self.key] = self


class Prediction(Asked):
    """A question with choices; the answer is kept as soon as one is chosen.

    Parameters
    ----------
    key : str
        The lesson and the number of the question in it, such as ``"02.1"``.
    question : str
    choices : sequence of str
        Two or more.
    rank : bool
        Put all the choices in order instead of choosing one.

    Attributes
    ----------
    value : str, list of str or None
        What the student says; set it from code to answer.
    """

    def __init__(self, key: str, question: str, choices: Sequence[str], rank: bool = False) -> None:
        self.choices, self.rank = list(choices), rank
        if len(set(self.choices)) < max(2, len(self.choices)):
            raise StylelibError("A prediction needs at least two choices, all of them different.")
        if rank and len(self.choices) > len(_PLACES):
            raise StylelibError(f"At most {len(_PLACES)} choices can be put in order.")
        self._menus = self._make_menus()
        super().__init__(key, question, choices, self._menus)
        if self._fits(self.kept.get("said")):
            self._show(self.kept["said"])
        if "answer" in self.kept:
            self.fix()
        for menu in self._menus:
            menu.observe(self._changed, "value")

    @property
    def value(self) -> Said | None:
        """What the student says, or None."""
        values: list[str] = [menu.value for menu in self._menus]
        if not self.rank:
            return values[0]
        return values if sorted(map(str, values)) == sorted(self.choices) else None

    @value.setter
    def value(self, said: Said) -> None:
        if not self._fits(said):
            wanted = "a list of all the choices, in order" if self.rank else "one of the choices"
            raise StylelibError(
                f"The answer to this question is {wanted} ({', '.join(self.choices)}), "
                f"and not {said!r}."
            )
        self._show(said)
        self._changed(None)

    def _make_menus(self) -> list[Any]:
        layout = {"width": "auto", "max_width": "100%"}
        if not self.rank:
            return [ipywidgets.RadioButtons(options=self.choices, value=None, layout=layout)]
        options = [(_CHOOSE, None), *((choice, choice) for choice in self.choices)]
        return [
            ipywidgets.Dropdown(
                options=options, value=None, description=place, layout=layout,
                tooltip=f"Which comes {place}",
            )
            for place in _PLACES[: len(self.choices)]
        ]  # fmt: skip

    def _fits(self, said: Any) -> bool:
        if self.rank:
            return isinstance(said, list) and sorted(map(str, said)) == sorted(self.choices)
        return said in self.choices

    def _show(self, said: Said) -> None:
        for menu, value in zip(self._menus, said if self.rank else [said], strict=True):
            menu.value = value

    def _changed(self, _: Any) -> None:
        said = self.value
        if said is None:
            self.tell("Choose each of them once." if self.rank else "")
        else:
            self.keep(said)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return _with_text(super()._repr_mimebundle_(**options), repr(self))

    def __repr__(self) -> str:
        return "\n".join([self.question, *(f"( ) {choice}" for choice in self.choices)])


def predict(key: str, question: str, choices: Sequence[str], rank: bool = False) -> Prediction:
    """Ask for a prediction before the result is shown, and keep the answer.

    Parameters
    ----------
    key : str
        The lesson and the number of the question in it, such as ``"02.1"``.
    question : str
        In whole sentences.
    choices : sequence of str
        Two or more, all different.
    rank : bool
        Put the choices in order, instead of choosing one of them. At most eight.

    Returns
    -------
    Prediction
        A widget. Its `value` can be set from code.

    Raises
    ------
    StylelibError
        If there are too few or too many choices, or two are the same.

    Examples
    --------
    >>> predict("02.9", "Is a camel a horse?", ["yes", "no"])
    Is a camel a horse?
    ( ) yes
    ( ) no
    """
    asked = Prediction(key, question, choices, rank)
    asked.ask()
    return asked


def reveal(key: str, answer: Said, why: str = "", picture: str = "") -> Told:
    """Say what came out, and compare it with what was predicted.

    Parameters
    ----------
    key : str
        As in `predict`.
    answer : str or list of str
        The right choice, or the choices in the right order.
    why : str
        In whole sentences.
    picture : str
        HTML to show below, for who has made a prediction.

    Raises
    ------
    StylelibError
        If the question was asked in this notebook and has no such choice.
    """
    asked = _asked.get(key)
    if asked:
        for each in answer if isinstance(answer, list) else [answer]:
            pick(each, asked.choices, "choice")
    said = _read().get(key, {}).get("said")
    right = _in_words(answer)
    plain = " ".join(filter(None, [f"What came out: {right}.", why]))
    if said is None:
        told = "You made no prediction."
    elif said == answer:
        told = "✓ As you predicted."
    else:
        told = f"✗ You predicted: {escape(_in_words(said))}. A surprise?"
    if said is not None:
        _keep(key, answer=answer)
        if asked:
            asked.fix()
    shown = picture if said is not None else ""
    return Told(f"<p>{told}</p><p>{escape(plain)}</p>{shown}", plain)


def surprises(lesson: str) -> Told:
    """Look back on the predictions of a lesson: which came true, and what was a surprise.

    Parameters
    ----------
    lesson : str
        Such as ``"02"``.
    """
    kept = [
        one
        for key, one in sorted(_read().items(), key=lambda item: _order(item[0]))
        if key.rpartition(".")[0] == lesson and "said" in one and "answer" in one
    ]
    wrong = [one for one in kept if one["said"] != one["answer"]]
    plain = "What surprised you is shown here, once you have made the predictions of this lesson."
    if not kept:
        return Told(f"<p>{plain}</p>", plain)
    text = f"<p>{len(kept) - len(wrong)} of your {len(kept)} predictions came true.</p>"
    if wrong:
        text += "<p>What surprised you, and so what you learned most from:</p><ul>"
    for one in wrong:
        text += (
            f"<li>{escape(one['question'])} You predicted: {escape(_in_words(one['said']))}. "
            f"What came out: {escape(_in_words(one['answer']))}.</li>"
        )
    return Told(f"{text}</ul>" if wrong else text, plain)


def forget(lesson: str) -> None:
    """Throw away the predictions of a lesson, to go through it once more."""
    kept = _read()
    for key in [key for key in kept if key.rpartition(".")[0] == lesson]:
        del kept[key]
        _unsaved.pop(key, None)
    _write(kept)


def _in_words(said: Said) -> str:
    return said if isinstance(said, str) else ", then ".join(said)


def _order(key: str) -> tuple[str, int]:
    lesson, _, number = key.rpartition(".")
    return lesson, int(number) if number.isdigit() else 0


def _with_text(bundle: Any, text: str) -> Any:
    formats, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
    return {**formats, "text/plain": text}, metadata


def _keep(key: str, **what: Any) -> bool:
    """Add to what is kept about a question. Returns whether it is on disk."""
    kept = _read()
    kept[key] = {**kept.get(key, {}), **what}
    if _write(kept):
        return True
    _unsaved[key] = kept[key]
    return False


def _read() -> dict[str, Any]:
    """All that is kept; a file that is missing or damaged counts as empty."""
    kept: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        found = json.loads((Path.cwd() / _FOLDER / _FILE).read_text(encoding="utf-8"))
        if isinstance(found, dict):
            kept = {key: one for key, one in found.items() if isinstance(one, dict)}
    return {**kept, **_unsaved}


def _write(kept: dict[str, Any]) -> bool:
    folder = Path.cwd() / _FOLDER
    try:
        folder.mkdir(exist_ok=True)
        new = folder / f"{_FILE}.new"
        new.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
        new.replace(folder / _FILE)
    except OSError:
        return False
    return True
