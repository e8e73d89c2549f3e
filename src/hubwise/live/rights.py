"""Who may do what: one function, asked on every route."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Roles of people."""

    OPERATOR = "operator"
    DRIVER = "driver"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks."""

    role: Role
    driver: str = ""

    @property
    def account(self) -> str:
        """A driver's account in the ledger."""
        return f"driver:{self.driver}"


@dataclass(frozen=True, slots=True)
class Thing:
    """What is asked for, and whose account it concerns; empty if nobody's alone."""

    kind: str
    account: str = ""


# What a driver may read without its being theirs.
FOR_EVERYBODY = frozenset({"health", "prices"})
FOR_THEIR_DRIVER = frozenset({"session", "bill", "meter-values", "sessions", "entries"})


def may(actor: Actor | None, verb: str, thing: Thing) -> bool:
    """Whether an actor may do something; who is not known may only ask for the site's health."""
    if actor is None:
        return verb == "read" and thing.kind == "health"
    if actor.role is Role.OPERATOR:
        return True
    if verb != "read":
        return False
    if thing.kind in FOR_EVERYBODY:
        return True
    return thing.kind in FOR_THEIR_DRIVER and thing.account == actor.account
