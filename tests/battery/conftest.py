"""A few vehicles of the packaged scenario, at rest long enough to do something."""

from __future__ import annotations

import numpy as np
import pytest

from hubwise.scenario import load


@pytest.fixture(scope="session")
def toy():
    """Twelve two-way sessions of both chemistries, and their horizon."""
    scenario = load("ieee33")
    fleet = scenario.situation.fleet
    long = np.flatnonzero(fleet.departure_slot - fleet.arrival_slot >= 58)
    kinds = [long[fleet.chemistry[long] == name][:6] for name in ("LFP", "NMC")]
    return fleet.select(np.concatenate(kinds)), scenario.situation.horizon
