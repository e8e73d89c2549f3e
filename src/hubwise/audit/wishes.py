"""Wishes: what each driver asked for, what the plan gives, and whether the driver is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
from scipy.optimize import linprog

from hubwise.audit.batteries import YEAR
from hubwise.audit.conduct import Conduct
from hubwise.audit.drivers import ENERGY, felt_cost, felt_cost_at_once
from hubwise.audit.evidence import Evidence
from hubwise.audit.felt import least_costs
from hubwise.audit.report import Check, Status, agree
from hubwise.audit.stays import limits_of, shares_there, target_kwh
from hubwise.domain import Fleet
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.record.notices import NOT_KEPT, arrives_low, declines, missing_energy, notices_in_short

FADE = 1e-9  # share a year


def wished(fleet: Fleet) -> dict[str, Flags]:
    """Who has which wish; the names in the order of a session's rows."""
    everybody = np.ones(len(fleet), dtype=bool)
    return {
        "departure_slot": everybody,
        "required_kwh": everybody,
        "reserve_kwh": fleet.reserve_kwh > 0,
        "discharge_limit_kwh": fleet.discharge_limit_kwh < np.inf,
        "fade_limit_per_year": fleet.fade_limit_per_year < np.inf,
        "never_discharge": fleet.never_discharge,
        "minimum_saving": fleet.minimum_saving > 0,
    }


def check_wishes(evidence: Evidence, conduct: Conduct) -> Iterator[Check]:
    """Every number of wishes.parquet, and that nobody goes without being told."""
    table, fleet = evidence.folder.tables["wishes"], evidence.fleet
    row = {session: k for k, session in enumerate(fleet.session.tolist())}
    session = np.array([row[name] for name in table["session"]], dtype=np.int64)
    given, names = _given(evidence), table["wish"].to_list()

    def due(columns: dict[str, Array]) -> Array:
        pairs = zip(names, session, strict=True)
        return np.array([columns[name][k] for name, k in pairs], dtype=float)

    original = evidence.original
    wants = {name: np.asarray(getattr(original, name), dtype=float) for name in given}
    wants["departure_slot"] = original.departure_slot - _or_none(original.early)
    # Less than was asked for may be all that is required of the plan.
    asked = due(wants | {"required_kwh": original.wished_kwh})
    honoured = due({k: v.astype(float) for k, v in _honoured(evidence, conduct, given).items()})
    found = {name: table[name].cast(pl.Float64).to_numpy() for name in ("asked", "given")}
    flags = table["honoured"].cast(pl.Float64).to_numpy()
    yield agree(
        "wishes: numbers",
        "Every wish is the session's, and what it is given is what schedule and bills say",
        {
            "wishes.asked": (found["asked"], asked),
            "wishes.given": (found["given"], due(given)),
            "wishes.honoured": (flags, honoured),
        },
        [("row", range(table.height))],
        ENERGY,
        advice="make the plan again: what drivers would read is not so",
    )
    yield _told(table, session, evidence, honoured > 0)
    yield _in_short(table, evidence)


def _or_none(share: Array | None) -> Array | float:
    return 0.0 if share is None else share


def _told(table: pl.DataFrame, session: Index, evidence: Evidence, honoured: Flags) -> Check:
    """Who is not given what was wished, or declined, is told what the numbers say."""
    sentences, declined = _sentences(evidence), evidence.declined
    faults = []
    for k, (wish, text) in enumerate(table.select("wish", "told").iter_rows()):
        i = int(session[k])
        due = not honoured[k] or (wish == "minimum_saving" and declined[i])
        if text != (sentences.get(wish, _not_kept)(i) if due else ""):
            faults.append(f"{wish} of session {evidence.fleet.session[i]}")
    return _words(
        "wishes: told",
        "Every driver whose wish the plan does not meet is told so, and why, before the stay",
        faults,
        "a driver would find out during the stay: make the plan again",
    )


def _not_kept(_: int) -> str:
    return NOT_KEPT


def _sentences(evidence: Evidence) -> dict[str, Callable[[int], str]]:
    """What session ``i`` is told where a wish cannot be met, from numbers derived again."""
    fleet, scenario = evidence.fleet, evidence.scenario
    reach = target_kwh(fleet, scenario.situation.horizon)
    out, could = evidence.declined, np.zeros(len(fleet))
    most = _most_saving(evidence)
    least = least_costs(evidence, out)
    could[out] = felt_cost_at_once(evidence)[out] - least
    stated = fleet.departure_slot - _or_none(fleet.early)
    ends = [scenario.situation.horizon.clock(slot) for slot in stated]
    return {
        "required_kwh": lambda i: missing_energy(
            fleet.wished_kwh[i],
            fleet.required_kwh[i],
            reach[i],
            ends[i],
            tapers=bool(fleet.tapers[i]),
        ),
        "reserve_kwh": lambda i: arrives_low(fleet.reserve_kwh[i], fleet.arrival_kwh[i]),
        "minimum_saving": lambda i: declines(
            fleet.minimum_saving[i], could[i], most[i], scenario.situation.market.currency
        ),
    }


