"""Statements of a driver, and what is held about them, in a browser: theirs and nobody else's."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import axe_playwright_python
import pytest

from driver_site import compile_planner, living, web

pytestmark = web
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
WIDTHS = (320, 360, 768, 1440)
DAY = 24 * 60
TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Ann was here in three months and is here now, Bob was here once, Cy never."""
    compile_planner()
    folder = tmp_path_factory.mktemp("own") / "site"
    tags = {"ann": ["A1"], "bob": ["B1"], "cy": ["C1"]}
    names = ["CP1", "CP2", "CP3", "CP4", "CP5"]
    with living(folder, names, tags) as made:
        made.anns = [
            made.stay(
                name,
                "A1",
                [(days * DAY + 95, 0, 0), (days * DAY + 40, 3.37, 0), (days * DAY + 5, 3.37, 1.13)],
                ends=True,
            )
            for name, days in (("CP1", 65), ("CP2", 1.5), ("CP3", 1))
        ]
        made.anns.append(made.stay("CP5", "A1", [(20, 0, 0), (1, 1.5, 0)]))
        made.bob = made.stay("CP4", "B1", [(90, 0, 0), (45, 4.5, 0), (30, 4.5, 0.7)], ends=True)
        soon = (datetime.now(UTC) + timedelta(hours=9)).isoformat()
        for level in ("30", "40"):
            wanted = {"departure_at": soon, "energy_kwh": "20", "required_kwh": level}
            made.wish(made.anns[-1], **wanted)
        made.planned(made.anns[-1])
        yield made


@pytest.fixture
def opened(site, visit):
    """Opens pages as a driver, on a phone."""

    def made(driver: str, path: str, **how: object):
        return visit(path, site.secret(driver), viewport={"width": 360, "height": 800}, **how)

    return made


def amount(text: str) -> Decimal:
    return Decimal(text.replace("\N{MINUS SIGN}", "-").replace("€", "").replace(",", ""))


def shown(page) -> dict[str, list[Decimal]]:
    """What the page says was paid, earned and owed, by stay; and together, by an empty name."""
    rows = page.locator("table.stays tbody tr, table.stays tfoot tr").all()
    found = {}
    for row in rows:
        cells = row.locator("td").all_inner_texts()
        found[row.get_attribute("data-stay") or ""] = [amount(each) for each in cells[2:5]]
    return found


def test_statements_are_those_of_the_books(site, opened) -> None:
    """Each month's stays, sums and CSV to the cent those of the bills; a stay is a page; no JS."""
    page = opened("ann", "/me", java_script_enabled=False)
    page.get_by_role("link", name="Statements").click()
    with site.cookie("ann") as ann:
        months = ann.get("/api/v1/me/statements").json()["items"]
        assert len(months) >= 2
        seen = []
        for month in months:
            page.goto(f"{site.base}/me/statements?month={month['month']}")
            found = shown(page)
            together = found.pop("")
            bills = [site.served.get(f"/sessions/{each}/bill").json() for each in found]
            for bill, figures in zip(bills, found.values(), strict=True):
                assert figures == [Decimal(bill[name]) for name in ("paid", "earned", "net")]
            assert together == [sum(each) for each in zip(*found.values(), strict=True)]
            table = ann.get(f"/api/v1/me/statements.csv?month={month['month']}").text
            rows = list(csv.DictReader(io.StringIO(table)))
            assert [each["session"] for each in rows] == list(found)
            names = ("paid", "earned", "net")
            assert [[Decimal(row[name]) for name in names] for row in rows] == [*found.values()]
            seen += found
        assert sorted(seen) == sorted(site.anns)
        assert ann.get("/me/statements?month=1999-01").status_code == 404
        assert ann.get("/api/v1/me/statements.csv?month=1999-01").status_code == 404
    page.goto(f"{site.base}/me/statements?month={months[-1]['month']}")
    page.locator("table.stays a").first.click()
    assert site.anns[0] == page.url.partition("stay=")[2].replace("%3A", ":")
    first = site.served.get(f"/sessions/{site.anns[0]}/bill").json()
    assert amount(page.locator("tr.sum td").first.inner_text()) == Decimal(first["net"])
    page.locator("summary", has_text="Block by block").click()
    lines = page.locator("details.blocks tbody tr")
    assert lines.count() == len(first["lines"])


