"""Files of prices as they differ from download to download, each beside a few lines that know."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hubwise.domain import Horizon
from hubwise.scenario.price_files import Prices, asked_of, read_prices
from hubwise.scenario.reading import Reader
from workbooks import workbook

EURO, BERLIN, LONDON = "Europe/Amsterdam", "Europe/Berlin", "Europe/London"
CHICAGO, PACIFIC = "America/Chicago", "America/Los_Angeles"
MAY = date(2025, 5, 14)
CHANGES = {
    EURO: (date(2025, 3, 30), date(2025, 10, 26)),
    CHICAGO: (date(2025, 3, 9), date(2025, 11, 2)),
}
HOUR = timedelta(hours=1)


def read(
    folder: Path, content: str | bytes, zone: str, day: date = MAY, **told: object
) -> tuple[Prices | None, Reader]:
    data = content.encode() if isinstance(content, str) else content
    (folder / "file").write_bytes(data)
    horizon = Horizon.local_day(day, zone, start=time(0))
    asked = replace(asked_of(horizon), **told)  # type: ignore[arg-type]
    reader = Reader(folder)
    return read_prices(reader, "file", asked, horizon), reader


def instants(zone: str, day: date = MAY, minutes: int = 60) -> list[datetime]:
    """The starts of a day's hours, or of shorter steps, in UTC."""
    place, step = ZoneInfo(zone), timedelta(minutes=minutes)
    ends = [
        datetime(d.year, d.month, d.day, tzinfo=place).astimezone(UTC)
        for d in (day, day + timedelta(days=1))
    ]
    return [ends[0] + step * k for k in range((ends[1] - ends[0]) // step)]


def local(moment: datetime, zone: str, form: str = "%Y-%m-%d %H:%M") -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime(form)


def prices(found: Prices | None, reader: Reader, count: int) -> list[float]:
    """The price of every hour, or whatever else there are ``count`` of in the day."""
    assert not reader.issues
    assert found is not None
    return found.by_slot[:: len(found.by_slot) // count].tolist()


def lines(header: str, row: Callable[[datetime, int], str], moments: Sequence[datetime]) -> str:
    """A table of one row for each moment; prices are 10, 11, ..."""
    return "\n".join([header, *(row(t, 10 + k) for k, t in enumerate(moments))])


RISING = [10.0 + k for k in range(24)]
SMARD = "[€/MWh] Originalauflösungen"
ENTSOE = "MTU (CET/CEST),Day-ahead Price [EUR/MWh],Currency,BZN|NL"


def smard_days(moment: datetime, price: int) -> str:
    start, end = (local(t, BERLIN, "%H:%M") for t in (moment, moment + HOUR))
    return f"{local(moment, BERLIN, '%d.%m.%Y')};{start};{end};1.0{price},50"


def smard_english(moment: datetime, price: int) -> str:
    form = "%b %d, %Y %I:%M %p"
    return f"{local(moment, BERLIN, form)};{local(moment + HOUR, BERLIN, form)};1,0{price}.50"


def smard_english_days(moment: datetime, price: int) -> str:
    start, end = (local(t, BERLIN, "%I:%M %p") for t in (moment, moment + HOUR))
    return f"{local(moment, BERLIN, '%b %d, %Y')};{start};{end};1,0{price}.50"


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (f"Datum;Anfang;Ende;Deutschland/Luxemburg {SMARD}", smard_days),
        (f"Start date;End date;Germany/Luxembourg {SMARD}", smard_english),
        (f"Date;Start;End;Germany/Luxembourg {SMARD}", smard_english_days),
    ],
)
@pytest.mark.parametrize("day", [MAY, *CHANGES[EURO]])
def test_smard_in_both_languages_and_both_ages(
    tmp_path: Path, header: str, row: Callable[[datetime, int], str], day: date
) -> None:
    """Days and times of day apart, as until 2023; thousands separated either way."""
    moments = instants(BERLIN, day)
    found, reader = read(tmp_path, lines(header, row, moments), BERLIN, day)
    expected = [1010.5 + k for k in range(len(moments))]
    assert prices(found, reader, len(moments)) == expected
    assert found is not None
    assert (found.unit, found.currency) == ("MWh", "EUR")


def entsoe(moment: datetime, price: int) -> str:
    form = "%d.%m.%Y %H:%M"
    return f"{local(moment, EURO, form)} - {local(moment + HOUR, EURO, form)},{price},EUR,"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: f"{text}\n\nSource: the platform\n",
        lambda text: f"# taken, by me\n# on, Monday\n{text}",
        lambda text: f"# taken, by, me, on Monday\n{text}",
        lambda text: f"Report of the platform\n\n{text}",
        lambda text: text.replace(",EUR,", ",EUR"),
        lambda text: text.replace("\n", "\r\n").encode("utf-16"),
        lambda text: text.replace("\n", "\r"),
        lambda text: gzip.compress(packed({"a.csv": text.encode()})),
        lambda text: packed({"a.csv": gzip.compress(text.encode())}),
        lambda text: packed({"a.csv": text.encode(), "__MACOSX/._a.csv": b"x"}),
        lambda text: "\n".join('"' + line.replace(",", '", "') + '"' for line in text.splitlines()),
        lambda text: f"{text}\n{text}",
    ],
    ids=[
        *("footer", "comments", "wide comment", "title", "short rows", "utf-16", "cr"),
        *("zip in gz", "gz in zip", "macOS", "quoted with blanks", "twice"),
    ],
)
def test_what_stands_around_a_table_is_passed_over(
    tmp_path: Path, change: Callable[[str], str | bytes]
) -> None:
    """Titles, comments, footers, packing and line ends change no price."""
    text = lines(ENTSOE, entsoe, instants(EURO))
    found, reader = read(tmp_path, change(text), EURO)
    assert prices(found, reader, 24) == RISING


