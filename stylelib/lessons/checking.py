"""How an answer is checked: run on random inputs, compared, and explained in words."""

import copy
import traceback
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ..errors import pick
from . import own, passed
from .painted import painted
from .theme import COLORS

Inputs = tuple[Any, ...]

_ROUNDS = 3


@dataclass(frozen=True)
class Mistake:
    """A common wrong answer, recognised by its result, and the hint to give."""

    wrong: Callable[..., Any]
    hint: str


@dataclass(frozen=True)
class Exercise:
    """Something for the student to write, and how to tell whether it is right.

    The mistakes are tried in order: the student gets the hint of the first whose result, or
    whose error, equals theirs. With `gradient`, the gradient with respect to the first input, a
    tensor or a dictionary of tensors, must be right too; a mistake may also be one whose result
    is right, but whose gradient is not.
    """

    number: str  # "2.1": the first exercise of lesson 02
    title: str
    right: Callable[..., Any]  # returns the right result for the same inputs
    inputs: Callable[[Generator], Inputs]  # makes the positional inputs of one random round
    mistakes: Sequence[Mistake] = ()
    gradient: bool = False
    tolerance: float = 1e-4  # relative, for comparing numbers
    rounds: int = _ROUNDS  # how many random inputs an answer is tried with

    def check(self, answer: Any) -> "Verdict":
        """Try a student's function. Whatever it does, nothing is raised."""
        if not callable(answer):
            return Verdict(
                self, "wrong", "give check the function itself, its name without brackets."
            )
        for seed in range(self.rounds):
            before = self.inputs(Generator().manual_seed(seed))
            after = _fresh(before, self.gradient)
            try:
                result = answer(*after)
            except Exception as error:
                return Verdict(self, "wrong", self.explain_error(before, error))
            if self.untouched(before, after, result):
                return Verdict(
                    self, "empty", "not yet. Write your answer in the cell above and run it again."
                )
            problem = self.explain(before, after, result)
            if problem:
                return Verdict(self, "wrong", problem)
        return Verdict(self, "right", "well done.")

    def untouched(self, before: Inputs, after: Inputs, result: Any) -> bool:
        """Whether the function is still as empty as the lesson left it."""
        return result is None or result is ...

    def explain_error(self, before: Inputs, error: Exception) -> str:
        """The hint of the first mistake that stops with the same error, or the error itself."""
        for mistake in self.mistakes:
            try:
                mistake.wrong(*_fresh(before, self.gradient))
            except Exception as other:
                if type(other) is type(error) and str(other) == str(error):
                    return mistake.hint
        return _explain_error(error)

    def explain(self, before: Inputs, after: Inputs, result: Any) -> str:
        """What is wrong with a result, or nothing if it is right.

        `before` are the inputs, and `after` is what the student's function left of them.
        """
        return (
            _explain_value(self, before, result)
            or _explain_side_effect(before, after)
            or (_explain_gradient(self, before, after, result) if self.gradient else "")
        )


@dataclass(frozen=True)
class Watched(Exercise):
    """An exercise with several right answers, judged point by point by what the answer did.

    Here the `wrong` of a mistake is a yes-or-no question about the inputs before, the
    inputs after, and the result. All are asked in order. If none is answered with yes,
    the answer is right.
    """

    def untouched(self, before: Inputs, after: Inputs, result: Any) -> bool:
        """As for any exercise; and nothing may have changed."""
        return super().untouched(before, after, result) and _state(before) == _state(after)

    def explain_error(self, before: Inputs, error: Exception) -> str:
        """The error: questions are asked only about results."""
        return _explain_error(error)

    def explain(self, before: Inputs, after: Inputs, result: Any) -> str:
        """The hint of the first mistake that was made."""
        found = (mistake for mistake in self.mistakes if mistake.wrong(before, after, result))
        return next((mistake.hint for mistake in found), "")


