"""Money balances: nothing is made or lost between drivers, operator and grid."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import fleet_of, on_discharging
from hubwise.domain import (
    Feeder,
    Horizon,
    Hubs,
    Market,
    PriceRules,
    Promises,
    Schedule,
    Situation,
    StationSchedule,
    Tariff,
    Terms,
)
from hubwise.ledger import (
    hub_flows,
    in_cents,
    make_account,
    make_bills,
    minor_unit,
    post,
    reference_margin,
    session_prices,
)

HUBS, SLOTS = 3, 12
seeds = st.integers(0, 2**32 - 1)


def _fleet(rng, n):
    ids = np.array([f"s{i}" for i in range(n)])
    share = rng.random((5, n))
    return fleet_of(
        n,
        SLOTS,
        session=ids,
        driver=np.char.replace(ids, "s", "d"),
        hub=rng.integers(0, HUBS, n),
        arrival_kwh=20 + 10 * share[0],
        required_kwh=40 + 10 * share[1],
        reserve_kwh=np.full(n, 10.0),
        charge_efficiency=0.9 + 0.1 * share[2],
        discharge_efficiency=0.9 + 0.1 * share[3],
        wear_cost=0.3 * share[4],
        discharge_limit_kwh=np.full(n, np.inf),
        surplus_value=rng.choice([0.0, 0.1], n),
        participating=rng.random(n) < 0.6,
    )


def _schedule(rng, fleet):
    direction = rng.choice([-1, 0, 1], (len(fleet), SLOTS))
    direction[~fleet.participating] = np.maximum(direction[~fleet.participating], 0)
    power = 7 * rng.random((len(fleet), SLOTS)) * direction
    energy = fleet.arrival_kwh[:, None] + np.cumsum(power, axis=1) / 4
    return Schedule(np.maximum(power, 0), np.maximum(-power, 0), energy)


def _situation(rng, fleet):
    per_hub, per_slot = (lambda top: top * rng.random(HUBS)), (lambda top: top * rng.random(SLOTS))
    purchase = per_slot(1.0) - 0.1
    hubs = Hubs(
        name=("north", "middle", "south"),
        bus=np.arange(2, 2 + HUBS),
        import_limit_kw=np.full(HUBS, 500.0),
        export_limit_kw=per_hub(50.0),
        battery_kw=np.full(HUBS, 50.0),
        battery_kwh=np.full(HUBS, 200.0),
        battery_charge_efficiency=np.full(HUBS, 0.95),
        battery_discharge_efficiency=np.full(HUBS, 0.95),
        battery_initial_kwh=np.full(HUBS, 100.0),
        battery_wear_cost=per_hub(0.1),
        lease_cost=per_hub(100.0),
        running_cost=per_hub(100.0),
        solar_kw=30 * rng.random((HUBS, SLOTS)),
    )
    market = Market(
        purchase,
        purchase - per_slot(0.2),
        purchase + 0.3,
        float(rng.random()),
        "CNY",
    )
    reward = per_slot(0.2)
    flat = np.ones(SLOTS)
    buses = np.arange(1, 6)
    feeder = Feeder(
        buses, 1, 12.66, 1.0, buses[:-1], buses[1:], np.ones(4), np.ones(4), np.full(4, 400.0),
        6300.0, 0.85, 0.9, 1.1, np.ones((5, SLOTS)), np.ones((5, SLOTS)),
    )  # fmt: skip
    return Situation(
        horizon=Horizon(datetime(2024, 1, 1, tzinfo=UTC), SLOTS),
        feeder=feeder,
        hubs=hubs,
        fleet=fleet,
        market=market,
        rules=PriceRules(0 * flat, 2 * flat, 0 * flat, 2 * flat, np.zeros(SLOTS, np.int64), ("x",)),
        promises=Promises(),
        terms=Terms.on_discharge("incentives", reward),
    )


def _stations(rng, situation):
    direction = rng.choice([-1, 0, 1], (HUBS, SLOTS))
    power = 50 * rng.random((HUBS, SLOTS)) * direction
    used = situation.hubs.solar_kw * rng.random((HUBS, SLOTS))
    return StationSchedule(
        np.maximum(power, 0), np.maximum(-power, 0), np.zeros((HUBS, SLOTS)), used
    )


def _day(seed, sessions=9):
    rng = np.random.default_rng(seed)
    fleet = _fleet(rng, sessions)
    situation = _situation(rng, fleet)
    schedule, uncoordinated = _schedule(rng, fleet), _schedule(rng, fleet)
    uncoordinated = replace(uncoordinated, discharge_kw=0 * uncoordinated.discharge_kw)
    tariff = Tariff(rng.random((HUBS, SLOTS)), rng.random((HUBS, SLOTS)))
    bills = make_bills(
        fleet,
        tariff,
        situation.market,
        situation.horizon,
        schedule=schedule,
        uncoordinated=uncoordinated,
        best_response_cost=rng.random(sessions),
    )
    return situation, schedule, uncoordinated, _stations(rng, situation), tariff, bills


@given(seeds)
def test_what_drivers_pay_the_operator_receives(seed):
    """Participants' paid and earned are the operator's revenue and payments."""
    situation, schedule, _, stations, _, bills = _day(seed)
    account = make_account(situation, schedule, stations, bills)
    participants = situation.fleet.participating
    received = account.charging_revenue - account.discharge_payments
    assert received == pytest.approx(
        bills.paid[participants].sum() - bills.earned[participants].sum()
    )


@given(seeds)
def test_profit_is_money_in_less_money_out(seed):
    """Profit and margin on others add up to all the operator's money, counted at the meters."""
    situation, schedule, _, stations, _, bills = _day(seed)
    account = make_account(situation, schedule, stations, bills)
    market, hubs, hours = situation.market, situation.hubs, situation.horizon.slot_hours
    cash = bills.paid.sum() - bills.earned.sum()
    for h in range(HUBS):
        here = situation.fleet.hub == h
        vehicles = (schedule.charge_kw - schedule.discharge_kw)[here].sum(axis=0)
        net = vehicles + stations.charge_kw[h] - stations.discharge_kw[h] - stations.solar_kw[h]
        prices = np.where(net > 0, market.purchase_price, market.feed_in_price)
        cash -= hours * (net * prices).sum()
        cash -= market.demand_charge * max(net.max(), 0)
        cash -= hubs.lease_cost[h] + hubs.running_cost[h]
        cash -= hours * stations.discharge_kw[h].sum() / 0.95 * hubs.battery_wear_cost[h]
        cash += hours * (schedule.discharge_kw[here].sum(axis=0) * on_discharging(situation)).sum()
    assert account.profit + account.margin_on_others == pytest.approx(cash)
    assert account.profit_without_incentive == pytest.approx(account.profit - account.incentives)


