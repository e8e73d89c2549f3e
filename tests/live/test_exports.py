"""What is exported of a site's books, on both databases: tables, invoices, OCPI records."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from decimal import Decimal

import polars as pl
import pytest
from typer.testing import CliRunner

from databases import server
from hubwise.cli import app
from live_site import hubwise
from site_books import make_books

OCPI = """
[ocpi]
country_code = "DE"
party_id = "HUB"
address = "Am Hafen 1"
city = "Kiel"
country = "DEU"
latitude = "54.323330"
longitude = "10.139440"
"""
RATE = "0.30"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def books(request, tmp_path_factory):
    """A site that was served: its folder, and its database."""
    place = tmp_path_factory.mktemp("exports")
    if request.param == "sqlite":
        yield _made(place, f"sqlite:///{place / 'site' / 'site.db'}")
        return
    with server(place / "pg") as made:
        yield _made(place, made(f"e{uuid.uuid4().hex[:10]}"))


def _made(place, url: str):
    make_books(place / "site", url)
    hubwise("site", "new", place / "other")
    settings = (place / "other" / "site.toml").read_text() + OCPI
    (place / "site" / "site.toml").write_text(settings.replace('"other"', '"Dock 7"'))
    return place / "site", url


def run(books, *words: object):
    folder, url = books
    return CliRunner().invoke(app, ["export", str(folder), "--store", url, *map(str, words)])


def exported(books, tmp_path, form: str, *words: str):
    out = tmp_path / form
    done = run(books, "--as", form, "--out", out, *words)
    assert done.exit_code == 0, done.output
    return out


def test_the_ledger_as_tables_balances(books, tmp_path) -> None:
    """Accounts by the entries are what the documents come to, to the cent; lines make documents."""
    out = exported(books, tmp_path, "csv")
    names = ("entries", "documents", "lines")
    tables = {name: pl.read_csv(out / f"{name}.csv", infer_schema=False) for name in names}
    held: dict[str, Decimal] = defaultdict(Decimal)
    for row in tables["entries"].iter_rows(named=True):
        assert Decimal(row["amount"]) > 0
        held[row["debit"]] += Decimal(row["amount"])
        held[row["credit"]] -= Decimal(row["amount"])
    owed: dict[str, Decimal] = defaultdict(Decimal)
    for row in tables["documents"].iter_rows(named=True):
        owed[row["driver"]] += Decimal(row["net"])
        lines = tables["lines"].filter(pl.col("document") == row["document"])
        for name in ("charged_kwh", "discharged_kwh"):
            assert sum(map(Decimal, lines[name]), Decimal()) == Decimal(row[name])
        exact = sum(map(Decimal, lines["paid"]), Decimal())
        assert abs(exact - Decimal(row["paid"])) <= Decimal("0.005")
    assert sum(held.values()) == 0
    assert {name: held[name] for name in owed} == owed
    kinds = tables["documents"]["kind"].to_list()
    assert kinds.count("credit") == kinds.count("corrected bill") == 2


def test_an_invoice_of_a_month_says_all_that_was_posted(books, tmp_path) -> None:
    """As data and as a page; only whose it is; sums are sums of what is shown."""
    out = exported(books, tmp_path, "invoices", "--driver", "driver:ann", "--month", "2026-03")
    (made,) = json.loads((out / "invoices.json").read_text())["invoices"]
    assert (made["driver"], made["month"], made["site"]) == ("driver:ann", "2026-03", "Dock 7")
    kinds = [each["kind"] for each in made["documents"]]
    assert kinds == ["bill", "bill", "credit", "corrected bill"]
    for name in ("paid", "earned", "net", "charged_kwh"):
        total = sum(Decimal(each[name]) for each in made["documents"])
        assert total == Decimal(made[name])
    assert made["documents"][2]["reason"] == "meter replaced"
    page = (out / "invoices.html").read_text()
    assert made["net"] in page
    assert "March 2026" in page
    assert "S5:T1#1" in page
    assert "S2:T1" not in page
    everything = exported(books, tmp_path, "statements")
    found = json.loads((everything / "statements.json").read_text())["statements"]
    assert [each["driver"] for each in found] == ["driver:ann", "driver:bob", "token:nobody"]


def test_records_follow_ocpi(books, tmp_path) -> None:
    """A credit record repeats what it takes back with a cost of the other sign; ids fit."""
    records = json.loads((exported(books, tmp_path, "ocpi") / "cdrs.json").read_text())
    by_id = {each["id"]: each for each in records}
    assert len(by_id) == len(records) == 9  # five stays, two corrections
    for each in records:
        assert len(each["id"]) <= 39
        volumes = [
            dimension["volume"]
            for period in each["charging_periods"]
            for dimension in period["dimensions"]
        ]
        assert sum(volumes) == pytest.approx(each["total_energy"], abs=1e-4 * len(volumes))
        starts = [period["start_date_time"] for period in each["charging_periods"]]
        assert starts == sorted(starts)
        assert each["start_date_time"] <= starts[0]
        own = each["hubwise"]
        net = Decimal(own["charged_kwh"]) - Decimal(own["discharged_kwh"])
        assert float(net) == pytest.approx(each["total_energy"], abs=1e-4)
    assert any(
        dimension["volume"] < 0
        for each in records
        for period in each["charging_periods"]
        for dimension in period["dimensions"]
    )
    credits = [each for each in records if each.get("credit")]
    assert len(credits) == 2
    for each in credits:
        back = by_id[each["credit_reference_id"]]
        assert each["total_cost"]["excl_vat"] == -back["total_cost"]["excl_vat"]
        own = {"id", "total_cost", "credit", "credit_reference_id", "remark", "last_updated"}
        same = set(back) - own - {"hubwise"}
        assert {name: each[name] for name in same} == {name: back[name] for name in same}


def test_our_own_import_reads_the_records(books, tmp_path) -> None:
    """Round trip: stays of the day with the energies that stand; what is taken back is left out."""
    records = exported(books, tmp_path, "ocpi") / "cdrs.json"
    prices = tmp_path / "prices.csv"
    prices.write_text(
        "\n".join(
            [
                "start_utc,price_eur_per_kwh",
                *(
                    f"2026-03-0{1 + (at + 23) // 24}T{(at + 23) % 24:02}:00Z,{RATE}"
                    for at in range(24)
                ),
            ]
        )
    )
    words = ["scenario", "import", "--sessions", records, "--prices", prices]
    words += ["--day", "2026-03-02", "--zone", "Europe/Berlin", "--out", tmp_path / "made"]
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exit_code == 0, done.output
    table = pl.read_csv(tmp_path / "made" / "sessions.csv", infer_schema=False)
    said = json.loads(records.read_text())
    taken = {each["credit_reference_id"] for each in said if each.get("credit")}
    stands = {
        each["id"]: each["total_energy"]
        for each in said
        if not each.get("credit") and each["id"] not in taken
    }
    assert sorted(table["session"]) == sorted(stands)
    for row in table.iter_rows(named=True):
        stored = float(row["required_kwh"]) - float(row["arrival_kwh"])
        metered = stands[row["session"]]
        assert stored / float(row["charge_efficiency"]) == pytest.approx(metered, abs=1e-3)


def test_what_is_asked_wrongly_is_told(books, tmp_path) -> None:
    """A month that is none, a driver that is not billed, a site that does not say who it is."""
    folder, _ = books
    for words, says in (
        (("--as", "invoices", "--month", "March"), "no month"),
        (("--as", "csv", "--month", "2026-03"), "not for csv"),
        (("--as", "invoices", "--driver", "driver:eve"), "billed for nothing"),
    ):
        done = run(books, "--out", tmp_path / "x", *words)
        assert done.exit_code == 2
        assert says in done.output + str(done.stderr)
        assert not (tmp_path / "x").exists()
    settings = folder / "site.toml"
    kept = settings.read_text()
    settings.write_text(kept.replace(OCPI, ""))
    lost = run(books, "--out", tmp_path / "x", "--as", "ocpi")
    settings.write_text(kept.replace('"DEU"', '"Germany"').replace('city = "Kiel"\n', ""))
    wrong = run(books, "--out", tmp_path / "x", "--as", "ocpi")
    settings.write_text(kept)
    assert (lost.exit_code, wrong.exit_code) == (2, 2)
    assert "[ocpi]" in lost.output + lost.stderr
    assert "ocpi.country" in wrong.output + wrong.stderr
    assert "ocpi.city" in wrong.output + wrong.stderr
