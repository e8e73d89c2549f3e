"""Many days: what one leaves the next begins with, and months are their sums."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from hubwise.audit import Status as Failing
from hubwise.audit import audit_days, audit_record
from hubwise.cli import app
from hubwise.domain import Carried, Horizon, Scenario
from hubwise.domain.arrays import Array
from hubwise.drivers import uncoordinated
from hubwise.plan import make_plan
from hubwise.record import read, write
from hubwise.record.days import carried_in, day_appendices
from hubwise.record.month_bills import month_statements, operator_months
from hubwise.record.statement import Money
from hubwise.scenario import load, new, with_delegation
from hubwise.scenario.days import (
    days_of,
    demand_charge_of,
    demand_charges_of_day,
    parts_of,
    scenario_of_day,
)
from hubwise.study.days import run as running
from hubwise.study.days.done import done
from hubwise.study.days.run import DaysResult, lean, plan_days
from hubwise.study.options import RunOptions
from hubwise.study.verdict.run import make_verdict

ZONE = ZoneInfo("Europe/Amsterdam")
FIRST = date(2025, 5, 29)
DAYS = 5  # over the end of a month
CHARGE = 6.0


def _sessions() -> list[dict[str, object]]:
    """A stay by day, one over midnight and one of 33 hours, again and again."""
    stays = []
    for k in range(DAYS):
        begins = datetime(FIRST.year, FIRST.month, FIRST.day) + timedelta(days=k)
        for name, hub, hour, hours, arrives, wants in (
            ("day", "north", 8, 9, 12.0, 38.0),
            ("night", "harbour", 19, 13, 15.0, 50.0),
            ("long", "north", 14, 33, 10.0, 55.0),
        ):
            arrival = begins + timedelta(hours=hour)
            departure = arrival + timedelta(hours=hours)
            if departure > datetime(FIRST.year, FIRST.month, FIRST.day) + timedelta(days=DAYS):
                continue
            stays.append(
                {
                    "session": f"{name}{k}",
                    "driver": f"{name}-driver-{k}",
                    "hub": hub,
                    "arrival": f"{arrival:%Y-%m-%d %H:%M}",
                    "departure": f"{departure:%Y-%m-%d %H:%M}",
                    "capacity_kwh": 60.0,
                    "arrival_kwh": arrives,
                    "required_kwh": wants,
                    "reserve_kwh": 5.0,
                    "max_kwh": 60.0,
                    "charge_kw_max": 7.0,
                    "discharge_kw_max": 7.0 if name != "day" else 0.0,
                    "charge_efficiency": 0.95,
                    "discharge_efficiency": 0.95,
                    "wear_cost": 0.03,
                    "chemistry": "LFP",
                }
            )
    return stays


def _site(folder: Path, **changes: str) -> Path:
    """The example for five days: cheap nights, dear evenings, a monthly demand charge."""
    place = new(folder)
    pl.DataFrame(_sessions()).write_csv(place / "sessions.csv")
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=ZONE).astimezone(UTC)
    hours = [start + timedelta(hours=k) for k in range(24 * DAYS)]
    price = [60.0 - 40.0 * (h.hour < 5) + 90.0 * (16 <= h.hour < 20) + h.day for h in hours]
    moments = [f"{hour:%Y-%m-%dT%H:%MZ}" for hour in hours]
    pl.DataFrame({"start_utc": moments, "price": price}).write_csv(place / "prices.csv")
    text = (place / "scenario.toml").read_text("utf-8")
    for old, wanted in {
        "day = 2025-05-14": f"day = {FIRST}\ndays = {DAYS}",
        "start = 12:00:00": "start = 00:00:00",
        "feed_in_fee = 0.01": f"feed_in_fee = 0.01\ndemand_charge = {CHARGE}",
        "participation = 1.0": "participation = 0.8",
        'family = "hourly"': 'family = "flat"',
        **changes,
    }.items():
        assert old in text
        text = text.replace(old, wanted)
    (place / "scenario.toml").write_text(text, "utf-8")
    return place


def _quick(site: Scenario) -> Scenario:
    return replace(lean(site), search=replace(lean(site).search, evaluations=2))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Five days with few tariffs to try."""
    return _quick(load(_site(tmp_path_factory.mktemp("sites") / "site")))


