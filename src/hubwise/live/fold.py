"""What a site knows, as a fold over its events; an event costs the same however many there are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from hubwise.domain.events import (
    Acted,
    Alarmed,
    BillCorrected,
    BillPosted,
    Booted,
    Connected,
    Event,
    LimitSaid,
    NeedsSaid,
    PeakNoted,
    Phase,
    PriceList,
    PricesPosted,
    PurchaseNoted,
    StationNoted,
    StatusSaid,
    TagNoted,
    TermsNoted,
    TransactionSaid,
    WishSaid,
)
from hubwise.live.clocks import QUARTER, is_set, quarter_of
from hubwise.live.offered import Offered
from hubwise.live.peaks import Peaks
from hubwise.live.purchase import Purchase

MOST_ALARMS = 1_000


class SessionStatus(StrEnum):
    """How far a session's books are."""

    OPEN = "open"
    PROVISIONAL = "provisional"
    FINAL = "final"
    QUARANTINED = "quarantined"


@dataclass(slots=True)
class Numbers:
    """Sequence numbers seen: a gapless run and what lies beyond it."""

    low: int = -1
    high: int = -1
    beyond: set[int] = field(default_factory=set)

    def has(self, number: int) -> bool:
        """Whether a number was seen."""
        return self.low <= number <= self.high or number in self.beyond

    def see(self, number: int) -> None:
        """Remember a number."""
        if self.low < 0:
            self.low = self.high = number
        elif not self.low <= number <= self.high:
            self.beyond.add(number)
        while self.high + 1 in self.beyond:
            self.high += 1
            self.beyond.remove(self.high)
        while self.low - 1 in self.beyond:
            self.low -= 1
            self.beyond.remove(self.low)

    @property
    def highest(self) -> int:
        """The highest number seen; below 0 where none was."""
        return max(self.high, *self.beyond, -1)

    def holds_all(self, first: int, last: int) -> bool:
        """Whether every number from the first to the last was seen."""
        return self.low <= first and last <= self.high


@dataclass(slots=True)
class Session:
    """A transaction of a station, from plug-in to departure.

    Parameters
    ----------
    session
        Identifier.
    station, transaction
        The station's own identifier of it; for 1.6 the number given out.
    opened_at
        When the site first heard of it.
    evse, protocol, id_token
        As said; empty or 0 if not yet.
    started, ended
        The first message of its kind, without its samples.
    last_at
        The latest believable time said.
    numbers
        Sequence numbers seen.
    heard
        How many messages; grows with each.
    billed, corrections
        Its bill, which is kept for ever, and what stands in its place since.
    act
        The operator's last word on its energies.
    wish
        What the driver wants of the stay, as said last.
    settled_at, blocked
        What ``state`` was when it was last settled, and whether something stood against a bill.
    """

    session: str
    station: str
    transaction: str
    opened_at: datetime
    evse: int = 0
    protocol: str = ""
    id_token: str = ""
    started: TransactionSaid | None = None
    ended: TransactionSaid | None = None
    last_at: datetime | None = None
    numbers: Numbers = field(default_factory=Numbers)
    heard: int = 0
    billed: BillPosted | None = None
    corrections: list[BillCorrected] = field(default_factory=list)
    act: Acted | None = None
    wish: WishSaid | None = None
    settled_at: tuple[int, str] = (-1, "")
    blocked: bool = False

    @property
    def state(self) -> tuple[int, str]:
        """What a settlement rests on: how many messages, and which act."""
        return self.heard, self.act.id if self.act else ""

    @property
    def plugged_in(self) -> datetime:
        """When its list was accepted: as the station says, if its clock can be believed."""
        began = self.started
        if began is None or not is_set(began.at, began.received_at):
            return self.opened_at
        return began.at

    @property
    def stands(self) -> BillPosted | None:
        """The bill that holds now."""
        return self.corrections[-1].bill if self.corrections else self.billed

    @property
    def missing(self) -> list[str]:
        """What was not heard of it; nothing where beginning, end and all between were."""
        if self.started is None or self.ended is None:
            said = ((self.started, "beginning"), (self.ended, "end"))
            return [f"its {name} has not been heard" for each, name in said if each is None]
        first, last = self.started.seq_no, self.ended.seq_no
        if first is None or last is None:
            return []
        if first > last:
            return [f"its end has number {last}, before {first} of its beginning"]
        heard = self.numbers.holds_all(first, last)
        return [] if heard else ["messages in between have not been heard"]

    @property
    def complete(self) -> bool:
        """Whether beginning, end and all between were heard."""
        return not self.missing

    @property
    def status(self) -> SessionStatus:
        """As the contract words it."""
        if self.billed:
            return SessionStatus.FINAL
        if self.ended is None:
            return SessionStatus.OPEN
        if self.complete and self.blocked:
            return SessionStatus.QUARANTINED
        return SessionStatus.PROVISIONAL

    def hear(self, said: TransactionSaid) -> bool:
        """Take up a message; of two that contradict each other, the first alone counts.

        A repetition never comes here: what has a number that was heard is another message.
        """
        self.heard += 1
        if said.seq_no is not None and self.numbers.has(said.seq_no):
            return False
        self.evse = self.evse or said.evse
        self.protocol = said.protocol
        self.id_token = self.id_token or said.id_token
        if said.seq_no is not None:
            self.numbers.see(said.seq_no)
        if said.phase is Phase.STARTED and self.started is None:
            self.started = _bare(said)
        elif said.phase is Phase.ENDED and self.ended is None:
            self.ended = _bare(said)
        if is_set(said.at, said.received_at) and (self.last_at is None or said.at > self.last_at):
            self.last_at = said.at
        return True


