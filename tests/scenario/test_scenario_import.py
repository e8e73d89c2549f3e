"""Import of charging sessions and prices, on small made-up files of the real ones' form."""

from __future__ import annotations

import gzip
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from hubwise.domain import Scenario
from hubwise.scenario import ScenarioError, check, fingerprint, import_sessions, load

DATA = Path(__file__).parent / "data"
ACN, PLAIN = DATA / "sessions_acn_form.csv", DATA / "sessions_plain.csv"
HOURLY, QUARTERLY = DATA / "prices_hourly_mwh.csv", DATA / "prices_quarterly_kwh.csv"
JUNE, SPRING, AUTUMN = date(2024, 6, 3), date(2024, 3, 31), date(2024, 10, 27)


def acn(folder: Path, price_day: date = JUNE, **options: Any) -> Scenario:
    day, zone = date(2019, 6, 3), "Europe/Amsterdam"
    return import_sessions(
        ACN, HOURLY, folder / "site", day=day, price_day=price_day, zone=zone, **options
    )


def plain(folder: Path, **options: Any) -> Scenario:
    told = {"zone": "Europe/Amsterdam", "currency": "EUR"} | options
    return import_sessions(PLAIN, QUARTERLY, folder / "site", day=JUNE, **told)


def slots(scenario: Scenario, session: str) -> tuple[int, int, int]:
    """Arrival, stated and actual departure of a session."""
    fleet = scenario.situation.fleet
    (k,) = np.flatnonzero(fleet.session == session)
    actual = scenario.hindsight.departures(fleet)
    columns = (fleet.arrival_slot, fleet.departure_slot, actual)
    return tuple(int(column[k]) for column in columns)  # type: ignore[return-value]


def asked(scenario: Scenario, session: str) -> float:
    """The energy that a session asked for, at the charger [kWh]."""
    fleet = scenario.situation.fleet
    (k,) = np.flatnonzero(fleet.session == session)
    return float((fleet.required_kwh - fleet.arrival_kwh)[k] / fleet.charge_efficiency[k])


def test_what_is_written_is_what_is_returned(tmp_path: Path) -> None:
    """The folder loads, nothing is wrong with it, and it is the scenario that came back."""
    scenario = acn(tmp_path)
    assert check(tmp_path / "site") == ()
    assert fingerprint(load(tmp_path / "site")) == fingerprint(scenario)


def test_stated_and_actual_departures_are_kept_apart(tmp_path: Path) -> None:
    """07:31 is inside the slot of 07:30; stated 17:30 is planned with, actual 16:02 is kept."""
    scenario = acn(tmp_path)
    assert slots(scenario, "ordinary") == (30, 70, 64)
    fleet = scenario.situation.fleet
    row = fleet.session.tolist().index("ordinary")
    assert fleet.begins[row] == pytest.approx(30 + 70 / 900)


@pytest.mark.parametrize("session", ["unstated", "stated-before"])
def test_the_actual_departure_stands_in_for_the_stated(tmp_path: Path, session: str) -> None:
    """Where none is stated, or one before the arrival, the actual one is planned with."""
    scenario = acn(tmp_path)
    _, stated, actual = slots(scenario, session)
    assert stated == actual
    assert any("2 of 9 sessions stated no departure" in note for note in scenario.notes)


def test_stays_over_midnight_are_clipped(tmp_path: Path) -> None:
    """What a car had charged before is taken off; what the night can bring is not asked today."""
    scenario = acn(tmp_path)
    assert slots(scenario, "overnight")[0] == 0
    assert asked(scenario, "overnight") == pytest.approx(40.0 - 2 * 7.0)
    assert slots(scenario, "past-midnight")[1:] == (96, 96)
    assert asked(scenario, "past-midnight") == pytest.approx(0.0)  # the night can bring 8 x 7 kWh


def test_more_than_a_battery_takes_is_capped(tmp_path: Path) -> None:
    """150 kWh asked of a 75 kWh battery between 10 and 90 % is 60 kWh in it."""
    scenario = acn(tmp_path)
    assert asked(scenario, "asks-for-much") == pytest.approx(60.0 / 0.95)
    assert any("1 of 9 sessions asked for more than the" in note for note in scenario.notes)


def test_more_than_a_stay_brings_is_kept(tmp_path: Path) -> None:
    """30 kWh in one hour at 7 kW stays required: the shortfall is the planner's to report."""
    scenario = acn(tmp_path)
    assert slots(scenario, "short") == (36, 40, 40)
    assert asked(scenario, "short") == pytest.approx(30.0)


