"""Browsers that are signed in: opaque random secrets, kept as keyed hashes, that can be revoked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, Table, delete, insert, select

from hubwise.store.secrets import SiteKey
from hubwise.store.tables import links, sign_ins, users

LINK_LASTS = timedelta(minutes=15)
DRIVER_LASTS = timedelta(days=30)
OPERATOR_LASTS = timedelta(hours=12)
SHORTEST_PASSWORD = 12
MOST_PASSWORD = 1_024


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in with a browser, since when and until when (ISO 8601, UTC)."""

    role: str
    driver: str
    name: str
    begun_at: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class SignIns:
    """Sign-ins, one-time links and passwords of a site.

    Parameters
    ----------
    engine, key
        The database, and the key of its hashes.
    """

    engine: Engine
    key: SiteKey

    def make_link(self, driver: str, now: datetime) -> str:
        """A link's secret, which lets a driver in once within `LINK_LASTS`."""
        secret = secrets.token_urlsafe(24)
        until = (now + LINK_LASTS).isoformat()
        row = {"secret": self._link(secret), "driver": driver, "expires_at": until}
        with self.engine.begin() as connection:
            connection.execute(delete(links).where(links.c.expires_at < now.isoformat()))
            connection.execute(insert(links), [row])
        return secret

    def driver_of_link(self, secret: str, now: datetime) -> str | None:
        """Whom a link lets in, if it still does."""
        asked = select(links.c.driver).where(
            links.c.secret == self._link(secret), links.c.expires_at >= now.isoformat()
        )
        with self.engine.connect() as connection:
            found = connection.execute(asked).scalar()
        return None if found is None else str(found)

    def use_link(self, secret: str, now: datetime) -> str | None:
        """The secret of a new sign-in, for a link that was not used and is not too old."""
        driver = self.driver_of_link(secret, now)
        if driver is None or not self._gone(links, links.c.secret == self._link(secret)):
            return None
        return self.begin("driver", driver, "", now)

    def put_user(self, name: str, password: str) -> None:
        """Let an operator sign in with a password; one that was known is replaced.

        Their browsers are signed out.
        """
        from argon2 import PasswordHasher

        row = {"name": name, "password": PasswordHasher().hash(password)}
        with self.engine.begin() as connection:
            connection.execute(delete(users).where(users.c.name == name))
            connection.execute(delete(sign_ins).where(sign_ins.c.name == name))
            connection.execute(insert(users), [row])

    def drop_user(self, name: str) -> bool:
        """Let an operator sign in no more, and sign their browsers out; whether there was one."""
        self._gone(sign_ins, sign_ins.c.name == name)
        return self._gone(users, users.c.name == name)

    def check_password(self, name: str, password: str, now: datetime) -> str | None:
        """The secret of a new sign-in, if the password is the operator's.

        Whoever is not known takes as long as whoever is.
        """
        from argon2 import PasswordHasher
        from argon2.exceptions import InvalidHashError, VerificationError

        with self.engine.connect() as connection:
            asked = select(users.c.password).where(users.c.name == name)
            kept = connection.execute(asked).scalar()
        hasher, said = PasswordHasher(), password[: MOST_PASSWORD + 1]
        if kept is None:
            hasher.hash(said)
            return None
        try:
            hasher.verify(str(kept), said)
        except (VerificationError, InvalidHashError):
            return None
        return self.begin("operator", "", name, now)

    def begin(self, role: str, driver: str, name: str, now: datetime) -> str:
        """The secret of a new sign-in."""
        secret = secrets.token_urlsafe(32)
        lasts = DRIVER_LASTS if role == "driver" else OPERATOR_LASTS
        row = {
            "secret": self._sign_in(secret),
            "role": role,
            "driver": driver,
            "name": name,
            "begun_at": now.isoformat(),
            "expires_at": (now + lasts).isoformat(),
        }
        with self.engine.begin() as connection:
            connection.execute(delete(sign_ins).where(sign_ins.c.expires_at < now.isoformat()))
            connection.execute(insert(sign_ins), [row])
        return secret

    def who(self, secret: str, now: datetime) -> SignedIn | None:
        """Who is signed in by a secret, if anybody still is."""
        asked = select(sign_ins).where(sign_ins.c.secret == self._sign_in(secret))
        with self.engine.connect() as connection:
            row = connection.execute(asked).first()
        if row is None or row.expires_at < now.isoformat():
            return None
        return SignedIn(row.role, row.driver, row.name, row.begun_at, row.expires_at)

    def all_of(self, driver: str, now: datetime) -> list[SignedIn]:
        """Where a driver is signed in, the oldest first; of whom nothing but that is kept."""
        mine = sign_ins.c.driver == driver, sign_ins.c.expires_at >= now.isoformat()
        asked = select(sign_ins).where(*mine).order_by(sign_ins.c.begun_at)
        with self.engine.connect() as connection:
            rows = connection.execute(asked).all() if driver else []
        return [SignedIn(it.role, it.driver, it.name, it.begun_at, it.expires_at) for it in rows]

    def end(self, secret: str) -> None:
        """Sign a browser out."""
        self._gone(sign_ins, sign_ins.c.secret == self._sign_in(secret))

    def end_all(self, driver: str = "", name: str = "") -> int:
        """Sign all browsers of a driver or an operator out; says how many."""
        of = sign_ins.c.driver == driver if driver else sign_ins.c.name == name
        with self.engine.begin() as connection:
            return int(connection.execute(delete(sign_ins).where(of)).rowcount)

    def form_token(self, secret: str, salt: str = "") -> str:
        """What a form of a sign-in carries; another one each time, all of them hold."""
        salt = salt or secrets.token_hex(8)
        return f"{salt}.{self.key.hash_of('form', salt, secret)}"

    def is_form_token(self, secret: str, said: str) -> bool:
        """Whether a form was made for this sign-in."""
        salt = said.partition(".")[0]
        return bool(salt) and self.key.same(self.form_token(secret, salt), said)

    def _gone(self, table: Table, which: ColumnElement[bool]) -> bool:
        """Delete rows, and whether there was one: of two at once, one alone hears yes."""
        with self.engine.begin() as connection:
            return bool(connection.execute(delete(table).where(which)).rowcount)

    def _sign_in(self, secret: str) -> str:
        return self.key.hash_of("sign-in", "", secret)

    def _link(self, secret: str) -> str:
        return self.key.hash_of("link", "", secret)
