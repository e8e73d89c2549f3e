"""The operator's account: one line item per reason that money moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

import numpy as np

from hubwise.domain import Hubs, Schedule, Situation, StationSchedule, Term
from hubwise.domain.arrays import Array, Flags
from hubwise.ledger.bills import Bills
from hubwise.ledger.flows import HubFlows, hub_flows, solar_within_limits

# The source of terms that pay for what vehicles discharge.
INCENTIVES = "incentives"


@dataclass(frozen=True, slots=True)
class Account:
    """The operator's line items over the horizon, unrounded [currency].

    Parameters
    ----------
    charging_revenue, discharge_payments
        What participating drivers pay, and are paid.
    purchases
        Energy imported by the hubs at the purchase price, less the non-participating drivers'
        energy, and what chargers draw in stand-by, at the same price. Negative where the hub itself
        supplies those drivers.
    feed_in
        Energy exported by the hubs at the feed-in price.
    incentives
        Received for what vehicles discharge.
    demand_charges
        For every hub's highest import of each billing period, whoever causes it, above what the
        period has seen.
    running_cost, station_lease, station_wear
        What the stations cost.
    margin_on_others
        What non-participating drivers pay above the purchase price; no part of the profit.
    station_stock
        What energy in station batteries is worth at the end above the least that was asked for.
    credited_regret
        What the operator credits drivers for schedules that cost more than their least.
    standby
        What two-way chargers draw while they are awake, at the purchase price.
    terms
        Received by the operator under every other term, by source.
    """

    charging_revenue: float
    discharge_payments: float
    purchases: float
    feed_in: float
    incentives: float
    demand_charges: float
    running_cost: float
    station_lease: float
    station_wear: float
    margin_on_others: float
    station_stock: float = 0.0
    credited_regret: float = 0.0
    standby: float = 0.0
    terms: Mapping[str, float] = field(default_factory=dict)

    def lines(self) -> tuple[tuple[str, float], ...]:
        """Name and signed amount of every line item; the amounts add up to the profit."""
        return (
            ("charging revenue", self.charging_revenue),
            ("discharge payments", -self.discharge_payments),
            ("purchases", -self.purchases),
            ("feed-in", self.feed_in),
            ("incentives", self.incentives),
            ("demand charges", -self.demand_charges),
            ("station running cost", -self.running_cost),
            ("station lease", -self.station_lease),
            ("station wear", -self.station_wear),
            *((("station stock", self.station_stock),) if self.station_stock else ()),
            *((("credited regret", -self.credited_regret),) if self.credited_regret else ()),
            *((("stand-by", -self.standby),) if self.standby else ()),
            *self.terms.items(),
        )

    @property
    def profit(self) -> float:
        """The operator's profit [currency]."""
        return sum(amount for _, amount in self.lines())

    @property
    def profit_without_incentive(self) -> float:
        """The operator's profit were nobody to pay the incentive [currency]."""
        return self.profit - self.incentives


def make_account(
    situation: Situation,
    schedule: Schedule,
    stations: StationSchedule,
    bills: Bills,
    *,
    station_costs: bool = True,
) -> Account:
    """Add up the operator's line items.

    ``station_costs`` is false for strategies without station batteries: no lease and no running
    cost.
    """
    fleet, hubs = situation.fleet, situation.hubs
    flows = hub_flows(len(hubs), fleet, schedule, stations)
    hours = situation.horizon.slot_hours
    participants = fleet.participating
    others_energy_cost = _energy_cost(situation, schedule, ~participants)
    received = _terms(situation, schedule)
    standby = hours * float(flows.standby_kw.sum(axis=0) @ situation.market.purchase_price)
    imported, exported, peaks = _connection_money(situation, flows)
    return Account(
        charging_revenue=float(bills.paid[participants].sum()),
        discharge_payments=float(bills.earned[participants].sum()),
        purchases=imported - others_energy_cost - standby,
        feed_in=exported,
        incentives=received.get(INCENTIVES, 0.0),
        demand_charges=peaks,
        running_cost=float(hubs.running_cost.sum()) if station_costs else 0.0,
        station_lease=float(hubs.lease_cost.sum()) if station_costs else 0.0,
        station_wear=_station_wear(hubs, stations, hours),
        margin_on_others=float(bills.paid[~participants].sum()) - others_energy_cost,
        station_stock=_station_stock(hubs, stations) if station_costs else 0.0,
        credited_regret=float(bills.credited.sum()),
        standby=standby,
        terms={source: amount for source, amount in received.items() if source != INCENTIVES},
    )


