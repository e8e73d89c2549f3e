"""Problems to price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hubwise.dispatch import Problem, feeder_limits, make_problem
from hubwise.domain import Promises, Situation
from hubwise.drivers import uncoordinated
from hubwise.ledger import sum_by_hub


@pytest.fixture(scope="session")
def make_problem_of() -> Callable[..., Problem]:
    """Makes the problem of a scenario; see `_make_problem_of`."""
    return _make_problem_of


def _make_problem_of(
    situation: Situation, *, saving: float = np.inf, peak_valley: float = np.inf
) -> Problem:
    """The problem with promises, the feeder linearised when all charge at once."""
    situation = replace(situation, promises=Promises(saving, peak_valley))
    hubs = situation.hubs
    everybody = uncoordinated(situation.fleet, situation.horizon)
    draw = sum_by_hub(len(hubs), situation.fleet.hub, everybody.charge_kw)
    limits = feeder_limits(situation.feeder, hubs.bus, draw)
    span = np.ptp(limits.head(draw)) * peak_valley if np.isfinite(peak_valley) else np.inf
    return make_problem(situation, limits, span_kw=float(span))
