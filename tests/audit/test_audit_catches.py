"""A plan folder with one thing changed, anywhere, fails its audit."""

from __future__ import annotations

import json
import os
import shutil
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubwise.audit import Status, audit_record
from hubwise.domain import Status as Ended
from hubwise.domain import Strategy
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.record.folder import write_summary
from hubwise.record.tables import TABLES
from hubwise.scenario import load

# Only the seal tells that these were changed; the audit says that it cannot derive them.
ONLY_SEALED = {"wall_seconds", "evaluations", "participation", "method", "version"}
ONLY_SEALED |= {"delegating"}
ONLY_SEALED |= {"without_prices", "without_prices.strategy", "without_prices.operator_profit"}
ONLY_SEALED |= {"profit_bound", "family_bound", "boxes", "wear_rounds", "scenario_source"}
ONLY_SEALED |= {
    f"dispatch_objective.{term}" for term in ("purchases", "demand_charges", "limits", "flatness")
}
ONLY_SEALED |= {f"status.{what}.status" for what in ("search", "family_bound")}
OTHER_TIES = ("pessimistic",)
COLUMNS = [(table, column) for table, columns in TABLES.items() for column in columns]
few = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def copy(folder, tmp_path_factory):
    """A copy of the plan folder to spoil."""

    def make():
        target = tmp_path_factory.mktemp("spoilt") / "plan"
        shutil.copytree(folder, target)
        return target

    return make


def _spoil(folder, table, change):
    """Change a table, and seal the folder again: the numbers themselves must give it away."""
    file = folder / f"{table}.parquet"
    change(pl.read_parquet(file)).write_parquet(file)
    _reseal(folder, json.loads((folder / "summary.json").read_text()))


def _reseal(folder, summary):
    del summary["seal"]
    write_summary(summary, folder)


def _other(value, kind, step):
    match kind:
        case pl.Float64():
            return 7.0 if value is None or value == float("inf") else value + step
        case pl.Int64():
            return value + (1 if step > 0 else -1)
        case pl.Boolean():
            return not value
        case pl.Datetime():
            return value + timedelta(minutes=15)
        case _:
            return value + "x"


def _with_cell(rows, column, row, value):
    values = rows[column].to_list()
    values[row] = value
    return rows.with_columns(pl.Series(column, values, rows.schema[column]))


@pytest.mark.parametrize("strategy", list(Strategy))
def test_an_honest_plan_passes(strategy, scenario, tmp_path):
    """A plan of any strategy, as it comes, has nothing that fails."""
    report = audit_record(
        write(make_plan(scenario, strategy=strategy), tmp_path / "plan"), scenario
    )
    assert report.ok, str(report)


def test_the_scenario_is_found_by_its_name(tmp_path):
    """Without a scenario given, the one that the summary names is read."""
    made = make_plan(load("example"), strategy="uncoordinated", participation=0.5)
    assert audit_record(write(made, tmp_path / "plan")).ok


def _change_cell(folder, table, column, share, step):
    def change(rows):
        row = int(share * rows.height)
        other = _other(rows[column][row], TABLES[table][column], step)
        return _with_cell(rows, column, row, other)

    _spoil(folder, table, change)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_cell_of_every_column(table, column, copy, scenario):
    """There is no column in which a changed cell goes unnoticed."""
    target = copy()
    _change_cell(target, table, column, 0.4, 0.01)
    assert not audit_record(target, scenario).ok


