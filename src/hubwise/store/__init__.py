"""Events and books on a database: SQLite in the site's folder, or PostgreSQL by URL."""

from sqlalchemy.exc import DBAPIError

from hubwise.store.engine import database_url, open_engine
from hubwise.store.lease import LASTS_SECONDS, Fence, FencedError, Holder, Lease
from hubwise.store.log import EventLog
from hubwise.store.registry import ActRow, Admission, Registry, StationRow
from hubwise.store.secrets import SiteKey
from hubwise.store.sign_ins import DRIVER_LASTS, OPERATOR_LASTS, SignedIn, SignIns
from hubwise.store.waiting import NotKeptError, WaitingLog

# What is raised where the database is gone, full or locked: it may be there again in a moment.
GONE = (DBAPIError, NotKeptError)

__all__ = [
    "DRIVER_LASTS",
    "GONE",
    "LASTS_SECONDS",
    "OPERATOR_LASTS",
    "ActRow",
    "Admission",
    "EventLog",
    "Fence",
    "FencedError",
    "Holder",
    "Lease",
    "NotKeptError",
    "Registry",
    "SignIns",
    "SignedIn",
    "SiteKey",
    "StationRow",
    "WaitingLog",
    "database_url",
    "open_engine",
]