@pytest.mark.parametrize(
    "reason",
    [
        "there twice",
        "unclaimed",
        "no energy asked for",
        "departs before it arrives",
        "full before the day began",
        "was to leave before the day began",
    ],
)
def test_nothing_is_dropped_silently(tmp_path: Path, reason: str) -> None:
    """Each session that is skipped is counted with its reason."""
    notes = acn(tmp_path).notes
    assert sum(note.startswith(f"1 skipped: {reason}") for note in notes) == 1


def test_sessions_and_skipped_sum_to_the_day(tmp_path: Path) -> None:
    """Planned and skipped sessions are all that were there on the day: 15 of the 16 rows."""
    scenario = acn(tmp_path)
    skipped = [int(note.split()[0]) for note in scenario.notes if " skipped: " in note]
    assert len(scenario.situation.fleet) + sum(skipped) == 15


@pytest.mark.parametrize(("day", "count"), [(SPRING, 92), (JUNE, 96), (AUTUMN, 100)])
def test_times_of_the_clock_stay_on_days_of_92_and_100_slots(
    tmp_path: Path, day: date, count: int
) -> None:
    """A car that came at 07:31 comes at 07:31, whatever the clocks did in the night."""
    scenario = acn(tmp_path, day)
    assert scenario.situation.horizon.slots == count
    hours = scenario.situation.horizon.local_hours()
    arrival, departure, _ = slots(scenario, "ordinary")
    assert (hours[arrival], hours[departure]) == (7.5, 17.5)
    assert any(f"it has {count} slots" in note for note in scenario.notes) == (count != 96)


def test_a_time_that_the_clock_leaps_over_is_the_end_of_the_leap(tmp_path: Path) -> None:
    """02:20 does not come on the day of 92 slots; the car comes at 03:00."""
    scenario = acn(tmp_path, SPRING)
    assert scenario.situation.horizon.local_hours()[slots(scenario, "in-the-leap")[0]] == 3.0
    assert any("leaps over" in note for note in scenario.notes)


def test_another_zone_reads_sessions_on_its_clock(tmp_path: Path) -> None:
    """07:31-07:00 is 10:31 in New York."""
    scenario = acn(tmp_path, sessions_zone="America/New_York")
    assert slots(scenario, "ordinary")[0] == 42


def test_a_missing_hour_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    """A gap in the prices refuses the day, with the hour in UTC and on the local clock."""
    with pytest.raises(ScenarioError) as raised:
        acn(tmp_path, date(2024, 6, 4))
    (issue,) = raised.value.issues
    assert issue.wrong == "has no price for 2024-06-04T04:00Z (2024-06-04 06:00 local)"
    assert list(tmp_path.iterdir()) == []


def test_prices_keep_unit_and_sign(tmp_path: Path) -> None:
    """EUR per MWh become EUR per kWh; negative hours stay so; the reference adds the fee."""
    scenario = acn(tmp_path, service_fee=0.08)
    rows = pl.read_csv(HOURLY).filter(pl.col("start_utc").is_between(
        pl.lit("2024-06-02T22"), pl.lit("2024-06-03T22")))  # fmt: skip
    hourly = rows["price_eur_per_mwh"].to_numpy() / 1000.0
    assert hourly.min() < 0
    assert_allclose(scenario.situation.market.purchase_price, np.repeat(hourly, 4))
    assert_allclose(scenario.situation.market.reference_price, np.repeat(hourly + 0.08, 4))
    assert scenario.situation.market.currency == "EUR"


def test_quarter_hours_per_kwh(tmp_path: Path) -> None:
    """A header that names the kWh, and a quarter-hourly series: one price a slot."""
    scenario = plain(tmp_path)
    expected = pl.read_csv(QUARTERLY)["price_per_kwh"].to_numpy()
    assert_allclose(scenario.situation.market.purchase_price, expected)


def test_plain_sessions_keep_hubs_and_drivers(tmp_path: Path) -> None:
    """Hubs of the table are hubs of the scenario, each with a cable of its own."""
    scenario = plain(tmp_path)
    assert scenario.situation.hubs.name == ("depot", "office")
    assert list(scenario.situation.fleet.driver_name) == ["ann", "bob", "cid", "ann"]
    assert list(scenario.situation.fleet.hub) == [1, 1, 0, 0]
    assert list(scenario.situation.feeder.to_bus) == [2, 3]
    assert list(scenario.situation.hubs.import_limit_kw) == [
        7.0,
        14.0,
    ]  # the depot's two never meet


def test_negative_reference_prices_leave_room_in_the_rules(tmp_path: Path) -> None:
    """Where drivers are paid to charge, prices may fall below zero, short of arbitrage."""
    scenario = acn(tmp_path, service_fee=0.0, wear_cost=0.0, two_way=True)
    assert scenario.situation.market.reference_price.min() < 0
    assert np.all(
        scenario.situation.rules.charge_price_min <= scenario.situation.rules.charge_price_max
    )
    assert scenario.situation.rules.discharge_price_min[0] < 0


