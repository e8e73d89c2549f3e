"""Where a market's prices come from, as ``site.toml`` says: checked, every problem told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from string import Formatter
from typing import Literal, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from hubwise.live.telling import Wrong, counted

Unit = Literal["kWh", "MWh"]
WHERE = "market"
KEYS = (
    *("file", "url", "entsoe", "header", "key_env", "at", "added", "feed_in_less"),
    *("unit", "prices_zone", "prices_of", "curve"),
)
# The web service of ENTSO-E's transparency platform: day-ahead prices of a bidding zone, in UTC.
ENTSOE = (
    "https://web-api.tp.entsoe.eu/api?securityToken={{key}}&documentType=A44&in_Domain={zone}"
    "&out_Domain={zone}&periodStart={{begins:%Y%m%d%H%M}}&periodEnd={{ends:%Y%m%d%H%M}}"
)
# When an auction's prices are out, on the site's clock, where nobody says it.
AT = time(14)
# Above what a kWh costs in any currency.
MOST_PRICE = 1_000_000
# Figures of ours alone: Python's numbers have others, and lines between their digits.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_USUAL = {"date": "%Y-%m-%d", "begins": "%Y-%m-%dT%H:%MZ", "ends": "%Y-%m-%dT%H:%MZ"}


@dataclass(frozen=True, slots=True)
class MarketSource:
    """Where the market's prices come from, and what their documents do not tell.

    Parameters
    ----------
    name
        As it is told to people: without secrets.
    file
        A path that is watched, from the site's folder on; empty where there is a URL.
    url
        What is asked for a day; its placeholders are those of `filled`.
    header
        Name and value of a header that is sent, if any; the same placeholders.
    key_env
        Which variable of the environment holds ``{key}``, if any does.
    at
        When tomorrow's prices are asked for, on the site's clock.
    added
        What comes on top for each kWh, such as grid and taxes [currency/kWh].
    feed_in_less
        What is kept of the price of a kWh fed in; ``None`` where that does not follow the market
        [currency/kWh].
    unit, prices_zone, prices_of, hold
        As of an import of prices.
    """

    name: str
    file: str = ""
    url: str = ""
    header: tuple[str, str] | None = None
    key_env: str = ""
    at: time = AT
    added: Decimal = Decimal()
    feed_in_less: Decimal | None = None
    unit: Unit | None = None
    prices_zone: str | None = None
    prices_of: str | None = None
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Margins:
    """How the posted list follows the market: what is added to the purchase price of a kWh
    charged, and taken off that of one given back [currency/kWh]."""

    charge: Decimal
    discharge: Decimal


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a day of a clock begins and ends, in UTC."""
    begins, ends = (datetime.combine(day + timedelta(days=k), time(), zone) for k in (0, 1))
    return begins.astimezone(UTC), ends.astimezone(UTC)


def filled(template: str, day: date, zone: ZoneInfo, key: str = "") -> str:
    """A text with its placeholders filled in for a day on the site's clock.

    ``{date}``, ``{begins}`` and ``{ends}`` (its ends in UTC), each with a format behind a colon if
    another than ISO's is wanted: strftime's, ``s`` or ``ms`` since 1970; ``{key}``, the secret.

    Raises
    ------
    ValueError
        Where a placeholder is not known, or not whole.
    """
    begins, ends = bounds(day, zone)
    moments = {"date": begins.astimezone(zone), "begins": begins, "ends": ends}
    parts = []
    for text, name, spec, _ in Formatter().parse(template):
        parts.append(text)
        if name == "key":
            parts.append(key)
        elif name is not None and name not in moments:
            raise ValueError(f"{{{name}}} is not known")
        elif name is not None:
            parts.append(_written(moments[name], spec or _USUAL[name]))
    return "".join(parts)


def _written(moment: datetime, spec: str) -> str:
    if spec in ("s", "ms"):
        return str(int(moment.timestamp()) * {"s": 1, "ms": 1_000}[spec])
    return moment.strftime(spec)


def source_of(table: object, wrong: Wrong) -> MarketSource | None:
    """Where prices come from; ``None`` where nothing is said, or with a mistake, which is told."""
    if table is None:
        return None
    if not isinstance(table, dict):
        wrong(WHERE, f"{table!r}", "a table: write [market]")
        return None

    def under(where: str, what: str, right: str) -> None:
        wrong(f"{WHERE}.{where}" if where else WHERE, what, right)

    told, tell = counted(under)
    for name in table:
        if name not in KEYS:
            tell(name, "is not known", f"one of {', '.join(KEYS)}")
    source = _of_table(table, tell)
    return None if told else source


