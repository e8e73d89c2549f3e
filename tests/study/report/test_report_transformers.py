"""Life of transformers on the page: what strategies do to it, and whether years are gained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hubwise.domain import Scenario
from hubwise.study.report.cases import Case, Cases
from hubwise.study.report.transformers import transformer_table


def row(name: str, days: float, years: float) -> dict[str, Any]:
    return {
        "name": name,
        "rating_kva": 630.0,
        "peak_loading": 0.9,
        "hottest_c": 88.5,
        "life_days": days,
        "life_years": years,
    }


@pytest.fixture
def cases(scenario: Any) -> Any:
    """Makes material whose strategies use up transformers as given: (days a day, years)."""

    def make(**strategies: list[dict[str, Any]]) -> Cases:
        given: Scenario = scenario()
        cases = tuple(
            Case(name, 1.0, {"transformers": rows}, Path("nowhere"))
            for name, rows in strategies.items()
        )
        return Cases(given, "0", {}, cases)

    return make


def test_years_are_told_where_there_are_any(cases: Any) -> None:
    """A transformer that heat would end within its service gains the years between."""
    page = transformer_table(
        cases(uncoordinated=[row("T", 1.0, 17.1)], hubwise=[row("T", 0.5, 34.2)]), 1.0
    )
    assert "17.1 years more than uncoordinated" in page
    assert "\u221250" in page
    assert "T, 630" in page


def test_years_that_nobody_serves_are_not_promised(cases: Any) -> None:
    """Where heat ends nothing within sixty years no strategy adds any, whatever the ratio."""
    page = transformer_table(
        cases(uncoordinated=[row("T", 0.04, 470.0)], hubwise=[row("T", 0.02, 940.0)]), 1.0
    )
    assert "none adds years to it" in page
    assert "Hubwise only uses less" in page
    assert "more than uncoordinated" not in page
    hotter = cases(uncoordinated=[row("T", 0.02, 940.0)], hubwise=[row("T", 0.04, 470.0)])
    assert "Hubwise uses more of what is not used up" in transformer_table(hotter, 1.0)


def test_a_strategy_that_costs_life_says_so(cases: Any) -> None:
    """Fewer years are told as such; service counts at most sixty years."""
    page = transformer_table(
        cases(uncoordinated=[row("T", 0.1, 171.0)], hubwise=[row("T", 0.5, 34.0)]), 1.0
    )
    assert "26.0 years fewer than uncoordinated" in page
    assert "+400" in page


def test_names_are_only_text(cases: Any) -> None:
    """A transformer called like markup is shown, not run; unknown life is a dash."""
    bad = row("<script>", float("nan"), float("nan"))
    page = transformer_table(cases(uncoordinated=[bad], hubwise=[bad]), 1.0)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_results_without_transformers_have_no_table(cases: Any) -> None:
    """Results of earlier plans hold none; then there is none."""
    assert transformer_table(cases(uncoordinated=[], hubwise=[]), 1.0) == ""
