"""The page: texts, tables and figures poured into one file that loads nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from html import escape
from importlib.resources import files
from string import Template

from hubwise.domain import Scenario
from hubwise.domain.plain import named
from hubwise.study.report import inputs, tables
from hubwise.study.report.axes import Spec
from hubwise.study.report.batteries import (
    batteries_plots,
    batteries_section,
    fade_by_temperature,
    wear_prices,
)
from hubwise.study.report.cases import Case, Cases
from hubwise.study.report.circuits import circuits_section
from hubwise.study.report.delegation import delegation_figures, delegation_section
from hubwise.study.report.draws import draws_table
from hubwise.study.report.drivers import packed_statements
from hubwise.study.report.figures_grid import (
    hot_spot,
    transformer,
    voltage_band,
    voltage_map,
    voltage_reach,
)
from hubwise.study.report.figures_money import compared, participants_savings, savings, waterfall
from hubwise.study.report.figures_power import fleet, fleet_reach, load, prices, stations
from hubwise.study.report.freedom import freedom_section, ladder
from hubwise.study.report.glossary import (
    PUBLISHED,
    STRATEGY_MEANINGS,
    label,
    money,
    number,
    percent,
)
from hubwise.study.report.packed import packed, plotly
from hubwise.study.report.palette import CHARGE, DISCHARGE, STATION
from hubwise.study.report.phases import phases_section
from hubwise.study.report.transformers import transformer_table

SECTIONS = (
    ("overview", "Overview"),
    ("day", "Load and prices"),
    ("fleet", "Fleet"),
    ("feeder", "Feeder"),
    ("stations", "Stations"),
    ("gains", "Gains"),
    ("drivers", "Drivers"),
    ("batteries", "Batteries"),
    ("values", "Three values"),
    ("compared", "Compared"),
    ("freedom", "Freedom"),
    ("delegation", "Delegation"),
    ("results", "Results"),
    ("given", "Assumptions"),
    ("method", "Method"),
    ("words", "Words"),
)


def make_page(material: Cases, kind: str) -> str:
    """The whole page as HTML; ``kind`` says what it reports on, such as ``day-ahead study``."""
    shares = material.participations
    texts = _texts(material, shares) | _givens(material) | _comparison(material)
    figures = _figures(material, shares)
    drawn = {name for at_share in named(figures["at"]).values() for name in named(at_share)}
    return Template(part("page.html")).substitute(
        texts,
        kind=escape(kind),
        style=part("style.css"),
        script=part("page.js"),
        drivers_script=part("drivers.js"),
        statements=packed_statements(material),
        unpack=part("unpack.js"),
        plotly=plotly(),
        summary=embedded(material.summary),
        battery_plots=batteries_plots(drawn),
        figures=packed(embedded(figures)),
    )


def part(name: str) -> str:
    """A file of the page, such as its style, as text."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def embedded(value: object) -> str:
    """JSON that is safe inside a script element; null where a number is NaN or infinite."""
    text = json.dumps(_without_nan(value), ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _without_nan(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _name(share: float) -> str:
    """A participation as the page's address and attributes write it."""
    return f"{share:g}"


def _middle(shares: Sequence[float]) -> str:
    return _name(shares[len(shares) // 2]) if shares else ""


def _at_each(shares: Sequence[float], write: Callable[[float], str]) -> str:
    """What ``write`` gives at every participation, all but the middle one hidden."""
    chosen = _middle(shares)
    return "".join(
        f'<div data-at="{_name(share)}"{"" if _name(share) == chosen else " hidden"}>'
        f"{write(share)}</div>"
        for share in shares
    )


def _texts(material: Cases, shares: list[float]) -> dict[str, str]:
    """Everything that depends on the results."""
    scenario = material.scenario
    return {
        "title": escape(scenario.name),
        "subtitle": inputs.subtitle(scenario),
        "currency": escape(scenario.situation.market.currency),
        "made_by": escape(f"Hubwise {material.version}".strip()),
        "links": "".join(
            f'<a href="#{key}">{title}</a>' for key, title in SECTIONS if _shown(key, material)
        ),
        "stations_hidden": "" if _shown("stations", material) else " hidden",
        "compared_hidden": "" if _shown("compared", material) else " hidden",
        "freedom": freedom_section(material) + delegation_section(material),
        "switch": _switch(shares),
        "headline": _at_each(
            shares, lambda p: f'<p class="headline">{tables.headline(material, p)}</p>'
        ),
        "cards": _at_each(shares, lambda p: tables.cards(material, p)),
        "price_caption": _price_caption(scenario),
        "fleet": _pair(material, "fleet"),
        "maps": _pair(material, "map"),
        "transformers": _transformers(material, shares),
        "stations": _stations(scenario),
        "savings": _at_each(shares, lambda p: _savings_caption(material.chosen(p), scenario)),
        "feeder": _at_each(
            shares,
            lambda p: (
                tables.feeder_table(material, p)
                + circuits_section(material, p)
                + phases_section(material, p)
            ),
        ),
        "batteries": _at_each(
            shares, lambda p: f'<div class="panel">{batteries_section(material, p)}</div>'
        ),
        "outcomes": _at_each(shares, lambda p: tables.outcomes_table(material, p)),
        "results": tables.results_table(material) + draws_table(material),
        "strategies": _meanings(material),
        "method": inputs.method_table(material),
        "how_made": inputs.how_made(material),
    }


def _shown(section: str, material: Cases) -> bool:
    """Whether a section has something to show, by its key in `SECTIONS`."""
    match section:
        case "freedom" | "delegation":
            return bool(material.summary.get(section))
        case "stations":
            return bool((material.scenario.situation.hubs.battery_kwh > 0).any())
        case "compared":
            return len(material.participations) > 1 or cites_published_study(material.scenario)
    return True


def _givens(material: Cases) -> dict[str, str]:
    """Everything that depends on the scenario alone."""
    scenario = material.scenario
    return {
        "price_rules": inputs.price_rules(scenario),
        "rules": inputs.rules_in_words(scenario, named(material.summary.get("rule_costs"))),
        "fleet_facts": inputs.fleet_facts(scenario),
        "hubs": inputs.hubs_table(scenario),
        "assumptions": inputs.bullets(scenario.assumptions, "The scenario names none."),
        "sources": inputs.bullets(scenario.sources, "The scenario names none."),
        "notes": _notes(scenario),
        "glossary": inputs.glossary(),
    }


def _notes(scenario: Scenario) -> str:
    lines = inputs.bullets(scenario.notes, "")
    return f'<div class="panel prose"><h3>Notes</h3>{lines}</div>' if scenario.notes else ""


def _switch(shares: Sequence[float]) -> str:
    if len(shares) < 2:
        return "".join(f'<p class="switch">Participating {percent(p)}</p>' for p in shares)
    chosen = _middle(shares)
    buttons = "".join(
        f'<button type="button" data-share="{_name(p)}" '
        f'aria-pressed="{str(_name(p) == chosen).lower()}">{percent(p)}</button>'
        for p in shares
    )
    return (
        '<div class="switch" role="group" aria-label="Participating">'
        f"Participating <span>{buttons}</span></div>"
    )


def _price_caption(scenario: Scenario) -> str:
    incentive = float(
        scenario.situation.terms.on_discharging(scenario.situation.horizon.slots).max()
    )
    if incentive <= 0:
        return "Prices at the charger, per kWh on the AC side."
    paid = escape(number(incentive, 2, scenario.situation.market.currency))
    return f"Shaded: the operator receives up to {paid} for every kWh that vehicles discharge."


def _pair(material: Cases, figure: str) -> str:
    """Two panels, uncoordinated beside the chosen strategy; one where they are the same."""
    sides = [("before", "uncoordinated")] if _has_yardstick(material) else []
    chosen = {case.strategy for p in material.participations if (case := material.chosen(p))}
    sides += [("after", strategy) for strategy in sorted(chosen - {"uncoordinated"})[:1]]
    return "".join(
        f'<div class="panel"><figure><h3>{_of_what(figure)}{tables.chip(strategy)}</h3>'
        f"{'' if figure == 'map' else LEGEND}"
        f'<div class="plot" data-figure="{figure}-{side}" role="img" '
        f'aria-label="{escape(label(strategy))}"></div></figure></div>'
        for side, strategy in sides
    )


def _of_what(figure: str) -> str:
    """What a panel shows, with its unit, where no axis says so."""
    return "Voltage of every bus [p.u.] " if figure == "map" else ""


def _transformers(material: Cases, shares: Sequence[float]) -> str:
    """Hottest spot and insulation life of transformers."""
    life = _at_each(shares, lambda p: transformer_table(material, p) or NO_LIFE)
    return (
        '<div class="panel"><figure><h3>Hottest spot of the substation '
        f"transformer</h3>{LEGEND}"
        '<div class="plot" data-figure="hot-spot" role="img" aria-label="Hottest spot of the '
        'substation transformer under each strategy"></div></figure></div>'
        f'<div class="panel"><h3>Life of transformers</h3>{life}</div>'
    )


NO_LIFE = '<p class="note">This result does not hold the life of transformers.</p>'
STATION_KEYS = (("Charging", CHARGE), ("Discharging", DISCHARGE), ("Stored energy", STATION))
LEGEND = '<div class="names"></div>'


def _has_yardstick(material: Cases) -> bool:
    return any(material.yardstick(share) for share in material.participations)


def _stations(scenario: Scenario) -> str:
    hubs = scenario.situation.hubs
    equipped = [k for k in range(len(hubs)) if hubs.battery_kwh[k] > 0]
    panels = "".join(
        f'<div class="panel"><figure><h3>{escape(hubs.name[k])} <small>bus {hubs.bus[k]}</small>'
        f'</h3><div class="plot" data-figure="station-{k}" role="img" '
        'aria-label="Station battery"></div></figure></div>'
        for k in equipped
    )
    without = len(hubs) - len(equipped)
    note = f'<p class="note">{without} of {len(hubs)} hubs have no station battery.</p>'
    keys = "".join(
        f'<span class="key" style="--c:{colour}">{name}</span>' for name, colour in STATION_KEYS
    )
    shown = f'<p class="keys">{keys}</p><div class="three">{panels}</div>' if equipped else ""
    return shown + (note if without else "")


def _savings_caption(case: Case | None, scenario: Scenario) -> str:
    saved = participants_savings(case) if case else None
    if saved is None or not saved.size:
        return ""
    ahead = percent(float((saved > 0.005).mean()), 1)
    behind = int((saved < -0.005).sum())
    total = money(float(saved.sum()), scenario.situation.market.currency)
    return (
        f"<figcaption>{saved.size:,} sessions save {escape(total)} together; {ahead} are better "
        f"off and {number(behind)} worse off than on the reference tariff.</figcaption>"
    )


def _meanings(material: Cases) -> str:
    cases = [case for share in material.participations for case in material.at(share)]
    present = dict.fromkeys(case.strategy for case in cases)
    return "".join(
        f"<div><b>{tables.chip(name)}</b>{escape(STRATEGY_MEANINGS.get(name, ''))}</div>"
        for name in present
    )


def cites_published_study(scenario: Scenario) -> bool:
    """Whether the scenario is made after the published study, so that figures compare."""
    return any("Jilin University" in source for source in scenario.sources)


def _comparison(material: Cases) -> dict[str, str]:
    cites = cites_published_study(material.scenario)
    plots = "".join(
        f'<div class="panel"><figure><h3>{measure.measure}</h3>{LEGEND}'
        f'<div class="plot" data-figure="compared-{measure.key}" role="img" '
        f'aria-label="{measure.measure}"></div></figure></div>'
        for measure in PUBLISHED
    )
    lead = "Each measure against the share of sessions that participate."
    table = f'<div class="panel">{tables.published_table(material)}</div>'
    return {
        "compared_title": "Beside the published study" if cites else "Participations side by side",
        "compared_lead": lead + (" Dashed: what the published study reports." if cites else ""),
        "compared": plots,
        "published": table if cites else "",
    }


def _figures(material: Cases, shares: list[float]) -> dict[str, object]:
    """Every figure by participation and name."""
    over_shares = compared(material, cites_published_study(material.scenario)) if shares else {}
    return {
        "share": _middle(shares),
        "at": {_name(share): _figures_at(material, share) for share in shares},
        "all": {f"compared-{key}": spec for key, spec in over_shares.items()}
        | ladder(material)
        | delegation_figures(material),
    }


def _figures_at(material: Cases, share: float) -> dict[str, Spec]:
    scenario, cases = material.scenario, material.at(share)
    before, after = material.yardstick(share), material.chosen(share)
    pair = [case for case in (before, after) if case]
    power, spread = fleet_reach(scenario, pair), voltage_reach(scenario, pair)
    drawn = {
        "load": load(scenario, cases),
        "prices": prices(scenario, after),
        "fleet-before": fleet(scenario, before, power),
        "fleet-after": fleet(scenario, after, power),
        "voltage": voltage_band(scenario, cases),
        "transformer": transformer(scenario, cases),
        "hot-spot": hot_spot(scenario, cases),
        "map-before": voltage_map(scenario, before, spread),
        "map-after": voltage_map(scenario, after, spread),
        "waterfall": waterfall(after, scenario.situation.market.currency),
        "savings": savings(after, scenario.situation.market.currency),
        "wear-prices": wear_prices(material, after),
        "fade": fade_by_temperature(material, after),
    }
    drawn |= {f"station-{k}": spec for k, spec in stations(scenario, after).items()}
    return {name: spec for name, spec in drawn.items() if spec}
