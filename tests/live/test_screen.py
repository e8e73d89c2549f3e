"""Prices on a station's screen: what a session comes to so far is what its bill will say."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from random import Random
from zoneinfo import ZoneInfo

import pytest

from hubwise.domain.events import (
    Event,
    Phase,
    PriceList,
    PricesPosted,
    Sample,
    TransactionSaid,
)
from hubwise.domain.screen import Cost
from hubwise.edge.ocpp import Step
from hubwise.edge.ocpp.server import VERSIONS
from hubwise.edge.ocpp.tariffs import tariff_of
from hubwise.edge.simulated.tariffs import Tariffs
from hubwise.live import Site
from hubwise.live.running import Running
from hubwise.live.settle import Terms, amounts, settle
from live_site import EXPORT, IMPORT, T0, event, in_words, make_site, sample, stay
from ocpp_server import BOOT, OLD_BOOT, list_of, running
from site_books import SETTINGS, Memory, World
from site_books import stay as books_stay
from station_variables import variables

COST = Cost(Decimal("-0.40"), Decimal("0.30"), Decimal("0.20"), "EUR")
WORDS = "0.30 EUR/kWh; energy given back earns 0.20 EUR/kWh; -0.40 EUR so far"


def run(work):
    return asyncio.run(work)


def test_answers_tell_what_a_session_comes_to(tmp_path) -> None:
    """Each event's answer has the cost so far, and the last one's is the bill's net."""
    site = make_site(tmp_path / "here", ["A"]).start()

    async def work():
        async with site.station("A") as station:
            return [await station.said("TransactionEvent", each) for each in stay()]

    answers = run(work())
    assert [each["totalCost"] for each in answers] == [0.0, 0.45, 0.9, 1.8, 1.7, 1.6]
    assert float(site.bill("A")["net"]) == answers[-1]["totalCost"]
    message = answers[3]["updatedPersonalMessage"]
    assert message["format"] == "UTF8"
    assert message["content"].endswith("; 1.80 EUR so far")
    assert site.stop() == 0


