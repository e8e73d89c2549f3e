"""What stations, clocks and people get wrong, and what a site makes of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from hubwise.ledger.books import minor_unit
from hubwise.live.sources import price_of
from live_site import EXPORT, T0, Served, event, here, hubwise, in_words, make_site, sample

NAMES = [f"M{number}" for number in range(40)]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    site = make_site(tmp_path_factory.mktemp("site") / "here", NAMES)
    here("driver", "add", site.folder, "ann", "--id-token", "04a2B3c4")
    yield site.start()
    assert "Traceback" not in site.said()
    assert site.stop() == 0
    hubwise("audit", site.folder)


@pytest.fixture(scope="module")
def names():
    """Every test takes stations of its own."""
    return iter(NAMES)


def tell(served: Served, name: str, messages, protocol: str = "ocpp2.1") -> None:
    """Say messages one after the other, each answered by a result."""

    async def work() -> None:
        async with served.station(name, protocol) as station:
            for said in messages:
                await station.said("TransactionEvent", said)

    asyncio.run(work())


def tagged(tag: str) -> dict[str, object]:
    return {"idToken": {"idToken": tag, "type": "ISO14443"}, "evse": {"id": 1, "connectorId": 1}}


@pytest.mark.parametrize(
    "strange",
    [
        {"value": 1e10, "unitOfMeasure": {"unit": "Wh", "multiplier": 999_999}},
        {"value": 1e10, "unitOfMeasure": {"unit": "Wh", "multiplier": -999_999}},
        {"value": 0, "unitOfMeasure": {"unit": "kWh", "multiplier": 2**31}},
        {"value": -1e10, "unitOfMeasure": {"unit": "kWh", "multiplier": -999_999}},
        {"value": 5e-324, "unitOfMeasure": {"unit": "MWh", "multiplier": -(2**31)}},
    ],
    ids=["above all", "below all", "nothing", "negative", "the least"],
)
def test_no_sample_keeps_books_from_being_read(served: Served, names, strange) -> None:
    """Whatever a register is said to show, sessions are listed, billed and audited as before."""
    name = next(names)
    odd = sample(0.0) | strange
    start, between, end = sample(100.0), [sample(103.0), odd], sample(106.0)
    tell(
        served,
        name,
        [
            event("Started", 0, T0, [start]),
            event("Updated", 1, T0 + 30 * MINUTE, between),
            event("Ended", 2, T0 + HOUR, [end]),
        ],
    )
    assert served.session(name)["status"] == "final"
    assert served.bill(name)["charged_kwh"] == "6"
    values = served.items(f"/sessions/{name}:T1/meter-values")
    assert sum(each["accepted"] for each in values) >= 3
    assert len(str(values)) < 5_000


def test_an_end_numbered_before_its_beginning_is_never_final(served: Served, names) -> None:
    """Numbers from the beginning to the end are gapless, or there is no final bill."""
    name = next(names)
    tell(
        served,
        name,
        [
            event("Started", 5, T0, [sample(100.0)]),
            event("Ended", 2, T0 + HOUR, [sample(106.0)]),
        ],
    )
    found = served.session(name)
    assert found["status"] == "provisional"
    assert found["doubts"] == ["its end has number 2, before 5 of its beginning"]


def test_a_beginning_said_twice_is_one_stay(served: Served, names) -> None:
    """A station that says Started by cable and again by tag has one session, with all energy."""
    name = next(names)
    tell(
        served,
        name,
        [
            event("Started", 0, T0, [sample(100.0)]),
            event("Updated", 1, T0 + 5 * MINUTE, [sample(100.5)]),
            event("Started", 2, T0 + 10 * MINUTE, [sample(101.0)], **tagged("04A2B3C4")),
            event("Ended", 3, T0 + HOUR, [sample(106.0)]),
        ],
    )
    assert served.session(name)["status"] == "final"
    bill = served.bill(name)
    assert (bill["charged_kwh"], bill["driver"]) == ("6", "driver:ann")


def test_a_name_used_again_after_a_reset_is_another_stay(served: Served, names) -> None:
    """Whose numbers begin anew is another car, also where the first never said its end."""
    name = next(names)
    tell(
        served,
        name,
        [
            event("Started", 0, T0, [sample(100.0)]),
            event("Updated", 1, T0 + 30 * MINUTE, [sample(103.0)]),
            event("Started", 0, T0 + 2 * HOUR, [sample(103.0)]),
            event("Ended", 1, T0 + 3 * HOUR, [sample(105.0)]),
        ],
    )
    found = served.items("/sessions", station=name)
    assert [each["status"] for each in found] == ["open", "final"]
    assert [each["charged_kwh"] for each in found] == ["3", "2"]


def test_a_clock_set_under_way_after_years_is_quarantined(served: Served, names) -> None:
    """A clock that began at its maker's date spreads nobody's energy over years."""
    name = next(names)
    tell(
        served,
        name,
        [
            event("Started", 0, T0.replace(year=2021), [sample(100.0)]),
            event("Updated", 1, T0, [sample(100.0)]),
            event("Updated", 2, T0 + 30 * MINUTE, [sample(103.0)]),
            event("Ended", 3, T0 + HOUR, [sample(106.0)]),
        ],
    )
    found = served.session(name)
    assert found["status"] == "quarantined"
    assert "days between two readings" in found["doubts"][0]
    assert len(served.bill(name)["lines"]) <= 5


@pytest.mark.parametrize("tag", ["04a2b3c4", "04A2B3C4", " 04A2 B3C4 "])
def test_a_tag_is_the_same_in_capitals_and_with_blanks(served: Served, names, tag) -> None:
    """Tags know no capitals (OCPP), and readers show blanks: they are their driver's."""
    name = next(names)
    tell(
        served,
        name,
        [
            event("Started", 0, T0, [sample(100.0)], **tagged(tag)),
            event("Ended", 1, T0 + HOUR, [sample(106.0)]),
        ],
    )
    assert served.bill(name)["driver"] == "driver:ann"


