"""A small day with every kind of session, and a plan of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from hubwise.audit import audit_record
from hubwise.battery import fleet_ageing, leaving_range
from hubwise.dispatch import at_rest
from hubwise.domain import Schedule, StationSchedule, Tariff
from hubwise.drivers import best_response, uncoordinated
from hubwise.grid import power_flow
from hubwise.ledger import hub_flows, make_account, make_bills, reference_margin
from hubwise.plan import make_plan, result
from hubwise.plan.following import following_of
from hubwise.plan.wishes import make_wishes
from hubwise.record import Outcome, Outcomes, PlanResult, WearFound, notices_in_short, write
from hubwise.record.result import Delegates
from hubwise.scenario import load, with_participation

# What only a search leaves behind; an assembled plan has none of it, and the audit says so.
UNSEARCHED = {"folder: keys", "summary: gaps", "summary: ended", "summary: without prices"}
UNSEARCHED |= {f"summary: undelegated, {kind}" for kind in ("money", "power", "shares")}
UNSEARCHED |= {"summary: pessimistic, money", "advice: words", "advice: better"}


def small_scenario():
    """The packaged example made harder.

    A discharge limit, a surplus value, two that arrive below their reserve, one that must leave
    short, and demand charges of two billing periods.
    """
    scenario = load("example")
    fleet = scenario.situation.fleet
    columns = {
        name: getattr(fleet, name).copy()
        for name in ("discharge_limit_kwh", "surplus_value", "arrival_kwh", "arrival_slot")
    }
    columns["discharge_limit_kwh"][4] = 3.0
    columns["surplus_value"][1] = 0.12
    columns["arrival_kwh"][[3, 9]] = 0.5 * fleet.reserve_kwh[[3, 9]]
    columns["arrival_slot"][8] = fleet.departure_slot[8] - 5
    market = replace(scenario.situation.market, demand_charge=0.3, later_periods=((40, 0.2),))
    changed = scenario.having(fleet=replace(fleet, **columns), market=market)
    few = replace(scenario.search, evaluations=20)
    return with_participation(replace(changed, search=few), 0.75)


def simple_tariff(scenario):
    """Cheap nights, evenings in which discharging pays."""
    rules, hubs = scenario.situation.rules, len(scenario.situation.hubs)
    hour = scenario.situation.horizon.local_hours()
    most = np.minimum(rules.charge_price_max, scenario.situation.market.reference_price)
    charge = np.floor(np.where(hour < 6, 0.3, 0.95) * most * 1e4) / 1e4
    evening = (hour >= 18) & (hour < 22)
    discharge = np.where(evening, np.minimum(charge, rules.discharge_price_max), 0.0)
    return Tariff(np.tile(charge, (hubs, 1)), np.tile(discharge, (hubs, 1)))


def simple_stations(scenario):
    """Station batteries charge a little at the start; some solar is curtailed."""
    hubs = scenario.situation.hubs
    kw = np.zeros_like(hubs.solar_kw)
    kw[:, :8] = 0.1 * hubs.battery_kw[:, None]
    put_in = kw * hubs.battery_charge_efficiency[:, None] * scenario.situation.horizon.slot_hours
    energy = hubs.battery_initial_kwh[:, None] + np.cumsum(put_in, axis=1)
    return StationSchedule(kw, np.zeros_like(kw), energy, 0.9 * hubs.solar_kw)


def answers(scenario, tariff):
    """Participants' best responses, the others charging at once; and the best responses' costs."""
    fleet, horizon = scenario.situation.fleet, scenario.situation.horizon
    response, cost = best_response(fleet, tariff, horizon)
    at_once, participants = uncoordinated(fleet, horizon), fleet.participating[:, None]
    names = ("charge_kw", "discharge_kw", "energy_kwh")
    both = [np.where(participants, getattr(response, n), getattr(at_once, n)) for n in names]
    return Schedule(*both), cost


def assemble(scenario, tariff, schedule, stations, cost):
    """The plan that has these parts, billed and summed up as if they were right."""
    fleet, horizon, hubs = (
        scenario.situation.fleet,
        scenario.situation.horizon,
        scenario.situation.hubs,
    )
    at_once = uncoordinated(fleet, horizon)
    net_kw = hub_flows(len(hubs), fleet, schedule, stations).net_kw
    bills = make_bills(
        fleet,
        tariff,
        scenario.situation.market,
        horizon,
        schedule=schedule,
        uncoordinated=at_once,
        best_response_cost=cost,
    )
    plan = SimpleNamespace(
        scenario=scenario,
        strategy="hubwise",
        participation=scenario.participation,
        tariff=tariff,
        schedule=schedule,
        stations=stations,
        state=power_flow(scenario.situation.feeder, hubs.bus, net_kw),
        bills=bills,
        account=make_account(scenario.situation, schedule, stations, bills),
        wishes=make_wishes(
            scenario.situation, scenario.situation, schedule, bills, tariff, np.zeros(len(fleet))
        ),
        asked=scenario,
        ageing=fleet_ageing(fleet, schedule, horizon, scenario.situation.battery),
        result=None,
    )
    plan.result = _figures(plan)
    return plan


def _net_kw(plan):
    """Net draw of every hub; (hubs, slots) [kW]."""
    situation = plan.scenario.situation
    return hub_flows(len(situation.hubs), situation.fleet, plan.schedule, plan.stations).net_kw


def _figures(plan):
    """The result's figures, from the parts of the plan."""
    scenario, situation = plan.scenario, plan.scenario.situation
    fleet, horizon = situation.fleet, situation.horizon
    at_once = uncoordinated(fleet, horizon)
    stations = at_rest(situation, at_once)
    net_kw = hub_flows(len(situation.hubs), fleet, at_once, stations).net_kw
    before = power_flow(situation.feeder, situation.hubs.bus, net_kw)
    base = result.feeder_figures(situation, at_once, stations, before)
    feeder = result.feeder_figures(situation, plan.schedule, plan.stations, plan.state)
    money = result.money_figures(situation, plan.bills, plan.account)
    wishes = plan.wishes
    return PlanResult(
        strategy=plan.strategy,
        participation=scenario.participation,
        delegates=Delegates.of(fleet, scenario.delegation),
        feeder=feeder,
        money=money,
        departures=result.departure_figures(situation, plan.schedule, scenario.hindsight),
        following=following_of(situation, plan.schedule, _net_kw(plan), plan.state),
        reference_margin=reference_margin(situation, at_once),
        ratios=result.ratios(feeder, money, base, plan.bills.reference_cost.sum()),
        energy=result.energy_figures(
            situation,
            (plan.schedule, plan.stations),
            at_once,
            money,
            plan.bills.reference_cost.sum(),
        ),
        prices=result.posted_prices(situation, plan.tariff),
        outcomes=Outcomes(Outcome.of(feeder, money)),
        transformers=result.transformers(situation, plan.schedule, plan.stations, plan.state),
        battery=result.battery_figures(fleet, plan.ageing, horizon),
        wear=WearFound(situation.battery.wear),
        notices=tuple(notices_in_short(wishes.session, wishes.wish, wishes.notice)),
        warnings=tuple(leaving_range(fleet, plan.schedule, horizon, situation.battery)),
    )


