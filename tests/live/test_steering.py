"""Set-points over real sockets: safe limits beneath, both directions above, proof by the meter."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from hubwise.domain.events import NeedsSaid
from hubwise.edge.ocpp import Outcome, Standing, Step
from hubwise.edge.ocpp.server import VERSIONS
from live_site import EXPORT, T0, event, make_site, sample
from ocpp_server import BOOT, OLD_BOOT, Desk, running
from station_variables import MODES, TRANSFERS, variables

NEEDS = {
    "evseId": 1,
    "chargingNeeds": {
        "requestedEnergyTransfer": "AC_BPT",
        "controlMode": "DynamicControl",
        "v2xChargingParameters": {"maxChargePower": 7000, "maxDischargePower": 7000},
    },
}


def run(work):
    return asyncio.run(work)


def profiles(station, purpose: str = "TxProfile"):
    """What was asked with a purpose, in order: profiles."""
    said = [
        each.get("chargingProfile") or each["csChargingProfiles"]
        for each in station.heard("SetChargingProfile")
    ]
    return [each for each in said if each["chargingProfilePurpose"] == purpose]


def period(profile):
    schedule = profile["chargingSchedule"]
    schedule = schedule[0] if isinstance(schedule, list) else schedule
    return schedule["chargingSchedulePeriod"][0]


async def two_way(site, station, needs=NEEDS):
    """Boot, be asked, begin a transaction, say the needs."""
    station.replies.setdefault("GetVariables", variables())
    await station.said("BootNotification", BOOT)
    token = {"idToken": {"idToken": "T", "type": "ISO14443"}, "evse": {"id": 1}}
    began = event("Started", 0, site.listener.now(), [sample(10.0)], **token)
    await station.said("TransactionEvent", began)
    await station.hears("GetVariables", 2)
    await asyncio.sleep(0.1)
    return await station.said("NotifyEVChargingNeeds", needs)


def shows(site, number, kw, kwh=(10.0, 5.0)):
    """An event with power [kW] and registers [kWh]."""
    power = {"unitOfMeasure": {"unit": "kW"}}
    values = [
        sample(kwh[0]),
        sample(kwh[1], EXPORT),
        {"value": max(kw, 0.0), "measurand": "Power.Active.Import", **power},
        {"value": max(-kw, 0.0), "measurand": "Power.Active.Export", **power},
    ]
    return event("Updated", number, site.listener.now(), values, evse={"id": 1})


def test_charging_first_then_set_points_both_ways() -> None:
    """2.1: charging only, then a dynamic profile, then single set-points; below 0 gives."""

    async def work():
        async with running() as site, site.station("A") as station:
            assert await two_way(site, station) == {"status": "Processing"}
            assert site.server.gives_back("A", 1, "T1")
            for kw in (-3.0, -2.5, 4.0):
                said = await site.server.follow("A", 1, "T1", (Step(0, kw),))
                assert said is Outcome.FOLLOWED
            return profiles(station), station.heard("UpdateDynamicSchedule")

    (first, dynamic), updates = run(work())
    assert period(first) == {"startPeriod": 0, "operationMode": "ChargingOnly", "limit": 0.0}
    assert (dynamic["chargingProfileKind"], dynamic["transactionId"]) == ("Dynamic", "T1")
    expected = {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": -3_000.0}
    assert period(dynamic) == expected
    assert (dynamic["maxOfflineDuration"], dynamic["chargingSchedule"][0]["duration"]) == (
        1_800,
        1_800,
    )
    assert "startSchedule" not in dynamic["chargingSchedule"][0]
    assert [each["scheduleUpdate"] for each in updates] == [
        {"setpoint": -2_500.0},
        {"setpoint": 4_000.0},
    ]
    assert {each["chargingProfileId"] for each in updates} == {dynamic["id"]}


def test_a_whole_schedule_is_one_profile() -> None:
    """What is known of later goes along, in seconds from now; so it does where cars pick."""

    async def work():
        async with running() as site, site.station("A") as station:
            await two_way(site, station)
            steps = (Step(0, 3.0), Step(900, -4.0))
            assert await site.server.follow("A", 1, "T1", steps) is Outcome.FOLLOWED
            needs = json.loads(json.dumps(NEEDS))
            needs["chargingNeeds"]["controlMode"] = "ScheduledControl"
            await station.said("NotifyEVChargingNeeds", needs)
            assert await site.server.follow("A", 1, "T1", (Step(0, -1.0),)) is Outcome.FOLLOWED
            return profiles(station)

    whole, single = run(work())[1:]
    assert whole["chargingProfileKind"] == single["chargingProfileKind"] == "Absolute"
    said = whole["chargingSchedule"][0]["chargingSchedulePeriod"]
    assert [(each["startPeriod"], each["setpoint"]) for each in said] == [(0, 3000.0), (900, -4000)]
    assert all(each["operationMode"] == "CentralSetpoint" for each in said)
    assert period(single)["setpoint"] == -1_000.0


def test_a_station_that_refuses_single_set_points_gets_whole_ones() -> None:
    """Whether it answers that it refuses, or that it does not know the message."""

    async def work(reply):
        async with running() as site, site.station("A") as station:
            station.replies["UpdateDynamicSchedule"] = reply
            await two_way(site, station)
            for kw in (-3.0, -2.0, -1.0):
                said = await site.server.follow("A", 1, "T1", (Step(0, kw),))
                assert said is Outcome.FOLLOWED
            assert len(station.heard("UpdateDynamicSchedule")) == 1
            return [period(each).get("setpoint") for each in profiles(station)]

    for reply in ({"status": "Rejected"}, "NotImplemented"):
        assert run(work(reply)) == [None, -3000.0, -2000.0, -1000.0]


def test_a_set_point_can_be_pulled() -> None:
    """The station asks for its dynamic profile; one that it does not have is rejected."""

    async def work():
        async with running() as site, site.station("A") as station:
            await two_way(site, station)
            await site.server.follow("A", 1, "T1", (Step(0, -3.0),))
            number = profiles(station)[-1]["id"]
            assert profiles(station)[-1]["dynUpdateInterval"] > 0
            asked = [{"chargingProfileId": each} for each in (number, 99)]
            return [await station.said("PullDynamicScheduleUpdate", each) for each in asked]

    mine, other = run(work())
    assert mine == {"status": "Accepted", "scheduleUpdate": {"setpoint": -3_000.0}}
    assert other == {"status": "Rejected"}


ONE_WAY = {
    "says nothing of it": {"GetVariables": {"getVariableResult": []}},
    "answers with an error": {"GetVariables": "NotImplemented"},
    "is switched off": {"GetVariables": variables(enabled="false")},
    "has no set-points": {"GetVariables": variables(modes="ChargingOnly,Idle")},
    "has one-way transfers": {"GetVariables": variables(transfers="AC_three_phase")},
}


@pytest.mark.parametrize("how", ONE_WAY)
def test_giving_back_is_never_assumed(how) -> None:
    """A station that does not say that it can is asked to draw nothing instead, and we say so."""

    async def work():
        async with running() as site, site.station("A") as station:
            station.replies.update(ONE_WAY[how])
            answer = await two_way(site, station)
            assert not site.server.gives_back("A", 1, "T1")
            outcome = await site.server.follow("A", 1, "T1", (Step(0, -3.0),))
            return answer["status"], outcome, period(profiles(station)[-1])

    status, outcome, said = run(work())
    assert outcome is Outcome.CLIPPED
    assert said == {"startPeriod": 0, "operationMode": "ChargingOnly", "limit": 0.0}
    # What the station itself says that it cannot do is not asked of it by its car either.
    known = how in ("is switched off", "has no set-points", "has one-way transfers")
    assert status == ("Rejected" if known else "Processing")


def test_a_car_that_charges_one_way_is_asked_both_ways_once() -> None:
    """Charging has begun: NotifyAllowedEnergyTransfer, and then the car asks for it itself."""
    one_way = json.loads(json.dumps(NEEDS))
    one_way["chargingNeeds"]["requestedEnergyTransfer"] = "AC_three_phase"
    one_way["chargingNeeds"]["availableEnergyTransfer"] = ["AC_three_phase", "AC_BPT", "DC_BPT"]

    async def work():
        async with running() as site, site.station("A") as station:
            await two_way(site, station, one_way)
            for kw in (-3.0, 5.0):
                await site.server.follow("A", 1, "T1", (Step(0, kw),))
            assert not site.server.gives_back("A", 1, "T1")
            order = [each for each, _ in station.asked]
            profile, invited = map(
                order.index, ("SetChargingProfile", "NotifyAllowedEnergyTransfer")
            )
            assert profile < invited
            await station.said("NotifyEVChargingNeeds", NEEDS)
            assert site.server.gives_back("A", 1, "T1")
            assert await site.server.follow("A", 1, "T1", (Step(0, -3.0),)) is Outcome.FOLLOWED
            return station.heard("NotifyAllowedEnergyTransfer")

    (said,) = run(work())
    assert said == {
        "transactionId": "T1",
        "allowedEnergyTransfer": ["AC_BPT", "AC_three_phase"],
    }


def test_what_the_meter_shows_proves_the_sign() -> None:
    """It gives, and shows it: no alarm, and nothing is idle."""

    async def work():
        async with running(speed=20) as site, site.station("A") as station:
            await two_way(site, station)
            await site.server.follow("A", 1, "T1", (Step(0, -3.0),))
            await asyncio.sleep(0.4)
            await station.said("TransactionEvent", shows(site, 1, -2.9))
            await asyncio.sleep(2.0)
            assert site.server.gives_back("A", 1, "T1")
            assert await site.server.follow("A", 1, "T1", (Step(0, -2.0),)) is Outcome.FOLLOWED
            return site.listener.alarms(), profiles(station)

    alarms, said = run(work())
    assert alarms == []
    assert "Idle" not in [period(each)["operationMode"] for each in said]


@pytest.mark.parametrize("shown", ["charging", "nothing", "silent", "registers"])
def test_without_proof_within_half_a_minute_it_is_idle(shown) -> None:
    """Wrong direction, nothing at all, or no meter values: idle, an alarm, and never again."""

    async def work():
        async with running(speed=20) as site, site.station("A") as station:
            await two_way(site, station)
            await site.server.follow("A", 1, "T1", (Step(0, -3.0),))
            for number in range(1, 6):
                await asyncio.sleep(0.3)
                kw = {"charging": 3.0, "registers": -3.0}.get(shown, 0.0)
                kwh = (10.0 + number * 0.02, 5.0) if shown == "registers" else (10.0, 5.0)
                if shown != "silent":
                    await station.said("TransactionEvent", shows(site, number, kw, kwh))
            await station.hears("SetChargingProfile", 4, 4.0)
            await asyncio.sleep(0.1)
            assert not site.server.gives_back("A", 1, "T1")
            assert await site.server.follow("A", 1, "T1", (Step(0, -3.0),)) is Outcome.CLIPPED
            assert await site.server.follow("A", 1, "T1", (Step(0, 3.0),)) is Outcome.FOLLOWED
            asked = station.heard("TriggerMessage")
            return site.listener.alarms(), [period(each) for each in profiles(station)], asked

    alarms, said, asked = run(work())
    wrong = shown in ("charging", "registers")
    what = "energy flows the wrong way" if wrong else "a car does not give as asked"
    assert alarms == [what]
    idle = {"startPeriod": 0, "operationMode": "Idle"}
    assert said[2:4] == [idle, idle]
    assert said[4] == {"startPeriod": 0, "operationMode": "ChargingOnly", "limit": 3_000.0}
    assert asked if shown == "silent" else True


def test_who_discharges_when_told_to_charge_is_idle() -> None:
    """A limit of nothing has turned stations into sources: the meter tells."""

    async def work():
        async with running(speed=20) as site, site.station("A") as station:
            await two_way(site, station)
            await site.server.follow("A", 1, "T1", (Step(0, 2.0),))
            await asyncio.sleep(0.4)
            await station.said("TransactionEvent", shows(site, 1, -2.0))
            await station.hears("SetChargingProfile", 4)
            await asyncio.sleep(0.1)
            return site.listener.alarms(), period(profiles(station)[-1])

    alarms, said = run(work())
    assert alarms == ["energy flows the wrong way"]
    assert said["operationMode"] == "Idle"


@pytest.mark.parametrize("protocol", sorted(VERSIONS))
def test_a_safe_limit_lies_beneath_after_boot(protocol) -> None:
    """TxDefaultProfile at level 0 without an end; sessions' profiles above it last two slots."""

    async def work():
        async with running(desk=Desk(kw=2.5)) as site, site.station("A", protocol) as station:
            await station.said("BootNotification", OLD_BOOT if protocol == "ocpp1.6" else BOOT)
            safe = await station.hears("SetChargingProfile")
            outcome = await site.server.follow("A", 1, "7", (Step(0, 5.0),))
            assert outcome is Outcome.FOLLOWED
            for said in station.heard("SetChargingProfile"):
                VERSIONS[protocol].schemas.check("SetChargingProfile", said)
            return safe, profiles(station, "TxDefaultProfile"), profiles(station)

    whole, (safe,), (above,) = run(work())
    assert whole.get("evseId", whole.get("connectorId")) == 0
    assert (safe["stackLevel"], period(safe)["limit"]) == (0, 2_500.0)
    assert above["stackLevel"] > 0
    assert period(above)["limit"] == 5_000.0
    lasting = [each["chargingSchedule"] for each in (safe, above)]
    if protocol != "ocpp1.6":
        lasting = [each[0] for each in lasting]
    assert [each.get("duration") for each in lasting] == [None, 1_800]
    assert ("maxOfflineDuration" in above) == (protocol == "ocpp2.1")


