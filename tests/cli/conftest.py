"""A scenario that is planned in a moment, and a plan of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hubwise.cli import app
from hubwise.scenario import new

Run = Callable[..., Result]


def run(*arguments: object) -> Result:
    """Run ``hubwise`` in this process; our own mistakes come through as errors."""
    return CliRunner().invoke(app, [str(part) for part in arguments], catch_exceptions=False)


@pytest.fixture(name="run")
def run_fixture() -> Run:
    return run


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with one price for the whole day and few evaluations."""
    folder = new(tmp_path_factory.mktemp("scenarios") / "quick")
    toml = folder / "scenario.toml"
    text = toml.read_text("utf-8").replace("evaluations = 400", "evaluations = 3")
    toml.write_text(text.replace('family = "hourly"', 'family = "flat"'), "utf-8")
    return folder


@pytest.fixture(scope="session")
def planned(quick: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan of the quick scenario; not to be changed."""
    folder = tmp_path_factory.mktemp("plans") / "plan"
    assert run("plan", quick, "--out", folder).exit_code == 0
    return folder
