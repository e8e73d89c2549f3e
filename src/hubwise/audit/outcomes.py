"""What other ties would have brought: the undelegated and the pessimistic outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hubwise.audit.conduct import Conduct
from hubwise.audit.days import day_of
from hubwise.audit.drivers import REGRET
from hubwise.audit.evidence import Evidence
from hubwise.audit.feeder import FLOW_KW, VOLTAGE, rounding_kw
from hubwise.audit.money import agree_numbers
from hubwise.audit.report import Check, Finding, judge
from hubwise.audit.ties import against_the_operator, as_early_as_possible
from hubwise.domain.plain import number

EARLY, AGAINST = "outcomes.undelegated", "outcomes.pessimistic"
_MONEY = ("operator_profit", "operator_profit_without_incentive", "participant_cost")
_POWER = ("peak_kw", "valley_kw", "peak_valley_kw")

Derived = dict[str, float]


def other_outcomes(
    evidence: Evidence, conduct: Conduct, found: Mapping[str, object]
) -> tuple[list[Check], set[str]]:
    """Checks of both outcomes, and the paths in the result that they derive."""
    if not conduct.posts_prices:
        return [], set()
    early, against = _early(evidence, conduct), _against(evidence, conduct)
    checks = [*_agree(evidence, found, early)]
    checks += [_at_most(evidence, found, against)] if against else []
    exact = against if against and _linear(evidence) else {}
    return checks, {*early, *exact}


def _early(evidence: Evidence, conduct: Conduct) -> Derived:
    """All figures of the undelegated outcome; none where ties leave devices a choice even so."""
    choice = as_early_as_possible(evidence)
    if not choice.single:
        return {}
    figures = day_of(evidence, conduct, choice.schedule).figures()
    return {f"{EARLY}.{name}": value for name, value in figures.items()}


def _agree(evidence: Evidence, found: Mapping[str, object], early: Derived) -> Iterator[Check]:
    rounding = rounding_kw(evidence.scenario.situation.feeder)
    kinds = {
        "money": (_MONEY, _money_tolerance(evidence)),
        "power": (_POWER, FLOW_KW + rounding),
        "shares": (("transformer_peak_loading", "min_voltage_pu"), VOLTAGE + rounding * 1e-3),
    }
    for kind, (names, tolerance) in kinds.items():
        due = {path: value for path, value in early.items() if path.rpartition(".")[2] in names}
        if due:
            yield agree_numbers(
                f"summary: undelegated, {kind}",
                "What the day comes to where devices break ties as early as possible, by two "
                "linear programs a driver",
                found,
                due,
                tolerance,
            )


def _money_tolerance(evidence: Evidence) -> float:
    return REGRET * max(1, int(evidence.fleet.participating.sum()))


def _linear(evidence: Evidence) -> bool:
    """Whether energy costs the same whoever needs it when: then the worst of ties has one value."""
    market = evidence.scenario.situation.market
    return not evidence.scenario.situation.periods.charged and np.array_equal(
        market.purchase_price, market.feed_in_price
    )


def _against(evidence: Evidence, conduct: Conduct) -> Derived:
    """The most that the pessimistic outcome may bring, all energy at the purchase price.

    Nothing where some cheapest schedule goes in a circle, which no vehicle can, or where energy
    sold brings more than it costs.
    """
    market = evidence.scenario.situation.market
    schedule = against_the_operator(evidence).schedule
    circles = np.minimum(schedule.charge_kw, schedule.discharge_kw).max(initial=0.0)
    if circles > 1e-6 or (market.feed_in_price > market.purchase_price).any():
        return {}
    day = day_of(evidence, conduct, schedule)
    export = np.maximum(-day.net_kw, 0.0) * (market.purchase_price - market.feed_in_price)
    most = day.figures()["operator_profit"] + evidence.hours * export.sum()
    return {f"{AGAINST}.operator_profit": float(most + day.items["demand_charges"])}


def _at_most(evidence: Evidence, found: Mapping[str, object], against: Derived) -> Check:
    ((path, most),) = against.items()
    said = number(found.get(path))
    excess = abs(said - most) if _linear(evidence) else said - most
    return judge(
        "summary: pessimistic, money",
        "What ties against the operator leave it, by two linear programs a driver; at most, where "
        "a demand charge or a lower feed-in price weighs on it besides",
        Finding(
            excess if np.isfinite(excess) else np.inf, f"summary.json, {path}: {said!r}, {most!r}"
        ),
        _money_tolerance(evidence),
        advice="make the plan again: ties may cost the operator more than it says",
    )
