"""Every line of the account and every column of the bills, counted once more in plain sums."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import billed, with_periods
from hubwise.domain import Market, Schedule, SoFar, StationSchedule, Tariff, Term, Terms
from hubwise.ledger import (
    Account,
    make_account,
    make_bills,
    minor_unit,
    post,
    reference_margin,
    solar_that_pays,
    with_credits,
)

seeds = st.integers(0, 2**32 - 1)
SIZE = 5


def day(small_situation, seed: int):
    """Two programs over two groups, a past, stock of some worth, and whatever anybody does."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=SIZE, solar=True)
    slots, hubs = situation.horizon.slots, len(situation.hubs)

    def term(source: str) -> Term:
        names = ("charge", "discharge")
        worth = {
            f"{name}_to_{who}": rng.random((2, slots)) for name in names
            for who in ("driver", "operator")
        }  # fmt: skip
        lumps = {f"lump_to_{who}": rng.random(2) for who in ("driver", "operator")}
        return Term.of(source, 2, slots, **worth, **lumps)

    fleet = replace(
        situation.fleet,
        group=rng.integers(0, 2, SIZE),
        surplus_value=rng.uniform(0.1, 1.0, SIZE),
        wear_cost=rng.random(SIZE),
        discharge_efficiency=rng.uniform(0.8, 1.0, SIZE),
    ).with_participating(np.arange(SIZE) % 2 == seed % 2)
    situation = replace(
        situation,
        fleet=fleet,
        hubs=replace(
            situation.hubs,
            battery_final_kwh=rng.uniform(0.0, 8.0, hubs),
            battery_end_value=rng.uniform(0.1, 1.0, hubs),
        ),
        market=with_periods(
            replace(situation.market, demand_charge=float(rng.uniform(0.1, 1.0))), slots, rng
        ),
        so_far=SoFar(import_peak_kw=rng.uniform(0.0, 20.0, hubs)),
        terms=Terms((term("program"), term("incentives"), term("program"))),
    )
    kw, at_once = rng.uniform(0.0, 7.0, (3, SIZE, slots)), rng.uniform(0.0, 7.0, (SIZE, slots))
    schedule = Schedule(*kw)
    uncoordinated = Schedule(at_once, 0.0 * at_once, at_once)
    stations = StationSchedule(*rng.uniform(0.0, 9.0, (4, hubs, slots)))
    tariff = Tariff(*rng.random((2, hubs, slots)))
    least = rng.random(SIZE)
    bills = make_bills(
        fleet, tariff, situation.market, situation.horizon,
        schedule=schedule, uncoordinated=uncoordinated, best_response_cost=least,
        terms=situation.terms,
    )  # fmt: skip
    return situation, schedule, uncoordinated, stations, bills, least


@given(seeds)
def test_a_bill_names_energy_terms_and_regret(small_situation, seed) -> None:
    """Energies are the meter's; terms reach participants alone; regret is what is felt in vain."""
    situation, schedule, _, _, bills, least = day(small_situation, seed)
    fleet, slots, hours = situation.fleet, situation.horizon.slots, situation.horizon.slot_hours
    for i in range(SIZE):
        charged, discharged = (
            [float(hours * kw[i, t]) for t in range(slots)]
            for kw in (schedule.charge_kw, schedule.discharge_kw)
        )
        received = 0.0
        for term in situation.terms.parts if fleet.participating[i] else ():
            g = fleet.group[i]
            received += term.lump_to_driver[g]
            for t in range(slots):
                received += charged[t] * term.charge_to_driver[g, t]
                received += discharged[t] * term.discharge_to_driver[g, t]
        assert bills.charged_kwh[i] == pytest.approx(sum(charged))
        assert bills.discharged_kwh[i] == pytest.approx(sum(discharged))
        assert bills.received[i] == pytest.approx(received, abs=1e-12)
        net = bills.paid[i] - bills.earned[i] + bills.wear[i] - received
        assert bills.net_cost[i] == pytest.approx(net)
        above = schedule.energy_kwh[i, slots - 1] - fleet.required_kwh[i]
        felt = net - fleet.surplus_value[i] * above
        expected = least[i] if fleet.participating[i] else felt
        assert bills.best_response_cost[i] == pytest.approx(expected)
        assert bills.regret[i] == pytest.approx(felt - expected, abs=1e-9)
    assert list(bills.session) == list(fleet.session)
    assert list(bills.driver) == list(fleet.driver_name)


