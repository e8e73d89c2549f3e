"""Tariffs by the clock, given as JSON: laid on the day planned, whatever their form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hubwise.domain import Horizon
from hubwise.scenario import ScenarioError, check, fingerprint, import_sessions, load, new
from hubwise.scenario.days import demand_charge_of
from hubwise.scenario.price_files import Prices, asked_of, read_prices
from hubwise.scenario.price_formats._holidays import is_holiday
from hubwise.scenario.reading import Reader

PACIFIC = "America/Los_Angeles"
DATA = Path(__file__).parent / "data"
WEDNESDAY, SATURDAY = date(2025, 7, 9), date(2025, 7, 12)
SPRING, AUTUMN = date(2025, 3, 9), date(2025, 11, 2)  # Sundays on which the clock changes

URDB = {
    "items": [
        {
            "label": "abc",
            "name": "TOU-X",
            "energyratestructure": [
                [{"rate": 0.10, "adj": 0.02, "max": 500}, {"rate": 0.50}],
                [{"rate": 0.40}],
            ],
            "energyweekdayschedule": [[0] * 16 + [1] * 5 + [0] * 3] * 12,
            "energyweekendschedule": [[0] * 24] * 12,
            "flatdemandstructure": [[{"rate": 12.5}]],
            "flatdemandmonths": [0] * 12,
        }
    ]
}
SEASONS = {
    "name": "X-9",
    "schedule": [
        {
            "id": f"{name}-{days}",
            "effective_start": first,
            "effective_end": last,
            "dow_mask": days,
            "times": [0, 8.5, 21.5],
            "tariffs": [low, low + rise, low],
            "demand_charge": 15.5,
        }
        for name, first, last, low in (("s", "05-01", "10-31", 0.1), ("w", "11-01", "4-30", 0.2))
        for days, rise in (("WEEKDAYS", 0.3), ("WEEKENDS", 0.0))
    ],
}
OCPI = {
    "status_code": 1000,
    "data": [
        {
            "id": "T1",
            "currency": "EUR",
            "elements": [
                {
                    "price_components": [{"type": "ENERGY", "price": 0.9, "step_size": 1}],
                    "restrictions": {"min_kwh": 50},
                },
                {
                    "price_components": [{"type": "ENERGY", "price": 0.6, "step_size": 1}],
                    "restrictions": {"start_time": "22:30", "end_time": "06:00",
                                     "day_of_week": ["TUESDAY", "WEDNESDAY"]},
                },
                {
                    "price_components": [
                        {"type": "FLAT", "price": 1.0, "step_size": 1},
                        {"type": "ENERGY", "price": 0.3, "step_size": 1},
                    ]
                },
            ],
        }
    ],
}  # fmt: skip


def read(folder: Path, tariff: object, day: date, **told: object) -> tuple[Prices, np.ndarray]:
    """The prices of a day, and the local hour of each slot."""
    (folder / "tariff.csv").write_text(json.dumps(tariff))  # a wrong name tells nothing
    horizon = Horizon.local_day(day, PACIFIC, start=time(0))
    reader = Reader(folder)
    asked = replace(asked_of(horizon), **told)  # type: ignore[arg-type]
    found = read_prices(reader, "tariff.csv", asked, horizon)
    assert not reader.issues
    assert found is not None
    return found, horizon.local_hours()


@pytest.mark.parametrize("day", [WEDNESDAY, SATURDAY, SPRING, AUTUMN])
def test_a_rate_of_urdb_follows_the_clock(tmp_path: Path, day: date) -> None:
    """The first tier, its adjustment added, by the hours of weekdays and weekends."""
    found, hours = read(tmp_path, URDB, day)
    peak = (hours >= 16) & (hours < 21) & (day.weekday() < 5)
    assert np.allclose(found.by_slot, np.where(peak, 0.40, 0.12))
    assert (found.unit, found.currency) == ("kWh", "USD")
    assert any("12.5 USD/kW" in note for note in found.notes)
    assert any("2 tiers" in note for note in found.notes)


@pytest.mark.parametrize("day", [WEDNESDAY, SATURDAY, SPRING, AUTUMN, date(2025, 12, 31)])
def test_seasons_go_on_over_the_year(tmp_path: Path, day: date) -> None:
    """Half-hours are kept; a season that ends before it begins goes on past the New Year."""
    found, hours = read(tmp_path, SEASONS, day)
    low = 0.1 if 5 <= day.month <= 10 else 0.2
    rise = 0.3 if day.weekday() < 5 else 0.0
    assert np.allclose(found.by_slot, np.where((hours >= 8.5) & (hours < 21.5), low + rise, low))
    assert any("15.5 per kW" in note for note in found.notes)
    assert any("USD is assumed" in note for note in found.notes)


def test_the_elements_of_ocpi_go_by_hours_and_days(tmp_path: Path) -> None:
    """The night from Tuesday goes on into Wednesday, that from Wednesday into Thursday."""
    for day, nights in ((WEDNESDAY, (True, True)), (date(2025, 7, 10), (True, False))):
        found, hours = read(tmp_path, OCPI, day)
        night = ((hours < 6) & nights[0]) | ((hours >= 22.5) & nights[1])
        assert np.allclose(found.by_slot, np.where(night, 0.6, 0.3))
    assert any("FLAT" in note for note in found.notes)
    assert any("as at its start" in note for note in found.notes)


def test_several_values_share_an_interval_of_openadr(tmp_path: Path) -> None:
    """An interval with a period of its own and three prices holds each for a third of it."""
    event = {
        "payloadDescriptors": [{"payloadType": "PRICE", "units": "MWH", "currency": "USD"}],
        "intervals": [
            {
                "id": k,
                "intervalPeriod": {"start": f"2025-07-{8 + k:02}T00:00:00Z", "duration": "P1D"},
                "payloads": [{"type": "PRICE", "values": [1, 2, 3]}],
            }
            for k in range(3)
        ],
    }
    found, _ = read(tmp_path, event, WEDNESDAY)
    # Midnight in Los Angeles is 07:00 in UTC.
    assert np.allclose(found.by_slot, [*[1] * 4, *[2] * 32, *[3] * 32, *[1] * 28])


def test_a_scenario_may_name_a_tariff(tmp_path: Path) -> None:
    """``[prices] series`` reads what an import reads, and its notes are the scenario's."""
    new(tmp_path / "site")
    (tmp_path / "site" / "rate.json").write_text(json.dumps(SEASONS))
    toml = tmp_path / "site" / "scenario.toml"
    text = toml.read_text("utf-8").replace('series = "prices.csv"', 'series = "rate.json"')
    toml.write_text(text.replace('unit = "MWh"', 'unit = "kWh"'), "utf-8")
    scenario = load(tmp_path / "site")
    assert scenario.situation.market.purchase_price.max() == pytest.approx(0.4)
    assert any("X-9" in note for note in scenario.notes)


