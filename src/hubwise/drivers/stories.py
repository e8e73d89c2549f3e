"""What the sentences of each stay are chosen by: its prices, thresholds and schedule, as lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hubwise.domain import Fleet, Horizon, Schedule, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.drivers.batteries import batteries_of
from hubwise.drivers.thresholds import Thresholds, contradicted
from hubwise.drivers.worth import TIE

# Less power is none, as chargers see it [kW].
POWER = 1e-6
# Energies that are closer are the same [kWh].
ENERGY = 1e-6

Run = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Story:
    """One stay; lists over its slots, counted from its beginning.

    ``charge``, ``paid``: prices; ``before``: energy at the start of each slot; ``wrong``: sign of
    `contradicted`; ``run``: first slot, and the first after the last, of those around a slot that
    stored energy is worth the same in; ``turns``: those of them that may charge otherwise, and that
    may give back otherwise; ``charges_next``: the first slot after a slot that charges, or as many
    as there are; ``begins``: slots in which something else may be said than in the one before;
    ``after``, ``target``: energy at the end, and the least then; the rest as in `Thresholds`,
    `Schedule` and `Fleet`.
    """

    first: int
    ends: float
    charge: list[float]
    paid: list[float]
    kw: list[float]
    back_kw: list[float]
    most_kw: list[float]
    most_back_kw: list[float]
    before: list[float]
    low: list[float]
    high: list[float]
    below: list[float]
    above: list[float]
    may_charge: list[bool]
    may_give_back: list[bool]
    wrong: list[int]
    run: list[Run]
    turns: list[tuple[list[int], list[int]]]
    charges_next: list[int]
    begins: list[int]
    after: float
    target: float
    charge_efficiency: float
    discharge_efficiency: float
    wear: float
    spared: float
    surplus: float
    limit: float
    required: float
    reserve: float
    delegates: bool

    def moment(self, t: int) -> float:
        """When a slot of the stay begins; its end, after the last."""
        return self.ends if t >= len(self.charge) else float(self.first + t)

    def keeps(self, t: int) -> float:
        """What a kWh given back is worth in the battery, wear counted, limits not."""
        return (self.low[t] + self.wear) / self.discharge_efficiency


def stories_of(
    fleet: Fleet, tariff: Tariff, horizon: Horizon, schedule: Schedule, found: Thresholds
) -> Iterator[Story]:
    """The story of every session."""
    batteries, charge = batteries_of(fleet, horizon), tariff.charge_price[fleet.lists]
    energy = schedule.energy_kwh
    rows = {
        "charge": charge,
        "paid": tariff.discharge_price[fleet.lists],
        "kw": schedule.charge_kw,
        "back_kw": schedule.discharge_kw,
        "most_kw": np.broadcast_to(batteries.charge_kw, charge.shape),
        "most_back_kw": np.broadcast_to(batteries.discharge_kw, charge.shape),
        "before": np.column_stack([fleet.arrival_kwh, energy[:, :-1]]),
        "low": found.lowest,
        "high": found.highest,
        "below": found.charge_below,
        "above": found.give_back_above,
        "may_charge": found.may_charge,
        "may_give_back": found.may_give_back,
        "wrong": contradicted(fleet, tariff, horizon, found, schedule),
    }
    columns = {
        "first": fleet.arrival_slot,
        "ends": fleet.ends,
        "after": energy[np.arange(len(fleet)), fleet.departure_slot - 1],
        "target": batteries.target,
        "charge_efficiency": fleet.charge_efficiency,
        "discharge_efficiency": fleet.discharge_efficiency,
        "wear": fleet.wear_cost,
        "spared": found.spared,
        "surplus": fleet.surplus_value,
        "limit": fleet.discharge_limit_kwh,
        "required": fleet.required_kwh,
        "reserve": fleet.reserve_kwh,
        "delegates": fleet.delegates,
    }
    cuts, begins = _cuts(found), _begins(fleet, rows)
    for i in range(len(fleet)):
        stay = slice(int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]))
        lists = {name: each[i, stay].tolist() for name, each in rows.items()}
        run = _runs(cuts[i, stay])
        yield Story(
            run=run,
            turns=_turns(run, lists["may_charge"], lists["may_give_back"]),
            charges_next=_charges_next(lists["kw"]),
            begins=[0, *(np.flatnonzero(begins[i, stay][1:]) + 1).tolist()],
            **lists,
            **{name: each[i].item() for name, each in columns.items()},
        )


def _cuts(found: Thresholds) -> Flags:
    """In which slots stored energy is worth something else than before; (sessions, slots)."""
    cut = np.zeros(found.lowest.shape, np.bool_)
    with np.errstate(invalid="ignore"):
        for each in (found.lowest, found.highest):
            same = each[:, 1:] == each[:, :-1]
            cut[:, 1:] |= ~(same | (np.abs(each[:, 1:] - each[:, :-1]) <= TIE))
    return cut


def _runs(cut: Flags) -> list[Run]:
    cuts = [0, *(np.flatnonzero(cut[1:]) + 1).tolist(), len(cut)]
    return [(first, last) for first, last in pairwise(cuts) for _ in range(first, last)]


def _turns(
    run: list[Run], may_charge: list[bool], may_give_back: list[bool]
) -> list[tuple[list[int], list[int]]]:
    found: list[tuple[list[int], list[int]]] = []
    for first, last in dict.fromkeys(run):
        slots = range(first, last)
        pair = [s for s in slots if may_charge[s]], [s for s in slots if may_give_back[s]]
        found += [pair] * len(slots)
    return found


def _charges_next(kw: list[float]) -> list[int]:
    found = [len(kw)] * len(kw)
    for t in range(len(kw) - 2, -1, -1):
        found[t] = t + 1 if kw[t + 1] > POWER else found[t + 1]
    return found


def _begins(fleet: Fleet, rows: dict[str, Array]) -> Flags:
    """In which slots something else may be said than in the one before; (sessions, slots)."""
    reserve, required = fleet.reserve_kwh[:, None], fleet.required_kwh[:, None]
    kw, most, before = rows["kw"], rows["most_kw"], rows["before"]
    about = (
        *(rows[name] for name in ("charge", "paid", "low", "high")),
        *(rows[name] for name in ("may_charge", "may_give_back", "wrong")),
        *(kw > POWER, rows["back_kw"] > POWER, most > POWER, rows["most_back_kw"] > POWER),
        *(kw < most - POWER, before < reserve - ENERGY, before <= reserve + ENERGY),
        before >= required - ENERGY,
    )
    begins = np.zeros(kw.shape, np.bool_)
    for each in about:
        begins[:, 1:] |= each[:, 1:] != each[:, :-1]
    return begins