def test_one_way_chargers_have_nothing_to_sell(tmp_path: Path) -> None:
    """Without ``two_way`` no session can discharge and no price is paid for it."""
    scenario = acn(tmp_path)
    assert scenario.situation.fleet.discharge_kw_max.max() == 0
    assert scenario.situation.rules.discharge_price_max.max() == 0


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("capacity_kwh", 40.0, "40 kWh"),
        ("charge_kw", 11.0, "11 kW"),
        ("two_way", True, "two-way"),
        ("wear_cost", 0.07, "0.07 EUR/kWh"),
        ("chemistry", "LFP", "LFP"),
        ("connection_kw", 30.0, "30 kW"),
        ("service_fee", 0.2, "0.2 EUR/kWh"),
    ],
)
def test_an_option_changes_the_scenario_and_its_assumptions(
    tmp_path: Path, option: str, value: object, told: str
) -> None:
    """What is set is in the scenario, and written among its assumptions."""
    usual, other = acn(tmp_path / "a"), acn(tmp_path / "b", **{option: value})
    assert fingerprint(usual) != fingerprint(other)
    assert any(told in assumption for assumption in other.assumptions)
    assert not any(told in assumption for assumption in usual.assumptions)


def test_packed_and_columnar_files_are_read(tmp_path: Path) -> None:
    """``.csv.gz`` and Parquet give the same scenario as CSV."""
    packed, columnar = tmp_path / ACN.with_suffix(".csv.gz").name, tmp_path / "prices.parquet"
    packed.write_bytes(gzip.compress(ACN.read_bytes()))
    pl.read_csv(HOURLY, try_parse_dates=True).write_parquet(columnar)
    day, zone = date(2019, 6, 3), "Europe/Amsterdam"
    scenario = import_sessions(packed, columnar, tmp_path / "b", day=day, price_day=JUNE, zone=zone)
    first = acn(tmp_path / "a")
    assert_allclose(scenario.situation.market.purchase_price, first.situation.market.purchase_price)
    assert list(scenario.situation.fleet.session) == list(first.situation.fleet.session)


def test_mistakes_of_options_and_files_are_told_together(tmp_path: Path) -> None:
    """Options, sessions and prices are all looked at before anything is refused."""
    sessions, prices = tmp_path / "sessions.csv", tmp_path / "prices.csv"
    sessions.write_text("arrival,departure,requested_energy (kWh)\nnoon,2024-06-03 09:00,many\n")
    prices.write_text("start,cost\n2024-06-03T00:00Z,1\n")
    with pytest.raises(ScenarioError) as raised:
        import_sessions(sessions, prices, tmp_path / "s", day=JUNE, zone="UTC", charge=7.0)
    told = {(Path(p.file).name, p.field) for p in raised.value.issues}
    assert told == {
        ("options", "charge"),
        ("prices.csv", "price"),
        ("sessions.csv", "arrival"),
        ("sessions.csv", "requested_energy (kWh)"),
    }


def test_unit_and_currency_are_asked_for_where_the_header_is_silent(tmp_path: Path) -> None:
    """A column named ``price`` tells neither; nothing is guessed."""
    prices = tmp_path / "prices.csv"
    prices.write_text(QUARTERLY.read_text("utf-8").replace("price_per_kwh", "price"), "utf-8")
    with pytest.raises(ScenarioError) as raised:
        import_sessions(PLAIN, prices, tmp_path / "s", day=JUNE, zone="Europe/Amsterdam")
    assert [issue.field for issue in raised.value.issues] == ["unit", "currency"]


def test_a_day_without_sessions_is_refused_with_the_days_there_are(tmp_path: Path) -> None:
    """An empty day makes no scenario; the span of the file is told."""
    zone = "Europe/Amsterdam"
    with pytest.raises(ScenarioError, match="2019-06-02 20:00:00-07:00 to 2019-06-04 08:00"):
        import_sessions(
            ACN, HOURLY, tmp_path / "s", day=date(2018, 1, 1), price_day=JUNE, zone=zone
        )


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    """An import does not write over what is there."""
    acn(tmp_path)
    before = (tmp_path / "site" / "scenario.toml").read_bytes()
    with pytest.raises(ScenarioError, match="not empty"):
        acn(tmp_path, SPRING)
    assert (tmp_path / "site" / "scenario.toml").read_bytes() == before
    shutil.rmtree(tmp_path / "site")
    (tmp_path / "site").mkdir()
    assert acn(tmp_path).situation.horizon.slots == 96  # an empty folder is welcome
