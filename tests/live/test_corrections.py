"""Corrections, wishes, acts, limits and the stream of a served site, on both databases."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from databases import server
from hubwise.audit.books import audit_books
from hubwise.audit.report import Status
from live_site import T0, Served, event, hubwise, in_words, make_site, sample, stay

NAMES = [f"S{number}" for number in range(60)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("site")
    if request.param == "sqlite":
        yield from _served(place, None)
        return
    with server(place / "pg") as made:
        yield from _served(place, made(f"c{uuid.uuid4().hex[:10]}"))


def _served(place, store):
    site = make_site(place / "here", NAMES, store).start()
    for driver in ("ann", "bob"):
        hubwise("driver", "add", site.folder, driver, "--id-token", f"tag-{driver}")
    yield site
    assert site.stop() == 0
    report = audit_books(site.folder)
    assert report.ok, report.failures
    assert not report.having(Status.UNCHECKED)


@pytest.fixture(scope="module")
def names():
    """Every test takes stations of its own."""
    return iter(NAMES)


def token(served: Served, role: str, *more: str) -> str:
    return hubwise("token", "create", served.folder, "--role", role, *more).strip()


def send(served: Served, name: str, messages, protocol: str = "ocpp2.1") -> None:
    async def work():
        async with served.station(name, protocol) as station:
            for said in messages:
                await station.said("TransactionEvent", said)

    asyncio.run(work())


def of_ann(messages):
    messages[0]["idToken"]["idToken"] = "tag-ann"
    return messages


def ask(served: Served, verb: str, path: str, body=None, who: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {who or served.token}"}
    url = f"{served.ready['http']}/api/v1{path}"
    return httpx.request(verb, url, json=body, headers=headers, timeout=20)


def broken(name: str = "T1"):
    """A stay whose last register cannot be."""
    messages = of_ann(stay(name))
    messages[-1] = event("Ended", 5, T0 + timedelta(minutes=75), [sample(9_000.0)], name)
    return messages


def entries_of(served: Served, session: str) -> list[tuple[str, str, str]]:
    found = [each for each in served.items("/ledger/entries") if each["session"] == session]
    return [(each["debit"], each["credit"], each["amount"]) for each in found]


def test_an_operator_resolves_a_quarantined_session(served: Served, names) -> None:
    """By the command, with a reason: 6 kWh evenly over 75 minutes, and the act is listed."""
    name = next(names)
    send(served, name, broken())
    found = served.session(name)
    assert found["status"] == "quarantined"
    assert entries_of(served, found["session"]) == []
    words = ["site", "correct", served.folder, found["session"], "--charged-kwh", "6"]
    said = hubwise(*words, "--reason", "read at the meter by eve")
    assert said == f"{found['session']}: final, 1.78 EUR\n"
    bill = served.bill(name)
    assert (bill["status"], bill["paid"], bill["corrections"]) == ("final", "1.78", [])
    assert bill["act"].startswith("act|")
    act = served.items("/acts", most=1_000)[-1]
    assert (act["verb"], act["what"], act["why"]) == (
        "correct",
        found["session"],
        "read at the meter by eve",
    )
    assert act["who"]
    assert abs(datetime.fromisoformat(act["at"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_final_bill_stays_and_a_correction_takes_it_back(served: Served, names) -> None:
    """Entries turned round, and new ones; the bill as it was posted; the account holds the new."""
    name = next(names)
    send(served, name, of_ann(stay()))
    session, before = served.session(name)["session"], served.bill(name)
    eve = token(served, "operator", "--name", "eve")
    body = {"charged_kwh": "5", "discharged_kwh": "1", "reason": "the meter ran fast"}
    answer = ask(served, "POST", f"/sessions/{session}/corrections", body, eve)
    assert answer.status_code == 201, answer.text
    bill = served.bill(name)
    assert {**bill, "corrections": []} == before
    (correction,) = bill["corrections"]
    assert (correction["number"], correction["because"]) == (1, "the meter ran fast")
    assert (correction["charged_kwh"], correction["discharged_kwh"]) == ("5", "1")
    moved = entries_of(served, session)
    assert moved[:4] == [
        ("driver:ann", "charging_revenue", "1.80"),
        ("discharge_payments", "driver:ann", "0.20"),
        ("charging_revenue", "driver:ann", "1.80"),
        ("driver:ann", "discharge_payments", "0.20"),
    ]
    assert moved[4] == ("driver:ann", "charging_revenue", correction["paid"])
    held = sum(
        float(amount) * ((debit == "driver:ann") - (credit == "driver:ann"))
        for debit, credit, amount in moved
    )
    assert held == pytest.approx(float(correction["net"]))
    assert served.session(name)["charged_kwh"] == "5"
    assert served.items("/acts", most=1_000)[-1]["who"] == "eve"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"charged_kwh": "900", "reason": "x"}, "at most"),
        ({"charged_kwh": "5", "reason": " "}, "reason"),
        ({"charged_kwh": "5", "reason": "x", "ended_at": "2026-03-02T09:00:00Z"}, "no stay"),
        ({"charged_kwh": "5", "reason": "x", "ended_at": "2026-03-02T12:00:00"}, "offset"),
        ({"charged_kwh": "-5", "reason": "x"}, "-5"),
        ({"charged_kwh": "many", "reason": "x"}, "charged_kwh"),
        ({"charged_kwh": "5"}, "reason"),
    ],
)
def test_figures_that_cannot_be_are_refused(served: Served, names, body, says) -> None:
    """With what is wrong, and nothing is kept."""
    name = next(names)
    send(served, name, stay())
    session = f"{name}:T1"
    before = served.get(f"/sessions/{session}/bill").json()
    answer = ask(served, "POST", f"/sessions/{session}/corrections", body)
    assert answer.status_code in (409, 422)
    assert says in answer.json()["detail"]
    assert served.get(f"/sessions/{session}/bill").json() == before


def test_a_session_with_a_gap_is_not_corrected(served: Served, names) -> None:
    """Final needs all numbers; the command says why not, and ends with 2."""
    name = next(names)
    send(served, name, [each for each in stay() if each["seqNo"] != 2])
    words = ["site", "correct", served.folder, f"{name}:T1", "--charged-kwh", "6"]
    assert "messages of the session are missing" in hubwise(*words, "--reason", "x", fails=True)
    assert served.session(name)["status"] == "provisional"


def test_a_value_after_the_end_makes_a_correction(served: Served, names) -> None:
    """1.6: a meter value of the middle comes late; most flowed in another slot than thought."""
    name = next(names)
    start = {"connectorId": 1, "idTag": "tag-ann", "meterStart": 0, "timestamp": in_words(T0)}
    late = {"value": "5800", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}

    async def work():
        async with served.station(name, "ocpp1.6") as station:
            number = (await station.said("StartTransaction", start))["transactionId"]
            at = in_words(T0 + timedelta(minutes=120))
            stop = {"transactionId": number, "meterStop": 6_000, "timestamp": at}
            await station.said("StopTransaction", stop)
            assert served.bill(name)["corrections"] == []
            value = {"timestamp": in_words(T0 + timedelta(minutes=60)), "sampledValue": [late]}
            meter = {"connectorId": 1, "transactionId": number, "meterValue": [value]}
            await station.said("MeterValues", meter)

    asyncio.run(work())
    bill = served.bill(name)
    assert [line["charged_kwh"] for line in bill["lines"]] == ["3", "3"]
    (correction,) = bill["corrections"]
    assert [line["charged_kwh"] for line in correction["lines"]] == ["5.8", "0.2"]
    assert correction["act"] is None


def test_a_driver_says_what_they_want(served: Served, names) -> None:
    """Their own stay while it lasts; others hear 404, an operator's word is an act."""
    name = next(names)
    send(served, name, of_ann(stay())[:3])
    ann, bob = (token(served, "driver", "--driver", each) for each in ("ann", "bob"))
    path = f"/sessions/{name}:T1/preferences"
    assert ask(served, "GET", path, who=ann).json()["required_kwh"] is None
    leaves = in_words(datetime.now(UTC).replace(microsecond=0) + timedelta(hours=9))
    wish = {"departure_at": leaves, "energy_kwh": "12", "required_kwh": "20", "reserve_kwh": "8"}
    said = ask(served, "PUT", path, wish, ann)
    assert said.status_code == 200, said.text
    assert {name: said.json()[name] for name in wish} == wish
    assert said.json()["by"] == "driver:ann"
    assert ask(served, "PUT", path, wish, bob).status_code == 404
    figures = {"charged_kwh": "1", "reason": "mine"}
    assert ask(served, "POST", f"/sessions/{name}:T1/corrections", figures, ann).status_code in (
        403,
        404,
    )
    odd = {"required_kwh": "5", "reserve_kwh": "9", "energy_kwh": "-1"}
    answer = ask(served, "PUT", path, odd, ann)
    assert answer.status_code == 409
    assert "reserve_kwh is above" in answer.json()["detail"]
    assert "energy_kwh is below 0" in answer.json()["detail"]
    before = len(served.items("/acts", most=1_000))
    boss = token(served, "operator", "--name", "eve")
    assert ask(served, "PUT", path, {"required_kwh": "3"}, boss).json()["by"] == "operator:eve"
    assert served.items("/acts", most=1_000)[-1]["verb"] == "wish"
    assert len(served.items("/acts", most=1_000)) >= before + 1
    send(served, name, of_ann(stay())[3:])
    assert ask(served, "PUT", path, wish, ann).status_code == 409


