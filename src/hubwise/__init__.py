"""Hubwise: price, plan, check and bill a smart EV-charging hub.

>>> import hubwise as hw
>>> plan = hw.make_plan(hw.load("ieee33"))

What else is in a room is imported from it, as ``from hubwise.plan import make_replan``; every
module is reached under its own name, as ``import hubwise.record.folder``.
"""

from importlib.metadata import version

from hubwise import compiled as compiled  # before any kernel is imported
from hubwise.audit import AuditReport, audit_record
from hubwise.domain import Scenario, Schedule, StationSchedule, Tariff
from hubwise.plan import Plan, make_plan
from hubwise.record import PlanFolder, Statement, make_statement, make_tables, read, write
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

__version__ = version("hubwise")

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
    "with_participation",
    "write",
]
