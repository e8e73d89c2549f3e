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
    """Who asks; operators by their name, if their token has one."""

    role: Role
    driver: str = ""
    name: str = ""

    @property
    def account(self) -> str:
        """A driver's account in the ledger."""
        return f"driver:{self.driver}"

    @property
    def who(self) -> str:
        """What stands in the list of acts."""
        return self.name or self.role.value


@dataclass(frozen=True, slots=True)
class Thing:
    """What is asked for, and whose account it concerns; empty if nobody's alone."""

    kind: str
    account: str = ""


# What anybody may read: whether the site runs, and how one gets in.
FOR_ANYBODY = frozenset({"health", "door"})
# What a driver may read without its being theirs.
FOR_EVERYBODY = FOR_ANYBODY | {"prices"}
FOR_THEIR_DRIVER = frozenset(
    {"session", "bill", "meter-values", "sessions", "entries", "preferences", "cdrs", "statement"}
    | {"events", "event", "stay", "car", "sign-in"}
)
# What a driver may change of what is theirs.
THEIRS_TO_CHANGE = frozenset({"preferences", "stay", "car", "sign-in"})


def may(actor: Actor | None, verb: str, thing: Thing) -> bool:
    """Whether an actor may do something; who is not known may do little."""
    if actor is None:
        return verb == "read" and thing.kind in FOR_ANYBODY
    if actor.role is Role.OPERATOR:
        return True
    if verb == "change":
        return thing.kind in THEIRS_TO_CHANGE and thing.account == actor.account
    if verb != "read":
        return False
    if thing.kind in FOR_EVERYBODY:
        return True
    return thing.kind in FOR_THEIR_DRIVER and thing.account == actor.account
