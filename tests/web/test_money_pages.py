"""Prices and money in an operator's browser: what is proposed, what is posted, and every cent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import axe_playwright_python
import pytest

from driver_site import living, web

pytestmark = web
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
WIDTHS = (320, 768, 1440)
PATHS = ("/operator/prices", "/operator/money")
COSTS = [Decimal(10 + k) / 100 for k in range(24)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """One stay is billed, one is under way; it is known what energy costs."""
    folder = tmp_path_factory.mktemp("money") / "site"

    def with_costs() -> None:
        toml = folder / "site.toml"
        text = toml.read_text("utf-8").replace("[prices]", "[prices]\nleast_margin = 0.01")
        text = text.replace("[hubs.main]", "[hubs.main]\ndemand_charge = 8.0")
        low = ", ".join(f"{each - Decimal('0.05')}" for each in COSTS)
        high = ", ".join(f"{each + Decimal('0.05')}" for each in COSTS)
        before, after = text.split("charge = [", 1)
        after = after[after.index("[access]") :]
        text = f"{before}charge = [{high}]\ndischarge = [{low}]\n\n{after}"
        costs = ", ".join(map(str, COSTS))
        toml.write_text(f"{text}\n[planning]\npurchase = [{costs}]\n", "utf-8")

    drivers = {"ann": ["A1"], "bob": ["B1"]}
    with living(folder, ["CP1", "CP2"], drivers, before=with_costs) as made:
        made.ann = made.stay("CP1", "A1", [(40, 0, 0), (20, 2.345, 0), (1, 3.9, 0.7)], ends=True)
        made.bob = made.stay("CP2", "B1", [(30, 0, 0), (1, 1.111, 0)])
        yield made


@pytest.fixture
def opened(site, visit):
    """Opens pages as an operator, without scripts if not told else."""

    def made(path: str, **how: object):
        # Forms that are wrong on purpose are answered by 422.
        how = {"java_script_enabled": False, **how}
        return visit(path, site.secret(name="eve"), expects=(422,), **how)

    return made


def shown_prices(page) -> dict[str, tuple[str, str]]:
    """By the hour at which each begins."""
    rows = page.locator("#list tbody tr").all()
    return {
        row.locator("th").inner_text()[:5]: tuple(row.locator("td").all_inner_texts())
        for row in rows
    }


def test_a_list_is_seen_before_it_is_posted_once(site, opened) -> None:
    """By margins: each hour's cost and the margin, the least that is left, who keeps theirs; after
    *Post*, sent twice, one list that the API tells alike; taken back, what was before."""
    page = opened("/operator/prices")
    before = shown_prices(page)
    assert before == {f"{k:02}:00": (f"€{c + 5:.2f}", f"€{c - 5:.2f}") for k, c in cents()}
    page.select_option("[name=how]", "margins")
    page.fill("[name=margin]", "0,03")
    page.fill("[name=discharge_margin]", "0.02")
    page.fill("[name=hours]", "")
    page.fill("main form.fields [name=reason]", "a fair")
    page.get_by_role("button", name="See what it does").click()
    expected = {f"{k:02}:00": (f"€{c + 3:.2f}", f"€{c - 2:.2f}") for k, c in cents()}
    assert shown_prices(page) == expected
    assert [page.inner_text(f"#{name}") for name in ("keep", "get")] == ["1", "0"]
    assert page.inner_text("#leaves-charge") == "€0.03"
    assert page.inner_text("#leaves-discharge") == "€0.02"
    assert site.bob in page.inner_text("#does ~ .scroll")
    assert site.served.items("/prices/orders") == []
    with site.cookie(name="eve") as client:
        client.cookies["hubwise"] = page.context.cookies()[0]["value"]
        fields = page.locator("main form input").all()
        form = {each.get_attribute("name"): each.input_value() for each in fields}
        for _ in range(2):
            assert client.post("/operator/prices", data=form).status_code == 303
    (item,), acts = site.served.items("/prices/orders"), site.served.items("/acts")
    offered = site.served.get("/prices").json()
    verbs = [each["verb"] for each in acts if "prices" in each["verb"]]
    assert verbs == ["post prices"]
    assert (item["by"], item["reason"], offered["posted_by"]) == ("eve", "a fair", "eve")
    assert [f"€{Decimal(each):.2f}" for each in item["charge"]] == [
        it[0] for it in expected.values()
    ]
    page = opened("/operator/prices")
    assert "posted by eve" in page.inner_text(".title")
    assert page.inner_text("#why") == "a fair"
    assert shown_prices(page) == expected
    page.locator(".order [name=reason]").fill("rained off")
    page.get_by_role("button", name="Take back").click()
    assert shown_prices(page) == before


def cents() -> list[tuple[int, Decimal]]:
    """Hours, and what a kWh costs, as amounts that `:.2f` writes after adding cents."""
    return [(k, Cents(each)) for k, each in enumerate(COSTS)]


class Cents(Decimal):
    """An amount to which cents are added."""

    def __add__(self, other: int) -> Decimal:
        return Decimal(self) + Decimal(other) / 100

    def __sub__(self, other: int) -> Decimal:
        return Decimal(self) - Decimal(other) / 100


def test_what_is_wrong_is_told_and_what_was_written_stays(site, opened) -> None:
    """A list that loses money, by its hour; a line that is none; and nothing is posted."""
    page = opened("/operator/prices")
    page.fill("[name=hours]", "00:00 0.50 0.01\n12:00 0.20 0.01")
    page.fill("main form.fields [name=reason]", "a fair")
    page.get_by_role("button", name="See what it does").click()
    said = page.locator("[role=alert] li").all_inner_texts()
    assert said[0].startswith("Price to charge, 12:00: 0.20; at least 0.23")
    assert len(said) == sum(Decimal("0.20") - each < Decimal("0.01") for each in COSTS[12:])
    page.fill("[name=hours]", "00:00 0.50\n")
    page.fill("[name=until]", "2020-01-01T00:00")
    page.get_by_role("button", name="See what it does").click()
    said = page.locator("[role=alert] li").all_inner_texts()
    assert [each.split(":")[0] for each in said] == ["line 1", "Until"]
    assert page.input_value("[name=hours]").strip() == "00:00 0.50"
    assert site.served.items("/prices/orders") == []


def test_money_is_the_ledgers_to_the_cent(site, opened) -> None:
    """A bill and its correction, as invoices and entries have them; who is here is not billed."""
    before = site.served.bill("CP1")
    assert before["status"] == "final"
    figures = {"charged_kwh": "4.25", "discharged_kwh": "1.5", "reason": "meter replaced"}
    site.change("POST", f"/sessions/{site.ann}/corrections", figures)
    page = opened("/operator/money")
    (invoice,) = site.served.items("/invoices")
    posted = cells(page, "posted together")
    assert posted[0] == "1"
    assert [*map(Decimal, posted[1:3])] == [Decimal("4.25"), Decimal("1.5")]
    assert posted[3:] == [money(invoice[name]) for name in ("paid", "earned", "net")]
    assert cells(page, "hubs") == posted
    bill, corrected = cells(page, "posted bills"), cells(page, "posted corrections")
    assert bill[3:5] == [money(before[name]) for name in ("paid", "earned")]
    assert corrected[0] == "1"
    owed = sum(
        Decimal(each["amount"]) * (1 if each["debit"] == "driver:ann" else -1)
        for each in site.served.items("/ledger/entries")
        if "driver:ann" in (each["debit"], each["credit"])
    )
    assert posted[5] == money(owed)
    now = site.served.bill("CP2")
    under_way = cells(page, "unbilled open")
    assert under_way[0] == "1"
    assert under_way[3] == money(now["paid"])
    assert page.locator("#peaks tbody tr").count() == 1
    last = page.locator("section").nth(1)
    assert "Nothing was billed in this month." in last.inner_text()
    assert last.locator("tr.together td").all_inner_texts()[3:] == ["€0.00"] * 3
    secret = page.context.cookies()[0]["value"]
    with site.cookie(name="eve") as client:
        client.cookies["hubwise"] = secret
        for link in page.locator("main a").all():
            answer = client.get(link.get_attribute("href"))
            assert answer.status_code == 200, link
    with site.cookie("ann") as client:
        assert "bob" not in client.get("/api/v1/ledger/entries.csv").text


def cells(page, where: str) -> list[str]:
    """Of a table, and in it of a row, of this month."""
    table, _, row = where.partition(" ")
    found = page.locator(f"table.{table}").first.locator(f"tr.{row}" if row else "tbody tr")
    return found.first.locator("td").all_inner_texts()


def money(amount: object) -> str:
    sign = "\N{MINUS SIGN}" if Decimal(amount) < 0 else ""
    return f"{sign}€{abs(Decimal(amount)):.2f}"


def test_everybody_can_use_it(opened) -> None:
    """axe finds nothing, and nothing scrolls sideways on any screen, in both themes."""
    for path in PATHS:
        page = opened(path, java_script_enabled=True, reduced_motion="reduce")
        usable(page)
        if path == "/operator/prices":
            page.fill("main form.fields [name=reason]", "a fair")
            page.get_by_role("button", name="See what it does").click()
            page.wait_for_selector("#trial")
            usable(page)


def usable(page) -> None:
    page.evaluate(AXE.read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        found = page.evaluate("tags => axe.run({ runOnly: tags })", tags)
        assert not [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_only_operators_from_our_own_pages(site) -> None:
    """A driver is refused; so is a form from elsewhere, or without its token; nothing is posted."""
    form = {"how": "hours", "hours": "00:00 0.9 0.01", "reason": "a fair", "sure": "1"}
    with site.cookie("ann") as client:
        for path in PATHS:
            assert client.get(path).status_code == 403, path
        page = client.get("/me").text
        token = page.split('name="form" value="')[1].split('"')[0]
        for path in ("/operator/prices", "/operator/prices/withdraw"):
            assert client.post(path, data={**form, "form": token}).status_code == 403
    with site.cookie(name="eve") as client:
        page = client.get("/operator/prices").text
        token = page.split('name="form" value="')[1].split('"')[0]
        evil = {"Origin": "https://evil.example"}
        right = {**form, "form": token}
        assert client.post("/operator/prices", data=right, headers=evil).status_code == 403
        assert client.post("/operator/prices", data=form).status_code == 403
    assert site.served.items("/prices/orders") == []
