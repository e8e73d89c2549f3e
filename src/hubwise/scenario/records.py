"""Records in JSON laid out as a table: one row an object, columns named by their path."""

from __future__ import annotations

from collections.abc import Iterator

from hubwise.scenario.sniffing import Sheet, laid_out, leaves, of_pages


def tables_in(file: str, data: object) -> Iterator[Sheet]:
    """The tables that a JSON value may be meant as, the outermost list of objects first.

    What is within an object is named by its path, ``cdr_token.uid``. Of a list of objects within
    one the last counts: lists of what somebody said grow at their end.
    """
    records = [data] if isinstance(data, dict) else data
    if pages := of_pages(data):
        yield from tables_in(file, pages)
    if isinstance(data, dict):
        for each in data.values():
            yield from tables_in(file, each)
    if isinstance(records, list) and all(isinstance(each, dict) for each in records):
        table = laid_out(file, [dict(leaves(record, last=True)) for record in records])
        yield from () if table is None else (table,)
