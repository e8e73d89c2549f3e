"""Tables of others: charging sessions, their columns known by several names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import BaseModel

from hubwise.scenario.errors import closest
from hubwise.scenario.files import Finite, Word
from hubwise.scenario.reading import Reader
from hubwise.scenario.rows import Moment
from hubwise.scenario.tables import Table, check_cells, read_cells

# The names of ACN-Data and plain ones, by what they mean here.
_SESSION_NAMES = {
    "session_id": "session",
    "id": "session",
    "user_id": "driver",
    "estimated_departure": "stated_departure",
    "requested_energy (kWh)": "energy_kwh",
}


class ForeignSession(BaseModel):
    """One row of a table of charging sessions; ``departure`` is the actual one."""

    session: Word | None = None
    driver: Word | None = None
    hub: Word = "site"
    arrival: Moment
    departure: Moment
    stated_departure: Moment | None = None
    energy_kwh: Finite = 0.0
    claimed: bool = True


def read_foreign_sessions(reader: Reader, name: str) -> tuple[Table | None, list[str]]:
    """The sessions in file ``name``, and the columns that were passed over."""
    raw = read_cells(reader, name)
    if raw is None:
        return None, []
    names = {column: _SESSION_NAMES.get(column, column) for column in raw.columns}
    energy = [column for column, known in names.items() if known == "energy_kwh"]
    if not energy:
        found = closest("energy_kwh", raw.columns)
        right = f"is it what {found!r} is meant to be?" if found else "add it"
        reader.wrong(name, "row 1", "energy_kwh", "is a missing column", right)
    table = _checked(reader, raw, names, ForeignSession)
    unused = [column for column, known in names.items() if known not in ForeignSession.model_fields]
    return table, unused


def _checked(
    reader: Reader, raw: Table, names: Mapping[str, str], model: type[BaseModel]
) -> Table | None:
    """The columns of ``model``; problems keep the names that the file itself uses."""
    known = {new: old for old, new in names.items() if new in model.model_fields}
    renamed = Table(raw.file, raw.rows, {new: raw.columns[old] for new, old in known.items()})
    before = len(reader.issues)
    table = check_cells(reader, renamed, model)
    reader.issues[before:] = [
        replace(issue, field=known.get(issue.field, issue.field))
        for issue in reader.issues[before:]
    ]
    return table
