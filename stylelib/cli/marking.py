"""The process in which `stylelib grade` marks one handed-in notebook.

It is started anew for each notebook, as ``python -m stylelib.cli.marking``, and may be killed at
any time: whatever it finds out, it writes at once, as a line of JSON.
"""

import ast
import importlib
import json
import linecache
import os
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

Tell = Callable[..., None]

_MAGIC = re.compile(r"^(\s*)[%!].*", re.MULTILINE)  # Jupyter's own commands
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


def main(arguments: list[str]) -> None:
    """Mark a notebook.

    Parameters
    ----------
    arguments : list of str
        The notebook; the file to write to; the most bytes of memory; and then the parts not to
        run again, because they stopped this process before.
    """
    notebook, results, memory, *skipped = arguments
    with open(results, "a", encoding="utf-8") as file:

        def tell(kind: str, **values: Any) -> None:
            print(json.dumps({"kind": kind, **values}), file=file, flush=True)

        limit(int(memory))
        tell("part", name="start")
        try:
            mark(Path(notebook), tell, set(skipped), end_children)
        except MemoryError:
            tell("unreadable", why="it needs more memory than the limit")
        tell("end")
    os._exit(0)  # whatever threads and last wishes there are


def limit(memory: int) -> None:
    """Let the system refuse more memory, large files and many processes, where it can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = {"RLIMIT_DATA": memory, "RLIMIT_FSIZE": 20_000_000, "RLIMIT_CORE": 0}
    for name, value in wanted.items():
        with suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (value, value))


def mark(
    path: Path, tell: Tell, skipped: set[str], after_each: Callable[[], None] = lambda: None
) -> None:
    """Run what a notebook defines, and check it.

    Parameters
    ----------
    path : Path
        The notebook.
    tell : callable
        Gets what is found out.
    skipped : set of str
        Parts not to run, such as ``"cell 3"`` and ``"exercise 3.2"``.
    after_each : callable
        Called after each part.
    """
    try:
        cells = code_cells(path)
    except Exception as error:
        tell("unreadable", why=f"{type(error).__name__}: {error}"[:300])
        return
    exercises = registered()
    functions = names_of_functions()
    trees = list(parsed(cells, tell))
    calls = {number: call for _, tree in trees for number, call in checks(tree)}
    defined = {node.name for _, tree in trees for node in tree.body if isinstance(node, _DEFINED)}
    lessons = {number.split(".")[0] for number in calls if number in exercises}
    lessons |= {n.split(".")[0] for n, name in functions.items() if name in defined and not lessons}
    wanted = [number for number in exercises if number.split(".")[0] in lessons]
    tell("exercises", numbers=wanted)
    names: dict[str, Any] = {"__name__": "__main__"}
    first = next((cell for cell, tree in trees if _imports_stylelib(tree)), 0)
    for cell, tree in trees:
        part = f"cell {cell}"
        if part in skipped:
            continue
        own = {node.name for node in tree.body if isinstance(node, _DEFINED)}
        whole = cell == first or any(checks(tree)) or bool(own & set(functions.values()))
        tell("part", name=part)
        for statement in tree.body:
            if _to_run(statement, whole):
                problem = _run(ast.Module([statement], []), part, names)
                if problem:
                    tell("note", text=f"Cell {cell} stopped with {problem}.")
        after_each()
    for number in wanted:
        if f"exercise {number}" not in skipped:
            tell("part", name=f"exercise {number}")
            answer = calls.get(number) or ast.Name(functions.get(number, ""), ast.Load())
            tell("verdict", number=number, **_verdict(exercises[number], answer, names))
            after_each()


_DEFINED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def code_cells(path: Path) -> list[str]:
    """The code of a notebook's cells, in whatever version of the format it is."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    return ["".join(cell.source) for cell in notebook.cells if cell.cell_type == "code"]


def registered() -> dict[str, Any]:
    """The exercises of all lessons, by number."""
    from .. import lessons
    from ..lessons.checking import EXERCISES

    for module in pkgutil.iter_modules(lessons.__path__):
        if module.ispkg:
            with suppress(ModuleNotFoundError):
                importlib.import_module(f"{lessons.__name__}.{module.name}.exercises")
    return dict(EXERCISES)


def names_of_functions() -> dict[str, str]:
    """How the function of each exercise is called in the lessons, by the exercise's number."""
    from .lessons import shipped

    return {
        number: call.id
        for path in sorted(shipped("notebooks").glob("*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if "exercise" in cell["metadata"].get("tags", [])
        for number, call in checks(ast.parse("".join(cell["source"])))
        if isinstance(call, ast.Name)
    }


def parsed(cells: list[str], tell: Tell) -> Iterator[tuple[int, ast.Module]]:
    """The cells that Python understands, numbered from 1; `tell` gets the others."""
    for number, source in enumerate(cells, 1):
        try:
            source = _MAGIC.sub(r"\1pass", source)
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            tell("note", text=f"Cell {number} is not Python ({type(error).__name__}: {error}).")
            continue
        name = _file(f"cell {number}")
        linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
        yield number, tree


def checks(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Each ``check("3.1", answer)``: the exercise's number, and the answer."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name("check"), [ast.Constant(str() as number), answer]):
                yield number, answer


def _imports_stylelib(tree: ast.Module) -> bool:
    """Whether a cell begins a lesson; a student may have put others before it."""
    imports = (node.module for node in tree.body if isinstance(node, ast.ImportFrom))
    return any(str(module).startswith("stylelib") for module in imports)


def _to_run(statement: ast.stmt, whole: bool) -> bool:
    """Whether a statement may define something that an answer needs.

    Pictures are not painted again: what is only shown is left out and, except in the first cell and
    in exercises, so is what is computed.
    """
    if isinstance(statement, _DEFINITIONS):
        return True
    if isinstance(statement, ast.Assign) and not whole:
        return isinstance(statement.value, ast.Constant | ast.Lambda)
    return whole and not isinstance(statement, ast.Expr)


def _file(part: str) -> str:
    return f"<{part}>"


def _run(module: ast.Module, part: str, names: dict[str, Any]) -> str:
    """Run some code, and return what it stopped with, if it did."""
    try:
        exec(compile(module, _file(part), "exec"), names)
    except BaseException as error:  # SystemExit, too
        return _in_words(error)
    return ""


def end_children() -> None:
    """End the processes that a part left behind, before the next is blamed for them."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()
            child.wait(1)


def _in_words(error: BaseException) -> str:
    with suppress(Exception):  # an error of a student's own may not want to be written down
        return f"{type(error).__name__}: {error}"[:300]
    return type(error).__name__


def _verdict(exercise: Any, answer: ast.expr, names: dict[str, Any]) -> dict[str, Any]:
    """What the exercise's own check says of an answer, and whether it knew the mistake."""
    try:
        code = compile(ast.fix_missing_locations(ast.Expression(answer)), "<check>", "eval")
        function = eval(code, names)
    except BaseException:
        return {"state": "missing", "says": "there is no answer.", "recognised": False}
    try:
        verdict = exercise.check(function)
    except BaseException as error:
        says = f"your code stopped with {_in_words(error)}"
        return {"state": "wrong", "says": says, "recognised": False}
    known = any(verdict.message == mistake.hint for mistake in exercise.mistakes)
    says = str(verdict.message)[:1000]
    return {"state": verdict.state, "says": says, "recognised": known}


if __name__ == "__main__":
    main(sys.argv[1:])
