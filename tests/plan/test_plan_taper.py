"""Plans of cars whose power tapers: every strategy's, rounded ones, several days'; all audited."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from hubwise.audit import audit_days, audit_record
from hubwise.domain import Strategy
from hubwise.plan import make_plan
from hubwise.record import read, seal_again, write
from hubwise.scenario import load, with_participation
from hubwise.scenario.writing import new
from hubwise.study.days.run import lean, plan_days

TAPERS = "\n[tapers]\nccs = [[0.5, 1.0], [0.8, 0.5], [1.0, 0.1]]\nlate = [[0.9, 1.0], [1.0, 0.3]]\n"


def site(folder, more="", **replaced):
    """The example with two curves, and cars of which every third has none."""
    found = new(folder)
    toml = found / "scenario.toml"
    text = toml.read_text("utf-8")
    for old, wanted in replaced.items():
        assert old in text
        text = text.replace(old, wanted)
    toml.write_text(text + TAPERS + more, "utf-8")
    table = pl.read_csv(found / "sessions.csv", infer_schema=False)
    names = (["ccs", "late", None] * len(table))[: len(table)]
    table.with_columns(taper=pl.Series(names, dtype=pl.String)).write_csv(found / "sessions.csv")
    return found


def quick(scenario):
    """The same, with few tariffs to try."""
    return replace(scenario, search=replace(scenario.search, evaluations=5, boxes=0))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The site's folder."""
    return site(tmp_path_factory.mktemp("sites") / "site")


@pytest.fixture(scope="module")
def planned(place, tmp_path_factory):
    """A plan folder of it."""
    target = tmp_path_factory.mktemp("plans") / "plan"
    write(make_plan(quick(load(place))), target)
    return target


BY_HAND = """
name = "by hand"
currency = "EUR"

[horizon]
day = 2025-05-14
start = 12:00:00
zone = "UTC"
slot_minutes = 60

[search]
seed = 1

[[hubs]]
name = "home"
import_limit_kw = 50.0
export_limit_kw = 50.0

[prices]
blocks = [
    { name = "first", hours = ["12:00-13:00"], price = 0.10 },
    { name = "second", hours = ["13:00-14:00"], price = 0.30 },
    { name = "third", hours = ["14:00-15:00"], price = 0.20 },
    { name = "rest", hours = ["15:00-12:00"], price = 0.40 },
]

[rules]
family = "hourly"
charge_price_min = 0.05
discharge_price_max = 0.0

[sessions]
file = "sessions.csv"

[tapers]
knee = [[0.8, 1.0], [1.0, 0.2]]
"""
ONE_STAY = (
    "session,driver,hub,arrival,departure,capacity_kwh,arrival_kwh,required_kwh,max_kwh,"
    "charge_kw_max,charge_efficiency,discharge_efficiency,wear_cost,chemistry,taper\n"
    "s,d,home,2025-05-14 12:00,2025-05-14 {end},100,60,{required},100,20,1,1,0,LFP,knee\n"
)


@pytest.mark.parametrize(
    ("end", "required", "kwh", "cost"),
    [
        # Full at once, 20 - 0.8 (e - 80) kW above 80 kWh; 2.00 + 4.13 + 1.237 + 0.019.
        ("16:00", 100, [20.0, 13.7668, 6.1858, 0.0474], 7.39),
        # An hour less brings no more than this, and what is missing is told.
        ("15:00", 100, [20.0, 13.7668, 6.1858, 0.0], 7.37),
        # Below 80 kWh nothing tapers.
        ("16:00", 78, [18.0, 0.0, 0.0, 0.0], 1.80),
    ],
)
def test_bills_by_hand(tmp_path, end, required, kwh, cost) -> None:
    """From files to the bill: energy to the watt-hour, money to the cent."""
    (tmp_path / "scenario.toml").write_text(BY_HAND, "utf-8")
    (tmp_path / "sessions.csv").write_text(ONE_STAY.format(end=end, required=required), "utf-8")
    scenario = load(tmp_path)
    plan = make_plan(scenario, strategy="uncoordinated")
    assert plan.schedule.charge_kw[0, :4] == pytest.approx(kwh, abs=5e-5)
    assert round(float(plan.bills.net_cost[0]), 2) == cost
    told = [note for note in scenario.notes if "tapers near full" in note]
    assert told == [] if end == "16:00" else "s (0.05 kWh)" in told[0]


@pytest.mark.parametrize("strategy", [s for s in Strategy if s is not Strategy.HUBWISE])
def test_every_strategy_obeys_the_curves(place, strategy, tmp_path) -> None:
    """What is written is followable, by the audit's own integration."""
    scenario = with_participation(quick(load(place)), 0.7)
    write(make_plan(scenario, strategy=strategy), tmp_path / "plan")
    report = audit_record(tmp_path / "plan", scenario)
    assert not report.failures
    assert "drivers: taper" in {check.name for check in report.checks}


def test_a_plan_obeys_the_curves_and_a_lie_is_found(place, planned) -> None:
    """Power moved to where the car would not take it fails, sealed again or not."""
    report = audit_record(planned, load(place))
    assert not report.failures
    table = pl.read_parquet(planned / "schedule.parquet")
    sessions = read(planned).tables["sessions"]
    assert sessions["taper"].to_list()[:3] == ["ccs", "late", ""]
    name = sessions["session"][0]
    last = table.filter(pl.col("session") == name)["slot"].max()
    most = float(sessions["charge_kw_max"][0])
    late = (pl.col("session") == name) & (pl.col("slot") == last)
    table.with_columns(charge_kw=pl.when(late).then(most).otherwise("charge_kw")).write_parquet(
        planned / "schedule.parquet"
    )
    seal_again(planned)
    failed = {check.name for check in audit_record(planned, load(place)).failures}
    assert "drivers: taper" in failed


def test_rounded_plans_obey_the_curves(tmp_path) -> None:
    """Steps, starts and least powers round no power above what the car takes."""
    more = "\n[chargers]\nstep_a = 1\nstarts_max = 2\nround = true\n"
    scenario = quick(load(site(tmp_path / "site", more)))
    write(make_plan(scenario), tmp_path / "plan")
    assert not audit_record(tmp_path / "plan", scenario).failures


def test_days_taper_from_what_the_last_has_left(tmp_path) -> None:
    """Stays over the days' edge go on along their curves, those that charge at once likewise."""
    edge = {
        "start = 12:00:00": "start = 20:00:00",
        "day = 2025-05-14": "day = 2025-05-13\ndays = 3",
    }
    place = site(tmp_path / "site", **edge)
    hours = [datetime(2025, 5, 13, 18, tzinfo=UTC) + timedelta(hours=k) for k in range(72)]
    moments = [f"{hour:%Y-%m-%dT%H:%MZ}" for hour in hours]
    price = [60.0 + 40.0 * (16 <= hour.hour < 20) - hour.hour for hour in hours]
    pl.DataFrame({"start_utc": moments, "price": price}).write_csv(place / "prices.csv")
    scenario = with_participation(quick(lean(load(place))), 0.7)
    assert scenario.situation.fleet.bounds is None
    made = plan_days(scenario, tmp_path / "out")
    days = sorted(path.parent for path in made.folder.glob("days/*/summary.json"))
    assert any(len(pl.read_parquet(day / "carried.parquet")) for day in days)
    assert not audit_days(made.folder, scenario).failures
    for day in days:
        checks = audit_record(day).checks
        assert "drivers: taper" in {check.name for check in checks}
