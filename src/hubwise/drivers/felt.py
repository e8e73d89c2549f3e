"""What drivers feel: posted prices, and what terms give them beside."""

from __future__ import annotations

import numpy as np

from hubwise.domain import Fleet, Horizon, Schedule, Tariff, TermSums
from hubwise.domain.arrays import Array, Index
from hubwise.drivers.kernel import Batteries
from hubwise.drivers.response import best_response, check_lists


def felt_prices(
    batteries: Batteries, tariff: Tariff, terms: TermSums
) -> tuple[Batteries, Array, Array]:
    """Batteries, and the charge and discharge prices that they feel; each of shape (rows, slots).

    One row for every price list and group that stand together, where terms give drivers anything.
    """
    check_lists(batteries.price_list, tariff)
    if not terms.felt:
        return batteries, tariff.charge_price, tariff.discharge_price
    pairs, row = _pairs(batteries.price_list, batteries.group)
    charge = tariff.charge_price[pairs[0]] - terms.charge_to_driver[pairs[1]]
    discharge = tariff.discharge_price[pairs[0]] + terms.discharge_to_driver[pairs[1]]
    return batteries._replace(price_list=row), charge, discharge


def felt_tariff(fleet: Fleet, tariff: Tariff, terms: TermSums) -> tuple[Fleet, Tariff]:
    """The same for a fleet: its price lists, and the tariff that they are rows of."""
    check_lists(fleet.lists, tariff)
    if not terms.felt:
        return fleet, tariff
    pairs, row = _pairs(fleet.lists, fleet.groups)
    charge = tariff.charge_price[pairs[0]] - terms.charge_to_driver[pairs[1]]
    discharge = tariff.discharge_price[pairs[0]] + terms.discharge_to_driver[pairs[1]]
    return fleet.offered(row), Tariff(charge, discharge)


def felt_response(
    fleet: Fleet, tariff: Tariff, horizon: Horizon, terms: TermSums, *, parallel: bool = True
) -> tuple[Schedule, Array]:
    """`hubwise.drivers.best_response` at what drivers feel: posted prices, and terms beside."""
    return best_response(*felt_tariff(fleet, tariff, terms), horizon, parallel=parallel)


def _pairs(lists: Index, groups: Index) -> tuple[Index, Index]:
    """The different pairs (list, group), shape (2, pairs), and which each battery has."""
    pairs, row = np.unique(np.stack([lists, groups]), axis=1, return_inverse=True)
    return pairs, row.ravel().astype(np.int64)
