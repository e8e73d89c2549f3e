"""Events and books on a database: SQLite in the site's folder, or PostgreSQL by URL."""

from hubwise.store.engine import database_url, open_engine
from hubwise.store.log import EventLog
from hubwise.store.registry import ActRow, Admission, Registry, StationRow
from hubwise.store.secrets import SiteKey
from hubwise.store.waiting import NotKeptError, WaitingLog

__all__ = [
    "ActRow",
    "Admission",
    "EventLog",
    "NotKeptError",
    "Registry",
    "SiteKey",
    "StationRow",
    "WaitingLog",
    "database_url",
    "open_engine",
]
