"""Events and books on a database: SQLite in the site's folder, or PostgreSQL by URL."""

from sqlalchemy.exc import DBAPIError

from hubwise.store.engine import database_url, open_engine
from hubwise.store.log import EventLog
from hubwise.store.registry import ActRow, Admission, Registry, StationRow
from hubwise.store.secrets import SiteKey
from hubwise.store.waiting import NotKeptError, WaitingLog

# What is raised where the database is gone, full or locked: it may be there again in a moment.
GONE = (DBAPIError, NotKeptError)

__all__ = [
    "GONE",
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