@pytest.fixture(scope="module")
def made(site: Scenario, tmp_path_factory: pytest.TempPathFactory) -> DaysResult:
    """All five planned; not to be changed."""
    return plan_days(site, tmp_path_factory.mktemp("days") / "out")


def _bills(made: DaysResult) -> pl.DataFrame:
    return pl.read_parquet(made.folder / "bills.parquet")


def _day(made: DaysResult, number: int) -> Path:
    return made.folder / "days" / str(FIRST + timedelta(days=number))


def test_a_stay_over_midnight_gets_its_energy(site: Scenario, made: DaysResult) -> None:
    """Every stay leaves with what it requires, on whichever day, and nobody is told less."""
    fleet, edges = site.situation.fleet, site.situation.horizon.day_edges()
    ends = np.searchsorted(edges, fleet.departure_slot) - 1
    for name, wants, number in zip(fleet.session, fleet.required_kwh, ends, strict=True):
        schedule = read(_day(made, int(number))).tables["schedule"]
        last = schedule.filter(pl.col("session") == name)["energy_kwh"][-1]
        assert last >= wants - 1e-6
    for number in range(DAYS):
        assert read(_day(made, number)).result["told"] == []


def test_what_is_left_is_where_the_next_day_begins(made: DaysResult) -> None:
    """Energies, costs, lists and peaks of a day are those that the last one has left."""
    for number in range(DAYS - 1):
        left = carried_in(read(_day(made, number)), "left")
        carried = carried_in(read(_day(made, number + 1)), "carried")
        assert left.session.tolist() == carried.session.tolist() != []
        for name in ("energy_kwh", "at_once_kwh", "net_cost", "battery_kwh", "import_peak_kw"):
            np.testing.assert_array_equal(getattr(left, name), getattr(carried, name))
        np.testing.assert_array_equal(left.lists.charge_price, carried.lists.charge_price)


def test_days_add_up_to_months(made: DaysResult) -> None:
    """Money and energy of a month are the sums of its days, and all months' those of all bills."""
    months = pl.read_parquet(made.folder / "months.parquet")
    assert months["month"].to_list() == ["2025-05", "2025-06"]
    assert months["days"].to_list() == [3, 2]
    parts = [
        part
        for n in range(DAYS)
        for part in read(_day(made, n)).summary["day"]["parts"]  # type: ignore[index]
    ]
    for month in months.iter_rows(named=True):
        own = [part for part in parts if part["month"] == month["month"]]
        assert month["profit"] == pytest.approx(sum(part["profit"] for part in own), abs=1e-9)
        assert month["charged_kwh"] == pytest.approx(sum(p["charged_kwh"] for p in own), abs=1e-9)
    paid = _bills(made).filter("participating")["paid"].sum()
    assert months["charging_revenue"].sum() == pytest.approx(paid, abs=1e-9)
    flat = (made.folder / "months.csv").read_text("utf-8").splitlines()
    assert len(flat) == 1 + len(months)


def test_bills_are_what_the_posted_prices_say(site: Scenario, made: DaysResult) -> None:
    """A stay pays on both its days the list that it was offered when it came."""
    first, second = (read(_day(made, number)).tables for number in (0, 1))
    posted = first["prices"].filter(pl.col("hub") == "harbour").sort("slot")
    slots = site.situation.horizon.day_edges()[1]
    takes_part = _bills(made).filter(pl.col("session") == "night0")["participating"].all()
    assert takes_part
    after = second["schedule"].filter(pl.col("session") == "night0")
    due = 0.25 * sum(
        kw * posted["charge_price"][slot + slots]
        for slot, kw in after.select("slot", "charge_kw").iter_rows()
    )
    found = second["day"].filter(pl.col("session") == "night0")["paid"].sum()
    assert due > 0.0
    assert found == pytest.approx(due, abs=1e-9)


def test_a_stay_costs_what_it_was_promised_at_its_arrival(made: DaysResult) -> None:
    """Over all its days a stay costs its least cost at the list that it was offered: no regret."""
    first = read(_day(made, 0)).tables["bills"]
    cost = dict(_bills(made).group_by("session").agg(pl.col("net_cost").sum()).iter_rows())
    takes_part = read(_day(made, 0)).tables["sessions"].filter("participating")["session"]
    assert {"night0", "long0"} & set(takes_part)
    for session, least in first.select("session", "best_response_cost").iter_rows():
        if session in takes_part:
            assert cost[session] == pytest.approx(least, abs=1e-5)