@pytest.mark.parametrize("protocol", sorted(VERSIONS))
def test_what_was_told_is_said_again_each_slot(protocol) -> None:
    """Without being asked to: a profile of two slots never ends while the site is there."""

    async def work():
        async with running(speed=900) as site, site.station("A", protocol) as station:
            await station.said("BootNotification", OLD_BOOT if protocol == "ocpp1.6" else BOOT)
            await site.server.follow("A", 1, "7", (Step(0, 5.0), Step(1_200, 2.0)))
            await asyncio.sleep(3.6)
            return profiles(station)

    said = run(work())
    assert 3 <= len(said) <= 6
    limits = [period(each)["limit"] for each in said]
    assert limits[0] == 5_000.0
    assert limits[-1] == 2_000.0
    assert len({json.dumps([each.get("id"), each.get("chargingProfileId")]) for each in said}) == 1


def test_who_has_not_booted_is_commanded_nothing_but_is_not_forgotten() -> None:
    """No command before the boot; a station that just goes on is asked to say who it is."""

    async def work():
        async with running() as site:
            async with site.station("A") as station:
                await asyncio.sleep(0.3)
                early = list(station.asked)
                await station.said("BootNotification", BOOT)
                await station.hears("SetChargingProfile")
            async with site.station("B") as other:
                await other.said("Heartbeat", {})
                asked = await other.hears("TriggerMessage")
                await other.hears("SetChargingProfile")
            async with site.station("C") as silent:
                await silent.hears("SetChargingProfile")
            return early, asked

    early, asked = run(work())
    assert early == []
    assert asked == {"requestedMessage": "BootNotification"}


