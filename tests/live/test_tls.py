"""Security profiles 2 and 3, and certificates that are renewed over OCPP."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus, WebSocketException

from certificates import OpenSsl
from hubwise.cli.tls import Tls
from hubwise.edge.ocpp.server import VERSIONS
from live_site import Station, hubwise, make_site
from ocpp_server import BOOT, OLD_BOOT, running


def run(work):
    return asyncio.run(work)


@pytest.fixture
def authority(tmp_path):
    return OpenSsl(tmp_path / "ca").make()


def tls(authority: OpenSsl, *, clients: bool) -> ssl.SSLContext:
    made = Tls(*authority.certified("localhost"), authority.ca if clients else None).context()
    assert made is not None
    return made


def test_profile_2_is_tls_and_a_password(authority) -> None:
    """wss with Basic; a wrong password is still 401, plain sockets get nowhere."""

    async def work():
        async with running(tls=tls(authority, clients=False)) as site:
            async with site.station("A", ssl=authority.client()) as station:
                assert (await station.said("BootNotification", BOOT))["status"] == "Accepted"
            site.password = "wrong"
            with pytest.raises(InvalidStatus):
                async with site.station("A", ssl=authority.client()):
                    pass
            with pytest.raises((WebSocketException, OSError)):
                async with connect(site.url.replace("wss", "ws")):
                    pass

    run(work())
    assert tls(authority, clients=False).minimum_version is ssl.TLSVersion.TLSv1_2


def certified(site, authority: OpenSsl, station: str, path: str = ""):
    """Connects without a password."""
    url = f"{site.url}/{path or station}"
    return connect(url, subprotocols=["ocpp2.1"], ssl=authority.client(station))


def test_profile_3_is_a_certificate_of_its_own(authority, tmp_path) -> None:
    """Its common name is the station; another's, unknown, a stranger's, or none: refused."""
    other = OpenSsl(tmp_path / "other", "another authority").make()

    async def work():
        async with running(tls=tls(authority, clients=True)) as site:
            async with certified(site, authority, "A") as socket:
                station = Station(socket)
                assert (await station.said("BootNotification", BOOT))["status"] == "Accepted"
                station.end()
            for name, path in (("A", "B"), ("nobody", "nobody")):
                with pytest.raises(InvalidStatus) as refused:
                    async with certified(site, authority, name, path):
                        pass
                assert refused.value.response.status_code == 401
            strange = authority.client()
            strange.load_cert_chain(*other.certified("A"))
            for context in (authority.client(), strange):
                with pytest.raises((WebSocketException, OSError)):
                    async with site.station("A", ssl=context) as station:
                        await station.said("BootNotification", BOOT)

    run(work())


@pytest.mark.parametrize("protocol", sorted(VERSIONS))
def test_a_certificate_is_renewed(authority, protocol) -> None:
    """One that ends soon: the station is asked for a request, and connects with what it gets."""
    old = protocol == "ocpp1.6"
    boot = OLD_BOOT if old else BOOT

    async def work():
        soon = authority.client("A", days=5)
        async with running(tls=tls(authority, clients=True), signer=authority) as site:
            async with site.station("A", protocol, ssl=soon) as station:
                await station.said("BootNotification", boot)
                trigger = "ExtendedTriggerMessage" if old else "TriggerMessage"
                asked = await station.hears(trigger)
                answer = await station.said("SignCertificate", {"csr": authority.request("A")})
                signed = await station.hears("CertificateSigned")
                VERSIONS[protocol].schemas.check("CertificateSigned", signed)
            (authority.folder / "A.pem").write_text(signed["certificateChain"])
            renewed = authority.client()
            renewed.load_cert_chain(authority.folder / "A.pem", authority.folder / "A.key")
            async with site.station("A", protocol, ssl=renewed) as station:
                await station.said("BootNotification", boot)
                await asyncio.sleep(0.3)
                return asked, answer, station.heard(trigger), site.listener.alarms()

    asked, answer, again, alarms = run(work())
    what = "SignChargePointCertificate" if old else "SignChargingStationCertificate"
    assert asked == {"requestedMessage": what}
    assert answer == {"status": "Accepted"}
    assert again == []
    assert alarms == []


def test_what_cannot_be_signed_is_refused(authority) -> None:
    """Without an authority, of another kind, or no request at all; a refusal is an alarm."""

    async def work():
        async with running(signer=authority) as site, site.station("A") as station:
            csr = authority.request("A")
            kind = {"certificateType": "V2GCertificate"}
            answers = [
                await station.said("SignCertificate", {"csr": csr, **kind}),
                await station.said("SignCertificate", {"csr": "no request"}),
            ]
            station.replies["CertificateSigned"] = {"status": "Rejected"}
            accepted = await station.said("SignCertificate", {"csr": csr, "requestId": 4})
            signed = await station.hears("CertificateSigned")
            assert signed["requestId"] == 4
            await asyncio.sleep(0.1)
            alarms = site.listener.alarms()
        async with running() as site, site.station("A") as station:
            answers.append(await station.said("SignCertificate", {"csr": csr}))
        return answers, accepted, alarms

    answers, accepted, alarms = run(work())
    assert answers == [{"status": "Rejected"}] * 3
    assert accepted == {"status": "Accepted"}
    assert alarms == ["a request for a certificate is refused", "a certificate is not taken"]


def test_a_site_s_own_authority_signs_its_stations(authority, tmp_path) -> None:
    """Made by `hubwise site authority`: stations connect with what it signs, and others do not."""
    pytest.importorskip("cryptography")
    from hubwise.edge.ocpp.authority import Authority, make_authority

    cert, key = make_authority(tmp_path, "a site")
    assert key.stat().st_mode & 0o777 == 0o600
    own = Authority.read(cert, key)
    with pytest.raises(FileExistsError):
        make_authority(tmp_path, "a site")
    with pytest.raises(ValueError, match="is not the key"):
        Authority.read(authority.ca, key)
    chain = authority.folder / "A.pem"

    async def work():
        context = Tls(*authority.certified("localhost"), cert).context()
        async with running(tls=context, signer=own) as site:
            chain.write_text(own.sign(authority.request("A"), "A"))
            client = authority.client()
            client.load_cert_chain(chain, authority.folder / "A.key")
            async with site.station("A", ssl=client) as station:
                csr = {"csr": authority.request("A")}
                assert await station.said("SignCertificate", csr) == {"status": "Accepted"}
                await station.hears("CertificateSigned")
                other = {"csr": authority.request("B")}
                assert await station.said("SignCertificate", other) == {"status": "Rejected"}

    run(work())
    tampered = authority.request("A").replace("A", "B", 1)
    with pytest.raises(ValueError, match="it "):
        own.sign(tampered, "A")
    weak = authority.folder / "weak.csr"
    words = ("req", "-new", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=A")
    authority.run(*words, "-keyout", str(authority.folder / "weak.key"), "-out", str(weak))
    with pytest.raises(ValueError, match="weak"):
        own.sign(weak.read_text(), "A")


def test_serve_takes_certificates_and_says_what_is_wrong_with_them(authority, tmp_path) -> None:
    """wss and https at once; options that do not go together are told in a line each."""
    site = make_site(tmp_path / "here", ["A"])
    cert, key = authority.certified("localhost")
    said = hubwise("serve", site.folder, "--tls-key", key, "--client-ca", cert, fails=True)
    assert "--tls-cert and --tls-key belong together" in said
    assert "--client-ca without --tls-cert" in said
    said = hubwise("serve", site.folder, "--tls-cert", key, "--tls-key", key, fails=True)
    assert "PEM" in said
    site.extra = ["--tls-cert", str(cert), "--tls-key", str(key), "--client-ca", str(authority.ca)]
    site.start()
    try:
        assert site.ready["ocpp"].startswith("wss:")
        assert site.ready["http"].startswith("https:")

        async def work():
            url = f"{site.ready['ocpp']}/A"
            async with connect(url, subprotocols=["ocpp2.1"], ssl=authority.client("A")) as socket:
                station = Station(socket)
                assert (await station.said("BootNotification", BOOT))["status"] == "Accepted"
                station.end()

        run(work())
    finally:
        assert site.stop() == 0
