"""Show the reader of a lesson the very code that runs."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any


class Code:
    """Python source, shown with syntax highlighting in a notebook."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"


def show_code(*functions: Callable[..., Any]) -> Code:
    """The source code of functions of `stylelib`, as it runs.

    Docstrings are left out: the lesson explains the same in its own words, and the code
    fits on one screen without them.
    """
    return Code("\n\n\n".join(map(_bare, functions)))


def _bare(function: Callable[..., Any]) -> str:
    source = textwrap.dedent(inspect.getsource(function))
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    lines = source.rstrip().splitlines()
    first = node.body[0]
    if ast.get_docstring(node) is not None and first.end_lineno is not None:
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines[node.lineno - 1 :])  # leaves out decorators
