"""The page as a whole: complete, well-formed, true to its files, and harmless."""

from __future__ import annotations

import base64
import gzip
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from browser import laid_out, needs_chromium
from hubwise.domain import Scenario
from hubwise.scenario import load
from hubwise.study.report import write_plan_report, write_report
from hubwise.study.report.glossary import money, number, percent
from hubwise.study.report.inputs import rules_in_words

SECTIONS = (
    "overview day fleet feeder stations gains drivers batteries values compared results given "
    "method words"
)
VOID = {"meta", "br", "img", "link", "hr", "input"}

Make = Callable[..., Scenario]
Write = Callable[..., dict[str, Any]]


def squeezed(text: str) -> str:
    """Text with every kind of space made a plain one."""
    return " ".join(text.split())


def unpacked(text: str) -> str:
    """What an element of the page holds packed."""
    return gzip.decompress(base64.b64decode(text)).decode()


class Page(HTMLParser):
    """Tags, attributes and texts of a page; complains of tags that do not close in order."""

    def __init__(self, source: str) -> None:
        """Read a page."""
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: dict[str, str] = {}
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the tag that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep scripts by id, and what people read."""
        if self.open and self.open[-1] == "script":
            self.scripts[self.tags[-1][1].get("id") or "code"] = data
        elif self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        """What people read."""
        return squeezed(" ".join(self.texts))

    def ids(self) -> set[str | None]:
        """Every id."""
        return {attrs["id"] for _, attrs in self.tags if "id" in attrs}

    def figures(self) -> dict[str, Any]:
        """The embedded figures."""
        return json.loads(unpacked(self.scripts["figure-data"]))


@pytest.fixture(scope="module")
def ordinary(scenario: Make, study: Write, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("study")
    given = scenario()
    summary = study(given, folder)
    path = write_report(given, folder)
    return path, Page(path.read_text(encoding="utf-8")), summary


def made(folder: Path, given: Scenario) -> Page:
    return Page(write_report(given, folder).read_text(encoding="utf-8"))


def test_every_section_is_there_and_every_link_leads_to_one(ordinary: Any) -> None:
    """The page has all its sections, and its own links lead to them."""
    _, page, _ = ordinary
    assert set(SECTIONS.split()) <= page.ids()
    links = {attrs["href"] for tag, attrs in page.tags if tag == "a"}
    assert links == {f"#{name}" for name in SECTIONS.split()}


def test_every_drawing_place_has_its_figure(ordinary: Any) -> None:
    """With whole data no place for a figure stays empty, at any participation."""
    _, page, _ = ordinary
    places = {attrs["data-figure"] for _, attrs in page.tags if "data-figure" in attrs}
    figures = page.figures()
    for share in ("0.6", "0.7", "0.8"):
        assert places == figures["at"][share].keys() | figures["all"].keys()


def test_the_page_loads_nothing(ordinary: Any) -> None:
    """No element names a resource, no style imports one, and the page's own policy forbids it."""
    path, page, _ = ordinary
    for tag, attrs in page.tags:
        assert not {"src", "srcset", "data", "poster"} & attrs.keys(), tag
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        assert (attrs.get("href") or "#").startswith("#")
    style = re.search("<style>(.*?)</style>", path.read_text(encoding="utf-8"), re.DOTALL)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    policy = [attrs["content"] for tag, attrs in page.tags if "http-equiv" in attrs]
    assert policy[0].startswith("default-src 'none';")


def test_the_library_is_embedded_once_and_the_page_is_of_decent_size(ordinary: Any) -> None:
    """One plotly.js with its licence, of the version that checks our figures; below 2 MB in all."""
    path, page, _ = ordinary
    bundle = unpacked(page.scripts["plotly-data"])
    assert path.read_text(encoding="utf-8").count('id="plotly-data"') == 1
    assert path.stat().st_size < 2e6
    assert "Licensed under the MIT license" in bundle[:400]
    version = re.search(r"v(\d+\.\d+)", get_plotlyjs()[:200])
    assert version is not None
    assert f"plotly.js (cartesian - minified) v{version[1]}" in bundle[:200]


@needs_chromium
def test_nothing_scrolls_sideways_and_figures_are_drawn(ordinary: Any, tmp_path: Path) -> None:
    """On a small phone the page is as wide as the screen, and what is packed is drawn."""
    path, _, _ = ordinary
    said = laid_out(path, 360, tmp_path)
    assert said["scroll"] == said["width"] == 360
    assert said["drawn"] > 20
    assert said["old"] == 0


def test_maps_of_colour_say_what_they_show_and_in_which_unit(ordinary: Any) -> None:
    """A heat map has no axis for its values: its title names them."""
    _, page, _ = ordinary
    assert page.text.count("Voltage of every bus [p.u.]") == 2


