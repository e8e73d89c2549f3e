"""Who is known: stations, drivers and their tags, tokens. Changed while a site is served."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, Table, and_, delete, func, insert, select

from hubwise.store.secrets import SiteKey
from hubwise.store.tables import acts, cars, drivers, id_tokens, stations, tokens, users

NEVER = "9999"
# Of more names than this all stations are read.
MOST_NAMES = 500


def same_tag(id_token: str) -> str:
    """What tags that are the same to the protocol have in common: no blanks, all capitals."""
    return "".join(id_token.split()).upper()


@dataclass(frozen=True, slots=True)
class StationRow:
    """A station that may connect; ``max_kw`` bounds what its meter can have measured [kW]."""

    station: str
    password: str
    hub: str
    max_kw: float


@dataclass(frozen=True, slots=True)
class Admission:
    """What is known of an admitted station; power in kW."""

    station: str
    hub: str
    max_kw: float


@dataclass(frozen=True, slots=True)
class ActRow:
    """What an operator did, as it is listed; an event's id where it is one."""

    number: int
    at: str
    who: str
    verb: str
    what: str
    why: str
    event: str


@dataclass(frozen=True, slots=True)
class Registry:
    """Stations, drivers and tokens of a site.

    Parameters
    ----------
    engine, key
        The database, and the key of its hashes.
    who
        The operator whose changes are listed as acts; nobody's are not.
    """

    engine: Engine
    key: SiteKey
    who: str = ""

    def add_stations(self, rows: Iterable[StationRow]) -> int:
        """Add stations, or change those that are there; says how many."""
        kept = [
            {
                "station": row.station,
                "secret": self.key.hash_of("station", row.station, row.password),
                "hub": row.hub,
                "max_kw": row.max_kw,
            }
            for row in rows
        ]
        self._replace(stations, kept, "add station")
        return len(kept)

    def add_driver(self, driver: str, tags: Iterable[str]) -> None:
        """Add a driver and the tags that stand for them."""
        row: dict[str, object] = {"driver": driver}
        self._replace(drivers, [row], "add driver")
        rows: list[dict[str, object]] = [
            {"id_token": same_tag(tag), "driver": driver} for tag in tags
        ]
        self._replace(id_tokens, rows, "add tag")

    def has_driver(self, driver: str) -> bool:
        """Whether a driver is known."""
        with self.engine.connect() as connection:
            found = connection.execute(select(drivers).where(drivers.c.driver == driver))
            return found.first() is not None

    def create_token(
        self, role: str, driver: str = "", lasts: timedelta | None = None, name: str = ""
    ) -> str:
        """A new token, which nobody can show again; ``name``: who acts with it."""
        token = secrets.token_urlsafe(32)
        until = (datetime.now(UTC) + lasts).isoformat() if lasts else NEVER
        row: dict[str, object] = {
            "token": self._hashed(token),
            "role": role,
            "driver": driver,
            "expires_at": until,
            "name": name,
        }
        self._replace(tokens, [row], f"create {role} token", driver or name)
        return token

    def drop_token(self, token: str) -> None:
        """Forget a token."""
        with self.engine.begin() as connection:
            connection.execute(delete(tokens).where(tokens.c.token == self._hashed(token)))

    def revoke_tokens(self, driver: str = "", name: str = "") -> int:
        """Forget every token of a driver, or of an operator by their name; says how many."""
        row = tokens.c
        theirs = (row.driver == driver) if driver else and_(row.driver == "", row.name == name)
        with self.engine.begin() as connection:
            gone = connection.execute(delete(tokens).where(theirs)).rowcount
            if self.who:
                connection.execute(insert(acts), [self._act("revoke tokens", driver or name)])
        return int(gone)

    def tokens_of(self, driver: str) -> list[str]:
        """Until when each of a driver's tokens holds (ISO 8601, UTC)."""
        asked = select(tokens.c.expires_at).where(tokens.c.driver == driver)
        with self.engine.connect() as connection:
            return sorted(map(str, connection.execute(asked).scalars())) if driver else []

    def actor_of(self, token: str, now: datetime) -> tuple[str, str, str] | None:
        """Role, driver and name of a token, if it is known and has not expired."""
        asked = select(tokens).where(tokens.c.token == self._hashed(token))
        with self.engine.connect() as connection:
            row = connection.execute(asked).first()
        if row is None or row.expires_at < now.isoformat():
            return None
        return str(row.role), str(row.driver), str(row.name)

    def admit(self, station: str, password: str) -> Admission | None:
        """The station, if it is known by this password."""
        asked = select(stations).where(stations.c.station == station)
        with self.engine.connect() as connection:
            row = connection.execute(asked).first()
        said = self.key.hash_of("station", station, password)
        if row is None or not self.key.same(str(row.secret), said):
            return None
        return Admission(str(row.station), str(row.hub), float(row.max_kw))

    def find(self, station: str) -> Admission | None:
        """The station of this name."""
        asked = select(stations).where(stations.c.station == station)
        with self.engine.connect() as connection:
            row = connection.execute(asked).first()
        return Admission(str(row.station), str(row.hub), float(row.max_kw)) if row else None

    def these(self, names: Collection[str]) -> list[Admission]:
        """The stations of these names, in one question; who is not registered is left out."""
        if len(names) > MOST_NAMES:
            return [each for each in self.all_stations() if each.station in names]
        asked = select(stations).where(stations.c.station.in_(sorted(names)))
        with self.engine.connect() as connection:
            rows = connection.execute(asked).all()
        return [Admission(str(row.station), str(row.hub), float(row.max_kw)) for row in rows]

    def all_stations(self) -> list[Admission]:
        """Every station, in the order of names."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(stations).order_by(stations.c.station)).all()
        return [Admission(str(row.station), str(row.hub), float(row.max_kw)) for row in rows]

    def driver_of(self, id_token: str) -> str | None:
        """Whose tag it is, if anybody's: in capitals or not, with blanks or without."""
        tag, same = id_tokens.c.id_token, same_tag(id_token)
        asked = select(tag, id_tokens.c.driver).order_by(tag)
        with self.engine.connect() as connection:
            # By name at once; what was added in small letters before names were alike, by all.
            for alike in (tag.in_((same, id_token)), func.upper(tag) == same):
                found = {str(row[0]): str(row[1]) for row in connection.execute(asked.where(alike))}
                if found:
                    return found.get(same) or next(iter(found.values()))
        return None

    def tags_of(self, driver: str) -> list[str]:
        """The tags that stand for a driver."""
        asked = select(id_tokens.c.id_token).where(id_tokens.c.driver == driver)
        with self.engine.connect() as connection:
            return sorted(map(str, connection.execute(asked).scalars()))

    def put_car(self, driver: str, capacity_kwh: float, km_per_kwh: float) -> None:
        """Keep what a driver says of the car: what it holds [kWh], and how far a kWh goes [km]."""
        row = {"driver": driver, "capacity_kwh": capacity_kwh, "km_per_kwh": km_per_kwh}
        self._replace(cars, [row], "say car", driver)

    def car_of(self, driver: str) -> tuple[float, float] | None:
        """What is known of a driver's car: what it holds [kWh], and how far a kWh goes [km]."""
        asked = select(cars).where(cars.c.driver == driver)
        with self.engine.connect() as connection:
            row = connection.execute(asked).first()
        return None if row is None else (float(row.capacity_kwh), float(row.km_per_kwh))

    def copy_to(self, other: Registry) -> None:
        """Give another database whom it does not know yet."""
        for table in (stations, drivers, id_tokens, tokens, users, cars):
            key = next(iter(table.primary_key)).name
            with self.engine.connect() as connection:
                rows = [dict(row._mapping) for row in connection.execute(select(table))]
            with other.engine.connect() as connection:
                known = set(connection.execute(select(table.c[key])).scalars())
            other._replace(table, [row for row in rows if row[key] not in known])

    def acts(self, after: int = 0, most: int = 1_000) -> list[ActRow]:
        """Acts of operators behind a number, in order."""
        asked = select(acts).where(acts.c.number > after).order_by(acts.c.number).limit(most)
        with self.engine.connect() as connection:
            return [ActRow(**row._mapping) for row in connection.execute(asked)]

    def _replace(
        self, table: Table, rows: list[dict[str, object]], verb: str = "", what: str = ""
    ) -> None:
        """Put rows in place of those that are there, in one with the acts that this is."""
        if not rows:
            return
        key = next(iter(table.primary_key))
        by_key = {row[key.name]: row for row in rows}
        with self.engine.begin() as connection:
            names = list(by_key)
            for at in range(0, len(names), 500):
                connection.execute(delete(table).where(key.in_(names[at : at + 500])))
            connection.execute(insert(table), list(by_key.values()))
            if verb and self.who:
                connection.execute(
                    insert(acts), [self._act(verb, what or str(name)) for name in names]
                )

    def _act(self, verb: str, what: str) -> dict[str, object]:
        at = datetime.now(UTC).isoformat()
        said = {"who": self.who, "verb": verb, "what": what[:512], "why": "", "event": ""}
        return {"at": at, **said}

    def _hashed(self, token: str) -> str:
        return self.key.hash_of("token", "", token)
