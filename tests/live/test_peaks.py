"""What power costs a hub: its highest quarter of an hour, kept in the log and planned for."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hubwise.domain.devices import MeterReading
from hubwise.domain.errors import ScenarioError
from hubwise.domain.events import PeakNoted, Phase
from hubwise.live import Site, read_settings
from hubwise.live.connection import Connection
from hubwise.live.deciding import decided
from hubwise.live.fold import Books
from hubwise.live.outlook import EFFICIENCY, SLOTS, Outlook, Stay, Wanted
from hubwise.live.peaks import Demand, Drawn, Peaks, higher
from hubwise.live.planning import Planner
from live_site import here
from site_books import SETTINGS, T0, Memory, World, said

HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
BERLIN = ZoneInfo("Europe/Berlin")
CARS = Demand(12.0)


def parked(kwh, hours, demand_charge: float, peak_kw: float, purchase, later=()) -> Outlook:
    """Cars that only charge, each with its energy and stay; their list is flat: they can wait."""
    flat = (0.4,) * SLOTS
    stays = tuple(
        Stay(f"s{k}", Wanted(T0 + h * HOUR, each, each, 0.0), 0.0, 11.0, 0.0, 0)
        for k, (each, h) in enumerate(zip(kwh, hours, strict=True))
    )
    return Outlook(
        T0, T0, 500.0, (flat,), (flat,), tuple(purchase), (0.0,) * SLOTS, 0.05, "EUR", stays,
        demand_charge=demand_charge, peak_kw=peak_kw, later_periods=tuple(later),
    )  # fmt: skip


def drawn_kw(asked: Outlook) -> np.ndarray:
    return np.sum([*decided(asked).cars.values()], axis=0)


def cost(kw: np.ndarray, asked: Outlook) -> float:
    """Of energy, and of what is drawn above each period's peak so far."""
    energy = 0.25 * float(kw @ np.array(asked.purchase))
    return energy + sum(
        charge * max(kw[slots].max() - peak, 0.0) for slots, charge, peak in periods(asked)
    )


def periods(asked: Outlook) -> list[tuple[slice, float, float]]:
    """Slots of each billing period, its charge and its peak so far."""
    begins = [
        (0, asked.demand_charge, asked.peak_kw),
        *((k, c, 0.0) for k, c in asked.later_periods),
    ]
    ends = [*(k for k, _ in asked.later_periods), SLOTS]
    return [(slice(k, end), c, peak) for (k, c, peak), end in zip(begins, ends, strict=True)]


def least_cost(asked: Outlook) -> float:
    """The same by a linear program of its own: power by car and slot, and peaks above."""
    many = len(asked.stays)
    size = many * SLOTS
    count = len(periods(asked))
    costs = [*np.tile(0.25 * np.array(asked.purchase), many), *(c for _, c, _ in periods(asked))]
    above, known = np.zeros((SLOTS, count)), np.zeros(SLOTS)
    for k, (within, _, peak) in enumerate(periods(asked)):
        above[within, k], known[within] = -1.0, peak
    stay_slots = [(each.wanted.departs_at - T0) / QUARTER for each in asked.stays]
    bounds = [
        (0.0, each.charge_kw if t < slots else 0.0)
        for each, slots in zip(asked.stays, stay_slots, strict=True)
        for t in range(SLOTS)
    ]
    energy = np.kron(np.eye(many), np.full((1, SLOTS), 0.25 * EFFICIENCY))
    together = np.tile(np.eye(SLOTS), many)
    found = linprog(
        costs,
        A_ub=np.hstack([together, above]),
        b_ub=known,
        A_eq=np.hstack([energy, np.zeros((many, count))]),
        b_eq=[each.wanted.required_kwh for each in asked.stays],
        bounds=[*bounds, *[(0.0, None)] * count],
    )
    assert found.status == 0
    assert len(costs) == size + count
    return float(found.fun)


