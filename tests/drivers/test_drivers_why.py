"""No sentence contradicts prices, thresholds or schedule."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import inside_slots
from drawn_drivers import make, random_tariff
from hubwise.domain.why import SENTENCES, Case
from hubwise.drivers import best_response, reasons_of
from tapers import horizon_of, random_stays
from why_truths import TRUTHS, check

ROOT = Path(__file__).parents[2]


def test_the_docs_have_every_case_and_its_words() -> None:
    """docs/operate.md describes each case, with a sentence that one of its wordings makes."""
    rows = re.findall(
        r"^\| `(\w+)` \| .*? \| ([^|]*?) \|$", (ROOT / "docs/operate.md").read_text(), re.M
    )
    told = {name: words for name, words in rows if name in set(Case)}
    assert told.keys() == set(Case)
    for name, words in told.items():
        forms = [re.sub(r"\\{\w+\\}", ".+", re.escape(SENTENCES[key])) for key in SENTENCES
                 if key.partition(".")[0] == name]  # fmt: skip
        assert any(re.fullmatch(form, words) for form in forms), words


def test_every_wording_is_of_a_case_and_has_a_truth() -> None:
    """No sentence is said that nothing checks; those of no plan aside."""
    unplanned = {"hub_limit", "hub_limit.short", "hub_limit.otherwise", "not_obeyed"}
    unplanned |= {"safe_rule", "not_taking_part"}
    assert {key.partition(".")[0] for key in SENTENCES} == set(Case)
    assert SENTENCES.keys() - unplanned == TRUTHS.keys()


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["plain", "bounds", "inside", "taper"]),
    st.integers(1, 96),
    st.integers(1, 8),
)
@settings(max_examples=150)
def test_every_sentence_is_true(seed: int, kind: str, slots: int, levels: int) -> None:
    """Whatever the stay, prices that are rounded as posted ones are or not, delegating or not."""
    rng = np.random.default_rng(seed)
    fleet, tariff, horizon = make(seed, 12, slots, levels, changing=kind == "bounds")
    if kind == "inside":
        fleet = inside_slots(fleet, rng)
    if kind == "taper":
        slots = max(slots, 6)
        horizon, tariff = horizon_of(slots), random_tariff(rng, slots, levels)
        fleet = random_stays(rng, 12, slots, concave=True, two_way=True)
        fleet = fleet.offered(rng.integers(0, 2, 12))
    fleet = replace(fleet, delegating=rng.random(12) < 0.5)
    schedule, _ = best_response(fleet, tariff, horizon)
    check(fleet, tariff, horizon, schedule, reasons_of(fleet, tariff, horizon, schedule))
