"""Docstrings name what is there: parameters and fields, as they are called today."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "src"
MODULES = sorted((ROOT / "hubwise").rglob("*.py"))
Described = ast.FunctionDef | ast.ClassDef


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_described_parameters_are_there(path: Path) -> None:
    """What stands under *Parameters* is a parameter of the function, or a field of the class."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Described):
            wrong = set(described(ast.get_docstring(node) or "")) - set(there(node))
            assert not wrong, f"{node.name}, line {node.lineno}"


def described(docstring: str) -> Iterator[str]:
    """Names that the section *Parameters* describes: they stand at the margin."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", docstring, re.DOTALL | re.M)
    for line in re.findall(r"^\S.*$", section[1] if section else "", re.M):
        yield from (name.lstrip("*") for name in line.split(", "))


def there(node: Described) -> Iterator[str]:
    """Names of a function's parameters, or of a class's fields and what makes it."""
    if isinstance(node, ast.ClassDef):
        for part in node.body:
            if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                yield part.target.id
            elif isinstance(part, ast.FunctionDef) and part.name == "__init__":
                yield from there(part)
        return
    given = node.args
    for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if argument is not None:
            yield argument.arg
