"""What the operator's plan is compared with: what drivers and stations do without posted prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch import Baseline, at_rest, make_problem, undelegated, with_participants
from hubwise.domain import Schedule, Situation, Tariff
from hubwise.plan.ac_dispatch import ac_dispatch
from hubwise.plan.decision import Decision


def reference_tariff(situation: Situation) -> Tariff:
    """The reference tariff at every hub, in place of every list; it buys nothing back."""
    kept = 0 if situation.accepted is None else len(situation.accepted.charge_price)
    charge = np.tile(situation.market.reference_price, (len(situation.hubs) + kept, 1))
    return Tariff(charge, np.zeros_like(charge))


def uncoordinated_strategy(situation: Situation, baseline: Baseline) -> Decision:
    """Everybody plugs in and charges at once; no station battery."""
    tariff = reference_tariff(situation)
    return Decision(situation, tariff, baseline.schedule, baseline.stations, False)


def passive_strategy(situation: Situation, baseline: Baseline) -> Decision:
    """Participants' own devices shift charging against the reference tariff; no station battery."""
    tariff = reference_tariff(situation)
    one_way = replace(situation, fleet=situation.fleet.one_way())
    problem = make_problem(one_way, baseline.limits, everybody=baseline.schedule)
    schedule = with_participants(problem, undelegated(problem, tariff))
    return Decision(situation, tariff, schedule, at_rest(situation, schedule), False)


def storage_strategy(situation: Situation, baseline: Baseline) -> Decision:
    """Everybody charges at once; station batteries earn, and flatten as far as was promised."""
    tariff = reference_tariff(situation)
    everybody, participants = baseline.schedule, situation.fleet.participating
    fixed = Schedule(
        everybody.charge_kw[participants],
        everybody.discharge_kw[participants],
        everybody.energy_kwh[participants],
    )
    dispatched = ac_dispatch(situation, tariff, baseline, sessions=fixed).dispatch
    return Decision(situation, tariff, everybody, dispatched.stations, True)
