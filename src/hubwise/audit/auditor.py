"""The audit: everything in a plan folder, derived again by other means than made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from hubwise.audit.advice import check_advice
from hubwise.audit.alone import check_alone
from hubwise.audit.batteries import check_batteries
from hubwise.audit.bounds import check_bounds
from hubwise.audit.circuits import check_circuits
from hubwise.audit.conduct import CONDUCT, Conduct
from hubwise.audit.drivers import check_drivers
from hubwise.audit.evidence import Evidence, gather
from hubwise.audit.feeder import check_feeder, second_power_flow
from hubwise.audit.figures import check_figures, uncoordinated_kw
from hubwise.audit.futures import check_futures
from hubwise.audit.hubs import check_hubs, net_kw
from hubwise.audit.missed import check_values
from hubwise.audit.money import check_money
from hubwise.audit.phases import check_phases
from hubwise.audit.posting import check_rule_costs
from hubwise.audit.prices import check_prices
from hubwise.audit.promises import check_promises
from hubwise.audit.report import UNREADABLE, AuditReport, Check, Status
from hubwise.audit.rows import check_rows
from hubwise.audit.sessions import check_sessions
from hubwise.audit.shape import check_shape, well_formed
from hubwise.audit.summary import check_identity, check_seal
from hubwise.audit.wishes import check_wishes
from hubwise.audit.wording import check_wording
from hubwise.domain import DeviceTies, Scenario, WearPricing
from hubwise.grid import FeederState
from hubwise.record.days import scenario_in, site_days
from hubwise.record.folder import PlanFolder, PlanFolderError, read
from hubwise.scenario import ScenarioError, load, with_delegation, with_participation, with_wear


def audit_record(folder: str | Path, scenario: Scenario | None = None) -> AuditReport:
    """Check a plan folder against its scenario.

    Reads only the folder and the scenario. Drivers' best responses come from linear programs,
    money from sums over the tables, the feeder's state from a second power flow.

    Parameters
    ----------
    folder
        A plan folder.
    scenario
        What the plan was made for; by default what its summary names.

    Returns
    -------
    AuditReport
        Every check, whether or not it holds. A folder or scenario that cannot be read is a
        check that fails.
    """
    place = Path(folder)
    try:
        found = read(place)
        with_plan = planned(found, scenario)
    except PlanFolderError as error:
        return _unreadable(place, UNREADABLE[0], "The folder is a whole plan", error.issues)
    except ScenarioError as error:
        issues = [str(problem) for problem in error.issues]
        return _unreadable(place, UNREADABLE[1], "The scenario can be read", issues)
    except ValueError as error:
        return _unreadable(place, UNREADABLE[0], "The folder is a whole plan", [str(error)])
    with np.errstate(all="ignore"):  # what comes out not finite fails its check
        return AuditReport(place, tuple(_checks(found, with_plan)))


def planned(folder: PlanFolder, scenario: Scenario | None = None) -> Scenario:
    """What a plan was made for: the scenario at its participation, or the day of it.

    Parameters
    ----------
    folder
        The plan.
    scenario
        What it was made for; by default what its summary names.

    Raises
    ------
    ScenarioError
        If the scenario cannot be read.
    ValueError
        If the plan is of a day that the scenario does not have.
    """
    source = str(folder.summary["scenario_source"])
    given = load(source, days=site_days(folder)) if scenario is None else scenario
    asked = _delegation(_participation(given, folder), folder)
    return scenario_in(_wear(asked, folder), folder)


def _unreadable(place: Path, name: str, promise: str, issues: Iterable[str]) -> AuditReport:
    advice = "nothing else can be checked before this is right"
    check = Check(name, promise, Status.FAILS, where="; ".join(issues), advice=advice)
    return AuditReport(place, (check,))


def _participation(scenario: Scenario, folder: PlanFolder) -> Scenario:
    """The scenario with the plan's participation, where that is one; else as it is."""
    share = folder.result.get("participation")
    if isinstance(share, int | float) and 0.0 <= share <= 1.0 and share != scenario.participation:
        return with_participation(scenario, float(share))
    return scenario


def _delegation(scenario: Scenario, folder: PlanFolder) -> Scenario:
    """The scenario with the plan's share of who delegates, and devices; else as it is."""
    said = folder.result
    share, ties, seed = (said.get(key) for key in ("delegating", "device_ties", "device_seed"))
    known = isinstance(share, int | float) and 0.0 <= share <= 1.0
    return with_delegation(
        scenario,
        float(str(share)) if known else None,
        str(ties) if ties in list(DeviceTies) else None,
        seed if isinstance(seed, int) else None,
    )


def _wear(scenario: Scenario, folder: PlanFolder) -> Scenario:
    """The scenario with wear priced as the plan says it was, where that is a way; else as it is."""
    wear = folder.result.get("wear")
    return with_wear(scenario, str(wear)) if wear in list(WearPricing) else scenario


def _checks(folder: PlanFolder, scenario: Scenario) -> Iterator[Check]:
    """All checks; numbers only where strategy, rows and sessions are as they should be."""
    yield check_seal(folder)
    yield from check_shape(folder)
    for basis in (check_identity, check_rows, check_sessions):
        checks = list(basis(folder, scenario))
        yield from checks
        if any(check.status is Status.FAILS for check in checks):
            advice = "put right what fails above first"
            yield Check("all further", "The rest is so", Status.UNCHECKED, advice=advice)
            return
    conduct = CONDUCT[str(folder.result["strategy"])]
    scenario = scenario if conduct.posts_prices else _at_reference(scenario)
    yield from _number_checks(gather(folder, scenario), conduct)


def _at_reference(scenario: Scenario) -> Scenario:
    """The scenario without lists that were accepted before: all pay the reference tariff."""
    if scenario.situation.accepted is None:
        return scenario
    return scenario.having(fleet=replace(scenario.situation.fleet, price_list=None), accepted=None)


def _number_checks(evidence: Evidence, conduct: Conduct) -> Iterator[Check]:
    scenario = evidence.scenario
    method, flow = second_power_flow(scenario.situation.feeder)
    state = flow(scenario.situation.feeder, scenario.situation.hubs.bus, net_kw(evidence))
    before = flow(
        scenario.situation.feeder, scenario.situation.hubs.bus, uncoordinated_kw(evidence)
    )
    yield from check_drivers(evidence, conduct)
    yield from check_wishes(evidence, conduct)
    yield from check_prices(evidence, conduct)
    yield from check_hubs(evidence, conduct)
    yield from check_circuits(evidence)
    yield from check_money(evidence, conduct)
    yield from check_batteries(evidence, conduct)
    yield from check_feeder(evidence, method, state)
    yield from check_phases(evidence, method, state)
    yield from check_figures(evidence, conduct, state, before)
    yield from check_alone(evidence, conduct)
    yield from check_bounds(evidence, conduct)
    yield from _advice_checks(evidence, conduct, state, before)
    yield from check_promises(evidence, conduct, before)
    yield from check_futures(evidence)
    yield from check_rule_costs(evidence)


def _advice_checks(
    evidence: Evidence, conduct: Conduct, state: FeederState, before: FeederState
) -> Iterator[Check]:
    """What is said of shortcomings: lists, then their numbers, then the words made of both."""
    checks = list(check_advice(evidence, state))
    yield from checks
    if not well_formed(evidence.folder) or any(it.status is Status.FAILS for it in checks):
        return
    yield from check_values(evidence, state)
    yield from check_wording(evidence, conduct, before)
