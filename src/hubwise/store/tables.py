"""Tables: events, only ever added to, and who is known."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

metadata = MetaData()

# Times are text in UTC, ISO 8601: the same order and the same digits on every database.
events = Table(
    "events",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(512), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("station", String(255), nullable=False),
    Column("transaction_id", String(255), nullable=False),
    Column("received_at", String(40), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("events_of_a_transaction", "station", "transaction_id", "position"),
    Index("events_of_a_kind", "kind", "position"),
)

# What a commit held, sealed with what was sealed before: who changes, drops or moves an event
# breaks every seal behind it, and cannot make them anew without the site's key.
seals = Table(
    "seals",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("many", Integer, nullable=False),
    Column("seal", String(64), nullable=False),
)

stations = Table(
    "stations",
    metadata,
    Column("station", String(255), primary_key=True),
    Column("secret", String(64), nullable=False),
    Column("hub", String(255), nullable=False),
    Column("max_kw", Float, nullable=False),
)

drivers = Table("drivers", metadata, Column("driver", String(255), primary_key=True))

id_tokens = Table(
    "id_tokens",
    metadata,
    Column("id_token", String(255), primary_key=True),
    Column("driver", String(255), nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("driver", String(255), nullable=False),
    Column("expires_at", String(40), nullable=False),
    Column("name", String(255), nullable=False, server_default=""),
)

# What operators did: registrations with what they changed, acts that are events with them.
acts = Table(
    "acts",
    metadata,
    Column(
        "number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    Column("at", String(40), nullable=False),
    Column("who", String(255), nullable=False),
    Column("verb", String(40), nullable=False),
    Column("what", String(512), nullable=False),
    Column("why", String(2000), nullable=False),
    Column("event", String(512), nullable=False),
)

# Operators who sign in with a password, of which argon2id's hash is kept.
users = Table(
    "users",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("password", String(255), nullable=False),
)

# What a driver says of the car: what its battery holds [kWh], and how far a kWh brings it [km].
cars = Table(
    "cars",
    metadata,
    Column("driver", String(255), primary_key=True),
    Column("capacity_kwh", Float, nullable=False),
    Column("km_per_kwh", Float, nullable=False),
)

# Browsers that are signed in, and links that let one in once: hashes, which are worth nothing
# after a while. A backup does not hold them.
passing = MetaData()

sign_ins = Table(
    "sign_ins",
    passing,
    Column("secret", String(64), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("driver", String(255), nullable=False),
    Column("name", String(255), nullable=False),
    Column("begun_at", String(40), nullable=False),
    Column("expires_at", String(40), nullable=False),
)

links = Table(
    "links",
    passing,
    Column("secret", String(64), primary_key=True),
    Column("driver", String(255), nullable=False),
    Column("expires_at", String(40), nullable=False),
)

# Who serves the site now, on PostgreSQL: times by the database's clock, in seconds since 1970. It
# is none of the books: a backup does not hold it.
leases = Table(
    "leases",
    MetaData(),
    Column("name", String(40), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("until", Double, nullable=False),
    Column("secret", String(64), nullable=False),
    Column("standby", String(255), nullable=False),
    Column("standby_until", Double, nullable=False),
)