@pytest.mark.parametrize("protocol", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
@pytest.mark.parametrize(
    "form", ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.123456789Z", "%Y-%m-%dt%H:%M:%Sz"]
)
def test_times_are_read_as_stations_write_them(served: Served, names, protocol, form) -> None:
    """Without a zone a time is UTC; small letters and many digits are read; a date alone is not."""
    name, at = next(names), T0.strftime(form)

    async def work() -> list[object]:
        async with served.station(name, protocol) as station:
            if protocol == "ocpp1.6":
                start = {"connectorId": 1, "idTag": "TAG", "meterStart": 100_000, "timestamp": at}
                await station.said("StartTransaction", start)
                return await station.call("StartTransaction", start | {"timestamp": "2026-03-02"})
            said = event("Started", 0, T0, [sample(100.0)])
            await station.said("TransactionEvent", said | {"timestamp": at})
            return await station.call("TransactionEvent", said | {"timestamp": "2026-03-02"})

    refused = asyncio.run(work())
    assert refused[0] == 4
    began = served.session(name)["started_at"]
    assert began.startswith(in_words(T0)[:19])


def test_who_was_billed_keeps_their_stay_when_the_tag_is_given_away(served: Served, names) -> None:
    """A tag that becomes another driver's shows them nothing of what it charged before."""
    name, folder = next(names), served.folder
    here("driver", "add", folder, "cyd", "--id-token", "C1D")
    before = here("token", "create", folder, "--role", "driver", "--driver", "cyd").strip()
    tell(
        served,
        name,
        [
            event("Started", 0, T0, [sample(100.0)], **tagged("C1D")),
            event("Ended", 1, T0 + HOUR, [sample(106.0)]),
        ],
    )
    path = f"/sessions/{name}:T1/bill"
    assert served.get(path, before).json()["driver"] == "driver:cyd"
    here("driver", "add", folder, "dan", "--id-token", "c1d")
    after = here("token", "create", folder, "--role", "driver", "--driver", "dan").strip()
    assert served.get("/sessions", after).json()["items"] == []
    assert served.get(path, after).status_code == 404
    assert served.get(path, before).status_code == 200


def test_discharge_alone_is_paid_to_the_driver(served: Served, names) -> None:
    """Who only gives back has a bill below nothing."""
    name = next(names)
    tell(
        served,
        name,
        [
            event("Started", 0, T0, [sample(100.0), sample(10.0, EXPORT)]),
            event("Ended", 1, T0 + 30 * MINUTE, [sample(100.0), sample(12.0, EXPORT)]),
        ],
    )
    bill = served.bill(name)
    lines = bill["lines"]
    assert (bill["paid"], bill["charged_kwh"]) == ("0.00", "0")
    assert float(bill["net"]) == -2.0 * float(lines[0]["discharge_price"])


@pytest.mark.parametrize(
    ("code", "unit"),
    [("JPY", "1"), ("RWF", "1"), ("BIF", "1"), ("KWD", "0.001"), ("CLF", "0.0001")],
)
def test_amounts_are_whole_in_the_smallest_unit_of_a_currency(code, unit) -> None:
    """ISO 4217 says how many digits an amount has."""
    assert str(minor_unit(code)) == unit


@pytest.mark.parametrize("told", [True, False])
def test_what_nobody_can_have_to_say_is_not_held(served: Served, told) -> None:
    """A request that brings megabytes is refused (413) before it is held, also without a token."""

    def parts():
        for _ in range(64):
            yield b"1" * 2**16

    body = b"1" * 2**22 if told else parts()
    try:
        answer = httpx.post(f"{served.ready['http']}/api/v1/prices", content=body, timeout=60)
    except httpx.TransportError:  # the site closes while we still write
        answer = None
    if answer is not None:
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
    assert served.get("/sessions", most=1).status_code == 200


@pytest.mark.parametrize("absurd", ["9999-12-31T23:59:59-10:00", "0001-01-01T00:00:00+10:00"])
def test_no_time_that_has_no_utc_is_kept(served: Served, absurd) -> None:
    """What was posted for the year 9999 must not keep everybody else's prices from being read."""
    ask = f"{served.ready['http']}/api/v1"
    headers = {"Authorization": f"Bearer {served.token}"}
    soon = in_words(datetime.now(UTC) + MINUTE)
    asked = [
        ("/prices", {"charge": ["0.3"], "discharge": ["0.2"], "until": absurd}),
        ("/prices", {"charge": ["0.3"], "discharge": ["0.2"], "begins_at": absurd}),
        ("/hubs/main/limits", {"most_kw": "3", "until": absurd}),
        ("/hubs/main/limits", {"most_kw": "3", "until": soon, "begins_at": absurd}),
    ]
    for path, body in asked:
        answer = httpx.post(ask + path, json=body | {"reason": "a fair"}, headers=headers)
        assert answer.status_code == 422, answer.text
    for path in ("/prices", "/prices/orders", "/limits", "/hubs"):
        assert served.get(path).status_code == 200


@pytest.mark.parametrize("reason", ["a\0b", "a\ud800b", "a\x1bb"])
def test_a_reason_is_what_every_database_can_keep(served: Served, reason) -> None:
    """PostgreSQL keeps no NUL, and nobody can read half a letter: refused, with what is wrong."""
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json"}
    body = json.dumps({"charge": ["0.3"], "discharge": ["0.2"], "reason": reason})
    url = f"{served.ready['http']}/api/v1/prices"
    answer = httpx.post(url, content=body.encode(), headers=headers, timeout=20)
    assert answer.status_code == 422, answer.text


def test_a_token_that_is_taken_back_ends_its_streams(served: Served) -> None:
    """Who may not ask any more hears nothing more, also on a stream that is open."""
    here("driver", "add", served.folder, "eva")
    token = here("token", "create", served.folder, "--role", "driver", "--driver", "eva").strip()
    url, headers = f"{served.ready['http']}/api/v1/events", {"Authorization": f"Bearer {token}"}
    with httpx.stream("GET", url, headers=headers, timeout=60) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": here"
        here("token", "revoke", served.folder, "--driver", "eva")
        assert all(not line or line.startswith(":") for line in lines)  # and it ends
    assert served.get("/sessions", token).status_code == 401


def test_a_driver_cannot_take_every_place_at_the_stream(served: Served) -> None:
    """One driver's streams leave room for the operator's."""
    here("driver", "add", served.folder, "fay")
    token = here("token", "create", served.folder, "--role", "driver", "--driver", "fay").strip()
    url, mine = f"{served.ready['http']}/api/v1/events", {"Authorization": f"Bearer {token}"}
    listening: list[object] = []
    with ExitStack() as open_ones, httpx.Client(timeout=30) as client:
        for _ in range(8):
            stream = open_ones.enter_context(client.stream("GET", url, headers=mine))
            assert stream.status_code == 200
            listening.append(lines := stream.iter_lines())
            next(lines)
        assert open_ones.enter_context(client.stream("GET", url, headers=mine)).status_code == 503
        headers = {"Authorization": f"Bearer {served.token}"}
        assert open_ones.enter_context(client.stream("GET", url, headers=headers)).is_success


@pytest.mark.parametrize("said", ["1_0", "٣", "NaN", "1e30", "1000000"])
def test_a_price_is_written_in_plain_figures(said) -> None:
    """What Python takes for a number is not yet what an operator meant; VND have large prices."""
    assert price_of(said) is None
    assert price_of("3500") == 3500


def test_nothing_is_acknowledged_that_a_deleted_database_takes(tmp_path) -> None:
    """SQLite writes on into a file that nobody finds any more: such a message is answered by an
    error, `/health` says so, and all is well again when the folder is back where it was."""
    site = make_site(tmp_path / "here", ["M1"]).start()
    aside = tmp_path / "aside"

    async def work() -> list[object]:
        async with site.station("M1") as station:
            await station.said("TransactionEvent", event("Started", 0, T0, [sample(100.0)]))
            site.folder.rename(aside)
            later = event("Updated", 1, T0 + MINUTE, [sample(100.0)])
            refused = await station.call("TransactionEvent", later)
            assert "the database takes nothing" in site.get("/health").json()["troubles"]
            aside.rename(site.folder)
            await station.said("TransactionEvent", later)
            return refused

    assert asyncio.run(work())[2] == "InternalError"
    values = site.items("/sessions/M1:T1/meter-values")
    assert len(values) == 2
    assert site.stop() == 0