def test_a_driver_downloads_a_month(opened) -> None:
    page = opened("ann", "/me/statements")
    with page.expect_download() as kept:
        page.get_by_role("link", name="as a table (CSV)").click()
    assert kept.value.suggested_filename.startswith("statement-20")
    assert kept.value.path().read_text("utf-8").startswith("session,station,arrival,")


def test_an_export_holds_all_of_a_driver_and_nothing_of_others(site, opened) -> None:
    """Each stay with its bill, its meter values and every wish as the API has them; no secrets."""
    page = opened("ann", "/me/privacy")
    assert page.locator("[data-stays]").inner_text() == "4"
    with page.expect_download() as kept:
        page.get_by_role("link", name="Download it all").click()
    text = kept.value.path().read_text("utf-8")
    held = json.loads(text)
    assert (held["driver"], held["tags"], held["car"]) == ("ann", ["A1"], None)
    assert sorted(each["session"] for each in held["stays"]) == sorted(site.anns)
    for each in held["stays"]:
        assert each["tag"] == "A1"
        assert each["bill"] == site.served.get(f"/sessions/{each['session']}/bill").json()
        values = site.served.get(f"/sessions/{each['session']}/meter-values").json()
        assert each["meter_values"] == values["items"]
        assert len(each["meter_values"]) >= 4
    said = {each["session"]: each["wishes"] for each in held["stays"]}
    assert [each["required_kwh"] for each in said[site.anns[-1]]] == ["30", "40"]
    assert len(held["sign_ins"]) == int(page.locator("[data-sign-ins]").inner_text()) >= 1
    for foreign in (site.bob, "B1", "bob", "secret"):
        assert foreign not in text


def test_who_signs_out_everywhere_is_out_everywhere(site, opened) -> None:
    """Another browser of Cy's hears 401 at once, and Ann's goes on."""
    page = opened("cy", "/me/privacy", java_script_enabled=False)
    with site.cookie("cy") as other, site.cookie("ann") as ann:
        assert other.get("/me").status_code == 200
        assert other.post("/me/sign-out", data={"form": "1.2"}).status_code == 403
        page.locator("main").get_by_role("button", name="Sign out everywhere").click()
        assert page.locator("h1").inner_text() == "You are signed out"
        assert other.get("/me").status_code == 401
        assert ann.get("/me").status_code == 200


def test_a_plan_can_be_checked_by_its_driver(site, opened) -> None:
    """The rows are those of the stay, and none contradicts its thresholds; Bob has no plan."""
    page = opened("ann", "/me/statements", java_script_enabled=False)
    page.get_by_role("link", name="How we check this").click()
    assert "hubwise audit DIR --all" in page.locator("code").inner_text()
    with page.expect_download() as kept:
        page.get_by_role("link", name="Download your plan").click()
    rows = list(csv.DictReader(io.StringIO(kept.value.path().read_text("utf-8"))))
    with site.cookie("ann") as ann, site.cookie("bob") as bob:
        slots = ann.get("/api/v1/me/stay").json()["slots"]
        assert [each["until"] for each in rows] == [each["until"] for each in slots]
        assert bob.get("/api/v1/me/plan.csv").status_code == 404
        foreign = {"session": site.anns[-1]}
        assert bob.get("/api/v1/me/plan.csv", params=foreign).status_code == 404
        assert "Your car is in no plan now." in bob.get("/me/check").text
    for row in rows:
        kw, below, above = float(row["kw"]), row["charge_below"], row["give_back_above"]
        assert kw < 0.05 or not below or float(row["charge"]) <= float(below) + 1e-4
        assert kw > -0.05 or not above or float(row["discharge"]) >= float(above) - 1e-4
    assert any(float(each["kw"]) > 1 for each in rows)
    assert all(each["case"] and each["text"] for each in rows)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_them(opened, theme) -> None:
    """axe finds nothing, nothing scrolls sideways, and a finger finds each link."""
    for driver, path in (
        ("ann", "/me/statements"),
        ("ann", "/me/check"),
        ("ann", "/me/privacy"),
        ("bob", "/me"),
        ("cy", "/me/statements"),
    ):
        page = opened(driver, path, color_scheme=theme)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        page.evaluate(AXE.read_text("utf-8"))
        found = page.evaluate("tags => axe.run({ runOnly: tags })", TAGS)
        assert not [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
        for each in page.locator("main a, main button, .menu a").all():
            assert each.bounding_box()["height"] >= 24