@given(seeds)
def test_bill_is_price_times_energy(seed):
    """Every bill equals prices x energy, session by session, slot by slot."""
    situation, schedule, uncoordinated, _, tariff, bills = _day(seed)
    fleet = situation.fleet
    for i in range(len(fleet)):
        pay = earn = reference = 0.0
        for t in range(SLOTS):
            takes_part = bool(fleet.participating[i])
            hub = fleet.hub[i]
            yardstick = situation.market.reference_price[t]
            pay += (
                0.25
                * schedule.charge_kw[i, t]
                * (tariff.charge_price[hub, t] if takes_part else yardstick)
            )
            earn += 0.25 * schedule.discharge_kw[i, t] * takes_part * tariff.discharge_price[hub, t]
            reference += 0.25 * uncoordinated.charge_kw[i, t] * yardstick
        drawn = 0.25 * schedule.discharge_kw[i].sum() / fleet.discharge_efficiency[i]
        net = pay - earn + drawn * fleet.wear_cost[i]
        assert bills.net_cost[i] == pytest.approx(net)
        assert bills.saving[i] == pytest.approx(reference - net)


@given(seeds)
def test_nobody_schedules_others_so_they_regret_nothing(seed):
    """A non-participating session has zero regret and pays the reference tariff, no discharge."""
    situation, _, _, _, tariff, bills = _day(seed)
    fleet = situation.fleet
    charge, discharge = session_prices(fleet, tariff, situation.market)
    others = ~fleet.participating
    assert (bills.regret[others] == 0.0).all()
    assert (charge[others] == situation.market.reference_price).all()
    assert (discharge[others] == 0.0).all()


