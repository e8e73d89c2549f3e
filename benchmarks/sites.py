"""A site of any number of days and cars, drawn by seed: ``python -m benchmarks.sites FOLDER``.

One hub with a station battery behind a fuse, half of the cars over midnight, fewer at weekends, and
hourly market prices with cheap noons in summer. Written as files and read through the door.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.random import Generator
from numpy.typing import NDArray

ZONE = "Europe/Amsterdam"
FIRST = date(2025, 1, 1)
SEED = 1
# Cars at a weekend's day, as a share of a weekday's; cars that stay over midnight; two-way cars.
WEEKEND, OVERNIGHT, TWO_WAY = 0.6, 0.5, 0.5
# For the highest import of a month; of a single day a thirtieth [EUR/kW].
CHARGE = 4.0
# Room in the connection for so much of what all cars of a day could draw at once.
FUSE = 0.45


def write_site(folder: Path, cars: int, days: int, seed: int = SEED) -> Path:
    """Write the scenario's folder: so many cars a weekday, so many days from New Year on."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    sessions = _sessions(rng, cars, days)
    sessions.write_csv(folder / "sessions.csv")
    _prices(rng, days).write_csv(folder / "prices.csv")
    kw = 11.0 * cars * FUSE
    (folder / "scenario.toml").write_text(_scenario(cars, days, kw), encoding="utf-8")
    return folder


def _scenario(cars: int, days: int, kw: float) -> str:
    return f"""name = "a hub of {cars} cars"
currency = "EUR"

[horizon]
day = {FIRST}
days = {days}
start = 00:00:00
zone = "{ZONE}"

[search]
seed = 1

[[hubs]]
name = "hub"
import_limit_kw = {kw}
export_limit_kw = {kw}
battery_kw = {0.5 * cars}
battery_kwh = {cars}
battery_charge_efficiency = 0.95
battery_discharge_efficiency = 0.95
battery_initial_kwh = {0.5 * cars}
battery_wear_cost = 0.02

[prices]
series = "prices.csv"
unit = "MWh"
feed_in_fee = 0.01
service_fee = 0.12
demand_charge = {CHARGE if days > 1 else CHARGE / 30:.4f}

[rules]
family = "hourly"
charge_price_min = -0.2
discharge_price_min = -0.2
discharge_price_max = 0.6

[promises]
saving = 0.95

[sessions]
file = "sessions.csv"
"""


def _prices(rng: Generator, days: int) -> pl.DataFrame:
    """Hourly prices [EUR/MWh]: a double peak, cheap noons in summer, slow and quick noise."""
    zone = ZoneInfo(ZONE)
    begins, ends = (
        datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        for day in (FIRST, FIRST + timedelta(days=days))
    )
    hours = [
        begins + timedelta(hours=k) for k in range(int((ends - begins).total_seconds()) // 3600)
    ]
    local = np.array([moment.astimezone(zone).hour for moment in hours])
    year = np.array([moment.timetuple().tm_yday for moment in hours]) / 365.0
    summer = 0.5 - 0.5 * np.cos(2.0 * np.pi * year)
    peaks = 45.0 * np.exp(-(((local - 8) / 2.0) ** 2)) + 60.0 * np.exp(-(((local - 19) / 2.5) ** 2))
    noon = summer * 70.0 * np.exp(-(((local - 13) / 3.0) ** 2))
    slow = np.repeat(rng.normal(0.0, 18.0, days + 2), 24)[: len(hours)]
    price = 75.0 + 15.0 * np.cos(2.0 * np.pi * year) + peaks - noon + slow
    price += rng.normal(0.0, 4.0, len(hours))
    stamps = [f"{moment:%Y-%m-%dT%H:%MZ}" for moment in hours]
    return pl.DataFrame({"start_utc": stamps, "price": price.round(2)})


def _sessions(rng: Generator, cars: int, days: int) -> pl.DataFrame:
    """All stays, in the order of their arrival; none goes on past the last day."""
    dates = [FIRST + timedelta(days=k) for k in range(days)]
    counts = [cars if day.weekday() < 5 else round(WEEKEND * cars) for day in dates]
    midnight = np.repeat(np.array(dates, "datetime64[ms]"), counts)
    n = len(midnight)
    night = rng.random(n) < OVERNIGHT
    came = np.where(night, rng.normal(18.5, 1.5, n), rng.normal(9.0, 2.0, n)).clip(4.0, 22.0)
    stay = np.where(night, rng.normal(13.0, 1.5, n), rng.normal(6.5, 2.0, n)).clip(1.5, 16.0)
    arrival = _in_utc(midnight + _minutes(came))
    end = _in_utc(np.array([FIRST + timedelta(days=days)], "datetime64[ms]"))
    departure = np.minimum(arrival + _minutes(stay), end)
    capacity = rng.choice([45.0, 60.0, 75.0, 90.0], n)
    wants = np.minimum(rng.gamma(3.0, 6.0, n) + 3.0, 0.6 * capacity)
    hours = (departure - arrival) / np.timedelta64(1, "h")
    wants = np.minimum(wants, 0.8 * 11.0 * 0.95 * hours)
    arrives = (0.85 * capacity - wants).round(2)
    two_way = rng.random(n) < TWO_WAY
    found = pl.DataFrame(
        {
            "session": [f"s{k:06}" for k in range(n)],
            "driver": [f"d{k:06}" for k in range(n)],
            "hub": "hub",
            "arrival": arrival,
            "departure": departure,
            "capacity_kwh": capacity,
            "arrival_kwh": arrives,
            "required_kwh": (arrives + wants).round(2),
            "reserve_kwh": 0.1 * capacity,
            "max_kwh": capacity,
            "charge_kw_max": 11.0,
            "discharge_kw_max": np.where(two_way, 11.0, 0.0),
            "charge_efficiency": 0.95,
            "discharge_efficiency": 0.95,
            "wear_cost": rng.uniform(0.02, 0.08, n).round(4),
            "chemistry": np.where(rng.random(n) < 0.5, "LFP", "NMC"),
        }
    )
    stamp = pl.col("arrival", "departure").dt.strftime("%Y-%m-%dT%H:%MZ")
    return found.filter(pl.col("departure") > pl.col("arrival")).with_columns(stamp)


def _in_utc(local: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Moments of the site's clock; none is in the hour that clocks leap over or show twice."""
    there = pl.Series(local).dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC")
    found: NDArray[np.datetime64] = there.dt.replace_time_zone(None).to_numpy()
    return found


def _minutes(hours: NDArray[np.float64]) -> NDArray[np.timedelta64]:
    found: NDArray[np.timedelta64] = np.rint(60.0 * hours).astype("timedelta64[m]")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a site's folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sites", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cars", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args(arguments)
    print(write_site(given.folder, given.cars, given.days, given.seed))


if __name__ == "__main__":
    main()
