"""All that a database holds, as lines that any database can be filled from again."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, islice

import msgspec
from sqlalchemy import Connection, Engine, LargeBinary, Table, func, insert, select, text

from hubwise.store.tables import acts, metadata

AT_ONCE = 1_000
Row = dict[str, object]


def dump(engine: Engine) -> Iterator[tuple[str, bytes]]:
    """Each row of each table as it was at one moment, also while others write: table and line."""
    options = {"isolation_level": "REPEATABLE READ"} if _is_postgres(engine) else {}
    with engine.connect().execution_options(**options) as connection:
        if not options:
            connection.exec_driver_sql("BEGIN")  # the driver begins at the first change only
        for table in metadata.sorted_tables:
            rows = connection.execution_options(yield_per=AT_ONCE).execute(select(table))
            names = [str(column.name) for column in table.columns]
            for row in rows:
                said = [str(table.name), dict(zip(names, row, strict=True))]
                yield table.name, msgspec.json.encode(said) + b"\n"


def fill(engine: Engine, lines: Iterable[bytes]) -> Counter[str]:
    """Fill an empty database, all or nothing; says how many rows of each table there are.

    Raises
    ------
    ValueError
        Where it is not empty.
    """
    told: Counter[str] = Counter()
    with engine.begin() as connection:
        if found := [table.name for table in metadata.sorted_tables if _many(connection, table)]:
            raise ValueError(f"the database is not empty: {', '.join(found)}")
        said = (msgspec.json.decode(line, type=tuple[str, Row]) for line in lines)
        for name, rows in groupby(said, key=lambda each: each[0]):
            table = metadata.tables[name]
            while some := [_typed(table, row) for _, row in islice(rows, AT_ONCE)]:
                connection.execute(insert(table), some)
        told.update({table.name: _many(connection, table) for table in metadata.sorted_tables})
        if _is_postgres(engine) and told[acts.name]:
            number = f"(SELECT max(number) FROM {acts.name})"
            sequence = f"pg_get_serial_sequence('{acts.name}', 'number')"
            connection.execute(text(f"SELECT setval({sequence}, {number})"))
    return told


def _many(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar() or 0)


def _typed(table: Table, row: Row) -> Row:
    """Bytes travel as text."""
    binary = [column.name for column in table.columns if isinstance(column.type, LargeBinary)]
    return {**row, **{name: b64decode(str(row[name])) for name in binary}}


def _is_postgres(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"
