"""Steps and starts: what chargers' powers are set in, and how often they may be switched on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hubwise.domain import Fleet
from hubwise.domain.arrays import Array, Index
from hubwise.domain.errors import listed
from hubwise.domain.fleet import ONE_PHASE_KW, PHASE_VOLTS, THREE_PHASES_KW
from hubwise.scenario.chargers import TOO_LARGE
from hubwise.scenario.files import ChargersSection
from hubwise.scenario.plugs import Plugs
from hubwise.scenario.reading import TOML, Reader
from hubwise.scenario.tables import Table

# So many sessions are named.
TOLD = 3
# Powers that differ by less are the same [kW].
SAME_KW = 1e-6


def with_steps(
    fleet: Fleet,
    section: ChargersSection | None,
    table: Table | None,
    plugs: Plugs | None,
    reader: Reader,
) -> tuple[Fleet, tuple[str, ...]]:
    """The fleet with steps and starts: a session's own, else its plug's, else those of all.

    A step for all that is above what a session can charge with is noted as a mistake. The sentences
    tell of sessions whose highest power is no whole number of steps.

    Parameters
    ----------
    fleet
        At its plugs.
    section
        ``[chargers]``, if there is any.
    table, plugs
        Of sessions and of plugs, where there are any.
    """
    highest = fleet.charge_kw_max
    key, of_all = _step_of_all(section, highest, _phases(fleet, table, plugs))
    step = _told("step_kw", fleet, table, plugs)
    general = np.isnan(step)
    step = np.where(general, of_all, step)
    most = np.nan if section is None or section.starts_max is None else section.starts_max
    starts = _told("starts_max", fleet, table, plugs)
    starts = np.nan_to_num(np.where(np.isnan(starts), most, starts), nan=np.inf)
    _check(fleet.session.tolist(), np.where(general, step, 0.0), highest, key, reader)
    found = replace(
        fleet,
        step_kw=step if step.any() else None,
        starts_max=starts if np.isfinite(starts).any() else None,
    )
    return found, _said(found)


def check_step_of_all(section: ChargersSection | None, table: Table | None, reader: Reader) -> None:
    """A step for all is above no highest power of a table's sessions that say no step themselves.

    As it is noted with all else that is wrong with tables; `with_steps` looks at plugs, too.
    """
    if table is not None:
        most, general = table.numbers("charge_kw_max"), np.isnan(table.numbers("step_kw"))
        key, step = _step_of_all(section, most, table.numbers("phases"))
        _check(table["session"], np.where(general, step, 0.0), most, key, reader)


def _step_of_all(section: ChargersSection | None, most: Array, phases: Array) -> tuple[str, Array]:
    """The key that tells of a step for all, and what it is for each session, 0 for none [kW].

    ``most``: highest powers [kW]; ``phases``: as told, NaN where power has to tell.
    """
    if section is None or (section.step_a is None and section.step_kw is None):
        return "", np.zeros(len(most))
    if section.step_a is None:
        return "step_kw", np.full(len(most), section.step_kw)
    three = np.where(most <= THREE_PHASES_KW, 3.0, 0.0)
    usual = np.where(most <= ONE_PHASE_KW, 1.0, three)
    phases = np.where(np.isnan(phases), usual, phases)
    return "step_a", section.step_a * phases * PHASE_VOLTS / 1000.0


def _phases(fleet: Fleet, table: Table | None, plugs: Plugs | None) -> Array:
    """On how many phases each charges, the fewer of car's and plug's; NaN where nobody says it."""
    told = np.full(len(fleet), np.nan)
    if table is not None:
        told = table.numbers("phases")[_rows(fleet, table)]
    if plugs is not None:
        told = np.fmin(told, plugs.phases[_places(fleet, plugs)])
    return told


def _told(name: str, fleet: Fleet, table: Table | None, plugs: Plugs | None) -> Array:
    """What sessions say, else their plugs; NaN where neither does; shape (sessions,)."""
    told = np.full(len(fleet), np.nan)
    if table is not None:
        told = table.numbers(name)[_rows(fleet, table)]
    if plugs is not None:
        of_plug: Array = getattr(plugs, name)
        told = np.where(np.isnan(told), of_plug[_places(fleet, plugs)], told)
    return told


def _rows(fleet: Fleet, table: Table) -> Index:
    """The row of each session in its table."""
    row = {name: k for k, name in enumerate(table["session"])}
    return np.array([row[name] for name in fleet.session.tolist()], np.int64)


def _places(fleet: Fleet, plugs: Plugs) -> Index:
    """The plug of each session, as a row."""
    assert fleet.plug is not None, "where plugs are told of, every session has one"
    place = {name: k for k, name in enumerate(plugs.name.tolist())}
    return np.array([place[name] for name in fleet.plug.tolist()], np.int64)


def _check(
    sessions: Sequence[str | None], step: Array, most: Array, key: str, reader: Reader
) -> None:
    """A step for all is above no session's highest power."""
    above = np.flatnonzero(step > most + SAME_KW)
    if len(above):
        wrong = f"is more than {_named(sessions, above, step, most)} can charge with"
        right = f"{TOO_LARGE}, and these sessions' own in a column step_kw"
        reader.wrong(TOML, "chargers", key, wrong, right)


def _said(fleet: Fleet) -> tuple[str, ...]:
    """A sentence on sessions whose highest power is no whole number of steps."""
    step, most = fleet.steps_kw, fleet.charge_kw_max
    rest = most - step * np.round(most / np.where(step > 0.0, step, 1.0))
    uneven = np.flatnonzero((step > 0.0) & (np.abs(rest) > SAME_KW))
    if not len(uneven):
        return ()
    return (
        f"Steps do not divide what {_named(fleet.session.tolist(), uneven, step, most)} can charge "
        "with: a charger at its highest power counts as followed, too.",
    )


def _named(sessions: Sequence[str | None], rows: Index, step: Array, most: Array) -> str:
    """Some sessions with their steps and highest powers, and how many more there are."""
    some = [f"{sessions[i]} ({step[i]:g} kW of {most[i]:g} kW)" for i in rows[:TOLD].tolist()]
    more = len(rows) - len(some)
    return f"{', '.join(some)} and {more} more" if more else listed(some)
