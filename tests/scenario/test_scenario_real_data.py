"""Import of real files, where ``HUBWISE_REAL_DATA`` names the folder that holds them."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hubwise.domain import Scenario
from hubwise.scenario import ScenarioError, check, import_sessions

FOLDER = os.environ.get("HUBWISE_REAL_DATA")
pytestmark = pytest.mark.skipif(not FOLDER, reason="HUBWISE_REAL_DATA names no folder")
SITES = ("caltech", "jpl")


def real(site: str, day: date, price_day: date, folder: Path, **options: object) -> Scenario:
    data = Path(FOLDER or "")
    return import_sessions(
        data / f"acn_{site}_2019-05_2019-08.csv.gz",
        data / "day_ahead_nl_2024.csv",
        folder / "site",
        day=day,
        price_day=price_day,
        zone="Europe/Amsterdam",
        **options,
    )


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize(
    ("price_day", "slots"),
    [
        (date(2024, 1, 17), 96),
        (date(2024, 8, 25), 96),
        (date(2024, 3, 31), 92),
        (date(2024, 10, 27), 100),
    ],
)
def test_real_days_become_scenarios(tmp_path: Path, site: str, price_day: date, slots: int) -> None:
    """Ordinary days, a day of negative prices and both clock changes: all load without problem."""
    scenario = real(site, date(2019, 7, 9), price_day, tmp_path)
    assert check(tmp_path / "site") == ()
    assert scenario.situation.horizon.slots == slots
    fleet = scenario.situation.fleet
    actual = scenario.hindsight.departures(fleet)
    assert len(fleet) > 10
    assert np.all(actual >= fleet.arrival_slot)
    assert (actual != fleet.departure_slot).any()


def test_negative_prices_stay_negative(tmp_path: Path) -> None:
    """On 2024-08-25 many hours were below zero."""
    scenario = real("jpl", date(2019, 5, 8), date(2024, 8, 25), tmp_path, two_way=True)
    assert (scenario.situation.market.purchase_price < 0).sum() >= 40
    assert np.all(
        scenario.situation.rules.charge_price_min <= scenario.situation.rules.charge_price_max
    )


def test_the_missing_hour_is_named(tmp_path: Path) -> None:
    """The series lacks 2024-12-30T23:00Z, the first hour of the local 31 December."""
    with pytest.raises(ScenarioError, match=r"no price for 2024-12-30T23:00Z \(2024-12-31 00:00"):
        real("caltech", date(2019, 7, 9), date(2024, 12, 31), tmp_path)


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("month", [5, 6, 7, 8])
def test_no_session_of_a_real_day_is_lost(tmp_path: Path, site: str, month: int) -> None:
    """Sessions and skipped sum to the rows that were there on the day."""
    scenario = real(site, date(2019, month, 15), date(2024, 5, 15), tmp_path)
    skipped = sum(int(note.split()[0]) for note in scenario.notes if " skipped: " in note)
    rows = stays(site)
    day = f"2019-{month:02}-15"
    there = sum(row[0][:10] == day or (row[0] < day and row[1][:19] > day) for row in rows)
    assert len(scenario.situation.fleet) + skipped == there


def stays(site: str) -> list[tuple[str, str]]:
    """Arrival and departure of every row, as they are written."""
    table = pl.read_csv(Path(FOLDER or "") / f"acn_{site}_2019-05_2019-08.csv.gz")
    return list(zip(table["arrival"].to_list(), table["departure"].to_list(), strict=True))