def packed(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def test_a_comment_among_rows_is_counted(tmp_path: Path) -> None:
    """It hides no header, and no row."""
    text = lines("start_utc,price", lambda t, p: f"{t:%Y-%m-%dT%H:%MZ},{p}", instants(EURO))
    found, reader = read(tmp_path, text.replace("price\n", "price\n# all of, NL\n"), EURO)
    assert prices(found, reader, 24) == RISING
    assert found is not None
    assert any("passed over: 1 (row 2)" in note for note in found.notes)


def test_a_row_with_a_cell_too_many_matters_on_its_day(tmp_path: Path) -> None:
    """60,5 among commas is no 60: it is refused on the day, and counted beside it."""
    moments = instants(EURO)
    text = lines("start_utc,price", lambda t, p: f"{t:%Y-%m-%dT%H:%MZ},{p}", moments)
    found, reader = read(tmp_path, text.replace(",15\n", ",15,5\n"), EURO)
    assert found is None
    assert [(one.where, one.wrong) for one in reader.issues] == [("row 7", "has 3 cells")]
    found, reader = read(tmp_path, f"{text}\n2025-05-16T00:00Z,15,5", EURO)
    assert prices(found, reader, 24) == RISING


@pytest.mark.parametrize("header", ["", "Unnamed: 0", "Zeit", "Fecha y hora", "Tijdstip"])
@pytest.mark.parametrize("price", ["price", "Day-ahead price [EUR/MWh]", "0", "value"])
def test_moments_are_known_by_what_they_are(tmp_path: Path, header: str, price: str) -> None:
    """A column whose name says nothing, as in what pandas writes, but that holds the only times."""
    place = ZoneInfo(EURO)
    text = lines(
        f"{header},{price}",
        lambda t, p: f"{t.astimezone(place).isoformat(sep=' ')},{p}",
        instants(EURO),
    )
    found, reader = read(tmp_path, text, EURO)
    assert prices(found, reader, 24) == RISING


def test_a_file_without_a_header_is_refused_as_such(tmp_path: Path) -> None:
    """Its first row is a price, not names."""
    rows = lines("", lambda t, p: f"{t:%Y-%m-%dT%H:%M:%SZ},00:00,C,London,{p}", instants(LONDON))
    found, reader = read(tmp_path, rows.lstrip(), LONDON)
    assert found is None
    assert [one.wrong for one in reader.issues] == ["holds values, not names of columns"]


@pytest.mark.parametrize(
    ("header", "unit", "currency", "scale"),
    [
        ("Preis [€ct/kWh]", "kWh", "EUR", 0.01),
        ("Price c€/kWh", "kWh", "EUR", 0.01),
        ("Price (EURct/kWh)", "kWh", "EUR", 0.01),
        ("Price ¢/kWh", "kWh", None, 0.01),
        ("Hinta snt/kWh price", "kWh", None, 0.01),
        ("Cent pro kWh", "kWh", None, 0.01),
        ("price_ct_kWh", "kWh", None, 0.01),
        ("Price (p/kWh)", "kWh", "GBP", 0.01),
        ("pris (øre/kWh)", "kWh", None, 0.01),
        ("Prix (€/MWh)", "MWh", "EUR", 1.0),
        ("Price ($/MWh)", "MWh", "USD", 1.0),
        ("Price (EUR/MWhe)", "MWh", "EUR", 1.0),
        ("Preis in Euro je MWh", "MWh", "EUR", 1.0),
    ],
)
def test_units_are_read_as_they_are_written(
    tmp_path: Path, header: str, unit: str, currency: str | None, scale: float
) -> None:
    """Hundredths in every spelling: a cent taken for a euro is wrong a hundredfold, in silence."""
    text = lines(f"start_utc;{header}", lambda t, p: f"{t:%Y-%m-%dT%H:%MZ};{p}", instants(EURO))
    found, reader = read(tmp_path, text, EURO)
    assert prices(found, reader, 24) == pytest.approx([scale * price for price in RISING])
    assert found is not None
    assert (found.unit, found.currency) == (unit, currency)


def test_the_currency_chooses_a_column(tmp_path: Path) -> None:
    """Two columns of the same price in two currencies: the scenario's is taken, or it is asked."""
    rows = [
        {"NOK_per_kWh": 11.0 * p, "EUR_per_kWh": p, "time_start": t.isoformat()}
        for t, p in zip(instants(EURO), RISING, strict=True)
    ]
    found, reader = read(tmp_path, json.dumps(rows), EURO, currency="EUR")
    assert prices(found, reader, 24) == RISING
    found, reader = read(tmp_path, json.dumps(rows), EURO)
    assert found is None
    assert "NOK_per_kWh, EUR_per_kWh" in reader.issues[0].right


@pytest.mark.parametrize("day", CHANGES[EURO])
@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M Europe/Amsterdam", "%d.%m.%Y %H.%M"])
@pytest.mark.parametrize("ended", [False, True])
def test_named_zones_and_bare_clocks_repeat_their_hour(
    tmp_path: Path, day: date, form: str, ended: bool
) -> None:
    """A zone by name is a clock like the site's: the hour that comes twice goes by its order."""
    moments = instants(EURO, day)

    def row(t: datetime, p: int) -> str:
        end = f"{local(t + HOUR, EURO, form)}," if ended else ""
        return f"{local(t, EURO, form)},{end}{p}"

    text = lines("start,end,price" if ended else "start,price", row, moments)
    found, reader = read(tmp_path, text, EURO, day)
    assert prices(found, reader, len(moments)) == [10.0 + k for k in range(len(moments))]


def test_pages_of_octopus_are_one_list(tmp_path: Path) -> None:
    """Newest first, and without VAT where that is all there is."""
    rates = [
        {
            "value_exc_vat": 10 + k,
            "valid_from": f"{t:%Y-%m-%dT%H:%M:%SZ}",
            "valid_to": f"{t + HOUR / 2:%Y-%m-%dT%H:%M:%SZ}",
        }
        for k, t in enumerate(instants(LONDON, minutes=30))
    ][::-1]
    pages = [{"next": "there", "results": rates[:20]}, {"next": None, "results": rates[20:]}]
    for content in (json.dumps(pages), "\n".join(map(json.dumps, pages)), json.dumps(pages[1])):
        found, reader = read(tmp_path, content, LONDON)
        if content != json.dumps(pages[1]):
            expected = pytest.approx([(10 + k) / 100 for k in range(48)])
            assert prices(found, reader, 48) == expected
    assert "has no price for 2025-05-14T13:00Z" in reader.issues[0].wrong


def test_pairs_of_an_epoch_and_a_price_are_rows(tmp_path: Path) -> None:
    """As charts load them; a price that is not known yet is none."""
    pairs = [[int(t.timestamp() * 1000), p] for t, p in zip(instants(EURO), RISING, strict=True)]
    pairs.append([pairs[-1][0] + 3_600_000, None])
    found, reader = read(tmp_path, json.dumps({"meta": {"v": 1}, "series": pairs}), EURO)
    assert prices(found, reader, 24) == RISING


ERCOT = ["Delivery Date", "Hour Ending", "Repeated Hour Flag", "Settlement Point",
         "Settlement Point Price"]  # fmt: skip


@pytest.mark.parametrize("day", CHANGES[CHICAGO])
def test_a_workbook_of_months_beside_other_sheets(tmp_path: Path, day: date) -> None:
    """Typed dates and times, headers that differ by a blank, and a sheet that tells about it."""
    place, moments = ZoneInfo(CHICAGO), instants(CHICAGO, day)
    january = [ERCOT, [datetime(2025, 1, 1), time(1), "N", "HB", 5]]
    rows = [
        [
            datetime(day.year, day.month, day.day),
            time(hour) if (hour := t.astimezone(place).hour + 1) < 24 else timedelta(days=1),
            "Y" if t.astimezone(place).fold else "N",
            "HB",
            10 + k,
        ]
        for k, t in enumerate(moments)
    ]
    about: list[list[object]] = [["Prices", "Market"], ["of last year", "day ahead"]]
    sheets = {"About": about, "Jan": january, "Now": [[f"{name} " for name in ERCOT], *rows]}
    found, reader = read(tmp_path, workbook(sheets), CHICAGO, day)
    assert prices(found, reader, len(moments)) == [10.0 + k for k in range(len(moments))]
    assert found is not None
    assert "Worksheets passed over: About." in found.notes


def document(points: str, **told: str) -> str:
    text = {"start": "2025-05-13T22:00Z", "end": "2025-05-14T22:00Z", "resolution": "PT60M"} | told
    return (
        '<?xml version="1.0"?><Publication_MarketDocument xmlns="urn:x:7:3"><TimeSeries>'
        "<in_Domain.mRID>XX</in_Domain.mRID><currency_Unit.name>EUR</currency_Unit.name>"
        f"<price_Measure_Unit.name>MWH</price_Measure_Unit.name><Period><timeInterval><start>"
        f"{text['start']}</start><end>{text['end']}</end></timeInterval><resolution>"
        f"{text['resolution']}</resolution>{points}</Period></TimeSeries>"
        "</Publication_MarketDocument>"
    )


def point(place: object, price: object) -> str:
    return f"<Point><position>{place}</position><price.amount>{price}</price.amount></Point>"


POINTS = "".join(point(1 + k, 10 + k) for k in range(24))


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (document(point("", 4)), "point at position ''"),
        (document(point("x", 4)), "point at position 'x'"),
        (document(POINTS, start=""), "start of its interval, '', is no moment"),
        (document(POINTS, resolution="P1D"), "resolution 'P1D'"),
        (document(POINTS + point(24, 99)), "already"),
        (document(POINTS.replace("price.amount", "quantity")), "no prices, but quantities"),
    ],
)
def test_a_document_that_is_not_whole_is_refused(tmp_path: Path, content: str, wrong: str) -> None:
    """In one line, whatever is missing in it; as it stands it is read."""
    assert prices(*read(tmp_path, document(POINTS), EURO), 24) == RISING
    found, reader = read(tmp_path, content, EURO)
    assert found is None
    assert len(reader.issues) == 1
    assert wrong in reader.issues[0].wrong


