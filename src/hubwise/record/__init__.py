"""The plan folder and what is read from it: tables, summary, statements, notices."""

from hubwise.record.folder import (
    CONTRACT,
    Appendix,
    PlanFolder,
    PlanFolderError,
    account_in,
    is_plan,
    read,
    seal,
    seal_again,
    write,
    write_summary,
)
from hubwise.record.missed import Missed, Redispatch
from hubwise.record.model import Record
from hubwise.record.notices import notices_in_short
from hubwise.record.outcome import DispatchObjective, FeederFigures, Money, Outcome, Outcomes
from hubwise.record.result import (
    BatteryFigures,
    Bounds,
    Delegates,
    Departures,
    EnergyLeft,
    PlanResult,
    PostedPrice,
    PostedPrices,
    Ratios,
    SearchFigures,
    Shortcomings,
    Statuses,
    WearFound,
    WithoutPrices,
)
from hubwise.record.statement import (
    Statement,
    UnknownDriverError,
    make_statement,
    make_statements,
)
from hubwise.record.tables import TABLES, make_tables
from hubwise.record.wishes import Wishes

__all__ = [
    "CONTRACT",
    "TABLES",
    "Appendix",
    "BatteryFigures",
    "Bounds",
    "Delegates",
    "Departures",
    "DispatchObjective",
    "EnergyLeft",
    "FeederFigures",
    "Missed",
    "Money",
    "Outcome",
    "Outcomes",
    "PlanFolder",
    "PlanFolderError",
    "PlanResult",
    "PostedPrice",
    "PostedPrices",
    "Ratios",
    "Record",
    "Redispatch",
    "SearchFigures",
    "Shortcomings",
    "Statement",
    "Statuses",
    "UnknownDriverError",
    "WearFound",
    "Wishes",
    "WithoutPrices",
    "account_in",
    "is_plan",
    "make_statement",
    "make_statements",
    "make_tables",
    "notices_in_short",
    "read",
    "seal",
    "seal_again",
    "write",
    "write_summary",
]
