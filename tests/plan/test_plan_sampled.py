"""Prices of very many drivers are searched on a sample; everything else is the whole site's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.audit import audit_record
from hubwise.dispatch import make_baseline
from hubwise.domain import Status
from hubwise.plan import make_plan, sampled
from hubwise.record import write
from hubwise.scenario import load, with_participation

SITE = with_participation(load("ieee33"), 0.8)


@given(sample=st.integers(1, 1500))
def test_a_sample_stands_for_all(sample: int) -> None:
    """Every hub and kind keeps its count, and with many drawn its power, energy and load."""
    whole = SITE.situation.fleet
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sampled, "SAMPLE", sample)
        few = sampled.sampled(SITE.situation).fleet
    assert len(few) <= sample + 2 * 6  # at least one of each kind
    assert set(few.session.tolist()) <= set(whole.session.tolist())
    for hub in range(6):
        for takes_part in (True, False):
            mine, theirs = (
                np.flatnonzero((fleet.hub == hub) & (fleet.participating == takes_part))
                for fleet in (few, whole)
            )
            alone = whole.select(np.searchsorted(whole.session, few.session[mine]))
            weight = few.charge_kw_max[mine] / alone.charge_kw_max
            assert weight.sum() == pytest.approx(len(theirs))
            np.testing.assert_allclose(few.capacity_kwh[mine], weight * alone.capacity_kwh)
            np.testing.assert_allclose(few.throughput_kwh[mine], weight * alone.throughput_kwh)


def test_the_sampled_day_is_like_the_whole() -> None:
    """Charging at once, a third of the sessions draws within some per cent of what all draw."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sampled, "SAMPLE", 500)
        few = make_baseline(sampled.sampled(SITE.situation)).hub_kw.sum(axis=0)
    whole = make_baseline(SITE.situation).hub_kw.sum(axis=0)
    assert np.abs(few - whole).mean() <= 0.05 * whole.max()
    assert few.sum() == pytest.approx(whole.sum(), rel=0.07)  # thrice what chance makes


def test_prices_of_a_sample_keep_all_promises(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nobody regrets, limits and promises hold for everybody, the audit agrees, little is lost."""
    site = replace(SITE, search=replace(SITE.search, evaluations=20, boxes=0))
    best = make_plan(site).result
    monkeypatch.setattr(sampled, "MANY", 1000)
    monkeypatch.setattr(sampled, "SAMPLE", 700)
    plan = make_plan(site)
    found = plan.result
    assert len(plan.bills.net_cost) == len(SITE.situation.fleet)
    assert found.money.max_regret <= 1e-6
    assert found.search.statuses.ac_dispatch is Status.LIMITS_HOLD
    assert not found.shortcomings.advice
    assert found.money.operator_profit >= 0.97 * best.money.operator_profit
    folder = tmp_path_factory.mktemp("sampled") / "plan"
    write(plan, folder)
    assert audit_record(folder).ok
