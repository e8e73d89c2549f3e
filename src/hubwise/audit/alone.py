"""The hub left alone: what is said to come without posted prices, derived or bounded again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import block_array, coo_array, eye_array

from hubwise.audit.conduct import CONDUCT, Conduct
from hubwise.audit.days import Day, day_of
from hubwise.audit.evidence import Evidence
from hubwise.audit.figures import solar_at_once, uncoordinated_flows, uncoordinated_kw
from hubwise.audit.limits import broken_counts
from hubwise.audit.money import MONEY, profit
from hubwise.audit.promises import SHARE, peak_valley_share, saving_share
from hubwise.audit.report import Check, words
from hubwise.audit.stays import at_once_kw, charging_at_once_kwh
from hubwise.domain import Schedule, Tariff
from hubwise.domain.arrays import Array
from hubwise.domain.plain import is_number, is_object, number

KEY = "without_prices"
ALONE, STORAGE = "uncoordinated", "storage"


def check_alone(evidence: Evidence, conduct: Conduct) -> Iterator[Check]:
    """``without_prices``: uncoordinated to the cent, station batteries alone within bounds."""
    if conduct.posts_prices:
        yield words(
            "summary: without prices",
            "What the hub brings without prices is what uncoordinated does, or lies between that "
            "and the most that station batteries alone can bring",
            list(_faults(evidence)),
            "make the plan again: what it is compared with is not so",
        )


def _faults(evidence: Evidence) -> Iterator[str]:
    said = evidence.result.get(KEY)
    day = uncoordinated_day(evidence)
    keeping = _keeping(evidence, day)
    brings = profit(day.items)
    rounding = MONEY + 1e-9 * abs(brings)
    if said is None:
        if keeping.surely:
            yield f"summary.json, {KEY}: null, and uncoordinated keeps all with {brings:.6f}"
        return
    earned = said.get("operator_profit") if is_object(said) else None
    strategy = said.get("strategy") if is_object(said) else None
    where = f"summary.json, {KEY}: {strategy!r} with {earned!r}"
    if not is_number(earned):
        yield where
    elif strategy == ALONE and not (keeping.perhaps and abs(earned - brings) <= rounding):
        yield f"{where}, derived {brings!r}" + ("" if keeping.perhaps else ", promises missed")
    elif strategy == STORAGE:
        if keeping.surely and earned < brings - rounding:
            yield f"{where}, where uncoordinated brings {brings!r}"
        most = most_of_stations(evidence, day)
        if earned > most + rounding:
            yield f"{where}, where stations can bring {most!r} at most"
    elif strategy not in (ALONE, STORAGE):
        yield where


def uncoordinated_day(evidence: Evidence) -> Day:
    """Everybody plugs in and charges at once at the reference tariff; stations stand still."""
    fleet, situation = evidence.fleet, evidence.scenario.situation
    scenario = evidence.scenario.having(fleet=replace(fleet, price_list=None), accepted=None)
    put_in, taken = at_once_kw(fleet, situation.horizon)
    energy = charging_at_once_kwh(fleet, situation.horizon)
    prices = np.tile(situation.market.reference_price, (len(situation.hubs), 1))
    nothing = np.zeros_like(prices)
    held = nothing + situation.hubs.battery_initial_kwh[:, None]
    return day_of(
        replace(evidence, scenario=scenario),
        CONDUCT[ALONE],
        Schedule(put_in, taken, energy),
        tariff=Tariff(prices, nothing),
        stations={
            "battery_charge_kw": nothing,
            "battery_discharge_kw": nothing,
            "battery_kwh": held,
            "solar_kw": sum(solar_at_once(evidence), nothing),
            "standby_kw": nothing,
        },
    )


@dataclass(frozen=True, slots=True)
class _Keeping:
    """Whether uncoordinated keeps promises and limits: beyond doubt, and to rounding."""

    surely: bool
    perhaps: bool


def _keeping(evidence: Evidence, day: Day) -> _Keeping:
    """Whether the day keeps all promises, and breaks no limit more often than the plan."""
    promises = evidence.scenario.situation.promises
    as_plan = replace(day.evidence, feeder={"head_kw": day.state.head_kw})
    shares = (
        (peak_valley_share(as_plan, day.state), promises.peak_valley),
        (saving_share(as_plan), promises.saving),
    )
    sure, perhaps = broken_counts(
        evidence.scenario, day.state, uncoordinated_kw(evidence), uncoordinated_flows(evidence)
    )
    plan = {kind: number(evidence.result.get(f"{kind}_violations")) for kind in sure}

    def keeps(counts: dict[str, int], slack: float) -> bool:
        kept = all((share or 0.0) <= most + slack for share, most in shares)
        return kept and all(count <= plan[kind] for kind, count in counts.items())

    return _Keeping(keeps(perhaps, -SHARE), keeps(sure, SHARE))


def most_of_stations(evidence: Evidence, day: Day) -> float:
    """No station schedule brings more beside vehicles that charge at once [currency].

    A linear program a hub, the feeder and the grid connections left out; infinite where energy
    sold brings more than it costs, or no schedule ends as is asked for.
    """
    situation = evidence.scenario.situation
    market, hubs = situation.market, situation.hubs
    if (market.feed_in_price > market.purchase_price).any():
        return np.inf
    items, hours = day.items, evidence.hours
    vehicles = day.net_kw + day.evidence.hubs["solar_kw"]
    least = sum(_least_cost(evidence, hub, vehicles[hub]) for hub in range(len(hubs)))
    power = day.evidence.schedule.charge_kw - day.evidence.schedule.discharge_kw
    others = hours * (power[~evidence.fleet.participating] * market.purchase_price).sum()
    fixed = hubs.running_cost.sum() + hubs.lease_cost.sum()
    terms = sum(amount for name, amount in items.items() if name.startswith("terms."))
    paid = items["charging_revenue"] - items["discharge_payments"] + items["incentives"] + terms
    return float(paid + others - fixed - least)


def _least_cost(evidence: Evidence, hub: int, vehicles: Array) -> float:
    """Least cost of one hub's energy, demand charge and station wear, less its stock's worth.

    The columns are battery charge, discharge and energy, solar, import, export by slot, and the
    highest import of each billing period.
    """
    situation, hours = evidence.scenario.situation, evidence.hours
    market, place, n = situation.market, situation.hubs, len(vehicles)
    periods = situation.periods
    paid, months = periods.past_kw[hub], len(periods)
    peaks = coo_array(-np.repeat(np.eye(months), [it.stop - it.start for it in periods], axis=0))
    gain, loss = (
        hours * float(place.battery_charge_efficiency[hub]),
        hours / float(place.battery_discharge_efficiency[hub]),
    )
    one, nothing = eye_array(n), coo_array((n, n))
    step = one - eye_array(n, k=-1)
    column = coo_array((n, months))
    equal = block_array(
        [
            [-gain * one, loss * one, step, nothing, nothing, nothing, column],
            [one, -one, nothing, -one, -one, one, column],
        ]
    )
    below = block_array([[nothing, nothing, nothing, nothing, one, nothing, peaks]])
    worth = np.zeros(n)
    worth[-1] = float(np.broadcast_to(place.battery_end_value, len(place))[hub])
    cost = np.concatenate(
        [
            np.zeros(n),
            np.full(n, loss * float(place.battery_wear_cost[hub])),
            -worth,
            np.zeros(n),
            hours * market.purchase_price,
            -hours * market.feed_in_price,
            periods.charge,
        ]
    )
    start = np.append(float(place.battery_initial_kwh[hub]), np.zeros(n - 1))
    asked = float(np.broadcast_to(place.least_final_kwh, len(place))[hub])
    low, full = np.zeros(n), float(place.battery_kwh[hub])
    low[-1] = asked
    power, free = (0.0, float(place.battery_kw[hub])), (0.0, np.inf)
    bounds = [power] * (2 * n) + [(float(least), max(full, float(least))) for least in low]
    bounds += [(0.0, float(kw)) for kw in place.solar_kw[hub]] + [free] * (2 * n)
    bounds += [(float(kw), np.inf) for kw in paid]
    found = linprog(
        cost,
        A_ub=below,
        b_ub=np.zeros(n),
        A_eq=equal,
        b_eq=np.concatenate([start, -vehicles]),
        bounds=bounds,
    )
    if found.status != 0:
        return -np.inf
    return float(found.fun + worth[-1] * asked - periods.charge @ paid)
