"""The command line at scale: zones, draws, schedulers, and work that is gone on with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from hubwise.study import run as study_run
from hubwise.study import workers

Run = Callable[..., Result]
HERE = ("--workers", 1)


def test_zones_evaluate_the_prices_of_a_plan(
    run: Run, quick: Path, planned: Path, tmp_path: Path
) -> None:
    """A nation's table names its zones and sessions; with --json stdout is its summary."""
    asked = ("zones", quick, "--copies", 3, "--prices", planned, *HERE)
    done = run(*asked, "--out", tmp_path / "it")
    assert done.exit_code == 0, done.output
    assert "3 zones, 36 sessions" in done.stdout
    said = json.loads(run(*asked, "--out", tmp_path / "it", "--json").stdout)
    written = json.loads((tmp_path / "it" / "summary.json").read_text("utf-8"))
    assert said == {"folder": str(tmp_path / "it"), **written}


def test_zones_are_planned_without_prices(run: Run, quick: Path, tmp_path: Path) -> None:
    """Each zone has a plan of its own, kept where it is asked for, which the audit accepts."""
    out = tmp_path / "it"
    done = run("zones", f"{quick}@7", "--keep-plans", *HERE, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    [plan] = (out / "plans").iterdir()
    assert plan.name == "example@7"
    assert run("audit", plan).exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--prices", "nowhere"], "nowhere — there is no such folder"),
        (["--scheduler", "tcp://127.0.0.1:9"], "tcp://127.0.0.1:9 — no dask scheduler answers"),
        (["--scheduler", "not an address"], "names no port"),
    ],
)
def test_what_is_not_there_is_said(
    run: Run,
    quick: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    said: str,
) -> None:
    """A plan or a scheduler that is not there ends with 2, one line and no folder."""
    monkeypatch.setattr(workers, "PATIENCE_S", 0.5)
    done = run("zones", quick, *options, "--out", tmp_path / "it")
    assert done.exit_code == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_plans_and_prices_exclude_each_other(
    run: Run, quick: Path, planned: Path, tmp_path: Path
) -> None:
    """Where prices are given nothing is planned, so a search method is a mistake."""
    done = run("zones", quick, "--prices", planned, "--method", "auto", "--out", tmp_path / "it")
    assert done.exit_code == 2


def test_a_study_on_several_draws_shows_intervals(run: Run, quick: Path, tmp_path: Path) -> None:
    """With --seeds the table of the first draw is followed by means and their intervals."""
    few = ("--strategy", "passive", "--participation", 0.5, *HERE)
    done = run("study", quick, "--seeds", 2, *few, "--out", tmp_path / "it")
    assert done.exit_code == 0, done.output
    assert "over 2 draws of the fleet" in done.stdout
    assert "±" in done.stdout


def test_an_interrupt_says_where_to_go_on(
    run: Run, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after a plan of a study keeps it, and says so."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(study_run, "write_report", interrupted)
    few = ("--strategy", "passive", "--participation", 0.5, *HERE)
    done = run("study", quick, *few, "--out", tmp_path / "it")
    assert done.exit_code == 130
    kept = tmp_path / "it.unfinished"
    assert done.stderr == (
        f"Interrupted; what is finished is kept in {kept}; the same command goes on from there.\n"
    )
    assert (kept / "plans" / "passive-0.5" / "summary.json").is_file()


def test_a_nation_is_checked_with_all_its_zones(run: Run, quick: Path, tmp_path: Path) -> None:
    """``scenario check`` says what is in a nation, or all that is wrong with its file and zones."""
    file = tmp_path / "nation.toml"
    file.write_text(f'name = "it"\n[[zones]]\nscenario = "{quick}"\ncopies = 3\n')
    done = run("scenario", "check", tmp_path)
    assert done.stdout == "it: 3 zones (3 of example); nothing wrong\n"
    assert json.loads(run("scenario", "check", tmp_path, "--json").stdout)["zones"] == 3
    file.write_text('name = "it"\n[[zones]]\nscenario = "nowhere"\n')
    wrong = run("scenario", "check", tmp_path)
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("nowhere — is not a scenario")