@dataclass(frozen=True)
class Verdict:
    """What to tell the student."""

    exercise: Exercise
    state: str  # "right", "wrong" or "empty"
    message: str

    def __repr__(self) -> str:
        return f"{self.heading} {self.message}"

    def _repr_html_(self) -> str:
        # As wide as a column of text, and in the colours of the page, be they light or dark.
        color = COLORS[{"right": "tv", "wrong": "style", "empty": "muted"}[self.state]]
        picture, below = painted(self.message), ""
        if picture is not None:
            data = b64encode(picture).decode()
            below = (
                "<p>This is what it would paint:</p><img alt='A camel as this mistake paints her' "
                f"style='max-width:100%' src='data:image/jpeg;base64,{data}'>"
            )
        return (
            f"<div style='border-left:4px solid {color}; padding:4px 12px; max-width:75ch; "
            f"line-height:1.5; overflow-wrap:break-word'><b>{escape(self.heading)}</b> "
            f"{escape(self.message)}{below}</div>"
        )

    @property
    def heading(self) -> str:
        """Whether it is right, as a sign, and which exercise it is."""
        mark = {"right": "✓", "wrong": "✗", "empty": "…"}[self.state]
        return f"{mark} {self.exercise.number} {self.exercise.title}:"

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.state == "right"


EXERCISES: dict[str, Exercise] = {}


def register(*exercises: Exercise) -> None:
    """Let `check` find exercises by their numbers."""
    EXERCISES.update({exercise.number: exercise for exercise in exercises})


def check(number: str, answer: Any) -> Verdict:
    """Check your answer to an exercise. A right one is kept in ``my_code.py``, to paint with.

    In a folder of your own lessons, what you passed is kept in ``my-progress.md``.

    Parameters
    ----------
    number : str
        As in the lesson, for example ``"2.1"``.
    answer : callable
        The function that you wrote.

    Raises
    ------
    StylelibError
        If there is no exercise with that number. A wrong answer raises nothing.
    """
    verdict = EXERCISES[pick(number, EXERCISES, "exercise")].check(answer)
    if verdict.passed:
        passed.keep(number, EXERCISES)
        if own.keep(answer) and answer.__name__ in own.PARTS:
            return replace(verdict, message="well done. It is collected: you can paint with it.")
    return verdict


@dataclass(frozen=True)
class Guide:
    """Help with an exercise for who asks, before any answer: hints one by one, and a solution."""

    hints: tuple[str, ...]  # a nudge, the formula, the first line
    solution: str  # Python code


@dataclass(frozen=True)
class Told:
    """A text for the student."""

    text: str

    def __repr__(self) -> str:
        return self.text


GUIDES: dict[str, Guide] = {}
_hints_given: dict[str, int] = {}


def guide(number: str, *hints: str, solution: str) -> None:
    """Let `hint` and `solution` help with the exercise of that number.

    Parameters
    ----------
    number : str
    hints : str
        Each says more than the one before: a nudge, the formula, the first line.
    solution : str
        Code that passes the check.
    """
    GUIDES[number] = Guide(hints, solution.strip())


def hint(number: str) -> Told:
    """The next hint for an exercise: each call says a little more.

    Parameters
    ----------
    number : str
        As in the lesson, for example ``"2.1"``.

    Raises
    ------
    StylelibError
        If there is no exercise with that number.
    """
    hints = GUIDES[pick(number, GUIDES, "exercise")].hints
    given = _hints_given[number] = _hints_given.get(number, 0) + 1
    if given > len(hints):
        return Told(
            f'There are no more hints for {number}. solution("{number}") shows one way to do it.'
        )
    return Told(f"Hint {given} of {len(hints)} for {number}: {hints[given - 1]}")


def solution(number: str) -> Told:
    """A solution of an exercise, marked as such: best read after an attempt of your own.

    Parameters
    ----------
    number : str
        As in the lesson, for example ``"2.1"``.

    Raises
    ------
    StylelibError
        If there is no exercise with that number.
    """
    code = GUIDES[pick(number, GUIDES, "exercise")].solution
    return Told(f"# One solution of exercise {number}. Yours may be different.\n{code}")


def _fresh(inputs: Inputs, gradient: bool = False) -> Inputs:
    """A copy of the inputs; with `gradient`, the first can be differentiated."""
    copies = copy.deepcopy(inputs)
    if gradient:
        for tensor in _tensors(copies[0]):
            tensor.requires_grad_()
    return copies


def _tensors(value: Any) -> list[Tensor]:
    return list(value.values()) if isinstance(value, dict) else [value]


def _state(inputs: Inputs) -> list[Any]:
    """All that an answer can have changed."""
    tensors = [value for value in inputs if isinstance(value, Tensor)]
    for network in inputs:
        if isinstance(network, nn.Module):
            tensors += network.parameters()
    return [(tensor.requires_grad, tensor.detach().sum().item()) for tensor in tensors]


def _explain_error(error: Exception) -> str:
    lines = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in lines if "stylelib" not in frame.filename]
    where = f" (line {own[-1].lineno}: {own[-1].line})" if own and own[-1].line else ""
    return f"your code stopped with {type(error).__name__}: {error}{where}"


