"""A sample of very many sessions, each of which stands for several: prices are searched on it.

A sampled session has the energies and powers of all that it stands for, so that hubs, feeder and
market stay as they are. What is then posted, dispatched, promised and checked is the whole site's.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from hubwise.domain import Fleet, Situation, SlotBounds
from hubwise.domain.arrays import Array, Index

# Above so many sessions prices are searched on a sample, of about half as many.
MANY = 20_000
SAMPLE = 10_000
# What grows with the sessions that one stands for; rates, prices per kWh and times do not.
_GROWS = (
    *("capacity_kwh", "arrival_kwh", "required_kwh", "reserve_kwh", "max_kwh"),
    *("charge_kw_max", "discharge_kw_max", "discharge_limit_kwh", "driving_kwh_per_day"),
    *("minimum_saving", "charge_kw_min", "discharge_kw_min", "step_kw"),
    *("at_once_kwh", "at_once_kw", "asked_kwh"),
)
_OF_DRIVERS = ("throughput_kwh", "warranty_kwh")


def is_many(situation: Situation) -> bool:
    """Whether prices are better searched on a sample."""
    return len(situation.fleet) > MANY


def sampled(situation: Situation) -> Situation:
    """The situation with a sample of its sessions, each standing for several.

    Sessions alike in hub, price list, terms and participation are sampled evenly through their
    stays: every k-th in the order of arrivals and departures; at least one of each kind.
    """
    rows, weight = _drawn(situation.fleet)
    return replace(situation, fleet=_weighed(situation.fleet.select(rows), weight))


def _drawn(fleet: Fleet) -> tuple[Index, Array]:
    """The sampled rows, in the fleet's order, and how many sessions each stands for."""
    kinds = np.stack([fleet.hub, fleet.lists, fleet.groups, fleet.participating.astype(np.int64)])
    kind = np.unique(kinds, axis=1, return_inverse=True)[1].ravel()
    order = np.lexsort((fleet.departure_slot, fleet.arrival_slot, kind))
    counts = np.bincount(kind)
    kept, weights = list[Index](), list[Array]()
    for rows in np.split(order, np.cumsum(counts)[:-1]):
        count = max(round(SAMPLE * len(rows) / len(fleet)), 1)
        # The middle of each of `count` equal parts.
        kept.append(rows[((np.arange(count) + 0.5) * len(rows) / count).astype(np.int64)])
        weights.append(np.full(count, len(rows) / count))
    drawn, weight = np.concatenate(kept), np.concatenate(weights)
    back = np.argsort(drawn)
    return drawn[back], weight[back]


def _weighed(fleet: Fleet, weight: Array) -> Fleet:
    """The sessions with energies and powers of as many as each stands for; bounds say tapers."""
    least = replace(
        fleet, charge_kw_min=fleet.least_charge_kw, discharge_kw_min=fleet.least_discharge_kw
    )
    grown = {name: getattr(least, name) for name in _GROWS}
    wide = {
        name: column * (weight if column.ndim == 1 else weight[:, None])
        for name, column in grown.items()
        if column is not None
    }
    bounds = fleet.bounds
    if bounds is not None:
        own = {f.name: getattr(bounds, f.name) * weight[:, None] for f in fields(SlotBounds)}
        bounds = SlotBounds(**own)
    theirs = {name: getattr(fleet, name) * weight for name in _OF_DRIVERS}
    return replace(least, **wide, bounds=bounds, taper=None).with_drivers(**theirs)
