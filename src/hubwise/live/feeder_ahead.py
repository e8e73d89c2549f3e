"""The feeder in the hours to come: as hubs are planned to draw, and without them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hubwise.live.clocks import quarter_of
from hubwise.live.feeder import Feeder, FeederShape, FeederStates
from hubwise.live.outlook import SLOT, SLOTS
from hubwise.live.planning import HubPlan


@dataclass(frozen=True, slots=True)
class FeederAhead:
    """A day ahead, from the quarter of an hour that is now.

    Parameters
    ----------
    shape
        Of the network.
    plan, without
        As hubs are planned to draw, and as they would not.
    """

    shape: FeederShape
    plan: FeederStates
    without: FeederStates


def feeder_ahead(feeder: Feeder, plans: Mapping[str, HubPlan], now: datetime) -> FeederAhead:
    """A day ahead; a hub without a plan, and after its end, draws nothing."""
    begins = quarter_of(now)
    at = [begins + k * SLOT for k in range(SLOTS)]
    drawn = {hub: _from(plan, begins) for hub, plan in plans.items()}
    idle = {hub: [0.0] * SLOTS for hub in drawn}
    return FeederAhead(feeder.shape, feeder.states(at, drawn), feeder.states(at, idle))


def _from(plan: HubPlan, begins: datetime) -> list[float]:
    late = round((begins - plan.starts_at) / SLOT)
    kw = plan.hub_kw()
    return [kw[k] if 0 <= k < len(kw) else 0.0 for k in range(late, late + SLOTS)]
