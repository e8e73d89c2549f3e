"""Charge detail records of OCPI 2.2.1, with what was given back in an object of our own.

A record is sealed: a correction is a credit record, which repeats the one that it takes back with a
total cost of the other sign, and a record anew (mod_cdrs, "Credit CDRs"). Energy of a period is
what was charged less what was given back, so that it may be below 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b

from hubwise.books.documents import Billed, Document, Kind, documents_of, in_words
from hubwise.domain.events import BillLine

MOST_ID = 39
MOST_NAME = 36
EXTENSION = "hubwise"
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Party:
    """Who a site is to others, and where; OCPI's words.

    Parameters
    ----------
    country_code, party_id
        ISO 3166-1 alpha-2, and three letters of ISO 15118.
    address, city, country
        Where it is; the country as ISO 3166-1 alpha-3.
    latitude, longitude
        As text with a point.
    connector_standard, connector_format, connector_power_type
        What its plugs are.
    """

    country_code: str
    party_id: str
    address: str
    city: str
    country: str
    latitude: str
    longitude: str
    connector_standard: str = "IEC_62196_T2"
    connector_format: str = "SOCKET"
    connector_power_type: str = "AC_3_PHASE"


def cdrs(billed: Iterable[Billed], party: Party, site: str) -> list[Json]:
    """Records of all that was posted, in order; of a stay without corrections, one."""
    return [record for each in billed for record in _of_stay(each, party, site)]


def _of_stay(billed: Billed, party: Party, site: str) -> Iterator[Json]:
    stood = ""
    for made in documents_of(billed):
        record = _record(made, party, site)
        if made.kind is Kind.CREDIT:
            record |= {"credit": True, "credit_reference_id": stood}
        else:
            stood = str(record["id"])
        yield record


def _record(made: Document, party: Party, site: str) -> Json:
    billed, bill = made.billed, made.bill
    whole = bill.charged_kwh - bill.discharged_kwh
    return {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "id": _short(made.number, MOST_ID),
        "start_date_time": _at(billed.started_at),
        "end_date_time": _at(billed.ended_at),
        "session_id": _short(bill.session, MOST_NAME),
        "cdr_token": _token(billed, party),
        "auth_method": "WHITELIST",
        "cdr_location": _location(billed, party, site),
        "currency": bill.currency,
        "charging_periods": [*_periods(billed, made.lines)],
        "total_cost": {"excl_vat": _number(made.net)},
        "total_energy": _number(whole),
        "total_time": _hours(billed.started_at, billed.ended_at),
        "remark": (made.reason or "prices by slot, charging and giving back")[:255],
        "last_updated": _at(made.posted_at),
        EXTENSION: _extension(made),
    }


def _token(billed: Billed, party: Party) -> Json:
    driver = billed.bill.driver.partition(":")[2]
    return {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "uid": _short(billed.id_token or driver, MOST_NAME),
        "type": "RFID",
        "contract_id": _short(driver, MOST_NAME),
    }


def _location(billed: Billed, party: Party, site: str) -> Json:
    where, evse = asdict(party), billed.evse or 1
    station = "".join(each for each in billed.bill.station.upper() if each.isalnum())
    connector = ("connector_standard", "connector_format", "connector_power_type")
    return {
        "id": _short(billed.hub or site, MOST_NAME),
        "name": site[:255],
        **{name: where[name] for name in ("address", "city", "country")},
        "coordinates": {name: where[name] for name in ("latitude", "longitude")},
        "evse_uid": _short(f"{billed.bill.station}-{evse}", MOST_NAME),
        "evse_id": f"{party.country_code}*{party.party_id}*E{station[:30]}*{evse}",
        "connector_id": str(billed.connector or 1),
        **{name: where[name] for name in connector},
    }


def _periods(billed: Billed, lines: tuple[BillLine, ...]) -> Iterator[Json]:
    """A period for each slot; one of nothing where none has any energy."""
    for line in lines:
        volume = _number(line.charged_kwh - line.discharged_kwh)
        yield {
            "start_date_time": _at(max(line.slot_start, billed.started_at)),
            "dimensions": [{"type": "ENERGY", "volume": volume}],
        }
    if not lines:
        none: Json = {"type": "ENERGY", "volume": 0.0}
        yield {"start_date_time": _at(billed.started_at), "dimensions": [none]}


def _extension(made: Document) -> Json:
    """What OCPI has no place for: both directions, their prices, and exact decimals, as text."""
    bill = made.bill
    amounts = ("charged_kwh", "discharged_kwh", "paid", "earned", "rounding")
    fields = ("charged_kwh", "charge_price", "discharged_kwh", "discharge_price")
    return {
        "version": 1,
        "document": made.number,
        "kind": made.kind.value,
        **{name: f"{getattr(bill, name):f}" for name in amounts},
        "net": f"{made.net + 0:f}",
        "price_list": bill.price_list,
        "operators_act": bill.act or None,
        "periods": [
            {
                "slot_start": in_words(line.slot_start),
                **{name: f"{getattr(line, name):f}" for name in fields},
            }
            for line in made.lines
        ],
    }


def _at(at: datetime) -> str:
    return in_words(at.replace(microsecond=0))


def _hours(since: datetime, until: datetime) -> float:
    return round((until - since).total_seconds() / 3_600, 4)


def _number(amount: Decimal) -> float:
    return float(round(amount, 4) + 0)


def _short(name: str, most: int) -> str:
    """A name that fits and can be printed; where it does not, its digest."""
    if name and len(name) <= most and name.isascii() and name.isprintable():
        return name
    return blake2b(name.encode("utf-8", "replace"), digest_size=16).hexdigest()
