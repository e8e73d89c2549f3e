"""Random stays, as bad as stations are: the audit finds the same bills as the site, and no lie."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from hubwise.audit.books.auditor import Audit
from hubwise.audit.books.database import Row
from hubwise.audit.books.faults import Faults
from hubwise.audit.report import Status
from hubwise.domain.events import (
    KIND_OF,
    Acted,
    BillPosted,
    Event,
    Phase,
    PriceList,
    Sample,
    TransactionSaid,
)
from hubwise.live import Site
from site_books import EXPORT, IMPORT, SETTINGS, Memory, World

NIGHT = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)  # Berlin's clocks go forward
LIES = ("0", "-1", "nan", "1e9", "", "12,5", "Infinity", "104.2", "99", "1E+400")


def price_list(draw: random.Random) -> PriceList:
    slots = draw.choice([1, 24, 48, 96])
    charge, discharge = (
        tuple(Decimal(draw.randint(-20, 60)) / 100 for _ in range(slots)) for _ in "ab"
    )
    return PriceList("", 1_440 // slots, charge, discharge)


def station_says(draw: random.Random, station: str) -> list[TransactionSaid]:
    """One stay or two of one transaction's name, with lies, wrong clocks, parts and late values."""
    at, up, down = NIGHT + timedelta(seconds=draw.randint(0, 20_000)), 100.0, 10.0
    made, numbered = [], draw.random() < 0.7
    many = draw.randint(2, 12)
    for number in range(many):
        phase = (
            Phase.STARTED if not number else Phase.ENDED if number == many - 1 else Phase.UPDATED
        )
        values = [(IMPORT, f"{up:.3f}"), (EXPORT, f"{down:.3f}")]
        if draw.random() < 0.15:
            values[draw.randrange(2)] = (IMPORT, draw.choice(LIES))
        off = (
            timedelta(days=draw.choice([-20_000, 0.1, 0])) if draw.random() < 0.08 else timedelta()
        )
        samples = tuple(
            Sample(
                at + off,
                name,
                value,
                draw.choice(["kWh"] * 12 + ["Wh", "V"]),
                phase=draw.choice([""] * 15 + ["L1"]),
                location=draw.choice(["Outlet"] * 15 + ["Inlet"]),
            )
            for name, value in values
        )
        made.append(
            TransactionSaid(
                id=f"{station}|{number}",
                station=station,
                received_at=at + timedelta(seconds=draw.choice([1, 4_000])),
                transaction="7",
                protocol="ocpp2.1" if numbered else "ocpp1.6",
                phase=phase,
                seq_no=number if numbered else None,
                at=at + off if draw.random() < 0.5 else at,
                id_token=draw.choice(["", "tag-ann", "other"]),
                samples=samples if draw.random() < 0.9 else (),
            )
        )
        seconds = draw.randint(1, 5_000)
        at += timedelta(seconds=seconds)
        up += 7 * seconds / 3_600 * draw.choice([0, 0.3, 1])
        down += 7 * seconds / 3_600 * draw.choice([0, 0, 0.5])
    return made


def site_hears(seed: int) -> list[Event]:
    """What stands in the log of a site to which all this was said in some order."""
    draw = random.Random(seed)
    said = [each for name in ("A", "B", "C") for each in station_says(draw, name)]
    if draw.random() < 0.5:
        draw.shuffle(said)
    if draw.random() < 0.5:
        odd = draw.choice(said)
        said.append(replace(odd, id="odd", samples=()))
    settings = replace(SETTINGS, prices=price_list(draw), currency=draw.choice(["EUR", "JPY"]))

    async def work() -> list[Event]:
        world, memory = World(NIGHT), Memory()
        for part in (said[: len(said) // 2], said[len(said) // 2 :]):
            site = memory.site = Site(settings, memory, world, world)
            await site.start(world)
            for event in part:
                world.at = max(world.at, event.received_at)
                await site.hear(event)
                if draw.random() < 0.5:
                    for session in list(site.books.sessions.values()):
                        await site.settled(session)
            for session in list(site.books.sessions.values()):
                await site.settled(session)
            await site.stop()
        return memory.events

    return asyncio.run(work())


def audited(events: list[Event]) -> list[str]:
    """What the audit finds, without a database."""
    faults = Faults()
    audit = Audit(faults)
    acts = []
    for position, event in enumerate(events, start=1):
        transaction = str(getattr(event, "transaction", ""))
        at = event.received_at.isoformat()
        body = msgspec.json.encode(event)
        name = (event.id, KIND_OF[type(event)], event.station, transaction, at)
        audit.take(Row(position, *name, body))
        if isinstance(event, Acted):
            acts.append((event.id, event.who, event.verb, event.what, event.why))
    audit.end(acts)
    return [f"{c.name}: {c.where}" for c in faults.checks({}) if c.status is not Status.HOLDS]


@pytest.mark.parametrize("seed", range(60))
def test_the_audit_finds_the_bills_that_the_site_posts(seed) -> None:
    """No false alarm, whatever was said; and there is something to find."""
    assert audited(site_hears(seed)) == []


@pytest.mark.parametrize("seed", range(60))
def test_a_bill_that_is_off_by_anything_is_found(seed) -> None:
    """A random bill, a random figure of it, a little or much."""
    events, draw = site_hears(seed), random.Random(seed)
    bills = [at for at, each in enumerate(events) if isinstance(each, BillPosted)]
    if not bills:
        return
    at = draw.choice(bills)
    bill = events[at]
    assert isinstance(bill, BillPosted)
    by = Decimal(draw.choice(["0.01", "-0.01", "3", "1e-6"]))
    names = ["paid", "earned", "charged_kwh", "discharged_kwh", "rounding"]
    name = draw.choice(names)
    if bill.lines and draw.random() < 0.5:
        number = draw.randrange(len(bill.lines))
        field = draw.choice(["charged_kwh", "charge_price", "discharged_kwh", "discharge_price"])
        line = replace(bill.lines[number], **{field: getattr(bill.lines[number], field) + by})
        lines = (*bill.lines[:number], line, *bill.lines[number + 1 :])
        events[at] = replace(bill, lines=lines)
    else:
        events[at] = replace(bill, **{name: getattr(bill, name) + by})
    assert audited(events)


def test_there_is_something_to_find() -> None:
    """The stays of the hunt are billed often enough, and corrected now and then."""
    found = [type(event).__name__ for seed in range(60) for event in site_hears(seed)]
    assert found.count("BillPosted") > 40
    assert found.count("BillCorrected") >= 3
    assert found.count("Alarmed") > 60
