"""Files in: text, TOML and tables, with everything that is wrong with them collected."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from hubwise.scenario.errors import Problem, did_you_mean, listed
from hubwise.scenario.messages import explain, path

TOML = "scenario.toml"

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Table:
    """A table's cells by column, checked one by one; ``None`` where a cell was refused.

    Parameters
    ----------
    file
        Name of the table's file.
    rows
        Number of each row, counted as a spreadsheet does.
    columns
        Values by column; every list as long as ``rows``.
    """

    file: str
    rows: list[int]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[Any]:
        return self.columns[column]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a scenario's files; what is wrong goes to ``problems`` and reading goes on."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, file: str, where: str, field: str, wrong: str, right: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(file, where, field, wrong, right))

    def toml(self) -> dict[str, Any] | None:
        """``scenario.toml`` as it stands, or nothing where it cannot be read."""
        text = self._text(TOML)
        if text is None:
            return None
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            where = f"line {line.group(1)}" if line else "end of the file"
            wrong = f"is not valid TOML: {str(error).split(' (at ')[0]}"
            self.wrong(TOML, where, "", wrong, "see https://toml.io for the notation")
            return None

    def section(self, name: str, model: type[Model], raw: object) -> Model | None:
        """``raw`` as a ``model``, or nothing where it is not one; ``name`` is its key's path."""
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            for detail in error.errors():
                *above, last = detail["loc"] or ("",)
                where = path([part for part in (name, *above) if part != ""])
                if isinstance(last, int):
                    where, last = path([*([where] if where else []), last]), ""
                self.wrong(TOML, where, last, *explain(detail, model))
            return None

    def table(self, name: str, model: type[BaseModel]) -> Table | None:
        """The table in file ``name``, its cells checked against ``model``."""
        cells = self._parquet(name) if name.endswith(".parquet") else self._csv(name)
        if cells is None or not self._has_columns(name, model, cells.columns):
            return None
        if not len(cells):
            self.wrong(name, "", "", "is empty", "it needs at least one row")
            return None
        known = {key: self._column(cells, key, model) for key in model.model_fields}
        return Table(name, cells.rows, known)

    def _bytes(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            there = sorted(p.name for p in self.folder.iterdir()) if self.folder.is_dir() else []
            self.wrong(name, "", "", "cannot be read", f"the folder holds {listed(there)}")
            return None

    def _text(self, name: str) -> str | None:
        content = self._bytes(name)
        if content is None:
            return None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self.wrong(name, f"line {line}", "", "is not UTF-8 text", "save the file as UTF-8")
            return None

    def _csv(self, name: str) -> Table | None:
        text = self._text(name)
        if text is None:
            return None
        reader = csv.reader(io.StringIO(text, newline=""))
        try:
            lines = [(reader.line_num, cells) for cells in reader if any(c.strip() for c in cells)]
        except csv.Error as error:
            self.wrong(name, f"row {reader.line_num}", "", f"is not CSV: {error}", "mend the row")
            return None
        if not lines:
            self.wrong(name, "", "", "is empty", "it needs a header and at least one row")
            return None
        header = [cell.strip() for cell in lines[0][1]]
        return self._rectangle(name, header, lines[1:])

    def _rectangle(
        self, name: str, header: list[str], lines: list[tuple[int, list[str]]]
    ) -> Table | None:
        twice = sorted({column for column in header if header.count(column) > 1})
        for column in twice:
            self.wrong(name, "row 1", column, "is there twice", "one column of each name")
        ragged = [(row, len(cells)) for row, cells in lines if len(cells) != len(header)]
        for row, count in ragged:
            self.wrong(
                name, f"row {row}", "", f"has {count} cells", f"the header has {len(header)}"
            )
        if twice or ragged:
            return None
        cells = [[cell.strip() or None for cell in cells] for _, cells in lines]
        columns = {key: [row[k] for row in cells] for k, key in enumerate(header)}
        return Table(name, [row for row, _ in lines], columns)

    def _parquet(self, name: str) -> Table | None:
        content = self._bytes(name)
        if content is None:
            return None
        try:
            frame = pl.read_parquet(io.BytesIO(content))
        except pl.exceptions.PolarsError as error:
            self.wrong(name, "", "", f"is not Parquet: {error}", "write the table again")
            return None
        columns = {column: frame[column].to_list() for column in frame.columns}
        return Table(name, list(range(1, frame.height + 1)), columns)

    def _has_columns(self, name: str, model: type[BaseModel], columns: dict[str, Any]) -> bool:
        fields = model.model_fields
        unknown = [column for column in columns if column not in fields]
        missing = [key for key, spec in fields.items() if spec.is_required() and key not in columns]
        for column in unknown:
            self.wrong(name, "row 1", column, "is not a known column", did_you_mean(column, fields))
        for key in missing:
            right = did_you_mean(key, unknown) if unknown else f"columns are {listed(fields, 30)}"
            self.wrong(name, "row 1", key, "is a missing column", right)
        return not missing

    def _column(self, cells: Table, key: str, model: type[BaseModel]) -> list[Any]:
        """The values of column ``key``, ``None`` where refused; refusals are noted."""
        spec = model.model_fields[key]
        given = cells.columns.get(key, [None] * len(cells))
        values = [None] * len(cells) if spec.is_required() else [spec.get_default()] * len(cells)
        filled = [k for k, cell in enumerate(given) if cell is not None]
        if spec.is_required():
            for k in sorted(set(range(len(cells))) - set(filled)):
                self.wrong(
                    cells.file, f"row {cells.rows[k]}", key, "is empty", "it has to be given"
                )
        adapter: TypeAdapter[Any] = TypeAdapter(
            list[spec.rebuild_annotation()],  # type: ignore[misc]
            config=ConfigDict(coerce_numbers_to_str=True),
        )
        try:
            good = filled
            checked = adapter.validate_python([given[k] for k in filled])
        except ValidationError as error:
            refused = {filled[int(detail["loc"][0])] for detail in error.errors()}
            for detail in error.errors():
                row = cells.rows[filled[int(detail["loc"][0])]]
                self.wrong(cells.file, f"row {row}", key, *explain(detail))
            good = [k for k in filled if k not in refused]
            checked = adapter.validate_python([given[k] for k in good])
            values = [None if k in refused else value for k, value in enumerate(values)]
        for k, value in zip(good, checked, strict=True):
            values[k] = value
        return values
