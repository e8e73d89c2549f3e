"""What the API answers: quantities as decimal text, times in UTC with Z."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from hubwise.domain.events import (
    BillCorrected,
    BillLine,
    BillPosted,
    Entry,
    WishSaid,
)
from hubwise.domain.why import Case, Spoken
from hubwise.live.fold import Session
from hubwise.live.outlook import SLOT
from hubwise.live.planning import HubPlan
from hubwise.live.registers import Reading
from hubwise.live.site import Account


def in_text(number: Decimal) -> str:
    """A number without an exponent."""
    return f"{number.normalize():f}" if number else "0"


def money(amount: Decimal) -> str:
    """An amount with all digits of its currency's smallest unit."""
    return f"{amount:f}"


def in_utc(at: datetime) -> str:
    """A time in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Health(BaseModel):
    """Whether control runs, ``ok`` or ``standby``; who is active, and who stands by."""

    status: str
    stations_connected: int = 0
    troubles: list[str] = []
    active: str | None = None
    standby: str | None = None


class StationItem(BaseModel):
    """A station."""

    station: str
    hub: str
    max_kw: str
    protocol: str | None
    connected: bool
    vendor: str | None
    model: str | None
    firmware: str | None
    booted_at: str | None
    connectors: dict[str, str]
    sessions: list[str]


class WhyItem(BaseModel):
    """Why a car does what it does: a case, a sentence, and until when that stays so.

    It charges at full power where its price is below ``charge_below``, not at all where it is
    above, and gives back likewise where it is paid more, or less, than ``give_back_above``; at a
    threshold it makes no difference. ``null`` where it charges whatever it costs, and where none
    are known.
    """

    case: Case
    text: str
    charge_below: str | None
    give_back_above: str | None
    until: str

    @classmethod
    def of(cls, why: Spoken) -> WhyItem:
        """What is told of a slot."""
        below, above = (
            None if each is None else in_text(Decimal(f"{each:.6g}"))
            for each in (why.charge_below, why.give_back_above)
        )
        return cls(
            case=why.case,
            text=why.text,
            charge_below=below,
            give_back_above=above,
            until=in_utc(why.until),
        )


class PlannedItem(BaseModel):
    """A car in a slot: power (below 0, given back), the prices of its list, and why."""

    session: str
    start: str
    kw: str
    charge_price: str
    discharge_price: str
    why: WhyItem | None


class StoredItem(BaseModel):
    """A station battery in a slot: power into it, what is in it then, what energy costs."""

    start: str
    kw: str
    kwh: str
    purchase_price: str


class HubPlanItem(BaseModel):
    """A hub's plan, as decided last; ``coming``: how many cars it expects beside those here.

    ``demand_charge``: what it counts for a kW above ``peak_kw``, what its cars and battery may draw
    without raising the highest quarter of an hour so far.
    """

    hub: str
    starts_at: str
    slots: list[PlannedItem]
    battery: list[StoredItem]
    coming: int
    demand_charge: str
    peak_kw: str

    @classmethod
    def of(cls, hub: str, found: HubPlan, hours: int, now: datetime, zone: ZoneInfo) -> HubPlanItem:
        """Its next hours, as they are told now, with times of day in a zone."""
        ahead = round(hours * (timedelta(hours=1) / SLOT))
        slots = [
            PlannedItem(
                session=each.session,
                start=in_utc(each.start),
                kw=f"{each.kw:.3f}",
                charge_price=f"{each.charge_price:g}",
                discharge_price=f"{each.discharge_price:g}",
                why=None if each.why is None else WhyItem.of(each.why),
            )
            for each in found.slots(ahead, now, zone)
        ]
        battery = [
            StoredItem(
                start=in_utc(each.start),
                kw=f"{each.kw:.3f}",
                kwh=f"{each.kwh:.3f}",
                purchase_price=f"{each.purchase_price:g}",
            )
            for each in found.battery_slots(ahead)
        ]
        coming = len(found.outlook.stays) - len(found.outlook.here)
        begins = in_utc(found.starts_at)
        return cls(
            hub=hub,
            starts_at=begins,
            slots=slots,
            battery=battery,
            coming=coming,
            demand_charge=f"{found.outlook.demand_charge:g}",
            peak_kw=f"{found.outlook.peak_kw:.3f}",
        )


class Plans(BaseModel):
    """Plans by hub; ``market`` says how far the prices that they rest on are known."""

    items: list[HubPlanItem]
    market: str


class Stations(BaseModel):
    """Stations by name."""

    items: list[StationItem]


class SessionItem(BaseModel):
    """A session."""

    session: str
    station: str
    transaction: str
    status: str
    started_at: str | None
    ended_at: str | None
    charged_kwh: str
    discharged_kwh: str
    doubts: list[str]

    @classmethod
    def of(cls, account: Account) -> SessionItem:
        """A session as it stands."""
        session, bill = account.session, account.bill
        began, ended = session.started, session.ended
        return cls(
            session=session.session,
            station=session.station,
            transaction=session.transaction,
            status=account.status,
            started_at=in_utc(began.at) if began else None,
            ended_at=in_utc(ended.at) if ended else None,
            charged_kwh=in_text(bill.charged_kwh),
            discharged_kwh=in_text(bill.discharged_kwh),
            doubts=_doubts(account, session),
        )


def _doubts(account: Account, session: Session) -> list[str]:
    if session.billed or session.ended is None:
        return []
    return [*session.missing, *account.doubts]


class Sessions(BaseModel):
    """Sessions in the order in which they were first heard of; ``next`` asks for more."""

    items: list[SessionItem]
    next: str | None = None


class MeterValue(BaseModel):
    """An energy sample, and whether it is billed from."""

    seq_no: int | None
    timestamp: str
    measurand: str
    value_kwh: str | None
    accepted: bool
    reason: str | None

    @classmethod
    def of(cls, reading: Reading) -> MeterValue:
        """A reading."""
        return cls(
            seq_no=reading.seq_no,
            timestamp=in_utc(reading.at),
            measurand=reading.measurand,
            value_kwh=None if reading.kwh is None else in_text(reading.kwh),
            accepted=reading.accepted,
            reason=reading.reason or None,
        )


class MeterValues(BaseModel):
    """Energy samples in the order of time."""

    items: list[MeterValue]


class Line(BaseModel):
    """A slot of a bill; amounts are not rounded here."""

    slot_start: str
    charged_kwh: str
    charge_price: str
    paid: str
    discharged_kwh: str
    discharge_price: str
    earned: str

    @classmethod
    def of(cls, line: BillLine) -> Line:
        """A line."""
        return cls(
            slot_start=in_utc(line.slot_start),
            charged_kwh=in_text(line.charged_kwh),
            charge_price=in_text(line.charge_price),
            paid=in_text(line.paid),
            discharged_kwh=in_text(line.discharged_kwh),
            discharge_price=in_text(line.discharge_price),
            earned=in_text(line.earned),
        )


class BillFigures(BaseModel):
    """What a bill says."""

    currency: str
    price_list: str
    charged_kwh: str
    discharged_kwh: str
    paid: str
    earned: str
    net: str
    rounding: str
    act: str | None
    lines: list[Line]


def figures_of(bill: BillPosted) -> dict[str, object]:
    """A bill's figures."""
    return {
        "currency": bill.currency,
        "price_list": bill.price_list,
        "charged_kwh": in_text(bill.charged_kwh),
        "discharged_kwh": in_text(bill.discharged_kwh),
        "paid": money(bill.paid),
        "earned": money(bill.earned),
        "net": money(bill.net),
        "rounding": in_text(bill.rounding),
        "act": bill.act or None,
        "lines": [Line.of(line) for line in bill.lines],
    }


