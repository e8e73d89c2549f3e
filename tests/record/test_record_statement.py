"""The driver's statement: true to the plan folder, and right to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hubwise.domain import Promises
from hubwise.plan import make_plan
from hubwise.record import PlanFolder, UnknownDriverError, make_statement, read, write
from hubwise.record.statement import Money, Statement, StayStatement, statement_rows
from hubwise.scenario import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> PlanFolder:
    """A plan of the example: discharging is wanted, one driver has two sessions, one declines."""
    scenario = load("example")
    fleet = scenario.situation.fleet
    driver = fleet.driver_name.copy()
    driver[7] = driver[2]
    minimum = np.zeros(len(fleet))
    minimum[5] = 100.0
    fleet = replace(fleet, minimum_saving=minimum, wear_cost=np.zeros(len(fleet)))
    fleet = fleet.with_drivers(
        name=driver,
        warranty_kwh=np.where(np.arange(len(fleet)) % 2, np.inf, 20_000.0),
        throughput_kwh=np.full(len(fleet), 5_000.0),
    )
    hour = scenario.situation.horizon.local_hours()
    dear = np.where((hour >= 18) & (hour < 22), 0.70, 0.10)
    market = replace(scenario.situation.market, purchase_price=dear, reference_price=dear + 0.1)
    market = replace(market, feed_in_price=dear)
    rules = replace(
        scenario.situation.rules,
        charge_price_max=dear + 0.1,
        discharge_price_min=0.6 * (dear > 0.5),
    )
    search = replace(scenario.search, evaluations=15)
    given = scenario.having(
        fleet=fleet, market=market, rules=rules, search=search, promises=Promises(0.7)
    )
    made = make_plan(given, participation=0.8)
    return read(write(made, tmp_path_factory.mktemp("plans") / "plan"))


def everybody(folder: PlanFolder) -> list[Statement]:
    names = folder.tables["sessions"]["driver"].unique(maintain_order=True)
    return [make_statement(folder, name) for name in names]


def test_somebody_discharges_somebody_declines(folder: PlanFolder) -> None:
    """Else the tests below would prove little."""
    stays = [stay for made in everybody(folder) for stay in made.stays]
    assert sum(stay.money.earned > 0 for stay in stays) > 2
    assert any(stay.declined for stay in stays)
    assert any(not stay.participating and not stay.declined for stay in stays)


def test_every_driver_has_a_statement(folder: PlanFolder) -> None:
    """Participating or not; every session is on one statement, once."""
    sessions = [stay.session for made in everybody(folder) for stay in made.stays]
    assert sorted(sessions) == sorted(folder.tables["sessions"]["session"])
    takes_part = {s.session: s.participating for made in everybody(folder) for s in made.stays}
    rows = folder.tables["sessions"].select("session", "participating").iter_rows()
    assert takes_part == dict(rows)


def test_sums_are_of_what_is_shown(folder: PlanFolder) -> None:
    """Net cost, saving and totals add up to the cent, from the amounts as they are printed."""
    for made in everybody(folder):
        shown = made.to_dict()
        for part in (shown["total"], *shown["sessions"]):
            amounts = {key: Decimal(part[key]) for key in ("paid", "earned", "wear")}
            net = amounts["paid"] - amounts["earned"] + amounts["wear"]
            assert net == Decimal(part["net_cost"])
            assert Decimal(part["reference_cost"]) - net == Decimal(part["saving"])
        for key in ("paid", "earned", "wear", "net_cost", "reference_cost", "saving"):
            stays = sum(Decimal(stay[key]) for stay in shown["sessions"])
            assert Decimal(shown["total"][key]) == stays


def test_statements_add_up_to_the_books(folder: PlanFolder) -> None:
    """What drivers see they pay and earn is what the operator's books say, to the cent."""
    stays = [stay for made in everybody(folder) for stay in made.stays]
    books = {name: Decimal(text) for name, text in folder.summary["books"].items()}
    participants = [stay.money for stay in stays if stay.participating]
    assert sum(money.paid for money in participants) == books["charging_revenue"]
    assert sum(money.earned for money in participants) == books["discharge_payments"]
    others = sum(stay.money.paid for stay in stays if not stay.participating)
    assert others == books["others_revenue"]


def test_amounts_are_those_of_the_bills(folder: PlanFolder) -> None:
    """Within half a cent each, and shares within what that rounding makes of them."""
    bills = {row["session"]: row for row in folder.tables["bills"].iter_rows(named=True)}
    for made in everybody(folder):
        for stay in made.stays:
            for name in ("paid", "earned", "wear", "reference_cost"):
                shown = float(getattr(stay.money, name))
                assert abs(shown - bills[stay.session][name]) <= 0.005 + 1e-9
            assert abs(float(stay.money.saving) - bills[stay.session]["saving"]) <= 0.02 + 1e-9


def test_energy_is_that_of_the_schedule(folder: PlanFolder) -> None:
    """Energy at departure, the lowest, and what is kept above the reserve."""
    schedule = folder.tables["schedule"]
    for made in everybody(folder):
        for stay in made.stays:
            energy = schedule.filter(pl.col("session") == stay.session)["energy_kwh"].to_list()
            lowest = min([stay.energy["arrival_kwh"], *energy])
            assert stay.energy["departure_kwh"] == energy[-1]
            assert stay.energy["lowest_kwh"] == lowest
            kept = stay.energy["above_reserve_kwh"]
            assert kept == pytest.approx(lowest - stay.energy["reserve_kwh"])


def test_times_are_on_the_sites_clock(folder: PlanFolder) -> None:
    """The example's first session comes at 16:45 and is to leave at 07:30, summer time."""
    (stay,) = make_statement(folder, "d01").stays
    assert stay.arrival.isoformat() == "2025-05-14T16:40:00+02:00"
    assert stay.departure.isoformat() == "2025-05-15T07:30:00+02:00"


