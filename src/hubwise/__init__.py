"""Hubwise: price, plan, check and bill a smart EV-charging hub.

>>> import hubwise as hw
>>> plan = hw.make_plan(hw.load("ieee33"))

What else is in a room is imported from it, as ``from hubwise.plan import make_replan``; every
module is reached under its own name, as ``import hubwise.record.folder``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubwise.audit import AuditReport, audit_record
    from hubwise.domain import Scenario, Schedule, StationSchedule, Tariff
    from hubwise.plan import Plan, make_plan
    from hubwise.record import (
        PlanFolder,
        Statement,
        make_statement,
        make_tables,
        read,
        write,
    )
    from hubwise.scenario import (
        Issue,
        ScenarioError,
        check,
        import_sessions,
        load,
        load_nation,
        new,
        packaged,
        with_participation,
    )
    from hubwise.study import (
        FrontierResult,
        RunOptions,
        StudyResult,
        ZonesResult,
        make_frontier,
        make_study,
        make_zones,
    )
    from hubwise.study.report import report

    __version__: str

# The room of each name: rooms are opened when they are asked for, so that nobody waits for others.
_ROOMS = {
    "AuditReport": "hubwise.audit",
    "audit_record": "hubwise.audit",
    "Scenario": "hubwise.domain",
    "Schedule": "hubwise.domain",
    "StationSchedule": "hubwise.domain",
    "Tariff": "hubwise.domain",
    "Plan": "hubwise.plan",
    "make_plan": "hubwise.plan",
    "PlanFolder": "hubwise.record",
    "Statement": "hubwise.record",
    "make_statement": "hubwise.record",
    "make_tables": "hubwise.record",
    "read": "hubwise.record",
    "write": "hubwise.record",
    "Issue": "hubwise.scenario",
    "ScenarioError": "hubwise.scenario",
    "check": "hubwise.scenario",
    "import_sessions": "hubwise.scenario",
    "load": "hubwise.scenario",
    "load_nation": "hubwise.scenario",
    "new": "hubwise.scenario",
    "packaged": "hubwise.scenario",
    "with_participation": "hubwise.scenario",
    "FrontierResult": "hubwise.study",
    "RunOptions": "hubwise.study",
    "StudyResult": "hubwise.study",
    "ZonesResult": "hubwise.study",
    "make_frontier": "hubwise.study",
    "make_study": "hubwise.study",
    "make_zones": "hubwise.study",
    "report": "hubwise.study.report",
}


def __getattr__(name: str) -> object:
    """A public name, from the room that it is in."""
    if name == "__version__":
        return import_module("importlib.metadata").version("hubwise")
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ROOMS[name]), name)


__all__ = [
    "AuditReport",
    "FrontierResult",
    "Issue",
    "Plan",
    "PlanFolder",
    "RunOptions",
    "Scenario",
    "ScenarioError",
    "Schedule",
    "Statement",
    "StationSchedule",
    "StudyResult",
    "Tariff",
    "ZonesResult",
    "audit_record",
    "check",
    "import_sessions",
    "load",
    "load_nation",
    "make_frontier",
    "make_plan",
    "make_statement",
    "make_study",
    "make_tables",
    "make_zones",
    "new",
    "packaged",
    "read",
    "report",
    "with_participation",
    "write",
]
