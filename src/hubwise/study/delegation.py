"""How much hangs on who delegates: the same day with fewer who do, at the same or other prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from hubwise.domain import DeviceTies, Scenario, Tariff
from hubwise.domain.plain import Json, named
from hubwise.scenario import with_delegation

# Shares of those who take part, from none to all.
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


class Sharing(NamedTuple):
    """Which share delegates, how the others' devices choose, and at which prices.

    ``same``: at the prices that were found for everybody delegating; else at those found for it.
    """

    share: float
    ties: DeviceTies
    same: bool = False

    def __str__(self) -> str:
        prices = ", same prices" if self.same else ""
        return f"delegating {self.share:g} {self.ties}{prices}"

    def of(self, scenario: Scenario) -> Scenario:
        """The scenario with as many who delegate; no family is bounded, as none is shown."""
        return with_delegation(scenario.without_family_bound(), self.share, self.ties)


ALL = Sharing(1.0, DeviceTies.EARLY)
"""Everybody delegating: where the prices come from that are kept the same."""


def sharings(*, same: bool) -> tuple[Sharing, ...]:
    """All but `ALL`, at the same prices or at those found for each."""
    fewer = [share for share in SHARES if share < 1.0]
    return tuple(Sharing(share, ties, same) for ties in DeviceTies for share in fewer)


def as_json(tariff: Tariff) -> dict[str, Json]:
    """Prices as a result may hold them."""
    return {
        "charge": [list(map(float, row)) for row in tariff.charge_price],
        "discharge": [list(map(float, row)) for row in tariff.discharge_price],
    }


def posted_in(result: Mapping[str, object]) -> Tariff:
    """Prices that a result holds; see `as_json`."""
    posted = named(result["posted"])
    return Tariff(*(np.array(posted[name], dtype=float) for name in ("charge", "discharge")))