@pytest.mark.parametrize("standing", [Standing.PENDING, Standing.REJECTED])
@pytest.mark.parametrize("protocol", sorted(VERSIONS))
def test_who_may_not_work_yet_is_told_so(protocol, standing) -> None:
    """Pending or rejected, other calls are SecurityError; once it is set up, it is accepted."""
    boot = OLD_BOOT if protocol == "ocpp1.6" else BOOT

    async def work():
        desk = Desk({"A": standing})
        async with running(desk=desk) as site, site.station("A", protocol) as station:
            first = await station.said("BootNotification", boot)
            refused = await station.call("Heartbeat", {})
            outcome = asyncio.create_task(site.server.follow("A", 1, "7", (Step(0, 5.0),)))
            await asyncio.sleep(0.3)
            assert station.asked == []
            del desk.standings["A"]
            again = await station.said("BootNotification", boot)
            beat = await station.said("Heartbeat", {})
            return first, refused, again, beat, await outcome, site.listener.alarms()

    first, refused, again, beat, outcome, alarms = run(work())
    assert first["status"] == standing.value
    assert refused[0] == 4
    assert refused[2] == "SecurityError"
    assert again["status"] == "Accepted"
    assert beat["currentTime"]
    assert outcome is Outcome.FOLLOWED
    assert alarms == ["a station may not work yet"]


