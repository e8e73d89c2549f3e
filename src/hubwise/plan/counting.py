"""A saving promise that counts what cars leave with: kept by promising as much more in money.

What is left depends on prices, and prices on what is promised; so a plan is made for money alone,
what its cars lack is taken off the share that may be paid, and the next plan is made for that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hubwise.dispatch import Baseline
from hubwise.domain import Search, Situation
from hubwise.plan.bilevel import bilevel_strategy
from hubwise.plan.decision import PostedDecision
from hubwise.plan.price_search import Progress

# Most plans that are made for one promise.
TURNS = 6
# A promise is kept by this share of what is paid uncoordinated at most, or by less where it is so.
NEAR = 5e-4


def counting_energy(
    situation: Situation,
    baseline: Baseline,
    search: Search,
    progress: Progress | None,
    shares: Callable[[PostedDecision], tuple[float, float]],
) -> PostedDecision:
    """The bilevel plan whose saving promise holds with what cars leave with counted.

    Of several that keep it, the one that keeps it by least. It has no bound on its profit: the
    bounds know the promise in money alone.

    Parameters
    ----------
    situation, baseline, search, progress
        As in `hubwise.plan.bilevel.bilevel_strategy`.
    shares
        What participants pay, and what buying back would cost that they lack, as shares of what
        they pay uncoordinated.
    """
    promises, quick = situation.promises, replace(search, boxes=0)
    best: tuple[bool, float, PostedDecision] | None = None
    share, least = promises.saving, NEAR / 4
    for turn in range(TURNS):
        aimed = replace(situation, promises=replace(promises, saving=share))
        decision = bilevel_strategy(aimed, baseline, quick, progress)
        paid, lacks = shares(decision)
        missed = paid + lacks - promises.saving
        rank = missed <= 0.0, -abs(missed)
        if best is None or rank > best[:2]:
            best = (*rank, decision)
        # What may be paid if as much is lacking again; with more room each time that this fails.
        due = min(max(promises.saving - lacks - turn * least, 0.0), promises.saving)
        if -NEAR <= missed <= 0.0 or abs(due - share) <= least / 2:
            break
        share = due
    assert best is not None
    decision = best[2]
    return replace(decision, situation=replace(decision.situation, promises=promises))
