"""One day planned: prices and answers, dispatch and feeder, bills; the plan folder."""

from hubwise.plan.folder import CONTRACT, PlanFolder, PlanFolderError, read, summary, write
from hubwise.plan.model import Plan
from hubwise.plan.planner import make_plan
from hubwise.plan.relaxed import relax
from hubwise.plan.replan import Replan, make_replan
from hubwise.plan.statement import Statement, UnknownDriverError, make_statement, make_statements
from hubwise.plan.tables import TABLES, make_tables

__all__ = [
    "CONTRACT",
    "TABLES",
    "Plan",
    "PlanFolder",
    "PlanFolderError",
    "Replan",
    "Statement",
    "UnknownDriverError",
    "make_plan",
    "read",
    "relax",
    "make_replan",
    "make_statement",
    "make_statements",
    "summary",
    "make_tables",
    "write",
]