def test_warranty_meter(folder: PlanFolder) -> None:
    """Throughput so far, the day's driving and what the grid drew, against what is covered."""
    for row in statement_rows(folder).iter_rows(named=True):
        (stay,) = (
            s for s in make_statement(folder, row["driver"]).stays if s.session == row["session"]
        )
        drawn = row["discharged_kwh"] / row["discharge_efficiency"]
        due = 5_000.0 + row["driving_kwh_per_day"] + drawn  # the horizon is a day
        assert stay.battery["warranty_used"] == pytest.approx(due / row["warranty_kwh"])
        assert stay.battery["throughput_kwh"] == pytest.approx(due)
        if np.isinf(row["warranty_kwh"]):
            assert stay.battery["warranty_kwh"] is None
        else:
            assert stay.battery["warranty_v2g"] == pytest.approx(drawn / 20_000.0)


def test_wishes_are_on_the_statement(folder: PlanFolder) -> None:
    """Each of them, with what became of it; who declined reads why."""
    made = make_statement(folder, "d06")
    wishes = {wish.wish: wish for wish in made.stays[0].wishes}
    assert set(wishes) == {"departure_slot", "required_kwh", "reserve_kwh", "minimum_saving"}
    asked = bool(made.stays[0].declined)
    assert ("would save" in wishes["minimum_saving"].notice) is asked
    assert asked == ("less than you ask for" in made.line)


def test_an_unknown_driver_is_refused_with_those_who_are_known(folder: PlanFolder) -> None:
    """A statement of nobody is an error that holds the drivers there are."""
    with pytest.raises(UnknownDriverError, match="'d99' is no driver") as raised:
        make_statement(folder, "d99")
    assert "d01" in raised.value.known


def made_up(paid: str, earned: str, wear: str, reference: str, **changed: object) -> Statement:
    """A statement of one stay."""
    money = Money(*map(Decimal, (paid, earned, wear, reference)))
    noon = datetime(2025, 1, 1, tzinfo=UTC)
    sent = float(changed.get("discharged_kwh", 6.0))
    stay = StayStatement(
        session="s1",
        hub="h1",
        arrival=noon,
        departure=noon,
        participating=bool(changed.get("participating", True)),
        declined=bool(changed.get("declined", False)),
        money=money,
        energy={"charged_kwh": float(changed.get("charged_kwh", 21.2)), "discharged_kwh": sent},
        battery={"fade_v2g": changed.get("fade_v2g", 4.1e-5)},
        wishes=(),
    )
    return Statement("d1", "made up", "EUR", (stay,))


LINES = [
    (
        made_up("8.20", "3.10", "0.50", "9.49"),
        "You paid 8.20 EUR for 21 kWh and earned 3.10 EUR; 41 % less than on the reference "
        "tariff, wear included; your battery lost 0.004 % to the grid.",
    ),
    (
        made_up("8.20", "0.00", "0.00", "8.20", discharged_kwh=0.0, fade_v2g=0.0),
        "You paid 8.20 EUR for 21 kWh; as much as on the reference tariff; your battery gave "
        "nothing to the grid.",
    ),
    (
        made_up("8.20", "3.10", "0.50", "5.00", fade_v2g=-2e-6, charged_kwh=4.04),
        "You paid 8.20 EUR for 4.0 kWh and earned 3.10 EUR; 12 % more than on the reference "
        "tariff, wear included; giving to the grid spared your battery 0.0002 %, resting less "
        "full.",
    ),
    (
        made_up("0.00", "0.00", "0.00", "0.00", discharged_kwh=0.0, charged_kwh=0.0),
        "You paid 0.00 EUR for 0.0 kWh; as much as on the reference tariff; your battery gave "
        "nothing to the grid.",
    ),
    (
        made_up("8.20", "0.00", "0.00", "8.20", participating=False, discharged_kwh=0.0),
        "You paid 8.20 EUR for 21 kWh on the reference tariff: you did not take part.",
    ),
    (
        made_up("8.20", "0.00", "0.00", "8.20", participating=False, declined=True),
        "You paid 8.20 EUR for 21 kWh on the reference tariff: taking part would have saved you "
        "less than you ask for.",
    ),
    (
        made_up("8.17", "3.10", "0.00", "5.09", fade_v2g=3e-8),
        "You paid 8.17 EUR for 21 kWh and earned 3.10 EUR; less than 1 % less than on the "
        "reference tariff, wear included; your battery lost less than 0.0001 % to the grid.",
    ),
]


@pytest.mark.parametrize(("made", "line"), LINES)
def test_one_line_that_a_person_understands(made: Statement, line: str) -> None:
    """What was paid, earned, saved and lost, in one sentence."""
    assert made.line == line


@pytest.mark.parametrize(
    ("paid", "earned", "covers"),
    [("5.00", "1.00", True), ("5.00", "0.99", False), ("0.00", "0.00", False), ("0", "1", True)],
)
def test_a_fifth_of_the_charging_cost(paid: str, earned: str, covers: bool) -> None:
    """Earnings cover a fifth of what charging cost, or do not; nothing earned covers nothing."""
    money = made_up(paid, earned, "0.00", "5.00").money
    assert money.worthwhile is covers


def test_a_statement_needs_the_plan_folder_only(folder: PlanFolder, tmp_path: Path) -> None:
    """A copy of the folder, somewhere else, gives the same statement."""
    copied = tmp_path / "copy"
    copied.mkdir()
    for file in folder.folder.iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    assert make_statement(read(copied), "d03").to_dict() == make_statement(folder, "d03").to_dict()
    assert len(make_statement(folder, "d03").stays) == 2
