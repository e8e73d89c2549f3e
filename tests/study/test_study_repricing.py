"""Prices searched for again as a day goes on: who is here keeps their list, others have the new."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from hubwise.audit.program import best_response_costs
from hubwise.cli.commands import app
from hubwise.dispatch import make_baseline, make_problem
from hubwise.domain import Scenario, Tariff
from hubwise.pricing.value import value_of
from hubwise.scenario import load, with_participation
from hubwise.study.replay import repricing, world
from hubwise.study.replay.day import Beliefs, ReplayedDay, as_it_turns_out
from hubwise.study.replay.repricing import is_due, reposted, searched_anew
from hubwise.study.replay.run import Policy, run_under
from hubwise.study.replay.world import World


@pytest.fixture(scope="module")
def expected() -> Scenario:
    """The packaged example, whose drivers come as they are expected."""
    return with_participation(load("example"), 1.0)


def day_at(expected: Scenario, price: float) -> ReplayedDay:
    """A day on which every hub posts one price, discharging a little less."""
    hubs, slots = len(expected.situation.hubs), expected.situation.horizon.slots
    posted = Tariff(np.full((hubs, slots), price), np.full((hubs, slots), 0.8 * price))
    fleet = expected.situation.fleet
    return as_it_turns_out(expected, [fleet], posted, Beliefs(), 0)


def test_who_came_before_keeps_the_list_that_was_accepted(expected) -> None:
    """Lists of three times, found anew twice while cars arrive: everybody has that of their arrival
    in every slot of the stay, and hubs post the last."""
    day = day_at(expected, 0.1)
    arrivals = expected.situation.fleet.arrival_slot
    first, second = (int(np.quantile(arrivals, share)) for share in (0.3, 0.8))
    assert 0 < first < second
    hubs, slots = len(expected.situation.hubs), expected.situation.horizon.slots
    for now, price in ((first, 0.2), (second, 0.3)):
        own = Tariff(day.posted.charge_price[:hubs], day.posted.discharge_price[:hubs])
        found = Tariff(*(np.full((hubs, slots - now), part * price) for part in (1.0, 0.8)))
        day = reposted(day, own, found, now)
    situation = day.scenario.situation
    lists, fleet = situation.with_accepted(day.posted), situation.fleet
    stays = zip(fleet.arrival_slot, fleet.departure_slot, fleet.lists, fleet.hub, strict=True)
    seen = set()
    for arrival, departure, row, hub in stays:
        price = 0.1 if arrival < first else 0.2 if arrival < second else 0.3
        seen.add(price)
        assert set(lists.charge_price[row, arrival:departure]) == {price}
        np.testing.assert_allclose(lists.discharge_price[row, arrival:departure], 0.8 * price)
        assert (row == hub) == (arrival >= second)
    assert seen == {0.1, 0.2, 0.3}
    parts = (first, second - first, slots - second)
    shown = np.repeat([0.1, 0.2, 0.3], parts)
    np.testing.assert_array_equal(day.posted.charge_price[0], shown)


def test_it_is_searched_every_hour_but_not_at_the_begin(expected) -> None:
    """Of slots of a quarter of an hour every fourth."""
    horizon = expected.situation.horizon
    assert [now for now in range(13) if is_due(now, horizon)] == [4, 8, 12]


def test_everybody_pays_the_least_that_their_own_list_allows(expected, monkeypatch) -> None:
    """Every three hours all prices change: what was decided slot by slot costs each no more than a
    program that shares no code finds at the list of their arrival; limits hold."""
    asked = []

    def other(_, posted: Tariff) -> Tariff:
        asked.append(posted.charge_price.shape[1])
        by = 0.02 if len(asked) % 2 else -0.03
        return Tariff(posted.charge_price + by, posted.discharge_price + by)

    monkeypatch.setattr(repricing, "EVERY_MINUTES", 180.0)
    monkeypatch.setattr(world, "searched_anew", other)
    day = day_at(expected, 0.2)
    plan, _ = run_under(Policy.ROLLING, day, None, Beliefs(reprices=True), None)
    assert asked == [84, 72, 60, 48, 36, 24, 12]
    situation, schedule = plan.scenario.situation, plan.schedule
    fleet, hours = situation.fleet, situation.horizon.slot_hours
    assert len(set(fleet.lists.tolist())) > len(situation.hubs)
    lists = situation.with_accepted(plan.tariff)
    paid = lists.charge_price[fleet.lists] * schedule.charge_kw
    earned = lists.discharge_price[fleet.lists] * schedule.discharge_kw
    wear = fleet.wear_cost / fleet.discharge_efficiency
    cost = hours * ((paid - earned).sum(axis=1) + wear * schedule.discharge_kw.sum(axis=1))
    least = best_response_costs(fleet, lists, situation.horizon)
    here = fleet.participating
    np.testing.assert_allclose(cost[here], least[here], atol=1e-6)
    assert sum(plan.result.feeder.broken().values()) == 0


def test_plan_folders_have_one_list(tmp_path) -> None:
    """So that days of several write none."""
    asked = ["replay", "example", "--reprice", "--out", str(tmp_path / "days")]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 2
    assert "--reprice" in done.output


def test_what_is_found_is_worth_more_than_what_is_posted(expected, monkeypatch) -> None:
    """Of a list that is much too cheap for the operator: others pay more, those who came early keep
    theirs, and what is found is worth more in longer rounds than it was found by."""
    monkeypatch.setattr(repricing, "TRIES", 6)
    day = day_at(expected, 0.05)
    situation, posted = World(day).futures(0)[0].situations[0], day.posted
    fleet, hubs = situation.fleet, len(situation.hubs)
    early = fleet.arrival_slot < np.quantile(fleet.arrival_slot, 0.3)
    rows = np.where(early, hubs + fleet.hub, fleet.hub)
    kept = replace(situation, accepted=posted, fleet=fleet.offered(rows))
    found = searched_anew(kept, posted)
    assert found is not posted
    assert found.charge_price.shape == posted.charge_price.shape
    baseline = make_baseline(kept)
    problem = make_problem(
        kept, baseline.limits, everybody=baseline.schedule, span_kw=baseline.span_kw
    )
    merits = [
        value_of(problem, kept.with_accepted(each), rounds=40).merit for each in (found, posted)
    ]
    assert merits[0] > merits[1]
