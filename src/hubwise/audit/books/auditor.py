"""One pass over a site's events, in order: every bill is held against what stood before it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from hubwise.audit.books.acts import Acts
from hubwise.audit.books.bills import Examiner, Noted, said_curves
from hubwise.audit.books.database import Database, Row, opened
from hubwise.audit.books.faults import Faults
from hubwise.audit.books.forms import Said, WrongFormError, said_by
from hubwise.audit.books.market import Known
from hubwise.audit.books.meters import slots
from hubwise.audit.books.money import accepted, list_faults, order_words
from hubwise.audit.books.peaks import Peaks
from hubwise.audit.books.seals import Seals, read_key
from hubwise.audit.books.stays import Stay, Stays
from hubwise.audit.books.wishes import Wishes
from hubwise.audit.report import AuditReport, Check, Status

# A site that is served posts what is due within seconds.
SOON = timedelta(minutes=1)
NO_KEY = "site.key is not here; without it seals cannot be made again"


def is_site(folder: Path) -> bool:
    """Whether a folder is a live site's."""
    return (folder / "site.toml").exists()


def audit_books(folder: Path, url: str | None = None) -> AuditReport:
    """The books of a site, checked; of what is being written, what was committed.

    Parameters
    ----------
    folder
        The site's folder.
    url
        The database; else where the site was served last.
    """
    try:
        with opened(folder, url) as database:
            return AuditReport(folder, _checked(folder, database))
    except ValueError as error:
        broken = Check(
            "books: readable",
            "the site's database can be read",
            Status.FAILS,
            where=str(error),
            advice="name another with --store, or serve the site once",
        )
        return AuditReport(folder, (broken,))


def _checked(folder: Path, database: Database) -> tuple[Check, ...]:
    key, faults = read_key(folder), Faults()
    seals = Seals(key or b"", database.seals() if key else {}, faults)
    audit = Audit(faults)
    for row in database.events():
        if key is not None:
            seals.take(row)
        audit.take(row)
    if key is not None:
        seals.end()
    audit.end(database.acts())
    return faults.checks({} if key else {"events: seals": NO_KEY})


