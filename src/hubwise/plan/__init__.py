"""One day planned: prices and answers, dispatch and feeder, bills; the plan folder."""

from hubwise.plan.folder import CONTRACT, PlanFolder, PlanFolderError, read, summary, write
from hubwise.plan.model import Plan
from hubwise.plan.planner import known_strategy, make_plan
from hubwise.plan.relaxed import relax
from hubwise.plan.replan import Replan, replan
from hubwise.plan.statement import Statement, UnknownDriverError, statement, statements
from hubwise.plan.tables import TABLES, tables

__all__ = [
    "CONTRACT",
    "TABLES",
    "Plan",
    "PlanFolder",
    "PlanFolderError",
    "Replan",
    "Statement",
    "UnknownDriverError",
    "known_strategy",
    "make_plan",
    "read",
    "relax",
    "replan",
    "statement",
    "statements",
    "summary",
    "tables",
    "write",
]
