"""The command line where the extra ``serve`` is not installed, as after ``make study``."""

from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

from hubwise.cli import app


@pytest.fixture(autouse=True)
def without_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy cannot be imported, nor any module of ours that needs it."""
    for name in [
        name for name in sys.modules if name.startswith(("hubwise.cli.s", "hubwise.store"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)


def test_help_lists_every_command() -> None:
    """Help is whole: what plans is listed, and so is what has still to be installed."""
    shown = CliRunner().invoke(app, ["--help"])
    assert shown.exit_code == 0
    assert all(f"│ {name} " in shown.stdout for name in ("plan", "audit", "serve", "station"))
    assert "Not installed" in shown.stdout


@pytest.mark.parametrize(
    "words", [["serve", "--help"], ["serve", "x", "--speed", "3"], ["station", "add", "x"]]
)
def test_what_needs_the_extra_says_how_to_get_it(words: list[str]) -> None:
    """One line, exit code 2, however the command is asked for."""
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 2
    assert "sqlalchemy is not installed" in said.stderr
    assert "hubwise[serve]" in said.stderr
    assert said.stderr.count("\n") == 1