@given(seeds)
def test_what_is_credited_is_taken_off_once(small_situation, seed) -> None:
    """Credits leave participants their least cost, and stand in account and books as they do."""
    situation, schedule, uncoordinated, stations, bills, least = day(small_situation, seed)
    fleet = situation.fleet
    rng = np.random.default_rng(seed)
    tariff = Tariff(*rng.random((2, len(situation.hubs), situation.horizon.slots)))
    plain = make_bills(
        fleet, tariff, situation.market, situation.horizon, schedule=schedule,
        uncoordinated=uncoordinated, best_response_cost=least, terms=situation.terms,
    )  # fmt: skip
    credited = with_credits(plain)
    assert bills.credited.sum() == 0.0 == plain.credited.sum()
    for i in range(SIZE):
        due = max(plain.regret[i], 0.0) if fleet.participating[i] else 0.0
        assert credited.credited[i] == pytest.approx(due, abs=1e-7)
        assert credited.net_cost[i] == pytest.approx(plain.net_cost[i] - due, abs=1e-7)
        assert credited.regret[i] == pytest.approx(min(plain.regret[i], 0.0), abs=1e-7)
    accounts = [make_account(situation, schedule, stations, one) for one in (plain, credited)]
    back = credited.credited.sum()
    assert accounts[0].profit - accounts[1].profit == pytest.approx(back)
    books = [post(one, fleet.participating, "EUR") for one in (plain, credited)]
    assert books[0].credits == 0
    assert float(books[1].credits) == pytest.approx(back, abs=0.005 * SIZE + 1e-9)
    apart = float(books[1].rounding - books[0].rounding)
    assert apart == pytest.approx(back - float(books[1].credits), abs=1e-9)


@given(seeds)
def test_every_source_has_a_line(small_situation, seed) -> None:
    """What the operator receives under terms, by source: energy, and a lump sum a participant."""
    situation, schedule, _, stations, bills, _ = day(small_situation, seed)
    account = make_account(situation, schedule, stations, bills)
    fleet, hours = situation.fleet, situation.horizon.slot_hours
    found = {"program": 0.0, "incentives": 0.0}
    for term in situation.terms.parts:
        for i in np.flatnonzero(fleet.participating):
            g = fleet.group[i]
            found[term.source] += term.lump_to_operator[g]
            found[term.source] += hours * schedule.charge_kw[i] @ term.charge_to_operator[g]
            found[term.source] += hours * schedule.discharge_kw[i] @ term.discharge_to_operator[g]
    assert account.incentives == pytest.approx(found["incentives"])
    assert dict(account.terms) == {"program": pytest.approx(found["program"])}
    lines = dict(account.lines())
    assert account.profit == pytest.approx(sum(lines.values()))
    assert lines["program"] == account.terms["program"]
    assert lines["station stock"] == account.station_stock


def test_nothing_is_worth_nothing(small_situation) -> None:
    """Without terms nobody pays an incentive; a line that is not given is none."""
    situation, schedule, _, stations, bills, _ = day(small_situation, 3)
    account = make_account(replace(situation, terms=Terms()), schedule, stations, bills)
    assert account.incentives == 0.0
    assert dict(account.terms) == {}
    assert Account(*[0.0] * 10).profit == 0.0


