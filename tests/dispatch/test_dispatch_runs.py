"""The program of one stay, where its charger is set in whole steps and starts so often at most."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.dispatch.packing.chargers import Side
from hubwise.dispatch.packing.runs import Stay, begins, fill


def bought(price, need_kwh, charge):
    """A stay that buys a need in slots of an hour, and sells nothing."""
    none = np.zeros(len(price))
    floor = none.copy()
    floor[-1] = need_kwh
    return Stay(
        charge=charge, discharge=Side(none, 0.0), charge_price=price, discharge_price=none,
        charged=none, discharged=none, floor=floor, top=np.full(len(price), 20.0),
        into=1.0, out=1.0, start=0.0, limit=np.inf, surplus=0.0,
    )  # fmt: skip


def cheapest(price, need_kwh, powers, starts):
    """The least that a need costs, by trying all schedules."""
    tried = np.array(list(product(powers, repeat=len(price))))
    on = tried > 0.0
    begun = (on & ~np.pad(on, ((0, 0), (1, 0)))[:, :-1]).sum(axis=1)
    fits = (begun <= starts) & (tried.sum(axis=1) >= need_kwh - 1e-9)
    return (tried[fits] @ price).min(initial=np.inf)


@given(
    st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=3, max_size=6),
    st.integers(1, 12),
    st.sampled_from([2.5, 3.0]),
    st.sampled_from([1.0, 2.0, np.inf]),
)
@settings(max_examples=60, deadline=None)
def test_steps_and_starts_cost_no_more_than_they_must(price, halves, most, starts) -> None:
    """In steps of 1 kW or in full, so many starts at most: as cheap as the best of all tried."""
    price, need = np.array(price), 0.5 * halves
    side = Side(np.full(len(price), most), 1.0, step=1.0, starts=starts)
    stay = bought(price, need, side)
    best = cheapest(price, need, sorted({0.0, 1.0, 2.0, most}), starts)
    found = fill(stay)
    assert found is not None
    cost = found[0].energy @ price[begins(stay)[:-1]]
    assert cost == pytest.approx(best, abs=2e-3)
