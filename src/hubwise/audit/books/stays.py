"""Stays at a plug, put together from what stations said of their transactions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hubwise.audit.books.forms import Said

# What is kept of a message: a site says millions of them.
KEPT = ("phase", "seq_no", "at", "received_at", "id_token")
KEPT_OF_A_SAMPLE = ("at", "value", "unit", "multiplier", "phase", "signed")
REGISTERS = ("Energy.Active.Import.Register", "Energy.Active.Export.Register")
CLOCKS_SET = datetime(2020, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=5)


def believable(at: datetime, received_at: datetime) -> bool:
    """Whether a station's clock was set, and not ahead of the site's."""
    return at >= CLOCKS_SET and at - received_at <= AHEAD


@dataclass(slots=True)
class Heard:
    """The first so many messages of a stay: what counts of them.

    Parameters
    ----------
    messages
        Those that count, in the order in which they were kept.
    """

    messages: list[Said]

    def first(self, phase: str) -> Said | None:
        """The first message of a phase."""
        return next((each for each in self.messages if each["phase"] == phase), None)

    def why_not_whole(self) -> str:
        """What is missing; nothing where beginning, end and all between were heard."""
        began, ended = self.first("started"), self.first("ended")
        if began is None or ended is None:
            return f"its {'beginning' if began is None else 'end'} was not heard"
        low, high = began["seq_no"], ended["seq_no"]
        if low is None or high is None:
            return ""
        if high < low:
            return f"its end has number {high}, before {low} of its beginning"
        between = {each["seq_no"] for each in self.messages if each["seq_no"] is not None}
        between = {each for each in between if low <= each <= high}
        lacking = high - low + 1 - len(between)
        return f"{lacking} of the numbers {low} to {high} were not heard" if lacking else ""

    @property
    def id_token(self) -> str:
        """Who charges: the first tag that was said."""
        return next((str(each["id_token"]) for each in self.messages if each["id_token"]), "")

    def plugged_in(self, opened_at: datetime) -> datetime:
        """When prices were accepted."""
        began = self.first("started")
        if began is None or not believable(began["at"], began["received_at"]):
            return opened_at
        at = began["at"]
        assert isinstance(at, datetime)
        return at


@dataclass(slots=True)
class Stay:
    """One stay.

    Parameters
    ----------
    name, station, transaction
        Of the session.
    opened_at
        When it was first heard of.
    heard
        How many messages, also those that contradict another.
    """

    name: str
    station: str
    transaction: str
    opened_at: datetime
    heard: int = 0
    _counting: list[tuple[int, Said]] = field(default_factory=list)
    _numbers: set[int] = field(default_factory=set)
    _latest: datetime | None = None

    def take(self, said: Said) -> None:
        """Take up a message; of two with one number the first counts."""
        self.heard += 1
        number = said["seq_no"]
        if number is not None and number in self._numbers:
            return
        if number is not None:
            self._numbers.add(number)
        self._counting.append((self.heard, _kept(said)))
        if believable(said["at"], said["received_at"]):
            self._latest = max(self._latest or said["at"], said["at"])

    def until(self, heard: int) -> Heard:
        """What its first so many messages say."""
        return Heard([said for number, said in self._counting if number <= heard])

    @property
    def all(self) -> Heard:
        """What all its messages say."""
        return self.until(self.heard)

    def is_over_before(self, said: Said) -> bool:
        """Whether a beginning is that of another stay: it lies behind all that was heard.

        One that goes on in the numbers of a stay without an end is another word of its beginning.
        """
        began = next((each for _, each in self._counting if each["phase"] == "started"), None)
        if said["phase"] != "started" or began is None or began["at"] == said["at"]:
            return False
        number, over = said["seq_no"], any(each["phase"] == "ended" for _, each in self._counting)
        if not over and number is not None and number > max(self._numbers, default=-1):
            return False
        later = self._latest is not None and said["at"] > self._latest
        return later and believable(said["at"], said["received_at"])


def _kept(said: Said) -> Said:
    """A message without what nothing rests on; its samples by register, at the outlet alone."""
    kept: Said = {name: said[name] for name in KEPT}
    for register in REGISTERS:
        kept[register] = [
            {name: sample[name] for name in KEPT_OF_A_SAMPLE}
            for sample in said["samples"]
            if sample["measurand"] == register and sample["location"] == "Outlet"
        ]
    return kept


@dataclass(slots=True)
class Stays:
    """All stays, by name."""

    by_name: dict[str, Stay] = field(default_factory=dict)
    _shared: dict[tuple[str, str], list[Stay]] = field(default_factory=dict)

    def take(self, said: Said) -> Stay:
        """The stay that a message belongs to; a new one where it begins one."""
        station, transaction = said["station"], said["transaction"]
        shared = self._shared.setdefault((station, transaction), [])
        if not shared or shared[-1].is_over_before(said):
            again = f":{len(shared) + 1}" if shared else ""
            name = f"{station}:{transaction}{again}"
            shared.append(Stay(name, station, transaction, said["received_at"]))
            self.by_name[name] = shared[-1]
        shared[-1].take(said)
        return shared[-1]
