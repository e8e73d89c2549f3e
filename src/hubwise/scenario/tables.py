"""Tables in: CSV and Parquet, every cell checked against a row's model."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import GenericAlias
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from hubwise.domain.arrays import Array
from hubwise.domain.errors import closest, did_you_mean
from hubwise.scenario.messages import explain
from hubwise.scenario.reading import MOST_BYTES, Reader


@dataclass(frozen=True, slots=True)
class Table:
    """A table's cells by column; ``None`` where a cell is empty or was refused.

    Parameters
    ----------
    file
        Name of the table's file.
    rows
        Number of each row: its line in a CSV file (the header is row 1), its place in Parquet.
    columns
        Values by column; every list as long as ``rows``.
    inherited
        Cells (column, row's index) that another table filled, and the place there. An empty one
        was refused there, and told of there; without a place, with its whole row.
    """

    file: str
    rows: list[int]
    columns: dict[str, list[object]]
    inherited: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def __getitem__(self, column: str) -> list[Any]:
        """The values of a column."""
        return self.columns[column]

    def numbers(self, column: str) -> Array:
        """The values of a column of numbers, NaN where none is told; shape (rows,)."""
        return np.array([np.nan if told is None else told for told in self[column]], float)

    def where(self, k: int, column: str = "") -> str:
        """The place of row ``k``, for a problem, and where its ``column`` was inherited from."""
        source = self.inherited.get((column, k), "")
        return f"row {self.rows[k]}" + (f" (as in {source})" if source else "")


def read_table(reader: Reader, name: str, model: type[BaseModel]) -> Table | None:
    """The table in file ``name``, or nothing where it is not one; refusals go to the reader.

    Cells are checked one by one, so that a bad cell does not hide another: where a cell was
    refused the column holds ``None``.
    """
    raw = read_cells(reader, name)
    return None if raw is None else check_cells(reader, raw, model)


def read_cells(reader: Reader, name: str) -> Table | None:
    """A table's cells as they stand: values in Parquet, stripped texts in CSV."""
    return _read_parquet(reader, name) if name.endswith(".parquet") else _read_csv(reader, name)


def check_cells(reader: Reader, raw: Table, model: type[BaseModel]) -> Table | None:
    """The columns of ``model`` from raw cells, or nothing where one is missing."""
    if not _has_columns(reader, raw, model):
        return None
    fields = model.model_fields.items()
    checked = {key: _column(reader, raw, key, spec) for key, spec in fields}
    return replace(raw, columns=checked)


def _read_csv(reader: Reader, name: str) -> Table | None:
    """A CSV file's cells as stripped texts, ``None`` where empty; empty lines are passed over."""
    text = reader.text(name)
    if text is None or not _is_table(reader, name, text):
        return None
    lines_there = text.count("\n")
    if not reader.fits(name, lines_there, lines_there + text.count(",")):
        return None
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        numbered = [(lines.line_num, cells) for cells in lines if any(map(str.strip, cells))]
    except csv.Error as error:
        reader.wrong(name, f"row {lines.line_num}", "", f"is not CSV: {error}", "mend the row")
        return None
    if len(numbered) < 2:
        reader.wrong(name, "", "", "is empty", "it needs a header and at least one row")
        return None
    return _rectangle(reader, name, numbered)


def _is_table(reader: Reader, name: str, text: str) -> bool:
    """Whether a text may be CSV; what begins as another notation would be wrong in every row."""
    kind = _NOTATIONS.get(text.lstrip()[:1])
    if kind:
        right = "give a table: a header, and a line for each row with its cells between commas"
        reader.wrong(name, "", "", f"is {kind}, not CSV", right)
    return kind is None


_NOTATIONS = {"{": "JSON", "[": "JSON", "<": "a web page or XML"}


def _rectangle(reader: Reader, name: str, lines: list[tuple[int, list[str]]]) -> Table | None:
    header = [cell.strip() for cell in lines[0][1]]
    body = [(row, [cell.strip() or None for cell in cells]) for row, cells in lines[1:]]
    if len(header) == 1 and ";" in header[0]:
        reader.wrong(name, "row 1", "", "separates cells by semicolons", "separate them by commas")
        return None
    twice = sorted({column for column in header if header.count(column) > 1})
    for column in twice:
        reader.wrong(name, "row 1", column, "is there twice", "give each column once")
    if twice:
        return None
    # Of a row that is too short or too long nobody knows which cell is which: all are refused.
    ragged = [k for k, (_, cells) in enumerate(body) if len(cells) != len(header)]
    for k in ragged:
        row, cells = body[k]
        right = f"give {len(header)}, as the header does"
        reader.wrong(name, f"row {row}", "", f"has {len(cells)} cells", right)
        body[k] = row, [None] * len(header)
    columns: dict[str, list[object]] = {
        key: [cells[k] for _, cells in body] for k, key in enumerate(header)
    }
    refused = {(key, k): "" for key in header for k in ragged}
    return Table(name, [row for row, _ in body], columns, refused)


def parquet_frame(reader: Reader, name: str, content: bytes) -> pl.DataFrame | None:
    """What a Parquet file holds; nothing, noted, where it is none, or more than can be read.

    What is packed small may be large: it is counted before it is read, and texts before they are
    copied.
    """
    try:
        table = pl.scan_parquet(io.BytesIO(content))
        rows = table.select(pl.len()).collect().item()
        # A list in a single cell may hold any number of values.
        plain = [key for key, kind in table.collect_schema().items() if not kind.is_nested()]
        if not reader.fits(name, rows, rows * len(plain)):
            return None
        frame = pl.read_parquet(io.BytesIO(content), columns=plain)
    except pl.exceptions.PolarsError:
        reader.wrong(name, "", "", "is not a Parquet file", "write the table again")
        return None
    if _text_bytes(frame) > MOST_BYTES:
        right = "leave out the columns that nobody needs"
        reader.wrong(name, "", "", f"unpacks to more than {MOST_BYTES:,} bytes", right)
        return None
    return frame


def _text_bytes(frame: pl.DataFrame) -> int:
    """The length of all texts in a table; a Parquet file holds one that comes again only once."""
    lengths = [column.cast(pl.Binary).bin.size().sum() for column in frame.iter_columns()
               if column.dtype in (pl.String, pl.Binary)]  # fmt: skip
    return sum(int(length or 0) for length in lengths)


def _read_parquet(reader: Reader, name: str) -> Table | None:
    content = reader.content(name)
    if content is None:
        return None
    frame = parquet_frame(reader, name, content)
    if frame is None:
        return None
    if not frame.height:
        reader.wrong(name, "", "", "is empty", "it needs at least one row")
        return None
    columns = {column: frame[column].to_list() for column in frame.columns}
    return Table(name, list(range(1, frame.height + 1)), columns)


def _has_columns(reader: Reader, table: Table, model: type[BaseModel]) -> bool:
    fields = model.model_fields
    unknown = [column for column in table.columns if column not in fields]
    missing = [
        key
        for key, spec in fields.items()
        if spec.is_required()
        and (key not in table.columns or (closest(key, unknown) and _is_lent(table, key)))
    ]
    for key in missing:
        found = closest(key, unknown)
        right = f"is it what {found!r} is meant to be?" if found else "add it"
        reader.wrong(table.file, "row 1", key, "is a missing column", right)
    for column in unknown:
        right = did_you_mean(column, fields)
        reader.wrong(table.file, "row 1", column, "is not a known column", right)
    return not missing


def _is_lent(table: Table, key: str) -> bool:
    """Whether all that stands in a column is another table's."""
    return all(cell is None or (key, k) in table.inherited for k, cell in enumerate(table[key]))


def _column(reader: Reader, table: Table, key: str, spec: FieldInfo) -> list[object]:
    """The checked values of column ``key``."""
    cells = table.columns.get(key, [None] * len(table))
    values: list[object] = [None if spec.is_required() else spec.default] * len(cells)
    empty = [k for k, cell in enumerate(cells) if cell is None and (key, k) not in table.inherited]
    for k in empty if spec.is_required() else ():
        reader.wrong(table.file, table.where(k), key, "is empty", "it has to be given")
    filled = {k: cell for k, cell in enumerate(cells) if cell is not None}
    for k, value in _checked(reader, table, key, spec, filled).items():
        values[k] = value
    return values


def _checked(
    reader: Reader, table: Table, key: str, spec: FieldInfo, cells: dict[int, object]
) -> dict[int, object]:
    """Cells as ``spec`` reads them, ``None`` where it refuses to."""
    kind: Any = GenericAlias(list, (spec.rebuild_annotation(),))
    adapter: TypeAdapter[list[object]] = TypeAdapter(
        kind, config=ConfigDict(coerce_numbers_to_str=True)
    )
    rows = list(cells)
    try:
        return dict(zip(rows, adapter.validate_python(list(cells.values())), strict=True))
    except ValidationError as error:
        refused = {rows[int(detail["loc"][0])]: detail for detail in error.errors()}
    for k, detail in refused.items():
        reader.wrong(table.file, table.where(k, key), key, *explain(detail))
    good = {k: cell for k, cell in cells.items() if k not in refused}
    return _checked(reader, table, key, spec, good) | dict.fromkeys(refused)


def check_unique(table: Table, column: str, reader: Reader) -> None:
    """No value stands twice in a column."""
    first: dict[object, int] = {}
    for k, value in enumerate(table[column]):
        if value is not None and first.setdefault(value, k) != k:
            wrong = f"{value} is in {table.where(first[value])} already"
            reader.wrong(table.file, table.where(k), column, wrong, f"give each {column} once")


def check_known(table: Table, column: str, known: Sequence[str], reader: Reader) -> None:
    """Every name in a column is one of ``known``; what it inherits is told where that stands."""
    for k, name in enumerate(table[column]):
        if name is not None and name not in known and (column, k) not in table.inherited:
            right = did_you_mean(name, known)
            reader.wrong(table.file, table.where(k), column, f"{name!r} is unknown", right)
