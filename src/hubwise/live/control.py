"""The safe rule: every session draws what its hub's connection allows, shared equally."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# The least that a car can charge with: 6 A on one phase of 230 V [kW].
LEAST_KW = 1.38


def shares(most_kw: Mapping[str, float], connection_kw: float, turn: int) -> dict[str, float]:
    """The most that each session may draw [kW]; together no more than the connection.

    What one cannot use goes to the others. Where there is not enough for everybody's least,
    sessions take turns.

    Parameters
    ----------
    most_kw
        By session: what its station can draw [kW].
    connection_kw
        What the hub may draw [kW].
    turn
        Grows by one with each slot.
    """
    names = sorted(most_kw)
    least = {name: min(LEAST_KW, most_kw[name]) for name in names}
    at_once = names
    if sum(least.values()) > connection_kw:
        at_once = _whose_turn(names, least, connection_kw, turn)
    given = dict.fromkeys(names, 0.0)
    left, waiting = connection_kw, sorted(at_once, key=lambda name: most_kw[name])
    while waiting:
        name = waiting.pop(0)
        given[name] = min(most_kw[name], left / (len(waiting) + 1))
        left -= given[name]
    return given


def _whose_turn(
    names: Sequence[str], least: Mapping[str, float], connection_kw: float, turn: int
) -> list[str]:
    """As many in a row as get their least, beginning one further each turn."""
    begin = turn % len(names)
    chosen: list[str] = []
    left = connection_kw
    for name in [*names[begin:], *names[:begin]]:
        if least[name] > left:
            break
        chosen.append(name)
        left -= least[name]
    return chosen