def test_the_yardstick_is_the_same_as_in_one_piece(site: Scenario, made: DaysResult) -> None:
    """What charging at once at arrival would cost does not depend on where days end."""
    fleet, market = site.situation.fleet, site.situation.market
    at_once = uncoordinated(fleet, site.situation.horizon)
    due = site.situation.horizon.slot_hours * at_once.charge_kw @ market.reference_price
    sums = dict(_bills(made).group_by("session").agg(pl.col("reference_cost").sum()).iter_rows())
    for name, cost in zip(fleet.session.tolist(), due, strict=True):
        assert sums[name] == pytest.approx(cost, abs=1e-9)


def test_a_months_peak_is_paid_for_once(site: Scenario, made: DaysResult) -> None:
    """Demand charges of a month are its share of the charge times each hub's highest import in it.

    A day whose imports stay below the month's peak pays nothing.
    """
    months = pl.read_parquet(made.folder / "months.parquet")
    by_month: dict[str, Array] = {}
    charges = []
    for number in range(DAYS):
        folder = read(_day(made, number))
        month = f"{FIRST + timedelta(days=number):%Y-%m}"
        hubs = folder.tables["hubs"].filter(pl.col("slot") < 96)
        peak = hubs["import_kw"].to_numpy().reshape(2, -1).max(axis=1)
        before = by_month.get(month, np.zeros(2))
        by_month[month] = np.maximum(before, peak)
        paid = folder.summary["day"]["parts"][0]["account"]["demand_charges"]  # type: ignore[index]
        charges.append(paid)
        due = demand_charge_of(site, month) * (by_month[month] - before).sum()
        assert paid == pytest.approx(due, abs=1e-9)
    assert min(charges) == pytest.approx(0.0, abs=1e-9)
    assert max(charges) > 1.0
    for month, paid in months.select("month", "demand_charges").iter_rows():
        share = {"2025-05": 3 / 31, "2025-06": 2 / 30}[month]
        assert paid == pytest.approx(CHARGE * share * by_month[month].sum(), abs=1e-9)


def test_a_days_plan_shares_the_charge_with_the_days_that_follow(site: Scenario) -> None:
    """A kW above the month's peak costs a day the month's charge over the days still to come.

    A look-ahead into the next month counts that one's, over all its days, from its first slot on.
    """
    days, slots = days_of(site.situation.horizon), site.situation.horizon.slots
    for day in days:
        due = []
        for month, first in (("2025-05", days[0].first), ("2025-06", days[3].first)):
            left = sum(f"{each.date:%Y-%m}" == month and each.date >= day.date for each in days)
            if left:
                begins = max(first - day.first, 0)
                due.append((begins, pytest.approx(demand_charge_of(site, month) / left)))
        assert list(demand_charges_of_day(site, day, slots)) == due
        assert list(demand_charges_of_day(site, day, day.last)) == due[:1]


def test_the_last_day_of_a_month_looks_into_the_next(site: Scenario, made: DaysResult) -> None:
    """Its plan pays for May's peak above May's so far, and for all of June's: from June's charge.

    The peaks are read from its tables; what of June is not seen as May's, the audit holds.
    """
    day, folder = days_of(site.situation.horizon)[2], read(_day(made, 2))
    carried = carried_in(folder, "carried")
    plan = scenario_of_day(site, day, carried)
    assert plan.situation.horizon.slots > day.slots
    (first, june), *others = plan.situation.market.later_periods
    assert (first, others) == (day.slots, [])
    assert june == pytest.approx(CHARGE * 2 / 30 / 2)
    assert plan.situation.market.demand_charge == pytest.approx(CHARGE * 3 / 31)
    hubs = folder.tables["hubs"].sort("hub", "slot", maintain_order=True)
    kw = np.stack(
        [part["import_kw"].to_numpy() for _, part in hubs.group_by("hub", maintain_order=True)]
    )
    names = [name for (name,), _ in hubs.group_by("hub", maintain_order=True)]
    past = carried.import_peak_kw[[plan.situation.hubs.name.index(name) for name in names]]
    due = CHARGE * 3 / 31 * np.maximum(kw[:, : day.slots].max(axis=1) - past, 0.0).sum()
    due += june * kw[:, day.slots :].max(axis=1).sum()
    said = folder.summary["account"]["demand_charges"]  # type: ignore[index]
    assert said == pytest.approx(due)


