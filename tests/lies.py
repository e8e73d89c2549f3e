"""Lies about a plan folder: small edits of one thing each, for the audit to find.

A lie is told in two ways: plainly, and by a liar who seals the folder again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from hubwise.record import read, seal_again
from hubwise.record.tables import TABLES

Edit = Callable[[Path], None]
Summary = dict[str, Any]
Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Lie:
    """One edit of a folder.

    Parameters
    ----------
    name
        What kind of lie: alike in every plan.
    tell
        Tells it.
    path
        Of the value that is changed into ``value``, as the audit names it, where a value is.
    value
        What is said.
    leaves_a_trace
        Whether the folder, sealed again, says something that is not so.
    """

    name: str
    tell: Edit
    path: str = ""
    value: object = None
    leaves_a_trace: bool = True


def seal_over(folder: Path) -> None:
    """What a liar does who knows of the seal; nothing where the folder can no longer be read."""
    if _readable(folder):
        seal_again(folder)


def _readable(folder: Path) -> bool:
    try:
        read(folder)
    except ValueError:
        return False
    return True


def lies_about(folder: Path) -> list[Lie]:
    """Every lie that can be told of a folder; their names are the kinds."""
    return [*_of_summary(folder), *_of_tables(folder), *_of_files()]


# --- the summary -------------------------------------------------------------------------------


def _of_summary(folder: Path) -> Iterator[Lie]:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    del summary["seal"]
    told: dict[str, int] = {}
    for steps, value in _places(summary, ()):
        kind = ".".join("#" if isinstance(step, int) else step for step in steps)
        kind = _without_names(steps, kind)
        # Of what there are many alike, such as prices, one is changed.
        told[kind] = told.get(kind, 0) + 1
        if told[kind] == 1:
            yield from _of_value(kind, steps, value, len(told))
    yield Lie("a key twice in summary.json", _twice)
    yield Lie("NaN in summary.json", _nan)
    yield Lie("an endless number in summary.json", _endless)
    yield Lie("summary.json cut short", lambda place: _rewrite(place, lambda text: text[:-30]))


def _without_names(steps: Steps, kind: str) -> str:
    """The kind of a place below names that a scenario gives."""
    if "prices" in steps and len(steps) == 6:
        return f"results.#.prices.*.*.{steps[-1]}"
    return "results.#.mends.#.hub_kw.*" if "hub_kw" in steps and len(steps) == 6 else kind


def _places(value: object, steps: Steps) -> Iterator[tuple[Steps, object]]:
    if steps:
        yield steps, value
    pairs: Any = ()
    if isinstance(value, Mapping):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for key, item in pairs:
        yield from _places(item, (*steps, key))


def _of_value(kind: str, steps: Steps, value: object, turn: int) -> Iterator[Lie]:
    for word, other in _others(value, turn):
        yield _changed(f"{kind}: {word}", steps, other)
    if isinstance(steps[-1], str):
        yield Lie(f"{kind}: removed", lambda place: _at(place, steps, _remove))
    if isinstance(value, Mapping):
        yield Lie(f"{kind}: a key more", lambda place: _at(place, (*steps, "bonus"), _put(1.0)))
    if isinstance(value, list):
        yield Lie(f"{kind}: an item less or more", lambda place: _at(place, steps, _longer))
        if value:
            yield Lie(f"{kind}: an item twice", lambda place: _at(place, steps, _repeat))


def _others(value: object, turn: int) -> Iterator[tuple[str, object]]:
    """Another value, and one of another kind; which of several is told depends on the turn."""
    match value:
        case bool():
            yield "otherwise", not value
            yield "as text", "yes"
        case int() | float():
            step = 1 if isinstance(value, int) else 0.01
            yield ("more", value + step) if turn % 2 else ("less", value - step)
            yield (("as text", str(value)), ("as truth", True), ("null", None))[turn % 3]
        case str():
            yield "other words", value + "1"
            yield "null", None
        case None:
            yield "something", 1.5
        case _:
            yield "null instead", None


def _changed(name: str, steps: Steps, other: object) -> Lie:
    path = ".".join(str(step) for step in steps if not isinstance(step, int) and step != "results")
    return Lie(name, lambda place: _at(place, steps, _put(other)), path, other)


def _at(place: Path, steps: Steps, change: Callable[[Any, str | int], None]) -> None:
    """Change what stands at a place of summary.json; the seal stays as it is."""
    file = place / "summary.json"
    summary = json.loads(file.read_text(encoding="utf-8"))
    holder: Any = summary
    for step in steps[:-1]:
        holder = holder[step]
    change(holder, steps[-1])
    file.write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")


def _put(value: object) -> Callable[[Any, str | int], None]:
    def put(holder: Any, step: str | int) -> None:
        holder[step] = value

    return put


def _remove(holder: Any, step: str | int) -> None:
    del holder[step]


def _longer(holder: Any, step: str | int) -> None:
    holder[step] = holder[step][:-1] or ["made up"]


def _repeat(holder: Any, step: str | int) -> None:
    holder[step] = [*holder[step], holder[step][0]]


def _rewrite(place: Path, change: Callable[[str], str]) -> None:
    file = place / "summary.json"
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def _twice(place: Path) -> None:
    """What one reader takes and another does not: the first of two values."""
    said = '"operator_profit": 1e6, "operator_profit":'
    _rewrite(place, lambda text: text.replace('"operator_profit":', said, 1))


def _nan(place: Path) -> None:
    _rewrite(place, lambda text: text.replace('"wall_seconds": ', '"wall_seconds": NaN, "x": ', 1))


def _endless(place: Path) -> None:
    _rewrite(place, lambda text: text.replace('"wall_seconds": ', '"wall_seconds": 1e999, "x": '))


# --- tables ------------------------------------------------------------------------------------


def _of_tables(folder: Path) -> Iterator[Lie]:
    derived = {*TABLES, "circuits"}
    for file in sorted(folder.glob("*.parquet")):
        table, name = pl.read_parquet(file), file.stem
        yield from _of_rows(name)
        for k, column in enumerate(table.columns if table.height and name in derived else ()):
            if k % 2 and _other_row(table[column]):
                yield _table(f"{name}.{column}: two cells swapped", name, _swapped(column))
            else:
                yield _table(f"{name}.{column}: a cell", name, _cell(column))


def _of_rows(name: str) -> Iterator[Lie]:
    changes: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
        "a row lost": lambda rows: rows.head(-1),
        "a row twice": lambda rows: pl.concat([rows, rows.tail(1)]),
        "rows moved": lambda rows: pl.concat([rows.tail(1), rows.head(-1)]),
        "no rows": lambda rows: rows.clear(),
        "a column lost": lambda rows: rows.drop(rows.columns[-1]),
        "a column more": lambda rows: rows.with_columns(bonus=pl.lit(1.0)),
        "columns moved": lambda rows: rows.select(rows.columns[-1:] + rows.columns[:-1]),
        "a column of text": lambda rows: rows.with_columns(pl.col(_last(rows)).cast(pl.String)),
    }
    for word, change in changes.items():
        yield _table(f"{name}: {word}", name, change)


def _last(rows: pl.DataFrame) -> str:
    """The last column that is not of text."""
    return [name for name, kind in rows.schema.items() if kind != pl.String][-1]


def _table(kind: str, name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Lie:
    def tell(place: Path) -> None:
        file = place / f"{name}.parquet"
        change(pl.read_parquet(file)).write_parquet(file)

    return Lie(kind, tell)


def _cell(column: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def change(rows: pl.DataFrame) -> pl.DataFrame:
        values, row = rows[column].to_list(), int(0.4 * rows.height)
        values[row] = _other_cell(values[row])
        return rows.with_columns(pl.Series(column, values, rows.schema[column]))

    return change


def _other_cell(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return 7.0 if value == float("inf") else value + 0.01
        case str():
            return value + "x"
        case None:
            return 1
        case _:
            return value + timedelta(minutes=15)


def _other_row(column: pl.Series) -> int | None:
    """A row whose value is not the first one's, by more than rounding."""
    first, *rest = column.to_list()
    for row, value in enumerate(rest, start=1):
        both_known = isinstance(value, float) and isinstance(first, float)
        if value != first and not (both_known and abs(value - first) < 1e-4):
            return row
    return None