@pytest.fixture(scope="session")
def unsearched():
    """Checks that fail of every plan that was assembled and not searched for."""
    return UNSEARCHED


@pytest.fixture(scope="session")
def scenario():
    return small_scenario()


@pytest.fixture(scope="session")
def plan(scenario):
    return make_plan(scenario)


@pytest.fixture(scope="session")
def folder(plan, tmp_path_factory):
    return write(plan, tmp_path_factory.mktemp("plans") / "small")


@pytest.fixture(scope="session")
def parts(scenario):
    """What a plan is assembled from, to be spoilt one at a time."""
    tariff = simple_tariff(scenario)
    schedule, cost = answers(scenario, tariff)
    stations = simple_stations(scenario)
    return SimpleNamespace(tariff=tariff, schedule=schedule, stations=stations, cost=cost)


@pytest.fixture(scope="session")
def assembled():
    """Puts parts together into a plan."""
    return assemble


@pytest.fixture
def failures(scenario, parts, tmp_path):
    """Names of the checks that fail for a plan of these parts, some of them spoilt."""

    def checked(**spoilt):
        given = {**vars(parts), **spoilt}
        plan = assemble(
            scenario, given["tariff"], given["schedule"], given["stations"], given["cost"]
        )
        return {
            check.name for check in audit_record(write(plan, tmp_path / "plan"), scenario).failures
        } - UNSEARCHED

    return checked
