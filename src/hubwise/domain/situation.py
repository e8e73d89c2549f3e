"""The situation: what physics and prices need to know at a moment, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hubwise.domain.cell import BatteryFacts
from hubwise.domain.feeder import Feeder
from hubwise.domain.fleet import Fleet
from hubwise.domain.horizon import Horizon
from hubwise.domain.hub import Hubs
from hubwise.domain.periods import Periods
from hubwise.domain.so_far import SoFar
from hubwise.domain.tariff import Market, PriceRules, Promises, Tariff
from hubwise.domain.terms import Terms


@dataclass(frozen=True, slots=True)
class Situation:
    """What is to be decided about, from now to the end of the horizon.

    Checked at the door, trusted from here on. Dispatch, pricing and ledger know no more than this:
    not what it is called, nor which experiment it is part of (see `Scenario`).

    Parameters
    ----------
    horizon
        The slots from now on.
    feeder
        The network, and what it carries without hubs.
    hubs
        Connections, station batteries, solar.
    fleet
        Sessions, present and expected, and who of them takes part.
    market
        Prices that the operator takes as given.
    rules
        What a posted tariff may be.
    promises
        What the operator promises to drivers and to the grid.
    battery
        What vehicles' batteries are, and how their wear is priced.
    terms
        What a kWh is worth beyond the price list, to drivers and to the operator.
    accepted
        Price lists that sessions were offered before, and keep: rows of the tariff beyond the hubs'
        own (``Fleet.lists``); ``None`` for none.
    so_far
        What has happened, where promises and charges hold over more than the horizon.
    """

    horizon: Horizon
    feeder: Feeder
    hubs: Hubs
    fleet: Fleet
    market: Market
    rules: PriceRules
    promises: Promises
    battery: BatteryFacts = field(default_factory=BatteryFacts)
    terms: Terms = field(default_factory=Terms)
    so_far: SoFar = field(default_factory=SoFar)
    accepted: Tariff | None = None

    @property
    def periods(self) -> Periods:
        """The billing periods of the horizon: what their peaks cost, and what is paid for."""
        past, market = self.so_far.import_peak_kw, self.market
        known = np.zeros(len(self.hubs)) if past is None else past
        charges = ((0, market.demand_charge), *market.later_periods)
        return Periods.of(charges, self.horizon.slots, known)

    def with_accepted(self, tariff: Tariff) -> Tariff:
        """The tariff with the lists that were accepted before, where it is of the hubs alone."""
        if self.accepted is None or len(tariff.charge_price) > len(self.hubs):
            return tariff
        return Tariff(
            np.concatenate([tariff.charge_price, self.accepted.charge_price]),
            np.concatenate([tariff.discharge_price, self.accepted.discharge_price]),
        )
