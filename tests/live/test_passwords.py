"""New passwords over OCPP: whatever happens in between, a station is never locked out."""

from __future__ import annotations

import asyncio

import pytest
from websockets.exceptions import InvalidStatus

from hubwise.cli.passwords import PasswordGate, Renewals, _renew
from hubwise.edge.ocpp import Outcome
from hubwise.edge.ocpp.server import VERSIONS
from hubwise.store import Registry, SiteKey, StationRow, open_engine
from live_site import PASSWORD, hubwise, make_site
from ocpp_server import BOOT, OLD_BOOT, Listener

ACCEPTED = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}


def run(work):
    return asyncio.run(work)


def told(station, protocol: str) -> str:
    """The password that a station was told last."""
    if protocol == "ocpp1.6":
        return station.heard("ChangeConfiguration")[-1]["value"]
    return station.heard("SetVariables")[-1]["setVariableData"][0]["attributeValue"]


@pytest.mark.parametrize("protocol", sorted(VERSIONS))
def test_a_station_gets_a_new_password(tmp_path, protocol) -> None:
    """Asked for by a command: the new one opens, the old one does not any more."""
    site = make_site(tmp_path / "here", ["A"]).start()
    old = protocol == "ocpp1.6"
    action = "ChangeConfiguration" if old else "SetVariables"

    async def work():
        async with site.station("A", protocol) as station:
            result = {"setVariableResult": [{**ACCEPTED, "attributeStatus": "Accepted"}]}
            station.replies["SetVariables"] = result
            await station.said("BootNotification", OLD_BOOT if old else BOOT)
            hubwise("station", "renew", site.folder, "A")
            VERSIONS[protocol].schemas.check(action, await station.hears(action))
            await asyncio.sleep(0.5)
            new = told(station, protocol)
        ways = [new, bytes.fromhex(new).decode()] if old else [new]
        for each in ways:  # in hexadecimal, as it was said, or what that stands for
            async with site.station("A", protocol, each) as station:
                await station.said("BootNotification", OLD_BOOT if old else BOOT)
        with pytest.raises(InvalidStatus):
            async with site.station("A", protocol):
                pass
        return new

    new = run(work())
    assert len(new) == (40 if old else 20)
    assert "not known: B" in hubwise("station", "renew", site.folder, "B", fails=True)
    assert all(new.encode() not in place.read_bytes() for place in site.folder.iterdir())
    assert site.stop() == 0


def test_a_refusal_is_an_alarm_and_the_old_password_stays(tmp_path) -> None:
    """The station says no, in either way."""
    site = make_site(tmp_path / "here", ["A", "B"]).start()

    async def work():
        async with site.station("A") as one, site.station("B") as other:
            one.replies["SetVariables"] = "NotSupported"
            said = {"setVariableResult": [{**ACCEPTED, "attributeStatus": "Rejected"}]}
            other.replies["SetVariables"] = said
            for station in (one, other):
                await station.said("BootNotification", BOOT)
            hubwise("station", "renew", site.folder, "A", "B")
            for station in (one, other):
                await station.hears("SetVariables")
            await asyncio.sleep(0.5)
        for name in "AB":
            async with site.station(name) as station:
                await station.said("BootNotification", BOOT)

    run(work())
    alarms = [e["station"] for e in site.items("/alarms") if "password" in e["what"]]
    assert sorted(alarms) == ["A", "B"]
    assert site.stop() == 0


@pytest.mark.parametrize("took", [True, False])
def test_cut_off_in_between_either_password_opens(tmp_path, took) -> None:
    """Nobody knows whether the station took it: the first that is used is the one."""
    SiteKey.create(tmp_path)
    registry = Registry(open_engine(f"sqlite:///{tmp_path / 'site.db'}"), SiteKey.read(tmp_path))
    registry.add_stations([StationRow("A", PASSWORD, "main", 7.0)])
    gate, sent = PasswordGate(registry, Renewals(tmp_path)), []

    class Silent:
        async def set_password(self, _, password):
            sent.append(password)
            return Outcome.UNREACHABLE

    async def work():
        gate.renewals.put("A", "")
        await _renew(gate, Silent(), Listener(), "A")
        assert not await gate.admits("A", "another")
        used = sent[0] if took else PASSWORD
        assert await gate.admits("A", used)
        assert ("A" in gate.renewals.read()) != took  # else it is tried again
        assert await gate.admits("A", used)
        assert await gate.admits("A", PASSWORD) != took

    run(work())