def test_an_inventory_is_asked_where_no_evse_was_heard_of() -> None:
    """GetBaseReport, and each EVSE that it names is asked what it can do."""
    component = {"name": "V2XChargingCtrlr", "evse": {"id": 3}}
    reported = [
        {
            "component": component,
            "variable": {"name": name},
            "variableAttribute": [{"type": "Actual", "value": value}],
        }
        for name, value in (
            ("Enabled", "true"),
            ("SupportedOperationModes", MODES),
            ("SupportedEnergyTransferModes", TRANSFERS),
        )
    ]

    async def work():
        async with running(speed=20) as site, site.station("A") as station:
            station.replies["GetVariables"] = {"getVariableResult": []}
            await station.said("BootNotification", BOOT)
            asked = await station.hears("GetBaseReport")
            report = {
                "requestId": asked["requestId"],
                "generatedAt": "2026-03-02T10:00:00Z",
                "seqNo": 0,
                "reportData": reported,
            }
            await station.said("NotifyReport", report)
            await station.hears("GetVariables", 2)
            needs = {**NEEDS, "evseId": 3}
            began = event("Started", 0, T0, [sample(10.0)], evse={"id": 3})
            await station.said("TransactionEvent", began)
            await station.said("NotifyEVChargingNeeds", needs)
            return site.server.gives_back("A", 3, "T1")

    assert run(work())