def test_registrations_are_acts(served: Served) -> None:
    """Who added which driver and token; no secret stands there; drivers do not read them."""
    token(served, "operator", "--name", "eve")
    found = served.items("/acts", most=1_000)
    said = {(each["verb"], each["what"]) for each in found}
    assert {("add driver", "ann"), ("add tag", "TAG-ANN"), ("create operator token", "eve")} <= said
    assert all(served.token not in json.dumps(each) for each in found)
    page = served.get("/acts", most=2).json()
    assert len(page["items"]) == 2
    assert served.get("/acts", most=2, after=page["next"]).json()["items"] == found[2:4]
    ann = token(served, "driver", "--driver", "ann")
    assert served.get("/acts", ann).status_code == 403


async def hear(served: Served, who: str, begin: int | None, until: str) -> list[dict]:
    """Events of the stream until one of a kind, from a position on."""
    headers = {"Authorization": f"Bearer {who}"}
    headers |= {"Last-Event-ID": str(begin)} if begin is not None else {}
    url, heard = f"{served.ready['http']}/api/v1/events", []
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                heard.append(json.loads(line.removeprefix("data: ")))
                if heard[-1]["kind"] == until:
                    return heard
    return heard


def test_events_are_heard_as_they_happen(served: Served, names) -> None:
    """An operator hears all, a driver their own stays; who comes back misses nothing."""
    name, other = next(names), next(names)
    ann = token(served, "driver", "--driver", "ann")

    async def work():
        listening = [
            asyncio.create_task(hear(served, who, None, "bill")) for who in (served.token, ann)
        ]
        await asyncio.sleep(1.0)
        for station, messages in ((other, stay()[:2]), (name, of_ann(stay()))):
            async with served.station(station) as socket:
                for said in messages:
                    await socket.said("TransactionEvent", said)
        return await asyncio.wait_for(asyncio.gather(*listening), 20)

    everything, own = asyncio.run(work())
    assert {each["station"] for each in everything} >= {name, other}
    assert {each["station"] for each in own} == {name}
    assert [each["kind"] for each in own] == ["transaction"] * 6 + ["bill"]
    assert [each["position"] for each in own] == sorted(each["position"] for each in own)
    again = asyncio.run(hear(served, ann, own[2]["position"], "bill"))
    assert again == own[3:]
    answer = httpx.get(f"{served.ready['http']}/api/v1/events", timeout=5)
    assert answer.status_code == 401