def _bare(said: TransactionSaid) -> TransactionSaid:
    return replace(said, samples=())


def belongs_to(sessions: list[Session], said: TransactionSaid) -> int:
    """Which of the sessions that share a transaction's identifier a message belongs to.

    A station that begins anew after a reset may give an identifier twice. Only a beginning later
    than everything heard of the last one opens another session; one that goes on in its numbers
    while there is no end is said twice (by the cable, then by the tag), and opens none.
    """
    last = len(sessions) - 1
    if last < 0 or said.phase is not Phase.STARTED or sessions[last].started is None:
        return max(last, 0)
    heard, began = sessions[last].last_at, sessions[last].started
    assert began is not None
    later = heard is not None and said.at > heard and is_set(said.at, said.received_at)
    return last + 1 if later and began.at != said.at and not goes_on(sessions[last], said) else last


def goes_on(session: Session, said: TransactionSaid) -> bool:
    """Whether a message's number is behind all that were heard of a session without an end."""
    number = said.seq_no
    return session.ended is None and number is not None and number > session.numbers.highest


def take_in(sessions: list[Session], said: TransactionSaid) -> tuple[Session, bool]:
    """Give a message to the session that it belongs to; one is made where there is none.

    Says also whether the message counts: one that contradicts another does not.
    """
    which = belongs_to(sessions, said)
    if which == len(sessions):
        name = f"{said.station}:{said.transaction}" + (f":{which + 1}" if which else "")
        sessions.append(Session(name, said.station, said.transaction, said.received_at))
    return sessions[which], sessions[which].hear(said)


def messages_of(session: Session, found: object, most: int) -> list[TransactionSaid]:
    """Of all messages under a transaction's identifier, the first so many of this session."""
    assert isinstance(found, list)
    shared: list[Session] = []
    messages = []
    for said in found:
        assert isinstance(said, TransactionSaid)
        found_in, counts = take_in(shared, said)
        if counts and found_in.session == session.session and found_in.heard <= most:
            messages.append(said)
    return messages


@dataclass(slots=True)
class Station:
    """What a station said of itself, last."""

    station: str
    protocol: str = ""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    booted_at: datetime | None = None
    status: dict[str, str] = field(default_factory=dict)


def key_of(note: TermsNoted | StationNoted | TagNoted) -> tuple[str, str]:
    """Of what a note is: a later one of the same stands in its place."""
    if isinstance(note, TagNoted):
        return "tag", note.id_token
    return type(note).__name__, note.station


