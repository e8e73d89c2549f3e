"""Stations' passwords: who may connect by one, and how a new one is given over OCPP.

A station that was told its new password may be cut off before it says so. The new one is
therefore kept, beside the old one, before it is sent, and either opens until one was used.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from hubwise.domain.events import Alarmed
from hubwise.edge.ocpp import Listener, OcppServer, Outcome
from hubwise.store import Registry, StationRow

RENEWALS, LOCK = "renewals.json", "renewals.lock"
# 80 bits, and 20 characters: what 1.6 takes at most.
BYTES = 10
LOOK_SECONDS = 2.0
HEX_LETTERS = 4 * BYTES
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Renewals:
    """Stations that are to get a new password: the hash of what was offered, or nothing yet.

    Parameters
    ----------
    folder
        The site's.
    """

    folder: Path

    def read(self) -> dict[str, str]:
        """By station."""
        place = self.folder / RENEWALS
        if not place.exists():
            return {}
        found: dict[str, str] = json.loads(place.read_text("utf-8"))
        return found

    def put(self, station: str, offered: str) -> None:
        """Ask for a station's renewal, or keep what it is offered."""
        with self._changing() as found:
            found[station] = offered

    def drop(self, station: str) -> None:
        """It is done."""
        with self._changing() as found:
            found.pop(station, None)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, str]]:
        with (self.folder / LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = self.read()
            yield found
            written = self.folder / f"{RENEWALS}.new"
            opened = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(opened, "w", encoding="utf-8") as file:
                json.dump(found, file)
                file.flush()
                os.fsync(file.fileno())
            written.replace(self.folder / RENEWALS)


@dataclass(frozen=True, slots=True)
class PasswordGate:
    """Who may connect: by the password that is registered, or by the one that is offered.

    While the database is gone, by the one that it connected with last.
    """

    registry: Registry
    renewals: Renewals
    _proven: dict[str, str] = field(default_factory=dict)

    async def admits(self, station: str, password: str) -> bool:
        """Whether a station may connect."""
        said = self.registry.key.hash_of("station", station, password)
        try:
            known = await asyncio.to_thread(self._admits, station, password)
        except SQLAlchemyError:
            return self.registry.key.same(self._proven.get(station, ""), said)
        if known:
            self._proven[station] = said
        elif self._proven.get(station) == said:
            del self._proven[station]
        return known

    async def knows(self, station: str) -> bool:
        """Whether a station is registered."""
        try:
            known = await asyncio.to_thread(self.registry.find, station) is not None
        except SQLAlchemyError:
            return station in self._proven
        if known:
            self._proven.setdefault(station, "")
        return known

    def taken(self, station: str, password: str) -> None:
        """The new password is the password."""
        known = self.registry.find(station)
        if known is not None:
            row = StationRow(station, password, known.hub, known.max_kw)
            self.registry.add_stations([row])
        self.renewals.drop(station)

    def _admits(self, station: str, password: str) -> bool:
        said = [password, *_unhexed(password)]
        if any(self.registry.admit(station, each) for each in said):
            return True
        offered = self.renewals.read().get(station)
        key = self.registry.key
        for each in said:
            if offered and key.same(offered, key.hash_of("station", station, each)):
                self.taken(station, each)
                return True
        return False


async def renew_passwords(gate: PasswordGate, server: OcppServer, listener: Listener) -> None:
    """Give new passwords to stations that are to get one, once each is connected."""
    while True:
        try:
            asked = await asyncio.to_thread(gate.renewals.read)
            for station in filter(server.is_connected, asked):
                await _renew(gate, server, listener, station)
        except Exception:
            logger.exception("passwords are not renewed; again soon")
        await asyncio.sleep(LOOK_SECONDS)


async def _renew(gate: PasswordGate, server: OcppServer, listener: Listener, station: str) -> None:
    password = secrets.token_hex(BYTES)
    offered = gate.registry.key.hash_of("station", station, password)
    await asyncio.to_thread(gate.renewals.put, station, offered)
    outcome = await server.set_password(station, password)
    if outcome is Outcome.FOLLOWED:
        await asyncio.to_thread(gate.taken, station, password)
    elif outcome is Outcome.REFUSED:
        await asyncio.to_thread(gate.renewals.drop, station)
        now = listener.now()
        what = "a new password is not taken"
        key, detail = f"{station}|password|{now.isoformat()}", "the station keeps the old one"
        await listener.hear(Alarmed(key, station, now, what, detail))


def _unhexed(password: str) -> list[str]:
    """Stations of 1.6 are told passwords in hexadecimal, and some keep them so."""
    if len(password) != HEX_LETTERS:
        return []
    try:
        return [bytes.fromhex(password).decode("ascii")]
    except ValueError:
        return []
