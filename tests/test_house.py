"""The house: public names, version, layers, and how large a file may grow."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter import cli as layers

import hubwise

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "src" / "hubwise").rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ROOMS = [found.name for found in pkgutil.walk_packages(hubwise.__path__, "hubwise.")]
PUBLIC = {
    "AuditReport",
    "FrontierResult",
    "Plan",
    "PlanFolder",
    "RunOptions",
    "Issue",
    "Scenario",
    "ScenarioError",
    "Schedule",
    "Statement",
    "StationSchedule",
    "StudyResult",
    "Tariff",
    "ZonesResult",
    "audit_record",
    "check",
    "make_frontier",
    "import_sessions",
    "load",
    "load_nation",
    "new",
    "packaged",
    "make_plan",
    "read",
    "report",
    "make_statement",
    "make_study",
    "make_tables",
    "with_participation",
    "write",
    "make_zones",
}


def test_public_names() -> None:
    """What ``import hubwise`` offers is a decision, not an accident."""
    assert set(hubwise.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(hubwise, name).__doc__


@pytest.mark.parametrize("name", ROOMS)
def test_a_module_is_what_its_name_says(name: str) -> None:
    """``import hubwise.record.folder as f`` gives the module: no function stands before one."""
    found = importlib.import_module(name)
    reached = hubwise
    for part in name.split(".")[1:]:
        reached = getattr(reached, part)
    assert reached is found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_name_what_is_there(path: Path) -> None:
    """Whatever a page calls ``hw.…`` or ``hubwise.…`` can be imported under that name."""
    text = path.read_text("utf-8")
    public = {name for name in re.findall(r"\bhw\.(\w+)", text) if name not in PUBLIC}
    assert not public
    dotted = set(re.findall(r"\bhubwise((?:\.[A-Za-z_]\w*)+)", text))
    assert not {name for name in dotted if not _is_there(name[1:].split("."))}


def _is_there(parts: list[str]) -> bool:
    found: object = hubwise
    for part in parts:
        found = getattr(found, part, None)
    return found is not None


def test_one_version_everywhere() -> None:
    """Package, project file, changelog and citation name the same version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    changelog = re.search(r"^## \[(\d.*?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    citation = re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.M)
    assert changelog is not None
    assert citation is not None
    assert hubwise.__version__ == project["version"] == changelog[1] == citation[1]


def test_imports_only_go_down() -> None:
    """No room knows what stands above it."""
    contract = str(ROOT / "pyproject.toml")
    assert (
        layers.lint_imports(config_filename=contract, no_cache=True) == layers.EXIT_STATUS_SUCCESS
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_files_stay_readable(path: Path) -> None:
    """No module grows past 500 lines, and each says what it is."""
    text = path.read_text("utf-8")
    assert len(text.splitlines()) < 500
    assert text.startswith('"""')


def test_pins_are_plain() -> None:
    """Every pin is ``name==version``: no place, no host, no local path."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)


def _functions(path: Path) -> Iterator[ast.FunctionDef]:
    tree = ast.parse(path.read_text("utf-8"))
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_functions_stay_readable(path: Path) -> None:
    """No function is longer than 60 lines, docstring aside."""
    long = {}
    for function in _functions(path):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        if body and (lines := body[-1].end_lineno - body[0].lineno + 1) > 60:
            long[function.name] = lines
    assert not long


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_functions_ask_for_little(path: Path) -> None:
    """At most eight parameters: compiled kernels aside, and commands, whose options they are."""
    if path.parent.name == "cli":
        return
    many = {}
    for function in _functions(path):
        compiled = any("njit" in ast.unparse(each) for each in function.decorator_list)
        arguments = function.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        asked = [each for each in named if each.arg not in ("self", "cls")]
        if len(asked) > 8 and not compiled:
            many[function.name] = len(asked)
    assert not many


def test_types_say_what_is_there() -> None:
    """``Any`` stays what it is now, or less: where foreign files are read, above all."""
    text = "".join(path.read_text("utf-8") for path in MODULES)
    assert len(re.findall(r"\bAny\b", text)) <= 90
