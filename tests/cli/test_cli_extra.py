"""The command line where the extra ``serve`` is not installed, as after ``make study``."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A process of its own: what imports modules a second time would stay in the other tests' process.
BARE = "import sys; sys.modules['sqlalchemy'] = None; from hubwise.cli import main; main()"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """``hubwise`` where SQLAlchemy cannot be imported."""
    command = [sys.executable, "-c", BARE, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_lists_every_command() -> None:
    """Help is whole: what plans is listed, and so is what has still to be installed."""
    shown = run("--help")
    assert shown.returncode == 0
    assert all(f"│ {name} " in shown.stdout for name in ("plan", "audit", "serve", "station"))
    assert "Not installed" in shown.stdout


@pytest.mark.parametrize(
    "words", [["serve", "--help"], ["serve", "x", "--speed", "3"], ["station", "add", "x"]]
)
def test_what_needs_the_extra_says_how_to_get_it(words: list[str]) -> None:
    """One line, exit code 2, however the command is asked for."""
    said = run(*words)
    assert said.returncode == 2
    assert "sqlalchemy is not installed" in said.stderr
    assert "hubwise[serve]" in said.stderr
    assert said.stderr.count("\n") == 1
