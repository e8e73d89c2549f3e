"""Whether the tables have the rows they should: every one, once, in order, and no holes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from hubwise.audit.report import Check, Status
from hubwise.audit.wishes import wished
from hubwise.domain import Scenario
from hubwise.domain.arrays import Flags
from hubwise.record.folder import PlanFolder
from hubwise.record.tables import TABLES

_MAY_BE_UNKNOWN = {
    "buses": {"voltage_pu"},
    "feeder": set(TABLES["feeder"]) - {"slot"},
    "ageing": {"wear_nonlinear"},
}  # where the power flow finds no solution, or no price of a pack is known
_MAY_BE_INFINITE = {
    "sessions": {"discharge_limit_kwh", "warranty_kwh", "fade_limit_per_year", "starts_max"}
}
_ENDS = ("arrival_slot", "departure_slot")


def check_rows(folder: PlanFolder, scenario: Scenario) -> Iterator[Check]:
    """One check a table on its keys, and one on its holes."""
    for name, due in expected_keys(scenario).items():
        table = folder.tables[name]
        yield _keys_check(name, table.select(due.columns), due)
        yield _holes_check(name, table)


def expected_keys(scenario: Scenario) -> dict[str, pl.DataFrame]:
    """The key columns of every table, row for row, as the scenario gives them."""
    hubs = pl.DataFrame({"hub": list(scenario.situation.hubs.name)}, schema={"hub": pl.String})
    moments = pl.Series(
        "start_utc", scenario.situation.horizon.starts_utc(), dtype=pl.Datetime("us", "UTC")
    )
    slots = pl.DataFrame(
        {"slot": np.arange(scenario.situation.horizon.slots)}, schema={"slot": pl.Int64}
    )
    buses = pl.DataFrame({"bus": scenario.situation.feeder.bus}, schema={"bus": pl.Int64})
    ids = pl.DataFrame(
        {
            "session": scenario.situation.fleet.session.tolist(),
            "driver": scenario.situation.fleet.driver_name.tolist(),
        },
        schema={"session": pl.String, "driver": pl.String},
    )
    stays = zip(ids["session"], *(_ints(scenario, end) for end in _ENDS), strict=True)
    stay_slots = pl.DataFrame(
        [(session, slot) for session, first, end in stays for slot in range(first, end)],
        schema={"session": pl.String, "slot": pl.Int64},
        orient="row",
    )
    return {
        "prices": hubs.join(slots.with_columns(moments), how="cross"),
        "sessions": ids,
        "schedule": stay_slots,
        "hubs": hubs.join(slots, how="cross"),
        "buses": buses.join(slots, how="cross"),
        "feeder": slots,
        "ageing": ids.with_columns(
            pl.Series("chemistry", scenario.situation.fleet.chemistry.tolist())
        ),
        "bills": ids.select("driver", "session"),
        "wishes": _wishes(ids, wished(scenario.situation.fleet)),
    }


def _wishes(ids: pl.DataFrame, having: dict[str, Flags]) -> pl.DataFrame:
    """The key columns of wishes.parquet: every session's wishes, in the order of ``having``."""
    session, wish = np.nonzero(np.array(list(having.values())).T)
    names = pl.Series("wish", [list(having)[k] for k in wish], dtype=pl.String)
    return ids.select("session", "driver")[session].with_columns(names)


def _ints(scenario: Scenario, column: str) -> list[int]:
    return [int(value) for value in getattr(scenario.situation.fleet, column)]


def _keys_check(name: str, found: pl.DataFrame, due: pl.DataFrame) -> Check:
    keys = ", ".join(due.columns)
    promise = f"{name}.parquet has a row for every {keys} of the scenario, once and in order"
    same = found.equals(due)
    return Check(
        f"rows: {name}",
        promise,
        Status.HOLDS if same else Status.FAILS,
        where="" if same else _fault(found, due),
        advice="" if same else "make the plan again: rows were lost, added, changed or moved",
    )


def _fault(found: pl.DataFrame, due: pl.DataFrame) -> str:
    """In what way ``found`` is not ``due``."""
    keys = due.columns
    missing = due.join(found, on=keys, how="anti", nulls_equal=True)
    strange = found.join(due, on=keys, how="anti", nulls_equal=True)
    twice = found.height - found.unique().height
    parts = [
        f"{rows.height} rows {word}, such as {_row(rows)}"
        for rows, word in ((missing, "missing"), (strange, "not of the scenario"))
        if rows.height
    ]
    parts += [f"{twice} rows twice"] if twice else []
    return "; ".join(parts) or "rows in another order"


def _row(rows: pl.DataFrame) -> str:
    return ", ".join(f"{key} {value}" for key, value in rows.row(0, named=True).items())


def _holes_check(name: str, table: pl.DataFrame) -> Check:
    faults = [
        f"{column}: {count} of {table.height} rows"
        for column in TABLES[name]
        if (count := _holes(name, table[column]))
    ]
    return Check(
        f"values: {name}",
        f"{name}.parquet has no empty cell and no number that is not finite",
        Status.FAILS if faults else Status.HOLDS,
        where="; ".join(faults),
        advice="make the plan again: numbers were lost" if faults else "",
    )


def _holes(name: str, column: pl.Series) -> int:
    """Cells that are empty or not finite, where the contract has no use for such a cell."""
    may_be_unknown = column.name in _MAY_BE_UNKNOWN.get(name, ())
    may_be_infinite = column.name in _MAY_BE_INFINITE.get(name, ())
    if column.dtype != pl.Float64:
        return 0 if may_be_unknown else column.null_count()
    values = column.to_numpy()  # null becomes NaN
    unknown = 0 if may_be_unknown else np.isnan(values).sum()
    infinite = 0 if may_be_infinite else np.isinf(values).sum()
    return int(unknown + infinite)
