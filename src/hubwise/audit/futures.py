"""What a tariff is said to bring in several futures: sums over the rows of ``futures.parquet``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from hubwise.audit.evidence import Evidence
from hubwise.audit.money import MONEY, agree_numbers
from hubwise.audit.report import Check, words
from hubwise.domain.arrays import Array
from hubwise.domain.plain import named


def check_futures(evidence: Evidence) -> Iterator[Check]:
    """Whether the figures follow from the rows; the rows themselves rest on draws of their own."""
    if "futures" in evidence.folder.tables:
        wrong = _wrong_draws(evidence.folder.tables["futures"]["draw"].to_list())
        yield words(
            "rows: futures",
            "There are several futures, then several fresh draws, and nothing else",
            [f"futures.parquet, draw: {wrong}"] if wrong else [],
            "make the plan again",
        )
        if wrong:
            return
        said = named(evidence.folder.summary["futures"])
        due = futures_figures(evidence.folder.tables["futures"])
        yield agree_numbers(
            "summary: futures",
            "What futures bring is what their rows come to",
            {key: value for key, value in said.items() if key != "evaluations"},
            due,
            MONEY,
        )
        strange = said.keys() ^ {*due, "evaluations"}
        strange |= set() if type(said.get("evaluations")) is int else {"evaluations"}
        yield words(
            "summary: futures, keys",
            "Futures have their figures, and no others",
            [f"summary.json, futures.{key}" for key in sorted(strange)],
            "make the plan again",
        )


def _wrong_draws(draws: list[str]) -> str:
    """What is wrong with the kinds of draws; empty where nothing is."""
    known, fresh = draws.count("future"), draws.count("fresh")
    if draws != ["future"] * known + ["fresh"] * fresh:
        return "other kinds, or another order"
    return "" if min(known, fresh) >= 2 else f"{known} futures, {fresh} fresh"


def futures_figures(table: pl.DataFrame) -> dict[str, float]:
    """The figures that follow from the rows [currency, shares]."""
    known, fresh = table.filter(draw="future"), table.filter(draw="fresh")
    gain = _of(fresh, "profit") - _of(fresh, "profit_of_one_draw")
    gain -= _of(fresh, "cost") - _of(fresh, "cost_of_one_draw")
    return {
        "futures": known.height,
        "fresh_draws": fresh.height,
        "profit_in_futures": _of(known, "profit").mean(),
        "profit_if_known": _of(known, "profit_if_known").mean(),
        "value_of_knowing": (_of(known, "profit_if_known") - _of(known, "profit")).mean(),
        "profit_on_fresh_draws": _of(fresh, "profit").mean(),
        "profit_spread_on_fresh_draws": _of(fresh, "profit").std(ddof=1),
        "profit_of_one_draw": _of(fresh, "profit_of_one_draw").mean(),
        "value_of_many_at_equal_cost": gain.mean(),
        "value_of_many_standard_error": gain.std(ddof=1) / np.sqrt(len(gain)),
        "cost_ratio_on_fresh_draws": _of(fresh, "cost_ratio").mean(),
        "cost_ratio_of_one_draw": _of(fresh, "cost_ratio_of_one_draw").mean(),
        "worst_peak_valley_on_fresh_draws": _of(fresh, "peak_valley_ratio").max(initial=-np.inf),
    }


def _of(table: pl.DataFrame, column: str) -> Array:
    return table[column].to_numpy().astype(float)
