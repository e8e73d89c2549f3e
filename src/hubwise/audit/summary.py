"""The summary: every number in it that follows from the tables and the scenario."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hubwise.audit.conduct import CONDUCT, Conduct
from hubwise.audit.evidence import Evidence
from hubwise.audit.money import account, agree_numbers, is_number, profit
from hubwise.audit.report import Check, Finding, Status, judge
from hubwise.audit.stays import charging_at_once_kw
from hubwise.domain import Scenario
from hubwise.grid import FeederState, loss_of_life_days, thermal_model
from hubwise.plan.folder import PlanFolder, seal
from hubwise.scenario import fingerprint

Array = NDArray[np.float64]

MONEY = 1e-6  # currency, kW, kWh: sums on both sides
LIMIT = 1e-9  # a value may pass its limit by this share of it
NEAR = 1e-6  # two power flows agree on a loading to this

# What no second reckoning can find again.
NOT_DERIVABLE = frozenset({"wall_seconds", "evaluations"})


def check_identity(folder: PlanFolder, scenario: Scenario) -> Iterator[Check]:
    """Whether the summary is of this scenario and participation, by a known strategy."""
    yield _scenario(folder, scenario)
    yield _strategy(folder)
    yield _participation(folder, scenario)


def check_seal(folder: PlanFolder) -> Check:
    """Whether every file is the one that was written."""
    found, due = folder.summary["seal"], seal(folder.summary, folder.folder)
    return _words(
        "folder: seal",
        "No file was changed since the plan was written",
        [name for name in due if found.get(name) != due[name]],
        "these files are not the ones that were written; the checks below say what is wrong",
    )


def _scenario(folder: PlanFolder, scenario: Scenario) -> Check:
    summary = folder.summary
    due = {
        "scenario": scenario.name,
        "currency": scenario.currency,
        "scenario_fingerprint": fingerprint(scenario),
    }
    return _words(
        "summary: scenario",
        "The plan was made for this scenario, unchanged since",
        [f"{key}: {summary[key]!r}, not {due[key]!r}" for key in due if summary[key] != due[key]],
        "give the scenario that the plan was made for, or plan again",
    )


def _strategy(folder: PlanFolder) -> Check:
    strategy = folder.result.get("strategy")
    return _words(
        "summary: strategy",
        "The strategy is one that is known",
        [] if strategy in CONDUCT else [f"strategy: {strategy!r}"],
        f"known are {', '.join(CONDUCT)}",
    )


def _participation(folder: PlanFolder, scenario: Scenario) -> Check:
    """A share of n sessions is known to half a session, no better."""
    share, joined = folder.result.get("participation"), scenario.fleet.participating
    near = is_number(share) and abs(share - joined.mean()) * len(joined) <= 0.5 + LIMIT
    return _words(
        "summary: participation",
        "The participation is the share of sessions that take part",
        [] if near else [f"participation: {share!r}, where {joined.mean():.4f} take part"],
        "give the scenario that the plan was made for, or plan again",
    )


def _words(name: str, promise: str, faults: list[str], advice: str) -> Check:
    """A check that holds where there is no fault."""
    if not faults:
        return Check(name, promise, Status.HOLDS)
    return Check(name, promise, Status.FAILS, where="; ".join(faults), advice=advice)


def check_figures(evidence: Evidence, conduct: Conduct, state: FeederState) -> Iterator[Check]:
    """Every figure of the result that the tables give; ``state`` is a second power flow's."""
    groups = {
        "feeder": ("The feeder's figures are those of its tables", feeder_figures(evidence)),
        "money": (
            "The money is what bills and account add up to",
            money_figures(evidence, conduct),
        ),
        "drivers": ("Regret and shortfall are those of the sessions", driver_figures(evidence)),
    }
    for name, (promise, figures) in groups.items():
        yield agree_numbers(f"summary: {name}", promise, evidence.result, figures, MONEY)
    yield _branches(evidence, state)


