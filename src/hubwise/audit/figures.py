"""The result's figures: every number that follows from the tables and the scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hubwise.audit.bounds import NOTHING
from hubwise.audit.circuits import Flows, flows_of, planned_flows
from hubwise.audit.conduct import Conduct
from hubwise.audit.drivers import REGRET
from hubwise.audit.energy import energy_figures
from hubwise.audit.evidence import Evidence
from hubwise.audit.feeder import rounding_kw
from hubwise.audit.following import following_figures
from hubwise.audit.heat import hot_spot_c, life_days, transformers
from hubwise.audit.hubs import net_kw
from hubwise.audit.money import account, agree_numbers, demand_charges, leaves, profit
from hubwise.audit.objective import objective_figures
from hubwise.audit.outcomes import other_outcomes
from hubwise.audit.prices import price_groups
from hubwise.audit.promises import FLAT_KW
from hubwise.audit.report import Check, Finding, judge, worst_of
from hubwise.audit.sealed import check_sealed
from hubwise.audit.statuses import ENDED, check_statuses, derived_statuses
from hubwise.audit.stays import at_once_kw
from hubwise.domain.arrays import Array
from hubwise.domain.plain import is_number, named
from hubwise.grid import FeederState

Figures = dict[str, float]

SUMS = 1e-6  # kW, kWh, currency and shares: sums on both sides
LIMIT = 1e-9  # a value may pass its limit by this share of it, or of 1
NEAR = 1e-6  # two power flows agree on shares to this


def check_figures(
    evidence: Evidence, conduct: Conduct, state: FeederState, before: FeederState
) -> Iterator[Check]:
    """Every figure of the result; what cannot be derived again is named.

    Parameters
    ----------
    evidence, conduct
        The plan.
    state, before
        A second power flow of the plan, and of the uncoordinated day.
    """
    found, derived = leaves(evidence.result), dict[str, float]()
    parts = {
        "feeder": ("The feeder's figures are those of its tables", feeder_figures(evidence)),
        "money": (
            "The money is what bills and account add up to",
            money_figures(evidence, conduct),
        ),
        "energy": (
            "What batteries are left with is the tables', and cost and profit that count it",
            energy_figures(evidence, **_plain_money(evidence, conduct)),
        ),
        "following": (
            "Least powers, starts and steps are counted from the tables",
            following_figures(evidence),
        ),
        "drivers": ("Regret and shortfall are those of the sessions", driver_figures(evidence)),
        "objective": (
            "The dispatch objective's terms come to its total, and its wear is the tables'",
            objective_figures(evidence, conduct),
        ),
        "prices": ("The prices in short are those of prices.parquet", _posted(evidence)),
    }
    for name, (promise, figures) in parts.items():
        yield agree_numbers(f"summary: {name}", promise, found, figures, SUMS)
        derived |= figures
    ratios, ties = _ratios(evidence, before), _ties(evidence, found, derived)
    yield agree_numbers(
        "summary: ratios",
        "The ratios are to the uncoordinated day, which a second power flow gives",
        found,
        ratios,
        NEAR + 4.0 * _rounding_share(evidence, before),  # two heads in each of two spans
    )
    yield agree_numbers(
        "summary: outcomes",
        "The dispatched outcome is the plan's; other ties cost drivers the same, to their regrets",
        found,
        ties,
        REGRET * max(1, int(evidence.fleet.participating.sum())),
    )
    others, also = other_outcomes(evidence, conduct, found)
    yield from others
    yield _branches(evidence, state)
    yield _transformers(evidence, state)
    yield check_statuses(evidence, before)
    for key, tariffs in (
        ("profit_bound", "any tariff"),
        ("family_bound", "a tariff of its family"),
    ):
        if found.get(key) is not None:
            yield _bound(found, key, tariffs)
    elsewhere = (
        _CHECKED_ELSEWHERE
        | derived_statuses(evidence)
        | (set() if conduct.posts_prices else set(NOTHING))
    )
    if named(evidence.result.get("without_prices")).get("strategy") == "uncoordinated":
        elsewhere |= {"without_prices.strategy", "without_prices.operator_profit"}
    yield from check_sealed(evidence, found, {*derived, *ratios, *ties, *also, *elsewhere})


_CHECKED_ELSEWHERE = {"strategy", "ties", "participation", "branch_violations", "told"}
_CHECKED_ELSEWHERE |= {"delegating", "delegated", "device_ties", "device_seed"}
_CHECKED_ELSEWHERE |= {"transformers", "limits_missed", "mends"}
_CHECKED_ELSEWHERE |= {"wear", "wear_change", "wear_priced", "wear_nonlinear", "warnings"}
_CHECKED_ELSEWHERE |= {f"status.{name}.advice" for name in ENDED}
_CHECKED_ELSEWHERE |= {"gap", "family_gap", "advice", "better"}
_CHECKED_ELSEWHERE |= {"fade_per_year_driving", "fade_per_year_v2g"}


def feeder_figures(evidence: Evidence) -> Figures:
    """Figures of feeder.parquet, buses.parquet and hubs.parquet; unknown slots are left out."""
    feeder, table = evidence.scenario.situation.feeder, evidence.feeder
    known = ~np.isnan(table["head_kw"])
    head, loading = table["head_kw"][known], table["transformer_loading"]
    voltage = evidence.buses["voltage_pu"][:, known]
    low = feeder.voltage_min_pu * (1 - LIMIT)
    high = feeder.voltage_max_pu * (1 + LIMIT)
    heavy = loading > feeder.transformer_limit * (1 + LIMIT)
    peak, valley = head.max(initial=-np.inf), head.min(initial=np.inf)
    losses_kw = table["losses_kw"][known].sum() if known.any() else np.nan
    heat = hot_spot_c(loading, feeder.transformer_kva, evidence.hours, feeder.ambient_c)
    return {
        "peak_kw": float(peak),
        "valley_kw": float(valley),
        "peak_valley_kw": float(peak - valley),
        "load_factor": float(head.sum() / known.sum() / peak) if peak else np.nan,
        "losses_kwh": float(evidence.hours * losses_kw),
        "min_voltage_pu": float(voltage.min(initial=np.inf)),
        "voltage_violations": float(((voltage < low) | (voltage > high)).sum()),
        "transformer_violations": float(heavy.sum()),
        "connection_violations": float(_connections(evidence)),
        "hub_transformer_violations": float(_hub_transformers(evidence)),
        "circuit_violations": float(_circuits(evidence)),
        "convergence_violations": float((~known).sum()),
        "transformer_peak_loading": float(loading[known].max(initial=-np.inf)),
        "transformer_life_days": life_days(heat, evidence.hours),
    }


def peak_valley_kw(head_kw: Array) -> float:
    """Highest less lowest power of the slots that are known; not finite where none is [kW]."""
    known = head_kw[~np.isnan(head_kw)]
    return float(known.max(initial=-np.inf) - known.min(initial=np.inf))


def _connections(evidence: Evidence) -> int:
    """Slots x hubs above the limit of import or export."""
    given, hubs = evidence.scenario.situation.hubs, evidence.hubs
    limits = {"import_kw": given.import_limit_kw, "export_kw": given.export_limit_kw}
    return sum(
        int((hubs[name] > (limit + LIMIT * np.maximum(limit, 1.0))[:, None]).sum())
        for name, limit in limits.items()
    )


def _hub_transformers(evidence: Evidence) -> int:
    """Slots x hubs above the limit of the hub's own transformer, losses left out."""
    given, hubs = evidence.scenario.situation.hubs, evidence.hubs
    most = np.broadcast_to(given.transformer_kva * given.transformer_limit, len(given))
    drawn = np.maximum(hubs["import_kw"], hubs["export_kw"])
    return int((drawn > most[:, None] * (1 + LIMIT)).sum())


