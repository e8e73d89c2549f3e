"""What was given and how the numbers were made: rules, limits, hubs, fleet, method, assumptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from zoneinfo import ZoneInfo

import numpy as np

from hubwise.domain import Horizon, Scenario
from hubwise.domain.arrays import Flags
from hubwise.domain.plain import JsonObject
from hubwise.domain.plain import number as figure
from hubwise.domain.plain import rows as lines_of
from hubwise.study.report.cases import Case, Cases
from hubwise.study.report.glossary import (
    DASH,
    EN,
    GLOSSARY,
    SPACE,
    money,
    number,
    percent,
    span,
    tiny,
)
from hubwise.study.report.tables import facts, table


def subtitle(scenario: Scenario) -> str:
    """What kind of day this is, in one line."""
    situation, horizon = scenario.situation, scenario.situation.horizon
    sessions, hubs = len(situation.fleet), len(situation.hubs)
    buses, starts = len(situation.feeder.bus), horizon.local_starts()
    first, last = starts[0], starts[-1]
    day = f"{first:%A} {first.day} {first:%B %Y}, {first:%H:%M}"
    facts = [
        f"{sessions:,} {_plural(sessions, 'session')} at {hubs:,} {_plural(hubs, 'hub')}",
        f"a feeder of {buses:,} buses",
        f"{horizon.slots} slots of {horizon.slot_minutes}{SPACE}min from {day}",
        f"{horizon.zone} ({last.tzname()})",
    ]
    return escape(" · ".join(facts))


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def bullets(lines: Iterable[str], empty: str) -> str:
    """A list of sentences, or what to say where there is none."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else f'<p class="note">{escape(empty)}</p>'


def price_rules(scenario: Scenario) -> str:
    """What a posted tariff may be, block by block, beside what the operator is given."""
    rules, market, horizon = (
        scenario.situation.rules,
        scenario.situation.market,
        scenario.situation.horizon,
    )
    columns = (
        market.purchase_price,
        market.feed_in_price,
        market.reference_price,
        rules.charge_price_min,
        rules.charge_price_max,
        rules.discharge_price_min,
        rules.discharge_price_max,
        scenario.situation.terms.on_discharging(horizon.slots),
    )
    rows = []
    for block, name in enumerate(rules.block_names):
        mask = rules.block == block
        if mask.any():
            purchase, feed_in, reference, c0, c1, r0, r1, incentive = (
                (float(column[mask].min()), float(column[mask].max())) for column in columns
            )
            cells = [span(*pair, 3) for pair in (purchase, feed_in, reference)]
            cells += [span(c0[0], c1[1], 2), span(r0[0], r1[1], 2), span(*incentive, 2)]
            rows.append([escape(name), _when(horizon, mask), *cells])
    head = ["Block", "Hours", "Purchase", "Feed-in", "Reference tariff"]
    head += ["Charge price may be", "Discharge price may be", "Incentive"]
    return table(head, rows, "numbers words-2")


