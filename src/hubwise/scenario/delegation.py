"""Who lets the platform choose among equally cheap schedules, and when others' devices begin."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np

from hubwise.domain import Delegation, DeviceTies, Fleet, Scenario
from hubwise.domain.arrays import Array, Flags

# Bits of a hash that make a share: as many as a float holds.
_BITS = 53


def check_share(share: float, what: str) -> None:
    """Refuse what is no number within 0 to 1.

    Raises
    ------
    ValueError
        Naming ``what`` should be one.
    """
    try:
        within = 0.0 <= share <= 1.0
    except TypeError:  # no number at all
        within = False
    if not within:
        raise ValueError(f"{what} is a share between 0 and 1, not {share!r}")


def with_delegation(
    scenario: Scenario,
    share: float | None = None,
    ties: DeviceTies | str | None = None,
    seed: int | None = None,
) -> Scenario:
    """The scenario with another share of those who let the platform choose, or other devices.

    Parameters
    ----------
    scenario
        Its own delegation is used for what is not given.
    share
        Of those who take part and do not say themselves, the first of its order.
    ties
        How the others' devices choose: ``early`` or ``random``.
    seed
        Of random moments.

    Raises
    ------
    ValueError
        Where ``share`` is no number within 0 to 1, or ``ties`` neither of the two.
    """
    now = scenario.delegation
    if share is not None:
        check_share(share, "delegating")
        now = replace(now, share=float(share))
    if ties is not None:
        if ties not in list(DeviceTies):
            raise ValueError(f"devices break ties {' or '.join(DeviceTies)}, not {ties!r}")
        now = replace(now, ties=DeviceTies(ties))
    if seed is not None:
        now = replace(now, seed=seed)
    return with_delegates(replace(scenario, delegation=now))


def with_delegates(scenario: Scenario) -> Scenario:
    """The scenario with those marked who delegate, by its order, of those who take part."""
    fleet, how = scenario.situation.fleet, scenario.delegation
    delegating = _delegating(fleet, scenario.participation_order, how.share)
    alone = fleet.participating & ~delegating
    if not alone.any():
        marked = replace(fleet, delegating=None, device_begins=None)
    else:
        begins = begins_at(fleet, how) if how.ties is DeviceTies.RANDOM else None
        marked = replace(fleet, delegating=delegating, device_begins=begins)
    return scenario.having(fleet=marked)


def _delegating(fleet: Fleet, order: tuple[int, ...], share: float) -> Flags:
    """Who says so, and the first ``share`` of those who take part and say nothing; (sessions,)."""
    said = np.full(len(fleet), -1) if fleet.said_delegating is None else fleet.said_delegating
    silent = fleet.participating & (said < 0)
    joining = [row for row in order if silent[row]]
    delegating: Flags = said == 1
    delegating[joining[: round(share * len(joining))]] = True
    return delegating


def begins_at(fleet: Fleet, how: Delegation) -> Array:
    """Where in the time at one price each session's device begins; shape (sessions,).

    Drawn by the session's own name, so that it stays the same whoever else there is: of SHA-256
    over ``SEED SESSION`` the first 53 bits, as a share of all.
    """
    texts = (f"{how.seed} {name}".encode() for name in fleet.session.tolist())
    drawn = [int.from_bytes(sha256(text).digest()[:8], "big") >> (64 - _BITS) for text in texts]
    return np.array(drawn, dtype=float) / 2.0**_BITS