def test_a_peak_that_may_has_paid_buys_nothing_in_june(tmp_path: Path) -> None:
    """Four cars over the night of 31 May, the cheapest hours in June, 28 kW seen in May already.

    Planned as if May went on they wait for June, and a peak has to be paid for there; planned with
    June's own charge they charge on the evening, below what May has paid for. The operator keeps
    more of the two days.
    """
    dear = {f"demand_charge = {CHARGE}": "demand_charge = 60.0", "tion = 0.8": "tion = 1.0"}
    place = _site(tmp_path / "site", **dear)
    stays = [row for row in _sessions() if row["session"].startswith("night")][:4]
    for k, row in enumerate(stays):
        row |= {
            "session": f"s{k}", "driver": f"d{k}", "hub": stays[0]["hub"], "arrival_kwh": 20.0,
            "arrival": "2025-05-31 20:00", "departure": "2025-06-01 09:00", "required_kwh": 33.0,
            "discharge_kw_max": 0.0,
        }  # fmt: skip
    pl.DataFrame(stays).write_csv(place / "sessions.csv")
    site = _quick(load(place))
    days, hubs = days_of(site.situation.horizon), site.situation.hubs
    seen = replace(
        Carried.nothing(hubs.battery_initial_kwh), import_peak_kw=np.full(len(hubs), 28.0)
    )
    kept, charged = [], []
    for as_one in (True, False):
        carried, accounts = seen, []
        for day in days[2:4]:
            given = scenario_of_day(site, day, carried)
            if as_one:
                market = replace(given.situation.market, later_periods=())
                given = given.having(market=market)
            decided = done(site, day, carried, make_plan(given))
            carried = decided.left
            accounts += [part.account for part in decided.parts]
        kept.append(sum(each.profit for each in accounts))
        charged.append([each.demand_charges for each in accounts])
    assert charged[1][1] < 0.6 * charged[0][1]
    assert kept[1] > kept[0]


