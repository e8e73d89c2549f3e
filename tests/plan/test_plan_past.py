"""The rest of a day: promises hold over the whole of it, what has been so far included."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

import numpy as np
import pytest

from builders import fleet_of, small_situation
from hubwise.dispatch import feeder_limits, make_baseline
from hubwise.domain import Fleet, Promises, Situation, SoFar, Tariff, Terms
from hubwise.grid import power_flow
from hubwise.plan.ac_dispatch import ac_dispatch, missed_kw

HALF = 24
PROMISE = 0.36


def part(situation: Situation, first: int, last: int, fleet: Fleet) -> Situation:
    """The slots ``first <= t < last`` of a situation, with the sessions of these slots."""

    def cut(record):
        slots = situation.horizon.slots
        changed = {
            field.name: value[..., first:last]
            for field in fields(record)
            if isinstance(value := getattr(record, field.name), np.ndarray)
            and value.shape[-1:] == (slots,)
        }
        return replace(record, **changed)

    horizon = situation.horizon
    start = horizon.start_utc + timedelta(minutes=first * horizon.slot_minutes)
    return replace(
        situation,
        horizon=replace(horizon, start_utc=start, slots=last - first),
        feeder=cut(situation.feeder),
        hubs=cut(situation.hubs),
        market=cut(situation.market),
        rules=cut(situation.rules),
        fleet=replace(
            fleet,
            arrival_slot=fleet.arrival_slot - first,
            departure_slot=fleet.departure_slot - first,
        ),
    )


@pytest.fixture(scope="module")
def whole() -> Situation:
    """A day of two halves: the peak of the uncoordinated day is in the first, the valley too."""
    situation = small_situation(1, slots=2 * HALF, sessions=1, station=False)
    size = 24
    late = np.arange(size) >= size // 2
    fleet = fleet_of(
        size,
        2 * HALF,
        hub=np.arange(size) % 2,
        arrival_slot=np.where(late, HALF + 2, 4),
        departure_slot=np.where(late, 2 * HALF, HALF),
        required_kwh=np.where(late, 28.0, 55.0),
        charge_kw_max=np.where(late, 5.0, 11.0),
        discharge_kw_max=0.0,
    )
    slot = np.arange(2 * HALF)
    base = np.where(slot < HALF, 20.0, 30.0)
    feeder = replace(
        situation.feeder, base_kw=np.tile(base, (3, 1)), base_kvar=np.tile(0.3 * base, (3, 1))
    )
    price = np.where((slot >= HALF + 10) & (slot < HALF + 14), 0.1, 0.3)
    market = replace(situation.market, purchase_price=price, feed_in_price=price)
    return replace(
        situation,
        fleet=fleet,
        feeder=feeder,
        market=market,
        terms=Terms(),
        promises=Promises(peak_valley=PROMISE),
    )


@pytest.fixture(scope="module")
def halves(whole: Situation) -> tuple[Situation, Situation]:
    late = whole.fleet.arrival_slot >= HALF
    return (
        part(whole, 0, HALF, whole.fleet.select(~late)),
        part(whole, HALF, 2 * HALF, whole.fleet.select(late)),
    )


@pytest.fixture(scope="module")
def past(halves: tuple[Situation, Situation]) -> SoFar:
    """The morning: uncoordinated it was steep, planned it was flat."""
    head = make_baseline(halves[0]).state.head_kw
    return SoFar(
        head_peak_kw=0.5 * float(head.max()),
        head_valley_kw=float(head.min()),
        baseline_peak_kw=float(head.max()),
        baseline_valley_kw=float(head.min()),
    )


def test_a_promise_is_measured_against_the_whole_uncoordinated_day(whole, halves, past) -> None:
    """The afternoon, told of the morning, is promised what the whole day is promised."""
    day = make_baseline(whole).span_kw
    rest = replace(halves[1], so_far=past)
    assert make_baseline(rest).span_kw == pytest.approx(day, rel=1e-9)
    assert abs(make_baseline(halves[1]).span_kw - day) > 0.1 * day


def planned(rest: Situation, so_far: SoFar) -> tuple[float, np.ndarray]:
    """What the afternoon misses, and its head under power flow, at prices flat to drivers."""
    situation = replace(rest, so_far=so_far)
    shape = len(rest.hubs), rest.horizon.slots
    tariff = Tariff(np.full(shape, 0.5), np.zeros(shape))
    found = ac_dispatch(situation, tariff, make_baseline(situation), rounds=60)
    state = power_flow(rest.feeder, rest.hubs.bus, found.dispatch.hub_kw)
    return float(found.missed_kw[0]), state.head_kw


def test_the_afternoon_keeps_the_promise_of_the_day(whole, halves, past) -> None:
    """With the morning as past the whole day's promise holds; an afternoon that forgot breaks it.

    Two cheap hours tempt the operator to a peak that is within the promise for the afternoon.
    """
    most = make_baseline(whole).span_kw
    missed, head = planned(halves[1], past)
    assert missed <= 0.0
    assert past.span_kw(head) <= most
    missed, head = planned(halves[1], SoFar())
    assert missed <= 0.0
    assert past.span_kw(head) > 1.03 * most


def test_what_the_morning_has_broken_is_no_excuse(halves, past) -> None:
    """Where the past alone broke the promise, the afternoon adds nothing, and misses nothing."""
    broken = replace(past, head_peak_kw=past.head_valley_kw + 80.0)
    missed, head = planned(halves[1], broken)
    assert missed <= 0.0
    assert broken.span_kw(head) == pytest.approx(80.0, abs=1e-9)
    assert head.max() > broken.head_peak_kw - 10.0
    situation = replace(halves[1], so_far=broken)
    baseline = make_baseline(situation)
    assert baseline.span_kw == pytest.approx(80.0)
    above = baseline.hub_kw + 10.0
    limits = feeder_limits(situation.feeder, situation.hubs.bus, above)
    over = missed_kw(situation, limits, baseline.span_kw, above)[0]
    assert over == pytest.approx(broken.span_kw(limits.head(above)) - 80.0, abs=1e-9)


def test_without_a_past_the_horizon_is_the_day() -> None:
    """Nothing so far: the span is that of what is planned."""
    head = np.array([3.0, 8.0, 5.0])
    assert SoFar().span_kw(head) == 5.0
    assert SoFar().baseline_span_kw(head) == 5.0
    assert SoFar(head_peak_kw=6.0, head_valley_kw=1.0).span_kw(head) == 7.0
    assert SoFar(baseline_peak_kw=9.0, baseline_valley_kw=4.0).baseline_span_kw(head) == 6.0
