"""What one day leaves to the next: cars that stay, stations, price lists kept, the month's peak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain.arrays import Array, Flags, Index, Names
from hubwise.domain.tariff import Tariff


@dataclass(frozen=True, slots=True)
class Carried:
    """The state at the moment at which a day begins; arrays of stays have shape (stays,).

    Parameters
    ----------
    session
        Stays that have begun before and go on.
    energy_kwh
        Energy in the battery [kWh].
    at_once_kwh
        Energy that would be there had the stay charged at once [kWh].
    drawn_kwh
        Energy drawn from the battery so far [kWh].
    net_cost, reference_cost
        What the stay has cost so far, wear included, and what it would have cost uncoordinated at
        the reference tariff [currency].
    participating
        Whether it takes part.
    kept
        The price list that it was offered and keeps, as a row of ``lists``; -1 for none, where its
        hub's own holds.
    lists
        Price lists kept, from this moment on; shape (lists, slots).
    battery_kwh
        Energy in station batteries; shape (hubs,) [kWh].
    import_peak_kw
        Highest imports of the billing month so far; shape (hubs,) [kW].
    """

    session: Names
    energy_kwh: Array
    at_once_kwh: Array
    drawn_kwh: Array
    net_cost: Array
    reference_cost: Array
    participating: Flags
    kept: Index
    lists: Tariff
    battery_kwh: Array
    import_peak_kw: Array

    @classmethod
    def nothing(cls, battery_kwh: Array) -> Carried:
        """Where nothing has been before: no stays, no peak, station batteries as given."""
        none, lists = np.zeros(0), np.zeros((0, 0))
        return cls(
            session=np.zeros(0, str),
            energy_kwh=none,
            at_once_kwh=none,
            drawn_kwh=none,
            net_cost=none,
            reference_cost=none,
            participating=np.zeros(0, bool),
            kept=np.zeros(0, np.int64),
            lists=Tariff(lists, lists),
            battery_kwh=battery_kwh,
            import_peak_kw=np.zeros(len(battery_kwh)),
        )
