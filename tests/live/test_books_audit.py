"""The audit of a site's books: what is true holds, and a sceptic's lies are found."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select
from typer.testing import CliRunner

from databases import server
from hubwise.audit.books import audit_books
from hubwise.audit.report import Status
from hubwise.cli import app
from hubwise.store import SiteKey, open_engine
from hubwise.store.seals import seal_of
from hubwise.store.tables import acts, events, seals
from site_books import make_books

Rows = list[dict[str, Any]]
Lie = Callable[[Rows], object]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def books(request, tmp_path_factory):
    """A site's folder, its database, and what stands in it."""
    place = tmp_path_factory.mktemp("books")
    if request.param == "sqlite":
        yield from _books(place / "site", f"sqlite:///{place / 'site' / 'site.db'}")
        return
    with server(place / "pg") as made:
        yield from _books(place / "site", made(f"b{uuid.uuid4().hex[:10]}"))


def _books(folder: Path, url: str):
    make_books(folder, url)
    engine = open_engine(url)
    with engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(events))]
        sealed = [dict(row._mapping) for row in connection.execute(select(seals))]
    yield Books(folder, url, engine, sorted(rows, key=lambda row: row["position"]), sealed)
    engine.dispose()


class Books:
    """A database that lies are written into, and that is put right again."""

    def __init__(self, folder, url, engine, rows, sealed) -> None:
        self.folder, self.url, self.engine, self.rows, self.sealed = (
            folder,
            url,
            engine,
            rows,
            sealed,
        )

    def audit(self):
        return audit_books(self.folder, self.url)

    def write(self, rows: Rows, sealed: Rows) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(events))
            connection.execute(delete(seals))
            connection.execute(insert(events), rows)
            if sealed:
                connection.execute(insert(seals), sealed)

    def tell(self, lie: Lie, *, sealed_again: bool) -> None:
        told = [{**row, "said": json.loads(row["body"])} for row in deepcopy(self.rows)]
        lie(told)
        rows = [_row(each) for each in told]
        made = self.sealed
        if sealed_again:
            seal = seal_of(SiteKey.read(self.folder).key, "", rows)
            made = [{"position": rows[-1]["position"], "many": len(rows), "seal": seal}]
        self.write(rows, made)


def _row(told: dict[str, Any]) -> dict[str, Any]:
    """A careful liar's: the row says what its event says."""
    said = told["said"]
    body = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
    return {
        **{name: told[name] for name in ("position", "kind")},
        "received_at": said["received_at"].replace("Z", "+00:00"),
        **{"id": said["id"], "station": said["station"]},
        **{"transaction_id": said.get("transaction", ""), "body": body},
    }


def one(rows: Rows, name: str) -> dict[str, Any]:
    """What the event of an id says."""
    return next(row["said"] for row in rows if row["said"]["id"] == name)


def of(kind: str, rows: Rows) -> dict[str, Any]:
    return next(row["said"] for row in rows if row["kind"] == kind)


def drop(name: str) -> Lie:
    return lambda rows: rows.remove(next(row for row in rows if row["said"]["id"] == name))


def put(name: str, value: object, *path: str | int) -> Lie:
    """Say another value at a place of an event."""

    def lie(rows: Rows) -> None:
        place = one(rows, name)
        for step in path[:-1]:
            place = place[step]
        assert place[path[-1]] != value
        place[path[-1]] = value

    return lie


def add(kind: str, like: str, **changes: object) -> Lie:
    """One event more, made after another."""

    def lie(rows: Rows) -> None:
        row = deepcopy(next(row for row in rows if row["said"]["id"] == like))
        row["said"].update(changes)
        row["kind"] = kind
        rows.append(row)
        for number, each in enumerate(rows, start=1):
            each["position"] = number

    return lie


def swap(one_id: str, other_id: str) -> Lie:
    """Two events in each other's place."""

    def lie(rows: Rows) -> None:
        ids = [row["said"]["id"] for row in rows]
        first, second = (rows[ids.index(each)] for each in (one_id, other_id))
        for name in ("said", "kind", "received_at"):
            first[name], second[name] = second[name], first[name]

    return lie


