"""Where a market's prices come from: every form that the import reads, from files and the web, and
whatever files and servers do wrong is told and hurts nobody."""

from __future__ import annotations

import asyncio
import gzip
import io
import random
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hubwise.cli import market as reading
from hubwise.cli.market import Document, FilePrices, WebPrices, price_source
from hubwise.domain.errors import ScenarioError
from hubwise.domain.events import PriceList
from hubwise.edge import download as downloads
from hubwise.edge.download import MOST_BYTES, download
from hubwise.live import Settings, read_settings
from hubwise.live.clocks import QUARTER
from hubwise.live.sources import ENTSOE, MarketSource, bounds, filled
from hubwise.scenario.reading import Reader
from live_site import hubwise
from price_writers import WRITERS
from web_sources import served_web

BERLIN = ZoneInfo("Europe/Berlin")
LIST = PriceList("", 1_440, (Decimal("0.3"),), (Decimal("0.2"),))
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
HOUR = timedelta(hours=1)


@pytest.fixture
def web():
    with served_web() as found:
        yield found


def site(zone: str = "Europe/Berlin", currency: str = "EUR", **market: object) -> Settings:
    source = MarketSource("source", **market)
    return Settings("s", currency, ZoneInfo(zone), {"main": 9.0}, LIST, True, market=source)


def table(begins: datetime, prices: list[float], step: timedelta = HOUR) -> bytes:
    rows = [f"{(begins + k * step).isoformat()},{price}" for k, price in enumerate(prices)]
    return "\n".join(["start_utc,price_eur_per_mwh", *rows, ""]).encode()


def read(settings: Settings, content: bytes, today: date, place: Path):
    """What is read of a document, in this process."""
    (place / "prices.csv").write_bytes(content)
    document = Document(place / "prices.csv", "", {}, settings, settings.market, today)
    return reading._read(document, Reader(place), "prices.csv")


