"""Days of 92, 96 and 100 slots: what the local clock shows, and prices that count in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from hubwise.domain import Horizon
from hubwise.domain.arrays import Array
from hubwise.scenario import check, load, new
from hubwise.scenario.clock import after_leap, by_hour, exists, in_utc, in_windows, wall_hours
from hubwise.scenario.door import PACKAGED
from hubwise.scenario.price_formats import Piece, Series
from hubwise.scenario.series import in_time, lay

ZONE = "Europe/Amsterdam"
SPRING, SUMMER, AUTUMN = date(2024, 3, 31), date(2024, 7, 1), date(2024, 10, 27)
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))
zones = st.sampled_from([ZONE, "America/New_York", "Asia/Kolkata", "Australia/Adelaide", "UTC"])


def midnight_to_midnight(day: date, zone: str = ZONE) -> Horizon:
    return Horizon.local_day(day, zone, start=time(0))


@pytest.mark.parametrize(("day", "slots"), [(SPRING, 92), (SUMMER, 96), (AUTUMN, 100)])
def test_a_window_has_the_slots_that_its_hours_have(day: date, slots: int) -> None:
    """02:00-03:00 has no slot in spring, four in summer and eight in autumn."""
    horizon = midnight_to_midnight(day)
    assert horizon.slots == slots
    assert in_windows(horizon, ["02:00-03:00"]).sum() == slots - 92
    assert in_windows(horizon, ["08:00-09:00"]).sum() == 4


@given(day=days, zone=zones, edges=st.lists(st.integers(0, 23), min_size=2, unique=True))
def test_windows_around_the_clock_cover_each_slot_once(
    day: date, zone: str, edges: list[int]
) -> None:
    """Windows that end where the next begins share out every slot of every day."""
    ring = [*sorted(edges), min(edges)]
    windows = [f"{a:02}:00-{b:02}:00" for a, b in pairwise(ring)]
    horizon = midnight_to_midnight(day, zone)
    count = sum(in_windows(horizon, [window]).astype(int) for window in windows)
    assert np.all(count == 1)


@given(day=days, zone=zones, start=st.integers(0, 23))
def test_hours_of_the_clock_never_fall(day: date, zone: str, start: int) -> None:
    """The clock from midnight on, slot by slot, stands still or goes on, for 24 hours in all."""
    begins = datetime.combine(day, time(start))
    if not (exists(begins, zone) and exists(begins + timedelta(days=1), zone)):
        return
    hours = wall_hours(Horizon.local_day(day, zone, start=time(start)))
    assert np.all(np.diff(hours) >= 0)
    assert hours[-1] - hours[0] == pytest.approx(24.0)


@given(day=days, zone=zones)
def test_a_table_of_hours_shows_the_hour(day: date, zone: str) -> None:
    """An hour-of-day table holds by the clock on the wall, on whatever day."""
    horizon = midnight_to_midnight(day, zone)
    values = by_hour(horizon, list(range(24)), [float(h) for h in range(24)])
    assert_allclose(values, np.floor(horizon.local_hours()))


@given(moment=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), zone=zones)
def test_a_time_that_exists_comes_back_from_utc(moment: datetime, zone: str) -> None:
    """Local to UTC and back is the same time, except where the clock leaps over it."""
    back = in_utc(moment, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert (back == moment) == exists(moment, zone)


def test_a_time_with_its_offset_always_exists() -> None:
    """02:30+01:00 is a moment also on the day that leaps from 02:00 to 03:00."""
    assert not exists(datetime(2024, 3, 31, 2, 30), ZONE)
    assert exists(datetime.fromisoformat("2024-03-31T02:30+01:00"), ZONE)


@given(day=days, zone=zones, minute=st.integers(0, 1439))
def test_a_time_that_the_clock_leaps_over_is_the_end_of_the_leap(
    day: date, zone: str, minute: int
) -> None:
    """A moment goes on the horizon at its own time, or where the clock is next after the leap."""
    local = datetime.combine(day, time(minute // 60, minute % 60))
    there = after_leap(local, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert (there == local) == exists(local, zone)
    assert local <= there <= local + timedelta(hours=1)


def test_the_leap_ends_at_three() -> None:
    """In Amsterdam every time from 02:00 to 02:59 of 2024-03-31 is 03:00, 01:00 in UTC."""
    for minute in (0, 30, 59):
        local = datetime(2024, 3, 31, 2, minute)
        assert after_leap(local, ZONE) == datetime(2024, 3, 31, 1, tzinfo=UTC)


def lay_rows(start: datetime, step: int, prices: list[float], horizon: Horizon) -> Array:
    """Rows without ends laid over a horizon, none of which lacks a price."""
    starts = [start + timedelta(minutes=step * k) for k in range(len(prices))]
    rows = [Piece("", first, None, price) for first, price in zip(starts, prices, strict=True)]
    timeline = in_time(Series(rows), "UTC", "UTC", hold=False)
    laid, missing, _ = lay(timeline.intervals, horizon)
    assert not missing
    return laid


@given(
    day=st.sampled_from([SPRING, SUMMER, AUTUMN]),
    step=st.sampled_from([5, 10, 15, 20, 30, 60]),
    slot=st.sampled_from([5, 10, 15, 20, 30, 60]),
    seed=st.integers(0, 2**32 - 1),
)
def test_prices_keep_their_mean_whatever_the_steps(
    day: date, step: int, slot: int, seed: int
) -> None:
    """Rows finer or coarser than slots lay out without gap, and the day's mean stays."""
    horizon = Horizon.local_day(day, ZONE, start=time(0), slot_minutes=slot)
    rows = horizon.slots * slot // step
    prices = np.random.default_rng(seed).normal(50.0, 40.0, rows).tolist()
    laid = lay_rows(horizon.start_utc, step, prices, horizon)
    assert laid.mean() == pytest.approx(np.mean(prices))
    if slot % step == 0:
        assert laid[0] == pytest.approx(np.mean(prices[: slot // step]))


def test_hourly_prices_hold_in_their_four_slots() -> None:
    """On the day of 100 slots the two hours at 02:00 have prices of their own."""
    horizon = midnight_to_midnight(AUTUMN)
    prices = [float(k) for k in range(25)]
    laid = lay_rows(horizon.start_utc, 60, prices, horizon)
    assert_allclose(laid, np.repeat(prices, 4))
    assert [t.strftime("%H:%M%z") for t in horizon.local_starts()[8:13:4]] == [
        "02:00+0200",
        "02:00+0100",
    ]


def test_prices_count_in_utc_also_where_hours_are_off_by_half() -> None:
    """At UTC+5:30 a local noon lies within a UTC hour; its price is that hour's."""
    horizon = Horizon.local_day(date(2024, 7, 1), "Asia/Kolkata", start=time(12))
    prices = [float(k) for k in range(25)]
    laid = lay_rows(datetime(2024, 7, 1, 6, tzinfo=UTC), 60, prices, horizon)
    assert_allclose(laid, np.r_[0, 0, np.repeat(prices[1:24], 4), 24, 24])


@pytest.mark.parametrize(
    ("day", "slots", "valley"), [("2024-03-30", 92, 28), ("2024-10-26", 100, 36)]
)
def test_the_reference_fleet_on_a_clock_change(
    tmp_path: Path, day: str, slots: int, valley: int
) -> None:
    """ieee33 moved to a night with a clock change loads, with its hours by the wall."""
    for file in (PACKAGED / "ieee33").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    toml = tmp_path / "scenario.toml"
    text = toml.read_text("utf-8").replace("Asia/Shanghai", ZONE).replace("2023-07-12", day)
    toml.write_text(text, "utf-8")
    moved, home = load(tmp_path), load("ieee33")
    assert moved.situation.horizon.slots == slots
    assert (moved.situation.market.purchase_price == 0.365).sum() == valley
    arrival = [moved.situation.horizon.local_hours()[k] for k in moved.situation.fleet.arrival_slot]
    same = [home.situation.horizon.local_hours()[k] for k in home.situation.fleet.arrival_slot]
    assert np.mean(np.isclose(arrival, same)) > 0.97  # all but those who need the lost hour


def test_a_slot_that_does_not_divide_the_day_is_refused(tmp_path: Path) -> None:
    """Lord Howe's clock moves by half an hour: whole hours do not fit that day."""
    toml = new(tmp_path / "s") / "scenario.toml"
    text = toml.read_text("utf-8").replace("Europe/Amsterdam", "Australia/Lord_Howe")
    text = text.replace("2025-05-14 ", "2025-10-04 ").replace(
        "slot_minutes = 15", "slot_minutes = 60"
    )
    toml.write_text(text, "utf-8")
    assert "slot_minutes" in {issue.field for issue in check(tmp_path / "s")}