def _of_table(table: dict[str, object], wrong: Wrong) -> MarketSource:
    ways = [name for name in ("file", "url", "entsoe") if name in table]
    if len(ways) != 1:
        found = f"has {' and '.join(ways) or 'no source'}"
        wrong("", found, "one source: file, url or entsoe")
    url, key_env = _text(table, "url", wrong), _text(table, "key_env", wrong)
    name = file = _text(table, "file", wrong)
    if url:
        _check(url, "url", wrong)
        name = _address(url, wrong)
    if "entsoe" in table:
        url, key_env, name = _entsoe(table["entsoe"], wrong)
    header = _header(_text(table, "header", wrong), wrong)
    asks = "{key}" in url + (header[1] if header else "")
    if asks != bool(key_env) and "entsoe" not in table:
        found = "is missing" if asks else f"{key_env!r} is used nowhere"
        wrong("key_env", found, "the variable of the environment that holds {key}")
    curve, unit = table.get("curve", "given"), table.get("unit")
    less = table.get("feed_in_less")
    if curve not in ("given", "hold"):
        wrong("curve", f"{curve!r}", '"given" or "hold"')
    if unit not in (None, "kWh", "MWh"):
        wrong("unit", f"{unit!r}", '"kWh" or "MWh"')
    return MarketSource(
        name=name,
        file=file,
        url=url,
        header=header,
        key_env=key_env,
        at=_at(table.get("at", AT), wrong),
        added=amount(table.get("added", 0), "added", wrong),
        feed_in_less=None if less is None else amount(less, "feed_in_less", wrong),
        unit=cast("Unit | None", unit),
        prices_zone=_text(table, "prices_zone", wrong) or None,
        prices_of=_text(table, "prices_of", wrong) or None,
        hold=curve == "hold",
    )


def _address(url: str, wrong: Wrong) -> str:
    """What is shown of a URL: neither who asks nor what is asked for."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        fine = parts.scheme in ("http", "https") and parts.port != 0 and parts.username is None
        if fine and host:
            return f"{parts.scheme}://{host}{parts.path}"
    except ValueError:  # brackets or a port that are none
        pass
    wrong("url", f"{url!r}", 'a web address: "https://example.org/prices?day={date}"')
    return ""


def _entsoe(table: object, wrong: Wrong) -> tuple[str, str, str]:
    """The URL of ENTSO-E's platform, where its key is, and a name."""
    right = 'entsoe = { zone = "10YNL----------L", key_env = "ENTSOE_KEY" }'
    if not isinstance(table, dict) or set(table) != {"zone", "key_env"}:
        wrong("entsoe", f"{table!r}", right)
        return "", "", ""
    zone, key_env = table["zone"], table["key_env"]
    if not isinstance(zone, str) or not re.fullmatch(r"[0-9A-Z-]{16}", zone):
        wrong("entsoe.zone", f"{zone!r}", f"the 16 letters of a bidding zone: {right}")
        return "", "", ""
    if not isinstance(key_env, str) or not key_env:
        wrong("entsoe.key_env", f"{key_env!r}", f"a variable of the environment: {right}")
        return "", "", ""
    return ENTSOE.format(zone=zone), key_env, f"ENTSO-E {zone}"


def _header(line: str, wrong: Wrong) -> tuple[str, str] | None:
    if not line:
        return None
    name, _, value = line.partition(":")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not value.strip() or not value.isprintable():
        wrong("header", "is no header", 'a name and a value: "Authorization: Bearer {key}"')
        return None
    _check(value, "header", wrong)
    return name, value.strip()


def _check(template: str, where: str, wrong: Wrong) -> None:
    try:
        filled(template, date(2026, 1, 1), ZoneInfo("UTC"))
    except ValueError as error:
        wrong(where, str(error), "{date}, {begins}, {ends} or {key}; a brace itself is doubled")


def _text(table: dict[str, object], name: str, wrong: Wrong) -> str:
    said = table.get(name, "")
    if name in table and (not isinstance(said, str) or not said.strip()):
        wrong(name, f"{said!r}", "some text")
        return ""
    return str(said)


def _at(said: object, wrong: Wrong) -> time:
    try:
        found = said if isinstance(said, time) else time.fromisoformat(str(said))
    except ValueError:
        wrong("at", f"{said!r}", 'a time on the site\'s clock, such as "14:00"')
        return AT
    return found.replace(tzinfo=None)


def price_of(said: object) -> Decimal | None:
    """A price for a kWh; ``None`` where it is none."""
    text = str(said).strip()
    if not _NUMBER.fullmatch(text):
        return None
    found = Decimal(text)
    return found if abs(found) < MOST_PRICE else None


def amount(said: object, where: str, wrong: Wrong) -> Decimal:
    """A price for a kWh; 0 where none is said, which is told."""
    found = price_of(said)
    if found is None:
        wrong(where, f"{said!r}", "a price for a kWh")
    return found or Decimal()


def margins_of(table: object, market: bool, wrong: Wrong) -> Margins | None:
    """How the posted list follows the market, where ``[prices]`` says so."""
    said = table if isinstance(table, dict) else {}
    if "margin" not in said:
        if "discharge_margin" in said:
            wrong("prices.discharge_margin", "is alone", "margin beside it")
        return None
    if not market:
        wrong("prices.margin", "there is no market to follow", "write [market], or leave it out")
    charge = amount(said["margin"], "prices.margin", wrong)
    less = said.get("discharge_margin", said["margin"])
    return Margins(charge, amount(less, "prices.discharge_margin", wrong))
