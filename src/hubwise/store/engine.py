"""A database, opened: durable to a power cut, its tables as this version wants them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

NEWEST = "0004"
SQLITE = "site.db"
# Where a site keeps the URL that it was last served with: other commands find its books there.
URL_FILE = "store.url"
# PostgreSQL that is cut off is gone after about so long, not after a quarter of an hour [s].
CUT_SECONDS = 10
# What a URL does not say of its patience itself [s; ms].
PATIENCE: dict[str, int] = {
    "connect_timeout": 5,
    "tcp_user_timeout": CUT_SECONDS * 1_000,
    "keepalives_idle": CUT_SECONDS // 2,
    "keepalives_interval": 1,
    "keepalives_count": CUT_SECONDS // 2,
}
# What keeps two processes from bringing tables up to date at once: any number that is ours.
UPGRADING = 7_201_964


def database_url(folder: Path, asked: str | None = None) -> str:
    """Where a site's books are: as asked, as it was last served, or in its own folder."""
    if asked:
        return asked
    kept = folder / URL_FILE
    return kept.read_text("utf-8").strip() if kept.exists() else f"sqlite:///{folder / SQLITE}"


def open_engine(url: str) -> Engine:
    """The database at a URL, its tables made or brought up to date.

    Raises
    ------
    ValueError
        Where the URL names no database that is known here.
    sqlalchemy.exc.SQLAlchemyError
        Where it cannot be reached.
    """
    engine = make_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _be_durable)
    with engine.connect() as connection:
        if version_of(connection) != NEWEST:
            _upgrade(connection)
    return engine


def make_engine(url: str | URL) -> Engine:
    """The database at a URL, as it is: nothing is asked of it yet."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError(f"{url!r} is no database URL") from error
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return create_engine(parsed, connect_args={"timeout": 10, "check_same_thread": False})
    if kind == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            connect_args={name: it for name, it in PATIENCE.items() if name not in parsed.query},
        )
    raise ValueError(f"{kind} is no database that is known here; sqlite and postgresql are")


def _be_durable(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """With FULL a commit survives a power cut; with NORMAL the last ones may not."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def version_of(connection: Connection) -> str | None:
    """Of its tables; none where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return str(found) if found else None


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:ours)"), {"ours": UPGRADING})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