class CorrectionItem(BillFigures):
    """What stands in place of the bill before it, and why."""

    number: int
    posted_at: str
    because: str


class Bill(BillFigures):
    """A bill; a final one never changes, what stands in its place is a correction."""

    session: str
    status: str
    driver: str
    corrections: list[CorrectionItem]

    @classmethod
    def of(cls, account: Account) -> Bill:
        """A session's bill, or what it would be now."""
        bill = account.session.billed or account.bill
        corrections = [
            CorrectionItem(
                number=each.number,
                posted_at=in_utc(each.received_at),
                because=each.because,
                **figures_of(each.bill),  # type: ignore[arg-type]
            )
            for each in account.session.corrections
        ]
        return cls(
            session=bill.session,
            status=account.status,
            driver=bill.driver,
            corrections=corrections,
            **figures_of(bill),  # type: ignore[arg-type]
        )


class EntryItem(BaseModel):
    """An amount from the account that is debited to the one that is credited."""

    entry: str
    position: int
    posted_at: str
    session: str
    debit: str
    credit: str
    amount: str
    currency: str
    why: str

    @classmethod
    def all_of(cls, position: int, posted: BillPosted | BillCorrected) -> list[EntryItem]:
        """The entries of a bill, or of a correction: what is taken back first."""
        corrected = isinstance(posted, BillCorrected)
        bill = posted.bill if isinstance(posted, BillCorrected) else posted
        credit: tuple[Entry, ...] = posted.credit if isinstance(posted, BillCorrected) else ()
        name = f"{bill.session}/{posted.id.rsplit('|', 1)[1]}." if corrected else f"{bill.session}/"
        return [
            cls(
                entry=f"{name}{number}",
                position=position,
                posted_at=in_utc(bill.received_at),
                session=bill.session,
                debit=entry.debit,
                credit=entry.credit,
                amount=money(entry.amount),
                currency=bill.currency,
                why=entry.why,
            )
            for number, entry in enumerate((*credit, *bill.entries), start=1)
        ]


