"""A limit of the grid counts in the slots until its end: who can waits for what lies behind it."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hubwise.domain.events import LimitSaid, PriceList, PricesPosted, WishSaid
from hubwise.live.connection import Connection
from hubwise.live.deciding import Decided, decided
from hubwise.live.fold import Books, Session
from hubwise.live.outlook import EFFICIENCY, SLOTS, Outlook, Stay, Storage, Wanted
from hubwise.live.ports import Known
from hubwise.live.troubles import Troubles
from planners import T0, Minute, planner_of

HOURS = 0.25
FLAT = (0.3,) * SLOTS


def stays(required: list[float], departs: list[float]) -> tuple[Stay, ...]:
    """One-way cars at 11 kW on a flat list: energies [kWh], hours that they stay."""
    return tuple(
        Stay(f"s{k}", Wanted(T0 + timedelta(hours=hours), kwh, kwh, 0.0), 0.0, 11.0, 0.0, 0)
        for k, (kwh, hours) in enumerate(zip(required, departs, strict=True))
    )


def asked_of(cars, charge, purchase, allowed_kw, connection_kw: float = 22.0) -> Outlook:
    return Outlook(
        T0, T0, connection_kw, (tuple(charge),), ((0.0,) * SLOTS,), tuple(purchase),
        (0.0,) * SLOTS, 0.03, "EUR", cars, allowed_kw=tuple(allowed_kw),
    )  # fmt: skip


def test_who_can_wait_does_where_it_is_cheap_behind_the_end() -> None:
    """3 kW for two hours; the cheapest two hours lie behind: what is asked for is charged there at
    full power, on lists of one price by what energy costs the operator. Taken to last, the same
    limit would spread it over the day."""
    cheap = [0.4] * 16 + [0.1] * 8 + [0.4] * (SLOTS - 24)
    cars = stays([18.0, 18.0], [20.0, 20.0])
    short = [3.0] * 8 + [math.inf] * (SLOTS - 8)
    for charge in (FLAT, cheap):
        kw = np.sum([*decided(asked_of(cars, charge, cheap, short)).cars.values()], axis=0)
        assert HOURS * EFFICIENCY * kw[16:24].sum() == pytest.approx(36.0, abs=0.05)
    lasting = decided(asked_of(cars, FLAT, cheap, [3.0] * SLOTS)).cars
    assert np.sum([*lasting.values()], axis=0).max() <= 3.01


def test_who_has_to_leave_before_the_end_is_held_to_it_now() -> None:
    """The slot that is executed holds the limit, whatever cars are in need of; so do two cars at
    one cheap slot, and the battery beside them."""
    hour = [2.5] * 4 + [math.inf] * (SLOTS - 4)
    dear_later = [0.1] + [0.4] * (SLOTS - 1)
    asked = asked_of(stays([9.0, 9.0], [1.0, 1.0]), dear_later, dear_later, hour)
    for each in (asked, replace(asked, storage=Storage(10.0, 100.0, 20.0, 0.95, 0.02))):
        found = decided(each)
        now = sum(kw[0] for kw in found.cars.values()) + sum(found.battery[:1])
        assert now <= 2.5 + 0.01
    assert sum(kw[0] for kw in decided(asked).cars.values()) == pytest.approx(2.5, abs=0.01)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_limits_that_end_are_planned_like_by_a_program(seed, size) -> None:
    """Cars whom it costs the same whenever they charge, limits of some hours, energy that costs the
    operator what it does: no slot is above what it may be, and no program does it cheaper."""
    rng = np.random.default_rng(seed)
    cars = stays(rng.uniform(2.0, 15.0, size).tolist(), rng.uniform(14.0, 24.0, size).tolist())
    allowed = np.full(SLOTS, np.inf)
    for _ in range(rng.integers(1, 4)):
        begins = int(rng.integers(0, 24))
        part = slice(begins, begins + int(rng.integers(1, 20)))
        allowed[part] = np.minimum(allowed[part], rng.uniform(0.0, 8.0))
    purchase = rng.uniform(0.05, 0.28, SLOTS // 4).repeat(4)
    asked = asked_of(cars, FLAT, purchase, allowed.tolist())
    found = decided(asked).cars
    there = np.array([_there(each) for each in cars])
    kw = there * np.array([found[each.session] for each in cars])
    assert (kw.sum(axis=0) <= np.minimum(allowed, 22.0) + 0.03).all()
    least = _program(cars, there, purchase, np.minimum(allowed, 22.0))
    assert HOURS * float(purchase @ kw.sum(axis=0)) <= least * 1.01 + 0.01


def _there(stay: Stay) -> np.ndarray:
    """Share of each slot in which a car is there."""
    left = (stay.wanted.departs_at - T0) / timedelta(hours=HOURS) - np.arange(SLOTS)
    return np.clip(left, 0.0, 1.0)


def _program(cars, there: np.ndarray, purchase: np.ndarray, most_kw: np.ndarray) -> float:
    """The least that the cars' energy can cost within what may be drawn [EUR]."""
    size = len(cars)
    energy = np.kron(np.eye(size), np.ones(SLOTS)) * HOURS * EFFICIENCY
    kwh = np.array([each.wanted.required_kwh for each in cars])
    found = linprog(
        np.tile(HOURS * purchase, size), np.tile(np.eye(SLOTS), size), most_kw, energy, kwh,
        [(0.0, most) for most in (11.0 * there).ravel()],
    )  # fmt: skip
    assert found.status == 0
    return float(found.fun)


def test_an_outlook_knows_a_limit_until_its_end() -> None:
    """Of limits that hold, are to come or are over, the least in each slot that any part of it
    lies in; others' draw and the share of those who are not planned taken off; a feeder's limit has
    no end. What is carried is the connection's."""
    books, hour = Books(), timedelta(hours=1)
    books.apply(PricesPosted("p", "", T0, PriceList("p", 1_440, (Decimal("0.3"),), (Decimal(0),))))
    for name, kw, begins, until in (("a", 12, -1, 2.1), ("b", 6, 1, 1.5), ("c", 9, 3, 4)):
        limit = LimitSaid(
            name, "", T0 - hour, name, "main", Decimal(kw), T0 + begins * hour, T0 + until * hour,
            "eve", "dimmed",
        )  # fmt: skip
        books.apply(limit)
    wish = WishSaid("w", "CP", T0, "s", "t", "driver:D", T0 + 3 * hour, 20, 45, 10)
    session, seen = Session("s", "CP", "t", T0, evse=1, wish=wish), []

    async def decide(outlook):
        seen.append(outlook)
        return Decided({})

    async def stored(_):
        return 0.0, 0.0

    planner = planner_of(books, decide, stored, Troubles(Minute()))
    unknown = Session("u", "CP2", "t", T0, evse=1)
    known = [(session, Known("CP", "main", 11.0)), (unknown, Known("CP2", "main", 11.0))]
    place = Connection(40.0, limit_kw=12.0)

    def planned() -> Outlook:
        asyncio.run(planner._plan("main", known, place))
        return seen[-1]

    half = [6.0] * 4 + [3.0] * 2 + [6.0] * 3 + [math.inf] * 3 + [4.5] * 4
    outlook = planned()
    assert outlook.connection_kw == 20.0
    assert outlook.allowed_kw == (*half, *[math.inf] * (SLOTS - len(half)))
    place.feeder_kw = 10.0
    assert planned().allowed_kw[:9] == (5.0, 5.0, 5.0, 5.0, 3.0, 3.0, 5.0, 5.0, 5.0)
    assert set(planned().allowed_kw[9:12]) == {5.0}
    assert planned().allowed_kw[-1] == 5.0