def _most_saving(evidence: Evidence) -> Array:
    """What no lawful tariff lets those save who declined; shape (sessions,) [currency].

    A linear program each, of the energy put in and taken out over the stay at the lowest charge
    price and the highest discharge price; every slot does one of the two.
    """
    fleet, horizon, rules = (
        evidence.original,
        evidence.scenario.situation.horizon,
        evidence.scenario.situation.rules,
    )
    at_once, target = felt_cost_at_once(evidence), target_kwh(fleet, horizon)
    limits, terms = limits_of(fleet, horizon), evidence.scenario.situation.terms.parts
    nothing, there = np.zeros(horizon.slots), shares_there(fleet, evidence.stay)
    most = np.zeros(len(fleet))
    for i in np.flatnonzero(evidence.declined):
        stay = slice(int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]))
        # The widest power while the car is there, as long as it is there.
        share = there[i, stay]
        in_kw = (limits.charge_kw[i, stay] / share).max()
        out_kw = (limits.discharge_kw[i, stay] / share).max()
        in_kwh = max(in_kw, 1e-12) * fleet.charge_efficiency[i] * evidence.hours
        out_kwh = out_kw / fleet.discharge_efficiency[i] * evidence.hours
        worth, arrives = fleet.surplus_value[i], fleet.arrival_kwh[i]
        group = int(fleet.groups[i])
        bonus_in = sum((term.charge_to_driver[group] for term in terms), nothing).max()
        bonus_out = sum((term.discharge_to_driver[group] for term in terms), nothing).max()
        lump = sum(term.lump_to_driver[group] for term in terms)
        price_out = rules.discharge_price_max[stay].max() + bonus_out
        earns = price_out * fleet.discharge_efficiency[i]
        found = linprog(
            [
                (rules.charge_price_min[stay].min() - bonus_in) / fleet.charge_efficiency[i]
                - worth,
                evidence.fleet.wear_cost[i] - earns + worth,
            ],
            A_ub=[[1 / in_kwh, 1 / out_kwh if out_kwh else 0.0], [1, -1], [-1, 1]],
            b_ub=[
                share.sum(),
                limits.most_kwh[i, stay].max() - arrives,
                arrives - target[i],
            ],
            bounds=[(0, None), (0, fleet.discharge_limit_kwh[i] if out_kwh else 0.0)],
        )
        if found.status != 0:
            raise RuntimeError(f"no optimum for session {fleet.session[i]}: {found.message}")
        most[i] = at_once[i] - found.fun + worth * (arrives - fleet.required_kwh[i]) + lump
    return most


def _in_short(table: pl.DataFrame, evidence: Evidence) -> Check:
    due = notices_in_short(table["session"], table["wish"], table["told"])
    found = evidence.result.get("told")
    return _words(
        "summary: told",
        "What drivers have to be told in short is what wishes.parquet tells them",
        [] if found == due else [f"told: {found!r}, not {due!r}"],
        "make the plan again",
    )


def _words(name: str, promise: str, faults: list[str], advice: str) -> Check:
    """A check that holds where there is no fault."""
    status = Status.FAILS if faults else Status.HOLDS
    return Check(name, promise, status, where="; ".join(faults[:5]), advice=advice * bool(faults))


def _given(evidence: Evidence) -> dict[str, Array]:
    """What sessions get of what is wished, by the tables; each of shape (sessions,)."""
    fleet, schedule, stay = evidence.fleet, evidence.schedule, evidence.stay
    slots = np.arange(stay.shape[1])
    flows = (schedule.charge_kw > 0) | (schedule.discharge_kw > 0)
    ends = np.where(flows, slots + 1.0, 0.0).max(axis=1)
    to_the_end = ends == fleet.departure_slot
    ends = ends - np.where(to_the_end, _or_none(fleet.early), 0.0)
    discharged = evidence.hours * schedule.discharge_kw.sum(axis=1)
    energy = np.where(stay, schedule.energy_kwh, np.inf)
    fade = evidence.folder.tables["ageing"]["fade_v2g"].to_numpy()
    days = stay.shape[1] * evidence.hours / 24.0
    return {
        "departure_slot": np.maximum(ends, fleet.arrival_slot + _or_none(fleet.late)),
        "required_kwh": schedule.energy_kwh[:, -1],
        "reserve_kwh": np.minimum(energy.min(axis=1), fleet.arrival_kwh),
        "discharge_limit_kwh": discharged / fleet.discharge_efficiency,
        "fade_limit_per_year": fade / days * YEAR,
        "never_discharge": discharged,
        "minimum_saving": felt_cost_at_once(evidence) - felt_cost(evidence),
    }


def _honoured(evidence: Evidence, conduct: Conduct, given: dict[str, Array]) -> dict[str, Flags]:
    fleet, wants = evidence.fleet, evidence.original
    decides = fleet.participating & conduct.posts_prices
    return {
        "departure_slot": given["departure_slot"] <= wants.departure_slot - _or_none(wants.early),
        "required_kwh": given["required_kwh"] >= wants.wished_kwh - ENERGY,
        "reserve_kwh": given["reserve_kwh"] >= wants.reserve_kwh - ENERGY,
        "discharge_limit_kwh": given["discharge_limit_kwh"] <= wants.discharge_limit_kwh + ENERGY,
        "fade_limit_per_year": given["fade_limit_per_year"] <= wants.fade_limit_per_year + FADE,
        "never_discharge": given["never_discharge"] <= ENERGY,
        "minimum_saving": ~decides | (given["minimum_saving"] >= wants.minimum_saving - ENERGY),
    }
