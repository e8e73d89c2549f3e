"""`hubwise serve`: chargers with real sockets, a real database, and bills over HTTP."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hubwise.cli.site import SITE
from live_site import PASSWORD, T0, Served, basic, event, hubwise, in_words, make_site, sample, stay

NAMES = [f"S{number}" for number in range(60)]
# What an operator hears who asks everything of a stay that is over.
STATUS = {"get": 200, "post": 201, "put": 409, "delete": 404}


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


@pytest.mark.parametrize("user", ["it", "another", "unknown"])
def test_who_is_not_known_hears_401(served: Served, names, user) -> None:
    """Wrong password, another station's name, unknown station: 401 in the handshake, no more."""
    name = next(names)
    path = "nobody" if user == "unknown" else name
    header = {"it": basic(name, "wrong"), "another": basic(NAMES[-1], PASSWORD)}
    said = header.get(user, basic("nobody", PASSWORD))

    async def work():
        with pytest.raises(InvalidStatus) as refused:
            async with connect(
                f"{served.ready['ocpp']}/{path}",
                subprotocols=["ocpp2.1"],
                additional_headers={"Authorization": said},
            ):
                pass
        return refused.value.response

    answer = run(work())
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_the_newest_common_version_is_spoken(served: Served, names) -> None:
    """Whatever the order of what a station offers; without a common one nothing is."""
    name = next(names)

    async def spoken(*offered: str) -> str | None:
        async with connect(
            f"{served.ready['ocpp']}/{name}",
            subprotocols=list(offered) or None,
            additional_headers={"Authorization": basic(name, PASSWORD)},
        ) as socket:
            return socket.subprotocol

    assert run(spoken("ocpp1.6", "ocpp2.0.1")) == "ocpp2.0.1"
    assert run(spoken("ocpp1.6", "ocpp2.1", "ocpp2.0.1")) == "ocpp2.1"
    for offered in (("ocpp1.5",), ()):
        with pytest.raises(InvalidStatus):
            run(spoken(*offered))