def _circuits(evidence: Evidence) -> int:
    """Slots x circuits and phases above their limit, either way."""
    flows = planned_flows(evidence)
    return int((np.abs(flows.kw) > flows.limit_kw[:, None] * (1 + LIMIT)).sum())


def uncoordinated_flows(evidence: Evidence) -> Flows:
    """What flows through circuits and phases when all charge at once and no station runs."""
    put_in, taken = at_once_kw(evidence.fleet, evidence.scenario.situation.horizon)
    saved, sold = solar_at_once(evidence)
    return flows_of(evidence, put_in - taken, -saved - sold)


def money_figures(evidence: Evidence, conduct: Conduct) -> Figures:
    """Figures of bills.parquet and the operator's account."""
    bills, participants = evidence.bills, evidence.fleet.participating
    items = account(evidence, conduct)
    return {
        "fleet_cost": float(bills["net_cost"].sum()),
        "participant_cost": float(bills["net_cost"][participants].sum()),
        "participant_reference_cost": float(bills["reference_cost"][participants].sum()),
        "operator_profit": profit(items),
        "operator_profit_without_incentive": profit(items) - items["incentives"],
        "margin_on_others": items["margin_on_others"],
        "reference_margin": reference_margin(evidence),
    }


def _plain_money(evidence: Evidence, conduct: Conduct) -> Figures:
    figures = money_figures(evidence, conduct)
    return {name: figures[name] for name in ("operator_profit", "participant_cost")}


