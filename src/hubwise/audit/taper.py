"""Power that tapers near full, from the curve's points: no slot brings more than it could."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubwise.audit.evidence import Evidence
from hubwise.audit.report import Check, judge, worst_of
from hubwise.audit.stays import shares_there
from hubwise.domain import Fleet
from hubwise.domain.arrays import Array

ENERGY = 1e-6  # kWh


def check_taper(evidence: Evidence) -> Iterator[Check]:
    """Every schedule, whoever made it, obeys its car's curve in every slot; none where none is."""
    fleet, schedule = evidence.fleet, evidence.schedule
    if fleet.taper is None:
        return
    hours = evidence.hours * shares_there(fleet, evidence.stay)
    before = np.hstack([fleet.arrival_kwh[:, None], schedule.energy_kwh[:, :-1]])
    put_in = evidence.hours * fleet.charge_efficiency[:, None] * schedule.charge_kw
    over = np.zeros_like(put_in)
    for i in np.flatnonzero(fleet.tapers):
        charges = np.flatnonzero(put_in[i] > 0.0)
        start = before[i, charges]
        most = charged_kwh(fleet, int(i), start, hours[i, charges]) - start
        over[i, charges] = put_in[i, charges] - most
    yield judge(
        "drivers: taper",
        "No slot puts more into a battery than its car's curve lets through from the energy then, "
        "integrated over the slot",
        worst_of(over, evidence.stays_axes, "schedule.charge_kw"),
        ENERGY,
        advice="the car will not take that power so near full: dispatch again",
    )


def charged_kwh(fleet: Fleet, i: int, start: Array, hours: Array) -> Array:
    """Energy of session ``i`` after charging for ``hours`` from ``start`` as fast as its curve is.

    From one kink of the curve to the next, between which the rate is linear in the energy.

    Parameters
    ----------
    start, hours
        Energies and times; the same shape as what is returned [kWh, h].
    """
    kinks, rates = _kinks(fleet, i)
    energy, left = start.astype(float), hours.astype(float)
    for upper in [*kinks.tolist(), np.inf]:
        here = np.interp(energy, kinks, rates)
        ahead = here if upper == np.inf else np.full_like(here, np.interp(upper, kinks, rates))
        gap = np.where(energy < upper, upper - energy, 0.0)
        bend = np.divide(ahead - here, gap, np.zeros_like(gap), where=(gap > 0.0) & (ahead < here))
        flat = gap / here
        needs = np.divide(np.log1p((ahead - here) / here), bend, flat, where=bend < 0.0)
        took = np.minimum(needs, left)
        grown = np.divide(np.expm1(bend * took), bend, took.copy(), where=bend < 0.0)
        energy = np.where(took < needs, energy + here * grown, np.maximum(energy, upper))
        energy = np.where(gap > 0.0, energy, np.maximum(energy, start))
        left = left - took
    return energy


def _kinks(fleet: Fleet, i: int) -> tuple[Array, Array]:
    """Energies at which the charging rate of a session bends, and the rates there [kWh, kWh/h]."""
    taper = fleet.taper
    assert taper is not None, "some session tapers"
    soc, kw = taper.soc[i], taper.kw[i] * taper.share[i]
    most = fleet.charge_kw_max[i]
    falls = np.flatnonzero((kw[:-1] > most) & (kw[1:] < most))
    part = (kw[falls] - most) / (kw[falls] - kw[falls + 1])
    all_soc = np.sort(np.append(soc, soc[falls] + part * (soc[falls + 1] - soc[falls])))
    rates = np.minimum(np.interp(all_soc, soc, kw), most) * fleet.charge_efficiency[i]
    return all_soc * fleet.capacity_kwh[i], rates