@few
@given(
    where=st.sampled_from(COLUMNS),
    share=st.floats(0, 1, exclude_max=True),
    step=st.sampled_from([0.01, -0.01, 1.0, -1.0, 1000.0]),
)
def test_any_cell(where, share, step, copy, scenario):
    """Any cell of any table, changed by a hundredth or more, is noticed."""
    target = copy()
    _change_cell(target, *where, share, step)
    assert not audit_record(target, scenario).ok


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.head(-1),
        lambda rows: pl.concat([rows, rows.tail(1)]),
        lambda rows: pl.concat([rows.tail(1), rows.head(-1)]),
        lambda rows: rows.drop(rows.columns[-1]),
        lambda rows: rows.with_columns(pl.col(rows.columns[-1]).cast(pl.String)),
        lambda rows: rows.clear(),
        lambda rows: _with_cell(rows, rows.columns[-1], 0, None),
        lambda rows: _with_cell(rows, rows.columns[0], 0, None),
    ],
    ids=["lost", "twice", "moved", "dropped", "retyped", "emptied", "hole", "keyless"],
)
def test_rows_and_columns(table, change, copy, scenario):
    """Rows lost, doubled or moved, columns dropped or of another type, and holes are caught."""
    target = copy()
    _spoil(target, table, change)
    assert not audit_record(target, scenario).ok


def _leaves(value, path=()):
    match value:
        case dict():
            for key, item in value.items():
                yield from _leaves(item, (*path, key))
        case list():
            for key, item in enumerate(value):
                yield from _leaves(item, (*path, key))
        case _:
            yield path, value


def _with_leaf(summary, path, value):
    copied = json.loads(json.dumps(summary))
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copied