def both(*lies: Lie) -> Lie:
    return lambda rows: [lie(rows) for lie in lies]


def _drop_line(rows: Rows) -> None:
    one(rows, "bill|S1:T1")["lines"].pop()


def _double_line(rows: Rows) -> None:
    lines = one(rows, "bill|S1:T1")["lines"]
    lines.append(deepcopy(lines[0]))


def _swap_lines(rows: Rows) -> None:
    one(rows, "bill|S2:T1")["lines"].reverse()


def _double_entry(rows: Rows) -> None:
    entries = one(rows, "bill|S1:T1")["entries"]
    entries.append(deepcopy(entries[0]))


def _drop_entry(rows: Rows) -> None:
    one(rows, "bill|S1:T1")["entries"].pop()


def _turn_entry(rows: Rows) -> None:
    entry = one(rows, "bill|S1:T1")["entries"][0]
    entry["debit"], entry["credit"] = entry["credit"], entry["debit"]


def _dearer_list(rows: Rows) -> None:
    """A price is raised in the list and in every bill that rests on it."""
    prices = of("prices", rows)["prices"]
    prices["charge"][11] = "0.99"
    for row in rows:
        if row["kind"] == "bill" and row["said"]["price_list"] == prices["list_id"]:
            for line in row["said"]["lines"]:
                line["charge_price"] = "0.99"


def _cent(rows: Rows) -> None:
    """A cent more on a bill, and in its entry: both sides still balance."""
    bill = one(rows, "bill|S1:T1")
    bill["paid"] = bill["entries"][0]["amount"] = f"{float(bill['paid']) + 0.01:.2f}"
    bill["rounding"] = str(float(bill["rounding"]) + 0.01)


def _move_energy(rows: Rows) -> None:
    """A kWh in the dearer hour; totals stay."""
    first, second = one(rows, "bill|S2:T1")["lines"][:2]
    for line, more in ((first, -1), (second, 1)):
        line["charged_kwh"] = str(float(line["charged_kwh"]) + more)


def _other_position(rows: Rows) -> None:
    """The bill before the end of its stay."""
    swap("bill|S1:T1", "S1|5|ended|75")(rows)


