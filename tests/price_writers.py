"""Prices written in the form of each source that is read, for tests that read them back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import openpyxl

Rows = list[tuple[datetime, float]]  # start in UTC, and price as the source tells it


@dataclass(frozen=True)
class Writer:
    """How a source writes prices: on which site's clock, in which steps, and per which unit."""

    write: Callable[[Rows, timedelta], bytes]
    zone: str
    steps: tuple[int, ...]
    unit: str | None
    currency: str | None
    scale: float = 1.0


def _local(moment: datetime, zone: str, form: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime(form)


def _lines(header: str, lines: list[str], end: str = "\n") -> bytes:
    return (end.join([header, *lines]) + end).encode()


def entsoe_old(rows: Rows, step: timedelta) -> bytes:
    form, zone = "%d.%m.%Y %H:%M", "Europe/Brussels"
    lines = [f"{_local(t, zone, form)} - {_local(t + step, zone, form)},{p},EUR," for t, p in rows]
    return _lines("MTU (CET/CEST),Day-ahead Price [EUR/MWh],Currency,BZN|XY", lines)


def entsoe_new(rows: Rows, step: timedelta) -> bytes:
    """Quoted, with areas and sequences; where the clock changes, its letters stand behind."""
    form, zone = "%d/%m/%Y %H:%M:%S", "Europe/Brussels"
    offsets = {t.astimezone(ZoneInfo(zone)).utcoffset() for t, _ in rows}
    form += " (%Z)" if len(offsets) > 1 else ""
    lines = [
        f'"{_local(t, zone, form)} - {_local(t + step, zone, form)}","BZN|XY","{sequence}",'
        f'"{price}","",""'
        for t, p in rows
        for sequence, price in (("Sequence 2", p + 7), ("Sequence 1", p))
    ]
    header = '"MTU (CET/CEST)","Area","Sequence","Day-ahead Price (EUR/MWh)",'
    return _lines(header + '"Intraday Period (CET/CEST)","Intraday Price (EUR/MWh)"', lines)


def entsoe_library(rows: Rows, step: timedelta) -> bytes:
    code = f"PT{step // timedelta(minutes=1)}M"
    lines = [
        f"{t:%Y-%m-%d %H:%M:%S.000}\t{code}\t10YXX\tXX\tBZN\tXX\tDay-ahead\t1\t{p}\tEUR\tlater"
        for t, p in rows
    ]
    header = "DateTime(UTC) ResolutionCode AreaCode AreaDisplayName AreaTypeCode MapCode"
    header += " ContractType Sequence Price[Currency/MWh] Currency UpdateTime(UTC)"
    return _lines(header.replace(" ", "\t"), lines)


def _xml(rows: Rows, step: timedelta, curve: str) -> bytes:
    points = [
        f"<Point><position>{k}</position><price.amount>{p}</price.amount></Point>"
        for k, (_, p) in enumerate(rows, 1)
        if curve == "A01" or k == 1 or p != rows[k - 2][1]
    ]
    code = f"PT{step // timedelta(minutes=1)}M"
    text = f"""<?xml version="1.0" encoding="utf-8"?>
<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">
  <type>A44</type><TimeSeries><in_Domain.mRID codingScheme="A01">10YXX</in_Domain.mRID>
  <currency_Unit.name>EUR</currency_Unit.name>
  <price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>{curve}</curveType>
  <Period><timeInterval><start>{rows[0][0]:%Y-%m-%dT%H:%MZ}</start>
  <end>{rows[-1][0] + step:%Y-%m-%dT%H:%MZ}</end></timeInterval>
  <resolution>{code}</resolution>{"".join(points)}</Period></TimeSeries>
</Publication_MarketDocument>"""
    return text.encode()


def entsoe_a01(rows: Rows, step: timedelta) -> bytes:
    return _xml(rows, step, "A01")


def entsoe_a03(rows: Rows, step: timedelta) -> bytes:
    return _xml(rows, step, "A03")


def smard(rows: Rows, step: timedelta) -> bytes:
    form, zone = "%d.%m.%Y %H:%M", "Europe/Berlin"
    lines = [
        f"{_local(t, zone, form)};{_local(t + step, zone, form)};"
        + f"{p:,.2f}".translate(str.maketrans(",.", ".,"))
        + ";-"
        for t, p in rows
    ]
    header = "Datum von;Datum bis;Deutschland/Luxemburg [€/MWh] Berechnete Auflösungen"
    return b"\xef\xbb\xbf" + _lines(header + ";Belgien [€/MWh] Berechnete Auflösungen", lines)


def octopus_csv(rows: Rows, step: timedelta) -> bytes:
    lines = [
        f"{p - 1},{p},{t:%Y-%m-%dT%H:%M:%SZ},{t + step:%Y-%m-%dT%H:%M:%SZ}" for t, p in rows[::-1]
    ]
    return _lines("value_exc_vat,value_inc_vat,valid_from,valid_to", lines)


def octopus_json(rows: Rows, step: timedelta) -> bytes:
    results = [
        {
            "value_exc_vat": p - 1,
            "value_inc_vat": p,
            "valid_from": f"{t:%Y-%m-%dT%H:%M:%SZ}",
            "valid_to": f"{t + step:%Y-%m-%dT%H:%M:%SZ}",
            "payment_method": None,
        }
        for t, p in rows[::-1]
    ]
    return json.dumps({"count": len(rows), "next": None, "results": results}).encode()


def awattar_csv(rows: Rows, step: timedelta) -> bytes:
    lines = [
        f"{1000 * int(t.timestamp())},{1000 * int((t + step).timestamp())},{p},Eur/MWh"
        for t, p in rows
    ]
    return _lines("start_timestamp,end_timestamp,marketprice,unit", lines)


def awattar_json(rows: Rows, step: timedelta) -> bytes:
    data = [
        {
            "start_timestamp": 1000 * int(t.timestamp()),
            "end_timestamp": 1000 * int((t + step).timestamp()),
            "marketprice": p,
            "unit": "Eur/MWh",
        }
        for t, p in rows
    ]
    return json.dumps({"object": "list", "data": data, "url": "/at/v1/marketdata"}).encode()


def energinet_csv(rows: Rows, _: timedelta) -> bytes:
    lines = [
        f"{t:%Y-%m-%d %H:%M};{_local(t, 'Europe/Copenhagen', '%Y-%m-%d %H:%M')};DK1;"
        f"{7 * p:.2f};{p:.2f}".replace(".", ",")
        for t, p in rows
    ]
    return _lines("HourUTC;HourDK;PriceArea;SpotPriceDKK;SpotPriceEUR", lines)


def energinet_json(rows: Rows, _: timedelta) -> bytes:
    records = [
        {
            "TimeUTC": f"{t:%Y-%m-%dT%H:%M:%S}",
            "TimeDK": _local(t, "Europe/Copenhagen", "%Y-%m-%dT%H:%M:%S"),
            "PriceArea": "DK2",
            "DayAheadPriceEUR": p,
            "DayAheadPriceDKK": 7 * p,
        }
        for t, p in rows[::-1]
    ]
    return json.dumps(
        {"total": len(rows), "dataset": "DayAheadPrices", "records": records}
    ).encode()


def caiso(rows: Rows, step: timedelta) -> bytes:
    """Unsorted, with rows of losses and congestion among the prices."""
    lines = []
    for t, p in rows[1::2] + rows[::2]:
        local = t.astimezone(ZoneInfo("America/Los_Angeles"))
        stamps = f"{t:%Y-%m-%dT%H:%M:%S}-00:00,{t + step:%Y-%m-%dT%H:%M:%S}-00:00"
        for kind, price in (("MCL", 0.5), ("LMP", p), ("MCC", -1.0)):
            lines.append(f"{stamps},{local:%Y-%m-%d},{local.hour + 1},0,N1,DAM,{kind},X,{price}")
    header = "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,OPR_INTERVAL,NODE,"
    return _lines(header + "MARKET_RUN_ID,LMP_TYPE,XML_DATA_ITEM,MW", lines)


def caiso_by_hour(rows: Rows, _: timedelta) -> bytes:
    """Hours counted on from midnight, to 23 or 25 where the clock changes."""
    zone = ZoneInfo("America/Los_Angeles")
    lines = [
        f"{t.astimezone(zone):%Y-%m-%d},{hour},N1,{p}"
        for t, p in rows
        if (hour := 1 + (t - _midnight(t, zone)) // timedelta(hours=1))
    ]
    return _lines("OPR_DT,OPR_HR,NODE,LMP", lines)


def _midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone).replace(hour=0, minute=0, fold=0)
    return local.astimezone(UTC)


def ercot(rows: Rows, step: timedelta) -> bytes:
    """Hours by their end, or quarters of them; the repeated hour has its flag."""
    zone = ZoneInfo("America/Chicago")
    lines, quarters = [], step < timedelta(hours=1)
    for t, p in rows:
        local = t.astimezone(zone)
        flag = "Y" if local.fold else "N"
        if quarters:
            quarter = local.minute // 15 + 1
            lines.append(f"{local:%m/%d/%Y},{local.hour + 1},{quarter},HB_X,HU,{p},{flag}")
        else:
            lines.append(f"{local:%m/%d/%Y},{local.hour + 1:02}:00,HB_X,{p},{flag}")
    if quarters:
        header = "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,"
        return _lines(header + "SettlementPointType,SettlementPointPrice,DSTFlag", lines)
    return _lines("DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag", lines)


def openadr(rows: Rows, step: timedelta) -> bytes:
    minutes = step // timedelta(minutes=1)
    event = {
        "objectType": "EVENT",
        "programID": "44",
        "intervalPeriod": {
            "start": f"{rows[0][0]:%Y-%m-%dT%H:%M:%SZ}",
            "duration": f"PT{minutes}M",
        },
        "payloadDescriptors": [{"payloadType": "PRICE", "units": "KWH", "currency": "USD"}],
        "intervals": [
            {
                "id": k,
                "payloads": [{"type": "GHG", "values": [1]}, {"type": "PRICE", "values": [p]}],
            }
            for k, (_, p) in enumerate(rows)
        ],
    }
    return json.dumps([event]).encode()


def plain_utc(rows: Rows, _: timedelta) -> bytes:
    return _lines("start_utc,price_eur_per_mwh", [f"{t:%Y-%m-%dT%H:%M},{p}" for t, p in rows])


def plain_local(rows: Rows, _: timedelta) -> bytes:
    """On the site's clock without a word; what comes twice stands in order."""
    lines = [f"{_local(t, 'Europe/Amsterdam', '%Y-%m-%d %H:%M')}\t{p}" for t, p in rows]
    return ("timestamp\tprice_eur_per_mwh\r\n" + "\r\n".join(lines)).encode("utf-16")


def plain_american(rows: Rows, _: timedelta) -> bytes:
    form = "%m/%d/%Y %I:%M %p"
    lines = [f'"{_local(t, "America/Chicago", form)}",${p}' for t, p in rows[::-1]]
    return _lines("Time,Price ($/MWh)", lines)


def plain_offset(rows: Rows, _: timedelta) -> bytes:
    zone = ZoneInfo("America/Chicago")
    return _lines("time;price_ct_per_kwh", [
        f"{t.astimezone(zone).isoformat()};{p:.2f}".replace(".", ",") for t, p in rows
    ])  # fmt: skip


def workbook(rows: Rows, _: timedelta) -> bytes:
    """A title above, and moments and figures as a spreadsheet keeps them."""
    book, content = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    sheet.append(["Prices as agreed"])
    sheet.append(["Date (UTC)", "Price [EUR/MWh]"])
    for moment, price in rows:
        sheet.append([moment.replace(tzinfo=None), price])
    book.save(content)
    return content.getvalue()


_CET, _CHICAGO, _PACIFIC = "Europe/Amsterdam", "America/Chicago", "America/Los_Angeles"
_ALL = (60, 30, 15)
WRITERS = {
    "entsoe_old": Writer(entsoe_old, _CET, _ALL, "MWh", "EUR"),
    "entsoe_new": Writer(entsoe_new, _CET, _ALL, "MWh", "EUR"),
    "entsoe_library": Writer(entsoe_library, _CET, _ALL, "MWh", "EUR"),
    "entsoe_a01": Writer(entsoe_a01, _CET, _ALL, "MWh", "EUR"),
    "entsoe_a03": Writer(entsoe_a03, _CET, _ALL, "MWh", "EUR"),
    "smard": Writer(smard, "Europe/Berlin", _ALL, "MWh", "EUR"),
    "octopus_csv": Writer(octopus_csv, "Europe/London", (30,), "kWh", "GBP", 0.01),
    "octopus_json": Writer(octopus_json, "Europe/London", (30,), "kWh", "GBP", 0.01),
    "awattar_csv": Writer(awattar_csv, "Europe/Vienna", _ALL, "MWh", "EUR"),
    "awattar_json": Writer(awattar_json, "Europe/Vienna", _ALL, "MWh", "EUR"),
    "energinet_csv": Writer(energinet_csv, "Europe/Copenhagen", (60,), "MWh", "EUR"),
    "energinet_json": Writer(energinet_json, "Europe/Copenhagen", _ALL, "MWh", "EUR"),
    "caiso": Writer(caiso, _PACIFIC, (60, 15, 5), "MWh", "USD"),
    "caiso_by_hour": Writer(caiso_by_hour, _PACIFIC, (60,), "MWh", "USD"),
    "ercot": Writer(ercot, _CHICAGO, (60, 15), "MWh", "USD"),
    "openadr": Writer(openadr, _PACIFIC, (60, 30, 15, 5), "kWh", "USD"),
    "plain_utc": Writer(plain_utc, _CET, (60, 30, 20, 15, 10, 5), "MWh", "EUR"),
    "plain_local": Writer(plain_local, _CET, _ALL, "MWh", "EUR"),
    "plain_american": Writer(plain_american, _CHICAGO, _ALL, "MWh", "USD"),
    "plain_offset": Writer(plain_offset, _CHICAGO, _ALL, "kWh", None, 0.01),
    "workbook": Writer(workbook, _CET, _ALL, "MWh", "EUR"),
}
