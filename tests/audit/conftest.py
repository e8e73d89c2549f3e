"""A small day with every kind of session, and a plan of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from hubwise.domain import StationSchedule, Tariff
from hubwise.drivers import best_response, uncoordinated
from hubwise.grid import power_flow
from hubwise.ledger import hub_flows, make_account, make_bills, reference_margin
from hubwise.plan import folder as plan_folder
from hubwise.scenario import load, with_participation


def small_scenario():
    """The packaged example, and in it an empty arrival, a discharge limit, a demand charge."""
    scenario = load("example")
    fleet = scenario.fleet
    limit = fleet.discharge_limit_kwh.copy()
    limit[2] = 3.0
    worth = fleet.surplus_value.copy()
    worth[1] = 0.05
    arrival = fleet.arrival_kwh.copy()
    arrival[3] = 0.5 * fleet.reserve_kwh[3]
    fleet = replace(fleet, discharge_limit_kwh=limit, surplus_value=worth, arrival_kwh=arrival)
    market = replace(scenario.market, demand_charge=0.3)
    return with_participation(replace(scenario, fleet=fleet, market=market), 0.75)


def make_plan(scenario):
    rules, market, hubs = scenario.rules, scenario.market, scenario.hubs
    fleet, horizon = scenario.fleet, scenario.horizon
    charge = np.round(np.minimum(rules.charge_price_max, market.reference_price) - 0.001, 4)
    discharge = np.round(np.clip(0.7 * charge, 0, rules.discharge_price_max), 4)
    tariff = Tariff(np.tile(charge, (len(hubs), 1)), np.tile(discharge, (len(hubs), 1)))
    response, cost = best_response(fleet, tariff, horizon)
    at_once = uncoordinated(fleet, horizon)
    joined = fleet.participating[:, None]
    schedule = type(response)(
        *(
            np.where(joined, getattr(response, n), getattr(at_once, n))
            for n in ("charge_kw", "discharge_kw", "energy_kwh")
        )
    )
    shape = (len(hubs), horizon.slots)
    kw = np.zeros(shape)
    kw[:, :8] = 0.1 * hubs.battery_kw[:, None]
    energy = hubs.battery_initial_kwh[:, None] + 0.95 * np.cumsum(kw, axis=1) / 4
    stations = StationSchedule(kw, np.zeros(shape), energy, 0.9 * hubs.solar_kw)
    flows = hub_flows(len(hubs), fleet, schedule, stations)
    state = power_flow(scenario.feeder, hubs.bus, flows.net_kw)
    bills = make_bills(
        fleet,
        tariff,
        market,
        horizon,
        schedule=schedule,
        uncoordinated=at_once,
        best_response_cost=cost,
    )
    account = make_account(scenario, schedule, stations, bills)
    result = {"strategy": "hubwise", "participation": 0.75, "wall_seconds": 1.5}
    result["reference_margin"] = reference_margin(scenario, at_once)
    return SimpleNamespace(
        scenario=scenario,
        strategy="hubwise",
        participation=0.75,
        tariff=tariff,
        schedule=schedule,
        stations=stations,
        state=state,
        bills=bills,
        account=account,
        result=result,
    )


@pytest.fixture(scope="session")
def scenario():
    return small_scenario()


@pytest.fixture(scope="session")
def plan(scenario):
    return make_plan(scenario)


@pytest.fixture(scope="session")
def folder(plan, tmp_path_factory):
    target = plan_folder.write(plan, tmp_path_factory.mktemp("plans") / "small")
    _figures(plan, target)
    return plan_folder.write(plan, target)


def _figures(plan, folder):
    from hubwise.audit.conduct import CONDUCT
    from hubwise.audit.evidence import gather
    from hubwise.audit.summary import driver_figures, feeder_figures, money_figures
    from hubwise.plan.folder import read

    e = gather(read(folder), plan.scenario)
    plan.result.update(feeder_figures(e))
    plan.result.update(money_figures(e, CONDUCT["hubwise"]))
    plan.result.update(driver_figures(e), branch_violations=0)