BOOTS = {
    "ocpp1.6": {"chargePointVendor": "V", "chargePointModel": "M"},
    "ocpp2.0.1": {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"},
}
BOOTS["ocpp2.1"] = BOOTS["ocpp2.0.1"]


@pytest.mark.parametrize("protocol", sorted(BOOTS))
def test_every_version_boots(served: Served, names, protocol) -> None:
    """BootNotification, Heartbeat, StatusNotification, Authorize and DataTransfer are answered."""
    name = next(names)
    old = protocol == "ocpp1.6"
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    at = {"timestamp": in_words(T0)}
    newer = {**at, "evseId": 1, "connectorId": 1, "connectorStatus": "Available"}
    tag = {"idTag": "T"} if old else {"idToken": {"idToken": "T", "type": "ISO14443"}}

    async def work():
        async with served.station(name, protocol) as station:
            boot = await station.said("BootNotification", BOOTS[protocol])
            assert boot["status"] == "Accepted"
            assert boot["interval"] > 0
            beat = await station.said("Heartbeat", {})
            assert beat["currentTime"].endswith("Z")
            assert await station.said("StatusNotification", status if old else newer) == {}
            said = await station.said("Authorize", tag)
            assert said["idTagInfo" if old else "idTokenInfo"]["status"] == "Accepted"
            assert "status" in await station.said("DataTransfer", {"vendorId": "x"})
            return next(e for e in served.items("/stations") if e["station"] == name)

    found = run(work())
    assert (found["protocol"], found["connected"], found["vendor"]) == (protocol, True, "V")
    assert found["connectors"] == {"1.1": "Available"}


def test_needs_are_answered_at_once_and_a_profile_follows(served: Served, names) -> None:
    """`Processing`, then within 5 s a limit for the transaction, charging only to begin with."""
    name = next(names)
    needs = {
        "evseId": 1,
        "chargingNeeds": {
            "requestedEnergyTransfer": "AC_BPT",
            "v2xChargingParameters": {"maxChargePower": 7000, "maxDischargePower": 7000},
        },
    }

    async def work():
        async with served.station(name) as station:
            await station.said("TransactionEvent", stay()[0])
            await asyncio.sleep(1.0)
            station.asked.clear()
            assert await station.said("NotifyEVChargingNeeds", needs) == {"status": "Processing"}
            return await station.hears("SetChargingProfile", seconds=5.0)

    said = run(work())
    profile = said["chargingProfile"]
    assert (said["evseId"], profile["transactionId"]) == (1, "T1")
    period = profile["chargingSchedule"][0]["chargingSchedulePeriod"][0]
    assert period["operationMode"] == "ChargingOnly"
    assert 1_380 <= period["limit"] <= 7_000


@pytest.mark.parametrize("protocol", sorted(BOOTS))
def test_malformed_frames_are_answered_and_the_socket_stays(
    served: Served, names, protocol
) -> None:
    """No frame ends a connection or goes without an answer."""
    name = next(names)
    deep = '[2,"x","Heartbeat",' + '{"a":' * 500 + "1" + "}" * 500 + "]"
    frames = ["", "{", "[]", "{}", "[" * 100_000, "7", '[2,"a"]', '[2,"a","Heartbeat"]', deep]
    frames += ['[99,"a","Heartbeat",{}]', '[2,"","Heartbeat",{}]', f'[2,"a",{"9" * 5_000},{{}}]']
    frames += ['[2,"a","Heartbeat","text"]', '[2,"a","Heartbeat",{"x":"\\u0000"}]', '[2,"a",[],{}]']
    frames += ['[2,"a","Heartbeat",{"x":NaN}]', '[2,"a","Heartbeat",{"x":"\\ud800"}]', '[2.0,"a"]']
    frames += [b"[2,\xff\xfe", b"\0", f'["{"x" * 1_000}"]', '[true,"a","Heartbeat",{}]']

    async def work():
        async with served.station(name, protocol) as station:
            for frame in frames:
                said = await station.raw(frame)
                assert said[0] == 4, (frame[:50], said)
            number = await station.raw('[2,12345,"Heartbeat",{}]')
            assert number[:2] == [4, 12345]
            for frame in ('[3,"nobody asked",{}]', '[4,"x","y","",{}]', '[5,"x","y","",{}]'):
                await station.socket.send(frame)
            await station.socket.send('[6,"x","NotifyPeriodicEventStream",{"id":1}]')
            unknown = await station.call("MakeCoffee", {})
            assert unknown[2] == "NotImplemented"
            ours = await station.call("Reset", {})
            assert ours[2] == "NotSupported"
            wrong = await station.call("BootNotification", {"reason": 7})
            assert wrong[0] == 4
            assert (await station.call("Heartbeat", {}))[0] == 3

    run(work())


def test_a_frame_beyond_the_limit_ends_that_connection_only(served: Served, names) -> None:
    """129 kB are refused with 1009, and the site goes on."""
    name = next(names)

    async def work():
        async with served.station(name) as station:
            await station.socket.send("x" * 132_000)
            await station.socket.wait_closed()
            assert station.socket.close_code == 1009
        async with served.station(name) as station:
            await station.said("Heartbeat", {})

    run(work())


def test_the_newest_connection_wins_and_an_alarm_is_raised(served: Served, names) -> None:
    """Two sockets claim one station: the newer one is heard, an operator is told."""
    name = next(names)

    async def work():
        async with served.station(name) as first:
            await first.said("Heartbeat", {})
            async with served.station(name) as second:
                await asyncio.wait_for(first.socket.wait_closed(), 10)
                await second.said("Heartbeat", {})
                assert next(e for e in served.items("/stations") if e["station"] == name)[
                    "connected"
                ]

    run(work())
    told = [each for each in served.items("/alarms") if each["station"] == name]
    assert [each["what"] for each in told] == ["two connections claim one station"]


def test_doubled_reordered_and_repeated_messages_bill_the_same(served: Served, names) -> None:
    """Each message twice, the end first: one session, the same bill, no entry twice."""
    name = next(names)

    async def work():
        async with served.station(name) as station:
            for said in [*reversed(stay()), *stay()]:
                offline = {**said, "offline": True} if said["seqNo"] % 2 else said
                await station.said("TransactionEvent", offline)

    run(work())
    assert served.session(name)["status"] == "final"
    assert served.bill(name)["net"] == "1.60"
    found = [
        each for each in served.items("/ledger/entries") if each["session"].startswith(f"{name}:")
    ]
    assert len(found) == 2


def test_a_gap_keeps_a_session_provisional_until_it_is_filled(served: Served, names) -> None:
    """A session is final only when its numbers are gapless; then its bill stands for ever."""
    name = next(names)
    said = stay()

    async def send(messages):
        async with served.station(name) as station:
            for each in messages:
                await station.said("TransactionEvent", each)

    run(send([each for each in said if each["seqNo"] != 2]))
    assert served.session(name)["status"] == "provisional"
    assert served.items("/ledger/entries") == [
        each
        for each in served.items("/ledger/entries")
        if not each["session"].startswith(f"{name}:")
    ]
    run(send([said[2]]))
    final = served.bill(name)
    assert final["status"] == "final"
    late = event("Ended", 5, T0.replace(hour=13), [sample(900.0)])
    run(send([late]))
    assert served.bill(name) == final


def wh(at, value, **more):
    return {"timestamp": in_words(at), "sampledValue": [{"value": value, **more}]}


def test_a_session_of_ocpp_16(served: Served, names) -> None:
    """A repeated start gets the same number; units default to Wh; a repeated stop bills once."""
    name = next(names)
    start = {"connectorId": 1, "idTag": "TAG", "meterStart": 5_000, "timestamp": in_words(T0)}
    later = T0.replace(minute=30)

    async def work():
        async with served.station(name, "ocpp1.6") as station:
            numbers = {
                (await station.said("StartTransaction", start))["transactionId"] for _ in "abc"
            }
            assert len(numbers) == 1
            number = numbers.pop()
            meter = {"connectorId": 1, "transactionId": number, "meterValue": [wh(later, "8000")]}
            phase = wh(
                later, "1.0", phase="L1", unit="kWh", measurand="Energy.Active.Import.Register"
            )
            power = wh(later, "6000", measurand="Power.Active.Import", unit="W")
            await station.said("MeterValues", meter)
            await station.said("MeterValues", {**meter, "meterValue": [phase, power]})
            stop = {
                "transactionId": number,
                "meterStop": 11_000,
                "timestamp": in_words(T0.replace(hour=11)),
            }
            for _ in "ab":
                await station.said("StopTransaction", stop)
            for unknown in (-1, 0, 999_999):
                await station.said("StopTransaction", {**stop, "transactionId": unknown})
            return number

    number = run(work())
    found = served.session(name)
    assert (found["transaction"], found["status"], found["charged_kwh"]) == (
        str(number),
        "final",
        "6",
    )
    assert served.bill(name)["net"] == "1.80"
    values = served.items(f"/sessions/{found['session']}/meter-values")
    assert [each["accepted"] for each in values] == [True, False, True, True] or [
        each["accepted"] for each in values
    ] == [True, True, False, True]


WRONG = {
    "register 0 at an offline start": (
        lambda m: m[0]["meterValue"][0]["sampledValue"][0].update(value=0.0)
    ),
    "the odometer at the end": (
        lambda m: m[5]["meterValue"][0]["sampledValue"][0].update(value=910.0)
    ),
    "a clock of 1970": (lambda m: m[0]["meterValue"][0].update(timestamp="1970-01-01T00:00:07Z")),
    "a clock ahead": (lambda m: m[5]["meterValue"][0].update(timestamp="2999-01-01T00:00:07Z")),
    "Wh called kWh": (lambda m: m[0]["meterValue"][0]["sampledValue"][0].update(value=100_000.0)),
    "one phase only": (lambda m: m[5]["meterValue"][0]["sampledValue"][0].update(phase="L1")),
    "a register below zero": (
        lambda m: m[5]["meterValue"][0]["sampledValue"][0].update(value=-5.0)
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_is_quarantined(served: Served, names, wrong) -> None:
    """Where beginning or end is not believed, there is no final bill, and a reason is given."""
    name = next(names)
    messages = stay()
    WRONG[wrong](messages)

    async def work():
        async with served.station(name) as station:
            for said in messages:
                await station.said("TransactionEvent", said)

    run(work())
    found = served.session(name)
    assert found["status"] == "quarantined"
    assert found["doubts"]
    assert float(found["charged_kwh"]) <= 6.0
    values = served.items(f"/sessions/{found['session']}/meter-values")
    assert [each for each in values if not each["accepted"]]
    assert all(each["accepted"] == (each["reason"] is None) for each in values)
    assert any(each["station"] == name for each in served.items("/alarms"))


def test_a_leap_between_is_left_out_and_the_session_is_billed(served: Served, names) -> None:
    """An impossible value in the middle bounds nothing: its neighbours do."""
    name = next(names)
    messages = stay()
    messages[2]["meterValue"][0]["sampledValue"][0].update(value=99_999.0)

    async def work():
        async with served.station(name) as station:
            for said in messages:
                await station.said("TransactionEvent", said)

    run(work())
    assert served.session(name)["status"] == "final"
    assert served.bill(name)["charged_kwh"] == "6"


def test_a_station_is_added_while_the_site_is_served(served: Served) -> None:
    """`station add` needs no restart, and a new password holds at once."""

    async def boots(password: str) -> None:
        async with served.station("late", password=password) as station:
            await station.said("Heartbeat", {})

    hubwise("station", "add", served.folder, "late", "--password", PASSWORD)
    run(boots(PASSWORD))
    hubwise("station", "add", served.folder, "late", "--password", "another-one-of-16")
    run(boots("another-one-of-16"))
    with pytest.raises(InvalidStatus):
        run(boots(PASSWORD))


def test_health_and_metrics_ask_for_no_token(served: Served) -> None:
    """200 while control runs; figures of the site as a whole."""
    health = httpx.get(f"{served.ready['http']}/api/v1/health")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    text = httpx.get(f"{served.ready['http']}/metrics").text
    assert "hubwise_stations_connected" in text
    assert "hubwise_ocpp_answer_seconds_count" in text


def test_every_route_asks_who_and_whether(served: Served, names) -> None:
    """A walk of the OpenAPI: without a token 401, of others' 403 or 404, errors as problems."""
    name = next(names)

    async def work():
        async with served.station(name) as station:
            for said in stay():
                await station.said("TransactionEvent", said)

    run(work())
    session = served.session(name)["session"]
    hubwise("driver", "add", served.folder, "mallory", "--id-token", "M1")
    token = hubwise(
        "token", "create", served.folder, "--role", "driver", "--driver", "mallory"
    ).strip()
    paths = httpx.get(f"{served.ready['http']}/openapi.json").json()["paths"]
    assert len(paths) >= 7
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    bodies = {
        "corrections": {"charged_kwh": "6", "discharged_kwh": "1", "reason": "looked at it"},
        "preferences": {"required_kwh": "5"},
        "prices": {
            **{"charge": ["0.4"], "discharge": ["0.3"], "reason": "a fair"},
            **{"begins_at": until, "until": f"{datetime.now(UTC) + timedelta(hours=2):%FT%TZ}"},
        },
        "limits": {"most_kw": "4000", "until": until, "reason": "the street is full"},
    }
    for path, verbs in paths.items():
        for verb in verbs:
            if path.endswith(("/events", "/live")):
                continue  # they never end: test_corrections.py, tests/web listen to them
            if "/me/" in path:
                continue  # drivers' own, of browsers too: tests/web/test_signing.py
            named = path.replace("{session}", session).replace("{hub}", "main")
            url = f"{served.ready['http']}{named}" + "?reason=none" * (verb == "delete")
            body = None if verb in ("get", "delete") else bodies[path.rpartition("/")[2]]
            # The first page of invoices takes in what draws it: seconds on a busy machine.
            ask = partial(httpx.request, verb, url, json=body, timeout=60)
            nobody = ask()
            other, boss = (
                ask(headers={"Authorization": f"Bearer {each}"}) for each in (token, served.token)
            )
            # The stay is over: to say what is wanted of it is too late, for those who may; and
            # this site does not say who it is to others, nor names a feeder.
            right = 409 if path.endswith("/cdrs") else STATUS[verb]
            right = 404 if path.endswith("/feeder/day") else right
            assert boss.status_code == right, path
            if path.endswith("/health"):
                continue
            assert nobody.status_code == 401, path
            assert nobody.headers["content-type"] == "application/problem+json"
            assert nobody.json()["status"] == 401
            if path.endswith(("/sessions", "/entries", "/statements", "/invoices")):
                assert other.json()["items"] == []
            elif path.endswith((".csv", ".html")):
                assert other.status_code == 200
                assert session not in other.text
                assert session in boss.text
            elif (verb, path) != ("get", "/api/v1/prices"):
                assert other.status_code in (403, 404), path
    bad = httpx.get(
        served.ready["http"] + "/api/v1/sessions?most=x",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (bad.status_code, bad.headers["content-type"]) == (422, "application/problem+json")
    nowhere = httpx.get(served.ready["http"] + "/api/v1/nothing", timeout=20)
    assert nowhere.status_code == 404
    assert "the API is under /api/v1" in nowhere.json()["detail"]


def test_a_driver_reads_what_is_theirs(served: Served, names) -> None:
    """Sessions, bills and entries of a driver's tags, and of no other."""
    name = next(names)
    hubwise("driver", "add", served.folder, "ann", "--id-token", f"tag-{name}")
    token = hubwise("token", "create", served.folder, "--role", "driver", "--driver", "ann").strip()
    messages = stay()
    messages[0]["idToken"]["idToken"] = f"tag-{name}"

    async def work():
        async with served.station(name) as station:
            for said in messages:
                await station.said("TransactionEvent", said)

    run(work())
    found = served.get("/sessions", token).json()["items"]
    assert [each["station"] for each in found] == [name]
    assert (
        served.get(f"/sessions/{found[0]['session']}/bill", token).json()["driver"] == "driver:ann"
    )
    entries = served.get("/ledger/entries", token).json()["items"]
    assert {each["session"] for each in entries} == {found[0]["session"]}


def test_no_secret_stands_in_the_folder(served: Served) -> None:
    """Passwords and tokens are kept as keyed hashes, the key for its owner alone."""
    for place in served.folder.iterdir():
        text = place.read_bytes()
        assert PASSWORD.encode() not in text, place
        assert served.token.encode() not in text, place
    assert (served.folder / "site.key").stat().st_mode & 0o777 == 0o600


def test_what_was_answered_is_there_after_a_kill(tmp_path) -> None:
    """Killed and started again: sessions, bills, numbers given out, and the same ports."""
    site = make_site(tmp_path / "here", ["A", "B"]).start()
    start = {"connectorId": 1, "idTag": "TAG", "meterStart": 5_000, "timestamp": in_words(T0)}

    async def before():
        async with site.station("A") as station:
            for said in stay():
                await station.said("TransactionEvent", said)
        async with site.station("B", "ocpp1.6") as station:
            return (await station.said("StartTransaction", start))["transactionId"]

    async def after():
        async with site.station("B", "ocpp1.6") as station:
            return (await station.said("StartTransaction", start))["transactionId"]

    number = run(before())
    site.kill()
    site.start()
    assert run(after()) == number
    assert site.bill("A")["net"] == "1.60"
    again = hubwise("serve", site.folder, fails=True)
    assert "is served already" in again
    assert "A:T1" not in hubwise("status", site.folder)
    assert (
        json.loads(hubwise("status", site.folder, "--json"))["sessions"]["items"][0]["status"]
        == "final"
    )
    assert site.stop() == 0
    with pytest.raises((ConnectionClosed, OSError)):
        run(after())


def test_a_site_is_served_on_postgresql(tmp_path, postgres) -> None:
    """Who was added before is known there; later commands find the books there, too."""
    site = make_site(tmp_path / "here", ["A"])
    site.store = postgres("served")
    site.start()
    hubwise("station", "add", site.folder, "B", "--password", PASSWORD)

    async def work():
        for name in "AB":
            async with site.station(name) as station:
                for said in stay():
                    await station.said("TransactionEvent", said)

    run(work())
    site.kill()
    site.start()
    assert [site.bill(name)["net"] for name in "AB"] == ["1.60", "1.60"]
    assert len(site.items("/ledger/entries")) == 4
    assert (site.folder / "store.url").stat().st_mode & 0o777 == 0o600
    assert site.stop() == 0


def test_two_stays_of_a_station_without_a_clock_are_two(served: Served, names) -> None:
    """Both begin in 1970 and read the same: after the end of one the next gets another number."""
    name = next(names)
    start = {"connectorId": 1, "idTag": "T", "meterStart": 5, "timestamp": "1970-01-01T00:00:09Z"}

    async def work():
        async with served.station(name, "ocpp1.6") as station:
            numbers = []
            for _ in "ab":
                begun = [await station.said("StartTransaction", start) for _ in "ab"]
                numbers += [each["transactionId"] for each in begun]
                stop = {"transactionId": numbers[-1], "meterStop": 5, "timestamp": in_words(T0)}
                await station.said("StopTransaction", stop)
            return numbers

    first, again, second, twice = run(work())
    assert first == again != second == twice
    assert {each["status"] for each in served.items("/sessions", station=name)} == {"quarantined"}


def test_names_with_odd_characters_are_read_back(served: Served, names) -> None:
    """A transaction may be called what a path is called."""
    name = next(names)

    async def work():
        async with served.station(name) as station:
            for said in stay("a/../b?c#d%2F ü"):
                await station.said("TransactionEvent", said)

    run(work())
    session = served.session(name)["session"]
    for part in ("bill", "meter-values"):
        assert served.get(f"/sessions/{quote(session, safe='')}/{part}").status_code == 200


@given(
    path=st.text(max_size=20) | st.sampled_from(["sessions", "ledger/entries", "stations", "x"]),
    query=st.dictionaries(
        st.sampled_from(["after", "most", "station", "x"]),
        st.text(max_size=8) | st.integers(-(10**20), 10**20) | st.floats(),
        max_size=3,
    ),
    verb=st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"]),
    body=st.binary(max_size=50),
)
@settings(max_examples=400, suppress_health_check=list(HealthCheck))
def test_no_request_is_our_mistake(http, path, query, verb, body) -> None:
    """400 requests as nobody should send them: never a 500, errors always as problems."""
    answer = http.request(verb, f"/api/v1/{quote(path)}", params=query, content=body)
    assert answer.status_code < 500
    if answer.status_code >= 400 and verb != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


@pytest.fixture(scope="module")
def http(served):
    headers = {"Authorization": f"Bearer {served.token}"}
    with httpx.Client(base_url=served.ready["http"], headers=headers, timeout=20) as client:
        yield client


def test_it_stops_while_stations_are_connected(tmp_path) -> None:
    """SIGTERM with open sockets and a caller waiting: 0 within 10 s, and they are told to go."""
    site = make_site(tmp_path / "here", ["A", "B"]).start()

    async def work():
        async with site.station("A") as one, site.station("B", "ocpp1.6") as other:
            await one.said("TransactionEvent", stay()[0])
            await other.said("Heartbeat", {})
            code = await asyncio.to_thread(site.stop)
            await one.socket.wait_closed()
            return code, one.socket.close_code

    assert run(work()) == (0, 1001)
    assert not (site.folder / "serving.json").exists()
    assert site.said() == ""


def test_what_a_user_can_mend_is_said_in_a_line(tmp_path) -> None:
    """No site, bad settings, bad stations, a driver who is not known: exit 2, all at once."""
    here = tmp_path / "here"
    assert "hubwise site new" in hubwise("serve", here, fails=True)
    hubwise("site", "new", here)
    assert "not empty" in hubwise("site", "new", here, fails=True)
    table = tmp_path / "t.csv"
    table.write_text("station,password,hub,max_kw\nA,x,main,7\n,y,main,7\nB,,main,7\nC,z,no,0\n")
    said = hubwise("station", "add", here, "--file", table, fails=True)
    assert [part in said for part in ("row 3", "row 4", "row 5", "row 2")] == [True] * 3 + [False]
    assert "no" in said
    assert "max_kw" in said
    assert "driver add" in hubwise(
        "token", "create", here, "--role", "driver", "--driver", "x", fails=True
    )
    place = here / "site.toml"
    place.write_text(place.read_text().replace("Europe/Berlin", "Mars").replace("43.0", "-1"))
    said = hubwise("serve", here, fails=True)
    assert "Mars" in said
    assert "connection_kw" in said
    place.write_text(SITE.format(name="s") + 'unknwn_tokens = "refuse"\n')
    assert "access.unknwn_tokens — is not known" in hubwise("serve", here, fails=True)
    place.write_text(SITE.format(name="s"))
    hubwise("station", "add", here, "A", "--password", PASSWORD)
    place.write_text(SITE.format(name="s").replace("hubs.main", "hubs.other"))
    assert "hubs that are not known: A" in hubwise("serve", here, fails=True)


def test_a_running_site_opens_no_rooms_of_numbers() -> None:
    """Tables, compilers and planners stay outside the process that answers stations: they are more
    than half of what it would take, and a second of its start."""
    code = "import sys, hubwise.cli.serve; print({'polars', 'numba', 'pandas'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
