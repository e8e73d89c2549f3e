"""A served site on its market's prices: from a real file and a real server, through restarts, with
books that the audit takes."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import psutil
import pytest

from hubwise.live.clocks import quarter_of
from hubwise.live.sources import bounds
from live_site import Served, hubwise, make_site
from web_sources import served_web

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def csv(day: date, days: int = 2, level: float = 0.0) -> str:
    """Prices by the hour, each its own, from a day of the site's clock on [EUR/MWh]."""
    begins, ends = bounds(day, BERLIN)[0], bounds(day + timedelta(days=days - 1), BERLIN)[1]
    rows = [
        f"{(begins + k * HOUR).isoformat()},{level + k}" for k in range((ends - begins) // HOUR)
    ]
    return "\n".join(["start_utc,price_eur_per_mwh", *rows, ""])


def says(site: Served, market: str, prices: str = "") -> None:
    place = site.folder / "site.toml"
    text = place.read_text().partition("\n[market]")[0]
    if prices and prices not in text:
        text = text.replace("[prices] ", f"[prices]\n{prices} ")
    place.write_text(f"{text}\n[market]\n{market}\n")


def until(what, seconds: float = 150.0):
    """What something gives as soon as it gives anything."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.3)
    raise AssertionError(f"not within {seconds} s")


def troubles(site: Served) -> list[str]:
    return site.get("/health").json()["troubles"]


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path / "site", ["CP1"])


def test_a_site_on_a_watched_file(site) -> None:
    """Prices come, are shown and posted with the margin; a file cut in the middle is told in the
    import's words and changes nothing; a whole one again ends that. A restart posts nothing anew,
    and the audit finds each event in its form."""
    today = datetime.now(UTC).astimezone(BERLIN).date()
    says(site, 'file = "prices.csv"\nadded = 0.1', "margin = 0.05\ndischarge_margin = 0.02\n#")
    place = site.folder / "prices.csv"
    site.start()
    try:
        fixed = site.get("/prices").json()["charge"]
        assert len(fixed) == 24
        until(lambda: len(troubles(site)) == 2)
        assert "no price is known" in site.get("/plan").json()["market"]
        place.write_text(csv(today))
        until(lambda: troubles(site) == [] and len(site.get("/prices").json()["charge"]) == 96)
        begins, ends = bounds(today, BERLIN)[0], bounds(today + timedelta(days=1), BERLIN)[1]
        shown = site.get("/market").json()
        assert shown["source"] == "prices.csv"
        assert datetime.fromisoformat(shown["known_until"]) == ends
        for each in shown["prices"]:
            start = datetime.fromisoformat(each["start"])
            if start < ends:
                assert each["known"]
                assert Decimal(each["price"]) * 1_000 == (start - begins) // HOUR
        first = shown["prices"][0]
        start = datetime.fromisoformat(first["start"]).astimezone(BERLIN)
        posted, slot = site.get("/prices").json(), (60 * start.hour + start.minute) // 15
        price = Decimal(first["price"])
        assert Decimal(posted["charge"][slot]) == price + Decimal("0.15")
        assert Decimal(posted["discharge"][slot]) == price + Decimal("0.08")
        assert "known until" in hubwise("status", site.folder)
        assert f"prices.csv: prices until {ends.astimezone(BERLIN):%Y-%m-%d}" in hubwise(
            "doctor", site.folder
        )

        place.write_text(csv(today, level=500.0)[:-20])
        until(lambda: troubles(site) == ["the market's prices are not read"])
        alarm = site.items("/alarms")[0]
        assert "prices.csv, row" in alarm["detail"]
        assert alarm["stands"]
        assert site.get("/market").json()["prices"] == shown["prices"] or (
            quarter_of(datetime.now(UTC)) > start
        )
        assert site.get("/prices").json() == posted
        place.write_text(csv(today, level=500.0))
        until(lambda: troubles(site) == [] and site.get("/prices").json() != posted)
        posted = site.get("/prices").json()
        now = site.get("/market").json()
        assert now["prices"] != shown["prices"]
        before = datetime.fromisoformat(now["noted_at"]) - timedelta(microseconds=1)
        then = site.get("/market", known_at=before.isoformat(), hours=6).json()
        assert then["noted_at"] == shown["noted_at"]
        assert then["prices"][0]["price"] == shown["prices"][0]["price"] or (
            quarter_of(before) > start
        )
        nothing = datetime.fromisoformat(shown["noted_at"]) - timedelta(microseconds=1)
        assert site.get("/market", known_at=nothing.isoformat()).json()["known_until"] is None
        for wrong in ("2999-01-01T00:00Z", "2026-01-01T00:00", "0001-01-01T00:00+14:00", "x"):
            assert site.get("/market", known_at=wrong).status_code == 422
    finally:
        assert site.stop() == 0
    site.start()
    try:
        again = site.get("/prices").json()
        assert len(again["charge"]) == 96
        assert site.get("/market").json()["known_until"] == shown["known_until"]
        time.sleep(8.0)
        assert troubles(site) == []
        assert hubwise("audit", site.folder)
    finally:
        assert site.stop() == 0
    assert site.said() == ""


def test_a_site_on_a_server(site) -> None:
    """A server that is down, then wrong, then there: control runs all the while, nothing is lost,
    and the secret is in no event, alarm or log."""
    today = datetime.now(UTC).astimezone(BERLIN).date()
    with served_web() as web:
        web.says("/p", b"<html>come back later</html>", 503)
        url = web.url("/p") + "?d={date}&k={key}"
        says(site, f'url = "{url}"\nkey_env = "HUBWISE_TEST_KEY"\nat = "00:00"')
        assert "HUBWISE_TEST_KEY is not set here" in hubwise("doctor", site.folder)
        site.extra = ["--speed", "30"]  # its pauses are over sooner
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HUBWISE_TEST_KEY", "secret-4711")
            site.start()
        try:
            until(lambda: "the market's prices are not read" in troubles(site))
            web.says("/p", b"<html>sign in</html>")
            until(lambda: "the answer" in site.items("/alarms")[0]["detail"])
            web.says("/p", csv(today, days=3).encode())
            until(lambda: troubles(site) == [])
            assert site.get("/health").json()["status"] == "ok"
            assert site.get("/market").json()["source"] == f"http://127.0.0.1{'/p'}"
            assert any("k=secret-4711" in path for path, _ in web.asked)
            everything = "".join(
                site.get(path).text for path in ("/alarms", "/market", "/plan", "/health")
            )
            assert "secret-4711" not in everything
        finally:
            assert site.stop() == 0
    assert "secret-4711" not in site.said()
    assert b"secret-4711" not in (site.folder / "site.db").read_bytes()
    assert hubwise("audit", site.folder)


def test_a_site_ends_in_time_while_it_asks(site) -> None:
    """SIGTERM in the middle of an answer that never ends: 0 within 10 s, and no process is left."""
    with served_web() as web:
        says(site, f'url = "{web.drips("/p", 0.2)}"')
        site.start()
        until(lambda: web.asked)
        children = psutil.Process(site.process.pid).children(recursive=True)
        assert children
        assert site.stop() == 0
        _, alive = psutil.wait_procs(children, timeout=5)
        assert alive == []
    assert site.said() == ""