# Lies of whoever can write to the database and has the site's key too: each is found by deriving.
LIES: dict[str, Lie] = {
    "a line's energy": put("bill|S1:T1", "7", "lines", 0, "charged_kwh"),
    "a line's discharged energy": put("bill|S1:T1", "0.5", "lines", 1, "discharged_kwh"),
    "energy in another slot": _move_energy,
    "the bill's energy": put("bill|S1:T1", "6.5", "charged_kwh"),
    "the bill's discharged energy": put("bill|S1:T1", "0.9", "discharged_kwh"),
    "a charge price": put("bill|S1:T1", "0.01", "lines", 0, "charge_price"),
    "a discharge price": put("bill|S1:T1", "0.01", "lines", 1, "discharge_price"),
    "a slot's time": put("bill|S1:T1", "2026-03-02T09:00:00Z", "lines", 0, "slot_start"),
    "a line dropped": _drop_line,
    "a line doubled": _double_line,
    "lines out of order": _swap_lines,
    "what is paid": put("bill|S1:T1", "0.01", "paid"),
    "what is earned": put("bill|S1:T1", "9.00", "earned"),
    "a cent more, balanced": _cent,
    "rounding": put("bill|S1:T1", "0.005", "rounding"),
    "whose bill": put("bill|S1:T1", "driver:bob", "driver"),
    "the currency": put("bill|S1:T1", "SEK", "currency"),
    "the price list": put("bill|S1:T1", "another", "price_list"),
    "of another session": put("bill|S1:T1", "S9:T1", "session"),
    "of another transaction": put("bill|S1:T1", "T9", "transaction"),
    "resting on fewer messages": put("bill|S1:T1", 4, "heard"),
    "resting on more messages": put("bill|S1:T1", 99, "heard"),
    "an entry's amount": put("bill|S1:T1", "0.10", "entries", 0, "amount"),
    "an entry's account": put("bill|S1:T1", "someone", "entries", 0, "credit"),
    "an entry doubled": _double_entry,
    "an entry dropped": _drop_entry,
    "an entry turned round": _turn_entry,
    "a bill doubled": add("bill", "bill|S1:T1", id="bill|S1:T1|again"),
    "a bill dropped": drop("bill|S1:T1"),
    "a bill of a stay under way": add("bill", "bill|S1:T1", id="b", session="S6:T1", station="S6"),
    "a bill of nobody's stay": add("bill", "bill|S1:T1", id="b", session="S7:T1", station="S7"),
    "a bill before the end": _other_position,
    "a beginning dropped": drop("S1|0|started|0"),
    "an end dropped": drop("S1|5|ended|75"),
    "a number dropped": drop("S1|2|updated|30"),
    "a number changed": put("S1|2|updated|30", 7, "seq_no"),
    "a meter value": put("S2|3|updated|65", "105.9", "samples", 0, "value"),
    "the last meter value": put("S1|5|ended|75", "107", "samples", 0, "value"),
    "a meter value's unit": put("S1|5|ended|75", "MWh", "samples", 0, "unit"),
    "a meter value's time": put("S2|3|updated|65", "2026-03-02T10:40:00Z", "samples", 0, "at"),
    "where it was measured": put("S1|5|ended|75", "Inlet", "samples", 1, "location"),
    "when the car was plugged in": both(
        put("S5|0|started|100", "2026-03-02T12:31:00Z", "at"),
        put("S5|0|started|100", "2026-03-02T12:31:00Z", "received_at"),
    ),
    "who charged": put("S1|0|started|0", "tag-bob", "id_token"),
    "another station": put("S1|5|ended|75", "S2", "station"),
    "a late value dropped": drop("S3|None|updated|90"),
    "a price in the list": put(
        "prices|4ac02a2d30b5fe6f4723c837f320d5db|2026-03-02T10:00:00+00:00",
        "0.99",
        "prices",
        "charge",
        3,
    ),
    "a price in the list and in all bills": _dearer_list,
    "a list dropped": lambda rows: rows.remove(next(r for r in rows if r["kind"] == "prices")),
    "what the market said": put("purchase|1", "0.5", "prices", 120),
    "when the market said it": put("purchase|2", "2026-03-02T22:15:00Z", "begins"),
    "not on a quarter of an hour": put("purchase|2", "2026-03-02T21:37:00Z", "begins"),
    "a word of the market dropped": drop("purchase|2"),
    "the margin": put("prices|m", "0.16", "followed", "charge"),
    "the clock of a list that follows": put("prices|m", "Asia/Tokyo", "followed", "zone"),
    "no clock of a list that follows": put("prices|m", "../etc", "followed", "zone"),
    "from when a list follows": put("prices|m", "2026-03-02T18:00:00Z", "followed", "begins"),
    "before the market's word": swap("purchase|1", "prices|m"),
    "a peak that is none": put("peak|12", "7.5", "kw"),
    "a peak of another month": put("peak|12", "2026-05", "period"),
    "a peak of a month before": put("peak|12", "2026-02", "period"),
    "a peak of no quarter": put("peak|12", "2026-03-02T22:01:00Z", "begins"),
    "a peak to come": put("peak|12", "2026-03-02T22:15:00Z", "begins"),
    "a peak of nothing": put("peak|11", "0", "kw"),
    "who posted a list": put("prices|o|1", "mallory", "ordered", "by"),
    "why a list was posted": put("prices|o|1", "because", "ordered", "why"),
    "a list for the past": put("prices|o|1", "2026-03-02T18:00:00Z", "ordered", "begins_at"),
    "a posted list's name": put("prices|o|2", "p", "ordered", "order"),
    "when a list was taken back": put("prices|o|2", "2026-03-02T20:30:00Z", "ordered", "until"),
    "a list that goes on": put("prices|o|2", None, "ordered", "until"),
    "a list posted by nobody": drop("act|o|1"),
    "a list taken back by nobody": drop("act|o|2"),
    "a list's act alone": drop("prices|o|1"),
    "the end of a list's act alone": drop("prices|o|2"),
    "a limit by nobody": drop("act|l|1"),
    "a limit lifted by nobody": drop("act|l|2"),
    "a limit's act alone": drop("limit|l|1"),
    "the end of a limit's act alone": drop("limit|l|2"),
    "a limit's power": put("limit|l|1", "2.5", "most_kw"),
    "who limited": put("limit|l|1", "mallory", "by"),
    "why it was limited": put("limit|l|1", "because", "why"),
    "a limit twice": add("limit", "limit|l|1", id="limit|again"),
    "a limit before its act": swap("act|l|1", "limit|l|1"),
    "an operator's wish by nobody": drop("act|w|1"),
    "an operator's wish's act alone": drop("wish|S6:T1"),
    "whose tag": lambda rows: of("tag", rows).update(driver="bob"),
    "a tag's note dropped": lambda rows: rows.remove(next(r for r in rows if r["kind"] == "tag")),
    "rated power": lambda rows: of("known", rows).update(max_kw="0.5"),
    "rated power dropped": lambda rows: rows.remove(next(r for r in rows if r["kind"] == "known")),
    "the clock of prices": lambda rows: of("terms", rows).update(zone="Asia/Tokyo"),
    "a correction dropped": drop("correction|S3:1|1"),
    "a correction's number": put("correction|S3:1|1", 2, "number"),
    "a correction's reason": put("correction|S3:1|1", "", "because"),
    "a correction's credit": put("correction|S3:1|1", "0.01", "credit", 0, "amount"),
    "a correction's credit dropped": put("correction|S3:1|1", [], "credit"),
    "a correction's energy": put("correction|S5:T1|1", "4", "bill", "charged_kwh"),
    "a correction's payer": put("correction|S5:T1|1", "driver:bob", "bill", "driver"),
    "a correction doubled": add("correction", "correction|S5:T1|1", id="again"),
    "a correction of nothing": add(
        "correction", "correction|S5:T1|1", id="again", session="S6:T1", station="S6"
    ),
    "an act dropped": drop("act|S5:T1|245"),
    "an act's figures": put("act|S5:T1|245", "1", "figures", "charged_kwh"),
    "an act's session": put("act|S5:T1|245", "S1:T1", "what"),
    "an act's reason": put("act|S5:T1|245", "because", "why"),
    "an act's name": put("act|S5:T1|245", "mallory", "who"),
    "an act invented": add("act", "act|S5:T1|245", id="act|x", what="S6:T1", figures=None),
    "an act without effect invented": add("act", "act|S5:T1|245", id="act|y"),
    "a wish of another": put("wish|S1:T1", "driver:bob", "by"),
    "a wish beyond what was given": put("wish|S1:T1", "17", "required_kwh"),
    "a wish for a higher reserve": put("wish|S1:T1", "15.5", "reserve_kwh"),
    "a wish after the end": add("wish", "wish|S1:T1", id="w"),
    "an unknown kind": lambda rows: rows[1].update(kind="coffee"),
    "a field too many": put("b|S1", "x", "vendor") and (lambda r: r[1]["said"].update(more=1)),
    "no number": put("bill|S1:T1", "much", "paid"),
    "no finite number": put("bill|S1:T1", "NaN", "paid"),
    "a time without a zone": put("S1|2|updated|30", "2026-03-02T10:30:00", "at"),
}
# Lies that leave no trace but in the seals: nothing in the books rests on what they change.
SEAL_ALONE: dict[str, Lie] = {
    "an alarm dropped": drop("alarm|x"),
    "an alarm's words": put("alarm|x", "by a minute", "detail"),
    "what a station is": put("b|S1", "W", "vendor"),
    "a meter value within a slot": put("S1|2|updated|30", "103.4", "samples", 0, "value"),
    "a value of a stay under way": put("S6|2|updated|330", "102", "samples", 0, "value"),
    "events of two stations in each other's place": swap("S1|1|updated|15", "S2|1|updated|20"),
    "a stay and all of it dropped": lambda rows: [
        rows.remove(row) for row in list(rows) if row["said"]["station"] == "S2"
    ],
    "an event invented": add("alarm", "alarm|x", id="alarm|y"),
}