@dataclass(slots=True)
class Books:
    """Everything that the events say.

    Parameters
    ----------
    stations, sessions
        By identifier.
    running
        Sessions without an end, by station.
    offered
        Price lists, and when they are offered.
    purchase
        What energy costs in its market, as far as it is known.
    alarms
        The latest `MOST_ALARMS`.
    noted
        What bills rest on, as noted last: the site's terms, stations, tags.
    needs
        What the car at a station's EVSE asked for last, while it is there.
    limits
        What hubs may draw for a while, as said last; those that are over are left out.
    peaks
        The highest quarter of an hour of hubs, where that costs anything.
    of_tag
        Sessions by the tag that began them, in the order in which they were heard of.
    """

    stations: dict[str, Station] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    running: dict[str, dict[str, Session]] = field(default_factory=dict)
    offered: Offered = field(default_factory=Offered)
    purchase: Purchase = field(default_factory=Purchase)
    alarms: list[Alarmed] = field(default_factory=list)
    noted: dict[tuple[str, str], Event] = field(default_factory=dict)
    needs: dict[tuple[str, int], NeedsSaid] = field(default_factory=dict)
    limits: dict[str, LimitSaid] = field(default_factory=dict)
    peaks: Peaks = field(default_factory=Peaks)
    of_tag: dict[str, dict[str, Session]] = field(default_factory=dict)
    numbers_given: dict[str, str] = field(default_factory=dict)
    highest_number: int = 0
    _by_transaction: dict[tuple[str, str], list[Session]] = field(default_factory=dict)

    def apply(self, event: Event) -> tuple[Session, bool] | None:
        """Take up an event; the session that it belongs to, if to any, and whether it counts."""
        if isinstance(event, TransactionSaid):
            return self._transaction(event)
        if isinstance(event, BillPosted | BillCorrected | Acted | WishSaid):
            self._of_session(event)
        elif isinstance(event, TermsNoted | StationNoted | TagNoted):
            self.noted[key_of(event)] = event
        elif isinstance(event, PricesPosted):
            self.offered.take(event)
        elif isinstance(event, PurchaseNoted):
            self.purchase.take(event)
        elif isinstance(event, NeedsSaid):
            self.needs[(event.station, event.evse)] = event
        elif isinstance(event, LimitSaid):
            self.limits[event.limit] = event
            over = [each.limit for each in self.limits.values() if each.until <= event.received_at]
            for limit in over:
                del self.limits[limit]
        elif isinstance(event, PeakNoted):
            self.peaks.take(event)
        elif isinstance(event, Alarmed):
            self.alarms = [*self.alarms[1 - MOST_ALARMS :], event]
        else:
            self._station(event)
        return None

    def _of_session(self, event: BillPosted | BillCorrected | Acted | WishSaid) -> None:
        session = self.sessions.get(event.what if isinstance(event, Acted) else event.session)
        if session is None:
            return
        if isinstance(event, Acted):
            session.act = event if event.figures else session.act
        elif isinstance(event, WishSaid):
            session.wish = event
        elif isinstance(event, BillPosted):
            session.billed, session.settled_at = event, (event.heard, event.act)
        else:
            session.corrections.append(event)
            session.settled_at = (event.bill.heard, event.bill.act)

    def present(self) -> Iterator[Session]:
        """Stays under way: of those at one EVSE that says itself, the one that began last.

        A station that lost its power may never end a transaction, and begin another for another
        car: there is room for one.
        """
        for running in self.running.values():
            last: dict[int | str, Session] = {}
            for session in running.values():
                place = session.evse or session.session
                if place not in last or session.plugged_in >= last[place].plugged_in:
                    last[place] = session
            yield from last.values()

    def limit_kw(self, hub: str, when: datetime) -> float:
        """What a hub may draw at a time as far as anybody limits it; infinite where nobody does."""
        most = (
            float(each.most_kw)
            for each in self.limits.values()
            if each.hub == hub and each.begins_at <= when < each.until
        )
        return min(most, default=math.inf)

    def limits_ahead(self, hub: str, now: datetime, slots: int) -> list[float]:
        """The same in the slots ahead, from now on: the least that holds at any time of each."""
        begins = quarter_of(now)
        ends = [begins + (k + 1) * QUARTER for k in range(slots)]
        most = [math.inf] * slots
        for each in self.limits.values():
            if each.hub == hub and each.until > now:
                for k, end in enumerate(ends):
                    if each.begins_at < end and each.until > end - QUARTER:
                        most[k] = min(most[k], float(each.most_kw))
        return most

    def prices_at(self, when: datetime) -> PriceList:
        """The list offered at a time; before the first one, that."""
        return self.offered.at(when).prices

    def knows_number(self, station: str, transaction: str) -> bool:
        """Whether a station (1.6) was given this number for a transaction."""
        return (station, transaction) in self._by_transaction

    def session_of(self, station: str, transaction: str) -> Session | None:
        """The latest session of a transaction's identifier."""
        shared = self._by_transaction.get((station, transaction))
        return shared[-1] if shared else None

    def _transaction(self, said: TransactionSaid) -> tuple[Session, bool]:
        shared = self._by_transaction.setdefault((said.station, said.transaction), [])
        session, counts = take_in(shared, said)
        self.sessions[session.session] = session
        if session.id_token:
            self.of_tag.setdefault(session.id_token, {})[session.session] = session
        running = self.running.setdefault(session.station, {})
        if session.ended is None:
            running[session.session] = session
        else:
            running.pop(session.session, None)
            self.needs.pop((session.station, session.evse or 1), None)
        if said.protocol == "ocpp1.6" and said.phase is Phase.STARTED:
            self.numbers_given[said.id] = said.transaction
            self.highest_number = max(self.highest_number, int(said.transaction))
        return session, counts

    def _station(self, event: Event) -> None:
        if not event.station:
            return
        station = self.stations.setdefault(event.station, Station(event.station))
        if isinstance(event, Booted):
            station.vendor, station.model = event.vendor, event.model
            station.firmware, station.booted_at = event.firmware, event.received_at
        if isinstance(event, Booted | Connected):
            station.protocol = event.protocol
        elif isinstance(event, StatusSaid):
            station.status[f"{event.evse}.{event.connector}"] = event.status
