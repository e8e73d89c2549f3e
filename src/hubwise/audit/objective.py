"""The dispatch objective: its wear from the tables, and that its terms come to its total.

What the other terms are needs the dispatch's own multipliers and roundings, which no table holds.
"""

from __future__ import annotations

from hubwise.audit.conduct import Conduct
from hubwise.audit.evidence import Evidence
from hubwise.audit.money import account, bills
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
    return {f"{KEY}.wear": float(wear), f"{KEY}.total": costs - gains}