class Audit:
    """What was seen so far.

    Parameters
    ----------
    faults
        Where faults go.
    """

    def __init__(self, faults: Faults) -> None:
        """Nothing was seen yet."""
        self._faults, self._noted, self._stays = faults, Noted(), Stays()
        self._market, self._peaks = Known(), Peaks()
        self._examiner = Examiner(self._noted, faults)
        self._acts = Acts(faults)
        self._wishes = Wishes(self._noted, self._acts, faults)
        self._seen: set[str] = set()
        self._position = 0
        self._last_at = ""

    def take(self, row: Row) -> None:
        """The next event."""
        if row.position <= self._position or row.id in self._seen:
            self._faults.add("events: order", row.place)
        self._position = row.position
        self._seen.add(row.id)
        try:
            said = said_by(row.kind, row.body)
        except WrongFormError as error:
            self._faults.add("events: form", row.place, str(error))
            return
        columns = (row.id, row.station, row.transaction, row.received_at)
        own = (said["id"], said["station"], said.get("transaction", ""))
        if columns != (*own, said["received_at"].isoformat()):
            self._faults.add("events: form", row.place, "its row says something else")
        self._last_at = max(self._last_at, row.received_at)
        self._apply(row, said)

    def _apply(self, row: Row, said: Said) -> None:
        self._noted.take(row.kind, said)
        if row.kind == "transaction":
            self._stays.take(said)
        elif row.kind == "prices":
            self._faults.add_all("prices: posted", row.place, list_faults(said["prices"]))
            if said["followed"] is not None:
                found = self._market.list_faults(said)
                self._faults.add_all("prices: followed", row.place, found)
            if said["ordered"] is not None:
                self._ordered(row, said)
        elif row.kind == "peak":
            self._faults.add_all("peaks: noted", row.place, self._peaks.faults(said))
        elif row.kind == "purchase":
            self._faults.add_all("prices: followed", row.place, self._market.take(said))
        elif row.kind in ("bill", "correction"):
            stay = self._stays.by_name.get(said["session"])
            stay = stay if stay and stay.station == said["station"] else None
            look = self._examiner.bill if row.kind == "bill" else self._examiner.correction
            look(said, stay, row.place)
        elif row.kind == "act":
            self._acts.take(said, row.place)
        elif row.kind == "limit":
            self._acts.limit(said, row.place)
        elif row.kind == "wish":
            self._wishes.take(said, self._stays.by_name.get(said["session"]), row.place)

    def _ordered(self, row: Row, said: Said) -> None:
        """A list that an operator posted, against what was said of it before."""
        posted = self._noted.posted[:-1]
        same = [
            each
            for each in posted
            if each["ordered"] and each["ordered"]["order"] == said["ordered"]["order"]
        ]
        found = order_words(said, same[-1] if same else None)
        self._faults.add_all("prices: ordered", row.place, found)
        if not self._acts.posted(said, first=not same):
            what = "no act of who posted it stands before it"
            self._faults.add("prices: ordered", row.place, what)

    def end(self, listed: list[tuple[str, ...]]) -> None:
        """Nothing follows; ``listed``: the acts that the site shows."""
        for stay in self._stays.by_name.values():
            self._due(stay)
            self._wishes.kept(stay, self._examiner)
        self._acts.end()
        self._balance()
        acts = {
            name: tuple(str(each[word]) for word in ("who", "verb", "what", "why"))
            for name, each in self._noted.acts.items()
        }
        shown = [(row[0], row[1:]) for row in listed if row[0]]
        for name in sorted({*acts, *(name for name, _ in shown)}):
            rows = [said for each, said in shown if each == name]
            if rows != [acts.get(name)]:
                self._faults.add("acts: listed", name, "the list of acts says something else")

    def _due(self, stay: Stay) -> None:
        """A stay that is whole has a bill, and the one that stands is by all that was heard."""
        heard, case = stay.all, self._examiner.cases.get(stay.name)
        if heard.why_not_whole() or self._noted.zone is None:
            return
        acts = [
            (name, act)
            for name, act in self._noted.acts.items()
            if act["what"] == stay.name and act["figures"]
        ]
        last = acts[-1][1] if acts else heard.messages[-1]
        if self._is_soon(last):
            return
        if case is None:
            curves, doubts = self._examiner.metered(heard, stay.station)
            known = stay.station in self._noted.most_kw
            if acts or (known and not doubts):
                self._faults.add("bills: due", stay.name, "has no bill")
            return
        if acts:
            self._same(stay, case.bill, said_curves(acts[-1][1]["figures"]))
        elif case.bill["heard"] < stay.heard:
            curves, doubts = self._examiner.metered(heard, stay.station)
            if not doubts:
                self._same(stay, case.bill, curves)

    def _is_soon(self, said: Said) -> bool:
        at = said["received_at"] + SOON
        return bool(at.isoformat() > self._last_at)

    def _same(self, stay: Stay, bill: Said, curves: object) -> None:
        """Whether the bill that stands has the energies that are known by now."""
        assert isinstance(curves, list)
        assert self._noted.zone is not None
        prices = accepted(self._noted.posted, stay.all.plugged_in(stay.opened_at))
        if prices is None:
            return
        for side, curve in zip(("charged_kwh", "discharged_kwh"), curves, strict=True):
            right = slots(curve, self._noted.zone, prices["slot_minutes"])
            lines = {line["slot_start"]: line[side] for line in bill["lines"] if line[side]}
            near = 1e-9 * (len(curve) + 1)
            if any(
                abs(float(right.get(at, 0)) - float(lines.get(at, 0))) > near
                for at in {*right, *lines}
            ):
                self._faults.add("bills: due", stay.name, "more is known by now than is billed")

    def _balance(self) -> None:
        """What entries leave on drivers' accounts, against what the bills derived come to."""
        due: dict[str, Decimal] = {}
        for case in self._examiner.cases.values():
            paid, earned = case.due
            driver = case.bill["driver"]
            due[driver] = due.get(driver, Decimal()) + paid - earned
        held = self._examiner.held
        for account in sorted({*due, *held}):
            if due.get(account, Decimal()) != held.get(account, Decimal()):
                said = f"{held.get(account, 0)}, bills come to {due.get(account, 0)}"
                self._faults.add("ledger: balance", account, said)
