"""Feed-in above the purchase price: refused only where somebody gains by buying and selling."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from hubwise.audit import audit_record
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario import check, load, new


def _site(folder: Path, feed_in: str, *, two_way: bool = False, stations: bool = False) -> Path:
    """The example, its series of prices flat at 50 a MWh."""
    new(folder)
    toml, text = folder / "scenario.toml", (folder / "scenario.toml").read_text("utf-8")
    text = text.replace('feed_in = "purchase"', f"feed_in = {feed_in}")
    text = text.replace("feed_in_fee = 0.01", "feed_in_fee = 0.0")
    if not stations:
        text = "\n".join(line for line in text.split("\n") if not line.startswith("battery_"))
    toml.write_text(text, "utf-8")
    for name, change in (("prices", lambda cells: [cells[0], "50"]), ("sessions", _one_way)):
        if name == "sessions" and two_way:
            continue
        head, *rows = (folder / f"{name}.csv").read_text("utf-8").strip().split("\n")
        body = [",".join(change(row.split(","))) for row in rows]
        (folder / f"{name}.csv").write_text("\n".join([head, *body]) + "\n", "utf-8")
    return folder


def _one_way(cells: list[str]) -> list[str]:
    return [*cells[:11], "0", *cells[12:]]


def test_one_way_cars_and_solar_are_never_refused(tmp_path: Path) -> None:
    """Nobody can sell what was bought: planned, audited, told, and without a bound."""
    scenario = load(_site(tmp_path / "s", "0.09"))
    market = scenario.situation.market
    sold = (scenario.situation.hubs.solar_kw > 0).any(axis=0)
    np.testing.assert_array_equal(market.feed_in_price > market.purchase_price, sold)
    assert any("no bound on profit is told" in note for note in scenario.notes)
    plan = make_plan(scenario, method="evolution")
    assert plan.result.bounds.profit_bound is None
    report = audit_record(write(plan, tmp_path / "plan"), scenario)
    assert report.ok, [str(check) for check in report.checks if check.status.value == "fails"]


def test_behind_a_connection_that_takes_nothing_back_nobody_sells(tmp_path: Path) -> None:
    """Two-way cars, stations and solar are not refused, and nothing is worth more than bought."""
    folder = _site(tmp_path / "s", "0.5", two_way=True, stations=True)
    assert check(folder)
    toml, text = folder / "scenario.toml", (folder / "scenario.toml").read_text("utf-8")
    toml.write_text(re.sub(r"export_limit_kw = .*", "export_limit_kw = 0.0", text), "utf-8")
    market = load(folder).situation.market
    np.testing.assert_array_equal(market.feed_in_price, market.purchase_price)


@pytest.mark.parametrize(("feed_in", "refused"), [("0.055", False), ("0.09", True)])
def test_a_two_way_car_is_named_with_its_slots(tmp_path: Path, feed_in: str, refused: bool) -> None:
    """A car is refused where it gains after losses and wear, and only there, with the slot."""
    issues = check(_site(tmp_path / "s", feed_in, two_way=True))
    assert bool(issues) is refused
    assert all("the car of session s" in issue.wrong for issue in issues)
    assert all("slots " in issue.wrong for issue in issues)


def test_a_station_is_named_with_its_slots(tmp_path: Path) -> None:
    """A station that gains is named, with when, and the price that would be right."""
    (issue,) = check(_site(tmp_path / "s", "0.09", stations=True))
    assert "the station of hub" in issue.wrong
    assert "slots 0-95 (12:00-12:00)" in issue.wrong


def test_feed_in_may_be_a_series(tmp_path: Path) -> None:
    """A table of prices in time, in the unit of the purchase prices."""
    site = _site(tmp_path / "s", '"sold.csv"')
    text = (site / "prices.csv").read_text("utf-8").replace(",50\n", ",20\n")
    (site / "sold.csv").write_text(text, "utf-8")
    assert (load(site).situation.market.feed_in_price == 0.02).all()
    (site / "sold.csv").unlink()
    (issue,) = check(site)
    assert (issue.file, issue.wrong) == ("sold.csv", "is not there")
