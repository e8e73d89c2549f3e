"""`hubwise serve`: chargers with real sockets, a real database, and bills over HTTP."""

from __future__ import annotations

import asyncio

import pytest

from live_site import T0, Served, in_words, make_site, stay

NAMES = [f"S{number}" for number in range(60)]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    site = make_site(tmp_path_factory.mktemp("site") / "here", NAMES).start()
    yield site
    assert site.stop() == 0


@pytest.fixture(scope="module")
def names():
    """Every test takes stations of its own."""
    return iter(NAMES)


def run(work):
    return asyncio.run(work)


def test_a_session_is_billed_by_slot_at_the_posted_prices(served: Served, names) -> None:
    """6 kWh charged and 1 kWh back, in the slots they flowed in; both sides in the ledger."""
    name = next(names)

    async def work():
        async with served.station(name) as station:
            for said in stay():
                await station.said("TransactionEvent", said)

    run(work())
    found = served.session(name)
    assert found["status"] == "final"
    assert (found["transaction"], found["charged_kwh"], found["discharged_kwh"]) == ("T1", "6", "1")
    assert (found["started_at"], found["ended_at"]) == (in_words(T0), "2026-03-02T11:15:00Z")
    bill = served.bill(name)
    # 10 to 11:15 UTC is 11 to 12:15 in Berlin: 6 kWh at 0.30; 1 kWh back at 0.20.
    assert (bill["paid"], bill["earned"], bill["net"], bill["currency"]) == (
        "1.80",
        "0.20",
        "1.60",
        "EUR",
    )
    assert [line["charged_kwh"] for line in bill["lines"]] == ["6", "0"]
    entries = [
        each for each in served.items("/ledger/entries") if each["session"] == found["session"]
    ]
    assert [(e["debit"], e["credit"], e["amount"]) for e in entries] == [
        ("token:TAG", "charging_revenue", "1.80"),
        ("discharge_payments", "token:TAG", "0.20"),
    ]