def failed(report) -> set[str]:
    found = (*report.failures, *report.having(Status.MISSED))
    return {check.name for check in found}


def test_true_books_hold(books) -> None:
    """Stays of all kinds, corrections, acts and wishes: nothing is found, nothing left out."""
    report = books.audit()
    assert not failed(report), report
    assert not report.having(Status.UNCHECKED)
    kinds = {row["kind"] for row in books.rows}
    assert {"bill", "correction", "act", "wish", "tag", "known", "terms"} <= kinds


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_found_by_deriving(books, name) -> None:
    """Also where the liar has the site's key and seals the books again."""
    books.tell(LIES[name], sealed_again=True)
    found = failed(books.audit())
    books.write(books.rows, books.sealed)
    assert found - {"events: seals"}, name


@pytest.mark.parametrize("name", [*SEAL_ALONE, "a line's energy", "a number dropped"])
def test_a_lie_breaks_the_seals(books, name) -> None:
    """Whoever has no key leaves a trace, whatever they change."""
    books.tell({**LIES, **SEAL_ALONE}[name], sealed_again=False)
    found = failed(books.audit())
    books.write(books.rows, books.sealed)
    assert "events: seals" in found


@pytest.mark.parametrize("name", SEAL_ALONE)
def test_what_the_key_can_hide(books, name) -> None:
    """Said openly in the docs: these, sealed again with the key, are not found."""
    books.tell(SEAL_ALONE[name], sealed_again=True)
    found = failed(books.audit())
    books.write(books.rows, books.sealed)
    assert not found


