"""The page of a frontier: ``frontier.html``, one file that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from hubwise.domain import Scenario
from hubwise.study.report import inputs
from hubwise.study.report.frontier_figures import colours, grid, in_words, picture, promises
from hubwise.study.report.glossary import PUBLISHED, PUBLISHED_CITATION, number, percent
from hubwise.study.report.packed import packed, plotly
from hubwise.study.report.page import LEGEND, cites_published_study, embedded, part
from hubwise.study.report.tables import broken, grouped

Content = Mapping[str, Any]
Record = Mapping[str, Any]

RATIOS = {
    "peak_valley": "peak_valley_ratio",
    "participant_cost": "participant_cost_ratio",
    "profit": "profit_ratio",
}


def published(scenario: Scenario) -> dict[str, float] | None:
    """The published study's three ratios, where the scenario is made after it."""
    if not cites_published_study(scenario):
        return None
    return {RATIOS[measure.key]: measure.value for measure in PUBLISHED}


def write_frontier_page(scenario: Scenario, content: Content, folder: Path) -> Path:
    """Write ``frontier.html`` into a frontier's folder; ``content`` is its ``frontier.json``."""
    shares = promises(content["points"], "participation")
    figures = {f"picture-{share:g}": picture(content, share) for share in shares}
    figures |= {f"grid-{share:g}": grid(content, share) for share in shares}
    text = Template(part("frontier.html")).substitute(
        title=escape(scenario.name),
        subtitle=inputs.subtitle(scenario),
        headline=headline(content),
        star=_star_in_words(content),
        pictures=_panels(shares, "picture", "Profit over the peak-valley difference", LEGEND),
        grids=_panels(
            shares, "grid", "Profit at every pair of promises", what=", profit [share of the cost]"
        ),
        table=points_table(content),
        missed=missed(content),
        source=_source(content),
        made_by=escape(f"Hubwise {content['version']}"),
        style=part("style.css"),
        script=part("page.js"),
        unpack=part("unpack.js"),
        plotly=plotly(),
        content=embedded(content),
        figures=packed(embedded({"share": "", "at": {}, "all": figures})),
    )
    path = folder / "frontier.html"
    path.write_text(text, encoding="utf-8")
    return path


def _panels(shares: Sequence[float], name: str, label: str, above: str = "", what: str = "") -> str:
    return "".join(
        f'<div class="panel"><figure><h3>{percent(share)} participating{what}</h3>{above}'
        f'<div class="plot" data-figure="{name}-{share:g}" role="img" '
        f'aria-label="{label}, {percent(share)} participating"></div></figure></div>'
        for share in shares
    )


def headline(content: Content) -> str:
    """The frontier in a sentence or two."""
    points = content["points"]
    kept = [point for point in points if point["kept"]]
    said = f"<b>{len(kept)} of {len(points)}</b> pairs of promises are kept"
    gaps = sorted(point["gap"] for point in kept if point["gap"] is not None)
    if gaps:
        said += (
            f", with a profit of <b>{percent(1 - gaps[-1], 1)}</b> to <b>{percent(1 - gaps[0], 1)}"
            "</b> of the most that any tariff could bring"
        )
    return f"{said}.{_beside_published(content)}"


def _beside_published(content: Content) -> str:
    """What is reached at the promises of the published study, where they are on the grid."""
    star = content["published"] or {}
    same = [
        f"{number(point['profit_ratio'], 2)} at {percent(point['participation'])}"
        for point in content["points"]
        if point["kept"]
        and point["peak_valley_promise"] == star.get("peak_valley_ratio")
        and point["saving_promise"] == star.get("participant_cost_ratio")
    ]
    if not same:
        return ""
    return (
        f" Where drivers and grid get what the published study gives them, π is <b>"
        f"{' and '.join(same)}</b> participating, against its {number(star['profit_ratio'], 2)}."
    )


def _star_in_words(content: Content) -> str:
    star = content["published"]
    return "; the star is what the published study reports" if star else ""


COLUMNS = (
    "Promised<br>v, at most",
    "Promised<br>c, at most",
    "Reached<br>v",
    "Reached<br>c",
    "Reached<br>π",
    "Bound<br>on π",
    "Gap to<br>the bound",
    "Limits<br>broken",
    "Kept",
)


def points_table(content: Content) -> str:
    """Every plan of the frontier, in groups by participation."""
    dot = colours(promises(content["points"], "saving_promise"))
    groups = [
        (
            f"{percent(share)} participating",
            [
                _row(point, dot[point["saving_promise"]])
                for point in content["points"]
                if point["participation"] == share
            ],
        )
        for share in promises(content["points"], "participation")
    ]
    return grouped(COLUMNS, groups, "numbers results")


def _row(point: Record, colour: str) -> list[str]:
    saving = in_words(point["saving_promise"])
    return [
        in_words(point["peak_valley_promise"]),
        f'<span class="chip" style="--c:{colour}">{saving}</span>',
        number(point["peak_valley_ratio"], 3),
        number(point["participant_cost_ratio"], 3),
        f"<b>{number(point['profit_ratio'], 3)}</b>",
        number(point["bound_ratio"], 3),
        percent(point["gap"], 2),
        broken(point["violations"]),
        _kept(point),
    ]


def _kept(point: Record) -> str:
    return "yes" if point["kept"] else '<span class="bad">no</span>'


def missed(content: Content) -> str:
    """What the plans missed, as a notice below the table; nothing where all is kept."""
    lines = "".join(
        f"<li>{percent(point['participation'])}, v at most {in_words(point['peak_valley_promise'])}"
        f", c at most {in_words(point['saving_promise'])}: {escape(' '.join(point['misses']))}</li>"
        for point in content["points"]
        if not point["kept"]
    )
    return (
        f'<div class="panel missed"><h3>What was missed</h3><ul>{lines}</ul></div>' if lines else ""
    )


def _source(content: Content) -> str:
    cited = f" Published study: {PUBLISHED_CITATION}." if content["published"] else ""
    return escape(cited)
