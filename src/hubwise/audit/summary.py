"""The summary's head: which scenario, strategy and participation, and whether the seal holds."""

from __future__ import annotations

from collections.abc import Iterator

from hubwise.audit.conduct import CONDUCT
from hubwise.audit.report import Check, words
from hubwise.domain import DeviceTies, Scenario
from hubwise.domain.plain import is_number, named
from hubwise.record.folder import PlanFolder, seal, strangers
from hubwise.scenario import fingerprint


def check_identity(folder: PlanFolder, scenario: Scenario) -> Iterator[Check]:
    """Whether the summary is of this scenario and participation, by a known strategy."""
    yield _scenario(folder, scenario)
    yield _strategy(folder)
    yield _ties(folder)
    yield _participation(folder, scenario)
    yield _delegation(folder, scenario)


def check_seal(folder: PlanFolder) -> Check:
    """Whether every file is the one that was written."""
    found, due = named(folder.summary["seal"]), seal(folder.summary, folder.folder)
    faults = [f"{name}: missing" for name in sorted(found.keys() - due.keys())]
    faults += [
        f"{name}: not there when it was written" for name in sorted(due.keys() - found.keys())
    ]
    faults += [f"{name}: changed" for name in found if name in due and found[name] != due[name]]
    faults += [f"{name}: not a plain file of the folder" for name in strangers(folder.folder)]
    return words(
        "folder: seal",
        "No file was changed, added or taken away since the plan was written",
        faults,
        "these files are not the ones that were written; the checks below say what is wrong",
    )


def _scenario(folder: PlanFolder, scenario: Scenario) -> Check:
    summary = folder.summary
    due = {
        "scenario": scenario.name,
        "currency": scenario.situation.market.currency,
        "zone": scenario.situation.horizon.zone,
        "scenario_fingerprint": fingerprint(scenario),
    }
    return words(
        "summary: scenario",
        "The plan was made for this scenario, unchanged since",
        [f"{key}: {summary[key]!r}, not {due[key]!r}" for key in due if summary[key] != due[key]],
        "give the scenario that the plan was made for, and its tariff family where the plan has "
        "another (--scenario, --family, --per-hub), or plan again",
    )


def _strategy(folder: PlanFolder) -> Check:
    strategy = folder.result.get("strategy")
    return words(
        "summary: strategy",
        "The strategy is one that is known",
        [] if isinstance(strategy, str) and strategy in CONDUCT else [f"strategy: {strategy!r}"],
        f"known are {', '.join(CONDUCT)}",
    )


def _ties(folder: PlanFolder) -> Check:
    conduct = CONDUCT.get(str(folder.result.get("strategy")))
    found, due = folder.result.get("ties"), conduct.ties if conduct else None
    return words(
        "summary: ties",
        "Ties are broken as the strategy breaks them",
        [] if found == due else [f"ties: {found!r}, not {due!r}"],
        "name the strategy's own, or null where no driver's device chooses alone",
    )


def _participation(folder: PlanFolder, scenario: Scenario) -> Check:
    """A share of n sessions is known to half a session, no better.

    On a day among many it is the site's own: not each day has that share of its sessions.
    """
    share, participants = folder.result.get("participation"), scenario.situation.fleet.participating
    count, size = int(participants.sum()), len(participants)
    near = is_number(share) and abs(share * size - count) <= 0.5 + 1e-9
    if "day" in folder.summary:
        near = share == scenario.participation
    return words(
        "summary: participation",
        "The participation is the share of sessions that take part",
        [] if near else [f"participation: {share!r}, where {count} of {size} sessions take part"],
        "give the scenario that the plan was made for, or plan again",
    )


def _delegation(folder: PlanFolder, scenario: Scenario) -> Check:
    """A share of n sessions is known to half a session; on a day among many it is the site's."""
    found, how, sessions = folder.result, scenario.delegation, folder.tables["sessions"]
    share, faults = found.get("delegating"), []
    count = int(sessions["delegating"].sum() or 0)
    alone = bool((sessions["participating"] & ~sessions["delegating"]).any())
    drawn = how.seed if how.ties is DeviceTies.RANDOM else None
    if not is_number(share) or share != how.share:
        faults.append(f"delegating: {share!r} is no share between 0 and 1")
    due = {
        "delegated": count,
        "device_ties": how.ties if alone else None,
        "device_seed": drawn if alone else None,
    }
    faults += [
        f"{key}: {found.get(key)!r}, not {due[key]!r}" for key in due if found.get(key) != due[key]
    ]
    return words(
        "summary: delegation",
        "So many let the platform choose as the share says; where devices choose, it is told how",
        faults,
        "name the share, ties and seed that the plan was made for, or plan again",
    )
