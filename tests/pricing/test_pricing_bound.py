"""The bound for any tariff, against the same reasoning driver by driver, in plain sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import fleet_of, small_situation
from hubwise.dispatch import dispatch_linear
from hubwise.domain import Promises, SoFar, Tariff, Term, Terms
from hubwise.drivers import best_response
from hubwise.pricing import bound_profit, most_felt, profit_bound

seeds = st.integers(0, 2**32 - 1)
SIZE = 6


def drawn(seed: int):
    """Drivers of every kind at a hub without limits, a station, lump sums, and a past."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=SIZE, solar=True)
    late = situation.fleet.arrival_slot.copy(), situation.fleet.departure_slot.copy()
    late[0][0], late[1][0] = situation.horizon.slots - 2, situation.horizon.slots
    full, needed = situation.fleet.max_kwh.copy(), situation.fleet.required_kwh.copy()
    full[1] = needed[1] = situation.fleet.arrival_kwh[1] + 0.5  # one with no room for more
    fleet = replace(
        situation.fleet,
        max_kwh=full,
        required_kwh=needed,
        reserve_kwh=np.minimum(situation.fleet.reserve_kwh, full),
        arrival_slot=late[0],  # one that charges to the end
        departure_slot=late[1],
        minimum_saving=rng.choice([0.0, 0.5, 9.0], SIZE),
        surplus_value=np.append([0.6, 0.6], rng.choice([0.0, 0.6], SIZE - 2)),
        group=rng.integers(0, 2, SIZE),
    ).with_participating(rng.random(SIZE) < 0.8)
    worth = {"lump_to_driver": rng.uniform(0.0, 2.0, 2), "lump_to_operator": rng.uniform(0, 3, 2)}
    term = Term.of("program", 2, situation.horizon.slots, **worth)
    rules = situation.rules
    most = rng.choice([0.4, 1.0, 2.0]) * rules.charge_price_max
    return replace(
        situation,
        fleet=fleet,
        rules=replace(rules, charge_price_max=most, discharge_price_min=0.3 * most),
        terms=Terms((term,)),
        promises=Promises(saving=float(rng.choice([0.5, 0.8, np.inf]))),
        so_far=SoFar(paid=float(rng.uniform(0, 9)), reference_cost=float(rng.uniform(0, 9))),
    )


class Sums:
    """What the bound is made of, driver by driver: nothing is shared, energy has one price."""

    def __init__(self, problem) -> None:
        """Of a problem."""
        self.problem, situation = problem, problem.situation
        self.hours, market = situation.horizon.slot_hours, situation.market
        slots, hubs = situation.horizon.slots, len(situation.hubs)
        plain = replace(problem.fleet, surplus_value=np.zeros(len(problem.fleet)))
        bought = Tariff(*(np.tile(market.purchase_price, (hubs, 1)) for _ in range(2)))
        self.least = best_response(plain, bought, situation.horizon)[1]
        dearest = (situation.rules.charge_price_max, situation.rules.discharge_price_min)
        corner = Tariff(*(np.tile(price, (hubs, 1)) for price in dearest))
        self.dearest = best_response(problem.fleet, corner, situation.horizon)[1]
        self.mine = np.flatnonzero(situation.fleet.participating)
        kw = problem.uncoordinated.charge_kw
        self.reference = [
            self.hours * sum(kw[i, t] * market.reference_price[t] for t in range(slots))
            for i in self.mine
        ]

    def most_felt(self, k: int) -> float:
        """Charging at once at the reference tariff, less what is asked for; no lump sum left."""
        fleet, term = self.problem.fleet, self.problem.situation.terms.parts[0]
        more = self.problem.uncoordinated.energy_kwh[self.mine[k], -1] - fleet.required_kwh[k]
        felt = self.reference[k] - fleet.surplus_value[k] * more - fleet.minimum_saving[k]
        return felt + term.lump_to_driver[fleet.groups[k]]

    def most_paid(self, k: int) -> float:
        """At the dearest tariff; or where it would not take part any longer."""
        fleet, term = self.problem.fleet, self.problem.situation.terms.parts[0]
        full, i = max(fleet.max_kwh[k], fleet.arrival_kwh[k]), self.mine[k]
        above = fleet.surplus_value[k] * max(full - fleet.required_kwh[k], 0.0)
        more = max(full - self.problem.uncoordinated.energy_kwh[i, -1], 0.0)
        asked = self.reference[k] + fleet.surplus_value[k] * more - fleet.minimum_saving[k]
        return min(self.dearest[k] - term.lump_to_driver[fleet.groups[k]] + above, asked)

    def profit(self, press: float, rest: float) -> float:
        """The bound where the saving promise presses so hard; ``rest``: stations and solar."""
        situation, fleet = self.problem.situation, self.problem.fleet
        term, past, total = situation.terms.parts[0], situation.so_far, rest
        promised = press * situation.promises.saving if press else 0.0
        for k in range(len(fleet)):
            group = fleet.groups[k]
            pays = (1 - press) * self.most_paid(k) + promised * self.reference[k]
            pays += term.lump_to_driver[group] + term.lump_to_operator[group]
            stays_out = self.dearest[k] > self.most_felt(k) + 1e-9
            brings = pays - self.least[k]
            total += max(brings, 0.0) if stays_out else brings
        return total + promised * past.reference_cost - press * past.paid


