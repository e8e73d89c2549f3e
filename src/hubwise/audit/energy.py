"""What batteries hold at the end beyond the uncoordinated day, by session and by hub."""

from __future__ import annotations

import numpy as np

from hubwise.audit.evidence import Evidence
from hubwise.audit.report import Check, Status, judge, worst_of
from hubwise.audit.stays import charging_at_once_kwh
from hubwise.domain.arrays import Array

LEAST = 1e-6  # kWh that a session may leave with less, as everywhere


def more_kwh(evidence: Evidence) -> Array:
    """What participants' cars leave with beyond uncoordinated; (sessions,), others 0 [kWh]."""
    fleet, horizon = evidence.fleet, evidence.scenario.situation.horizon
    more = evidence.schedule.energy_kwh[:, -1] - charging_at_once_kwh(fleet, horizon)[:, -1]
    return np.where(fleet.participating, more, 0.0)


def prices(evidence: Evidence) -> tuple[float, float]:
    """What a kWh bought to be left costs, for cars and for stations [currency/kWh]."""
    market = evidence.scenario.situation.market
    if (given := market.energy_left_price) is not None:
        return given, given
    car, station = market.reference_price, market.purchase_price
    return max(0.0, float(min(car))), max(0.0, float(min(station)))


def value(evidence: Evidence) -> float:
    """What buying costs that participants' cars leave with beyond uncoordinated [currency]."""
    bought = more_kwh(evidence) / evidence.fleet.charge_efficiency
    return float(prices(evidence)[0] * bought.sum())


def energy_figures(
    evidence: Evidence, operator_profit: float, participant_cost: float
) -> dict[str, float]:
    """What is left, what it costs, and cost and profit that count it."""
    place, bills = evidence.scenario.situation.hubs, evidence.bills
    price, station_price = prices(evidence)
    stored = evidence.hubs["battery_kwh"][:, -1] - place.battery_initial_kwh
    own = np.broadcast_to(place.battery_end_value, stored.shape)
    station = station_price * sum(
        kwh / efficiency
        for kwh, efficiency, worth in zip(stored, place.battery_charge_efficiency, own, strict=True)
        if worth == 0.0
    )
    cars, reference = value(evidence), bills["reference_cost"]
    cost, made_good = participant_cost - cars, min(cars, 0.0)
    theirs = reference[evidence.fleet.participating].sum()
    fair = operator_profit + station + made_good
    return {
        "energy_left_kwh": float(more_kwh(evidence).sum()),
        "station_energy_left_kwh": float(stored.sum()),
        "energy_left_price": price,
        "station_energy_left_price": station_price,
        "energy_left_value": cars,
        "station_energy_left_value": float(station),
        "energy_fair_participant_cost": cost,
        "energy_fair_cost_ratio": float(cost / theirs) if theirs else np.nan,
        "energy_fair_profit": float(fair),
        "energy_fair_profit_ratio": float(fair / reference.sum()) if reference.sum() else np.nan,
    }


def check_equal_energy(evidence: Evidence) -> Check:
    """Every participating session leaves with no less than uncoordinated."""
    return judge(
        "promises: equal energy",
        "Every participating car leaves with no less than charging at once would leave it",
        worst_of(-more_kwh(evidence), evidence.sessions_axis, "energy at departure of"),
        LEAST,
        advice="require as much of each session, and plan again",
        otherwise=Status.MISSED,
    )
