"""Tariffs by the clock, given as JSON: laid on the day planned, whatever their form."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import numpy as np
import pytest

from hubwise.domain import Horizon
from hubwise.scenario import ScenarioError, check, import_sessions, load, new
from hubwise.scenario.price_files import Prices, asked_of, read_prices
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
