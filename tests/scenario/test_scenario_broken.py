"""Broken scenarios: each case is a folder with what is broken and what has to be said of it."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hubwise.scenario import Issue, ScenarioError, check, load, new

CASES = sorted((Path(__file__).parent / "cases").iterdir())


def broken(case: Path, folder: Path) -> dict[str, Any]:
    """The example with a case's edits, removed files and files of its own."""
    told = tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))
    new(folder)
    for edit in told.get("edit", []):
        text = (folder / edit["file"]).read_text(encoding="utf-8")
        assert edit["old"] in text, f"the example has no {edit['old']!r}"
        (folder / edit["file"]).write_text(text.replace(edit["old"], edit["new"]), "utf-8")
    for removed in told.get("remove", []):
        (folder / removed["file"]).unlink()
    for file in case.iterdir():
        if file.name != "case.toml":
            shutil.copy(file, folder / file.name)
    return told


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_mistake_is_told_at_once(case: Path, tmp_path: Path) -> None:
    """A case's problems are told: all of them, in order, and no others."""
    told = broken(case, tmp_path / "scenario")
    expected = [Issue(**issue) for issue in told.get("problem", [])]
    assert list(check(tmp_path / "scenario")) == expected, told["why"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_load_raises_what_check_tells(case: Path, tmp_path: Path) -> None:
    """A scenario loads exactly where nothing is wrong with it, and never half."""
    broken(case, tmp_path / "scenario")
    issues = check(tmp_path / "scenario")
    if not issues:
        load(tmp_path / "scenario")
        return
    with pytest.raises(ScenarioError) as raised:
        load(tmp_path / "scenario")
    assert raised.value.issues == issues
    assert all(str(issue) in str(raised.value) for issue in issues)


def test_a_scenario_that_is_not_there_is_refused_with_those_that_are() -> None:
    """An unknown name is refused with the names of the packaged scenarios."""
    (issue,) = check("ieee34")
    assert "ieee33" in issue.right


def test_a_folder_without_a_scenario_is_refused(tmp_path: Path) -> None:
    """A folder that holds no scenario.toml says so."""
    (issue,) = check(tmp_path)
    assert (issue.file, issue.wrong) == ("scenario.toml", "is not there")


def test_hubs_that_are_not_sections_are_refused(tmp_path: Path) -> None:
    """A list of numbers in the place of hubs is told, and the rest is read all the same."""
    new(tmp_path / "scenario")
    toml = tmp_path / "scenario" / "scenario.toml"
    text = toml.read_text(encoding="utf-8")
    start, end = text.index("[[hubs]]"), text.index("\n[solar]")
    toml.write_text("hubs = [3, 5]\n" + text[:start] + text[end:], "utf-8")
    issues = check(tmp_path / "scenario")
    assert [issue.field for issue in issues] == ["hubs"]