def test_a_unit_that_the_file_contradicts_is_refused(tmp_path: Path) -> None:
    """A thousandfold price is not planned with: unit and currency told have to be the file's."""
    new(tmp_path / "site")
    prices = tmp_path / "site" / "prices.csv"
    prices.write_text(prices.read_text("utf-8").replace(",price", ",price_gbp_per_kwh"), "utf-8")
    fields = [(issue.where, issue.field) for issue in check(tmp_path / "site")]
    assert fields == [("prices", "unit"), ("", "currency")]


@pytest.mark.parametrize(
    ("name", "family"), [("hourly_mwh", "hourly"), ("quarterly_kwh", "every-slot")]
)
def test_the_family_follows_the_resolution_of_prices(
    tmp_path: Path, name: str, family: str
) -> None:
    """Quarter-hour prices bring a price for every slot, with a note; hourly ones an hourly one."""
    scenario = import_sessions(
        DATA / "sessions_plain.csv", DATA / f"prices_{name}.csv", tmp_path / "site",
        day=date(2024, 6, 3), zone="Europe/Amsterdam", currency="EUR",
    )  # fmt: skip
    assert scenario.situation.rules.family == family
    assert any("every-slot" in note for note in scenario.notes) == (family == "every-slot")


def test_a_zone_of_prices_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """``prices_zone`` is the name of a zone."""
    with pytest.raises(ScenarioError, match="'Mars' is unknown"):
        import_sessions(
            DATA / "sessions_plain.csv", DATA / "prices_hourly_mwh.csv", tmp_path / "site",
            day=date(2024, 6, 3), zone="Europe/Amsterdam", prices_zone="Mars",
        )  # fmt: skip


