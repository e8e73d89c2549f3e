"""What the report is made from: a study folder or a plan folder, read back from its files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from hubwise.domain import Scenario
from hubwise.domain.arrays import Array
from hubwise.domain.plain import JsonObject
from hubwise.ledger import Account
from hubwise.record import account_in
from hubwise.study.report.glossary import STRATEGY_LABELS, finite


@dataclass(frozen=True, slots=True)
class Case:
    """One strategy at one participation: its result, and the folder that holds its tables.

    Parameters
    ----------
    strategy
        Name of the strategy.
    participation
        Share of sessions that participate, 0-1.
    result
        The result as in ``summary.json``.
    folder
        The plan folder; it need not exist.
    """

    strategy: str
    participation: float
    result: JsonObject
    folder: Path

    def table(self, name: str) -> pl.DataFrame | None:
        """A table of the plan folder by name, or None where the file is missing."""
        path = self.folder / f"{name}.parquet"
        return pl.read_parquet(path) if path.exists() else None

    def account(self) -> Account | None:
        """The operator's account from the plan folder, or None where it is missing."""
        path = self.folder / "summary.json"
        if not path.exists():
            return None
        summary = json.loads(path.read_text(encoding="utf-8"))
        return account_in(summary) if summary.get("account") else None

    def value(self, key: str) -> float | None:
        """A number of the result, or None where it is missing or not finite."""
        return finite(self.result.get(key))


@dataclass(frozen=True, slots=True)
class Cases:
    """A scenario with the cases that were computed for it."""

    scenario: Scenario
    version: str
    summary: JsonObject
    cases: tuple[Case, ...]

    @property
    def participations(self) -> list[float]:
        """Every participation that has a case, ascending."""
        return sorted({case.participation for case in self.cases})

    def at(self, participation: float) -> list[Case]:
        """The cases of one participation, in the strategies' usual order."""
        known = list(STRATEGY_LABELS)
        cases = [case for case in self.cases if case.participation == participation]
        return sorted(cases, key=lambda case: (_rank(case.strategy, known), case.strategy))

    def case(self, participation: float, strategy: str) -> Case | None:
        """One case, or None where the study does not have it."""
        found = (case for case in self.at(participation) if case.strategy == strategy)
        return next(found, None)

    def yardstick(self, participation: float) -> Case | None:
        """The uncoordinated case, against which the others are measured."""
        return self.case(participation, "uncoordinated")

    def chosen(self, participation: float) -> Case | None:
        """The case the page is about: ``hubwise``, else the last that there is."""
        cases = self.at(participation)
        return self.case(participation, "hubwise") or (cases[-1] if cases else None)


def _rank(strategy: str, known: list[str]) -> int:
    return known.index(strategy) if strategy in known else len(known)


def read_study(scenario: Scenario, folder: Path) -> Cases:
    """Read a study's ``summary.json``; plan folders are ``plans/<strategy>-<participation>``."""
    return _material(
        scenario,
        folder,
        lambda strategy, share: folder / "plans" / f"{strategy}-{share:g}",
    )


def read_plan(scenario: Scenario, folder: Path) -> Cases:
    """Read ``summary.json`` of a plan folder, which holds one result."""
    return _material(scenario, folder, lambda _strategy, _share: folder)


def _material(scenario: Scenario, folder: Path, place: Callable[[str, float], Path]) -> Cases:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    cases = tuple(
        Case(
            str(result["strategy"]),
            float(result["participation"]),
            result,
            place(result["strategy"], result["participation"]),
        )
        for result in summary["results"]
    )
    return Cases(scenario, str(summary.get("version", "")), summary, cases)


def ratios(case: Case, yardstick: Case | None) -> dict[str, float | None]:
    """The three measures of the published study: peak-valley, participants' cost, profit.

    The first two are divided by the same quantity uncoordinated, the profit by the whole
    fleet's uncoordinated cost. As the result says, else from the yardstick's; None where a part
    is missing.
    """
    base = yardstick.value if yardstick else lambda _key: None
    return {
        "peak_valley": case.value("peak_valley_ratio")
        or _ratio(case.value("peak_valley_kw"), base("peak_valley_kw")),
        "participant_cost": case.value("participant_cost_ratio")
        or _ratio(case.value("participant_cost"), case.value("participant_reference_cost")),
        "profit": case.value("profit_ratio")
        or _ratio(case.value("operator_profit"), base("fleet_cost")),
    }


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def violations(case: Case) -> int | None:
    """Limits broken over the horizon, of every kind together; None where no kind is counted."""
    kinds = [case.value(key) for key in case.result if key.endswith("_violations")]
    known = [kind for kind in kinds if kind is not None]
    return int(sum(known)) if known else None


def advice(case: Case) -> list[str]:
    """What the plan missed and what would help, as the result says it."""
    said = case.result.get("advice")
    return [str(line) for line in said] if isinstance(said, list) else []


def by_slot(table: pl.DataFrame, column: str, slots: int) -> Array:
    """Sum of a column in every slot; shape (slots,), zero where the table has no row."""
    total = np.zeros(slots)
    np.add.at(total, table["slot"].to_numpy(), table[column].to_numpy())
    return total


def grid_of(table: pl.DataFrame, key: str, column: str, slots: int) -> tuple[list[object], Array]:
    """A long table as a matrix: the sorted keys, and values of shape (keys, slots)."""
    keys = table[key].unique().sort().to_list()
    row = table[key].replace_strict(keys, range(len(keys)), return_dtype=pl.Int64).to_numpy()
    matrix = np.full((len(keys), slots), np.nan)
    matrix[row, table["slot"].to_numpy()] = table[column].cast(pl.Float64).to_numpy()
    return keys, matrix