def test_cars_that_can_wait_are_spread_below_the_peak_so_far() -> None:
    """With a charge nobody draws above it, at the least cost; without one they all charge in the
    cheapest slots, far above."""
    purchase = np.full(SLOTS, 0.2)
    purchase[20:28] = 0.1
    cars = [20.0] * 8, [12.0] * 8
    free = parked(*cars, 0.0, 18.0, purchase)
    charged = parked(*cars, 3.0, 18.0, purchase)
    bunched, spread = drawn_kw(free), drawn_kw(charged)
    assert bunched[20:28].sum() > 0.99 * bunched.sum()
    assert bunched.max() > 70.0
    assert spread.max() <= 18.0 + 0.05
    assert 0.25 * EFFICIENCY * spread.sum() == pytest.approx(160.0, rel=1e-3)
    assert cost(bunched, free) == pytest.approx(least_cost(free), rel=1e-3)
    assert cost(spread, charged) == pytest.approx(least_cost(charged), rel=0.005)
    assert cost(bunched, charged) > 5.0 * cost(spread, charged)


def test_a_peak_of_this_month_does_not_cover_the_next() -> None:
    """Cheap slots behind midnight of a month's end: 90 kW were drawn this month, and none in the
    next one, whose first slots are bought in as evenly as its own charge asks for. A period that
    is free of charge takes all."""
    purchase = np.full(SLOTS, 0.2)
    purchase[20:28] = 0.1
    cars = [20.0] * 8, [12.0] * 8
    believed = drawn_kw(parked(*cars, 3.0, 90.0, purchase))
    asked = parked(*cars, 3.0, 90.0, purchase, [(20, 3.0)])
    found = drawn_kw(asked)
    assert believed[20:].max() > 70.0
    assert found[20:].max() < 1.0
    assert cost(found, asked) == pytest.approx(least_cost(asked), rel=0.005)
    assert cost(believed, asked) > 5.0 * cost(found, asked)
    free = parked(*cars, 3.0, 0.0, purchase, [(20, 0.0)])
    assert drawn_kw(free)[:20].max() < 0.5
    assert cost(drawn_kw(free), free) == pytest.approx(least_cost(free), rel=0.005)


def test_periods_ahead_are_those_of_the_sites_clock() -> None:
    """A day from 23:40 in Berlin on the last of March: twenty minutes of it, then April's own."""
    now = datetime(2026, 3, 31, 21, 40, tzinfo=UTC)
    slots = [datetime(2026, 3, 31, 21, 30, tzinfo=UTC) + k * QUARTER for k in range(SLOTS)]
    assert CARS.charges_ahead(now, slots, BERLIN) == ((0, 12.0), (2, 12.0 / 30))
    assert Demand(12.0, by_day=True).charges_ahead(now, slots, BERLIN) == ((0, 12.0), (2, 12.0))
    assert CARS.charges_ahead(now, slots[:2], BERLIN) == ((0, 12.0),)


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
@settings(max_examples=12, deadline=None)
def test_what_power_costs_is_weighed_against_energy(seed, many) -> None:
    """Any stays, prices, periods and peak so far: at most 2 % above a linear program's cost."""
    rng = np.random.default_rng(seed)
    purchase = rng.choice([0.05, 0.1, 0.2, 0.3], 12).repeat(8)
    hours = rng.uniform(3.0, 20.0, many).round(2) // 0.25 * 0.25
    kwh = rng.uniform(0.2, 0.9, many) * np.minimum(11.0 * EFFICIENCY * hours, 60.0)
    charge, peak_kw = float(rng.choice([0.1, 0.5, 3.0])), 5.0 * many * rng.random()
    firsts = np.sort(rng.choice(np.arange(1, SLOTS), int(rng.integers(0, 3)), replace=False))
    later = [(int(first), charge * float(rng.choice([0.0, 0.3, 2.0]))) for first in firsts]
    asked = parked(kwh, hours, charge, peak_kw, purchase, later)
    kw = drawn_kw(asked)
    assert 0.25 * EFFICIENCY * kw.sum() == pytest.approx(kwh.sum(), rel=1e-3)
    assert cost(kw, asked) <= 1.02 * least_cost(asked) + 0.02