def test_a_station_that_refuses_is_not_overrun() -> None:
    """At most about two calls a second; one that accepts is not held up."""

    async def work(reply):
        async with running() as site, site.station("A") as station:
            station.replies["SetChargingProfile"] = reply
            await station.said("BootNotification", BOOT)
            await station.hears("SetChargingProfile")
            began = datetime.now(UTC)
            for kw in (1.0, 2.0, 3.0):
                await site.server.follow("A", 1, "T", (Step(0, kw),))
            return datetime.now(UTC) - began

    assert run(work("InternalError")) >= timedelta(seconds=1)
    assert run(work({"status": "Accepted"})) < timedelta(seconds=1)


def test_a_car_s_needs_outlive_a_restart(tmp_path) -> None:
    """Killed and started again: the EVSE is asked what it can do without a word of the car's."""
    site = make_site(tmp_path / "here", ["A"]).start()

    async def before():
        async with site.station("A") as station:
            began = event("Started", 0, datetime.now(UTC), [sample(10.0)], evse={"id": 4})
            await station.said("TransactionEvent", began)
            await station.said("NotifyEVChargingNeeds", {**NEEDS, "evseId": 4})

    async def after():
        async with site.station("A") as station:
            await station.said("Heartbeat", {})
            asked = [await station.hears("GetVariables", each) for each in (1, 2)]
            return [each["getVariableData"][0]["component"].get("evse") for each in asked]

    run(before())
    site.kill()
    site.start()
    assert run(after()) == [None, {"id": 4}]
    assert site.stop() == 0


def test_needs_from_before_are_followed() -> None:
    """Recalled, the car gives back as soon as the EVSE has said that it can."""
    said = NeedsSaid("n", "A", T0, 1, json.dumps(NEEDS))

    async def work():
        async with running() as site:
            site.server.recall(said, "T1")
            async with site.station("A") as station:
                station.replies["GetVariables"] = variables()
                await station.said("Heartbeat", {})
                await station.hears("GetVariables", 2)
                await asyncio.sleep(0.1)
                assert not site.server.gives_back("A", 1, "T2")
                return site.server.gives_back("A", 1, "T1")

    assert run(work())


def test_deaf_stations_keep_nobody_else_waiting() -> None:
    """Sixty that never answer, and one that does: it hears its set-point within seconds."""

    async def work():
        async with running() as site, AsyncExitStack() as stack:
            for number in range(61):
                station = await stack.enter_async_context(site.station(f"S{number}"))
                await station.said("BootNotification", BOOT)
                if number < 60:
                    station.end()
            follows = [
                asyncio.create_task(site.server.follow(f"S{number}", 1, "T", (Step(0, 3.0),)))
                for number in range(61)
            ]
            outcome = await asyncio.wait_for(follows[60], 5.0)
            for each in follows:
                each.cancel()
            await asyncio.gather(*follows, return_exceptions=True)
            return outcome

    assert run(work()) is Outcome.FOLLOWED