@given(seeds)
def test_energy_balances_at_every_hub(seed):
    """Import less export is what vehicles and battery draw less the solar used; never both."""
    situation, schedule, _, stations, _, _ = _day(seed)
    flows = hub_flows(HUBS, situation.fleet, schedule, stations)
    net = flows.import_kw - flows.export_kw
    total = (schedule.charge_kw - schedule.discharge_kw).sum(axis=0)
    total = total + (stations.charge_kw - stations.discharge_kw - stations.solar_kw).sum(axis=0)
    assert net.sum(axis=0) == pytest.approx(total)
    assert (flows.import_kw * flows.export_kw == 0).all()


@given(seeds)
def test_reference_margin_is_the_spread_without_solar_and_demand_charge(seed):
    """Bare of solar and demand charge, participants bring energy x (reference - purchase)."""
    situation, _, uncoordinated, _, _, _ = _day(seed)
    bare = replace(
        situation,
        hubs=replace(situation.hubs, solar_kw=np.zeros((HUBS, SLOTS))),
        market=replace(situation.market, demand_charge=0.0),
    )
    participants = situation.fleet.participating
    spread = situation.market.reference_price - situation.market.purchase_price
    margin = 0.25 * (uncoordinated.charge_kw[participants] * spread).sum()
    assert reference_margin(bare, uncoordinated) == pytest.approx(margin)


@given(seeds)
def test_solar_never_lowers_the_reference_margin(seed):
    """Solar is used only as far as it pays."""
    situation, _, uncoordinated, _, _, _ = _day(seed)
    dark = replace(situation, hubs=replace(situation.hubs, solar_kw=np.zeros((HUBS, SLOTS))))
    with_solar = reference_margin(situation, uncoordinated)
    assert with_solar >= reference_margin(dark, uncoordinated) - 1e-9


@given(seeds, st.sampled_from(["CNY", "JPY", "KWD"]))
def test_books_balance_to_the_smallest_unit(seed, currency):
    """Drivers' posted payments are the operator's posted receipts, exactly, in whole units."""
    situation, schedule, _, stations, _, bills = _day(seed)
    participants = situation.fleet.participating
    books = post(bills, participants, currency)
    account = make_account(situation, schedule, stations, bills)
    pairs = list(zip(books.paid, books.earned, books.participating, strict=True))
    net = sum(((p - e) for p, e, j in pairs if j), Decimal())
    assert net == books.charging_revenue - books.discharge_payments
    unit = minor_unit(currency)
    assert all(amount % unit == 0 for p, e, _ in pairs for amount in (p, e))
    unrounded = account.charging_revenue - account.discharge_payments
    unrounded += bills.paid[~participants].sum()
    operator = net + books.others_revenue
    assert float(operator - books.rounding) == pytest.approx(unrounded, abs=1e-9)
    assert abs(books.rounding) <= unit * len(pairs)


def test_half_a_cent_goes_to_the_even_cent():
    """Rounding is half-even on the decimals that are shown."""
    situation, *_, bills = _day(1, sessions=2)
    halves = replace(bills, paid=np.array([2.675, 2.665]), earned=np.array([0.0, 0.005]))
    books = post(halves, np.array([True, True]), situation.market.currency)
    assert books.paid == (Decimal("2.68"), Decimal("2.66"))
    assert books.earned == (Decimal("0.00"), Decimal("0.00"))
    assert books.rounding == Decimal("0.005")
    assert str(books.others_revenue) == "0.00"


@given(amount=st.floats(-1e6, 1e6))
def test_amounts_in_cents(amount):
    """Whole cents are within half a cent of the amount, have two decimals and no minus zero."""
    (cents,) = in_cents((amount,), "EUR")
    assert abs(cents - Decimal(repr(amount))) <= Decimal("0.005")
    assert cents.as_tuple().exponent == -2
    assert cents or not str(cents).startswith("-")
