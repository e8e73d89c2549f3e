"""Advice in words: written again from numbers that were checked, and compared."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from pydantic import TypeAdapter

from hubwise.audit.conduct import Conduct
from hubwise.audit.evidence import Evidence
from hubwise.audit.figures import uncoordinated_flows, uncoordinated_kw
from hubwise.audit.limits import broken_counts
from hubwise.audit.promises import peak_valley_share, saving_share
from hubwise.audit.report import Check, words
from hubwise.domain import Promises, Strategy
from hubwise.domain.plain import is_number, named, number
from hubwise.grid import FeederState
from hubwise.record import Missed, Redispatch, WithoutPrices
from hubwise.record.advice import better_than, sentences, shortcomings
from hubwise.record.outcome import LIMIT_KINDS

# Two power flows may differ by so much of a share, and on whether it passes what is promised.
NEAR = 1e-7


def check_wording(evidence: Evidence, conduct: Conduct, before: FeederState) -> Iterator[Check]:
    """``advice`` and ``better``, sentence by sentence.

    ``before`` is a power flow of the uncoordinated day. What is said of limits rests on
    ``limits_missed`` and ``mends``, which must have been found right.
    """
    found = evidence.result.get("advice")
    ways = list(_advice(evidence, conduct, before))
    yield words(
        "advice: words",
        "What was missed, and what would help, is said as the numbers have it",
        [] if found in ways else [f"summary.json, advice: {found!r}, not {ways[0]!r}"],
        "write the sentences again from the numbers",
    )
    if conduct.posts_prices:
        said, due = evidence.result.get("better"), _better(evidence)
        yield words(
            "advice: better",
            "What would be better than a plan that is poor is said as the numbers have it",
            [] if said == due else [f"summary.json, better: {said!r}, not {due!r}"],
            "write the sentences again from the numbers",
        )


def _advice(evidence: Evidence, conduct: Conduct, before: FeederState) -> Iterator[list[str]]:
    """The sentences; in several ways where rounding decides how a number is written."""
    situation, result = evidence.scenario.situation, evidence.result
    promises = situation.promises if conduct.posts_prices else Promises()
    share, paid = peak_valley_share(evidence, before), saving_share(evidence)
    broken = {key: int(number(result.get(f"{key}_violations"))) for key in LIMIT_KINDS}
    counts = broken_counts(
        evidence.scenario, before, uncoordinated_kw(evidence), uncoordinated_flows(evidence)
    )
    missed = TypeAdapter(list[Missed]).validate_python(result.get("limits_missed"))
    mends = TypeAdapter(list[Redispatch]).validate_python(result.get("mends"))
    limits = sentences(situation, missed, mends)
    ramp = number(result.get("head_ramp_kw")), promises.ramp_kw
    for near, uncoordinated in product((0.0, NEAR, -NEAR), counts):
        of_span = None if share is None else share * (1.0 + near)
        of_cost = None if paid is None else paid * (1.0 + near)
        pairs = (of_span, promises.peak_valley), (of_cost, promises.saving)
        yield shortcomings(*pairs, broken, uncoordinated, ramp) + limits


def _better(evidence: Evidence) -> list[str]:
    result = evidence.result
    bounds = [result.get(key) for key in ("family_bound", "profit_bound")]
    bound = next((value for value in bounds if is_number(value)), None)
    said = named(result.get("without_prices"))
    strategy, earned = said.get("strategy"), number(said.get("operator_profit"))
    known = strategy in list(Strategy)
    without = WithoutPrices(Strategy(str(strategy)), earned) if known else None
    keys = "operator_profit", "reference_margin", "operator_profit_without_incentive"
    profit, margin, bare = (number(result.get(key)) for key in keys)
    currency = evidence.scenario.situation.market.currency
    return better_than(profit, margin, bound, without, currency, bare)
