"""Bills line by line and by month: they add up, to the cent, to what the books say."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.record import make_statements
from hubwise.record.bill_lines import BillLines
from hubwise.record.folder import PlanFolder

PRICES = st.lists(st.sampled_from([0.0, 0.1, 0.1234, 0.3, -0.05]), min_size=8, max_size=8)
POWERS = st.lists(st.sampled_from([0.0, 1.234, 7.0, 11.0, -3.21]), min_size=8, max_size=8)


def folder_of(
    prices: list[float], powers: list[float], *, part: bool, off: float = 0.0
) -> PlanFolder:
    """A plan folder with one stay of eight quarters of an hour; billed ``off`` too much."""
    kw, price = np.array(powers), np.array(prices)
    paid, earned = np.maximum(kw, 0) @ price / 4 + off, np.maximum(-kw, 0) @ (price + 0.2) / 4
    start = pl.datetime_range(
        pl.datetime(2025, 5, 14, 10), pl.datetime(2025, 5, 14, 11, 45), "15m", eager=True
    ).dt.replace_time_zone("UTC")
    one = {"session": ["s"], "driver": ["d"], "hub": ["h"], "arrival_slot": [0]}
    sessions = {**one, "departure_slot": [8], "participating": [part], "capacity_kwh": [60.0]}
    more = ("arrival_kwh", "required_kwh", "reserve_kwh", "driving_kwh_per_day", "throughput_kwh")
    sessions |= {"arrival_utc": start[:1], "departure_utc": start[-1:].dt.offset_by("15m")}
    sessions |= {name: [5.0] for name in (*more, "warranty_kwh")} | {"discharge_efficiency": [0.9]}
    bills = {"session": ["s"], "driver": ["d"], "paid": [paid], "earned": [earned]}
    bills |= {name: [0.0] for name in ("wear", "reference_cost", "credited")}
    bills |= {"charged_kwh": [1.0], "discharged_kwh": [0.0]}
    ageing = ("equivalent_full_cycles_driving", "equivalent_full_cycles_v2g", "fade_driving")
    more = (*ageing, "fade_v2g", "wear_nonlinear", "warranty_used")
    none = {"session": [], "driver": [], "wish": [], "told": []}
    tables = {
        "prices": {
            "hub": ["h"] * 8,
            "slot": range(8),
            "start_utc": start,
            "charge_price": price,
            "discharge_price": price + 0.2,
        },
        "schedule": {
            "session": ["s"] * 8,
            "slot": range(8),
            "charge_kw": np.maximum(kw, 0.0),
            "discharge_kw": np.maximum(-kw, 0.0),
            "energy_kwh": [9.0] * 8,
        },
        "sessions": sessions,
        "bills": bills,
        "ageing": {"session": ["s"], **{name: [0.0] for name in more}},
    }
    made = {name: pl.DataFrame(columns) for name, columns in tables.items()}
    made["wishes"] = pl.DataFrame(none, schema=dict.fromkeys(none, pl.String))
    summary = {"currency": "EUR", "zone": "Europe/Amsterdam", "scenario": "made up"}
    return PlanFolder(Path(), summary, made)


@settings(max_examples=60)
@given(prices=PRICES, powers=POWERS, part=st.booleans())
def test_lines_add_up_to_the_bill(prices, powers, part) -> None:
    """To the cent, in money, and in energy; no two lines in a row are at one price."""
    folder = folder_of(prices, powers, part=part)
    (made,) = make_statements(folder)
    (stay,) = made.stays
    lines = BillLines(folder).of(stay)
    for returned, amount in ((False, stay.money.paid), (True, stay.money.earned)):
        own = [line for line in lines if line.returned == returned]
        assert sum((line.amount for line in own), Decimal()) == amount
        kwh = sum(max(-kw if returned else kw, 0.0) for kw in powers) / 4
        assert sum(line.kwh for line in own) == pytest.approx(kwh)
        for before, after in pairwise(own):
            assert before.ends < after.begins or before.price != after.price
        for line in own:
            if not line.mean:
                assert abs(line.amount - Decimal(line.kwh * line.price)) <= Decimal("0.0101")
    assert all(line.mean for line in lines) or part
    assert [line.begins for line in lines] == sorted(line.begins for line in lines)


def test_a_bill_at_other_prices_has_a_mean_line() -> None:
    """Where the folder's prices do not make the bill, the line says its mean and no other price."""
    folder = folder_of([0.1] * 8, [4.0] * 8, part=True, off=0.5)
    (made,) = make_statements(folder)
    (line,) = BillLines(folder).of(made.stays[0])
    assert line.mean
    assert line.price == pytest.approx((0.8 + 0.5) / 8.0)
    assert line.amount == Decimal("1.30")
