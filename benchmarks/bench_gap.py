"""How good plans of every tariff family are: the distance to the bound on any tariff."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import process_time

from benchmarks.figure import Figure, Target
from benchmarks.reference import ieee33
from hubwise.domain import TariffFamily
from hubwise.plan import make_plan

SHARES = (0.6, 0.8)
# Boxes of prices for a bound as tight as it gets.
MANY_BOXES = 40_000
FAMILIES: tuple[tuple[str, bool, str, Target | None], ...] = (
    ("flat", False, "one price", None),
    ("time-of-use", False, "three blocks", ("at most", 4.0)),
    ("hourly", False, "hourly", None),
    ("every-slot", False, "every slot", ("at most", 1.5)),
    ("every-slot", True, "every slot, hub by hub", None),
)
MOST_SECONDS: Target = ("at most", 60.0)


def bench(quick: bool) -> Iterator[Figure]:
    """Gap and CPU time of a plan, by family and participation."""
    for share in SHARES[-1:] if quick else SHARES:
        for family, per_hub, words, target in FAMILIES:
            given = ieee33()
            rules = replace(given.situation.rules, family=TariffFamily(family), per_hub=per_hub)
            began = process_time()
            made = make_plan(given.having(rules=rules), participation=share).result.to_json()
            spent = process_time() - began
            kept = "promises and limits kept" if not made["advice"] else "; ".join(made["advice"])
            how = (
                f"hubwise plan ieee33 at {share:g}, {words}, {made['evaluations']} tariffs; {kept}"
            )
            gap = made["gap"]
            value = float("nan") if gap is None else 100.0 * gap
            yield Figure(f"gap at {share:g}, {words}", value, "%", how, target)
            yield Figure(f"CPU at {share:g}, {words}", spent, "s", how, target and MOST_SECONDS)
            if made["boxes"]:
                how = f"{how}; {made['boxes']:,} boxes of prices looked at"
                value = 100.0 * made["family_gap"]
                yield Figure(f"gap to the family's bound at {share:g}, {words}", value, "%", how)
        yield from _proven(share)


def _proven(share: float) -> Iterator[Figure]:
    """The gap of three blocks, with many boxes of prices."""
    given = ieee33()
    search = replace(given.search, boxes=MANY_BOXES)
    began = process_time()
    made = make_plan(given.having(search=search), participation=share).result.to_json()
    spent = process_time() - began
    how = (
        f"hubwise plan ieee33 --boxes {MANY_BOXES} at {share:g}, three blocks; {made['boxes']:,} "
        f"boxes looked at; {spent:.0f} s of CPU for the whole plan"
    )
    name = f"gap to the family's bound at {share:g}, three blocks, many boxes"
    yield Figure(name, 100.0 * made["family_gap"], "%", how, ("at most", 3.0))
