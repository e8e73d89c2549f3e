"""The dispatch objective: wear, terms and surplus from the tables, and that all come to its total.

What the other terms are needs the dispatch's own multipliers and roundings, which no table holds.
"""

from __future__ import annotations

from hubwise.audit.conduct import Conduct
from hubwise.audit.evidence import Evidence
from hubwise.audit.money import account, bills
from hubwise.audit.stays import target_kwh
from hubwise.domain.plain import number

KEY = "dispatch_objective"
COSTS = ("purchases", "demand_charges", "wear", "limits", "flatness")
GAINS = ("terms", "surplus")


def objective_figures(evidence: Evidence, conduct: Conduct) -> dict[str, float]:
    """What can be derived of the objective; nothing where the result has none [currency]."""
    found = evidence.result.get(KEY)
    if not isinstance(found, dict):
        return {}
    participants = evidence.fleet.participating
    wear = bills(evidence)["wear"][participants].sum() + account(evidence, conduct)["station_wear"]
    costs, gains = (sum(number(found.get(name)) for name in names) for names in (COSTS, GAINS))
    return {
        f"{KEY}.wear": float(wear),
        f"{KEY}.terms": _terms(evidence),
        f"{KEY}.surplus": _surplus(evidence, conduct),
        f"{KEY}.total": costs - gains,
    }


def _terms(evidence: Evidence) -> float:
    """What terms give drivers and operator together for what participants charge and discharge."""
    fleet, schedule, total = evidence.fleet, evidence.schedule, 0.0
    for term in evidence.scenario.situation.terms.parts:
        mine, g = fleet.participating, fleet.groups
        charge = (term.charge_to_driver + term.charge_to_operator)[g]
        discharge = (term.discharge_to_driver + term.discharge_to_operator)[g]
        worth = schedule.charge_kw * charge + schedule.discharge_kw * discharge
        total += evidence.hours * float(worth[mine].sum())
    return total


def _surplus(evidence: Evidence, conduct: Conduct) -> float:
    """What energy is worth above the least at departure, and in stations above what is asked."""
    fleet, mine = evidence.fleet, evidence.fleet.participating
    above = evidence.schedule.energy_kwh[:, -1]
    above = above - target_kwh(fleet, evidence.scenario.situation.horizon)
    stock = account(evidence, conduct)["station_stock"]
    return float((fleet.surplus_value * above)[mine].sum()) + stock