def driver_figures(evidence: Evidence) -> Figures:
    """Figures of the sessions: regret, who declined, and what is missing when they leave."""
    fleet, energy = evidence.fleet, evidence.schedule.energy_kwh
    actual = evidence.scenario.hindsight.departures(fleet)
    early = actual < fleet.departure_slot
    gone = np.arange(energy.shape[1]) >= actual[:, None]
    stayed = ~gone | (np.arange(energy.shape[1]) <= fleet.arrival_slot[:, None])
    last = energy.shape[1] - 1 - np.argmax(stayed[:, ::-1], axis=1)
    left_with = energy[np.arange(len(fleet)), last]
    return {
        "max_regret": float(evidence.bills["regret"].max(initial=0.0)),
        "credited_regret": float(evidence.bills["credited"].sum()),
        "credited_sessions": float((evidence.bills["credited"] > 0.0).sum()),
        "shortfall_kwh": float((fleet.wished_kwh - energy[:, -1]).clip(min=0.0).sum()),
        "early_departures": float(early.sum()),
        "declined": float(evidence.declined.sum()),
        "shortfall_at_actual_departure_kwh": float(
            (fleet.wished_kwh - left_with).clip(min=0.0).sum()
        ),
    }


def reference_margin(evidence: Evidence) -> float:
    """What the participants bring at the reference tariff, with solar but no station battery.

    What they pay, less what the hubs buy for them, plus what is sold, less demand charges
    [currency].
    """
    fleet, market = evidence.fleet, evidence.scenario.situation.market
    put_in, taken = at_once_kw(fleet, evidence.scenario.situation.horizon)
    others = (put_in - taken)[~fleet.participating].sum(axis=0)
    net = uncoordinated_kw(evidence)
    bought = net.clip(min=0.0).sum(axis=0) - others
    energy = (
        put_in[fleet.participating].sum(axis=0) @ market.reference_price
        - bought @ market.purchase_price
        + (-net).clip(min=0.0).sum(axis=0) @ market.feed_in_price
    )
    return float(evidence.hours * energy) - demand_charges(evidence, net)


def uncoordinated_kw(evidence: Evidence) -> Array:
    """Net draw of every hub when all charge at once and no station runs; (hubs, slots) [kW]."""
    saved, sold = solar_at_once(evidence)
    return _draw_at_once(evidence) - saved - sold


def _draw_at_once(evidence: Evidence) -> Array:
    fleet, hubs = evidence.fleet, len(evidence.scenario.situation.hubs)
    put_in, taken = at_once_kw(fleet, evidence.scenario.situation.horizon)
    at_once = put_in - taken
    return np.stack([at_once[fleet.hub == hub].sum(axis=0) for hub in range(hubs)])


def solar_at_once(evidence: Evidence) -> tuple[Array, Array]:
    """Solar that vehicles charging at once use, and that is sold, as far as either pays."""
    market, hubs = evidence.scenario.situation.market, evidence.scenario.situation.hubs
    drawn = _draw_at_once(evidence).clip(min=0.0)
    saved = np.minimum(hubs.solar_kw, drawn) * (market.purchase_price > 0.0)
    rest = np.minimum(hubs.solar_kw - saved, hubs.most_export_kw[:, None])
    sold = rest * (market.feed_in_price > 0.0)
    needed, room = _solar_asked_for(evidence)
    beside = (np.minimum(needed, hubs.solar_kw) - saved - sold).clip(min=0.0)
    saved = np.minimum(saved, room)
    return saved, np.minimum(sold + beside, room - saved)


def _solar_asked_for(evidence: Evidence) -> tuple[Array, Array]:
    """Solar that connections need at least when all charge at once, and bear at most [kW]."""
    put_in, taken = at_once_kw(evidence.fleet, evidence.scenario.situation.horizon)
    hubs = evidence.scenario.situation.hubs
    flows = flows_of(evidence, put_in - taken, np.zeros_like(hubs.solar_kw))
    needed = (_draw_at_once(evidence) - hubs.most_import_kw[:, None]).clip(min=0.0)
    room = np.full(hubs.solar_kw.shape, np.inf)
    for (hub, circuit, phase), load, most in zip(
        flows.names, flows.kw, flows.limit_kw, strict=True
    ):
        if phase and not circuit:
            place = hubs.name.index(hub)
            room[place] = np.minimum(room[place], 3.0 * (load + most).clip(min=0.0))
            needed[place] = np.maximum(needed[place], 3.0 * (load - most))
    return needed, room


def _posted(evidence: Evidence) -> Figures:
    """The prices in short: by hub and group of slots, called by its block or its first moment."""
    rules, tariff = evidence.scenario.situation.rules, evidence.tariff
    _, first = np.unique(price_groups(evidence.scenario), return_index=True)
    clock = evidence.scenario.situation.horizon.slot_names()
    in_blocks = rules.family == "time-of-use" and rules.block_names
    figures = {}
    for row, hub in enumerate(evidence.scenario.situation.hubs.name):
        for slot in first:
            label = rules.block_names[rules.block[slot]] if in_blocks else clock[slot]
            figures[f"prices.{hub}.{label}.charge"] = float(tariff.charge_price[row, slot])
            figures[f"prices.{hub}.{label}.discharge"] = float(tariff.discharge_price[row, slot])
    return figures


