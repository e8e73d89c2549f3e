"""What the events say, read from their JSON: own parsers, every fault told with its place."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

Said = dict[str, typing.Any]
Parser = Callable[[object], object]


class WrongFormError(ValueError):
    """An event is not in the form of its kind."""


def text(value: object) -> str:
    """Some text."""
    if not isinstance(value, str):
        raise WrongFormError(f"{value!r} is no text")
    return value


def whole(value: object) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongFormError(f"{value!r} is no whole number")
    return value


def flag(value: object) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise WrongFormError(f"{value!r} is neither true nor false")
    return value


def number(value: object) -> Decimal:
    """A finite decimal, written as text."""
    try:
        found = Decimal(text(value))
    except InvalidOperation as error:
        raise WrongFormError(f"{value!r} is no number") from error
    if not found.is_finite():
        raise WrongFormError(f"{value!r} is no number")
    return found


def moment(value: object) -> datetime:
    """A time in UTC."""
    try:
        found = datetime.fromisoformat(text(value))
    except ValueError as error:
        raise WrongFormError(f"{value!r} is no time") from error
    if found.tzinfo is None:
        raise WrongFormError(f"{value!r} has no offset from UTC")
    return found.astimezone(UTC)


def maybe(inner: Parser) -> Parser:
    """Something, or nothing."""
    return lambda value: None if value is None else inner(value)


def many(inner: Parser) -> Parser:
    """Several of the same."""

    def read(value: object) -> list[object]:
        if not isinstance(value, list):
            raise WrongFormError(f"{value!r} is no list")
        return [inner(each) for each in value]

    return read


def record(fields: Mapping[str, Parser], may_lack: Mapping[str, object] | None = None) -> Parser:
    """Exactly these fields; of some a value where they are not said."""
    lacking = may_lack or {}

    def read(value: object) -> Said:
        if not isinstance(value, dict):
            raise WrongFormError(f"{value!r} is no record")
        found = {**lacking, **value}
        if set(found) != set(fields):
            odd = sorted(set(found) ^ set(fields))
            raise WrongFormError(f"fields {', '.join(odd)} are missing or not known")
        try:
            return {name: inner(found[name]) for name, inner in fields.items()}
        except WrongFormError as error:
            raise WrongFormError(str(error)) from error

    return read


def phase(value: object) -> str:
    """Where in a transaction a message belongs."""
    if value not in ("started", "updated", "ended"):
        raise WrongFormError(f"{value!r} is no phase")
    return text(value)


_EVENT: dict[str, Parser] = {"id": text, "station": text, "received_at": moment}
_SAMPLE = record(
    {
        **{"at": moment, "measurand": text, "value": text, "unit": text, "multiplier": whole},
        **{"context": text, "location": text, "phase": text, "signed": text},
    }
)
_LIST = record(
    {
        **{"list_id": text, "slot_minutes": whole},
        **{"charge": many(number), "discharge": many(number)},
    }
)
_FOLLOWED = record({"begins": moment, "zone": text, "charge": number, "discharge": number})
_ORDERED = record(
    {
        **dict.fromkeys(("order", "by", "why"), text),
        **{"begins_at": moment, "until": maybe(moment)},
    }
)
_LINE = record(
    {
        **{"slot_start": moment, "charged_kwh": number, "charge_price": number},
        **{"discharged_kwh": number, "discharge_price": number},
    }
)
_ENTRY = record({"debit": text, "credit": text, "amount": number, "why": text})
_FIGURES = record(
    {"charged_kwh": number, "discharged_kwh": number, "began_at": moment, "ended_at": moment}
)
_BILL = record(
    {
        **_EVENT,
        **dict.fromkeys(("session", "transaction", "driver", "currency", "price_list"), text),
        **dict.fromkeys(("charged_kwh", "discharged_kwh", "paid", "earned", "rounding"), number),
        **{"lines": many(_LINE), "entries": many(_ENTRY), "act": text, "heard": whole},
    },
    {"act": "", "heard": 0},
)
_MESSAGE = record(
    {
        **_EVENT,
        **dict.fromkeys(("transaction", "protocol", "id_token", "trigger", "reason"), text),
        **{"phase": phase, "seq_no": maybe(whole), "at": moment, "offline": flag},
        **{"evse": whole, "connector": whole, "samples": many(_SAMPLE)},
    }
)


def _more(**fields: Parser) -> Parser:
    return record({**_EVENT, **fields})


FORMS: dict[str, Parser] = {
    "connected": _more(protocol=text),
    "booted": _more(protocol=text, vendor=text, model=text, firmware=text, reason=text),
    "status": _more(at=moment, evse=whole, connector=whole, status=text, error=text),
    "meter": _more(evse=whole, samples=many(_SAMPLE)),
    "transaction": _MESSAGE,
    "needs": _more(evse=whole, needs=text),
    "alarm": _more(what=text, detail=text),
    "prices": record(
        {
            **_EVENT,
            **{"prices": _LIST, "followed": maybe(_FOLLOWED), "ordered": maybe(_ORDERED)},
        },
        {"followed": None, "ordered": None},
    ),
    "purchase": _more(source=text, begins=moment, prices=many(number), notes=many(text)),
    "bill": _BILL,
    "correction": _more(
        session=text, transaction=text, number=whole, because=text, credit=many(_ENTRY), bill=_BILL
    ),
    "terms": _more(currency=text, zone=text),
    "known": _more(hub=text, max_kw=number),
    "tag": _more(id_token=text, driver=text),
    "act": _more(who=text, verb=text, what=text, why=text, figures=maybe(_FIGURES)),
    "wish": record(
        {
            **_EVENT,
            **dict.fromkeys(("session", "transaction", "by", "mode"), text),
            "departure_at": maybe(moment),
            **dict.fromkeys(("energy_kwh", "required_kwh", "reserve_kwh"), number),
        },
        {"mode": "as_it_pays"},
    ),
    "peak": _more(hub=text, period=text, begins=moment, kw=number),
    "limit": _more(
        **dict.fromkeys(("limit", "hub", "by", "why"), text),
        most_kw=number,
        **dict.fromkeys(("begins_at", "until"), moment),
    ),
}


def said_by(kind: str, body: bytes) -> Said:
    """What an event says.

    Raises
    ------
    WrongFormError
        With what is wrong, and where.
    """
    if kind not in FORMS:
        raise WrongFormError(f"{kind!r} is no kind of event")
    try:
        found = json.loads(body)
    except ValueError as error:
        raise WrongFormError("no JSON") from error
    said = FORMS[kind](found)
    assert isinstance(said, dict)
    return said
