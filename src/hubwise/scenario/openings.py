"""What no file of a scenario says, and a program may: checked as a scenario's files are.

Bounds by slot, price lists that were accepted, terms, what has happened so far, and energies that
station batteries start and end with come from Python. They are checked where a plan begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from hubwise.domain import Fleet, Situation, SlotBounds, Term
from hubwise.domain.arrays import Array
from hubwise.domain.errors import Issue, ScenarioError

PLACE = "situation"
TOLERANCE = 1e-9


def check_openings(situation: Situation) -> tuple[Issue, ...]:
    """Everything that is wrong with what a program has filled in; nothing where all is right."""
    shapes = [*_bounds(situation), *_accepted(situation), *_terms(situation)]
    if shapes:
        return tuple(shapes)
    return (*_so_far(situation), *_periods(situation), *_stations(situation), *_tempting(situation))


def refuse_wrong_openings(situation: Situation) -> None:
    """Raise what `check_openings` finds.

    Raises
    ------
    ScenarioError
        With every problem found, where there is any.
    """
    if issues := check_openings(situation):
        raise ScenarioError(issues)


def _bounds(situation: Situation) -> Iterator[Issue]:
    """Of the shape (sessions, slots); powers not below 0, no energy without a number."""
    bounds, shape = situation.fleet.bounds, (len(situation.fleet), situation.horizon.slots)
    if bounds is None:
        return
    for name in (field.name for field in fields(SlotBounds)):
        values = getattr(bounds, name)
        if values.shape != shape:
            right = f"give one for each of {shape[0]} sessions and {shape[1]} slots"
            yield Issue(PLACE, "fleet.bounds", name, f"has shape {values.shape}", right)
            continue
        wrong = ~(values >= 0.0) if name.endswith("_kw") else np.isnan(values)
        for i, t in np.argwhere(wrong)[:1]:
            where = f"fleet.bounds, session {situation.fleet.session[i]}, slot {t}"
            right = "give a number, at least 0 where it is a power; infinite for none"
            yield Issue(PLACE, where, name, f"is {values[i, t]:g}", right)


def _accepted(situation: Situation) -> Iterator[Issue]:
    """Lists with a price for every slot, and no session that was offered one that is not there."""
    accepted, slots, hubs = situation.accepted, situation.horizon.slots, len(situation.hubs)
    kept = 0
    if accepted is not None:
        kept = len(accepted.charge_price)
        for name in ("charge_price", "discharge_price"):
            yield from _numbers(getattr(accepted, name), (kept, slots), "accepted", name)
    yield from _rows(situation.fleet, "price_list", hubs + kept)


def _terms(situation: Situation) -> Iterator[Issue]:
    """Numbers for every group and slot, of as many groups in every source."""
    groups, slots = situation.terms.groups, situation.horizon.slots
    for part in situation.terms.parts:
        for name in (field.name for field in fields(Term) if field.name != "source"):
            shape = (groups,) if name.startswith("lump") else (groups, slots)
            yield from _numbers(getattr(part, name), shape, f"terms, {part.source!r}", name)
    yield from _rows(situation.fleet, "group", groups)


def _numbers(values: Array, shape: tuple[int, ...], where: str, name: str) -> Iterator[Issue]:
    if values.shape != shape:
        yield Issue(PLACE, where, name, f"has shape {values.shape}", f"give shape {shape}")
    elif not np.isfinite(values).all():
        wrong = values[~np.isfinite(values)][0]
        yield Issue(PLACE, where, name, f"holds {wrong:g}", "give numbers that are finite")


def _rows(fleet: Fleet, name: str, known: int) -> Iterator[Issue]:
    """A column of the fleet that names rows of something of which so many are known."""
    rows = getattr(fleet, name)
    if rows is None:
        return
    if rows.shape != (len(fleet),):
        right = f"give one for each of {len(fleet)} sessions"
        yield Issue(PLACE, "fleet", name, f"has shape {rows.shape}", right)
        return
    for i in np.flatnonzero((rows < 0) | (rows >= known))[:1]:
        where = f"fleet, session {fleet.session[i]}"
        yield Issue(PLACE, where, name, f"is {rows[i]}", f"known are 0 to {known - 1}")


def _periods(situation: Situation) -> Iterator[Issue]:
    """Billing periods that begin later: one after the other, inside the horizon, with a charge."""
    slots, before = situation.horizon.slots, 0
    for k, (first, charge) in enumerate(situation.market.later_periods):
        where = f"market, later_periods, {k}"
        if not before < first < slots:
            right = f"give a slot from {before + 1} to {slots - 1}"
            yield Issue(PLACE, where, "first slot", f"is {first}", right)
        if not 0.0 <= charge < np.inf:
            wrong = f"is {charge:g}"
            yield Issue(PLACE, where, "charge", wrong, "give an amount a kW, 0 for no charge")
        before = max(before, first)


def _so_far(situation: Situation) -> Iterator[Issue]:
    """Money that is a number, peaks that are no lower than valleys, imports of every hub."""
    past, hubs = situation.so_far, len(situation.hubs)
    for name in ("paid", "reference_cost"):
        if not np.isfinite(getattr(past, name)):
            wrong = f"is {getattr(past, name):g}"
            yield Issue(PLACE, "so_far", name, wrong, "give an amount, 0 for nothing so far")
    for name in ("head", "baseline"):
        peak, valley = getattr(past, f"{name}_peak_kw"), getattr(past, f"{name}_valley_kw")
        if (peak, valley) == (-np.inf, np.inf):
            continue
        if not (np.isfinite([peak, valley]).all() and peak >= valley):
            wrong = f"is {peak:g} with a valley of {valley:g}"
            right = "give both, the peak no lower than the valley, or neither"
            yield Issue(PLACE, "so_far", f"{name}_peak_kw", wrong, right)
    if past.import_peak_kw is not None:
        yield from _numbers(past.import_peak_kw, (hubs,), "so_far", "import_peak_kw")
        if (past.import_peak_kw < 0.0).any():
            right = "give highest imports, 0 for none so far"
            wrong = f"holds {past.import_peak_kw.min():g}"
            yield Issue(PLACE, "so_far", "import_peak_kw", wrong, right)


def _stations(situation: Situation) -> Iterator[Issue]:
    """Energies at start and end within the battery, and a worth that is a number and no cost."""
    hubs = situation.hubs
    for name in ("battery_initial_kwh", "battery_final_kwh"):
        values = getattr(hubs, name)
        if values is None:
            continue
        for h in np.flatnonzero(~((values >= 0.0) & (values <= hubs.battery_kwh + 1e-9)))[:1]:
            where, wrong = f"hub {hubs.name[h]}", f"is {values[h]:g}"
            right = f"give 0 to battery_kwh, {hubs.battery_kwh[h]:g}"
            yield Issue(PLACE, where, name, wrong, right)
    gained = situation.horizon.slots * situation.horizon.slot_hours * hubs.battery_charge_efficiency
    reached = hubs.battery_initial_kwh + gained * hubs.battery_kw
    for h in np.flatnonzero(hubs.least_final_kwh > reached + 1e-9)[:1]:
        where, wrong = f"hub {hubs.name[h]}", f"{hubs.least_final_kwh[h]:g} is out of reach"
        right = f"give at most {reached[h]:g}, what full power from the start on leads to"
        yield Issue(PLACE, where, "battery_final_kwh", wrong, right)
    worth = np.broadcast_to(hubs.battery_end_value, len(hubs))
    for h in np.flatnonzero(~(np.isfinite(worth) & (worth >= 0.0)))[:1]:
        where, right = f"hub {hubs.name[h]}", "give what a kWh is worth at the end, 0 for nothing"
        yield Issue(PLACE, where, "battery_end_value", f"is {worth[h]:g}", right)


def _tempting(situation: Situation) -> Iterator[Issue]:
    """Accepted lists that let somebody gain in one slot by buying and selling at once.

    With what terms give beside; who does not take part, or is one-way, cannot.
    """
    if situation.accepted is None:
        return
    fleet, hubs = situation.fleet, len(situation.hubs)
    kept = fleet.participating & (fleet.lists >= hubs) & (fleet.discharge_kw_max > 0.0)
    keeps, slot = fleet.select(kept), np.arange(situation.horizon.slots)
    row, group = keeps.lists - hubs, keeps.groups
    buys = (
        situation.accepted.charge_price[row] + (keeps.wear_cost * keeps.charge_efficiency)[:, None]
    )
    sells = situation.accepted.discharge_price[row]
    for part in situation.terms.parts:
        buys = buys - part.charge_to_driver[group]
        sells = sells + part.discharge_to_driver[group]
    stay = (slot >= keeps.arrival_slot[:, None]) & (slot < keeps.departure_slot[:, None])
    gain = (keeps.charge_efficiency * keeps.discharge_efficiency)[:, None] * sells - buys
    gain = np.where(stay, gain, -np.inf)
    for i in np.flatnonzero((gain > TOLERANCE).any(axis=1)):
        t = int(gain[i].argmax())
        where = f"accepted, list {keeps.lists[i]}, slot {t} ({situation.horizon.clock(t)})"
        wrong = f"lets session {keeps.session[i]} gain {gain[i, t]:.5g} a kWh by buying and selling"
        right = "with wear and what terms give; offer it another list, or other terms"
        yield Issue(PLACE, where, "discharge_price", wrong, right)
