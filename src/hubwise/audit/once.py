"""What many checks derive of the same fleet is derived once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from hubwise.domain import Fleet, Horizon

Found = TypeVar("Found")
# Fleets are as they are found and with what some may do; few are looked at in turn.
KEPT = 4


def once(derive: Callable[[Fleet, Horizon], Found]) -> Callable[[Fleet, Horizon], Found]:
    """The same function, that remembers what it found of the last fleets, by their identity.

    What it gives is shared by those who ask: none may write into it.
    """
    kept: list[tuple[Fleet, Horizon, Found]] = []

    @wraps(derive)
    def remembered(fleet: Fleet, horizon: Horizon) -> Found:
        for known, when, found in kept:
            if known is fleet and when == horizon:
                return found
        made = derive(fleet, horizon)
        kept.append((fleet, horizon, made))
        del kept[:-KEPT]
        return made

    return remembered