@pytest.mark.parametrize("seed", range(40))
def test_the_running_cost_is_the_bill_s(seed) -> None:
    """Message by message, over slots with other prices, and begun anywhere: the same net."""
    draw = Random(seed)
    size = draw.choice((15, 60, 720))
    charge, back = (
        tuple(Decimal(draw.randrange(-20, 60)) / 100 for _ in range(1_440 // size)) for _ in "ab"
    )
    terms = Terms("EUR", ZoneInfo("Europe/Berlin"), PriceList("p", size, charge, back), 11.0)
    at, registers, messages = T0, [Decimal(100), Decimal(50)], []
    for number in range(draw.randrange(2, 40)):
        kinds = zip((IMPORT, EXPORT), registers, strict=True)
        samples = tuple(Sample(at, kind, str(value), "kWh") for kind, value in kinds)
        phase = Phase.UPDATED if number else Phase.STARTED
        made = TransactionSaid(f"{number}", "A", at, "T", "ocpp2.1", phase, number, at)
        messages.append(replace(made, samples=samples))
        seconds = draw.randrange(10, 4_000)
        at += timedelta(seconds=seconds)
        registers[draw.randrange(2)] += round(Decimal(11 * seconds * draw.random() / 3_600), 3)
    first = draw.randrange(1, len(messages) + 1)
    cost = Running.of(settle(messages[:first], terms), terms)
    for each in messages[first:]:
        cost.take(each)
        cost.take(each)  # a repetition changes nothing
    paid, earned, rounding = amounts(settle(messages, terms), "EUR")
    assert abs(cost.net - (paid - earned - rounding)) < Decimal("1e-6")
    assert cost.whole
    odd = replace(messages[-1].samples[0], value="99999", at=at)
    cost.take(replace(messages[-1], samples=(odd,)))  # an odometer's leap is nobody's cost
    assert abs(cost.net - (paid - earned - rounding)) < Decimal("1e-6")
    assert not cost.whole  # so that at the end all is read again


def test_the_last_answer_reads_nothing_again() -> None:
    """What a session came to is at hand when it ends, and is the bill's; where a message came out
    of order it is read from all of them."""

    class Counted(Memory):
        reads = 0

        async def of_transaction(self, station: str, transaction: str) -> list[Event]:
            self.reads += 1
            return await super().of_transaction(station, transaction)

    async def ended(messages: list[TransactionSaid]) -> tuple[int, Decimal]:
        log, world = Counted(), World()
        log.site = site = Site(SETTINGS, log, world, world)
        await site.hear(PricesPosted("prices", "", T0, SETTINGS.prices))
        for each in messages:
            await site.hear(each)
            before, cost = log.reads, await site.cost("A", "T1")
        reads = log.reads - before
        account = await site.account(site.books.session_of("A", "T1"))
        assert cost.net == account.bill.net
        return reads, cost.net

    messages = books_stay("A")
    assert run(ended(messages))[0] == 0
    late = [*messages[:2], messages[3], messages[2], *messages[4:]]
    assert run(ended(late)) == (1, run(ended(messages))[1])


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
def test_the_cost_is_told_each_slot(protocol) -> None:
    """CostUpdated when it changed, and never again to a station that does not know it."""

    async def work(reply):
        async with running(speed=900) as site, site.station("A", protocol) as station:
            station.replies["CostUpdated"] = reply
            site.listener.costs = COST
            await station.said("BootNotification", BOOT)
            began = event("Started", 0, site.listener.now(), [sample(1.0)], evse={"id": 1})
            answer = await station.said("TransactionEvent", began)
            assert (answer["totalCost"], answer["updatedPersonalMessage"]["content"]) == (
                -0.4,
                WORDS,
            )
            await site.server.follow("A", 1, "T1", (Step(0, 3.0),))
            await asyncio.sleep(2.4)
            site.listener.costs = replace(COST, net=Decimal("-0.50"))
            await asyncio.sleep(2.4)
            return station.heard("CostUpdated")

    told = [{"transactionId": "T1", "totalCost": each} for each in (-0.4, -0.5)]
    assert run(work({})) == told
    assert run(work("NotImplemented")) == told[:1]


@pytest.mark.parametrize("says", ["true", "false", None])
def test_16_is_told_only_where_it_says_that_it_shows(says) -> None:
    """DataTransfer of the running and of the final cost, or none at all."""
    key = {"key": "CustomDisplayCostAndPrice", "readonly": False, "value": says}

    async def work():
        async with running(speed=900) as site, site.station("A", "ocpp1.6") as station:
            station.replies["GetConfiguration"] = {"configurationKey": [key] if says else []}
            site.listener.costs = COST
            await station.said("BootNotification", OLD_BOOT)
            await station.hears("GetConfiguration")
            await site.server.follow("A", 1, "7", (Step(0, 3.0),))
            await asyncio.sleep(2.4)
            stop = {"transactionId": 7, "meterStop": 1, "timestamp": in_words(T0)}
            await station.said("StopTransaction", stop)
            await asyncio.sleep(0.3)
            return station.heard("DataTransfer")

    said = run(work())
    if says != "true":
        assert said == []
        return
    assert {each["vendorId"] for each in said} == {"org.openchargealliance.costmsg"}
    assert [each["messageId"] for each in said][-2:] == ["RunningCost", "FinalCost"]
    final = json.loads(said[-1]["data"])
    assert final == {"transactionId": 7, "cost": -0.4, "priceText": WORDS}


class Kept:
    """A station with tariffs; what it is told is held against the schemas."""

    def __init__(self, station, limit: int = 48) -> None:
        self.tariffs, self.limit = Tariffs(), limit
        station.replies["GetVariables"] = variables(station={"Available": "true"})
        for action in ("SetDefaultTariff", "GetTariffs", "ClearTariffs"):
            station.replies[action] = partial(self.answer, action)

    def answer(self, action: str, payload):
        VERSIONS["ocpp2.1"].schemas.check(action, payload)
        if action == "SetDefaultTariff":
            many = len(payload["tariff"]["energy"]["prices"]) > self.limit
            return {"status": "TooManyElements"} if many else self.tariffs.set(payload)
        return self.tariffs.get(payload) if action == "GetTariffs" else self.tariffs.clear(payload)

    @property
    def ids(self) -> list[str]:
        return [each["tariffId"] for each in self.tariffs.kept.values()]

    async def comes_to(self, *ids: str) -> None:
        async with asyncio.timeout(6.0):
            while self.ids != list(ids):
                await asyncio.sleep(0.02)


def test_the_tariff_follows_what_is_posted() -> None:
    """Each time that another list is offered, also while the station was away; one that was kept
    from before, for all or for one EVSE, is cleared. The same list is told once."""

    async def work():
        async with running(speed=900) as site:
            kept = None
            async with site.station("A") as station:
                kept = Kept(station)
                old = tariff_of(list_of("old", "0.1", "0.2"), "EUR")
                kept.tariffs.set({"evseId": 1, "tariff": old})
                await station.said("BootNotification", BOOT)
                await kept.comes_to("list-1")
                await asyncio.sleep(1.0)
                assert len(station.heard("SetDefaultTariff")) == 1
                assert station.heard("ClearTariffs") == [{"tariffIds": ["old"]}]
                site.listener.prices = list_of("list-2", "0.3", "0.3")
                await kept.comes_to("list-2")
                assert kept.tariffs.at(1)["energy"] == {"prices": [{"priceKwh": 0.3}]}
                assert len(station.heard("ClearTariffs")) == 1  # it took the other's place
            site.listener.prices = list_of("list-3", "0.4", "0.5")
            async with site.station("A") as station:
                again = Kept(station)
                again.tariffs = kept.tariffs
                await again.comes_to("list-3")

    run(work())


def test_a_tariff_that_is_not_taken_leaves_none_that_no_longer_holds() -> None:
    """Of a list that is too much for a station, nothing is shown of the list before; it is not
    asked again for that list, and has the next one that it takes."""

    async def work():
        async with running(speed=900) as site, site.station("A") as station:
            kept = Kept(station, limit=1)
            site.listener.prices = list_of("flat", "0.3", "0.3")
            await station.said("BootNotification", BOOT)
            await kept.comes_to("flat")
            site.listener.prices = list_of("rich", "0.3", "0.6")
            await kept.comes_to()
            await asyncio.sleep(1.0)
            told = [each["tariff"]["tariffId"] for each in station.heard("SetDefaultTariff")]
            assert told == ["flat", "rich"]
            site.listener.prices = list_of("flat", "0.3", "0.3")
            await kept.comes_to("flat")

    run(work())


@pytest.mark.parametrize("available", ["true", "false"])
def test_a_tariff_is_set_only_where_there_are_tariffs(available) -> None:
    """The prices to charge, by time of day; energy given back has no place in it."""

    async def work():
        async with running(speed=20) as site, site.station("A") as station:
            station.replies["GetVariables"] = variables(station={"Available": available})
            await station.said("BootNotification", BOOT)
            await asyncio.sleep(1.0)
            return station.heard("SetDefaultTariff")

    said = run(work())
    assert len(said) == (available == "true")
    for each in said:
        VERSIONS["ocpp2.1"].schemas.check("SetDefaultTariff", each)
        prices = each["tariff"]["energy"]["prices"]
        assert [each["priceKwh"] for each in prices] == [0.25, 0.5, 0.25]
        times = [tuple(each["conditions"].values()) for each in prices]
        assert times == [("00:00", "12:00"), ("12:00", "18:00"), ("18:00", "00:00")]
    one = tariff_of(PriceList("p", 720, (Decimal("0.3"),) * 2, (Decimal(0),) * 2), "EUR")
    assert one["energy"]["prices"] == [{"priceKwh": 0.3}]
