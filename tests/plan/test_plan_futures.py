"""Prices for several futures: found by the mean, told on draws that nobody has planned for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hubwise.audit import audit_record
from hubwise.domain import Scenario
from hubwise.plan import make_plan
from hubwise.plan.futures import (
    FuturesPlan,
    as_table,
    bring,
    draw_futures,
    in_short,
    on_price_days,
    plan_for_futures,
    search_futures,
)
from hubwise.record import Appendix, PlanFolderError, read, write
from hubwise.scenario import lawful, load, with_participation


@pytest.fixture(scope="module")
def quick() -> Scenario:
    """The example, with a short search."""
    example = load("example")
    return example.having(search=replace(example.search, evaluations=4, boxes=0))


@pytest.fixture(scope="module")
def made(quick: Scenario) -> FuturesPlan:
    return plan_for_futures(quick, draw_futures(quick, 3), fresh=4)


def test_what_is_reported_is_what_the_prices_bring(made: FuturesPlan, quick: Scenario) -> None:
    """Every figure of a fresh draw comes out again when the posted prices are dispatched there."""
    fresh = draw_futures(quick, 4, first=4).situations
    again = bring(fresh, made.tariff)
    np.testing.assert_allclose(again.profit, made.fresh.profit, rtol=0.02)
    assert len(made.fresh.profit) == len(made.one_draw.profit) == 4


def test_fresh_draws_are_no_futures(quick: Scenario) -> None:
    """What a plan is judged by was not seen by its search."""
    seen = draw_futures(quick, 3).situations
    fresh = draw_futures(quick, 4, first=4).situations
    rows = [s.fleet.session.tolist() for s in seen] + [s.fleet.session.tolist() for s in fresh]
    arrivals = [tuple(s.fleet.arrival_kwh.tolist()) for s in (*seen, *fresh)]
    assert len(rows) == 7
    assert len(set(arrivals)) == 7


def test_the_mean_is_no_worse_than_where_it_began(quick: Scenario) -> None:
    """Of one draw's prices and what is found for the futures, the better in the mean is posted."""
    futures = draw_futures(quick, 3)
    alone = make_plan(quick).tariff
    found, tried = search_futures(quick, futures, alone)
    assert tried > 1
    ours, theirs = bring(futures.situations, found), bring(futures.situations, alone)
    kept = ours.cost_ratio.mean() <= theirs.cost_ratio.mean() + 1e-3
    better = ours.profit.mean() >= theirs.profit.mean() - 0.05 * abs(theirs.profit.mean())
    assert kept or better


def test_the_promise_holds_in_the_mean(made: FuturesPlan, quick: Scenario) -> None:
    """Participants pay together, over the futures, at most what was promised."""
    assert made.futures.cost_ratio.mean() <= quick.situation.promises.saving + 2e-3


def test_price_days_are_futures_too(quick: Scenario) -> None:
    """Every fleet on every price day, with weights that sum to one."""
    purchase = quick.situation.market.purchase_price
    days = on_price_days(draw_futures(quick, 2), np.stack([purchase, purchase + 0.02]))
    assert len(days.situations) == 4
    assert days.shares.sum() == pytest.approx(1.0)
    gap = days.situations[1].market.purchase_price - days.situations[0].market.purchase_price
    np.testing.assert_allclose(gap, 0.02)


def test_tables_and_figures_agree(made: FuturesPlan) -> None:
    """futures.parquet holds what the summary's ``futures`` sums up."""
    table, figures = as_table(made), in_short(made)
    fresh = table.filter(table["draw"] == "fresh")
    assert fresh["profit"].mean() == pytest.approx(figures["profit_on_fresh_draws"])
    assert table.height == figures["futures"] + figures["fresh_draws"]
    assert figures["value_of_knowing"] == pytest.approx(
        figures["profit_if_known"] - figures["profit_in_futures"]
    )


def test_nobody_takes_part_in_any_future(quick: Scenario) -> None:
    """Shares of nothing are nothing, and no figure is without a number."""
    alone = with_participation(quick, 0.0)
    found = plan_for_futures(alone, draw_futures(alone, 2), fresh=2)
    assert not found.futures.cost_ratio.any()
    assert all(np.isfinite(value) for value in in_short(found).values())


def test_the_value_of_knowing_weighs_futures(made: FuturesPlan) -> None:
    """A future of no weight adds nothing to the means."""
    sure = replace(made, shares=np.array([1.0, 0.0, 0.0]))
    gain = made.wait_and_see[0] - made.futures.profit[0]
    assert sure.value_of_knowing == pytest.approx(gain)
    assert in_short(sure)["profit_if_known"] == pytest.approx(made.wait_and_see[0])


def test_lists_and_groups_may_be_told_in_some_futures_only(quick: Scenario) -> None:
    """Where one future names lists and the other leaves them out, these are the hubs' own."""
    futures = draw_futures(quick, 2)
    named = futures.situations[0].fleet
    named = replace(named, price_list=named.hub, group=np.zeros(len(named), np.int64))
    mixed = replace(
        futures, situations=(futures.situations[1], replace(futures.situations[0], fleet=named))
    )
    tariff, _ = search_futures(quick, mixed)
    assert np.isfinite(tariff.charge_price).all()


@pytest.mark.parametrize("shares", [[1.0], [0.5, 0.6], [1.5, -0.5], [np.nan, 1.0]])
def test_weights_are_shares(quick: Scenario, shares: list[float]) -> None:
    """One for each future, none below nothing, together one."""
    with pytest.raises(ValueError, match="weights"):
        replace(draw_futures(quick, 2), shares=np.array(shares))


def test_prices_of_days_have_every_slot(quick: Scenario) -> None:
    """Prices for too few slots, and a single fresh draw, are refused in words."""
    futures = draw_futures(quick, 2)
    with pytest.raises(ValueError, match="purchase prices of days have shape"):
        on_price_days(futures, np.ones((2, 3)))
    with pytest.raises(ValueError, match="give at least 2"):
        plan_for_futures(quick, futures, fresh=1)


def test_the_folder_holds_the_futures(quick: Scenario, made: FuturesPlan, tmp_path: Path) -> None:
    """They are written and sealed with the plan; the audit sums them up again, and sees a lie."""
    plan = make_plan(quick, tariff=lawful(made.tariff, quick.situation.fleet))
    folder = write(plan, tmp_path / "plan", Appendix("futures", in_short(made), as_table(made)))
    assert _fails(folder, quick) == []
    assert read(folder).tables["futures"].equals(as_table(made))

    table = as_table(made).with_columns(pl.col("profit") + 0.01)
    table.write_parquet(folder / "futures.parquet")
    assert _fails(folder, quick) == ["folder: seal", "summary: futures"]
    (folder / "futures.parquet").unlink()
    with pytest.raises(PlanFolderError, match=r"futures\.parquet: the file is missing"):
        read(folder)


def _fails(folder: Path, scenario: Scenario) -> list[str]:
    report = audit_record(folder, scenario)
    return [check.name for check in report.failures]