def _swapped(column: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def change(rows: pl.DataFrame) -> pl.DataFrame:
        values, other = rows[column].to_list(), _other_row(rows[column])
        assert other is not None
        values[0], values[other] = values[other], values[0]
        return rows.with_columns(pl.Series(column, values, rows.schema[column]))

    return change


# --- files -------------------------------------------------------------------------------------


def _of_files() -> Iterator[Lie]:
    yield Lie("report.html edited", _page_edited, "report.html")
    yield Lie("report.html replaced", _page("<p>All is well.</p>"), "report.html")
    # A plan without a page is a plan, too.
    yield Lie("report.html taken away", _page_away, leaves_a_trace=False)
    yield Lie("a file more", _file("audited.txt"))
    yield Lie("a statement beside", _file("statements/ada.json"))
    yield Lie("a scenario beside", _file("scenario.toml"))
    yield Lie("futures beside", _file("futures.csv"))
    yield Lie("a hidden file more", _file(".hidden"))
    yield Lie("a table taken away", lambda place: (place / "bills.parquet").unlink())
    yield Lie("a table that is none", _file("bills.parquet"))


def _page_edited(place: Path) -> None:
    page = place / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("profit", "gift"), encoding="utf-8")


def _page(text: str) -> Edit:
    def tell(place: Path) -> None:
        (place / "report.html").write_text(text, encoding="utf-8")

    return tell


def _page_away(place: Path) -> None:
    (place / "report.html").unlink()


def _file(name: str) -> Edit:
    def tell(place: Path) -> None:
        file = place / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("everything here is true", encoding="utf-8")

    return tell
