"""The operator's console and the feeder in a browser: figures of the API, on any screen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import axe_playwright_python
import pytest

from driver_site import living, web
from live_site import PASSWORD, event, here, sample

pytestmark = web
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
WIDTHS = (320, 768, 1440)
PATHS = ("/operator", "/operator/stations", "/operator/feeder")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A car charges at a hub of the published feeder, another has not moved."""
    folder = tmp_path_factory.mktemp("console") / "site"

    def at_the_feeder() -> None:
        toml = folder / "site.toml"
        text = toml.read_text("utf-8").replace("hubs.main", "hubs.hub-14")
        toml.write_text(text + '\n[feeder]\nscenario = "ieee33"\n', "utf-8")
        for name in ("CP1", "CP2"):
            here("station", "add", folder, name, "--hub", "hub-14", "--password", PASSWORD)

    drivers = {"ann": ["A1"], "bob": ["B1"]}
    with living(folder, ["CP1", "CP2"], drivers, before=at_the_feeder) as made:
        made.ann = made.stay("CP1", "A1", [(40, 0, 0), (20, 2, 0), (1, 3.9, 0)])
        made.bob = made.stay("CP2", "B1", [(30, 0, 0), (1, 0, 0)])
        yield made


@pytest.fixture
def opened(site, visit):
    """Opens pages as an operator, at a desk."""

    def made(path: str, **how: object):
        return visit(path, site.secret(name="eve"), viewport={"width": 1280, "height": 900}, **how)

    return made


def test_cars_are_those_of_the_api(site, opened) -> None:
    """Each car with what it does by meter and plan, and the same counted; without scripts."""
    page = opened("/operator", java_script_enabled=False)
    with site.cookie(name="eve") as client:
        cars = client.get("/api/v1/cars").json()["items"]
    assert [each["session"] for each in cars] == [site.ann, site.bob]
    rows = page.locator("#cars ~ .scroll tbody tr")
    for row, car in zip(rows.all(), cars, strict=True):
        cells = row.locator("td").all_inner_texts()
        shown = cells[1].replace("\N{NO-BREAK SPACE}kW", "").replace("\N{MINUS SIGN}", "-")
        assert row.locator("th").inner_text() == car["station"]
        assert (shown == "\N{EN DASH}") == (car["kw"] is None)
        assert car["kw"] is None or float(shown) == pytest.approx(float(car["kw"]), abs=0.051)
    for state in ("charging", "earning", "waiting", "lost"):
        shown = page.locator(f"[data-live={state}]").inner_text()
        assert int(shown) == sum(each["state"] == state for each in cars)


def test_a_meter_value_reaches_the_console(site, opened) -> None:
    """What a station says stands on the open page within seconds."""
    page = opened("/operator")
    before = page.locator("[data-live=kw]").inner_text()
    now = datetime.now(UTC)
    site.say("CP1", event("Updated", 3, now, [sample(103.95)], "T-CP1"))
    page.wait_for_function(
        "before => document.querySelector('[data-live=kw]').textContent !== before",
        arg=before,
        timeout=15_000,
    )


def test_the_feeder_is_the_apis(site, opened) -> None:
    """Without scripts: the tightest quarter first, any other by choice; as planned and without
    hubs; lowest voltage and head as the API has them, every bus and branch drawn."""
    with site.cookie(name="eve") as client:
        day = client.get("/api/v1/feeder/day").json()
    for show, key in (("plan", "plan"), ("without", "without_hubs")):
        page = opened(f"/operator/feeder?slot=40&show={show}", java_script_enabled=False)
        pu = [float(each) for each in day[key]["voltage_pu"][40]]
        assert f"{min(pu):.3f} p.u. at" in page.inner_text("#limits ~ table")
        head = f"{float(day[key]['head_kw'][40]):,.0f} kW"
        assert head in page.inner_text("#limits ~ table")
        assert page.locator("svg.feeder .bus").count() == len(pu) == 33
        assert page.locator("svg.feeder .branch").count() == len(day[key]["loading"][40])
        assert page.locator("svg.feeder .hub").count() == 1
    page = opened("/operator/feeder", java_script_enabled=False)
    lowest = [min(float(each) for each in slot) for slot in day["plan"]["voltage_pu"]]
    assert f"{min(lowest):.3f} p.u. at" in page.inner_text("#limits ~ table")
    page.get_by_role("link", name="A quarter later").click()
    assert "slot=" in page.url


def test_stations_are_those_of_the_api(site, opened) -> None:
    """Each with hub, touch, protocol and power; who is out of touch stands first."""
    page = opened("/operator/stations", java_script_enabled=False)
    shown = page.locator("table tbody tr").all()
    said = {each["station"]: each for each in site.served.items("/stations")}
    assert len(shown) == len(said) == 2
    for row in shown:
        station = said[row.locator("th").inner_text()]
        hub, touch, protocol, most, *_ = row.locator("td").all_inner_texts()
        assert (hub, protocol) == (station["hub"], station["protocol"])
        assert touch == ("yes" if station["connected"] else "no")
        assert most == f"{station['max_kw']} kW"
    page.get_by_role("link", name="Feeder").click()
    assert page.locator("h1").inner_text() == "Feeder"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(opened, theme) -> None:
    """axe finds nothing, and nothing scrolls sideways on any screen, in both themes."""
    for path in PATHS:
        page = opened(path, color_scheme=theme)
        page.evaluate(AXE.read_text("utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
        found = page.evaluate("tags => axe.run({ runOnly: tags })", tags)
        assert not [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]]
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_drivers_are_not_let_in(site) -> None:
    """Neither to the console nor to the feeder, by page or by API."""
    with site.cookie("ann") as client:
        for path in (*PATHS, "/api/v1/cars", "/api/v1/console/live", "/api/v1/feeder/day"):
            assert client.get(path).status_code in (401, 403), path