def test_a_mistaken_option_brings_no_others(tmp_path: Path) -> None:
    """A tariff by the clock is looked at where options are wrong, and nothing false is said."""
    rate = tmp_path / "rate.json"
    rate.write_text(json.dumps(SEASONS))
    with pytest.raises(ScenarioError) as raised:
        import_sessions(
            DATA / "sessions_plain.csv", rate, tmp_path / "site",
            day=date(2024, 6, 3), zone=PACIFIC, curve="held",
        )  # fmt: skip
    assert [issue.field for issue in raised.value.issues] == ["curve"]


@pytest.mark.parametrize(
    ("year", "days"),
    [
        # As the Office of Personnel Management lists them, where they fall on working days.
        (2019, "01-01 01-21 02-18 05-27 07-04 09-02 10-14 11-11 11-28 12-25"),
        (2021, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31"),
        (2022, "01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26"),
        (2025, "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25"),
    ],
)
def test_holidays_are_those_that_the_government_lists(year: int, days: str) -> None:
    """Also where a holiday moves to the Friday before or the Monday after, over New Year too."""
    all_days = (date(year, 1, 1) + timedelta(days=k) for k in range(365))
    found = [f"{day:%m-%d}" for day in all_days if day.weekday() < 5 and is_holiday(day)]
    assert " ".join(found) == days


@pytest.mark.parametrize("tariff", [URDB, SEASONS])
def test_holidays_have_the_weekends_prices(tmp_path: Path, tariff: object) -> None:
    """Independence Day, a Friday, is priced as the Saturday after it, and a note names it."""
    holiday, _ = read(tmp_path, tariff, date(2025, 7, 4))
    saturday, _ = read(tmp_path, tariff, date(2025, 7, 5))
    friday, _ = read(tmp_path, tariff, date(2025, 7, 11))
    assert np.array_equal(holiday.by_slot, saturday.by_slot)
    assert not np.array_equal(holiday.by_slot, friday.by_slot)
    assert any("2025-07-04" in note for note in holiday.notes)
    assert any("none of them here" in note for note in friday.notes)


def _of_demand(**changes: object) -> dict[str, object]:
    return {"items": [{**URDB["items"][0], **changes}]}


def test_demand_charges_go_by_month(tmp_path: Path) -> None:
    """Flat ones, and those by time of use that are the same in all hours; others are told."""
    found, _ = read(tmp_path, SEASONS, WEDNESDAY)
    assert found.demand_charges == (15.5,) * 12
    rates = [[{"rate": 3.0}], [{"rate": 20.0, "max": 100, "unit": "kW"}, {"rate": 30.0}]]
    flat = _of_demand(flatdemandstructure=rates, flatdemandmonths=[0] * 4 + [1] * 6 + [0] * 2)
    found, _ = read(tmp_path, flat, WEDNESDAY)
    assert found.demand_charges == (3.0,) * 4 + (20.0,) * 6 + (3.0,) * 2
    assert any("20 USD/kW May-Oct, 3 USD/kW Nov-Apr" in note for note in found.notes)
    assert any("up to 100 kW" in note and "beyond it is 30" in note for note in found.notes)
    evening = [[0] * 16 + [1] * 5 + [0] * 3] * 6 + [[0] * 24] * 6
    weekend = [[0] * 24] * 12
    timed = {"demandweekdayschedule": evening, "demandweekendschedule": weekend}
    found, _ = read(tmp_path, _of_demand(demandratestructure=rates, **timed), WEDNESDAY)
    assert found.demand_charges == (12.5,) * 6 + (15.5,) * 6
    assert any("within some hours (3 USD/kW, 20 USD/kW)" in note for note in found.notes)
    found, _ = read(tmp_path, _of_demand(flatdemandunit="kVA"), WEDNESDAY)
    assert not found.demand_charges
    assert any("12.5 USD per kVA" in note for note in found.notes)


def test_a_tier_is_told_with_its_figure(tmp_path: Path) -> None:
    """Up to which use the first tier holds, and what is paid beyond."""
    found, _ = read(tmp_path, URDB, WEDNESDAY)
    assert any("up to 500 a month; beyond it is 0.5 USD" in note for note in found.notes)


def _site_of(folder: Path, prices: str, days: int, first: str = "2025-04-29") -> Path:
    place = new(folder)
    (place / "rate.json").write_text(json.dumps(_of_demand(
        flatdemandstructure=[[{"rate": 3.0}], [{"rate": 20.0}]],
        flatdemandmonths=[0] * 4 + [1] * 6 + [0] * 2,
    )))  # fmt: skip
    text = (place / "scenario.toml").read_text("utf-8")
    text = text.replace('series = "prices.csv"', f'series = "rate.json"\n{prices}')
    text = text.replace('unit = "MWh"', "").replace('currency = "EUR"', 'currency = "USD"')
    text = text.replace("Europe/Amsterdam", PACIFIC).replace("12:00:00", "00:00:00")
    text = re.sub(r"day = \S+", f"day = {first}\ndays = {days}", text)
    (place / "scenario.toml").write_text(text, "utf-8")
    for table in place.glob("sessions.csv"):
        table.write_text(re.sub("2025-05-1[45]", first, table.read_text("utf-8")), "utf-8")
    sessions = pl.read_csv(place / "sessions.csv").head(1)
    stay = {"arrival": f"{first} 08:00", "departure": f"{first} 17:00"}
    sessions.with_columns(**{name: pl.lit(when) for name, when in stay.items()}).write_csv(
        place / "sessions.csv"
    )
    return place


@pytest.mark.parametrize(
    ("told", "april", "may"),
    [
        ("", 3.0, 20.0),
        ("demand_charge = 7.0", 7.0, 7.0),
        ("demand_charge = 0.0", 0.0, 0.0),
        ("demand_charge = [1, 1, 1, 5.5, 6, 6, 6, 6, 6, 1, 1, 1]", 5.5, 6.0),
    ],
)
def test_a_months_demand_charge_is_the_tariffs(
    tmp_path: Path, told: str, april: float, may: float
) -> None:
    """Months have their own; the scenario's number or list goes before; a day carries no tariff's.

    Two of April's thirty days are held, and two of May's thirty-one.
    """
    site = load(_site_of(tmp_path / "four", told, 4))
    assert demand_charge_of(site, "2025-04") == pytest.approx(april * 2 / 30)
    assert demand_charge_of(site, "2025-05") == pytest.approx(may * 2 / 31)
    one = load(_site_of(tmp_path / "one", told, 1))
    assert one.situation.market.demand_charge == (april if told else 0.0)
    if not told:
        other = load(_site_of(tmp_path / "other", "demand_charge = 3.0", 4))
        assert fingerprint(site) != fingerprint(other)


@pytest.mark.parametrize(
    ("told", "charges"),
    [
        ("demand_charge = [1, 1, 1, 5.5, 6, 6, 6, 6, 6, 1, 1, 1]", (5.5, 6.0)),
        ("demand_charge = 7.0", (7.0, 7.0)),
    ],
)
def test_one_horizon_over_a_months_end_has_both_months(
    tmp_path: Path, told: str, charges: tuple[float, float]
) -> None:
    """A day from noon of April's last to noon of May's first, and one that ends with April."""
    place = _site_of(tmp_path / "site", told, 1, "2025-04-30")
    whole = load(place).situation
    assert whole.market.later_periods == ()
    text = (place / "scenario.toml").read_text("utf-8")
    (place / "scenario.toml").write_text(text.replace("00:00:00", "12:00:00"), "utf-8")
    sessions = (place / "sessions.csv").read_text("utf-8")
    (place / "sessions.csv").write_text(sessions.replace(" 08:00", " 13:00"), "utf-8")
    half = load(place).situation
    assert half.market.demand_charge == charges[0]
    assert half.market.later_periods == ((half.horizon.slots // 2, charges[1]),)
    assert fingerprint(load(place)) != fingerprint(
        load(place).having(market=replace(half.market, later_periods=()))
    )


@pytest.mark.parametrize(
    "wrong", ["[1, 2]", "-1.0", "true", '"much"', "[[1],1,1,1,1,1,1,1,1,1,1,1]"]
)
def test_a_demand_charge_that_is_none_is_refused(tmp_path: Path, wrong: str) -> None:
    """One number or twelve, none below 0: nothing else, and the error says so."""
    issues = check(_site_of(tmp_path / "site", f"demand_charge = {wrong}", 2))
    assert len(issues) == 1
    assert "twelve" in str(issues[0])
