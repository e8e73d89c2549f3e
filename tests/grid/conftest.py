"""The reference feeder, as the packaged scenario gives it."""

from dataclasses import replace

import numpy as np
import pytest

from hubwise.domain import Feeder
from hubwise.scenario import load

HUB_BUS = np.array([4, 8, 14, 20, 24, 30])


@pytest.fixture(scope="session")
def ieee33() -> Feeder:
    """The IEEE 33-bus feeder with a day of base load."""
    return load("ieee33").situation.feeder


@pytest.fixture(scope="session")
def ieee33_peak(ieee33: Feeder) -> Feeder:
    """The same feeder in one slot, at the loads that Baran & Wu published."""
    peak = [int(ieee33.base_kw.sum(axis=0).argmax())]
    return replace(ieee33, base_kw=ieee33.base_kw[:, peak], base_kvar=ieee33.base_kvar[:, peak])


@pytest.fixture(scope="session")
def hub_bus() -> np.ndarray:
    """Where the reference scenario's hubs are."""
    return HUB_BUS


@pytest.fixture(scope="session")
def hub_kw(ieee33: Feeder) -> np.ndarray:
    """Hubs that draw, feed back and rest through the day; shape (hubs, slots) [kW]."""
    return np.random.default_rng(7).uniform(-350.0, 450.0, (len(HUB_BUS), ieee33.base_kw.shape[1]))