def feeder_figures(evidence: Evidence) -> dict[str, float]:
    """Figures of feeder.parquet and buses.parquet."""
    feeder, table = evidence.scenario.feeder, evidence.feeder
    head, loading = table["head_kw"], table["transformer_loading"]
    voltage = evidence.buses["voltage_pu"]
    low = feeder.voltage_min_pu * (1 - LIMIT)
    high = feeder.voltage_max_pu * (1 + LIMIT)
    life = loss_of_life_days(loading, evidence.hours, model=thermal_model(feeder.transformer_kva))
    return {
        "peak_kw": float(head.max()),
        "valley_kw": float(head.min()),
        "peak_valley_kw": float(head.max() - head.min()),
        "load_factor": float(head.mean() / head.max()),
        "losses_kwh": float(evidence.hours * table["losses_kw"].sum()),
        "min_voltage_pu": float(voltage.min()),
        "voltage_violations": float(((voltage < low) | (voltage > high)).sum()),
        "transformer_peak_loading": float(loading.max()),
        "transformer_life_days": float(life),
    }


def money_figures(evidence: Evidence, conduct: Conduct) -> dict[str, float]:
    """Figures of bills.parquet and the operator's account."""
    bills, joined = evidence.bills, evidence.fleet.participating
    items = account(evidence, conduct)
    return {
        "fleet_cost": float(bills["net_cost"].sum()),
        "participant_cost": float(bills["net_cost"][joined].sum()),
        "participant_reference_cost": float(bills["reference_cost"][joined].sum()),
        "operator_profit": profit(items),
        "operator_profit_without_incentive": profit(items) - items["incentives"],
        "margin_on_others": items["margin_on_others"],
        "reference_margin": reference_margin(evidence),
    }


def driver_figures(evidence: Evidence) -> dict[str, float]:
    """Figures of the sessions."""
    missing = evidence.fleet.required_kwh - evidence.schedule.energy_kwh[:, -1]
    return {
        "max_regret": float(evidence.bills["regret"].max(initial=0.0)),
        "shortfall_kwh": float(np.maximum(missing, 0.0).sum()),
    }


def reference_margin(evidence: Evidence) -> float:
    """What the participants bring at the reference tariff, with solar but no station battery.

    The spread on their energy, plus what solar saves and sells, less demand charges [currency].
    """
    fleet, market = evidence.fleet, evidence.scenario.market
    at_once = charging_at_once_kw(fleet, evidence.scenario.horizon)
    spread = market.reference_price - market.purchase_price
    saved, sold = _solar_at_once(evidence)
    energy = (
        (at_once[fleet.participating] * spread).sum()
        + (saved * market.purchase_price).sum()
        + (sold * market.feed_in_price).sum()
    )
    peaks = uncoordinated_kw(evidence).clip(min=0.0).max(axis=1)
    return float(evidence.hours * energy - market.demand_charge * peaks.sum())


def uncoordinated_kw(evidence: Evidence) -> Array:
    """Net draw of every hub when all charge at once and no station runs; (hubs, slots) [kW]."""
    saved, sold = _solar_at_once(evidence)
    return _draw_at_once(evidence) - saved - sold


def _draw_at_once(evidence: Evidence) -> Array:
    fleet, hubs = evidence.fleet, len(evidence.scenario.hubs)
    at_once = charging_at_once_kw(fleet, evidence.scenario.horizon)
    return np.stack([at_once[fleet.hub == hub].sum(axis=0) for hub in range(hubs)])


def _solar_at_once(evidence: Evidence) -> tuple[Array, Array]:
    """Solar that vehicles charging at once use, and that is sold, as far as either pays."""
    market, hubs = evidence.scenario.market, evidence.scenario.hubs
    saved = np.minimum(hubs.solar_kw, _draw_at_once(evidence)) * (market.purchase_price > 0.0)
    rest = np.minimum(hubs.solar_kw - saved, hubs.export_limit_kw[:, None])
    return saved, rest * (market.feed_in_price > 0.0)


def _branches(evidence: Evidence, state: FeederState) -> Check:
    """The folder keeps each slot's highest branch loading only; the others are the second flow's.

    A loading that is at its limit to rounding may count or not.
    """
    loading = state.branch_loading
    least, most = (int((loading > 1 + side * NEAR).sum()) for side in (1, -1))
    found = evidence.result.get("branch_violations")
    apart = np.inf
    if is_number(found):
        apart = float(max(least - found, found - most, 0))
    return judge(
        "summary: branches",
        "Branches above their ampacity are those of a second power flow",
        Finding(apart, f"summary.json, branch_violations: {found!r}, derived {least} to {most}"),
        0.0,
        advice="count the violations again",
    )