steps = st.lists(st.tuples(st.integers(1, 3_000), st.floats(-20, 60)), min_size=1, max_size=30)


@given(steps, st.integers(0, 899))
@settings(max_examples=100, deadline=None)
def test_quarters_hold_what_flowed_in_them(steps, begin) -> None:
    """Registers against a sum over seconds; each quarter is told once, when it is over."""
    drawn, at, kwh = Drawn(), T0 + timedelta(seconds=begin), 0.0
    right: Counter[datetime] = Counter()
    drawn.counted("s", at, kwh)
    for seconds, kw in steps:
        for k in range(seconds):
            moment = at + timedelta(seconds=k)
            right[moment - timedelta(seconds=moment.timestamp() % 900)] += kw / 900
        at, kwh = at + timedelta(seconds=seconds), kwh + kw * seconds / 3_600
        drawn.counted("s", at, kwh)
        drawn.counted("s", at - timedelta(seconds=seconds), 0.0)  # said late: it is passed over
    ended = at + HOUR
    found = dict(drawn.over(ended))
    assert found.keys() == right.keys()
    for each, kw in found.items():
        assert kw == pytest.approx(right[each], abs=1e-6)
    assert drawn.over(ended) == []


def test_a_meter_tells_by_its_registers_or_else_by_its_power() -> None:
    """Of one that was lost nothing is made up; a register bridges the gap."""
    for counts in (False, True):
        drawn, kwh = Drawn(), 0.0
        for k in range(0, 3_601, 2):
            kw = 40.0 if k < 900 else 10.0
            kwh += kw * 2 / 3_600
            if 1_800 <= k < 2_700:
                continue  # lost
            drawn.saw(MeterReading(T0 + timedelta(seconds=k), kwh if counts else None, 0.0, kw))
        found = [kw for _, kw in drawn.over(T0 + 2 * HOUR)]
        right = [40.0, 10.0, 10.0, 10.0] if counts else [40.0, 10.0, 10.0]
        assert [each for each in found if each > 0.1] == pytest.approx(right, abs=0.2)


def noted(period: str, kw: float) -> PeakNoted:
    return PeakNoted(f"{period}{kw}", "", T0, "main", period, T0, Decimal(str(kw)))


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 50)), max_size=30))
@settings(max_examples=100, deadline=None)
def test_the_highest_of_the_period_is_carried(quarters) -> None:
    """Only what is above is kept, by the month on the site's clock; a new month begins at nothing;
    what is taken up again from the log is the same."""
    peaks, again, kept = Peaks(), Peaks(), []
    best: dict[str, float] = {}
    at = datetime(2026, 2, 27, 12, tzinfo=UTC)
    for gap, kw in quarters:
        at += gap * QUARTER
        over = {"main": [(at, float(kw))]}
        for each in higher(peaks, {"main": CARS}, over, at + QUARTER, BERLIN):
            kept.append(each)
            peaks.take(each)
        period = f"{at.astimezone(BERLIN):%Y-%m}"
        best[period] = max(best.get(period, 0.0), float(kw))
        assert peaks.kw("main", period) == best[period]
    assert len(kept) <= len(quarters)
    for each in kept:
        again.take(each)
    assert again == peaks


def test_a_period_that_is_over_changes_nothing() -> None:
    """A value that comes late, of the month before."""
    peaks = Peaks()
    for each in (noted("2026-03", 20.0), noted("2026-04", 5.0), noted("2026-03", 30.0)):
        peaks.take(each)
    assert (peaks.kw("main", "2026-04"), peaks.kw("main", "2026-03")) == (5.0, 0.0)