def _ratios(evidence: Evidence, before: FeederState) -> Figures:
    """Ratios to the uncoordinated day, whose feeder a second power flow gives."""
    participants, bills = evidence.fleet.participating, evidence.bills
    span, span_before = peak_valley_kw(evidence.feeder["head_kw"]), peak_valley_kw(before.head_kw)
    span_before = span_before if span_before > FLAT_KW else 0.0
    reference = bills["reference_cost"]
    pairs = {
        "peak_valley_ratio": (span, span_before),
        "participant_cost_ratio": (
            bills["net_cost"][participants].sum(),
            reference[participants].sum(),
        ),
        "profit_ratio": (evidence.result.get("operator_profit"), reference.sum()),
    }
    return {
        name: float(part / whole) if is_number(part) and whole else np.nan
        for name, (part, whole) in pairs.items()
    }


def _ties(evidence: Evidence, found: Mapping[str, object], derived: Figures) -> Figures:
    """What is known of the outcomes, by path: all of the dispatched one, little of the others."""
    # Where surplus energy has a worth, ties may trade cost for it.
    same_cost = not evidence.fleet.surplus_value[evidence.fleet.participating].any()
    known = {}
    for path in found:
        match path.split("."):
            case ["outcomes", "dispatched", key] if key in derived:
                known[path] = derived[key]
            case ["outcomes", _, "participant_cost"] if same_cost:
                known[path] = derived["participant_cost"]
            case ["outcomes", name, "peak_valley_kw"]:
                peak = _number(found.get(f"outcomes.{name}.peak_kw"))
                known[path] = peak - _number(found.get(f"outcomes.{name}.valley_kw"))
    return known


def _number(value: object) -> float:
    return value if is_number(value) else np.nan


def _branches(evidence: Evidence, state: FeederState) -> Check:
    """The folder keeps each slot's highest branch loading only; the others are the second flow's.

    A loading that is at its limit to rounding may count or not.
    """
    loading = state.branch_loading / evidence.scenario.situation.feeder.conductor_limits[:, None]
    least, most = (int((loading > 1 + side * NEAR).sum()) for side in (1, -1))
    found = evidence.result.get("branch_violations")
    apart = max(least - found, found - most, 0) if is_number(found) else np.inf
    return judge(
        "summary: branches",
        "Branches above what they may carry are those of a second power flow",
        Finding(apart, f"summary.json, branch_violations: {found!r}, derived {least} to {most}"),
        0.0,
        advice="count the violations again",
    )


def _transformers(evidence: Evidence, state: FeederState) -> Check:
    """Each transformer's heat and life, from the second flow's loading and hubs.parquet."""
    situation = evidence.scenario.situation
    due = transformers(situation.feeder, situation.hubs, state, net_kw(evidence), evidence.hours)
    said = evidence.result.get("transformers")
    rows = [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []
    names = [row.get("name") for row in rows]
    apart = [
        _share_apart(row.get(key), value)
        for row, derived in zip(rows, due, strict=False)
        for key, value in derived.items()
        if not isinstance(value, str)
    ]
    whole = names == [row["name"] for row in due]
    worst = max(apart, default=0.0) if whole else np.inf
    return judge(
        "summary: transformers",
        "Heat and insulation life of every transformer follow from its loading",
        Finding(worst, "summary.json, transformers"),
        LIMIT + 10.0 * _rounding_share(evidence, state),
        advice="derive them again from feeder.parquet and hubs.parquet",
    )


def _rounding_share(evidence: Evidence, state: FeederState) -> float:
    """How far two power flows may be apart by rounding, as a share of the head's spread."""
    known = state.head_kw[np.isfinite(state.head_kw)]
    spread = float(np.ptp(known)) if len(known) else 0.0
    return rounding_kw(evidence.scenario.situation.feeder) / max(spread, 1.0)


def _share_apart(found: object, derived: float) -> float:
    """Difference as a share of what is derived; nothing where both are unknown."""
    if not is_number(found):
        return 0.0 if found is None and not np.isfinite(derived) else np.inf
    return abs(found - derived) / max(abs(derived), 1e-12)


def _bound(found: Mapping[str, object], key: str, tariffs: str) -> Check:
    bound, earned = _number(found[key]), _number(found.get("operator_profit"))
    return judge(
        f"summary: {key.replace('_', ' ')}",
        f"The profit does not pass the bound on the profit under {tariffs}",
        worst_of(np.array(earned - bound), (), f"summary.json, {key}: {bound!r}"),
        SUMS,
        advice="the bound is none",
    )