def test_any_number_of_the_summary(copy, scenario):
    """Every number of summary.json is derived again, or at least sealed."""
    target = copy()
    summary = json.loads((target / "summary.json").read_text())
    numbers = [
        (path, value)
        for path, value in _leaves(summary)
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    prices = [number for number in numbers if "prices" in number[0]]
    numbers = [number for number in numbers if "prices" not in number[0]] + prices[::17]
    for path, value in numbers:
        _reseal(target, _with_leaf(summary, path, value + 0.01))
        assert not audit_record(target, scenario).ok or _only_sealed(path), path


def _only_sealed(path):
    """Whether the audit lists this path as not checked."""
    return set(path) & (ONLY_SEALED | set(OTHER_TIES))


def test_the_audit_says_what_it_did_not_check(folder, scenario):
    """What cannot be derived again is listed, and nothing else is."""
    report = audit_record(folder, scenario)
    assert report.having(Status.UNCHECKED) == ()
    parts = [part for check in report.having(Status.SEALED) for part in check.where.split(", ")]
    listed = {part.partition(" = ")[0] for part in parts}
    assert not {key for key in listed if "undelegated" in key}
    ours = {key for key in listed if "pessimistic" not in key}
    assert ours <= ONLY_SEALED
    assert "wall_seconds" in ours


def test_what_cannot_be_derived_is_sealed(copy, scenario):
    """The seal gives away a changed number that nobody can derive again."""
    target = copy()
    file = target / "summary.json"
    summary = json.loads(file.read_text())
    for path, value in _leaves(summary):
        if _only_sealed(path) and isinstance(value, int | float):
            file.write_text(json.dumps(_with_leaf(summary, path, value + 0.01)))
            failed = [check.name for check in audit_record(target, scenario).failures]
            assert "folder: seal" in failed


def test_any_text_of_the_summary(copy, scenario):
    """Another scenario, currency, strategy, fingerprint or amount in the books is noticed."""
    target = copy()
    summary = json.loads((target / "summary.json").read_text())
    sealed_only = {"version", "scenario_source", "method", "without_prices"}
    for path, value in _leaves(summary):
        if isinstance(value, str) and path[0] != "seal" and not sealed_only & set(path):
            _reseal(target, _with_leaf(summary, path, value + "1"))
            assert not audit_record(target, scenario).ok, path


@few
@given(
    pick=st.floats(0, 1, exclude_max=True), odd=st.sampled_from([None, "x", [], {}, True, 1e300])
)
def test_odd_values_in_the_summary(pick, odd, copy, scenario):
    """A summary with a value of another kind is a report of what is wrong, never a crash."""
    target = copy()
    summary = json.loads((target / "summary.json").read_text())
    paths = [path for path, _ in _leaves(summary) if path[0] not in ("seal", "scenario_source")]
    path = paths[int(pick * len(paths))]
    _reseal(target, _with_leaf(summary, path, odd))
    assert not audit_record(target, scenario).ok or _only_sealed(path) or "version" in path


@pytest.mark.parametrize("word", [Ended.LIMITS_MISSED, Ended.TURNS_SPENT])
def test_limits_said_to_be_missed(word, copy, scenario):
    """Where no limit is broken and the promise to the grid is kept, no plan says otherwise."""
    target = copy()
    summary = json.loads((target / "summary.json").read_text())
    said = {"status": str(word), "advice": word.advice}
    _reseal(target, _with_leaf(summary, ("results", 0, "status", "ac_dispatch"), said))
    failed = [check for check in audit_record(target, scenario).checks if "status" in check.name]
    assert [check.name for check in failed if "ac_dispatch" in check.where] == ["summary: status"]


def _empty_folder(target):
    (target / "more").mkdir()
    return "more"


def _linked_table(target):
    table = target / "bills.parquet"
    table.rename(target.parent / "elsewhere.parquet")
    table.symlink_to(target.parent / "elsewhere.parquet")
    return table.name


def _pipe(target):
    os.mkfifo(target / "pipe.parquet")
    return "pipe.parquet"


@pytest.mark.parametrize("put", [_empty_folder, _linked_table, _pipe])
def test_strangers_in_the_folder(put, copy, scenario):
    """A folder, a link or a pipe within a plan's folder is named, whatever the seal says."""
    target = copy()
    name = put(target)
    _reseal(target, json.loads((target / "summary.json").read_text()))
    report = audit_record(target, scenario)
    (seal,) = (check for check in report.checks if check.name == "folder: seal")
    assert not report.ok
    assert f"{name}: not a plain file" in seal.where


@pytest.mark.parametrize("key", ["profit_bound", "family_bound"])
@pytest.mark.parametrize(("above", "holds"), [(0.5, True), (-1.0, False)])
def test_a_bound_that_the_profit_passes(key, above, holds, copy, scenario):
    """A bound on the profit lies above the profit, or is none."""
    target = copy()
    summary = json.loads((target / "summary.json").read_text())
    bound = summary["results"][0]["operator_profit"] + above
    summary = _with_leaf(summary, ("results", 0, key), bound)
    profit, gap = summary["results"][0]["operator_profit"], key.replace("profit_bound", "gap")
    gap = ("results", 0, gap.replace("family_bound", "family_gap"))
    summary = _with_leaf(summary, gap, (bound - profit) / bound if holds else None)
    if key == "family_bound":  # of boxes that were looked at, and below the bound for any tariff
        summary = _with_leaf(summary, ("results", 0, "boxes"), 1)
        summary = _with_leaf(summary, ("results", 0, "status", "family_bound", "status"), "closed")
        summary = _with_leaf(summary, ("results", 0, "status", "family_bound", "advice"), "")
    # As near to a bound nothing better is said to be possible.
    summary["results"][0]["better"] = []
    _reseal(target, summary)
    report = audit_record(target, scenario)
    assert report.ok is holds, [(it.name, it.where) for it in report.failures]


def test_a_second_months_peak_that_is_said_to_be_paid(copy, scenario):
    """Demand charges counted as if the first billing period lasted to the end; as two they hold."""
    target, due = copy(), "money: account"
    summary = json.loads((target / "summary.json").read_text())
    hubs = pl.read_parquet(target / "hubs.parquet").sort("hub", "slot")
    imports = hubs["import_kw"].to_numpy().reshape(len(scenario.situation.hubs), -1)
    both = 0.3 * imports[:, :40].max(axis=1).sum() + 0.2 * imports[:, 40:].max(axis=1).sum()
    assert summary["account"]["demand_charges"] == pytest.approx(both)
    assert due not in {each.name for each in audit_record(target, scenario).failures}
    summary["account"]["demand_charges"] = float(0.3 * imports.max(axis=1).sum())
    assert summary["account"]["demand_charges"] != pytest.approx(both)
    _reseal(target, summary)
    assert due in {each.name for each in audit_record(target, scenario).failures}
