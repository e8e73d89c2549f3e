"""`hubwise evaluate`: a tariff of one's own, laid over the slots, judged and told about."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from typer.testing import CliRunner

from hubwise.audit import audit_record
from hubwise.cli import app
from hubwise.record import read
from hubwise.scenario import ScenarioError, load, read_own_prices

DAILY = "start,charge,discharge\n07:00,0.14,0.05\n18:00,0.16,0.10\n22:00,0.12,0\n"


def run(*words):
    return CliRunner().invoke(app, ["evaluate", "example", *map(str, words)])


def issues(tmp_path, text):
    """What is wrong with a table of prices for the example."""
    file = tmp_path / "prices.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        read_own_prices(file, load("example").situation)
    return [str(issue) for issue in refused.value.issues]


def laid(tmp_path, text):
    """The tariff of a table for the example, and the hour of each slot."""
    file = tmp_path / "prices.csv"
    file.write_text(text, encoding="utf-8")
    situation = load("example").situation
    return read_own_prices(file, situation), situation


def test_times_of_day_hold_until_the_next_across_midnight(tmp_path) -> None:
    """Before the first row of the day the last one of the day before holds."""
    tariff, situation = laid(tmp_path, DAILY)
    hour = situation.horizon.local_hours()
    due = np.where(
        (hour >= 7) & (hour < 18), 0.14, np.where((hour >= 18) & (hour < 22), 0.16, 0.12)
    )
    assert np.array_equal(tariff.charge_price, np.tile(due, (2, 1)))


def test_hours_dates_and_hubs_are_understood(tmp_path) -> None:
    """Rows by hour, by local date and time, or by UTC say the same; a hub has its own rows."""
    _, situation = laid(tmp_path, DAILY)
    starts = situation.horizon.local_starts()
    hourly = "".join(f"{t:%Y-%m-%d %H:%M},0.{t.hour:02},0\n" for t in starts[::4])
    hours = "".join(f"{h},0.{h:02},0\n" for h in range(24))
    utc = "".join(f"{t.isoformat()},0.{t.hour:02},0\n" for t in starts[::4])
    tables = [f"start,charge,discharge\n{hourly}", f"hour,charge,discharge\n{hours}"]
    tables.append(f"start_utc,charge,discharge\n{utc}")
    first, *others = [laid(tmp_path, table)[0] for table in tables]
    for other in others:
        assert np.array_equal(first.charge_price, other.charge_price)
    own = "hub,hour,charge,discharge\nnorth,0,0.1,0\nharbour,0,0.2,0\n"
    assert laid(tmp_path, own)[0].charge_price[:, 0].tolist() == [0.1, 0.2]


def test_what_is_wrong_is_told_at_once(tmp_path) -> None:
    """Missing rows, unknown hubs, times that are none: each with its place."""
    starts = load("example").situation.horizon.local_starts()[::4]
    gap = "".join(f"{t.isoformat()},0.1,0\n" for t in starts if t.hour not in (3, 4))
    assert "has no row for 03:00-05:00" in issues(tmp_path, f"start,charge,discharge\n{gap}")[0]
    several = issues(tmp_path, "start,hub,charge,discharge\n7am,north,0.1,0\n08:00,nort,x,0\n")
    assert ["row 2" in several[0], "row 3" in several[1], "row 3" in several[2]] == [True] * 3
    assert "begins within a slot" in issues(tmp_path, "start,charge\n07:05,0.1\n22:00,0.1\n")[0]
    assert "has no rows" in issues(tmp_path, "hour,hub,charge\n0,north,0.1\n")[0]
    assert "give one of" in issues(tmp_path, "hub,charge\nnorth,0.1\n")[0]
    assert "row 2 does" in issues(tmp_path, "hour,charge\n7,0.1\n7,0.2\n")[0]


def test_a_late_start_of_dated_rows_is_missing_at_the_beginning(tmp_path) -> None:
    """Nothing holds before the first row of a table of dates."""
    begin = load("example").situation.horizon.local_starts()[0] + timedelta(hours=2)
    said = issues(tmp_path, f"start,charge\n{begin.isoformat()},0.1\n")
    assert "has no row for 12:00-14:00" in said[0]


def test_prices_that_break_rules_are_evaluated_all_the_same(tmp_path) -> None:
    """The plan stands at these very prices; broken rules are named, and the exit code says so."""
    file = tmp_path / "mine.csv"
    file.write_text(DAILY.replace("0.16", "0.165432"), encoding="utf-8")
    out = tmp_path / "plan"
    done = run("--prices", file, "--out", out, "--json")
    assert done.exit_code == 1
    summary = json.loads(done.stdout)
    assert summary["evaluated"]["prices"] == "mine.csv"
    assert any("multiples of 0.0001" in words for words in summary["evaluated"]["breaks"])
    assert summary["results"][0]["method"] == "given"
    table = read(out).tables["prices"]
    assert set(table["charge_price"].unique()) == {0.12, 0.14, 0.165432}
    failed = {check.name for check in audit_record(out).failures}
    assert failed <= {"prices: decimals", "prices: bounds", "prices: family"}


def test_buying_and_selling_at_once_is_refused(tmp_path) -> None:
    """A tariff at which cars go in a circle would mean nothing."""
    file = tmp_path / "mine.csv"
    file.write_text("hour,charge,discharge\n0,0.1,0.9\n", encoding="utf-8")
    done = run("--prices", file, "--out", tmp_path / "plan")
    assert done.exit_code == 2
    assert not (tmp_path / "plan").exists()
