"""Planning again from a warm start: seconds, and what it costs against a plan from nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from statistics import median

import numpy as np

from benchmarks.figure import Figure
from benchmarks.reference import ieee33
from hubwise.domain import Scenario
from hubwise.plan import make_plan, make_replan
from hubwise.scenario import load, with_participation

SHARE = 0.8
DRIVERS = 100_000
QUICK_ZONES = 3
# How far purchase and feed-in prices move, hour by hour: standard deviation, as a share.
MOVES = (0.02, 0.05, 0.1, 0.2)


def bench(quick: bool) -> Iterator[Figure]:
    """Other purchase prices for the whole day, drawn hour by hour."""
    seeds = range(1 if quick else 3)
    before = make_plan(ieee33(), participation=SHARE)
    markets = [_moved(before.scenario, by, seed) for seed in seeds for by in MOVES]
    make_replan(before, markets[0].situation)
    answers = [make_replan(before, given.situation) for given in markets]
    fresh = [make_plan(given).account.profit for given in markets]
    losses = [1.0 - again.account.profit / new for again, new in zip(answers, fresh, strict=True)]
    seconds = median(again.seconds for again in answers)
    drivers = len(before.scenario.situation.fleet)
    how = (
        f"hubwise.plan.make_replan of ieee33 at {SHARE:g}, {drivers:,} drivers, prices, dispatch, "
        f"AC check and account; wall clock, median of {len(markets)} moves of the market by "
        f"{100 * min(MOVES):g} to {100 * max(MOVES):g} % an hour"
    )
    yield Figure("re-plan from a warm start", seconds, "s", how, ("at most", 0.5))
    yield _many_zones(drivers, QUICK_ZONES if quick else -(-DRIVERS // drivers))
    said = f"{how}; its profit below that of a plan from nothing, mean"
    yield Figure("re-plan, profit lost", 100 * float(np.mean(losses)), "%", said)
    missed = max(float(again.missed_kw.max()) for again in answers)
    said = "the most by which promise, feeder or connections are missed under AC"
    yield Figure("re-plan, limits missed", max(missed, 0.0), "kW", said, ("at most", 0))


def _many_zones(drivers: int, zones: int) -> Figure:
    """Seconds to plan ``DRIVERS`` drivers again, in zones that each have drivers of their own."""
    spent = 0.0
    for seed in range(1, zones + 1):
        zone = with_participation(load(f"ieee33@{seed}"), SHARE)
        moved = _moved(zone, MOVES[seed % len(MOVES)], seed)
        spent += make_replan(make_plan(zone), moved.situation).seconds
    whole = DRIVERS / (zones * drivers)
    run = f"of {zones} draws of its drivers, one zone after the other"
    if whole > 1.0:
        run += f"; EXTRAPOLATED by {whole:.1f}"
    how = (
        f"hubwise.plan.make_replan of ieee33 at {SHARE:g}, {run}; the market moved by "
        f"{100 * MOVES[0]:g} to {100 * MOVES[-1]:g} % an hour; prices, dispatch, AC check and "
        "account; wall clock"
    )
    name = f"re-plan of {DRIVERS:,} drivers"
    return Figure(name, spent * max(whole, 1.0), "s", how, ("at most", 30))


def _moved(scenario: Scenario, by: float, seed: int) -> Scenario:
    market, hours = scenario.situation.market, scenario.situation.horizon.slot_minutes / 60.0
    draw = np.random.default_rng(seed).standard_normal(24)
    factor = 1.0 + by * draw[(np.arange(scenario.situation.horizon.slots) * hours).astype(int) % 24]
    prices = {
        "purchase_price": market.purchase_price * factor,
        "feed_in_price": market.feed_in_price * factor,
    }
    return scenario.having(market=replace(market, **prices))