def _when(horizon: Horizon, mask: Flags) -> str:
    """The local hours at which a mask over the slots holds."""
    starts = [f"{at:%H:%M}" for at in horizon.local_starts()]
    ends = [*starts[1:], f"{horizon.end_utc.astimezone(horizon.local_start.tzinfo):%H:%M}"]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    runs = [(starts[a], ends[b - 1]) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    if len(runs) > 1 and runs[-1][1] == runs[0][0] and mask[0] and mask[-1]:
        runs = [(runs[-1][0], runs[0][1]), *runs[1:-1]]
    told = [(a, "24:00" if b == "00:00" else b) for a, b in runs[:6]]
    return ", ".join(f"{a}{EN}{b}" for a, b in told) + (" …" if len(runs) > 6 else "")


def rules_in_words(scenario: Scenario, costs: JsonObject | None = None) -> str:
    """Tariff family, caps, promises and limits, as rows of name and value.

    ``costs``: what price rules were found to cost, where that was looked for.
    """
    rules, promises, feeder = (
        scenario.situation.rules,
        scenario.situation.promises,
        scenario.situation.feeder,
    )
    per_kwh = f"{scenario.situation.market.currency}/kWh"
    rows = [
        ("Tariff family", escape(rules.family) + (", hub by hub" if rules.per_hub else "")),
        ("Cap on the average charge price", _or_none(rules.average_cap, 3, per_kwh)),
        *_own_rules(scenario),
        *_rule_costs(scenario, costs or {}),
        ("Promise to drivers: cost ÷ uncoordinated", _at_most(promises.saving)),
        ("Promise to the grid: peak-valley ÷ uncoordinated", _at_most(promises.peak_valley)),
        *_energy(scenario),
        ("Voltage band, p.u.", span(feeder.voltage_min_pu, feeder.voltage_max_pu, 2)),
        ("Substation transformer", _transformer(scenario)),
        ("Branch ampacity", _ampacity(scenario)),
        ("Demand charge", _demand_charges(scenario)),
    ]
    return facts(rows)


_OWN_RULES = {
    "charge_at_least_purchase": "Charging costs at least the purchase price, with cars there",
    "discharge_at_most_charge": "Discharge price at most the charge price",
    "step_max": "Most that a price changes by from slot to slot",
    "levels_max": "Most different prices of a kind",
    "changes_max": "Most changes of prices",
    "keeps_order": "Prices keep the order of purchase prices",
    "fills_empty": "Without cars, prices of the nearest slot with cars",
    "cap": "The reference tariff caps",
}


def _own_rules(scenario: Scenario) -> list[tuple[str, str]]:
    """The rules that the operator has set itself."""
    said = scenario.situation.rules.own.set_rules
    words = {
        name: "yes" if value is True else f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in said.items()
    }
    return [(_OWN_RULES[name], escape(value)) for name, value in words.items()]


def _rule_costs(scenario: Scenario, costs: JsonObject) -> list[tuple[str, str]]:
    """What price rules were found to cost."""
    currency = scenario.situation.market.currency
    return [
        (
            f"What it costs: {escape(str(line['rule']).replace('_', ' '))}",
            escape(number(figure(line["cost"]), 2, currency)),
        )
        for line in lines_of(costs.get("rules", []))
    ]


def _energy(scenario: Scenario) -> list[tuple[str, str]]:
    """What energy left in batteries is counted at, and what is promised of it."""
    market, promises = scenario.situation.market, scenario.situation.promises
    cars, stations = (number(price, 3) for price in market.energy_left)
    unit = escape(f"{market.currency}/kWh")
    said = [("Energy left in cars, in stations", f"{cars}, {stations} {unit}")]
    if promises.counts_energy:
        said.append(("Promise to drivers counts energy left", "yes"))
    if promises.equal_energy:
        said.append(("Energy at departure", "no less than uncoordinated"))
    return said


def _or_none(value: float, decimals: int, unit: str = "") -> str:
    return escape(number(value, decimals, unit)) if np.isfinite(value) and value else "none"


def _demand_charges(scenario: Scenario) -> str:
    """The charge of every billing period, and when those begin that begin later."""
    market, horizon = scenario.situation.market, scenario.situation.horizon
    unit, zone = f"{market.currency}/kW", ZoneInfo(horizon.zone)
    charges = [_or_none(market.demand_charge, 2, unit)]
    for first, charge in market.later_periods:
        since = f"{horizon.moment(first).astimezone(zone):%Y-%m-%d %H:%M}"
        charges.append(f"{_or_none(charge, 2, unit)} from {since} on")
    return ", ".join(charges)


def _at_most(promise: float) -> str:
    return f"at most {number(promise, 2)}" if np.isfinite(promise) else "none"


def _transformer(scenario: Scenario) -> str:
    feeder = scenario.situation.feeder
    rating = number(feeder.transformer_kva, 0, "kVA")
    return f"{rating}, at most {percent(feeder.transformer_limit)} of it"


def _ampacity(scenario: Scenario) -> str:
    known = scenario.situation.feeder.ampacity_a[np.isfinite(scenario.situation.feeder.ampacity_a)]
    return span(known.min(), known.max(), 0, "A") if known.size else "none"


def hubs_table(scenario: Scenario) -> str:
    """Where the hubs are and what stands there."""
    hubs = scenario.situation.hubs
    own = np.broadcast_to(hubs.transformer_kva, len(hubs))
    rows = [
        [
            escape(hubs.name[k]),
            number(hubs.bus[k].item()),
            number(int((scenario.situation.fleet.hub == k).sum())),
            _battery(hubs.battery_kw[k], hubs.battery_kwh[k]),
            number(hubs.solar_kw[k].max(), 0, "kW") if hubs.solar_kw[k].max() > 0 else "none",
            _or_none(hubs.import_limit_kw[k], 0, "kW"),
            _or_none(float(own[k]), 0, "kVA"),
        ]
        for k in range(len(hubs))
    ]
    head = [
        "Hub",
        "Bus",
        "Sessions",
        "Station battery",
        "Solar, at most",
        "Grid connection",
        "Transformer",
    ]
    return table(head, rows, "numbers")


def _battery(kw: float, kwh: float) -> str:
    return f"{number(kw)}{SPACE}kW / {number(kwh)}{SPACE}kWh" if kwh > 0 else "none"


def fleet_facts(scenario: Scenario) -> str:
    """Who comes: stays, batteries, energy, wear."""
    fleet, hours = scenario.situation.fleet, scenario.situation.horizon.slot_hours
    if not len(fleet):
        return '<p class="note">No session.</p>'
    stay = hours * (fleet.ends - fleet.begins)
    wanted = np.maximum(fleet.required_kwh - fleet.arrival_kwh, 0.0).sum()
    names, counts = np.unique(fleet.chemistry, return_counts=True)
    rows = [
        ("Sessions", number(len(fleet))),
        ("Can discharge", percent(float((fleet.discharge_kw_max > 0).mean()))),
        ("Stay, median", number(float(np.median(stay)), 1, "h")),
        ("Battery", span(fleet.capacity_kwh.min(), fleet.capacity_kwh.max(), 0, "kWh")),
        ("Charger", span(fleet.charge_kw_max.min(), fleet.charge_kw_max.max(), 1, "kW")),
        ("Energy required above arrival", number(float(wanted), 0, "kWh")),
        ("Wear cost", _wear(scenario)),
        ("Chemistry", _shares(names.tolist(), counts.tolist())),
    ]
    return facts(rows)


def _wear(scenario: Scenario) -> str:
    wear = scenario.situation.fleet.wear_cost
    return escape(
        span(float(wear.min()), float(wear.max()), 2, f"{scenario.situation.market.currency}/kWh")
    )


def _shares(names: Sequence[str], counts: Sequence[int]) -> str:
    pairs = zip(names, counts, strict=True)
    return escape(", ".join(f"{name} {percent(n / sum(counts))}" for name, n in pairs))


def method_table(cases: Cases) -> str:
    """How the plan's numbers were made at every participation, with bound and gap."""
    chosen = [case for share in cases.participations if (case := cases.chosen(share))]
    unit = escape(cases.scenario.situation.market.currency)
    rows = [
        ["Search method", *(_method(case) for case in chosen)],
        ["Tariffs evaluated", *(number(case.value("evaluations")) for case in chosen)],
        ["Time spent", *(number(case.value("wall_seconds"), 1, "s") for case in chosen)],
        ["Operator's profit", *(money(case.value("operator_profit"), unit) for case in chosen)],
        ["Bound for any tariff", *(_bound(case, "profit_bound", unit) for case in chosen)],
        ["Gap to the bound", *(_gap(case, "gap") for case in chosen)],
        [
            "Bound for tariffs of this family",
            *(_bound(case, "family_bound", unit) for case in chosen),
        ],
        ["Gap to that bound", *(_gap(case, "family_gap") for case in chosen)],
        ["Reference margin", *(money(case.value("reference_margin"), unit) for case in chosen)],
        ["Margin on others", *(money(case.value("margin_on_others"), unit) for case in chosen)],
        ["Largest regret of a driver", *(tiny(case.value("max_regret"), unit) for case in chosen)],
        ["Shortfall", *(number(case.value("shortfall_kwh"), 1, "kWh") for case in chosen)],
        ["Sessions that end earlier than stated", *(_early(case) for case in chosen)],
    ]
    return table(["", *(percent(case.participation) for case in chosen)], rows, "numbers")


def _method(case: Case) -> str:
    method = case.result.get("method")
    return escape(method) if isinstance(method, str) else DASH


def _early(case: Case) -> str:
    sessions = number(case.value("early_departures"))
    missing = case.value("shortfall_at_actual_departure_kwh")
    return f"{sessions}, {number(missing, 1, 'kWh')} short then" if missing else sessions


def _bound(case: Case, key: str, unit: str) -> str:
    value = case.value(key)
    return "not computed" if value is None else money(value, unit)


def _gap(case: Case, key: str) -> str:
    value = case.value(key)
    return "not computed" if value is None else percent(value, 2)


def how_made(cases: Cases) -> str:
    """Version, seed and method in one sentence."""
    search = cases.scenario.search
    facts = [
        f"Hubwise {cases.version}" if cases.version else "Hubwise",
        f"search method “{search.method}”, at most {search.evaluations:,} tariffs",
        f"seed {search.seed}",
        f"scenario “{cases.scenario.name}”",
    ]
    return escape(", ".join(facts)) + "."


def glossary() -> str:
    """What each word and number means."""
    return "<dl>" + "".join(f"<div><dt>{t}</dt><dd>{d}</dd></div>" for t, d in GLOSSARY) + "</dl>"
