"""Where packing misses a promise by little, no more is paid than keeping it takes."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

import hubwise.plan.packed as packed
from hubwise.plan.ac_dispatch import Aim


@dataclass
class Done:
    """A turn dispatched inside what it aims at, by as much as was asked for [kW]."""

    inside_kw: float


@pytest.mark.parametrize("missed", [0.001, 2.77, 300.0])
@pytest.mark.parametrize(("gained", "most"), [(1.0, 1.1), (0.8, 1.6)])
def test_what_is_missed_is_aimed_inside_of_by_little_more(
    monkeypatch: pytest.MonkeyPatch, missed: float, gained: float, most: float
) -> None:
    """Every kW further inside costs profit: beyond a thousandth of it schedules were not packed.

    ``gained``: what a kW aimed inside brings, where the feeder is linearised off by something.
    """

    def with_(_turn, _baseline, _schedule, aim: Aim, _rounds: int) -> Done:
        return Done(aim.caution_kw)

    monkeypatch.setattr(packed, "_with", with_)
    monkeypatch.setattr(packed, "_sparing", lambda _, schedule: schedule)
    monkeypatch.setattr(
        packed, "_missed", lambda done, _: np.array([missed - gained * done.inside_kw])
    )
    nobody = SimpleNamespace(fleet=SimpleNamespace(fade_limit_per_year=np.array([np.inf])))
    turn = SimpleNamespace(problem=nobody, head_kw=None)
    found = packed._within(turn, None, np.zeros(1), lambda _: "packed")
    assert missed <= gained * found.inside_kw
    assert found.inside_kw <= most * missed
