"""Records in JSON laid out as a table: one row an object, columns named by their path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hubwise.scenario.sniffing import Sheet


def tables_in(file: str, data: object) -> Iterator[Sheet]:
    """The tables that a JSON value may be meant as, the outermost list of objects first.

    What is within an object is named by its path, ``cdr_token.uid``. Of a list of objects within
    one the last counts: lists of what somebody said grow at their end.
    """
    found: list[Sheet] = []
    if isinstance(data, list) and all(isinstance(each, dict) for each in data):
        found = [_table(file, data)]
    if isinstance(data, dict):
        for each in data.values():
            yield from tables_in(file, each)
        found = [_table(file, [data])]
    yield from (sheet for sheet in found if sheet.header)


def _table(file: str, records: Sequence[Mapping[str, object]]) -> Sheet:
    flat = [dict(_leaves(record)) for record in records]
    header = list(dict.fromkeys(path for record in flat for path in record))
    cells = [[record.get(path, "") for path in header] for record in flat]
    return Sheet(file, header, list(range(1, len(flat) + 1)), cells)


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """The paths of a value's scalars, and each as a text; ``""`` where it is null."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        yield from _leaves(value[-1], path) if value else ()
    elif isinstance(value, bool):
        yield path, str(value).lower()
    else:
        yield path, "" if value is None else str(value).strip()
