"""Prices as drivers feel them: the list that each was offered, less what terms give."""

from __future__ import annotations

import numpy as np

from hubwise.audit.evidence import Evidence
from hubwise.audit.program import best_response_costs
from hubwise.domain import Tariff
from hubwise.domain.arrays import Array, Flags, Index


def billed_prices(evidence: Evidence) -> tuple[Array, Array]:
    """Charge and discharge price of each session's own list; (sessions, slots) [currency/kWh]."""
    row, accepted = evidence.fleet.lists, evidence.scenario.situation.accepted
    charge, discharge = evidence.tariff.charge_price, evidence.tariff.discharge_price
    if accepted is not None:
        charge = np.vstack([charge, accepted.charge_price])
        discharge = np.vstack([discharge, accepted.discharge_price])
    return charge[row], discharge[row]


def felt_prices(evidence: Evidence) -> tuple[Array, Array]:
    """The same with what terms give beside; each (sessions, slots) [currency/kWh]."""
    charge, discharge = billed_prices(evidence)
    for term in evidence.scenario.situation.terms.parts:
        charge = charge - term.charge_to_driver[evidence.fleet.groups]
        discharge = discharge + term.discharge_to_driver[evidence.fleet.groups]
    return charge, discharge


def received(evidence: Evidence) -> Array:
    """What each participant receives under terms, term by term; shape (sessions,) [currency]."""
    fleet, schedule = evidence.fleet, evidence.schedule
    total = np.zeros(len(fleet))
    for term in evidence.scenario.situation.terms.parts:
        for i in np.flatnonzero(fleet.participating):
            g = int(fleet.groups[i])
            charged = (schedule.charge_kw[i] * term.charge_to_driver[g]).sum()
            drawn = (schedule.discharge_kw[i] * term.discharge_to_driver[g]).sum()
            total[i] += evidence.hours * (charged + drawn) + term.lump_to_driver[g]
    return total


def least_costs(evidence: Evidence, which: Flags | Index, *, one_way: bool = False) -> Array:
    """Least cost of sessions at their own lists, what terms give counted; (which,) [currency]."""
    fleet, situation = evidence.fleet, evidence.scenario.situation
    charge, discharge = felt_prices(evidence)
    lump = np.zeros(len(fleet))
    for term in situation.terms.parts:
        lump = lump + term.lump_to_driver[fleet.groups]
    chosen = fleet.select(which)
    own = chosen.offered(np.arange(len(chosen)))
    own = own.one_way() if one_way else own
    costs = best_response_costs(own, Tariff(charge[which], discharge[which]), situation.horizon)
    least: Array = costs - lump[which]
    return least
