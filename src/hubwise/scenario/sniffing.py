"""Files as other programs save them: what they are shows in what they hold, never in their name.

Text of any usual encoding and delimiter, workbooks, Parquet, JSON and XML, packed or not, become
a `Document`; a table's cells stay texts, and `decimal_mark` and `number` read figures in them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypeGuard
from xml.etree import ElementTree

from hubwise.scenario.reading import MOST_BYTES, MOST_CELLS, Reader
from hubwise.scenario.tables import parquet_frame

_TOO_LARGE = f"is larger than {MOST_BYTES // 2**20} MiB when unpacked"
_PART = "give the part of it that is needed"
_DELIMITERS = ",;\t|"
_LEAST_EPOCH = 1e9  # seconds since 1970 are more
_LOOKED_AT, _LOOKED_FAR = 60, 2**20  # lines that tell the delimiter and the header; and letters
_HIDDEN = re.compile(r"/$|^__MACOSX/|(?:^|/)\.")  # folders, and what systems pack beside files
# What damage of a workbook comes to, in three libraries.
_NO_WORKBOOK = (
    *(OSError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, EOFError),
    *(SyntaxError, RuntimeError, zipfile.BadZipFile, zlib.error),
)
_PAGES = ("results", "data", "records", "items")
_EMPTY = frozenset({"", "-", "--", "\u2013", "n/a", "n/e", "na", "nan", "null", "none", "?"})
# Figures with thousands apart, in threes (in India pairs before them), by their decimal mark.
_GROUPED = {
    mark: re.compile(rf"[-+]?\d{{1,3}}(?:{other}\d{{2,3}})*{other}\d{{3}}(?:[{mark}]\d*)?")
    for mark, other in ((".", ","), (",", "[.]"))
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of texts.

    Parameters
    ----------
    file
        Name of the table's file.
    header
        The columns' names, stripped; an empty one where a column has none.
    rows
        Number of each row: its line in a text, its row in a workbook, its place in Parquet.
    cells
        The cells of each row, stripped, as many as the header has; empty ones are ``""``.
    delimiter
        What separated the cells; empty where nothing did (workbook, Parquet).
    short
        Numbers of rows that end before the header does; their last cells are empty ones.
    title
        Name of the worksheet; empty where there are no others.
    """

    file: str
    header: list[str]
    rows: list[int]
    cells: list[list[str]]
    delimiter: str = ""
    short: frozenset[int] = frozenset()
    title: str = ""

    def column(self, name: str) -> list[str]:
        """The cells of the first column of that name; KeyError where there is none."""
        if name not in self.header:
            raise KeyError(name)
        k = self.header.index(name)
        return [cells[k] for cells in self.cells]


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds: a table, a JSON value or an XML tree; the others are ``None``.

    A JSON value that is a list of records, or holds one, is a table as well (`records`). Worksheets
    of a workbook that have another header than the first are ``others``.
    """

    file: str
    sheet: Sheet | None = None
    data: object = None
    tree: ElementTree.Element | None = None
    others: tuple[Sheet, ...] = ()


def read_document(reader: Reader, name: str) -> Document | None:
    """What is in file ``name``, or nothing where it cannot be read; problems go to the reader."""
    content = reader.content(name)
    content = None if content is None else _unpacked(reader, name, content)
    if content is None:
        return None
    if content[:4] == b"\xd0\xcf\x11\xe0":
        reader.wrong(name, "", "", "is a workbook of the old kind, .xls", "save it as .xlsx or CSV")
        return None
    if content[:4] == b"PK\x03\x04":
        first, *rest = _workbook(reader, name, content) or [None]
        return None if first is None else Document(name, first, others=tuple(filter(None, rest)))
    if content[:4] == b"PAR1":
        return _of_sheet(name, _parquet(reader, name, content))
    text = decoded(content)
    start = text.lstrip()[:1]
    if start and start in "{[":
        return _json(reader, name, text)
    if start == "<":
        return _xml(reader, name, text)
    return _of_sheet(name, _delimited(reader, name, text))


def read_sheet(reader: Reader, name: str) -> Sheet | None:
    """The table in file ``name``, or nothing where it holds none; problems go to the reader."""
    document = read_document(reader, name)
    if document is not None and document.sheet is None:
        kind = "JSON" if document.tree is None else "XML"
        reader.wrong(name, "", "", f"holds {kind}, not a table", "give a table with a header")
    return None if document is None else document.sheet


def records(name: str, data: object) -> Sheet | None:
    """The longest list of records in a JSON value, as a table; nothing where it has none.

    Lists of figures or texts side by side, all as long, are columns; pages one after the other
    are one list, and pairs of an epoch and a figure are records of ``start`` and ``value``.

    A record within a record gives columns such as ``cdr_token.uid``; lists within it are left out.
    """
    lists = [data, *data.values()] if isinstance(data, dict) else [data, of_pages(data)]
    lists += [_of_pairs(one) for one in lists]
    rows = max((one for one in lists if _are_records(one)), key=len, default=[])
    if not rows and isinstance(data, dict):
        rows = _of_columns(data)
    return laid_out(name, [dict(leaves(row)) for row in rows])


def laid_out(name: str, flat: Sequence[Mapping[str, str]]) -> Sheet | None:
    """Records as a table, empty cells where one has no value.

    Nothing where there are no values, or where records have so little in common that the table
    would be far larger than they are.
    """
    header = list(dict.fromkeys(key for row in flat for key in row))
    if not header or len(header) * len(flat) > MOST_CELLS:
        return None
    cells = [[row.get(key, "") for key in header] for row in flat]
    return Sheet(name, header, list(range(1, len(flat) + 1)), cells)


def leaves(value: object, path: str = "", *, last: bool = False) -> Iterator[tuple[str, str]]:
    """The paths of the figures and texts in a JSON value, such as ``cdr_token.uid``, and these.

    Lists are left out, or with ``last`` stand for their last item.
    """
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}" if path else str(key), last=last)
    elif isinstance(value, list):
        yield from leaves(value[-1], path, last=last) if last and value else ()
    else:
        yield path, str(value).lower() if isinstance(value, bool) else _text(value).strip()


def decoded(content: bytes) -> str:
    """Text in UTF-8 or UTF-16, with or without a mark, else in Western Europe's code page."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    head = content[:2000]
    if head.count(0) > len(head) // 4:
        return content.decode("utf-16-le" if head[1:2] == b"\0" else "utf-16-be", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def decimal_mark(cells: Iterable[str], delimiter: str = "") -> str:
    """The decimal mark of a column of figures, ``.`` or ``,``, by all of its cells together.

    A comma before a full stop separates thousands. Where only commas are there they are decimal,
    unless cells are separated by commas and each stands before three digits, as in ``1,234``.
    """
    marked = [cell for cell in cells if "," in cell]
    if any(cell.count(",") > 1 or cell.rfind(".") > cell.rfind(",") for cell in marked):
        return "."
    if not marked:
        return "."
    thousands = all(re.search(r"(?<!\d)[1-9]\d{0,2},\d{3}(?!\d)", cell) for cell in marked)
    return "." if thousands and delimiter in ("", ",") else ","


def number(cell: str, mark: str = ".") -> float | None:
    """The figure in a cell, a currency's sign or unit aside; nothing where it is left empty.

    Raises
    ------
    ValueError
        Where the cell holds something that is not a figure, or one with another decimal mark.
    """
    if is_empty(cell):
        return None
    plain = re.sub(r"[\s\u00a0\u202f'\u2019]|[€£$¥]", "", cell).replace("\u2212", "-")
    if plain.startswith("(") and plain.endswith(")"):
        plain = "-" + plain[1:-1]
    other = "." if mark == "," else ","
    if other in plain and not _GROUPED[mark].fullmatch(plain):
        raise ValueError(f"{cell!r} is not a figure whose decimal mark is {mark!r}")
    plain = plain.replace(other, "").replace(mark, ".")
    value = float(plain) if re.fullmatch(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?", plain) else None
    if value is None or not abs(value) < float("inf"):
        raise ValueError(f"{cell!r} is not a figure")
    return value


def is_empty(cell: str) -> bool:
    """Whether a cell says that nothing is known, such as an empty one or ``n/e``."""
    return cell.strip().casefold() in _EMPTY


def _unpacked(reader: Reader, name: str, content: bytes) -> bytes | None:
    """What a gzip or a zip of a single file holds; other contents as they stand."""
    try:
        for _ in range(2):  # a gzip within a zip, or the other way round
            if content[:2] == b"\x1f\x8b":
                with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                    content = packed.read(MOST_BYTES + 1)
            elif content[:4] == b"PK\x03\x04":
                content = _single(content)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError):
        reader.wrong(name, "", "", "cannot be unpacked", "pack it again")
        return None
    except ValueError as error:
        large = str(error) == _TOO_LARGE
        right = _PART if large else "unpack it and give one of them"
        reader.wrong(name, "", "", str(error), right)
        return None
    if len(content) > MOST_BYTES:
        reader.wrong(name, "", "", _TOO_LARGE, _PART)
        return None
    return content


def _single(content: bytes) -> bytes:
    """The only file in a zip; a workbook, which is a zip itself, as it stands."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        names = [entry for entry in packed.namelist() if not _HIDDEN.search(entry)]
        if "[Content_Types].xml" in names:
            if sum(entry.file_size for entry in packed.infolist()) > MOST_BYTES:
                raise ValueError(_TOO_LARGE)
            return content
        if len(names) != 1:
            raise ValueError(f"is a zip of {len(names)} files, not of one")
        with packed.open(names[0]) as entry:
            return entry.read(MOST_BYTES + 1)


def _of_sheet(name: str, sheet: Sheet | None) -> Document | None:
    return None if sheet is None else Document(name, sheet)


def _json(reader: Reader, name: str, text: str) -> Document | None:
    if not reader.fits(name, 0, sum(map(text.count, ",:[{")), of="values"):
        return None
    try:
        data = _values(text)
        return Document(name, records(name, data), data)
    except (json.JSONDecodeError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        reader.wrong(name, where, "", "begins as JSON but is not", "download it again, whole")
        return None


def _values(text: str) -> object:
    """The value in JSON, or a list of those that stand line by line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if error.msg != "Extra data" or not all(line.lstrip()[:1] == "{" for line in lines):
            raise
        return [json.loads(line) for line in lines]


def of_pages(data: object) -> list[object]:
    """The records of pages of an answer, one after the other; none where these are no pages."""
    if not _are_records(data):
        return []
    for key in _PAGES:
        pages = [page.get(key) for page in data]
        if all(isinstance(page, list) for page in pages):
            return [row for page in pages if isinstance(page, list) for row in page]
    return []


def _of_pairs(data: object) -> list[dict[str, object]]:
    """Records made of pairs such as ``[1747173600000, 60.5]``; none where these are none."""
    if not isinstance(data, list) or not all(
        isinstance(pair, list)
        and len(pair) == 2
        and isinstance(pair[0], int | float)
        and pair[0] > _LEAST_EPOCH
        and isinstance(pair[1], int | float | None)
        for pair in data
    ):
        return []
    return [{"start": start, "value": value} for start, value in data]


def _are_records(value: object) -> TypeGuard[list[dict[str, object]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _of_columns(data: dict[str, object]) -> list[dict[str, object]]:
    """The records that lists of equal length, and single values, make side by side."""
    columns = {key: value for key, value in data.items() if isinstance(value, list) and value}
    lengths = {len(column) for column in columns.values()}
    if len(columns) < 2 or len(lengths) > 1:
        return []
    same = {key: value for key, value in data.items() if isinstance(value, int | float | str)}
    return [same | {key: column[k] for key, column in columns.items()} for k in range(*lengths)]


def _xml(reader: Reader, name: str, text: str) -> Document | None:
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text, count=1)  # its encoding is decoded already
    page = "<html" in text[:2000].lower()
    if not reader.fits(name, text.count("</") + text.count("/>"), text.count("="), of="attributes"):
        return None
    try:
        if page or "<!DOCTYPE" in text[:2000]:
            raise ElementTree.ParseError("a web page or a document type of its own")
        return Document(name, tree=ElementTree.fromstring(text))
    except ElementTree.ParseError:
        wrong = "is a web page, not data" if page else "is not whole XML"
        reader.wrong(name, "", "", wrong, "download the data again")
        return None


def _delimited(reader: Reader, name: str, text: str) -> Sheet | None:
    delimiter = _delimiter(text)
    rows = text.count("\n") + text.count("\r")
    if not reader.fits(name, rows // (1 + ("\r\n" in text)), rows + text.count(delimiter)):
        return None
    closed = re.sub(rf'" +(?={re.escape(delimiter)}|[\r\n])', '"', text)  # as in "May, 2025" ,x
    lines = csv.reader(
        io.StringIO(closed, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    try:
        numbered = [(lines.line_num, cells) for cells in lines if any(map(str.strip, cells))]
    except csv.Error as error:
        reader.wrong(name, f"row {lines.line_num}", "", f"is not CSV: {error}", "mend the row")
        return None
    return _sheet(reader, name, numbered, delimiter)


def _delimiter(text: str) -> str:
    """What separates cells: what splits most of the first lines into equally many."""
    head = "\n".join(text[:_LOOKED_FAR].splitlines()[:_LOOKED_AT])

    def score(delimiter: str) -> tuple[float, int]:
        try:
            found = csv.reader(io.StringIO(head), delimiter=delimiter, skipinitialspace=True)
            lines = [len(cells) for cells in found]
        except csv.Error:
            return 0.0, 0
        usual, count = Counter(n for n in lines if n).most_common(1)[0] if any(lines) else (1, 0)
        return (count / len(lines), usual) if usual > 1 else (0.0, 0)

    return max(_DELIMITERS, key=score)


def _workbook(reader: Reader, name: str, content: bytes) -> list[Sheet | None]:
    """The tables in the worksheets: those with the same header are one, below each other."""
    try:
        worksheets = _worksheets(content)
    except _NO_WORKBOOK:
        reader.wrong(name, "", "", "is not a workbook that can be read", "save it as CSV")
        return []
    bodies = dict[tuple[str, ...], list[tuple[int, list[str]]]]()
    titles = dict[tuple[str, ...], str]()
    for title, texts in worksheets:
        found = _from_header([one for one in texts if any(one[1])])
        header = tuple(cell.strip().casefold() for cell in found[0][1]) if found else ()
        titles.setdefault(header, title)
        bodies.setdefault(header, found[:1]).extend(found[1:])
    whole = {header: body for header, body in bodies.items() if len(body) > 1}
    if not whole:
        return [_sheet(reader, name, [], "")]
    tables = {header: _sheet(reader, name, body, "") for header, body in whole.items()}
    titled = len(tables) > 1
    return [
        replace(table, title=titles[header] if titled else "") if table else None
        for header, table in tables.items()
    ]


def _worksheets(content: bytes) -> list[tuple[str, list[tuple[int, list[str]]]]]:
    """The title and the numbered lines of each worksheet; they are unpacked as they are read."""
    import openpyxl  # only here: it takes a while to import

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    return [
        (
            sheet.title,
            [
                (row, [_text(value) for value in line])
                for row, line in enumerate(sheet.iter_rows(values_only=True), 1)
            ],
        )
        for sheet in book.worksheets
    ]


def _parquet(reader: Reader, name: str, content: bytes) -> Sheet | None:
    frame = parquet_frame(reader, name, content)
    if frame is None:
        return None
    lines = [(k, [_text(value) for value in line]) for k, line in enumerate(frame.iter_rows(), 1)]
    return _sheet(reader, name, [(0, list(frame.columns)), *lines], "")


def _text(value: object) -> str:
    """A typed cell as a text; what a workbook holds as a whole number is written as one."""
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):  # how workbooks keep 24:00 and longer
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _sheet(
    reader: Reader, name: str, lines: list[tuple[int, list[str]]], delimiter: str
) -> Sheet | None:
    """The table in numbered lines: its header is the first line as wide as most are."""
    lines = [(row, [cell.strip() for cell in cells]) for row, cells in lines]
    body = list(_from_header(lines))
    if len(body) < 2:
        reader.wrong(name, "", "", "is empty", "it needs a header and at least one row")
        return None
    header = body[0][1]
    wide = len(header)
    for row, cells in body[1:]:
        if len(cells) < wide or any(cells[wide:]):
            right = f"give {wide}, as the header does"
            if delimiter == "," and len(cells) > wide:
                right += "; numbers with a decimal comma need quotes around them"
            reader.wrong(name, f"row {row}", "", f"has {len(cells)} cells", right)
    full = [(cells + [""] * wide)[:wide] for _, cells in body[1:]]
    short = frozenset(row for row, cells in body[1:] if len(cells) < wide)
    return Sheet(name, header, [row for row, _ in body[1:]], full, delimiter, short)


def _from_header(lines: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """The lines from the header on; titles above it are narrower, and comments begin with ``#``.

    It is the first line of words above the first with figures that is as wide as most lines are,
    else the first of these at all.
    """
    head = lines[:_LOOKED_AT]
    widths = Counter(_width(cells) for _, cells in head)
    usual = widths.most_common(1)[0][0] if widths else 0
    least = min(usual, 2)
    wide = [k for k, (_, cells) in enumerate(head) if _width(cells) >= least]
    full = [k for k in wide if _width(head[k][1]) >= usual]
    data = next((k for k in full if _has_figures(head[k][1])), 0)
    words = [k for k in wide if k < data]
    words = [k for k in words if not head[k][1][0].startswith("#")] or words
    words = [k for k in words if _width(head[k][1]) >= usual] or words
    return lines[(words or wide or [len(lines)])[0] :]


def _has_figures(cells: list[str]) -> bool:
    """Whether a line holds a figure or a time, as headers do not; a comment is none."""
    if cells[0].startswith("#"):
        return False
    return any(re.match(r"[-+(€£$]*\d", cell) or re.search(r"\d:\d\d", cell) for cell in cells)


def _width(cells: list[str]) -> int:
    return max((k for k, cell in enumerate(cells, 1) if cell), default=0)
