"""The shape of ``summary.json``: every key that the contract knows, with a value of its kind."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np

from hubwise.domain import Status, Strategy, WearPricing
from hubwise.grid import TransformerDay
from hubwise.ledger import Account
from hubwise.record.following import Following
from hubwise.record.missed import Missed, Redispatch
from hubwise.record.outcome import DispatchObjective, FeederFigures, Money, Outcome, Outcomes
from hubwise.record.result import (
    BatteryFigures,
    Bounds,
    Delegates,
    Departures,
    EnergyLeft,
    PlanResult,
    PostedPrice,
    Ratios,
    SearchFigures,
    Shortcomings,
    Statuses,
    WearFound,
    WithoutPrices,
)

ANY = "*"
"""A key that stands for names that a scenario gives: hubs, blocks, sources of terms."""

_TEXTS = ("",)


def specimen() -> dict[str, object]:
    """A summary with every key, in the summary's order.

    Numbers are 0.0 where a number may stand and 0 where a count does; a list holds one of what it
    may hold many of; `ANY` is the key where names are the scenario's.
    """
    texts = "scenario scenario_source scenario_fingerprint currency zone version"
    books = "charging_revenue discharge_payments others_revenue credits rounding"
    content = {
        "contract": 0,
        **dict.fromkeys(texts.split(), ""),
        "results": [{**_result().to_json(), "ties": ""}],
        "account": asdict(_account()),
        "books": dict.fromkeys(books.split(), ""),
        "seal": {ANY: ""},
    }
    plain: dict[str, object] = json.loads(json.dumps(content))
    return plain


def specimen_of_day() -> dict[str, object]:
    """What the summary of a day among many holds beside, in the same way."""
    state = {"battery_kwh": [0.0], "import_peak_kw": [0.0]}
    numbers = "profit imported_kwh exported_kwh charged_kwh discharged_kwh solar_kwh"
    more = "participant_cost participant_reference_cost peak_kw valley_kw highest_import_kw"
    part = {
        "month": "",
        "slots": 0,
        "account": asdict(_account()),
        "import_peak_kw": [0.0],
        **dict.fromkeys([*numbers.split(), *more.split()], 0.0),
    }
    day = {"number": 0, "of": 0, "date": "", "slots": 0, "cars": 0, "parts": [part]}
    return {
        "carried": state,
        "carried_lists": {"lists": 0},
        "left": state,
        "left_lists": {"lists": 0},
        "day": day,
    }


def _account() -> Account:
    return Account(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, terms={ANY: 0.0})


def _feeder() -> FeederFigures:
    return FeederFigures(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0)


def _result() -> PlanResult:
    nothing, feeder = np.zeros(1), _feeder()
    money = Money(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0)
    outcome, given = Outcome.of(feeder, money), Status.GIVEN
    return PlanResult(
        strategy=Strategy.PASSIVE,  # one that says how ties are broken
        participation=0.0,
        delegates=Delegates(0.0, 0, "", 0),
        feeder=feeder,
        money=money,
        departures=Departures(0.0, 0, 0.0),
        following=Following(0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0),
        reference_margin=0.0,
        ratios=Ratios(0.0, 0.0, 0.0),
        energy=EnergyLeft(*[0.0] * 10),
        prices={ANY: {ANY: PostedPrice(0.0, 0.0)}},
        outcomes=Outcomes(outcome, outcome, outcome),
        transformers=TransformerDay(("",), *[nothing] * 5),
        battery=BatteryFigures(0.0, 0.0, 0.0, 0.0),
        wear=WearFound(WearPricing.LINEAR),
        bounds=Bounds(0.0, 0.0, 0.0, 0.0),
        search=SearchFigures(statuses=Statuses(given, given, given)),
        dispatch_objective=DispatchObjective(*[0.0] * 8),
        shortcomings=_shortcomings(),
        notices=_TEXTS,
        warnings=_TEXTS,
    )


def _shortcomings() -> Shortcomings:
    missed = Missed("", "", (0,), 0, 0.0, 0.0, 0.0, False, False, 0, 0.0)
    return Shortcomings(
        advice=_TEXTS,
        missed=(missed,),
        redispatches=(Redispatch(0, {ANY: 0.0}, False),),
        without_prices=WithoutPrices(Strategy.STORAGE, 0.0),
        better=_TEXTS,
    )
