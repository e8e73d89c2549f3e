"""Who serves a site's books: a row on PostgreSQL, held for seconds by the database's own clock.

Whoever holds it has a term, a number that grows with every holder. Each commit of events looks at
the term in its own transaction and keeps the row from changing hands until it ends (a fencing
token): a holder that slept, hung or was cut off keeps nothing behind its successor's back.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

# How long a holder is believed that says nothing [s].
LASTS_SECONDS = 10.0
# A commit that begins and then says nothing is ended by the database: a successor waits for it [s].
COMMIT_SECONDS = 5.0
_NOW = "extract(epoch FROM clock_timestamp())::double precision"
_MAKE = text(
    "INSERT INTO leases (name, owner, term, until, secret, standby, standby_until)"
    " VALUES ('site', '', 0, 0, '', '', 0) ON CONFLICT DO NOTHING"
)
# FOR UPDATE waits for every commit under way, as a renewal does not: that leaves the term as it is.
_TAKE = text(
    f"WITH free AS (SELECT name FROM leases WHERE name = 'site' AND (until < {_NOW}"
    " OR owner = :before) FOR UPDATE)"
    f" UPDATE leases SET owner = :owner, term = term + 1, until = {_NOW} + :lasts,"
    " secret = :secret, standby = '', standby_until = 0 FROM free WHERE leases.name = free.name"
    " RETURNING term"
)
_WAIT = text(
    f"UPDATE leases SET standby = :owner, standby_until = {_NOW} + :lasts WHERE name = 'site'"
)
_SEE = text("SELECT owner, secret FROM leases WHERE name = 'site'")
_RENEW = text(
    f"UPDATE leases SET until = {_NOW} + :lasts WHERE name = 'site' AND term = :term"
    f" RETURNING CASE WHEN standby_until > {_NOW} THEN standby ELSE '' END"
)
_FREE = text("UPDATE leases SET until = 0 WHERE name = 'site' AND term = :term")
_FENCE = text(
    "SELECT term, set_config('idle_in_transaction_session_timeout', :most, true)"
    " FROM leases WHERE name = 'site' FOR KEY SHARE"
)


class FencedError(RuntimeError):
    """Another process serves the site by now; nothing of this one is kept."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease that was not to be had.

    Parameters
    ----------
    owner
        Its name.
    secret
        The keyed hash that it proves the site's key by.
    """

    owner: str
    secret: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease on a PostgreSQL database, for one process.

    Parameters
    ----------
    engine
        The database.
    owner
        The process: a name that no other has.
    secret
        A keyed hash by which others see that it has the same site's key.
    """

    engine: Engine
    owner: str
    secret: str

    def take(self, before: str = "") -> int | Holder:
        """The new term, or who holds it; who asks for it is seen to stand by.

        Parameters
        ----------
        before
            A holder that is known to be dead: its lease need not lapse.
        """
        said = {"owner": self.owner, "secret": self.secret, "lasts": LASTS_SECONDS}
        with self._at_once() as connection:
            connection.execute(_MAKE)
            row = connection.execute(_TAKE, {**said, "before": before or self.owner}).first()
            if row is not None:
                return int(row.term)
            seen = connection.execute(_SEE).one()
            if seen.secret == self.secret:
                connection.execute(_WAIT, said)
            return Holder(str(seen.owner), str(seen.secret))

    def renew(self, term: int) -> str | None:
        """Hold it on: who stands by, empty if nobody does; none where the term is over."""
        said = {"term": term, "lasts": LASTS_SECONDS}
        with self._at_once() as connection:
            row = connection.execute(_RENEW, said).first()
        return None if row is None else str(row[0])

    def free(self, term: int) -> None:
        """Let it go: whoever stands by need not wait."""
        with self._at_once() as connection:
            connection.execute(_FREE, {"term": term})

    def _at_once(self) -> Connection:
        """Each statement is a commit: whoever falls silent between two holds nobody up."""
        return self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")


@dataclass(slots=True)
class Fence:
    """Lets commits of one term through, of none before it is known."""

    term: int = 0

    def __call__(self, connection: Connection) -> None:
        """Called first in a transaction; until its end the term cannot change.

        Raises
        ------
        FencedError
            Where it has changed.
        """
        said = {"most": f"{COMMIT_SECONDS * 1_000:.0f}"}
        row = connection.execute(_FENCE, said).first()
        if row is None or int(row.term) != self.term:
            raise FencedError(f"another process serves the site; term {self.term} is over")