def _terms(situation: Situation, schedule: Schedule) -> dict[str, float]:
    """What the operator receives under every term, by source [currency]."""
    fleet, hours = situation.fleet, situation.horizon.slot_hours
    participants, group = fleet.participating, fleet.groups

    def received(term: Term) -> float:
        lump = float(term.lump_to_operator[group[participants]].sum())
        amount = 0.0
        for g in range(len(term.lump_to_operator)):
            mine = participants & (group == g)
            charged = schedule.charge_kw[mine].sum(axis=0)
            discharged = schedule.discharge_kw[mine].sum(axis=0)
            amount += hours * float(discharged @ term.discharge_to_operator[g])
            amount += hours * float(charged @ term.charge_to_operator[g])
        return amount + lump

    found: dict[str, float] = {}
    for term in situation.terms.parts:
        found[term.source] = found.get(term.source, 0.0) + received(term)
    return found


def _station_stock(hubs: Hubs, stations: StationSchedule) -> float:
    value = np.broadcast_to(hubs.battery_end_value, len(hubs))
    return float((stations.energy_kwh[:, -1] - hubs.least_final_kwh) @ value)


def reference_margin(situation: Situation, uncoordinated: Schedule) -> float:
    """What the same participants bring at the reference tariff with no station battery [currency].

    Everybody charges uncoordinated and pays the reference tariff; what the participants pay, less
    purchases and demand charges, plus feed-in. Solar stays and is used as far as it pays. An
    operator who cannot beat this would not bother.

    Parameters
    ----------
    situation
        Sessions, prices and hubs.
    uncoordinated
        Every session's uncoordinated schedule.
    """
    fleet, market, hours = situation.fleet, situation.market, situation.horizon.slot_hours
    flows = _flows_without_station(situation, uncoordinated)
    imported, exported, peaks = _connection_money(situation, flows)
    participants = fleet.participating
    revenue = hours * float(
        uncoordinated.charge_kw[participants].sum(axis=0) @ market.reference_price
    )
    others = _energy_cost(situation, uncoordinated, ~participants)
    return revenue - (imported - others) + exported - peaks


def _energy_cost(situation: Situation, schedule: Schedule, which: Flags) -> float:
    """Net energy of some sessions at the purchase price [currency]."""
    net_kw = (schedule.charge_kw - schedule.discharge_kw)[which].sum(axis=0)
    return situation.horizon.slot_hours * float(net_kw @ situation.market.purchase_price)


def _connection_money(situation: Situation, flows: HubFlows) -> tuple[float, float, float]:
    """Cost of imports, income from exports, demand charges [currency]."""
    market, hours = situation.market, situation.horizon.slot_hours
    imports, exports = flows.import_kw, flows.export_kw
    bought = hours * float(imports.sum(axis=0) @ market.purchase_price)
    sold = hours * float(exports.sum(axis=0) @ market.feed_in_price)
    return bought, sold, situation.periods.money(imports)


def _station_wear(hubs: Hubs, stations: StationSchedule, hours: float) -> float:
    drawn_kwh = hours * stations.discharge_kw.sum(axis=1) / hubs.battery_discharge_efficiency
    return float(drawn_kwh @ hubs.battery_wear_cost)


def _flows_without_station(situation: Situation, schedule: Schedule) -> HubFlows:
    hubs = situation.hubs
    idle = np.zeros_like(hubs.solar_kw)
    flows = hub_flows(len(hubs), situation.fleet, schedule, StationSchedule(idle, idle, idle, idle))
    within = solar_within_limits(hubs, situation.fleet, schedule)
    solar = solar_that_pays(situation, flows.net_kw, *within)
    return hub_flows(len(hubs), situation.fleet, schedule, StationSchedule(idle, idle, idle, solar))


def solar_that_pays(
    situation: Situation,
    draw_kw: Array,
    least_kw: Array | float = 0.0,
    most_kw: Array | float = inf,
) -> Array:
    """Solar power used at hubs that draw ``draw_kw``: what saves purchases, then what sells.

    Parameters
    ----------
    situation
        Hubs and prices.
    draw_kw
        What vehicles and batteries draw; shape (hubs, slots) [kW].
    least_kw, most_kw
        What connections ask for, as `solar_within_limits` says; shape (hubs, slots) [kW].

    Returns
    -------
    Array
        Shape (hubs, slots) [kW].
    """
    hubs, market = situation.hubs, situation.market
    saves = np.where(market.purchase_price > 0.0, np.maximum(draw_kw, 0.0), 0.0)
    sells = np.where(market.feed_in_price > 0.0, hubs.most_export_kw[:, None], 0.0)
    used: Array = np.minimum(
        hubs.solar_kw, np.minimum(np.maximum(saves + sells, least_kw), most_kw)
    )
    return used