def test_an_interrupted_run_goes_on(
    site: Scenario, made: DaysResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off after two days, the same run plans the other three, to the same bytes."""

    def breaks(done: int, total: int, what: str) -> None:
        assert total == DAYS
        if done == 2 and what != "taken up":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan_days(site, tmp_path / "out", run=RunOptions(progress=breaks))
    assert not (tmp_path / "out").exists()
    seen: list[str] = []
    plain = make_plan

    def counted(scenario: Scenario, **how: object) -> object:
        seen.append(scenario.name)
        return plain(scenario, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(running, "make_plan", counted)
    again = plan_days(site, tmp_path / "out")
    assert len(seen) == DAYS - 2
    for name in ("summary.json", "months.csv", "report.html"):
        assert (again.folder / name).read_bytes() == (made.folder / name).read_bytes()
    assert _bills(again).equals(_bills(made))


def test_more_days_go_on_from_fewer(
    site: Scenario, made: DaysResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two days planned first are the first two of all; another search starts over."""
    shutil.copytree(made.folder, tmp_path / "out")
    monkeypatch.setattr(running, "make_plan", None)  # nothing is planned again
    assert len(plan_days(site, tmp_path / "out", days=2).summary["days"]) == 2  # type: ignore[arg-type]
    other = replace(site, search=replace(site.search, evaluations=3))
    with pytest.raises(TypeError):
        plan_days(other, tmp_path / "out", days=1)


def test_the_audit_holds(made: DaysResult) -> None:
    """Every day is so by itself, begins with what is left, and adds up."""
    report = audit_days(made.folder)
    assert report.ok, str(report)
    assert audit_record(_day(made, 2)).ok


def _in_summary(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    file = folder / "summary.json"
    content = json.loads(file.read_text("utf-8"))
    change(content)
    file.write_text(json.dumps(content), "utf-8")


def test_the_audit_sees_a_month_that_is_not_its_days(made: DaysResult, tmp_path: Path) -> None:
    """A month with another amount, and bills that are not the days', fail."""
    shutil.copytree(made.folder, tmp_path / "out")

    def dearer(content: dict[str, object]) -> None:
        content["months"][0]["account"]["demand_charges"] += 1.0  # type: ignore[index]

    _in_summary(tmp_path / "out", dearer)
    assert [check.name for check in audit_days(tmp_path / "out").failures] == ["2025-05: sums"]
    bills = _bills(made).with_columns(pl.col("paid") * 1.01)
    bills.write_parquet(tmp_path / "out" / "bills.parquet")
    assert "months: bills" in {check.name for check in audit_days(tmp_path / "out").failures}


def test_the_audit_sees_a_day_that_begins_elsewhere(
    site: Scenario, made: DaysResult, tmp_path: Path
) -> None:
    """A day planned from a lower peak than was left, truthful in itself, fails where it begins."""
    out = shutil.copytree(made.folder, tmp_path / "out")
    day = days_of(site.situation.horizon)[1]
    told = read(_day(made, 1))
    carried = carried_in(told, "carried")
    lower = replace(carried, import_peak_kw=0.0 * carried.import_peak_kw)
    plan = make_plan(scenario_of_day(site, day, lower))
    decided = done(site, day, lower, plan)
    head = {key: value for key, value in told.summary["day"].items() if key != "parts"}  # type: ignore[attr-defined]
    beside = day_appendices(head, lower, decided.left, decided.parts)
    write(plan, Path(out) / "days" / str(day.date), *beside)
    assert f"{day.date}: begins" in {check.name for check in audit_days(out).failures}


@pytest.mark.parametrize(
    ("day", "slots"), [(date(2025, 3, 29), [96, 92, 96]), (date(2025, 10, 25), [96, 100, 96])]
)
def test_days_follow_the_clock(day: date, slots: list[int]) -> None:
    """Days on which the clocks change have 92 or 100 quarter-hours, and the others 96."""
    horizon = Horizon.local_day(day, "Europe/Amsterdam", start=datetime.min.time(), days=3)
    assert [it.slots for it in days_of(horizon)] == slots
    assert [it.date for it in days_of(horizon)] == [day + timedelta(days=k) for k in range(3)]


def test_a_day_from_noon_belongs_to_two_months() -> None:
    """Of a day that begins at noon, the hours after midnight are the next month's."""
    horizon = Horizon.local_day(date(2025, 5, 30), "Europe/Amsterdam", days=2)
    last = days_of(horizon)[1]
    parts = parts_of(horizon, last)
    assert [(part.month, part.first, part.last) for part in parts] == [
        ("2025-05", 0, 48),
        ("2025-06", 48, 96),
    ]


def test_other_stays_than_those_that_go_on_are_refused(site: Scenario) -> None:
    """A day cannot begin with nothing where cars have stayed."""
    day = days_of(site.situation.horizon)[1]
    nothing = Carried.nothing(site.situation.hubs.battery_initial_kwh)
    with pytest.raises(ValueError, match="are not the stays that go on"):
        scenario_of_day(site, day, nothing)


def test_the_page_shows_months_and_a_calendar(made: DaysResult) -> None:
    """A square for every day in every picture, titled with its unit; none is wide."""
    page = (made.folder / "report.html").read_text("utf-8")
    assert page.count("<rect") == 3 * DAYS
    for title in ("per day [EUR]", "per day [kW]", "per day [stays]"):
        assert title in page
    assert "http" not in page.replace("http-equiv", "")
    wide = [int(width) for width in re.findall(r'<svg [^>]*width="(\d+)"', page)]
    assert max(wide) <= 320


def test_days_on_the_command_line(tmp_path: Path) -> None:
    """The first two days of a site are planned; more than there are is a mistake."""
    place = _site(tmp_path / "site")

    def run(*more: str) -> tuple[int, str]:
        arguments = [
            "plan",
            str(place),
            "--out",
            str(tmp_path / "out"),
            "--evaluations",
            "1",
            *more,
        ]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        return result.exit_code, result.output

    code, said = run("--days", "2", "--json")
    assert code in (0, 1)
    assert [day["date"] for day in json.loads(said)["days"]] == ["2025-05-29", "2025-05-30"]
    code, said = run("--days", "5", "--futures", "3")
    assert code == 2
    assert "--futures" in said
    code, said = run("--days", "9")
    assert code == 2
    assert "has no price for" in said


def test_a_table_of_more_days_than_the_horizon_says_what_would_be_right(tmp_path: Path) -> None:
    """Where sessions lie beyond one day, the mistake names the days that would take all in."""
    place = _site(tmp_path / "site", **{f"days = {DAYS}": "days = 1"})
    with pytest.raises(ValueError, match=f"days = {DAYS} in \\[horizon\\]"):
        load(place)
    assert len(days_of(load(place, days=DAYS).situation.horizon)) == DAYS


def test_a_verdict_of_days_is_of_what_is_done(site: Scenario, tmp_path: Path) -> None:
    """Over several days a verdict compares chains of days, each as `plan_days` plans it."""
    found = make_verdict(site, days=2, sizes=[])
    made = plan_days(site, tmp_path / "days", days=2)
    months = [month for month in made.summary["months"] if isinstance(month, dict)]
    profit = sum(month["profit"] + month["account"]["station_lease"] for month in months)
    first = found.cases[0]
    assert first.profit == pytest.approx(profit)
    assert first.fair_profit is None
    assert first.bound is None or first.bound >= first.profit
    assert found.words.days == 2
    assert "2 days are 2 days" in found.notes[0]
    dates = {str(day.date) for day in days_of(site.situation.horizon)}
    missed = [miss for case in found.cases for miss in case.misses]
    assert missed
    assert all(miss[:10] in dates for miss in missed)


def test_month_statements_are_the_books(site: Scenario, tmp_path: Path) -> None:
    """By month and driver, to the cent; the operator's is the account, and its page shows both."""
    made = plan_days(site, tmp_path / "days")
    bills = pl.read_parquet(made.folder / "bills.parquet")
    statements = month_statements(made.folder)
    assert sum(len(one.stays) for one in statements) == bills.height
    for row in made.summary["months"]:
        own = [one for one in statements if one.month == row["month"]]
        takes_part = [s.money for one in own for s in one.stays if s.participating]
        assert str(Money.summed(takes_part).paid) == row["billed"]["charging_revenue"]
        assert str(Money.summed(takes_part).earned) == row["billed"]["discharge_payments"]
        (operator,) = operator_months(made.folder, row["month"])
        assert float(operator.profit) == pytest.approx(row["profit"], abs=0.006)
        lines = sum(float(amount) for _, amount in operator.lines)
        assert lines == pytest.approx(row["profit"], abs=0.005 * len(operator.lines) + 0.006)
    long = next(s for one in statements for s in one.stays if s.session == "long2")
    assert (long.arrival.hour, long.departure - long.arrival) == (14, timedelta(hours=33))
    for words, count in ((("--operator",), 2), ((), len(statements))):
        page = tmp_path / "page.html"
        done = CliRunner().invoke(app, ["statement", str(made.folder), *words, "--out", str(page)])
        assert done.exit_code == 0
        assert page.read_text("utf-8").count('<article class="bill">') == count
    for wrong in (["--month", "2024-01", "--operator"], ["--driver", "nobody"]):
        assert CliRunner().invoke(app, ["statement", str(made.folder), *wrong]).exit_code == 2


def test_days_on_which_some_have_devices_of_their_own(site: Scenario, tmp_path: Path) -> None:
    """Half delegating over many days, stays over midnight among them; the audit derives all."""
    half = with_delegation(site, 0.5, "random", 7)
    made = plan_days(half, tmp_path / "days", days=3)
    assert made.summary["delegation"] == {"share": 0.5, "ties": "random", "seed": 7}
    report = audit_days(made.folder, site)
    assert report.ok, report.having(Failing.FAILS)
    folders = [read(_day(made, number)) for number in range(3)]
    alone = sum(
        int((table["participating"] & ~table["delegating"]).sum())
        for table in (folder.tables["sessions"] for folder in folders)
    )
    assert alone > 0
    assert {folder.result["delegating"] for folder in folders} == {0.5}