def _explain_value(exercise: Exercise, inputs: Inputs, result: Any) -> str:
    expected = exercise.right(*_fresh(inputs))
    if _equal(result, expected, exercise.tolerance):
        return ""
    for mistake in exercise.mistakes:
        try:
            wrong = mistake.wrong(*_fresh(inputs))
        except Exception:  # a mistake that can't be made with these inputs
            continue
        if _equal(result, wrong, exercise.tolerance):
            return mistake.hint
    return _explain_difference(result, expected, exercise.tolerance)


def _explain_difference(result: Any, expected: Any, tolerance: float) -> str:
    if isinstance(expected, dict):
        if not isinstance(result, dict) or result.keys() != expected.keys():
            return f"the result should be a dictionary with the keys {', '.join(expected)}."
        name = next(k for k in expected if not _equal(result[k], expected[k], tolerance))
        return f"for {name}: " + _explain_difference(result[name], expected[name], tolerance)
    if not isinstance(result, Tensor | float | int) or isinstance(result, bool):
        kinds = {Tensor: "tensor", int: "number", float: "number"}
        wanted = kinds.get(type(expected), type(expected).__name__)
        return f"the result should be a {wanted}, but it is of type {type(result).__name__}."
    got, want = torch.as_tensor(result).detach().double(), torch.as_tensor(expected).double()
    if got.shape != want.shape and want.dim() == 0:
        return f"the result has shape {tuple(got.shape)}; it should be a single number, shape ()."
    if got.shape != want.shape:
        return f"the result has shape {tuple(got.shape)}; it should be {tuple(want.shape)}."
    if not got.isfinite().all():
        return "the result contains NaN or infinite values. Is there a division by 0?"
    ratio = (got * want).sum() / want.square().sum().clamp_min(1e-30)
    if ratio != 0 and torch.allclose(got, ratio * want, rtol=tolerance, atol=1e-6):
        if want.numel() == 1:  # one number is always off by some factor: claim no more than that
            return (
                f"the number is off by a factor of {ratio:.4g} here. If that factor is one you "
                f"know, such as a count of numbers or channels, look at what you divide by."
            )
        return (
            f"right up to a factor: every number is {ratio:.4g} times what it should be. "
            f"Look at what you divide or multiply by."
        )
    return "the shape is right, but not the numbers. Try it by hand on a tiny example."


def _explain_side_effect(inputs: Inputs, given: Inputs) -> str:
    if all(_equal(before, after, 0) for before, after in zip(inputs, given, strict=True)):
        return ""
    return "the result is right, but your code changed its inputs (in place). Make a new tensor."


def _explain_gradient(exercise: Exercise, inputs: Inputs, given: Inputs, result: Any) -> str:
    if not isinstance(result, Tensor) or not result.requires_grad:
        return (
            "the number is right, but its gradient is lost, so nothing could be learned from it. "
            "Leave out detach(), item(), float() and no_grad()."
        )
    found = _gradient(result, given)

    def same(answer: Callable[..., Any]) -> bool:
        fresh = _fresh(inputs, gradient=True)
        value = answer(*fresh)
        pairs = [(result, value), *zip(found, _gradient(value, fresh), strict=True)]
        return all(_equal(*both, exercise.tolerance) for both in pairs)

    if same(exercise.right):
        return ""
    for mistake in exercise.mistakes:
        try:
            if same(mistake.wrong):
                return mistake.hint
        except Exception:  # a mistake without a gradient
            continue
    return (
        "the number is right, but its gradient with respect to the first input is not: "
        "part of the computation was detached."
    )


def _gradient(result: Tensor, inputs: Inputs) -> tuple[Tensor | None, ...]:
    return torch.autograd.grad(result.sum(), _tensors(inputs[0]), allow_unused=True)


def _equal(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[k], b[k], tolerance) for k in a)
    if isinstance(a, nn.Module) and isinstance(b, nn.Module):
        return _equal(dict(a.state_dict()), dict(b.state_dict()), tolerance)
    if isinstance(a, Tensor | int | float) and isinstance(b, Tensor | int | float):
        a, b = torch.as_tensor(a).detach().double(), torch.as_tensor(b).detach().double()
        return a.shape == b.shape and torch.allclose(a, b, rtol=tolerance, atol=1e-7)
    return type(a) is type(b) and bool(a == b)