def test_a_seal_that_is_gone_is_found(books) -> None:
    """Seals dropped, all or the last: events without any are told."""
    for kept in ([], books.sealed[:-1], books.sealed[1:]):
        books.write(books.rows, kept)
        found = failed(books.audit())
        books.write(books.rows, books.sealed)
        assert found == {"events: seals"}


def test_the_list_of_acts_says_what_the_events_say(books) -> None:
    """An act's row that is dropped or changed, or one that no event has."""
    with books.engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(acts))]
    for lie in (
        [rows[0]],
        [{**rows[0], "who": "mallory"}, rows[1]],
        [*rows, {**rows[0], "number": 99}],
    ):
        with books.engine.begin() as connection:
            connection.execute(delete(acts))
            connection.execute(insert(acts), lie)
        found = failed(books.audit())
        with books.engine.begin() as connection:
            connection.execute(delete(acts))
            connection.execute(insert(acts), rows)
        assert found == {"acts: listed"}


def test_the_command_says_it_alike(books) -> None:
    """0 and a short table, 1 with the place of the lie, 2 where nothing can be read."""
    asked = ["audit", str(books.folder), "--store", books.url]
    fine = CliRunner().invoke(app, asked)
    assert fine.exit_code == 0, fine.output
    assert "checks hold" in fine.output
    books.tell(LIES["what is paid"], sealed_again=True)
    lied = CliRunner().invoke(app, [*asked, "--json"])
    books.write(books.rows, books.sealed)
    assert lied.exit_code == 1
    said = json.loads(lied.stdout)
    assert not said["ok"]
    amounts = next(each for each in said["checks"] if each["name"] == "bills: amounts")
    assert amounts["status"] == "fails"
    assert "bill|S1:T1" in amounts["where"]
    lost = CliRunner().invoke(app, ["audit", str(books.folder), "--store", "mysql://x/y"])
    assert lost.exit_code == 2