def ocpi(*elements: tuple[object, dict[str, object]], **told: object) -> str:
    found = [
        {"price_components": [{"type": "Energy", "price": price}], "restrictions": limits}
        for price, limits in elements
    ]
    return json.dumps([{"id": "T", "currency": "EUR", "elements": found, **told}])


def test_ocpi_as_operators_write_it(tmp_path: Path) -> None:
    """Hours until 23:59 are whole ones, days and types in any letters; what is over is refused."""
    night = (0.2, {"start_time": "22:00", "end_time": "06:59"})
    day = (0.3, {"start_time": "07:00", "end_time": "21:59", "day_of_week": ["wednesday"]})
    expected = [0.2] * 7 + [0.3] * 15 + [0.2] * 2
    assert prices(*read(tmp_path, ocpi(night, day), EURO), 24) == expected
    found, reader = read(tmp_path, ocpi((0.2, {}), end_date_time="2024-01-01T00:00:00Z"), EURO)
    assert found is None
    assert reader.issues[0].wrong == "the tariff holds until 2024-01-01T00:00:00Z"
    for price in (float("nan"), float("inf")):
        found, reader = read(tmp_path, ocpi((price, {})), EURO)
        assert found is None
        assert "has no price of energy" in reader.issues[0].wrong


def openadr(values: list[float], duration: str) -> str:
    period = {"start": "2025-05-14T00:00:00+02:00", "duration": duration}
    intervals = [{"id": 0, "payloads": [{"type": "PRICE", "values": values}]}]
    return json.dumps([{"programID": "1", "intervalPeriod": period, "intervals": intervals}])


