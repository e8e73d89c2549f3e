"""Advice under audit: what is said to be missed and to mend it is tried, not believed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hubwise.audit import audit_record
from hubwise.domain import Scenario
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.record.folder import write_summary
from hubwise.scenario import load


@pytest.fixture(scope="module")
def strained() -> Scenario:
    """The example on a weaker feeder, with a hub's transformer that is too small."""
    given = load("example")
    feeder = replace(given.situation.feeder, voltage_min_pu=0.975, transformer_kva=190.0)
    hubs = replace(given.situation.hubs, transformer_kva=np.array([30.0, np.inf]))
    return given.having(feeder=feeder, hubs=hubs)


@pytest.fixture
def folder(strained: Scenario, tmp_path: Path) -> Path:
    """A plan that misses limits of several kinds."""
    return write(make_plan(strained, strategy="uncoordinated"), tmp_path / "plan")


def spoilt(folder: Path, change: Any) -> None:
    """Change the result and seal the folder again."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    change(summary["results"][0])
    del summary["seal"]
    write_summary(summary, folder)


def failing(folder: Path, scenario: Scenario) -> set[str]:
    return {check.name for check in audit_record(folder, scenario).failures}


def test_honest_advice_holds(strained: Scenario, folder: Path) -> None:
    """A plan that misses limits and says so is true."""
    result = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["results"][0]
    kinds = {row["kind"] for row in result["limits_missed"]}
    assert kinds == {"voltage", "transformer", "hub transformer"}
    assert any(row["holds"] and row["hub_kw"] for row in result["mends"])
    assert failing(folder, strained) == set()


def test_a_limit_kept_quiet(strained: Scenario, folder: Path) -> None:
    """An element or a slot that is left out of the list is found."""
    spoilt(folder, lambda result: result["limits_missed"].pop())
    assert "advice: limits missed" in failing(folder, strained)


def test_a_limit_made_up(strained: Scenario, folder: Path) -> None:
    """A slot in which nothing is broken does not stand in the list."""
    spoilt(folder, lambda result: result["limits_missed"][0]["slots"].append(95))
    assert "advice: limits missed" in failing(folder, strained)


def test_changes_that_mend_nothing(strained: Scenario, folder: Path) -> None:
    """Smaller changes than are needed do not hold, whatever is said."""

    def halve(result: dict[str, Any]) -> None:
        for row in result["mends"]:
            row["hub_kw"] = {hub: kw / 2.0 for hub, kw in row["hub_kw"].items()}

    spoilt(folder, halve)
    assert "advice: what would mend it" in failing(folder, strained)


def test_transformers_that_live_too_long(strained: Scenario, folder: Path) -> None:
    """Heat and life are derived again, for hubs' transformers too."""
    spoilt(folder, lambda result: result["transformers"][-1].update(life_years=1e6))
    assert failing(folder, strained) == {"summary: transformers"}
    spoilt(folder, lambda result: result["transformers"].pop())
    assert failing(folder, strained) == {"summary: transformers"}


@pytest.mark.parametrize("odd", [None, "much", [], {}, 3, [1], [{"slots": 7, "hub_kw": [2]}]])
@pytest.mark.parametrize("key", ["limits_missed", "mends", "transformers"])
def test_odd_advice_never_breaks_the_audit(strained: Scenario, folder: Path, key, odd) -> None:
    """Whatever stands there instead is a check that fails."""
    spoilt(folder, lambda result: result.update({key: odd}))
    assert failing(folder, strained)