def test_the_numbers_are_those_of_the_summary(ordinary: Any) -> None:
    """The embedded data is summary.json, and cards and table show its numbers."""
    _, page, summary = ordinary
    assert json.loads(page.scripts["summary-data"]) == summary
    for result in summary["results"]:
        assert number(result["peak_kw"]) in page.text
        assert squeezed(money(result["operator_profit"])) in page.text
    hubwise = [r for r in summary["results"] if r["strategy"] == "hubwise"]
    base = [r for r in summary["results"] if r["strategy"] == "uncoordinated"]
    for ours, theirs in zip(hubwise, base, strict=True):
        assert number(ours["peak_valley_kw"] / theirs["peak_valley_kw"], 3) in page.text
        assert squeezed(percent(ours["operator_profit"] / theirs["fleet_cost"], 1)) in page.text


def test_a_loss_is_called_one(scenario: Make, study: Write, tmp_path: Path) -> None:
    """The first sentence says that the operator loses; no incentive is told where there is none."""
    given = scenario(hubs=2)
    summary = study(given, tmp_path)
    for result in summary["results"]:
        result["operator_profit"] = result["operator_profit_without_incentive"] = -12.34
    (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    page = made(tmp_path, given)
    assert f"the operator loses {squeezed(money(12.34))}" in page.text
    assert "operator keeps" not in page.text
    assert "without the incentive" not in page.text


def test_one_participation_is_shown_before_any_script_runs(ordinary: Any) -> None:
    """Without scripts the middle participation is readable; the others are hidden."""
    _, page, _ = ordinary
    parts = [attrs for _, attrs in page.tags if "data-at" in attrs]
    assert {attrs["data-at"] for attrs in parts if "hidden" not in attrs} == {"0.7"}
    assert {attrs["data-at"] for attrs in parts if "hidden" in attrs} == {"0.6", "0.8"}


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>&amp;</script><!--'


def test_names_from_users_are_only_text(scenario: Make, study: Write, tmp_path: Path) -> None:
    """Markup in any name or text of a scenario reaches the reader as text."""
    given = scenario(
        hubs=2,
        name=HOSTILE,
        currency=HOSTILE,
        hub_names=(HOSTILE, "<b>two</b>"),
        assumptions=(HOSTILE,),
        notes=(HOSTILE,),
        sources=(HOSTILE,),
    )
    study(given, tmp_path, strategies=("uncoordinated", HOSTILE.replace("/", "")), shares=(0.5,))
    source = write_report(given, tmp_path).read_text(encoding="utf-8")
    page = Page(source)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == 7
    assert "img" not in tags
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert page.text.count("alert(1)") >= 6
    drawn = [t for fig in page.figures()["at"]["0.5"].values() for t in fig["data"]]
    assert not [t["name"] for t in drawn if "<" in t.get("name", "")]


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, "lost"])
def test_a_missing_number_is_a_dash(
    scenario: Make, study: Write, tmp_path: Path, value: Any
) -> None:
    """Null, NaN, infinity or a word where a number should be never breaks the page."""
    keep = {"strategy", "participation"}

    def spoil(result: dict[str, Any]) -> None:
        result.update({key: value for key in result if key not in keep})
        result["outcomes"] = {"dispatched": {"operator_profit": value}}

    given = scenario(hubs=1)
    study(given, tmp_path, shares=(0.6,), change=spoil)
    page = made(tmp_path, given)
    assert "no number is known" in page.text
    assert not re.search(r"\b(nan|NaN|inf|Infinity|None)\b", page.text)
    assert "NaN" not in page.scripts["summary-data"]


@pytest.mark.parametrize(
    ("strategies", "shares"),
    [
        (("hubwise",), (0.7,)),
        (("uncoordinated",), (0.7,)),
        (("uncoordinated", "hubwise"), (0.25, 0.5)),
        (("storage", "passive"), (0.6, 0.8)),
        ((), ()),
    ],
)
def test_missing_strategies_and_participations_are_no_harm(
    scenario: Make,
    study: Write,
    tmp_path: Path,
    strategies: tuple[str, ...],
    shares: tuple[float, ...],
) -> None:
    """The page shows what there is, and offers a switch only where there is a choice."""
    given = scenario(hubs=2)
    study(given, tmp_path, strategies=strategies, shares=shares)
    page = made(tmp_path, given)
    assert set(SECTIONS.split()) <= page.ids()
    assert list(page.figures()["at"]) == [f"{share:g}" for share in shares]
    switches = [attrs for tag, attrs in page.tags if tag == "button"]
    assert len(switches) == (len(shares) if len(shares) > 1 else 0)


def test_a_missing_plan_folder_leaves_the_rest(
    scenario: Make, study: Write, tmp_path: Path
) -> None:
    """Without plan folders the tables stand, and only the figures over slots are left out."""
    given = scenario(hubs=2)
    summary = study(given, tmp_path)
    (tmp_path / "plans").rename(tmp_path / "elsewhere")
    page = made(tmp_path, given)
    assert number(summary["results"][0]["peak_kw"]) in page.text
    assert page.figures()["at"]["0.7"] == {}
    assert page.figures()["all"].keys() >= {"compared-profit"}