def station_profit(problem) -> float:
    """What stations and solar bring alone, fixed costs taken off, from the same without drivers."""
    situation = problem.situation
    nobody = replace(
        problem,
        fleet=problem.fleet.select(np.zeros(len(problem.fleet), bool)),
        others_kw=0.0 * problem.others_kw,
    )
    answer = dispatch_linear(nobody, None, flat=False)
    hubs, hours = situation.hubs, situation.horizon.slot_hours
    spent = hours * float((answer.hub_kw @ situation.market.purchase_price).sum())
    worn = hubs.battery_wear_cost / hubs.battery_discharge_efficiency
    spent += hours * float(worn @ answer.stations.discharge_kw.sum(axis=1))
    return -spent - float(sum(hubs.lease_cost) + sum(hubs.running_cost))


@given(seeds)
@settings(max_examples=15)
def test_it_is_what_drivers_can_be_made_to_pay(make_problem_of, seed) -> None:
    """No more and no less than the least, over how hard the promise presses, of plain sums."""
    situation = drawn(seed)
    problem = make_problem_of(situation, saving=situation.promises.saving)
    sums, rest = Sums(problem), station_profit(problem)
    presses = np.linspace(0, 1, 21) if np.isfinite(situation.promises.saving) else [0.0]
    expected = min(sums.profit(press, rest) for press in presses)
    relaxed = dispatch_linear(problem, None, flat=False)
    found = bound_profit(problem, relaxed)
    assert found.profit == pytest.approx(expected, abs=1e-5)
    assert profit_bound(problem, relaxed) == found.profit
    felt, declines = most_felt(problem)
    expected_felt = [sums.most_felt(k) for k in range(len(problem.fleet))]
    np.testing.assert_allclose(felt, expected_felt, atol=1e-9)
    np.testing.assert_array_equal(declines, sums.dearest > np.array(expected_felt) + 1e-9)
    assert (np.isinf(found.out) == ~declines).all()


def test_a_bound_that_is_reached(make_problem_of) -> None:
    """Two drivers, one hub, one price: what they pay at most, less energy and what stations cost.

    Both need 19 kWh in the battery, 20 at the charger; the one would pay 0.8 for all of it at
    once, the other asks to save 5. Energy costs 0.2; the hub's lease and running cost are 1 each.
    """
    slots = 24
    situation = small_situation(1, sessions=2, hubs=1, station=False)
    flat = np.full(slots, 0.2)
    market = replace(
        situation.market, purchase_price=flat, feed_in_price=flat, reference_price=4 * flat
    )
    fleet = fleet_of(
        2, slots, required_kwh=39.0, discharge_kw_max=0.0, minimum_saving=np.array([0.0, 5.0])
    )
    rules = replace(situation.rules, charge_price_max=4 * flat)
    situation = replace(situation, market=market, fleet=fleet, rules=rules, terms=Terms())
    problem = make_problem_of(situation)
    relaxed = dispatch_linear(problem, None, flat=False)
    found = bound_profit(problem, relaxed)
    assert found.profit == pytest.approx(16.0 + 11.0 - 8.0 - 2.0)
    np.testing.assert_allclose(found.out, [np.inf, 11.0])
    half = replace(problem, situation=replace(situation, promises=Promises(saving=0.5)))
    assert bound_profit(half, relaxed).profit == pytest.approx(16.0 - 8.0 - 2.0)
