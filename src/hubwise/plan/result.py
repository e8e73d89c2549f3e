"""The figures of a plan, from its parts: the records of its result."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from hubwise.battery import DAYS_A_YEAR, Ageing
from hubwise.dispatch import Dispatch, Problem, objective_of
from hubwise.domain import (
    Fleet,
    Hindsight,
    Horizon,
    Schedule,
    Situation,
    SoFar,
    StationSchedule,
    Tariff,
    TariffFamily,
)
from hubwise.domain.arrays import Array
from hubwise.grid import (
    FeederState,
    Kind,
    TransformerDay,
    count,
    loss_of_life_days,
    thermal_model,
    transformer_day,
    violations,
)
from hubwise.ledger import Account, Bills, energy_left, hub_flows, line_flows
from hubwise.pricing import price_groups
from hubwise.record import (
    BatteryFigures,
    Departures,
    DispatchObjective,
    EnergyLeft,
    FeederFigures,
    Money,
    PostedPrice,
    PostedPrices,
    Ratios,
)

ROUNDING_KWH = 1e-9
# A peak-valley difference that is rounding [kW].
FLAT_KW = 1e-6


def feeder_figures(
    situation: Situation, schedule: Schedule, stations: StationSchedule, state: FeederState
) -> FeederFigures:
    """Head, losses, voltages, violations and transformer of a feeder state.

    Slots without a converged power flow count as violations and are left out of the rest; figures
    that then rest on nothing are NaN, and so is the transformer's life in either case.
    """
    feeder, hubs, hours = situation.feeder, situation.hubs, situation.horizon.slot_hours
    hub_kw = hub_flows(len(hubs), situation.fleet, schedule, stations).net_kw
    line_kw = line_flows(hubs, situation.fleet, schedule, stations)
    broken = count(violations(feeder, hubs, state, hub_kw, line_kw))
    known = state.select(np.flatnonzero(state.converged)) if state.converged.any() else state
    peak, valley = float(known.head_kw.max()), float(known.head_kw.min())
    thermal = thermal_model(feeder.transformer_kva)
    return FeederFigures(
        peak_kw=peak,
        valley_kw=valley,
        peak_valley_kw=peak - valley,
        load_factor=float(known.head_kw.mean()) / peak if peak else np.nan,
        losses_kwh=hours * float(known.losses_kw.sum()),
        min_voltage_pu=float(known.voltage_pu.min()),
        voltage_violations=broken[Kind.VOLTAGE],
        branch_violations=broken[Kind.BRANCH],
        transformer_violations=broken[Kind.TRANSFORMER],
        connection_violations=broken[Kind.CONNECTION],
        hub_transformer_violations=broken[Kind.HUB_TRANSFORMER],
        circuit_violations=broken[Kind.CIRCUIT],
        convergence_violations=broken[Kind.CONVERGENCE],
        transformer_peak_loading=float(known.transformer_loading.max()),
        transformer_life_days=float(
            loss_of_life_days(state.transformer_loading, hours, feeder.ambient_c, thermal)
        ),
    )


def transformers(
    situation: Situation, schedule: Schedule, stations: StationSchedule, state: FeederState
) -> TransformerDay:
    """What the day does to every transformer: substation, network, hubs."""
    hubs, hours = situation.hubs, situation.horizon.slot_hours
    hub_kw = hub_flows(len(hubs), situation.fleet, schedule, stations).net_kw
    return transformer_day(situation.feeder, hubs, state, hub_kw, hours)


def money_figures(situation: Situation, bills: Bills, account: Account) -> Money:
    """Costs, profit and regret."""
    participants = situation.fleet.participating
    return Money(
        fleet_cost=float(bills.net_cost.sum()),
        participant_cost=float(bills.net_cost[participants].sum()),
        participant_reference_cost=float(bills.reference_cost[participants].sum()),
        operator_profit=account.profit,
        operator_profit_without_incentive=account.profit_without_incentive,
        margin_on_others=account.margin_on_others,
        max_regret=float(bills.regret.max(initial=0.0)),
        credited_regret=float(bills.credited.sum()),
        credited_sessions=int((bills.credited > 0.0).sum()),
    )


def objective_figures(problem: Problem, dispatch: Dispatch) -> DispatchObjective:
    """The dispatch objective, term by term, and what they come to: ``total`` [currency]."""
    value = objective_of(problem, dispatch)
    return DispatchObjective(**asdict(value), total=value.total)


def battery_figures(fleet: Fleet, aged: Ageing, horizon: Horizon) -> BatteryFigures:
    """Wear at prices and by the model, and mean fade a year of those who take part."""
    a_year = DAYS_A_YEAR * 24.0 / (horizon.slots * horizon.slot_hours)
    participants = fleet.participating

    def mean(fade: Array) -> float | None:
        return a_year * float(fade[participants].mean()) if participants.any() else None

    return BatteryFigures(
        wear_priced=float(fleet.wear_cost @ aged.drawn_kwh),
        wear_nonlinear=float(aged.wear_nonlinear.sum()),
        fade_per_year_driving=mean(aged.fade_driving),
        fade_per_year_v2g=mean(aged.fade_v2g),
    )


def departure_figures(situation: Situation, schedule: Schedule, hindsight: Hindsight) -> Departures:
    """Energy that is missing when drivers leave, as stated and as they really did."""
    fleet = situation.fleet
    actual = hindsight.departures(fleet)
    left = np.minimum(actual, fleet.departure_slot)
    last = np.maximum(left, fleet.arrival_slot + 1) - 1
    at_actual = schedule.energy_kwh[np.arange(len(fleet)), last]
    return Departures(
        shortfall_kwh=_missing(fleet.wished_kwh - schedule.energy_kwh[:, -1]),
        early_departures=int((actual < fleet.departure_slot).sum()),
        shortfall_at_actual_departure_kwh=_missing(fleet.wished_kwh - at_actual),
    )


def _missing(less_than_required: Array) -> float:
    """Sum of what is missing, rounding of sums over a stay aside [kWh]."""
    return float(less_than_required[less_than_required > ROUNDING_KWH].sum())


def posted_prices(situation: Situation, tariff: Tariff) -> PostedPrices:
    """The posted prices, one entry for each group of the tariff family at each hub.

    A group is called by its block, or by its first moment.
    """
    _, first = np.unique(price_groups(situation), return_index=True)
    rules, moment = situation.rules, situation.horizon.slot_names()
    in_blocks = rules.family == TariffFamily.TIME_OF_USE and rules.block_names
    return {
        hub: {
            rules.block_names[rules.block[slot]] if in_blocks else moment[slot]: PostedPrice(
                float(tariff.charge_price[h, slot]), float(tariff.discharge_price[h, slot])
            )
            for slot in first
        }
        for h, hub in enumerate(situation.hubs.name)
    }


def ratios(
    feeder: FeederFigures, money: Money, before: FeederFigures, reference_cost: float
) -> Ratios:
    """The three ratios to the uncoordinated day, whose feeder is ``before``.

    ``reference_cost`` is what the whole fleet pays on that day [currency].
    """
    return Ratios(
        peak_valley_ratio=_ratio(feeder.peak_valley_kw, before.peak_valley_kw, least=FLAT_KW),
        participant_cost_ratio=_ratio(money.participant_cost, money.participant_reference_cost),
        profit_ratio=_ratio(money.operator_profit, reference_cost),
    )


def energy_figures(
    situation: Situation,
    day: tuple[Schedule, StationSchedule],
    uncoordinated: Schedule,
    money: Money,
    reference_cost: float,
) -> EnergyLeft:
    """What batteries are left with, and cost and profit that count it.

    Parameters
    ----------
    situation, day
        What is planned, and what sessions and stations do.
    uncoordinated
        What every session does uncoordinated.
    money
        Of the plan.
    reference_cost
        What the whole fleet pays uncoordinated [currency].
    """
    left = energy_left(situation, day[0], uncoordinated, day[1])
    price, station_price = situation.market.energy_left
    cost = money.participant_cost - left.value
    profit = money.operator_profit + left.station_value + min(left.value, 0.0)
    return EnergyLeft(
        energy_left_kwh=left.kwh,
        station_energy_left_kwh=left.station_kwh,
        energy_left_price=price,
        station_energy_left_price=station_price,
        energy_left_value=left.value,
        station_energy_left_value=left.station_value,
        energy_fair_participant_cost=cost,
        energy_fair_cost_ratio=_ratio(cost, money.participant_reference_cost),
        energy_fair_profit=profit,
        energy_fair_profit_ratio=_ratio(profit, reference_cost),
    )


def _ratio(part: float, whole: float, least: float = 0.0) -> float | None:
    return part / whole if abs(whole) > least else None


def promised_ratios(
    past: SoFar, feeder: FeederFigures, money: Money, before: FeederFigures, reference_cost: float
) -> Ratios:
    """The ratios that promises are about, over all that they hold for: the past is counted.

    Where the uncoordinated day is flat, any difference is infinitely more.
    """
    whole = _with_past(past, feeder, money, before)
    found = ratios(*whole, reference_cost)
    if found.peak_valley_ratio is None and whole[0].peak_valley_kw > FLAT_KW:
        return replace(found, peak_valley_ratio=np.inf)
    return found


def _with_past(
    past: SoFar, feeder: FeederFigures, money: Money, before: FeederFigures
) -> tuple[FeederFigures, Money, FeederFigures]:
    """The figures of the horizon and of what has been before it."""
    paid, reference = money.participant_cost, money.participant_reference_cost
    span = past.span_kw(np.array([feeder.peak_kw, feeder.valley_kw]))
    span_before = past.baseline_span_kw(np.array([before.peak_kw, before.valley_kw]))
    return (
        replace(feeder, peak_valley_kw=span),
        replace(
            money,
            participant_cost=paid + past.paid,
            participant_reference_cost=reference + past.reference_cost,
        ),
        replace(before, peak_valley_kw=span_before),
    )