@pytest.mark.parametrize(
    "shape",
    [
        {"hubs": 1},
        {"hubs": 12, "sessions": 36},
        {"stations": False},
        {"solar": True},
        {"sessions": 0},
    ],
)
def test_any_shape_of_site_gets_a_page(
    scenario: Make, study: Write, tmp_path: Path, shape: dict[str, Any]
) -> None:
    """One hub or twelve, with or without batteries, solar and vehicles."""
    given = scenario(**shape)
    study(given, tmp_path, shares=(0.7,))
    page = made(tmp_path, given)
    drawn = page.figures()["at"]["0.7"]
    equipped = int((given.situation.hubs.battery_kwh > 0).sum())
    assert sum(name.startswith("station-") for name in drawn) == equipped
    named = [layer["name"] for layer in drawn["fleet-after"]["data"]]
    assert ("Solar used" in named) == bool(shape.get("solar"))


def test_what_has_nothing_to_show_is_not_offered(
    scenario: Make, study: Write, tmp_path: Path
) -> None:
    """No station battery and a single participation: neither sections nor links to them."""
    given = scenario(stations=False, sources=("A meter",))
    study(given, tmp_path, shares=(0.7,))
    page = made(tmp_path, given)
    hidden = {attrs.get("id") for _, attrs in page.tags if "hidden" in attrs}
    assert {"stations", "compared"} <= hidden
    assert not {"#stations", "#compared"} & {a["href"] for tag, a in page.tags if tag == "a"}


def test_a_single_plan_stands_beside_its_uncoordinated_day(
    scenario: Make, study: Write, tmp_path: Path
) -> None:
    """A plan folder alone is enough for a page; what charging at once would do is drawn with it."""
    given = scenario()
    study(given, tmp_path)
    folder = tmp_path / "plans" / "hubwise-0.7"
    path = write_plan_report(given, folder)
    page = Page(path.read_text(encoding="utf-8"))
    assert path == folder / "report.html"
    assert "day-ahead plan" in page.text
    drawn = page.figures()["at"]["0.7"]
    assert {"load", "prices", "fleet-before", "fleet-after", "map-before", "waterfall"} <= set(
        drawn
    )
    names = [trace["name"] for trace in drawn["load"]["data"]]
    assert names == ["Load without hubs", "Uncoordinated", "Hubwise"]
    assert len(json.loads(page.scripts["summary-data"])["results"]) == 1


def test_the_published_study_is_compared_only_where_it_is_cited(
    scenario: Make, study: Write, tmp_path: Path
) -> None:
    """Another site's page does not hold the published figures against it."""
    given = scenario(sources=("A meter",))
    study(given, tmp_path)
    page = made(tmp_path, given)
    assert "Published study" not in page.text
    assert "Participations side by side" in page.text


def test_what_a_plan_missed_stands_below_its_cards(
    scenario: Make, study: Write, tmp_path: Path
) -> None:
    """Advice of the chosen plan is shown, as text; a plan that missed nothing shows none."""
    given = scenario(hubs=1)
    study(given, tmp_path, strategies=("uncoordinated", "passive"), shares=(0.7,))
    assert "What this plan missed a limit <is> broken" in made(tmp_path, given).text


def test_violations_of_every_kind_count(scenario: Make, study: Write, tmp_path: Path) -> None:
    """Limits broken are the sum over all kinds that the result counts."""

    def spoil(result: dict[str, Any]) -> None:
        result.update(voltage_violations=1, connection_violations=20, convergence_violations=300)

    given = scenario(hubs=1)
    study(given, tmp_path, strategies=("hubwise",), shares=(0.7,), change=spoil)
    assert "<b>321</b> limits are broken" in (write_report(given, tmp_path)).read_text("utf-8")


def test_wide_tables_are_shaded_where_they_go_on() -> None:
    """Reports and bills alike: covers move with the table, the shade beneath stays at the edge."""
    folder = resources.files("hubwise.study.report")
    rules = [
        re.search(r"\.scroll \{ overflow-x: auto;.*?\}", (folder / name).read_text("utf-8"), re.S)
        for name in ("style.css", "bills.html")
    ]
    first, second = (rule[0] for rule in rules if rule is not None)
    assert first == second
    covers, shades = (
        re.findall(rf"linear-gradient\(.*?no-repeat {way}", first) for way in ("local", "scroll")
    )
    assert all("var(--paper)" in cover for cover in covers)
    assert len(covers) == len(shades) == 2


def test_every_billing_periods_demand_charge_is_told() -> None:
    """What a kW costs, and from when on it costs something else."""
    example = load("example")
    charged = replace(
        example.situation.market, demand_charge=0.3, later_periods=((40, 0.2), (50, 0.0))
    )
    told = rules_in_words(example.having(market=charged)).replace("\N{NO-BREAK SPACE}", " ")
    due = "0.30 EUR/kW, 0.20 EUR/kW from 2025-05-14 22:00 on, none from 2025-05-15 00:30 on"
    assert due in told