@given(seeds)
def test_stations_and_peaks_are_charged(small_situation, seed) -> None:
    """Wear and stock of stations, their fixed costs, and imports above the period's past."""
    situation, schedule, _, stations, bills, _ = day(small_situation, seed)
    account = make_account(situation, schedule, stations, bills)
    hubs, hours, slots = situation.hubs, situation.horizon.slot_hours, situation.horizon.slots
    wear = stock = peaks = 0.0
    for h in range(len(hubs)):
        drawn = hours * stations.discharge_kw[h].sum() / hubs.battery_discharge_efficiency[h]
        wear += drawn * hubs.battery_wear_cost[h]
        left = stations.energy_kwh[h, slots - 1] - hubs.battery_final_kwh[h]
        stock += left * hubs.battery_end_value[h]
        here = situation.fleet.hub == h
        net = (schedule.charge_kw - schedule.discharge_kw)[here].sum(axis=0)
        net = net + stations.charge_kw[h] - stations.discharge_kw[h] - stations.solar_kw[h]
        for within, charge, past in billed(situation):
            peaks += charge * max(*(float(net[t]) - past[h] for t in within), 0.0)
    assert account.station_wear == pytest.approx(wear)
    assert account.station_stock == pytest.approx(stock)
    assert account.demand_charges == pytest.approx(peaks)
    assert account.station_lease == pytest.approx(sum(hubs.lease_cost))
    assert account.running_cost == pytest.approx(sum(hubs.running_cost))
    without = make_account(situation, schedule, stations, bills, station_costs=False)
    assert (without.station_lease, without.running_cost, without.station_stock) == (0.0, 0.0, 0.0)
    assert dict(without.lines()).keys() == dict(account.lines()).keys() - {"station stock"}


@given(seeds)
def test_the_reference_margin_counts_solar_and_peaks(small_situation, seed) -> None:
    """Participants' payments at the reference tariff, less what their share of the hub costs.

    Whoever does not take part may have to give energy where a bound says so.
    """
    situation, schedule, uncoordinated, _, _, _ = day(small_situation, seed)
    forced = np.where(situation.fleet.participating[:, None], 0.0, 0.5 * schedule.discharge_kw)
    uncoordinated = replace(uncoordinated, discharge_kw=forced)
    draw_kw = uncoordinated.charge_kw - forced
    market, hours = situation.market, situation.horizon.slot_hours
    market = replace(market, feed_in_price=market.purchase_price - 0.05)
    situation = replace(situation, market=market)
    money = 0.0
    for i in range(SIZE):
        takes_part = situation.fleet.participating[i]
        price = market.reference_price if takes_part else market.purchase_price
        money += hours * float(draw_kw[i] @ price)
    for h in range(len(situation.hubs)):
        draw = draw_kw[situation.fleet.hub == h].sum(axis=0)
        net = draw - situation.hubs.solar_kw[h]
        price = np.where(net > 0.0, market.purchase_price, market.feed_in_price)
        money -= hours * float(net @ price)
        for within, charge, past in billed(situation):
            money -= charge * max(*(float(net[t]) - past[h] for t in within), 0.0)
    assert reference_margin(situation, uncoordinated) == pytest.approx(money)


def test_solar_is_used_where_it_pays(small_situation) -> None:
    """For the hub's own draw where buying costs; up to the export limit where selling pays."""
    situation = small_situation(1, hubs=1, slots=4, sessions=1)
    hubs = replace(situation.hubs, solar_kw=np.full((1, 4), 10.0), export_limit_kw=np.array([3.0]))
    purchase, feed_in = np.array([[0.2, 0.2, -0.1, 0.0], [0.1, -0.1, -0.2, 0.0]])
    market = Market(purchase, feed_in, np.full(4, 0.5), 0.0, "EUR")
    there = replace(situation, hubs=hubs, market=market)
    used = solar_that_pays(there, np.full((1, 4), 4.0))
    np.testing.assert_allclose(used, [[7.0, 4.0, 0.0, 0.0]])
    np.testing.assert_allclose(solar_that_pays(there, np.full((1, 4), -4.0)), [[3.0, 0, 0, 0]])
    cheap = replace(there, market=replace(market, purchase_price=np.full(4, 0.5)))
    np.testing.assert_allclose(solar_that_pays(cheap, np.full((1, 4), 9.0)), [[10.0, 9, 9, 9]])


def test_minor_units() -> None:
    """Yen have no hundredths, dinars have thousandths; what is not known has hundredths."""
    units = [minor_unit(code) for code in ("JPY", "krw", "KWD", "TND", "EUR", "XXX")]
    assert units == [Decimal(text) for text in ("1", "1", "0.001", "0.001", "0.01", "0.01")]
