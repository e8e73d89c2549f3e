"""A running site: what it knows of the world comes through ports, what it knows is a fold."""

from hubwise.live.fold import Books, Session, SessionStatus
from hubwise.live.rights import Actor, Role, may
from hubwise.live.settings import Settings, read_settings
from hubwise.live.site import Site

__all__ = [
    "Actor",
    "Books",
    "Role",
    "Session",
    "SessionStatus",
    "Settings",
    "Site",
    "may",
    "read_settings",
]