def test_a_months_charge_is_shared_among_the_days_left() -> None:
    """On the first of March 31, on the last one; a day's is its own."""
    first, last = (datetime(2026, 3, day, 12, tzinfo=UTC) for day in (1, 31))
    assert CARS.charge_ahead(first, BERLIN) == pytest.approx(12.0 / 31)
    assert CARS.charge_ahead(last, BERLIN) == 12.0
    assert Demand(12.0, by_day=True).charge_ahead(first, BERLIN) == 12.0
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # after midnight in Berlin
    assert CARS.period(late, BERLIN) == "2026-04"
    assert Demand(1.0, by_day=True).period(late, BERLIN) == "2026-04-01"


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("demand_charge = -1", "hubs.main.demand_charge: -1"),
        ("demand_charge = true", "hubs.main.demand_charge: True"),
        ('demand_charge = 9\ndemand_period = "week"', "hubs.main.demand_period: 'week'"),
        ('demand_period = "day"', "hubs.main.demand_period: is alone"),
    ],
)
def test_what_is_wrong_with_a_charge_is_told(tmp_path, lines, wrong) -> None:
    """With its place."""
    here("site", "new", tmp_path / "site")
    place = tmp_path / "site" / "site.toml"
    plain = place.read_text()
    place.write_text(plain.replace("[hubs.main]", "[hubs.main]\ndemand_charge = 9"))
    assert read_settings(tmp_path / "site").demand == {"main": Demand(9.0)}
    place.write_text(plain.replace("[hubs.main]", f"[hubs.main]\n{lines}"))
    with pytest.raises(ScenarioError) as told:
        read_settings(tmp_path / "site")
    assert wrong in str(told.value)


def test_chargers_meters_tell_the_peak_and_it_outlives_a_start() -> None:
    """Two cars of 6 kWh in an hour, together 12 kW in the quarters that they share: noted once they
    are over, known after a start from the same log, and told to the next plan."""
    log, world = Memory(), World()
    demand = {"main": CARS}
    site = log.site = Site(replace(SETTINGS, demand=demand), log, world, world)

    async def work() -> None:
        await site.start(world)
        for minute in range(0, 76, 5):
            for name in ("S1", "S2"):
                phase = Phase.STARTED if minute == 0 else Phase.UPDATED
                heard = said(name, minute // 5, phase, minute, min(minute, 60) / 10)
                world.at = heard.received_at
                await site.hear(heard)
                await site.cost(name, "T1")
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        await site.stop()

    asyncio.run(work())
    found = [each for each in log.events if isinstance(each, PeakNoted)]
    kws = [each.kw for each in found]
    assert kws
    assert kws == sorted(set(kws))
    assert site.books.peaks.kw("main", "2026-03") == pytest.approx(12.0, abs=0.05)
    again = Memory()
    again.events = log.events
    again.site = Site(replace(SETTINGS, demand=demand), again, world, world)
    again.site.take_up()
    assert again.site.books.peaks == site.books.peaks


def test_a_plan_is_told_what_others_leave_of_the_peak() -> None:
    """The peak of this month less what others draw behind the meter; another month's is none."""
    place = Connection(100.0, metered=True)
    place.saw(MeterReading(T0, None, None, 30.0))
    books = Books()
    site = replace(SETTINGS, demand={"main": CARS})
    planner = Planner(
        books, site, World(), decide=None, stored=None, gives_back=None, most_kw=None, troubles=None
    )
    asked = parked([5.0], [5.0], 0.0, 0.0, np.full(SLOTS, 0.1))
    for period, right in (("2026-02", 0.0), ("2026-03", 0.5 * (45.0 - 30.0))):
        books.apply(noted(period, 45.0))
        found = planner._with_peak(asked, "main", 0.5, place)
        assert (found.demand_charge, found.peak_kw) == (pytest.approx(12.0 / 30), right)
    assert planner._with_peak(asked, "north", 0.5, place) == asked