def test_openadr_for_ever_and_in_odd_parts(tmp_path: Path) -> None:
    """A price without an end holds; shares of no whole minutes and what is no number do not."""
    assert prices(*read(tmp_path, openadr([0.3], "P9999Y"), EURO), 24) == [0.3] * 24
    for content, wrong in (
        (openadr([1.0] * 7, "P1D"), "not on a whole minute"),
        (openadr([float("nan")], "P1D"), "nan is not a number"),
        (openadr([0.3], "P2Y"), "'P2Y' is not a duration"),
    ):
        found, reader = read(tmp_path, content, EURO)
        assert found is None
        assert wrong in reader.issues[0].wrong


def test_rates_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Two rates of one name are two, and a period below 0 is none."""
    rate = {
        "name": "T",
        "energyratestructure": [[{"rate": 0.1}], [{"rate": 0.2}]],
        "energyweekdayschedule": [[0] * 8 + [1] * 16] * 12,
    }
    assert prices(*read(tmp_path, json.dumps([rate]), CHICAGO), 24) == [0.1] * 8 + [0.2] * 16
    found, reader = read(tmp_path, json.dumps([rate, rate]), CHICAGO)
    assert found is None
    assert "there are T, T (2)" in reader.issues[0].right
    below = rate | {"energyweekdayschedule": [[-1] * 24] * 12}
    found, reader = read(tmp_path, json.dumps([below]), CHICAGO)
    assert found is None


def test_oasis_without_its_prices_is_refused(tmp_path: Path) -> None:
    """A file of congestion alone has no price of energy."""
    header = "INTERVALSTARTTIME_GMT,OPR_DT,OPR_HR,NODE,LMP_TYPE,MW"
    text = lines(header, lambda t, p: f"{t.isoformat()},x,1,N,MCC,{p}", instants(PACIFIC))
    found, reader = read(tmp_path, text, PACIFIC)
    assert found is None
    assert [one.wrong for one in reader.issues] == ["has rows of MCC, not of LMP"]
    assert prices(*read(tmp_path, text.replace("MCC", "LMP"), PACIFIC), 24) == RISING


TITLES: list[list[object]] = [
    ["Marktdaten"],
    ["Datenkategorie:", "Großhandelspreise"],
    ["Zeitraum:", "14.05.2025 - 15.05.2025"],
    [],
]


@pytest.mark.parametrize("typed", [False, True])
def test_a_workbook_of_smard_has_its_titles_above(tmp_path: Path, typed: bool) -> None:
    """Pairs of words and dates above the header are no header, and no rows."""

    def cell(moment: datetime) -> object:
        wall = moment.astimezone(ZoneInfo(BERLIN)).replace(tzinfo=None)
        return wall if typed else f"{wall:%d.%m.%Y %H:%M}"

    header: list[object] = ["Datum von", "Datum bis", f"Deutschland/Luxemburg {SMARD}"]
    rows = [[cell(t), cell(t + HOUR), 10 + k] for k, t in enumerate(instants(BERLIN))]
    found, reader = read(tmp_path, workbook({"x": [*TITLES, header, *rows]}), BERLIN)
    assert prices(found, reader, 24) == RISING


def test_days_and_times_of_a_workbook_are_joined(tmp_path: Path) -> None:
    """A typed day has a midnight of its own, which is not the time."""
    rows: list[list[object]] = [["Date", "Time", "Price [EUR/MWh]"]]
    rows += [[datetime(2025, 5, 14), time(k), 10 + k] for k in range(24)]
    assert prices(*read(tmp_path, workbook({"x": rows}), EURO), 24) == RISING


@pytest.mark.parametrize("separator", [",", ";"])
def test_energinet_has_decimal_commas_whatever_follows(tmp_path: Path, separator: str) -> None:
    """Three decimals are no thousands."""

    def row(moment: datetime, price: int) -> str:
        cells = [local(moment, "UTC"), "DK1", f"{price},250"]
        return separator.join(f'"{cell}"' for cell in cells)

    header = separator.join(["HourUTC", "PriceArea", "SpotPriceEUR"])
    found, reader = read(tmp_path, lines(header, row, instants(EURO)), EURO)
    assert prices(found, reader, 24) == [price + 0.25 for price in RISING]


@pytest.mark.parametrize("period", [float("nan"), float("inf"), 0.5, "x", None])
def test_a_period_that_is_none_is_no_price(tmp_path: Path, period: object) -> None:
    """Whatever stands in a schedule, the moment without a price is told."""
    rate = {
        "energyratestructure": [[{"rate": 0.1}]],
        "energyweekdayschedule": [[0] * 8 + [period] + [0] * 15] * 12,
    }
    found, reader = read(tmp_path, json.dumps([rate]), CHICAGO)
    assert found is None
    assert "2025-05-14 08:00" in reader.issues[0].wrong


def test_names_of_columns_may_differ_in_letters(tmp_path: Path) -> None:
    """Whoever saved the file library's table anew."""
    header = "datetime(utc)\tresolutioncode\tmapcode\tprice[currency/mwh]\tcurrency"
    text = lines(header, lambda t, p: f"{t:%Y-%m-%d %H:%M}\tPT60M\tNL\t{p}\tEUR", instants(EURO))
    assert prices(*read(tmp_path, text, EURO), 24) == RISING