class Entries(BaseModel):
    """Entries in the order in which they were posted; ``next`` asks for more."""

    items: list[EntryItem]
    next: str | None = None


class AlarmItem(BaseModel):
    """What an operator has to know."""

    alarm: str
    at: str
    station: str
    what: str
    detail: str
    stands: bool = False


class Alarms(BaseModel):
    """The latest alarms, newest first."""

    items: list[AlarmItem]


class PreferencesItem(BaseModel):
    """What a driver wants of a stay [kWh]; levels count from ``energy_kwh`` at plug-in."""

    session: str
    said_at: str | None
    by: str | None
    departure_at: str | None
    energy_kwh: str | None
    required_kwh: str | None
    reserve_kwh: str | None
    mode: str | None

    @classmethod
    def of(cls, session: str, wish: WishSaid | None) -> PreferencesItem:
        """The last wish; empty where nothing was said."""
        if wish is None:
            return cls(session=session, **dict.fromkeys(_OF_A_WISH))
        return cls(
            session=session,
            said_at=in_utc(wish.received_at),
            by=wish.by,
            departure_at=in_utc(wish.departure_at) if wish.departure_at else None,
            energy_kwh=in_text(wish.energy_kwh),
            required_kwh=in_text(wish.required_kwh),
            reserve_kwh=in_text(wish.reserve_kwh),
            mode=wish.mode.value,
        )


_OF_A_WISH = (
    *("said_at", "by", "departure_at"),
    *("energy_kwh", "required_kwh", "reserve_kwh", "mode"),
)


class ActItem(BaseModel):
    """What an operator did."""

    act: int
    at: str
    who: str
    verb: str
    what: str
    why: str


class Acts(BaseModel):
    """Acts of operators in their order; ``next`` asks for more."""

    items: list[ActItem]
    next: str | None = None