@pytest.mark.parametrize("name", WRITERS)
def test_every_form_of_the_import_is_a_source(name, tmp_path) -> None:
    """On days on which the clocks change, in every step: each quarter of an hour has the mean of
    what the document says of it, from midnight to midnight."""
    writer = WRITERS[name]
    for step in (timedelta(minutes=each) for each in writer.steps):
        for day in (SPRING, AUTUMN, date(2026, 6, 3)):
            begins, ends = bounds(day, ZoneInfo(writer.zone))
            rows = [
                (begins + k * step, float((37 * k) % 101 - 9))
                for k in range((ends - begins) // step)
            ]
            settings = site(writer.zone, writer.currency or "USD")
            found = read(settings, writer.write(rows, step), day, tmp_path)
            scale = writer.scale / (1_000 if writer.unit == "MWh" else 1)
            fine = [price for _, price in rows for _ in range(step // timedelta(minutes=5))]
            wanted = [sum(fine[k : k + 3]) / 3 * scale for k in range(0, len(fine), 3)]
            assert found.begins == begins
            assert [float(price) for price in found.prices] == pytest.approx(wanted, abs=1e-6)


def test_a_long_file_is_read_from_today_on(tmp_path) -> None:
    """Three days of it, those before and after left out; one that begins later, from there."""
    begins, _ = bounds(date(2026, 6, 1), BERLIN)
    prices = [float(k) for k in range(24 * 30)]
    found = read(site(), table(begins, prices), date(2026, 6, 10), tmp_path)
    assert found.begins == bounds(date(2026, 6, 10), BERLIN)[0]
    assert len(found.prices) == 3 * 96
    assert found.prices[0] == Decimal("0.216")
    later = read(site(), table(begins + 10 * HOUR, prices[:20]), date(2026, 6, 1), tmp_path)
    assert (later.begins, len(later.prices)) == (begins + 10 * HOUR, 80)


def test_what_is_wrong_is_told_in_the_words_of_the_import(tmp_path) -> None:
    """Holes, figures that are none, other currencies and days, and units that nobody tells."""
    begins, _ = bounds(date(2026, 6, 1), BERLIN)
    good = table(begins, [50.0] * 48)
    lines = good.splitlines(keepends=True)
    cases = {
        b"".join([*lines[:7], *lines[9:]]): "has no price for 2026-06-01T04:00Z",
        good.replace(b"T03:00:00+00:00,50.0", b"T03:00:00+00:00,abc"): "row 7",
        good[:-12]: "row 49: is cut off",
        good[:-18]: "row 49: is cut off",
        good[:-28]: "row 49: is cut off",
        good.replace(b"eur", b"gbp"): "site.toml, market, currency: is EUR, but prices.csv holds",
        good.replace(b"_eur_per_mwh", b""): "unit: is neither given nor told",
        good.replace(b"50.0", b"5e7"): "a kWh costs 50000",
        b"<html><body>Sign in</body></html>": "prices.csv",
        b"": "is empty",
        b'{"data": [{"start": "2026': "begins as JSON but is not",
        b"[" * 100_000: "begins as JSON but is not",
        bytes(range(256)) * 9: "prices.csv",
    }  # fmt: skip
    for content, wanted in cases.items():
        with pytest.raises(ScenarioError) as told:
            read(site(), content, date(2026, 6, 1), tmp_path)
        assert wanted in str(told.value), content[:40]
    footer = good + b"Source: the exchange\n"
    assert read(site(), footer, date(2026, 6, 1), tmp_path).prices == (Decimal("0.05"),) * 192
    with pytest.raises(ScenarioError, match="the table's prices start from 2026-05-31T22:00Z"):
        read(site(), good, date(2026, 6, 9), tmp_path)


PIECES = (
    *(b"\n", b",", b'"', b"{", b"[", b"<", b">", b"nan", b"1e999", b"-", b"9" * 30, b"\0", b"null"),
    *(b"2026-13-45", b"0001-01-01T00:00Z", b"9999-12-31T23:59Z", b"2026-10-25T02:30"),
)


def harmed(content: bytes, rng: random.Random) -> bytes:
    """A document that was cut, joined wrongly, or met other bytes."""
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        k = rng.randrange(len(content) + 1)
        j = k + rng.randrange(1, 400)
        content = rng.choice(
            [
                content[:k],
                content[k:],
                content[:k] + content[j:],
                content[:j] + content[k:],
                content[:k] + rng.choice(PIECES) + content[k:],
                content[:k] + rng.randbytes(rng.randrange(1, 9)) + content[k + 1 :],
            ]
        )
    return content


def packed_anew(content: bytes, rng: random.Random) -> bytes:
    """A workbook of which one part is harmed, and packed so."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(made, "w") as after:
        chosen = rng.choice(before.namelist())
        for name in before.namelist():
            part = before.read(name)
            after.writestr(name, harmed(part, rng) if name == chosen else part)
    return made.getvalue()


@pytest.mark.filterwarnings("ignore::UserWarning")  # a workbook's reader says what it leaves out
@pytest.mark.parametrize("seed", range(40))
def test_damage_is_told_or_does_not_matter(seed, tmp_path) -> None:
    """Whatever happens to a document of any form: it is wrong in words for people, or its prices
    are figures of days that were asked for."""
    rng = random.Random(seed)
    for name in WRITERS:
        writer, day = WRITERS[name], rng.choice([SPRING, AUTUMN])
        begins, ends = bounds(day, ZoneInfo(writer.zone))
        step = timedelta(minutes=rng.choice(writer.steps))
        rows = [(begins + k * step, float(k % 50)) for k in range((ends - begins) // step)]
        content = writer.write(rows, step)
        harm = packed_anew if name == "workbook" and rng.random() < 0.7 else harmed
        found, told = None, ()
        try:
            found = read(
                site(writer.zone, writer.currency or "USD"), harm(content, rng), day, tmp_path
            )
        except ScenarioError as error:
            told = error.issues
        assert (found is None) == bool(told)
        assert all(each.wrong and each.right for each in told)
        if found is None:
            continue
        assert found.begins >= begins
        assert (found.begins - begins) % QUARTER == timedelta()
        assert found.begins + len(found.prices) * QUARTER <= begins + 4 * 24 * HOUR
        assert all(abs(price) < 1_000 for price in found.prices)


def watched(place: Path) -> FilePrices:
    settings = site(file=place.name)
    found = price_source(place.parent, settings)
    assert isinstance(found, FilePrices)
    return found


def test_a_file_is_read_when_it_has_changed_and_stands_still(tmp_path) -> None:
    """Not while it grows, not twice, anew when it changes or a day begins; a wrong one is told
    once, and a missing one too."""
    place, day = tmp_path / "prices.csv", date(2026, 6, 1)
    begins, _ = bounds(day, BERLIN)
    source = watched(place)

    def look(today: date = day):
        return asyncio.run(source.quoted(today, today))

    with pytest.raises(ScenarioError, match="is not there"):
        look()
    assert look() is None
    whole = table(begins, [50.0] * 48)
    for part in (20, 200, len(whole)):
        place.write_bytes(whole[:part])
        assert look() is None
    assert look().prices == (Decimal("0.05"),) * 192
    assert look() is None
    assert look(day + timedelta(days=1)).begins == begins + 24 * HOUR
    place.write_bytes(whole[:-12])
    assert look(day) is None
    with pytest.raises(ScenarioError, match="row 49"):
        look()
    assert look() is None
    place.write_bytes(whole)
    assert look() is None
    assert len(look().prices) == 192


def test_what_unpacks_to_too_much_is_killed(tmp_path, monkeypatch) -> None:
    """A packed file of a few hundred kilobytes with tens of millions of rows ends its own process
    only, and one that takes too long does, too."""
    place, day = tmp_path / "prices.csv", date(2026, 6, 1)
    place.write_bytes(gzip.compress(b"start_utc,price_eur_per_mwh\n" + b"1,2\n" * 30_000_000, 1))
    source = watched(place)
    assert asyncio.run(source.quoted(day, day)) is None
    monkeypatch.setattr(reading, "READ_SECONDS", 90.0)
    with pytest.raises((OSError, ScenarioError)):
        asyncio.run(source.quoted(day, day))
    place.write_bytes(table(bounds(day, BERLIN)[0], [50.0] * 24))
    monkeypatch.setattr(reading, "READ_SECONDS", 0.01)
    assert asyncio.run(source.quoted(day, day)) is None
    with pytest.raises(OSError, match=r"is not there within 0\.01 s"):
        asyncio.run(source.quoted(day, day))
    monkeypatch.setattr(reading, "READ_SECONDS", 60.0)
    assert (
        len(asyncio.run(source.quoted(day, day)).prices) == 96
    )  # what was given up is tried again


def test_placeholders_are_those_of_the_day_asked_for() -> None:
    """By the site's clock, in UTC and since 1970, on days of 23 and of 25 hours; no others."""
    text = "{date} {date:%d.%m.%y} {begins} {ends:%Y%m%d%H%M} {begins:s} {ends:ms} {key} {{}}"
    assert filled(text, SPRING, BERLIN, "k{date}") == (
        "2026-03-29 29.03.26 2026-03-28T23:00Z 202603292200 1774738800 1774821600000 k{date} {}"
    )
    assert filled("{ends}", AUTUMN, BERLIN) == "2026-10-25T23:00Z"
    for wrong in ("{x}", "{date.year}", "{key.__class__}", "{", "}", "{}", "{0}"):
        with pytest.raises(ValueError, match=r".+"):
            filled(wrong, SPRING, BERLIN)


def test_a_url_is_asked_with_its_secret(web, monkeypatch) -> None:
    """The day, the header and the key go out; the key stands in no message."""
    day = date(2026, 6, 1)
    url = web.says("/p", table(bounds(day, BERLIN)[0], [50.0] * 24))
    monkeypatch.setenv("PRICES_KEY", "secret-17")
    settings = site(
        url=url + "?d={date}&k={key}", header=("X-Key", "Bearer {key}"), key_env="PRICES_KEY"
    )
    source = price_source(Path(), settings)
    assert isinstance(source, WebPrices)
    found = asyncio.run(source.quoted(day, day))
    assert len(found.prices) == 96
    path, headers = web.asked[0]
    assert path == "/p?d=2026-06-01&k=secret-17"
    assert headers["X-Key"] == "Bearer secret-17"
    web.says("/p", b"secret-17", 401)
    with pytest.raises(OSError, match="answers 401 Unauthorized") as told:
        asyncio.run(source.quoted(day, day))
    assert "secret" not in str(told.value)
    web.says("/p", b"{}")
    with pytest.raises(ScenarioError, match="the answer") as wrong:
        asyncio.run(source.quoted(day, day))
    assert "secret" not in str(wrong.value)
    monkeypatch.delenv("PRICES_KEY")
    with pytest.raises(OSError, match="PRICES_KEY is not set"):
        asyncio.run(source.quoted(day, day))


def test_entsoe_is_asked_for_a_day_in_utc(web, monkeypatch) -> None:
    """The ready-made URL, by a server of ours that answers with a document of its form."""
    settings = read_with('entsoe = { zone = "10YNL----------L", key_env = "ENTSOE_KEY" }')
    market = settings.market
    assert (market.name, market.key_env) == ("ENTSO-E 10YNL----------L", "ENTSOE_KEY")
    assert market.url == ENTSOE.format(zone="10YNL----------L")
    begins, ends = bounds(AUTUMN, BERLIN)
    rows = [(begins + k * HOUR, float(k)) for k in range(25)]
    url = web.says("/api", WRITERS["entsoe_a03"].write(rows, HOUR))
    monkeypatch.setenv("ENTSOE_KEY", "00-11")
    here = market.url.replace("https://web-api.tp.entsoe.eu/api", url)
    found = asyncio.run(
        WebPrices(settings, MarketSource("e", url=here, key_env="ENTSOE_KEY")).quoted(
            AUTUMN, AUTUMN
        )
    )
    assert (found.begins, len(found.prices)) == (begins, 100)
    asked = web.asked[0][0]
    for part in ("documentType=A44", "in_Domain=10YNL----------L", "securityToken=00-11"):
        assert part in asked
    assert f"periodStart={begins:%Y%m%d%H%M}&periodEnd={ends:%Y%m%d%H%M}" in asked


def test_a_server_that_does_wrong_is_told(web, monkeypatch) -> None:
    """Each way in its words, with nothing of the URL in them."""
    monkeypatch.setattr(downloads, "SILENT_SECONDS", 0.5)
    other = f"http://localhost:{web.port}/x"
    cases = {
        web.says("/500", b"no", 500): "answers 500 Internal Server Error",
        web.says("/204", b"", 204): "answers 204 No Content",
        web.says("/larger", b"", Content_Length=MOST_BYTES + 1): "more than 16 MiB",
        web.floods("/flood"): "more than 16 MiB",
        web.says("/short", b"abc", Content_Length=90): "breaks off after 3 of 90 bytes",
        web.breaks("/mute", b""): "breaks off",
        web.breaks("/noise", b"\0\1\2 no HTTP\r\n\r\n"): "breaks off",
        web.breaks("/long", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000): "breaks off",
        web.breaks("/many", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200): "breaks off",
        web.says("/away", b"", 302, Location=other): "sends on to http://localhost",
        web.says("/down", b"", 302, Location="ftp://127.0.0.1/x"): "sends on to ftp",
        web.says("/local", b"", 302, Location="file:///etc/passwd"): "answers 302",
        web.says("/round", b"", 302, Location="/round"): "answers 302",
        "http://127.0.0.1:1/x": "cannot be reached",
        "http://nowhere.invalid/x": "cannot be reached",
        "http://127.0.0.1/a b": "address or header is not whole",
    }
    for url, wanted in cases.items():
        with pytest.raises(OSError, match=r".") as told:
            download(url, {"X": "y"})
        assert wanted in str(told.value), url
        assert "/x" not in str(told.value)
    with pytest.raises(OSError, match="header is not whole") as told:
        download(web.says("/", b""), {"X-Key": "secret\n"})
    assert "secret" not in str(told.value)
    silent = web.drips("/silent", 5.0)
    with pytest.raises(OSError, match=r"says nothing for 0\.5 s"):
        download(silent, {})


def test_a_redirect_on_the_same_host_is_followed(web) -> None:
    """With the header; nobody else ever gets it."""
    web.says("/to", b"there")
    assert download(web.says("/from", b"", 307, Location="/to"), {"X-Key": "k"}) == b"there"
    assert [headers["X-Key"] for _, headers in web.asked] == ["k", "k"]
    web.asked.clear()
    away = web.says("/away", b"", 301, Location=web.url("/to", "localhost"))
    with pytest.raises(OSError, match="is not followed"):
        download(away, {"X-Key": "k"})
    assert [path for path, _ in web.asked] == ["/away"]


def test_who_drips_is_given_up(web, monkeypatch) -> None:
    """A server that is never silent and never ends costs its time, and no more."""
    monkeypatch.setattr(reading, "READ_SECONDS", 4.0)
    source = WebPrices(site(), site(url=web.drips("/drip", 0.1)).market)

    async def work() -> float:
        loop, longest = asyncio.get_running_loop(), 0.0
        asking = asyncio.create_task(source.quoted(SPRING, SPRING))
        while not asking.done():
            before = loop.time()
            await asyncio.sleep(0.01)
            longest = max(longest, loop.time() - before)
        with pytest.raises(OSError, match="is not there within 4 s"):
            await asking
        return longest

    assert asyncio.run(work()) < 1.0  # the loop, on which control runs, went on meanwhile


def read_with(lines: str, prices: str = "") -> Settings:
    """The settings of a site with these lines in [market]."""
    from tempfile import TemporaryDirectory

    from hubwise.cli.site import SITE

    text = SITE.format(name="s").replace("[prices]", f"[prices]\n{prices}")
    with TemporaryDirectory() as place:
        (Path(place) / "site.toml").write_text(f"{text}\n[market]\n{lines}\n")
        return read_settings(Path(place))


def test_settings_of_a_market_are_read() -> None:
    """Every key, and what holds without it."""
    found = read_with(
        'url = "https://example.org/p?t=x&d={date}"\nheader = "X-Key: {key}"\nkey_env = "K"\n'
        'at = "13:15"\nadded = 0.0725\nunit = "kWh"\nprices_zone = "UTC"\nprices_of = "NL"\n'
        'curve = "hold"',
        "margin = 0.05",
    )
    market = found.market
    assert market.name == "https://example.org/p"
    assert (market.header, market.key_env) == (("X-Key", "{key}"), "K")
    assert (market.at, market.added) == (time(13, 15), Decimal("0.0725"))
    assert (market.unit, market.prices_zone, market.prices_of) == ("kWh", "UTC", "NL")
    assert market.hold
    assert (found.margins.charge, found.margins.discharge) == (Decimal("0.05"), Decimal("0.05"))
    plain = read_with('file = "prices.csv"\nat = 13:30:00')
    assert (plain.market.file, plain.market.at, plain.margins) == ("prices.csv", time(13, 30), None)


def test_every_mistake_of_a_market_is_told() -> None:
    """All at once, each with its place; what cannot be asked is refused at the door."""
    with pytest.raises(ScenarioError) as told:
        read_with(
            'file = ""\nurl = "ftp://x/{when}"\nheader = "no header"\nkey_env = "K"\nat = "noon"\n'
            'added = "much"\nunit = "GWh"\ncurve = "flat"\nprices_of = 3\nx = 1',
            'margin = "a lot"\ndischarge_margin = true',
        )
    text = str(told.value)
    for place in (
        "market: has file and url", "market.url: {when}", "market.url: 'ftp://", "market.header",
        "market.key_env", "market.at", "market.added", "market.unit", "market.curve", "market.x",
        "market.prices_of", "prices.margin", "prices.discharge_margin", "market.file",
    ):  # fmt: skip
        assert place in text, place
    for lines, wanted in {
        "": "has no source",
        'entsoe = "NL"': "market.entsoe",
        'entsoe = { zone = "NL", key_env = "K" }': "market.entsoe.zone",
        'url = "https://[::1"': "market.url",
        'url = "https://user:secret@x/"': "market.url",
        'url = "https://x/{key}"': "market.key_env: is missing",
        'file = "p.csv"\nkey_env = "K"': "market.key_env: 'K' is used nowhere",
        'url = "https://x/"\nheader = "X: a\\r\\nY: b"': "market.header",
    }.items():
        with pytest.raises(ScenarioError) as each:
            read_with(lines)
        assert wanted in str(each.value), lines


def test_a_margin_needs_a_market(tmp_path) -> None:
    """And what is taken off discharging needs a margin."""
    hubwise("site", "new", tmp_path / "s")
    place = tmp_path / "s" / "site.toml"
    text = place.read_text()
    for line, wanted in {
        "margin = 0.1": "no market to follow",
        "discharge_margin = 0.1": "discharge_margin: is alone",
    }.items():
        place.write_text(text.replace("[prices]", f"[prices]\n{line}"))
        with pytest.raises(ScenarioError, match=wanted):
            read_settings(tmp_path / "s")


def test_every_key_is_in_the_docs() -> None:
    """What may be said of a market stands where operators read it."""
    from hubwise.live.sources import KEYS

    page = (Path(__file__).parents[2] / "docs" / "operate.md").read_text("utf-8")
    for name in (*KEYS, "margin", "discharge_margin", "{begins}", "{ends}", "{date}", "{key}"):
        assert f"`{name}" in page or f"\n{name} =" in page, name
